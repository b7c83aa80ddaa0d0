/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/random.h"

#include "guest/memory.h"

static uint8_t random_key[RANDOM_SEED_SIZE];
static uint8_t random_seed[RANDOM_SEED_SIZE]; /* mixed in last */

static uint32_t rotate(uint32_t number, unsigned bits)
{
    return number << bits | number >> (32 - bits);
}

static void quarter(uint32_t *state, unsigned a, unsigned b, unsigned c, unsigned d)
{
    state[a] += state[b];
    state[d] = rotate(state[d] ^ state[a], 16);
    state[c] += state[d];
    state[b] = rotate(state[b] ^ state[c], 12);
    state[a] += state[b];
    state[d] = rotate(state[d] ^ state[a], 8);
    state[c] += state[d];
    state[b] = rotate(state[b] ^ state[c], 7);
}

void random_block(uint8_t block[RANDOM_BLOCK_SIZE], const uint8_t key[RANDOM_SEED_SIZE],
                  uint32_t counter, const uint8_t nonce[12])
{
    uint32_t start[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };
    uint32_t state[16];
    for (unsigned i = 0; i < 8; i++)
        start[4 + i] = load_u32(key + 4 * i);
    start[12] = counter;
    for (unsigned i = 0; i < 3; i++)
        start[13 + i] = load_u32(nonce + 4 * i);
    for (unsigned i = 0; i < 16; i++)
        state[i] = start[i];
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i < 4; i++)
            quarter(state, i, 4 + i, 8 + i, 12 + i);
        for (unsigned i = 0; i < 4; i++)
            quarter(state, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
    }
    for (unsigned i = 0; i < 16; i++)
        store_u32(block + 4 * i, state[i] + start[i]);
}

void random_init(const uint8_t seed[RANDOM_SEED_SIZE])
{
    /* At every invocation: string instructions take longer to start than this. */
    for (unsigned i = 0; i < RANDOM_SEED_SIZE; i += 8) {
        uint64_t part = load_u64(seed + i);
        store_u64(random_key + i, part);
        store_u64(random_seed + i, part);
    }
}

void random_refresh(const uint8_t seed[RANDOM_SEED_SIZE])
{
    uint8_t differs = 0;
    for (unsigned i = 0; i < RANDOM_SEED_SIZE; i++)
        differs |= random_seed[i] ^ seed[i];
    if (differs == 0)
        return;
    copy_bytes(random_seed, seed, sizeof(random_seed));
    for (unsigned i = 0; i < RANDOM_SEED_SIZE; i++)
        random_key[i] ^= random_seed[i];
}

void random_fill(uint8_t *target, uint64_t size)
{
    static const uint8_t nonce[12] = { 0 };
    uint8_t block[RANDOM_BLOCK_SIZE], next_key[RANDOM_SEED_SIZE];
    /* Block 0 becomes the next key before anything is handed out: what was given can't be
     * recomputed from what is left. */
    random_block(block, random_key, 0, nonce);
    copy_bytes(next_key, block, sizeof(next_key));
    for (uint32_t counter = 1; size > 0; counter++) {
        random_block(block, random_key, counter, nonce);
        uint64_t part = MIN(size, (uint64_t)sizeof(block));
        copy_bytes(target, block, part);
        target += part;
        size -= part;
    }
    copy_bytes(random_key, next_key, sizeof(random_key));
    fill_bytes(block, 0, sizeof(block));
}
