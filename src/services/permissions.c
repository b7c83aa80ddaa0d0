/* SPDX-License-Identifier: Apache-2.0 */
#include "services/permissions.h"

#include "keys/function_key.h"
#include "keys/secret_envelope.h"
#include "outbound/rule.h"
#include "state/state.h"

const struct permission_row permission_rows[] = {
#define PERMISSION_ROW(kind, key, noun, size_max) { CALL_PERMISSION_##kind, key, noun, size_max },
    PERMISSIONS(PERMISSION_ROW)
#undef PERMISSION_ROW
};
const unsigned permission_row_count = ARRAY_COUNT(permission_rows);

_Static_assert(ARRAY_COUNT(permission_rows) + 1 == CALL_PERMISSION_COUNT, "all but NONE");

const struct permission_row *permission_row_of(enum call_permission kind)
{
    for (unsigned i = 0; i < permission_row_count; i++)
        if (permission_rows[i].kind == kind)
            return &permission_rows[i];
    return NULL;
}

struct permissions permissions_default(void)
{
    return (struct permissions){ .is_granted[CALL_PERMISSION_LOG] = true };
}

bool permissions_have(const struct permissions *permissions, enum call_permission kind)
{
    return kind == CALL_PERMISSION_NONE || permissions->is_granted[kind] ||
           permissions->lists[kind].count > 0;
}

bool permissions_grant(const struct permissions *permissions, enum call_permission kind,
                       struct bytes name)
{
    const struct permission_list *list = &permissions->lists[kind];
    for (size_t i = 0; i < list->count; i++)
        if (bytes_equal_string(name, list->names[i]))
            return true;
    return false;
}

static bool is_name_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '.' || byte == '_' || byte == ':' ||
           byte == '/' || byte == '-';
}

bool permission_check(enum call_permission kind, struct bytes name, struct error *error)
{
    const struct permission_row *row = permission_row_of(kind);
    ASSERT(row != NULL && row->size_max > 0);
    if (kind == CALL_PERMISSION_HTTP) {
        struct rule rule;
        return rule_parse(&rule, name, error);
    }
    if (kind == CALL_PERMISSION_KV && kv_is_reserved(name))
        return error_set(error, ERROR_INVALID,
                         "namespaces that begin with " KV_NAMESPACE_NODE " are the node's");
    if (kind == CALL_PERMISSION_KV)
        return kv_is_namespace(name) ||
               error_set(error, ERROR_INVALID, "the name of a %s has 1 to %zu of a-z 0-9 - _ .",
                         row->noun, row->size_max);
    bool is_valid = name.size >= 1 && name.size <= row->size_max;
    for (size_t i = 0; i < name.size && is_valid; i++)
        is_valid = is_name_byte(name.data[i]);
    if (is_valid && kind == CALL_PERMISSION_KEYS)
        return key_name_check(name, error);
    if (is_valid && kind == CALL_PERMISSION_SECRETS)
        is_valid = secret_name_is_valid(name);
    if (is_valid)
        return true;
    if (kind == CALL_PERMISSION_SECRETS)
        return error_set(error, ERROR_INVALID,
                         "the name of a secret has 1 to %zu letters, digits and . _ -, the first "
                         "none of . -",
                         row->size_max);
    return error_set(error, ERROR_INVALID,
                     "the name of a %s has 1 to %zu letters, digits and . _ : / -", row->noun,
                     row->size_max);
}
