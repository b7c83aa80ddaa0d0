/* SPDX-License-Identifier: Apache-2.0 */
/* What only the kvm backend knows: which pages count as written. */
#include "base/file.h"
#include "slipstream/kvm.h"
#include "slipstream/program.h"
#include "slipstream/shell.h"
#include "slipstream/test_image.h"
#include "tests/harness.h"

#include <string.h>

enum {
    MEMORY_SIZE = 8 << 20,
    WIDE_PAGES = 300,
    ROUND_PAGES = 40
};

struct bench {
    struct engine *engine;
    struct program *program;
    struct shell *shell;
    struct error error;
    int image;
    bool prefers_large;
};

static void bench_done(struct bench *bench)
{
    shell_close(bench->shell);
    program_close(bench->program);
    engine_close(bench->engine);
    file_close(&bench->image);
}

#define BENCH __attribute__((cleanup(bench_done))) struct bench

static bool bench_open(struct bench *bench, uint64_t memory_size)
{
    struct test_image image = { .memory_size = memory_size,
                                .memory_size_max = 64 << 20,
                                .command = TEST_echo,
                                .start = TEST_NONE };
    struct settings settings = { 0 };
    struct outcome outcome;
    bench->image = test_image_make(&image);
    if (!engine_open(&bench->engine, "kvm", &bench->error) ||
        !program_open(&bench->program, bench->image, &bench->error) ||
        !shell_open(&bench->shell, bench->engine, NULL, 0, &bench->error))
        return false;
    if (bench->prefers_large)
        bench->shell->machine->kvm->large_page_ns = 0;
    return shell_load(bench->shell, bench->program, &settings, &outcome, &bench->error);
}

static void store(struct bench *bench, uint64_t address, uint64_t number)
{
    uint64_t arguments[3] = { address, number, 0 }, result = 0;
    struct outcome outcome;
    REQUIRE(shell_call(bench->shell, test_offset(TEST_store), arguments, 3, &result, 1, &outcome,
                       &bench->error));
    REQUIRE(outcome.kind == OUTCOME_DONE);
}

static uint64_t count_written(const struct machine *machine)
{
    uint64_t count = 0;
    for (uint64_t page = 0; page < machine->memory.size / LAYOUT_PAGE_SIZE; page++)
        count += (*paging_entry(machine, REGION_MEMORY, page) & PAGE_DIRTY) != 0;
    return count;
}

static bool is_fresh(const struct machine *machine)
{
    const uint8_t *memory = machine->memory.host;
    uint64_t size = machine->memory.size;
    for (uint64_t at = 16; at < size - 1; at++)
        if (memory[at] != 0)
            return false;
    return memcmp(memory, "HELLO, IMAGE", 13) == 0 && memory[size - 1] == 0x5a;
}

/* One invocation that writes all over must not cost all later ones. */
static void the_set_is_pruned(void)
{
    if (!test_has_kvm())
        SKIP("/dev/kvm can't be opened here");
    BENCH bench = { .image = -1 };
    REQUIRE(bench_open(&bench, MEMORY_SIZE));
    const struct machine *machine = bench.shell->machine;
    store(&bench, 64, 1);
    REQUIRE(shell_reset(bench.shell, &bench.error));
    CHECK_NUMBER(count_written(machine), 1);
    for (uint64_t i = 0; i < WIDE_PAGES; i++)
        store(&bench, i * 5 * LAYOUT_PAGE_SIZE + 64, i + 1);
    for (unsigned round = 0; round < 2 * PRUNE_RESETS; round++) {
        REQUIRE(shell_reset(bench.shell, &bench.error));
        if (round == 1)
            CHECK_NUMBER(count_written(machine), WIDE_PAGES);
        store(&bench, 64, round + 1);
    }
    CHECK(count_written(machine) <= 2);
    /* What was forgotten is noticed again. */
    for (uint64_t i = 0; i < WIDE_PAGES; i += 7)
        store(&bench, i * 5 * LAYOUT_PAGE_SIZE + 64, i + 1);
    REQUIRE(shell_reset(bench.shell, &bench.error));
    CHECK(is_fresh(machine));
}

