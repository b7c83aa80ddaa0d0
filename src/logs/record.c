/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/record.h"

#include "core/writer.h"

#include <string.h>

enum {
    TEXT_COUNT = 5,
    HEAD_SIZE = 4 + 1 + 8,
    DROPPED_SIZE = HEAD_SIZE + 1 + 8 + 8
};

static const char *const level_names[] = { "emergency", "alert",  "critical", "error",
                                           "warning",   "notice", "info",     "debug" };

const char *logs_level_name(unsigned level)
{
    return level_names[MIN(level, (unsigned)LOG_LEVEL_NUMBER_MAX)];
}

bool logs_level_parse(unsigned *level, struct bytes text)
{
    for (unsigned i = 0; i <= LOG_LEVEL_NUMBER_MAX; i++) {
        uint8_t digit = (uint8_t)('0' + i);
        if (bytes_equal_string(text, level_names[i]) || bytes_equal(text, bytes_of(&digit, 1))) {
            *level = i;
            return true;
        }
    }
    return false;
}

static const struct {
    const char *name, *text;
} drops[] = {
#define LOG_DROP_ROW(name, text, about) { text, about },
    LOG_DROPS(LOG_DROP_ROW)
#undef LOG_DROP_ROW
};

const char *log_drop_name(enum log_drop drop)
{
    return drops[drop].name;
}

const char *log_drop_text(enum log_drop drop)
{
    return drops[drop].text;
}

/* --- reading --- */

bool log_line_next(struct reader *reader, struct log_line *line)
{
    if (reader_left(reader) == 0)
        return false;
    struct log_line read = { .level = read_u8(reader), .flags = read_u8(reader) };
    read.text = read_bytes(reader, read_u32_le(reader));
    if (read.level > LOG_LEVEL_NUMBER_MAX || read.text.size > LOG_LINE_SIZE_MAX ||
        (read.flags & ~(LOG_LINE_CONTINUES | LOG_LINE_BY_NODE)) != 0)
        reader_fail(reader);
    if (reader->failed)
        return false;
    *line = read;
    return true;
}

static struct bytes read_text(struct reader *reader)
{
    return read_bytes(reader, read_u16_le(reader));
}

static bool lines_read(struct reader *reader, struct log_record *record)
{
    struct log_line line;
    record->invocation = read_text(reader);
    record->request = read_text(reader);
    record->function = read_text(reader);
    record->version = read_text(reader);
    record->outcome = read_text(reader);
    record->lines = read_rest(reader);
    struct reader lines = reader_of(record->lines);
    while (log_line_next(&lines, &line))
        ;
    return !reader->failed && !lines.failed;
}

static bool dropped_read(struct reader *reader, struct log_record *record)
{
    uint8_t drop = read_u8(reader);
    record->dropped_count = read_u64_le(reader);
    record->dropped_size = read_u64_le(reader);
    record->drop = drop < LOG_DROP_COUNT ? (enum log_drop)drop : LOG_DROP_RATE;
    return read_end(reader) && drop < LOG_DROP_COUNT;
}

bool log_record_next(struct reader *reader, struct log_record *record)
{
    if (reader->failed || reader_left(reader) == 0)
        return false;
    uint32_t size = read_u32_le(reader);
    struct reader inner = reader_of(read_bytes(reader, size < 4 ? 0 : size - 4));
    uint8_t kind = read_u8(&inner);
    struct log_record read = { .time_ms = (int64_t)read_u64_le(&inner) };
    bool is_good = !reader->failed && !inner.failed;
    if (kind == LOG_RECORD_LINES)
        is_good = is_good && lines_read(&inner, &read);
    else
        is_good = is_good && kind == LOG_RECORD_DROPPED && dropped_read(&inner, &read);
    if (!is_good) {
        reader_fail(reader);
        return false;
    }
    read.kind = (enum log_record_kind)kind;
    *record = read;
    return true;
}

/* --- writing --- */

static void append_number(struct buffer *target, uint64_t number, size_t size)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
    buffer_append(target, bytes_of(bytes, size));
}

static void append_text(struct buffer *target, struct bytes text)
{
    text.size = MIN(text.size, (size_t)LOG_NAME_SIZE_MAX);
    append_number(target, text.size, 2);
    buffer_append(target, text);
}

size_t log_record_overhead(const struct log_record *record)
{
    return HEAD_SIZE + 2 * (size_t)TEXT_COUNT + record->invocation.size + record->request.size +
           record->function.size + record->version.size + record->outcome.size;
}

size_t log_record_begin(struct buffer *target, const struct log_record *record)
{
    size_t begun = target->size;
    append_number(target, 0, 4);
    append_number(target, LOG_RECORD_LINES, 1);
    append_number(target, (uint64_t)record->time_ms, 8);
    append_text(target, record->invocation);
    append_text(target, record->request);
    append_text(target, record->function);
    append_text(target, record->version);
    append_text(target, record->outcome);
    return begun;
}

void log_record_add(struct buffer *target, const struct log_line *line)
{
    append_number(target, line->level, 1);
    append_number(target, line->flags, 1);
    append_number(target, line->text.size, 4);
    buffer_append(target, line->text);
}

void log_record_end(struct buffer *target, size_t begun)
{
    if (target->failed)
        return;
    struct writer writer = writer_into(target->data + begun, 4);
    write_u32_le(&writer, (uint32_t)(target->size - begun));
}

void log_record_write_dropped(struct buffer *target, const struct log_record *record)
{
    append_number(target, DROPPED_SIZE, 4);
    append_number(target, LOG_RECORD_DROPPED, 1);
    append_number(target, (uint64_t)record->time_ms, 8);
    append_number(target, record->drop, 1);
    append_number(target, record->dropped_count, 8);
    append_number(target, record->dropped_size, 8);
}

/* --- what a function wrote --- */

/* Not in the middle of a character, if it is UTF-8. */
static size_t cut_size(struct bytes text)
{
    size_t size = LOG_LINE_SIZE_MAX;
    for (size_t back = 0; back < 3 && (text.data[size - back] & 0xc0) == 0x80; back++) {
        if ((text.data[size - back - 1] & 0xc0) == 0xc0)
            return size - back - 1;
    }
    return size;
}

bool logs_split(struct bytes *written, struct log_line *line)
{
    if (written->size == 0)
        return false;
    bool continues = (line->flags & LOG_LINE_CONTINUES) != 0;
    struct bytes text = bytes_part(*written, 0, bytes_find(*written, '\n'));
    uint8_t level = continues ? line->level : LOG_LEVEL_NUMBER_INFO;
    size_t taken = 0;
    if (!continues && text.size >= 3 && text.data[0] == '<' && text.data[1] >= '0' &&
        text.data[1] <= '7' && text.data[2] == '>') {
        level = (uint8_t)(text.data[1] - '0');
        taken = 3;
    }
    text = bytes_part(text, taken, text.size);
    *line = (struct log_line){ .level = level, .text = text };
    if (text.size > LOG_LINE_SIZE_MAX) {
        line->text.size = cut_size(text);
        line->flags = LOG_LINE_CONTINUES;
        *written = bytes_part(*written, taken + line->text.size, written->size);
        return true;
    }
    *written = bytes_part(*written, taken + text.size + 1, written->size);
    return true;
}
