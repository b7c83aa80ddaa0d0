/* SPDX-License-Identifier: Apache-2.0 */
#include "services/about.h"
#include "services/services.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A service that keeps its calls until told, and writes down what happens to it. */
static struct {
    struct service_call *kept;
    bool keeps;
    unsigned began, cancelled, ended, forgotten;
    struct service_ending *ending;
    bool keeps_ending, saw_commit;
    enum service_verdict verdict;
    size_t answer_size;
} seen;

static uint8_t large[SERVICE_ANSWER_SIZE_MAX + 1];

static void double_run(void *context UNUSED, struct service_call *call)
{
    if (seen.keeps) {
        seen.kept = call;
        return;
    }
    if (call->row->number == CALL_KV_DELETE)
        service_refuse(call, CALL_ERROR_CONFLICT, "it is %s", "taken");
    else if (seen.answer_size > 0)
        service_answer(call, 0, bytes_of(large, seen.answer_size));
    else
        service_answer(call, 9, call->strings[1]);
}

static void double_began(void *context UNUSED, struct service_scope *scope UNUSED)
{
    seen.began++;
}

static void double_cancelled(void *context UNUSED, struct service_call *call)
{
    CHECK(call == seen.kept);
    seen.kept = NULL;
    seen.cancelled++;
}

static void double_ended(void *context UNUSED, struct service_scope *scope UNUSED,
                         struct service_ending *ending)
{
    seen.ended++;
    seen.saw_commit = ending->is_commit;
    seen.ending = ending;
    if (!seen.keeps_ending)
        service_conclude(ending, seen.verdict, "somebody else was faster");
}

static void double_forgotten(void *context UNUSED, struct service_scope *scope UNUSED)
{
    seen.forgotten++;
}

static const struct service_handler handlers[] = { { CALL_KV_GET, double_run },
                                                   { CALL_KV_SET, double_run },
                                                   { CALL_KV_DELETE, double_run } };
static const struct service service_double = { .name = "double",
                                               .handlers = handlers,
                                               .handler_count = ARRAY_COUNT(handlers),
                                               .began = double_began,
                                               .cancelled = double_cancelled,
                                               .ended = double_ended,
                                               .forgotten = double_forgotten };

/* One more behind it, which is content with everything. */
static unsigned content_count;

static void content_ended(void *context UNUSED, struct service_scope *scope UNUSED,
                          struct service_ending *ending)
{
    content_count++;
    service_conclude(ending, SERVICE_KEEP, "all is well");
}

static const struct service service_content = { .name = "content", .ended = content_ended };

/* --- one scope with its answers --- */

static struct services *services;
static struct service_scope *scope;
static struct permissions permissions;
static uint8_t requests[CALL_AREA_SIZE], answers[CALL_AREA_SIZE];
static size_t answers_size;
static unsigned listed_count;
static bool wants_times;

static bool scope_open(uint32_t call_count_max)
{
    static const char *names[] = { "prices" };
    struct error error;
    memset(&seen, 0, sizeof(seen));
    permissions = permissions_default();
    permissions.lists[CALL_PERMISSION_KV] = (struct permission_list){ names, 1 };
    const struct service_facts facts = { .id = "00112233445566778899aabbccddeeff",
                                         .application = "guard",
                                         .function = "quote",
                                         .version = "1.0.0",
                                         .permissions = &permissions,
                                         .is_timed = wants_times,
                                         .call_count_max = call_count_max };
    listed_count = 0;
    return services_new(&services, &error) &&
           services_add(services, &service_about, NULL, &error) &&
           services_add(services, &service_double, NULL, &error) &&
           services_add(services, &service_content, NULL, &error) &&
           services_begin(services, &facts, &scope, &error);
}

static void scope_close(void)
{
    services_forget(scope);
    services_free(services);
}

static void on_listed(void *context UNUSED, struct bytes list)
{
    memcpy(answers, list.data, list.size);
    answers_size = list.size;
    listed_count++;
}

