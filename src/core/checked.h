/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic on numbers from outside: each returns false, and leaves the result untouched, when the
 * true result does not fit the result's type. */
#ifndef CORE_CHECKED_H
#define CORE_CHECKED_H

#include "core/compiler.h"

#define CHECKED_(builtin, a, b, result)                                                            \
    __extension__({                                                                                \
        __typeof__(*(result)) fits_;                                                               \
        bool ok_ = !builtin((a), (b), &fits_);                                                     \
        if (ok_)                                                                                   \
            *(result) = fits_;                                                                     \
        ok_;                                                                                       \
    })
#define add_fits(a, b, result)      CHECKED_(__builtin_add_overflow, (a), (b), (result))
#define sub_fits(a, b, result)      CHECKED_(__builtin_sub_overflow, (a), (b), (result))
#define mul_fits(a, b, result)      CHECKED_(__builtin_mul_overflow, (a), (b), (result))
#define narrow_fits(number, result) CHECKED_(__builtin_add_overflow, (number), 0, (result))

/* Rounds up to a power of two; the caller knows that it fits. */
static inline uint64_t round_up(uint64_t number, uint64_t power)
{
    return (number + power - 1) & ~(power - 1);
}

/* Any unit but 0. */
static inline uint64_t round_up_to(uint64_t number, uint64_t unit)
{
    return (number + unit - 1) / unit * unit;
}

#endif
