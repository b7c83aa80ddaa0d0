/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/errno.h"
#include "guest/memory.h"
#include "guest/test_guest.h"
#include "tests/harness.h"

#include <string.h>

static uint32_t memory_u32(uint32_t address)
{
    return load_u32(test_guest.memory + address);
}

static uint64_t memory_u64(uint32_t address)
{
    return load_u64(test_guest.memory + address);
}

/* One buffer of a vector at `vector`. */
static void put_buffer(uint32_t vector, uint32_t address, uint32_t size)
{
    store_u32(test_guest.memory + vector, address);
    store_u32(test_guest.memory + vector + 4, size);
}

static struct bytes output(const struct mailbox_area *area)
{
    return bytes_of((const uint8_t *)test_guest.mailbox + area->offset, area->size);
}

static void every_binding_is_there(void)
{
    for (unsigned i = 0; i < BINDING_COUNT; i++)
        CHECK_NOTE(binding_table[i] != NULL, "binding %u", i);
    for (unsigned i = 0; i < HELPER_COUNT; i++)
        CHECK_NOTE(helper_table[i] != NULL, "helper %u", i);
}

static void writes_gather(void)
{
    test_guest_init("");
    memcpy(test_guest.memory + 100, "hello, world", 12);
    put_buffer(16, 100, 7);
    put_buffer(24, 0, 0);
    put_buffer(32, 107, 5);
    CHECK_NUMBER(WASI(FD_WRITE, 1, 16, 3, 8), WASI_SUCCESS);
    CHECK_NUMBER(memory_u32(8), 12);
    CHECK_BYTES(output(&test_guest.mailbox->output), BYTES_LITERAL("hello, world"));
    CHECK_NUMBER(WASI(FD_WRITE, 2, 32, 1, 8), WASI_SUCCESS);
    CHECK_BYTES(output(&test_guest.mailbox->errors), BYTES_LITERAL("world"));
    CHECK_NUMBER(WASI(FD_WRITE, 0, 16, 3, 8), WASI_BADF);
    CHECK_NUMBER(WASI(FD_WRITE, 3, 16, 3, 8), WASI_BADF);
    CHECK_NUMBER(test_guest.leave_count, 0);
}

static void pointers_outside_fault(void)
{
    test_guest_init("input");
    const uint32_t end = TEST_MEMORY_SIZE;
    put_buffer(16, end - 4, 5);
    CHECK_NUMBER(WASI(FD_WRITE, 1, 16, 1, 8), WASI_FAULT);
    CHECK_NUMBER(WASI(FD_READ, 0, 16, 1, 8), WASI_FAULT);
    put_buffer(16, UINT32_MAX, UINT32_MAX);
    CHECK_NUMBER(WASI(FD_WRITE, 1, 16, 1, 8), WASI_FAULT);
    put_buffer(16, 100, 4);
    CHECK_NUMBER(WASI(FD_WRITE, 1, 16, 1, end - 3), WASI_FAULT);
    CHECK_NUMBER(WASI(FD_WRITE, 1, end - 4, 1, 8), WASI_FAULT);
    CHECK_NUMBER(WASI(FD_WRITE, 1, 16, UINT32_MAX, 8), WASI_FAULT);
    CHECK_NUMBER(test_guest.mailbox->output.size, 0);
    CHECK_NUMBER(WASI(RANDOM_GET, end - 4, 5), WASI_FAULT);
    CHECK_NUMBER(WASI(RANDOM_GET, end, 0), WASI_SUCCESS);
    CHECK_NUMBER(WASI(CLOCK_TIME_GET, 0, 0, end - 7), WASI_FAULT);
    CHECK_NUMBER(WASI(CLOCK_RES_GET, 0, end - 7), WASI_FAULT);
    CHECK_NUMBER(WASI(FD_FDSTAT_GET, 0, end - 23), WASI_FAULT);
    CHECK_NUMBER(WASI(FD_FILESTAT_GET, 0, end - 63), WASI_FAULT);
    CHECK_NUMBER(WASI(ARGS_SIZES_GET, end - 3, 8), WASI_FAULT);
    CHECK_NUMBER(WASI(POLL_ONEOFF, end - 47, 8, 1, 0), WASI_FAULT);
    CHECK_NUMBER(WASI(POLL_ONEOFF, 8, end - 31, 1, 0), WASI_FAULT);
    CHECK_NUMBER(test_guest.leave_count, 0);
}

