/* SPDX-License-Identifier: Apache-2.0 */
/* Host calls of real functions in real workers, answered by a service made for the test. */
#include "base/file.h"
#include "functions/test_world.h"
#include "services/about.h"
#include "services/services.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* kv_get gives KEY and "!"; of "slow" never, of "later" when the test says so; kv_set is noted. */
static struct {
    struct service_call *slow, *later;
    struct service_ending *ending;
    unsigned issued_count, alone_count;
    unsigned cancelled, set_count, commit_count, undo_count, forgotten;
    unsigned conflict_count; /* so many ends are conflicts */
    bool keeps_ending;
    enum service_verdict verdict;
} kv;

static void kv_get(void *context UNUSED, struct service_call *call)
{
    char text[512];
    struct bytes key = call->strings[1];
    if (bytes_equal_string(key, "slow")) {
        kv.slow = call;
    } else if (bytes_equal_string(key, "later")) {
        kv.later = call;
    } else if (bytes_equal_string(key, "none")) {
        service_refuse(call, CALL_ERROR_NOT_FOUND, "there is no %s", "none");
    } else {
        int size = snprintf(text, sizeof(text), "%.*s!", (int)MIN(key.size, (size_t)400),
                            (const char *)key.data);
        service_answer(call, 0, bytes_of(text, (size_t)size));
    }
}

static void kv_set(void *context UNUSED, struct service_call *call)
{
    kv.set_count++;
    service_answer(call, 1, (struct bytes){ 0 });
}

static void kv_cancelled(void *context UNUSED, struct service_call *call)
{
    CHECK(call == kv.slow || call == kv.later);
    kv.cancelled++;
}

static void kv_ended(void *context UNUSED, struct service_scope *scope UNUSED,
                     struct service_ending *ending)
{
    kv.commit_count += ending->is_commit;
    kv.undo_count += !ending->is_commit;
    if (kv.keeps_ending) {
        kv.ending = ending;
        return;
    }
    bool is_conflict = kv.conflict_count > 0;
    kv.conflict_count -= is_conflict;
    service_conclude(ending, is_conflict ? kv.verdict : SERVICE_KEEP, "prices changed meanwhile");
}

static void kv_issued(void *context UNUSED, struct service_scope *scope UNUSED,
                      struct bytes receipt UNUSED, struct service_ending *ending)
{
    kv.issued_count++;
    kv.alone_count += ending->is_alone;
    service_conclude(ending, SERVICE_KEEP, NULL);
}

static void kv_forgotten(void *context UNUSED, struct service_scope *scope UNUSED)
{
    kv.forgotten++;
}

static const struct service_handler handlers[] = { { CALL_KV_GET, kv_get },
                                                   { CALL_KV_SET, kv_set } };
static const struct service service_kv = { .name = "kv",
                                           .handlers = handlers,
                                           .handler_count = ARRAY_COUNT(handlers),
                                           .cancelled = kv_cancelled,
                                           .ended = kv_ended,
                                           .issued = kv_issued,
                                           .forgotten = kv_forgotten };

static struct services *services;

#define GRANT "permissions.kv = [\"prices\"]\n"

/* `limits`: more of them, or NULL. */
static bool open_limited(const char *lines, uint32_t timeout_ms, const char *limits)
{
    struct error error;
    memset(&kv, 0, sizeof(kv));
    if (!services_new(&services, &error) || !services_add(services, &service_about, NULL, &error) ||
        !services_add(services, &service_kv, NULL, &error))
        return false;
    world_options.services = services;
    if (!world_open("calls"))
        return false;
    world.lines = lines;
    world.limits = limits;
    return world_deploy("guard", "calls", 8, timeout_ms);
}

static bool open_with(const char *lines, uint32_t timeout_ms)
{
    return open_limited(lines, timeout_ms, NULL);
}

static void close_all(void)
{
    world_close();
    services_free(services);
    world_options.services = NULL;
}

static int64_t result_of(const struct outcome_seen *seen)
{
    int64_t result = INT64_MIN;
    CHECK_NOTE(seen->ran && seen->status == RECEIPT_STATUS_DONE, "%s", seen->message);
    if (seen->output_size >= sizeof(result))
        memcpy(&result, seen->output, sizeof(result));
    return result;
}

static void run_until_later(void)
{
    uint64_t start_ns = clock_monotonic_ns(&clock_system);
    while (kv.later == NULL && kv.slow == NULL && kv.ending == NULL &&
           clock_monotonic_ns(&clock_system) - start_ns < UINT64_C(1000000) * TEST_PATIENCE_MS)
        world_turn();
}

