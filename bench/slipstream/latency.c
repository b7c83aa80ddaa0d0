/* SPDX-License-Identifier: Apache-2.0 */
/* bench-slipstream warm|cold|restore STATIC-PROGRAM [IMAGE]: see measure. */
#include "abi/control.h"
#include "abi/layout.h"
#include "base/file.h"
#include "bench/bench.h"
#include "slipstream/deadline.h"
#include "slipstream/shell.h"
#include "slipstream/test_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    RUNS_WARM = 1000,
    RUNS_COLD = 100,
    RUNS_RESTORE = 100,
    RESTORE_PAGES = 100,
    RESTORE_STRIDE = 150, /* pages from one written page to the next */
    MAILBOX_SIZE = 256 << 10
};

static const char input[] = "a name of some length, as requests have it: one hundred bytes in, one "
                            "hundred bytes out, fresh...\n";

static struct shell *shell_make(struct engine *engine)
{
    struct shell *shell = NULL;
    void *mailbox = aligned_alloc(LAYOUT_PAGE_SIZE, MAILBOX_SIZE);
    check(mailbox != NULL, "mailbox");
    memset(mailbox, 0, MAILBOX_SIZE);
    check(shell_open(&shell, engine, mailbox, MAILBOX_SIZE, &error), "shell");
    return shell;
}

static void shell_drop(struct shell *shell)
{
    void *mailbox = shell_mailbox(shell);
    shell_close(shell);
    free(mailbox);
}

static void request(struct shell *shell)
{
    struct mailbox_request filled = { .input = bytes_of(input, sizeof(input) - 1),
                                      .errors_capacity = 4096 };
    check(mailbox_prepare(shell_mailbox(shell), MAILBOX_SIZE, &filled, &error), "mailbox");
}

static void invoke(struct shell *shell)
{
    struct outcome outcome;
    struct bytes output;
    request(shell);
    check(shell_run(shell, NULL, &outcome, &error), "run");
    const struct mailbox *mailbox = shell_mailbox(shell);
    check(outcome.kind == OUTCOME_DONE &&
              mailbox_area_view(mailbox, MAILBOX_SIZE, &mailbox->output, &output) &&
              output.size >= sizeof(input) - 1,
          "output");
}

static void load(struct shell *shell, struct program *program)
{
    struct settings limits = { .timeout_ms = 2000 };
    struct outcome outcome;
    check(shell_load(shell, program, &limits, &outcome, &error), "load");
}

static void row(const char *name, const char *which, double ours, double yardstick, unsigned runs,
                double goal)
{
    printf("{\"name\": \"%s (%s)\", \"ours\": %.3f, \"yardstick\": %.3f, \"unit\": \"us\", "
           "\"runs\": %u, \"goal\": %g}\n",
           name, which, ours, yardstick, runs, goal);
    fflush(stdout);
}

/* A shell whose guest leaves as fast as it can. */
static struct shell *bouncer_make(struct engine *engine)
{
    struct test_image image = {
        .memory_size = 131072, .memory_size_max = 131072, .command = TEST_bounce, .start = TEST_NONE
    };
    struct program *program = NULL;
    struct event event;
    int descriptor = test_image_make(&image);
    check(program_open(&program, descriptor, &error), "program");
    struct shell *shell = shell_make(engine);
    load(shell, program);
    struct control *control = shell->backend->machine_control(shell->machine);
    control->entry = ENTRY_COMMAND;
    control->code = LAYOUT_CODE + test_offset(TEST_bounce);
    control->frame_limit = LAYOUT_FRAMES + LAYOUT_FRAMES_SIZE;
    shell->backend->machine_enter(shell->machine, &event);
    check(event.kind == EVENT_EXIT, "bounce");
    program_close(program);
    close(descriptor);
    return shell;
}

static void warm(struct engine *engine, struct program *program, const char *which)
{
    static uint64_t ours[RUNS_WARM], resets[RUNS_WARM], bare[RUNS_WARM];
    struct shell *bouncer = bouncer_make(engine), *shell = shell_make(engine);
    struct event event;
    load(shell, program);
    for (unsigned i = 0; i < RUNS_WARM; i++) {
        uint64_t start = deadline_now_ns();
        bouncer->backend->machine_resume(bouncer->machine, UINT64_MAX, &event);
        uint64_t turned = deadline_now_ns();
        invoke(shell);
        uint64_t answered = deadline_now_ns();
        check(shell_reset(shell, &error), "reset");
        bare[i] = turned - start;
        ours[i] = deadline_now_ns() - turned;
        resets[i] = deadline_now_ns() - answered;
    }
    double rt = median_us(bare, RUNS_WARM);
    row("warm fresh-state invocation vs bare KVM_RUN", which, median_us(ours, RUNS_WARM), rt,
        RUNS_WARM, 1.1);
    fprintf(stderr, "  of which reset: %.2f us\n", median_us(resets, RUNS_WARM));
    shell_drop(shell);
    shell_drop(bouncer);
}

