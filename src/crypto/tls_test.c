/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/tls.h"

#include "crypto/limits.h"
#include "crypto/x509.h"
#include "tests/harness.h"

#include <openssl/ssl.h>
#include <string.h>

/* A server and what a client needs to know of it. */
struct server {
    struct ecdsa_key *key;
    struct buffer certificate;
    struct tls_context *context;
};

static bool server_start(struct server *server)
{
    struct error error;
    struct x509_request request = { .common_name = "localhost",
                                    .not_before_s = 1700000000,
                                    .not_after_s = 1700003600,
                                    .is_tls_server = true };
    buffer_init(&server->certificate, X509_SIZE_MAX);
    if (!ecdsa_key_generate(&server->key, &error) ||
        !x509_issue(&server->certificate, &request, ecdsa_key_public(server->key), NULL,
                    server->key, &error))
        return false;
    struct bytes der = buffer_view(&server->certificate);
    return tls_server_new(&server->context, &der, 1, server->key, &error);
}

static void server_done(struct server *server)
{
    tls_context_free(server->context);
    ecdsa_key_free(server->key);
    buffer_done(&server->certificate);
}
#define AUTO_SERVER __attribute__((cleanup(server_done)))

/* Moves what waits from one end to the other, `step` bytes at a time; false when nothing did. */
static bool carry(struct tls_connection *from, struct tls_connection *to, size_t step)
{
    struct error error;
    uint8_t space[4096];
    bool has_moved = false;
    for (size_t size; (size = tls_take(from, space, MIN(step, sizeof(space)))) > 0;) {
        has_moved = true;
        CHECK(tls_feed(to, bytes_of(space, size), &error));
        if (step == 1 && tls_state(to) == TLS_STATE_HANDSHAKE && !tls_handshake(to, &error))
            break;
    }
    return has_moved;
}

/* Runs both handshakes as far as they go. */
static bool shake(struct tls_connection *client, struct tls_connection *server, size_t step,
                  struct error *error)
{
    bool is_good = true;
    bool has_moved = true;
    while (is_good && has_moved) {
        is_good = tls_handshake(client, error);
        has_moved = carry(client, server, step);
        is_good = is_good && tls_handshake(server, error);
        has_moved = carry(server, client, step) || has_moved;
    }
    return is_good && tls_state(client) == TLS_STATE_OPEN && tls_state(server) == TLS_STATE_OPEN;
}

static const char *const both[] = { "h2", "http/1.1", NULL };
static const char *const old[] = { "http/1.1", NULL };
static const char *const strange[] = { "gopher", NULL };

/* What the wire shows depends on plaintext and padding together, and the peer sees only the first.
 */
static void padding_hides_the_size(void)
{
    static const struct {
        size_t plain;
        uint64_t padding;
    } rows[] = { { 40000, 0 }, { 39999, 1 }, { 20000, 20000 }, { 3, 39997 }, { 16383, 23617 } };
    struct error error;
    AUTO_SERVER struct server server = { 0 };
    REQUIRE(server_start(&server));
    AUTO(tls_context) struct tls_context *context = NULL;
    REQUIRE(tls_client_new(&context, ecdsa_key_public(server.key), both, &error));
    AUTO(tls_connection) struct tls_connection *near = NULL;
    AUTO(tls_connection) struct tls_connection *far = NULL;
    REQUIRE(tls_connection_new(&near, context, "localhost", &error));
    REQUIRE(tls_connection_new(&far, server.context, NULL, &error));
    REQUIRE(shake(near, far, 4096, &error));
    static uint8_t plain[40000], got[40000];
    size_t expected = 0;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        memset(plain, (int)i + 1, sizeof(plain));
        CHECK(tls_write_padded(far, bytes_of(plain, rows[i].plain), rows[i].padding, &error));
        size_t wire = tls_pending(far), size = 0, all = 0;
        expected = i == 0 ? wire : expected;
        CHECK_NUMBER(wire, expected);
        carry(far, near, 4096);
        do {
            REQUIRE(tls_read(near, got + all, sizeof(got) - all, &size, &error));
            all += size;
        } while (size > 0 && all < sizeof(got));
        CHECK_BYTES(bytes_of(got, all), bytes_of(plain, rows[i].plain));
    }
}

