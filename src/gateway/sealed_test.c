/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed requests without a network: a gateway is asked by its own stages.  Whole calls over TLS,
 * with the command line and the JavaScript module, are in tests/sealed. */
#include "gateway/sealed.h"

#include "crypto/hash.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NOW_S = 1795300000,
    TEXT_SIZE_MAX = 1 << 16
};
#define DATE      "Sat, 21 Nov 2026 22:26:40 GMT"
#define DATE_PAST "Sat, 21 Nov 2026 22:22:39 GMT" /* 241 s before */

static uint64_t now_ns(const struct clock *clock UNUSED)
{
    return (uint64_t)NOW_S * 1000000000u;
}
static const struct clock fixed_clock = { now_ns, now_ns };
static const struct secret32 private_key = { { 9, 9, 9 } };

static bool context_of(void *context UNUSED, const struct ohttp_request *request,
                       struct hpke_context *secrets, struct error *error)
{
    if (request->key_id != 7)
        return error_set(error, ERROR_UNVERIFIED, "another keyset");
    return ohttp_context_make(secrets, request->key_id, request->aead, &request->encapsulated,
                              &private_key, error);
}

static void handle(void *context UNUSED, const struct gateway_call *call UNUSED)
{
}

static struct gateway *gateway_make(void)
{
    static const struct gateway_route routes[] = {
        { "/open", "echo", 0, false },
        { "/closed", "echo", 0, true },
        { "/token", "kept", 0, false, GATEWAY_AUTH_TOKEN },
        { "/owner", "kept", 0, false, GATEWAY_AUTH_OWNER },
        { "/jwt", "kept", 0, false, GATEWAY_AUTH_JWT }
    };
    struct gateway *gateway = NULL;
    struct error error;
    struct clock early = fixed_clock;
    struct gateway_options options = { .clock = &early, .sealed_context = context_of };
    options.handlers[GATEWAY_INVOKE] = options.handlers[GATEWAY_OWNER_CLAIM] = handle;
    ASSERT(gateway_new(&gateway, &options, &error));
    /* as if it had run for long: what is older than its start counts as seen */
    nonce_cache_free(gateway->sealed_seen);
    ASSERT(nonce_cache_new(&gateway->sealed_seen, 64, NOW_S - 3600, &error));
    gateway->options.clock = &fixed_clock;
    const struct gateway_release release = { 1, 100, routes, ARRAY_COUNT(routes) };
    ASSERT(gateway_routes_set(gateway, "app", &release, 1, &error));
    return gateway;
}

static void seal(struct buffer *sealed, struct ohttp_exchange *exchange, uint8_t key_id,
                 const char *path, const char *date)
{
    struct bhttp_request inner = { .method = HTTP_METHOD_POST,
                                   .path = bytes_of_string(path),
                                   .body = BYTES_LITERAL("input") };
    struct ohttp_key key = { .id = key_id };
    AUTO_BUFFER struct buffer plain;
    struct error error;
    buffer_init(&plain, TEXT_SIZE_MAX);
    if (date != NULL)
        inner.fields[inner.field_count++] = HTTP_FIELD("date", bytes_of_string(date));
    ASSERT(x25519_public_of(&key.public_key, &private_key, &error));
    ASSERT(bhttp_request_encode(&plain, &inner, &error));
    ASSERT(
        ohttp_request_seal(sealed, exchange, &key, AEAD_AES_256_GCM, buffer_view(&plain), &error));
}

/* What the stage says of a body; the request is the caller's to look at and to release. */
static bool enter(struct gateway *gateway, struct gateway_request *request, struct bytes body,
                  struct refusal *refusal)
{
    static struct http_field type;
    type = (struct http_field)HTTP_FIELD("content-type", BYTES_LITERAL(SEALED_REQUEST_TYPE));
    static struct http_request outer;
    outer = (struct http_request){ .method = HTTP_METHOD_POST,
                                   .path = BYTES_LITERAL("/.well-known/ohttp-gateway"),
                                   .is_secure = true,
                                   .fields = &type,
                                   .field_count = 1,
                                   .body = body };
    memset(request, 0, sizeof(*request));
    *refusal = (struct refusal){ 0 };
    request->call.request = &outer;
    request->call.operation = GATEWAY_SEALED;
    return stage_sealed(gateway, request, refusal);
}

static enum error_code code_of(struct gateway *gateway, struct bytes body, bool *is_opened)
{
    struct gateway_request *request = malloc(sizeof(*request));
    struct refusal refusal;
    ASSERT(request != NULL);
    bool done = enter(gateway, request, body, &refusal);
    if (is_opened != NULL)
        *is_opened = request->sealed != NULL;
    sealed_request_free(request->sealed);
    free(request);
    return done ? ERROR_NONE : refusal.error.code;
}

