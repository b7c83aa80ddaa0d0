/* SPDX-License-Identifier: Apache-2.0 */
/* A relay with a stolen TLS key (CVE-2026-33697): an attested node, and somebody who owns a copy of
 * its TLS key, answers at another address and asks the node for whatever evidence is wanted.  The
 * command line's own session must talk to the node and not to the relay. */
#include "attest/sim.h"
#include "base/file.h"
#include "cmd/s3n/session.h"
#include "core/hex.h"
#include "crypto/tls.h"
#include "keys/session.h"
#include "net/server.h"
#include "tests/harness.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <uv.h>

/* One end that listens: a server on a thread of its own. */
struct place {
    uv_loop_t loop;
    uv_async_t wake;
    pthread_t thread;
    struct http_server *server;
    struct tls_context *tls;
    char url[64];
    /* The node */
    struct ecdsa_key *tls_key, *receipt_key;
    struct sim_root *root;
    struct buffer keyset;
    struct digest32 keyset_digest;
    /* The relay */
    struct http_client *upstream;  /* NULL for the node */
    _Atomic unsigned secret_count; /* bodies that arrived here */
};

static bool nonce_of(const struct http_request *request, struct nonce32 *nonce)
{
    return request->query.size == 6 + 64 &&
           hex_decode(nonce->bytes, sizeof(nonce->bytes), bytes_part(request->query, 6, 64));
}

static bool evidence_write(struct place *place, const struct http_request *request,
                           struct buffer *text)
{
    struct error error;
    AUTO_ATTESTATION struct attestation attestation;
    attestation_init(&attestation);
    memcpy(attestation.platform, "sim", 4);
    if (!nonce_of(request, &attestation.nonce))
        return false;
    struct digest64 about = report_data_of(&place->keyset_digest, &attestation.nonce);
    buffer_append(&attestation.keyset, buffer_view(&place->keyset));
    return sim_quote(&attestation.evidence, place->root, about.bytes, NULL, &error) &&
           attestation_write(text, &attestation, &error);
}

static bool binding_write(struct place *place, const struct http_request *request,
                          struct buffer *text)
{
    struct error error;
    struct nonce32 nonce;
    struct session_exporter exporter;
    struct ecdsa_signature signature;
    char digits[129], nonce_digits[65];
    if (!nonce_of(request, &nonce) || request->exporter == NULL)
        return false;
    memcpy(exporter.bytes, request->exporter, sizeof(exporter.bytes));
    if (!session_sign(&signature, place->receipt_key, &exporter, &place->keyset_digest, &nonce,
                      &error))
        return false;
    hex_encode(digits, BYTES_OF(signature.bytes));
    hex_encode(nonce_digits, BYTES_OF(nonce.bytes));
    buffer_format(text, "{\"keyset_digest\":\"%s\",\"nonce\":\"%s\",\"signature\":\"%s\"}",
                  hex_of_digest(&place->keyset_digest).text, nonce_digits, digits);
    return true;
}

static void node_answer(struct place *place, struct http_handle handle,
                        const struct http_request *request)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 1 << 20);
    struct http_answer answer = { .status = 200 };
    if (bytes_equal_string(request->path, "/.well-known/s3n/attestation"))
        answer.status = evidence_write(place, request, &text) ? 200 : 500;
    else if (bytes_equal_string(request->path, "/.well-known/s3n/session"))
        answer.status = binding_write(place, request, &text) ? 200 : 500;
    else
        place->secret_count++;
    answer.body = buffer_view(&text);
    http_server_answer(place->server, handle, &answer);
}

/* Asks the node the same and passes the answer on. */
static void relay_answer(struct place *place, struct http_handle handle,
                         const struct http_request *request)
{
    struct error error;
    char target[256];
    snprintf(target, sizeof(target), "%.*s", (int)request->target.size,
             (const char *)request->target.data);
    struct http_client_request asked = {
        .method = request->method, .target = target, .body = request->body, .body_size_max = 1 << 20
    };
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer found = { 0 };
    place->secret_count += request->method == HTTP_METHOD_POST;
    bool done = http_client_request(place->upstream, &asked, &found, &error);
    struct http_answer answer = { .status = done ? found.status : 502,
                                  .body = buffer_view(&found.body) };
    http_server_answer(place->server, handle, &answer);
}

static void on_fields(void *context UNUSED, struct http_handle handle UNUSED,
                      const struct http_request *request UNUSED, struct http_admission *admission)
{
    admission->body_size_max = 4096;
}

