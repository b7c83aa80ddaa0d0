/* SPDX-License-Identifier: Apache-2.0 */
/* In builds without OpenSSL, the arithmetic behind hash.h, ecdsa.h, ecdsa384.h, rsa.h and jws.h
 * (RS256): all that verification needs, nothing that signs. */
#include "crypto/ecdsa.h"
#include "crypto/ecdsa384.h"
#include "crypto/hash_parts.h"
#include "crypto/jws.h"
#include "crypto/p256.h"
#include "crypto/p256_tables.h"
#include "crypto/portable/p384.h"
#include "crypto/portable/rsa.h"
#include "crypto/portable/sha2.h"
#include "crypto/rsa.h"

#include <stdlib.h>
#include <string.h>

void hash_once(void *target, enum hash_kind kind, struct bytes data)
{
    struct sha2 sha2;
    sha2_init(&sha2, kind);
    sha2_update(&sha2, data);
    sha2_finish(&sha2, target);
}

struct hash {
    struct sha2 sha2;
};

struct hash *hash_new(enum hash_kind kind)
{
    struct hash *hash = malloc(sizeof(*hash));
    ASSERT(hash != NULL);
    sha2_init(&hash->sha2, kind);
    return hash;
}

void hash_free(struct hash *hash)
{
    free(hash);
}

void hash_update(struct hash *hash, struct bytes data)
{
    sha2_update(&hash->sha2, data);
}

void hash_finish(struct hash *hash, void *target, enum hash_kind kind)
{
    ASSERT(hash->sha2.kind == kind);
    sha2_finish(&hash->sha2, target);
    sha2_init(&hash->sha2, kind);
}

/* The table of a key that signs most of what is verified, NULL for others. */
static const struct p256_comb *find_comb(const struct ecdsa_public *key)
{
    for (size_t i = 0; i < P256_KNOWN_KEY_COUNT; i++) {
        if (memcmp(key->bytes, p256_known_keys[i].key, sizeof(key->bytes)) == 0)
            return &p256_known_keys[i].comb;
    }
    return NULL;
}

bool ecdsa_verify(const struct ecdsa_public *key, const struct digest32 *digest,
                  const struct ecdsa_signature *signature, struct error *error)
{
    return p256_verify(&p256_base, find_comb(key), key->bytes, digest->bytes, signature->bytes) ||
           error_set(error, ERROR_UNVERIFIED, "signature does not verify");
}

bool ecdsa_public_check(const struct ecdsa_public *key, struct error *error)
{
    struct p256_affine point;
    return p256_point_read(&point, key->bytes) ||
           error_set(error, ERROR_INVALID, "public key is not a point of P-256");
}

bool ecdsa_public_equal(const struct ecdsa_public *a, const struct ecdsa_public *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool ecdsa384_verify(const struct ecdsa384_public *key, const struct digest48 *digest,
                     const struct ecdsa384_signature *signature, struct error *error)
{
    return p384_verify(key->bytes, digest->bytes, signature->bytes) ||
           error_set(error, ERROR_UNVERIFIED, "signature does not verify");
}

bool rsa_holds(struct bytes modulus, struct bytes exponent, const struct digest48 *digest,
               struct bytes signature)
{
    return rsa_pss_holds(modulus, exponent, digest, signature);
}

bool rs256_verify(struct bytes modulus, struct bytes exponent, struct bytes message,
                  struct bytes signature, struct error *error)
{
    struct digest32 digest = sha256_of(message);
    return rsa_pkcs1_holds(modulus, exponent, &digest, signature) ||
           error_set(error, ERROR_UNVERIFIED, "the signature does not hold");
}
