/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/guest.h"
#include "guest/memory.h"
#include "guest/test_guest.h"
#include "tests/harness.h"

#include <string.h>

enum {
    CODE_ALLOC = 100,
    CODE_HANDLE,
    ROOM = 4096
};

/* What the reactor of a case returns. */
static struct {
    uint64_t room;
    uint64_t answer;
    char seen[64]; /* the request as s3n_handle found it */
    unsigned calls;
} reactor;

static void reactor_call(struct test_guest *test, uint64_t code, uint64_t *frame)
{
    reactor.calls++;
    if (code == CODE_ALLOC) {
        frame[0] = reactor.room;
        return;
    }
    CHECK_NUMBER(code, CODE_HANDLE);
    CHECK_NUMBER(frame[0], (uint32_t)reactor.room);
    memcpy(reactor.seen, test->memory + frame[0], frame[1]);
    frame[0] = reactor.answer;
}

static void handle_plain(struct instance *instance UNUSED, uint64_t *slots UNUSED)
{
    reactor_handle(&test_guest.control);
}

static bool handle(const char *request, uint64_t room, uint64_t answer)
{
    uint64_t none = 0;
    test_guest_init(request);
    memset(&reactor, 0, sizeof(reactor));
    reactor.room = room;
    reactor.answer = answer;
    test_guest.on_call = reactor_call;
    test_guest.control.entry = ENTRY_HANDLE;
    test_guest.control.code = CODE_HANDLE;
    test_guest.control.arguments[0] = CODE_ALLOC;
    memcpy(test_guest.memory + TEST_MEMORY_SIZE - 6, "answer", 6);
    return test_guest_call(handle_plain, &none);
}

static void check_left(enum guest_exit reason, uint64_t first)
{
    CHECK_NUMBER(test_guest.leave_count, 1);
    CHECK_NUMBER(test_guest_left()->reason, reason);
    CHECK_NUMBER(test_guest_left()->first, first);
    CHECK_NUMBER(test_guest.mailbox->output.size, 0);
}

static uint64_t answer_at(uint64_t address, uint64_t size)
{
    return address << 32 | size;
}

static void a_request_goes_through(void)
{
    const struct mailbox_area *output;
    CHECK(handle("request", ROOM, answer_at(TEST_MEMORY_SIZE - 6, 6)));
    output = &test_guest.mailbox->output;
    CHECK_STRING(reactor.seen, "request");
    CHECK_BYTES(bytes_of((const uint8_t *)test_guest.mailbox + output->offset, output->size),
                BYTES_LITERAL("answer"));
    CHECK_NUMBER(test_guest.leave_count, 0);
    /* upper bits of an i32 result don't count */
    CHECK(handle("request", 0xffffffff00000000ull | ROOM, answer_at(0, 0)));
    CHECK(handle("request", TEST_MEMORY_SIZE - 7, answer_at(TEST_MEMORY_SIZE, 0)));
}

static void room_outside_memory_is_refused(void)
{
    const uint64_t rooms[] = { 0, TEST_MEMORY_SIZE - 6, TEST_MEMORY_SIZE, 0xffffffff, 0x80000000 };
    for (size_t i = 0; i < ARRAY_COUNT(rooms); i++) {
        CHECK(!handle("request", rooms[i], 0));
        check_left(GUEST_EXIT_TRAP, TRAP_ALLOCATION);
        CHECK_NUMBER(reactor.calls, 1);
    }
}

static void answers_outside_memory_are_refused(void)
{
    const uint64_t answers[] = {
        answer_at(TEST_MEMORY_SIZE - 5, 6), answer_at(TEST_MEMORY_SIZE, 1),
        answer_at(TEST_MEMORY_SIZE + 1, 0), answer_at(0xffffffff, 0xffffffff),
        answer_at(0xffffffff, 1),           answer_at(0, TEST_MEMORY_SIZE + 1)
    };
    for (size_t i = 0; i < ARRAY_COUNT(answers); i++) {
        CHECK(!handle("request", ROOM, answers[i]));
        check_left(GUEST_EXIT_TRAP, TRAP_ANSWER);
    }
}

static void answers_end_at_the_outputs_capacity(void)
{
    CHECK(handle("request", ROOM, answer_at(0, 4096)));
    CHECK(!handle("request", ROOM, answer_at(0, 4097)));
    check_left(GUEST_EXIT_LIMIT, 1);
}

/* Descriptors survive from one entry to the next, the place in the input does not. */
static void descriptors_outlast_an_entry(void)
{
    test_guest_init("input");
    store_u32(test_guest.memory + 16, 100);
    store_u32(test_guest.memory + 20, 3);
    CHECK_NUMBER(WASI(FD_READ, 0, 16, 1, 8), 0);
    CHECK_NUMBER(WASI(FD_CLOSE, 2), 0);
    guest_init(&test_guest.control, test_guest.mailbox, &test_guest.instance);
    CHECK_NUMBER(WASI(FD_READ, 0, 16, 1, 8), 0);
    CHECK_BYTES(bytes_of(test_guest.memory + 100, 3), BYTES_LITERAL("inp"));
    CHECK(WASI(FD_WRITE, 2, 16, 1, 8) != 0);
}

static void a_reactor_prints_to_its_log(void)
{
    test_guest_init("request");
    guest = (struct guest){ 0 };
    test_guest.control.entry = ENTRY_INITIALISE;
    guest_init(&test_guest.control, test_guest.mailbox, &test_guest.instance);
    memcpy(test_guest.memory + 100, "log", 3);
    store_u32(test_guest.memory + 16, 100);
    store_u32(test_guest.memory + 20, 3);
    CHECK_NUMBER(WASI(FD_WRITE, 1, 16, 1, 8), 0);
    CHECK_NUMBER(test_guest.mailbox->output.size, 0);
    CHECK_NUMBER(test_guest.mailbox->errors.size, 3);
    CHECK_NUMBER(WASI(FD_READ, 0, 16, 1, 8), 0);
    CHECK_NUMBER(load_u32(test_guest.memory + 8), 0);
}

static const struct test tests[] = {
    TEST(a_request_goes_through),
    TEST(room_outside_memory_is_refused),
    TEST(answers_outside_memory_are_refused),
    TEST(answers_end_at_the_outputs_capacity),
    TEST(descriptors_outlast_an_entry),
    TEST(a_reactor_prints_to_its_log),
};
TEST_MAIN(tests)
