/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait for an issuer's keys, through the gateway's own stages, without a network.
 * That they go on by themselves when the keys are there is for tests/e2e/jwt.bash. */
#include "gateway/stage.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t now_ms;

static uint64_t clock_ns(const struct clock *clock UNUSED)
{
    return now_ms * 1000000;
}
static const struct clock test_clock = { clock_ns, clock_ns };

/* What the issuer's keys are like. */
static enum keys {
    ABSENT,
    COMING,
    THERE,
    WITHOUT
} keys;
static unsigned judged;

static bool judge(void *context UNUSED, const struct gateway_call *call UNUSED, struct bytes token,
                  struct gateway_jwt *jwt, struct error *error)
{
    judged++;
    jwt->is_coming = keys == COMING;
    if (keys == COMING || keys == ABSENT)
        return error_set(error, ERROR_UNAVAILABLE, "no keys yet");
    if (keys == WITHOUT)
        return error_set(error, ERROR_UNAUTHENTICATED, "no such key");
    snprintf(jwt->subject, JWT_SUBJECT_SIZE_MAX + 1, "%.*s", (int)token.size,
             (const char *)token.data);
    buffer_append(jwt->claims, BYTES_LITERAL("{}"));
    return true;
}

static void handle(void *context UNUSED, const struct gateway_call *call UNUSED)
{
}

static struct gateway *gateway_make(unsigned per_minute)
{
    static const struct gateway_route routes[] = { { "/jwt", "f", 0, false, GATEWAY_AUTH_JWT } };
    struct gateway_middleware middleware = { .limits.per_key = { per_minute, per_minute } };
    struct gateway_release release = { 1, 100, routes, 1, .middleware = &middleware };
    struct gateway_options options = { .clock = &test_clock, .jwt_check = judge };
    struct gateway *gateway = NULL;
    struct error error;
    for (size_t i = 0; i < GATEWAY_OPERATION_COUNT; i++)
        options.handlers[i] = handle;
    now_ms = 1000000;
    judged = 0;
    keys = COMING;
    ASSERT(gateway_new(&gateway, &options, &error));
    ASSERT(gateway_routes_set(gateway, "app", &release, 1, &error));
    ASSERT(gateway_routes_set(gateway, "other", &release, 1, &error));
    return gateway;
}

/* One request, and how it stands. */
struct asked {
    struct gateway_request request;
    struct http_request message;
    struct http_field field;
    struct refusal refusal;
};

static struct asked *asked_new(const char *path, const char *bearer)
{
    struct asked *asked = calloc(1, sizeof(*asked));
    ASSERT(asked != NULL);
    asked->field = HTTP_FIELD("authorization", bytes_of_string(bearer));
    asked->message = (struct http_request){ .method = HTTP_METHOD_GET,
                                            .target = bytes_of_string(path),
                                            .authority = BYTES_LITERAL("node"),
                                            .is_secure = true,
                                            .fields = &asked->field,
                                            .field_count = 1 };
    http_request_split_target(&asked->message);
    asked->request.call.request = &asked->message;
    return asked;
}

static void asked_free(struct gateway *gateway, struct asked *asked)
{
    keys_leave(gateway, &asked->request);
    rules_release(asked->request.rules);
    buffer_done(&asked->request.claims);
    free(asked);
}

enum {
    THROUGH = 0,
    WAITS = 1
};

/* One part of the chain, as the gateway walks it, to the end of stage_keys: the status of a
 * refusal, THROUGH or WAITS. */
static int walk(struct gateway *gateway, struct asked *asked, bool at_fields)
{
    struct gateway_request *request = &asked->request;
    struct refusal *refusal = &asked->refusal;
    bool is_over = false;
    *refusal = (struct refusal){ 0 };
    while (!is_over && stages[request->next_stage].at_fields == at_fields) {
        const struct stage *stage = &stages[request->next_stage++];
        is_over = stage->enter == stage_keys;
        if (!stage->enter(gateway, request, refusal))
            return refusal->status != 0 ? refusal->status : error_http_status(refusal->error.code);
        if (refusal->is_taken)
            return request->is_parked ? WAITS : -1;
    }
    return THROUGH;
}

static int ask(struct gateway *gateway, struct asked *asked)
{
    int status = walk(gateway, asked, true);
    return status != THROUGH ? status : walk(gateway, asked, false);
}

/* Goes on, as request_resume has it. */
static int again(struct gateway *gateway, struct asked *asked)
{
    keys_leave(gateway, &asked->request);
    return walk(gateway, asked, false);
}

