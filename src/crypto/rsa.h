/* SPDX-License-Identifier: Apache-2.0 */
/* Inside crypto only: the arithmetic of RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of 48
 * bytes (RFC 8017 section 8.1.2). */
#ifndef CRYPTO_RSA_H
#define CRYPTO_RSA_H

#include "crypto/hash.h"

enum {
    RSA_SIZE_MIN = 256,
    RSA_SIZE_MAX = 512,
    RSA_EXPONENT_SIZE_MAX = 4,
    RSA_SALT_SIZE = 48
};

/* Numbers big-endian without leading zeros, of the sizes above, as public_key.h reads them. */
MUST_CHECK bool rsa_holds(struct bytes modulus, struct bytes exponent,
                          const struct digest48 *digest, struct bytes signature);

#endif
