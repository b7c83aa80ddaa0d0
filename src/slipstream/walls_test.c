/* SPDX-License-Identifier: Apache-2.0 */
/* The wall around native code, tested alone: images whose command is an attack (test_attacks.S)
 * that no compiler would let through.  Each must end in a fault, a limit or the end of its
 * process, and touch nobody else. */
#include "abi/layout.h"
#include "base/file.h"
#include "base/spawn.h"
#include "slipstream/shell.h"
#include "slipstream/test_image.h"
#include "slipstream/worker.h"
#include "tests/harness.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    WENT_THROUGH = 42, /* exit code of an attack that was not stopped */
    TIMEOUT_MS = 60
};

extern const struct attack {
    const char *name;
    uint64_t offset; /* in attack_blob */
} attack_table[], attack_table_end[];
extern const uint8_t attack_blob[], attack_blob_end[];

static size_t attack_count(void)
{
    return (size_t)(attack_table_end - attack_table);
}

static int attack_image(const struct attack *attack)
{
    struct test_image image = { .memory_size = 65536,
                                .memory_size_max = 1 << 20,
                                .command = TEST_echo,
                                .start = TEST_NONE,
                                .native =
                                    bytes_of(attack_blob, (size_t)(attack_blob_end - attack_blob)),
                                .native_command = attack->offset };
    return test_image_make(&image);
}

struct bench {
    struct engine *engine;
    struct program *program;
    struct shell *shell; /* one that stands beside the attacked ones */
    struct error error;
};

static void bench_done(struct bench *bench)
{
    shell_close(bench->shell);
    program_close(bench->program);
    engine_close(bench->engine);
}

#define BENCH __attribute__((cleanup(bench_done))) struct bench

static bool adds(struct shell *shell)
{
    uint64_t arguments[2] = { 40, 2 }, result = 0;
    struct outcome outcome;
    struct error error;
    return shell_call(shell, test_offset(TEST_add), arguments, 2, &result, 1, &outcome, &error) &&
           outcome.kind == OUTCOME_DONE && result == 42;
}

static bool bench_open(struct bench *bench)
{
    const struct test_image image = {
        .memory_size = 65536, .memory_size_max = 1 << 20, .command = TEST_echo, .start = TEST_NONE
    };
    static const struct settings settings = { .timeout_ms = TIMEOUT_MS };
    struct outcome outcome;
    AUTO_CLOSE int descriptor = test_image_make(&image);
    return engine_open(&bench->engine, test_backend(), &bench->error) &&
           program_open(&bench->program, descriptor, &bench->error) &&
           shell_open(&bench->shell, bench->engine, NULL, 0, &bench->error) &&
           shell_load(bench->shell, bench->program, &settings, &outcome, &bench->error);
}

static bool is_stopped(const struct outcome *outcome)
{
    return outcome->kind != OUTCOME_DONE || outcome->exit_code != WENT_THROUGH;
}

static void check_attack(struct bench *bench, const struct attack *attack)
{
    static const struct settings settings = { .timeout_ms = TIMEOUT_MS };
    AUTO(program) struct program *program = NULL;
    AUTO(shell) struct shell *shell = NULL;
    AUTO_CLOSE int image = attack_image(attack);
    struct outcome outcome;
    struct mailbox_request request = { .errors_capacity = 4096 };
    REQUIRE(program_open(&program, image, &bench->error));
    REQUIRE(shell_open(&shell, bench->engine, NULL, 0, &bench->error));
    REQUIRE(mailbox_prepare(shell_mailbox(shell), 1 << 20, &request, &bench->error));
    REQUIRE(shell_load(shell, program, &settings, &outcome, &bench->error));
    bool ran = shell_run(shell, NULL, &outcome, &bench->error);
    CHECK_NOTE(ran && is_stopped(&outcome), "%s: outcome %u, code %u", attack->name, outcome.kind,
               outcome.exit_code);
    /* The neighbour has noticed nothing; nor has the attacked one itself, once it is fresh. */
    CHECK_NOTE(adds(bench->shell), "after %s: the shell beside it", attack->name);
    if (ran && outcome.kind != OUTCOME_CRASHED)
        CHECK_NOTE(shell_reset(shell, &bench->error) && adds(shell), "after %s: itself",
                   attack->name);
}

static void micro_vms_hold_native_code(void)
{
    if (strcmp(test_backend(), "kvm") != 0)
        SKIP("that is the kvm backend's wall");
    if (!test_has_kvm())
        SKIP("/dev/kvm can't be opened here");
    BENCH bench = { 0 };
    REQUIRE(bench_open(&bench));
    CHECK(attack_count() > 100);
    for (const struct attack *attack = attack_table; attack < attack_table_end; attack++)
        check_attack(&bench, attack);
}

