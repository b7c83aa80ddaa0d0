/* SPDX-License-Identifier: Apache-2.0 */
#include "services/http.h"

#include "core/hex.h"
#include "crypto/hash.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

/* A port that keeps the request until the test answers it. */
static struct port {
    line_done *done;
    void *context;
    struct outbound_request request;
    char url[256], field[256], body[64];
    unsigned fetched, cancelled, ended;
    struct http_ending ending; /* the last */
    bool refuses;
} port;

static struct bytes keep(char *target, size_t size, struct bytes text)
{
    snprintf(target, size, "%.*s", (int)text.size, (const char *)text.data);
    return bytes_of_string(target);
}

static bool port_fetch(void *context UNUSED, const struct service_facts *facts UNUSED,
                       const struct outbound_request *request, line_done *done, void *done_context,
                       struct line_ticket **ticket, struct error *error)
{
    if (port.refuses)
        return error_set(error, ERROR_BUSY, "too many");
    port.done = done;
    port.context = done_context;
    port.request = *request;
    port.request.url = keep(port.url, sizeof(port.url), request->url);
    port.request.body = keep(port.body, sizeof(port.body), request->body);
    if (request->field_count > 0)
        port.request.fields[0].value =
            keep(port.field, sizeof(port.field), request->fields[0].value);
    port.fetched++;
    *ticket = (void *)&port;
    return true;
}

static void port_cancel(void *context UNUSED, struct line_ticket *ticket UNUSED)
{
    port.cancelled++;
}

static void port_ended(void *context UNUSED, const struct service_facts *facts,
                       const struct http_ending *ending)
{
    CHECK_STRING(facts->function, "f");
    port.ended++;
    port.ending = *ending;
}

static uint64_t time_ns;
static uint64_t now(const struct clock *clock UNUSED)
{
    return time_ns;
}
static const struct clock clock_test = { .realtime_ns = now, .monotonic_ns = now };
static struct http_port http = { NULL, port_fetch, port_cancel, port_ended, &clock_test };

static uint8_t kept[1 << 16];
static struct bytes answers;

static void on_listed(void *context UNUSED, struct bytes list)
{
    REQUIRE(list.size <= sizeof(kept));
    memcpy(kept, list.data, list.size);
    answers = bytes_of(kept, list.size);
}

struct world {
    struct services *services;
    struct service_scope *scope;
    struct permissions permissions;
};

static bool world_open(struct world *world, const char **rules, size_t count)
{
    static struct service_facts facts;
    struct error error;
    port = (struct port){ 0 };
    time_ns = 1000000000;
    *world = (struct world){ .permissions = permissions_default() };
    world->permissions.lists[CALL_PERMISSION_HTTP] = (struct permission_list){ rules, count };
    facts = (struct service_facts){ .application = "a",
                                    .function = "f",
                                    .version = "1",
                                    .permissions = &world->permissions,
                                    .deadline_ns = 6000000000 };
    return services_new(&world->services, &error) &&
           services_add(world->services, &service_http, &http, &error) &&
           services_begin(world->services, &facts, &world->scope, &error);
}

static void world_close(struct world *world)
{
    services_forget(world->scope);
    services_free(world->services);
}

static void ask(struct world *world, const char *method, const char *url, const char *headers,
                const char *body)
{
    uint8_t list[8192];
    struct writer writer = writer_into(list, sizeof(list));
    const struct call_request request = { .call = CALL_HTTP_FETCH,
                                          .string_count = 4,
                                          .strings = {
                                              bytes_of_string(method), bytes_of_string(url),
                                              bytes_of_string(headers), bytes_of_string(body) } };
    answers = (struct bytes){ 0 };
    call_requests_write_begin(&writer);
    call_request_write(&writer, &request);
    call_list_write_end(&writer, 1);
    CHECK(services_run(world->scope, writer_view(&writer), on_listed, NULL));
}

static struct call_answer answer_of(void)
{
    struct call_answer answer = { .value = INT64_MIN };
    if (answers.size == 0)
        return answer;
    struct reader reader = call_answers_begin(answers);
    CHECK(call_answer_next(&reader, &answer));
    return answer;
}

static const char *rules[] = { "GET,POST https://api.example/v1",
                               "GET,HEAD https://*.deep.example" };
