/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/manifest_function.h"
#include "core/hex.h"
#include "functions/manifest_permissions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The strings of each choice, in the order of its enum. */
static const char *const kinds[] = { "wasm", "native", NULL };
static const char *const abis[] = {
#define ABI_NAME(abi, name) name,
    FUNCTION_ABIS(ABI_NAME)
#undef ABI_NAME
        NULL
};
static const char *const meterings[] = { "none", "fuel", NULL };
static const char *const isolations[] = { "batch", "invocation", NULL };
static const char *const reuses[] = { "none", "instance", NULL };
static const char *const conflicts[] = { "fail", "retry", NULL };
static const char *const paddings[] = { "none", "power-of-two", NULL };

const char *function_abi_name(enum function_abi abi)
{
    return abis[abi];
}

static int variable_order(const void *a, const void *b)
{
    return strcmp(((const struct manifest_variable *)a)->name,
                  ((const struct manifest_variable *)b)->name);
}

/* Names that the node sets itself, and which a manifest therefore can't. */
static bool is_reserved(const char *name)
{
    static const char *const names[] = { "REQUEST_METHOD",  "PATH_INFO",         "SCRIPT_NAME",
                                         "QUERY_STRING",    "CONTENT_TYPE",      "CONTENT_LENGTH",
                                         "SERVER_NAME",     "SERVER_PROTOCOL",   "REMOTE_ADDR",
                                         "SERVER_SOFTWARE", "GATEWAY_INTERFACE", NULL };
    return manifest_is_in(names, name) || strncmp(name, "S3N_", 4) == 0 ||
           strncmp(name, "HTTP_", 5) == 0;
}

static bool variable_name_check(const char *name, struct error *error)
{
    size_t size = strlen(name);
    bool valid = size >= 1 && size <= ENVIRONMENT_NAME_SIZE_MAX && !(*name >= '0' && *name <= '9');
    for (size_t i = 0; valid && i < size; i++)
        valid = (name[i] >= 'A' && name[i] <= 'Z') || (name[i] >= 'a' && name[i] <= 'z') ||
                (name[i] >= '0' && name[i] <= '9') || name[i] == '_';
    if (!valid)
        return error_set(error, ERROR_INVALID,
                         "a variable's name has 1 to %d letters, digits and underscores and does "
                         "not begin with a digit",
                         ENVIRONMENT_NAME_SIZE_MAX);
    if (is_reserved(name))
        return error_set(error, ERROR_INVALID, "the node sets this variable itself");
    return true;
}

