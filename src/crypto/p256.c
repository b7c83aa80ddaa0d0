/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/p256.h"

#include "crypto/p256_field.h"

#include <string.h>

/* The order of the group. */
static const uint64_t order[4] = { 0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff,
                                   0xffffffff00000000 };
/* 2^256 mod p: one in Montgomery form. */
static const struct p256_element one = { { 0x0000000000000001, 0xffffffff00000000,
                                           0xffffffffffffffff, 0x00000000fffffffe } };
/* 2^512 mod p: multiplying by it takes a number into Montgomery form. */
static const struct p256_element square_of_radix = { { 0x0000000000000003, 0xfffffffbffffffff,
                                                       0xfffffffffffffffe, 0x00000004fffffffd } };
/* b of y^2 = x^3 - 3x + b, a plain number. */
static const struct p256_element curve_b = { { 0x3bce3c3e27d2604b, 0x651d06b0cc53b0f6,
                                               0xb3ebbd55769886bc, 0x5ac635d8aa3a93e7 } };

/* Jacobian coordinates: x = X / Z^2, y = Y / Z^3; Z = 0 is the point at infinity. */
struct point {
    struct p256_element x;
    struct p256_element y;
    struct p256_element z;
};

static bool is_below(const uint64_t *a, const uint64_t *b)
{
    for (size_t i = 4; i-- > 0;) {
        if (a[i] != b[i])
            return a[i] < b[i];
    }
    return false;
}

static bool is_zero(const uint64_t *a)
{
    return (a[0] | a[1] | a[2] | a[3]) == 0;
}

static bool is_equal(const uint64_t *a, const uint64_t *b)
{
    return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3])) == 0;
}

static inline struct p256_element square(const struct p256_element *a)
{
    return mul(a, a);
}

static void read_number(uint64_t *limbs, const uint8_t *bytes)
{
    for (size_t i = 0; i < 4; i++) {
        uint64_t limb = 0;
        for (size_t j = 0; j < 8; j++)
            limb = limb << 8 | bytes[8 * (3 - i) + j];
        limbs[i] = limb;
    }
}

bool p256_point_read(struct p256_affine *point, const uint8_t *key)
{
    struct p256_affine plain;
    read_number(plain.x.limbs, key);
    read_number(plain.y.limbs, key + 32);
    if (!is_below(plain.x.limbs, prime) || !is_below(plain.y.limbs, prime))
        return false;
    struct p256_affine p = { mul(&plain.x, &square_of_radix), mul(&plain.y, &square_of_radix) };
    struct p256_element b = mul(&curve_b, &square_of_radix);
    struct p256_element three_x = add(&p.x, &p.x);
    three_x = add(&three_x, &p.x);
    struct p256_element right = square(&p.x);
    right = mul(&right, &p.x);
    right = sub(&right, &three_x);
    right = add(&right, &b);
    struct p256_element left = square(&p.y);
    if (!is_equal(left.limbs, right.limbs))
        return false;
    *point = p;
    return true;
}

static struct point point_of(const struct p256_affine *affine)
{
    return (struct point){ affine->x, affine->y, one };
}

/* 2 P; infinity stays what it is. */
static void point_double(struct point *p)
{
    struct p256_element delta = square(&p->z);
    struct p256_element gamma = square(&p->y);
    struct p256_element beta = mul(&p->x, &gamma);
    struct p256_element left = sub(&p->x, &delta);
    struct p256_element right = add(&p->x, &delta);
    struct p256_element alpha = mul(&left, &right);
    left = add(&alpha, &alpha);
    alpha = add(&left, &alpha);
    struct p256_element four_beta = add(&beta, &beta);
    four_beta = add(&four_beta, &four_beta);
    struct p256_element z = add(&p->y, &p->z);
    z = square(&z);
    z = sub(&z, &gamma);
    p->z = sub(&z, &delta);
    p->x = square(&alpha);
    p->x = sub(&p->x, &four_beta);
    p->x = sub(&p->x, &four_beta);
    left = sub(&four_beta, &p->x);
    left = mul(&alpha, &left);
    gamma = square(&gamma);
    gamma = add(&gamma, &gamma);
    gamma = add(&gamma, &gamma);
    gamma = add(&gamma, &gamma);
    p->y = sub(&left, &gamma);
}