static void waits_until_it_is_known_who_asks(void)
{
    AUTO(gateway) struct gateway *gateway = gateway_make(0);
    struct asked *asked = asked_new("/a/app/jwt", "Bearer ada");
    CHECK_NUMBER(ask(gateway, asked), WAITS);
    CHECK(asked->request.call.caller.how == ACCESS_BY_NOTHING);
    /* something changed, but not for this one */
    CHECK_NUMBER(again(gateway, asked), WAITS);
    keys = THERE;
    CHECK_NUMBER(again(gateway, asked), THROUGH);
    CHECK(asked->request.call.caller.how == ACCESS_BY_JWT);
    CHECK_BYTES(asked->request.call.subject, BYTES_LITERAL("ada"));
    asked_free(gateway, asked);
}

static void refuses_what_the_keys_do_not_hold(void)
{
    AUTO(gateway) struct gateway *gateway = gateway_make(0);
    static const struct {
        enum keys keys;
        int status;
    } rows[] = { { WITHOUT, 401 }, { ABSENT, 503 } };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct asked *asked = asked_new("/a/app/jwt", "Bearer ada");
        keys = COMING;
        CHECK_NUMBER(ask(gateway, asked), WAITS);
        keys = rows[i].keys;
        CHECK_NUMBER(again(gateway, asked), rows[i].status);
        asked_free(gateway, asked);
        /* and nobody waits when none are coming */
        asked = asked_new("/a/app/jwt", "Bearer ada");
        CHECK_NUMBER(ask(gateway, asked), rows[i].status);
        asked_free(gateway, asked);
    }
}

static void waits_for_a_while_only(void)
{
    AUTO(gateway) struct gateway *gateway = gateway_make(0);
    struct asked *asked = asked_new("/a/app/jwt", "Bearer ada");
    CHECK_NUMBER(ask(gateway, asked), WAITS);
    now_ms += GATEWAY_KEYS_WAIT_MS - 1;
    CHECK_NUMBER(again(gateway, asked), WAITS);
    now_ms++;
    CHECK_NUMBER(again(gateway, asked), 503);
    asked_free(gateway, asked);
}

static void has_so_many_wait(void)
{
    AUTO(gateway) struct gateway *gateway = gateway_make(0);
    struct asked *some[GATEWAY_KEYS_WAITING_OF_APPLICATION_MAX];
    for (size_t i = 0; i < ARRAY_COUNT(some); i++) {
        some[i] = asked_new("/a/app/jwt", "Bearer ada");
        CHECK_NUMBER(ask(gateway, some[i]), WAITS);
    }
    struct asked *more = asked_new("/a/app/jwt", "Bearer ada");
    CHECK_NUMBER(ask(gateway, more), 503);
    CHECK_NUMBER(more->request.next_stage, 6); /* before its body */
    asked_free(gateway, more);
    /* one issuer's trouble is not another application's */
    struct asked *other = asked_new("/a/other/jwt", "Bearer ada");
    CHECK_NUMBER(ask(gateway, other), WAITS);
    asked_free(gateway, some[0]);
    some[0] = asked_new("/a/app/jwt", "Bearer ada");
    CHECK_NUMBER(ask(gateway, some[0]), WAITS);
    for (size_t i = 0; i < ARRAY_COUNT(some); i++)
        asked_free(gateway, some[i]);
    asked_free(gateway, other);
    CHECK(gateway->parked == NULL);
}

/* The rate of who asks counts when that is known. */
static void takes_from_the_rate_of_who_waited(void)
{
    AUTO(gateway) struct gateway *gateway = gateway_make(1);
    static const char *const bearers[] = { "Bearer ada", "Bearer ada", "Bearer bob" };
    static const int wanted[] = { THROUGH, 429, THROUGH };
    for (size_t i = 0; i < ARRAY_COUNT(bearers); i++) {
        struct asked *asked = asked_new("/a/app/jwt", bearers[i]);
        keys = COMING;
        CHECK_NUMBER(ask(gateway, asked), WAITS);
        keys = THERE;
        CHECK_NUMBER(again(gateway, asked), wanted[i]);
        asked_free(gateway, asked);
    }
}

static const struct test tests[] = {
    TEST(waits_until_it_is_known_who_asks),
    TEST(refuses_what_the_keys_do_not_hold),
    TEST(waits_for_a_while_only),
    TEST(has_so_many_wait),
    TEST(takes_from_the_rate_of_who_waited),
};
TEST_MAIN(tests)
