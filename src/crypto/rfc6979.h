/* SPDX-License-Identifier: Apache-2.0 */
/* ECDSA on P-256 with SHA-256 whose nonces follow from key and message (RFC 6979): the same
 * signature for the same of both, and no randomness that could be bad or watched.  Verified by
 * ecdsa_verify like any other. */
#ifndef CRYPTO_RFC6979_H
#define CRYPTO_RFC6979_H

#include "crypto/ecdsa.h"

/* `scalar` big-endian; INVALID unless 0 < scalar < n. */
MUST_CHECK bool rfc6979_sign(struct ecdsa_signature *signature, const struct secret32 *scalar,
                             const struct digest32 *digest, struct error *error);

/* Candidates for a nonce of a key of 256 bits, in the order of section 3.2: for tests. */
struct rfc6979 {
    uint8_t key[32];   /* K */
    uint8_t value[32]; /* V */
    bool is_again;
};
/* `reduced`: bits2octets of the digest, below n. */
void rfc6979_begin(struct rfc6979 *generator, const struct secret32 *scalar,
                   const uint8_t reduced[32]);
void rfc6979_next(struct rfc6979 *generator, struct secret32 *candidate);
void rfc6979_done(struct rfc6979 *generator);

#endif