static struct call_request kv_request(uint16_t call, const char *space, const char *key)
{
    struct call_request request = { .call = call,
                                    .string_count = 2,
                                    .strings = { bytes_of_string(space), bytes_of_string(key) } };
    if (call == CALL_KV_SET) {
        request.strings[request.string_count++] = BYTES_LITERAL("value");
        request.number_count = 1;
    }
    return request;
}

static bool run(const struct call_request *list, uint32_t count)
{
    struct writer writer = writer_into(requests, sizeof(requests));
    call_requests_write_begin(&writer);
    for (uint32_t i = 0; i < count; i++)
        call_request_write(&writer, &list[i]);
    call_list_write_end(&writer, count);
    return services_run(scope, writer_view(&writer), on_listed, NULL);
}

static struct call_answer answer_at(uint32_t index)
{
    struct call_answer answer = { .value = INT64_MIN };
    uint32_t count;
    CHECK(call_answers_check(bytes_of(answers, answers_size), &count) && index < count);
    struct reader reader = call_answers_begin(bytes_of(answers, answers_size));
    for (uint32_t i = 0; i <= index; i++)
        if (!call_answer_next(&reader, &answer))
            CHECK(false);
    return answer;
}

static void calls_are_answered_in_order(void)
{
    const struct call_request list[] = { kv_request(CALL_KV_GET, "prices", "neo"),
                                         kv_request(CALL_KV_SET, "prices", "gas"),
                                         kv_request(CALL_KV_DELETE, "prices", "x"),
                                         { .call = CALL_ABOUT } };
    REQUIRE(scope_open(0));
    CHECK(run(list, 4) && listed_count == 1 && seen.began == 1);
    CHECK(answer_at(0).value == 3); /* of bytes: their size */
    CHECK_BYTES(answer_at(0).data, BYTES_LITERAL("neo"));
    CHECK(answer_at(1).value == 9);
    CHECK(answer_at(2).value == CALL_ERROR_CONFLICT);
    CHECK_BYTES(answer_at(2).data, BYTES_LITERAL("it is taken"));
    CHECK_BYTES(answer_at(3).data,
                BYTES_LITERAL("{\"application\":\"guard\",\"function\":\"quote\",\"invocation\":"
                              "\"00112233445566778899aabbccddeeff\",\"version\":\"1.0.0\"}"));
    scope_close();
    CHECK(seen.forgotten == 1);
}

static void calls_are_counted_and_timed(void)
{
    struct call_request list[SERVICE_TIMING_COUNT_MAX + 4];
    unsigned count;
    CHECK(services_tally(NULL) == NULL && services_timings(NULL, &count) == NULL && count == 0);
    for (unsigned i = 0; i < ARRAY_COUNT(list); i++)
        list[i] =
            kv_request(i == 1 ? CALL_KV_DELETE : CALL_KV_GET, i == 2 ? "rates" : "prices", "neo");
    for (unsigned timed = 0; timed < 2; timed++) {
        wants_times = timed == 1;
        REQUIRE(scope_open(0));
        CHECK(run(list, ARRAY_COUNT(list)));
        const struct service_tally *tally = services_tally(scope);
        CHECK_NUMBER(tally->answered[CALL_KV_GET], ARRAY_COUNT(list) - 2);
        CHECK_NUMBER(tally->failed[CALL_KV_GET], 1); /* without permission */
        CHECK_NUMBER(tally->answered[CALL_KV_DELETE] + tally->failed[CALL_KV_SET], 0);
        CHECK_NUMBER(tally->failed[CALL_KV_DELETE], 1);
        const struct service_timing *timings = services_timings(scope, &count);
        CHECK_NUMBER(count, timed == 1 ? SERVICE_TIMING_COUNT_MAX : 0);
        for (unsigned i = 0; i < count; i++) {
            CHECK(timings[i].call == (i == 1 ? CALL_KV_DELETE : CALL_KV_GET));
            CHECK((timings[i].result < 0) == (i == 1));
            CHECK(timings[i].began_ns > 0 && timings[i].began_ns <= timings[i].ended_ns);
        }
        scope_close();
    }
    wants_times = false;
}