static void reads_scatter_and_end(void)
{
    test_guest_init("abcdefgh");
    put_buffer(16, 100, 3);
    put_buffer(24, 200, 100);
    CHECK_NUMBER(WASI(FD_READ, 0, 16, 2, 8), WASI_SUCCESS);
    CHECK_NUMBER(memory_u32(8), 8);
    CHECK(memcmp(test_guest.memory + 100, "abc", 3) == 0);
    CHECK(memcmp(test_guest.memory + 200, "defgh", 5) == 0);
    CHECK_NUMBER(WASI(FD_READ, 0, 16, 2, 8), WASI_SUCCESS);
    CHECK_NUMBER(memory_u32(8), 0);
    CHECK_NUMBER(WASI(FD_READ, 1, 16, 2, 8), WASI_BADF);
    CHECK_NUMBER(test_guest.leave_count, 0);
}

static void too_much_output_leaves(void)
{
    test_guest_init("");
    put_buffer(16, 1000, 300);
    CHECK_NUMBER(WASI(FD_WRITE, 2, 16, 1, 8), -1);
    CHECK_NUMBER(test_guest_left()->reason, GUEST_EXIT_LIMIT);
    CHECK_NUMBER(test_guest_left()->first, 2);
    CHECK_NUMBER(test_guest.mailbox->errors.size, 256);
}

static void drain(struct test_guest *test, const struct test_leave *leave)
{
    if (leave->reason == GUEST_EXIT_OUTPUT)
        test->mailbox->errors.size = test->mailbox->output.size = 0;
    if (leave->reason == GUEST_EXIT_INPUT && test->leave_count < 3) {
        memcpy((char *)test->mailbox + test->mailbox->input.offset, "more", 4);
        test->mailbox->input.size = 4;
    }
}

static void streaming_drains_and_refills(void)
{
    test_guest_init("");
    test_guest.control.flags = CONTROL_STREAMING;
    test_guest.on_leave = drain;
    put_buffer(16, 1000, 600);
    CHECK_NUMBER(WASI(FD_WRITE, 2, 16, 1, 8), WASI_SUCCESS);
    CHECK_NUMBER(test_guest.leave_count, 2);
    CHECK_NUMBER(test_guest_left()->reason, GUEST_EXIT_OUTPUT);
    CHECK_NUMBER(test_guest.mailbox->errors.size, 600 - 2 * 256);
    test_guest.leave_count = 0;
    for (unsigned round = 0; round < 2; round++) {
        CHECK_NUMBER(WASI(FD_READ, 0, 16, 1, 8), WASI_SUCCESS);
        CHECK_NUMBER(memory_u32(8), 4);
    }
    CHECK_NUMBER(WASI(FD_READ, 0, 16, 1, 8), WASI_SUCCESS);
    CHECK_NUMBER(memory_u32(8), 0);
    CHECK_NUMBER(test_guest.leave_count, 3);
    CHECK_NUMBER(WASI(FD_READ, 0, 16, 1, 8), WASI_SUCCESS);
    CHECK_NUMBER(test_guest.leave_count, 3); /* the end is remembered */
}

static void strings_arrive(void)
{
    static const char text[] = "program\0-v\0last";
    test_guest_init("");
    memcpy((char *)test_guest.mailbox + 4096, text, sizeof(text));
    test_guest.mailbox->arguments = (struct mailbox_area){
        .offset = 4096, .capacity = sizeof(text), .size = sizeof(text), .count = 3
    };
    CHECK_NUMBER(WASI(ARGS_SIZES_GET, 8, 12), WASI_SUCCESS);
    CHECK_NUMBER(memory_u32(8), 3);
    CHECK_NUMBER(memory_u32(12), sizeof(text));
    CHECK_NUMBER(WASI(ARGS_GET, 16, 500), WASI_SUCCESS);
    CHECK_NUMBER(memory_u32(16), 500);
    CHECK_NUMBER(memory_u32(20), 508);
    CHECK_NUMBER(memory_u32(24), 511);
    CHECK(memcmp(test_guest.memory + 500, text, sizeof(text)) == 0);
    CHECK_NUMBER(WASI(ARGS_GET, 16, TEST_MEMORY_SIZE - 5), WASI_FAULT);
    CHECK_NUMBER(WASI(ENVIRON_SIZES_GET, 8, 12), WASI_SUCCESS);
    CHECK_NUMBER(memory_u32(8), 0);
    CHECK_NUMBER(WASI(ENVIRON_GET, 16, 500), WASI_SUCCESS);
}

