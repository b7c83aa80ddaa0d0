/* SPDX-License-Identifier: Apache-2.0 */
#include "operations/configuration.h"

#include "base/nearest.h"

#include <stdio.h>
#include <string.h>

enum {
    KEY_SIZE_MAX = 128,
    COMMENT_WIDTH = 110
};

/* Whether the path is a key, or a table that has keys. */
static bool is_known(const char *path, bool is_table)
{
    size_t size = strlen(path);
    if (is_table && strchr(path, '.') != NULL)
        return false;
    for (size_t i = 0; i < configuration_key_count; i++) {
        const char *key = configuration_keys[i].key;
        if (is_table ? strncmp(key, path, size) == 0 && key[size] == '.' : strcmp(key, path) == 0)
            return true;
    }
    return false;
}

static bool unknown(const char *path, struct error *error)
{
    const char *names[256];
    size_t count = 0;
    for (size_t i = 0; i < configuration_key_count && count < ARRAY_COUNT(names) - 1; i++)
        names[count++] = configuration_keys[i].key;
    names[count] = NULL;
    const char *near = nearest_name(path, names);
    return error_set(
        error, ERROR_INVALID, "configuration has no key \"%s\"%s%s%s (docs/configuration.md)",
        error_quote(bytes_of_string(path)).text, near == NULL ? "" : "; did you mean \"",
        near == NULL ? "" : near, near == NULL ? "" : "\"?");
}

static bool table_check(const char *table, const json_t *object, struct error *error)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        char path[KEY_SIZE_MAX];
        snprintf(path, sizeof(path), "%s%s%s", table, table[0] == '\0' ? "" : ".", name);
        bool is_one_name = strchr(name, '.') == NULL; /* a quoted one may have dots */
        if (is_one_name && is_known(path, false))
            continue;
        if (table[0] != '\0' || !is_one_name || !is_known(path, true))
            return unknown(path, error);
        /* A table's name with a plain value is left to whoever reads it. */
        if (json_is_object(value) && !table_check(path, value, error))
            return false;
    }
    return true;
}

bool configuration_check(const json_t *document, struct error *error)
{
    return table_check("", document, error);
}

static void default_write(struct buffer *text, const struct configuration_key *key)
{
    if (key->value == NULL)
        buffer_append_string(text, key->otherwise);
    else
        buffer_format(text, "`%s`", key->value);
}

void configuration_write_page(struct buffer *text)
{
    buffer_append_string(
        text,
        "# The configuration file\n\n"
        "TOML, in the file that `--config` or `S3N_CONFIG` names; root reads `/etc/s3n/s3nd.toml` "
        "when it is there. All keys are optional, and a\n"
        "file with a key that is not in this list is refused. The command line wins over the "
        "environment (`S3N_DATA_DIR`, `S3N_TEE`), which wins over the\n"
        "file. `s3n node init` writes a file that shows every key; `s3n node run --help` has the "
        "command line. A change counts from the next start or\n"
        "`s3n node upgrade` on.\n\n"
        "<!-- Printed by `build/tests/test-configuration --print`; change "
        "src/operations/configuration_keys.c, not this page. -->\n\n"
        "| key | default | meaning |\n"
        "| --- | --- | --- |\n");
    for (size_t i = 0; i < configuration_key_count; i++) {
        const struct configuration_key *key = &configuration_keys[i];
        buffer_format(text, "| `%s` | ", key->key);
        default_write(text, key);
        buffer_format(text, " | %s", key->meaning);
        if (key->page != NULL)
            buffer_format(text, " ([%.*s](%s))", (int)strcspn(key->page, "#"), key->page,
                          key->page);
        buffer_append_string(text, " |\n");
    }
}

/* Words in lines of a comment; the accents of Markdown stay, they do no harm. */
static void comment_write(struct buffer *text, const char *words)
{
    size_t column = 0;
    while (*words != '\0') {
        size_t size = strcspn(words, " ");
        if (column > 0 && column + 1 + size > COMMENT_WIDTH) {
            buffer_append_string(text, "\n");
            column = 0;
        }
        buffer_append_string(text, column == 0 ? "# " : " ");
        buffer_append(text, bytes_of(words, size));
        column += size + (column == 0 ? 2 : 1);
        words += size + strspn(words + size, " ");
    }
    buffer_append_string(text, "\n");
}

void configuration_write_file(struct buffer *text, const char *settings)
{
    char table[KEY_SIZE_MAX] = "";
    buffer_append_string(text, "# Configuration of an S3N node.  All keys are optional; what is "
                               "commented out shows an example or the default.\n\n");
    buffer_append_string(text, settings);
    for (size_t i = 0; i < configuration_key_count; i++) {
        const struct configuration_key *key = &configuration_keys[i];
        const char *dot = strchr(key->key, '.');
        size_t size = dot == NULL ? 0 : (size_t)(dot - key->key);
        if (size != strlen(table) || strncmp(table, key->key, size) != 0) {
            snprintf(table, sizeof(table), "%.*s", (int)size, key->key);
            buffer_format(text, "\n#[%s]\n", table);
        }
        buffer_append_string(text, "\n");
        comment_write(text, key->meaning);
        buffer_format(text, "#%s = %s\n", dot == NULL ? key->key : dot + 1,
                      key->value == NULL ? key->example : key->value);
    }
}