static void an_answer_may_come_later(void)
{
    const struct call_request list[] = { kv_request(CALL_KV_GET, "prices", "neo"),
                                         { .call = CALL_ABOUT } };
    REQUIRE(scope_open(0));
    seen.keeps = true;
    CHECK(run(list, 2) && listed_count == 0 && seen.kept != NULL);
    CHECK(!run(list, 2)); /* one list at a time */
    CHECK_BYTES(seen.kept->strings[1], BYTES_LITERAL("neo"));
    service_answer(seen.kept, 0, BYTES_LITERAL("late"));
    CHECK(listed_count == 1);
    CHECK_BYTES(answer_at(0).data, BYTES_LITERAL("late"));
    CHECK(answer_at(1).value > 0);
    scope_close();
}

static void permissions_are_named(void)
{
    const struct call_request list[] = {
        kv_request(CALL_KV_GET, "rates", "neo"),
        { .call = CALL_SECRET_GET,
          .number_count = 1,
          .string_count = 1,
          .strings = { BYTES_LITERAL("API_KEY") } },
        { .call = CALL_HTTP_FETCH, .string_count = 4 },
        { .call = CALL_ATTEST, .string_count = 1 },
        kv_request(CALL_KV_GET, "a\nb", "neo"),
        kv_request(CALL_KV_GET, "", "neo"),
    };
    REQUIRE(scope_open(0));
    CHECK(run(list, 6) && listed_count == 1);
    for (unsigned i = 0; i < 4; i++)
        CHECK(answer_at(i).value == CALL_ERROR_DENIED);
    CHECK_BYTES(answer_at(0).data,
                BYTES_LITERAL("no permission for kv namespace 'rates': add `permissions.kv = "
                              "[\"rates\"]` to [function.quote] in s3n.toml"));
    CHECK_BYTES(answer_at(1).data,
                BYTES_LITERAL("no permission for secret 'API_KEY': add `permissions.secrets = "
                              "[\"API_KEY\"]` to [function.quote] in s3n.toml"));
    CHECK_BYTES(answer_at(2).data, BYTES_LITERAL("no permission for http_fetch: add "
                                                 "`permissions.http` to [function.quote] in "
                                                 "s3n.toml"));
    CHECK_BYTES(answer_at(3).data, BYTES_LITERAL("no permission for attest: add "
                                                 "`permissions.attest = true` to "
                                                 "[function.quote] in s3n.toml"));
    CHECK(answer_at(4).value == CALL_ERROR_INVALID);
    CHECK_BYTES(answer_at(4).data, BYTES_LITERAL("no kv namespace has the name a\\x0ab"));
    CHECK(answer_at(5).value == CALL_ERROR_DENIED);
    scope_close();
}

