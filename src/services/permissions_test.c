/* SPDX-License-Identifier: Apache-2.0 */
#include "services/permissions.h"
#include "state/limits.h"
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
    CHECK(permission_check(CALL_PERMISSION_KEYS, BYTES_LITERAL("p256:a.b_c/d-9Z"), &error));
    CHECK(permission_check(CALL_PERMISSION_KV, BYTES_LITERAL("a.b_c-9"), &error));
    CHECK(permission_check(CALL_PERMISSION_KV, bytes_of(text, KV_NAMESPACE_SIZE_MAX), &error));
    CHECK(!permission_check(CALL_PERMISSION_KV, bytes_of(text, KV_NAMESPACE_SIZE_MAX + 1), &error));
    static const char *const no_namespaces[] = {
        "", "Prices", "a/b", "a:b", "s3n.results", "s3n."
    };
    for (size_t i = 0; i < ARRAY_COUNT(no_namespaces); i++)
        CHECK(!permission_check(CALL_PERMISSION_KV, bytes_of_string(no_namespaces[i]), &error));
    CHECK(!permission_check(CALL_PERMISSION_SECRETS, BYTES_LITERAL("a b"), &error));
    CHECK(!permission_check(CALL_PERMISSION_KEYS, BYTES_LITERAL("a\"b"), &error));
    CHECK(!permission_check(CALL_PERMISSION_KEYS, BYTES_LITERAL("\xc3\xa4"), &error));
    CHECK(permission_check(CALL_PERMISSION_HTTP, BYTES_LITERAL("https://a.example/x"), &error));
    CHECK(permission_check(CALL_PERMISSION_HTTP, BYTES_LITERAL("POST https://a.example"), &error));
    CHECK(!permission_check(CALL_PERMISSION_HTTP, BYTES_LITERAL("https://a.example?y"), &error));
    CHECK(!permission_check(CALL_PERMISSION_HTTP, BYTES_LITERAL("https://a b"), &error));
    CHECK(!permission_check(CALL_PERMISSION_HTTP, bytes_of(text, 512), &error));
}

static void each_byte_of_a_name_counts(void)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    struct error error;
    for (unsigned byte = 0; byte < 256; byte++) {
        const uint8_t name[] = { 'a', (uint8_t)byte, 'b' };
        bool is_good = byte != 0 && strchr(letters, (int)byte) != NULL;
        CHECK_NOTE(permission_check(CALL_PERMISSION_KV, BYTES_OF(name), &error) == is_good,
                   "byte %u", byte);
    }
}

static void the_node_has_namespaces_of_its_own(void)
{
    struct error error;
    CHECK(!permission_check(CALL_PERMISSION_KV, BYTES_LITERAL("s3n.x"), &error));
    CHECK_STRING(error.text, "namespaces that begin with s3n. are the node's");
    CHECK(!permission_check(CALL_PERMISSION_KV, BYTES_LITERAL("s3n."), &error));
    CHECK(permission_check(CALL_PERMISSION_KV, BYTES_LITERAL("s3n"), &error));
    CHECK(permission_check(CALL_PERMISSION_KV, BYTES_LITERAL("s3nx"), &error));
    CHECK(permission_check(CALL_PERMISSION_SECRETS, BYTES_LITERAL("s3n.x"), &error));
}

static void secrets_and_keys_have_rules_of_their_own(void)
{
    struct error error;
    CHECK(permission_check(CALL_PERMISSION_SECRETS, BYTES_LITERAL("a.b-c_9"), &error));
    CHECK(!permission_check(CALL_PERMISSION_SECRETS, BYTES_LITERAL(".a"), &error));
    CHECK(!permission_check(CALL_PERMISSION_SECRETS, BYTES_LITERAL("a/b"), &error));
    CHECK_STRING(error.text, "the name of a secret has 1 to 64 letters, digits and . _ -, the "
                             "first none of . -");
    CHECK(permission_check(CALL_PERMISSION_KEYS, BYTES_LITERAL("p256:a/b"), &error));
    CHECK(!permission_check(CALL_PERMISSION_KEYS, BYTES_LITERAL("p256"), &error));
    CHECK(!permission_check(CALL_PERMISSION_KEYS, BYTES_LITERAL("rsa:a"), &error));
    CHECK(!permission_check(CALL_PERMISSION_KV, BYTES_LITERAL("a b"), &error));
    CHECK_STRING(error.text, "the name of a kv namespace has 1 to 63 of a-z 0-9 - _ .");
}

/* A list is as good as a grant of the kind: the service looks closer. */
static void one_name_is_a_permission(void)
{
    static const char *rules[] = { "https://a.example" };
    struct permissions permissions = permissions_default();
    permissions.lists[CALL_PERMISSION_HTTP] = (struct permission_list){ rules, 1 };
    CHECK(permissions_have(&permissions, CALL_PERMISSION_HTTP));
    CHECK(!permissions_have(&permissions, CALL_PERMISSION_ATTEST));
}

static const struct test tests[] = {
    TEST(each_byte_of_a_name_counts),
    TEST(the_node_has_namespaces_of_its_own),
    TEST(secrets_and_keys_have_rules_of_their_own),
    TEST(one_name_is_a_permission),
    TEST(nothing_but_the_log_is_granted_by_default),
    TEST(names_are_granted_whole),
    TEST(names_have_rules),
};
TEST_MAIN(tests)
