/* SPDX-License-Identifier: Apache-2.0 */
/* AES-256-GCM (NIST SP 800-38D) with 96-bit nonces and 128-bit tags: the one way S3N seals. Formats
 * of others (HPKE, JOSE) ask for its relatives too, with the same sizes of nonce and tag.
 *
 * A nonce must never be used twice with one key: take a random one for at most 2^32 messages per
 * key, or a counter. */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include "base/secret.h"
#include "core/bytes.h"

enum {
    AEAD_NONCE_SIZE = 12,
    AEAD_TAG_SIZE = 16
};

struct aead_nonce {
    uint8_t bytes[AEAD_NONCE_SIZE];
};

struct aead_nonce aead_nonce_random(void);

/* Writes plain.size + AEAD_TAG_SIZE bytes to `sealed`: ciphertext, then tag.  In place is fine
 * (sealed == plain.data).  LIMIT above AEAD_SIZE_MAX. */
MUST_CHECK bool aead_seal(void *sealed, const struct secret32 *key, const struct aead_nonce *nonce,
                          struct bytes plain, struct bytes associated, struct error *error);
/* Writes sealed.size - AEAD_TAG_SIZE bytes to `plain`; UNVERIFIED when anything was changed, and
 * then `plain` is wiped.  In place is fine. */
MUST_CHECK bool aead_open(void *plain, const struct secret32 *key, const struct aead_nonce *nonce,
                          struct bytes sealed, struct bytes associated, struct error *error);

/* The relatives: AES-128-GCM takes the first 16 bytes of the key. */
enum aead_kind {
    AEAD_AES_256_GCM,
    AEAD_AES_128_GCM,
    AEAD_CHACHA20_POLY1305 /* RFC 8439 */
};
size_t aead_key_size(enum aead_kind kind);
/* As aead_seal and aead_open. */
MUST_CHECK bool aead_seal_as(void *sealed, enum aead_kind kind, const struct secret32 *key,
                             const struct aead_nonce *nonce, struct bytes plain,
                             struct bytes associated, struct error *error);
MUST_CHECK bool aead_open_as(void *plain, enum aead_kind kind, const struct secret32 *key,
                             const struct aead_nonce *nonce, struct bytes sealed,
                             struct bytes associated, struct error *error);

#endif
