/* SPDX-License-Identifier: Apache-2.0 */
/* The whole chain over real connections: a gateway on its own thread whose handlers say what they
 * were called with, and the module's own client. */
#include "gateway/gateway.h"

#include "core/hex.h"
#include "crypto/crypto.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "crypto/x509.h"
#include "net/client.h"
#include "net/signature.h"
#include "tests/harness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <uv.h>

static struct node {
    pthread_t thread;
    uv_loop_t loop;
    uv_async_t stop;
    struct gateway *gateway;
    struct http_server *server;
    struct tls_context *tls;
    struct ecdsa_key *tls_key, *owner, *stranger;
    struct http_client *client;
    char url[64], admin_url[64];
    atomic_uint gone;
    uv_timer_t wait;
    struct http_handle waiting;
    bool fails, has_run;
} node;

static bool key_find(void *context, const struct digest32 *id, struct bytes application UNUSED,
                     struct ecdsa_public *key, struct access_caller *caller, struct error *error)
{
    struct digest32 known = ecdsa_public_id(ecdsa_key_public(node.owner));
    (void)context;
    if (!digest32_equal(&known, id))
        return error_set(error, ERROR_UNAUTHENTICATED, "unknown");
    *key = *ecdsa_key_public(node.owner);
    *caller = (struct access_caller){ .how = ACCESS_BY_KEY,
                                      .account = known,
                                      .key = known,
                                      .role = ACCESS_ROLE_OWNER,
                                      .scopes = access_role_scopes(ACCESS_ROLE_OWNER) };
    return true;
}

static json_t *json_of(struct bytes text)
{
    return json_stringn(text.size == 0 ? "" : (const char *)text.data, text.size);
}

static void tell(void *context, const struct gateway_call *call)
{
    char nonce[65] = "", trace[TRACE_PARENT_TEXT_SIZE], caller[2 * TRACE_SPAN_SIZE + 1];
    (void)context;
    trace_parent_print(trace, &call->trace->here);
    hex_encode(caller, BYTES_OF(call->trace->caller));
    if (call->has_nonce)
        hex_encode(nonce, BYTES_OF(call->nonce));
    gateway_answer_json(
        node.gateway, call->handle, 200,
        json_pack("{s:s,s:o,s:o,s:o,s:s,s:b,s:i,s:s,s:s,s:s,s:o}", "operation",
                  gateway_operation_name(call->operation), "application",
                  json_of(call->application), "function", json_of(call->function), "receipt",
                  json_of(call->receipt_id), "digest", hex_of_digest(&call->digest).text, "owner",
                  call->has_owner, "size", (int)call->request->body.size, "nonce", nonce, "trace",
                  trace, "caller", caller, "state", json_of(trace_state(call->trace))));
}

static void invoke(void *context, const struct gateway_call *call)
{
    struct gateway_invocation invocation = { "inv-1", "a.b.c", 123 };
    struct error error;
    (void)context;
    node.has_run = true;
    if (bytes_equal_string(call->function, "boom"))
        gateway_answer_failure(node.gateway, call->handle, &invocation, 500, "trapped",
                               "unreachable in f");
    else if (bytes_equal_string(call->function, "absent")) {
        error_set(&error, ERROR_NOT_FOUND, "there is no function \"absent\"");
        gateway_answer_error(node.gateway, call->handle, &error, "look with `s3n ls`");
    } else if (!bytes_equal_string(call->function, "never")) {
        gateway_answer_invocation(node.gateway, call->handle, &invocation,
                                  &(struct gateway_output){ .body = call->request->body });
    }
}

static void call_gone(void *context, struct http_handle handle)
{
    struct error error;
    (void)context;
    node.gone++;
    error_set(&error, ERROR_INTERNAL, "late");
    CHECK(!gateway_answer_error(node.gateway, handle, &error, NULL));
}

/* A call with such a field waits for the loop's next round; then it goes on or fails. */
static void waited(uv_timer_t *timer)
{
    struct error error;
    (void)timer;
    error_set(&error, ERROR_CORRUPT, "what was to be read is broken");
    CHECK(!node.has_run);
    gateway_call_goes_on(node.gateway, node.waiting, node.fails ? &error : NULL);
    gateway_call_goes_on(node.gateway, (struct http_handle){ 0 }, NULL); /* of nobody */
}

