/* SPDX-License-Identifier: Apache-2.0 */
#include "core/reader.h"

struct reader reader_of(struct bytes source)
{
    return (struct reader){ .at = source.data,
                            .end = source.data == NULL ? NULL : source.data + source.size,
                            .start = source.data };
}

size_t reader_offset(const struct reader *reader)
{
    return (size_t)(reader->at - reader->start);
}

size_t reader_left(const struct reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

void reader_fail(struct reader *reader)
{
    reader->failed = true;
    reader->at = reader->end;
}

/* The next `size` bytes, or NULL when they are not there. */
static const uint8_t *advance(struct reader *reader, size_t size)
{
    if (reader->failed || size > reader_left(reader)) {
        reader_fail(reader);
        return NULL;
    }
    const uint8_t *at = reader->at;
    reader->at += size;
    return at;
}

static uint64_t read_little(struct reader *reader, size_t size)
{
    const uint8_t *at = advance(reader, size);
    uint64_t number = 0;
    for (size_t i = size; at != NULL && i > 0; i--)
        number = number << 8 | at[i - 1];
    return number;
}

static uint64_t read_big(struct reader *reader, size_t size)
{
    const uint8_t *at = advance(reader, size);
    uint64_t number = 0;
    for (size_t i = 0; at != NULL && i < size; i++)
        number = number << 8 | at[i];
    return number;
}

uint8_t read_u8(struct reader *reader)
{
    const uint8_t *at = advance(reader, 1);
    return at == NULL ? 0 : *at;
}

uint16_t read_u16_le(struct reader *reader)
{
    return (uint16_t)read_little(reader, 2);
}

uint32_t read_u32_le(struct reader *reader)
{
    return (uint32_t)read_little(reader, 4);
}

uint64_t read_u64_le(struct reader *reader)
{
    return read_little(reader, 8);
}

uint16_t read_u16_be(struct reader *reader)
{
    return (uint16_t)read_big(reader, 2);
}

uint32_t read_u32_be(struct reader *reader)
{
    return (uint32_t)read_big(reader, 4);
}

uint64_t read_u64_be(struct reader *reader)
{
    return read_big(reader, 8);
}

static uint64_t read_leb(struct reader *reader, unsigned bits, bool is_signed)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < bits; shift += 7) {
        uint8_t byte = read_u8(reader);
        number |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) != 0)
            continue;
        unsigned used = bits - shift; /* bits of this byte that count */
        if (used < 7) {
            unsigned spare = (unsigned)(byte & 0x7f) >> (is_signed ? used - 1 : used);
            unsigned ones = 0x7fu >> (is_signed ? used - 1 : used);
            if (spare != 0 && !(is_signed && spare == ones))
                reader_fail(reader);
        }
        if (is_signed && shift + 7 < 64 && (byte & 0x40) != 0)
            number |= ~(uint64_t)0 << (shift + 7);
        return reader->failed ? 0 : number;
    }
    reader_fail(reader);
    return 0;
}

uint32_t read_leb_u32(struct reader *reader)
{
    if (reader->at < reader->end && *reader->at < 0x80)
        return *reader->at++;
    return (uint32_t)read_leb(reader, 32, false);
}

int32_t read_leb_i32(struct reader *reader)
{
    return (int32_t)(int64_t)read_leb(reader, 32, true);
}

int64_t read_leb_i33(struct reader *reader)
{
    return (int64_t)read_leb(reader, 33, true);
}

int64_t read_leb_i64(struct reader *reader)
{
    return (int64_t)read_leb(reader, 64, true);
}

struct bytes read_bytes(struct reader *reader, size_t size)
{
    const uint8_t *at = advance(reader, size);
    return at == NULL ? (struct bytes){ 0 } : bytes_of(at, size);
}

void read_into(struct reader *reader, void *target, size_t size)
{
    const uint8_t *at = advance(reader, size);
    uint8_t *bytes = target;
    for (size_t i = 0; i < size; i++)
        bytes[i] = at == NULL ? 0 : at[i];
}

struct bytes read_rest(struct reader *reader)
{
    return read_bytes(reader, reader_left(reader));
}

void read_skip(struct reader *reader, size_t size)
{
    (void)advance(reader, size);
}

size_t read_count(struct reader *reader, uint64_t count, size_t max, size_t size_each)
{
    if (reader->failed || count > max ||
        (size_each != 0 && count > reader_left(reader) / size_each)) {
        reader_fail(reader);
        return 0;
    }
    return (size_t)count;
}

bool read_end(const struct reader *reader)
{
    return !reader->failed && reader->at == reader->end;
}
