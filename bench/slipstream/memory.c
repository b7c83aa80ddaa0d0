/* SPDX-License-Identifier: Apache-2.0 */
/* bench-memory shell|worker SLIPSTREAM-PROGRAM: what one more costs this machine, kernel included,
 * as the difference of its available memory over many of them. */
#include "base/spawn.h"
#include "slipstream/shell.h"
#include "slipstream/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SHELL_COUNT = 200,
    ROUNDS = 3,
    WINDOW_SIZE = 9 << 20,
    KERNEL_STACK_KIB = 16
};

static struct error error;

static void check(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "%s: %s\n", what, error.text);
    exit(1);
}

/* The sum of some lines of a file of /proc, in KiB. */
static double lines_kib(const char *path, const char *const *names)
{
    char line[128], name[64];
    double sum = 0;
    long number;
    FILE *file = fopen(path, "re");
    check(file != NULL, path);
    while (fgets(line, sizeof(line), file) != NULL)
        for (const char *const *at = names; *at != NULL; at++)
            if (sscanf(line, "%63[^:]: %ld", name, &number) == 2 && strcmp(name, *at) == 0)
                sum += (double)number;
    fclose(file);
    return sum;
}

/* This process's own pages and tables, and what the kernel keeps for all (machines, threads, shadow
 * tables), which others on the machine move too. */
static double used_kib(void)
{
    static const char *const own[] = { "RssAnon", "RssShmem", "VmPTE", NULL };
    static const char *const kernel[] = { "SUnreclaim", "KernelStack", "SecPageTables", NULL };
    return lines_kib("/proc/self/status", own) + lines_kib("/proc/meminfo", kernel);
}

static int compare(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;
    return first < second ? -1 : first > second;
}

static void row(const char *name, double *samples, double goal)
{
    qsort(samples, ROUNDS, sizeof(*samples), compare);
    printf("{\"name\": \"%s\", \"ours\": %.0f, \"yardstick\": %g, \"unit\": \"KiB\", \"runs\": %d, "
           "\"goal\": 1}\n",
           name, samples[ROUNDS / 2], goal, ROUNDS);
    fflush(stdout);
}

static void shells(void)
{
    static struct shell *made[SHELL_COUNT];
    double samples[ROUNDS];
    struct engine *engine = NULL;
    /* As in a lane, whose shells share its window. */
    void *window =
        mmap(NULL, WINDOW_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(window != MAP_FAILED, "window");
    check(engine_open(&engine, "kvm", &error), "engine");
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct shell *first = NULL;
        check(shell_open(&first, engine, window, WINDOW_SIZE, &error), "shell");
        double before = used_kib();
        for (unsigned i = 0; i < SHELL_COUNT; i++)
            check(shell_open(&made[i], engine, window, WINDOW_SIZE, &error), "shell");
        samples[round] = (used_kib() - before) / (double)SHELL_COUNT;
        for (unsigned i = 0; i < SHELL_COUNT; i++)
            shell_close(made[i]);
        shell_close(first);
    }
    row("an entered shell in the pool against 400 KiB", samples, 400);
    engine_close(engine);
}

/* What only this process has. */
static double process_kib(pid_t pid)
{
    static const char *const own[] = { "RssAnon", "VmPTE", NULL };
    static const char *const threads[] = { "Threads", NULL };
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    return lines_kib(path, own) + lines_kib(path, threads) * (double)KERNEL_STACK_KIB;
}

static void workers(const char *program)
{
    double samples[ROUNDS];
    static const char *const arguments[] = { "slipstream", "--worker", "--control-fd", "3", NULL };
    for (unsigned round = 0; round < ROUNDS; round++) {
        int pair[2];
        pid_t pid;
        check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "socket");
        struct spawn_options options = { .path = program,
                                         .arguments = arguments,
                                         .descriptors = { { pair[1], 3 } },
                                         .descriptor_count = 1 };
        check(spawn(&pid, &options, &error), "spawn");
        close(pair[1]);
        sleep(1); /* it has jailed itself by then */
        samples[round] = process_kib(pid);
        close(pair[0]);
        waitpid(pid, NULL, 0);
    }
    row("a jailed worker that waits: own pages, tables, kernel stack, against 100 KiB", samples,
        100);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    if (strcmp(argv[1], "shell") == 0)
        shells();
    else
        workers(argv[2]);
    return 0;
}
