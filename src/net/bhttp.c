/* SPDX-License-Identifier: Apache-2.0 */
#include "net/bhttp.h"

#include "core/reader.h"

#include <string.h>

enum {
    FRAMING_REQUEST = 0,
    FRAMING_RESPONSE = 1,
    FRAMING_INDETERMINATE = 2, /* added to either */
    METHOD_SIZE_MAX = 16
};

/* Where a message is read; content of an indeterminate message is gathered in `space`. */
struct source {
    struct reader reader;
    uint8_t *space;
    bool is_indeterminate;
};

static bool malformed(struct error *error, const char *what)
{
    return error_set(error, ERROR_INVALID, "binary HTTP: %s", what);
}

/* ---- numbers and lengths (RFC 9000 section 16) ---- */

static uint64_t read_number(struct reader *reader)
{
    uint8_t first = read_u8(reader);
    uint64_t number = first & 0x3f;
    for (unsigned i = 0; i < (1u << (first >> 6)) - 1; i++)
        number = number << 8 | read_u8(reader);
    return number;
}

static struct bytes read_sized(struct reader *reader)
{
    uint64_t size = read_number(reader);
    if (size > reader_left(reader)) {
        reader_fail(reader);
        return (struct bytes){ 0 };
    }
    return read_bytes(reader, (size_t)size);
}

static void write_number(struct buffer *target, uint64_t number)
{
    unsigned log = number < 64 ? 0 : number < 16384 ? 1 : number < (1u << 30) ? 2 : 3;
    unsigned size = 1u << log;
    uint8_t bytes[8];
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(number >> (8 * (size - 1 - i)));
    bytes[0] |= (uint8_t)(log << 6);
    buffer_append(target, bytes_of(bytes, size));
}

static void write_sized(struct buffer *target, struct bytes bytes)
{
    write_number(target, bytes.size);
    buffer_append(target, bytes);
}

/* ---- fields ---- */

static bool is_good_field(struct http_field field)
{
    if (!http_is_token(field.name) || !http_is_field_value(field.value) ||
        http_is_framing_name(field.name))
        return false;
    for (size_t i = 0; i < field.name.size; i++) {
        if (field.name.data[i] >= 'A' && field.name.data[i] <= 'Z')
            return false;
    }
    return true;
}

/* One name and value; false at the end of the section. */
static bool next_field(struct reader *reader, bool ends_with_zero, struct http_field *field)
{
    if (reader->failed || (!ends_with_zero && reader_left(reader) == 0))
        return false;
    field->name = read_sized(reader);
    if (ends_with_zero && !reader->failed && field->name.size == 0)
        return false;
    field->value = read_sized(reader);
    return !reader->failed;
}

/* A field section into at most HTTP_FIELD_COUNT_MAX fields; NULL drops them. */
static bool read_section(struct source *source, struct http_field *fields, size_t *count,
                         struct error *error)
{
    *count = 0;
    if (reader_left(&source->reader) == 0)
        return true; /* left out at the end */
    struct reader inner =
        source->is_indeterminate ? (struct reader){ 0 } : reader_of(read_sized(&source->reader));
    struct reader *reader = source->is_indeterminate ? &source->reader : &inner;
    struct http_field field;
    size_t found = 0;
    while (next_field(reader, source->is_indeterminate, &field)) {
        if (!is_good_field(field))
            return malformed(error, "a field that can't be one");
        if (found == HTTP_FIELD_COUNT_MAX)
            return error_set(error, ERROR_LIMIT, "binary HTTP: more than %d fields",
                             HTTP_FIELD_COUNT_MAX);
        if (fields != NULL)
            fields[found] = field;
        found++;
    }
    if (reader->failed || source->reader.failed)
        return malformed(error, "fields are cut off");
    *count = found;
    return true;
}

/* ---- content ---- */

static bool read_content(struct source *source, struct bytes *body, struct error *error)
{
    struct reader *reader = &source->reader;
    *body = (struct bytes){ 0 };
    if (reader_left(reader) == 0)
        return true; /* left out at the end */
    if (!source->is_indeterminate) {
        *body = read_sized(reader);
        return !reader->failed || malformed(error, "the content is cut off");
    }
    size_t size = 0;
    for (;;) {
        struct bytes chunk = read_sized(reader);
        if (reader->failed)
            return malformed(error, "the content is cut off");
        if (chunk.size == 0)
            break;
        memcpy(source->space + size, chunk.data, chunk.size);
        size += chunk.size;
    }
    *body = bytes_of(source->space, size);
    return true;
}

