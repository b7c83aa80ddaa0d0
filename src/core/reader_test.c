/* SPDX-License-Identifier: Apache-2.0 */
#include "core/reader.h"
#include "tests/harness.h"

static void reads_numbers_in_both_orders(void)
{
    static const uint8_t source[] = { 1, 2, 1, 4, 3, 2, 1, 1, 2, 3, 4 };
    struct reader reader = reader_of(BYTES_OF(source));
    CHECK(read_u8(&reader) == 1);
    CHECK(read_u16_le(&reader) == 0x0102);
    CHECK(read_u32_le(&reader) == 0x01020304);
    CHECK(reader_offset(&reader) == 7);
    CHECK(read_u32_be(&reader) == 0x01020304);
    CHECK(read_end(&reader));
}

static void fails_for_good_past_the_end(void)
{
    static const uint8_t source[] = { 1, 2, 3 };
    struct reader reader = reader_of(BYTES_OF(source));
    CHECK(read_u32_le(&reader) == 0);
    CHECK(reader.failed);
    CHECK(read_u8(&reader) == 0);
    CHECK(read_bytes(&reader, 1).size == 0);
    uint8_t copy[2] = { 9, 9 };
    read_into(&reader, copy, sizeof(copy));
    CHECK(copy[0] == 0 && copy[1] == 0);
    CHECK(!read_end(&reader));
}

static void bounds_counts(void)
{
    static const uint8_t source[8] = { 0 };
    struct reader reader = reader_of(BYTES_OF(source));
    CHECK(read_count(&reader, 4, 10, 2) == 4);
    CHECK(read_count(&reader, 5, 10, 2) == 0);
    CHECK(reader.failed);
    reader = reader_of(BYTES_OF(source));
    CHECK(read_count(&reader, 3, 2, 1) == 0);
    CHECK(reader.failed);
}

struct leb_case {
    uint8_t text[11];
    size_t size;
    bool ok;
    int64_t value;
};

static void reads_leb_numbers(void)
{
    static const struct leb_case u32[] = {
        { { 0x00 }, 1, true, 0 },
        { { 0xe5, 0x8e, 0x26 }, 3, true, 624485 },
        { { 0xff, 0xff, 0xff, 0xff, 0x0f }, 5, true, 0xffffffff },
        { { 0xff, 0xff, 0xff, 0xff, 0x1f }, 5, false, 0 },
        { { 0x80, 0x80, 0x80, 0x80, 0x80, 0x00 }, 6, false, 0 },
        { { 0x80 }, 1, false, 0 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(u32); i++) {
        struct reader reader = reader_of(bytes_of(u32[i].text, u32[i].size));
        CHECK((int64_t)read_leb_u32(&reader) == u32[i].value);
        CHECK(read_end(&reader) == u32[i].ok);
    }
    static const struct leb_case i32[] = {
        { { 0x7f }, 1, true, -1 },
        { { 0xc0, 0xbb, 0x78 }, 3, true, -123456 },
        { { 0x80, 0x80, 0x80, 0x80, 0x78 }, 5, true, INT32_MIN },
        { { 0xff, 0xff, 0xff, 0xff, 0x07 }, 5, true, INT32_MAX },
        { { 0xff, 0xff, 0xff, 0xff, 0x0f }, 5, false, 0 },
        { { 0x80, 0x80, 0x80, 0x80, 0x70 }, 5, false, 0 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(i32); i++) {
        struct reader reader = reader_of(bytes_of(i32[i].text, i32[i].size));
        CHECK_NUMBER(read_leb_i32(&reader), i32[i].value);
        CHECK(read_end(&reader) == i32[i].ok);
    }
    static const struct leb_case i64[] = {
        { { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f }, 10, true, INT64_MIN },
        { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00 }, 10, true, INT64_MAX },
        { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 }, 10, false, 0 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(i64); i++) {
        struct reader reader = reader_of(bytes_of(i64[i].text, i64[i].size));
        CHECK_NUMBER(read_leb_i64(&reader), i64[i].value);
        CHECK(read_end(&reader) == i64[i].ok);
    }
    struct reader reader = reader_of(BYTES_LITERAL("\x40"));
    CHECK(read_leb_i33(&reader) == -64);
}

static const struct test tests[] = {
    TEST(reads_numbers_in_both_orders),
    TEST(fails_for_good_past_the_end),
    TEST(bounds_counts),
    TEST(reads_leb_numbers),
};
TEST_MAIN(tests)
