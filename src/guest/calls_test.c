/* SPDX-License-Identifier: Apache-2.0 */
/* Imports of module `s3n`: what they write into the call area, what they make of answers, and what
 * a module can't do to them. */
#include "abi/call.h"
#include "guest/calls.h"
#include "guest/test_guest.h"
#include "tests/harness.h"

#include <string.h>

/* The host's part: what it was asked, and what it says. */
static struct {
    struct bytes requests; /* a copy of the last list */
    uint8_t copy[CALL_AREA_SIZE];
    int64_t value;
    const uint8_t *data;
    uint64_t size;
    bool refuses, lies;
    unsigned count;
} host;

static uint8_t large[600000];

static void host_says(size_t size, const void *data)
{
    host.value = (int64_t)size;
    host.size = size;
    host.data = data;
}

static void host_answers(struct test_guest *test, const struct test_leave *leave)
{
    uint8_t *area = (uint8_t *)test->mailbox + TEST_MAILBOX_CALLS;
    uint32_t count;
    struct call_request request;
    if (leave->reason != GUEST_EXIT_CALL)
        return;
    host.count++;
    test->leave_count = 0;
    test->answer = 0;
    CHECK(leave->first == (uint64_t)area && leave->second <= CALL_AREA_SIZE);
    CHECK(test->mailbox->calls.size >= leave->second);
    memcpy(host.copy, area, leave->second);
    host.requests = bytes_of(host.copy, leave->second);
    if (host.refuses || !call_requests_check(host.requests, &count))
        return;
    struct reader reader = call_requests_begin(host.requests);
    struct writer writer = writer_into(area, CALL_AREA_SIZE);
    call_answers_write_begin(&writer);
    for (uint32_t i = 0; i < count; i++) {
        CHECK(call_request_next(&reader, &request));
        uint64_t offset = request.call == CALL_REST ? request.numbers[1] : 0;
        uint64_t left = MIN(host.size - offset, (uint64_t)200000);
        struct bytes data = left > 0 ? bytes_of(host.data + offset, left) : (struct bytes){ 0 };
        call_answer_write(&writer, host.value, data, request.call == CALL_REST ? left : host.size);
    }
    call_list_write_end(&writer, count);
    CHECK(!writer.failed);
    if (host.lies)
        memset(area + CALL_LIST_HEAD_SIZE, 0xff, 24);
    test->answer = writer.size;
}

static void ready(void)
{
    test_guest_init("");
    memset(&host, 0, sizeof(host));
    host.data = (const uint8_t *)"";
    test_guest.on_leave = host_answers;
}

static void put(uint32_t at, const char *text)
{
    memcpy(test_guest.memory + at, text, strlen(text));
}

