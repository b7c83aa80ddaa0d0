/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/logbook.h"

#include "base/terminal.h"
#include "store/store_test_support.h"
#include "tests/harness.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static struct test_sealer sealing;
static const struct digest32 owner = { { 1 } };
static int64_t wall_shift_ms;

static uint64_t shifted_realtime_ns(const struct clock *clock UNUSED)
{
    return clock_realtime_ns(&clock_system) + (uint64_t)wall_shift_ms * 1000000;
}
static uint64_t plain_monotonic_ns(const struct clock *clock UNUSED)
{
    return clock_monotonic_ns(&clock_system);
}
static const struct clock test_clock = { shifted_realtime_ns, plain_monotonic_ns };

static struct ecdsa_key *key_of(uint8_t last)
{
    struct secret32 scalar = { { 0 } };
    struct ecdsa_key *key = NULL;
    struct error error;
    scalar.bytes[31] = last;
    CHECK(ecdsa_key_import(&key, &scalar, &error));
    return key;
}

static struct logbook_options options_of(const char *path)
{
    return (struct logbook_options){ .path = path,
                                     .sealer = test_sealer_of(&sealing),
                                     .clock = &test_clock,
                                     .stream_size_max = 16 << 20,
                                     .total_size_max = 64 << 20,
                                     .retention_ms = 3600000,
                                     .rate_size = 16 << 20,
                                     .burst_size = 64 << 20 };
}

static void add_as(struct logbook *book, const char *application, struct bytes written,
                   struct redactions *redactions, uint8_t key_last)
{
    AUTO(ecdsa_key) struct ecdsa_key *key = key_of(key_last);
    struct logbook_entry entry = { .application = application,
                                   .owner = owner,
                                   .readers = ecdsa_key_public(key),
                                   .reader_count = 1,
                                   .invocation = "00112233445566778899aabbccddeeff",
                                   .request = "ffeeddccbbaa99887766554433221100",
                                   .function = "quote",
                                   .version = "1.0.0",
                                   .outcome = "done",
                                   .written = written,
                                   .redactions = redactions };
    logbook_add(book, &entry);
}

static void add(struct logbook *book, const char *application, const char *text)
{
    add_as(book, application, bytes_of_string(text), NULL, 1);
}

/* --- reading all of a log, as its owner does --- */

struct reading {
    struct log_chain chain, head;
    struct buffer text; /* "text|text|", "!rate 3|" */
    uint64_t first;
    unsigned segments, drops;
    uint64_t dropped[LOG_DROP_COUNT];
    bool more, is_done;
    enum error_code code;
};

static void take_records(struct reading *reading, struct bytes records)
{
    struct reader reader = reader_of(records);
    struct log_record record;
    while (log_record_next(&reader, &record)) {
        struct reader lines = reader_of(record.lines);
        struct log_line line;
        if (record.kind == LOG_RECORD_DROPPED) {
            buffer_format(&reading->text, "!%s|", log_drop_name(record.drop));
            reading->dropped[record.drop] += record.dropped_count;
            continue;
        }
        while (log_line_next(&lines, &line)) {
            buffer_append(&reading->text, line.text);
            buffer_append_string(&reading->text, "|");
        }
    }
    CHECK(!reader.failed);
}

static void on_page(void *context, const struct logbook_page *page, const struct error *error)
{
    struct reading *reading = context;
    AUTO(ecdsa_key) struct ecdsa_key *key = key_of(1);
    reading->is_done = true;
    reading->code = error == NULL ? ERROR_NONE : error->code;
    if (page == NULL)
        return;
    reading->head = page->head;
    reading->first = page->first;
    reading->more = page->more;
    for (size_t i = 0; i < page->count; i++) {
        AUTO_BUFFER struct buffer records;
        struct log_segment segment;
        struct error failure;
        buffer_init(&records, LOG_SEGMENT_PLAIN_MAX);
        REQUIRE(log_segment_view(&segment, page->segments[i], &failure));
        CHECK(log_chain_follow(&reading->chain, &segment, &failure));
        reading->segments++;
        if (log_segment_open(&records, &segment, key, &failure))
            take_records(reading, buffer_view(&records));
        else
            buffer_append_string(&reading->text, "(sealed)|");
    }
}

static void wait_for(struct logbook *book, const bool *is_done)
{
    struct error error;
    while (!*is_done) {
        struct pollfd descriptor = { logbook_descriptor(book), POLLIN, 0 };
        if (poll(&descriptor, 1, TEST_PATIENCE_MS) <= 0)
            break;
        (void)logbook_take(book, &error);
    }
    CHECK(*is_done);
}

