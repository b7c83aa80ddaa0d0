/* SPDX-License-Identifier: Apache-2.0 */
/* A real slipstream process behind struct worker. */
#include "abi/test_files.h"
#include "base/file.h"
#include "slipstream/test_worker.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void runs_an_invocation(void)
{
    REQUIRE_KVM();
    BENCH bench = { 0 };
    REQUIRE(bench_open(&bench, 2));
    REQUIRE(load(&bench, 7, TEST_echo, 60000));
    for (uint64_t round = 0; round < 50; round++) {
        struct worker_completion completion;
        struct bytes output;
        uint32_t slot;
        size_t size;
        REQUIRE(submit(&bench, 7, "in and out", round, &slot));
        CHECK_NUMBER(worker_running_count(bench.worker), 1);
        REQUIRE(wait_completion(&bench, &completion));
        CHECK_NUMBER(completion.token, (int64_t)round);
        CHECK_NUMBER(completion.slot, slot);
        CHECK_NUMBER(completion.outcome.kind, OUTCOME_DONE);
        CHECK_NUMBER(completion.outcome.exit_code, 10);
        struct mailbox *mailbox = worker_mailbox(bench.worker, slot, &size);
        REQUIRE(mailbox_area_view(mailbox, size, &mailbox->output, &output));
        CHECK_BYTES(output, BYTES_LITERAL("in and out"));
        worker_release(bench.worker, slot);
        CHECK(memchr(mailbox, 'i', size) == NULL);
    }
}

/* Three endless ones and a short one; the loops' limit is long enough when the short one is the
 * first to end. */
static void run_side_by_side(uint32_t loop_ms, bool *is_long_enough)
{
    BENCH bench = { 0 };
    REQUIRE(bench_open(&bench, 4));
    REQUIRE(load(&bench, 1, TEST_loop, loop_ms));
    REQUIRE(load(&bench, 2, TEST_echo, 60000));
    uint32_t slots[4], extra;
    for (unsigned i = 0; i < 3; i++)
        REQUIRE(submit(&bench, 1, "", i, &slots[i]));
    REQUIRE(submit(&bench, 2, "quick", 3, &slots[3]));
    CHECK(!worker_acquire(bench.worker, 2, CHANNEL_LANES_MAX, &extra));
    for (unsigned i = 0; i < 4; i++) {
        struct worker_completion completion;
        REQUIRE(wait_completion(&bench, &completion));
        bool is_echo = completion.token == 3;
        *is_long_enough = *is_long_enough || (is_echo && i == 0);
        CHECK_NUMBER(completion.outcome.kind, is_echo ? OUTCOME_DONE : OUTCOME_TIMEOUT);
        worker_release(bench.worker, completion.slot);
    }
    CHECK_NUMBER(worker_running_count(bench.worker), 0);
}

static void slots_run_side_by_side(void)
{
    REQUIRE_KVM();
    bool is_long_enough = false;
    /* On a busy machine it takes its time to get a processor, but not behind the others. */
    for (uint32_t loop_ms = 100; loop_ms <= 6400 && !is_long_enough; loop_ms *= 4)
        run_side_by_side(loop_ms, &is_long_enough);
    CHECK(is_long_enough);
}