static void try_manner(const char *lines)
{
    REQUIRE(open_with(lines, 20000));
    for (unsigned i = 0; i < 20; i++) {
        char input[32], expected[32];
        snprintf(input, sizeof(input), "Gneo%u", i);
        snprintf(expected, sizeof(expected), "neo%u!", i);
        const struct outcome_seen *seen = world_invoke("guard", input);
        CHECK_NUMBER(result_of(seen), (int64_t)strlen(expected));
        CHECK_BYTES(bytes_of(seen->output + 8, strlen(expected)), bytes_of_string(expected));
        CHECK(seen->has_receipt);
    }
    const struct outcome_seen *seen = world_invoke("guard", "Gnone");
    CHECK_NUMBER(result_of(seen), CALL_ERROR_NOT_FOUND);
    CHECK_STRING(seen->output + 8, "there is no none");
    CHECK(kv.commit_count == 21 && kv.forgotten == 21);
    close_all();
}

static void calls_work_however_it_is_reset(void)
{
    REQUIRE_KVM();
    try_manner(GRANT);
    try_manner(GRANT "isolation = \"invocation\"\n");
    try_manner(GRANT "metering = \"fuel\"\n");
}

static void a_missing_permission_is_named(void)
{
    REQUIRE_KVM();
    REQUIRE(open_with("", 20000));
    const struct outcome_seen *seen = world_invoke("guard", "Gneo");
    CHECK_NUMBER(result_of(seen), CALL_ERROR_DENIED);
    CHECK_STRING(seen->output + 8, "no permission for kv namespace 'prices': add `permissions.kv = "
                                   "[\"prices\"]` to [function.f] in s3n.toml");
    close_all();
}

static void a_list_takes_one_exit(void)
{
    REQUIRE_KVM();
    static uint8_t input[16384];
    struct error error;
    REQUIRE(open_with(GRANT, 20000));
    struct writer writer = writer_into(input + 1, sizeof(input) - 1);
    const struct call_request request = { .call = CALL_KV_GET,
                                          .string_count = 2,
                                          .strings = { BYTES_LITERAL("prices"),
                                                       BYTES_LITERAL("neo") } };
    input[0] = 'L';
    call_requests_write_begin(&writer);
    for (unsigned i = 0; i < CALL_COUNT_MAX; i++)
        call_request_write(&writer, &request);
    call_list_write_end(&writer, CALL_COUNT_MAX);
    struct outcome_seen *seen = &world.seen[0];
    REQUIRE(world_start("guard", bytes_of(input, writer.size + 1), seen, &error));
    world_run_until(1);
    uint32_t count = 0;
    struct bytes answers = bytes_of(seen->output, seen->output_size);
    CHECK(call_answers_check(answers, &count) && count == CALL_COUNT_MAX);
    struct reader reader = call_answers_begin(answers);
    for (unsigned i = 0; i < count; i++) {
        struct call_answer answer;
        CHECK(call_answer_next(&reader, &answer) && answer.value == 4);
        CHECK_BYTES(answer.data, BYTES_LITERAL("neo!"));
    }
    CHECK_NUMBER(result_of(world_invoke("guard", "Lno list")), CALL_ERROR_INVALID);
    close_all();
}

static const struct outcome_seen *call_often(uint32_t count)
{
    uint8_t input[5] = { 'M', (uint8_t)count, (uint8_t)(count >> 8), (uint8_t)(count >> 16), 0 };
    struct error error;
    struct outcome_seen *seen = &world.seen[world.seen_count];
    CHECK(world_start("guard", BYTES_OF(input), seen, &error));
    world_run_until(world.seen_count + 1);
    return seen;
}

static void calls_have_a_limit(void)
{
    REQUIRE_KVM();
    REQUIRE(open_limited(GRANT, 60000, ", host_calls = 1000"));
    CHECK(result_of(call_often(1000)) > 0);
    const struct outcome_seen *seen = call_often(1001);
    CHECK(seen->ran && seen->status == RECEIPT_STATUS_LIMIT);
    CHECK(result_of(call_often(3)) > 0);
    close_all();
}

static void a_hanging_service_costs_its_invocation(void)
{
    REQUIRE_KVM();
    REQUIRE(open_with(GRANT, 300));
    const struct outcome_seen *seen = world_invoke("guard", "Gslow");
    CHECK(seen->ran && seen->status == RECEIPT_STATUS_TIMEOUT);
    CHECK(kv.cancelled == 1 && kv.undo_count == 1 && kv.forgotten == 1);
    for (unsigned i = 0; i < 5; i++)
        CHECK_NUMBER(result_of(world_invoke("guard", "Gneo")), 4);
    close_all();
}