static void reading_done(struct reading *reading)
{
    buffer_done(&reading->text);
}
#define AUTO_READING __attribute__((cleanup(reading_done)))

static void read_from(struct logbook *book, const char *application, struct reading *reading,
                      struct log_query query)
{
    struct digest32 stream = log_stream_of(application, &owner);
    struct error error;
    buffer_init(&reading->text, 64 << 20);
    do {
        reading->is_done = false;
        query.after = reading->chain.is_begun ? reading->chain.number : query.after;
        REQUIRE(logbook_read(book, &stream, &query, on_page, reading, &error));
        wait_for(book, &reading->is_done);
    } while (reading->more && reading->code == ERROR_NONE);
}

static void read_all(struct logbook *book, const char *application, struct reading *reading)
{
    read_from(book, application, reading, (struct log_query){ 0 });
    if (reading->code == ERROR_NONE) {
        CHECK_NUMBER(reading->chain.number, reading->head.number);
        CHECK(!reading->head.is_begun ||
              digest32_equal(&reading->chain.digest, &reading->head.digest));
    }
}

static void holds(struct logbook *book, const char *application, const char *expected)
{
    AUTO_READING struct reading reading = { 0 };
    read_all(book, application, &reading);
    CHECK_BYTES(buffer_view(&reading.text), bytes_of_string(expected));
}

/* --- tests --- */

static void what_is_added_is_read_in_order(void)
{
    struct error error;
    const char *path = test_store_path("order");
    AUTO(logbook) struct logbook *book = NULL;
    struct logbook_options options = options_of(path);
    REQUIRE(logbook_open(&book, &options, &error));
    holds(book, "shop", "");
    add(book, "shop", "a\nb\n");
    add(book, "other", "x");
    add(book, "shop", "<3>c");
    holds(book, "shop", "a|b|c|");
    holds(book, "other", "x|");
    add(book, "shop", "d");
    holds(book, "shop", "a|b|c|d|");
    logbook_close(TAKE(book));
    REQUIRE(logbook_open(&book, &options, &error)); /* the chain goes on */
    add(book, "shop", "e");
    holds(book, "shop", "a|b|c|d|e|");
    struct logbook_counts counts = logbook_counts(book);
    CHECK_NUMBER(counts.added_count, 1);
    CHECK_NUMBER(counts.pending_size, 0);
    CHECK(counts.kept_size > 0);
}

static void what_waits_is_written_at_the_end(void)
{
    struct error error;
    AUTO(logbook) struct logbook *book = NULL;
    struct logbook_options options = options_of(test_store_path("end"));
    REQUIRE(logbook_open(&book, &options, &error));
    add(book, "shop", "last words");
    logbook_close(TAKE(book));
    REQUIRE(logbook_open(&book, &options, &error));
    holds(book, "shop", "last words|");
}

static void secrets_are_taken_out(void)
{
    struct error error;
    AUTO(logbook) struct logbook *book = NULL;
    AUTO(redactions) struct redactions *redactions = NULL;
    struct logbook_options options = options_of(test_store_path("secrets"));
    REQUIRE(logbook_open(&book, &options, &error));
    REQUIRE(redactions_add(&redactions, BYTES_LITERAL("hunter2hunter2"), &error));
    add_as(book, "shop", BYTES_LITERAL("<7>it is hunter2hunter2!\nand hunter2hun"), redactions, 1);
    holds(book, "shop", "it is ***!|and ***|");
}

static void each_segment_is_for_its_readers(void)
{
    struct error error;
    AUTO(logbook) struct logbook *book = NULL;
    struct logbook_options options = options_of(test_store_path("readers"));
    REQUIRE(logbook_open(&book, &options, &error));
    add(book, "shop", "mine");
    add_as(book, "shop", BYTES_LITERAL("not mine"), NULL, 2);
    add(book, "shop", "mine again");
    holds(book, "shop", "mine|(sealed)|mine again|");
}

