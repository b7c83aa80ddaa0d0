/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/query.h"

#include "base/nearest.h"

#include <stdio.h>

enum {
    NAME_COUNT_MAX = 4
};

static const struct {
    enum gateway_operation operation;
    const char *names[NAME_COUNT_MAX + 1];
} rows[] = {
    { GATEWAY_AUDIT_READ, { "first" } },
    { GATEWAY_APPLICATION_PUT, { "weight" } },
    { GATEWAY_APPLICATION_DELETE, { "purge" } },
    { GATEWAY_KV_SHOW, { "limit", "after_namespace", "after_key" } },
    { GATEWAY_KV_LIST, { "prefix", "after", "limit", "values" } },
    { GATEWAY_KV_GET, { "key" } },
    { GATEWAY_KV_SET, { "key", "ttl_ms" } },
    { GATEWAY_KV_DELETE, { "key" } },
    { GATEWAY_LOGS, { "after", "since_ms", "size_max" } },
};

static const char *const *names_of(enum gateway_operation operation)
{
    static const char *const none[] = { NULL };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (rows[i].operation == operation)
            return rows[i].names;
    }
    return none;
}

static bool refuse_unknown(struct bytes name, const char *const *names, struct error *error)
{
    char wrong[32];
    snprintf(wrong, sizeof(wrong), "%.*s", (int)MIN(name.size, sizeof(wrong) - 1),
             (const char *)name.data);
    const char *nearest = nearest_name(wrong, names);
    return error_set(error, ERROR_INVALID, "the query of this request has no \"%s\"%s%s%s",
                     error_quote(name).text, nearest == NULL ? "" : "; did you mean `",
                     nearest == NULL ? "" : nearest, nearest == NULL ? "" : "`?");
}

bool query_check(enum gateway_operation operation, struct bytes query, struct error *error)
{
    const char *const *names = names_of(operation);
    unsigned seen = 0;
    while (query.size > 0) {
        struct bytes pair = bytes_part(query, 0, bytes_find(query, '&'));
        query = bytes_part(query, pair.size + 1, query.size);
        struct bytes name = bytes_part(pair, 0, bytes_find(pair, '='));
        unsigned at = 0;
        while (names[at] != NULL && !bytes_equal_string(name, names[at]))
            at++;
        if (pair.size == 0)
            continue;
        if (names[at] == NULL)
            return refuse_unknown(name, names, error);
        if ((seen & 1u << at) != 0)
            return error_set(error, ERROR_INVALID, "the query has `%s` twice", names[at]);
        seen |= 1u << at;
    }
    return true;
}