#define S3N(name, ...)                                                                             \
    __extension__({                                                                                \
        uint64_t slots_[12] = { __VA_ARGS__ };                                                     \
        test_guest_call(s3n_##name, slots_) ? (int64_t)slots_[0] : INT64_MIN;                      \
    })

static struct call_request first_request(void)
{
    struct call_request request = { 0 };
    struct reader reader = call_requests_begin(host.requests);
    CHECK(call_request_next(&reader, &request));
    return request;
}

static void arguments_become_a_record(void)
{
    ready();
    put(100, "pricesneo12.5");
    CHECK_NUMBER(S3N(KV_SET, 100, 6, 106, 3, 109, 4, 0x123456789abcdef0), 0);
    struct call_request request = first_request();
    CHECK(request.call == CALL_KV_SET && request.numbers[0] == 0x123456789abcdef0);
    CHECK_BYTES(request.strings[0], BYTES_LITERAL("prices"));
    CHECK_BYTES(request.strings[1], BYTES_LITERAL("neo"));
    CHECK_BYTES(request.strings[2], BYTES_LITERAL("12.5"));
    host.value = 4;
    host.size = 4;
    host.data = (const uint8_t *)"12.5";
    CHECK_NUMBER(S3N(KV_GET, 100, 6, 106, 3, 200, 10), 4);
    CHECK_BYTES(bytes_of(test_guest.memory + 200, 5), BYTES_OF(((uint8_t[]){ "12.5" })));
    CHECK_NUMBER(host.count, 2);
}

/* Nothing is lost when the buffer is too small, and the call is not made again. */
static void small_buffers_get_the_size(void)
{
    ready();
    host_says(10, "0123456789");
    CHECK_NUMBER(S3N(KV_GET, 0, 0, 0, 0, 200, 4), 10);
    CHECK_BYTES(bytes_of(test_guest.memory + 200, 5),
                BYTES_OF(((uint8_t[]){ '0', '1', '2', '3', 0 })));
    CHECK_NUMBER(S3N(rest, 0, 4, 300, 100), 6);
    CHECK_BYTES(bytes_of(test_guest.memory + 300, 6), BYTES_LITERAL("456789"));
    CHECK_NUMBER(S3N(rest, 0, 10, 300, 100), 0);
    CHECK_NUMBER(S3N(rest, 1, 0, 300, 100), 0);
    CHECK_NUMBER(S3N(rest, 0, 0xffffffff, 300, 100), 0);
    CHECK_NUMBER(S3N(KV_GET, 0, 0, 0, 0, 0, 0), 10); /* only asks for the size */
    CHECK_NUMBER(host.count, 2);
}

static void large_answers_are_fetched(void)
{
    ready();
    for (size_t i = 0; i < sizeof(large); i++)
        large[i] = (uint8_t)(i * 31 + i / 255);
    host_says(100000, large);
    CHECK_NUMBER(S3N(KV_GET, 0, 0, 0, 0, 1000, 100000), 100000);
    CHECK(memcmp(test_guest.memory + 1000, large, 100000) == 0 && host.count == 1);
    host_says(sizeof(large), large);
    CHECK_NUMBER(S3N(KV_GET, 0, 0, 0, 0, 0, 131072), sizeof(large));
    CHECK(memcmp(test_guest.memory, large, 131072) == 0 && host.count == 2);
    uint64_t got = 131072;
    while (got < sizeof(large)) {
        int64_t part = S3N(rest, 0, got, 0, 131072);
        if (part <= 0 || memcmp(test_guest.memory, large + got, (size_t)part) != 0) {
            CHECK(false);
            break;
        }
        got += (uint64_t)part;
    }
    CHECK_NUMBER(S3N(rest, 0, got, 0, 131072), 0);
}

static void errors_have_their_text(void)
{
    ready();
    host.value = CALL_ERROR_DENIED;
    host.data = (const uint8_t *)"no permission";
    host.size = 13;
    CHECK_NUMBER(S3N(KV_GET, 0, 0, 0, 0, 200, 100), CALL_ERROR_DENIED);
    CHECK_NUMBER(S3N(error_message, 300, 100), 13);
    CHECK_BYTES(bytes_of(test_guest.memory + 300, 13), BYTES_LITERAL("no permission"));
    CHECK_NUMBER(S3N(error_message, 400, 2), 13);
    CHECK_BYTES(bytes_of(test_guest.memory + 400, 3), BYTES_OF(((uint8_t[]){ 'n', 'o', 0 })));
    host.value = 0;
    CHECK_NUMBER(S3N(KV_DELETE, 0, 0, 0, 0), 0);
    CHECK_NUMBER(S3N(error_message, 300, 100), 0);
    host.refuses = true;
    CHECK_NUMBER(S3N(KV_DELETE, 0, 0, 0, 0), CALL_ERROR_INTERNAL);
    CHECK(S3N(error_message, 300, 100) > 0);
}

/* Addresses and sizes outside memory, wrapped around, of nothing: every parameter of every call. */
static void hostile_pointers_make_no_call(void)
{
    static const uint64_t bad[][2] = {
        { TEST_MEMORY_SIZE, 1 },     { TEST_MEMORY_SIZE - 1, 2 }, { 0xffffffff, 1 },
        { 0xffffffff, 0xffffffff },  { 1, 0xffffffff },           { TEST_MEMORY_SIZE + 1, 0 },
        { 0, TEST_MEMORY_SIZE + 1 },
    };
    static const struct {
        binding_function *function;
        const char *shape;
    } rows[] = {
#define ROW(number, name, field, type, shape, permission, scope, idempotent) { s3n_##name, shape },
        CALLS(ROW)
#undef ROW
    };
    ready();
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        unsigned slot = 0;
        for (const char *at = rows[i].shape; *at != '\0'; at++) {
            if (*at == '>')
                continue;
            for (unsigned j = 0; *at == 's' && j < ARRAY_COUNT(bad); j++) {
                uint64_t slots[16] = { 0 };
                slots[slot] = bad[j][0];
                slots[slot + 1] = bad[j][1];
                CHECK(test_guest_call(rows[i].function, slots));
                CHECK_NUMBER((int64_t)slots[0], CALL_ERROR_MEMORY);
            }
            slot += *at == 's' ? 2 : 1;
        }
    }
    for (unsigned j = 0; j < ARRAY_COUNT(bad); j++) {
        CHECK_NUMBER(S3N(batch, bad[j][0], bad[j][1], 0, 0), CALL_ERROR_MEMORY);
        CHECK_NUMBER(S3N(batch, 0, 0, bad[j][0], bad[j][1]), CALL_ERROR_MEMORY);
        CHECK_NUMBER(S3N(rest, 0, 0, bad[j][0], bad[j][1]), CALL_ERROR_MEMORY);
        CHECK_NUMBER(S3N(error_message, bad[j][0], bad[j][1]), CALL_ERROR_MEMORY);
        CHECK_NUMBER(S3N(random, bad[j][0], bad[j][1]), CALL_ERROR_MEMORY);
        CHECK_NUMBER(S3N(hash, 1, bad[j][0], bad[j][1], 0, 32), CALL_ERROR_MEMORY);
        CHECK_NUMBER(S3N(hash, 1, 0, 1, bad[j][0], bad[j][1]), CALL_ERROR_MEMORY);
        CHECK_NUMBER(S3N(log, 6, bad[j][0], bad[j][1]), CALL_ERROR_MEMORY);
    }
    CHECK_NUMBER(host.count, 0);
}