static void what_is_no_call_is_refused(void)
{
    const struct call_request list[] = {
        { .call = 999 },
        { .call = CALL_KV_GET, .string_count = 1, .strings = { BYTES_LITERAL("prices") } },
        { .call = CALL_REST, .number_count = 2 }, /* only alone */
        { .call = CALL_HPKE_OPEN, .string_count = 5 },
    };
    const struct call_request rest_first[] = { list[2], { .call = CALL_ABOUT } };
    REQUIRE(scope_open(0));
    CHECK(run(rest_first, 2));
    CHECK(answer_at(0).value == CALL_ERROR_UNSUPPORTED && answer_at(1).value > 0);
    CHECK(run(list, 4));
    CHECK(answer_at(0).value == CALL_ERROR_UNSUPPORTED);
    CHECK(answer_at(1).value == CALL_ERROR_INVALID);
    CHECK(answer_at(2).value == CALL_ERROR_UNSUPPORTED);
    CHECK(answer_at(3).value == CALL_ERROR_UNAVAILABLE); /* whose service is not there */
    CHECK(!services_run(scope, BYTES_LITERAL(""), on_listed, NULL));
    CHECK(!services_run(scope, BYTES_LITERAL("SCQ1 is no list at all"), on_listed, NULL));
    CHECK(run(&list[2], 1)); /* an answer's rest, in what is no list: */
    size_t size = requests[4];
    requests[0] ^= 1;
    CHECK(!services_run(scope, bytes_of(requests, size), on_listed, NULL));
    requests[0] ^= 1;
    CHECK(services_run(scope, bytes_of(requests, size), on_listed, NULL));
    const struct call_request rests[] = {
        { .call = CALL_REST },
        { .call = CALL_REST, .number_count = 1 },
        { .call = CALL_REST, .number_count = 3 },
        { .call = CALL_REST, .number_count = 2, .string_count = 1 }
    };
    for (size_t i = 0; i < ARRAY_COUNT(rests); i++)
        CHECK(!run(&rests[i], 1));
    permissions.is_granted[CALL_PERMISSION_ATTEST] = true;
    const struct call_request attest = { .call = CALL_ATTEST, .string_count = 1 };
    CHECK(run(&attest, 1));
    CHECK(answer_at(0).value == CALL_ERROR_UNAVAILABLE);
    CHECK_BYTES(answer_at(0).data, BYTES_LITERAL("attest is not available on this node"));
    scope_close();
}

static void calls_have_a_limit(void)
{
    struct call_request list[CALL_COUNT_MAX];
    REQUIRE(scope_open(CALL_COUNT_MAX + 2));
    for (unsigned i = 0; i < CALL_COUNT_MAX; i++)
        list[i] = (struct call_request){ .call = CALL_ABOUT };
    CHECK(run(list, CALL_COUNT_MAX) && answer_at(CALL_COUNT_MAX - 1).value > 0);
    CHECK(run(list, 3));
    CHECK(answer_at(1).value > 0 && answer_at(2).value == CALL_ERROR_LIMIT);
    scope_close();
}

static void large_answers_come_in_pieces(void)
{
    const struct call_request get = kv_request(CALL_KV_GET, "prices", "neo");
    struct call_request rest = { .call = CALL_REST, .number_count = 2 };
    REQUIRE(scope_open(0));
    seen.answer_size = 1000000;
    for (size_t i = 0; i < sizeof(large); i++)
        large[i] = (uint8_t)(i * 7 + i / 251);
    REQUIRE(run(&get, 1));
    struct call_answer answer = answer_at(0);
    CHECK_NUMBER(answer.value, 1000000);
    CHECK_NUMBER(answer.total_size, 1000000);
    CHECK(answer.data.size > CALL_AREA_SIZE - 100);
    size_t got = answer.data.size;
    CHECK(memcmp(answer.data.data, large, got) == 0);
    while (got < 1000000) {
        rest.numbers[1] = got;
        REQUIRE(run(&rest, 1));
        answer = answer_at(0);
        REQUIRE(answer.data.size > 0 && answer.data.size <= 1000000 - got);
        CHECK(memcmp(answer.data.data, large + got, answer.data.size) == 0);
        got += answer.data.size;
    }
    rest.numbers[1] = UINT64_MAX;
    CHECK(run(&rest, 1) && answer_at(0).data.size == 0);
    rest.numbers[0] = 1;
    CHECK(run(&rest, 1) && answer_at(0).data.size == 0);
    CHECK_NUMBER(seen.began, 1);
    seen.answer_size = sizeof(large);
    CHECK(run(&get, 1) && answer_at(0).value == CALL_ERROR_LIMIT);
    scope_close();
}

