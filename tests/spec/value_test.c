/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/spec/value.h"

#include "tests/harness.h"

#include <string.h>

static json_t *parse(const char *text)
{
    json_error_t where;
    json_t *json = json_loads(text, 0, &where);
    ASSERT(json != NULL);
    return json;
}

#define V128(type, lanes)   "{\"type\":\"v128\",\"lane_type\":\"" type "\",\"value\":[" lanes "]}"
#define NUMBER(type, value) "{\"type\":\"" type "\",\"value\":\"" value "\"}"

static void values_become_slots(void)
{
    static const struct {
        const char *text;
        unsigned count;
        uint64_t slots[2];
    } cases[] = {
        { NUMBER("i32", "4294967295"), 1, { 0xffffffff } },
        { NUMBER("i64", "18446744073709551615"), 1, { UINT64_MAX } },
        { NUMBER("f32", "2143289344"), 1, { 0x7fc00000 } },
        { NUMBER("f64", "1"), 1, { 1 } },
        { NUMBER("externref", "0"), 1, { 1 } },
        { NUMBER("externref", "null"), 1, { 0 } },
        { NUMBER("funcref", "null"), 1, { 0 } },
        { V128("i64", "\"1\",\"2\""), 2, { 1, 2 } },
        { V128("f32", "\"1\",\"2\",\"3\",\"4\""), 2, { 0x200000001, 0x400000003 } },
        { V128("i16", "\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"65535\""),
          2,
          { 0x0004000300020001, 0xffff000700060005 } },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_JSON json_t *value = parse(cases[i].text);
        uint64_t slots[VALUE_SLOTS_MAX] = { 0 };
        struct error error;
        CHECK_NUMBER(value_slot_count(value), cases[i].count);
        CHECK_NOTE(value_to_slots(value, slots, &error), "%s", cases[i].text);
        CHECK_NUMBER(slots[0], cases[i].slots[0]);
        CHECK_NUMBER(slots[1], cases[i].slots[1]);
        /* A function that isn't null matches any; what was read matches itself. */
        CHECK(value_matches(value, slots));
    }
}

static void others_are_refused(void)
{
    static const char *const cases[] = {
        NUMBER("i32", "4294967296"),
        NUMBER("i32", "-1"),
        NUMBER("i32", " 1"),
        NUMBER("i32", "1x"),
        NUMBER("i32", ""),
        NUMBER("i64", "18446744073709551616"),
        NUMBER("i8", "1"),
        NUMBER("q", "1"),
        NUMBER("funcref", "1"),
        NUMBER("f32", "nan:canonical"),
        "{\"type\":\"i32\",\"value\":1}",
        "{\"type\":\"i32\"}",
        "{}",
        "[]",
        V128("i8", "\"1\""),
        V128("i64", "\"1\",\"2\",\"3\""),
        V128("i32", "\"1\",\"2\",\"3\",\"4294967296\""),
        V128("i32", "1,2,3,4"),
        V128("v128", "\"1\""),
        "{\"type\":\"v128\"}",
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_JSON json_t *value = parse(cases[i]);
        uint64_t slots[VALUE_SLOTS_MAX] = { 5, 6 };
        struct error error = { 0 };
        CHECK_NOTE(!value_to_slots(value, slots, &error), "%s", cases[i]);
        CHECK_NUMBER(slots[0], 5);
        CHECK_NUMBER(slots[1], 6);
        /* A function that isn't null is expected by any number, a NaN by its pattern. */
        if (strstr(cases[i], "funcref") == NULL && strstr(cases[i], "nan") == NULL)
            CHECK_NOTE(!value_matches(value, slots), "%s", cases[i]);
    }
}

static void nans_match_by_pattern(void)
{
    static const struct {
        const char *text;
        uint64_t slots[2];
        bool matches;
    } cases[] = {
        { NUMBER("f32", "nan:canonical"), { 0x7fc00000 }, true },
        { NUMBER("f32", "nan:canonical"), { 0xffc00000 }, true },
        { NUMBER("f32", "nan:canonical"), { 0x7fc00001 }, false },
        { NUMBER("f32", "nan:canonical"), { 0x7f800000 }, false },
        { NUMBER("f32", "nan:canonical"), { 0x17fc00000 }, false }, /* dirt in the slot */
        { NUMBER("f32", "nan:arithmetic"), { 0x7fc00001 }, true },
        { NUMBER("f32", "nan:arithmetic"), { 0xffffffff }, true },
        { NUMBER("f32", "nan:arithmetic"), { 0x7fa00000 }, false }, /* signalling */
        { NUMBER("f64", "nan:canonical"), { 0xfff8000000000000 }, true },
        { NUMBER("f64", "nan:canonical"), { 0x7ff8000000000001 }, false },
        { NUMBER("f64", "nan:arithmetic"), { 0x7ff8000000000001 }, true },
        { NUMBER("f64", "nan:arithmetic"), { 0x7ff4000000000000 }, false },
        { NUMBER("i32", "nan:canonical"), { 0x7fc00000 }, false },
        { V128("f32", "\"nan:canonical\",\"0\",\"nan:arithmetic\",\"1\""),
          { 0x00000000ffc00000, 0x000000017fc12345 },
          true },
        { V128("f32", "\"nan:canonical\",\"0\",\"nan:arithmetic\",\"1\""),
          { 0x00000000ffc00001, 0x000000017fc12345 },
          false },
        { V128("f64", "\"nan:canonical\",\"2\""), { 0x7ff8000000000000, 2 }, true },
        { V128("f64", "\"nan:canonical\",\"2\""), { 0x7ff8000000000000, 3 }, false },
        { V128("f64", "\"2\",\"nan:arithmetic\""), { 2, 0x7ff0000000000001 }, false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_JSON json_t *value = parse(cases[i].text);
        CHECK_NOTE(value_matches(value, cases[i].slots) == cases[i].matches, "%zu: %s", i,
                   cases[i].text);
    }
}

static void references_may_be_open(void)
{
    AUTO_JSON json_t *function = parse(NUMBER("funcref", "3"));
    AUTO_JSON json_t *external = parse("{\"type\":\"externref\"}");
    AUTO_JSON json_t *seven = parse(NUMBER("externref", "7"));
    static const uint64_t null[2], eighth[2] = { 8 };
    CHECK(value_matches(function, eighth) && !value_matches(function, null));
    CHECK(value_matches(external, eighth) && !value_matches(external, null));
    CHECK(value_matches(seven, eighth) && !value_matches(seven, null));
}

static void texts_show_bits(void)
{
    char text[VALUE_TEXT_SIZE];
    AUTO_JSON json_t *number = parse(NUMBER("f32", "nan:canonical"));
    AUTO_JSON json_t *vector = parse(V128("i32", "\"1\",\"2\",\"3\",\"255\""));
    value_expected_text(number, text);
    CHECK_STRING(text, "f32:nan:canonical");
    value_text(number, (const uint64_t[]){ 0x7fa00000, 0 }, text);
    CHECK_STRING(text, "f32:0x7fa00000");
    value_expected_text(vector, text);
    CHECK_STRING(text, "i32x4:0x1 0x2 0x3 0xff");
    value_text(vector, (const uint64_t[]){ 0x500000004, 6 }, text);
    CHECK_STRING(text, "i32x4:0x4 0x5 0x6 0x0");
}

static const struct test tests[] = {
    TEST(values_become_slots),    TEST(others_are_refused), TEST(nans_match_by_pattern),
    TEST(references_may_be_open), TEST(texts_show_bits),
};
TEST_MAIN(tests)