/* P + Q for u2 = x of Q and s2 = y of Q, both over P's denominators, and z = Z of the sum / h. */
static void add_scaled(struct point *p, const struct p256_element *u1,
                       const struct p256_element *s1, const struct p256_element *u2,
                       const struct p256_element *s2, const struct p256_element *z)
{
    struct p256_element h = sub(u2, u1);
    struct p256_element r = sub(s2, s1);
    struct p256_element hh = square(&h);
    struct p256_element hhh = mul(&hh, &h);
    struct p256_element v = mul(u1, &hh);
    struct p256_element y = mul(s1, &hhh);
    p->x = square(&r);
    p->x = sub(&p->x, &hhh);
    p->x = sub(&p->x, &v);
    p->x = sub(&p->x, &v);
    v = sub(&v, &p->x);
    v = mul(&r, &v);
    p->y = sub(&v, &y);
    p->z = mul(z, &h);
}

/* P + Q where Q is affine. */
static void point_add_affine(struct point *p, const struct p256_affine *q)
{
    if (is_zero(p->z.limbs)) {
        *p = point_of(q);
        return;
    }
    struct p256_element zz = square(&p->z);
    struct p256_element u2 = mul(&q->x, &zz);
    struct p256_element s2 = mul(&zz, &p->z);
    s2 = mul(&s2, &q->y);
    if (is_equal(u2.limbs, p->x.limbs)) {
        if (is_equal(s2.limbs, p->y.limbs))
            point_double(p);
        else
            *p = (struct point){ 0 };
        return;
    }
    struct p256_element u1 = p->x;
    struct p256_element s1 = p->y;
    struct p256_element z = p->z;
    add_scaled(p, &u1, &s1, &u2, &s2, &z);
}

static void point_add(struct point *p, const struct point *q)
{
    if (is_zero(q->z.limbs))
        return;
    if (is_zero(p->z.limbs)) {
        *p = *q;
        return;
    }
    struct p256_element zz1 = square(&p->z);
    struct p256_element zz2 = square(&q->z);
    struct p256_element u1 = mul(&p->x, &zz2);
    struct p256_element u2 = mul(&q->x, &zz1);
    struct p256_element s1 = mul(&zz2, &q->z);
    s1 = mul(&s1, &p->y);
    struct p256_element s2 = mul(&zz1, &p->z);
    s2 = mul(&s2, &q->y);
    if (is_equal(u1.limbs, u2.limbs)) {
        if (is_equal(s1.limbs, s2.limbs))
            point_double(p);
        else
            *p = (struct point){ 0 };
        return;
    }
    struct p256_element z = mul(&p->z, &q->z);
    add_scaled(p, &u1, &s1, &u2, &s2, &z);
}

/* 1 / a by Fermat: p - 2 has no pattern worth a chain, and only tables need it. */
static struct p256_element invert(const struct p256_element *a)
{
    struct p256_element r = one;
    for (size_t bit = 256; bit-- > 0;) {
        uint64_t limb = prime[bit / 64] - (bit / 64 == 0 ? 2 : 0);
        r = square(&r);
        if ((limb >> bit % 64 & 1) != 0)
            r = mul(&r, a);
    }
    return r;
}

static struct p256_affine affine_of(const struct point *p)
{
    struct p256_element z = invert(&p->z);
    struct p256_element zz = square(&z);
    struct p256_element zzz = mul(&zz, &z);
    return (struct p256_affine){ mul(&p->x, &zz), mul(&p->y, &zzz) };
}

void p256_comb_fill(struct p256_comb *comb, const struct p256_affine *point)
{
    struct point power = point_of(point);
    for (size_t tooth = 0; tooth < P256_COMB_TEETH; tooth++) {
        size_t own = (size_t)1 << tooth;
        struct p256_affine affine = affine_of(&power);
        comb->points[own - 1] = affine;
        for (size_t i = 1; i < own; i++) {
            struct point sum = point_of(&comb->points[i - 1]);
            point_add_affine(&sum, &affine);
            comb->points[own + i - 1] = affine_of(&sum);
        }
        for (size_t i = 0; i < P256_COMB_SPACING; i++)
            point_double(&power);
    }
}

/* x / 2 mod n for x < n. */
static void halve_mod_order(uint64_t *x)
{
    uint64_t carry = (x[0] & 1) != 0 ? add_limbs(x, x, order) : 0;
    for (size_t i = 0; i < 3; i++)
        x[i] = x[i] >> 1 | x[i + 1] << 63;
    x[3] = x[3] >> 1 | carry << 63;
}

