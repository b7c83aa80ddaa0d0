/* SPDX-License-Identifier: Apache-2.0 */
/* Which workers stay: by count, by memory, by idleness; and answers that are watched for. */
#include "base/file.h"
#include "functions/test_world.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static bool pool_open(const char *name, struct world_options options)
{
    world_options = options;
    return world_open(name);
}

static void many_deploy(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof(name), "app%u", i);
        CHECK_NOTE(world_deploy(name, "echo", 4, 5000), "%s", world.deploy_error.text);
    }
}

static void many_invoke(unsigned count, unsigned most_workers)
{
    for (unsigned i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof(name), "app%u", i);
        CHECK_STRING(world_invoke(name, name)->output, name);
        CHECK(invoker_counts(world.invoker).workers <= most_workers);
    }
}

static void the_longest_idle_give_way(void)
{
    REQUIRE_KVM();
    REQUIRE(pool_open("count", (struct world_options){ .worker_count_max = 3 }));
    many_deploy(10);
    for (unsigned round = 0; round < 3; round++)
        many_invoke(10, 3);
    CHECK_NUMBER(invoker_counts(world.invoker).workers, 3);
    /* Those used last are there still: nobody is started for them. */
    unsigned before = world.worker_count;
    CHECK_STRING(world_invoke("app8", "again")->output, "again");
    CHECK_NUMBER(world.worker_count, (int)before);
    world_close();
}

static void a_memory_budget_is_kept(void)
{
    REQUIRE_KVM();
    /* Room for two with one instance each. */
    REQUIRE(pool_open(
        "budget", (struct world_options){ .worker_count_max = 10, .memory_size_max = 4 << 20 }));
    many_deploy(6);
    for (unsigned round = 0; round < 2; round++)
        many_invoke(6, 2);
    CHECK(invoker_counts(world.invoker).memory_size <= 4 << 20);
    world_close();
}

static void idle_workers_end(void)
{
    REQUIRE_KVM();
    REQUIRE(pool_open("idle", (struct world_options){ .worker_count_max = 4, .idle_ms = 300 }));
    many_deploy(2);
    many_invoke(2, 2);
    while (invoker_counts(world.invoker).workers > 0)
        world_turn();
    CHECK_NUMBER(invoker_counts(world.invoker).workers_retired, 2);
    CHECK_NUMBER(invoker_counts(world.invoker).workers_lost, 0);
    many_invoke(2, 2);
    world_close();
}

/* Whoever comes back in time is expected, and nobody longer than that. */
static void workers_are_kept_as_long_as_they_are_expected(void)
{
    REQUIRE_KVM();
    REQUIRE(pool_open("pace", (struct world_options){
                                  .worker_count_max = 4, .idle_ms = 3600000, .idle_ms_min = 10 }));
    many_deploy(2);
    many_invoke(2, 2);
    /* app0 comes back after a second or more; what app1 will do is not known. */
    uint64_t until_ns = clock_monotonic_ns(&clock_system) + 1200000000u;
    while (clock_monotonic_ns(&clock_system) < until_ns)
        world_turn();
    CHECK_NUMBER(invoker_counts(world.invoker).workers, 2);
    many_invoke(1, 2);
    while (invoker_counts(world.invoker).workers > 1)
        world_turn();
    unsigned before = world.worker_count;
    CHECK_STRING(world_invoke("app1", "there")->output, "there");
    CHECK_NUMBER(world.worker_count, (int)before);
    CHECK_STRING(world_invoke("app0", "gone")->output, "gone");
    CHECK_NUMBER(world.worker_count, (int)before + 1);
    world_close();
}

/* Lanes: the floor at first, one more than are busy, never more than the ceiling. */
static void lanes_are_ready_as_they_are_needed(void)
{
    REQUIRE_KVM();
    REQUIRE(pool_open(
        "lanes",
        (struct world_options){ .worker_count_max = 4, .lane_count_min = 2, .lane_count_max = 5 }));
    CHECK(world_deploy("loop", "loop", 8, 300) && world_deploy("echo", "echo", 1, 5000));
    CHECK_STRING(world_invoke("echo", "one")->output, "one");
    CHECK_NUMBER(invoker_counts(world.invoker).lanes_ready, 1); /* it may have no more */
    struct error error;
    unsigned from = world.seen_count;
    for (unsigned i = 0; i < 8; i++)
        CHECK(world_start("loop", (struct bytes){ 0 }, &world.seen[from + i], &error));
    unsigned most = 0, running = 0;
    while (world.seen_count < from + 8) {
        world_turn();
        struct invoker_counts counts = invoker_counts(world.invoker);
        most = MAX(most, counts.lanes_ready);
        running = MAX(running, counts.running);
    }
    CHECK_NUMBER(most, 1 + 5);
    CHECK_NUMBER(running, 5);
    CHECK_STRING(world_invoke("echo", "two")->output, "two");
    world_close();
}

