/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/manifest_tree.h"
#include "functions/manifest_access.h"
#include "functions/manifest_function.h"
#include "functions/manifest_release.h"
#include "functions/manifest_state.h"
#include "functions/manifest_static.h"
#include "functions/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static bool read_application(struct manifest *manifest, const struct manifest_table *root,
                             struct error *error)
{
    static const char *const keys[] = { "name", "version", NULL };
    struct manifest_table table;
    if (!manifest_get_table(root, "application", &table, error))
        return false;
    if (table.json == NULL) {
        error_set(error, ERROR_INVALID, "the table [application] is missing");
        return manifest_fail(&table, error);
    }
    const char *name = "", *version = "0.0.0";
    if (!manifest_check_keys(&table, keys, error) ||
        !manifest_read_string(&table, "name", NAME_SIZE_MAX, &name, error) ||
        !manifest_read_string(&table, "version", VERSION_SIZE_MAX, &version, error))
        return false;
    if (!name_is_valid(name)) {
        error_set(error, ERROR_INVALID,
                  "must be 1 to 63 of a-z, 0-9 and hyphens, with no hyphen first or last");
        return manifest_fail_key(&table, "name", error);
    }
    if (!is_version(version)) {
        error_set(error, ERROR_INVALID, "has letters, digits, dots, hyphens and plus signs only");
        return manifest_fail_key(&table, "version", error);
    }
    snprintf(manifest->application, sizeof(manifest->application), "%s", name);
    snprintf(manifest->version, sizeof(manifest->version), "%s", version);
    return true;
}

static int function_order(const void *a, const void *b)
{
    return strcmp(((const struct manifest_function *)a)->name,
                  ((const struct manifest_function *)b)->name);
}

static bool read_functions(struct manifest *manifest, const struct manifest_table *root,
                           struct error *error)
{
    struct manifest_table table;
    if (!manifest_get_table(root, "function", &table, error))
        return false;
    size_t count = json_object_size(table.json);
    if (count == 0) {
        error_set(error, ERROR_INVALID, "an application has at least one table [function.NAME]");
        return manifest_fail(&table, error);
    }
    if (count > MANIFEST_FUNCTION_COUNT_MAX) {
        error_set(error, ERROR_LIMIT, "%zu functions, at most %d are allowed", count,
                  MANIFEST_FUNCTION_COUNT_MAX);
        return manifest_fail(&table, error);
    }
    manifest->functions = arena_array(manifest->arena, count, sizeof(*manifest->functions));
    if (manifest->functions == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the manifest");
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)table.json, name, value)
    {
        if (!manifest_read_function(&manifest->functions[manifest->function_count], &table, name,
                                    value, error))
            return false;
        manifest->function_count++;
    }
    qsort(manifest->functions, count, sizeof(*manifest->functions), function_order);
    return true;
}

