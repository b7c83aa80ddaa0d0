/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/portable/sha2.h"

#include <string.h>

/* Section 4.2.3; the first 64, cut to their upper halves, are section 4.2.2. */
static const uint64_t constants[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817
};

/* Section 5.3. */
static const uint32_t start256[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
static const uint64_t start384[8] = { 0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17,
                                      0x152fecd8f70e5939, 0x67332667ffc00b31, 0x8eb44a8768581511,
                                      0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4 };
static const uint64_t start512[8] = { 0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                      0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                      0x1f83d9abfb41bd6b, 0x5be0cd19137e2179 };

static size_t block_size(enum hash_kind kind)
{
    return kind == HASH_SHA256 ? 64 : 128;
}

static inline uint32_t rotate32(uint32_t x, unsigned by)
{
    return x >> by | x << (32 - by);
}

static inline uint64_t rotate64(uint64_t x, unsigned by)
{
    return x >> by | x << (64 - by);
}

/* Section 6.2.2. */
static void compress256(uint32_t *state, const uint8_t *block)
{
    uint32_t w[64];
    uint32_t v[8];
    for (size_t t = 0; t < 16; t++)
        w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 |
               (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
    for (size_t t = 16; t < 64; t++) {
        uint32_t a = w[t - 15], b = w[t - 2];
        w[t] = (rotate32(b, 17) ^ rotate32(b, 19) ^ b >> 10) + w[t - 7] +
               (rotate32(a, 7) ^ rotate32(a, 18) ^ a >> 3) + w[t - 16];
    }
    memcpy(v, state, sizeof(v));
    for (size_t t = 0; t < 64; t++) {
        uint32_t sum1 = rotate32(v[4], 6) ^ rotate32(v[4], 11) ^ rotate32(v[4], 25);
        uint32_t sum0 = rotate32(v[0], 2) ^ rotate32(v[0], 13) ^ rotate32(v[0], 22);
        uint32_t t1 =
            v[7] + sum1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + (uint32_t)(constants[t] >> 32) + w[t];
        uint32_t t2 = sum0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof(v[0]));
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (size_t i = 0; i < 8; i++)
        state[i] += v[i];
}

/* Section 6.4.2. */
static void compress512(uint64_t *state, const uint8_t *block)
{
    uint64_t w[80];
    uint64_t v[8];
    for (size_t t = 0; t < 16; t++) {
        w[t] = 0;
        for (size_t i = 0; i < 8; i++)
            w[t] = w[t] << 8 | block[8 * t + i];
    }
    for (size_t t = 16; t < 80; t++) {
        uint64_t a = w[t - 15], b = w[t - 2];
        w[t] = (rotate64(b, 19) ^ rotate64(b, 61) ^ b >> 6) + w[t - 7] +
               (rotate64(a, 1) ^ rotate64(a, 8) ^ a >> 7) + w[t - 16];
    }
    memcpy(v, state, sizeof(v));
    for (size_t t = 0; t < 80; t++) {
        uint64_t sum1 = rotate64(v[4], 14) ^ rotate64(v[4], 18) ^ rotate64(v[4], 41);
        uint64_t sum0 = rotate64(v[0], 28) ^ rotate64(v[0], 34) ^ rotate64(v[0], 39);
        uint64_t t1 = v[7] + sum1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + constants[t] + w[t];
        uint64_t t2 = sum0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof(v[0]));
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (size_t i = 0; i < 8; i++)
        state[i] += v[i];
}

static void compress(struct sha2 *sha2, const uint8_t *block)
{
    if (sha2->kind == HASH_SHA256)
        compress256(sha2->state.words32, block);
    else
        compress512(sha2->state.words64, block);
}

void sha2_init(struct sha2 *sha2, enum hash_kind kind)
{
    *sha2 = (struct sha2){ .kind = kind };
    switch (kind) {
    case HASH_SHA256:
        memcpy(sha2->state.words32, start256, sizeof(start256));
        break;
    case HASH_SHA384:
        memcpy(sha2->state.words64, start384, sizeof(start384));
        break;
    case HASH_SHA512:
        memcpy(sha2->state.words64, start512, sizeof(start512));
        break;
    }
}

void sha2_update(struct sha2 *sha2, struct bytes data)
{
    size_t block = block_size(sha2->kind);
    size_t used = sha2->size % block;
    sha2->size += data.size;
    const uint8_t *at = data.data;
    size_t left = data.size;
    if (used > 0) {
        size_t part = MIN(left, block - used);
        if (part > 0)
            memcpy(sha2->block + used, at, part);
        if (used + part < block)
            return;
        compress(sha2, sha2->block);
        at += part;
        left -= part;
    }
    for (; left >= block; left -= block, at += block)
        compress(sha2, at);
    if (left > 0)
        memcpy(sha2->block, at, left);
}

void sha2_finish(struct sha2 *sha2, uint8_t *digest)
{
    bool is_short = sha2->kind == HASH_SHA256;
    size_t block = block_size(sha2->kind), word = is_short ? 4 : 8;
    size_t used = sha2->size % block;
    sha2->block[used++] = 0x80;
    /* The length takes two words; the upper one holds more than its share of a 64-bit size. */
    if (used > block - 2 * word) {
        memset(sha2->block + used, 0, block - used);
        compress(sha2, sha2->block);
        used = 0;
    }
    memset(sha2->block + used, 0, block - used);
    uint64_t bits = sha2->size << 3;
    for (size_t i = 0; i < 8; i++)
        sha2->block[block - 1 - i] = (uint8_t)(bits >> 8 * i);
    compress(sha2, sha2->block);
    size_t size = is_short ? 32 : sha2->kind == HASH_SHA384 ? 48 : 64;
    for (size_t i = 0; i < size; i++)
        digest[i] = is_short ? (uint8_t)(sha2->state.words32[i / 4] >> (24 - 8 * (i % 4)))
                             : (uint8_t)(sha2->state.words64[i / 8] >> (56 - 8 * (i % 8)));
}
