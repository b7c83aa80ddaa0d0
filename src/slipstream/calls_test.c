/* SPDX-License-Identifier: Apache-2.0 */
/* Host calls of a machine in this process: what gets out, what comes back, and guests that lie. */
#include "abi/binding.h"
#include "abi/call.h"
#include "base/file.h"
#include "slipstream/calls.h"
#include "slipstream/program.h"
#include "slipstream/shell.h"
#include "slipstream/test_image.h"
#include "tests/harness.h"

#include <pthread.h>
#include <string.h>

enum {
    LIST_AT = 4096,
    ANSWERS_AT = 16384,
    ANSWERS_SIZE = 32768
};

static uint8_t requests[CALL_AREA_SIZE], answers[CALL_AREA_SIZE];

struct bench {
    struct engine *engine;
    struct program *program;
    struct shell *shell;
    struct call_desk desk;
    struct outcome outcome;
    struct error error;
    int image;
    unsigned asked;
    enum desk_end end;
    uint32_t answered; /* instead of what was written; 0: that */
    bool is_broken;    /* a list got out that was not checked */
};

static void bench_done(struct bench *bench)
{
    shell_close(bench->shell);
    program_close(bench->program);
    engine_close(bench->engine);
    file_close(&bench->image);
}

#define BENCH __attribute__((cleanup(bench_done))) struct bench

/* Answers each call with its first string. */
static enum desk_end echo_ask(struct call_desk *desk, uint32_t size, const struct desk_wait *wait,
                              uint32_t *answered)
{
    struct bench *bench = desk->context;
    struct bytes list = bytes_of(desk->requests, size);
    struct writer writer = writer_into(desk->answers, CALL_AREA_SIZE);
    uint32_t count = 0;
    CHECK(wait->deadline_ns == 0);
    bench->asked++;
    bench->is_broken = bench->is_broken || !call_requests_check(list, &count);
    struct reader reader = call_requests_begin(list);
    call_answers_write_begin(&writer);
    for (uint32_t i = 0; i < count; i++) {
        struct call_request request;
        bench->is_broken = bench->is_broken || !call_request_next(&reader, &request);
        call_answer_write(&writer, 7, request.strings[0], request.strings[0].size);
    }
    call_list_write_end(&writer, count);
    *answered = bench->answered != 0 ? bench->answered : (uint32_t)writer.size;
    return bench->end;
}

static bool bench_open(struct bench *bench, uint32_t call_count_max)
{
    static const struct test_image image = {
        .memory_size = 65536, .memory_size_max = 1 << 20, .command = TEST_echo, .start = TEST_NONE
    };
    const struct settings settings = { .host_call_count_max = call_count_max };
    const struct mailbox_request request = { .errors_capacity = 4096,
                                             .calls_capacity = CALL_AREA_SIZE };
    *bench = (struct bench){ .image = test_image_make(&image) };
    bool opened =
        engine_open(&bench->engine, test_backend(), &bench->error) &&
        program_open(&bench->program, bench->image, &bench->error) &&
        shell_open(&bench->shell, bench->engine, NULL, 0, &bench->error) &&
        shell_load(bench->shell, bench->program, &settings, &bench->outcome, &bench->error) &&
        mailbox_prepare(shell_mailbox(bench->shell), 1 << 20, &request, &bench->error);
    if (!opened) {
        test_note("%s", bench->error.text);
        return false;
    }
    bench->desk = (struct call_desk){
        .requests = requests, .answers = answers, .ask = echo_ask, .context = bench
    };
    shell_use_desk(bench->shell, &bench->desk);
    return true;
}

#define REQUIRE_BACKEND()                                                                          \
    if (!test_has_backend())                                                                       \
    SKIP("the backend can't be used here")

static uint8_t *memory_of(const struct shell *shell)
{
    static uint64_t size; /* asked for with the rest, and of no use here */
    return shell->backend->machine_part(shell->machine, PART_MEMORY, &size);
}

/* Calls a function of test_code.S; INT64_MIN when it does not end well. */
static int64_t run(struct bench *bench, enum test_function function, const uint64_t *slots,
                   uint32_t count)
{
    uint64_t result = 0;
    bool ran = shell_call(bench->shell, test_offset(function), slots, count, &result, 1,
                          &bench->outcome, &bench->error);
    CHECK_NOTE(ran, "%s", bench->error.text);
    return ran && bench->outcome.kind == OUTCOME_DONE ? (int64_t)result : INT64_MIN;
}

