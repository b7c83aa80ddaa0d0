/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/portable/p384.h"

#include "crypto/portable/montgomery.h"

#include <string.h>

enum {
    SIZE = 48,
    LIMB_COUNT = 12
};

/* SP 800-186 section 3.2.1.4. */
static const uint8_t prime_bytes[SIZE] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff
};
static const uint8_t order_bytes[SIZE] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
    0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73
};
static const uint8_t b_bytes[SIZE] = { 0xb3, 0x31, 0x2f, 0xa7, 0xe2, 0x3e, 0xe7, 0xe4, 0x98, 0x8e,
                                       0x05, 0x6b, 0xe3, 0xf8, 0x2d, 0x19, 0x18, 0x1d, 0x9c, 0x6e,
                                       0xfe, 0x81, 0x41, 0x12, 0x03, 0x14, 0x08, 0x8f, 0x50, 0x13,
                                       0x87, 0x5a, 0xc6, 0x56, 0x39, 0x8d, 0x8a, 0x2e, 0xd1, 0x9d,
                                       0x2a, 0x85, 0xc8, 0xed, 0xd3, 0xec, 0x2a, 0xef };
static const uint8_t generator_bytes[2 * SIZE] = {
    0xaa, 0x87, 0xca, 0x22, 0xbe, 0x8b, 0x05, 0x37, 0x8e, 0xb1, 0xc7, 0x1e, 0xf3, 0x20, 0xad, 0x74,
    0x6e, 0x1d, 0x3b, 0x62, 0x8b, 0xa7, 0x9b, 0x98, 0x59, 0xf7, 0x41, 0xe0, 0x82, 0x54, 0x2a, 0x38,
    0x55, 0x02, 0xf2, 0x5d, 0xbf, 0x55, 0x29, 0x6c, 0x3a, 0x54, 0x5e, 0x38, 0x72, 0x76, 0x0a, 0xb7,
    0x36, 0x17, 0xde, 0x4a, 0x96, 0x26, 0x2c, 0x6f, 0x5d, 0x9e, 0x98, 0xbf, 0x92, 0x92, 0xdc, 0x29,
    0xf8, 0xf4, 0x1d, 0xbd, 0x28, 0x9a, 0x14, 0x7c, 0xe9, 0xda, 0x31, 0x13, 0xb5, 0xf0, 0xb8, 0xc0,
    0x0a, 0x60, 0xb1, 0xce, 0x1d, 0x7e, 0x81, 0x9d, 0x7a, 0x43, 0x1d, 0x7c, 0x90, 0xea, 0x0e, 0x5f
};

/* A field element in Montgomery form. */
struct element {
    uint32_t limbs[LIMB_COUNT];
};

/* Jacobian coordinates: x = X / Z^2, y = Y / Z^3; Z = 0 is the point at infinity. */
struct point {
    struct element x, y, z;
};

static struct element mul(const struct modulus *p, struct element a, struct element b)
{
    struct element product;
    modulus_mul(product.limbs, p, a.limbs, b.limbs);
    return product;
}

static struct element add(const struct modulus *p, struct element a, struct element b)
{
    struct element sum;
    modulus_add(sum.limbs, p, a.limbs, b.limbs);
    return sum;
}

static struct element sub(const struct modulus *p, struct element a, struct element b)
{
    struct element difference;
    modulus_sub(difference.limbs, p, a.limbs, b.limbs);
    return difference;
}

static bool is_zero(const uint32_t *limbs)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < LIMB_COUNT; i++)
        bits |= limbs[i];
    return bits == 0;
}

/* Into Montgomery form; false unless the number is below the prime. */
static bool element_read(struct element *element, const struct modulus *p, const uint8_t *bytes)
{
    struct element square;
    if (!modulus_read(element->limbs, p, bytes_of(bytes, SIZE)))
        return false;
    memcpy(square.limbs, p->square, sizeof(square.limbs));
    *element = mul(p, *element, square);
    return true;
}

static struct element element_one(const struct modulus *p)
{
    struct element one;
    memcpy(one.limbs, p->one, sizeof(one.limbs));
    return one;
}

/* x || y; false unless y^2 = x^3 - 3 x + b. */
static bool point_read(struct point *point, const struct modulus *p, const uint8_t *bytes)
{
    struct element b;
    if (!element_read(&point->x, p, bytes) || !element_read(&point->y, p, bytes + SIZE) ||
        !element_read(&b, p, b_bytes))
        return false;
    point->z = element_one(p);
    struct element three_x = add(p, add(p, point->x, point->x), point->x);
    struct element right = mul(p, mul(p, point->x, point->x), point->x);
    right = add(p, sub(p, right, three_x), b);
    struct element left = mul(p, point->y, point->y);
    return memcmp(&left, &right, sizeof(left)) == 0;
}

/* 2 P; infinity stays what it is. */
static void point_double(struct point *point, const struct modulus *p)
{
    struct element delta = mul(p, point->z, point->z);
    struct element gamma = mul(p, point->y, point->y);
    struct element beta = mul(p, point->x, gamma);
    struct element alpha = mul(p, sub(p, point->x, delta), add(p, point->x, delta));
    alpha = add(p, add(p, alpha, alpha), alpha);
    struct element beta4 = add(p, beta, beta);
    beta4 = add(p, beta4, beta4);
    struct element sum = add(p, point->y, point->z);
    point->z = sub(p, sub(p, mul(p, sum, sum), gamma), delta);
    point->x = sub(p, sub(p, mul(p, alpha, alpha), beta4), beta4);
    struct element gamma8 = mul(p, gamma, gamma);
    gamma8 = add(p, gamma8, gamma8);
    gamma8 = add(p, gamma8, gamma8);
    gamma8 = add(p, gamma8, gamma8);
    point->y = sub(p, mul(p, alpha, sub(p, beta4, point->x)), gamma8);
}