/* What a list brings stays within bounds, and so does what an invocation brings in all. */
static void answers_have_limits(void)
{
    const struct call_request get = kv_request(CALL_KV_GET, "prices", "neo");
    const struct call_request list[] = { get, get, get, { .call = CALL_ABOUT } };
    struct call_request rest = { .call = CALL_REST, .number_count = 2, .numbers = { 1, 0 } };
    REQUIRE(scope_open(0));
    seen.answer_size = SERVICE_ANSWER_SIZE_MAX;
    REQUIRE(run(list, 4));
    CHECK_NUMBER(answer_at(1).value, SERVICE_ANSWER_SIZE_MAX);
    CHECK(answer_at(2).value == CALL_ERROR_LIMIT && answer_at(3).value == CALL_ERROR_LIMIT);
    CHECK(run(&rest, 1) && answer_at(0).value == SERVICE_ANSWER_SIZE_MAX);
    seen.answer_size = 100;
    REQUIRE(run(list, 1));
    CHECK(run(&rest, 1) && answer_at(0).value == 0); /* of a list before it */
    seen.answer_size = SERVICE_ANSWER_SIZE_MAX;
    unsigned whole = 2;
    while (run(&get, 1) && answer_at(0).value > 0)
        whole++;
    CHECK_NUMBER(answer_at(0).value, CALL_ERROR_LIMIT);
    CHECK_NUMBER(whole, SERVICE_BYTES_MAX / SERVICE_ANSWER_SIZE_MAX - 1);
    seen.answer_size = 0;
    size_t size = answers_size;
    listed_count = 0;
    while (listed_count < 10000 && run(&get, 1))
        seen.answer_size = SERVICE_ANSWER_SIZE_MAX / 64;
    CHECK(listed_count > 0 && listed_count < 10000 && size > 0); /* nor more requests */
    scope_close();
}

static void no_list_is_larger_than_its_area(void)
{
    static uint8_t area[CALL_AREA_SIZE + 64], value[CALL_AREA_SIZE];
    struct call_request set = kv_request(CALL_KV_SET, "prices", "neo");
    REQUIRE(scope_open(0));
    for (size_t size = CALL_AREA_SIZE + 8; size >= CALL_AREA_SIZE; size -= 8) {
        struct writer writer = writer_into(area, size);
        set.strings[2] = bytes_of(value, 0);
        for (size_t more = 64; more > 0;) { /* as large as it gets */
            writer = writer_into(area, size);
            set.strings[2].size += more;
            call_requests_write_begin(&writer);
            call_request_write(&writer, &set);
            call_list_write_end(&writer, 1);
            if (!writer.failed && writer.size == size)
                break;
            if (writer.failed) {
                set.strings[2].size -= more;
                more /= 2;
            }
        }
        REQUIRE(!writer.failed && writer.size == size);
        CHECK(services_run(scope, writer_view(&writer), on_listed, NULL) ==
              (size == CALL_AREA_SIZE));
    }
    scope_close();
}

static unsigned concluded_count;
static struct service_ending concluded;

static void on_concluded(void *context UNUSED, const struct service_ending *ending)
{
    concluded = *ending;
    concluded_count++;
}

static void an_end_waits_for_services(void)
{
    REQUIRE(scope_open(0));
    concluded_count = content_count = 0;
    seen.keeps_ending = true;
    services_end(scope, true, on_concluded, NULL);
    CHECK(concluded_count == 0 && seen.ended == 1 && seen.saw_commit && content_count == 0);
    service_conclude(seen.ending, SERVICE_KEEP, NULL);
    CHECK(content_count == 1 && concluded_count == 1 && concluded.verdict == SERVICE_KEEP &&
          concluded.is_commit);
    scope_close();
}

static void a_service_may_change_the_outcome(void)
{
    REQUIRE(scope_open(0));
    concluded_count = content_count = 0;
    seen.verdict = SERVICE_CONFLICT;
    services_end(scope, true, on_concluded, NULL);
    CHECK(content_count == 1 && concluded_count == 1 && concluded.verdict == SERVICE_CONFLICT &&
          !concluded.is_commit);
    CHECK_STRING(concluded.message, "somebody else was faster");
    scope_close();
    REQUIRE(scope_open(0));
    services_end(scope, false, on_concluded, NULL);
    CHECK(!seen.saw_commit && !concluded.is_commit && concluded.verdict == SERVICE_KEEP);
    scope_close();
}

