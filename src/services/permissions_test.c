/* SPDX-License-Identifier: Apache-2.0 */
#include "services/permissions.h"
#include "tests/harness.h"

#include <string.h>

static void nothing_but_the_log_is_granted_by_default(void)
{
    struct permissions permissions = permissions_default();
    for (unsigned i = 0; i < permission_row_count; i++)
        CHECK(permissions_have(&permissions, permission_rows[i].kind) ==
              (permission_rows[i].kind == CALL_PERMISSION_LOG));
    CHECK(permissions_have(&permissions, CALL_PERMISSION_NONE));
    CHECK(!permissions_grant(&permissions, CALL_PERMISSION_KV, BYTES_LITERAL("prices")));
}

static void names_are_granted_whole(void)
{
    static const char *names[] = { "prices", "rates" };
    struct permissions permissions = permissions_default();
    permissions.lists[CALL_PERMISSION_KV] = (struct permission_list){ names, 2 };
    CHECK(permissions_grant(&permissions, CALL_PERMISSION_KV, BYTES_LITERAL("prices")));
    CHECK(permissions_grant(&permissions, CALL_PERMISSION_KV, BYTES_LITERAL("rates")));
    CHECK(!permissions_grant(&permissions, CALL_PERMISSION_KV, BYTES_LITERAL("price")));
    CHECK(!permissions_grant(&permissions, CALL_PERMISSION_KV, BYTES_LITERAL("pricess")));
    CHECK(!permissions_grant(&permissions, CALL_PERMISSION_KV, BYTES_LITERAL("prices\0")));
    CHECK(!permissions_grant(&permissions, CALL_PERMISSION_KV, BYTES_LITERAL("")));
    CHECK(!permissions_grant(&permissions, CALL_PERMISSION_SECRETS, BYTES_LITERAL("prices")));
    CHECK(!permissions_have(&permissions, CALL_PERMISSION_SECRETS));
}

static void names_have_rules(void)
{
    struct error error;
    char text[600];
    memset(text, 'a', sizeof(text));
    CHECK(permission_check(CALL_PERMISSION_KV, BYTES_LITERAL("a.b_c/d:e-9Z"), &error));
    CHECK(permission_check(CALL_PERMISSION_KV, bytes_of(text, 64), &error));
    CHECK(!permission_check(CALL_PERMISSION_KV, bytes_of(text, 65), &error));
    CHECK(!permission_check(CALL_PERMISSION_KV, BYTES_LITERAL(""), &error));
    CHECK(!permission_check(CALL_PERMISSION_SECRETS, BYTES_LITERAL("a b"), &error));
    CHECK(!permission_check(CALL_PERMISSION_KEYS, BYTES_LITERAL("a\"b"), &error));
    CHECK(!permission_check(CALL_PERMISSION_KEYS, BYTES_LITERAL("\xc3\xa4"), &error));
    CHECK(permission_check(CALL_PERMISSION_HTTP, BYTES_LITERAL("https://a.example/x"), &error));
    CHECK(permission_check(CALL_PERMISSION_HTTP, BYTES_LITERAL("POST https://a.example"), &error));
    CHECK(!permission_check(CALL_PERMISSION_HTTP, BYTES_LITERAL("https://a.example?y"), &error));
    CHECK(!permission_check(CALL_PERMISSION_HTTP, BYTES_LITERAL("https://a b"), &error));
    CHECK(!permission_check(CALL_PERMISSION_HTTP, bytes_of(text, 512), &error));
}

static const struct test tests[] = {
    TEST(nothing_but_the_log_is_granted_by_default),
    TEST(names_are_granted_whole),
    TEST(names_have_rules),
};
TEST_MAIN(tests)