static bool call_waits(void *context, const struct gateway_call *call, bool *waits,
                       struct error *error)
{
    (void)context;
    struct bytes field = http_request_value(call->request, "x-wait");
    if (bytes_equal_string(field, "never"))
        return error_set(error, ERROR_BUSY, "too many wait");
    *waits = field.size > 0;
    node.fails = bytes_equal_string(field, "fails");
    node.waiting = call->handle;
    node.has_run = false;
    if (*waits)
        uv_timer_start(&node.wait, waited, 0, 0);
    return true;
}

static void on_stop(uv_async_t *async)
{
    (void)async;
    uv_stop(&node.loop);
}

static void *run(void *context)
{
    (void)context;
    uv_run(&node.loop, UV_RUN_DEFAULT);
    return NULL;
}

static void make_tls(void)
{
    struct error error;
    AUTO_BUFFER struct buffer der;
    buffer_init(&der, 8192);
    struct x509_request request = { .common_name = "s3n test",
                                    .not_before_s = time(NULL) - 60,
                                    .not_after_s = time(NULL) + 3600,
                                    .path_length = -1,
                                    .is_tls_server = true };
    ASSERT(ecdsa_key_generate(&node.tls_key, &error));
    ASSERT(x509_issue(&der, &request, ecdsa_key_public(node.tls_key), NULL, node.tls_key, &error));
    struct bytes chain = buffer_view(&der);
    ASSERT(tls_server_new(&node.tls, &chain, 1, node.tls_key, &error));
}

static void node_start(void)
{
    static const struct gateway_route routes[] = {
        { "/echo", "echo" },    { "/pairs/:pair", "echo" }, { "/pairs/boom", "boom" },
        { "/files/*", "echo" }, { "/never", "never" },
    };
    struct error error;
    memset(&node, 0, sizeof(node));
    make_tls();
    ASSERT(ecdsa_key_generate(&node.owner, &error) && ecdsa_key_generate(&node.stranger, &error));
    uv_loop_init(&node.loop);
    uv_async_init(&node.loop, &node.stop, on_stop);
    struct gateway_options options = { .clock = &clock_system,
                                       .key_find = key_find,
                                       .call_gone = call_gone,
                                       .call_waits = call_waits,
                                       .input_size_max = 1000 };
    uv_timer_init(&node.loop, &node.wait);
    for (size_t i = 0; i < GATEWAY_OPERATION_COUNT; i++)
        options.handlers[i] = tell;
    options.handlers[GATEWAY_INVOKE] = options.handlers[GATEWAY_FUNCTION_ROUTE] = invoke;
    options.handlers[GATEWAY_INFO] = NULL;
    ASSERT(gateway_new(&node.gateway, &options, &error));
    struct http_server_options http = { .loop = &node.loop,
                                        .handler = gateway_server_handler(node.gateway),
                                        .tls = node.tls };
    ASSERT(http_server_new(&node.server, &http, &error));
    gateway_set_server(node.gateway, node.server);
    ASSERT(http_server_listen(node.server, HTTP_LISTENER_TLS, "127.0.0.1:0", &error));
    ASSERT(http_server_listen(node.server, HTTP_LISTENER_PLAIN, "127.0.0.1:0", &error));
    const struct gateway_release few = { 1, 100, routes, 2 };
    const struct gateway_release all = { 7, 100, routes, ARRAY_COUNT(routes) };
    ASSERT(gateway_routes_set(node.gateway, "zoo", &few, 1, &error));
    ASSERT(gateway_routes_set(node.gateway, "app", &few, 1, &error));
    ASSERT(gateway_routes_set(node.gateway, "app", &all, 1, &error));
    snprintf(node.url, sizeof(node.url), "https://127.0.0.1:%u", http_server_port(node.server, 0));
    snprintf(node.admin_url, sizeof(node.admin_url), "http://127.0.0.1:%u",
             http_server_port(node.server, 1));
    ASSERT(pthread_create(&node.thread, NULL, run, NULL) == 0);
    struct digest32 pin = ecdsa_public_id(ecdsa_key_public(node.tls_key));
    struct http_client_options client = { .url = node.url,
                                          .pin = &pin,
                                          .timeout_ms = TEST_PATIENCE_MS };
    ASSERT(http_client_new(&node.client, &client, &error));
}

static void node_stop(void)
{
    http_client_free(node.client);
    uv_async_send(&node.stop);
    pthread_join(node.thread, NULL);
    http_server_free(node.server);
    gateway_free(node.gateway);
    uv_close((uv_handle_t *)&node.stop, NULL);
    uv_close((uv_handle_t *)&node.wait, NULL);
    uv_run(&node.loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&node.loop) == 0);
    tls_context_free(node.tls);
    ecdsa_key_free(node.tls_key);
    ecdsa_key_free(node.owner);
    ecdsa_key_free(node.stranger);
}

