/* SPDX-License-Identifier: Apache-2.0 */
/* Verification of RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of 48 bytes, and of
 * RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 sections 8.1.2 and 8.2.2), in plain C, for builds
 * without OpenSSL. */
#ifndef CRYPTO_PORTABLE_RSA_H
#define CRYPTO_PORTABLE_RSA_H

#include "crypto/hash.h"

/* Numbers big-endian; the modulus of 2048 to 4096 bits, whole bytes with the highest bit set. false
 * for whatever reason. */
MUST_CHECK bool rsa_pss_holds(struct bytes modulus, struct bytes exponent,
                              const struct digest48 *digest, struct bytes signature);
MUST_CHECK bool rsa_pkcs1_holds(struct bytes modulus, struct bytes exponent,
                                const struct digest32 *digest, struct bytes signature);

#endif