static void carries_both_ways(void)
{
    struct error error;
    AUTO_SERVER struct server server = { 0 };
    REQUIRE(server_start(&server));
    AUTO(tls_context) struct tls_context *context = NULL;
    REQUIRE(tls_client_new(&context, ecdsa_key_public(server.key), both, &error));
    for (size_t step = 1; step <= 4096; step += 4095) {
        AUTO(tls_connection) struct tls_connection *near = NULL;
        AUTO(tls_connection) struct tls_connection *far = NULL;
        REQUIRE(tls_connection_new(&near, context, "localhost", &error));
        REQUIRE(tls_connection_new(&far, server.context, NULL, &error));
        CHECK(!tls_write(near, BYTES_LITERAL("early"), &error));
        REQUIRE(shake(near, far, step, &error));
        CHECK_BYTES(tls_protocol(near), BYTES_LITERAL("h2"));
        CHECK_BYTES(tls_protocol(far), BYTES_LITERAL("h2"));
        uint8_t got[64];
        size_t size = 99;
        REQUIRE(tls_read(far, got, sizeof(got), &size, &error));
        CHECK_NUMBER(size, 0);
        REQUIRE(tls_write(near, BYTES_LITERAL("question"), &error));
        carry(near, far, step);
        REQUIRE(tls_read(far, got, 4, &size, &error));
        CHECK_BYTES(bytes_of(got, size), BYTES_LITERAL("ques"));
        REQUIRE(tls_read(far, got, sizeof(got), &size, &error));
        CHECK_BYTES(bytes_of(got, size), BYTES_LITERAL("tion"));
        REQUIRE(tls_write(far, BYTES_LITERAL("answer"), &error));
        tls_close(far);
        carry(far, near, step);
        REQUIRE(tls_read(near, got, sizeof(got), &size, &error));
        CHECK_BYTES(bytes_of(got, size), BYTES_LITERAL("answer"));
        CHECK(tls_state(near) == TLS_STATE_OPEN);
        REQUIRE(tls_read(near, got, sizeof(got), &size, &error));
        CHECK_NUMBER(size, 0);
        CHECK(tls_state(near) == TLS_STATE_CLOSED);
        /* The other direction is still open. */
        CHECK(tls_write(near, BYTES_LITERAL("thanks"), &error));
    }
}

static void carries_a_lot(void)
{
    struct error error;
    AUTO_SERVER struct server server = { 0 };
    REQUIRE(server_start(&server));
    AUTO(tls_context) struct tls_context *context = NULL;
    AUTO(tls_connection) struct tls_connection *near = NULL;
    AUTO(tls_connection) struct tls_connection *far = NULL;
    REQUIRE(tls_client_new(&context, ecdsa_key_public(server.key), NULL, &error));
    REQUIRE(tls_connection_new(&near, context, NULL, &error));
    REQUIRE(tls_connection_new(&far, server.context, NULL, &error));
    REQUIRE(shake(near, far, 4096, &error));
    CHECK_NUMBER(tls_protocol(near).size, 0);
    static uint8_t sent[200000];
    static uint8_t got[sizeof(sent) + 1];
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (uint8_t)(i * 7 + i / 256);
    REQUIRE(tls_write(near, BYTES_OF(sent), &error));
    CHECK(tls_pending(near) > sizeof(sent));
    carry(near, far, 4096);
    size_t total = 0;
    for (size_t size = 1; size > 0; total += size)
        REQUIRE(tls_read(far, got + total, sizeof(got) - total, &size, &error));
    CHECK_BYTES(bytes_of(got, total), BYTES_OF(sent));
}

static void knows_its_server_by_key(void)
{
    struct error error;
    AUTO_SERVER struct server server = { 0 };
    REQUIRE(server_start(&server));
    AUTO(ecdsa_key) struct ecdsa_key *other = NULL;
    REQUIRE(ecdsa_key_generate(&other, &error));
    AUTO(tls_context) struct tls_context *context = NULL;
    AUTO(tls_connection) struct tls_connection *near = NULL;
    AUTO(tls_connection) struct tls_connection *far = NULL;
    REQUIRE(tls_client_new(&context, ecdsa_key_public(other), both, &error));
    REQUIRE(tls_connection_new(&near, context, NULL, &error));
    REQUIRE(tls_connection_new(&far, server.context, NULL, &error));
    CHECK(!shake(near, far, 4096, &error));
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    CHECK(tls_state(near) == TLS_STATE_FAILED);
    CHECK(!tls_write(near, BYTES_LITERAL("no"), &error));
}

static void shows_the_key_when_nothing_is_pinned(void)
{
    struct error error;
    AUTO_SERVER struct server server = { 0 };
    REQUIRE(server_start(&server));
    AUTO(tls_context) struct tls_context *context = NULL;
    AUTO(tls_connection) struct tls_connection *near = NULL;
    AUTO(tls_connection) struct tls_connection *far = NULL;
    REQUIRE(tls_client_new(&context, NULL, old, &error));
    REQUIRE(tls_connection_new(&near, context, "127.0.0.1", &error));
    REQUIRE(tls_connection_new(&far, server.context, NULL, &error));
    struct ecdsa_public key;
    uint8_t near_material[32];
    uint8_t far_material[32];
    CHECK(!tls_peer_key(near, &key, &error));
    CHECK(!tls_exporter(near, "EXPORTER-test", (struct bytes){ 0 }, near_material,
                        sizeof(near_material), &error));
    REQUIRE(shake(near, far, 4096, &error));
    CHECK_BYTES(tls_protocol(far), BYTES_LITERAL("http/1.1"));
    REQUIRE(tls_peer_key(near, &key, &error));
    CHECK(ecdsa_public_equal(&key, ecdsa_key_public(server.key)));
    AUTO_BUFFER struct buffer der;
    buffer_init(&der, X509_SIZE_MAX);
    REQUIRE(tls_peer_certificate(near, &der, &error));
    CHECK_BYTES(buffer_view(&der), buffer_view(&server.certificate));
    REQUIRE(tls_exporter(near, "EXPORTER-test", BYTES_LITERAL("a"), near_material,
                         sizeof(near_material), &error));
    REQUIRE(tls_exporter(far, "EXPORTER-test", BYTES_LITERAL("a"), far_material,
                         sizeof(far_material), &error));
    CHECK_BYTES(BYTES_OF(near_material), BYTES_OF(far_material));
    REQUIRE(tls_exporter(far, "EXPORTER-test", BYTES_LITERAL("b"), far_material,
                         sizeof(far_material), &error));
    CHECK(memcmp(near_material, far_material, sizeof(near_material)) != 0);
}

