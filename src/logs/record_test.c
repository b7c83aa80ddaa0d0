/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/record.h"

#include "core/writer.h"
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

/* "level:text|level:text", with "+" for a line that goes on. */
static void splits(struct bytes written, const char *expected)
{
    AUTO_BUFFER struct buffer seen;
    struct log_line line = { 0 };
    buffer_init(&seen, 1 << 20);
    while (logs_split(&written, &line)) {
        buffer_format(&seen, "%s%u%s:", seen.size == 0 ? "" : "|", line.level,
                      (line.flags & LOG_LINE_CONTINUES) != 0 ? "+" : "");
        buffer_append(&seen, line.text);
    }
    CHECK_BYTES(buffer_view(&seen), bytes_of_string(expected));
}

static void lines_have_levels(void)
{
    splits(BYTES_LITERAL(""), "");
    splits(BYTES_LITERAL("\n"), "6:");
    splits(BYTES_LITERAL("plain"), "6:plain");
    splits(BYTES_LITERAL("a\nb\n"), "6:a|6:b");
    splits(BYTES_LITERAL("<3>bad\n<7>\n<8>x\n<3\n< 3>y\n"), "3:bad|7:|6:<8>x|6:<3|6:< 3>y");
    splits(BYTES_LITERAL("a\n\n\nb"), "6:a|6:|6:|6:b");
    splits(BYTES_LITERAL("<0>\x01\xff"), "0:\x01\xff");
}

static void long_lines_stand_in_parts(void)
{
    static uint8_t text[3 * LOG_LINE_SIZE_MAX + 10];
    struct log_line line = { 0 };
    memset(text, 'x', sizeof(text));
    memcpy(text, "<4>", 3);
    text[LOG_LINE_SIZE_MAX + 2] = 0xc3; /* a character at the cut */
    text[LOG_LINE_SIZE_MAX + 3] = 0xa9;
    text[sizeof(text) - 4] = '\n';
    memcpy(text + sizeof(text) - 3, "<1>", 3);
    struct bytes left = BYTES_OF(text);
    size_t sizes[] = { LOG_LINE_SIZE_MAX - 1, LOG_LINE_SIZE_MAX, LOG_LINE_SIZE_MAX, 4 };
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        REQUIRE(logs_split(&left, &line));
        CHECK_NUMBER(line.level, 4);
        CHECK_NUMBER(line.text.size, sizes[i]);
        CHECK_NUMBER(line.flags, i < 3 ? LOG_LINE_CONTINUES : 0);
    }
    REQUIRE(logs_split(&left, &line)); /* the next one has a level again */
    CHECK_NUMBER(line.level, 1);
    CHECK_NUMBER(line.text.size, 0);
    CHECK(!logs_split(&left, &line));
}

static void write_two(struct buffer *records)
{
    struct log_record record = { .time_ms = 1700000000123,
                                 .invocation = BYTES_LITERAL("00ff"),
                                 .request = BYTES_LITERAL("r"),
                                 .function = BYTES_LITERAL("quote"),
                                 .version = BYTES_LITERAL("1.0.0"),
                                 .outcome = BYTES_LITERAL("done") };
    struct log_line line = { 3, LOG_LINE_BY_NODE, BYTES_LITERAL("text \x1b") };
    size_t begun = log_record_begin(records, &record);
    log_record_add(records, &line);
    line.text = (struct bytes){ 0 };
    log_record_add(records, &line);
    log_record_end(records, begun);
    record = (struct log_record){
        .time_ms = -5, .drop = LOG_DROP_STORAGE, .dropped_count = 7, .dropped_size = UINT64_MAX
    };
    log_record_write_dropped(records, &record);
}

static void records_come_back(void)
{
    AUTO_BUFFER struct buffer records;
    struct log_record record;
    struct log_line line;
    buffer_init(&records, 1 << 16);
    write_two(&records);
    struct reader reader = reader_of(buffer_view(&records));
    REQUIRE(log_record_next(&reader, &record));
    CHECK_NUMBER(record.kind, LOG_RECORD_LINES);
    CHECK_NUMBER(record.time_ms, 1700000000123);
    CHECK_BYTES(record.function, BYTES_LITERAL("quote"));
    CHECK_BYTES(record.outcome, BYTES_LITERAL("done"));
    struct reader lines = reader_of(record.lines);
    REQUIRE(log_line_next(&lines, &line));
    CHECK_NUMBER(line.level, 3);
    CHECK_NUMBER(line.flags, LOG_LINE_BY_NODE);
    CHECK_BYTES(line.text, BYTES_LITERAL("text \x1b"));
    REQUIRE(log_line_next(&lines, &line));
    CHECK_NUMBER(line.text.size, 0);
    CHECK(!log_line_next(&lines, &line));
    REQUIRE(log_record_next(&reader, &record));
    CHECK_NUMBER(record.kind, LOG_RECORD_DROPPED);
    CHECK_NUMBER(record.time_ms, -5);
    CHECK_NUMBER(record.drop, LOG_DROP_STORAGE);
    CHECK_NUMBER(record.dropped_count, 7);
    CHECK(record.dropped_size == UINT64_MAX);
    CHECK(!log_record_next(&reader, &record));
    CHECK(!reader.failed);
}