static uint64_t exec_ns(const char *program)
{
    int status = 0;
    uint64_t start = deadline_now_ns();
    pid_t pid = vfork();
    if (pid == 0) {
        execl(program, program, (char *)NULL);
        _exit(127);
    }
    pid_t ended;
    do /* the timer of an earlier invocation may still go off */
        ended = waitpid(pid, &status, 0);
    while (ended < 0 && errno == EINTR);
    check(pid > 0 && ended == pid && status == 0, "exec");
    return deadline_now_ns() - start;
}

static void cold(struct engine *engine, struct program *program, const char *static_program,
                 const char *which)
{
    static uint64_t ours[RUNS_COLD], peer[RUNS_COLD], made[RUNS_COLD];
    for (unsigned i = 0; i < RUNS_COLD; i++) {
        uint64_t start = deadline_now_ns();
        struct shell *shell = shell_make(engine);
        made[i] = deadline_now_ns() - start;
        peer[i] = exec_ns(static_program);
        start = deadline_now_ns();
        load(shell, program);
        invoke(shell);
        ours[i] = deadline_now_ns() - start;
        shell_drop(shell);
    }
    row("cold start in a pooled shell vs vfork+exec", which, median_us(ours, RUNS_COLD),
        median_us(peer, RUNS_COLD), RUNS_COLD, 0.15);
    fprintf(stderr, "  a shell takes %.0f us, ahead of need\n", median_us(made, RUNS_COLD));
}

static uint64_t copy_ns(uint8_t *target, const uint8_t *source)
{
    uint64_t start = deadline_now_ns();
    for (uint64_t i = 0; i < RESTORE_PAGES; i++) {
        uint64_t at = i * RESTORE_STRIDE * LAYOUT_PAGE_SIZE;
        memcpy(target + at, source + at, LAYOUT_PAGE_SIZE);
    }
    __asm__ volatile("" : : "r"(target) : "memory");
    return deadline_now_ns() - start;
}

/* The reset of a large instance that wrote pages all over, against copying just these pages. */
static void restore(struct engine *engine)
{
    static uint64_t ours[RUNS_RESTORE], copies[RUNS_RESTORE];
    const size_t size = 64 << 20;
    struct test_image image = {
        .memory_size = size, .memory_size_max = size, .command = TEST_echo, .start = TEST_NONE
    };
    uint8_t *target = calloc(1, size), *source = calloc(1, size);
    struct program *program = NULL;
    int descriptor = test_image_make(&image);
    check(target != NULL && source != NULL, "memory");
    check(program_open(&program, descriptor, &error), "program");
    struct shell *shell = shell_make(engine);
    load(shell, program);
    for (unsigned i = 0; i < RUNS_RESTORE; i++) {
        for (uint64_t page = 0; page < RESTORE_PAGES; page++) {
            uint64_t arguments[2] = { page * RESTORE_STRIDE * LAYOUT_PAGE_SIZE + 64, i + 1 };
            struct outcome outcome;
            check(
                shell_call(shell, test_offset(TEST_store), arguments, 2, NULL, 0, &outcome, &error),
                "store");
            source[arguments[0]] = (uint8_t)i;
            target[arguments[0]] = (uint8_t)(i + 1);
        }
        copies[i] = copy_ns(target, source);
        uint64_t start = deadline_now_ns();
        check(shell_reset(shell, &error), "reset");
        ours[i] = deadline_now_ns() - start;
    }
    row("restore of 64 MiB with 100 written pages vs copying these", "kvm",
        median_us(ours, RUNS_RESTORE), median_us(copies, RUNS_RESTORE), RUNS_RESTORE, 3);
    shell_drop(shell);
    program_close(program);
    close(descriptor);
    free(target);
    free(source);
}

static void measure(struct engine *engine, int descriptor, char **argv, const char *which)
{
    struct program *program = NULL;
    check(program_open(&program, descriptor, &error), "program");
    if (strcmp(argv[1], "warm") == 0)
        warm(engine, program, which);
    else
        cold(engine, program, argv[2], which);
    program_close(program);
}

int main(int argc, char **argv)
{
    struct engine *engine = NULL;
    struct test_image echo = {
        .memory_size = 131072, .memory_size_max = 131072, .command = TEST_echo, .start = TEST_NONE
    };
    if (argc < 3)
        return 2;
    check(engine_open(&engine, NULL, &error), "engine");
    if (strcmp(argv[1], "restore") == 0) {
        restore(engine);
        engine_close(engine);
        return 0;
    }
    measure(engine, test_image_make(&echo), argv, "hand-written echo");
    if (argc > 3) {
        int image = open(argv[3], O_RDONLY | O_CLOEXEC);
        check(image >= 0, argv[3]);
        measure(engine, image, argv, "C hello, wasi-libc");
    }
    engine_close(engine);
    return 0;
}
