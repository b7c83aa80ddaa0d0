/* SPDX-License-Identifier: Apache-2.0 */
/* A real slipstream process behind struct worker. */
#include "abi/test_files.h"
#include "base/file.h"
#include "base/spawn.h"
#include "slipstream/channel.h"
#include "slipstream/test_image.h"
#include "slipstream/worker.h"
#include "tests/harness.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUIRE_KVM()                                                                              \
    if (!test_has_backend())                                                                       \
    SKIP("the backend can't be used here")

enum {
    MAILBOX_SIZE = 256 << 10
};

struct bench {
    struct worker *worker;
    pid_t pid;
    struct error error;
};

static void bench_done(struct bench *bench)
{
    struct spawn_end end = { 0 };
    bool was_alive = bench->worker != NULL && worker_is_alive(bench->worker);
    worker_close(bench->worker);
    if (bench->pid <= 0)
        return;
    if (!spawn_wait(&end, bench->pid, 10000, &bench->error))
        test_note("%s", bench->error.text);
    if (was_alive)
        CHECK(!end.was_killed && end.code == 0);
}

#define BENCH __attribute__((cleanup(bench_done))) struct bench

static bool bench_open_with(struct bench *bench, uint32_t lane_count, uint32_t station_count)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    const char *const arguments[] = { "slipstream",   "--worker", "--control-fd", "3", "--backend",
                                      test_backend(), NULL };
    struct spawn_options options = { .path = test_program("slipstream"),
                                     .arguments = arguments,
                                     .descriptors = { { pair[1], 3 } },
                                     .descriptor_count = 1 };
    struct worker_options channel = { .lane_count = lane_count,
                                      .station_count = station_count,
                                      .core_count = 1,
                                      .mailbox_size = MAILBOX_SIZE };
    bool opened = spawn(&bench->pid, &options, &bench->error);
    close(pair[1]);
    opened = opened && worker_open(&bench->worker, pair[0], &channel, &bench->error);
    if (!opened)
        test_note("%s", bench->error.text);
    return opened;
}

static bool bench_open(struct bench *bench, uint32_t lane_count)
{
    return bench_open_with(bench, lane_count, 1);
}

static bool load(struct bench *bench, uint32_t function, enum test_function command,
                 uint32_t timeout_ms)
{
    struct test_image image = {
        .memory_size = 65536, .memory_size_max = 1 << 20, .command = command, .start = TEST_NONE
    };
    struct settings limits = { .timeout_ms = timeout_ms };
    AUTO_CLOSE int descriptor = test_image_make(&image);
    bool loaded = worker_load(bench->worker, function, descriptor, -1, &limits, &bench->error);
    if (!loaded)
        test_note("%s", bench->error.text);
    return loaded;
}

static bool submit(struct bench *bench, uint32_t function, const char *input, uint64_t token,
                   uint32_t *slot)
{
    size_t size;
    struct mailbox_request request = { .input = bytes_of_string(input), .errors_capacity = 4096 };
    if (!worker_acquire(bench->worker, function, CHANNEL_LANES_MAX, slot))
        return false;
    void *mailbox = worker_mailbox(bench->worker, *slot, &size);
    if (!mailbox_prepare(mailbox, size, &request, &bench->error))
        return false;
    worker_submit(bench->worker, *slot, function, token);
    return true;
}

static bool wait_completion(struct bench *bench, struct worker_completion *completion)
{
    struct pollfd waiting[2] = { { .fd = worker_event(bench->worker), .events = POLLIN },
                                 { .fd = worker_socket(bench->worker), .events = POLLIN } };
    while (!worker_take(bench->worker, completion)) {
        if (!worker_is_alive(bench->worker) || poll(waiting, 2, 10000) <= 0)
            return false;
        if (waiting[1].revents != 0 &&
            worker_answer(bench->worker, &bench->error) == WORKER_ANSWER_LOST)
            worker_lost(bench->worker);
    }
    return true;
}