/* Content, trailers, padding: all that may be left out. */
static bool read_rest_of_message(struct source *source, struct bytes *body, struct error *error)
{
    size_t trailer_count;
    if (!read_content(source, body, error))
        return false;
    if (reader_left(&source->reader) > 0 && !read_section(source, NULL, &trailer_count, error))
        return false;
    struct bytes padding = read_rest(&source->reader);
    for (size_t i = 0; i < padding.size; i++) {
        if (padding.data[i] != 0)
            return malformed(error, "padding is zeros");
    }
    return true;
}

/* The framing indicator of a request or a response. */
static bool source_open(struct source *source, struct bytes bytes, uint8_t *space, uint64_t framing,
                        struct error *error)
{
    *source = (struct source){ .reader = reader_of(bytes), .space = space };
    uint64_t found = read_number(&source->reader);
    source->is_indeterminate = found == framing + FRAMING_INDETERMINATE;
    if (source->reader.failed || (found != framing && !source->is_indeterminate))
        return malformed(error,
                         framing == FRAMING_REQUEST ? "this is no request" : "this is no response");
    return true;
}

bool bhttp_request_decode(struct bhttp_request *request, struct bytes bytes, uint8_t *space,
                          struct error *error)
{
    struct source source;
    struct bhttp_request read = { 0 };
    if (!source_open(&source, bytes, space, FRAMING_REQUEST, error))
        return false;
    struct bytes method = read_sized(&source.reader);
    struct bytes scheme = read_sized(&source.reader);
    read.authority = read_sized(&source.reader);
    read.path = read_sized(&source.reader);
    if (source.reader.failed)
        return malformed(error, "the head is cut off");
    if (!http_method_parse(&read.method, method))
        return error_set(error, ERROR_UNSUPPORTED, "binary HTTP: method \"%s\"",
                         error_quote(method).text);
    if (!bytes_equal_string(scheme, "https") ||
        (read.authority.size > 0 &&
         (read.authority.size > HTTP_AUTHORITY_SIZE_MAX || !http_is_authority(read.authority))))
        return malformed(error, "the scheme is https, and the authority host and port");
    if (read.path.size > HTTP_TARGET_SIZE_MAX || !http_is_target(read.path))
        return malformed(error, "the path can't be asked for");
    if (!read_section(&source, read.fields, &read.field_count, error) ||
        !read_rest_of_message(&source, &read.body, error))
        return false;
    *request = read;
    return true;
}

bool bhttp_response_decode(struct bhttp_response *response, struct bytes bytes, uint8_t *space,
                           struct error *error)
{
    struct source source;
    struct bhttp_response read = { 0 };
    if (!source_open(&source, bytes, space, FRAMING_RESPONSE, error))
        return false;
    uint64_t status = read_number(&source.reader);
    if (source.reader.failed || status < 200 || status > 599)
        return malformed(error, "no final status");
    read.status = (int)status;
    if (!read_section(&source, read.fields, &read.field_count, error) ||
        !read_rest_of_message(&source, &read.body, error))
        return false;
    *response = read;
    return true;
}

/* ---- the other way ---- */

static bool write_rest(struct buffer *target, const struct http_field *fields, size_t count,
                       struct bytes body, struct error *error)
{
    AUTO_BUFFER struct buffer section;
    buffer_init(&section, HTTP_ANSWER_HEAD_SIZE_MAX + HTTP_HEAD_SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!is_good_field(fields[i]))
            return malformed(error, "a field that can't be one");
        write_sized(&section, fields[i].name);
        write_sized(&section, fields[i].value);
    }
    if (section.failed)
        return error_set(error, ERROR_LIMIT, "binary HTTP: too many fields");
    write_sized(target, buffer_view(&section));
    write_sized(target, body);
    write_number(target, 0); /* no trailers */
    return !target->failed || error_set(error, ERROR_LIMIT, "binary HTTP: too long a message");
}

bool bhttp_request_encode(struct buffer *target, const struct bhttp_request *request,
                          struct error *error)
{
    write_number(target, FRAMING_REQUEST);
    write_sized(target, bytes_of_string(http_method_name(request->method)));
    write_sized(target, BYTES_LITERAL("https"));
    write_sized(target, request->authority);
    write_sized(target, request->path);
    return write_rest(target, request->fields, request->field_count, request->body, error);
}

bool bhttp_response_encode(struct buffer *target, const struct http_answer *answer,
                           struct error *error)
{
    write_number(target, FRAMING_RESPONSE);
    write_number(target, (uint64_t)answer->status);
    return write_rest(target, answer->fields, answer->field_count, answer->body, error);
}
