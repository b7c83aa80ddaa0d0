/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/der.h"

#include "core/time.h"

#include <string.h>

/* Length octets, X.690 section 10.1: definite, in as few bytes as possible. */
static size_t read_length(struct reader *reader)
{
    uint8_t first = read_u8(reader);
    if (first < 0x80)
        return first;
    unsigned count = first & 0x7f;
    if (count == 0 || count > 3) {
        reader_fail(reader);
        return 0;
    }
    size_t length = 0;
    for (unsigned i = 0; i < count; i++)
        length = length << 8 | read_u8(reader);
    if (length < 0x80 || length >> (8 * (count - 1)) == 0)
        reader_fail(reader);
    return length;
}

struct bytes der_read_any(struct reader *reader, uint8_t *tag, struct bytes *content)
{
    const uint8_t *start = reader->at;
    *tag = read_u8(reader);
    if ((*tag & 0x1f) == 0x1f)
        reader_fail(reader);
    *content = read_bytes(reader, read_length(reader));
    if (reader->failed) {
        *tag = 0;
        *content = (struct bytes){ 0 };
        return (struct bytes){ 0 };
    }
    return bytes_of(start, (size_t)(reader->at - start));
}

struct bytes der_read(struct reader *reader, uint8_t tag)
{
    uint8_t found;
    struct bytes content;
    der_read_any(reader, &found, &content);
    if (found != tag) {
        reader_fail(reader);
        return (struct bytes){ 0 };
    }
    return content;
}

uint8_t der_peek(const struct reader *reader)
{
    return reader_left(reader) == 0 ? 0 : *reader->at;
}

struct reader der_enter(struct reader *reader, uint8_t tag)
{
    struct reader inside = reader_of(der_read(reader, tag));
    if (reader->failed)
        reader_fail(&inside);
    return inside;
}

/* The content of an INTEGER that is not negative, in its shortest form, without the leading zero.
 */
static struct bytes read_natural(struct reader *reader, uint8_t tag)
{
    struct bytes content = der_read(reader, tag);
    if (content.size == 0 || content.data[0] >= 0x80 ||
        (content.size > 1 && content.data[0] == 0 && content.data[1] < 0x80)) {
        reader_fail(reader);
        return (struct bytes){ 0 };
    }
    return content.data[0] == 0 ? bytes_part(content, 1, content.size) : content;
}

struct bytes der_read_big(struct reader *reader)
{
    return read_natural(reader, DER_INTEGER);
}

static uint64_t read_number(struct reader *reader, uint8_t tag, uint64_t max)
{
    struct bytes digits = read_natural(reader, tag);
    uint64_t number = 0;
    for (size_t i = 0; i < digits.size && i < sizeof(number); i++)
        number = number << 8 | digits.data[i];
    if (digits.size > sizeof(number) || number > max) {
        reader_fail(reader);
        return 0;
    }
    return number;
}

uint64_t der_read_unsigned(struct reader *reader, uint64_t max)
{
    return read_number(reader, DER_INTEGER, max);
}

uint64_t der_read_enumerated(struct reader *reader, uint64_t max)
{
    return read_number(reader, DER_ENUMERATED, max);
}

bool der_read_boolean(struct reader *reader)
{
    struct bytes content = der_read(reader, DER_BOOLEAN);
    if (content.size != 1 || (content.data[0] != 0 && content.data[0] != 0xff)) {
        reader_fail(reader);
        return false;
    }
    return content.data[0] == 0xff;
}

struct bytes der_read_bits(struct reader *reader)
{
    struct bytes content = der_read(reader, DER_BIT_STRING);
    if (content.size == 0 || content.data[0] != 0) {
        reader_fail(reader);
        return (struct bytes){ 0 };
    }
    return bytes_part(content, 1, content.size);
}

static int read_digits(struct reader *reader, unsigned count)
{
    int number = 0;
    for (unsigned i = 0; i < count; i++) {
        uint8_t digit = read_u8(reader);
        if (digit < '0' || digit > '9')
            reader_fail(reader);
        number = number * 10 + digit - '0';
    }
    return reader->failed ? 0 : number;
}

int64_t der_read_time(struct reader *reader)
{
    uint8_t tag = der_peek(reader);
    if (tag != DER_UTC_TIME && tag != DER_GENERALIZED_TIME)
        reader_fail(reader);
    struct reader text = der_enter(reader, tag);
    struct time_parts parts = { .year = read_digits(&text, tag == DER_UTC_TIME ? 2 : 4) };
    if (tag == DER_UTC_TIME)
        parts.year += parts.year >= 50 ? 1900 : 2000;
    parts.month = read_digits(&text, 2);
    parts.day = read_digits(&text, 2);
    parts.hour = read_digits(&text, 2);
    parts.minute = read_digits(&text, 2);
    parts.second = read_digits(&text, 2);
    bool is_utc = read_u8(&text) == 'Z';
    int64_t time_s = 0;
    if (!read_end(&text) || !is_utc || parts.year < 1 || !time_from_parts(&time_s, &parts)) {
        reader_fail(reader);
        return 0;
    }
    return time_s;
}

