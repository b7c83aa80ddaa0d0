/* SPDX-License-Identifier: Apache-2.0 */
/* bench-lanes batch|linger|bind SLIPSTREAM-PROGRAM STATIC-PROGRAM [IMAGE]: invocations through a
 * real worker process.
 *
 * batch: server and worker on one core; 64 invocations are handed over, run with fresh state each,
 * their answers read and mailboxes wiped; microseconds of that core per invocation, all included.
 * linger: one invocation at a time while another core is free and the server watches for the
 * answer, against an entry of a micro-VM that does nothing.
 * bind: the first answer of an application whose worker was started ahead of need: the channel
 * made, the function loaded, run and its answer read; against vfork and exec of a static program.
 */
#include "abi/layout.h"
#include "base/file.h"
#include "base/spawn.h"
#include "bench/bench.h"
#include "slipstream/deadline.h"
#include "slipstream/shell.h"
#include "slipstream/test_image.h"
#include "slipstream/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    BATCH_ROUNDS = 300,
    BATCH_COUNT = 64,
    LINGER_RUNS = 2000,
    BIND_RUNS = 40,
    READY_MS = 40, /* in which a worker starts and jails itself */
    STATION_SIZE = 128 << 10
};

/* Wasmtime 48, instantiate, call and drop of a printf hello with the pooling allocator and WASI
 * preview 1, measured on a machine like this one; not measured in this run. */
#define WASMTIME_KNOWN_US 12.0

#define BIND_GOAL 2.0

static const char *static_program;
static const char input[] = "a name of some length, as requests have it: one hundred bytes in, one "
                            "hundred bytes out, fresh...\n";

static void row(const char *name, const char *which, double ours, double yardstick, unsigned runs,
                double goal)
{
    printf("{\"name\": \"%s (%s)\", \"ours\": %.3f, \"yardstick\": %.3f, \"unit\": \"us\", "
           "\"runs\": %u, \"goal\": %g}\n",
           name, which, ours, yardstick, runs, goal);
    fflush(stdout);
}

static void pin(unsigned core)
{
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    check(sched_setaffinity(0, sizeof(cores), &cores) == 0, "stay on one core");
}

/* A process that has nothing to do yet; its socket. */
static int worker_spawn(const char *program)
{
    int pair[2];
    pid_t pid;
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "socket");
    static const char *const arguments[] = { "slipstream", "--worker", "--control-fd", "3", NULL };
    struct spawn_options options = { .path = program,
                                     .arguments = arguments,
                                     .descriptors = { { pair[1], 3 } },
                                     .descriptor_count = 1 };
    check(spawn(&pid, &options, &error), "spawn");
    close(pair[1]);
    return pair[0];
}

static struct worker *worker_bind(int socket, int image)
{
    struct worker *worker = NULL;
    struct worker_options shape = {
        .lane_count = 1, .station_count = BATCH_COUNT, .core_count = 1, .mailbox_size = STATION_SIZE
    };
    struct settings settings = { .timeout_ms = 2000 };
    check(worker_open(&worker, socket, &shape, &error), "worker");
    check(worker_load(worker, 1, image, -1, &settings, &error), "load");
    return worker;
}

static struct worker *worker_make(const char *program, int image)
{
    return worker_bind(worker_spawn(program), image);
}

static bool submit(struct worker *worker)
{
    uint32_t slot;
    size_t size;
    struct mailbox_request request = { .input = bytes_of(input, sizeof(input) - 1),
                                       .errors_capacity = 4096 };
    if (!worker_acquire(worker, 1, 1, &slot))
        return false;
    check(mailbox_prepare(worker_mailbox(worker, slot, &size), STATION_SIZE, &request, &error),
          "mailbox");
    worker_submit(worker, slot, 1, slot);
    return true;
}

static void finish(struct worker *worker, const struct worker_completion *completion)
{
    size_t size;
    struct bytes output;
    const struct mailbox *mailbox = worker_mailbox(worker, completion->slot, &size);
    bool is_plain = outcome_check(&completion->outcome, &error);
    check((is_plain || completion->outcome.kind == OUTCOME_DONE) &&
              mailbox_area_view(mailbox, size, &mailbox->output, &output) &&
              output.size >= sizeof(input) - 1,
          "output");
    worker_release(worker, completion->slot);
}

static void take_all(struct worker *worker, unsigned count)
{
    struct worker_completion completion;
    struct pollfd waiting = { .fd = worker_event(worker), .events = POLLIN };
    while (count > 0) {
        if (worker_take(worker, &completion)) {
            finish(worker, &completion);
            count--;
        } else {
            check(poll(&waiting, 1, 5000) > 0, "wait");
        }
    }
}

static unsigned fill(struct worker *worker)
{
    unsigned count = 0;
    while (count < BATCH_COUNT && submit(worker))
        count++;
    return count;
}

static void batch(const char *program, int image, const char *which)
{
    static uint64_t times[BATCH_ROUNDS];
    pin(0);
    struct worker *worker = worker_make(program, image);
    for (unsigned i = 0; i < 100; i++)
        take_all(worker, fill(worker));
    unsigned least = BATCH_COUNT;
    for (unsigned i = 0; i < BATCH_ROUNDS; i++) {
        uint64_t start = deadline_now_ns();
        unsigned count = fill(worker);
        take_all(worker, count);
        times[i] = (deadline_now_ns() - start) / count;
        least = MIN(least, count);
    }
    row("one core, batches of 64, fresh state vs Wasmtime's known 12 us", which,
        median_us(times, BATCH_ROUNDS), WASMTIME_KNOWN_US, BATCH_ROUNDS, 0.2);
    fprintf(stderr, "  smallest batch: %u\n", least);
    worker_close(worker);
}

