/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/redact.h"

#include "core/hex.h"
#include "crypto/base64.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct bytes value = BYTES_LITERAL("s3cr3t-value");

static struct redactions *redactions_of(struct bytes given)
{
    struct redactions *made = NULL;
    struct error error;
    CHECK(redactions_add(&made, given, &error));
    return made;
}

static void redacts(struct bytes given, const char *text, const char *expected)
{
    AUTO(redactions) struct redactions *redactions = redactions_of(given);
    AUTO_BUFFER struct buffer buffer;
    buffer_init(&buffer, 1 << 20);
    buffer_append_string(&buffer, text);
    redact(&buffer, redactions);
    CHECK_BYTES(buffer_view(&buffer), bytes_of_string(expected));
}

static void replaces_values(void)
{
    redacts(value, "", "");
    redacts(value, "nothing here", "nothing here");
    redacts(value, "s3cr3t-value", "***");
    redacts(value, "a s3cr3t-value b", "a *** b");
    redacts(value, "s3cr3t-values3cr3t-value!", "***!");
    redacts(value, "s3cr3t-s3cr3t-value", "s3cr3t-***");
    redacts(BYTES_LITERAL("abab"), "xabababy", "x***y"); /* overlapping itself */
    redacts(BYTES_LITERAL("ab\0c"), "x", "x");
}

static void replaces_what_was_cut_off(void)
{
    redacts(value, "log s3cr3t-valu", "log ***");
    redacts(value, "log s3cr", "log ***");
    redacts(value, "log s3c", "log s3c"); /* too little to tell */
}

static void leaves_short_values_alone(void)
{
    redacts(BYTES_LITERAL(""), "abc", "abc");
    redacts(BYTES_LITERAL("abc"), "abc", "abc");
    redacts(BYTES_LITERAL("abcd"), "abcd", "***");
}

static void replaces_each_line(void)
{
    redacts(BYTES_LITERAL("first line\r\nsecond line\nx\n"),
            "<6>first line\n<6>second line\n<6>x\n", "<6>***\n<6>***\n<6>x\n");
}

static void replaces_lines_with_levels(void)
{
    struct bytes lines = BYTES_LITERAL("a first\n\nxyz\nfp");
    redacts(lines, "<4>a first\n<4>\n<4>xyz\n<4>fp\n<4>6120\n", "<4>***\n<4>6120\n");
    redacts(lines, "<0>a first\n<0>\n<0>xyz\n<0>fp\n", "<0>***\n");
    redacts(lines, "<7>a first\n<7>\n<7>xyz\n<7>fp\n", "<7>***\n");
    redacts(lines, "a first\n\nxyz\nfp", "***");
    redacts(BYTES_LITERAL("fp\nxyz\n"), "<3>fp\n<3>xyz\n<3>y\n", "<3>***<3>y\n");
}

static void replaces_hexadecimal(void)
{
    redacts(value, "[7333637233742d76616c7565]", "[***]");
    redacts(value, "[7333637233742D76616C7565]", "[***]");
}

/* In the Base64 of whatever holds it, at every place. */
static void replaces_base64(void)
{
    static const uint8_t binary[] = { 0xff, 0xfe, 0x3e, 0x3f, 0xfb, 0xef, 0xbe, 0xfb,
                                      0xff, 0xfe, 0x3e, 0x3f, 0xfb, 0xef, 0xbe, 0xfb };
    AUTO(redactions) struct redactions *redactions = redactions_of(BYTES_OF(binary));
    for (size_t before = 0; before < 7; before++) {
        for (size_t after = 0; after < 7; after++) {
            uint8_t whole[32] = { 0 };
            char encoded[2][64];
            size_t size = before + sizeof(binary) + after;
            memcpy(whole + before, binary, sizeof(binary));
            base64_encode(encoded[0], bytes_of(whole, size));
            base64url_encode(encoded[1], bytes_of(whole, size));
            for (int i = 0; i < 2; i++) {
                AUTO_BUFFER struct buffer text;
                buffer_init(&text, 256);
                buffer_append_string(&text, encoded[i]);
                redact(&text, redactions);
                struct bytes left = buffer_view(&text);
                CHECK(memmem(left.data, left.size, "***", 3) != NULL);
                /* zeros are 'A'; of the value not one character is left */
                for (size_t j = 0; j < left.size; j++)
                    CHECK(left.data[j] == '*' || left.data[j] == 'A' || left.data[j] == '=');
            }
        }
    }
}

static void takes_many(void)
{
    struct redactions *redactions = NULL;
    struct error error;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 1 << 20);
    REQUIRE(redactions_add(&redactions, BYTES_LITERAL("first-value"), &error));
    REQUIRE(redactions_add(&redactions, BYTES_LITERAL("first-value"), &error));
    REQUIRE(redactions_add(&redactions, BYTES_LITERAL("other-value"), &error));
    struct redactions *held = redactions_hold(redactions);
    redactions_release(redactions);
    buffer_append_string(&text, "other-value, first-value, other-value");
    redact(&text, held);
    CHECK_BYTES(buffer_view(&text), BYTES_LITERAL("***, ***, ***"));
    redactions_release(held);
    redact(&text, NULL);
    redactions_release(NULL);
}

/* Whether all of a log goes. */
static bool is_blank(const struct redactions *redactions)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 100);
    buffer_append_string(&text, "nothing secret");
    redact(&text, redactions);
    return bytes_equal_string(buffer_view(&text), "***");
}

static void takes_all_out_beyond_its_limits(void)
{
    static uint8_t large[REDACT_VALUE_SIZE_MAX + 1];
    struct error error;
    AUTO(redactions) struct redactions *one = NULL;
    REQUIRE(redactions_add(&one, bytes_of(large, REDACT_VALUE_SIZE_MAX), &error));
    CHECK(!is_blank(one));
    REQUIRE(redactions_add(&one, BYTES_OF(large), &error));
    CHECK(is_blank(one));
    AUTO(redactions) struct redactions *first = NULL;
    REQUIRE(redactions_add(&first, BYTES_OF(large), &error));
    CHECK(is_blank(first));
    AUTO(redactions) struct redactions *many = NULL;
    for (unsigned i = 0; i < REDACT_VALUE_COUNT_MAX + 1u; i++) {
        char name[16];
        CHECK(!is_blank(many));
        snprintf(name, sizeof(name), "value-%u", i);
        REQUIRE(redactions_add(&many, bytes_of_string(name), &error));
    }
    CHECK(is_blank(many));
    AUTO(redactions) struct redactions *much = NULL;
    for (unsigned i = 0; i <= REDACT_VALUES_SIZE_MAX / REDACT_VALUE_SIZE_MAX; i++) {
        CHECK(!is_blank(much));
        large[0] = (uint8_t)i;
        REQUIRE(redactions_add(&much, bytes_of(large, REDACT_VALUE_SIZE_MAX), &error));
    }
    CHECK(is_blank(much));
}

static const struct test tests[] = {
    TEST(replaces_values),
    TEST(replaces_what_was_cut_off),
    TEST(leaves_short_values_alone),
    TEST(replaces_each_line),
    TEST(replaces_lines_with_levels),
    TEST(replaces_hexadecimal),
    TEST(replaces_base64),
    TEST(takes_many),
    TEST(takes_all_out_beyond_its_limits),
};
TEST_MAIN(tests)
