/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ecdsa384.h"

#include "crypto/der.h"
#include "crypto/openssl.h"

#include <string.h>

enum {
    /* SEQUENCE of two INTEGERs of at most 49 bytes. */
    DER_SIGNATURE_SIZE_MAX = 104
};

static void context_release(EVP_PKEY_CTX **context)
{
    EVP_PKEY_CTX_free(*context);
}
static void key_release(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}
#define AUTO_CONTEXT __attribute__((cleanup(context_release)))
#define AUTO_KEY     __attribute__((cleanup(key_release)))

/* OpenSSL's form of a public key; NULL when the point is not on the curve. */
static EVP_PKEY *public_of(const struct ecdsa384_public *public)
{
    uint8_t point[1 + sizeof(public->bytes)] = { 4 }; /* SEC 1's uncompressed form */
    memcpy(point + 1, public->bytes, sizeof(public->bytes));
    AUTO_KEY EVP_PKEY *key = EVP_PKEY_new();
    if (key == NULL || EVP_PKEY_copy_parameters(key, crypto_algorithms()->p384) != 1 ||
        EVP_PKEY_set1_encoded_public_key(key, point, sizeof(point)) != 1)
        return NULL;
    return TAKE(key);
}

static bool holds(const struct ecdsa384_public *key, const struct digest48 *digest,
                  const struct ecdsa384_signature *signature)
{
    if (!ecdsa384_is_in_order(signature->bytes) ||
        !ecdsa384_is_in_order(signature->bytes + ECDSA384_NUMBER_SIZE))
        return false;
    uint8_t space[DER_SIGNATURE_SIZE_MAX];
    struct der_writer writer = der_writer_into(space, sizeof(space));
    der_open(&writer, DER_SEQUENCE);
    der_write_big(&writer, bytes_of(signature->bytes, ECDSA384_NUMBER_SIZE));
    der_write_big(&writer, bytes_of(signature->bytes + ECDSA384_NUMBER_SIZE, ECDSA384_NUMBER_SIZE));
    der_close(&writer);
    struct bytes der = der_writer_view(&writer);
    AUTO_KEY EVP_PKEY *public = public_of(key);
    AUTO_CONTEXT EVP_PKEY_CTX *context =
        public == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, public, NULL);
    return context != NULL && EVP_PKEY_verify_init(context) == 1 &&
           EVP_PKEY_verify(context, der.data, der.size, digest->bytes, sizeof(digest->bytes)) == 1;
}

bool ecdsa384_verify(const struct ecdsa384_public *key, const struct digest48 *digest,
                     const struct ecdsa384_signature *signature, struct error *error)
{
    if (holds(key, digest, signature))
        return true;
    crypto_error(error, ERROR_UNVERIFIED, "");
    return error_set(error, ERROR_UNVERIFIED, "signature does not verify");
}