static size_t list_put(uint8_t *at, uint32_t count, const char *string)
{
    const struct call_request request = { .call = CALL_KV_GET,
                                          .string_count = 1,
                                          .strings = { bytes_of_string(string) } };
    struct writer writer = writer_into(at, 12288);
    call_requests_write_begin(&writer);
    for (uint32_t i = 0; i < count; i++)
        call_request_write(&writer, &request);
    call_list_write_end(&writer, count);
    CHECK(!writer.failed);
    return writer.size;
}

static int64_t batch(struct bench *bench, uint32_t count, const char *string)
{
    size_t size = list_put(memory_of(bench->shell) + LIST_AT, count, string);
    const uint64_t slots[] = { BINDING_S3N_BATCH, LIST_AT, size, ANSWERS_AT, ANSWERS_SIZE };
    return run(bench, TEST_import, slots, ARRAY_COUNT(slots));
}

static int64_t leave(struct bench *bench, uint64_t address, uint64_t size)
{
    const uint64_t slots[] = { GUEST_EXIT_CALL, address, size };
    return run(bench, TEST_leave, slots, ARRAY_COUNT(slots));
}

/* Where the guest sees its call area. */
static uint64_t area_of(const struct bench *bench)
{
    return LAYOUT_MAILBOX + shell_mailbox(bench->shell)->calls.offset;
}

static void a_list_is_answered_in_one_exit(void)
{
    REQUIRE_BACKEND();
    BENCH bench;
    uint32_t count;
    struct call_answer answer;
    REQUIRE(bench_open(&bench, 0));
    for (uint32_t i = 1; i <= CALL_COUNT_MAX; i += 21) {
        int64_t size = batch(&bench, i, "prices");
        REQUIRE(size > 0);
        struct bytes list = bytes_of(memory_of(bench.shell) + ANSWERS_AT, (size_t)size);
        CHECK(call_answers_check(list, &count) && count == i);
        struct reader reader = call_answers_begin(list);
        CHECK(call_answer_next(&reader, &answer) && answer.value == 7);
        CHECK_BYTES(answer.data, BYTES_LITERAL("prices"));
    }
    CHECK_NUMBER(bench.asked, 4);
    CHECK(!bench.is_broken);
    /* What went through is not kept. */
    static const uint8_t zeros[4096];
    CHECK(memcmp(requests, zeros, sizeof(zeros)) == 0 &&
          memcmp(answers, zeros, sizeof(zeros)) == 0);
}

static void each_call_counts(void)
{
    REQUIRE_BACKEND();
    BENCH bench;
    REQUIRE(bench_open(&bench, 10));
    CHECK(batch(&bench, 10, "x") > 0);
    CHECK(batch(&bench, 10, "x") > 0); /* of each run */
    CHECK(batch(&bench, 11, "x") == INT64_MIN);
    CHECK(bench.outcome.kind == OUTCOME_LIMIT && bench.outcome.exit_code == LIMIT_HOST_CALLS);
    CHECK_NUMBER(bench.asked, 2);
}

static void without_a_desk_it_is_an_error(void)
{
    REQUIRE_BACKEND();
    BENCH bench;
    REQUIRE(bench_open(&bench, 0));
    shell_use_desk(bench.shell, NULL);
    CHECK_NUMBER(batch(&bench, 1, "x"), CALL_ERROR_INVALID);
    struct call_desk nobody = desk_of_nobody(requests, answers, "in `s3n run`");
    shell_use_desk(bench.shell, &nobody);
    REQUIRE(batch(&bench, 2, "x") > 0);
    struct reader reader = call_answers_begin(bytes_of(memory_of(bench.shell) + ANSWERS_AT, 1000));
    struct call_answer answer;
    CHECK(call_answer_next(&reader, &answer) && answer.value == CALL_ERROR_UNAVAILABLE);
    CHECK_BYTES(answer.data, BYTES_LITERAL("kv_get is not available in `s3n run`"));
}

static void what_the_desk_says_is_bounded(void)
{
    REQUIRE_BACKEND();
    BENCH bench;
    REQUIRE(bench_open(&bench, 0));
    bench.end = DESK_REFUSED;
    CHECK_NUMBER(batch(&bench, 1, "x"), CALL_ERROR_INVALID);
    bench.end = DESK_ANSWERED;
    bench.answered = CALL_AREA_SIZE + 1;
    CHECK_NUMBER(batch(&bench, 1, "x"), CALL_ERROR_INVALID);
    bench.answered = 0;
    CHECK(batch(&bench, 1, "x") > 0);
    bench.end = DESK_TIMEOUT;
    CHECK(batch(&bench, 1, "x") == INT64_MIN && bench.outcome.kind == OUTCOME_TIMEOUT);
}

