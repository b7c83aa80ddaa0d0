/* SPDX-License-Identifier: Apache-2.0 */
/* Verification of ECDSA signatures on P-256 (FIPS 186-5, SP 800-186), without a library.
 *
 * For public values only: it takes as long as the numbers want.  Two reasons for it beside
 * OpenSSL's: keys that sign all of a vendor's collateral have tables made at build time
 * (p256_tables.h), which makes their signatures three times as fast; and it builds where there is
 * no C library.  Never signs, never allocates. */
#ifndef CRYPTO_P256_H
#define CRYPTO_P256_H

#include "core/bytes.h"

/* A field element in Montgomery form, least significant limb first, below p. */
struct p256_element {
    uint64_t limbs[4];
};

/* A point that is not at infinity. */
struct p256_affine {
    struct p256_element x;
    struct p256_element y;
};

enum {
    P256_COMB_TEETH = 8,
    P256_COMB_SPACING = 256 / P256_COMB_TEETH,
    P256_COMB_COUNT = (1 << P256_COMB_TEETH) - 1
};

/* For a point P: entry i - 1 is the sum of 2^(32 j) P over the bits j of i. */
struct p256_comb {
    struct p256_affine points[P256_COMB_COUNT];
};

/* A key with its table. */
struct p256_known_key {
    uint8_t key[64]; /* x || y, big-endian */
    struct p256_comb comb;
};

/* What the key is when its point is on the curve, in the form of the tables. */
MUST_CHECK bool p256_point_read(struct p256_affine *point, const uint8_t *key);
/* Fills a table; slow. */
void p256_comb_fill(struct p256_comb *comb, const struct p256_affine *point);

/* `key`: x || y; `signature`: r || s; all big-endian.  false for whatever reason: r or s out of
 * 1..n-1, point off the curve, wrong signature.  `base` is the table of the curve's generator,
 * `comb` the key's or NULL. */
MUST_CHECK bool p256_verify(const struct p256_comb *base, const struct p256_comb *comb,
                            const uint8_t *key, const uint8_t *digest, const uint8_t *signature);

#endif