static void on_request(void *context, struct http_handle handle, const struct http_request *request,
                       void *tag UNUSED)
{
    struct place *place = context;
    if (place->upstream == NULL)
        node_answer(place, handle, request);
    else
        relay_answer(place, handle, request);
}

static void on_stopped(void *context)
{
    uv_stop(context);
}

static void on_wake(uv_async_t *wake)
{
    struct place *place = wake->data;
    http_server_stop(place->server, 0, on_stopped, &place->loop);
}

static void *run(void *context)
{
    struct place *place = context;
    uv_run(&place->loop, UV_RUN_DEFAULT);
    return NULL;
}

/* Listens with this TLS key. */
static bool place_open(struct place *place, const struct ecdsa_key *key)
{
    struct error error;
    AUTO_BUFFER struct buffer der;
    buffer_init(&der, 8192);
    struct x509_request request = { .common_name = "s3n test",
                                    .not_before_s = time(NULL) - 60,
                                    .not_after_s = time(NULL) + 3600,
                                    .path_length = -1,
                                    .is_tls_server = true };
    if (!x509_issue(&der, &request, ecdsa_key_public(key), NULL, key, &error))
        return false;
    struct bytes chain = buffer_view(&der);
    uv_loop_init(&place->loop);
    uv_async_init(&place->loop, &place->wake, on_wake);
    place->wake.data = place;
    struct http_server_options options = {
        .loop = &place->loop,
        .handler = { .context = place, .on_fields = on_fields, .on_request = on_request }
    };
    if (!tls_server_new(&place->tls, &chain, 1, key, &error))
        return false;
    options.tls = place->tls;
    if (!http_server_new(&place->server, &options, &error) ||
        !http_server_listen(place->server, HTTP_LISTENER_TLS, "127.0.0.1:0", &error))
        return false;
    snprintf(place->url, sizeof(place->url), "https://127.0.0.1:%u",
             http_server_port(place->server, 0));
    return pthread_create(&place->thread, NULL, run, place) == 0;
}

static void place_close(struct place *place)
{
    uv_async_send(&place->wake);
    pthread_join(place->thread, NULL);
    http_server_free(place->server);
    uv_close((uv_handle_t *)&place->wake, NULL);
    uv_run(&place->loop, UV_RUN_DEFAULT);
    uv_loop_close(&place->loop);
    tls_context_free(place->tls);
    ecdsa_key_free(place->tls_key);
    ecdsa_key_free(place->receipt_key);
    sim_root_free(place->root);
    buffer_done(&place->keyset);
    http_client_free(place->upstream);
}

static bool node_open(struct place *node)
{
    struct error error;
    time_t now_s = time(NULL);
    struct keyset keyset = { .node = "00112233445566778899aabbccddeeff",
                             .platform = "sim",
                             .validity = { now_s - 60, now_s + 3540 } };
    buffer_init(&node->keyset, 65536);
    if (!ecdsa_key_generate(&node->tls_key, &error) ||
        !ecdsa_key_generate(&node->receipt_key, &error) ||
        !sim_root_new(&node->root, now_s - 60, &error))
        return false;
    keyset.tls_key = *ecdsa_key_public(node->tls_key);
    keyset.receipt_key = *ecdsa_key_public(node->receipt_key);
    keyset.encryption_key.bytes[0] = 9;
    if (!keyset_write(&node->keyset, &keyset, &error))
        return false;
    node->keyset_digest = keyset_digest(buffer_view(&node->keyset));
    return place_open(node, node->tls_key);
}

/* The relay has what was stolen: the node's TLS key. */
static bool relay_open(struct place *relay, const struct place *node)
{
    struct error error;
    struct http_client_options options = { .url = node->url, .timeout_ms = 5000 };
    return http_client_new(&relay->upstream, &options, &error) && place_open(relay, node->tls_key);
}

static const char *fresh_folder(const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", test_folder(), name);
    mkdir(path, 0700);
    return path;
}

static bool log_in(struct session *session, const char *url, struct error *error)
{
    session->trust.trust_simulated = true;
    return session_login(session, url, error);
}

static bool secret_send(struct session *session, struct error *error)
{
    struct session_request request = { .method = HTTP_METHOD_POST,
                                       .target = "/v1/secret",
                                       .content_type = "text/plain",
                                       .body = BYTES_LITERAL("a secret") };
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
    return session_request(session, &request, &answer, error);
}

