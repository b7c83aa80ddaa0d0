/* SPDX-License-Identifier: Apache-2.0 */
/* X25519 keys (RFC 7748): 32 bytes each, any 32 secret bytes are a private key. */
#ifndef CRYPTO_X25519_H
#define CRYPTO_X25519_H

#include "base/secret.h"

struct x25519_public {
    uint8_t bytes[32];
};

MUST_CHECK bool x25519_public_of(struct x25519_public *public_key, const struct secret32 *key,
                                 struct error *error);

/* The shared secret of RFC 7748 section 6.1, not yet a key: derive one from it.  INVALID when it
 * would be zero, as for points of small order. */
MUST_CHECK bool x25519_agree(struct secret32 *shared, const struct secret32 *key,
                             const struct x25519_public *peer, struct error *error);

#endif