/* One request; the answer stays until the next one. */
static struct http_client_answer answer;
static json_t *answer_json;

static int ask(enum http_method method, const char *target, const struct http_field *fields,
               size_t count, struct bytes body)
{
    struct error error;
    struct error ignored;
    struct http_client_request request = { .method = method,
                                           .target = target,
                                           .fields = fields,
                                           .field_count = count,
                                           .body = body,
                                           .body_size_max = 1 << 20 };
    http_client_answer_done(&answer);
    json_decref(answer_json);
    answer_json = NULL;
    if (!http_client_request(node.client, &request, &answer, &error)) {
        test_note("%s: %s", target, error.text);
        return -1;
    }
    CHECK_NUMBER(http_client_answer_value(&answer, "s3n-request-id").size, 32);
    if (!json_parse(&answer_json, buffer_view(&answer.body), &ignored))
        answer_json = NULL;
    return answer.status;
}

static const char *member(const char *name)
{
    const char *text = json_string_value(json_object_get(answer_json, name));
    return text == NULL ? "(none)" : text;
}

static const char *error_member(const char *name)
{
    const char *text =
        json_string_value(json_object_get(json_object_get(answer_json, "error"), name));
    return text == NULL ? "(none)" : text;
}

struct signing {
    const struct ecdsa_key *key;
    int64_t age_s;
    const char *nonce; /* NULL: a fresh one */
    bool without_digest;
    const char *wrong_digest_of;
};

static int ask_signed(enum http_method method, const char *target, struct bytes body,
                      const struct signing *signing)
{
    struct error error;
    uint8_t random[16];
    char nonce[33];
    AUTO_BUFFER struct buffer input, value, digest_text;
    buffer_init(&input, 4096);
    buffer_init(&value, 4096);
    buffer_init(&digest_text, 256);
    random_bytes(random, sizeof(random));
    hex_encode(nonce, BYTES_OF(random));
    struct digest32 digest = sha256_of(
        signing->wrong_digest_of != NULL ? bytes_of_string(signing->wrong_digest_of) : body);
    content_digest_write(&digest_text, &digest);
    struct http_field fields[3] = { HTTP_FIELD("content-digest", buffer_view(&digest_text)) };
    struct signature_message message = { .method = method,
                                         .scheme = BYTES_LITERAL("https"),
                                         .authority = http_client_authority(node.client),
                                         .target = bytes_of_string(target),
                                         .fields = fields,
                                         .field_count = 1 };
    bool covers = !signing->without_digest;
    ASSERT(signature_create(&input, &value, &message, covers, time(NULL) - signing->age_s,
                            signing->nonce != NULL ? signing->nonce : nonce, signing->key, &error));
    fields[1] = HTTP_FIELD("signature-input", buffer_view(&input));
    fields[2] = HTTP_FIELD("signature", buffer_view(&value));
    return ask(method, target, fields, 3, body);
}

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"

