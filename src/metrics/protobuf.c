/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/protobuf.h"

#include <string.h>

enum {
    VARINT_SIZE_MAX = 10,
    FIELD_NUMBER_MAX = (1 << 29) - 1
};

static size_t varint_write(uint8_t target[VARINT_SIZE_MAX], uint64_t value)
{
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        target[size++] = (uint8_t)(value | 0x80);
    target[size++] = (uint8_t)value;
    return size;
}

static void put_varint(struct buffer *message, uint64_t value)
{
    uint8_t bytes[VARINT_SIZE_MAX];
    buffer_append(message, bytes_of(bytes, varint_write(bytes, value)));
}

static void put_tag(struct buffer *message, uint32_t field, enum protobuf_wire wire)
{
    ASSERT(field > 0 && field <= FIELD_NUMBER_MAX);
    put_varint(message, (uint64_t)field << 3 | wire);
}

void protobuf_put_varint(struct buffer *message, uint32_t field, uint64_t value)
{
    put_tag(message, field, PROTOBUF_VARINT);
    put_varint(message, value);
}

void protobuf_add_fixed64(struct buffer *message, uint64_t value)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    buffer_append(message, BYTES_OF(bytes));
}

void protobuf_put_fixed64(struct buffer *message, uint32_t field, uint64_t value)
{
    put_tag(message, field, PROTOBUF_FIXED64);
    protobuf_add_fixed64(message, value);
}

void protobuf_put_fixed32(struct buffer *message, uint32_t field, uint32_t value)
{
    uint8_t bytes[4];
    put_tag(message, field, PROTOBUF_FIXED32);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    buffer_append(message, BYTES_OF(bytes));
}

void protobuf_put_double(struct buffer *message, uint32_t field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    protobuf_put_fixed64(message, field, bits);
}

void protobuf_put_bytes(struct buffer *message, uint32_t field, struct bytes value)
{
    put_tag(message, field, PROTOBUF_BYTES);
    put_varint(message, value.size);
    buffer_append(message, value);
}

void protobuf_put_string(struct buffer *message, uint32_t field, const char *value)
{
    protobuf_put_bytes(message, field, bytes_of_string(value));
}

size_t protobuf_open(struct buffer *message, uint32_t field)
{
    put_tag(message, field, PROTOBUF_BYTES);
    return message->size;
}

/* The size comes in before what it is the size of. */
void protobuf_close(struct buffer *message, size_t opened)
{
    uint8_t bytes[VARINT_SIZE_MAX];
    if (message->failed)
        return;
    size_t size = message->size - opened, count = varint_write(bytes, size);
    buffer_append(message, bytes_of(bytes, count)); /* room */
    if (message->failed)
        return;
    memmove(message->data + opened + count, message->data + opened, size);
    memcpy(message->data + opened, bytes, count);
}

static uint64_t read_varint(struct reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint8_t byte = read_u8(reader);
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    reader_fail(reader);
    return 0;
}

bool protobuf_take(struct reader *reader, struct protobuf_field *field)
{
    if (reader->failed || reader_left(reader) == 0)
        return false;
    uint64_t tag = read_varint(reader);
    struct protobuf_field taken = { .number = (uint32_t)(tag >> 3) & FIELD_NUMBER_MAX,
                                    .wire = (enum protobuf_wire)(tag & 7) };
    if (tag >> 32 != 0 || taken.number == 0)
        reader_fail(reader);
    switch (taken.wire) {
    case PROTOBUF_VARINT:
        taken.value = read_varint(reader);
        break;
    case PROTOBUF_FIXED64:
        taken.value = read_u64_le(reader);
        break;
    case PROTOBUF_BYTES:
        taken.bytes = read_bytes(reader, read_count(reader, read_varint(reader), SIZE_MAX, 1));
        break;
    case PROTOBUF_FIXED32:
        taken.value = read_u32_le(reader);
        break;
    default: /* groups, and what is not assigned */
        reader_fail(reader);
    }
    if (reader->failed)
        return false;
    *field = taken;
    return true;
}