/* The timer finds an endless loop where it is: in its one function. */
static void tells_where_time_is_spent(void)
{
    REQUIRE_KVM();
    BENCH bench = { 0 };
    struct error error = { 0 };
    struct worker_completion completion;
    uint32_t slot;
    REQUIRE(bench_open(&bench, 1));
    REQUIRE(load(&bench, 1, TEST_loop, 200));
    REQUIRE(submit(&bench, 1, "", 0, &slot));
    REQUIRE(wait_completion(&bench, &completion));
    CHECK_NUMBER(completion.outcome.kind, OUTCOME_TIMEOUT);
    worker_release(bench.worker, slot);
    REQUIRE(worker_profile_begin(bench.worker, 1, &error));
    enum worker_answer answer = WORKER_ANSWER_NONE;
    while (answer == WORKER_ANSWER_NONE)
        answer = worker_answer(bench.worker, &error);
    REQUIRE(answer == WORKER_ANSWER_DONE);
    const struct worker_profile *profile = worker_profile(bench.worker);
    CHECK(profile->total >= 1);
    REQUIRE(profile->count == 1);
    CHECK_NUMBER(profile->rows[0].function, 100 + TEST_loop);
    REQUIRE(worker_profile_begin(bench.worker, 2, &error));
    do
        answer = worker_answer(bench.worker, &error);
    while (answer == WORKER_ANSWER_NONE);
    CHECK_NUMBER(answer, WORKER_ANSWER_REFUSED);
    CHECK_NUMBER(error.code, ERROR_NOT_FOUND);
}

static void many_slots_work(void)
{
    REQUIRE_KVM();
    BENCH bench = { 0 };
    REQUIRE(bench_open(&bench, 32));
    REQUIRE(load(&bench, 1, TEST_echo, 5000));
    for (unsigned round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < 32; i++) {
            uint32_t slot;
            REQUIRE(submit(&bench, 1, "x", i, &slot));
        }
        for (unsigned i = 0; i < 32; i++) {
            struct worker_completion completion;
            REQUIRE(wait_completion(&bench, &completion));
            CHECK_NUMBER(completion.outcome.kind, OUTCOME_DONE);
            worker_release(bench.worker, completion.slot);
        }
    }
}

static void many_functions_share_slots(void)
{
    REQUIRE_KVM();
    BENCH bench = { 0 };
    REQUIRE(bench_open(&bench, 1));
    static const enum test_function commands[] = { TEST_echo,   TEST_unreachable, TEST_flood,
                                                   TEST_divide, TEST_recurse,     TEST_echo };
    static const enum outcome_kind kinds[] = { OUTCOME_DONE,    OUTCOME_TRAPPED, OUTCOME_LIMIT,
                                               OUTCOME_TRAPPED, OUTCOME_TRAPPED, OUTCOME_DONE };
    for (unsigned i = 0; i < ARRAY_COUNT(commands); i++)
        REQUIRE(load(&bench, 10 + i, commands[i], 1000));
    for (unsigned i = 0; i < 30; i++) {
        struct worker_completion completion;
        unsigned which = i * 5 % ARRAY_COUNT(commands);
        uint32_t slot;
        REQUIRE(submit(&bench, 10 + which, "x", i, &slot));
        REQUIRE(wait_completion(&bench, &completion));
        CHECK_NOTE(completion.outcome.kind == kinds[which], "round %u: function %u: outcome %u, %s",
                   i, which, completion.outcome.kind, trap_reason_text(completion.outcome.reason));
        worker_release(bench.worker, slot);
    }
    REQUIRE(worker_unload(bench.worker, 10, &bench.error));
    CHECK(!worker_unload(bench.worker, 10, &bench.error));
    CHECK_NUMBER(bench.error.code, ERROR_NOT_FOUND);
}

static void killed_process_fails_what_runs(void)
{
    REQUIRE_KVM();
    BENCH bench = { 0 };
    REQUIRE(bench_open(&bench, 3));
    REQUIRE(load(&bench, 1, TEST_loop, 0));
    uint32_t slot;
    REQUIRE(submit(&bench, 1, "", 100, &slot));
    REQUIRE(submit(&bench, 1, "", 101, &slot));
    kill(bench.pid, SIGKILL);
    for (unsigned i = 0; i < 2; i++) {
        struct worker_completion completion;
        REQUIRE(wait_completion(&bench, &completion));
        CHECK_NUMBER(completion.outcome.kind, OUTCOME_CRASHED);
        CHECK_NUMBER(completion.token, 100 + i);
    }
    CHECK(!worker_is_alive(bench.worker));
    CHECK(!worker_acquire(bench.worker, 1, CHANNEL_LANES_MAX, &slot));
    CHECK(!load(&bench, 2, TEST_echo, 0));
}

