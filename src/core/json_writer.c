/* SPDX-License-Identifier: Apache-2.0 */
#include "core/json_writer.h"

#include "core/time.h"

static const char digits[] = "0123456789abcdef";

struct json_writer json_writer_into(struct writer *target)
{
    return (struct json_writer){ .target = target };
}

static void put(struct json_writer *json, const char *text)
{
    write_bytes(json->target, bytes_of_string(text));
}

/* In front of a value or of a member's name. */
static void separate(struct json_writer *json)
{
    if (json->needs_comma)
        put(json, ",");
    json->needs_comma = true;
}

static void begin(struct json_writer *json, const char *bracket)
{
    separate(json);
    put(json, bracket);
    json->needs_comma = false;
}

static void end(struct json_writer *json, const char *bracket)
{
    put(json, bracket);
    json->needs_comma = true;
}

void json_write_object_begin(struct json_writer *json)
{
    begin(json, "{");
}

void json_write_object_end(struct json_writer *json)
{
    end(json, "}");
}

void json_write_array_begin(struct json_writer *json)
{
    begin(json, "[");
}

void json_write_array_end(struct json_writer *json)
{
    end(json, "]");
}

/* The length of the well-formed UTF-8 sequence in front, or 0. */
static size_t sequence_size(struct bytes text)
{
    for (size_t size = 1; size <= 4 && size <= text.size; size++)
        if (bytes_is_utf8(bytes_part(text, 0, size)))
            return size;
    return 0;
}

static void put_escaped(struct json_writer *json, uint8_t character)
{
    static const char escaped[] = "\"\\\b\f\n\r\t";
    static const char names[] = "\"\\bfnrt";
    write_u8(json->target, '\\');
    for (size_t i = 0; i < sizeof(names) - 1; i++)
        if ((uint8_t)escaped[i] == character) {
            write_u8(json->target, (uint8_t)names[i]);
            return;
        }
    put(json, "u00");
    write_u8(json->target, (uint8_t)digits[character >> 4]);
    write_u8(json->target, (uint8_t)digits[character & 15]);
}

static void put_quoted(struct json_writer *json, struct bytes text)
{
    write_u8(json->target, '"');
    for (size_t at = 0; at < text.size;) {
        struct bytes rest = bytes_part(text, at, text.size);
        size_t size = sequence_size(rest);
        if (size == 0) {
            put(json, "\xef\xbf\xbd");
            size = 1;
        } else if (size == 1 &&
                   (rest.data[0] < 0x20 || rest.data[0] == '"' || rest.data[0] == '\\')) {
            put_escaped(json, rest.data[0]);
        } else {
            write_bytes(json->target, bytes_part(rest, 0, size));
        }
        at += size;
    }
    write_u8(json->target, '"');
}

void json_write_name(struct json_writer *json, const char *name)
{
    separate(json);
    put_quoted(json, bytes_of_string(name));
    put(json, ":");
    json->needs_comma = false;
}

void json_write_string(struct json_writer *json, const char *text)
{
    json_write_text(json, bytes_of_string(text));
}

void json_write_text(struct json_writer *json, struct bytes text)
{
    separate(json);
    put_quoted(json, text);
}

void json_write_hex(struct json_writer *json, struct bytes bytes)
{
    separate(json);
    write_u8(json->target, '"');
    for (size_t i = 0; i < bytes.size; i++) {
        write_u8(json->target, (uint8_t)digits[bytes.data[i] >> 4]);
        write_u8(json->target, (uint8_t)digits[bytes.data[i] & 15]);
    }
    write_u8(json->target, '"');
}

static void put_number(struct json_writer *json, uint64_t number)
{
    char text[21];
    size_t at = sizeof(text) - 1;
    text[at] = '\0';
    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    put(json, text + at);
}

void json_write_integer(struct json_writer *json, int64_t number)
{
    separate(json);
    if (number < 0)
        put(json, "-");
    put_number(json, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

void json_write_unsigned(struct json_writer *json, uint64_t number)
{
    separate(json);
    put_number(json, number);
}

void json_write_hex_member(struct json_writer *json, const char *name, struct bytes bytes)
{
    json_write_name(json, name);
    json_write_hex(json, bytes);
}

void json_write_unsigned_member(struct json_writer *json, const char *name, uint64_t number)
{
    json_write_name(json, name);
    json_write_unsigned(json, number);
}

void json_write_bool(struct json_writer *json, bool value)
{
    separate(json);
    put(json, value ? "true" : "false");
}

void json_write_null(struct json_writer *json)
{
    separate(json);
    put(json, "null");
}

void json_write_time(struct json_writer *json, int64_t time_s)
{
    char text[TIME_TEXT_SIZE + 1];
    if (time_format(text, time_s))
        json_write_string(json, text);
    else
        json_write_null(json);
}

void json_write_raw(struct json_writer *json, struct bytes value)
{
    separate(json);
    write_bytes(json->target, value);
}