static void refuses_unknown_protocols(void)
{
    struct error error;
    AUTO_SERVER struct server server = { 0 };
    REQUIRE(server_start(&server));
    AUTO(tls_context) struct tls_context *context = NULL;
    AUTO(tls_connection) struct tls_connection *near = NULL;
    AUTO(tls_connection) struct tls_connection *far = NULL;
    REQUIRE(tls_client_new(&context, NULL, strange, &error));
    REQUIRE(tls_connection_new(&near, context, NULL, &error));
    REQUIRE(tls_connection_new(&far, server.context, NULL, &error));
    CHECK(!shake(near, far, 4096, &error));
}

/* A client of OpenSSL that knows nothing newer than TLS 1.2. */
static void refuses_older_versions(void)
{
    struct error error;
    AUTO_SERVER struct server server = { 0 };
    REQUIRE(server_start(&server));
    AUTO(tls_connection) struct tls_connection *far = NULL;
    REQUIRE(tls_connection_new(&far, server.context, NULL, &error));
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    SSL *client = SSL_new(context);
    BIO *out = BIO_new(BIO_s_mem());
    SSL_set_bio(client, BIO_new(BIO_s_mem()), out);
    SSL_connect(client);
    uint8_t hello[4096];
    int size = BIO_read(out, hello, sizeof(hello));
    SSL_free(client);
    SSL_CTX_free(context);
    REQUIRE(size > 0);
    CHECK(tls_feed(far, bytes_of(hello, (size_t)size), &error));
    CHECK(!tls_handshake(far, &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
    CHECK(tls_state(far) == TLS_STATE_FAILED);
}

static void refuses_changed_and_endless_input(void)
{
    struct error error;
    AUTO_SERVER struct server server = { 0 };
    REQUIRE(server_start(&server));
    AUTO(tls_context) struct tls_context *context = NULL;
    AUTO(tls_connection) struct tls_connection *near = NULL;
    AUTO(tls_connection) struct tls_connection *far = NULL;
    AUTO(tls_connection) struct tls_connection *plain = NULL;
    REQUIRE(tls_connection_new(&plain, server.context, NULL, &error));
    REQUIRE(tls_feed(plain, BYTES_LITERAL("GET / HTTP/1.1\r\n\r\n"), &error));
    CHECK(!tls_handshake(plain, &error));
    REQUIRE(tls_client_new(&context, ecdsa_key_public(server.key), both, &error));
    REQUIRE(tls_connection_new(&near, context, NULL, &error));
    REQUIRE(tls_connection_new(&far, server.context, NULL, &error));
    REQUIRE(shake(near, far, 4096, &error));
    REQUIRE(tls_write(near, BYTES_LITERAL("question"), &error));
    uint8_t record[256];
    size_t size = tls_take(near, record, sizeof(record));
    record[size - 1] ^= 1;
    REQUIRE(tls_feed(far, bytes_of(record, size), &error));
    CHECK(!tls_read(far, record, sizeof(record), &size, &error));
    CHECK(tls_state(far) == TLS_STATE_FAILED);
    static uint8_t flood[TLS_FEED_SIZE_MAX];
    CHECK(tls_feed(near, BYTES_OF(flood), &error));
    CHECK(!tls_feed(near, bytes_of(flood, 1), &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
}

static void refuses_a_key_of_another_certificate(void)
{
    struct error error;
    AUTO_SERVER struct server server = { 0 };
    REQUIRE(server_start(&server));
    AUTO(ecdsa_key) struct ecdsa_key *other = NULL;
    REQUIRE(ecdsa_key_generate(&other, &error));
    struct bytes der = buffer_view(&server.certificate);
    AUTO(tls_context) struct tls_context *context = NULL;
    CHECK(!tls_server_new(&context, &der, 1, other, &error));
    CHECK(!tls_server_new(&context, &der, 0, server.key, &error));
    der.size--;
    CHECK(!tls_server_new(&context, &der, 1, server.key, &error));
}

static const struct test tests[] = {
    TEST(carries_both_ways),
    TEST(padding_hides_the_size),
    TEST(carries_a_lot),
    TEST(knows_its_server_by_key),
    TEST(shows_the_key_when_nothing_is_pinned),
    TEST(refuses_unknown_protocols),
    TEST(refuses_older_versions),
    TEST(refuses_changed_and_endless_input),
    TEST(refuses_a_key_of_another_certificate),
};
TEST_MAIN(tests)
