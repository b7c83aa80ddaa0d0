/* SPDX-License-Identifier: Apache-2.0 */
/* Verification of ECDSA signatures on P-384 (FIPS 186-5, SP 800-186), in plain C, for builds
 * without OpenSSL.  For public values only: it takes as long as the numbers want. */
#ifndef CRYPTO_PORTABLE_P384_H
#define CRYPTO_PORTABLE_P384_H

#include "core/bytes.h"

/* `key`: x || y; `digest`: 48 bytes; `signature`: r || s; all big-endian.  false for whatever
 * reason: r or s out of 1..n-1, point off the curve, wrong signature. */
MUST_CHECK bool p384_verify(const uint8_t *key, const uint8_t *digest, const uint8_t *signature);

#endif
