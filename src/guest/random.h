/* SPDX-License-Identifier: Apache-2.0 */
/* The random generator: ChaCha20 (RFC 8439) with fast key erasure, keyed by the host's seed at
 * every entry, so that a restored snapshot never repeats itself. */
#ifndef GUEST_RANDOM_H
#define GUEST_RANDOM_H

#include "core/compiler.h"

enum {
    RANDOM_SEED_SIZE = 32,
    RANDOM_BLOCK_SIZE = 64
};

void random_init(const uint8_t seed[RANDOM_SEED_SIZE]);
/* Mixes the host's seed in if it is not the one mixed in last: the host writes a new one at every
 * entry, those that answer an exit included. */
void random_refresh(const uint8_t seed[RANDOM_SEED_SIZE]);
void random_fill(uint8_t *target, uint64_t size);
/* The bare block function, for vectors. */
void random_block(uint8_t block[RANDOM_BLOCK_SIZE], const uint8_t key[RANDOM_SEED_SIZE],
                  uint32_t counter, const uint8_t nonce[12]);

#endif
