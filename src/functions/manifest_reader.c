/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/manifest_reader.h"
#include "core/reader.h"
#include "core/writer.h"

#include <string.h>

/* Puts "FILE:LINE: " before the error of the value at `path`. */
static bool fail_at(const struct manifest_source *source, const char *path, struct error *error)
{
    if (source->document == NULL)
        return error_within(error, "manifest: %s", path);
    if (path[0] == '\0')
        return error_within(error, "%s", source->file_name);
    unsigned line = toml_line(source->document, path);
    if (line == 0)
        return error_within(error, "%s: %s", source->file_name, path);
    return error_within(error, "%s:%u: %s", source->file_name, line, path);
}

static void path_join(char target[MANIFEST_PATH_SIZE], const char *parent, const char *key)
{
    struct writer writer = writer_into(target, MANIFEST_PATH_SIZE - 1);
    write_bytes(&writer, bytes_of_string(parent));
    if (parent[0] != '\0')
        write_u8(&writer, '.');
    write_bytes(&writer, bytes_of_string(key));
    target[writer.failed ? 0 : writer.size] = '\0';
}

bool manifest_fail(const struct manifest_table *table, struct error *error)
{
    return fail_at(table->source, table->path, error);
}

bool manifest_fail_key(const struct manifest_table *table, const char *key, struct error *error)
{
    char path[MANIFEST_PATH_SIZE];
    path_join(path, table->path, key);
    return fail_at(table->source, path, error);
}

unsigned manifest_line(const struct manifest_table *table)
{
    return table->source->document == NULL ? 0 : toml_line(table->source->document, table->path);
}

bool manifest_is_in(const char *const *names, const char *name)
{
    for (; *names != NULL; names++) {
        if (strcmp(*names, name) == 0)
            return true;
    }
    return false;
}

/* Parts of DESIGN section 7 that this version knows of and does not do yet. */
static const char *const later_keys[] = { "require", "cron", "neo", "ethereum", NULL };

bool manifest_check_keys(const struct manifest_table *table, const char *const *keys,
                         struct error *error)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)table->json, key, value)
    {
        if (manifest_is_in(keys, key))
            continue;
        struct quoted shown = error_quote(bytes_of_string(key));
        const char *nearest = nearest_name(key, keys);
        if (manifest_is_in(later_keys, key))
            error_set(error, ERROR_UNSUPPORTED, "is not supported yet by this version of S3N");
        else if (nearest != NULL)
            error_set(error, ERROR_INVALID, "unknown key; did you mean `%s`?", nearest);
        else
            error_set(error, ERROR_INVALID, "unknown key");
        return manifest_fail_key(table, shown.text, error);
    }
    return true;
}

struct manifest_table manifest_sub_table(const struct manifest_table *parent, const char *key,
                                         const json_t *json)
{
    struct manifest_table table = { parent->source, parent->arena, json, { 0 } };
    path_join(table.path, parent->path, key);
    return table;
}

bool manifest_get_table(const struct manifest_table *parent, const char *key,
                        struct manifest_table *table, struct error *error)
{
    *table = manifest_sub_table(parent, key, json_object_get(parent->json, key));
    if (table->json == NULL || json_is_object(table->json))
        return true;
    error_set(error, ERROR_INVALID, "must be a table");
    return manifest_fail(table, error);
}

