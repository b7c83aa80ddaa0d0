/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SHA-256 (RFC 2104) and HKDF-SHA-256 (RFC 5869).  Can't fail on sizes within limits.h, which
 * the caller keeps (its own constants, never input). */
#ifndef CRYPTO_MAC_H
#define CRYPTO_MAC_H

#include "base/secret.h"
#include "core/bytes.h"

/* The MAC of `data`.  Compare with secret_equal. */
struct digest32 hmac_sha256(struct bytes key, struct bytes data);

/* Extract and expand in one: 32 bytes from a secret, for one purpose named by `info`. */
void hkdf_derive(struct secret32 *derived, const struct secret32 *secret, struct bytes salt,
                 struct bytes info);
/* The general form, up to HKDF_SIZE_MAX bytes; `target` is the caller's secret memory. */
void hkdf_sha256(void *target, size_t size, struct bytes secret, struct bytes salt,
                 struct bytes info);

/* The second half alone: from a pseudorandom key, up to HKDF_SIZE_MAX bytes.  The first half,
 * extract, is hmac_sha256(salt, secret). */
void hkdf_expand_sha256(void *target, size_t size, const struct digest32 *key, struct bytes info);

#endif
