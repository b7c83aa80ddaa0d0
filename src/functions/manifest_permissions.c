/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/manifest_permissions.h"

#include "functions/limits.h"

#include <stdlib.h>
#include <string.h>

static int name_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool name_take(const struct permission_row *row, const struct manifest_table *table,
                      const json_t *value, const char **name, struct error *error)
{
    struct bytes text = { 0 };
    if (json_is_string(value))
        text = bytes_of(json_string_value(value), json_string_length(value));
    if (text.data == NULL)
        error_set(error, ERROR_INVALID, "must be a list of names like [\"one\", \"two\"]");
    if (text.data == NULL || !permission_check(row->kind, text, error))
        return manifest_fail_key(table, row->key, error);
    *name = arena_string(table->arena, text);
    return *name != NULL || error_set(error, ERROR_NO_MEMORY, "no memory for the manifest");
}

static bool read_list(struct permission_list *list, const struct permission_row *row,
                      const struct manifest_table *table, struct error *error)
{
    const json_t *given = json_object_get(table->json, row->key);
    size_t count = json_array_size(given);
    if (given == NULL)
        return true;
    if (!json_is_array(given) || count > MANIFEST_PERMISSION_COUNT_MAX) {
        error_set(error, ERROR_INVALID, "must be a list of at most %d names like [\"one\"]",
                  MANIFEST_PERMISSION_COUNT_MAX);
        return manifest_fail_key(table, row->key, error);
    }
    if (count == 0)
        return true;
    const char **names = arena_array(table->arena, count, sizeof(*names));
    if (names == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the manifest");
    for (size_t i = 0; i < count; i++)
        if (!name_take(row, table, json_array_get(given, i), &names[i], error))
            return false;
    qsort(names, count, sizeof(*names), name_order);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(names[i - 1], names[i]) != 0)
            continue;
        error_set(error, ERROR_INVALID, "`%s` is there twice", names[i]);
        return manifest_fail_key(table, row->key, error);
    }
    *list = (struct permission_list){ names, count };
    return true;
}

bool manifest_read_permissions(struct permissions *permissions, const struct manifest_table *parent,
                               struct error *error)
{
    static const char *const keys[] = {
#define PERMISSION_KEY(kind, key, noun, size_max) key,
        PERMISSIONS(PERMISSION_KEY)
#undef PERMISSION_KEY
            NULL
    };
    struct manifest_table table;
    *permissions = permissions_default();
    if (!manifest_get_table(parent, "permissions", &table, error))
        return false;
    if (table.json == NULL)
        return true;
    if (!manifest_check_keys(&table, keys, error))
        return false;
    for (unsigned i = 0; i < permission_row_count; i++) {
        const struct permission_row *row = &permission_rows[i];
        bool is_read =
            row->size_max == 0
                ? manifest_read_bool(&table, row->key, &permissions->is_granted[row->kind], error)
                : read_list(&permissions->lists[row->kind], row, &table, error);
        if (!is_read)
            return false;
    }
    return true;
}

static json_t *list_tree(const struct permission_list *list)
{
    json_t *tree = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(tree, json_string(list->names[i]));
    return tree;
}

json_t *manifest_permissions_tree(const struct permissions *permissions)
{
    const struct permissions standard = permissions_default();
    json_t *tree = json_object();
    for (unsigned i = 0; i < permission_row_count; i++) {
        const struct permission_row *row = &permission_rows[i];
        if (permissions->lists[row->kind].count > 0)
            json_object_set_new(tree, row->key, list_tree(&permissions->lists[row->kind]));
        else if (permissions->is_granted[row->kind] != standard.is_granted[row->kind])
            json_object_set_new(tree, row->key, json_boolean(permissions->is_granted[row->kind]));
    }
    if (json_object_size(tree) > 0)
        return tree;
    json_decref(tree);
    return NULL;
}
