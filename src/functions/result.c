/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/result.h"

#include "core/reader.h"
#include "core/writer.h"
#include "services/limits.h"

#include <string.h>

enum {
    RESULT_VERSION = 1,
    ID_SIZE = 32,
    HEAD_SIZE = 1 + 32 + ID_SIZE + 8 + 4 + 1,
    ANSWER_HEAD_SIZE = 8
};

static void write_text(struct buffer *text, struct bytes value)
{
    uint8_t size[2];
    struct writer writer = writer_into(size, sizeof(size));
    ASSERT(value.size <= UINT16_MAX);
    write_u16_le(&writer, (uint16_t)value.size);
    buffer_append(text, BYTES_OF(size));
    buffer_append(text, value);
}

bool kept_result_write(struct buffer *text, const struct kept_result *result, struct error *error)
{
    uint8_t head[HEAD_SIZE + ANSWER_HEAD_SIZE];
    struct writer writer = writer_into(head, sizeof(head));
    write_u8(&writer, RESULT_VERSION);
    write_bytes(&writer, BYTES_OF(result->fingerprint.bytes));
    write_bytes(&writer, bytes_of(result->id, ID_SIZE));
    write_u64_le(&writer, result->duration_us);
    write_u32_le(&writer, result->pad_size);
    write_u8(&writer, result->has_answer);
    if (result->has_answer) {
        write_u32_le(&writer, result->answer.status);
        write_u32_le(&writer, (uint32_t)result->answer.header_count);
    }
    buffer_append(text, writer_view(&writer));
    for (size_t i = 0; result->has_answer && i < result->answer.header_count; i++) {
        write_text(text, result->answer.headers[i].name);
        write_text(text, result->answer.headers[i].value);
    }
    buffer_append(text, result->output);
    return !text->failed ||
           error_set(error, ERROR_LIMIT,
                     "an answer of %zu bytes is too large to be kept under an Idempotency-Key "
                     "(%d with its fields)",
                     result->output.size, SERVICE_RESULT_SIZE_MAX);
}

static struct bytes read_text(struct reader *reader)
{
    size_t size = read_u16_le(reader);
    return read_bytes(reader, size);
}

bool kept_result_read(struct kept_result *result, struct bytes text, struct error *error)
{
    struct reader reader = reader_of(text);
    uint8_t version = read_u8(&reader);
    read_into(&reader, result->fingerprint.bytes, sizeof(result->fingerprint.bytes));
    read_into(&reader, result->id, ID_SIZE);
    result->id[ID_SIZE] = '\0';
    result->duration_us = read_u64_le(&reader);
    result->pad_size = read_u32_le(&reader);
    uint8_t has_answer = read_u8(&reader);
    result->has_answer = has_answer == 1;
    result->answer.status = 0;
    result->answer.header_count = 0;
    if (result->has_answer) {
        result->answer.status = read_u32_le(&reader);
        size_t count = read_count(&reader, read_u32_le(&reader), ENVELOPE_HEADERS_MAX, 4);
        for (size_t i = 0; i < count; i++) {
            struct bytes name = read_text(&reader);
            result->answer.headers[i] = (struct envelope_pair){ name, read_text(&reader) };
        }
        result->answer.header_count = count;
    }
    result->output = result->answer.body = read_rest(&reader);
    bool is_good =
        !reader.failed && version == RESULT_VERSION && has_answer <= 1 &&
        memchr(result->id, '\0', ID_SIZE) == NULL &&
        (!result->has_answer || (result->answer.status >= 200 && result->answer.status <= 599));
    return is_good || error_set(error, ERROR_CORRUPT, "a kept answer is malformed");
}
