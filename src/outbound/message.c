/* SPDX-License-Identifier: Apache-2.0 */
#include "outbound/message.h"

#include "core/reader.h"
#include "core/writer.h"

enum {
    HEAD_SIZE = 32
};

static void number_append(struct buffer *text, size_t number)
{
    uint8_t bytes[4];
    struct writer writer = writer_into(bytes, sizeof(bytes));
    write_u32_le(&writer, (uint32_t)number);
    buffer_append(text, writer_view(&writer));
}

static void fields_append(struct buffer *text, const struct http_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        number_append(text, fields[i].name.size);
        number_append(text, fields[i].value.size);
        buffer_append(text, fields[i].name);
        buffer_append(text, fields[i].value);
    }
}

static bool fields_read(struct http_field *fields, size_t count, struct reader *reader)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t name_size = read_u32_le(reader), value_size = read_u32_le(reader);
        fields[i].name = read_bytes(reader, name_size);
        fields[i].value = read_bytes(reader, value_size);
        if (reader->failed || !http_is_token(fields[i].name) ||
            !http_is_field_value(fields[i].value))
            return false;
    }
    return true;
}

void outbound_request_write(struct buffer *text, const struct outbound_request *request)
{
    uint8_t head[HEAD_SIZE];
    struct writer writer = writer_into(head, sizeof(head));
    write_u32_le(&writer, OUTBOUND_REQUEST_MAGIC);
    write_u8(&writer, (uint8_t)request->method);
    write_u8(&writer, request->is_manual ? 1 : 0);
    write_u16_le(&writer, (uint16_t)request->rule_count);
    write_u16_le(&writer, (uint16_t)request->field_count);
    write_u16_le(&writer, 0);
    write_u32_le(&writer, request->timeout_ms);
    write_u32_le(&writer, request->body_size_max);
    write_u32_le(&writer, (uint32_t)request->url.size);
    write_u32_le(&writer, (uint32_t)request->body.size);
    buffer_append(text, writer_view(&writer));
    buffer_append(text, request->url);
    for (size_t i = 0; i < request->rule_count; i++) {
        number_append(text, request->rules[i].size);
        buffer_append(text, request->rules[i]);
    }
    fields_append(text, request->fields, request->field_count);
    buffer_append(text, request->body);
}

bool outbound_request_read(struct outbound_request *request, struct bytes text, struct error *error)
{
    struct reader reader = reader_of(text);
    struct outbound_request made = { 0 };
    bool is_known = read_u32_le(&reader) == OUTBOUND_REQUEST_MAGIC;
    uint8_t method = read_u8(&reader), manual = read_u8(&reader);
    made.rule_count = read_count(&reader, read_u16_le(&reader), RULE_COUNT_MAX, 4);
    made.field_count = read_count(&reader, read_u16_le(&reader), HEAD_FIELD_COUNT_MAX, 8);
    bool is_plain = read_u16_le(&reader) == 0;
    made.method = (enum http_method)method;
    made.is_manual = manual == 1;
    made.timeout_ms = read_u32_le(&reader);
    made.body_size_max = read_u32_le(&reader);
    uint32_t url_size = read_u32_le(&reader), body_size = read_u32_le(&reader);
    made.url = read_bytes(&reader, url_size);
    for (size_t i = 0; i < made.rule_count; i++) {
        uint32_t size = read_u32_le(&reader);
        made.rules[i] = read_bytes(&reader, size);
    }
    bool has_fields = fields_read(made.fields, made.field_count, &reader);
    made.body = read_bytes(&reader, body_size);
    if (!is_known || !is_plain || !has_fields || method > HTTP_METHOD_OPTIONS || manual > 1 ||
        made.timeout_ms < 1 || made.timeout_ms > OUTBOUND_TIMEOUT_MS_MAX ||
        made.body_size_max > ANSWER_BODY_SIZE_MAX || made.body.size > REQUEST_BODY_SIZE_MAX ||
        !read_end(&reader))
        return error_set(error, ERROR_INVALID, "a request to the outbound process is malformed");
    *request = made;
    return true;
}

void outbound_answer_write(struct buffer *text, const struct outbound_answer *answer)
{
    uint8_t head[HEAD_SIZE];
    struct writer writer = writer_into(head, sizeof(head));
    write_u32_le(&writer, OUTBOUND_ANSWER_MAGIC);
    write_u16_le(&writer, (uint16_t)answer->status);
    write_u16_le(&writer, (uint16_t)answer->field_count);
    write_u32_le(&writer, (uint32_t)answer->url.size);
    write_u32_le(&writer, (uint32_t)answer->body.size);
    buffer_append(text, writer_view(&writer));
    buffer_append(text, answer->url);
    fields_append(text, answer->fields, answer->field_count);
    buffer_append(text, answer->body);
}

static bool is_url_text(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f)
            return false;
    return text.size >= 1 && text.size <= 2 * URL_SIZE_MAX;
}

bool outbound_answer_read(struct outbound_answer *answer, struct bytes text, struct error *error)
{
    struct reader reader = reader_of(text);
    struct outbound_answer made = { 0 };
    bool is_known = read_u32_le(&reader) == OUTBOUND_ANSWER_MAGIC;
    made.status = read_u16_le(&reader);
    made.field_count = read_count(&reader, read_u16_le(&reader), TRANSFER_FIELD_COUNT_MAX, 8);
    uint32_t url_size = read_u32_le(&reader), body_size = read_u32_le(&reader);
    made.url = read_bytes(&reader, url_size);
    bool has_fields = fields_read(made.fields, made.field_count, &reader);
    made.body = read_bytes(&reader, body_size);
    if (!is_known || !has_fields || made.status < 200 || made.status > 599 ||
        !is_url_text(made.url) || made.body.size > ANSWER_BODY_SIZE_MAX || !read_end(&reader))
        return error_set(error, ERROR_INVALID, "an answer of the outbound process is malformed");
    *answer = made;
    return true;
}
