/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/jwe_key.h"

#include "core/json_writer.h"
#include "crypto/base64.h"
#include "crypto/limits.h"
#include "crypto/openssl.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RSA_BITS = 3072,
    RSA_BITS_MIN = 2048,
    RSA_BITS_MAX = 4096,
    JWK_SIZE_MAX = 2048
};

struct jwe_key {
    enum jwe_kind kind;
    enum jwe_algorithm algorithm;
    EVP_PKEY *pair;
};

static const struct jwe_curve curves[] = {
    [JWE_P256] = { "P-256", 32 }, [JWE_P384] = { "P-384", 48 }, [JWE_P521] = { "P-521", 66 }
};

static void context_release(EVP_PKEY_CTX **context)
{
    EVP_PKEY_CTX_free(*context);
}
static void pair_release(EVP_PKEY **pair)
{
    EVP_PKEY_free(*pair);
}
static void number_release(BIGNUM **number)
{
    BN_free(*number);
}
#define AUTO_CONTEXT __attribute__((cleanup(context_release)))
#define AUTO_PAIR    __attribute__((cleanup(pair_release)))
#define AUTO_NUMBER  __attribute__((cleanup(number_release)))

enum jwe_kind jwe_key_kind(const struct jwe_key *key)
{
    return key->kind;
}

enum jwe_algorithm jwe_key_algorithm(const struct jwe_key *key)
{
    return key->algorithm;
}

const char *jwe_algorithm_name(enum jwe_algorithm algorithm)
{
    switch (algorithm) {
    case JWE_ECDH_ES_A256KW:
        return "ECDH-ES+A256KW";
    case JWE_ECDH_ES_A128KW:
        return "ECDH-ES+A128KW";
    case JWE_RSA_OAEP_256:
        return "RSA-OAEP-256";
    case JWE_RSA_OAEP:
        return "RSA-OAEP";
    }
    ASSERT(false);
}

const struct jwe_curve *jwe_key_curve(const struct jwe_key *key)
{
    ASSERT(key->kind != JWE_RSA);
    return &curves[key->kind];
}

static bool fits(enum jwe_kind kind, enum jwe_algorithm algorithm)
{
    return (kind == JWE_RSA) == (algorithm == JWE_RSA_OAEP || algorithm == JWE_RSA_OAEP_256);
}

static bool key_wrap(struct jwe_key **key, enum jwe_kind kind, enum jwe_algorithm algorithm,
                     EVP_PKEY **pair, struct error *error)
{
    struct jwe_key *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a key");
    *made = (struct jwe_key){ kind, algorithm, TAKE(*pair) };
    *key = made;
    return true;
}

bool jwe_key_generate(struct jwe_key **key, enum jwe_kind kind, enum jwe_algorithm algorithm,
                      struct error *error)
{
    ASSERT(fits(kind, algorithm));
    crypto_algorithms();
    AUTO_PAIR EVP_PKEY *pair = kind == JWE_RSA
                                   ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS)
                                   : EVP_PKEY_Q_keygen(NULL, NULL, "EC", curves[kind].name);
    if (pair == NULL)
        return crypto_error(error, ERROR_INTERNAL, "make a key");
    return key_wrap(key, kind, algorithm, &pair, error);
}

/* False for keys that are not in the table. */
static bool kind_of(enum jwe_kind *kind, EVP_PKEY *pair)
{
    char group[32];
    if (EVP_PKEY_is_a(pair, "RSA")) {
        int bits = EVP_PKEY_get_bits(pair);
        *kind = JWE_RSA;
        return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX;
    }
    if (!EVP_PKEY_is_a(pair, "EC") ||
        EVP_PKEY_get_utf8_string_param(pair, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
                                       NULL) != 1)
        return false;
    static const char *const names[] = { "prime256v1", "secp384r1", "secp521r1" };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (strcmp(group, names[i]) == 0) {
            *kind = (enum jwe_kind)i;
            return true;
        }
    }
    return false;
}

/* Never asks for a passphrase. */
static int no_passphrase(char *text, int size, int writing, void *context)
{
    (void)text, (void)size, (void)writing, (void)context;
    return -1;
}

bool jwe_key_from_pem(struct jwe_key **key, struct bytes pem, enum jwe_algorithm algorithm,
                      struct error *error)
{
    enum jwe_kind kind = JWE_RSA;
    crypto_algorithms();
    BIO *source = pem.size > PEM_SIZE_MAX ? NULL : BIO_new_mem_buf(pem.data, (int)pem.size);
    AUTO_PAIR EVP_PKEY *pair =
        source == NULL ? NULL : PEM_read_bio_PrivateKey(source, NULL, no_passphrase, NULL);
    BIO_free(source);
    if (pair == NULL)
        return crypto_error(error, ERROR_INVALID, "not a private key in PEM");
    if (!kind_of(&kind, pair) || !fits(kind, algorithm))
        return error_set(error, ERROR_INVALID, "not a key for %s", jwe_algorithm_name(algorithm));
    return key_wrap(key, kind, algorithm, &pair, error);
}