static void watched_answers_come(void)
{
    REQUIRE_KVM();
    REQUIRE(pool_open("watch", (struct world_options){ .worker_count_max = 4, .watches = true }));
    CHECK(world_deploy("echo", "echo", 8, 5000) && world_deploy("loop", "loop", 4, 300));
    struct error error;
    for (unsigned round = 0; round < 6; round++) {
        unsigned from = world.seen_count;
        for (unsigned i = 0; i < 8; i++)
            CHECK(world_start("echo", BYTES_LITERAL("all"), &world.seen[from + i], &error));
        /* A long one beside them keeps nobody awake, and nobody from answering. */
        if (round == 2)
            CHECK(world_start("loop", (struct bytes){ 0 }, &world.seen[from + 8], &error));
        world_run_until(from + 8 + (round == 2));
        for (unsigned i = 0; i < 8; i++)
            CHECK_STRING(world.seen[from + i].output, "all");
    }
    world_close();
}

/* As the kernel does when memory is short: what ran there is told so, others run on. */
static void a_killed_worker_takes_nobody_with_it(void)
{
    REQUIRE_KVM();
    REQUIRE(pool_open("killed", (struct world_options){ .worker_count_max = 4 }));
    CHECK(world_deploy("echo", "echo", 4, 5000) && world_deploy("loop", "loop", 4, 5000));
    struct error error;
    struct outcome_seen *loops = &world.seen[0];
    for (unsigned i = 0; i < 3; i++)
        CHECK(world_start("loop", (struct bytes){ 0 }, &loops[i], &error));
    while (invoker_counts(world.invoker).running < 3)
        world_turn();
    unsigned loop_worker = world.worker_count - 1;
    CHECK(world_start("echo", BYTES_LITERAL("runs on"), &world.seen[3], &error));
    kill(world.workers[loop_worker], SIGKILL);
    world_run_until(4);
    for (unsigned i = 0; i < 3; i++)
        CHECK_NUMBER(loops[i].status, RECEIPT_STATUS_CRASHED);
    CHECK_STRING(world.seen[3].output, "runs on");
    world_close();
}

/* Kept by every function that is deployed and not in use: its manifest's share, and nothing else
 * beside image and snapshot. */
static void idle_functions_cost_little(void)
{
    enum {
        COUNT = 60,
        KIB_MAX = 16
    };
    REQUIRE(pool_open("cost", (struct world_options){ .worker_count_max = 1 }));
    many_deploy(10);
    size_t before = mallinfo2().uordblks;
    for (unsigned i = 10; i < 10 + COUNT; i++) {
        char name[16];
        snprintf(name, sizeof(name), "app%u", i);
        CHECK_NOTE(world_deploy(name, "echo", 4, 5000), "%s", world.deploy_error.text);
    }
    size_t each = (mallinfo2().uordblks - before) / COUNT;
    CHECK_NOTE(each <= KIB_MAX << 10, "%zu bytes each", each);
    AUTO_CLOSE int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm >= 0)
        many_invoke(10 + COUNT, 1);
    world_close();
}

static const struct test tests[] = {
    TEST(the_longest_idle_give_way),
    TEST(a_memory_budget_is_kept),
    TEST(idle_workers_end),
    TEST(workers_are_kept_as_long_as_they_are_expected),
    TEST(lanes_are_ready_as_they_are_needed),
    TEST(watched_answers_come),
    TEST(a_killed_worker_takes_nobody_with_it),
    TEST(idle_functions_cost_little),
};

int main(int argc, char **argv)
{
    /* What libuv opens once for all loops is not a case's leak. */
    uv_loop_t first;
    uv_loop_init(&first);
    uv_loop_close(&first);
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
