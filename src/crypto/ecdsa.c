/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ecdsa.h"

#include "crypto/der.h"
#include "crypto/hash.h"
#include "crypto/openssl.h"
#include "crypto/p256_tables.h"
#include "crypto/random.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* SEQUENCE of two INTEGERs of at most 33 bytes. */
    DER_SIGNATURE_SIZE_MAX = 72
};

struct ecdsa_key {
    EVP_PKEY *pair;
    struct ecdsa_public public;
};

static void group_release(EC_GROUP **group)
{
    EC_GROUP_free(*group);
}
static void point_release(EC_POINT **point)
{
    EC_POINT_free(*point);
}
static void number_release(BIGNUM **number)
{
    BN_clear_free(*number);
}
static void context_release(EVP_PKEY_CTX **context)
{
    EVP_PKEY_CTX_free(*context);
}
static void pair_release(EVP_PKEY **pair)
{
    EVP_PKEY_free(*pair);
}
#define AUTO_GROUP   __attribute__((cleanup(group_release)))
#define AUTO_POINT   __attribute__((cleanup(point_release)))
#define AUTO_NUMBER  __attribute__((cleanup(number_release)))
#define AUTO_CONTEXT __attribute__((cleanup(context_release)))
#define AUTO_PAIR    __attribute__((cleanup(pair_release)))

/* SEC 1's uncompressed form. */
static void write_point(uint8_t *point, const struct ecdsa_public *public)
{
    point[0] = POINT_CONVERSION_UNCOMPRESSED;
    memcpy(point + 1, public->bytes, sizeof(public->bytes));
}

/* OpenSSL's form of a public key; NULL when the point is not on the curve. */
static EVP_PKEY *public_of(const struct ecdsa_public *public)
{
    uint8_t point[65];
    write_point(point, public);
    AUTO_PAIR EVP_PKEY *key = EVP_PKEY_new();
    if (key == NULL || EVP_PKEY_copy_parameters(key, crypto_algorithms()->p256) != 1 ||
        EVP_PKEY_set1_encoded_public_key(key, point, sizeof(point)) != 1)
        return NULL;
    return TAKE(key);
}

/* OpenSSL's form of a key pair. */
static EVP_PKEY *pair_of(const struct ecdsa_public *public, const struct secret32 *scalar)
{
    char curve[] = "P-256";
    uint8_t point[65];
    uint8_t little[32];
    write_point(point, public);
    for (size_t i = 0; i < sizeof(little); i++)
        little[i] = scalar->bytes[31 - i];
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, little, sizeof(little)),
        OSSL_PARAM_construct_end(),
    };
    AUTO_CONTEXT EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *pair = NULL;
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &pair, EVP_PKEY_KEYPAIR, parameters) != 1)
        pair = NULL;
    secret_wipe(little, sizeof(little));
    return pair;
}

/* The point of a scalar that is in range. */
static bool public_of_scalar(struct ecdsa_public *public, const struct secret32 *scalar)
{
    AUTO_GROUP EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    AUTO_POINT EC_POINT *point = group == NULL ? NULL : EC_POINT_new(group);
    AUTO_NUMBER BIGNUM *number = BN_bin2bn(scalar->bytes, sizeof(scalar->bytes), NULL);
    AUTO_NUMBER BIGNUM *x = BN_new();
    AUTO_NUMBER BIGNUM *y = BN_new();
    if (point == NULL || number == NULL || x == NULL || y == NULL)
        return false;
    BN_set_flags(number, BN_FLG_CONSTTIME);
    return EC_POINT_mul(group, point, number, NULL, NULL, NULL) == 1 &&
           EC_POINT_get_affine_coordinates(group, point, x, y, NULL) == 1 &&
           BN_bn2binpad(x, public->bytes, 32) == 32 &&
           BN_bn2binpad(y, public->bytes + 32, 32) == 32;
}

bool ecdsa_key_import(struct ecdsa_key **key, const struct secret32 *scalar, struct error *error)
{
    if (!ecdsa_is_in_order(scalar->bytes))
        return error_set(error, ERROR_INVALID, "private key is out of range");
    crypto_algorithms();
    struct ecdsa_public public;
    if (!public_of_scalar(&public, scalar))
        return crypto_error(error, ERROR_NO_MEMORY, "private key");
    AUTO_PAIR EVP_PKEY *pair = pair_of(&public, scalar);
    AUTO(ecdsa_key) struct ecdsa_key *imported = calloc(1, sizeof(*imported));
    if (pair == NULL || imported == NULL)
        return crypto_error(error, ERROR_NO_MEMORY, "private key");
    *imported = (struct ecdsa_key){ .pair = TAKE(pair), .public = public };
    *key = TAKE(imported);
    return true;
}