static void runs_an_invocation(void)
{
    REQUIRE_KVM();
    BENCH bench = { 0 };
    REQUIRE(bench_open(&bench, 2));
    REQUIRE(load(&bench, 7, TEST_echo, 1000));
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

static void slots_run_side_by_side(void)
{
    REQUIRE_KVM();
    BENCH bench = { 0 };
    REQUIRE(bench_open(&bench, 4));
    REQUIRE(load(&bench, 1, TEST_loop, 100));
    REQUIRE(load(&bench, 2, TEST_echo, 1000));
    uint32_t slots[4], extra;
    for (unsigned i = 0; i < 3; i++)
        REQUIRE(submit(&bench, 1, "", i, &slots[i]));
    REQUIRE(submit(&bench, 2, "quick", 3, &slots[3]));
    CHECK(!worker_acquire(bench.worker, 2, CHANNEL_LANES_MAX, &extra));
    for (unsigned i = 0; i < 4; i++) {
        struct worker_completion completion;
        REQUIRE(wait_completion(&bench, &completion));
        bool is_echo = completion.token == 3;
        CHECK_NUMBER(is_echo, i == 0);
        CHECK_NUMBER(completion.outcome.kind, is_echo ? OUTCOME_DONE : OUTCOME_TIMEOUT);
        worker_release(bench.worker, completion.slot);
    }
    CHECK_NUMBER(worker_running_count(bench.worker), 0);
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
                                 .timeout_ms = 100,
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
    CHECK_STRING(bench.error.text, "initialisation: the function ran out of time");
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
        REQUIRE(load(&bench, i, TEST_echo, 1000));
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

/* Of a process: how many descriptors show `name`; *filters: its system-call filters. */
static unsigned descriptors_named(pid_t pid, const char *name, unsigned *filters)
{
    char path[64], line[128], target[128];
    unsigned count = 0;
    *filters = 0;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *status = fopen(path, "re");
    while (status != NULL && fgets(line, sizeof(line), status) != NULL)
        (void)sscanf(line, "Seccomp_filters: %u", filters);
    if (status != NULL)
        fclose(status);
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    DIR *folder = opendir(path);
    for (struct dirent *at; folder != NULL && (at = readdir(folder)) != NULL;) {
        ssize_t size = readlinkat(dirfd(folder), at->d_name, target, sizeof(target) - 1);
        target[MAX(size, (ssize_t)0)] = '\0';
        count += strncmp(target, name, strlen(name)) == 0;
    }
    if (folder != NULL)
        closedir(folder);
    return count;
}

static pid_t first_child(pid_t pid)
{
    char path[64];
    int child = 0;
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *children = fopen(path, "re");
    if (children == NULL)
        return 0;
    if (fscanf(children, "%d", &child) != 1)
        child = 0;
    fclose(children);
    return child;
}

/* The worker makes no micro-VM; whatever has one is behind a second filter and can't make more. */
static void guests_run_behind_a_filter_of_their_own(void)
{
    REQUIRE_KVM();
    BENCH bench = { 0 };
    struct worker_completion completion;
    uint32_t slot;
    unsigned filters = 0;
    if (geteuid() != 0)
        SKIP("not root: nobody else sees the descriptors of a jailed process");
    REQUIRE(bench_open(&bench, 1));
    REQUIRE(load(&bench, 1, TEST_echo, 1000));
    REQUIRE(submit(&bench, 1, "x", 0, &slot) && wait_completion(&bench, &completion));
    CHECK_NUMBER(completion.outcome.kind, OUTCOME_DONE);
    CHECK_NUMBER(descriptors_named(bench.pid, "anon_inode:kvm", &filters), 0);
    CHECK_NUMBER(filters, 1);
    pid_t cell = first_child(bench.pid);
    if (cell == 0)
        SKIP("this kernel doesn't list children");
    bool has_machine = strcmp(test_backend(), "kvm") == 0;
    CHECK_NUMBER(descriptors_named(cell, "anon_inode:kvm-vcpu", &filters), has_machine);
    CHECK_NUMBER(filters, 2);
    CHECK_NUMBER(descriptors_named(cell, "/dev/kvm", &filters), 0);
    CHECK_NUMBER(descriptors_named(cell, "socket:", &filters), 0);
    CHECK_NUMBER(descriptors_named(cell, "/memfd", &filters), 0);
}

static unsigned child_count(pid_t pid)
{
    char path[64];
    unsigned count = 0;
    int child;
    /* Lanes' threads have them: each is the child of the thread that forked it. */
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    for (struct dirent *at; tasks != NULL && (at = readdir(tasks)) != NULL;) {
        snprintf(path, sizeof(path), "/proc/%d/task/%.20s/children", (int)pid, at->d_name);
        FILE *children = fopen(path, "re");
        while (children != NULL && fscanf(children, "%d", &child) == 1)
            count++;
        if (children != NULL)
            fclose(children);
    }
    if (tasks != NULL)
        closedir(tasks);
    return count;
}

static bool until_children(struct bench *bench, unsigned count)
{
    struct error error;
    for (unsigned i = 0; i < 1000 && child_count(bench->pid) != count; i++) {
        (void)worker_answer(bench->worker, &error);
        usleep(10000);
    }
    CHECK_NUMBER(child_count(bench->pid), count);
    return child_count(bench->pid) == count;
}

/* Lanes are made ready ahead of need as far as the server wants them, and end above that. */
static void lanes_follow_what_is_wanted(void)
{
    REQUIRE_KVM();
    BENCH bench = { 0 };
    struct worker_completion completion;
    uint32_t slot;
    bool has_spares = strcmp(test_backend(), "kvm") == 0;
    REQUIRE(bench_open(&bench, 5));
    REQUIRE(load(&bench, 1, TEST_echo, 5000));
    worker_set_ready(bench.worker, 4);
    REQUIRE(until_children(&bench, has_spares ? 4 : 0));
    for (unsigned i = 0; i < 5; i++)
        REQUIRE(submit(&bench, 1, "x", i, &slot));
    CHECK_NUMBER(worker_lanes_busy(bench.worker), 5);
    for (unsigned i = 0; i < 5; i++) {
        REQUIRE(wait_completion(&bench, &completion));
        CHECK_NUMBER(completion.outcome.kind, OUTCOME_DONE);
        worker_release(bench.worker, completion.slot);
    }
    CHECK_NUMBER(worker_lanes_used(bench.worker), 5);
    worker_set_ready(bench.worker, 2);
    CHECK_NUMBER(worker_lanes_used(bench.worker), 2);
    REQUIRE(until_children(&bench, 2));
    /* Two at a time are told one after the other; the last one counts. */
    worker_set_ready(bench.worker, 5);
    worker_set_ready(bench.worker, 1);
    REQUIRE(until_children(&bench, 1));
    for (unsigned i = 0; i < 4; i++)
        REQUIRE(submit(&bench, 1, "x", i, &slot));
    for (unsigned i = 0; i < 4; i++) {
        REQUIRE(wait_completion(&bench, &completion));
        CHECK_NUMBER(completion.outcome.kind, OUTCOME_DONE);
        worker_release(bench.worker, completion.slot);
    }
}

static const struct test tests[] = {
    TEST(runs_an_invocation),
    TEST(slots_run_side_by_side),
    TEST(tells_where_time_is_spent),
    TEST(guests_run_behind_a_filter_of_their_own),
    TEST(lanes_follow_what_is_wanted),
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
