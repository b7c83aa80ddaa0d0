/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes of a real slipstream process: several invocations in one entry. */
#include "base/file.h"
#include "base/spawn.h"
#include "slipstream/channel.h"
#include "slipstream/test_image.h"
#include "slipstream/worker.h"
#include "tests/harness.h"

#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUIRE_BACKEND()                                                                          \
    if (!test_has_backend())                                                                       \
    SKIP("the backend can't be used here")

enum {
    MAILBOX_SIZE = 64 << 10,
    STATION_COUNT = 64, /* as many as the ring has places */
    FUNCTION = 3,
    TIMEOUT_MS = 60
};

struct bench {
    struct worker *worker;
    pid_t pid;
    uint32_t lane_max;
    uint64_t sent;                /* tokens count up */
    struct outcome outcomes[256]; /* by token */
    unsigned done_count;
    struct error error;
};

static void bench_done(struct bench *bench)
{
    struct spawn_end end = { 0 };
    worker_close(bench->worker);
    if (bench->pid > 0 && !spawn_wait(&end, bench->pid, TEST_PATIENCE_MS, &bench->error))
        test_note("%s", bench->error.text);
}

#define BENCH __attribute__((cleanup(bench_done))) struct bench

static bool bench_open(struct bench *bench, uint32_t lane_count, uint32_t flags)
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
                                      .station_count = STATION_COUNT,
                                      .core_count = 1,
                                      .mailbox_size = MAILBOX_SIZE };
    struct test_image image = {
        .memory_size = 65536, .memory_size_max = 1 << 20, .command = TEST_mixed, .start = TEST_NONE
    };
    struct settings settings = { .timeout_ms = TIMEOUT_MS, .flags = flags };
    AUTO_CLOSE int descriptor = test_image_make(&image);
    bool opened = spawn(&bench->pid, &options, &bench->error);
    close(pair[1]);
    bench->lane_max = lane_count;
    opened = opened && worker_open(&bench->worker, pair[0], &channel, &bench->error) &&
             worker_load(bench->worker, FUNCTION, descriptor, -1, &settings, &bench->error);
    if (!opened)
        test_note("%s", bench->error.text);
    return opened;
}

static bool submit(struct bench *bench, const char *input)
{
    size_t size;
    uint32_t slot;
    struct mailbox_request request = { .input = bytes_of_string(input), .errors_capacity = 4096 };
    if (!worker_acquire(bench->worker, FUNCTION, bench->lane_max, &slot))
        return false;
    void *mailbox = worker_mailbox(bench->worker, slot, &size);
    if (!mailbox_prepare(mailbox, size, &request, &bench->error))
        return false;
    worker_submit(bench->worker, slot, FUNCTION, bench->sent++);
    return true;
}

/* Takes what is done, checks what was echoed. */
static bool take_one(struct bench *bench)
{
    struct worker_completion completion;
    struct pollfd waiting = { .fd = worker_event(bench->worker), .events = POLLIN };
    struct bytes output;
    size_t size;
    while (!worker_take(bench->worker, &completion))
        if (poll(&waiting, 1, TEST_PATIENCE_MS) <= 0)
            return false;
    const struct mailbox *mailbox = worker_mailbox(bench->worker, completion.slot, &size);
    bench->outcomes[completion.token % ARRAY_COUNT(bench->outcomes)] = completion.outcome;
    if (completion.outcome.kind == OUTCOME_DONE) {
        char token[32] = { 0 };
        CHECK(mailbox_area_view(mailbox, size, &mailbox->output, &output));
        snprintf(token, sizeof(token), "%llu", (unsigned long long)completion.token);
        CHECK_BYTES(bytes_part(output, 1, output.size), bytes_of_string(token));
    }
    worker_release(bench->worker, completion.slot);
    bench->done_count++;
    return true;
}

static bool take_all(struct bench *bench)
{
    while (bench->done_count < bench->sent)
        if (!take_one(bench))
            return false;
    return true;
}

/* False when there is no room. */
static bool ask(struct bench *bench, char kind)
{
    char input[32];
    snprintf(input, sizeof(input), "%c%llu", kind, (unsigned long long)bench->sent);
    return submit(bench, input);
}