/* Cut or changed: read as something else that holds together, or refused; never past the end. */
static void broken_records_are_refused(void)
{
    AUTO_BUFFER struct buffer records;
    struct log_record record;
    buffer_init(&records, 1 << 16);
    write_two(&records);
    for (size_t size = 1; size < records.size; size++) {
        uint8_t *copy = malloc(size); /* its end is the memory's */
        memcpy(copy, records.data, size);
        struct reader reader = reader_of(bytes_of(copy, size));
        unsigned count = 0;
        while (log_record_next(&reader, &record))
            count++;
        bool is_whole = count == 1 && !reader.failed; /* cut between the two */
        CHECK(count < 2 && (reader.failed || is_whole));
        free(copy);
    }
    for (size_t i = 0; i < records.size; i++) {
        records.data[i] ^= 0xff;
        struct reader reader = reader_of(buffer_view(&records));
        while (log_record_next(&reader, &record))
            ;
        records.data[i] ^= 0xff;
    }
}

static void levels_have_names(void)
{
    unsigned level;
    CHECK_STRING(logs_level_name(3), "error");
    CHECK_STRING(logs_level_name(99), "debug");
    REQUIRE(logs_level_parse(&level, BYTES_LITERAL("warning")));
    CHECK_NUMBER(level, 4);
    REQUIRE(logs_level_parse(&level, BYTES_LITERAL("7")));
    CHECK_NUMBER(level, 7);
    CHECK(!logs_level_parse(&level, BYTES_LITERAL("8")));
    CHECK(!logs_level_parse(&level, BYTES_LITERAL("")));
    CHECK(!logs_level_parse(&level, BYTES_LITERAL("warn ")));
}

/* One record of these bytes behind its size, kind and time. */
static bool is_record(uint8_t kind, struct bytes rest)
{
    uint8_t bytes[LOG_LINE_SIZE_MAX + 100];
    struct writer writer = writer_into(bytes, sizeof(bytes));
    struct log_record record;
    write_u32_le(&writer, (uint32_t)(4 + 1 + 8 + rest.size));
    write_u8(&writer, kind);
    write_u64_le(&writer, 1);
    write_bytes(&writer, rest);
    CHECK(!writer.failed);
    struct reader reader = reader_of(writer_view(&writer));
    bool is_read = log_record_next(&reader, &record);
    CHECK(is_read != reader.failed);
    return is_read;
}

/* A line whose text has so many bytes, behind the record's five texts. */
static bool is_line(uint8_t level, uint8_t flags, uint32_t size, uint32_t said)
{
    static uint8_t text[LOG_LINE_SIZE_MAX + 1], bytes[LOG_LINE_SIZE_MAX + 50];
    struct writer writer = writer_into(bytes, sizeof(bytes));
    for (unsigned i = 0; i < 5; i++)
        write_u16_le(&writer, 0);
    write_u8(&writer, level);
    write_u8(&writer, flags);
    write_u32_le(&writer, said);
    write_bytes(&writer, bytes_of(text, size));
    CHECK(!writer.failed);
    return is_record(LOG_RECORD_LINES, writer_view(&writer));
}

static void what_is_no_record_is_refused(void)
{
    uint8_t dropped[1 + 8 + 8 + 1] = { 0 };
    CHECK(is_line(0, 0, 3, 3) && is_line(7, LOG_LINE_CONTINUES | LOG_LINE_BY_NODE, 3, 3));
    CHECK(is_line(6, 0, LOG_LINE_SIZE_MAX, LOG_LINE_SIZE_MAX));
    CHECK(!is_line(8, 0, 3, 3) && !is_line(255, 0, 3, 3));
    CHECK(!is_line(6, 4, 3, 3) && !is_line(6, 0x80, 3, 3));
    CHECK(!is_line(6, 0, LOG_LINE_SIZE_MAX + 1, LOG_LINE_SIZE_MAX + 1));
    CHECK(!is_line(6, 0, 3, 4) && !is_line(6, 0, 3, 2) && !is_line(6, 0, 3, UINT32_MAX));
    CHECK(is_record(LOG_RECORD_DROPPED, bytes_of(dropped, 17)));
    CHECK(!is_record(LOG_RECORD_DROPPED, bytes_of(dropped, 16)));
    CHECK(!is_record(LOG_RECORD_DROPPED, bytes_of(dropped, 18)));
    dropped[0] = LOG_DROP_COUNT;
    CHECK(!is_record(LOG_RECORD_DROPPED, bytes_of(dropped, 17)));
    dropped[0] = LOG_DROP_COUNT - 1;
    CHECK(is_record(LOG_RECORD_DROPPED, bytes_of(dropped, 17)));
    CHECK(!is_record(0, bytes_of(dropped, 17)) && !is_record(255, bytes_of(dropped, 17)));
}

static const struct test tests[] = {
    TEST(what_is_no_record_is_refused), TEST(lines_have_levels),
    TEST(long_lines_stand_in_parts),    TEST(records_come_back),
    TEST(broken_records_are_refused),   TEST(levels_have_names),
};
TEST_MAIN(tests)
