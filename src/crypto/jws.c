/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/jws.h"

#include "crypto/hash.h"
#include "crypto/openssl.h"

#include <openssl/rsa.h>

#include <string.h>

static void context_release(EVP_PKEY_CTX **context)
{
    EVP_PKEY_CTX_free(*context);
}
static void digest_release(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}
static void key_release(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}
#define AUTO_CONTEXT __attribute__((cleanup(context_release)))
#define AUTO_DIGEST  __attribute__((cleanup(digest_release)))
#define AUTO_KEY     __attribute__((cleanup(key_release)))

/* One answer for every reason; OpenSSL's queue is emptied. */
static bool refuse(struct error *error)
{
    crypto_error(error, ERROR_UNVERIFIED, "signature");
    return error_set(error, ERROR_UNVERIFIED, "the signature does not hold");
}

bool rs256_key_check(struct bytes modulus, struct bytes exponent, struct error *error)
{
    bool fits = modulus.size >= JWS_RSA_SIZE_MIN && modulus.size <= JWS_RSA_SIZE_MAX &&
                modulus.data[0] != 0 && (modulus.data[modulus.size - 1] & 1) == 1 &&
                exponent.size >= 1 && exponent.size <= JWS_RSA_EXPONENT_SIZE_MAX &&
                exponent.data[0] != 0 && (exponent.data[exponent.size - 1] & 1) == 1 &&
                !(exponent.size == 1 && exponent.data[0] == 1);
    return fits || error_set(error, ERROR_INVALID, "RSA keys have 2048 to 4096 bits here");
}

bool rs256_verify(struct bytes modulus, struct bytes exponent, struct bytes message,
                  struct bytes signature, struct error *error)
{
    struct digest32 digest = sha256_of(message);
    AUTO_KEY EVP_PKEY *key = openssl_rsa_key(modulus, exponent);
    AUTO_CONTEXT EVP_PKEY_CTX *context =
        key == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    return (signature.size == modulus.size && context != NULL &&
            EVP_PKEY_verify_init(context) == 1 &&
            EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
            EVP_PKEY_CTX_set_signature_md(context, crypto_algorithms()->sha256) == 1 &&
            EVP_PKEY_verify(context, signature.data, signature.size, digest.bytes,
                            sizeof(digest.bytes)) == 1) ||
           refuse(error);
}

bool ed25519_key_check(const uint8_t key[ED25519_PUBLIC_SIZE], struct error *error)
{
    /* The y of the eight points, without the sign of x: 0, 1, the two of order 8, and p - 1 below.
     */
    static const uint8_t small[][ED25519_PUBLIC_SIZE] = {
        { 0x00 },
        { 0x01 },
        { 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
          0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
          0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 },
        { 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
          0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
          0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a },
    };
    bool is_small = false;
    for (size_t i = 0; i < ARRAY_COUNT(small); i++)
        is_small |=
            memcmp(key, small[i], ED25519_PUBLIC_SIZE - 1) == 0 && (key[31] & 0x7f) == small[i][31];
    /* ec and then ones is p - 1, ed and more are other names of 0 to 18 */
    bool is_high = key[0] >= 0xec && (key[31] & 0x7f) == 0x7f;
    for (size_t i = 1; is_high && i < ED25519_PUBLIC_SIZE - 1; i++)
        is_high = key[i] == 0xff;
    return !(is_small || is_high) ||
           error_set(error, ERROR_INVALID, "an Ed25519 key of small order, or not in its one form");
}

bool ed25519_verify(const uint8_t public[ED25519_PUBLIC_SIZE], struct bytes message,
                    struct bytes signature, struct error *error)
{
    AUTO_KEY EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public, ED25519_PUBLIC_SIZE);
    AUTO_DIGEST EVP_MD_CTX *context = EVP_MD_CTX_new();
    struct error unfit;
    return (signature.size == ED25519_SIGNATURE_SIZE && ed25519_key_check(public, &unfit) &&
            key != NULL && context != NULL &&
            EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
            EVP_DigestVerify(context, signature.data, signature.size, message.data, message.size) ==
                1) ||
           refuse(error);
}