/* Requests that have no room; buffers that lie over each other; empty ones at memory's end. */
static void edges(void)
{
    ready();
    /* Three strings of all memory: more than the area. */
    CHECK_NUMBER(S3N(KV_SET, 0, TEST_MEMORY_SIZE, 0, TEST_MEMORY_SIZE, 0, TEST_MEMORY_SIZE, 0),
                 CALL_ERROR_LIMIT);
    CHECK_NUMBER(host.count, 0);
    CHECK_NUMBER(S3N(KV_DELETE, TEST_MEMORY_SIZE, 0, 0, 0), 0);
    put(50, "prices");
    host_says(6, "answer");
    CHECK_NUMBER(S3N(KV_GET, 50, 6, 50, 6, 50, 6), 6);
    CHECK_BYTES(first_request().strings[1], BYTES_LITERAL("prices"));
    CHECK_BYTES(bytes_of(test_guest.memory + 50, 6), BYTES_LITERAL("answer"));
    guest.mailbox->calls.capacity = CALL_AREA_SIZE - 1; /* as before the snapshot: none */
    CHECK_NUMBER(S3N(KV_GET, 50, 6, 50, 6, 50, 6), CALL_ERROR_UNAVAILABLE);
    CHECK_NUMBER(S3N(batch, 0, 16, 0, 0), CALL_ERROR_UNAVAILABLE);
    CHECK(S3N(error_message, 300, 100) > 0);
}

static void a_broken_answer_is_an_error(void)
{
    ready();
    host.lies = true;
    host_says(6, "answer");
    CHECK_NUMBER(S3N(KV_GET, 50, 6, 50, 6, 50, 6), CALL_ERROR_INTERNAL);
}

