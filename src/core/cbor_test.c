/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cbor.h"

#include "core/hex.h"
#include "tests/harness.h"

#include <string.h>

enum {
    ITEM_SIZE_MAX = 1024
};

/* Bytes of hexadecimal text, valid until the next call but three. */
static struct bytes hex(const char *text)
{
    static uint8_t space[4][ITEM_SIZE_MAX];
    static unsigned turn;
    uint8_t *data = space[turn++ % 4];
    size_t size = strlen(text) / 2;
    CHECK(size <= ITEM_SIZE_MAX && hex_decode(data, size, bytes_of_string(text)));
    return bytes_of(data, size);
}

static bool is_sound(struct bytes item, enum cbor_order order)
{
    return !cbor_reader_of(item, order).failed;
}

/* RFC 8949 appendix A, in its order. */
static void reads_the_integers_of_the_rfc(void)
{
    static const struct {
        const char *item;
        uint64_t number;
        bool is_negative; /* the value is -1 - number */
    } cases[] = {
        { "00", 0, false },
        { "01", 1, false },
        { "0a", 10, false },
        { "17", 23, false },
        { "1818", 24, false },
        { "1819", 25, false },
        { "1864", 100, false },
        { "1903e8", 1000, false },
        { "1a000f4240", 1000000, false },
        { "1b000000e8d4a51000", 1000000000000, false },
        { "1bffffffffffffffff", UINT64_MAX, false },
        { "3bffffffffffffffff", UINT64_MAX, true },
        { "20", 0, true },
        { "29", 9, true },
        { "3863", 99, true },
        { "3903e7", 999, true },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        uint8_t space[16];
        struct bytes item = hex(cases[i].item);
        struct writer writer = writer_into(space, sizeof(space));
        struct reader reader = cbor_reader_of(item, CBOR_SORTED);
        CHECK_NUMBER(cbor_peek(&reader), cases[i].is_negative ? CBOR_NEGATIVE : CBOR_UNSIGNED);
        bool fits = cases[i].number <= INT64_MAX;
        int64_t number = cbor_read_integer(&reader);
        CHECK(reader.failed == !fits);
        if (fits) {
            CHECK_NUMBER(number, cases[i].is_negative ? -1 - (int64_t)cases[i].number
                                                      : (int64_t)cases[i].number);
            cbor_write_integer(&writer, number);
            CHECK_BYTES(writer_view(&writer), item);
        }
        reader = cbor_reader_of(item, CBOR_SORTED);
        number = (int64_t)cbor_read_unsigned(&reader);
        CHECK(reader.failed == cases[i].is_negative);
        if (!cases[i].is_negative) {
            CHECK((uint64_t)number == cases[i].number);
            writer = writer_into(space, sizeof(space));
            cbor_write_unsigned(&writer, cases[i].number);
            CHECK_BYTES(writer_view(&writer), item);
        }
    }
}