/* `slipstream --run` of the image: how it ended, with what it said. */
static struct spawn_end run_jailed(int image, char *text, size_t size)
{
    const char *const arguments[] = { "slipstream",   "--run",      "--backend",
                                      "process",      "--image-fd", "5",
                                      "--timeout-ms", "200",        "--",
                                      "name",         NULL };
    struct spawn_end end = { .was_killed = true };
    struct error error = { 0 };
    int pipe_ends[2];
    pid_t pid;
    ASSERT(pipe(pipe_ends) == 0);
    struct spawn_options options = { .path = test_program("slipstream"),
                                     .arguments = arguments,
                                     .descriptors = { { image, 5 }, { pipe_ends[1], 2 } },
                                     .descriptor_count = 2 };
    bool spawned = spawn(&pid, &options, &error);
    close(pipe_ends[1]);
    size_t got = 0;
    ssize_t part = 1;
    while (spawned && got + 1 < size && part != 0) {
        part = read(pipe_ends[0], text + got, size - 1 - got);
        got += part > 0 ? (size_t)part : 0;
        if (part < 0 && errno != EINTR) /* the timer of a shell in this process */
            break;
    }
    text[got] = '\0';
    close(pipe_ends[0]);
    CHECK_NOTE(spawned && spawn_wait(&end, pid, TEST_PATIENCE_MS, &error), "%s", error.text);
    return end;
}

/* Whether a jailed process can run anything here; says why not. */
static bool can_run_jailed(char *text, size_t size)
{
    const struct test_image image = {
        .memory_size = 65536, .memory_size_max = 1 << 20, .command = TEST_echo, .start = TEST_NONE
    };
    AUTO_CLOSE int descriptor = test_image_make(&image);
    struct spawn_end end = run_jailed(descriptor, text, size);
    return !end.was_killed && end.code == 0;
}

static void jails_hold_native_code(void)
{
    char text[512];
    if (strcmp(test_backend(), "process") != 0)
        SKIP("that is the process backend's wall");
    if (!can_run_jailed(text, sizeof(text)))
        SKIP("no jailed process here: %s", text);
    unsigned forbidden = 0;
    for (const struct attack *attack = attack_table; attack < attack_table_end; attack++) {
        AUTO_CLOSE int image = attack_image(attack);
        struct spawn_end end = run_jailed(image, text, sizeof(text));
        bool is_forbidden = spawn_end_is_forbidden_call(&end);
        forbidden += is_forbidden;
        CHECK_NOTE(is_forbidden || (!end.was_killed && end.code != WENT_THROUGH), "%s: %s %d, %s",
                   attack->name, end.was_killed ? "killed by" : "exit code", end.code, text);
        /* Each system call that no guest may make ends its process. */
        CHECK_NOTE(is_forbidden || strncmp(attack->name, "system call", 11) != 0,
                   "%s: went on, exit code %d", attack->name, end.code);
    }
    CHECK(forbidden > 30);
}

/* What a guest may at most do where; everything else must fault. */
static const struct window {
    uint64_t from;
    uint64_t size;
    bool can_write;
} windows[] = {
    { LAYOUT_MEMORY, LAYOUT_SYSTEM, true }, /* linear memory, wherever it ends */
    { LAYOUT_CONTROL, LAYOUT_PAGE_SIZE, false },
    { LAYOUT_RUNTIME, LAYOUT_RUNTIME_SIZE, true },
    { LAYOUT_TABLES, LAYOUT_TABLES_SIZE, false },
    { LAYOUT_INSTANCE, LAYOUT_INSTANCE_SIZE_MAX, true },
    { LAYOUT_CODE, LAYOUT_CODE_SIZE_MAX, false },
    { LAYOUT_RODATA, LAYOUT_RODATA_SIZE_MAX, false },
    { LAYOUT_STACK, LAYOUT_STACK_SIZE, true },
    { LAYOUT_FRAMES, LAYOUT_FRAMES_SIZE, true },
    { LAYOUT_MAILBOX, LAYOUT_MAILBOX_SIZE_MAX, true },
    { LAYOUT_SCRATCH, LAYOUT_SCRATCH_SIZE_MAX, true },
    { LAYOUT_FILES, LAYOUT_FILES_SIZE_MAX, false },
    { LAYOUT_SNAPSHOT, LAYOUT_SNAPSHOT_SIZE, false },
};

static bool is_done(struct shell *shell, enum test_function function, uint64_t address,
                    uint64_t *result)
{
    uint64_t arguments[2] = { address, 0x5a5a };
    struct outcome outcome;
    struct error error;
    return shell_call(shell, test_offset(function), arguments, 2, result, 1, &outcome, &error) &&
           outcome.kind == OUTCOME_DONE;
}

static void check_address(struct shell *shell, uint64_t address)
{
    const struct window *window = NULL;
    struct error error;
    uint64_t held;
    for (size_t i = 0; i < ARRAY_COUNT(windows); i++)
        if (address - windows[i].from < windows[i].size)
            window = &windows[i];
    bool can_read = is_done(shell, TEST_peek, address, &held);
    CHECK_NOTE(!can_read || window != NULL, "%#llx can be read", (unsigned long long)address);
    bool can_write = is_done(shell, TEST_poke, address, &held);
    CHECK_NOTE(!can_write || (window != NULL && window->can_write), "%#llx can be written",
               (unsigned long long)address);
    if (can_write)
        CHECK(shell_reset(shell, &error));
}