static void calls_under_way_are_cancelled_once(void)
{
    const struct call_request get = kv_request(CALL_KV_GET, "prices", "neo");
    REQUIRE(scope_open(0));
    seen.keeps = true;
    CHECK(run(&get, 1) && seen.kept != NULL);
    concluded_count = 0;
    services_end(scope, false, on_concluded, NULL);
    CHECK(seen.cancelled == 1 && listed_count == 0 && concluded_count == 1);
    CHECK(!run(&get, 1)); /* it has ended */
    scope_close();
    CHECK(seen.cancelled == 1);
    REQUIRE(scope_open(0));
    seen.keeps = true;
    CHECK(run(&get, 1));
    scope_close();
    CHECK(seen.cancelled == 1 && listed_count == 0);
}

static void uses_are_kept_for_the_receipt(void)
{
    struct service_use use = { .service = "kv", .name = "prices", .has_after = true };
    unsigned count;
    REQUIRE(scope_open(0));
    CHECK(service_use(scope, &use));
    CHECK_STRING(services_uses(scope, &count)[0].name, "prices");
    CHECK_NUMBER(count, 1);
    static const char *const bad[] = { "a\"b", "a b", "a\\b", "\x7f", "\n", "\xc3\xa4" };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        snprintf(use.name, sizeof(use.name), "%s", bad[i]);
        CHECK(!service_use(scope, &use));
    }
    use.name[0] = '\0';
    CHECK(!service_use(scope, &use));
    snprintf(use.name, sizeof(use.name), "x");
    for (unsigned i = 1; i < SERVICE_USE_COUNT_MAX; i++)
        CHECK(service_use(scope, &use));
    CHECK(!service_use(scope, &use));
    scope_close();
}

static void a_call_has_one_service(void)
{
    struct error error;
    REQUIRE(scope_open(0));
    CHECK(!services_add(services, &service_about, NULL, &error) && error.code == ERROR_CONFLICT);
    CHECK(services_handle(services, CALL_ABOUT) && !services_handle(services, CALL_ATTEST));
    service_set_state(scope, &service_double, &seen);
    CHECK(service_state(scope, &service_double) == &seen);
    CHECK(service_state(scope, &service_about) == NULL);
    scope_close();
}

static void an_answer_to_keep_has_a_limit(void)
{
    struct service_result result = { { { 1 } }, 0, bytes_of(large, SERVICE_RESULT_SIZE_MAX + 1) };
    struct error error = { 0 };
    REQUIRE(scope_open(0));
    CHECK(!services_keep(scope, &result, &error) && error.code == ERROR_LIMIT);
    CHECK(service_scope_result(scope) == NULL);
    result.value.size--;
    CHECK(services_keep(scope, &result, &error));
    CHECK_BYTES(service_scope_result(scope)->value, result.value);
    scope_close();
}

static void there_are_so_many_services(void)
{
    static struct service many[SERVICE_COUNT_MAX];
    struct error error = { 0 };
    REQUIRE(scope_open(0));
    for (unsigned i = 3; i < SERVICE_COUNT_MAX; i++)
        REQUIRE(services_add(services, &many[i], NULL, &error));
    CHECK(!services_add(services, &many[0], NULL, &error) && error.code == ERROR_LIMIT);
    scope_close();
}

static const struct test tests[] = {
    TEST(answers_have_limits),
    TEST(no_list_is_larger_than_its_area),
    TEST(an_answer_to_keep_has_a_limit),
    TEST(there_are_so_many_services),
    TEST(calls_are_answered_in_order),
    TEST(calls_are_counted_and_timed),
    TEST(an_answer_may_come_later),
    TEST(permissions_are_named),
    TEST(what_is_no_call_is_refused),
    TEST(calls_have_a_limit),
    TEST(large_answers_come_in_pieces),
    TEST(an_end_waits_for_services),
    TEST(a_service_may_change_the_outcome),
    TEST(calls_under_way_are_cancelled_once),
    TEST(uses_are_kept_for_the_receipt),
    TEST(a_call_has_one_service),
};
TEST_MAIN(tests)