static void large_logs_take_several_segments(void)
{
    enum {
        SIZE = 900 << 10
    };
    struct error error;
    AUTO(logbook) struct logbook *book = NULL;
    AUTO_READING struct reading reading = { 0 };
    struct logbook_options options = options_of(test_store_path("large"));
    char *text = malloc(SIZE + 1);
    REQUIRE(logbook_open(&book, &options, &error));
    memset(text, 'x', SIZE);
    text[SIZE] = '\0';
    add(book, "shop", text);
    read_all(book, "shop", &reading);
    CHECK(reading.segments >= 4);
    size_t count = 0;
    for (size_t i = 0; i < reading.text.size; i++)
        count += reading.text.data[i] == 'x';
    CHECK_NUMBER(count, SIZE);
    /* nothing but line ends */
    memset(text, '\n', SIZE);
    add(book, "shop", text);
    AUTO_READING struct reading again = { 0 };
    read_all(book, "shop", &again);
    CHECK(again.segments > reading.segments + 10);
    free(text);
}

static void floods_are_dropped_and_counted(void)
{
    struct error error;
    AUTO(logbook) struct logbook *book = NULL;
    AUTO_READING struct reading reading = { 0 };
    struct logbook_options options = options_of(test_store_path("flood"));
    options.rate_size = 1;
    options.burst_size = 10 * (LOG_ENTRY_COST + 5);
    REQUIRE(logbook_open(&book, &options, &error));
    for (unsigned i = 0; i < 1000; i++)
        add(book, "shop", "flood");
    add(book, "quiet", "heard");
    read_all(book, "shop", &reading);
    CHECK_NUMBER(reading.dropped[LOG_DROP_RATE], 990);
    CHECK_NUMBER(logbook_counts(book).dropped_count[LOG_DROP_RATE], 990);
    CHECK(strstr((const char *)reading.text.data, "flood|flood|") != NULL);
    holds(book, "quiet", "heard|");
}

static void what_the_disk_refuses_waits(void)
{
    struct error error = { 0 };
    AUTO(logbook) struct logbook *book = NULL;
    struct logbook_options options = options_of(test_store_path("full"));
    options.stream_size_max = options.total_size_max = 256 << 20;
    struct rlimit before, none = { 0 };
    REQUIRE(logbook_open(&book, &options, &error));
    add(book, "shop", "before");
    holds(book, "shop", "before|");
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
    signal(SIGXFSZ, SIG_IGN);
    none.rlim_max = before.rlim_max;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &none) == 0);
    add(book, "shop", "meanwhile");
    /* The thread says so; the log that is there is still read. */
    struct pollfd descriptor = { logbook_descriptor(book), POLLIN, 0 };
    bool failed = false;
    for (unsigned i = 0; i < 10 && !failed; i++)
        failed = poll(&descriptor, 1, 5000) == 1 && !logbook_take(book, &error);
    CHECK(failed);
    CHECK(logbook_counts(book).pending_size > 0);
    holds(book, "shop", "before|");
    /* More than may wait is dropped, and said. */
    char *text = malloc((1 << 20) + 1);
    memset(text, 'y', 1 << 20);
    text[1 << 20] = '\0';
    for (unsigned i = 0; i < 40; i++)
        add(book, "shop", text);
    free(text);
    CHECK(logbook_counts(book).dropped_count[LOG_DROP_MEMORY] > 0);
    CHECK(logbook_counts(book).pending_size <= LOG_PENDING_SIZE_MAX + (1 << 20));
    REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
    AWAIT(logbook_counts(book).pending_size == 0);
    AUTO_READING struct reading reading = { 0 };
    read_all(book, "shop", &reading);
    CHECK(reading.text.size > 20 && memcmp(reading.text.data, "before|meanwhile|yy", 19) == 0);
    CHECK_NUMBER(reading.dropped[LOG_DROP_MEMORY],
                 logbook_counts(book).dropped_count[LOG_DROP_MEMORY]);
}

static void the_oldest_give_way(void)
{
    enum {
        SIZE = 100 << 10
    };
    struct error error;
    AUTO(logbook) struct logbook *book = NULL;
    AUTO_READING struct reading reading = { 0 };
    struct logbook_options options = options_of(test_store_path("quota"));
    options.stream_size_max = 500 << 10;
    char *text = malloc(SIZE + 1);
    memset(text, 'x', SIZE);
    text[SIZE] = '\0';
    REQUIRE(logbook_open(&book, &options, &error));
    for (unsigned i = 0; i < 30; i++) {
        add(book, "shop", text);
        AUTO_READING struct reading each = { 0 };
        read_from(book, "shop", &each, (struct log_query){ .size_max = 1, .after = 1000 });
    }
    read_all(book, "shop", &reading);
    CHECK(reading.first > 1);
    CHECK(reading.chain.number >= 30);
    CHECK(logbook_counts(book).kept_size <= 700 << 10);
    CHECK(logbook_counts(book).expired_count > 0);
    free(text);
}

