/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/manifest_tree.h"
#include "core/hex.h"
#include "core/writer.h"
#include "functions/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATH_SIZE = 512
};

/* Puts "FILE:LINE: " before the error of the value at `path`. */
static bool fail_at(const struct manifest_source *source, const char *path, struct error *error)
{
    if (source->document == NULL)
        return error_within(error, "manifest: %s", path);
    unsigned line = toml_line(source->document, path);
    if (line == 0)
        return error_within(error, "%s: %s", source->file_name, path);
    return error_within(error, "%s:%u: %s", source->file_name, line, path);
}

static void path_join(char target[PATH_SIZE], const char *parent, const char *key)
{
    struct writer writer = writer_into(target, PATH_SIZE - 1);
    write_bytes(&writer, bytes_of_string(parent));
    if (parent[0] != '\0')
        write_u8(&writer, '.');
    write_bytes(&writer, bytes_of_string(key));
    target[writer.failed ? 0 : writer.size] = '\0';
}

static bool fail_key(const struct manifest_source *source, const char *parent, const char *key,
                     struct error *error)
{
    char path[PATH_SIZE];
    path_join(path, parent, key);
    return fail_at(source, path, error);
}

/* Parts of DESIGN section 7 that this version knows of and does not do yet. */
static const char *const later_keys[] = {
    "permissions", "require", "cron", "neo", "ethereum", NULL
};

static bool is_in(const char *const *names, const char *name)
{
    for (; *names != NULL; names++) {
        if (strcmp(*names, name) == 0)
            return true;
    }
    return false;
}

static bool check_keys(const struct manifest_source *source, const json_t *object,
                       const char *parent, const char *const *keys, struct error *error)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (is_in(keys, key))
            continue;
        struct quoted shown = error_quote(bytes_of_string(key));
        const char *nearest = nearest_name(key, keys);
        if (is_in(later_keys, key))
            error_set(error, ERROR_UNSUPPORTED, "is not supported yet by this version of S3N");
        else if (nearest != NULL)
            error_set(error, ERROR_INVALID, "unknown key; did you mean `%s`?", nearest);
        else
            error_set(error, ERROR_INVALID, "unknown key");
        return fail_key(source, parent, shown.text, error);
    }
    return true;
}

/* A missing optional value leaves *text as it was. */
static bool read_string(const struct manifest_source *source, struct arena *arena,
                        const json_t *object, const char *parent, const char *key, size_t size_max,
                        const char **text, struct error *error)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL)
        return true;
    if (!json_is_string(value)) {
        error_set(error, ERROR_INVALID, "must be a string");
        return fail_key(source, parent, key, error);
    }
    size_t size = json_string_length(value);
    if (size > size_max) {
        error_set(error, ERROR_LIMIT, "has %zu bytes, at most %zu are allowed", size, size_max);
        return fail_key(source, parent, key, error);
    }
    if (memchr(json_string_value(value), '\0', size) != NULL) {
        error_set(error, ERROR_INVALID, "must not hold a NUL character");
        return fail_key(source, parent, key, error);
    }
    const char *copy = arena_string(arena, bytes_of(json_string_value(value), size));
    if (copy == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the manifest");
    *text = copy;
    return true;
}

static bool read_number(const struct manifest_source *source, const json_t *object,
                        const char *parent, const char *key, uint32_t max, uint32_t *number,
                        struct error *error)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL)
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < 1 ||
        json_integer_value(value) > (json_int_t)max) {
        error_set(error, ERROR_INVALID, "must be a whole number from 1 to %u", max);
        return fail_key(source, parent, key, error);
    }
    *number = (uint32_t)json_integer_value(value);
    return true;
}

static bool get_table(const struct manifest_source *source, const json_t *object,
                      const char *parent, const char *key, const json_t **table,
                      struct error *error)
{
    *table = json_object_get(object, key);
    if (*table == NULL || json_is_object(*table))
        return true;
    error_set(error, ERROR_INVALID, "must be a table");
    return fail_key(source, parent, key, error);
}

