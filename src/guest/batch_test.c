/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/guest.h"
#include "guest/test_guest.h"
#include "tests/harness.h"

#include "abi/layout.h"

#include <string.h>

enum {
    STATION_COUNT = 4,
    STATION_SIZE = 8192,
    PAGE_COUNT = TEST_MEMORY_SIZE / LAYOUT_PAGE_SIZE
};

static struct {
    _Alignas(4096) struct batch batch;
    _Alignas(4096) uint8_t stations[STATION_COUNT * STATION_SIZE];
    _Alignas(4096) uint8_t content[TEST_MEMORY_SIZE];
    uint64_t entries[PAGE_COUNT];
    uint64_t touched[1];
    uint64_t runs;
    uint64_t random[8];
    bool grows;
    bool submits_one;
} lane;

static void submit(uint32_t station, uint8_t seed)
{
    struct batch_entry *entry = &lane.batch.entries[lane.batch.submitted % BATCH_ENTRY_COUNT];
    entry->station = station;
    memset(entry->seed, seed, sizeof(entry->seed));
    lane.batch.submitted++;
}

/* Checks that memory is the snapshot, then writes to a tracked page and draws a number. */
static void program(struct test_guest *test, uint64_t code UNUSED, uint64_t *frame UNUSED)
{
    uint64_t slots[2] = { 8192, 8 };
    CHECK(memcmp(test->memory, lane.content, TEST_MEMORY_SIZE) == 0);
    binding_table[BINDING_RANDOM_GET](&test->instance, slots);
    memcpy(&lane.random[lane.runs % 8], test->memory + 8192, 8);
    test->memory[5] = (uint8_t)(lane.runs + 1);
    lane.entries[0] = lane.entries[2] = 0x40;
    ((uint8_t *)guest.mailbox)[sizeof(struct mailbox)] = (uint8_t)(lane.runs + 1);
    if (lane.grows)
        test->instance.memory_size += 65536;
    if (lane.submits_one)
        submit(3, 9);
    lane.submits_one = false;
    lane.runs++;
    guest_exit(40 + (uint32_t)lane.runs);
}

static void setup(uint32_t flags)
{
    test_guest_init("");
    memset(&lane, 0, sizeof(lane));
    memset(lane.content + 4096, 7, 4096);
    memcpy(test_guest.memory, lane.content, TEST_MEMORY_SIZE);
    struct control *control = &test_guest.control;
    control->entry = ENTRY_COMMAND;
    control->flags = CONTROL_BATCH | flags;
    control->batch = (uint64_t)&lane.batch;
    control->stations = (uint64_t)lane.stations;
    control->station_size = STATION_SIZE;
    control->station_count = STATION_COUNT;
    control->memory_size = TEST_MEMORY_SIZE;
    control->slice_end = UINT64_MAX;
    control->tsc_to_ns_mult = 1ull << 32;
    control->part_count = 1;
    control->parts[0] = (struct control_part){ .address = (uint64_t)test_guest.memory,
                                               .size = TEST_MEMORY_SIZE,
                                               .content = (uint64_t)lane.content,
                                               .entries = (uint64_t)lane.entries,
                                               .touched = (uint64_t)lane.touched };
    lane.touched[0] = 0x20;
    test_guest.on_call = program;
}

static void serve_plain(struct instance *instance, uint64_t *slots UNUSED)
{
    batch_serve(&test_guest.control, instance);
}

static uint64_t serve(void)
{
    uint64_t none = 0;
    test_guest.leave_count = 0;
    CHECK(!test_guest_call(serve_plain, &none));
    CHECK_NUMBER(test_guest_left()->reason, GUEST_EXIT_BATCH);
    return test_guest_left()->first;
}

static void serves_all_that_wait(void)
{
    setup(CONTROL_RESETS);
    for (uint32_t i = 0; i < 5; i++)
        submit(i % STATION_COUNT, (uint8_t)i);
    CHECK_NUMBER(serve(), BATCH_EXIT_RESET);
    CHECK_NUMBER(lane.runs, 5);
    CHECK_NUMBER(lane.batch.taken, 5);
    for (uint32_t i = 0; i < 5; i++) {
        const struct batch_entry *entry = &lane.batch.entries[i];
        CHECK_NUMBER(entry->done, i + 1);
        CHECK_NUMBER(entry->kind, BATCH_DONE);
        CHECK_NUMBER(entry->exit_code, 41 + i);
        CHECK_NUMBER(entry->memory_size, TEST_MEMORY_SIZE);
        for (uint32_t j = 0; j < i; j++)
            CHECK(lane.random[i] != lane.random[j]);
    }
    CHECK_NUMBER(lane.stations[sizeof(struct mailbox)], 5);
    CHECK_NUMBER(lane.stations[3 * STATION_SIZE + sizeof(struct mailbox)], 4);
}

