/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ed25519.h"

#include "crypto/openssl.h"

static void pair_release(EVP_PKEY **pair)
{
    EVP_PKEY_free(*pair);
}
static void digest_release(EVP_MD_CTX **digest)
{
    EVP_MD_CTX_free(*digest);
}
#define AUTO_PAIR   __attribute__((cleanup(pair_release)))
#define AUTO_DIGEST __attribute__((cleanup(digest_release)))

static EVP_PKEY *private_of(const struct secret32 *secret)
{
    crypto_algorithms();
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret->bytes,
                                        sizeof(secret->bytes));
}

bool ed25519_public_of(struct ed25519_public *key, const struct secret32 *secret,
                       struct error *error)
{
    AUTO_PAIR EVP_PKEY *pair = private_of(secret);
    struct ed25519_public made;
    size_t size = sizeof(made.bytes);
    if (pair == NULL || EVP_PKEY_get_raw_public_key(pair, made.bytes, &size) != 1)
        return crypto_error(error, ERROR_NO_MEMORY, "Ed25519 key");
    *key = made;
    return true;
}

bool ed25519_sign(struct ed25519_signature *signature, const struct secret32 *secret,
                  struct bytes message, struct error *error)
{
    AUTO_PAIR EVP_PKEY *pair = private_of(secret);
    AUTO_DIGEST EVP_MD_CTX *digest = EVP_MD_CTX_new();
    struct ed25519_signature made;
    size_t size = sizeof(made.bytes);
    uint8_t none = 0;
    if (pair == NULL || digest == NULL || EVP_DigestSignInit(digest, NULL, NULL, NULL, pair) != 1 ||
        EVP_DigestSign(digest, made.bytes, &size, message.size > 0 ? message.data : &none,
                       message.size) != 1)
        return crypto_error(error, ERROR_NO_MEMORY, "Ed25519 signature");
    *signature = made;
    return true;
}
