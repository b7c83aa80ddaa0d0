/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, SHA-384 and SHA-512 (FIPS 180-4) in plain C, for builds without OpenSSL.  Never
 * allocates, can't fail.  Messages below 2^61 bytes. */
#ifndef CRYPTO_PORTABLE_SHA2_H
#define CRYPTO_PORTABLE_SHA2_H

#include "crypto/hash.h"

struct sha2 {
    enum hash_kind kind;
    union {
        uint32_t words32[8]; /* SHA-256 */
        uint64_t words64[8]; /* the others */
    } state;
    uint64_t size;      /* of the message so far */
    uint8_t block[128]; /* the part of it that fills no block yet */
};

void sha2_init(struct sha2 *sha2, enum hash_kind kind);
void sha2_update(struct sha2 *sha2, struct bytes data);
/* 32, 48 or 64 bytes; the value must be initialised anew to be used again. */
void sha2_finish(struct sha2 *sha2, uint8_t *digest);

#endif