static const char *wide[] = { "https://a.example" };

static void asks_and_answers(void)
{
    struct world world;
    REQUIRE(world_open(&world, rules, 2));
    ask(&world, "POST", "HTTPS://API.example:443/v1/x?y", "Accept: a\ns3n-redirect: manual\n",
        "data");
    REQUIRE(port.fetched == 1 && answers.size == 0); /* nobody waits for it but the function */
    CHECK_STRING(port.url, "https://api.example/v1/x?y");
    CHECK_STRING(port.body, "data");
    CHECK_STRING(port.field, "a");
    CHECK(port.request.field_count == 1 && port.request.is_manual && port.request.rule_count == 2);
    CHECK_NUMBER(port.request.timeout_ms, 5000); /* what the invocation has left */
    const struct outbound_answer answer = {
        .status = 201,
        .url = BYTES_LITERAL("https://api.example/v1/y"),
        .fields = { { BYTES_LITERAL("etag"), BYTES_LITERAL("1") } },
        .field_count = 1,
        .body = BYTES_LITERAL("made"),
    };
    time_ns += 7000;
    port.done(port.context, &answer, NULL, false);
    CHECK_STRING(port.ending.outcome, "2xx");
    CHECK(port.ended == 1 && port.ending.was_asked && port.ending.duration_ns == 7000 &&
          port.ending.sent_size == 4 && port.ending.received_size == 4);
    CHECK_BYTES(answer_of().data, BYTES_LITERAL("201 https://api.example/v1/y\netag: 1\n\nmade"));
    CHECK_NUMBER(answer_of().value, (int64_t)answer_of().data.size);
    /* The receipt has both. */
    unsigned count;
    const struct service_use *uses = services_uses(world.scope, &count);
    REQUIRE(count == 1 && uses[0].has_before && uses[0].has_after);
    CHECK_STRING(uses[0].service, "http");
    CHECK_STRING(uses[0].name, "POST:https://api.example");
    /* As docs/outbound.md has it, done by hand. */
    char text[512];
    struct digest32 fields = sha256_of(BYTES_LITERAL("accept: a\n"));
    struct digest32 body = sha256_of(BYTES_LITERAL("data"));
    int size =
        snprintf(text, sizeof(text), "S3N-HTTP-Request-1\nPOST https://api.example/v1/x?y\n%s\n",
                 hex_of_digest(&fields).text);
    size += snprintf(text + size, sizeof(text) - (size_t)size, "%s\n", hex_of_digest(&body).text);
    struct digest32 whole = sha256_of(bytes_of(text, (size_t)size));
    CHECK(digest32_equal(&whole, &uses[0].before));
    fields = sha256_of(BYTES_LITERAL("etag: 1\n"));
    body = sha256_of(BYTES_LITERAL("made"));
    size = snprintf(text, sizeof(text), "S3N-HTTP-Response-1\n201 https://api.example/v1/y\n%s\n",
                    hex_of_digest(&fields).text);
    size += snprintf(text + size, sizeof(text) - (size_t)size, "%s\n", hex_of_digest(&body).text);
    whole = sha256_of(bytes_of(text, (size_t)size));
    CHECK(digest32_equal(&whole, &uses[0].after));
    world_close(&world);
}

