/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's hash without its layer of names: most of these are a line long, and a commit of state
 * takes thirty of them.  With the layer each costs two allocations and three times as long. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/mac.h"

#include "crypto/hash.h"
#include "crypto/limits.h"

#include <openssl/sha.h>
#include <string.h>

static void hash_begin(SHA256_CTX *hash, const uint8_t *block, uint8_t padding)
{
    uint8_t padded[SHA256_CBLOCK];
    for (size_t i = 0; i < sizeof(padded); i++)
        padded[i] = block[i] ^ padding;
    ASSERT(SHA256_Init(hash) == 1 && SHA256_Update(hash, padded, sizeof(padded)) == 1);
    secret_wipe(padded, sizeof(padded));
}

static struct digest32 hmac_parts(struct bytes key, const struct bytes *parts, size_t count)
{
    uint8_t block[SHA256_CBLOCK] = { 0 };
    SHA256_CTX hash;
    struct digest32 inner, outer;
    if (key.size > sizeof(block)) {
        struct digest32 short_key = sha256_of(key);
        memcpy(block, short_key.bytes, sizeof(short_key.bytes));
        secret_wipe(&short_key, sizeof(short_key));
    } else if (key.size > 0) {
        memcpy(block, key.data, key.size);
    }
    hash_begin(&hash, block, 0x36);
    for (size_t i = 0; i < count; i++)
        ASSERT(SHA256_Update(&hash, parts[i].data, parts[i].size) == 1);
    ASSERT(SHA256_Final(inner.bytes, &hash) == 1);
    hash_begin(&hash, block, 0x5c);
    ASSERT(SHA256_Update(&hash, inner.bytes, sizeof(inner.bytes)) == 1 &&
           SHA256_Final(outer.bytes, &hash) == 1);
    secret_wipe(block, sizeof(block));
    secret_wipe(&hash, sizeof(hash));
    return outer;
}

struct digest32 hmac_sha256(struct bytes key, struct bytes data)
{
    return hmac_parts(key, &data, 1);
}

void hkdf_expand_sha256(void *target, size_t size, const struct digest32 *key, struct bytes info)
{
    ASSERT(size <= HKDF_SIZE_MAX);
    struct digest32 block = { 0 };
    uint8_t *at = target;
    for (uint8_t counter = 1; size > 0; counter++) {
        struct bytes parts[] = { bytes_of(block.bytes, counter == 1 ? 0 : sizeof(block.bytes)),
                                 info, bytes_of(&counter, 1) };
        block = hmac_parts(BYTES_OF(key->bytes), parts, ARRAY_COUNT(parts));
        size_t part = MIN(size, sizeof(block.bytes));
        memcpy(at, block.bytes, part);
        at += part;
        size -= part;
    }
    secret_wipe(&block, sizeof(block));
}

void hkdf_sha256(void *target, size_t size, struct bytes secret, struct bytes salt,
                 struct bytes info)
{
    struct digest32 pseudorandom = hmac_sha256(salt, secret);
    hkdf_expand_sha256(target, size, &pseudorandom, info);
    secret_wipe(&pseudorandom, sizeof(pseudorandom));
}

void hkdf_derive(struct secret32 *derived, const struct secret32 *secret, struct bytes salt,
                 struct bytes info)
{
    hkdf_sha256(derived->bytes, sizeof(derived->bytes), BYTES_OF(secret->bytes), salt, info);
}