static void bad_images_are_refused(void)
{
    REQUIRE_KVM();
    BENCH bench = { 0 };
    REQUIRE(bench_open(&bench, 1));
    AUTO_CLOSE int descriptor = -1;
    struct settings limits = { 0 };
    REQUIRE(file_sealed(&descriptor, "bad", BYTES_LITERAL("no image"), &bench.error));
    CHECK(!worker_load(bench.worker, 1, descriptor, -1, &limits, &bench.error));
    CHECK_NUMBER(bench.error.code, ERROR_INVALID);
    struct test_image image = { .memory_size = 1 << 20,
                                .memory_size_max = 1 << 20,
                                .command = TEST_echo,
                                .start = TEST_unreachable };
    AUTO_CLOSE int trapping = test_image_make(&image);
    CHECK(!worker_load(bench.worker, 1, trapping, -1, &limits, &bench.error));
    CHECK_NUMBER(bench.error.code, ERROR_TRAPPED);
    limits.memory_size_max = 65536;
    CHECK(!worker_load(bench.worker, 1, trapping, -1, &limits, &bench.error));
    CHECK_NUMBER(bench.error.code, ERROR_LIMIT);
}

static void files_are_checked(void)
{
    REQUIRE_KVM();
    static const struct test_file rows[] = { { FILES_FOLDER, 0, "/", NULL },
                                             { FILES_REGULAR, 0, "a", "content" } };
    BENCH bench = { 0 };
    REQUIRE(bench_open(&bench, 1));
    AUTO_CLOSE int files = -1;
    AUTO_CLOSE int wrong = -1;
    uint8_t archive[512];
    struct settings settings = { 0 };
    struct test_image options = {
        .memory_size = 65536, .memory_size_max = 65536, .command = TEST_echo, .start = TEST_NONE
    };
    AUTO_CLOSE int image = test_image_make(&options);
    size_t size = test_files_write(archive, sizeof(archive), rows, ARRAY_COUNT(rows));
    REQUIRE(file_sealed(&files, "files", bytes_of(archive, size), &bench.error));
    CHECK(worker_load(bench.worker, 1, image, files, &settings, &bench.error));
    archive[size - 10] ^= 1;
    REQUIRE(file_sealed(&wrong, "files", bytes_of(archive, size - 1), &bench.error));
    CHECK(!worker_load(bench.worker, 2, image, wrong, &settings, &bench.error));
    CHECK_NUMBER(bench.error.code, ERROR_INVALID);
    uint32_t slot;
    CHECK(submit(&bench, 1, "still there", 7, &slot));
}

static bool load_reactor(struct bench *bench, enum test_function init, uint32_t flags)
{
    struct test_image image = { .memory_size = 65536,
                                .memory_size_max = 65536,
                                .command = TEST_NONE,
                                .start = TEST_NONE,
                                .is_reactor = true,
                                .initialise = TEST_start,
                                .init = init };
    struct settings settings = { .entry = SETTINGS_ENTRY_REACTOR,
                                 .timeout_ms = init == TEST_loop ? 100 : 60000,
                                 .flags = flags };
    AUTO_CLOSE int descriptor = test_image_make(&image);
    return worker_load(bench->worker, 1, descriptor, -1, &settings, &bench->error);
}

