/* SPDX-License-Identifier: Apache-2.0 */
/* bench-fresh futex | restore BACKEND | single|batch BACKEND SLIPSTREAM-PROGRAM IMAGE: prints the
 * median in microseconds.
 *
 * Server and worker share one core.  single: one invocation at a time is submitted, waited for (the
 * eventfd), read and its mailbox wiped.  batch: 64 at a time; the time of each.  futex: what two
 * processes on one core need to hand a word over and back.  restore: the reset of a 64 MiB instance
 * that wrote 100 pages; behind it, what copying these takes. */
#include "abi/layout.h"
#include "base/file.h"
#include "base/spawn.h"
#include "bench/bench.h"
#include "slipstream/deadline.h"
#include "slipstream/shell.h"
#include "slipstream/test_image.h"
#include "slipstream/worker.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    WARM_UP = 300,
    SINGLE_RUNS = 5000,
    BATCH_RUNS = 300,
    BATCH_COUNT = 64,
    FUTEX_RUNS = 20000,
    RESTORE_RUNS = 200,
    RESTORE_PAGES = 100,
    RESTORE_STRIDE = 150,
    STATION_SIZE = 64 << 10
};

static const char input[] = "a name of some length, as requests have it: one hundred bytes in, one "
                            "hundred bytes out, fresh...\n";

static void pin(void)
{
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(0, &cores);
    check(sched_setaffinity(0, sizeof(cores), &cores) == 0, "stay on one core");
}

/* --- a worker */

static struct worker *worker_make(const char *backend, const char *program, int image)
{
    int pair[2];
    pid_t pid;
    struct worker *worker = NULL;
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "socket");
    const char *const arguments[] = { "slipstream", "--worker", "--control-fd", "3", "--backend",
                                      backend,      NULL };
    struct spawn_options options = { .path = program,
                                     .arguments = arguments,
                                     .descriptors = { { pair[1], 3 } },
                                     .descriptor_count = 1 };
    struct worker_options shape = {
        .lane_count = 1, .station_count = BATCH_COUNT, .core_count = 1, .mailbox_size = STATION_SIZE
    };
    struct settings settings = { .timeout_ms = 2000 };
    check(spawn(&pid, &options, &error), "spawn");
    close(pair[1]);
    check(worker_open(&worker, pair[0], &shape, &error), "worker");
    check(worker_load(worker, 1, image, -1, &settings, &error), "load");
    return worker;
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

static void take_all(struct worker *worker, unsigned count)
{
    struct worker_completion completion;
    struct pollfd waiting = { .fd = worker_event(worker), .events = POLLIN };
    while (count > 0) {
        size_t size;
        struct bytes output;
        if (!worker_take(worker, &completion)) {
            check(poll(&waiting, 1, 5000) > 0, "wait");
            continue;
        }
        const struct mailbox *mailbox = worker_mailbox(worker, completion.slot, &size);
        check(outcome_check(&completion.outcome, &error) &&
                  mailbox_area_view(mailbox, size, &mailbox->output, &output) &&
                  output.size >= sizeof(input) - 1,
              "output");
        worker_release(worker, completion.slot);
        count--;
    }
}

static double through_worker(char **argv, unsigned batch, unsigned runs)
{
    uint64_t *times = calloc(runs, sizeof(*times));
    struct bytes content = { 0 };
    int sealed, file = open(argv[4], O_RDONLY | O_CLOEXEC);
    check(times != NULL && file >= 0 && file_map(&content, file, &error), argv[4]);
    check(file_sealed(&sealed, "hello", content, &error), "image");
    pin();
    struct worker *worker = worker_make(argv[2], argv[3], sealed);
    for (unsigned i = 0; i < WARM_UP + runs; i++) {
        uint64_t start = deadline_now_ns();
        unsigned count = 0;
        while (count < batch && submit(worker))
            count++;
        take_all(worker, count);
        if (i >= WARM_UP)
            times[i - WARM_UP] = (deadline_now_ns() - start) / count;
    }
    double median = median_us(times, runs);
    worker_close(worker);
    free(times);
    return median;
}