static void finds_operations(void)
{
    static const struct {
        enum http_method method;
        const char *target;
        int status;
        const char *operation;
    } cases[] = {
        { HTTP_METHOD_GET, "/.well-known/s3n/health", 200, "HEALTH" },
        { HTTP_METHOD_GET, "/.well-known/s3n/health?x", 200, "HEALTH" },
        { HTTP_METHOD_GET, "/.well-known/s3n/info", 501, NULL },
        { HTTP_METHOD_GET, "/.well-known/s3n/attestation?a&nonce=" HEX64 "&b", 200, "ATTESTATION" },
        { HTTP_METHOD_GET, "/.well-known/s3n/attestation", 400, NULL },
        { HTTP_METHOD_GET, "/.well-known/s3n/attestation?nonce=00", 400, NULL },
        { HTTP_METHOD_GET, "/.well-known/s3n/receipts/abc", 200, "RECEIPT_GET" },
        { HTTP_METHOD_GET, "/.well-known/s3n/receipts/", 404, NULL },
        { HTTP_METHOD_POST, "/.well-known/s3n/health", 405, NULL },
        { HTTP_METHOD_PATCH, "/v1/applications/app", 405, NULL },
        { HTTP_METHOD_GET, "/v1/owners/claim", 405, NULL },
        { HTTP_METHOD_GET, "/", 404, NULL },
        { HTTP_METHOD_GET, "/v1/../v1/applications", 400, NULL },
        { HTTP_METHOD_GET, "/healthz", 404, NULL },
        { HTTP_METHOD_GET, "/metrics", 404, NULL },
        { HTTP_METHOD_GET, "/a/none/x", 404, NULL },
        { HTTP_METHOD_GET, "/a/app/none", 404, NULL },
        { HTTP_METHOD_GET, "/a/App/echo", 404, NULL },
        { HTTP_METHOD_POST, "/v1/applications/app/functions/Up/invoke", 404, NULL },
    };
    node_start();
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int status = ask(cases[i].method, cases[i].target, NULL, 0, (struct bytes){ 0 });
        CHECK_NOTE(status == cases[i].status, "%s: %d", cases[i].target, status);
        if (cases[i].operation != NULL)
            CHECK_STRING(member("operation"), cases[i].operation);
        else
            CHECK(strcmp(member("request_id"), "(none)") != 0 &&
                  strcmp(error_member("code"), "(none)") != 0);
    }
    CHECK_NUMBER(ask(HTTP_METHOD_PATCH, "/v1/applications/app", NULL, 0, (struct bytes){ 0 }), 405);
    CHECK_BYTES(http_client_answer_value(&answer, "allow"), BYTES_LITERAL("PUT, GET, DELETE"));
    CHECK_NUMBER(ask(HTTP_METHOD_HEAD, "/.well-known/s3n/health", NULL, 0, (struct bytes){ 0 }),
                 200);
    node_stop();
}

static void what_has_to_be_read_first_is_waited_for(void)
{
    static const char direct[] = "/v1/applications/app/functions/f/invoke";
    struct http_field field = HTTP_FIELD("x-wait", BYTES_LITERAL("some"));
    node_start();
    CHECK_NUMBER(ask(HTTP_METHOD_POST, direct, &field, 1, BYTES_LITERAL("body")), 200);
    CHECK_BYTES(buffer_view(&answer.body), BYTES_LITERAL("body"));
    field.value = BYTES_LITERAL("fails");
    CHECK_NUMBER(ask(HTTP_METHOD_POST, direct, &field, 1, BYTES_LITERAL("body")), 500);
    CHECK_STRING(error_member("code"), "corrupt");
    field.value = BYTES_LITERAL("never");
    CHECK_NUMBER(ask(HTTP_METHOD_POST, direct, &field, 1, BYTES_LITERAL("body")), 429);
    CHECK_STRING(error_member("code"), "busy");
    node_stop();
}

static void invokes_functions(void)
{
    struct http_field nonce = HTTP_FIELD("s3n-nonce", BYTES_LITERAL(HEX64));
    static const char direct[] = "/v1/applications/app/functions/f/invoke";
    node_start();
    CHECK_NUMBER(ask(HTTP_METHOD_POST, direct, &nonce, 1, BYTES_LITERAL("Status: 404\n\nraw")),
                 200);
    CHECK_BYTES(buffer_view(&answer.body), BYTES_LITERAL("Status: 404\n\nraw"));
    CHECK_BYTES(http_client_answer_value(&answer, "s3n-receipt"), BYTES_LITERAL("a.b.c"));
    CHECK_BYTES(http_client_answer_value(&answer, "s3n-invocation-id"), BYTES_LITERAL("inv-1"));
    CHECK_BYTES(http_client_answer_value(&answer, "s3n-duration-us"), BYTES_LITERAL("123"));
    nonce.value = BYTES_LITERAL("zz");
    CHECK_NUMBER(ask(HTTP_METHOD_POST, direct, &nonce, 1, BYTES_LITERAL("x")), 400);
    static const uint8_t large[1001];
    CHECK_NUMBER(ask(HTTP_METHOD_POST, direct, NULL, 0, bytes_of(large, 1000)), 200);
    CHECK_NUMBER(ask(HTTP_METHOD_POST, direct, NULL, 0, BYTES_OF(large)), 413);
    CHECK_NUMBER(ask(HTTP_METHOD_POST, "/a/app/pairs/neo", NULL, 0,
                     BYTES_LITERAL("Status: 404\nX-Own: y\n\nbody")),
                 404);
    CHECK_BYTES(buffer_view(&answer.body), BYTES_LITERAL("body"));
    CHECK_BYTES(http_client_answer_value(&answer, "x-own"), BYTES_LITERAL("y"));
    CHECK_BYTES(http_client_answer_value(&answer, "s3n-receipt"), BYTES_LITERAL("a.b.c"));
    CHECK_NUMBER(ask(HTTP_METHOD_PUT, "/a/app/pairs/boom", NULL, 0, BYTES_LITERAL("")), 500);
    CHECK_STRING(error_member("code"), "trapped");
    CHECK_STRING(error_member("message"), "unreachable in f");
    CHECK_BYTES(http_client_answer_value(&answer, "s3n-receipt"), BYTES_LITERAL("a.b.c"));
    CHECK_NUMBER(ask(HTTP_METHOD_POST, "/v1/applications/app/functions/absent/invoke", NULL, 0,
                     BYTES_LITERAL("")),
                 404);
    CHECK_STRING(error_member("hint"), "look with `s3n ls`");
    node_stop();
}

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"