static bool is_date(const char *text)
{
    for (size_t i = 0; i < 10; i++) {
        bool fits = i == 4 || i == 7 ? text[i] == '-' : text[i] >= '0' && text[i] <= '9';
        if (!fits)
            return false;
    }
    return text[10] == '\0';
}

static bool is_version(const char *text)
{
    if (text[0] == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (!((*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'z') ||
              (*text >= 'A' && *text <= 'Z') || *text == '.' || *text == '-' || *text == '+'))
            return false;
    }
    return true;
}

static bool read_application(struct manifest *manifest, const json_t *root,
                             const struct manifest_source *source, struct error *error)
{
    static const char *const keys[] = { "name", "version", NULL };
    const json_t *table;
    if (!get_table(source, root, "", "application", &table, error))
        return false;
    if (table == NULL) {
        error_set(error, ERROR_INVALID, "the table [application] is missing");
        return fail_at(source, "application", error);
    }
    if (!check_keys(source, table, "application", keys, error))
        return false;
    const char *name = "", *version = "0.0.0";
    if (!read_string(source, manifest->arena, table, "application", "name", NAME_SIZE_MAX, &name,
                     error) ||
        !read_string(source, manifest->arena, table, "application", "version", VERSION_SIZE_MAX,
                     &version, error))
        return false;
    if (!name_is_valid(name)) {
        error_set(error, ERROR_INVALID,
                  "must be 1 to 63 of a-z, 0-9 and hyphens, with no hyphen first or last");
        return fail_at(source, "application.name", error);
    }
    if (!is_version(version)) {
        error_set(error, ERROR_INVALID, "has letters, digits, dots, hyphens and plus signs only");
        return fail_at(source, "application.version", error);
    }
    snprintf(manifest->application, sizeof(manifest->application), "%s", name);
    snprintf(manifest->version, sizeof(manifest->version), "%s", version);
    return true;
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
    return is_in(names, name) || strncmp(name, "S3N_", 4) == 0 || strncmp(name, "HTTP_", 5) == 0;
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

static bool read_environment(struct manifest_function *function, struct arena *arena,
                             const json_t *table, const char *parent,
                             const struct manifest_source *source, struct error *error)
{
    const json_t *environment;
    if (!get_table(source, table, parent, "environment", &environment, error))
        return false;
    char path[PATH_SIZE];
    path_join(path, parent, "environment");
    size_t count = json_object_size(environment);
    if (count > MANIFEST_ENVIRONMENT_COUNT_MAX) {
        error_set(error, ERROR_LIMIT, "%zu variables, at most %d are allowed", count,
                  MANIFEST_ENVIRONMENT_COUNT_MAX);
        return fail_at(source, path, error);
    }
    if (count == 0)
        return true;
    struct manifest_variable *variables = arena_array(arena, count, sizeof(*variables));
    if (variables == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the manifest");
    const char *key;
    json_t *value;
    size_t i = 0;
    json_object_foreach((json_t *)(uintptr_t)environment, key, value)
    {
        if (!variable_name_check(key, error))
            return fail_key(source, path, error_quote(bytes_of_string(key)).text, error);
        variables[i].name = arena_string(arena, bytes_of_string(key));
        variables[i].value = "";
        if (!read_string(source, arena, environment, path, key, ENVIRONMENT_VALUE_SIZE_MAX,
                         &variables[i].value, error))
            return false;
        i++;
    }
    if (arena_failed(arena))
        return error_set(error, ERROR_NO_MEMORY, "no memory for the manifest");
    qsort(variables, count, sizeof(*variables), variable_order);
    function->environment = variables;
    function->environment_count = count;
    return true;
}

static bool read_limits(struct function_limits *limits, const json_t *table, const char *parent,
                        const struct manifest_source *source, struct error *error)
{
    static const char *const keys[] = { "memory_mib", "timeout_ms", "concurrency", "output_kib",
                                        NULL };
    *limits = (struct function_limits){ MEMORY_MIB_DEFAULT, TIMEOUT_MS_DEFAULT, CONCURRENCY_DEFAULT,
                                        OUTPUT_KIB_DEFAULT };
    const json_t *given;
    if (!get_table(source, table, parent, "limits", &given, error))
        return false;
    if (given == NULL)
        return true;
    char path[PATH_SIZE];
    path_join(path, parent, "limits");
    return check_keys(source, given, path, keys, error) &&
           read_number(source, given, path, keys[0], MEMORY_MIB_MAX, &limits->memory_mib, error) &&
           read_number(source, given, path, keys[1], TIMEOUT_MS_MAX, &limits->timeout_ms, error) &&
           read_number(source, given, path, keys[2], CONCURRENCY_MAX, &limits->concurrency,
                       error) &&
           read_number(source, given, path, keys[3], OUTPUT_KIB_MAX, &limits->output_kib, error);
}

static bool read_abi(enum function_abi *abi, struct arena *arena, const json_t *table,
                     const char *parent, const struct manifest_source *source, struct error *error)
{
    const char *name = function_abi_name(FUNCTION_ABI_COMMAND);
    if (!read_string(source, arena, table, parent, "abi", 16, &name, error))
        return false;
    for (unsigned i = 0; i < FUNCTION_ABI_COUNT; i++) {
        if (strcmp(name, function_abi_name((enum function_abi)i)) == 0) {
            *abi = (enum function_abi)i;
            return true;
        }
    }
    if (strcmp(name, "reactor") == 0)
        error_set(error, ERROR_UNSUPPORTED, "`reactor` is not supported yet by this version");
    else
        error_set(error, ERROR_INVALID, "must be \"command\"");
    return fail_key(source, parent, "abi", error);
}

/* Where the code comes from: a file in the source form, a digest in the resolved one. */
static bool read_code(struct manifest_function *function, struct arena *arena, const json_t *table,
                      const char *parent, const struct manifest_source *source, struct error *error)
{
    if (source->document == NULL) {
        const char *code = "";
        if (!read_string(source, arena, table, parent, "code", 64, &code, error))
            return false;
        function->has_code =
            hex_decode(function->code.bytes, sizeof(function->code.bytes), bytes_of_string(code));
        if (function->has_code)
            return true;
        error_set(error, ERROR_INVALID, "must be the module's SHA-256 in hexadecimal");
        return fail_key(source, parent, "code", error);
    }
    if (!read_string(source, arena, table, parent, "source", SOURCE_PATH_SIZE_MAX,
                     &function->source, error))
        return false;
    if (function->source == NULL || function->source[0] == '\0') {
        error_set(error, ERROR_INVALID, "a function needs `source`, the path of its .wasm file");
        return fail_at(source, parent, error);
    }
    static const char *const build_keys[] = { "command", NULL };
    const json_t *build;
    if (!get_table(source, table, parent, "build", &build, error))
        return false;
    char path[PATH_SIZE];
    path_join(path, parent, "build");
    return build == NULL || (check_keys(source, build, path, build_keys, error) &&
                             read_string(source, arena, build, path, "command",
                                         BUILD_COMMAND_SIZE_MAX, &function->build_command, error));
}

static bool read_function(struct manifest_function *function, struct arena *arena, const char *name,
                          const json_t *table, const struct manifest_source *source,
                          struct error *error)
{
    static const char *const source_keys[] = { "source", "build",       "abi",
                                               "limits", "environment", NULL };
    static const char *const resolved_keys[] = { "code", "abi", "limits", "environment", NULL };
    char path[PATH_SIZE];
    path_join(path, "function", error_quote(bytes_of_string(name)).text);
    if (!name_is_valid(name)) {
        error_set(error, ERROR_INVALID,
                  "a function's name is 1 to 63 of a-z, 0-9 and hyphens, with no hyphen first or "
                  "last");
        return fail_at(source, path, error);
    }
    if (!json_is_object(table)) {
        error_set(error, ERROR_INVALID, "must be a table");
        return fail_at(source, path, error);
    }
    if (!check_keys(source, table, path, source->document != NULL ? source_keys : resolved_keys,
                    error))
        return false;
    snprintf(function->name, sizeof(function->name), "%s", name);
    function->line = source->document != NULL ? toml_line(source->document, path) : 0;
    return read_code(function, arena, table, path, source, error) &&
           read_abi(&function->abi, arena, table, path, source, error) &&
           read_limits(&function->limits, table, path, source, error) &&
           read_environment(function, arena, table, path, source, error);
}

static int function_order(const void *a, const void *b)
{
    return strcmp(((const struct manifest_function *)a)->name,
                  ((const struct manifest_function *)b)->name);
}

static bool read_functions(struct manifest *manifest, const json_t *root,
                           const struct manifest_source *source, struct error *error)
{
    const json_t *table;
    if (!get_table(source, root, "", "function", &table, error))
        return false;
    size_t count = json_object_size(table);
    if (count == 0) {
        error_set(error, ERROR_INVALID, "an application has at least one table [function.NAME]");
        return fail_at(source, "function", error);
    }
    if (count > MANIFEST_FUNCTION_COUNT_MAX) {
        error_set(error, ERROR_LIMIT, "%zu functions, at most %d are allowed", count,
                  MANIFEST_FUNCTION_COUNT_MAX);
        return fail_at(source, "function", error);
    }
    manifest->functions = arena_array(manifest->arena, count, sizeof(*manifest->functions));
    if (manifest->functions == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the manifest");
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)table, name, value)
    {
        if (!read_function(&manifest->functions[manifest->function_count], manifest->arena, name,
                           value, source, error))
            return false;
        manifest->function_count++;
    }
    qsort(manifest->functions, count, sizeof(*manifest->functions), function_order);
    return true;
}

static bool read_methods(uint32_t *methods, const json_t *table, const char *path,
                         const struct manifest_source *source, struct error *error)
{
    const json_t *list = json_object_get(table, "methods");
    if (list == NULL) {
        *methods = (1u << METHOD_COUNT) - 1;
        return true;
    }
    uint32_t found = 0;
    size_t count = json_is_array(list) ? json_array_size(list) : 0;
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        enum manifest_method method =
            name == NULL ? METHOD_COUNT : manifest_method_of(bytes_of_string(name));
        if (method == METHOD_COUNT || (found & (1u << method)) != 0) {
            found = 0;
            break;
        }
        found |= 1u << method;
    }
    if (found == 0) {
        error_set(error, ERROR_INVALID,
                  "must list some of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, each once");
        return fail_key(source, path, "methods", error);
    }
    *methods = found;
    return true;
}

