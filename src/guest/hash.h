/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes for functions that bring none: FIPS 180-4, FIPS 202, and Keccak as Ethereum has it.  In
 * plain C without vector registers, inside the micro-VM: nothing of it is trusted by anybody else.
 */
#ifndef GUEST_HASH_H
#define GUEST_HASH_H

#include "core/compiler.h"

enum hash_algorithm {
    HASH_SHA256 = 1,
    HASH_SHA384 = 2,
    HASH_SHA512 = 3,
    HASH_SHA3_256 = 4,
    HASH_KECCAK256 = 5
};

enum {
    HASH_SIZE_MAX = 64
};

/* Bytes of a digest; 0: there is no such algorithm. */
uint64_t hash_size(uint32_t algorithm);
void hash_of(enum hash_algorithm algorithm, const uint8_t *data, uint64_t size,
             uint8_t digest[HASH_SIZE_MAX]);

#endif
