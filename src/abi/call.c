/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/call.h"

#include "core/checked.h"

const struct call_row call_rows[] = {
#define CALL_ROW(number, name, field, type, shape, permission, scope, idempotent)                  \
    { number, field, shape, CALL_PERMISSION_##permission, CALL_SCOPE_##scope, idempotent },
    CALLS(CALL_ROW)
#undef CALL_ROW
};
const unsigned call_row_count = ARRAY_COUNT(call_rows);

const char *call_error_text(int64_t value)
{
    switch (value) {
#define CALL_ERROR_CASE(value, name, text)                                                         \
    case value:                                                                                    \
        return text;
        CALL_ERRORS(CALL_ERROR_CASE)
#undef CALL_ERROR_CASE
    default:
        return "unknown error";
    }
}

const struct call_row *call_row_find(uint16_t number)
{
    for (unsigned i = 0; i < call_row_count; i++)
        if (call_rows[i].number == number)
            return &call_rows[i];
    return NULL;
}

const struct call_row *call_row_of_name(struct bytes name)
{
    for (unsigned i = 0; i < call_row_count; i++)
        if (bytes_equal_string(name, call_rows[i].name))
            return &call_rows[i];
    return NULL;
}

static bool list_open(struct reader *reader, struct bytes list, uint32_t magic, uint32_t *count)
{
    *reader = reader_of(list);
    bool is_known = read_u32_le(reader) == magic;
    bool is_whole = read_u32_le(reader) == list.size;
    *count = read_u32_le(reader);
    return read_u32_le(reader) == 0 && is_known && is_whole && !reader->failed && *count >= 1 &&
           *count <= CALL_COUNT_MAX;
}

/* The part of a record behind what was read of it: `size` counts from its start. */
static bool record_end(struct reader *reader, size_t start, uint32_t size)
{
    size_t used = reader_offset(reader) - start;
    if (reader->failed || size % 8 != 0 || used > size || size - used > 7)
        return false;
    struct bytes padding = read_bytes(reader, size - used);
    for (size_t i = 0; i < padding.size; i++)
        if (padding.data[i] != 0)
            return false;
    return !reader->failed;
}

bool call_request_next(struct reader *reader, struct call_request *request)
{
    size_t start = reader_offset(reader);
    struct call_request made = { 0 };
    uint32_t sizes[CALL_STRINGS_MAX], size = read_u32_le(reader);
    made.call = read_u16_le(reader);
    made.number_count = read_u8(reader);
    made.string_count = read_u8(reader);
    if (reader->failed || made.number_count > CALL_NUMBERS_MAX ||
        made.string_count > CALL_STRINGS_MAX)
        return false;
    for (unsigned i = 0; i < made.number_count; i++)
        made.numbers[i] = read_u64_le(reader);
    for (unsigned i = 0; i < made.string_count; i++)
        sizes[i] = read_u32_le(reader);
    for (unsigned i = 0; i < made.string_count; i++)
        made.strings[i] = read_bytes(reader, sizes[i]);
    if (!record_end(reader, start, size))
        return false;
    made.record = bytes_of(reader->start + start, size);
    *request = made;
    return true;
}

struct reader call_requests_begin(struct bytes list)
{
    struct reader reader = reader_of(list);
    read_skip(&reader, CALL_LIST_HEAD_SIZE);
    return reader;
}

bool call_requests_check(struct bytes list, uint32_t *count)
{
    struct reader reader;
    struct call_request request;
    uint32_t found;
    if (!list_open(&reader, list, CALL_REQUESTS_MAGIC, &found))
        return false;
    for (uint32_t i = 0; i < found; i++)
        if (!call_request_next(&reader, &request))
            return false;
    if (!read_end(&reader))
        return false;
    *count = found;
    return true;
}

bool call_request_fits(const struct call_request *request, const struct call_row *row)
{
    unsigned numbers = 0, strings = 0;
    for (const char *at = row->shape; *at != '>'; at++) {
        numbers += *at != 's';
        strings += *at == 's';
    }
    return request->number_count == numbers && request->string_count == strings;
}

static void list_write_begin(struct writer *writer, uint32_t magic)
{
    write_u32_le(writer, magic);
    write_zeros(writer, CALL_LIST_HEAD_SIZE - 4);
}

void call_requests_write_begin(struct writer *writer)
{
    list_write_begin(writer, CALL_REQUESTS_MAGIC);
}

void call_answers_write_begin(struct writer *writer)
{
    list_write_begin(writer, CALL_ANSWERS_MAGIC);
}

void call_request_write(struct writer *writer, const struct call_request *request)
{
    uint64_t size =
        CALL_REQUEST_HEAD_SIZE + 8ull * request->number_count + 4ull * request->string_count;
    for (unsigned i = 0; i < request->string_count; i++)
        size += request->strings[i].size;
    uint64_t padded = round_up(size, 8);
    write_u32_le(writer, (uint32_t)padded);
    write_u16_le(writer, request->call);
    write_u8(writer, request->number_count);
    write_u8(writer, request->string_count);
    for (unsigned i = 0; i < request->number_count; i++)
        write_u64_le(writer, request->numbers[i]);
    for (unsigned i = 0; i < request->string_count; i++)
        write_u32_le(writer, (uint32_t)request->strings[i].size);
    for (unsigned i = 0; i < request->string_count; i++)
        write_bytes(writer, request->strings[i]);
    write_zeros(writer, padded - size);
}

void call_answer_write(struct writer *writer, int64_t value, struct bytes data, uint64_t total)
{
    uint64_t padded = round_up(CALL_ANSWER_HEAD_SIZE + (uint64_t)data.size, 8);
    write_u32_le(writer, (uint32_t)padded);
    write_u32_le(writer, (uint32_t)data.size);
    write_u64_le(writer, (uint64_t)value);
    write_u64_le(writer, total);
    write_bytes(writer, data);
    write_zeros(writer, padded - CALL_ANSWER_HEAD_SIZE - data.size);
}

void call_list_write_end(struct writer *writer, uint32_t count)
{
    if (writer->failed)
        return;
    struct writer head = writer_into(writer->data + 4, 8);
    write_u32_le(&head, (uint32_t)writer->size);
    write_u32_le(&head, count);
}

struct reader call_answers_begin(struct bytes list)
{
    return call_requests_begin(list);
}

bool call_answer_next(struct reader *reader, struct call_answer *answer)
{
    size_t start = reader_offset(reader);
    uint32_t size = read_u32_le(reader), data_size = read_u32_le(reader);
    struct call_answer made = { .value = (int64_t)read_u64_le(reader) };
    made.total_size = read_u64_le(reader);
    made.data = read_bytes(reader, data_size);
    if (!record_end(reader, start, size) || made.total_size < data_size)
        return false;
    made.record = bytes_of(reader->start + start, size);
    *answer = made;
    return true;
}

bool call_answers_check(struct bytes list, uint32_t *count)
{
    struct reader reader;
    struct call_answer answer;
    uint32_t found;
    if (!list_open(&reader, list, CALL_ANSWERS_MAGIC, &found))
        return false;
    for (uint32_t i = 0; i < found; i++)
        if (!call_answer_next(&reader, &answer))
            return false;
    if (!read_end(&reader))
        return false;
    *count = found;
    return true;
}
