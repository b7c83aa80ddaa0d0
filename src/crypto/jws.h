/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures that JSON web tokens have besides ES256 (ecdsa.h), verified only: RS256 (RSASSA-PKCS1
 * v1.5 with SHA-256, RFC 8017) and EdDSA with Ed25519 (RFC 8032). */
#ifndef CRYPTO_JWS_H
#define CRYPTO_JWS_H

#include "base/error.h"
#include "core/bytes.h"

enum {
    JWS_RSA_SIZE_MIN = 256, /* bytes of the modulus */
    JWS_RSA_SIZE_MAX = 512,
    JWS_RSA_EXPONENT_SIZE_MAX = 4,
    ED25519_PUBLIC_SIZE = 32,
    ED25519_SIGNATURE_SIZE = 64
};

/* Big-endian without leading zeros; INVALID unless the sizes are those above and both are odd. */
MUST_CHECK bool rs256_key_check(struct bytes modulus, struct bytes exponent, struct error *error);
/* UNVERIFIED for whatever reason, with a key that was checked. */
MUST_CHECK bool rs256_verify(struct bytes modulus, struct bytes exponent, struct bytes message,
                             struct bytes signature, struct error *error);
/* INVALID for a point of small order (under such a key signatures hold that nobody made), and for a
 * number that is not below p (another name of the same key). */
MUST_CHECK bool ed25519_key_check(const uint8_t key[ED25519_PUBLIC_SIZE], struct error *error);
/* UNVERIFIED for whatever reason, also for a key that would not pass the check. */
MUST_CHECK bool ed25519_verify(const uint8_t key[ED25519_PUBLIC_SIZE], struct bytes message,
                               struct bytes signature, struct error *error);

#endif