static bool read_environment(struct manifest_function *function,
                             const struct manifest_table *parent, struct error *error)
{
    struct manifest_table table;
    if (!manifest_get_table(parent, "environment", &table, error))
        return false;
    size_t count = json_object_size(table.json);
    if (count > MANIFEST_ENVIRONMENT_COUNT_MAX) {
        error_set(error, ERROR_LIMIT, "%zu variables, at most %d are allowed", count,
                  MANIFEST_ENVIRONMENT_COUNT_MAX);
        return manifest_fail(&table, error);
    }
    if (count == 0)
        return true;
    struct manifest_variable *variables = arena_array(table.arena, count, sizeof(*variables));
    if (variables == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the manifest");
    const char *key;
    json_t *value;
    size_t i = 0;
    json_object_foreach((json_t *)(uintptr_t)table.json, key, value)
    {
        if (!variable_name_check(key, error))
            return manifest_fail_key(&table, error_quote(bytes_of_string(key)).text, error);
        variables[i].name = arena_string(table.arena, bytes_of_string(key));
        variables[i].value = "";
        if (!manifest_read_string(&table, key, ENVIRONMENT_VALUE_SIZE_MAX, &variables[i].value,
                                  error))
            return false;
        i++;
    }
    if (arena_failed(table.arena))
        return error_set(error, ERROR_NO_MEMORY, "no memory for the manifest");
    qsort(variables, count, sizeof(*variables), variable_order);
    function->environment = variables;
    function->environment_count = count;
    return true;
}

static bool read_limits(struct function_limits *limits, const struct manifest_table *parent,
                        struct error *error)
{
    static const struct {
        const char *key;
        uint32_t standard;
        uint32_t max;
        size_t offset;
    } rows[] = {
#define LIMIT_ROW(name, standard, max)                                                             \
    { #name, standard, max, offsetof(struct function_limits, name) },
        FUNCTION_LIMITS(LIMIT_ROW)
#undef LIMIT_ROW
    };
    static const char *const keys[] = {
#define LIMIT_KEY(name, standard, max) #name,
        FUNCTION_LIMITS(LIMIT_KEY)
#undef LIMIT_KEY
            "fuel",
        NULL
    };
    struct manifest_table table;
    if (!manifest_get_table(parent, "limits", &table, error) ||
        (table.json != NULL && !manifest_check_keys(&table, keys, error)))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        uint64_t value = rows[i].standard;
        if (!manifest_read_number(&table, rows[i].key, rows[i].max, &value, error))
            return false;
        *(uint32_t *)(void *)((char *)limits + rows[i].offset) = (uint32_t)value;
    }
    limits->fuel = 0;
    return manifest_read_number(&table, "fuel", FUEL_MAX, &limits->fuel, error);
}

static bool read_abi(struct manifest_function *function, const struct manifest_table *table,
                     struct error *error)
{
    unsigned abi = FUNCTION_ABI_COMMAND;
    function->has_abi = json_object_get(table->json, "abi") != NULL;
    if (!manifest_read_choice(table, "abi", abis, &abi, error))
        return false;
    function->abi = (enum function_abi)abi;
    return true;
}

/* Size of the answers: "none", "power-of-two", or bytes that they are filled up to a multiple of.
 */
static bool read_pad_output(struct manifest_function *function, const struct manifest_table *table,
                            struct error *error)
{
    unsigned padding = PADDING_NONE;
    const json_t *given = json_object_get(table->json, "pad_output");
    uint64_t size = 0;
    if (json_is_integer(given)) {
        if (!manifest_read_number(table, "pad_output", PAD_OUTPUT_MAX, &size, error))
            return false;
        padding = PADDING_MULTIPLE;
    } else if (!manifest_read_choice(table, "pad_output", paddings, &padding, error)) {
        return false;
    }
    function->pad_output = (enum padding)padding;
    function->pad_output_size = (uint32_t)size;
    return true;
}

/* How it runs: every key that is not code, limits or environment. */
static bool read_manner(struct manifest_function *function, const struct manifest_table *table,
                        struct error *error)
{
    unsigned kind = 0, metering = 0, isolation = 0, reuse = 0, conflict = 0;
    uint64_t retries = INVOCATION_RETRIES_DEFAULT;
    function->clock_resolution_ns = CLOCK_RESOLUTION_NS_DEFAULT;
    if (!manifest_read_choice(table, "kind", kinds, &kind, error) ||
        !read_abi(function, table, error) ||
        !manifest_read_choice(table, "metering", meterings, &metering, error) ||
        !manifest_read_choice(table, "isolation", isolations, &isolation, error) ||
        !manifest_read_choice(table, "reuse", reuses, &reuse, error) ||
        !manifest_read_choice(table, "on_conflict", conflicts, &conflict, error) ||
        !manifest_read_number(table, "conflict_retries", INVOCATION_RETRIES_MAX, &retries, error) ||
        !manifest_read_bool(table, "deterministic", &function->is_deterministic, error) ||
        !manifest_read_duration(table, "clock_resolution", DURATION_NS_MAX,
                                &function->clock_resolution_ns, error) ||
        !manifest_read_duration(table, "pad_time", DURATION_NS_MAX, &function->pad_time_ns,
                                error) ||
        !read_pad_output(function, table, error))
        return false;
    function->kind = (enum function_kind)kind;
    function->is_metered = metering != 0;
    function->is_isolated = isolation != 0;
    function->is_reused = reuse != 0;
    function->is_retried = conflict != 0;
    function->retries = (unsigned)retries;
    if (!function->is_retried && json_object_get(table->json, "conflict_retries") != NULL) {
        error_set(error, ERROR_INVALID, "needs `on_conflict = \"retry\"`");
        return manifest_fail_key(table, "conflict_retries", error);
    }
    if (function->limits.fuel == 0 || function->is_metered)
        return true;
    error_set(error, ERROR_INVALID, "a limit of fuel needs `metering = \"fuel\"`");
    return manifest_fail_key(table, "limits", error);
}

static bool read_digest(const struct manifest_table *table, const char *key,
                        struct digest32 *digest, struct error *error)
{
    const char *text = "";
    if (!manifest_read_string(table, key, 64, &text, error))
        return false;
    if (hex_decode(digest->bytes, sizeof(digest->bytes), bytes_of_string(text)))
        return true;
    error_set(error, ERROR_INVALID, "must be a SHA-256 in hexadecimal");
    return manifest_fail_key(table, key, error);
}

/* Patterns of the files that go with the code. */
static bool read_files(struct manifest_function *function, const struct manifest_table *table,
                       struct error *error)
{
    const json_t *list = json_object_get(table->json, "files");
    if (list == NULL)
        return true;
    size_t count = json_array_size(list);
    bool valid = json_is_array(list) && count <= MANIFEST_FILES_COUNT_MAX;
    for (size_t i = 0; valid && i < count; i++) {
        const json_t *value = json_array_get(list, i);
        size_t size = json_string_length(value);
        valid = json_is_string(value) && size >= 1 && size <= SOURCE_PATH_SIZE_MAX &&
                memchr(json_string_value(value), '\0', size) == NULL;
    }
    if (!valid) {
        error_set(error, ERROR_INVALID, "must be a list of at most %d patterns like \"assets/**\"",
                  MANIFEST_FILES_COUNT_MAX);
        return manifest_fail_key(table, "files", error);
    }
    if (count == 0)
        return true;
    function->files = arena_array(table->arena, count, sizeof(*function->files));
    for (size_t i = 0; i < count && function->files != NULL; i++)
        function->files[i] =
            arena_string(table->arena, bytes_of_string(json_string_value(json_array_get(list, i))));
    function->files_count = count;
    return !arena_failed(table->arena) ||
           error_set(error, ERROR_NO_MEMORY, "no memory for the manifest");
}

/* Where the code comes from: a file in the source form, a digest in the resolved one. */
static bool read_code(struct manifest_function *function, const struct manifest_table *table,
                      struct error *error)
{
    static const char *const build_keys[] = { "command", NULL };
    struct manifest_table build;
    if (table->source->document == NULL) {
        function->has_archive = json_object_get(table->json, "files") != NULL;
        function->has_code = read_digest(table, "code", &function->code, error);
        return function->has_code &&
               (!function->has_archive || read_digest(table, "files", &function->archive, error));
    }
    if (!manifest_read_string(table, "source", SOURCE_PATH_SIZE_MAX, &function->source, error))
        return false;
    if (function->source == NULL || function->source[0] == '\0') {
        error_set(error, ERROR_INVALID, "a function needs `source`, the path of its .wasm file");
        return manifest_fail(table, error);
    }
    return read_files(function, table, error) &&
           manifest_get_table(table, "build", &build, error) &&
           (build.json == NULL || (manifest_check_keys(&build, build_keys, error) &&
                                   manifest_read_string(&build, "command", BUILD_COMMAND_SIZE_MAX,
                                                        &function->build_command, error)));
}

#define MANNER_KEYS                                                                                \
    "kind", "abi", "metering", "isolation", "reuse", "deterministic", "clock_resolution",          \
        "pad_time", "pad_output", "limits", "environment", "files", "permissions", "on_conflict",  \
        "conflict_retries"

bool manifest_read_function(struct manifest_function *function, const struct manifest_table *table,
                            const char *name, const json_t *json, struct error *error)
{
    static const char *const source_keys[] = { MANNER_KEYS, "source", "build", NULL };
    static const char *const resolved_keys[] = { MANNER_KEYS, "code", NULL };
    struct manifest_table own =
        manifest_sub_table(table, error_quote(bytes_of_string(name)).text, json);
    if (!name_is_valid(name)) {
        error_set(error, ERROR_INVALID,
                  "a function's name is 1 to 63 of a-z, 0-9 and hyphens, with no hyphen first or "
                  "last");
        return manifest_fail(&own, error);
    }
    if (!json_is_object(json)) {
        error_set(error, ERROR_INVALID, "must be a table");
        return manifest_fail(&own, error);
    }
    bool is_source = table->source->document != NULL;
    if (!manifest_check_keys(&own, is_source ? source_keys : resolved_keys, error))
        return false;
    snprintf(function->name, sizeof(function->name), "%s", name);
    function->line = manifest_line(&own);
    return read_code(function, &own, error) && read_limits(&function->limits, &own, error) &&
           read_manner(function, &own, error) && read_environment(function, &own, error) &&
           manifest_read_permissions(&function->permissions, &own, error);
}

static json_t *limits_tree(const struct function_limits *limits)
{
    json_t *tree = json_object();
#define LIMIT_SET(name, standard, max)                                                             \
    json_object_set_new(tree, #name, json_integer((json_int_t)limits->name));
    FUNCTION_LIMITS(LIMIT_SET)
#undef LIMIT_SET
    if (limits->fuel != 0)
        json_object_set_new(tree, "fuel", json_integer((json_int_t)limits->fuel));
    return tree;
}

json_t *manifest_function_tree(const struct manifest_function *function)
{
    json_t *environment = json_object();
    for (size_t i = 0; i < function->environment_count; i++)
        json_object_set_new(environment, function->environment[i].name,
                            json_string(function->environment[i].value));
    struct hex32 code = hex_of_digest(&function->code);
    json_t *padding = function->pad_output == PADDING_MULTIPLE
                          ? json_integer(function->pad_output_size)
                          : json_string(paddings[function->pad_output]);
    json_t *tree =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:o, s:o, s:o}", "code", code.text,
                  "kind", kinds[function->kind], "abi", abis[function->abi], "metering",
                  meterings[function->is_metered], "isolation", isolations[function->is_isolated],
                  "reuse", reuses[function->is_reused], "deterministic", function->is_deterministic,
                  "clock_resolution", (json_int_t)function->clock_resolution_ns, "pad_time",
                  (json_int_t)function->pad_time_ns, "pad_output", padding, "environment",
                  environment, "limits", limits_tree(&function->limits));
    if (tree != NULL && function->has_archive)
        json_object_set_new(tree, "files", json_string(hex_of_digest(&function->archive).text));
    /* Only when given: manifests from before there were any keep their digest. */
    if (tree != NULL && function->is_retried)
        json_object_set_new(tree, "on_conflict", json_string(conflicts[1]));
    if (tree != NULL && function->is_retried && function->retries != INVOCATION_RETRIES_DEFAULT)
        json_object_set_new(tree, "conflict_retries", json_integer(function->retries));
    json_t *permissions = manifest_permissions_tree(&function->permissions);
    if (tree != NULL && permissions != NULL)
        json_object_set_new(tree, "permissions", permissions);
    else
        json_decref(permissions);
    return tree;
}
