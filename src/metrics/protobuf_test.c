/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/protobuf.h"
#include "tests/harness.h"

#include <string.h>

static void writes_what_the_specification_shows(void)
{
    /* The examples of protobuf.dev/programming-guides/encoding. */
    AUTO_BUFFER struct buffer message;
    buffer_init(&message, 1000);
    protobuf_put_varint(&message, 1, 150);
    CHECK_BYTES(buffer_view(&message), BYTES_LITERAL("\x08\x96\x01"));
    buffer_clear(&message);
    protobuf_put_string(&message, 2, "testing");
    CHECK_BYTES(buffer_view(&message), BYTES_LITERAL("\x12\x07testing"));
    buffer_clear(&message);
    size_t inner = protobuf_open(&message, 3);
    protobuf_put_varint(&message, 1, 150);
    protobuf_close(&message, inner);
    CHECK_BYTES(buffer_view(&message), BYTES_LITERAL("\x1a\x03\x08\x96\x01"));
    buffer_clear(&message);
    protobuf_put_varint(&message, 1, UINT64_MAX - 1); /* -2 */
    CHECK_BYTES(buffer_view(&message),
                BYTES_LITERAL("\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
    buffer_clear(&message);
    protobuf_put_double(&message, 16, 1.0);
    protobuf_put_fixed32(&message, 1, 0x04030201);
    CHECK_BYTES(buffer_view(&message),
                BYTES_LITERAL("\x81\x01\0\0\0\0\0\0\xf0\x3f\x0d\x01\x02\x03\x04"));
}

static void sizes_of_more_than_a_byte_come_before(void)
{
    char text[20000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (size_t size = 100; size < sizeof(text); size = size * 3 / 2) {
        AUTO_BUFFER struct buffer message;
        buffer_init(&message, 40000);
        size_t outer = protobuf_open(&message, 1), inner = protobuf_open(&message, 2);
        protobuf_put_bytes(&message, 3, bytes_of(text, size));
        protobuf_close(&message, inner);
        protobuf_close(&message, outer);
        struct protobuf_field field;
        struct reader reader = reader_of(buffer_view(&message));
        for (uint32_t number = 1; number <= 3; number++) {
            REQUIRE(protobuf_take(&reader, &field));
            CHECK_NUMBER(field.number, number);
            CHECK(read_end(&reader));
            reader = reader_of(field.bytes);
        }
        CHECK_NUMBER(field.bytes.size, size);
    }
}

static void a_full_buffer_fails(void)
{
    for (size_t size = 0; size < 12; size++) {
        AUTO_BUFFER struct buffer message;
        buffer_init(&message, size);
        size_t outer = protobuf_open(&message, 1);
        protobuf_put_double(&message, 1, 1);
        protobuf_close(&message, outer);
        CHECK(message.failed == (size < 11));
    }
}

static bool reads(struct bytes text)
{
    struct reader reader = reader_of(text);
    struct protobuf_field field;
    while (protobuf_take(&reader, &field))
        continue;
    return read_end(&reader);
}

static void malformed_messages_fail(void)
{
    static const struct {
        struct bytes text;
        bool is_read;
    } cases[] = {
        { BYTES_LITERAL(""), true },
        { BYTES_LITERAL("\x08\x01"), true },
        { BYTES_LITERAL("\x08\x80\x00"), true }, /* longer than it must be, as some write */
        { BYTES_LITERAL("\x08"), false },
        { BYTES_LITERAL("\x08\x80"), false },
        { BYTES_LITERAL("\x00\x01"), false }, /* number 0 */
        { BYTES_LITERAL("\x0b"), false },     /* a group */
        { BYTES_LITERAL("\x0c"), false },
        { BYTES_LITERAL("\x0e\x01"), false },
        { BYTES_LITERAL("\x0f\x01"), false },
        { BYTES_LITERAL("\x09\x01\x02\x03\x04\x05\x06\x07"), false },
        { BYTES_LITERAL("\x0d\x01\x02\x03"), false },
        { BYTES_LITERAL("\x0a\x02x"), false },
        { BYTES_LITERAL("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"), false },
        { BYTES_LITERAL("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), true },
        { BYTES_LITERAL("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), false },
        { BYTES_LITERAL("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01"), false },
        { BYTES_LITERAL("\xf8\xff\xff\xff\x0f\x01"), true },  /* the largest number */
        { BYTES_LITERAL("\xf8\xff\xff\xff\x1f\x01"), false }, /* above it */
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_NOTE(reads(cases[i].text) == cases[i].is_read, "case %zu", i);
}

static const struct test tests[] = {
    TEST(writes_what_the_specification_shows),
    TEST(sizes_of_more_than_a_byte_come_before),
    TEST(a_full_buffer_fails),
    TEST(malformed_messages_fail),
};
TEST_MAIN(tests)
