/* SPDX-License-Identifier: Apache-2.0 */
#include "core/json_reader.h"

#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static bool is_json(const char *text)
{
    struct json_reader json;
    json_reader_init(&json, bytes_of_string(text));
    json_skip(&json);
    return json_read_end(&json);
}

static void accepts_what_rfc_8259_has(void)
{
    static const char *const texts[] = {
        "null",
        " true ",
        "false",
        "0",
        "-0",
        "-1.5e+10",
        "1E-2",
        "10",
        "\"\"",
        "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"",
        "\"\xc3\xa9\xf0\x9f\x98\x80\"",
        "[]",
        "{}",
        "[ ]",
        "{ }",
        "[1,2,[3,[]],{}]",
        "\r\n\t {\"a\" : 1 , \"b\":{\"a\":[null , true]}}\n",
        "{\"\":0}",
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        CHECK_NOTE(is_json(texts[i]), "%s", texts[i]);
}

static void refuses_everything_else(void)
{
    static const char *const texts[] = {
        "",
        " ",
        "nul",
        "True",
        "truefalse",
        "01",
        "-",
        "+1",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x10",
        "NaN",
        "\"",
        "\"a",
        "'a'",
        "\"\\\"",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\ud800x\"",
        "\"\\udc00\"",
        "\"\n\"",
        "\"\x01\"",
        "\"\xff\"",
        "\"\xc3\"",
        "\"\xed\xa0\x80\"",
        "\"\xc0\xaf\"",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{",
        "{]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\":1 \"b\":2}",
        "{a:1}",
        "{1:1}",
        "{\"a\":1}}",
        "{} {}",
        "1 2",
        "// c\n1",
        "\xef\xbb\xbf{}",
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        CHECK_NOTE(!is_json(texts[i]), "%s", texts[i]);
    struct json_reader json;
    json_reader_init(&json, bytes_of("1\0", 2));
    json_skip(&json);
    CHECK(!json_read_end(&json));
}

static void refuses_duplicate_names(void)
{
    CHECK(!is_json("{\"a\":1,\"a\":1}"));
    CHECK(!is_json("{\"a\":1,\"b\":{\"c\":0},\"a\":1}"));
    CHECK(!is_json("{\"a\":1,\"\\u0061\":1}"));
    CHECK(!is_json("{\"\\u00e9\":1,\"\xc3\xa9\":1}"));
    CHECK(!is_json("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":1}"));
    CHECK(!is_json("{\"\":1,\"\":1}"));
    CHECK(!is_json("[{\"x\":{\"a\":1,\"a\":2}}]"));
    CHECK(is_json("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1},\"aa\":0,\"A\":0}"));
    CHECK(is_json("[{\"a\":1},{\"a\":1}]"));
}

static void limits_depth_and_members(void)
{
    char text[16384];
    for (size_t depth = JSON_READER_DEPTH_MAX; depth <= JSON_READER_DEPTH_MAX + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        text[2 * depth] = '\0';
        CHECK(is_json(text) == (depth == JSON_READER_DEPTH_MAX));
    }
    for (int count = JSON_READER_MEMBER_MAX; count <= JSON_READER_MEMBER_MAX + 1; count++) {
        size_t used = 0;
        for (int i = 0; i < count; i++)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%c\"%d\":0",
                                     i == 0 ? '{' : ',', i);
        snprintf(text + used, sizeof(text) - used, "}");
        CHECK(is_json(text) == (count == JSON_READER_MEMBER_MAX));
    }
    /* An hour of nesting costs nothing: the failure is at the limit. */
    static char deep[1 << 20];
    memset(deep, '[', sizeof(deep) - 1);
    CHECK(!is_json(deep));
}

static void reads_numbers_in_their_range(void)
{
    static const struct {
        const char *text;
        uint64_t max;
        bool is_good;
        uint64_t value;
    } unsigneds[] = {
        { "0", 0, true, 0 },
        { "255", 255, true, 255 },
        { "256", 255, false, 0 },
        { "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
        { "18446744073709551616", UINT64_MAX, false, 0 },
        { "99999999999999999999999", UINT64_MAX, false, 0 },
        { "-1", 10, false, 0 },
        { "-0", 10, false, 0 },
        { "1.0", 10, false, 0 },
        { "1e0", 10, false, 0 },
        { "01", 10, false, 0 },
        { "\"1\"", 10, false, 0 },
        { "null", 10, false, 0 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(unsigneds); i++) {
        struct json_reader json;
        json_reader_init(&json, bytes_of_string(unsigneds[i].text));
        uint64_t value = json_read_unsigned(&json, unsigneds[i].max);
        CHECK_NOTE(json_read_end(&json) == unsigneds[i].is_good, "%s", unsigneds[i].text);
        CHECK(value == unsigneds[i].value);
    }
    static const struct {
        const char *text;
        bool is_good;
        int64_t value;
    } integers[] = {
        { "-5", true, -5 },
        { "7", true, 7 },
        { "-9223372036854775808", true, INT64_MIN },
        { "9223372036854775807", true, INT64_MAX },
        { "9223372036854775808", false, 0 },
        { "-9223372036854775809", false, 0 },
        { "-0", false, 0 },
        { "-", false, 0 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(integers); i++) {
        struct json_reader json;
        json_reader_init(&json, bytes_of_string(integers[i].text));
        int64_t value = json_read_integer(&json, INT64_MIN, INT64_MAX);
        CHECK_NOTE(json_read_end(&json) == integers[i].is_good, "%s", integers[i].text);
        CHECK(value == integers[i].value);
    }
    struct json_reader json;
    json_reader_init(&json, BYTES_LITERAL("5"));
    CHECK(json_read_integer(&json, 6, 9) == 0 && json.failed);
}

static void gives_the_exact_bytes_of_values(void)
{
    struct bytes source =
        BYTES_LITERAL(" { \"a\" : {\"x\": [1, 2 ] } ,\"b\":\"s\\n\",\"c\": -3 } ");
    struct json_reader json;
    struct json_text name;
    json_reader_init(&json, source);
    json_enter_object(&json);
    REQUIRE(json_next_member(&json, &name) && json_text_equal(name, "a"));
    CHECK_BYTES(json_skip(&json), BYTES_LITERAL("{\"x\": [1, 2 ] }"));
    REQUIRE(json_next_member(&json, &name) && json_text_equal(name, "b"));
    const uint8_t *from = json_value_start(&json);
    CHECK(json_text_equal(json_read_string(&json), "s\n"));
    CHECK_BYTES(bytes_of(from, (size_t)(json_value_end(&json) - from)), BYTES_LITERAL("\"s\\n\""));
    REQUIRE(json_next_member(&json, &name) && json_text_equal(name, "c"));
    CHECK_BYTES(json_skip(&json), BYTES_LITERAL("-3"));
    CHECK(!json_next_member(&json, &name));
    CHECK(json_read_end(&json));
}

static void decodes_texts(void)
{
    struct json_reader json;
    json_reader_init(&json, BYTES_LITERAL("\"A\\u00e9\\ud83d\\ude00\\u0000\\/\""));
    struct json_text text = json_read_string(&json);
    REQUIRE(json_read_end(&json));
    char target[16];
    size_t size;
    REQUIRE(json_text_decode(text, target, sizeof(target), &size));
    CHECK_BYTES(bytes_of(target, size), BYTES_LITERAL("A\xc3\xa9\xf0\x9f\x98\x80\0/"));
    CHECK(!json_text_decode(text, target, size - 1, &size));
    CHECK(!json_text_equal(text, "A"));
    json_reader_init(&json, BYTES_LITERAL("\"plain\""));
    text = json_read_string(&json);
    CHECK(json_text_equal(text, "plain") && !json_text_equal(text, "plai") &&
          !json_text_equal(text, "plain "));
}

static void reads_words_and_hex(void)
{
    struct json_reader json;
    uint8_t target[3] = { 9, 9, 9 };
    json_reader_init(&json, BYTES_LITERAL("[true,false,null,\"00fFA1\",\"00ff\"]"));
    json_enter_array(&json);
    CHECK(json_next_item(&json) && json_read_boolean(&json));
    CHECK(json_next_item(&json) && !json_read_boolean(&json));
    CHECK(json_next_item(&json));
    json_read_null(&json);
    CHECK(json_next_item(&json));
    json_read_hex(&json, target, sizeof(target));
    CHECK_BYTES(BYTES_OF(target), BYTES_LITERAL("\x00\xff\xa1"));
    CHECK(json_next_item(&json) && !json.failed);
    json_read_hex(&json, target, sizeof(target));
    CHECK(json.failed && target[1] == 0);
    CHECK(!json_next_item(&json));
    json_reader_init(&json, BYTES_LITERAL("[1]"));
    json_enter_object(&json);
    CHECK(json.failed);
    json_reader_init(&json, BYTES_LITERAL("{}"));
    json_enter_object(&json);
    CHECK(!json_next_item(&json) && json.failed);
    json_reader_init(&json, (struct bytes){ 0 });
    json_skip(&json);
    CHECK(!json_read_end(&json));
    char space[1];
    size_t size = 9;
    CHECK(json_text_equal(json_read_string(&json), "") && json.failed);
    CHECK(json_text_decode(json_read_string(&json), space, 0, &size) && size == 0);
}

static void refuses_every_truncation(void)
{
    struct bytes source =
        BYTES_LITERAL("{\"a\":[1,-2.5e3,{\"b\":\"\\ud83d\\ude00\xc3\xa9\"}],\"c\":true}");
    uint8_t copy[128];
    REQUIRE(source.size <= sizeof(copy));
    struct json_reader json;
    for (size_t size = 0; size <= source.size; size++) {
        memcpy(copy + sizeof(copy) - size, source.data, size);
        json_reader_init(&json, bytes_of(copy + sizeof(copy) - size, size));
        json_skip(&json);
        CHECK(json_read_end(&json) == (size == source.size));
    }
}

static const struct test tests[] = {
    TEST(accepts_what_rfc_8259_has),
    TEST(refuses_everything_else),
    TEST(refuses_duplicate_names),
    TEST(limits_depth_and_members),
    TEST(reads_numbers_in_their_range),
    TEST(gives_the_exact_bytes_of_values),
    TEST(decodes_texts),
    TEST(reads_words_and_hex),
    TEST(refuses_every_truncation),
};
TEST_MAIN(tests)