static void reads_the_floats_of_the_rfc(void)
{
    static const struct {
        const char *item;
        double number;
    } cases[] = {
        { "f90000", 0.0 },
        { "f98000", -0.0 },
        { "f93c00", 1.0 },
        { "fb3ff199999999999a", 1.1 },
        { "f93e00", 1.5 },
        { "f97bff", 65504.0 },
        { "fa47c35000", 100000.0 },
        { "fa7f7fffff", 3.4028234663852886e+38 },
        { "fb7e37e43c8800759c", 1.0e+300 },
        { "f90001", 5.960464477539063e-8 },
        { "f90400", 0.00006103515625 },
        { "f9c400", -4.0 },
        { "fbc010666666666666", -4.1 },
        { "f97c00", (double)__builtin_inff() },
        { "f9fc00", -(double)__builtin_inff() },
        { "fa00000001", 1.401298464324817e-45 }, /* the least single: not in the appendix */
        { "f903ff", 6.097555160522461e-05 },     /* the greatest subnormal half */
        { "fb0000000000000001", 4.9406564584124654e-324 },
        { "fb36a0000000000001", 1.4012984643248173e-45 },
        { "fa33000001", 2.980232594040899e-08 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct reader reader = cbor_reader_of(hex(cases[i].item), CBOR_SORTED);
        uint64_t expected;
        memcpy(&expected, &cases[i].number, sizeof(expected));
        CHECK_NOTE(cbor_read_float_bits(&reader) == expected && read_end(&reader), "%s",
                   cases[i].item);
    }
    struct reader reader = cbor_reader_of(hex("f97e00"), CBOR_SORTED);
    CHECK(cbor_read_float_bits(&reader) == 0x7ff8000000000000);
}

/* The appendix shows these too; they are sound, but not the shortest. */
static void takes_longer_floats_only_unsorted(void)
{
    static const char *const cases[] = {
        "fa7f800000",
        "fa7fc00000",
        "faff800000",
        "fb7ff0000000000000",
        "fb7ff8000000000000",
        "fbfff0000000000000",
        "fa00000000",
        "fa3f800000",
        "fb3ff0000000000000",
        "fb3e70000000000000",
        "fb36a0000000000000",
        "fa33800000",
        "f97e01",
        "fb40f86a0000000000",
        "fa387fc000",
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CHECK_NOTE(!is_sound(hex(cases[i]), CBOR_SORTED), "%s", cases[i]);
        CHECK(is_sound(hex(cases[i]), CBOR_UNSORTED));
    }
}

static void reads_the_simple_values_of_the_rfc(void)
{
    static const struct {
        const char *item;
        enum cbor_kind kind;
    } cases[] = { { "f4", CBOR_BOOLEAN },   { "f5", CBOR_BOOLEAN }, { "f6", CBOR_NULL },
                  { "f7", CBOR_UNDEFINED }, { "f0", CBOR_SIMPLE },  { "f8ff", CBOR_SIMPLE } };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct reader reader = cbor_reader_of(hex(cases[i].item), CBOR_SORTED);
        CHECK_NUMBER(cbor_peek(&reader), cases[i].kind);
    }
    struct reader reader = cbor_reader_of(hex("83f4f5f6"), CBOR_SORTED);
    CHECK_NUMBER(cbor_read_array(&reader, 3), 3);
    CHECK(!cbor_read_boolean(&reader));
    CHECK(cbor_read_boolean(&reader));
    cbor_read_null(&reader);
    CHECK(read_end(&reader));
}

static void reads_the_strings_of_the_rfc(void)
{
    static const struct {
        const char *item, *text;
    } texts[] = { { "60", "" },
                  { "6161", "a" },
                  { "6449455446", "IETF" },
                  { "62225c", "\"\\" },
                  { "62c3bc", "\u00fc" },
                  { "63e6b0b4", "\u6c34" },
                  { "64f0908591", "\U00010151" } };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct reader reader = cbor_reader_of(hex(texts[i].item), CBOR_SORTED);
        CHECK_BYTES(cbor_read_text(&reader), bytes_of_string(texts[i].text));
        CHECK(read_end(&reader));
    }
    struct reader reader = cbor_reader_of(hex("40"), CBOR_SORTED);
    CHECK(cbor_read_bytes(&reader).size == 0 && read_end(&reader));
    reader = cbor_reader_of(hex("4401020304"), CBOR_SORTED);
    CHECK_BYTES(cbor_read_bytes(&reader), BYTES_LITERAL("\1\2\3\4"));
}

/* Tags, arrays and maps of the appendix: each sound, and skipped whole. */
static void takes_the_structures_of_the_rfc(void)
{
    static const char *const cases[] = {
        "c249010000000000000000",
        "c349010000000000000000",
        "c074323031332d30332d32315432303a30343a30305a",
        "c11a514b67b0",
        "c1fb41d452d9ec200000",
        "d74401020304",
        "d818456449455446",
        "d82076687474703a2f2f7777772e6578616d706c652e636f6d",
        "80",
        "83010203",
        "8301820203820405",
        "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
        "a0",
        "a201020304",
        "a26161016162820203",
        "826161a161626163",
        "a56161614161626142616361436164614461656145",
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct bytes item = hex(cases[i]);
        struct reader reader = cbor_reader_of(item, CBOR_SORTED);
        CHECK_NOTE(!reader.failed, "%s", cases[i]);
        CHECK_BYTES(cbor_read_item(&reader), item);
        CHECK(read_end(&reader));
        for (size_t size = 0; size < item.size; size++) {
            CHECK(!is_sound(bytes_part(item, 0, size), CBOR_UNSORTED));
            reader = reader_of(bytes_part(item, 0, size));
            CHECK(cbor_read_item(&reader).size == 0 && reader.failed);
        }
    }
}