/* P + Q, whatever they are. */
static void point_add(struct point *point, const struct modulus *p, const struct point *q)
{
    if (is_zero(q->z.limbs))
        return;
    if (is_zero(point->z.limbs)) {
        *point = *q;
        return;
    }
    struct element zz1 = mul(p, point->z, point->z), zz2 = mul(p, q->z, q->z);
    struct element u1 = mul(p, point->x, zz2), u2 = mul(p, q->x, zz1);
    struct element s1 = mul(p, mul(p, point->y, q->z), zz2);
    struct element s2 = mul(p, mul(p, q->y, point->z), zz1);
    struct element h = sub(p, u2, u1), r = sub(p, s2, s1);
    if (is_zero(h.limbs)) {
        if (is_zero(r.limbs))
            point_double(point, p);
        else
            *point = (struct point){ .x = element_one(p), .y = element_one(p) };
        return;
    }
    struct element hh = mul(p, h, h);
    struct element hhh = mul(p, hh, h), v = mul(p, u1, hh);
    point->z = mul(p, mul(p, point->z, q->z), h);
    point->x = sub(p, sub(p, sub(p, mul(p, r, r), hhh), v), v);
    point->y = sub(p, mul(p, r, sub(p, v, point->x)), mul(p, s1, hhh));
}

static unsigned bit_of(const uint8_t *number, size_t i)
{
    return number[i / 8] >> (7 - i % 8) & 1;
}

/* u1 G + u2 Q, both numbers big-endian. */
static struct point sum_of(const struct modulus *p, const struct point *q, const uint8_t *u1,
                           const uint8_t *u2)
{
    struct point terms[4]; /* by the bits of u1 and u2; the first is never added */
    struct point sum = { .x = element_one(p), .y = element_one(p) };
    ASSERT(point_read(&terms[1], p, generator_bytes));
    terms[2] = *q;
    terms[3] = *q;
    point_add(&terms[3], p, &terms[1]);
    for (size_t i = 0; i < 8 * SIZE; i++) {
        point_double(&sum, p);
        unsigned bits = bit_of(u1, i) | bit_of(u2, i) << 1;
        if (bits != 0)
            point_add(&sum, p, &terms[bits]);
    }
    return sum;
}

/* Whether the point's x is r modulo the order: x is r, or r + n where that is below the prime. */
static bool has_x(const struct modulus *p, const struct modulus *n, const struct point *point,
                  const uint8_t *r)
{
    struct element zz = mul(p, point->z, point->z), x;
    uint32_t number[LIMB_COUNT];
    uint8_t wrapped[SIZE];
    if (is_zero(point->z.limbs) || !element_read(&x, p, r))
        return false;
    x = mul(p, x, zz);
    if (memcmp(&x, &point->x, sizeof(x)) == 0)
        return true;
    ASSERT(modulus_read(number, n, bytes_of(r, SIZE)));
    uint64_t carry = 0;
    for (size_t i = 0; i < LIMB_COUNT; i++) {
        carry += (uint64_t)number[i] + n->limbs[i];
        number[i] = (uint32_t)carry;
        carry >>= 32;
    }
    modulus_write(wrapped, p, number);
    if (carry != 0 || !element_read(&x, p, wrapped))
        return false;
    x = mul(p, x, zz);
    return memcmp(&x, &point->x, sizeof(x)) == 0;
}

/* number / s modulo the order; `inverse` is 1 / s in Montgomery form. */
static void divide(uint8_t *quotient, const struct modulus *n, const uint8_t *number,
                   const uint32_t *inverse)
{
    uint32_t limbs[LIMB_COUNT];
    /* A digest may be the order or more, by less than the order. */
    if (!modulus_read(limbs, n, bytes_of(number, SIZE)))
        modulus_sub(limbs, n, limbs, n->limbs);
    modulus_mul(limbs, n, limbs, inverse);
    modulus_write(quotient, n, limbs);
}

bool p384_verify(const uint8_t *key, const uint8_t *digest, const uint8_t *signature)
{
    struct modulus p, n;
    struct point q;
    uint32_t r[LIMB_COUNT], s[LIMB_COUNT];
    uint8_t u1[SIZE], u2[SIZE], exponent[SIZE];
    if (!modulus_init(&p, BYTES_OF(prime_bytes)) || !modulus_init(&n, BYTES_OF(order_bytes)) ||
        !modulus_read(r, &n, bytes_of(signature, SIZE)) || is_zero(r) ||
        !modulus_read(s, &n, bytes_of(signature + SIZE, SIZE)) || is_zero(s) ||
        !point_read(&q, &p, key))
        return false;
    /* 1 / s = s^(n - 2) (Fermat). */
    memcpy(exponent, order_bytes, SIZE);
    exponent[SIZE - 1] -= 2;
    modulus_mul(s, &n, s, n.square);
    modulus_power(s, &n, s, BYTES_OF(exponent));
    divide(u1, &n, digest, s);
    divide(u2, &n, signature, s);
    struct point sum = sum_of(&p, &q, u1, u2);
    return has_x(&p, &n, &sum, signature);
}
