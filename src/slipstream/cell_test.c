/* SPDX-License-Identifier: Apache-2.0 */
/* The processes that a worker makes for its lanes. */
#include "slipstream/test_worker.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static bool echoes(struct bench *bench)
{
    struct worker_completion completion = { .outcome.kind = OUTCOME_CRASHED };
    uint32_t slot;
    bool ran = submit(bench, 2, "x", 9, &slot) && wait_completion(bench, &completion);
    if (ran)
        worker_release(bench->worker, completion.slot);
    return ran && completion.outcome.kind == OUTCOME_DONE;
}

static void each_child(pid_t pid, unsigned *count, int number)
{
    char path[64];
    int child;
    *count = 0;
    /* Each is the child of the thread that forked it. */
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    for (struct dirent *at; tasks != NULL && (at = readdir(tasks)) != NULL;) {
        snprintf(path, sizeof(path), "/proc/%d/task/%.20s/children", (int)pid, at->d_name);
        FILE *children = fopen(path, "re");
        while (children != NULL && fscanf(children, "%d", &child) == 1) {
            ++*count;
            if (number != 0)
                kill(child, number);
        }
        if (children != NULL)
            fclose(children);
    }
    if (tasks != NULL)
        closedir(tasks);
}

static unsigned child_count(pid_t pid)
{
    unsigned count;
    each_child(pid, &count, 0);
    return count;
}

/* The kernel may end any process for its memory.  What ran there is lost and says so; nothing else.
 */
static void killed_cells_cost_what_they_were_at(void)
{
    REQUIRE_KVM();
    BENCH bench = { 0 };
    struct worker_completion completion;
    uint32_t slot;
    unsigned killed = 0;
    REQUIRE(bench_open(&bench, 2));
    /* One that has nothing to do yet. */
    for (unsigned i = 0; i < 500 && killed == 0 && strcmp(test_backend(), "kvm") == 0; i++) {
        usleep(10000);
        each_child(bench.pid, &killed, SIGKILL);
    }
    REQUIRE(load(&bench, 2, TEST_echo, 1000) && load(&bench, 1, TEST_loop, 0));
    CHECK(echoes(&bench));
    /* One that rests. */
    each_child(bench.pid, &killed, SIGKILL);
    CHECK(killed > 0);
    CHECK(echoes(&bench));
    /* One that runs. */
    REQUIRE(submit(&bench, 1, "", 77, &slot));
    CHECK(echoes(&bench));
    while (!worker_take(bench.worker, &completion)) {
        usleep(20000);
        each_child(bench.pid, &killed, SIGKILL);
    }
    CHECK_NUMBER(completion.token, 77);
    CHECK_NUMBER(completion.outcome.kind, OUTCOME_CRASHED);
    CHECK(worker_is_alive(bench.worker));
    worker_release(bench.worker, completion.slot);
    CHECK(echoes(&bench));
}

static bool until_children(struct bench *bench, unsigned count)
{
    struct error error;
    AWAIT(((void)worker_answer(bench->worker, &error), child_count(bench->pid) == count));
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
    TEST(guests_run_behind_a_filter_of_their_own),
    TEST(lanes_follow_what_is_wanted),
    TEST(killed_cells_cost_what_they_were_at),
};
TEST_MAIN(tests)
