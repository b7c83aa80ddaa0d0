/* SPDX-License-Identifier: Apache-2.0 */
/* Host calls through a real worker process: the call slot of a lane, and what is left of them. */
#include "abi/binding.h"
#include "abi/call.h"
#include "slipstream/test_worker.h"
#include "slipstream/worker_state.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FUNCTION = 3
};

_Static_assert(BINDING_S3N_BATCH == 56, "test_code.S knows it by number");

static const char canary[] = "CANARY-7f3a";

static size_t list_put(uint8_t *at, size_t capacity, const char *string)
{
    const struct call_request request = { .call = CALL_KV_GET,
                                          .string_count = 1,
                                          .strings = { bytes_of_string(string) } };
    struct writer writer = writer_into(at, capacity);
    call_requests_write_begin(&writer);
    call_request_write(&writer, &request);
    call_list_write_end(&writer, 1);
    CHECK(!writer.failed);
    return writer.size;
}

static bool submit_call(struct bench *bench, const char *string, uint64_t token, uint32_t *slot)
{
    uint8_t list[512];
    size_t size;
    struct mailbox_request request = { .input =
                                           bytes_of(list, list_put(list, sizeof(list), string)),
                                       .errors_capacity = 4096,
                                       .calls_capacity = CALL_AREA_SIZE };
    if (!worker_acquire(bench->worker, FUNCTION, CHANNEL_LANES_MAX, slot))
        return false;
    void *mailbox = worker_mailbox(bench->worker, *slot, &size);
    if (!mailbox_prepare(mailbox, size, &request, &bench->error))
        return false;
    worker_submit(bench->worker, *slot, FUNCTION, token);
    return true;
}

static bool load_calling(struct bench *bench, uint32_t timeout_ms)
{
    return load(bench, FUNCTION, TEST_call, timeout_ms);
}

/* The next call, waited for as a server does; false: an invocation ended first, or nothing came. */
static bool wait_call(struct bench *bench, struct worker_call *call,
                      struct worker_completion *completion)
{
    struct pollfd waiting = { .fd = worker_event(bench->worker), .events = POLLIN };
    for (unsigned i = 0; i < 100; i++) {
        if (worker_take(bench->worker, completion))
            return false;
        if (worker_take_call(bench->worker, call))
            return true;
        (void)poll(&waiting, 1, 300);
    }
    return false;
}

/* Answers with the request's string and the canary behind it. */
static void answer(struct bench *bench, const struct worker_call *call)
{
    uint8_t list[1024];
    char text[256];
    struct call_request request;
    struct writer writer = writer_into(list, sizeof(list));
    struct reader reader = call_requests_begin(call->requests);
    uint32_t count;
    CHECK(call_requests_check(call->requests, &count) && count == 1);
    CHECK(call_request_next(&reader, &request));
    int size = snprintf(text, sizeof(text), "%.*s %s", (int)request.strings[0].size,
                        (const char *)request.strings[0].data, canary);
    call_answers_write_begin(&writer);
    call_answer_write(&writer, size, bytes_of(text, (size_t)size), (uint64_t)size);
    call_list_write_end(&writer, 1);
    worker_answer_call(bench->worker, call->lane, call->number, writer_view(&writer));
}

static bool holds_canary(const uint8_t *memory, size_t size)
{
    const size_t length = sizeof(canary) - 1;
    for (const uint8_t *at = memory; (at = memchr(at, canary[0], size - (size_t)(at - memory)));
         at++)
        if (size - (size_t)(at - memory) >= length && memcmp(at, canary, length) == 0)
            return true;
    return false;
}