static bool read_methods(uint32_t *methods, const struct manifest_table *table, struct error *error)
{
    const json_t *list = json_object_get(table->json, "methods");
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
        return manifest_fail_key(table, "methods", error);
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

/* Plain and sealed requests, or sealed ones only. */
static bool read_sealed(bool *is_sealed_only, const struct manifest_table *table,
                        struct error *error)
{
    const char *value = "optional";
    if (json_object_get(table->json, "sealed") == NULL)
        return true;
    if (!manifest_read_string(table, "sealed", NAME_SIZE_MAX, &value, error))
        return false;
    *is_sealed_only = strcmp(value, "required") == 0;
    if (*is_sealed_only || strcmp(value, "optional") == 0)
        return true;
    error_set(error, ERROR_INVALID, "must be \"optional\" or \"required\"");
    return manifest_fail_key(table, "sealed", error);
}

/* Files of the function answer, by GET and HEAD. */
static bool read_static(struct manifest_route *route, const struct manifest *manifest,
                        const struct manifest_table *table, struct error *error)
{
    const struct manifest_function *function = &manifest->functions[route->function_index];
    const uint32_t methods = 1u << METHOD_GET | 1u << METHOD_HEAD;
    if (json_object_get(table->json, "static") == NULL)
        return true;
    if (!manifest_read_string(table, "static", ROUTE_SIZE_MAX, &route->folder, error))
        return false;
    if (!manifest_is_path(route->folder)) {
        error_set(error, ERROR_INVALID,
                  "must be a folder or file of the function's `files`, like "
                  "\"public\"");
        return manifest_fail_key(table, "static", error);
    }
    if (!function->has_archive && function->files_count == 0) {
        error_set(error, ERROR_INVALID, "function %s has no `files`", function->name);
        return manifest_fail_key(table, "static", error);
    }
    if (json_object_get(table->json, "methods") == NULL)
        route->methods = methods;
    if ((route->methods & ~methods) == 0)
        return true;
    error_set(error, ERROR_INVALID, "files are read by GET and HEAD");
    return manifest_fail_key(table, "methods", error);
}

static bool read_route(struct manifest *manifest, const struct manifest_table *triggers,
                       const json_t *json, size_t index, struct error *error)
{
    static const char *const keys[] = { "route",  "function", "methods", "sealed",
                                        "static", "auth",     NULL };
    char key[32];
    snprintf(key, sizeof(key), "http[%zu]", index);
    struct manifest_table table = manifest_sub_table(triggers, key, json);
    if (!json_is_object(json)) {
        error_set(error, ERROR_INVALID, "must be a table");
        return manifest_fail(&table, error);
    }
    struct manifest_route route = { .route = "", .function = "" };
    if (!manifest_check_keys(&table, keys, error) ||
        !manifest_read_string(&table, "route", ROUTE_SIZE_MAX, &route.route, error) ||
        !manifest_read_string(&table, "function", NAME_SIZE_MAX, &route.function, error) ||
        !read_methods(&route.methods, &table, error) ||
        !read_sealed(&route.is_sealed_only, &table, error) ||
        !manifest_read_auth(&route.auth, &table, error))
        return false;
    if (!route_check(route.route, error))
        return manifest_fail_key(&table, "route", error);
    if (!route_resolve(&route, manifest, error))
        return manifest_fail_key(&table, "function", error);
    if (!read_static(&route, manifest, &table, error))
        return false;
    for (size_t i = 0; i < manifest->route_count; i++) {
        const struct manifest_route *other = &manifest->routes[i];
        if ((other->methods & route.methods) == 0 || !route_is_same(other->route, route.route))
            continue;
        error_set(error, ERROR_INVALID, "the same route and method was given before");
        return manifest_fail_key(&table, "route", error);
    }
    manifest->routes[manifest->route_count++] = route;
    return true;
}

static bool read_triggers(struct manifest *manifest, const struct manifest_table *root,
                          struct error *error)
{
    static const char *const keys[] = { "http", NULL };
    struct manifest_table table;
    if (!manifest_get_table(root, "trigger", &table, error))
        return false;
    if (table.json == NULL)
        return true;
    if (!manifest_check_keys(&table, keys, error))
        return false;
    const json_t *list = json_object_get(table.json, "http");
    if (list == NULL)
        return true;
    size_t count = json_array_size(list);
    if (!json_is_array(list)) {
        error_set(error, ERROR_INVALID, "is written [[trigger.http]], one table a route");
        return manifest_fail_key(&table, "http", error);
    }
    if (count > MANIFEST_ROUTE_COUNT_MAX) {
        error_set(error, ERROR_LIMIT, "%zu routes, at most %d are allowed", count,
                  MANIFEST_ROUTE_COUNT_MAX);
        return manifest_fail_key(&table, "http", error);
    }
    if (count == 0)
        return true;
    manifest->routes = arena_array(manifest->arena, count, sizeof(*manifest->routes));
    if (manifest->routes == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the manifest");
    for (size_t i = 0; i < count; i++) {
        if (!read_route(manifest, &table, json_array_get(list, i), i, error))
            return false;
    }
    return true;
}

/* The function whose files the error pages are has files. */
static bool check_pages(const struct manifest *manifest, const struct manifest_table *root,
                        struct error *error)
{
    const struct manifest_middleware_errors *errors = &manifest->middleware.errors;
    if (!errors->is_given)
        return true;
    const struct manifest_function *function = manifest_function_find(manifest, errors->function);
    if (function != NULL && (function->has_archive || function->files_count > 0))
        return true;
    struct manifest_table all = manifest_sub_table(root, "middleware", root->json);
    struct manifest_table table = manifest_sub_table(&all, "errors", root->json);
    error_set(error, ERROR_INVALID, "must name a function with `files`, which hold the pages");
    return manifest_fail_key(&table, "function", error);
}

bool manifest_read_tree(struct manifest *manifest, const json_t *root,
                        const struct manifest_source *source, struct error *error)
{
    static const char *const keys[] = { "s3n_manifest_version",
                                        "compatibility_date",
                                        "application",
                                        "function",
                                        "trigger",
                                        "release",
                                        "middleware",
                                        "jwt",
                                        "state",
                                        NULL };
    if (!json_is_object(root))
        return error_set(error, ERROR_INVALID, "a manifest is a table of keys");
    struct manifest_table table = { source, manifest->arena, root, "" };
    const json_t *version = json_object_get(root, keys[0]);
    if (!json_is_integer(version) || json_integer_value(version) != MANIFEST_VERSION) {
        error_set(error, version == NULL ? ERROR_INVALID : ERROR_UNSUPPORTED,
                  "this version of S3N wants `s3n_manifest_version = %d`", MANIFEST_VERSION);
        return manifest_fail_key(&table, keys[0], error);
    }
    const char *date = "";
    if (!manifest_check_keys(&table, keys, error) ||
        !manifest_read_string(&table, keys[1], 10, &date, error))
        return false;
    if (!is_date(date)) {
        error_set(error, ERROR_INVALID, "must be a date like \"2026-11-01\"");
        return manifest_fail_key(&table, keys[1], error);
    }
    snprintf(manifest->compatibility_date, sizeof(manifest->compatibility_date), "%s", date);
    return read_application(manifest, &table, error) && read_functions(manifest, &table, error) &&
           read_triggers(manifest, &table, error) &&
           manifest_read_release(&manifest->release, &table, error) &&
           manifest_read_middleware(&manifest->middleware, &table, error) &&
           check_pages(manifest, &table, error) && manifest_read_jwt(manifest, &table, error) &&
           manifest_read_state(&manifest->state, &table, error);
}
