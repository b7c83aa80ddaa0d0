/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/manifest_static.h"

#include "abi/files.h"
#include "functions/limits.h"

#include <stdio.h>
#include <string.h>

bool manifest_is_path(const char *text)
{
    struct bytes rest = bytes_of_string(text);
    bool is_path = rest.size > 0 && rest.data[rest.size - 1] != '/';
    while (is_path && rest.size > 0) {
        struct bytes name = bytes_part(rest, 0, bytes_find(rest, '/'));
        rest = bytes_part(rest, name.size + 1, rest.size);
        is_path = files_is_name(name);
    }
    return is_path;
}

/* --- [middleware.assets] --- */

static bool is_field_value(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (*at < ' ' || *at > '~')
            return false;
    }
    return text[0] > ' ' && text[strlen(text) - 1] != ' ';
}

bool manifest_read_assets(struct manifest_middleware *middleware,
                          const struct manifest_table *table, struct error *error)
{
    static const char *const keys[] = { "index", "cache_control", "compress", NULL };
    struct manifest_middleware_assets *assets = &middleware->assets;
    *assets = (struct manifest_middleware_assets){
        .is_given = true, .compresses = true, .index = "index.html", .cache_control = "no-cache"
    };
    if (!manifest_check_keys(table, keys, error) ||
        !manifest_read_string(table, keys[0], FILES_NAME_SIZE_MAX, &assets->index, error) ||
        !manifest_read_string(table, keys[1], CACHE_CONTROL_SIZE_MAX, &assets->cache_control,
                              error) ||
        !manifest_read_bool(table, keys[2], &assets->compresses, error))
        return false;
    if (!files_is_name(bytes_of_string(assets->index))) {
        error_set(error, ERROR_INVALID, "must be a file's name, like \"index.html\"");
        return manifest_fail_key(table, keys[0], error);
    }
    if (!is_field_value(assets->cache_control)) {
        error_set(error, ERROR_INVALID, "must be like \"public, max-age=3600\"");
        return manifest_fail_key(table, keys[1], error);
    }
    return true;
}

json_t *manifest_assets_tree(const struct manifest_middleware *middleware)
{
    const struct manifest_middleware_assets *assets = &middleware->assets;
    if (!assets->is_given)
        return NULL;
    return json_pack("{s:s, s:s, s:b}", "index", assets->index, "cache_control",
                     assets->cache_control, "compress", assets->compresses);
}

/* --- [middleware.errors] --- */

/* "404", "4xx", "5xx". */
static bool status_parse(int *status, const char *text)
{
    if ((text[0] != '4' && text[0] != '5') || strlen(text) != 3)
        return false;
    *status = text[0] - '0';
    if (strcmp(text + 1, "xx") == 0)
        return true;
    if (text[1] < '0' || text[1] > '9' || text[2] < '0' || text[2] > '9')
        return false;
    *status = *status * 100 + (text[1] - '0') * 10 + (text[2] - '0');
    return true;
}

static void status_print(char text[8], int status)
{
    snprintf(text, 8, status < 10 ? "%dxx" : "%d", status);
}

static bool read_pages(struct manifest_middleware_errors *errors,
                       const struct manifest_table *table, struct error *error)
{
    const char *key;
    json_t *value;
    size_t count = json_object_size(table->json);
    if (count > MIDDLEWARE_PAGE_COUNT_MAX) {
        error_set(error, ERROR_LIMIT, "at most %d pages", MIDDLEWARE_PAGE_COUNT_MAX);
        return manifest_fail(table, error);
    }
    errors->pages = count == 0 ? NULL : arena_array(table->arena, count, sizeof(*errors->pages));
    if (count > 0 && errors->pages == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the manifest");
    json_object_foreach((json_t *)(uintptr_t)table->json, key, value)
    {
        struct manifest_page page = { .file = "" };
        if (!status_parse(&page.status, key)) {
            error_set(error, ERROR_INVALID, "must be a status like 404, or 4xx or 5xx");
            return manifest_fail_key(table, error_quote(bytes_of_string(key)).text, error);
        }
        if (!manifest_read_string(table, key, ROUTE_SIZE_MAX, &page.file, error))
            return false;
        if (!manifest_is_path(page.file)) {
            error_set(error, ERROR_INVALID, "must be a file's path, like \"errors/404.html\"");
            return manifest_fail_key(table, key, error);
        }
        errors->pages[errors->page_count++] = page;
    }
    return true;
}

bool manifest_read_errors(struct manifest_middleware *middleware,
                          const struct manifest_table *table, struct error *error)
{
    static const char *const keys[] = { "function", "pages", NULL };
    struct manifest_middleware_errors *errors = &middleware->errors;
    struct manifest_table pages;
    *errors = (struct manifest_middleware_errors){ .is_given = true, .function = "" };
    if (!manifest_check_keys(table, keys, error) ||
        !manifest_read_string(table, keys[0], NAME_SIZE_MAX, &errors->function, error) ||
        !manifest_get_table(table, keys[1], &pages, error))
        return false;
    if (pages.json == NULL || json_object_size(pages.json) == 0) {
        error_set(error, ERROR_INVALID, "must say which page: { 404 = \"errors/404.html\" }");
        return manifest_fail_key(table, keys[1], error);
    }
    return read_pages(errors, &pages, error);
}

json_t *manifest_errors_tree(const struct manifest_middleware *middleware)
{
    const struct manifest_middleware_errors *errors = &middleware->errors;
    if (!errors->is_given)
        return NULL;
    json_t *pages = json_object();
    for (size_t i = 0; i < errors->page_count; i++) {
        char status[8];
        status_print(status, errors->pages[i].status);
        json_object_set_new(pages, status, json_string(errors->pages[i].file));
    }
    return json_pack("{s:s, s:o}", "function", errors->function, "pages", pages);
}
