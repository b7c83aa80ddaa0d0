/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bytes.h"
#include "core/checked.h"
#include "core/hex.h"
#include "tests/harness.h"

static void tells_utf8(void)
{
    CHECK(bytes_is_utf8(BYTES_LITERAL("plain, \xc3\xa9, \xe2\x82\xac, \xf0\x9f\x98\x80")));
    static const struct bytes bad[] = {
        { (const uint8_t *)"\xc0\x80", 2 },
        { (const uint8_t *)"\xed\xa0\x80", 3 },
        { (const uint8_t *)"\xf4\x90\x80\x80", 4 },
        { (const uint8_t *)"\xe2\x82", 2 },
        { (const uint8_t *)"\x80", 1 },
        { (const uint8_t *)"\xf0\x80\x80\x80", 4 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        CHECK(!bytes_is_utf8(bad[i]));
}

static void parts_never_leave_the_whole(void)
{
    struct bytes whole = BYTES_LITERAL("abcdef");
    CHECK_BYTES(bytes_part(whole, 2, 2), BYTES_LITERAL("cd"));
    CHECK_BYTES(bytes_part(whole, 4, 100), BYTES_LITERAL("ef"));
    CHECK(bytes_part(whole, 9, 1).size == 0);
    CHECK_BYTES(bytes_trim(BYTES_LITERAL(" \t a b\t")), BYTES_LITERAL("a b"));
    CHECK(bytes_trim(BYTES_LITERAL(" \t")).size == 0);
    CHECK(bytes_find(whole, 'c') == 2);
    CHECK(bytes_find(whole, 'z') == 6);
    CHECK(bytes_starts_with(whole, BYTES_LITERAL("abc")));
}

static void hex_both_ways(void)
{
    uint8_t bytes[3] = { 9, 9, 9 };
    char text[7];
    CHECK(hex_decode(bytes, 3, BYTES_LITERAL("00fFa1")));
    hex_encode(text, BYTES_OF(bytes));
    CHECK_STRING(text, "00ffa1");
    CHECK(!hex_decode(bytes, 3, BYTES_LITERAL("00ffa")));
    CHECK(!hex_decode(bytes, 3, BYTES_LITERAL("00ffag")));
    CHECK(bytes[0] == 0);
}

static void checked_arithmetic(void)
{
    uint32_t sum = 7;
    CHECK(!add_fits(UINT32_MAX, 1u, &sum));
    CHECK(sum == 7);
    CHECK(mul_fits(3u, 4u, &sum) && sum == 12);
    uint8_t narrow = 1;
    CHECK(!narrow_fits(256, &narrow));
    CHECK(narrow_fits(255, &narrow) && narrow == 255);
}

static const struct test tests[] = { TEST(tells_utf8), TEST(parts_never_leave_the_whole),
                                     TEST(hex_both_ways), TEST(checked_arithmetic) };
TEST_MAIN(tests)
