/* SPDX-License-Identifier: Apache-2.0 */
/* Little-endian numbers of 1 to 8 bytes, for s3n.c and s3n_calls.c; not for functions. */
#ifndef S3N_NUMBERS_H
#define S3N_NUMBERS_H

#include "s3n.h"

static inline void store(unsigned char *at, uint64_t number, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        at[i] = (unsigned char)(number >> 8 * i);
}

static inline uint64_t load(const unsigned char *at, unsigned size)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < size; i++)
        number |= (uint64_t)at[i] << 8 * i;
    return number;
}

static inline uint32_t load_u32(const unsigned char *at)
{
    return (uint32_t)load(at, 4);
}

#endif
