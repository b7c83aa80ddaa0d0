/* SPDX-License-Identifier: Apache-2.0 */
/* For tests that try every bit of evidence, included as it is: ecdsa384_verify, which computes each
 * signature but those that it has computed before and that held: links of a chain that a changed
 * bit left alone. */
#include "crypto/ecdsa384.h"

bool ecdsa384_compute(const struct ecdsa384_public *key, const struct digest48 *digest,
                      const struct ecdsa384_signature *signature, struct error *error);

#define ecdsa384_verify ecdsa384_compute
#include "crypto/ecdsa384.c" /* NOLINT(bugprone-suspicious-include) */
#undef ecdsa384_verify

enum {
    P384_KNOWN_COUNT = 64
};

struct p384_triple {
    struct ecdsa384_public key;
    struct digest48 digest;
    struct ecdsa384_signature signature;
};

static struct p384_triple p384_known[P384_KNOWN_COUNT];
static size_t p384_known_count;

bool ecdsa384_verify(const struct ecdsa384_public *key, const struct digest48 *digest,
                     const struct ecdsa384_signature *signature, struct error *error)
{
    struct p384_triple triple = { *key, *digest, *signature };
    for (size_t i = 0; i < p384_known_count; i++)
        if (memcmp(&p384_known[i], &triple, sizeof(triple)) == 0)
            return true;
    if (!ecdsa384_compute(key, digest, signature, error))
        return false;
    if (p384_known_count < P384_KNOWN_COUNT)
        p384_known[p384_known_count++] = triple;
    return true;
}
