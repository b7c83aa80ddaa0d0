/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic modulo an odd number of up to 4096 bits (Montgomery's; Handbook of Applied
 * Cryptography, 14.36), for public values only: it takes as long as the numbers want.
 *
 * Numbers are arrays of 32-bit limbs, the least significant first, as long as their modulus. */
#ifndef CRYPTO_PORTABLE_MONTGOMERY_H
#define CRYPTO_PORTABLE_MONTGOMERY_H

#include "core/bytes.h"

enum {
    MONTGOMERY_LIMB_COUNT_MAX = 128
};

struct modulus {
    size_t size;  /* bytes */
    size_t count; /* limbs */
    uint32_t limbs[MONTGOMERY_LIMB_COUNT_MAX];
    uint32_t one[MONTGOMERY_LIMB_COUNT_MAX];    /* R = 2^(32 count), modulo the modulus */
    uint32_t square[MONTGOMERY_LIMB_COUNT_MAX]; /* R^2: multiplying by it enters the form */
    uint32_t inverse;                           /* -1 / modulus, modulo 2^32 */
};

/* Of big-endian bytes, the first not zero; false for even numbers and for too large ones. */
MUST_CHECK bool modulus_init(struct modulus *modulus, struct bytes number);
/* As many bytes as the modulus has; false unless the number is below it. */
MUST_CHECK bool modulus_read(uint32_t *number, const struct modulus *modulus, struct bytes bytes);
void modulus_write(uint8_t *bytes, const struct modulus *modulus, const uint32_t *number);

/* a b / R; the target may be one of them. */
void modulus_mul(uint32_t *target, const struct modulus *modulus, const uint32_t *a,
                 const uint32_t *b);
void modulus_add(uint32_t *target, const struct modulus *modulus, const uint32_t *a,
                 const uint32_t *b);
void modulus_sub(uint32_t *target, const struct modulus *modulus, const uint32_t *a,
                 const uint32_t *b);
/* base^exponent, base and result in Montgomery form; the exponent big-endian. */
void modulus_power(uint32_t *target, const struct modulus *modulus, const uint32_t *base,
                   struct bytes exponent);

#endif
