/* SPDX-License-Identifier: Apache-2.0 */
/* ECDSA on P-384 with SHA-384 (FIPS 186-5), verified only: this is what AMD's report keys and AWS'
 * enclave certificates use.  Keys are x || y, signatures r || s, 48 bytes each, big-endian. */
#ifndef CRYPTO_ECDSA384_H
#define CRYPTO_ECDSA384_H

#include "crypto/hash.h"

enum {
    ECDSA384_NUMBER_SIZE = 48
};

struct ecdsa384_public {
    uint8_t bytes[2 * ECDSA384_NUMBER_SIZE];
};

struct ecdsa384_signature {
    uint8_t bytes[2 * ECDSA384_NUMBER_SIZE];
};

/* UNVERIFIED for whatever reason: r or s out of 1..n-1, point off the curve, wrong signature.  Low
 * and high s are both legal. */
MUST_CHECK bool ecdsa384_verify(const struct ecdsa384_public *key, const struct digest48 *digest,
                                const struct ecdsa384_signature *signature, struct error *error);

#endif