static void descriptors_close_and_move(void)
{
    test_guest_init("");
    CHECK_NUMBER(WASI(FD_FDSTAT_GET, 1, 100), WASI_SUCCESS);
    CHECK_NUMBER(memory_u64(108) & WASI_RIGHT_WRITE, WASI_RIGHT_WRITE);
    CHECK_NUMBER(WASI(FD_FDSTAT_SET_FLAGS, 1, WASI_FD_NONBLOCK), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_FDSTAT_SET_FLAGS, 1, 2), WASI_NOTSUP);
    CHECK_NUMBER(WASI(FD_FDSTAT_GET, 1, 100), WASI_SUCCESS);
    CHECK_NUMBER(load_u16(test_guest.memory + 102), WASI_FD_NONBLOCK);
    CHECK_NUMBER(WASI(FD_FDSTAT_SET_RIGHTS, 1, WASI_RIGHT_READ, 0), WASI_NOTCAPABLE);
    CHECK_NUMBER(WASI(FD_FDSTAT_SET_RIGHTS, 1, WASI_RIGHT_WRITE, 0), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_RENUMBER, 2, 0), WASI_SUCCESS);
    put_buffer(16, 100, 4);
    CHECK_NUMBER(WASI(FD_WRITE, 0, 16, 1, 8), WASI_SUCCESS);
    CHECK_NUMBER(test_guest.mailbox->errors.size, 4);
    CHECK_NUMBER(WASI(FD_WRITE, 2, 16, 1, 8), WASI_BADF);
    CHECK_NUMBER(WASI(FD_RENUMBER, 2, 0), WASI_BADF);
    CHECK_NUMBER(WASI(FD_CLOSE, 1), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_CLOSE, 1), WASI_BADF);
    CHECK_NUMBER(WASI(FD_WRITE, 1, 16, 1, 8), WASI_BADF);
}

/* What needs files or sockets answers as a pipe would, and EBADF for numbers that are not open. */
static void the_rest_answers_by_kind(void)
{
    static const struct {
        enum binding binding;
        int error;
        int unopened;
    } rows[] = {
        { BINDING_FD_ADVISE, WASI_SPIPE, WASI_BADF },
        { BINDING_FD_ALLOCATE, WASI_NOTSUP, WASI_BADF },
        { BINDING_FD_DATASYNC, WASI_INVAL, WASI_BADF },
        { BINDING_FD_FILESTAT_SET_SIZE, WASI_INVAL, WASI_BADF },
        { BINDING_FD_FILESTAT_SET_TIMES, WASI_NOTSUP, WASI_BADF },
        { BINDING_FD_PREAD, WASI_SPIPE, WASI_BADF },
        { BINDING_FD_PRESTAT_GET, WASI_BADF, WASI_BADF },
        { BINDING_FD_PRESTAT_DIR_NAME, WASI_BADF, WASI_BADF },
        { BINDING_FD_PWRITE, WASI_SPIPE, WASI_BADF },
        { BINDING_FD_READDIR, WASI_NOTDIR, WASI_BADF },
        { BINDING_FD_SEEK, WASI_SPIPE, WASI_BADF },
        { BINDING_FD_SYNC, WASI_INVAL, WASI_BADF },
        { BINDING_FD_TELL, WASI_SPIPE, WASI_BADF },
        { BINDING_PATH_CREATE_DIRECTORY, WASI_NOTDIR, WASI_BADF },
        { BINDING_PATH_FILESTAT_GET, WASI_NOTDIR, WASI_BADF },
        { BINDING_PATH_FILESTAT_SET_TIMES, WASI_NOTDIR, WASI_BADF },
        { BINDING_PATH_LINK, WASI_NOTDIR, WASI_BADF },
        { BINDING_PATH_OPEN, WASI_NOTDIR, WASI_BADF },
        { BINDING_PATH_READLINK, WASI_NOTDIR, WASI_BADF },
        { BINDING_PATH_REMOVE_DIRECTORY, WASI_NOTDIR, WASI_BADF },
        { BINDING_PATH_RENAME, WASI_NOTDIR, WASI_BADF },
        { BINDING_PATH_UNLINK_FILE, WASI_NOTDIR, WASI_BADF },
        { BINDING_PROC_RAISE, WASI_NOTSUP, WASI_NOTSUP },
        { BINDING_SCHED_YIELD, WASI_SUCCESS, WASI_SUCCESS },
        { BINDING_SOCK_ACCEPT, WASI_NOTSOCK, WASI_BADF },
        { BINDING_SOCK_RECV, WASI_NOTSOCK, WASI_BADF },
        { BINDING_SOCK_SEND, WASI_NOTSOCK, WASI_BADF },
        { BINDING_SOCK_SHUTDOWN, WASI_NOTSOCK, WASI_BADF },
    };
    test_guest_init("");
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        uint64_t opened[9] = { 1 }, unopened[9] = { 77 };
        REQUIRE(test_guest_call(binding_table[rows[i].binding], opened));
        CHECK_NOTE((int)opened[0] == rows[i].error, "binding %d: %d", rows[i].binding,
                   (int)opened[0]);
        REQUIRE(test_guest_call(binding_table[rows[i].binding], unopened));
        CHECK_NOTE((int)unopened[0] == rows[i].unopened, "binding %d: %d", rows[i].binding,
                   (int)unopened[0]);
    }
    CHECK_NUMBER(WASI(PATH_SYMLINK, 0, 0, 1), WASI_NOTDIR);
    CHECK_NUMBER(WASI(PATH_SYMLINK, 0, 0, 9), WASI_BADF);
    CHECK_NUMBER(WASI(PATH_RENAME, 0, 0, 0, 9), WASI_NOTDIR);
}

