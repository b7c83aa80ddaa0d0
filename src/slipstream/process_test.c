/* SPDX-License-Identifier: Apache-2.0 */
/* What only the process backend promises: that it needs nothing of the kernel while it works. */
#include "abi/layout.h"
#include "base/file.h"
#include "slipstream/engine.h"
#include "slipstream/limits.h"
#include "slipstream/restoring.h"
#include "slipstream/test_image.h"
#include "tests/harness.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    MEMORY_SIZE = 1 << 20,
    /* How the child ends when it is not killed. */
    CHILD_GOOD = 0,
    CHILD_WRONG = 1,
    CHILD_UNABLE = 77
};

struct bench {
    struct engine *engine;
    struct program *program;
    struct shell *shell;
    struct error error;
};

static bool bench_open(struct bench *bench, enum restoring_way way)
{
    const struct test_image image = { .memory_size = MEMORY_SIZE,
                                      .memory_size_max = MEMORY_SIZE,
                                      .command = TEST_echo,
                                      .start = TEST_NONE };
    const struct settings settings = { .timeout_ms = 60000 };
    const struct restoring_costs costs = { 0 };
    const struct restoring restoring = restoring_choose(way, &costs);
    struct outcome outcome;
    AUTO_CLOSE int descriptor = test_image_make(&image);
    return engine_open(&bench->engine, "process", &bench->error) &&
           engine_restore_by(bench->engine, &restoring, &bench->error) &&
           program_open(&bench->program, descriptor, &bench->error) &&
           shell_open(&bench->shell, bench->engine, NULL, 0, &bench->error) &&
           shell_load(bench->shell, bench->program, &settings, &outcome, &bench->error) &&
           outcome.kind == OUTCOME_DONE;
}

static bool call(struct bench *bench, enum test_function function, uint64_t first, uint64_t second,
                 enum outcome_kind kind, uint64_t *result)
{
    const uint64_t arguments[3] = { first, second, 0 };
    struct outcome outcome;
    return shell_call(bench->shell, test_offset(function), arguments, 3, result, 1, &outcome,
                      &bench->error) &&
           outcome.kind == kind;
}

/* Writes four pages, sees them, traps if it is asked to, and is reset. */
static bool invoke(struct bench *bench, bool traps)
{
    uint64_t result = 0;
    bool is_good = true;
    for (uint64_t page = 1; page < 5; page++)
        is_good = is_good && call(bench, TEST_load, page * 40960, 0, OUTCOME_DONE, &result) &&
                  result == 0 &&
                  call(bench, TEST_store, page * 40960, page, OUTCOME_DONE, &result) &&
                  call(bench, TEST_load, page * 40960, 0, OUTCOME_DONE, &result) && result == page;
    if (traps)
        is_good = is_good && call(bench, TEST_unreachable, 0, 0, OUTCOME_TRAPPED, &result) &&
                  shell_reset(bench->shell, &bench->error) &&
                  call(bench, TEST_load, UINT32_MAX, 0, OUTCOME_TRAPPED, &result);
    return is_good && shell_reset(bench->shell, &bench->error);
}

/* From here on the kernel ends the process for any call but its end, the return from a signal, the
 * timer (set again when it is due), and random bytes (one call for 64 invocations). */
static bool forbid_calls(void)
{
    struct sock_filter rows[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_timer_settime, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = { ARRAY_COUNT(rows), rows };
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static NORETURN void child_main(enum restoring_way way, bool traps)
{
    struct bench bench = { 0 };
    bool is_good = bench_open(&bench, way);
    if (!is_good)
        fprintf(stderr, "%s\n", bench.error.text);
    for (unsigned i = 0; i < 8; i++)
        is_good = is_good && invoke(&bench, traps);
    if (!is_good)
        syscall(SYS_exit, CHILD_WRONG);
    if (!forbid_calls())
        syscall(SYS_exit, CHILD_UNABLE);
    for (unsigned i = 0; i < 200; i++)
        is_good = is_good && invoke(&bench, traps);
    syscall(SYS_exit, is_good ? CHILD_GOOD : CHILD_WRONG);
    __builtin_unreachable();
}

static int child_end(enum restoring_way way, bool traps)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        child_main(way, traps);
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    return status;
}

static bool has_process_backend(void)
{
    struct engine *engine = NULL;
    struct error error;
    if (!engine_open(&engine, "process", &error)) {
        test_note("%s", error.text);
        return false;
    }
    engine_close(engine);
    return true;
}

static bool has_vdso_clock(void)
{
    int status = 0;
    pid_t pid = fork();
    struct timespec now;
    if (pid == 0) {
        if (forbid_calls() && clock_gettime(CLOCK_MONOTONIC, &now) == 0)
            syscall(SYS_exit, 0);
        syscall(SYS_exit, 1);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* With a time limit, written pages and traps: neither an invocation nor its reset asks the kernel
 * for anything else. */
static void warm_invocations_ask_for_next_to_nothing(void)
{
    if (!has_process_backend() || !has_vdso_clock())
        SKIP("no process backend here, or no clock without a system call");
    CHECK_NUMBER(child_end(RESTORING_AUTO, false), 0);
    CHECK_NUMBER(child_end(RESTORING_AUTO, true), 0);
    CHECK_NUMBER(child_end(RESTORING_TRACK, true), 0);
    CHECK_NUMBER(child_end(RESTORING_COPY, true), 0);
    /* The test can tell: giving memory back is a system call. */
    int status = child_end(RESTORING_DISCARD, false);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

/* Nothing that it maps depends on how low an address may be (vm.mmap_min_addr). */
static void nothing_stands_low(void)
{
    struct bench bench = { 0 };
    if (!has_process_backend())
        SKIP("no process backend here");
    FILE *before = fopen("/proc/self/maps", "re");
    REQUIRE(before != NULL);
    unsigned long long least = 0, start, end;
    CHECK(fscanf(before, "%llx-%llx", &least, &end) == 2);
    fclose(before);
    REQUIRE(bench_open(&bench, RESTORING_AUTO));
    FILE *maps = fopen("/proc/self/maps", "re");
    REQUIRE(maps != NULL);
    CHECK(fscanf(maps, "%llx-%llx", &start, &end) == 2);
    CHECK_NOTE(start >= MIN(least, (unsigned long long)LAYOUT_CONTROL), "%#llx", start);
    fclose(maps);
    shell_close(bench.shell);
    program_close(bench.program);
    engine_close(bench.engine);
}

static const struct test tests[] = {
    TEST(warm_invocations_ask_for_next_to_nothing),
    TEST(nothing_stands_low),
};
TEST_MAIN(tests)
