/* SPDX-License-Identifier: Apache-2.0 */
/* The n-th allocation of OpenSSL fails, for every n that a call makes: an error, never a crash. */
#include "crypto/aead.h"
#include "crypto/crypto.h"
#include "crypto/ecdsa.h"
#include "crypto/hash.h"
#include "crypto/tls.h"
#include "crypto/x509.h"
#include "tests/harness.h"

#include <openssl/crypto.h>
#include <stdlib.h>

enum {
    TRIES_MAX = 20000
};

/* Allocations left before one fails; negative: none does. */
static int left = -1;

static bool is_refused(void)
{
    return left >= 0 && left-- == 0;
}

static void *take(size_t size, UNUSED const char *file, UNUSED int line)
{
    return is_refused() ? NULL : malloc(size);
}

static void *take_again(void *old, size_t size, UNUSED const char *file, UNUSED int line)
{
    return is_refused() ? NULL : realloc(old, size);
}

static void give_back(void *memory, UNUSED const char *file, UNUSED int line)
{
    free(memory);
}

struct scene {
    struct ecdsa_key *key;
    struct ecdsa_signature signature;
    struct digest32 digest;
    struct buffer certificate;
    struct tls_context *server;
    struct tls_context *client;
};

/* Repeats `act` with the first, second, ... allocation failing until none is left to fail. */
static void try_all(bool (*act)(const struct scene *scene, struct error *error),
                    const struct scene *scene)
{
    bool has_passed = false;
    for (int allowed = 0; allowed < TRIES_MAX && !has_passed; allowed++) {
        struct error error = { 0 };
        left = allowed;
        bool is_good = act(scene, &error);
        has_passed = left >= 0;
        left = -1;
        CHECK(is_good || error.code != ERROR_NONE);
        CHECK(is_good || !has_passed);
    }
    CHECK(has_passed);
}

static bool act_import(UNUSED const struct scene *scene, struct error *error)
{
    struct secret32 scalar = { { 1, 2, 3 } };
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    return ecdsa_key_import(&key, &scalar, error);
}

static bool act_sign(const struct scene *scene, struct error *error)
{
    struct ecdsa_signature signature;
    return ecdsa_sign(&signature, scene->key, &scene->digest, error);
}

static bool act_verify(const struct scene *scene, struct error *error)
{
    return ecdsa_verify(ecdsa_key_public(scene->key), &scene->digest, &scene->signature, error);
}

static bool act_seal(UNUSED const struct scene *scene, struct error *error)
{
    struct secret32 key = { { 1 } };
    struct aead_nonce nonce = { { 2 } };
    uint8_t space[4 + AEAD_TAG_SIZE] = "text";
    return aead_seal(space, &key, &nonce, bytes_of(space, 4), (struct bytes){ 0 }, error) &&
           aead_open(space, &key, &nonce, BYTES_OF(space), (struct bytes){ 0 }, error);
}

static bool act_server(const struct scene *scene, struct error *error)
{
    struct bytes chain = buffer_view(&scene->certificate);
    AUTO(tls_context) struct tls_context *context = NULL;
    return tls_server_new(&context, &chain, 1, scene->key, error);
}

static bool act_connection(const struct scene *scene, struct error *error)
{
    AUTO(tls_connection) struct tls_connection *connection = NULL;
    return tls_connection_new(&connection, scene->client, "localhost", error) &&
           tls_handshake(connection, error);
}

static void fails_without_memory(void)
{
    struct error error;
    struct scene scene = { .digest = { { 1 } } };
    struct x509_request request = { .common_name = "localhost", .not_after_s = 1 };
    buffer_init(&scene.certificate, X509_SIZE_MAX);
    REQUIRE(ecdsa_key_generate(&scene.key, &error));
    REQUIRE(ecdsa_sign(&scene.signature, scene.key, &scene.digest, &error));
    REQUIRE(x509_issue(&scene.certificate, &request, ecdsa_key_public(scene.key), NULL, scene.key,
                       &error));
    struct bytes chain = buffer_view(&scene.certificate);
    REQUIRE(tls_server_new(&scene.server, &chain, 1, scene.key, &error));
    REQUIRE(tls_client_new(&scene.client, NULL, NULL, &error));
    try_all(act_import, &scene);
    try_all(act_sign, &scene);
    try_all(act_verify, &scene);
    try_all(act_seal, &scene);
    try_all(act_server, &scene);
    try_all(act_connection, &scene);
    tls_context_free(scene.client);
    tls_context_free(scene.server);
    ecdsa_key_free(scene.key);
    buffer_done(&scene.certificate);
}

static const struct test tests[] = {
    TEST(fails_without_memory),
};

int main(int argc, char **argv)
{
    /* OpenSSL takes these only before its first allocation. */
    ASSERT(CRYPTO_set_mem_functions(take, take_again, give_back) == 1);
    crypto_init();
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