static void clocks_tell(void)
{
    test_guest_init("");
    CHECK_NUMBER(WASI(CLOCK_TIME_GET, 0, 0, 8), WASI_SUCCESS);
    CHECK_NUMBER(memory_u64(8), (int64_t)test_guest.control.realtime_ns);
    CHECK_NUMBER(WASI(CLOCK_TIME_GET, 1, 0, 8), WASI_SUCCESS);
    CHECK_NUMBER(memory_u64(8), 5000);
    CHECK_NUMBER(WASI(CLOCK_TIME_GET, 2, 0, 8), WASI_SUCCESS);
    CHECK_NUMBER(memory_u64(8), 0);
    CHECK_NUMBER(WASI(CLOCK_TIME_GET, 4, 0, 8), WASI_INVAL);
    CHECK_NUMBER(WASI(CLOCK_RES_GET, 1, 8), WASI_SUCCESS);
    CHECK_NUMBER(WASI(CLOCK_RES_GET, 4, 8), WASI_INVAL);
    test_guest.control.tsc_base = 0;
    CHECK_NUMBER(WASI(CLOCK_TIME_GET, 1, 0, 8), WASI_SUCCESS);
    CHECK_NUMBER(test_guest_left()->reason, GUEST_EXIT_CLOCK);
}

static void put_subscription(uint32_t at, uint64_t user, uint8_t kind, uint32_t id,
                             uint64_t timeout, uint16_t flags)
{
    uint8_t *memory = test_guest.memory + at;
    memset(memory, 0, 48);
    store_u64(memory, user);
    memory[8] = kind;
    store_u32(memory + 16, id);
    store_u64(memory + 24, timeout);
    store_u16(memory + 40, flags);
}

static void sleep_through(struct test_guest *test, const struct test_leave *leave)
{
    if (leave->reason == GUEST_EXIT_SLEEP)
        test->control.monotonic_ns += leave->first;
}

static void poll_waits_for_the_first_clock(void)
{
    test_guest_init("");
    test_guest.on_leave = sleep_through;
    put_subscription(1000, 11, 0, 1, 5000000, 0);
    put_subscription(1048, 22, 0, 1, 2000000, 0);
    CHECK_NUMBER(WASI(POLL_ONEOFF, 1000, 2000, 2, 8), WASI_SUCCESS);
    CHECK_NUMBER(memory_u32(8), 1);
    CHECK_NUMBER(memory_u64(2000), 22);
    CHECK_NUMBER(test_guest.leave_count, 1);
    CHECK_NUMBER(test_guest_left()->first, 2000000);
    put_subscription(1000, 33, 0, 1, 1, 1); /* absolute, long gone */
    CHECK_NUMBER(WASI(POLL_ONEOFF, 1000, 2000, 1, 8), WASI_SUCCESS);
    CHECK_NUMBER(memory_u64(2000), 33);
    CHECK_NUMBER(test_guest.leave_count, 1);
    CHECK_NUMBER(WASI(POLL_ONEOFF, 1000, 2000, 0, 8), WASI_INVAL);
}