bool ecdsa_key_generate(struct ecdsa_key **key, struct error *error)
{
    AUTO_SECRET32 struct secret32 scalar;
    do {
        random_secret32(&scalar);
    } while (!ecdsa_is_in_order(scalar.bytes));
    return ecdsa_key_import(key, &scalar, error);
}

void ecdsa_key_export(struct secret32 *scalar, const struct ecdsa_key *key)
{
    AUTO_NUMBER BIGNUM *number = NULL;
    ASSERT(EVP_PKEY_get_bn_param(key->pair, OSSL_PKEY_PARAM_PRIV_KEY, &number) == 1);
    ASSERT(BN_bn2binpad(number, scalar->bytes, sizeof(scalar->bytes)) == sizeof(scalar->bytes));
}

void ecdsa_key_free(struct ecdsa_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pair);
    free(key);
}

const struct ecdsa_public *ecdsa_key_public(const struct ecdsa_key *key)
{
    return &key->public;
}

EVP_PKEY *ecdsa_key_openssl(const struct ecdsa_key *key)
{
    return key->pair;
}

bool ecdsa_sign(struct ecdsa_signature *signature, const struct ecdsa_key *key,
                const struct digest32 *digest, struct error *error)
{
    uint8_t der[DER_SIGNATURE_SIZE_MAX];
    size_t size = sizeof(der);
    AUTO_CONTEXT EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pair, NULL);
    if (context == NULL || EVP_PKEY_sign_init(context) != 1 ||
        EVP_PKEY_sign(context, der, &size, digest->bytes, sizeof(digest->bytes)) != 1 ||
        !ecdsa_signature_from_der(signature, bytes_of(der, size)))
        return crypto_error(error, ERROR_INTERNAL, "sign");
    return true;
}

bool ecdsa_key_agree(struct secret32 *shared, const struct ecdsa_key *key,
                     const struct ecdsa_public *peer, struct error *error)
{
    AUTO_SECRET32 struct secret32 made = { { 0 } };
    size_t size = sizeof(made.bytes);
    AUTO_PAIR EVP_PKEY *other = public_of(peer);
    AUTO_CONTEXT EVP_PKEY_CTX *context =
        other == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, key->pair, NULL);
    if (context == NULL || EVP_PKEY_derive_init(context) != 1 ||
        EVP_PKEY_derive_set_peer(context, other) != 1 ||
        EVP_PKEY_derive(context, made.bytes, &size) != 1 || size != sizeof(made.bytes))
        return crypto_error(error, ERROR_INVALID, "not a usable P-256 key");
    *shared = made;
    return true;
}

/* The table of a key that signs most of what is verified, NULL for others. */
static const struct p256_comb *find_comb(const struct ecdsa_public *key)
{
    for (size_t i = 0; i < P256_KNOWN_KEY_COUNT; i++) {
        if (memcmp(key->bytes, p256_known_keys[i].key, sizeof(key->bytes)) == 0)
            return &p256_known_keys[i].comb;
    }
    return NULL;
}

bool ecdsa_verify(const struct ecdsa_public *key, const struct digest32 *digest,
                  const struct ecdsa_signature *signature, struct error *error)
{
    uint8_t space[DER_SIGNATURE_SIZE_MAX];
    bool is_verified = false;
    const struct p256_comb *comb = find_comb(key);
    if (comb != NULL) {
        return p256_verify(&p256_base, comb, key->bytes, digest->bytes, signature->bytes) ||
               error_set(error, ERROR_UNVERIFIED, "signature does not verify");
    }
    if (ecdsa_is_in_order(signature->bytes) && ecdsa_is_in_order(signature->bytes + 32)) {
        struct bytes der = ecdsa_signature_to_der(space, sizeof(space), signature);
        AUTO_PAIR EVP_PKEY *pair = public_of(key);
        AUTO_CONTEXT EVP_PKEY_CTX *context =
            pair == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, pair, NULL);
        is_verified =
            context != NULL && EVP_PKEY_verify_init(context) == 1 &&
            EVP_PKEY_verify(context, der.data, der.size, digest->bytes, sizeof(digest->bytes)) == 1;
    }
    if (!is_verified) {
        crypto_error(error, ERROR_UNVERIFIED, "");
        return error_set(error, ERROR_UNVERIFIED, "signature does not verify");
    }
    return true;
}

bool ecdsa_public_check(const struct ecdsa_public *key, struct error *error)
{
    AUTO_PAIR EVP_PKEY *pair = public_of(key);
    if (pair == NULL) {
        crypto_error(error, ERROR_INVALID, "");
        return error_set(error, ERROR_INVALID, "public key is not a point of P-256");
    }
    return true;
}

bool ecdsa_public_equal(const struct ecdsa_public *a, const struct ecdsa_public *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}
