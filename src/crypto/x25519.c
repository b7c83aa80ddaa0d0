/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/x25519.h"

#include "crypto/openssl.h"

bool x25519_public_of(struct x25519_public *public_key, const struct secret32 *key,
                      struct error *error)
{
    crypto_algorithms();
    EVP_PKEY *pair =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, key->bytes, sizeof(key->bytes));
    if (pair == NULL)
        return crypto_error(error, ERROR_NO_MEMORY, "X25519 key");
    struct x25519_public made;
    size_t size = sizeof(made.bytes);
    bool done = EVP_PKEY_get_raw_public_key(pair, made.bytes, &size) == 1;
    EVP_PKEY_free(pair);
    if (!done)
        return crypto_error(error, ERROR_INTERNAL, "X25519 public key");
    *public_key = made;
    return true;
}