static void others_do_not_wait_behind_it(void)
{
    REQUIRE_KVM();
    struct error error;
    REQUIRE(open_with(GRANT, 20000));
    /* Known to be short: several share a lane. */
    for (unsigned i = 0; i < 30; i++)
        CHECK_NUMBER(result_of(world_invoke("guard", "Gneo")), 4);
    unsigned first = world.seen_count;
    REQUIRE(world_start("guard", BYTES_LITERAL("Glater"), &world.seen[first], &error));
    for (unsigned i = 1; i <= 12; i++)
        REQUIRE(world_start("guard", BYTES_LITERAL("Gneo"), &world.seen[first + i], &error));
    world_run_until(first + 12);
    for (unsigned i = 1; i <= 12; i++)
        CHECK_NUMBER(result_of(&world.seen[first + i]), 4);
    REQUIRE(kv.later != NULL);
    service_answer(kv.later, 0, BYTES_LITERAL("at last"));
    world_run_until(first + 13);
    CHECK_NUMBER(result_of(&world.seen[first]), 7);
    close_all();
}

static void a_killed_worker_cancels_its_calls(void)
{
    REQUIRE_KVM();
    struct error error;
    REQUIRE(open_with(GRANT, 20000));
    REQUIRE(world_start("guard", BYTES_LITERAL("Gslow"), &world.seen[0], &error));
    run_until_later();
    REQUIRE(kv.slow != NULL);
    kill(world.workers[world.worker_count - 1], SIGKILL);
    world_run_until(1);
    CHECK(world.seen[0].ran && world.seen[0].status == RECEIPT_STATUS_CRASHED);
    CHECK(kv.cancelled == 1 && kv.undo_count == 1);
    CHECK_NUMBER(result_of(world_invoke("guard", "Gneo")), 4);
    invoker_free(TAKE(world.invoker));
    world.worker_count = 0; /* one of them was killed */
    close_all();
}

/* Workers end though a call never gets its answer: world_close waits for them. */
static void a_server_may_go_in_a_call(void)
{
    REQUIRE_KVM();
    struct error error;
    REQUIRE(open_with(GRANT, 60000));
    REQUIRE(world_start("guard", BYTES_LITERAL("Gslow"), &world.seen[0], &error));
    run_until_later();
    CHECK(kv.slow != NULL);
    close_all();
    CHECK(kv.cancelled == 1 && kv.forgotten == 1);
}

static void only_a_good_end_commits(void)
{
    REQUIRE_KVM();
    REQUIRE(open_with(GRANT, 20000));
    CHECK_NUMBER(result_of(world_invoke("guard", "Sneo")), 1);
    CHECK(kv.set_count == 1 && kv.commit_count == 1 && kv.undo_count == 0);
    const struct outcome_seen *seen = world_invoke("guard", "T");
    CHECK(seen->ran && seen->status == RECEIPT_STATUS_TRAP);
    CHECK(kv.set_count == 2 && kv.commit_count == 1 && kv.undo_count == 1);
    close_all();
}

static void an_answer_waits_for_its_commit(void)
{
    REQUIRE_KVM();
    struct error error;
    REQUIRE(open_with(GRANT, 20000));
    kv.keeps_ending = true;
    REQUIRE(world_start("guard", BYTES_LITERAL("Sneo"), &world.seen[0], &error));
    run_until_later();
    REQUIRE(kv.ending != NULL);
    CHECK_NUMBER(world.seen_count, 0);
    service_conclude(TAKE(kv.ending), SERVICE_KEEP, NULL);
    CHECK_NUMBER(world.seen_count, 1);
    CHECK_NUMBER(result_of(&world.seen[0]), 1);
    CHECK(world.seen[0].has_receipt);
    /* And one that the end of the node finds waiting. */
    REQUIRE(world_start("guard", BYTES_LITERAL("Sneo"), &world.seen[1], &error));
    run_until_later();
    CHECK(kv.ending != NULL);
    close_all();
    CHECK_NUMBER(kv.forgotten, 2);
}