static void address_space_is_what_the_page_says(void)
{
    if (!test_has_backend())
        SKIP("the backend can't be used here");
    BENCH bench = { 0 };
    REQUIRE(bench_open(&bench));
    for (uint64_t address = LAYOUT_SYSTEM; address < LAYOUT_SNAPSHOT + LAYOUT_SNAPSHOT_SIZE;
         address += 16 << 20)
        check_address(bench.shell, address);
    for (uint64_t address = LAYOUT_SYSTEM; address < LAYOUT_RUNTIME + 0x20000; address += 4096)
        check_address(bench.shell, address);
    for (size_t i = 0; i < ARRAY_COUNT(windows); i++) {
        check_address(bench.shell, windows[i].from - 8);
        check_address(bench.shell, windows[i].from);
        check_address(bench.shell, windows[i].from + windows[i].size - 8);
        check_address(bench.shell, windows[i].from + windows[i].size);
    }
    CHECK(adds(bench.shell));
}

/* --- through a worker: whoever is attacked from, the next invocations are answered */

enum {
    FUNCTION_ECHO = 1,
    FUNCTION_ATTACK = 2,
    STATION_SIZE = 64 << 10
};

static bool worker_start(struct worker **worker, pid_t *pid, struct error *error)
{
    int pair[2];
    const char *const arguments[] = { "slipstream",   "--worker", "--control-fd", "3", "--backend",
                                      test_backend(), NULL };
    const struct worker_options shape = {
        .lane_count = 1, .station_count = 1, .core_count = 1, .mailbox_size = STATION_SIZE
    };
    ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    struct spawn_options options = { .path = test_program("slipstream"),
                                     .arguments = arguments,
                                     .descriptors = { { pair[1], 3 } },
                                     .descriptor_count = 1 };
    bool started = spawn(pid, &options, error) && worker_open(worker, pair[0], &shape, error);
    close(pair[1]);
    return started;
}

/* False when there is no answer at all. */
static bool worker_ask(struct worker *worker, uint32_t function, struct outcome *outcome)
{
    struct mailbox_request request = { .input = BYTES_LITERAL("hello"), .errors_capacity = 4096 };
    struct pollfd waiting = { .fd = worker_event(worker), .events = POLLIN };
    struct worker_completion completion;
    struct error error;
    uint32_t slot;
    size_t size;
    if (!worker_acquire(worker, function, 1, &slot) ||
        !mailbox_prepare(worker_mailbox(worker, slot, &size), STATION_SIZE, &request, &error))
        return false;
    worker_submit(worker, slot, function, 7);
    while (!worker_take(worker, &completion))
        if (poll(&waiting, 1, TEST_PATIENCE_MS) == 0)
            return false;
    *outcome = completion.outcome;
    worker_release(worker, slot);
    return true;
}

static void workers_outlive_native_code(void)
{
    const struct test_image echo = {
        .memory_size = 65536, .memory_size_max = 1 << 20, .command = TEST_echo, .start = TEST_NONE
    };
    static const struct settings settings = { .timeout_ms = TIMEOUT_MS };
    AUTO(worker) struct worker *worker = NULL;
    AUTO_CLOSE int benign = test_image_make(&echo);
    struct outcome outcome;
    struct error error = { 0 };
    pid_t pid = 0;
    if (!test_has_backend() || !worker_start(&worker, &pid, &error))
        SKIP("no worker here: %s", error.text);
    REQUIRE(worker_load(worker, FUNCTION_ECHO, benign, -1, &settings, &error));
    for (const struct attack *attack = attack_table; attack < attack_table_end; attack++) {
        AUTO_CLOSE int image = attack_image(attack);
        REQUIRE(worker_load(worker, FUNCTION_ATTACK, image, -1, &settings, &error));
        bool answered = worker_ask(worker, FUNCTION_ATTACK, &outcome);
        CHECK_NOTE(answered && is_stopped(&outcome), "%s: outcome %u, code %u", attack->name,
                   outcome.kind, outcome.exit_code);
        answered = answered && worker_ask(worker, FUNCTION_ECHO, &outcome);
        CHECK_NOTE(answered && outcome.kind == OUTCOME_DONE && outcome.exit_code == 5,
                   "after %s: outcome %u", attack->name, outcome.kind);
        REQUIRE(answered && worker_is_alive(worker));
    }
    worker_close(TAKE(worker));
    struct spawn_end end;
    CHECK(spawn_wait(&end, pid, TEST_PATIENCE_MS, &error) && !end.was_killed && end.code == 0);
}

static const struct test tests[] = {
    TEST(workers_outlive_native_code),
    TEST(address_space_is_what_the_page_says),
    TEST(micro_vms_hold_native_code),
    TEST(jails_hold_native_code),
};
TEST_MAIN(tests)