static void a_sealed_call_is_a_call(void)
{
    AUTO(gateway) struct gateway *gateway = gateway_make();
    AUTO_BUFFER struct buffer sealed, answer, opened;
    struct gateway_request *request = malloc(sizeof(*request));
    struct ohttp_exchange exchange;
    struct refusal refusal;
    struct error error;
    uint8_t space[256];
    buffer_init(&sealed, TEXT_SIZE_MAX);
    buffer_init(&answer, TEXT_SIZE_MAX);
    buffer_init(&opened, TEXT_SIZE_MAX);
    REQUIRE(request != NULL);
    seal(&sealed, &exchange, 7, "/a/app/closed?x=1", DATE);
    bool done = enter(gateway, request, buffer_view(&sealed), &refusal);
    CHECK_NOTE(done, "%s", refusal.error.text);
    if (done) {
        const struct gateway_call *call = &request->call;
        CHECK(call->is_sealed && call->operation == GATEWAY_FUNCTION_ROUTE);
        CHECK_BYTES(call->function, BYTES_LITERAL("echo"));
        CHECK_BYTES(call->request->body, BYTES_LITERAL("input"));
        CHECK_BYTES(call->request->query, BYTES_LITERAL("x=1"));
        struct http_answer said = { .status = 201, .body = BYTES_LITERAL("output") };
        struct bhttp_response response;
        CHECK(sealed_answer(&answer, request, &said, &error));
        CHECK(ohttp_response_open(&opened, &exchange, buffer_view(&answer), &error));
        CHECK(bhttp_response_decode(&response, buffer_view(&opened), space, &error));
        CHECK_NUMBER(response.status, 201);
        CHECK_BYTES(response.body, BYTES_LITERAL("output"));
    }
    sealed_request_free(request->sealed);
    free(request);
}

static void refuses_in_words_that_tell_what_to_do(void)
{
    static const struct {
        uint8_t key_id;
        const char *path, *date;
        enum error_code code;
        bool is_opened; /* then the refusal is sealed too */
    } rows[] = {
        { 7, "/a/app/open", DATE, ERROR_NONE, true },
        { 8, "/a/app/open", DATE, ERROR_UNVERIFIED, false },
        /* sealing is no way round what a route asks for */
        { 7, "/a/app/token", DATE, ERROR_UNAUTHENTICATED, true },
        { 7, "/a/app/owner", DATE, ERROR_UNAUTHENTICATED, true },
        { 7, "/a/app/jwt", DATE, ERROR_UNAUTHENTICATED, true },
        { 7, "/a/app/open", NULL, ERROR_INVALID, true },
        { 7, "/a/app/open", "yesterday", ERROR_INVALID, true },
        { 7, "/a/app/open", DATE_PAST, ERROR_UNVERIFIED, true },
        { 7, "/a/app/open", "Sat, 21 Nov 2026 22:30:41 GMT", ERROR_UNVERIFIED, true },
        { 7, "/a/app/none", DATE, ERROR_NOT_FOUND, true },
        { 7, "/a/none/open", DATE, ERROR_NOT_FOUND, true },
        { 7, "/healthz", DATE, ERROR_NOT_FOUND, true },
        { 7, "/v1/applications/app/functions/echo/invoke", DATE, ERROR_NONE, true },
        { 7, "/v1/owners/claim", DATE, ERROR_DENIED, true }, /* functions and nothing else */
        { 7, "/.well-known/ohttp-gateway", DATE, ERROR_DENIED, true }, /* one inside another */
    };
    AUTO(gateway) struct gateway *gateway = gateway_make();
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_BUFFER struct buffer sealed;
        struct ohttp_exchange exchange;
        bool is_opened;
        buffer_init(&sealed, TEXT_SIZE_MAX);
        seal(&sealed, &exchange, rows[i].key_id, rows[i].path, rows[i].date);
        enum error_code code = code_of(gateway, buffer_view(&sealed), &is_opened);
        CHECK_NOTE(code == rows[i].code && is_opened == rows[i].is_opened, "row %zu: %s", i,
                   error_name(code));
    }
}