/* Nobody in the guest knows what was written of a large page. */
static void leaves_large_pages_to_the_host(void)
{
    setup(CONTROL_RESETS);
    lane.touched[0] = 0xa0;
    submit(0, 1);
    submit(1, 2);
    CHECK_NUMBER(serve(), BATCH_EXIT_RESET);
    CHECK_NUMBER(lane.runs, 1);
}

/* The answer is out before the state is fresh; whoever watches for it may bring more. */
static void lingers_when_told(void)
{
    setup(CONTROL_RESETS);
    lane.batch.lingers = 1;
    lane.submits_one = true;
    submit(0, 1);
    CHECK_NUMBER(serve(), BATCH_EXIT_IDLE);
    CHECK_NUMBER(lane.runs, 2);
    CHECK(memcmp(test_guest.memory, lane.content, TEST_MEMORY_SIZE) == 0);
    CHECK_NUMBER(serve(), BATCH_EXIT_IDLE);
    CHECK_NUMBER(lane.runs, 2);
}

static void leaves_for_what_the_host_must_do(void)
{
    setup(0); /* may not restore itself */
    submit(0, 1);
    submit(1, 1);
    CHECK_NUMBER(serve(), BATCH_EXIT_RESET);
    CHECK_NUMBER(lane.runs, 1);

    setup(CONTROL_RESETS);
    lane.grows = true;
    submit(0, 1);
    submit(1, 1);
    CHECK_NUMBER(serve(), BATCH_EXIT_RESET);
    CHECK_NUMBER(lane.runs, 1);

    setup(CONTROL_RESETS);
    test_guest.control.slice_end = 1;
    submit(0, 1);
    submit(1, 1);
    CHECK_NUMBER(serve(), BATCH_EXIT_RESET);
    CHECK_NUMBER(lane.runs, 1);
    CHECK_NUMBER(lane.batch.taken, 1);
}

static void refuses_a_station_that_is_not_there(void)
{
    uint64_t none = 0;
    setup(CONTROL_RESETS);
    submit(STATION_COUNT, 1);
    CHECK(!test_guest_call(serve_plain, &none));
    CHECK_NUMBER(test_guest_left()->reason, GUEST_EXIT_TRAP);
    CHECK_NUMBER(test_guest_left()->first, TRAP_ASSERTION);
    CHECK_NUMBER(lane.runs, 0);
}

/* What nobody touched is not looked at. */
static void untouched_tables_are_passed_over(void)
{
    setup(CONTROL_RESETS);
    lane.touched[0] = 0;
    lane.batch.lingers = 1;
    submit(0, 1);
    CHECK_NUMBER(serve(), BATCH_EXIT_IDLE);
    CHECK_NUMBER(test_guest.memory[5], 1);
}

static void counts_wrap_around(void)
{
    setup(CONTROL_RESETS);
    lane.batch.submitted = lane.batch.taken = UINT32_MAX - 1;
    for (uint32_t i = 0; i < 4; i++)
        submit(i, (uint8_t)i);
    CHECK_NUMBER(serve(), BATCH_EXIT_RESET);
    CHECK_NUMBER(lane.runs, 4);
    CHECK_NUMBER(lane.batch.taken, 2);
    CHECK_NUMBER(lane.batch.entries[BATCH_ENTRY_COUNT - 2].done, UINT32_MAX);
    CHECK_NUMBER(lane.batch.entries[BATCH_ENTRY_COUNT - 1].done, 0);
    CHECK_NUMBER(lane.batch.entries[1].done, 2);
}

static const struct test tests[] = {
    TEST(serves_all_that_wait),
    TEST(leaves_large_pages_to_the_host),
    TEST(lingers_when_told),
    TEST(leaves_for_what_the_host_must_do),
    TEST(refuses_a_station_that_is_not_there),
    TEST(untouched_tables_are_passed_over),
    TEST(counts_wrap_around),
};
TEST_MAIN(tests)