static void poll_answers_streams_at_once(void)
{
    test_guest_init("abc");
    put_subscription(1000, 1, 0, 1, 5000000, 0);
    put_subscription(1048, 2, 1, 0, 0, 0);
    put_subscription(1096, 3, 2, 1, 0, 0);
    put_subscription(1144, 4, 1, 55, 0, 0);
    put_subscription(1192, 5, 0, 9, 0, 0);
    CHECK_NUMBER(WASI(POLL_ONEOFF, 1000, 2000, 5, 8), WASI_SUCCESS);
    CHECK_NUMBER(memory_u32(8), 4);
    CHECK_NUMBER(memory_u64(2000), 2);
    CHECK_NUMBER(memory_u64(2016), 3); /* bytes to read */
    CHECK_NUMBER(memory_u64(2032), 3);
    CHECK_NUMBER(load_u16(test_guest.memory + 2064 + 8), WASI_BADF);
    CHECK_NUMBER(load_u16(test_guest.memory + 2096 + 8), WASI_INVAL);
    CHECK_NUMBER(test_guest.leave_count, 0);
}

static void proc_exit_leaves(void)
{
    test_guest_init("");
    CHECK_NUMBER(WASI(PROC_EXIT, 42), -1);
    CHECK_NUMBER(test_guest_left()->reason, GUEST_EXIT_DONE);
    CHECK_NUMBER(test_guest_left()->first, 42);
}

/* A number as a hostile module would choose it. */
static uint64_t hostile(uint64_t *random)
{
    static const uint64_t edges[] = { 0,
                                      1,
                                      2,
                                      3,
                                      8,
                                      16,
                                      48,
                                      4096,
                                      TEST_MEMORY_SIZE - 8,
                                      TEST_MEMORY_SIZE - 1,
                                      TEST_MEMORY_SIZE,
                                      INT32_MAX,
                                      UINT32_MAX,
                                      UINT32_MAX - 7,
                                      INT64_MAX,
                                      UINT64_MAX };
    uint64_t choice = test_random(random);
    if (choice % 4 == 0)
        return test_random(random);
    if (choice % 4 == 1)
        return test_random(random) % TEST_MEMORY_SIZE;
    return edges[choice / 4 % ARRAY_COUNT(edges)];
}

static void sleep_and_drain(struct test_guest *test, const struct test_leave *leave)
{
    test->leave_count = 1;
    sleep_through(test, leave);
    drain(test, leave);
    /* Whatever it waits for has come. */
    test->control.realtime_ns = UINT64_MAX / 2;
    test->control.monotonic_ns = UINT64_MAX / 2;
}

static void random_calls_stay_inside(void)
{
    static const struct test_file files[] = { { FILES_FOLDER, 0, "/", NULL },
                                              { FILES_REGULAR, 0, "a", "content" },
                                              { FILES_FOLDER, 0, "b", NULL },
                                              { FILES_LINK, 2, "c", "../a" } };
    uint64_t random = 3;
    unsigned left = 0, answered = 0;
    for (unsigned round = 0; round < 20000; round++) {
        uint64_t slots[16];
        if (round % 50 == 0) {
            test_guest_init("some input for whoever reads");
            if (round % 200 != 0)
                test_guest_files(files, round % 150 == 0 ? 0 : ARRAY_COUNT(files), 300000);
            test_guest.control.flags = round % 100 == 0 ? CONTROL_STREAMING : 0;
            for (unsigned i = 0; i < TEST_MEMORY_SIZE; i += 4)
                store_u32(test_guest.memory + i, (uint32_t)hostile(&random));
        }
        test_guest.leave_count = 0;
        test_guest.on_leave = sleep_and_drain;
        for (unsigned i = 0; i < ARRAY_COUNT(slots); i++)
            slots[i] = hostile(&random);
        if (test_guest_call(binding_table[test_random(&random) % BINDING_COUNT], slots))
            answered++;
        else
            left++;
        REQUIRE(test_guest.mailbox->output.size <= test_guest.mailbox->output.capacity);
        REQUIRE(test_guest.mailbox->errors.size <= test_guest.mailbox->errors.capacity);
    }
    CHECK(answered > 10000 && left > 10);
}

static const struct test tests[] = {
    TEST(every_binding_is_there),
    TEST(writes_gather),
    TEST(pointers_outside_fault),
    TEST(reads_scatter_and_end),
    TEST(too_much_output_leaves),
    TEST(streaming_drains_and_refills),
    TEST(strings_arrive),
    TEST(descriptors_close_and_move),
    TEST(the_rest_answers_by_kind),
    TEST(clocks_tell),
    TEST(poll_waits_for_the_first_clock),
    TEST(poll_answers_streams_at_once),
    TEST(proc_exit_leaves),
    TEST(random_calls_stay_inside),
};
TEST_MAIN(tests)
