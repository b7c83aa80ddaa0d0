/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that need not leave: which, what is noted of them, and when they leave after all. */
#include "guest/calls.h"
#include "guest/foretold.h"
#include "guest/test_guest.h"
#include "tests/harness.h"

#include <string.h>

enum {
    FORETOLD_AT = 28672,
    MADE_AT = 40960,
    SPACE_AT = 100, /* in memory */
    KEY_AT = 120,
    VALUE_AT = 200,
    BUFFER_AT = 4096
};

static unsigned left_count;

/* The host says "host" to everything. */
static void host_answers(struct test_guest *test, const struct test_leave *leave)
{
    uint8_t *area = (uint8_t *)test->mailbox + TEST_MAILBOX_CALLS;
    struct writer writer = writer_into(area, CALL_AREA_SIZE);
    uint32_t count;
    CHECK(leave->reason == GUEST_EXIT_CALL);
    left_count++;
    test->leave_count = 0;
    REQUIRE(call_requests_check(bytes_of(area, leave->second), &count));
    call_answers_write_begin(&writer);
    for (uint32_t i = 0; i < count; i++)
        call_answer_write(&writer, 4, BYTES_LITERAL("host"), 4);
    call_list_write_end(&writer, count);
    test->answer = writer.size;
}

static struct call_request get_of(const char *space, const char *key)
{
    return (struct call_request){ .call = CALL_KV_GET,
                                  .string_count = 2,
                                  .strings = { bytes_of_string(space), bytes_of_string(key) } };
}

static void foretell(const struct call_request *request, int64_t value, struct bytes data)
{
    struct mailbox_area *area = &test_guest.mailbox->foretold;
    struct writer writer =
        writer_into((uint8_t *)test_guest.mailbox + area->offset + area->size, 8192);
    call_request_write(&writer, request);
    call_answer_write(&writer, value, data, data.size);
    CHECK(!writer.failed);
    area->size += (uint32_t)writer.size;
}

/* "prices"/"neo" is 12.5, there is no "prices"/"gas", and "empty" has nothing in it. */
static void ready(uint32_t made_capacity)
{
    test_guest_init("");
    left_count = 0;
    test_guest.on_leave = host_answers;
    test_guest.mailbox->foretold = (struct mailbox_area){ .offset = FORETOLD_AT, .capacity = 8192 };
    test_guest.mailbox->made =
        (struct mailbox_area){ .offset = MADE_AT, .capacity = made_capacity };
    foretell(&(struct call_request){ .call = CALL_ABOUT }, 5, BYTES_LITERAL("about"));
    const struct call_request neo = get_of("prices", "neo"), gas = get_of("prices", "gas"),
                              empty = get_of("prices", "empty");
    foretell(&neo, 4, BYTES_LITERAL("12.5"));
    foretell(&gas, CALL_ERROR_NOT_FOUND, BYTES_LITERAL("none"));
    foretell(&empty, 0, (struct bytes){ 0 });
}

static uint32_t put(uint32_t at, const char *text)
{
    memcpy(test_guest.memory + at, text, strlen(text));
    return (uint32_t)strlen(text);
}

static int64_t call(binding_function *function, uint64_t slots[12])
{
    return test_guest_call(function, slots) ? (int64_t)slots[0] : INT64_MIN;
}

static int64_t get(const char *space, const char *key)
{
    uint64_t slots[12] = {
        SPACE_AT, put(SPACE_AT, space), KEY_AT, put(KEY_AT, key), BUFFER_AT, 4096
    };
    memset(test_guest.memory + BUFFER_AT, 0, 64);
    return call(s3n_KV_GET, slots);
}

static int64_t set(const char *space, const char *key, uint32_t value_size)
{
    uint64_t slots[12] = { SPACE_AT, put(SPACE_AT, space), KEY_AT, put(KEY_AT, key),
                           VALUE_AT, value_size,           0 };
    return call(s3n_KV_SET, slots);
}

static const char *got(void)
{
    return (const char *)test_guest.memory + BUFFER_AT;
}

/* The calls made inside: their numbers, and that the list is one. */
static uint32_t made(uint16_t calls[CALL_COUNT_MAX])
{
    struct mailbox_area area = test_guest.mailbox->made;
    struct bytes list = bytes_of((uint8_t *)test_guest.mailbox + area.offset, area.size);
    struct call_request request;
    uint32_t count = 0;
    if (area.size == 0)
        return 0;
    CHECK(area.size <= area.capacity && call_requests_check(list, &count));
    struct reader reader = call_requests_begin(list);
    for (uint32_t i = 0; i < count && call_request_next(&reader, &request); i++)
        calls[i] = request.call;
    return count;
}

