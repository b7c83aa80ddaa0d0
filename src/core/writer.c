/* SPDX-License-Identifier: Apache-2.0 */
#include "core/writer.h"

struct writer writer_into(void *data, size_t capacity)
{
    return (struct writer){ .data = data, .capacity = capacity };
}

/* Room for `size` bytes, or NULL. */
static uint8_t *extend(struct writer *writer, size_t size)
{
    size_t from = writer->size;
    writer->size += size;
    if (writer->failed || from > writer->capacity || size > writer->capacity - from) {
        writer->failed = true;
        return NULL;
    }
    return writer->data + from;
}

static void write_little(struct writer *writer, uint64_t number, size_t size)
{
    uint8_t *to = extend(writer, size);
    for (size_t i = 0; to != NULL && i < size; i++)
        to[i] = (uint8_t)(number >> 8 * i);
}

static void write_big(struct writer *writer, uint64_t number, size_t size)
{
    uint8_t *to = extend(writer, size);
    for (size_t i = 0; to != NULL && i < size; i++)
        to[size - 1 - i] = (uint8_t)(number >> 8 * i);
}

void write_u8(struct writer *writer, uint8_t number)
{
    write_little(writer, number, 1);
}

void write_u16_le(struct writer *writer, uint16_t number)
{
    write_little(writer, number, 2);
}

void write_u32_le(struct writer *writer, uint32_t number)
{
    write_little(writer, number, 4);
}

void write_u64_le(struct writer *writer, uint64_t number)
{
    write_little(writer, number, 8);
}

void write_u16_be(struct writer *writer, uint16_t number)
{
    write_big(writer, number, 2);
}

void write_u32_be(struct writer *writer, uint32_t number)
{
    write_big(writer, number, 4);
}

void write_u64_be(struct writer *writer, uint64_t number)
{
    write_big(writer, number, 8);
}

void write_bytes(struct writer *writer, struct bytes bytes)
{
    uint8_t *to = extend(writer, bytes.size);
    for (size_t i = 0; to != NULL && i < bytes.size; i++)
        to[i] = bytes.data[i];
}

void write_zeros(struct writer *writer, size_t size)
{
    uint8_t *to = extend(writer, size);
    for (size_t i = 0; to != NULL && i < size; i++)
        to[i] = 0;
}

struct bytes writer_view(const struct writer *writer)
{
    return writer->failed ? (struct bytes){ 0 } : bytes_of(writer->data, writer->size);
}
