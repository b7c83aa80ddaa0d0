/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/idempotency.h"
#include "tests/harness.h"

#include <string.h>

static struct bytes key;

static bool parse(const char *text)
{
    return idempotency_key_parse(&key, bytes_of_string(text));
}

static void reads_keys(void)
{
    CHECK(parse("\"8e03978e-40d5-43dd-bc93-6894a57f9324\""));
    CHECK_BYTES(key, BYTES_LITERAL("8e03978e-40d5-43dd-bc93-6894a57f9324"));
    CHECK(parse("8e03978e-40d5-43dd-bc93-6894a57f9324"));
    CHECK_BYTES(key, BYTES_LITERAL("8e03978e-40d5-43dd-bc93-6894a57f9324"));
    CHECK(parse("\"with space, comma; and ~!\""));
    CHECK(parse("x"));
}

static void refuses_other_texts(void)
{
    static const char *const wrong[] = {
        "",     "\"\"",         "\"",         "\"a",       "a\"",     "a b",          "a,b",
        "a;b",  "\"a\"b\"",     "\"a\\\"b\"", "\"a\\\\\"", "\"a\";p", "\"a\", \"b\"", "\"\t\"",
        "\x7f", "\"\xc3\xa4\"", "\\",
    };
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        CHECK_NOTE(!parse(wrong[i]), "%s", wrong[i]);
    char text[GATEWAY_KEY_SIZE_MAX + 3];
    memset(text, 'k', sizeof(text));
    CHECK(idempotency_key_parse(&key, bytes_of(text, GATEWAY_KEY_SIZE_MAX)));
    CHECK(!idempotency_key_parse(&key, bytes_of(text, GATEWAY_KEY_SIZE_MAX + 1)));
    text[0] = text[GATEWAY_KEY_SIZE_MAX + 1] = '"';
    CHECK(idempotency_key_parse(&key, bytes_of(text, GATEWAY_KEY_SIZE_MAX + 2)));
    for (size_t size = 0; size < GATEWAY_KEY_SIZE_MAX + 2; size++)
        CHECK(!idempotency_key_parse(&key, bytes_of(text, size)));
}

static void survives_flips(void)
{
    char text[] = "\"a-key\"";
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        char kept = text[i];
        for (unsigned byte = 0; byte < 256; byte++) {
            text[i] = (char)byte;
            if (idempotency_key_parse(&key, bytes_of(text, sizeof(text) - 1)))
                CHECK(byte >= ' ' && byte <= '~' && byte != '\\');
        }
        text[i] = kept;
    }
}

static const struct test tests[] = {
    TEST(reads_keys),
    TEST(refuses_other_texts),
    TEST(survives_flips),
};
TEST_MAIN(tests)