static void nothing_of_a_call_is_left(void)
{
    REQUIRE_KVM();
    BENCH bench = { 0 };
    REQUIRE(bench_open(&bench, 2));
    REQUIRE(load_calling(&bench, 20000));
    for (uint64_t i = 0; i < 12; i++) {
        struct worker_call call;
        struct worker_completion completion;
        struct bytes output;
        char asked[64];
        uint32_t slot;
        size_t size;
        snprintf(asked, sizeof(asked), "%s for number %u", canary, (unsigned)i);
        REQUIRE(submit_call(&bench, asked, i, &slot));
        REQUIRE(wait_call(&bench, &call, &completion));
        CHECK_NUMBER(call.token, (int64_t)i);
        answer(&bench, &call);
        REQUIRE(wait_completion(&bench, &completion));
        CHECK_NUMBER(completion.outcome.kind, OUTCOME_DONE);
        CHECK_NUMBER(completion.outcome.exit_code, 0);
        struct mailbox *mailbox = worker_mailbox(bench.worker, completion.slot, &size);
        REQUIRE(mailbox_area_view(mailbox, size, &mailbox->output, &output));
        CHECK(holds_canary(output.data, output.size));
        worker_release(bench.worker, completion.slot);
        CHECK(!holds_canary((const uint8_t *)mailbox, size));
        /* Nor where cell and server meet: all of the channel. */
        CHECK(!holds_canary(bench.worker->channel.memory, bench.worker->channel.size));
    }
}

static void lanes_call_side_by_side(void)
{
    REQUIRE_KVM();
    BENCH bench = { 0 };
    struct worker_call calls[4];
    struct worker_completion completion;
    uint32_t slots[4];
    REQUIRE(bench_open(&bench, 4));
    REQUIRE(load_calling(&bench, 20000));
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < 4; i++) {
            char asked[16];
            snprintf(asked, sizeof(asked), "lane %u", i);
            REQUIRE(submit_call(&bench, asked, i, &slots[i]));
        }
        for (unsigned i = 0; i < 4; i++) {
            uint8_t *copy = malloc(512);
            REQUIRE(wait_call(&bench, &calls[i], &completion));
            memcpy(copy, calls[i].requests.data, calls[i].requests.size);
            calls[i].requests.data = copy;
        }
        for (unsigned i = 4; i-- > 0;) /* the last first */
            answer(&bench, &calls[i]);
        for (unsigned i = 0; i < 4; i++) {
            struct bytes output;
            char expected[16];
            size_t size;
            REQUIRE(wait_completion(&bench, &completion));
            snprintf(expected, sizeof(expected), "lane %u", (unsigned)completion.token);
            struct mailbox *mailbox = worker_mailbox(bench.worker, completion.slot, &size);
            REQUIRE(mailbox_area_view(mailbox, size, &mailbox->output, &output));
            struct reader reader = call_answers_begin(output);
            struct call_answer read;
            CHECK(call_answer_next(&reader, &read));
            CHECK(bytes_starts_with(read.data, bytes_of_string(expected)));
            worker_release(bench.worker, completion.slot);
            free((void *)(uintptr_t)calls[i].requests.data);
        }
    }
}

static void a_call_may_be_refused_or_never_answered(void)
{
    REQUIRE_KVM();
    BENCH bench = { 0 };
    struct worker_call call;
    struct worker_completion completion;
    uint32_t slot;
    REQUIRE(bench_open(&bench, 1));
    REQUIRE(load_calling(&bench, 300));
    REQUIRE(submit_call(&bench, "x", 1, &slot));
    REQUIRE(wait_call(&bench, &call, &completion));
    worker_answer_call(bench.worker, call.lane, call.number, (struct bytes){ 0 });
    REQUIRE(wait_completion(&bench, &completion));
    CHECK(completion.outcome.kind == OUTCOME_DONE && completion.outcome.exit_code == 5);
    worker_release(bench.worker, completion.slot);
    REQUIRE(submit_call(&bench, "x", 2, &slot));
    REQUIRE(wait_call(&bench, &call, &completion));
    REQUIRE(wait_completion(&bench, &completion));
    CHECK_NUMBER(completion.outcome.kind, OUTCOME_TIMEOUT);
    worker_release(bench.worker, completion.slot);
    /* A late answer reaches nobody. */
    answer(&bench, &(struct worker_call){
                       .lane = call.lane, .number = call.number, .requests = call.requests });
    struct worker_call next;
    REQUIRE(submit_call(&bench, "y", 3, &slot));
    REQUIRE(wait_call(&bench, &next, &completion));
    CHECK(next.number != call.number && next.token == 3);
    answer(&bench, &next);
    REQUIRE(wait_completion(&bench, &completion));
    CHECK(completion.outcome.kind == OUTCOME_DONE && completion.outcome.exit_code == 0);
    worker_release(bench.worker, completion.slot);
}

