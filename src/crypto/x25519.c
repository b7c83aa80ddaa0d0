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

bool x25519_agree(struct secret32 *shared, const struct secret32 *key,
                  const struct x25519_public *peer, struct error *error)
{
    crypto_algorithms();
    EVP_PKEY *own =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, key->bytes, sizeof(key->bytes));
    EVP_PKEY *other =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, peer->bytes, sizeof(peer->bytes));
    EVP_PKEY_CTX *context = own == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
    struct secret32 made = { 0 };
    uint8_t any = 0;
    size_t size = sizeof(made.bytes);
    bool done = other != NULL && context != NULL && EVP_PKEY_derive_init(context) == 1 &&
                EVP_PKEY_derive_set_peer(context, other) == 1 &&
                EVP_PKEY_derive(context, made.bytes, &size) == 1 && size == sizeof(made.bytes);
    for (size_t i = 0; i < sizeof(made.bytes); i++)
        any |= made.bytes[i];
    if (done && any != 0)
        *shared = made;
    secret_wipe(&made, sizeof(made));
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(other);
    EVP_PKEY_free(own);
    return (done && any != 0) || crypto_error(error, ERROR_INVALID, "not a usable X25519 key");
}
