/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/event_book.h"

#include "tests/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A register with faults. */
struct faulty {
    struct digest48 value;
    bool refuses;    /* nothing is extended */
    bool fails_late; /* it is, and says that it is not */
    bool is_unreadable;
    unsigned extend_count;
};

static bool faulty_extend(void *context, const struct digest48 *digest, struct error *error)
{
    struct faulty *faulty = context;
    if (faulty->refuses)
        return error_set(error, ERROR_SYSTEM, "the register refuses");
    events_extend(&faulty->value, digest);
    faulty->extend_count++;
    return !faulty->fails_late || error_set(error, ERROR_TIMEOUT, "the register is late");
}

static bool faulty_read(void *context, struct digest48 *value, struct error *error)
{
    const struct faulty *faulty = context;
    if (faulty->is_unreadable)
        return error_set(error, ERROR_SYSTEM, "the register can't be read");
    *value = faulty->value;
    return true;
}

static struct event_book_options options_of(struct faulty *faulty, int file)
{
    return (struct event_book_options){
        .target = { "rtmr3", faulty, faulty_extend, faulty_read },
        .clock = &clock_system,
        .file = file,
        .boot = "boot",
        .node = "00112233445566778899aabbccddeeff",
        .platform = "sim",
    };
}

static int log_file(void)
{
    int file = memfd_create("events", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    CHECK(file >= 0);
    return file;
}

/* The book's entries lead to the register, and the file holds exactly them. */
static void check_whole(const struct event_book *book, const struct faulty *faulty, uint64_t count)
{
    struct events_verdict verdict;
    struct error error = { 0 };
    struct events_expected expected = {
        .count = count, .head = faulty->value, .has_register = true, .value = faulty->value
    };
    bool held = events_verify(&verdict, event_book_view(book), &expected, &error);
    CHECK_NOTE(held, "%s", error.text);
    CHECK_NUMBER(verdict.count, count);
    CHECK_NUMBER(book->count, count);
    CHECK_NUMBER(lseek(book->file, 0, SEEK_END), event_book_view(book).size);
}

static void goes_on_after_a_restart(void)
{
    struct faulty faulty = { 0 };
    struct event_book book;
    struct error error = { 0 };
    int file = log_file();
    struct event_book_options options = options_of(&faulty, file);
    for (uint64_t i = 1; i <= 3; i++) {
        REQUIRE(event_book_open(&book, &options, &error));
        check_whole(&book, &faulty, 2 * i - 1);
        CHECK(event_book_append(&book, "load", "{\"version\":\"1\"}", &error));
        check_whole(&book, &faulty, 2 * i);
        event_book_done(&book);
    }
    faulty.value = (struct digest48){ 0 }; /* the machine started again */
    REQUIRE(event_book_open(&book, &options, &error));
    check_whole(&book, &faulty, 1);
    event_book_done(&book);
    close(file);
}

static void refuses_what_the_register_does_not_explain(void)
{
    struct faulty faulty = { 0 };
    struct event_book book;
    struct error error = { 0 };
    int file = log_file();
    struct event_book_options options = options_of(&faulty, file);
    REQUIRE(event_book_open(&book, &options, &error));
    for (int i = 0; i < 4; i++)
        CHECK(event_book_append(&book, "load", "{}", &error));
    off_t size = (off_t)book.log.size;
    event_book_done(&book);
    /* cut, at every length */
    uint8_t content[4096];
    REQUIRE(size <= (off_t)sizeof(content) && pread(file, content, (size_t)size, 0) == size);
    for (off_t cut = 0; cut < size; cut += 7) {
        CHECK(ftruncate(file, cut) == 0);
        CHECK_NOTE(!event_book_open(&book, &options, &error), "%ld bytes", (long)cut);
        CHECK_NUMBER(error.code, ERROR_CORRUPT);
    }
    for (off_t at = 0; at < size; at++) { /* changed */
        content[at] ^= 1;
        CHECK(ftruncate(file, 0) == 0 && pwrite(file, content, (size_t)size, 0) == size);
        CHECK_NOTE(!event_book_open(&book, &options, &error), "byte %ld", (long)at);
        content[at] ^= 1;
    }
    CHECK(pwrite(file, content, (size_t)size, 0) == size);
    /* somebody else extends it */
    struct digest48 other = faulty.value, digest = { { 1 } };
    events_extend(&faulty.value, &digest);
    CHECK(!event_book_open(&book, &options, &error) && error.code == ERROR_CORRUPT);
    faulty.value = other;
    CHECK(event_book_open(&book, &options, &error));
    event_book_done(&book);
    faulty.is_unreadable = true;
    CHECK(!event_book_open(&book, &options, &error));
    close(file);
}

/* Killed between writing and extending: the entry is not in the log. */
static void drops_what_was_not_extended(void)
{
    struct faulty faulty = { 0 };
    struct event_book book;
    struct error error = { 0 };
    int file = log_file();
    struct event_book_options options = options_of(&faulty, file);
    REQUIRE(event_book_open(&book, &options, &error));
    CHECK(event_book_append(&book, "load", "{}", &error));
    size_t size = book.log.size;
    event_book_done(&book);
    static const char line[] = "{\"details\":{},\"kind\":\"load\",\"sequence\":3,\"time\":1}\n";
    for (size_t written = 1; written < sizeof(line); written += 5) {
        struct digest48 value = faulty.value;
        CHECK(ftruncate(file, (off_t)size) == 0);
        CHECK(pwrite(file, line, written, (off_t)size) == (ssize_t)written);
        REQUIRE(event_book_open(&book, &options, &error));
        check_whole(&book, &faulty, 3); /* with the restart */
        event_book_done(&book);
        faulty.value = value;
    }
    close(file);
}

static void an_entry_that_failed_is_not_in_the_log(void)
{
    struct faulty faulty = { 0 };
    struct event_book book;
    struct error error = { 0 };
    int file = log_file();
    struct event_book_options options = options_of(&faulty, file);
    faulty.refuses = true;
    CHECK(!event_book_open(&book, &options, &error));
    faulty.refuses = false;
    REQUIRE(event_book_open(&book, &options, &error));
    faulty.refuses = true;
    CHECK(!event_book_append(&book, "load", "{}", &error));
    CHECK_NOTE(strstr(error.text, "the register refuses") != NULL, "%s", error.text);
    check_whole(&book, &faulty, 1);
    faulty.refuses = false;
    faulty.fails_late = true; /* the register tells that it was extended */
    CHECK(event_book_append(&book, "load", "{}", &error));
    check_whole(&book, &faulty, 2);
    faulty.is_unreadable = true; /* nobody knows */
    CHECK(!event_book_append(&book, "load", "{}", &error));
    CHECK(!event_book_append(&book, "load", "{}", &error));
    CHECK_NUMBER(faulty.extend_count, 3);
    faulty.is_unreadable = faulty.fails_late = false;
    CHECK(event_book_append(&book, "policy", "{}", &error));
    check_whole(&book, &faulty, 4);
    struct digest48 digest = { { 1 } };
    faulty.refuses = true;
    faulty.is_unreadable = true;
    CHECK(!event_book_append(&book, "load", "{}", &error));
    faulty.refuses = faulty.is_unreadable = false;
    events_extend(&faulty.value, &digest); /* somebody else, meanwhile */
    CHECK(!event_book_append(&book, "load", "{}", &error) && error.code == ERROR_CORRUPT);
    event_book_done(&book);
    close(file);
}

static void bad_entries_are_refused(void)
{
    struct faulty faulty = { 0 };
    struct event_book book;
    struct error error = { 0 };
    struct event_book_options options = options_of(&faulty, -1);
    REQUIRE(event_book_open(&book, &options, &error));
    CHECK(!event_book_append(&book, "load", "{\"b\":1,\"a\":1}", &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
    CHECK(!event_book_append(&book, "start", "{\"format\":1}\n", &error));
    CHECK_NUMBER(faulty.extend_count, 1);
    event_book_done(&book);
}

/* A disk that is full. */
static void a_file_that_can_t_be_written_is_an_error(void)
{
    struct faulty faulty = { 0 };
    struct event_book book;
    struct error error = { 0 };
    int file = log_file();
    struct event_book_options options = options_of(&faulty, file);
    REQUIRE(event_book_open(&book, &options, &error));
    CHECK(fcntl(file, F_ADD_SEALS, F_SEAL_GROW) == 0);
    CHECK(!event_book_append(&book, "load", "{}", &error));
    CHECK_NUMBER(faulty.extend_count, 1);
    check_whole(&book, &faulty, 1);
    event_book_done(&book);
    close(file);
}

/* Without a platform's register: a file that outlives the keeper. */
static void a_chain_goes_on_in_a_file_s_register(void)
{
    struct platform platform = { .name = "snp" };
    struct event_book book;
    struct error error = { 0 };
    int file = log_file(), chain = log_file();
    struct event_book_options options = options_of(NULL, file);
    options.target = event_register_of(&platform, &chain);
    CHECK_STRING(options.target.name, "none");
    REQUIRE(event_book_open(&book, &options, &error));
    CHECK(event_book_append(&book, "load", "{}", &error));
    event_book_done(&book);
    REQUIRE(event_book_open(&book, &options, &error));
    CHECK_NUMBER(book.count, 3);
    off_t size = (off_t)book.log.size;
    event_book_done(&book);
    CHECK(ftruncate(file, size - 10) == 0); /* the disk is taken back */
    CHECK(!event_book_open(&book, &options, &error) && error.code == ERROR_CORRUPT);
    CHECK(ftruncate(chain, 0) == 0); /* the node started again */
    REQUIRE(event_book_open(&book, &options, &error));
    CHECK_NUMBER(book.count, 1);
    event_book_done(&book);
    CHECK(ftruncate(chain, 20) == 0);
    CHECK(!event_book_open(&book, &options, &error) && error.code == ERROR_CORRUPT);
    close(file);
    close(chain);
}

static const struct test tests[] = {
    TEST(goes_on_after_a_restart),
    TEST(refuses_what_the_register_does_not_explain),
    TEST(drops_what_was_not_extended),
    TEST(an_entry_that_failed_is_not_in_the_log),
    TEST(bad_entries_are_refused),
    TEST(a_file_that_can_t_be_written_is_an_error),
    TEST(a_chain_goes_on_in_a_file_s_register),
};
TEST_MAIN(tests)