static void refuses_before_it_asks(void)
{
    static const struct {
        const char *method, *url, *headers, *body;
        enum call_error code;
        const char *text;
    } rows[] = {
        { "GET", "https://other.test/", "", "", CALL_ERROR_DENIED,
          "add `permissions.http = [\"https://other.test\"]` to [function.f] in s3n.toml" },
        { "DELETE", "https://api.example/v1", "", "", CALL_ERROR_DENIED,
          "[\"DELETE https://api.example\"]" },
        { "POST", "https://b.deep.example/", "", "", CALL_ERROR_DENIED, "POST https://b.deep" },
        { "GET", "http://api.example/v1", "", "", CALL_ERROR_DENIED, "http://api.example" },
        { "GET", "https://api.example/v2", "", "", CALL_ERROR_DENIED, "https://api.example" },
        { "get", "https://api.example/v1", "", "", CALL_ERROR_INVALID, "no method" },
        { "CONNECT", "https://api.example/v1", "", "", CALL_ERROR_INVALID, "no method" },
        { "GET", "https://api.example/v1/../x", "", "", CALL_ERROR_INVALID, "dots" },
        { "GET", "api.example", "", "", CALL_ERROR_INVALID, "no URL" },
        { "GET", "https://api.example/v1", "Host: b", "", CALL_ERROR_INVALID, "host" },
        { "GET", "https://api.example/v1", "a: b\n\n", "", CALL_ERROR_INVALID, "header field" },
        { "GET", "https://api.example/v1", "", "x", CALL_ERROR_INVALID, "no body" },
        { "HEAD", "https://b.deep.example/", "", "x", CALL_ERROR_INVALID, "HEAD has no body" },
    };
    struct world world;
    unsigned denied = 0;
    REQUIRE(world_open(&world, rules, 2));
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        ask(&world, rows[i].method, rows[i].url, rows[i].headers, rows[i].body);
        struct call_answer answer = answer_of();
        char text[512];
        keep(text, sizeof(text), answer.data);
        CHECK_NOTE(answer.value == rows[i].code && strstr(text, rows[i].text) != NULL, "%s %s: %s",
                   rows[i].method, rows[i].url, text);
        /* What no rule permits is counted; what is no request at all is the function's error. */
        denied += rows[i].code == CALL_ERROR_DENIED;
        CHECK_NUMBER(port.ended, denied);
    }
    CHECK_STRING(port.ending.outcome, "refused-rule");
    CHECK(!port.ending.was_asked);
    CHECK_NUMBER(port.fetched, 0);
    unsigned count;
    (void)services_uses(world.scope, &count);
    CHECK_NUMBER(count, 0);
    world_close(&world);
}

static void tells_how_it_failed(void)
{
    static const struct {
        enum error_code code;
        bool is_ours;
        enum call_error expected;
        const char *outcome;
    } rows[] = {
        { ERROR_UNAVAILABLE, false, CALL_ERROR_FAILED, "failed" },
        { ERROR_UNVERIFIED, false, CALL_ERROR_FAILED, "failed" },
        { ERROR_NOT_FOUND, false, CALL_ERROR_FAILED, "failed" },
        { ERROR_INVALID, false, CALL_ERROR_FAILED, "failed" },
        { ERROR_DENIED, false, CALL_ERROR_DENIED, "refused-redirect" },
        { ERROR_UNSUPPORTED, false, CALL_ERROR_DENIED, "refused-address" },
        { ERROR_TIMEOUT, false, CALL_ERROR_TIMEOUT, "timeout" },
        { ERROR_LIMIT, false, CALL_ERROR_LIMIT, "limit" },
        { ERROR_BUSY, true, CALL_ERROR_LIMIT, "limit" },
        { ERROR_CRASHED, true, CALL_ERROR_UNAVAILABLE, "unavailable" },
        { ERROR_UNAVAILABLE, true, CALL_ERROR_UNAVAILABLE, "unavailable" },
    };
    struct world world;
    REQUIRE(world_open(&world, wide, 1));
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct error error;
        error_set(&error, rows[i].code, "because");
        ask(&world, "GET", "https://a.example/", "", "");
        port.done(port.context, NULL, &error, rows[i].is_ours);
        CHECK_NUMBER(answer_of().value, rows[i].expected);
        CHECK_STRING(port.ending.outcome, rows[i].outcome);
        CHECK_BYTES(answer_of().data, BYTES_LITERAL("because"));
        unsigned count;
        const struct service_use *uses = services_uses(world.scope, &count);
        struct digest32 digest = http_failure_digest(rows[i].expected);
        CHECK(count == i + 1 && digest32_equal(&uses[i].after, &digest));
    }
    port.refuses = true;
    ask(&world, "GET", "https://a.example/", "", "");
    CHECK_NUMBER(answer_of().value, CALL_ERROR_LIMIT);
    CHECK_STRING(port.ending.outcome, "limit");
    CHECK_NUMBER(port.ended, ARRAY_COUNT(rows) + 1);
    world_close(&world);
}