static void what_was_foretold_does_not_leave(void)
{
    uint16_t calls[CALL_COUNT_MAX];
    uint64_t slots[12] = { BUFFER_AT, 100 };
    ready(CALL_MADE_SIZE);
    CHECK_NUMBER(made(calls), 0);
    CHECK_NUMBER(get("prices", "neo"), 4);
    CHECK_STRING(got(), "12.5");
    CHECK_NUMBER(get("prices", "gas"), CALL_ERROR_NOT_FOUND);
    CHECK_NUMBER(call(s3n_error_message, slots), 4);
    CHECK_STRING(got(), "none");
    CHECK_NUMBER(get("prices", "empty"), 0);
    CHECK_NUMBER(get("prices", "neo"), 4); /* again */
    CHECK_STRING(got(), "12.5");
    CHECK_NUMBER(left_count, 0);
    CHECK_NUMBER(made(calls), 4);
    for (unsigned i = 0; i < 4; i++)
        CHECK_NUMBER(calls[i], CALL_KV_GET);
    slots[0] = BUFFER_AT;
    slots[1] = 100;
    CHECK_NUMBER(call(s3n_ABOUT, slots), 5);
    CHECK_STRING(got(), "about");
    CHECK(test_guest.mailbox->calls.size > 0); /* whoever wipes it knows how far */
}

/* A piece of a value, and what is behind it. */
static void small_buffers_get_the_rest(void)
{
    uint64_t slots[12] = { SPACE_AT, 6, KEY_AT, 3, BUFFER_AT, 2 };
    ready(CALL_MADE_SIZE);
    put(SPACE_AT, "prices");
    put(KEY_AT, "neo");
    CHECK_NUMBER(call(s3n_KV_GET, slots), 4);
    CHECK_BYTES(bytes_of(test_guest.memory + BUFFER_AT, 3), BYTES_LITERAL("12\0"));
    memcpy(slots, (uint64_t[]){ 0, 2, BUFFER_AT, 100 }, 4 * sizeof(uint64_t));
    CHECK_NUMBER(call(s3n_rest, slots), 2);
    CHECK_BYTES(bytes_of(test_guest.memory + BUFFER_AT, 3), BYTES_LITERAL(".5\0"));
    CHECK_NUMBER(left_count, 0);
}

static void all_leave_once_one_has(void)
{
    uint16_t calls[CALL_COUNT_MAX];
    ready(CALL_MADE_SIZE);
    CHECK_NUMBER(get("prices", "neo"), 4);
    CHECK_NUMBER(set("prices", "other", 10), 0);
    CHECK_NUMBER(left_count, 0);
    CHECK_NUMBER(get("prices", "unknown"), 4);
    CHECK_STRING(got(), "host");
    CHECK_NUMBER(left_count, 1);
    CHECK_NUMBER(get("prices", "neo"), 4);
    CHECK_STRING(got(), "host");
    CHECK_NUMBER(set("prices", "other", 10), 4);
    CHECK_NUMBER(left_count, 3);
    REQUIRE(made(calls) == 2);
    CHECK(calls[0] == CALL_KV_GET && calls[1] == CALL_KV_SET);
    foretold_begin(); /* the next invocation */
    CHECK_NUMBER(get("prices", "neo"), 4);
    CHECK_STRING(got(), "12.5");
}

/* Its space and its key: neither alone, nor where one ends and the other begins. */
static void a_write_voids_what_was_foretold(void)
{
    static const struct {
        const char *space, *key;
        bool is_void;
    } rows[] = { { "prices", "neo", true },
                 { "prices", "ne", false },
                 { "price", "sneo", false },
                 { "carts", "neo", false },
                 { "prices", "gas", false } };
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        ready(CALL_MADE_SIZE);
        CHECK_NUMBER(set(rows[i].space, rows[i].key, 3), 0);
        CHECK_NUMBER(get("prices", "neo"), 4);
        CHECK_STRING(got(), rows[i].is_void ? "host" : "12.5");
        CHECK_NUMBER(left_count, rows[i].is_void ? 1 : 0);
    }
}

