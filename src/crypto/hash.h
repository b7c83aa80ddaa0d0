/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-2 (FIPS 180-4), in one call or piece by piece, into types that can't be mixed up.
 *
 * The one-call functions can't fail: the algorithms are loaded once, and being out of memory for
 * a few hundred bytes of state aborts. */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include "base/error.h"
#include "core/bytes.h"

/* SHA-384 and SHA-512 values; SHA-256 is core's digest32. */
struct digest48 {
    uint8_t bytes[48];
};
struct digest64 {
    uint8_t bytes[64];
};

struct digest32 sha256_of(struct bytes data);
struct digest48 sha384_of(struct bytes data);
struct digest64 sha512_of(struct bytes data);

enum hash_kind {
    HASH_SHA256,
    HASH_SHA384,
    HASH_SHA512
};

struct hash;

struct hash *hash_new(enum hash_kind kind);
void hash_free(struct hash *hash);
DEFINE_AUTO(hash, hash_free)
void hash_update(struct hash *hash, struct bytes data);
/* Give the value of all updates and start over; the function must fit the kind. */
struct digest32 hash_finish32(struct hash *hash);
struct digest48 hash_finish48(struct hash *hash);
struct digest64 hash_finish64(struct hash *hash);

#endif