static void what_is_too_old_goes(void)
{
    struct error error;
    AUTO(logbook) struct logbook *book = NULL;
    struct logbook_options options = options_of(test_store_path("old"));
    REQUIRE(logbook_open(&book, &options, &error));
    add(book, "shop", "old");
    holds(book, "shop", "old|");
    wall_shift_ms = 2 * 3600000;
    add(book, "shop", "new");
    AUTO_READING struct reading since = { 0 };
    read_from(book, "shop", &since,
              (struct log_query){
                  .since_ms = (int64_t)(clock_realtime_ns(&clock_system) / 1000000) + 3600000 });
    CHECK_BYTES(buffer_view(&since.text), BYTES_LITERAL("new|"));
    add(book, "shop", "newer"); /* trims */
    AUTO_READING struct reading reading = { 0 };
    read_all(book, "shop", &reading);
    CHECK_BYTES(buffer_view(&reading.text), BYTES_LITERAL("new|newer|"));
    CHECK_NUMBER(reading.first, 2);
    wall_shift_ms = 0;
}

static void count_problem(void *context, const struct error *problem UNUSED)
{
    (*(unsigned *)context)++;
}

static void a_book_is_proved(void)
{
    struct error error;
    AUTO(logbook) struct logbook *book = NULL;
    AUTO(store) struct store *store = NULL;
    const char *path = test_store_path("proved");
    struct logbook_options options = options_of(path);
    uint64_t count = 0;
    unsigned problems = 0;
    REQUIRE(logbook_open(&book, &options, &error));
    for (unsigned i = 0; i < 3; i++) {
        add(book, "shop", "a");
        AUTO_READING struct reading reading = { 0 };
        read_all(book, "shop", &reading);
    }
    add(book, "other", "b");
    logbook_close(TAKE(book));
    REQUIRE(store_open_sqlite(&store, path, &options.sealer, &error));
    REQUIRE(logbook_check(store, count_problem, &problems, &count, &error));
    CHECK_NUMBER(count, 4);
    CHECK_NUMBER(problems, 0);
    /* a segment that the store itself let go */
    struct store_page page = { 0 };
    REQUIRE(store_list(store, (struct store_key){ "logs", "segment/" }, NULL, 10, &page, &error));
    REQUIRE(store_delete(store, (struct store_key){ "logs", page.entries[1].key },
                         page.entries[1].revision, &error));
    store_page_done(&page);
    REQUIRE(logbook_check(store, count_problem, &problems, &count, &error));
    CHECK_NUMBER(problems, 1);
}

static void what_was_changed_on_the_disk_is_refused(void)
{
    struct error error;
    AUTO(logbook) struct logbook *book = NULL;
    const char *path = test_store_path("changed");
    struct logbook_options options = options_of(path);
    REQUIRE(logbook_open(&book, &options, &error));
    add(book, "shop", "a");
    holds(book, "shop", "a|");
    add(book, "shop", "b");
    holds(book, "shop", "a|b|");
    logbook_close(TAKE(book));
    REQUIRE(test_sql(path, "UPDATE record SET value = zeroblob(length(value))"
                           " WHERE key LIKE 'segment/%'"));
    REQUIRE(logbook_open(&book, &options, &error));
    AUTO_READING struct reading reading = { 0 };
    read_all(book, "shop", &reading);
    CHECK_NUMBER(reading.code, ERROR_CORRUPT);
    logbook_close(TAKE(book));
    REQUIRE(
        test_sql(path, "DELETE FROM record WHERE key LIKE 'segment/%'")); /* the store notices */
    CHECK(!logbook_open(&book, &options, &error));
    CHECK_NUMBER(error.code, ERROR_CORRUPT);
}

static const struct test tests[] = {
    TEST(what_is_added_is_read_in_order),
    TEST(what_waits_is_written_at_the_end),
    TEST(secrets_are_taken_out),
    TEST(each_segment_is_for_its_readers),
    TEST(large_logs_take_several_segments),
    TEST(floods_are_dropped_and_counted),
    TEST(what_the_disk_refuses_waits),
    TEST(the_oldest_give_way),
    TEST(what_is_too_old_goes),
    TEST(a_book_is_proved),
    TEST(what_was_changed_on_the_disk_is_refused),
};
TEST_MAIN(tests)