static bool ask_soon(struct bench *bench, char kind)
{
    while (!ask(bench, kind))
        if (bench->done_count == bench->sent || !take_one(bench))
            return false;
    return true;
}

/* Until the guest restores itself and the server knows how short the function is. */
static bool warm_up(struct bench *bench)
{
    for (unsigned i = 0; i < 12; i++)
        if (!ask(bench, 'e') || !take_all(bench) || bench->outcomes[i].exit_code == 99)
            return false;
    return true;
}

static void check_outcomes(const struct bench *bench, uint64_t from, const char *kinds)
{
    for (unsigned i = 0; kinds[i] != '\0'; i++) {
        const struct outcome *outcome = &bench->outcomes[(from + i) % ARRAY_COUNT(bench->outcomes)];
        enum outcome_kind want = kinds[i] == 't'   ? OUTCOME_TRAPPED
                                 : kinds[i] == 'l' ? OUTCOME_TIMEOUT
                                                   : OUTCOME_DONE;
        CHECK_NOTE(outcome->kind == want && outcome->exit_code != 99,
                   "%u of %s: outcome %u, exit code %u", i, kinds, outcome->kind,
                   outcome->exit_code);
    }
}

/* Secrets of one are not there for the next, however it ended. */
static void nothing_is_left_for_the_next(void)
{
    REQUIRE_BACKEND();
    static const char *const batches[] = { "eeeeeeeeeeeeeeee", "ggegeeggg",   "tetettee",
                                           "gtegtegteggttee",  "eeeeeeeeete", "e" };
    for (uint32_t lanes = 1; lanes <= 2; lanes++) {
        BENCH bench = { 0 };
        REQUIRE(bench_open(&bench, lanes, 0));
        REQUIRE(warm_up(&bench));
        for (unsigned round = 0; round < 20 * ARRAY_COUNT(batches); round++) {
            const char *batch = batches[round % ARRAY_COUNT(batches)];
            uint64_t from = bench.sent;
            for (const char *at = batch; *at != '\0'; at++)
                REQUIRE(ask_soon(&bench, *at));
            REQUIRE(take_all(&bench));
            check_outcomes(&bench, from, batch);
        }
    }
}

/* With one lane of many stations, short invocations queue up in it; guests answer most of them. */
static void short_ones_share_an_entry(void)
{
    REQUIRE_BACKEND();
    BENCH bench = { 0 };
    REQUIRE(bench_open(&bench, 1, 0));
    CHECK(ask(&bench, 'e'));
    CHECK(!ask(&bench, 'e')); /* how long it takes is not known yet */
    REQUIRE(take_all(&bench));
    REQUIRE(warm_up(&bench));
    /* Over and over, so that every place of the ring is used again. */
    uint32_t most = 0;
    for (unsigned round = 0; round < 30; round++) {
        while (ask(&bench, 'e'))
            ;
        most = MAX(most, worker_running_count(bench.worker));
        REQUIRE(take_all(&bench));
    }
    CHECK_NOTE(most > 1, "%u at once", most);
}

/* One that runs out of time is the only one that does; those behind it do not wait for it. */
static void time_limits_hit_one(void)
{
    REQUIRE_BACKEND();
    for (uint32_t lanes = 1; lanes <= 2; lanes++) {
        BENCH bench = { 0 };
        REQUIRE(bench_open(&bench, lanes, 0));
        REQUIRE(warm_up(&bench));
        for (unsigned round = 0; round < 3; round++) {
            static const char batch[] = "eeleeeeteele";
            uint64_t from = bench.sent;
            for (const char *at = batch; *at != '\0'; at++)
                REQUIRE(ask_soon(&bench, *at));
            REQUIRE(take_all(&bench));
            check_outcomes(&bench, from, batch);
            /* Long ones made the server careful: short ones make it trust again. */
            for (unsigned i = 0; i < 60; i++) {
                REQUIRE(ask(&bench, 'e'));
                REQUIRE(take_all(&bench));
            }
        }
    }
}