static void takes_one_type_of_body(void)
{
    static const char *const types[] = { "", "application/json", "message/ohttp-re",
                                         "message/ohttp-req;x" };
    AUTO(gateway) struct gateway *gateway = gateway_make();
    struct gateway_request *request = calloc(1, sizeof(*request));
    REQUIRE(request != NULL);
    for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
        struct http_field field = HTTP_FIELD("content-type", bytes_of_string(types[i]));
        struct http_request outer = { .method = HTTP_METHOD_POST,
                                      .fields = &field,
                                      .field_count = i == 0 ? 0 : 1 };
        struct refusal refusal = { 0 };
        request->call.request = &outer;
        request->call.operation = GATEWAY_SEALED;
        CHECK(!stage_sealed(gateway, request, &refusal));
        CHECK_NUMBER(refusal.status, 415);
        CHECK(request->sealed == NULL);
    }
    free(request);
}

static void answers_each_request_once(void)
{
    AUTO(gateway) struct gateway *gateway = gateway_make();
    AUTO_BUFFER struct buffer sealed, again;
    struct ohttp_exchange exchange;
    buffer_init(&sealed, TEXT_SIZE_MAX);
    buffer_init(&again, TEXT_SIZE_MAX);
    seal(&sealed, &exchange, 7, "/a/app/open", DATE);
    seal(&again, &exchange, 7, "/a/app/open", DATE);
    CHECK_NUMBER(code_of(gateway, buffer_view(&sealed), NULL), ERROR_NONE);
    CHECK_NUMBER(code_of(gateway, buffer_view(&sealed), NULL), ERROR_EXISTS);
    CHECK_NUMBER(code_of(gateway, buffer_view(&again), NULL), ERROR_NONE);
    CHECK_NUMBER(code_of(gateway, buffer_view(&again), NULL), ERROR_EXISTS);
}

static void says_nothing_of_what_does_not_open(void)
{
    AUTO(gateway) struct gateway *gateway = gateway_make();
    AUTO_BUFFER struct buffer sealed;
    struct ohttp_exchange exchange;
    bool is_opened;
    buffer_init(&sealed, TEXT_SIZE_MAX);
    seal(&sealed, &exchange, 7, "/a/app/open", DATE);
    for (size_t size = 0; size < sealed.size; size++) {
        CHECK(code_of(gateway, bytes_part(buffer_view(&sealed), 0, size), &is_opened) !=
              ERROR_NONE);
        CHECK(!is_opened);
    }
    for (size_t at = 0; at < sealed.size; at++) {
        sealed.data[at] ^= 1;
        CHECK(code_of(gateway, buffer_view(&sealed), &is_opened) != ERROR_NONE);
        CHECK(!is_opened);
        sealed.data[at] ^= 1;
    }
    CHECK_NUMBER(code_of(gateway, buffer_view(&sealed), NULL), ERROR_NONE);
}

static void reads_dates_strictly(void)
{
    static const struct {
        const char *text;
        int64_t time_s; /* -1: none */
    } rows[] = {
        { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
        { "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
        { "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
        { DATE, NOW_S },
        { "Sun, 21 Nov 2026 22:26:40 GMT", -1 },
        { "Sat, 21 Nov 2026 22:26:40 UTC", -1 },
        { "Sat, 21 nov 2026 22:26:40 GMT", -1 },
        { "Sat, 31 Nov 2026 22:26:40 GMT", -1 },
        { "Sat, 21 Nov 2026 24:26:40 GMT", -1 },
        { "Sat, 1 Nov 2026 22:26:40 GMT", -1 },
        { "Saturday, 21-Nov-26 22:26:40 GMT", -1 },
        { "Sat Nov 21 22:26:40 2026", -1 },
        { "", -1 },
    };
    char text[] = DATE;
    for (size_t at = 0; at < sizeof(text) - 1; at++) { /* whatever stands anywhere */
        for (unsigned byte = 0; byte < 256; byte++) {
            int64_t time_s = -1;
            bool is_digit = byte >= '0' && byte <= '9';
            text[at] = (char)byte;
            if (sealed_date_parse(&time_s, bytes_of(text, sizeof(text) - 1)))
                CHECK_NOTE(text[at] == DATE[at] || (is_digit && DATE[at] >= '0' && DATE[at] <= '9'),
                           "byte %u at %zu", byte, at);
        }
        text[at] = DATE[at];
    }
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        int64_t time_s = -1;
        bool is_date = sealed_date_parse(&time_s, bytes_of_string(rows[i].text));
        CHECK_NOTE(is_date == (rows[i].time_s >= 0) && (!is_date || time_s == rows[i].time_s),
                   "%s: %lld", rows[i].text, (long long)time_s);
    }
}

static const struct test tests[] = {
    TEST(a_sealed_call_is_a_call),   TEST(refuses_in_words_that_tell_what_to_do),
    TEST(answers_each_request_once), TEST(says_nothing_of_what_does_not_open),
    TEST(reads_dates_strictly),      TEST(takes_one_type_of_body),
};
TEST_MAIN(tests)