static void puts_requests_into_their_trace(void)
{
    struct http_field fields[] = {
        HTTP_FIELD("traceparent", BYTES_LITERAL("00-" TRACE "-00f067aa0ba902b7-01")),
        HTTP_FIELD("tracestate", BYTES_LITERAL("a=1")),
        HTTP_FIELD("tracestate", BYTES_LITERAL("b=2")),
    };
    char own[64];
    node_start();
    CHECK_NUMBER(ask(HTTP_METHOD_GET, "/.well-known/s3n/health", fields, 3, (struct bytes){ 0 }),
                 200);
    snprintf(own, sizeof(own), "%s", member("trace"));
    CHECK(strncmp(own, "00-" TRACE "-", 36) == 0);
    CHECK(strncmp(own + 36, "00f067aa0ba902b7", 16) != 0); /* a span of its own */
    CHECK_STRING(own + 52, "-01");
    CHECK_STRING(member("caller"), "00f067aa0ba902b7");
    CHECK_STRING(member("state"), "a=1,b=2");
    /* a wrong state is dropped alone, a wrong or doubled parent makes a new trace */
    fields[2].value = BYTES_LITERAL("a=2");
    ask(HTTP_METHOD_GET, "/.well-known/s3n/health", fields, 3, (struct bytes){ 0 });
    CHECK_STRING(member("caller"), "00f067aa0ba902b7");
    CHECK_STRING(member("state"), "");
    fields[1] = fields[0];
    ask(HTTP_METHOD_GET, "/.well-known/s3n/health", fields, 2, (struct bytes){ 0 });
    CHECK_STRING(member("caller"), "0000000000000000");
    CHECK(strncmp(member("trace"), own, 36) != 0);
    fields[0].value = BYTES_LITERAL("00-" TRACE "-00f067aa0ba902b7-1");
    CHECK_NUMBER(ask(HTTP_METHOD_GET, "/.well-known/s3n/health", fields, 1, (struct bytes){ 0 }),
                 200);
    CHECK_STRING(member("caller"), "0000000000000000");
    node_stop();
}

static void tells_when_clients_leave(void)
{
    struct error error;
    node_start();
    struct http_client_request request = { .target = "/a/app/never", .timeout_ms = 200 };
    CHECK(!http_client_request(node.client, &request, &answer, &error));
    AWAIT(node.gone == 1);
    node_stop();
}