/* The appendix's arrays and maps of indefinite length are as devices emit them; strings in parts
 * are not taken, for there is no view of them. */
static void takes_indefinite_lengths_as_emitted_only(void)
{
    static const struct {
        const char *item;
        bool is_emitted;
    } cases[] = {
        { "9fff", true },
        { "9f018202039f0405ffff", true },
        { "9f01820203820405ff", true },
        { "83018202039f0405ff", true },
        { "83019f0203ff820405", true },
        { "9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff", true },
        { "bf61610161629f0203ffff", true },
        { "826161bf61626163ff", true },
        { "bf6346756ef563416d7421ff", true },
        { "5f42010243030405ff", false },
        { "7f657374726561646d696e67ff", false },
        { "ff", false },
        { "1f", false },
        { "3f", false },
        { "df00ff", false },
        { "81ff", false }, /* RFC 8949 appendix F.1: a break that is not expected */
        { "8200ff", false },
        { "a1ff", false },
        { "a100ff", false },
        { "bf00ff", false },
        { "bf000000ff", false },
        { "9f81ff", false },
        { "9f829f819f9fffffffff", false },
        { "c0ff", false },
        { "bf01000100ff", false }, /* a key twice */
        { "9f", false },
        { "9f0102", false },
        { "bf", false },
        { "bf01020102", false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct bytes item = hex(cases[i].item);
        CHECK(!is_sound(item, CBOR_SORTED));
        CHECK(!is_sound(item, CBOR_UNSORTED));
        CHECK_NOTE(is_sound(item, CBOR_AS_EMITTED) == cases[i].is_emitted, "%s", cases[i].item);
    }
}

static void reads_items_of_any_length(void)
{
    static const char *const maps[] = { "a2010203f6", "bf010203f6ff" };
    for (size_t i = 0; i < ARRAY_COUNT(maps); i++) {
        for (size_t max = 1; max <= 3; max++) {
            struct reader reader = cbor_reader_of(hex(maps[i]), CBOR_AS_EMITTED);
            struct cbor_items items = cbor_enter_map(&reader, max);
            size_t count = 0;
            for (; cbor_next(&items, &reader); count++) {
                CHECK_NUMBER(cbor_read_unsigned(&reader), 1 + 2 * (int64_t)count);
                cbor_read_item(&reader);
            }
            CHECK(read_end(&reader) == (max >= 2));
            CHECK(max < 2 || count == 2);
        }
    }
    struct reader reader = cbor_reader_of(hex("9fff"), CBOR_AS_EMITTED);
    struct cbor_items items = cbor_enter_array(&reader, 0);
    CHECK(!cbor_next(&items, &reader) && read_end(&reader));
    reader = reader_of(hex("9f01"));
    items = cbor_enter_array(&reader, 5);
    CHECK(cbor_next(&items, &reader) && cbor_read_unsigned(&reader) == 1);
    CHECK(cbor_next(&items, &reader) && cbor_read_unsigned(&reader) == 0);
    CHECK(!cbor_next(&items, &reader) && reader.failed);
    reader = cbor_reader_of(hex("9f01ff"), CBOR_AS_EMITTED);
    CHECK(cbor_read_array(&reader, 5) == 0 && reader.failed);
    reader = cbor_reader_of(hex("bf0101ff"), CBOR_AS_EMITTED);
    CHECK(cbor_read_map(&reader, 5) == 0 && reader.failed);
}

/* clang-format off */
/* RFC 8949 appendix F.1, and what else is not one form per value: two items, heads that are longer than
 * needed, text that is not UTF-8, a key twice, keys of other kinds, counts that can't be met. */
static const char *const not_cbor[] = {
    "", "18", "19", "1a", "1b", "1901", "1a0102", "38", "58", "78", "98", "9a01ff00", "b8", "d8",
    "f8", "f900", "fa0000", "fb000000", "41", "61", "5affffffff00", "5bffffffffffffffff010203",
    "7affffffff00", "81", "818181818181818181", "8200", "a1", "a20102", "a100", "c0", "d81c", "1c",
    "1d", "1e", "3c", "5c", "7d", "9e", "bc", "dd", "fc", "fd", "fe", "f800", "f801", "f818",
    "f81f", "0000", "1800", "1817", "190000", "1900ff", "1a00000000", "1a0000ffff",
    "1b0000000000000000", "1b00000000ffffffff", "3800", "3917ff00", "580100", "5817", "7800",
    "780161", "9800", "980101", "b800", "b8010101", "d80100", "d817 ", "61ff", "62c080", "63eda080",
    "a201010102", "a2616101616102", "a18001", "a1a001", "a1c00001", "a1f401", "a1f90000 01",
    "9bffffffffffffffff", "bbffffffffffffffff", "bb8000000000000000",
};
/* clang-format on */

static void refuses_what_is_not_well_formed(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(not_cbor); i++) {
        char text[64];
        size_t size = 0;
        for (const char *at = not_cbor[i]; *at != '\0'; at++) {
            if (*at != ' ')
                text[size++] = *at;
        }
        text[size] = '\0';
        CHECK_NOTE(!is_sound(hex(text), CBOR_SORTED), "%s", text);
        CHECK_NOTE(!is_sound(hex(text), CBOR_UNSORTED), "%s", text);
        CHECK_NOTE(!is_sound(hex(text), CBOR_AS_EMITTED), "%s", text);
    }
}