void jwe_key_free(struct jwe_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pair);
    free(key);
}

/* A number of the key as base64url, of `size` bytes or (0) as many as it needs. */
static bool number_write(struct json_writer *json, const char *name, const struct jwe_key *key,
                         const char *parameter, size_t size)
{
    uint8_t bytes[RSA_BITS_MAX / 8];
    char text[sizeof(bytes) * 2];
    AUTO_NUMBER BIGNUM *number = NULL;
    if (EVP_PKEY_get_bn_param(key->pair, parameter, &number) != 1)
        return false;
    if (size == 0)
        size = (size_t)BN_num_bytes(number);
    if (size > sizeof(bytes) || BN_bn2binpad(number, bytes, (int)size) != (int)size)
        return false;
    base64url_encode(text, bytes_of(bytes, size));
    json_write_name(json, name);
    json_write_string(json, text);
    return true;
}

bool jwe_key_write_public(struct buffer *jwk, const struct jwe_key *key, struct error *error)
{
    uint8_t text[JWK_SIZE_MAX];
    struct writer writer = writer_into(text, sizeof(text));
    struct json_writer json = json_writer_into(&writer);
    bool done;
    json_write_object_begin(&json);
    json_write_name(&json, "alg");
    json_write_string(&json, jwe_algorithm_name(key->algorithm));
    if (key->kind == JWE_RSA) {
        done = number_write(&json, "e", key, OSSL_PKEY_PARAM_RSA_E, 0);
        json_write_name(&json, "kty");
        json_write_string(&json, "RSA");
        done = done && number_write(&json, "n", key, OSSL_PKEY_PARAM_RSA_N, 0);
    } else {
        const struct jwe_curve *curve = jwe_key_curve(key);
        json_write_name(&json, "crv");
        json_write_string(&json, curve->name);
        json_write_name(&json, "kty");
        json_write_string(&json, "EC");
        done = number_write(&json, "x", key, OSSL_PKEY_PARAM_EC_PUB_X, curve->coordinate) &&
               number_write(&json, "y", key, OSSL_PKEY_PARAM_EC_PUB_Y, curve->coordinate);
    }
    json_write_object_end(&json);
    if (!done || writer.failed)
        return crypto_error(error, ERROR_INTERNAL, "write a public key");
    buffer_append(jwk, writer_view(&writer));
    return !jwk->failed || error_set(error, ERROR_LIMIT, "no room for a public key");
}

/* OpenSSL looks whether the point is on the curve. */
static EVP_PKEY *peer_of(const struct jwe_curve *curve, const uint8_t *x, const uint8_t *y)
{
    uint8_t point[1 + 2 * JWE_COORDINATE_MAX] = { 4 }; /* SEC 1's uncompressed form */
    char name[8];
    size_t size = curve->coordinate;
    memcpy(point + 1, x, size);
    memcpy(point + 1 + size, y, size);
    snprintf(name, sizeof(name), "%s", curve->name);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * size),
        OSSL_PARAM_construct_end(),
    };
    AUTO_CONTEXT EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *peer = NULL;
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &peer, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        return NULL;
    return peer;
}

bool jwe_key_agree(uint8_t *shared, const struct jwe_key *key, const uint8_t *x, const uint8_t *y)
{
    const struct jwe_curve *curve = jwe_key_curve(key);
    size_t size = curve->coordinate;
    AUTO_PAIR EVP_PKEY *peer = peer_of(curve, x, y);
    AUTO_CONTEXT EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pair, NULL);
    return peer != NULL && context != NULL && EVP_PKEY_derive_init(context) == 1 &&
           EVP_PKEY_derive_set_peer(context, peer) == 1 &&
           EVP_PKEY_derive(context, shared, &size) == 1 && size == curve->coordinate;
}

bool jwe_key_decrypt(uint8_t *plain, size_t *size, const struct jwe_key *key, struct bytes sealed)
{
    uint8_t space[RSA_BITS_MAX / 8];
    size_t room = sizeof(space);
    char digest[16];
    snprintf(digest, sizeof(digest), "%s",
             key->algorithm == JWE_RSA_OAEP_256 ? "SHA2-256" : "SHA1");
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, digest, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    AUTO_CONTEXT EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pair, NULL);
    bool done = context != NULL && EVP_PKEY_decrypt_init(context) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
                EVP_PKEY_CTX_set_params(context, parameters) == 1 &&
                EVP_PKEY_decrypt(context, space, &room, sealed.data, sealed.size) == 1 &&
                room <= JWE_CEK_MAX;
    if (done) {
        memcpy(plain, space, room);
        *size = room;
    }
    secret_wipe(space, sizeof(space));
    return done;
}