static void sub_mod_order(uint64_t *x, const uint64_t *y)
{
    if (sub_limbs(x, x, y) != 0)
        add_limbs(x, x, order);
}

static void shift_right(uint64_t *x)
{
    for (size_t i = 0; i < 3; i++)
        x[i] = x[i] >> 1 | x[i + 1] << 63;
    x[3] >>= 1;
}

/* r = 1 / a mod n for 0 < a < n, by the binary form of Euclid's algorithm: a r1 = u and a r2 = v
 * mod n throughout. */
static void invert_mod_order(uint64_t *r, const uint64_t *a)
{
    static const uint64_t unit[4] = { 1 };
    uint64_t u[4];
    uint64_t v[4];
    uint64_t r1[4] = { 1 };
    uint64_t r2[4] = { 0 };
    memcpy(u, a, sizeof(u));
    memcpy(v, order, sizeof(v));
    while (!is_equal(u, unit) && !is_equal(v, unit)) {
        for (; (u[0] & 1) == 0; shift_right(u))
            halve_mod_order(r1);
        for (; (v[0] & 1) == 0; shift_right(v))
            halve_mod_order(r2);
        if (is_below(u, v)) {
            sub_limbs(v, v, u);
            sub_mod_order(r2, r1);
        } else {
            sub_limbs(u, u, v);
            sub_mod_order(r1, r2);
        }
    }
    memcpy(r, is_equal(u, unit) ? r1 : r2, 4 * sizeof(*r));
}

/* a b / 2^256 mod n (Montgomery). */
static void mul_mod_order(uint64_t *r, const uint64_t *a, const uint64_t *b)
{
    const uint64_t inverse = 0xccd1c8aaee00bc4f; /* -1/n mod 2^64 */
    uint64_t t[6] = { 0 };
    for (size_t i = 0; i < 4; i++) {
        wide c = 0;
        for (size_t j = 0; j < 4; j++) {
            c += (wide)a[j] * b[i] + t[j];
            t[j] = (uint64_t)c;
            c >>= 64;
        }
        c += t[4];
        t[4] = (uint64_t)c;
        t[5] = (uint64_t)(c >> 64);
        uint64_t m = t[0] * inverse;
        c = (wide)m * order[0] + t[0];
        c >>= 64;
        for (size_t j = 1; j < 4; j++) {
            c += (wide)m * order[j] + t[j];
            t[j - 1] = (uint64_t)c;
            c >>= 64;
        }
        c += t[4];
        t[3] = (uint64_t)c;
        t[4] = t[5] + (uint64_t)(c >> 64);
    }
    reduce_once(r, t, t[4], order);
}

/* 2^512 mod n. */
static const uint64_t order_square_of_radix[4] = { 0x83244c95be79eea2, 0x4699799c49bd6fa6,
                                                   0x2845b2392b6bec59, 0x66e12d94f3d95620 };

/* The scalars of u1 G + u2 Q: digest / s and r / s. */
static void split(uint64_t *u1, uint64_t *u2, const uint64_t *e, const uint64_t *r,
                  const uint64_t *s)
{
    uint64_t w[4];
    invert_mod_order(w, s);
    mul_mod_order(w, w, order_square_of_radix); /* w in Montgomery form: products are plain */
    mul_mod_order(u1, e, w);
    mul_mod_order(u2, r, w);
}

/* The bits of k at `column` and every P256_COMB_SPACING above. */
static size_t comb_index(const uint64_t *k, size_t column)
{
    size_t index = 0;
    for (size_t tooth = 0; tooth < P256_COMB_TEETH; tooth++) {
        size_t bit = column + tooth * P256_COMB_SPACING;
        index |= (size_t)(k[bit / 64] >> bit % 64 & 1) << tooth;
    }
    return index;
}

static void add_column(struct point *p, const struct p256_comb *comb, const uint64_t *k,
                       size_t column)
{
    size_t index = comb_index(k, column);
    if (index != 0)
        point_add_affine(p, &comb->points[index - 1]);
}