static void keeps_keys_in_order_when_told(void)
{
    /* The order of the example in RFC 8949 section 4.2.1. */
    CHECK(is_sound(hex("a50a011864012001617a0162616101"), CBOR_SORTED));
    CHECK(!is_sound(hex("a51864010a012001617a0162616101"), CBOR_SORTED));
    CHECK(is_sound(hex("a51864010a012001617a0162616101"), CBOR_UNSORTED));
    /* Inside, too; and an outer key is no inner key. */
    CHECK(!is_sound(hex("a101a202000100"), CBOR_SORTED));
    CHECK(is_sound(hex("a101a201000200"), CBOR_SORTED));
    CHECK(!is_sound(hex("a101a202000200"), CBOR_UNSORTED));
    CHECK(!is_sound(hex("a3010002a101000100"), CBOR_UNSORTED));
    CHECK(is_sound(hex("a3010002a101000300"), CBOR_UNSORTED));
}

static void bounds_depth_and_keys(void)
{
    uint8_t item[3 * CBOR_KEYS_MAX + 8];
    static const uint8_t openers[] = { 0x81, 0xc6, 0xa1 };
    for (size_t kind = 0; kind < ARRAY_COUNT(openers); kind++) {
        for (size_t depth = CBOR_DEPTH_MAX - 1; depth <= CBOR_DEPTH_MAX + 1; depth++) {
            struct writer writer = writer_into(item, sizeof(item));
            for (size_t i = 0; i < depth; i++) {
                write_u8(&writer, openers[kind]);
                if (openers[kind] == 0xa1)
                    write_u8(&writer, 0);
            }
            write_u8(&writer, 0);
            CHECK(is_sound(writer_view(&writer), CBOR_SORTED) == (depth <= CBOR_DEPTH_MAX));
        }
    }
    for (size_t count = CBOR_KEYS_MAX - 1; count <= CBOR_KEYS_MAX + 1; count++) {
        uint8_t map[4 * CBOR_KEYS_MAX + 16];
        struct writer writer = writer_into(map, sizeof(map));
        cbor_write_map(&writer, count);
        for (size_t i = 0; i < count; i++) {
            cbor_write_unsigned(&writer, i);
            cbor_write_null(&writer);
        }
        CHECK(is_sound(writer_view(&writer), CBOR_SORTED) == (count <= CBOR_KEYS_MAX));
        CHECK(is_sound(writer_view(&writer), CBOR_UNSORTED) == (count <= CBOR_KEYS_MAX));
    }
}

