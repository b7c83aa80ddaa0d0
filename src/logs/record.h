/* SPDX-License-Identifier: Apache-2.0 */
/* What stands inside a sealed segment (segment.h): records, one after the other, little-endian.
 *
 *   u32 size of the record, u8 kind, i64 time in ms since 1970, then
 *   LINES    five texts (u16 size, bytes): invocation id, request id, function, version, outcome;
 *            then lines: u8 level, u8 flags, u32 size, bytes
 *   DROPPED  u8 reason, u64 invocations, u64 bytes of their logs
 *
 * Lines are what the function wrote, byte for byte: whoever shows them cleans them
 * (base/terminal.h). Writers append to buffers, readers borrow.  The reader trusts nothing. */
#ifndef LOGS_RECORD_H
#define LOGS_RECORD_H

#include "base/buffer.h"
#include "base/error.h"
#include "core/reader.h"
#include "logs/limits.h"

/* Of syslog. */
enum {
    LOG_LEVEL_NUMBER_ERROR = 3,
    LOG_LEVEL_NUMBER_INFO = 6,
    LOG_LEVEL_NUMBER_MAX = 7
};
const char *logs_level_name(unsigned level);
/* "error", "warning", ..., or a digit. */
MUST_CHECK bool logs_level_parse(unsigned *level, struct bytes text);

enum log_record_kind {
    LOG_RECORD_LINES = 1,
    LOG_RECORD_DROPPED = 2
};

/* Why logs are missing.  Name, text. */
#define LOG_DROPS(X)                                                                               \
    X(RATE, "rate", "more than the node takes from one application")                               \
    X(MEMORY, "memory", "more than waited to be written already")                                  \
    X(STORAGE, "storage", "could not be written")

enum log_drop {
#define LOG_DROP_ENUM(name, text, about) LOG_DROP_##name,
    LOG_DROPS(LOG_DROP_ENUM)
#undef LOG_DROP_ENUM
    LOG_DROP_COUNT
};
const char *log_drop_name(enum log_drop drop);
const char *log_drop_text(enum log_drop drop);

enum {
    LOG_LINE_CONTINUES = 1, /* the next line is the same one: it was longer than a line may be */
    LOG_LINE_BY_NODE = 2    /* not what the function wrote, but how it ended */
};
struct log_line {
    uint8_t level, flags;
    struct bytes text; /* without its end */
};

struct log_record {
    enum log_record_kind kind;
    int64_t time_ms;
    /* LINES */
    struct bytes invocation, request, function, version, outcome;
    struct bytes lines;
    /* DROPPED */
    enum log_drop drop;
    uint64_t dropped_count, dropped_size;
};

/* The next record; false at the end, and for what is none (reader->failed). */
MUST_CHECK bool log_record_next(struct reader *reader, struct log_record *record);
/* The next line of record.lines, which were checked. */
MUST_CHECK bool log_line_next(struct reader *reader, struct log_line *line);

/* Begin, lines, end.  `record` without its lines; the offset is for the end. */
size_t log_record_begin(struct buffer *target, const struct log_record *record);
void log_record_add(struct buffer *target, const struct log_line *line);
void log_record_end(struct buffer *target, size_t begun);
void log_record_write_dropped(struct buffer *target, const struct log_record *record);
/* Bytes that a record takes besides its lines' texts, and a line besides its text. */
size_t log_record_overhead(const struct log_record *record);
enum {
    LOG_LINE_OVERHEAD = 6
};

/* The next line of what a function wrote to standard error: "<LEVEL>text" as sd-daemon(3) has it,
 * LOG_LEVEL_NUMBER_INFO without that.  Longer lines than LOG_LINE_SIZE_MAX come in parts.  false:
 * there are no more. */
MUST_CHECK bool logs_split(struct bytes *written, struct log_line *line);

#endif
