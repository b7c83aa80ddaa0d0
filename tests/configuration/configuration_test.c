/* SPDX-License-Identifier: Apache-2.0 */
/* The list of the configuration's keys against what the node reads: each key is read, is checked,
 * does something, and has the default that the list says; no other is accepted; and
 * docs/configuration.md is what the list prints (--print writes it). */
#include "base/file.h"
#include "cmd/s3nd/config.h"
#include "operations/configuration.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_text(struct config *config, const char *text, struct error *error)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/s3nd.toml", test_folder());
    unsetenv("S3N_TEE");
    unsetenv("S3N_DATA_DIR");
    unsetenv("S3N_CONFIG");
    char option[] = "--config";
    char *arguments[] = { option, path, NULL };
    return file_replace(path, bytes_of_string(text), 0600, error) &&
           config_read(config, arguments, error);
}

/* The document that sets one key.  A broker's keys need a broker. */
static void document_write(struct buffer *text, const struct configuration_key *key,
                           const char *value)
{
    static const char *const broker[][2] = { { "provider", "\"kbs\"" },
                                             { "url", "\"https://kbs.invalid\"" },
                                             { "resource", "\"a/b/c\"" },
                                             { "ca", "\"/nowhere.pem\"" } };
    const char *dot = strchr(key->key, '.');
    const char *name = dot == NULL ? key->key : dot + 1;
    buffer_clear(text);
    if (dot != NULL)
        buffer_format(text, "[%.*s]\n", (int)(dot - key->key), key->key);
    for (size_t i = 0; strncmp(key->key, "root.", 5) == 0 && i < ARRAY_COUNT(broker); i++) {
        bool is_file = strcmp(name, "provider") == 0 && strcmp(value, "\"file\"") == 0;
        if (strcmp(broker[i][0], name) != 0 && !is_file)
            buffer_format(text, "%s = %s\n", broker[i][0], broker[i][1]);
    }
    buffer_format(text, "%s = %s\n", name, value);
    buffer_append(text, bytes_of("", 1));
}

/* With the value, without, or with the other keys alone. */
static bool reads(const struct configuration_key *key, const char *value, struct config *config,
                  struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 4096);
    document_write(&text, key, value);
    *config = (struct config){ 0 };
    bool done = read_text(config, (const char *)text.data, error);
    admission_done(&config->policy);
    return done;
}

static void keys_are_read_and_checked(void)
{
    static struct config plain, with_default, with_example;
    struct error error;
    REQUIRE(read_text(&plain, "", &error));
    for (size_t i = 0; i < configuration_key_count; i++) {
        const struct configuration_key *key = &configuration_keys[i];
        const char *wrong = key->kind == CONFIGURATION_TEXT ? "5" : "\"\\u0001\"";
        const char *dot = strchr(key->key, '.');
        bool is_policy = strncmp(key->key, "policy.", 7) == 0; /* a tree that was released */
        error.text[0] = '\0';
        CHECK_NOTE(reads(key, key->example, &with_example, &error), "%s: %s", key->key, error.text);
        CHECK_NOTE(!reads(key, wrong, &with_default, &error) &&
                       strstr(error.text, dot == NULL ? key->key : dot + 1) != NULL,
                   "%s = %s: %s", key->key, wrong, error.text);
        if (key->value != NULL) {
            CHECK_NOTE(reads(key, key->value, &with_default, &error), "%s: %s", key->key,
                       error.text);
            memcpy(with_default.file, plain.file, sizeof(plain.file));
            bool is_pure =
                strncmp(key->key, "policy.", 7) != 0 &&
                (strncmp(key->key, "root.", 5) != 0 || strcmp(key->key, "root.provider") == 0);
            CHECK_NOTE(!is_pure || memcmp(&plain, &with_default, sizeof(plain)) == 0,
                       "%s: %s is not its default", key->key, key->value);
            CHECK_NOTE(is_policy || memcmp(&with_example, &with_default, sizeof(plain)) != 0,
                       "%s: %s does what %s does", key->key, key->example, key->value);
        } else {
            CHECK_NOTE(is_policy || memcmp(&with_example, &plain, sizeof(plain)) != 0,
                       "%s does nothing", key->key);
            CHECK_NOTE(key->otherwise != NULL, "%s has no word for its default", key->key);
        }
    }
}

static void other_keys_are_refused(void)
{
    static const struct {
        const char *text, *said;
    } cases[] = {
        { "lisen = \"127.0.0.1:1\"\n", "did you mean \"listen\"" },
        { "[limits]\ninput_kb = 1\n", "did you mean \"limits.input_kib\"" },
        { "[nonsense]\nx = 1\n", "no key \"nonsense\"" },
        { "[listen]\nx = 1\n", "listen" },
        { "limits = 3\n", "limits" },
        { "policy = 3\n", "policy" },
        { "[limits.deeper]\nx = 1\n", "limits.deeper" },
        { "[[limits]]\nx = 1\n", "limits" },
        { "\"limits.input_kib\" = 1\n", "limits.input_kib" },
    };
    static struct config config;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct error error = { 0 };
        CHECK_NOTE(!read_text(&config, cases[i].text, &error) &&
                       strstr(error.text, cases[i].said) != NULL,
                   "%s: %s", cases[i].text, error.text);
    }
}

/* What `s3n node init` writes: as it is, and with every comment of a key taken away. */
static void the_written_file_is_read(void)
{
    static struct config config;
    struct error error = { 0 };
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 64 << 10);
    configuration_write_file(&text, "listen = \"127.0.0.1:9\"\n");
    buffer_append(&text, bytes_of("", 1));
    for (size_t i = 0; i < configuration_key_count; i++) {
        const char *dot = strchr(configuration_keys[i].key, '.');
        char line[128];
        snprintf(line, sizeof(line), "\n#%s = ", dot == NULL ? configuration_keys[i].key : dot + 1);
        CHECK_NOTE(strstr((const char *)text.data, line) != NULL, "%s", line);
    }
    CHECK_NOTE(read_text(&config, (const char *)text.data, &error), "%s", error.text);
    CHECK_STRING(config.listen, "127.0.0.1:9");
}

static void the_page_is_what_the_list_prints(void)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 64 << 10);
    configuration_write_page(&text);
    CHECK_NOTE(bytes_equal(buffer_view(&text), test_file("docs/configuration.md")),
               "docs/configuration.md: build/tests/test-configuration --print > it");
}

static const struct test tests[] = { TEST(keys_are_read_and_checked), TEST(other_keys_are_refused),
                                     TEST(the_written_file_is_read),
                                     TEST(the_page_is_what_the_list_prints) };

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--print") == 0) {
        AUTO_BUFFER struct buffer text;
        buffer_init(&text, 64 << 10);
        configuration_write_page(&text);
        return fwrite(text.data, 1, text.size, stdout) == text.size ? 0 : 1;
    }
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