static void it_is_known_who_is_alone(void)
{
    REQUIRE_KVM();
    struct error error;
    REQUIRE(open_with(GRANT, 60000));
    CHECK_NUMBER(result_of(world_invoke("guard", "Sneo")), 1);
    CHECK(kv.issued_count == 1 && kv.alone_count == 1);
    /* Beside one that is about to be kept. */
    kv.keeps_ending = true;
    world.seen_count = 0;
    REQUIRE(world_start("guard", BYTES_LITERAL("Sneo"), &world.seen[0], &error));
    run_until_later();
    REQUIRE(kv.ending != NULL);
    kv.keeps_ending = false;
    REQUIRE(world_start("guard", BYTES_LITERAL("Sneo"), &world.seen[1], &error));
    world_run_until(1);
    CHECK(kv.issued_count == 2 && kv.alone_count == 1);
    service_conclude(TAKE(kv.ending), SERVICE_KEEP, NULL);
    CHECK(kv.issued_count == 3 && kv.alone_count == 2);
    /* And one that runs. */
    world.seen_count = 0;
    REQUIRE(world_start("guard", BYTES_LITERAL("Gslow"), &world.seen[2], &error));
    run_until_later();
    REQUIRE(world_start("guard", BYTES_LITERAL("Sneo"), &world.seen[3], &error));
    world_run_until(1);
    CHECK(kv.issued_count == 4 && kv.alone_count == 2);
    close_all();
}

static void conflicts_are_refused_or_retried(void)
{
    REQUIRE_KVM();
    REQUIRE(open_with(GRANT, 20000));
    kv.verdict = SERVICE_RETRY;
    kv.conflict_count = 1;
    const struct outcome_seen *seen = world_invoke("guard", "Sneo");
    CHECK(!seen->ran && seen->refused == ERROR_CONFLICT);
    CHECK_STRING(seen->message, "prices changed meanwhile");
    kv.verdict = SERVICE_FAIL;
    kv.conflict_count = 1;
    seen = world_invoke("guard", "Sneo");
    CHECK(!seen->ran && seen->refused == ERROR_UNAVAILABLE);
    close_all();
    REQUIRE(open_with(GRANT "on_conflict = \"retry\"\n", 20000));
    kv.verdict = SERVICE_RETRY;
    kv.conflict_count = 3;
    CHECK_NUMBER(result_of(world_invoke("guard", "Sneo")), 1);
    CHECK(kv.set_count == 4 && kv.commit_count == 4 && kv.forgotten == 4);
    kv.conflict_count = 1000;
    seen = world_invoke("guard", "Sneo");
    CHECK(!seen->ran && seen->refused == ERROR_CONFLICT);
    CHECK_NUMBER(kv.set_count, 4 + 1 + INVOCATION_RETRIES_DEFAULT);
    close_all();
    REQUIRE(open_with(GRANT "on_conflict = \"retry\"\nconflict_retries = 2\n", 20000));
    kv.verdict = SERVICE_RETRY;
    kv.conflict_count = 1000;
    unsigned before = kv.set_count;
    CHECK(!world_invoke("guard", "Sneo")->ran);
    CHECK_NUMBER(kv.set_count - before, 1 + 2);
    close_all();
}

static void many_at_once(void)
{
    REQUIRE_KVM();
    struct error error;
    REQUIRE(open_with(GRANT, 20000));
    for (unsigned i = 0; i < 60; i++) {
        char input[16];
        snprintf(input, sizeof(input), "Gk%u", i);
        REQUIRE(world_start("guard", bytes_of_string(input), &world.seen[i], &error));
    }
    world_run_until(60);
    for (unsigned i = 0; i < 60; i++) {
        char expected[16];
        snprintf(expected, sizeof(expected), "k%u!", i);
        CHECK_NUMBER(result_of(&world.seen[i]), (int64_t)strlen(expected));
        CHECK_STRING(world.seen[i].output + 8, expected);
    }
    close_all();
}

static const struct test tests[] = {
    TEST(calls_work_however_it_is_reset),
    TEST(a_missing_permission_is_named),
    TEST(a_list_takes_one_exit),
    TEST(calls_have_a_limit),
    TEST(a_hanging_service_costs_its_invocation),
    TEST(others_do_not_wait_behind_it),
    TEST(a_killed_worker_cancels_its_calls),
    TEST(a_server_may_go_in_a_call),
    TEST(only_a_good_end_commits),
    TEST(an_answer_waits_for_its_commit),
    TEST(it_is_known_who_is_alone),
    TEST(conflicts_are_refused_or_retried),
    TEST(many_at_once),
};

int main(int argc, char **argv)
{
    /* What libuv opens once for all loops is not a case's leak. */
    uv_loop_t first;
    uv_loop_init(&first);
    uv_loop_close(&first);
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
