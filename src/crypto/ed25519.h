/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 (RFC 8032, pure): any 32 secret bytes are a private key.  Over messages of any size.
 * ed25519_verify is in crypto/jws.h. */
#ifndef CRYPTO_ED25519_H
#define CRYPTO_ED25519_H

#include "base/secret.h"
#include "core/bytes.h"

struct ed25519_public {
    uint8_t bytes[32];
};
struct ed25519_signature {
    uint8_t bytes[64];
};

MUST_CHECK bool ed25519_public_of(struct ed25519_public *key, const struct secret32 *secret,
                                  struct error *error);
MUST_CHECK bool ed25519_sign(struct ed25519_signature *signature, const struct secret32 *secret,
                             struct bytes message, struct error *error);
#endif