static void what_has_no_room_leaves(void)
{
    uint16_t calls[CALL_COUNT_MAX];
    ready(CALL_MADE_SIZE);
    CHECK_NUMBER(set("prices", "a", CALL_MADE_SIZE), 4);
    CHECK(left_count == 1 && made(calls) == 0);
    ready(CALL_MADE_SIZE);
    CHECK_NUMBER(set("prices", "a", 9000), 0);
    CHECK_NUMBER(set("prices", "a", 9000), 4);
    CHECK(left_count == 1 && made(calls) == 1);
    ready(CALL_MADE_SIZE);
    for (unsigned i = 0; i < CALL_COUNT_MAX; i++)
        CHECK_NUMBER(set("prices", "a", 1), 0);
    CHECK_NUMBER(left_count, 0);
    CHECK_NUMBER(set("prices", "a", 1), 4); /* no list has more */
    CHECK(left_count == 1 && made(calls) == CALL_COUNT_MAX);
    ready(0); /* nothing is foretold where nothing can be noted */
    CHECK_NUMBER(get("prices", "neo"), 4);
    CHECK_STRING(got(), "host");
    ready(CALL_LIST_HEAD_SIZE + 31);
    CHECK_NUMBER(set("prices", "a", 1), 4);
    CHECK_NUMBER(made(calls), 0);
}

/* All answers together fit the list in which the host will give them. */
static void answers_have_a_size_together(void)
{
    static uint8_t large[7000];
    const struct call_request request = get_of("prices", "large");
    unsigned count = 0;
    ready(CALL_MADE_SIZE);
    foretell(&request, sizeof(large), BYTES_OF(large));
    while (left_count == 0 && count < CALL_COUNT_MAX) {
        get("prices", "large");
        count++;
    }
    CHECK(left_count == 1 && count * sizeof(large) < CALL_AREA_SIZE && count > 10);
}

/* s3n.batch: one request as imports have it; more of them share their exit. */
static void lists_of_one_are_looked_at(void)
{
    uint8_t area[1024];
    const struct call_request neo = get_of("prices", "neo");
    for (uint32_t count = 1; count <= 2; count++) {
        struct writer writer = writer_into(area, sizeof(area));
        ready(CALL_MADE_SIZE);
        call_requests_write_begin(&writer);
        for (uint32_t i = 0; i < count; i++)
            call_request_write(&writer, &neo);
        call_list_write_end(&writer, count);
        memcpy(test_guest.memory, area, writer.size);
        uint64_t slots[12] = { 0, writer.size, BUFFER_AT, 4096 };
        int64_t size = call(s3n_batch, slots);
        struct call_answer answer = { 0 };
        uint32_t answered;
        REQUIRE(call_answers_check(bytes_of(got(), (size_t)size), &answered) && answered == count);
        struct reader reader = call_answers_begin(bytes_of(got(), (size_t)size));
        CHECK(call_answer_next(&reader, &answer));
        CHECK_BYTES(answer.data, count == 1 ? BYTES_LITERAL("12.5") : BYTES_LITERAL("host"));
        CHECK_NUMBER(left_count, count - 1);
        memcpy(slots, (uint64_t[]){ 1, 0, BUFFER_AT, 100 }, 4 * sizeof(uint64_t));
        if (count == 1) /* there is no second answer, and nobody is asked for one */
            CHECK_NUMBER(call(s3n_rest, slots), 0);
        CHECK_NUMBER(left_count, count - 1);
    }
}

/* A module's own list may be none. */
static void broken_lists_leave(void)
{
    uint8_t area[256];
    const struct call_request set_request = { .call = CALL_KV_SET, .string_count = 3 };
    struct writer writer = writer_into(area, sizeof(area));
    uint16_t calls[CALL_COUNT_MAX];
    call_requests_write_begin(&writer);
    call_request_write(&writer, &set_request); /* without its number */
    call_list_write_end(&writer, 1);
    for (size_t size = 0; size <= writer.size; size++) {
        uint8_t list[256] = { 0 };
        ready(CALL_MADE_SIZE);
        memcpy(list, area, size);
        CHECK_NUMBER(foretold_answer(list, size), 0);
        CHECK_NUMBER(made(calls), 0);
    }
}

static const struct test tests[] = {
    TEST(what_was_foretold_does_not_leave), TEST(small_buffers_get_the_rest),
    TEST(all_leave_once_one_has),           TEST(a_write_voids_what_was_foretold),
    TEST(what_has_no_room_leaves),          TEST(answers_have_a_size_together),
    TEST(lists_of_one_are_looked_at),       TEST(broken_lists_leave)
};
TEST_MAIN(tests)