/* What writes over the ring itself hurts its own lane only, and only until the next guest. */
static void forged_rings_are_survived(void)
{
    REQUIRE_BACKEND();
    BENCH bench = { 0 };
    REQUIRE(bench_open(&bench, 1, 0));
    REQUIRE(warm_up(&bench));
    for (unsigned round = 0; round < 10; round++) {
        REQUIRE(ask(&bench, 'e'));
        REQUIRE(ask_soon(&bench, 'z'));
        REQUIRE(ask_soon(&bench, 'e'));
        REQUIRE(take_all(&bench));
        REQUIRE(ask(&bench, 'e'));
        REQUIRE(take_all(&bench));
        check_outcomes(&bench, bench.sent - 1, "e");
    }
}

/* With isolation "invocation" there is one at a time, and forging answers is of no use. */
static void isolated_ones_are_answered_by_the_worker(void)
{
    REQUIRE_BACKEND();
    BENCH bench = { 0 };
    REQUIRE(bench_open(&bench, 1, SETTINGS_ISOLATE_INVOCATION));
    REQUIRE(warm_up(&bench));
    CHECK(ask(&bench, 'e'));
    CHECK(!ask(&bench, 'e'));
    REQUIRE(take_all(&bench));
    static const char kinds[] = "etgeltge";
    for (const char *at = kinds; *at != '\0'; at++) {
        REQUIRE(ask(&bench, *at));
        REQUIRE(take_all(&bench));
        check_outcomes(&bench, bench.sent - 1, (const char[]){ *at, '\0' });
    }
    REQUIRE(ask(&bench, 'z'));
    REQUIRE(take_all(&bench));
    check_outcomes(&bench, bench.sent - 1, "t");
}

/* A server that watches keeps guests at the ring; it is woken again when it does not. */
static void a_watching_server_is_not_woken(void)
{
    REQUIRE_BACKEND();
    BENCH bench = { 0 };
    REQUIRE(bench_open(&bench, 1, 0));
    REQUIRE(warm_up(&bench));
    worker_set_polling(bench.worker, true);
    struct worker_completion completion;
    /* More than the ring has places, in one entry. */
    for (unsigned round = 0; round < 5 * STATION_COUNT; round++) {
        REQUIRE(ask(&bench, 'e'));
        while (!worker_take(bench.worker, &completion))
            ;
        CHECK_NUMBER(completion.outcome.kind, OUTCOME_DONE);
        CHECK(completion.outcome.exit_code != 99);
        worker_release(bench.worker, completion.slot);
        bench.done_count++;
    }
    worker_set_polling(bench.worker, false);
    for (unsigned round = 0; round < 50; round++) {
        REQUIRE(ask(&bench, 'e'));
        REQUIRE(take_all(&bench));
    }
}

static bool stay_on(const cpu_set_t *allowed, int number)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int core = 0; core < CPU_SETSIZE; core++) {
        if (CPU_ISSET((unsigned)core, allowed) && number-- == 0)
            CPU_SET((unsigned)core, &one);
    }
    return CPU_COUNT(&one) == 1 && sched_setaffinity(0, sizeof(one), &one) == 0;
}

/* Watching for what waits for this very core is of no use. */
static void what_shares_a_core_is_not_watched(void)
{
    REQUIRE_BACKEND();
    BENCH bench = { 0 };
    cpu_set_t allowed;
    REQUIRE(sched_getaffinity(0, sizeof(allowed), &allowed) == 0);
    REQUIRE(stay_on(&allowed, 0));
    REQUIRE(bench_open(&bench, 1, 0));
    REQUIRE(warm_up(&bench));
    CHECK(worker_is_beside(bench.worker)); /* nothing is under way */
    REQUIRE(ask(&bench, 'e'));
    CHECK(!worker_is_beside(bench.worker));
    if (stay_on(&allowed, 1))
        CHECK(worker_is_beside(bench.worker));
    REQUIRE(take_all(&bench));
    REQUIRE(sched_setaffinity(0, sizeof(allowed), &allowed) == 0);
}

static const struct test tests[] = {
    TEST(nothing_is_left_for_the_next),
    TEST(short_ones_share_an_entry),
    TEST(time_limits_hit_one),
    TEST(forged_rings_are_survived),
    TEST(isolated_ones_are_answered_by_the_worker),
    TEST(a_watching_server_is_not_woken),
    TEST(what_shares_a_core_is_not_watched),
};
TEST_MAIN(tests)