static bool route_resolve(struct manifest_route *route, const struct manifest *manifest,
                          struct error *error)
{
    const struct manifest_function *function = manifest_function_find(manifest, route->function);
    if (function != NULL) {
        route->function_index = (uint32_t)(function - manifest->functions);
        return true;
    }
    const char *names[MANIFEST_FUNCTION_COUNT_MAX + 1] = { NULL };
    for (size_t i = 0; i < manifest->function_count; i++)
        names[i] = manifest->functions[i].name;
    const char *nearest = nearest_name(route->function, names);
    struct quoted shown = error_quote(bytes_of_string(route->function));
    if (nearest != NULL)
        return error_set(error, ERROR_INVALID, "there is no function %s; did you mean `%s`?",
                         shown.text, nearest);
    return error_set(error, ERROR_INVALID, "there is no function %s", shown.text);
}

static bool read_route(struct manifest *manifest, const json_t *table, size_t index,
                       const struct manifest_source *source, struct error *error)
{
    static const char *const keys[] = { "route", "function", "methods", NULL };
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "trigger.http[%zu]", index);
    if (!json_is_object(table)) {
        error_set(error, ERROR_INVALID, "must be a table");
        return fail_at(source, path, error);
    }
    struct manifest_route route = { .route = "", .function = "" };
    if (!check_keys(source, table, path, keys, error) ||
        !read_string(source, manifest->arena, table, path, "route", ROUTE_SIZE_MAX, &route.route,
                     error) ||
        !read_string(source, manifest->arena, table, path, "function", NAME_SIZE_MAX,
                     &route.function, error) ||
        !read_methods(&route.methods, table, path, source, error))
        return false;
    if (!route_check(route.route, error))
        return fail_key(source, path, "route", error);
    if (!route_resolve(&route, manifest, error))
        return fail_key(source, path, "function", error);
    for (size_t i = 0; i < manifest->route_count; i++) {
        const struct manifest_route *other = &manifest->routes[i];
        if ((other->methods & route.methods) == 0 || !route_is_same(other->route, route.route))
            continue;
        error_set(error, ERROR_INVALID, "the same route and method was given before");
        return fail_key(source, path, "route", error);
    }
    manifest->routes[manifest->route_count++] = route;
    return true;
}

