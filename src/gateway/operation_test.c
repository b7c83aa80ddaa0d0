/* SPDX-License-Identifier: Apache-2.0 */
/* What a path may name, how large its body may be, and who counts as one caller: the stages alone,
 * without a network. */
#include "gateway/stage.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t now_ns(const struct clock *clock UNUSED)
{
    return UINT64_C(1795300000000000000);
}
static const struct clock fixed_clock = { now_ns, now_ns };

static void handle(void *context UNUSED, const struct gateway_call *call UNUSED)
{
}

static struct gateway *gateway_make(void)
{
    struct gateway *gateway = NULL;
    struct error error;
    struct gateway_options options = { .clock = &fixed_clock,
                                       .input_size_max = 5000,
                                       .blob_size_max = 7000 };
    for (size_t i = 0; i < GATEWAY_OPERATION_COUNT; i++)
        options.handlers[i] = handle;
    ASSERT(gateway_new(&gateway, &options, &error));
    return gateway;
}

/* 0: it was found; `request` is to be freed with its rules. */
static int find(struct gateway *gateway, struct gateway_request *request,
                struct http_request *message)
{
    struct refusal refusal = { 0 };
    memset(request, 0, sizeof(*request));
    http_request_split_target(message);
    request->call.request = message;
    if (stage_route(gateway, request, &refusal))
        return 0;
    return refusal.status != 0 ? refusal.status : error_http_status(refusal.error.code);
}

static void names_and_numbers_have_one_form(void)
{
#define NAME_63 "a23456789-123456789-123456789-123456789-123456789-123456789-123"
    static const struct {
        const char *path;
        int status;
    } rows[] = {
        { "/v1/applications/app", 0 },
        { "/v1/applications/a-b-9", 0 },
        { "/v1/applications/0", 0 },
        { "/v1/applications/z", 0 },
        { "/v1/applications/" NAME_63, 0 },
        { "/v1/applications/" NAME_63 "4", 404 },
        { "/v1/applications/-a", 404 },
        { "/v1/applications/a-", 404 },
        { "/v1/applications/-", 404 },
        { "/v1/applications/aB", 404 },
        { "/v1/applications/a_b", 404 },
        { "/v1/applications/a.b", 404 },
        { "/v1/applications/a%7B", 404 },
        { "/v1/applications/a%2Fb", 404 },
        { "/v1/applications/a%3A", 404 },
        { "/v1/applications/%C3%A4", 404 },
        { "/v1/applications/app/versions/1", 0 },
        { "/v1/applications/app/versions/999999999999999", 0 },
        { "/v1/applications/app/versions/1000000000000000", 404 },
        { "/v1/applications/app/versions/18446744073709551617", 404 },
        { "/v1/applications/app/versions/0", 404 },
        { "/v1/applications/app/versions/01", 404 },
        { "/v1/applications/app/versions/1a", 404 },
        { "/v1/applications/app/versions/-1", 404 },
        { "/v1/applications/app/versions/1%2F", 404 },
        { "/v1/applications/app/versions/:", 404 },
    };
    AUTO(gateway) struct gateway *gateway = gateway_make();
    struct gateway_request *request = malloc(sizeof(*request));
    REQUIRE(request != NULL);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct http_request message = { .method = HTTP_METHOD_GET,
                                        .target = bytes_of_string(rows[i].path),
                                        .is_secure = true };
        int status = find(gateway, request, &message);
        CHECK_NOTE(status == rows[i].status, "%s: %d", rows[i].path, status);
    }
    free(request);
}

/* The largest body that is let in. */
static uint64_t largest(struct gateway *gateway, enum gateway_operation operation,
                        struct rules *rules)
{
    struct gateway_request *request = calloc(1, sizeof(*request));
    uint64_t size = 0;
    ASSERT(request != NULL);
    for (uint64_t step = 1 << 24; step > 0; step /= 2) {
        struct http_request message = { .method = HTTP_METHOD_POST,
                                        .has_body = true,
                                        .has_content_size = true,
                                        .content_size = size + step };
        struct refusal refusal = { 0 };
        request->call.request = &message;
        request->call.operation = operation;
        request->rules = rules;
        if (stage_limits(gateway, request, &refusal))
            size += step;
    }
    free(request);
    return size;
}

