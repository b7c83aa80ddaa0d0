/* SPDX-License-Identifier: Apache-2.0 */
#include "core/json_writer.h"

#include "tests/harness.h"

static struct bytes view_of(const struct writer *target)
{
    CHECK(!target->failed);
    return writer_view(target);
}

static void puts_commas_where_they_belong(void)
{
    char text[256];
    struct writer target = writer_into(text, sizeof(text));
    struct json_writer json = json_writer_into(&target);
    json_write_object_begin(&json);
    json_write_name(&json, "empty");
    json_write_object_begin(&json);
    json_write_object_end(&json);
    json_write_name(&json, "list");
    json_write_array_begin(&json);
    json_write_integer(&json, INT64_MIN);
    json_write_unsigned(&json, UINT64_MAX);
    json_write_array_begin(&json);
    json_write_array_end(&json);
    json_write_null(&json);
    json_write_object_begin(&json);
    json_write_name(&json, "a");
    json_write_bool(&json, true);
    json_write_name(&json, "b");
    json_write_bool(&json, false);
    json_write_object_end(&json);
    json_write_array_end(&json);
    json_write_name(&json, "hex");
    json_write_hex(&json, bytes_of("\x00\xfe", 2));
    json_write_name(&json, "when");
    json_write_time(&json, 0);
    json_write_name(&json, "never");
    json_write_time(&json, INT64_MAX);
    json_write_name(&json, "raw");
    json_write_raw(&json, BYTES_LITERAL("{}"));
    json_write_object_end(&json);
    CHECK_BYTES(view_of(&target),
                BYTES_LITERAL("{\"empty\":{},\"list\":[-9223372036854775808,18446744073709551615,"
                              "[],null,{\"a\":true,\"b\":false}],\"hex\":\"00fe\","
                              "\"when\":\"1970-01-01T00:00:00Z\",\"never\":null,\"raw\":{}}"));
}

static void escapes_text(void)
{
    static const struct {
        struct bytes text;
        const char *expected;
    } rows[] = {
        { { (const uint8_t *)"", 0 }, "\"\"" },
        { { (const uint8_t *)"a\"b\\c/", 6 }, "\"a\\\"b\\\\c/\"" },
        { { (const uint8_t *)"\b\f\n\r\t\0\x1f\x7f", 8 }, "\"\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\"" },
        { { (const uint8_t *)"\xc3\xa9\xf0\x9f\x99\x82", 6 }, "\"\xc3\xa9\xf0\x9f\x99\x82\"" },
        { { (const uint8_t *)"\xff"
                             "a\xc3",
            3 },
          "\"\xef\xbf\xbd"
          "a\xef\xbf\xbd\"" },
        { { (const uint8_t *)"\xed\xa0\x80", 3 }, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char text[64];
        struct writer target = writer_into(text, sizeof(text));
        struct json_writer json = json_writer_into(&target);
        json_write_text(&json, rows[i].text);
        CHECK_BYTES(view_of(&target), bytes_of_string(rows[i].expected));
    }
}

static void fails_when_there_is_no_room(void)
{
    for (size_t capacity = 0; capacity < 7; capacity++) {
        char text[8];
        struct writer target = writer_into(text, capacity);
        struct json_writer json = json_writer_into(&target);
        json_write_array_begin(&json);
        json_write_string(&json, "abc");
        json_write_array_end(&json);
        CHECK(target.failed);
        CHECK_NUMBER(target.size, 7);
    }
}

static const struct test tests[] = {
    TEST(puts_commas_where_they_belong),
    TEST(escapes_text),
    TEST(fails_when_there_is_no_room),
};
TEST_MAIN(tests)