static bool read_triggers(struct manifest *manifest, const json_t *root,
                          const struct manifest_source *source, struct error *error)
{
    static const char *const keys[] = { "http", NULL };
    const json_t *table;
    if (!get_table(source, root, "", "trigger", &table, error))
        return false;
    if (table == NULL)
        return true;
    if (!check_keys(source, table, "trigger", keys, error))
        return false;
    const json_t *list = json_object_get(table, "http");
    if (list == NULL)
        return true;
    size_t count = json_array_size(list);
    if (!json_is_array(list)) {
        error_set(error, ERROR_INVALID, "is written [[trigger.http]], one table a route");
        return fail_at(source, "trigger.http", error);
    }
    if (count > MANIFEST_ROUTE_COUNT_MAX) {
        error_set(error, ERROR_LIMIT, "%zu routes, at most %d are allowed", count,
                  MANIFEST_ROUTE_COUNT_MAX);
        return fail_at(source, "trigger.http", error);
    }
    if (count == 0)
        return true;
    manifest->routes = arena_array(manifest->arena, count, sizeof(*manifest->routes));
    if (manifest->routes == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the manifest");
    for (size_t i = 0; i < count; i++) {
        if (!read_route(manifest, json_array_get(list, i), i, source, error))
            return false;
    }
    return true;
}

bool manifest_read_tree(struct manifest *manifest, const json_t *root,
                        const struct manifest_source *source, struct error *error)
{
    static const char *const keys[] = {
        "s3n_manifest_version", "compatibility_date", "application", "function", "trigger", NULL
    };
    if (!json_is_object(root))
        return error_set(error, ERROR_INVALID, "a manifest is a table of keys");
    const json_t *version = json_object_get(root, keys[0]);
    if (!json_is_integer(version) || json_integer_value(version) != MANIFEST_VERSION) {
        error_set(error, version == NULL ? ERROR_INVALID : ERROR_UNSUPPORTED,
                  "this version of S3N wants `s3n_manifest_version = %d`", MANIFEST_VERSION);
        return fail_at(source, keys[0], error);
    }
    const char *date = "";
    if (!check_keys(source, root, "", keys, error) ||
        !read_string(source, manifest->arena, root, "", keys[1], 10, &date, error))
        return false;
    if (!is_date(date)) {
        error_set(error, ERROR_INVALID, "must be a date like \"2026-11-01\"");
        return fail_at(source, keys[1], error);
    }
    snprintf(manifest->compatibility_date, sizeof(manifest->compatibility_date), "%s", date);
    return read_application(manifest, root, source, error) &&
           read_functions(manifest, root, source, error) &&
           read_triggers(manifest, root, source, error);
}