/* What a cell that is not to be trusted may write into its slot. */
static void slots_that_lie_are_refused(void)
{
    REQUIRE_KVM();
    BENCH bench = { 0 };
    struct worker_call call;
    struct worker_completion completion;
    uint32_t slot;
    uint64_t state = 5;
    REQUIRE(bench_open(&bench, 1));
    REQUIRE(load_calling(&bench, 20000));
    REQUIRE(submit_call(&bench, "x", 9, &slot));
    REQUIRE(wait_call(&bench, &call, &completion));
    struct channel_call *shared = channel_call(&bench.worker->channel, 0);
    uint32_t number = shared->posted, sequence = shared->sequence, size = shared->size;
    for (unsigned i = 0; i < 2000; i++) {
        struct worker_call lie;
        shared->sequence = i % 2 == 0 ? (uint32_t)test_random(&state) : sequence;
        shared->size = i % 3 == 0 ? UINT32_MAX : (uint32_t)test_random(&state);
        shared->posted = number + 1 + i;
        if (!worker_take_call(bench.worker, &lie)) {
            CHECK_NUMBER(shared->answered, number + 1 + i);
            CHECK_NUMBER(shared->answer_size, 0);
            continue;
        }
        CHECK(lie.token == 9 && lie.requests.size <= CALL_AREA_SIZE);
    }
    shared->posted = number;
    shared->sequence = sequence;
    shared->size = size;
    CHECK(worker_take_call(bench.worker, &call)); /* a number that is new again */
    answer(&bench, &call);
    REQUIRE(wait_completion(&bench, &completion));
    worker_release(bench.worker, completion.slot);
}

/* bench_done waits for its process, which must end though a guest still waits. */
static void a_server_that_goes_ends_the_wait(void)
{
    REQUIRE_KVM();
    BENCH bench = { 0 };
    struct worker_call call;
    struct worker_completion completion;
    uint32_t slot;
    REQUIRE(bench_open(&bench, 2));
    REQUIRE(load_calling(&bench, 60000));
    REQUIRE(submit_call(&bench, "x", 1, &slot));
    REQUIRE(wait_call(&bench, &call, &completion));
}

static void a_worker_that_is_killed_loses_it(void)
{
    REQUIRE_KVM();
    BENCH bench = { 0 };
    struct worker_call call;
    struct worker_completion completion;
    uint32_t slot;
    REQUIRE(bench_open(&bench, 2));
    REQUIRE(load_calling(&bench, 60000));
    REQUIRE(submit_call(&bench, "x", 1, &slot));
    REQUIRE(wait_call(&bench, &call, &completion));
    kill(bench.pid, SIGKILL);
    REQUIRE(wait_completion(&bench, &completion));
    CHECK_NUMBER(completion.outcome.kind, OUTCOME_CRASHED);
    CHECK(!worker_take_call(bench.worker, &call));
    worker_answer_call(bench.worker, call.lane, call.number, (struct bytes){ 0 });
}

static const struct test tests[] = {
    TEST(nothing_of_a_call_is_left),
    TEST(lanes_call_side_by_side),
    TEST(a_call_may_be_refused_or_never_answered),
    TEST(slots_that_lie_are_refused),
    TEST(a_server_that_goes_ends_the_wait),
    TEST(a_worker_that_is_killed_loses_it),
};
TEST_MAIN(tests)
