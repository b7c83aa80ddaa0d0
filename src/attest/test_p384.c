/* SPDX-License-Identifier: Apache-2.0 */
/* For tests that try every bit of evidence, included as it is: ecdsa384_verify, which computes one
 * signature of sixteen.  The others hold when key, digest and signature are those of one that was
 * computed and held, and for no other.  That is what a sound signature does; whether P-384 is one
 * is for the tests of crypto.  Everything around it (what is signed, by whom, what is looked at) is
 * the verifier's own.  S3N_TEST_EVERY_BIT=1 computes all. */
#include "crypto/ecdsa384.h"

bool ecdsa384_compute(const struct ecdsa384_public *key, const struct digest48 *digest,
                      const struct ecdsa384_signature *signature, struct error *error);

#define ecdsa384_verify ecdsa384_compute
#include "crypto/ecdsa384.c" /* NOLINT(bugprone-suspicious-include) */
#undef ecdsa384_verify

#include <stdlib.h>

enum {
    P384_KNOWN_COUNT = 64,
    P384_STEP = 16 /* of the signatures computed, once items that hold were seen */
};

struct p384_triple {
    struct ecdsa384_public key;
    struct digest48 digest;
    struct ecdsa384_signature signature;
};

static struct p384_triple p384_known[P384_KNOWN_COUNT];
static size_t p384_known_count;
static bool p384_is_learning = true; /* all are computed */

bool ecdsa384_verify(const struct ecdsa384_public *key, const struct digest48 *digest,
                     const struct ecdsa384_signature *signature, struct error *error)
{
    static size_t count;
    struct p384_triple triple = { *key, *digest, *signature };
    for (size_t i = 0; i < p384_known_count; i++)
        if (memcmp(&p384_known[i], &triple, sizeof(triple)) == 0)
            return true;
    if (!p384_is_learning && count++ % P384_STEP != 0 && getenv("S3N_TEST_EVERY_BIT") == NULL)
        return error_set(error, ERROR_UNVERIFIED, "signature is none of those that hold");
    if (!ecdsa384_compute(key, digest, signature, error))
        return false;
    if (p384_known_count < P384_KNOWN_COUNT)
        p384_known[p384_known_count++] = triple;
    return true;
}