static bool traps(struct bench *bench, uint64_t address)
{
    uint64_t arguments[3] = { address, 1, 0 }, result = 0;
    struct outcome outcome;
    return shell_call(bench->shell, test_offset(TEST_store), arguments, 3, &result, 1, &outcome,
                      &bench->error) &&
           outcome.kind == OUTCOME_TRAPPED && outcome.reason == TRAP_MEMORY;
}

/* Registers travel through the run page alone: an invocation asks KVM for one entry, one that traps
 * at an address for another that returns at once, and a reset asks for nothing, but for the one
 * that makes the snapshot known. */
static void only_entries_are_asked_for(void)
{
    if (!test_has_kvm())
        SKIP("/dev/kvm can't be opened here");
    BENCH bench = { .image = -1 };
    REQUIRE(bench_open(&bench, 128 << 10));
    const struct machine *machine = bench.shell->machine;
    uint64_t calls = machine->call_count;
    for (unsigned round = 1; round <= 2 * HOT_RESETS; round++) {
        uint64_t runs = machine->run_count;
        store(&bench, 64, round);
        CHECK_NUMBER(machine->run_count, runs + 1);
        CHECK(traps(&bench, 128 << 10));
        CHECK_NUMBER(machine->run_count, runs + 3);
        REQUIRE(shell_reset(bench.shell, &bench.error));
        CHECK_NUMBER(machine->run_count, runs + 3);
        CHECK(round == HOT_RESETS || machine->call_count == calls);
        calls = machine->call_count;
    }
}

/* From the plain tables to the tracked ones, whatever the first 2 MiB stood in: what is written
 * before, at and after the change is restored, and the end of memory stays its end. */
static void check_changing_over(uint64_t size, bool prefers_large)
{
    BENCH bench = { .image = -1, .prefers_large = prefers_large };
    uint64_t random = size + prefers_large;
    REQUIRE(bench_open(&bench, size));
    const struct machine *machine = bench.shell->machine;
    bool has_large = prefers_large && size >= LARGE_PAGE_SIZE;
    CHECK(paging_is_large(machine, REGION_MEMORY, 0) == has_large);
    for (unsigned round = 0; round < 2 * HOT_RESETS; round++) {
        for (unsigned i = 0; i < ROUND_PAGES; i++) {
            store(&bench, 64 + test_random(&random) % (size - 80), i + 1);
        }
        CHECK(traps(&bench, size));
        REQUIRE(shell_reset(bench.shell, &bench.error));
        CHECK_NOTE(is_fresh(machine), "%llu bytes, round %u", (unsigned long long)size, round);
        bool is_tracked = size > WHOLE_COPY_SIZE || round + 1 >= HOT_RESETS;
        CHECK_NUMBER(machine->tree, is_tracked ? TREE_TRACKED : TREE_PLAIN);
    }
    CHECK(!paging_is_large(machine, REGION_MEMORY, 0));
}

static void changing_over_loses_nothing(void)
{
    static const uint64_t sizes[] = { 64 << 10, 1 << 20, 2 << 20, (4 << 20) + (64 << 10) };
    if (!test_has_kvm())
        SKIP("/dev/kvm can't be opened here");
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        check_changing_over(sizes[i], false);
        check_changing_over(sizes[i], true);
    }
}

/* A hot instance of any size knows its pages, and its guest can restore itself. */
static void hot_instances_learn(void)
{
    if (!test_has_kvm())
        SKIP("/dev/kvm can't be opened here");
    BENCH bench = { .image = -1 };
    REQUIRE(bench_open(&bench, 128 << 10));
    const struct machine *machine = bench.shell->machine;
    for (unsigned round = 0; round < HOT_RESETS; round++) {
        CHECK(!machine->restores_itself);
        store(&bench, 70000, round + 1);
        REQUIRE(shell_reset(bench.shell, &bench.error));
        CHECK(is_fresh(machine));
    }
    CHECK(machine->restores_itself);
    CHECK_NUMBER(count_written(machine), 1);
    for (uint64_t at = 64; at < 128 << 10; at += 3 * LAYOUT_PAGE_SIZE) {
        store(&bench, at, 9);
        REQUIRE(shell_reset(bench.shell, &bench.error));
        CHECK(is_fresh(machine));
    }
}

static const struct test tests[] = {
    TEST(the_set_is_pruned),
    TEST(hot_instances_learn),
    TEST(changing_over_loses_nothing),
    TEST(only_entries_are_asked_for),
};
TEST_MAIN(tests)