struct der_writer der_writer_into(void *data, size_t capacity)
{
    return (struct der_writer){ .writer = writer_into(data, capacity) };
}

void der_open(struct der_writer *writer, uint8_t tag)
{
    ASSERT(writer->depth < DER_DEPTH_MAX);
    write_u8(&writer->writer, tag);
    writer->open[writer->depth++] = writer->writer.size;
    write_u8(&writer->writer, 0);
}

void der_close(struct der_writer *writer)
{
    ASSERT(writer->depth > 0);
    size_t at = writer->open[--writer->depth];
    size_t size = writer->writer.size - at - 1;
    unsigned more = size < 0x80 ? 0 : size < 0x100 ? 1 : 2;
    write_zeros(&writer->writer, more);
    if (writer->writer.failed)
        return;
    ASSERT(size < 0x10000);
    uint8_t *length = writer->writer.data + at;
    memmove(length + 1 + more, length + 1, size);
    if (more == 0) {
        length[0] = (uint8_t)size;
        return;
    }
    length[0] = (uint8_t)(0x80 | more);
    length[1] = (uint8_t)(more == 2 ? size >> 8 : size);
    if (more == 2)
        length[2] = (uint8_t)size;
}

void der_write(struct der_writer *writer, uint8_t tag, struct bytes content)
{
    der_open(writer, tag);
    write_bytes(&writer->writer, content);
    der_close(writer);
}

void der_write_raw(struct der_writer *writer, struct bytes der)
{
    write_bytes(&writer->writer, der);
}

static void write_natural(struct der_writer *writer, uint8_t tag, struct bytes number)
{
    while (number.size > 0 && number.data[0] == 0)
        number = bytes_part(number, 1, number.size);
    der_open(writer, tag);
    if (number.size == 0 || number.data[0] >= 0x80)
        write_u8(&writer->writer, 0);
    write_bytes(&writer->writer, number);
    der_close(writer);
}

void der_write_big(struct der_writer *writer, struct bytes number)
{
    write_natural(writer, DER_INTEGER, number);
}

static void write_number(struct der_writer *writer, uint8_t tag, uint64_t number)
{
    uint8_t digits[8];
    struct writer big_endian = writer_into(digits, sizeof(digits));
    write_u64_be(&big_endian, number);
    write_natural(writer, tag, BYTES_OF(digits));
}

void der_write_unsigned(struct der_writer *writer, uint64_t number)
{
    write_number(writer, DER_INTEGER, number);
}

void der_write_enumerated(struct der_writer *writer, uint64_t number)
{
    write_number(writer, DER_ENUMERATED, number);
}

void der_write_boolean(struct der_writer *writer, bool value)
{
    uint8_t content = value ? 0xff : 0;
    der_write(writer, DER_BOOLEAN, bytes_of(&content, 1));
}

static void write_digits(struct writer *writer, int64_t number, unsigned count)
{
    int64_t unit = 1;
    for (unsigned i = 1; i < count; i++)
        unit *= 10;
    for (; unit > 0; unit /= 10)
        write_u8(writer, (uint8_t)('0' + number / unit % 10));
}

void der_write_time(struct der_writer *writer, int64_t time_s)
{
    ASSERT(time_s >= 0 && time_s < INT64_C(253402300800)); /* 1970 to 9999 */
    struct time_parts parts;
    ASSERT(time_to_parts(&parts, time_s));
    bool is_short = parts.year < 2050; /* RFC 5280 section 4.1.2.5 */
    der_open(writer, is_short ? DER_UTC_TIME : DER_GENERALIZED_TIME);
    write_digits(&writer->writer, parts.year, is_short ? 2 : 4);
    write_digits(&writer->writer, parts.month, 2);
    write_digits(&writer->writer, parts.day, 2);
    write_digits(&writer->writer, parts.hour, 2);
    write_digits(&writer->writer, parts.minute, 2);
    write_digits(&writer->writer, parts.second, 2);
    write_u8(&writer->writer, 'Z');
    der_close(writer);
}

void der_write_bits(struct der_writer *writer, struct bytes bits)
{
    der_open(writer, DER_BIT_STRING);
    write_u8(&writer->writer, 0);
    write_bytes(&writer->writer, bits);
    der_close(writer);
}

struct bytes der_writer_view(const struct der_writer *writer)
{
    ASSERT(writer->depth == 0);
    return writer_view(&writer->writer);
}
