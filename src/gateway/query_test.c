/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/query.h"

#include "tests/harness.h"

#include <string.h>

static void known_names_once(void)
{
    static const struct {
        enum gateway_operation operation;
        const char *query, *wrong; /* NULL: taken */
    } rows[] = {
        { GATEWAY_APPLICATION_PUT, "", NULL },
        { GATEWAY_APPLICATION_PUT, "weight=5", NULL },
        { GATEWAY_APPLICATION_PUT, "&&weight=5&", NULL },
        { GATEWAY_APPLICATION_PUT, "weigth=5", "no \"weigth\"; did you mean `weight`?" },
        { GATEWAY_APPLICATION_PUT, "weight", NULL },
        { GATEWAY_APPLICATION_PUT, "weight=5&weight=5", "`weight` twice" },
        { GATEWAY_APPLICATION_PUT, "Weight=5", "no \"Weight\"" },
        { GATEWAY_APPLICATION_PUT, "weight%20=5", "no \"weight%20\"" },
        { GATEWAY_APPLICATION_PUT, "=5", "no \"\"" },
        { GATEWAY_APPLICATION_PUT, "purge=1", "no \"purge\"" },
        { GATEWAY_APPLICATION_DELETE, "purge=1", NULL },
        { GATEWAY_APPLICATION_DELETE, "force", "no \"force\"" },
        { GATEWAY_KV_LIST, "prefix=a&after=b&limit=3&values=1", NULL },
        { GATEWAY_KV_LIST, "limit=1&prefix=&limit=2", "`limit` twice" },
        { GATEWAY_KV_SET, "key=a&ttl=5", "no \"ttl\"; did you mean" },
        { GATEWAY_AUDIT_READ, "since=5", "no \"since\"" },
        { GATEWAY_APPLICATION_GET, "x", "no \"x\"" },
        { GATEWAY_LOGS, "after=1&since_ms=2&size_max=3", NULL },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct error error = { 0 };
        bool taken = query_check(rows[i].operation, bytes_of_string(rows[i].query), &error);
        CHECK_NOTE(taken == (rows[i].wrong == NULL), "%s", rows[i].query);
        CHECK_NOTE(taken || strstr(error.text, rows[i].wrong) != NULL, "%s: %s", rows[i].query,
                   error.text);
    }
}

static const struct test tests[] = { TEST(known_names_once) };
TEST_MAIN(tests)