/* Registers of a guest that is not our runtime: any address, any size, garbage in the area. */
static void lies_about_the_area_get_nothing(void)
{
    REQUIRE_BACKEND();
    BENCH bench;
    REQUIRE(bench_open(&bench, 0));
    uint64_t area = area_of(&bench), state = 1;
    const uint64_t end = LAYOUT_MAILBOX + bench.shell->window_size;
    const uint64_t addresses[] = { 0,
                                   1,
                                   area - 1,
                                   area + 1,
                                   LAYOUT_MAILBOX,
                                   LAYOUT_MAILBOX - 1,
                                   LAYOUT_MAILBOX + sizeof(struct mailbox) - 1,
                                   end - CALL_AREA_SIZE + 1,
                                   end - 1,
                                   end,
                                   end + CALL_AREA_SIZE,
                                   LAYOUT_CONTROL,
                                   LAYOUT_RUNTIME,
                                   UINT64_MAX,
                                   UINT64_MAX - 4096,
                                   LAYOUT_MAILBOX + (UINT64_C(1) << 63) };
    const uint64_t sizes[] = {
        0, 1, 15, 16, CALL_AREA_SIZE, CALL_AREA_SIZE + 1, UINT32_MAX, UINT64_C(1) << 32, UINT64_MAX
    };
    for (unsigned i = 0; i < ARRAY_COUNT(addresses); i++)
        for (unsigned j = 0; j < ARRAY_COUNT(sizes); j++)
            CHECK_NUMBER(leave(&bench, addresses[i], sizes[j]), 0);
    uint8_t *host =
        (uint8_t *)shell_mailbox(bench.shell) + shell_mailbox(bench.shell)->calls.offset;
    for (unsigned i = 0; i < 300; i++) {
        for (unsigned j = 0; j < 256; j++)
            host[j] = (uint8_t)test_random(&state);
        if (i % 2 == 0) /* something like a list */
            (void)list_put(host, 1 + i % 5, "prices");
        host[test_random(&state) % 64] ^= (uint8_t)(1u << test_random(&state) % 8);
        (void)leave(&bench, area, test_random(&state) % 300);
    }
    CHECK(!bench.is_broken);
    size_t size = list_put(host, 1, "prices");
    CHECK(leave(&bench, area, size) > 0);
}

struct flipper {
    volatile uint8_t *at;
    size_t size;
    volatile bool is_over;
};

static void *flip(void *context)
{
    struct flipper *flipper = context;
    uint64_t state = 7;
    while (!flipper->is_over) {
        uint64_t number = test_random(&state);
        uint8_t *byte = (uint8_t *)(uintptr_t)&flipper->at[number % flipper->size];
        __atomic_fetch_xor(byte, (uint8_t)(1u << (number >> 32) % 8), __ATOMIC_RELAXED);
        __atomic_fetch_xor(byte, (uint8_t)(1u << (number >> 32) % 8), __ATOMIC_RELAXED);
    }
    return NULL;
}

/* Another processor writes over the records while they are read: what was checked is what is used.
 */
static void records_that_change_are_copied_first(void)
{
    REQUIRE_BACKEND();
    BENCH bench;
    pthread_t thread;
    REQUIRE(bench_open(&bench, 0));
    struct mailbox *mailbox = shell_mailbox(bench.shell);
    uint8_t *host = (uint8_t *)mailbox + mailbox->calls.offset;
    size_t size = list_put(host, 20, "prices");
    struct flipper flipper = { .at = host, .size = size };
    REQUIRE(pthread_create(&thread, NULL, flip, &flipper) == 0);
    for (unsigned i = 0; i < 3000; i++) {
        (void)list_put(host, 20, "prices");
        (void)leave(&bench, area_of(&bench), size);
        if (bench.outcome.kind != OUTCOME_DONE)
            break;
    }
    flipper.is_over = true;
    pthread_join(thread, NULL);
    CHECK_NUMBER(bench.outcome.kind, OUTCOME_DONE);
    CHECK(!bench.is_broken && bench.asked > 0);
}

static const struct test tests[] = {
    TEST(a_list_is_answered_in_one_exit),  TEST(each_call_counts),
    TEST(without_a_desk_it_is_an_error),   TEST(what_the_desk_says_is_bounded),
    TEST(lies_about_the_area_get_nothing), TEST(records_that_change_are_copied_first),
};
TEST_MAIN(tests)