static void lists_go_as_they_are(void)
{
    static uint8_t list[4096];
    struct writer writer = writer_into(list, sizeof(list));
    const struct call_request request = { .call = CALL_ABOUT };
    struct call_answer answer;
    uint32_t count;
    ready();
    call_requests_write_begin(&writer);
    for (unsigned i = 0; i < CALL_COUNT_MAX; i++)
        call_request_write(&writer, &request);
    call_list_write_end(&writer, CALL_COUNT_MAX);
    memcpy(test_guest.memory + 64, list, writer.size);
    host_says(3, "abc");
    int64_t size = S3N(batch, 64, writer.size, 8192, 65536);
    REQUIRE(size > 0 && size < 65536);
    CHECK(call_answers_check(bytes_of(test_guest.memory + 8192, (size_t)size), &count));
    CHECK(count == CALL_COUNT_MAX && host.count == 1);
    struct reader reader = call_answers_begin(bytes_of(test_guest.memory + 8192, (size_t)size));
    CHECK(call_answer_next(&reader, &answer) && answer.value == 3);
    CHECK_BYTES(answer.data, BYTES_LITERAL("abc"));
    /* A small buffer: the list's rest, and the data of one. */
    CHECK_NUMBER(S3N(batch, 64, writer.size, 8192, 10), size);
    CHECK_NUMBER(S3N(rest, 0xffffffff, 10, 20000, 65536), size - 10);
    CHECK_BYTES(bytes_of(test_guest.memory + 20000, 6), bytes_of(test_guest.memory + 8202, 6));
    CHECK_NUMBER(S3N(rest, 63, 1, 300, 100), 2);
    CHECK_NUMBER(S3N(batch, 64, writer.size - 8, 8192, 65536), CALL_ERROR_INVALID);
    CHECK_NUMBER(S3N(batch, 0, 0, 0, 0), CALL_ERROR_INVALID);
}

static void what_needs_no_exit(void)
{
    static const uint8_t zeros[32];
    ready();
    CHECK_NUMBER(S3N(abi, 0), CALL_ABI_VERSION);
    CHECK_NUMBER(S3N(random, 100, 32), 0);
    CHECK(memcmp(test_guest.memory + 100, zeros, 32) != 0);
    CHECK_NUMBER(S3N(random, 0, 0), 0);
    put(0, "abc");
    CHECK_NUMBER(S3N(hash, 1, 0, 3, 100, 32), 32);
    CHECK_NUMBER(test_guest.memory[100], 0xba);
    CHECK_NUMBER(S3N(hash, 3, 0, 3, 200, 1), 64);
    CHECK(test_guest.memory[200] == 0xdd && test_guest.memory[201] == 0);
    CHECK_NUMBER(S3N(hash, 0, 0, 3, 100, 32), CALL_ERROR_UNSUPPORTED);
    CHECK_NUMBER(S3N(hash, 0xffffffff, 0, 3, 100, 32), CALL_ERROR_UNSUPPORTED);
    CHECK_NUMBER(S3N(time, 0), 1700000000ll * 1000000000);
    CHECK_NUMBER(host.count, 0);
}

static void logs_have_levels(void)
{
    ready();
    put(0, "one\ntwo");
    CHECK_NUMBER(S3N(log, 4, 0, 7), 0);
    CHECK_NUMBER(S3N(log, 7, 0, 0), 0);
    CHECK_BYTES(bytes_of((uint8_t *)test_guest.mailbox + 16384, test_guest.mailbox->errors.size),
                BYTES_LITERAL("<4>one\n<4>two\n<7>\n"));
    CHECK_NUMBER(S3N(log, 8, 0, 7), CALL_ERROR_INVALID);
    test_guest.control.settings.flags = SETTINGS_NO_LOG;
    CHECK_NUMBER(S3N(log, 4, 0, 7), CALL_ERROR_DENIED);
    CHECK(S3N(error_message, 300, 100) > 0);
    test_guest.control.settings.flags = 0;
    put(0, "01234567890123456789012345678901234567890123456789012345678901234567890123456789");
    for (unsigned i = 0; i < 3; i++)
        (void)S3N(log, 6, 0, 80);
    CHECK(test_guest_left()->reason == GUEST_EXIT_LIMIT);
}

static const struct test tests[] = {
    TEST(arguments_become_a_record),
    TEST(small_buffers_get_the_size),
    TEST(large_answers_are_fetched),
    TEST(errors_have_their_text),
    TEST(hostile_pointers_make_no_call),
    TEST(edges),
    TEST(a_broken_answer_is_an_error),
    TEST(lists_go_as_they_are),
    TEST(what_needs_no_exit),
    TEST(logs_have_levels),
};
TEST_MAIN(tests)