static void talks_to_the_node_itself(void)
{
    struct place node = { 0 };
    struct error error = { 0 };
    AUTO_SESSION struct session session;
    REQUIRE(node_open(&node));
    session_init(&session);
    profile_use_folder(fresh_folder("direct"));
    CHECK_NOTE(log_in(&session, node.url, &error), "%s", error.text);
    for (int i = 0; i < 3; i++)
        CHECK_NOTE(secret_send(&session, &error), "%s", error.text);
    CHECK_NUMBER(node.secret_count, 3);
    place_close(&node);
}

/* Evidence, keyset and TLS key are all in order; only the session is not the node's. */
static void does_not_log_in_at_a_relay(void)
{
    struct place node = { 0 }, relay = { 0 };
    struct error error = { 0 };
    AUTO_SESSION struct session session;
    REQUIRE(node_open(&node) && relay_open(&relay, &node));
    session_init(&session);
    profile_use_folder(fresh_folder("relayed"));
    CHECK(!log_in(&session, relay.url, &error));
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    CHECK_NOTE(strstr(error.text, "somebody stands between") != NULL, "%s", error.text);
    for (int step = VERIFY_STEP_KEYSET; step <= VERIFY_STEP_ROOT; step++)
        CHECK_NUMBER(session.seen.steps[step].verdict,
                     VERIFY_PASSED); /* evidence alone would have passed */
    CHECK_NUMBER(relay.secret_count, 0);
    place_close(&relay);
    place_close(&node);
}

/* The pinned key is shown there too: the pin alone would have passed. */
static void sends_nothing_once_a_relay_took_over(void)
{
    struct place node = { 0 }, relay = { 0 };
    struct error error = { 0 };
    AUTO_SESSION struct session session;
    REQUIRE(node_open(&node) && relay_open(&relay, &node));
    session_init(&session);
    profile_use_folder(fresh_folder("taken-over"));
    REQUIRE(log_in(&session, node.url, &error));
    CHECK_NOTE(secret_send(&session, &error), "%s", error.text);
    struct digest32 pin = ecdsa_public_id(ecdsa_key_public(node.tls_key));
    struct http_client_options options = { .url = relay.url, .pin = &pin };
    http_client_free(session.client);
    session.client = NULL;
    session.is_bound = false;
    snprintf(session.profile.url, sizeof(session.profile.url), "%s", relay.url);
    REQUIRE(http_client_new(&session.client, &options, &error));
    CHECK(!secret_send(&session, &error));
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    CHECK_NUMBER(relay.secret_count, 0);
    CHECK_NUMBER(node.secret_count, 1);
    place_close(&relay);
    place_close(&node);
}

/* The node is genuine, and somebody else's. */
static void sends_nothing_to_another_operator(void)
{
    static const char text[] = "s3n_policy_version = 1\nsimulated = true\n[[platform]]\n"
                               "name = \"ours\"\nppid = \"811dca2a26b952e85bb6448b097ba4fd\"\n";
    struct place node = { 0 };
    struct error error = { 0 };
    char path[300];
    AUTO_SESSION struct session first, session;
    REQUIRE(node_open(&node));
    session_init(&first);
    session_init(&session);
    profile_use_folder(fresh_folder("operator"));
    snprintf(path, sizeof(path), "%s/policy.toml", test_folder());
    REQUIRE(file_replace(path, bytes_of_string(text), 0600, &error));
    REQUIRE(log_in(&first, node.url, &error));
    CHECK(!session_open(&session, path, &error));
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    CHECK(session.seen.has_policy && !session.seen.policy.is_accepted);
    CHECK_NUMBER(node.secret_count, 0);
    AUTO_SESSION struct session again;
    session_init(&again);
    CHECK_NOTE(session_open(&again, NULL, &error) && secret_send(&again, &error), "%s", error.text);
    CHECK_NUMBER(node.secret_count, 1);
    place_close(&node);
}

static const struct test tests[] = {
    TEST(talks_to_the_node_itself),
    TEST(does_not_log_in_at_a_relay),
    TEST(sends_nothing_once_a_relay_took_over),
    TEST(sends_nothing_to_another_operator),
};

/* Opens what libraries keep open, so that no case seems to leak it. */
static void warm_up(void)
{
    struct place node = { 0 };
    struct error error;
    AUTO_SESSION struct session session;
    session_init(&session);
    profile_use_folder(fresh_folder("warm"));
    if (node_open(&node)) {
        (void)!log_in(&session, node.url, &error);
        place_close(&node);
    }
}

int main(int argc, char **argv)
{
    warm_up();
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