/* --- yardsticks */

static void word_wait(uint32_t *word, uint32_t until)
{
    uint32_t held;
    while ((held = __atomic_load_n(word, __ATOMIC_ACQUIRE)) != until)
        syscall(SYS_futex, word, FUTEX_WAIT, held, NULL, NULL, 0);
}

static void word_set(uint32_t *word, uint32_t number)
{
    __atomic_store_n(word, number, __ATOMIC_RELEASE);
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static double futex(void)
{
    static uint64_t times[FUTEX_RUNS];
    uint32_t *words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pin();
    pid_t pid = fork();
    if (pid == 0)
        for (uint32_t i = 1;; i++) {
            word_wait(&words[0], i);
            word_set(&words[16], i);
        }
    for (uint32_t i = 0; i < FUTEX_RUNS; i++) {
        uint64_t start = deadline_now_ns();
        word_set(&words[0], i + 1);
        word_wait(&words[16], i + 1);
        times[i] = deadline_now_ns() - start;
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return median_us(times, FUTEX_RUNS);
}

static void restore(const char *backend)
{
    static uint64_t ours[RESTORE_RUNS], copies[RESTORE_RUNS];
    const size_t size = 64 << 20;
    struct test_image image = {
        .memory_size = size, .memory_size_max = size, .command = TEST_echo, .start = TEST_NONE
    };
    uint8_t *target = calloc(1, size), *source = calloc(1, size);
    struct settings settings = { 0 };
    struct engine *engine = NULL;
    struct program *program = NULL;
    struct shell *shell = NULL;
    struct outcome outcome;
    pin();
    check(target != NULL && source != NULL && engine_open(&engine, backend, &error) &&
              program_open(&program, test_image_make(&image), &error) &&
              shell_open(&shell, engine, NULL, 0, &error) &&
              shell_load(shell, program, &settings, &outcome, &error),
          "shell");
    for (unsigned i = 0; i < RESTORE_RUNS; i++) {
        for (uint64_t page = 0; page < RESTORE_PAGES; page++) {
            uint64_t arguments[2] = { page * RESTORE_STRIDE * LAYOUT_PAGE_SIZE + 64, i + 1 };
            check(
                shell_call(shell, test_offset(TEST_store), arguments, 2, NULL, 0, &outcome, &error),
                "store");
            memset(source + arguments[0], (int)i, 8);
            memset(target + arguments[0], (int)i + 1, 8);
        }
        uint64_t start = deadline_now_ns();
        for (uint64_t page = 0; page < RESTORE_PAGES; page++) {
            uint64_t at = page * RESTORE_STRIDE * LAYOUT_PAGE_SIZE;
            memcpy(target + at, source + at, LAYOUT_PAGE_SIZE);
        }
        __asm__ volatile("" : : "r"(target) : "memory");
        copies[i] = deadline_now_ns() - start;
        start = deadline_now_ns();
        check(shell_reset(shell, &error), "reset");
        ours[i] = deadline_now_ns() - start;
    }
    printf("%.3f %.3f\n", median_us(ours, RESTORE_RUNS), median_us(copies, RESTORE_RUNS));
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "futex") == 0)
        printf("%.3f\n", futex());
    else if (argc == 3 && strcmp(argv[1], "restore") == 0)
        restore(argv[2]);
    else if (argc == 5 && strcmp(argv[1], "single") == 0)
        printf("%.3f\n", through_worker(argv, 1, SINGLE_RUNS));
    else if (argc == 5 && strcmp(argv[1], "batch") == 0)
        printf("%.3f\n", through_worker(argv, BATCH_COUNT, BATCH_RUNS));
    else
        return 2;
    return 0;
}
