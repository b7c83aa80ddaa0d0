/* SPDX-License-Identifier: Apache-2.0 */
/* What a function writes, and what comes out of an opened segment. */
#include "base/terminal.h"
#include "fuzz/fuzz.h"
#include "logs/record.h"

static void read_records(struct bytes input)
{
    struct reader reader = reader_of(input);
    struct log_record record;
    while (log_record_next(&reader, &record)) {
        struct reader lines = reader_of(record.lines);
        struct log_line line;
        while (log_line_next(&lines, &line))
            ASSERT(line.level <= LOG_LEVEL_NUMBER_MAX && line.text.size <= LOG_LINE_SIZE_MAX);
        ASSERT(!lines.failed);
    }
}

/* Lines come back as they were; nothing that is shown steers a terminal. */
static void split_lines(struct bytes input)
{
    AUTO_BUFFER struct buffer records, shown;
    struct log_record record = { .invocation = BYTES_LITERAL("i") };
    struct log_line line = { 0 }, read;
    struct bytes left = input;
    size_t count = 0;
    buffer_init(&records, 64 << 20);
    buffer_init(&shown, 64 << 20);
    size_t begun = log_record_begin(&records, &record);
    while (logs_split(&left, &line)) {
        log_record_add(&records, &line);
        terminal_append(&shown, line.text);
        utf8_append(&shown, line.text);
        count++;
    }
    log_record_end(&records, begun);
    struct reader reader = reader_of(buffer_view(&records));
    bool is_read = log_record_next(&reader, &record);
    ASSERT(is_read);
    struct reader lines = reader_of(record.lines);
    while (log_line_next(&lines, &read))
        count--;
    ASSERT(count == 0 && !lines.failed);
}

void fuzz_one(struct bytes input)
{
    AUTO_BUFFER struct buffer shown, cleaned;
    buffer_init(&shown, 64 << 20);
    buffer_init(&cleaned, 64 << 20);
    read_records(input);
    split_lines(input);
    terminal_append(&shown, input);
    for (size_t i = 0; i < shown.size; i++)
        ASSERT((shown.data[i] >= ' ' || shown.data[i] == '\t') && shown.data[i] != 0x7f);
    utf8_append(&cleaned, input);
    ASSERT(bytes_is_utf8(buffer_view(&cleaned)) && bytes_is_utf8(buffer_view(&shown)));
}
