/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL 3.0 signs with a nonce that it is given only through its older interface. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/rfc6979.h"

#include "crypto/mac.h"
#include "crypto/openssl.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <string.h>

/* --- nonces --- */

/* K = HMAC(K, V || separator || scalar || digest), V = HMAC(K, V). */
static void generator_mix(struct rfc6979 *generator, uint8_t separator,
                          const struct secret32 *scalar, const uint8_t *reduced)
{
    uint8_t text[32 + 1 + 32 + 32];
    size_t size = 33;
    memcpy(text, generator->value, 32);
    text[32] = separator;
    if (scalar != NULL) {
        memcpy(text + 33, scalar->bytes, 32);
        memcpy(text + 65, reduced, 32);
        size = sizeof(text);
    }
    struct digest32 mac = hmac_sha256(BYTES_OF(generator->key), bytes_of(text, size));
    memcpy(generator->key, mac.bytes, 32);
    mac = hmac_sha256(BYTES_OF(generator->key), BYTES_OF(generator->value));
    memcpy(generator->value, mac.bytes, 32);
    secret_wipe(text, sizeof(text));
    secret_wipe(&mac, sizeof(mac));
}

void rfc6979_begin(struct rfc6979 *generator, const struct secret32 *scalar,
                   const uint8_t reduced[32])
{
    memset(generator->key, 0, sizeof(generator->key));
    memset(generator->value, 1, sizeof(generator->value));
    generator->is_again = false;
    generator_mix(generator, 0, scalar, reduced);
    generator_mix(generator, 1, scalar, reduced);
}

void rfc6979_next(struct rfc6979 *generator, struct secret32 *candidate)
{
    if (generator->is_again)
        generator_mix(generator, 0, NULL, NULL);
    generator->is_again = true;
    struct digest32 mac = hmac_sha256(BYTES_OF(generator->key), BYTES_OF(generator->value));
    memcpy(generator->value, mac.bytes, 32);
    memcpy(candidate->bytes, mac.bytes, 32);
    secret_wipe(&mac, sizeof(mac));
}

void rfc6979_done(struct rfc6979 *generator)
{
    secret_wipe(generator, sizeof(*generator));
}

/* --- signing --- */

static void key_release(EC_KEY **key)
{
    EC_KEY_free(*key);
}
static void point_release(EC_POINT **point)
{
    EC_POINT_free(*point);
}
static void number_release(BIGNUM **number)
{
    BN_clear_free(*number);
}
static void numbers_release(BN_CTX **numbers)
{
    BN_CTX_free(*numbers);
}
static void pair_release(ECDSA_SIG **pair)
{
    ECDSA_SIG_free(*pair);
}
#define AUTO_KEY     __attribute__((cleanup(key_release)))
#define AUTO_POINT   __attribute__((cleanup(point_release)))
#define AUTO_NUMBER  __attribute__((cleanup(number_release)))
#define AUTO_NUMBERS __attribute__((cleanup(numbers_release)))
#define AUTO_PAIR    __attribute__((cleanup(pair_release)))
#define AUTO_RFC6979 __attribute__((cleanup(rfc6979_done)))

/* r: the nonce's point's x mod n; `inverse`: 1/nonce mod n, in constant time by Fermat. */
static bool nonce_use(BIGNUM *r, BIGNUM *inverse, const EC_GROUP *group,
                      const struct secret32 *nonce, BN_CTX *numbers)
{
    const BIGNUM *order = EC_GROUP_get0_order(group);
    AUTO_POINT EC_POINT *point = EC_POINT_new(group);
    AUTO_NUMBER BIGNUM *k = BN_secure_new();
    AUTO_NUMBER BIGNUM *exponent = BN_dup(order);
    if (point == NULL || k == NULL || exponent == NULL ||
        BN_bin2bn(nonce->bytes, sizeof(nonce->bytes), k) == NULL || BN_sub_word(exponent, 2) != 1)
        return false;
    BN_set_flags(k, BN_FLG_CONSTTIME);
    return EC_POINT_mul(group, point, k, NULL, NULL, numbers) == 1 &&
           EC_POINT_get_affine_coordinates(group, point, r, NULL, numbers) == 1 &&
           BN_nnmod(r, r, order, numbers) == 1 &&
           BN_mod_exp_mont_consttime(inverse, k, exponent, order, numbers,
                                     EC_GROUP_get_mont_data(group)) == 1;
}

/* *is_bad: this nonce gives no signature; another one has to be tried. */
static bool sign_with(struct ecdsa_signature *signature, const EC_GROUP *group, EC_KEY *key,
                      const struct secret32 *nonce, const struct digest32 *digest, bool *is_bad)
{
    AUTO_NUMBERS BN_CTX *numbers = BN_CTX_secure_new();
    AUTO_NUMBER BIGNUM *r = BN_new();
    AUTO_NUMBER BIGNUM *inverse = BN_secure_new();
    if (numbers == NULL || r == NULL || inverse == NULL ||
        !nonce_use(r, inverse, group, nonce, numbers))
        return false;
    *is_bad = BN_is_zero(r);
    if (*is_bad)
        return true;
    AUTO_PAIR ECDSA_SIG *pair =
        ECDSA_do_sign_ex(digest->bytes, sizeof(digest->bytes), inverse, r, key);
    return pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature->bytes, 32) == 32 &&
           BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature->bytes + 32, 32) == 32;
}

/* The digest's number mod n. */
static bool digest_reduce(uint8_t reduced[32], const EC_GROUP *group, const struct digest32 *digest)
{
    AUTO_NUMBER BIGNUM *number = BN_bin2bn(digest->bytes, sizeof(digest->bytes), NULL);
    AUTO_NUMBERS BN_CTX *numbers = BN_CTX_new();
    return number != NULL && numbers != NULL &&
           BN_nnmod(number, number, EC_GROUP_get0_order(group), numbers) == 1 &&
           BN_bn2binpad(number, reduced, 32) == 32;
}

bool rfc6979_sign(struct ecdsa_signature *signature, const struct secret32 *scalar,
                  const struct digest32 *digest, struct error *error)
{
    AUTO_RFC6979 struct rfc6979 generator;
    AUTO_SECRET32 struct secret32 nonce;
    struct ecdsa_signature made;
    uint8_t reduced[32];
    if (!ecdsa_is_in_order(scalar->bytes))
        return error_set(error, ERROR_INVALID, "private key is out of range");
    crypto_algorithms();
    AUTO_KEY EC_KEY *key = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    AUTO_NUMBER BIGNUM *number = BN_secure_new();
    if (key == NULL || number == NULL ||
        BN_bin2bn(scalar->bytes, sizeof(scalar->bytes), number) == NULL ||
        EC_KEY_set_private_key(key, number) != 1 ||
        !digest_reduce(reduced, EC_KEY_get0_group(key), digest))
        return crypto_error(error, ERROR_NO_MEMORY, "P-256 key");
    rfc6979_begin(&generator, scalar, reduced);
    for (bool is_bad = true; is_bad;) {
        rfc6979_next(&generator, &nonce);
        is_bad = !ecdsa_is_in_order(nonce.bytes);
        if (!is_bad && !sign_with(&made, EC_KEY_get0_group(key), key, &nonce, digest, &is_bad))
            return crypto_error(error, ERROR_INTERNAL, "sign");
    }
    *signature = made;
    return true;
}
