/* SPDX-License-Identifier: Apache-2.0 */
/* The official suite's word on validity: every module of it is accepted, every malformed or invalid
 * one is refused.  Running them is spectest's part. */
#include "base/json.h"
#include "tests/harness.h"
#include "wasm/module.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    unsigned accepted, refused, other_words;
} counts;

static bool is_valid(struct bytes source, struct error *error)
{
    AUTO(arena) struct arena *arena = arena_new((size_t)1 << 30);
    struct module module;
    return module_decode(&module, arena, source, error) && module_validate(&module, arena, error);
}

static bool find_suite(char folder[PATH_MAX])
{
    const char *suites = getenv("S3N_SUITES");
    const char *source = getenv("S3N_SOURCE");
    if (suites != NULL)
        snprintf(folder, PATH_MAX, "%s/spec-tests/core", suites);
    else
        snprintf(folder, PATH_MAX, "%s/../shared/spec-tests/core", source == NULL ? "." : source);
    return access(folder, R_OK) == 0;
}

static bool has_type(const json_t *command, const char *type)
{
    const char *found = json_string_value(json_object_get(command, "type"));
    return found != NULL && strcmp(found, type) == 0;
}

static void check_command(const json_t *command, const char *name)
{
    const char *file = json_string_value(json_object_get(command, "filename"));
    const char *kind = json_string_value(json_object_get(command, "module_type"));
    const char *text = json_string_value(json_object_get(command, "text"));
    bool must_refuse = has_type(command, "assert_malformed") || has_type(command, "assert_invalid");
    if (file == NULL || (kind != NULL && strcmp(kind, "text") == 0))
        return;
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", test_folder(), file);
    struct bytes source = test_file(path);
    struct error error = { 0 };
    bool valid = is_valid(source, &error);
    int line = (int)json_integer_value(json_object_get(command, "line"));
    CHECK_NOTE(valid == !must_refuse, "%s:%d: %s (suite: %s)", name, line,
               valid ? "accepted" : error.text, text == NULL ? "valid" : text);
    counts.accepted += valid;
    counts.refused += !valid;
    if (!valid && must_refuse && strncmp(error.text, text, strlen(text)) != 0) {
        counts.other_words++;
        printf("    %s:%d: \"%s\" instead of \"%s\"\n", name, line, error.text, text);
    }
}

static void check_file(const char *folder, const char *name)
{
    char command[3 * PATH_MAX];
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/suite.json", test_folder());
    snprintf(command, sizeof(command), "wast2json '%s/%s' -o '%s'", folder, name, path);
    CHECK_NOTE(system(command) == 0, "%s", command);
    struct bytes text = test_file(path);
    json_error_t error;
    /* Names in it may hold NUL, which base/json.h refuses. */
    AUTO_JSON json_t *json = json_loadb((const char *)text.data, text.size, JSON_ALLOW_NUL, &error);
    CHECK_NOTE(json != NULL, "%s: %s", name, error.text);
    size_t index;
    json_t *one;
    json_array_foreach(json_object_get(json, "commands"), index, one) check_command(one, name);
}

static void agrees_with_the_suite(void)
{
    char folder[PATH_MAX];
    if (!find_suite(folder))
        SKIP("no official suite: neither $S3N_SUITES nor ../shared/spec-tests");
    if (system("command -v wast2json >/dev/null") != 0)
        SKIP("no wast2json (package wabt)");
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        size_t size = strlen(name);
        if (size > 5 && strcmp(name + size - 5, ".wast") == 0)
            check_file(folder, name);
        free(entries[i]);
    }
    free(entries);
    printf("    %u modules accepted, %u refused, %u in other words than the suite's\n",
           counts.accepted, counts.refused, counts.other_words);
    CHECK(counts.accepted > 1000);
    CHECK(counts.refused > 2000);
}

static const struct test tests[] = {
    TEST(agrees_with_the_suite),
};
TEST_MAIN(tests)