static void knows_owners_by_their_signature(void)
{
    node_start();
    struct bytes body = BYTES_LITERAL("{}");
    struct signing good = { .key = node.owner }, stranger = { .key = node.stranger };
    struct signing stale = { .key = node.owner, .age_s = 400 };
    struct signing future = { .key = node.owner, .age_s = -400 };
    struct signing uncovered = { .key = node.owner, .without_digest = true };
    struct signing wrong = { .key = node.owner, .wrong_digest_of = "other" };
    struct signing replayed = { .key = node.owner, .nonce = "0123456789abcdef" };
    CHECK_NUMBER(ask_signed(HTTP_METHOD_PUT, "/v1/applications/app", body, &good), 200);
    CHECK_STRING(member("operation"), "APPLICATION_PUT");
    CHECK_STRING(member("application"), "app");
    CHECK(json_is_true(json_object_get(answer_json, "owner")));
    CHECK_NUMBER(ask_signed(HTTP_METHOD_GET, "/v1/applications", (struct bytes){ 0 }, &good), 200);
    CHECK_NUMBER(ask_signed(HTTP_METHOD_DELETE, "/v1/applications/app", (struct bytes){ 0 }, &good),
                 200);
    CHECK_NUMBER(ask_signed(HTTP_METHOD_PUT, "/v1/blobs/" HEX64, body, &good), 200);
    CHECK_STRING(member("digest"),
                 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
    CHECK_NUMBER(ask_signed(HTTP_METHOD_HEAD, "/v1/blobs/" HEX64, (struct bytes){ 0 }, &good), 200);
    CHECK_NUMBER(ask_signed(HTTP_METHOD_PUT, "/v1/blobs/00", body, &good), 400);

    CHECK_NUMBER(ask(HTTP_METHOD_PUT, "/v1/applications/app", NULL, 0, body), 401);
    CHECK_STRING(error_member("code"), "unauthenticated");
    CHECK_NUMBER(ask_signed(HTTP_METHOD_PUT, "/v1/applications/app", body, &stranger), 401);
    CHECK_NUMBER(ask_signed(HTTP_METHOD_PUT, "/v1/applications/app", body, &stale), 401);
    CHECK_NUMBER(ask_signed(HTTP_METHOD_PUT, "/v1/applications/app", body, &future), 401);
    CHECK_NUMBER(ask_signed(HTTP_METHOD_PUT, "/v1/applications/app", body, &uncovered), 401);
    CHECK_NUMBER(ask_signed(HTTP_METHOD_PUT, "/v1/applications/app", body, &wrong), 400);
    CHECK_NUMBER(ask_signed(HTTP_METHOD_PUT, "/v1/applications/app", body, &replayed), 200);
    CHECK_NUMBER(ask_signed(HTTP_METHOD_PUT, "/v1/applications/app", body, &replayed), 401);
    CHECK_NUMBER(ask_signed(HTTP_METHOD_PUT, "/v1/applications/app2", body, &replayed), 401);
    node_stop();
}

static void lets_the_bearer_of_a_key_claim(void)
{
    node_start();
    for (int with_right_key = 0; with_right_key < 2; with_right_key++) {
        const struct ecdsa_key *shown = with_right_key ? node.stranger : node.owner;
        AUTO_JSON json_t *body = json_pack("{s:s,s:o}", "code", "c", "public_key",
                                           ecdsa_public_to_jwk(ecdsa_key_public(shown)));
        char text[1024];
        size_t size = json_dumpb(body, text, sizeof(text), 0);
        struct signing signing = { .key = node.stranger };
        int status =
            ask_signed(HTTP_METHOD_POST, "/v1/owners/claim", bytes_of(text, size), &signing);
        CHECK_NUMBER(status, with_right_key ? 200 : 401);
    }
    struct signing signing = { .key = node.stranger };
    CHECK_NUMBER(
        ask_signed(HTTP_METHOD_POST, "/v1/owners/claim", BYTES_LITERAL("nonsense"), &signing), 400);
    CHECK_NUMBER(ask(HTTP_METHOD_POST, "/v1/owners/claim", NULL, 0, BYTES_LITERAL("{}")), 401);
    node_stop();
}

static void keeps_admin_pages_apart(void)
{
    char line[256], text[8] = "";
    node_start();
    static const char *const pages[] = { "/healthz", "/readyz", "/metrics",
                                         "/.well-known/s3n/health", "/v1/applications" };
    for (size_t i = 0; i < ARRAY_COUNT(pages); i++) {
        snprintf(line, sizeof(line), "curl -s -m 3 -o /dev/null -w '%%{http_code}' %s%s",
                 node.admin_url, pages[i]);
        FILE *pipe = popen(line, "r");
        REQUIRE(pipe != NULL);
        CHECK(fread(text, 1, 3, pipe) == 3);
        pclose(pipe);
        CHECK_STRING(text, i < 3 ? "200" : "404");
    }
    node_stop();
}

static const struct test tests[] = {
    TEST(finds_operations),
    TEST(what_has_to_be_read_first_is_waited_for),
    TEST(invokes_functions),
    TEST(puts_requests_into_their_trace),
    TEST(tells_when_clients_leave),
    TEST(knows_owners_by_their_signature),
    TEST(lets_the_bearer_of_a_key_claim),
    TEST(keeps_admin_pages_apart),
};

int main(int argc, char **argv)
{
    uv_loop_t loop; /* opens what libuv keeps open */
    crypto_init();
    ASSERT(uv_loop_init(&loop) == 0);
    uv_loop_close(&loop);
    int status = test_main(tests, ARRAY_COUNT(tests), argc, argv);
    http_client_answer_done(&answer);
    json_decref(answer_json);
    return status;
}
