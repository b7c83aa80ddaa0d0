/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/aead.h"

#include "crypto/limits.h"
#include "crypto/openssl.h"
#include "crypto/random.h"

static void cipher_release(EVP_CIPHER_CTX **context)
{
    EVP_CIPHER_CTX_free(*context);
}
#define AUTO_CIPHER __attribute__((cleanup(cipher_release)))

struct aead_nonce aead_nonce_random(void)
{
    struct aead_nonce nonce;
    random_bytes(nonce.bytes, sizeof(nonce.bytes));
    return nonce;
}

/* Sizes are at most AEAD_SIZE_MAX, so they fit int. */
static bool process(EVP_CIPHER_CTX *context, uint8_t *target, struct bytes input,
                    struct bytes associated)
{
    int size = 0;
    if (associated.size > 0 &&
        EVP_CipherUpdate(context, NULL, &size, associated.data, (int)associated.size) != 1)
        return false;
    return input.size == 0 ||
           EVP_CipherUpdate(context, target, &size, input.data, (int)input.size) == 1;
}

size_t aead_key_size(enum aead_kind kind)
{
    return kind == AEAD_AES_128_GCM ? 16 : 32;
}

static const EVP_CIPHER *cipher_of(enum aead_kind kind)
{
    const struct crypto_algorithms *algorithms = crypto_algorithms();
    switch (kind) {
    case AEAD_AES_256_GCM:
        return algorithms->aes_256_gcm;
    case AEAD_AES_128_GCM:
        return algorithms->aes_128_gcm;
    case AEAD_CHACHA20_POLY1305:
        return algorithms->chacha20_poly1305;
    }
    ASSERT(false);
}

bool aead_seal(void *sealed, const struct secret32 *key, const struct aead_nonce *nonce,
               struct bytes plain, struct bytes associated, struct error *error)
{
    return aead_seal_as(sealed, AEAD_AES_256_GCM, key, nonce, plain, associated, error);
}

bool aead_open(void *plain, const struct secret32 *key, const struct aead_nonce *nonce,
               struct bytes sealed, struct bytes associated, struct error *error)
{
    return aead_open_as(plain, AEAD_AES_256_GCM, key, nonce, sealed, associated, error);
}

bool aead_seal_as(void *sealed, enum aead_kind kind, const struct secret32 *key,
                  const struct aead_nonce *nonce, struct bytes plain, struct bytes associated,
                  struct error *error)
{
    if (plain.size > AEAD_SIZE_MAX || associated.size > AEAD_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "message to seal is above %d bytes", AEAD_SIZE_MAX);
    AUTO_CIPHER EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t *target = sealed;
    int size = 0;
    uint8_t end[16];
    if (context == NULL ||
        EVP_EncryptInit_ex2(context, cipher_of(kind), key->bytes, nonce->bytes, NULL) != 1 ||
        !process(context, target, plain, associated) ||
        EVP_EncryptFinal_ex(context, end, &size) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_SIZE, target + plain.size) !=
            1)
        return crypto_error(error, ERROR_INTERNAL, "seal");
    return true;
}

bool aead_open_as(void *plain, enum aead_kind kind, const struct secret32 *key,
                  const struct aead_nonce *nonce, struct bytes sealed, struct bytes associated,
                  struct error *error)
{
    if (sealed.size > (size_t)AEAD_SIZE_MAX + AEAD_TAG_SIZE || associated.size > AEAD_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "sealed message is above %d bytes", AEAD_SIZE_MAX);
    if (sealed.size < AEAD_TAG_SIZE)
        return error_set(error, ERROR_UNVERIFIED, "sealed data does not open");
    struct bytes hidden = bytes_part(sealed, 0, sealed.size - AEAD_TAG_SIZE);
    uint8_t tag[AEAD_TAG_SIZE];
    for (size_t i = 0; i < sizeof(tag); i++)
        tag[i] = sealed.data[hidden.size + i];
    AUTO_CIPHER EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int size = 0;
    uint8_t end[16];
    if (context == NULL ||
        EVP_DecryptInit_ex2(context, cipher_of(kind), key->bytes, nonce->bytes, NULL) != 1)
        return crypto_error(error, ERROR_INTERNAL, "open");
    if (!process(context, plain, hidden, associated) ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_SIZE, tag) != 1 ||
        EVP_DecryptFinal_ex(context, end, &size) != 1) {
        /* These decrypt before they know; nobody may see that. */
        secret_wipe(plain, hidden.size);
        crypto_error(error, ERROR_UNVERIFIED, "");
        return error_set(error, ERROR_UNVERIFIED, "sealed data does not open");
    }
    return true;
}