static void failing_initialisations_are_told(void)
{
    REQUIRE_KVM();
    BENCH bench = { 0 };
    REQUIRE(bench_open(&bench, 1));
    CHECK(!load_reactor(&bench, TEST_unreachable, 0));
    CHECK(strstr(bench.error.text, "initialisation: trap: unreachable in wasm function") != NULL);
    CHECK(!load_reactor(&bench, TEST_end, 0));
    CHECK_STRING(bench.error.text, "initialisation: trap: exit during initialisation");
    CHECK(!load_reactor(&bench, TEST_loop, 0));
    CHECK_STRING(bench.error.text,
                 "initialisation: the function ran out of time (limits.timeout_ms)");
    CHECK(!load_reactor(&bench, TEST_print, 0));
    CHECK_STRING(bench.error.text, "initialisation: it printed \"IE\"");
    CHECK(!load_reactor(&bench, TEST_flood, 0));
    CHECK_NUMBER(bench.error.code, ERROR_LIMIT);
    CHECK(load_reactor(&bench, TEST_init, 0));
}

/* Runs one and gives the second counter of its answer, 0 when it trapped. */
static uint64_t run_reactor(struct bench *bench, const char *input)
{
    struct worker_completion completion;
    struct bytes output = { 0 };
    uint64_t counters[2] = { 0 };
    uint32_t slot;
    size_t size;
    bool ran = submit(bench, 1, input, 5, &slot) && wait_completion(bench, &completion);
    CHECK(ran);
    if (!ran)
        return 0;
    struct mailbox *mailbox = worker_mailbox(bench->worker, slot, &size);
    CHECK(mailbox_area_view(mailbox, size, &mailbox->output, &output));
    if (completion.outcome.kind == OUTCOME_DONE && output.size == sizeof(counters))
        memcpy(counters, output.data, sizeof(counters));
    worker_release(bench->worker, slot);
    return counters[1];
}

static void instances_are_reused_when_asked(void)
{
    REQUIRE_KVM();
    BENCH bench = { 0 };
    REQUIRE(bench_open(&bench, 1));
    REQUIRE(load_reactor(&bench, TEST_init, 0));
    CHECK_NUMBER(run_reactor(&bench, "a"), 144);
    CHECK_NUMBER(run_reactor(&bench, "b"), 144);
    REQUIRE(load_reactor(&bench, TEST_init, SETTINGS_REUSE_INSTANCE));
    CHECK_NUMBER(run_reactor(&bench, "a"), 144);
    CHECK_NUMBER(run_reactor(&bench, "b"), 145);
    CHECK_NUMBER(run_reactor(&bench, "c"), 146);
    CHECK_NUMBER(run_reactor(&bench, "!"), 0);
    CHECK_NUMBER(run_reactor(&bench, "d"), 144);
}

/* 0 when the kernel doesn't show them to us. */
static unsigned descriptor_count(pid_t pid)
{
    char path[64];
    unsigned count = 0;
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void loads_and_unloads_leave_nothing(void)
{
    REQUIRE_KVM();
    BENCH bench = { 0 };
    REQUIRE(bench_open(&bench, 1));
    unsigned before = 0;
    for (unsigned i = 0; i < 300; i++) {
        struct worker_completion completion;
        uint32_t slot;
        REQUIRE(load(&bench, i, TEST_echo, 60000));
        if (i % 10 == 0) {
            REQUIRE(submit(&bench, i, "x", i, &slot));
            REQUIRE(wait_completion(&bench, &completion));
            CHECK_NUMBER(completion.outcome.kind, OUTCOME_DONE);
            worker_release(bench.worker, slot);
        }
        REQUIRE(worker_unload(bench.worker, i, &bench.error));
        if (i == 20)
            before = descriptor_count(bench.pid);
    }
    CHECK(descriptor_count(bench.pid) <= before + 4);
}

static const struct test tests[] = {
    TEST(runs_an_invocation),
    TEST(slots_run_side_by_side),
    TEST(tells_where_time_is_spent),
    TEST(many_slots_work),
    TEST(many_functions_share_slots),
    TEST(bad_images_are_refused),
    TEST(files_are_checked),
    TEST(failing_initialisations_are_told),
    TEST(instances_are_reused_when_asked),
    TEST(killed_process_fails_what_runs),
    TEST(loads_and_unloads_leave_nothing),
};
TEST_MAIN(tests)