/* A micro-VM of our own whose guest leaves as fast as it can. */
static double round_trip_us(struct engine *engine)
{
    static uint64_t times[LINGER_RUNS];
    struct test_image image = {
        .memory_size = 131072, .memory_size_max = 131072, .command = TEST_bounce, .start = TEST_NONE
    };
    struct program *program = NULL;
    struct shell *shell = NULL;
    struct outcome outcome;
    struct settings settings = { 0 };
    struct event event;
    int descriptor = test_image_make(&image);
    check(program_open(&program, descriptor, &error), "program");
    check(shell_open(&shell, engine, NULL, 0, &error), "shell");
    check(shell_load(shell, program, &settings, &outcome, &error), "load");
    struct control *control = shell->backend->machine_control(shell->machine);
    control->entry = ENTRY_COMMAND;
    control->mailbox = LAYOUT_MAILBOX;
    control->instance = LAYOUT_INSTANCE;
    control->code = LAYOUT_CODE + test_offset(TEST_bounce);
    control->frame_limit = LAYOUT_FRAMES + LAYOUT_FRAMES_SIZE;
    shell->backend->machine_enter(shell->machine, &event);
    for (unsigned i = 0; i < LINGER_RUNS; i++) {
        uint64_t start = deadline_now_ns();
        shell->backend->machine_resume(shell->machine, UINT64_MAX, &event);
        times[i] = deadline_now_ns() - start;
    }
    shell_close(shell);
    program_close(program);
    close(descriptor);
    return median_us(times, LINGER_RUNS);
}

static void linger(const char *program, int image, const char *which)
{
    static uint64_t times[LINGER_RUNS], out_of[LINGER_RUNS];
    struct engine *engine = NULL;
    struct worker_completion completion;
    check(engine_open(&engine, "kvm", &error), "engine");
    double rt = round_trip_us(engine);
    pin(1);
    struct worker *worker = worker_make(program, image);
    pin(0);
    for (unsigned i = 0; i < 20; i++)
        take_all(worker, fill(worker));
    worker_set_polling(worker, true);
    for (unsigned i = 0; i < LINGER_RUNS; i++) {
        uint64_t start = deadline_now_ns();
        check(submit(worker), "submit");
        while (!worker_take(worker, &completion))
            ;
        times[i] = deadline_now_ns() - start;
        finish(worker, &completion);
    }
    worker_set_polling(worker, false);
    for (unsigned i = 0; i < LINGER_RUNS / 4; i++) {
        uint64_t start = deadline_now_ns();
        check(submit(worker), "submit");
        take_all(worker, 1);
        out_of[i] = deadline_now_ns() - start;
    }
    row("single request, lingering guest, a core free vs bare KVM_RUN", which,
        median_us(times, LINGER_RUNS), rt, LINGER_RUNS, 0.1);
    fprintf(stderr, "  without watching: %.1f us\n", median_us(out_of, LINGER_RUNS / 4));
    worker_close(worker);
    engine_close(engine);
}

static uint64_t exec_ns(void)
{
    int status = 0;
    uint64_t start = deadline_now_ns();
    pid_t pid = vfork();
    if (pid == 0) {
        execl(static_program, static_program, (char *)NULL);
        _exit(127);
    }
    check(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "exec");
    return deadline_now_ns() - start;
}

static void cold_bind(const char *program, int image, const char *which)
{
    static uint64_t ours[BIND_RUNS], peer[BIND_RUNS];
    for (unsigned i = 0; i < BIND_RUNS; i++) {
        int socket = worker_spawn(program);
        usleep(READY_MS * 1000);
        peer[i] = exec_ns();
        uint64_t start = deadline_now_ns();
        struct worker *worker = worker_bind(socket, image);
        check(submit(worker), "submit");
        take_all(worker, 1);
        ours[i] = deadline_now_ns() - start;
        worker_close(worker);
        usleep(READY_MS * 1000 / 2); /* its end takes time of a core, too */
    }
    row("first answer of an application in a waiting worker vs vfork+exec", which,
        median_us(ours, BIND_RUNS), median_us(peer, BIND_RUNS), BIND_RUNS, BIND_GOAL);
}

int main(int argc, char **argv)
{
    struct test_image echo = {
        .memory_size = 131072, .memory_size_max = 131072, .command = TEST_echo, .start = TEST_NONE
    };
    if (argc < 4)
        return 2;
    void (*measure)(const char *, int, const char *) = strcmp(argv[1], "batch") == 0  ? batch
                                                       : strcmp(argv[1], "bind") == 0 ? cold_bind
                                                                                      : linger;
    static_program = argv[3];
    if (measure == linger && sysconf(_SC_NPROCESSORS_ONLN) < 2) {
        printf("{\"name\": \"linger\", \"skipped\": \"there is one core\"}\n");
        return 0;
    }
    measure(argv[2], test_image_make(&echo), "hand-written echo");
    if (argc > 4) {
        int image = open(argv[4], O_RDONLY | O_CLOEXEC);
        struct bytes content = { 0 };
        int sealed;
        check(image >= 0 && file_map(&content, image, &error), argv[4]);
        check(file_sealed(&sealed, "hello", content, &error), "image");
        measure(argv[2], sealed, "C hello, wasi-libc");
    }
    return 0;
}