static struct point combine_combs(const struct p256_comb *base, const uint64_t *u1,
                                  const struct p256_comb *comb, const uint64_t *u2)
{
    struct point sum = { 0 };
    for (size_t column = P256_COMB_SPACING; column-- > 0;) {
        point_double(&sum);
        add_column(&sum, base, u1, column);
        add_column(&sum, comb, u2, column);
    }
    return sum;
}

enum {
    WINDOW = 5,
    WINDOW_COUNT = 1 << (WINDOW - 2), /* odd multiples 1, 3, ..., 15 */
    DIGIT_COUNT = 257
};

/* k as digits of which each is zero or odd and below 2^(WINDOW - 1), few of them not zero. */
static void write_digits(int8_t *digits, const uint64_t *k)
{
    uint64_t rest[5] = { k[0], k[1], k[2], k[3], 0 };
    for (size_t i = 0; i < DIGIT_COUNT; i++) {
        int digit = 0;
        if ((rest[0] & 1) != 0) {
            digit = (int)(rest[0] & ((1 << WINDOW) - 1));
            if (digit >= 1 << (WINDOW - 1))
                digit -= 1 << WINDOW;
            /* Subtracting a negative digit may carry, a positive one never borrows. */
            bool carry = false;
            if (digit > 0)
                rest[0] -= (uint64_t)digit;
            else
                carry = __builtin_add_overflow(rest[0], (uint64_t)-digit, &rest[0]);
            for (size_t j = 1; j < 5 && carry; j++)
                carry = ++rest[j] == 0;
        }
        digits[i] = (int8_t)digit;
        for (size_t j = 0; j < 4; j++)
            rest[j] = rest[j] >> 1 | rest[j + 1] << 63;
        rest[4] >>= 1;
    }
}

static struct point combine_window(const struct p256_comb *base, const uint64_t *u1,
                                   const struct p256_affine *key, const uint64_t *u2)
{
    static const struct p256_element zero = { { 0 } };
    struct point multiples[WINDOW_COUNT];
    int8_t digits[DIGIT_COUNT];
    struct point twice = point_of(key);
    point_double(&twice);
    multiples[0] = point_of(key);
    for (size_t i = 1; i < WINDOW_COUNT; i++) {
        multiples[i] = multiples[i - 1];
        point_add(&multiples[i], &twice);
    }
    write_digits(digits, u2);
    struct point sum = { 0 };
    for (size_t i = DIGIT_COUNT; i-- > 0;) {
        point_double(&sum);
        if (digits[i] > 0)
            point_add(&sum, &multiples[digits[i] / 2]);
        if (digits[i] < 0) {
            struct point negative = multiples[-digits[i] / 2];
            negative.y = sub(&zero, &negative.y);
            point_add(&sum, &negative);
        }
        if (i < P256_COMB_SPACING)
            add_column(&sum, base, u1, i);
    }
    return sum;
}

/* Whether x of the point is r mod n: r or r + n over the denominator. */
static bool has_x(const struct point *p, const uint64_t *r)
{
    if (is_zero(p->z.limbs))
        return false;
    struct p256_element zz = square(&p->z);
    struct p256_element candidate;
    memcpy(candidate.limbs, r, sizeof(candidate.limbs));
    struct p256_element x = mul(&candidate, &square_of_radix);
    x = mul(&x, &zz);
    if (is_equal(x.limbs, p->x.limbs))
        return true;
    if (add_limbs(candidate.limbs, r, order) != 0 || !is_below(candidate.limbs, prime))
        return false;
    x = mul(&candidate, &square_of_radix);
    x = mul(&x, &zz);
    return is_equal(x.limbs, p->x.limbs);
}

bool p256_verify(const struct p256_comb *base, const struct p256_comb *comb, const uint8_t *key,
                 const uint8_t *digest, const uint8_t *signature)
{
    uint64_t r[4];
    uint64_t s[4];
    uint64_t e[4];
    uint64_t u1[4];
    uint64_t u2[4];
    struct p256_affine point;
    read_number(r, signature);
    read_number(s, signature + 32);
    read_number(e, digest);
    if (is_zero(r) || is_zero(s) || !is_below(r, order) || !is_below(s, order) ||
        !p256_point_read(&point, key))
        return false;
    if (!is_below(e, order))
        sub_limbs(e, e, order);
    split(u1, u2, e, r, s);
    struct point sum =
        comb != NULL ? combine_combs(base, u1, comb, u2) : combine_window(base, u1, &point, u2);
    return has_x(&sum, r);
}
