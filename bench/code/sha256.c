/* SPDX-License-Identifier: Apache-2.0 */
/* Rotations and additions: SHA-256 (FIPS 180-4) over 100 MiB of counters. */
#include <stdint.h>
#include <stdio.h>

static uint32_t round_constants[64];

static uint32_t rotate(uint32_t x, unsigned by)
{
    return x >> by | x << (32 - by);
}

/* First 32 bits of the fractional part of the cube root of each prime, found by integer search. */
static void make_constants(void)
{
    unsigned found = 0;
    for (unsigned n = 2; found < 64; n++) {
        int prime = 1;
        for (unsigned d = 2; d * d <= n; d++) {
            if (n % d == 0)
                prime = 0;
        }
        if (!prime)
            continue;
        unsigned __int128 target = (unsigned __int128)n << 96;
        uint64_t low = 0, high = (uint64_t)7 << 32;
        while (low + 1 < high) {
            uint64_t middle = low + (high - low) / 2;
            if ((unsigned __int128)middle * middle * middle <= target)
                low = middle;
            else
                high = middle;
        }
        round_constants[found++] = (uint32_t)low;
    }
}

static void compress(uint32_t state[8], const uint32_t block[16])
{
    uint32_t w[64];
    for (unsigned i = 0; i < 16; i++)
        w[i] = block[i];
    for (unsigned i = 16; i < 64; i++) {
        uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (unsigned i = 0; i < 64; i++) {
        uint32_t s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
        uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + round_constants[i] + w[i];
        uint32_t s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
        uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

int main(void)
{
    make_constants();
    uint32_t state[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                          0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    uint32_t block[16];
    for (uint32_t i = 0; i < 1600 * 1024; i++) {
        for (uint32_t k = 0; k < 16; k++)
            block[k] = i * 16 + k;
        compress(state, block);
    }
    printf("sha256 %08x%08x\n", (unsigned)state[0], (unsigned)state[7]);
    return 0;
}