bool manifest_read_string(const struct manifest_table *table, const char *key, size_t size_max,
                          const char **text, struct error *error)
{
    const json_t *value = json_object_get(table->json, key);
    if (value == NULL)
        return true;
    if (!json_is_string(value)) {
        error_set(error, ERROR_INVALID, "must be a string");
        return manifest_fail_key(table, key, error);
    }
    size_t size = json_string_length(value);
    if (size > size_max) {
        error_set(error, ERROR_LIMIT, "has %zu bytes, at most %zu are allowed", size, size_max);
        return manifest_fail_key(table, key, error);
    }
    if (memchr(json_string_value(value), '\0', size) != NULL) {
        error_set(error, ERROR_INVALID, "must not hold a NUL character");
        return manifest_fail_key(table, key, error);
    }
    const char *copy = arena_string(table->arena, bytes_of(json_string_value(value), size));
    if (copy == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the manifest");
    *text = copy;
    return true;
}

bool manifest_read_bool(const struct manifest_table *table, const char *key, bool *value,
                        struct error *error)
{
    const json_t *given = json_object_get(table->json, key);
    if (given == NULL)
        return true;
    if (!json_is_boolean(given)) {
        error_set(error, ERROR_INVALID, "must be true or false");
        return manifest_fail_key(table, key, error);
    }
    *value = json_is_true(given);
    return true;
}

bool manifest_read_number(const struct manifest_table *table, const char *key, uint64_t max,
                          uint64_t *number, struct error *error)
{
    const json_t *value = json_object_get(table->json, key);
    if (value == NULL)
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < 1 ||
        json_integer_value(value) > (json_int_t)max) {
        error_set(error, ERROR_INVALID, "must be a whole number from 1 to %llu",
                  (unsigned long long)max);
        return manifest_fail_key(table, key, error);
    }
    *number = (uint64_t)json_integer_value(value);
    return true;
}

bool manifest_read_choice(const struct manifest_table *table, const char *key,
                          const char *const *names, unsigned *choice, struct error *error)
{
    const json_t *value = json_object_get(table->json, key);
    if (value == NULL)
        return true;
    const char *name = json_string_value(value);
    for (unsigned i = 0; name != NULL && names[i] != NULL; i++) {
        if (strcmp(name, names[i]) == 0) {
            *choice = i;
            return true;
        }
    }
    char list[128];
    struct writer writer = writer_into(list, sizeof(list) - 1);
    for (unsigned i = 0; names[i] != NULL; i++) {
        write_bytes(&writer, bytes_of_string(i == 0 ? "\"" : ", \""));
        write_bytes(&writer, bytes_of_string(names[i]));
        write_u8(&writer, '"');
    }
    list[writer.failed ? 0 : writer.size] = '\0';
    error_set(error, ERROR_INVALID, "must be one of %s", list);
    return manifest_fail_key(table, key, error);
}

/* Digits and a unit; false when it is anything else or does not fit. */
static bool duration_parse(const char *text, uint64_t *duration_ns)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = { { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 } };
    uint64_t number = 0;
    size_t digits = 0;
    for (; text[digits] >= '0' && text[digits] <= '9'; digits++) {
        if (digits == 9)
            return false;
        number = number * 10 + (uint64_t)(text[digits] - '0');
    }
    *duration_ns = 0;
    if (strcmp(text, "0") == 0)
        return true;
    for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
        if (digits > 0 && strcmp(text + digits, units[i].name) == 0)
            *duration_ns = number * units[i].ns;
    }
    return *duration_ns != 0;
}

bool manifest_read_duration(const struct manifest_table *table, const char *key, uint64_t max_ns,
                            uint64_t *duration_ns, struct error *error)
{
    const json_t *value = json_object_get(table->json, key);
    if (value == NULL)
        return true;
    bool is_source = table->source->document != NULL;
    uint64_t given_ns = 0;
    bool valid = is_source
                     ? json_is_string(value) && duration_parse(json_string_value(value), &given_ns)
                     : json_is_integer(value) && json_integer_value(value) >= 0;
    if (valid && !is_source)
        given_ns = (uint64_t)json_integer_value(value);
    if (valid && given_ns <= max_ns) {
        *duration_ns = given_ns;
        return true;
    }
    error_set(
        error, ERROR_INVALID,
        "must be a time like \"250us\", \"1ms\" or \"2s\", at most %llu ms, or \"0\" for none",
        (unsigned long long)max_ns / 1000000);
    return manifest_fail_key(table, key, error);
}