static void bounds_and_cancels(void)
{
    struct world world;
    const struct outbound_answer answer = { .status = 200, .url = BYTES_LITERAL("https://a/") };
    REQUIRE(world_open(&world, wide, 1));
    ask(&world, "GET", "https://a.example/", "s3n-timeout-ms: 10", "");
    CHECK_NUMBER(port.request.timeout_ms, 10);
    port.done(port.context, &answer, NULL, false);
    for (unsigned i = 1; i < HTTP_COUNT_MAX - 1; i++) {
        ask(&world, "GET", "https://a.example/", "", "");
        port.done(port.context, &answer, NULL, false);
        CHECK(answer_of().value > 0);
    }
    ask(&world, "GET", "https://a.example/", "", "");
    services_cancel(world.scope);
    CHECK_NUMBER(port.cancelled, 1);
    CHECK_STRING(port.ending.outcome, "cancelled");
    CHECK_NUMBER(port.ended, HTTP_COUNT_MAX);
    unsigned count;
    (void)services_uses(world.scope, &count);
    CHECK_NUMBER(count, HTTP_COUNT_MAX);
    ask(&world, "GET", "https://a.example/", "", "");
    CHECK_NUMBER(answer_of().value, CALL_ERROR_LIMIT);
    CHECK_NUMBER(port.fetched, HTTP_COUNT_MAX);
    world_close(&world);
}

/* Who was asked stands in the receipt: without room there the answer is not told. */
static void a_receipt_without_room_refuses(void)
{
    const struct outbound_answer answer = { .status = 200,
                                            .url = BYTES_LITERAL("https://a/"),
                                            .body = BYTES_LITERAL("told") };
    const struct service_use use = { .service = "kv", .name = "x" };
    struct world world;
    struct error error;
    REQUIRE(world_open(&world, wide, 1));
    while (service_use(world.scope, &use))
        continue;
    for (unsigned fails = 0; fails < 2; fails++) {
        error_set(&error, ERROR_TIMEOUT, "late");
        ask(&world, "GET", "https://a.example/", "", "");
        port.done(port.context, fails != 0 ? NULL : &answer, &error, false);
        CHECK_NUMBER(answer_of().value, CALL_ERROR_LIMIT);
        CHECK_BYTES(answer_of().data, BYTES_LITERAL("the receipt has no room for another request"));
    }
    world_close(&world);
}

static void long_names_are_cut_in_the_receipt(void)
{
    char url[300], rule[300];
    const char *long_rules[] = { rule };
    struct world world;
    unsigned count;
    snprintf(url, sizeof(url), "https://%060d.%060d.example", 0, 0);
    snprintf(rule, sizeof(rule), "%s", url);
    REQUIRE(world_open(&world, long_rules, 1));
    ask(&world, "GET", url, "", "");
    REQUIRE(port.fetched == 1);
    const struct outbound_answer answer = { .status = 200, .url = bytes_of_string(url) };
    port.done(port.context, &answer, NULL, false);
    CHECK(answer_of().value > 0);
    const struct service_use *uses = services_uses(world.scope, &count);
    REQUIRE(count == 1);
    CHECK_NUMBER(strlen(uses[0].name), SERVICE_USE_NAME_SIZE_MAX);
    CHECK_STRING(uses[0].name + SERVICE_USE_NAME_SIZE_MAX - 4, "0...");
    world_close(&world);
}

/* One without a time limit has as much as any. */
static void nobody_waits_for_ever(void)
{
    static struct service_facts endless;
    struct world world;
    struct error error;
    REQUIRE(world_open(&world, wide, 1));
    services_forget(TAKE(world.scope));
    endless = (struct service_facts){
        .application = "a", .function = "f", .version = "1", .permissions = &world.permissions
    };
    REQUIRE(services_begin(world.services, &endless, &world.scope, &error));
    ask(&world, "GET", "https://a.example/", "", "");
    CHECK_NUMBER(port.request.timeout_ms, OUTBOUND_TIMEOUT_MS_DEFAULT);
    world_close(&world);
}

static const struct test tests[] = {
    TEST(a_receipt_without_room_refuses),
    TEST(long_names_are_cut_in_the_receipt),
    TEST(nobody_waits_for_ever),
    TEST(asks_and_answers),
    TEST(refuses_before_it_asks),
    TEST(tells_how_it_failed),
    TEST(bounds_and_cancels),
};
TEST_MAIN(tests)
