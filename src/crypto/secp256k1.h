/* SPDX-License-Identifier: Apache-2.0 */
/* ECDSA on secp256k1 (SEC 2), as Ethereum and Bitcoin use it, through libsecp256k1: nonces of RFC
 * 6979, s in the lower half (EIP-2), recoverable.  Over a digest of 32 bytes, whatever made it. */
#ifndef CRYPTO_SECP256K1_H
#define CRYPTO_SECP256K1_H

#include "base/secret.h"
#include "core/bytes.h"

struct secp256k1_public {
    uint8_t bytes[64]; /* x || y, big-endian */
};
struct secp256k1_signature {
    uint8_t bytes[64]; /* r || s, big-endian */
    uint8_t recovery;  /* 0 to 3: which of the points is the key */
};

bool secp256k1_is_scalar(const struct secret32 *scalar);
/* INVALID unless 0 < scalar < n. */
MUST_CHECK bool secp256k1_public_of(struct secp256k1_public *key, const struct secret32 *scalar,
                                    struct error *error);
MUST_CHECK bool secp256k1_sign(struct secp256k1_signature *signature, const struct secret32 *scalar,
                               const struct digest32 *digest, struct error *error);
/* UNVERIFIED for whatever reason, also for s in the upper half. */
MUST_CHECK bool secp256k1_verify(const struct secp256k1_public *key, const struct digest32 *digest,
                                 const struct secp256k1_signature *signature, struct error *error);
/* The key that signed.  UNVERIFIED as above. */
MUST_CHECK bool secp256k1_recover(struct secp256k1_public *key, const struct digest32 *digest,
                                  const struct secp256k1_signature *signature, struct error *error);

#endif
