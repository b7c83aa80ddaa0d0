/* SPDX-License-Identifier: Apache-2.0 */
/* The values of hash.h, whatever makes them. */
#include "crypto/hash_parts.h"

struct digest32 sha256_of(struct bytes data)
{
    struct digest32 digest;
    hash_once(digest.bytes, HASH_SHA256, data);
    return digest;
}

struct digest48 sha384_of(struct bytes data)
{
    struct digest48 digest;
    hash_once(digest.bytes, HASH_SHA384, data);
    return digest;
}

struct digest64 sha512_of(struct bytes data)
{
    struct digest64 digest;
    hash_once(digest.bytes, HASH_SHA512, data);
    return digest;
}

struct digest32 hash_finish32(struct hash *hash)
{
    struct digest32 digest;
    hash_finish(hash, digest.bytes, HASH_SHA256);
    return digest;
}

struct digest48 hash_finish48(struct hash *hash)
{
    struct digest48 digest;
    hash_finish(hash, digest.bytes, HASH_SHA384);
    return digest;
}

struct digest64 hash_finish64(struct hash *hash)
{
    struct digest64 digest;
    hash_finish(hash, digest.bytes, HASH_SHA512);
    return digest;
}
