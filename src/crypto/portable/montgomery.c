/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/portable/montgomery.h"

#include <string.h>

static bool is_below(const uint32_t *a, const uint32_t *b, size_t count)
{
    for (size_t i = count; i-- > 0;) {
        if (a[i] != b[i])
            return a[i] < b[i];
    }
    return false;
}

/* target = a - b; the borrow. */
static uint32_t subtract(uint32_t *target, const uint32_t *a, const uint32_t *b, size_t count)
{
    uint64_t borrow = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t difference = (uint64_t)a[i] - b[i] - borrow;
        target[i] = (uint32_t)difference;
        borrow = difference >> 63;
    }
    return (uint32_t)borrow;
}

/* A number below twice the modulus, its topmost bit in `carry`, to below the modulus. */
static void reduce(uint32_t *number, uint32_t carry, const struct modulus *modulus)
{
    if (carry != 0 || !is_below(number, modulus->limbs, modulus->count))
        subtract(number, number, modulus->limbs, modulus->count);
}

void modulus_add(uint32_t *target, const struct modulus *modulus, const uint32_t *a,
                 const uint32_t *b)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < modulus->count; i++) {
        carry += (uint64_t)a[i] + b[i];
        target[i] = (uint32_t)carry;
        carry >>= 32;
    }
    reduce(target, (uint32_t)carry, modulus);
}

void modulus_sub(uint32_t *target, const struct modulus *modulus, const uint32_t *a,
                 const uint32_t *b)
{
    uint32_t borrow = subtract(target, a, b, modulus->count);
    uint64_t carry = 0;
    for (size_t i = 0; borrow != 0 && i < modulus->count; i++) {
        carry += (uint64_t)target[i] + modulus->limbs[i];
        target[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

void modulus_mul(uint32_t *target, const struct modulus *modulus, const uint32_t *a,
                 const uint32_t *b)
{
    uint32_t sum[MONTGOMERY_LIMB_COUNT_MAX + 1];
    size_t count = modulus->count;
    memset(sum, 0, (count + 1) * sizeof(sum[0]));
    for (size_t i = 0; i < count; i++) {
        uint64_t low = (uint64_t)a[i] * b[0] + sum[0];
        uint32_t factor = (uint32_t)low * modulus->inverse;
        uint64_t shift = ((uint64_t)factor * modulus->limbs[0] + (uint32_t)low) >> 32;
        low >>= 32;
        for (size_t j = 1; j < count; j++) {
            low += (uint64_t)a[i] * b[j] + sum[j];
            shift += (uint64_t)factor * modulus->limbs[j] + (uint32_t)low;
            sum[j - 1] = (uint32_t)shift;
            low >>= 32;
            shift >>= 32;
        }
        low += shift + sum[count];
        sum[count - 1] = (uint32_t)low;
        sum[count] = (uint32_t)(low >> 32);
    }
    reduce(sum, sum[count], modulus);
    memcpy(target, sum, count * sizeof(sum[0]));
}

void modulus_power(uint32_t *target, const struct modulus *modulus, const uint32_t *base,
                   struct bytes exponent)
{
    uint32_t power[MONTGOMERY_LIMB_COUNT_MAX];
    memcpy(power, modulus->one, modulus->count * sizeof(power[0]));
    for (size_t i = 0; i < 8 * exponent.size; i++) {
        modulus_mul(power, modulus, power, power);
        if ((exponent.data[i / 8] >> (7 - i % 8) & 1) != 0)
            modulus_mul(power, modulus, power, base);
    }
    memcpy(target, power, modulus->count * sizeof(power[0]));
}

/* Big-endian bytes, as many as the modulus has. */
static void read_limbs(uint32_t *limbs, const struct modulus *modulus, const uint8_t *bytes)
{
    memset(limbs, 0, modulus->count * sizeof(limbs[0]));
    for (size_t i = 0; i < modulus->size; i++)
        limbs[i / 4] |= (uint32_t)bytes[modulus->size - 1 - i] << 8 * (i % 4);
}

static void double_often(uint32_t *number, const struct modulus *modulus, size_t count)
{
    for (size_t i = 0; i < count; i++)
        modulus_add(number, modulus, number, number);
}

bool modulus_init(struct modulus *modulus, struct bytes number)
{
    size_t count = (number.size + 3) / 4;
    if (count == 0 || count > MONTGOMERY_LIMB_COUNT_MAX || number.data[0] == 0 ||
        (number.data[number.size - 1] & 1) == 0)
        return false;
    *modulus = (struct modulus){ .size = number.size, .count = count };
    read_limbs(modulus->limbs, modulus, number.data);
    /* Newton: each step doubles the bits that are right, and an odd number is its own inverse
     * modulo 8. */
    uint32_t inverse = modulus->limbs[0];
    for (int i = 0; i < 4; i++)
        inverse *= 2 - modulus->limbs[0] * inverse;
    modulus->inverse = 0 - inverse;
    /* The modulus' own highest bit is below it; doubled up to R, and to R^2. */
    unsigned top = 31 - (unsigned)__builtin_clz(modulus->limbs[count - 1]);
    modulus->one[count - 1] = UINT32_C(1) << top;
    double_often(modulus->one, modulus, 32 - top);
    memcpy(modulus->square, modulus->one, sizeof(modulus->one));
    double_often(modulus->square, modulus, 32 * count);
    return true;
}

bool modulus_read(uint32_t *number, const struct modulus *modulus, struct bytes bytes)
{
    if (bytes.size != modulus->size)
        return false;
    read_limbs(number, modulus, bytes.data);
    return is_below(number, modulus->limbs, modulus->count);
}

void modulus_write(uint8_t *bytes, const struct modulus *modulus, const uint32_t *number)
{
    for (size_t i = 0; i < modulus->size; i++)
        bytes[modulus->size - 1 - i] = (uint8_t)(number[i / 4] >> 8 * (i % 4));
}