static void fails_on_other_kinds_and_counts(void)
{
    static const char *const items[] = { "01",     "20",   "40", "60", "81f6",
                                         "a10000", "c100", "f4", "f6", "f93c00" };
    for (size_t i = 0; i < ARRAY_COUNT(items); i++) {
        struct reader readers[10];
        for (size_t j = 0; j < ARRAY_COUNT(readers); j++)
            readers[j] = cbor_reader_of(hex(items[i]), CBOR_SORTED);
        cbor_read_unsigned(&readers[0]);
        cbor_read_bytes(&readers[2]);
        cbor_read_text(&readers[3]);
        cbor_read_array(&readers[4], 1);
        cbor_read_map(&readers[5], 1);
        cbor_read_tag(&readers[6]);
        cbor_read_boolean(&readers[7]);
        cbor_read_null(&readers[8]);
        cbor_read_float_bits(&readers[9]);
        cbor_read_integer(&readers[1]);
        for (size_t j = 0; j < ARRAY_COUNT(readers); j++)
            CHECK_NOTE(readers[j].failed == (i != j && !(i == 0 && j == 1)), "%s as %zu", items[i],
                       j);
    }
    struct reader reader = cbor_reader_of(hex("820102"), CBOR_SORTED);
    CHECK(cbor_read_array(&reader, 1) == 0 && reader.failed);
    reader = cbor_reader_of(hex("a20102030a"), CBOR_SORTED);
    CHECK(cbor_read_map(&reader, 1) == 0 && reader.failed);
    CHECK_NUMBER(cbor_peek(&reader), CBOR_NONE);
}

static void gives_the_first_of_several(void)
{
    CHECK_BYTES(cbor_first(hex("83010203f6"), CBOR_SORTED), hex("83010203"));
    CHECK_BYTES(cbor_first(hex("0000"), CBOR_SORTED), hex("00"));
    CHECK(cbor_first(hex("8301"), CBOR_SORTED).size == 0);
}

static void writes_what_it_reads(void)
{
    uint8_t space[128];
    struct writer writer = writer_into(space, sizeof(space));
    cbor_write_tag(&writer, 60000);
    cbor_write_map(&writer, 3);
    cbor_write_integer(&writer, -7);
    cbor_write_array(&writer, 2);
    cbor_write_boolean(&writer, true);
    cbor_write_boolean(&writer, false);
    cbor_write_text(&writer, BYTES_LITERAL("a"));
    cbor_write_bytes(&writer, BYTES_LITERAL("0123456789012345678901234"));
    cbor_write_text(&writer, BYTES_LITERAL("b"));
    cbor_write_null(&writer);
    struct reader reader = cbor_reader_of(writer_view(&writer), CBOR_SORTED);
    CHECK_NUMBER(cbor_read_tag(&reader), 60000);
    CHECK_NUMBER(cbor_read_map(&reader, 3), 3);
    CHECK_NUMBER(cbor_read_integer(&reader), -7);
    CHECK_BYTES(cbor_read_item(&reader), hex("82f5f4"));
    CHECK_BYTES(cbor_read_text(&reader), BYTES_LITERAL("a"));
    CHECK_NUMBER(cbor_read_bytes(&reader).size, 25);
    cbor_read_text(&reader);
    cbor_read_null(&reader);
    CHECK(read_end(&reader));
    writer = writer_into(space, 2);
    cbor_write_text(&writer, BYTES_LITERAL("abc"));
    CHECK(writer.failed && writer.size == 4);
}

static const struct test tests[] = {
    TEST(reads_the_integers_of_the_rfc),
    TEST(reads_the_floats_of_the_rfc),
    TEST(takes_longer_floats_only_unsorted),
    TEST(reads_the_simple_values_of_the_rfc),
    TEST(reads_the_strings_of_the_rfc),
    TEST(takes_the_structures_of_the_rfc),
    TEST(takes_indefinite_lengths_as_emitted_only),
    TEST(reads_items_of_any_length),
    TEST(refuses_what_is_not_well_formed),
    TEST(keeps_keys_in_order_when_told),
    TEST(bounds_depth_and_keys),
    TEST(fails_on_other_kinds_and_counts),
    TEST(gives_the_first_of_several),
    TEST(writes_what_it_reads),
};
TEST_MAIN(tests)