static void bodies_have_limits(void)
{
    struct rules rules = { 0 };
    AUTO(gateway) struct gateway *gateway = gateway_make();
    CHECK_NUMBER(largest(gateway, GATEWAY_INVOKE, NULL), 5000);
    CHECK_NUMBER(largest(gateway, GATEWAY_FUNCTION_ROUTE, NULL), 5000);
    CHECK_NUMBER(largest(gateway, GATEWAY_FUNCTION_ROUTE, &rules), 5000);
    CHECK_NUMBER(largest(gateway, GATEWAY_SEALED, NULL), 5000 + GATEWAY_SEALED_HEAD_SIZE_MAX);
    CHECK_NUMBER(largest(gateway, GATEWAY_BLOB_PUT, NULL), 7000);
    CHECK_NUMBER(largest(gateway, GATEWAY_OWNER_CLAIM, NULL), GATEWAY_JSON_BODY_SIZE_MAX);
    CHECK_NUMBER(largest(gateway, GATEWAY_HEALTH, NULL), 0);
    rules.asked.limits.body_size_max = 4000;
    CHECK_NUMBER(largest(gateway, GATEWAY_INVOKE, &rules), 4000);
    rules.asked.limits.body_size_max = 6000; /* the node's own stays */
    CHECK_NUMBER(largest(gateway, GATEWAY_INVOKE, &rules), 5000);
}

/* Whether one more request of this address is let in; each may make one. */
static bool is_let_in(struct gateway *gateway, struct rules *rules, const char *peer)
{
    struct gateway_request *request = calloc(1, sizeof(*request));
    struct http_request message = { .method = HTTP_METHOD_GET, .peer = bytes_of_string(peer) };
    struct refusal refusal = { 0 };
    ASSERT(request != NULL);
    request->call.request = &message;
    request->call.operation = GATEWAY_FUNCTION_ROUTE;
    request->call.application = BYTES_LITERAL("app");
    request->rules = rules;
    bool may = stage_limits(gateway, request, &refusal);
    CHECK(may || (refusal.error.code == ERROR_BUSY && refusal.retry_after_s > 0));
    free(request);
    return may;
}

static void an_address_stands_for_its_network(void)
{
    struct rules rules = { 0 };
    AUTO(gateway) struct gateway *gateway = gateway_make();
    rules.asked.limits.per_address = (struct gateway_rate){ .per_minute = 1, .burst = 1 };
    CHECK(is_let_in(gateway, &rules, "10.0.0.1"));
    CHECK(!is_let_in(gateway, &rules, "10.0.0.1"));
    CHECK(!is_let_in(gateway, &rules, "::ffff:10.0.0.1")); /* the same */
    CHECK(is_let_in(gateway, &rules, "10.0.0.2"));
    CHECK(is_let_in(gateway, &rules, "2001:db8::1"));
    CHECK(!is_let_in(gateway, &rules, "2001:db8::2")); /* whoever has a /64 has all of it */
    CHECK(!is_let_in(gateway, &rules, "2001:db8:0:0:ffff::"));
    CHECK(is_let_in(gateway, &rules, "2001:db8:0:1::1"));
    char longest[200] = "";
    memset(longest, '1', sizeof(longest) - 1);
    CHECK(is_let_in(gateway, &rules, longest)); /* what is no address is one caller */
    CHECK(!is_let_in(gateway, &rules, "no address"));
    rules.asked.limits.per_address.per_minute = 0;
    CHECK(is_let_in(gateway, &rules, "10.0.0.1"));
}

static void routes_have_limits(void)
{
    static struct gateway_route routes[GATEWAY_ROUTE_COUNT_MAX + 1];
    static char patterns[GATEWAY_ROUTE_COUNT_MAX + 1][16];
    struct gateway_release release = { 1, 100, routes, ARRAY_COUNT(routes) };
    struct error error = { 0 };
    AUTO(gateway) struct gateway *gateway = gateway_make();
    for (size_t i = 0; i < ARRAY_COUNT(routes); i++) {
        snprintf(patterns[i], sizeof(patterns[i]), "/r%zu", i);
        routes[i] = (struct gateway_route){ patterns[i], "f", 0, false };
    }
    CHECK(!gateway_routes_set(gateway, "app", &release, 1, &error) && error.code == ERROR_LIMIT);
    release.route_count--;
    CHECK(gateway_routes_set(gateway, "app", &release, 1, &error));
    routes[0].pattern = "no slash";
    CHECK(!gateway_routes_set(gateway, "other", &release, 1, &error));
    release.route_count = 0;
    CHECK(!gateway_routes_set(gateway, NAME_63 "4", &release, 1, &error) &&
          error.code == ERROR_LIMIT);
    CHECK(gateway_routes_set(gateway, NAME_63, &release, 1, &error));
    char name[16];
    for (unsigned i = 2; i < GATEWAY_APPLICATION_COUNT_MAX; i++) {
        snprintf(name, sizeof(name), "a%u", i);
        REQUIRE(gateway_routes_set(gateway, name, &release, 1, &error));
    }
    CHECK(!gateway_routes_set(gateway, "one-more", &release, 1, &error) &&
          error.code == ERROR_LIMIT);
    CHECK(gateway_routes_set(gateway, "app", &release, 1, &error)); /* in its own place */
}

static const struct test tests[] = {
    TEST(names_and_numbers_have_one_form),
    TEST(bodies_have_limits),
    TEST(an_address_stands_for_its_network),
    TEST(routes_have_limits),
};
TEST_MAIN(tests)
