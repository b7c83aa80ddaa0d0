/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/hash.h"

#include "guest/memory.h"

static const uint64_t k512[80] = {
    0x428a2f98d728ae22ull, 0x7137449123ef65cdull, 0xb5c0fbcfec4d3b2full, 0xe9b5dba58189dbbcull,
    0x3956c25bf348b538ull, 0x59f111f1b605d019ull, 0x923f82a4af194f9bull, 0xab1c5ed5da6d8118ull,
    0xd807aa98a3030242ull, 0x12835b0145706fbeull, 0x243185be4ee4b28cull, 0x550c7dc3d5ffb4e2ull,
    0x72be5d74f27b896full, 0x80deb1fe3b1696b1ull, 0x9bdc06a725c71235ull, 0xc19bf174cf692694ull,
    0xe49b69c19ef14ad2ull, 0xefbe4786384f25e3ull, 0x0fc19dc68b8cd5b5ull, 0x240ca1cc77ac9c65ull,
    0x2de92c6f592b0275ull, 0x4a7484aa6ea6e483ull, 0x5cb0a9dcbd41fbd4ull, 0x76f988da831153b5ull,
    0x983e5152ee66dfabull, 0xa831c66d2db43210ull, 0xb00327c898fb213full, 0xbf597fc7beef0ee4ull,
    0xc6e00bf33da88fc2ull, 0xd5a79147930aa725ull, 0x06ca6351e003826full, 0x142929670a0e6e70ull,
    0x27b70a8546d22ffcull, 0x2e1b21385c26c926ull, 0x4d2c6dfc5ac42aedull, 0x53380d139d95b3dfull,
    0x650a73548baf63deull, 0x766a0abb3c77b2a8ull, 0x81c2c92e47edaee6ull, 0x92722c851482353bull,
    0xa2bfe8a14cf10364ull, 0xa81a664bbc423001ull, 0xc24b8b70d0f89791ull, 0xc76c51a30654be30ull,
    0xd192e819d6ef5218ull, 0xd69906245565a910ull, 0xf40e35855771202aull, 0x106aa07032bbd1b8ull,
    0x19a4c116b8d2d0c8ull, 0x1e376c085141ab53ull, 0x2748774cdf8eeb99ull, 0x34b0bcb5e19b48a8ull,
    0x391c0cb3c5c95a63ull, 0x4ed8aa4ae3418acbull, 0x5b9cca4f7763e373ull, 0x682e6ff3d6b2b8a3ull,
    0x748f82ee5defb2fcull, 0x78a5636f43172f60ull, 0x84c87814a1f0ab72ull, 0x8cc702081a6439ecull,
    0x90befffa23631e28ull, 0xa4506cebde82bde9ull, 0xbef9a3f7b2c67915ull, 0xc67178f2e372532bull,
    0xca273eceea26619cull, 0xd186b8c721c0c207ull, 0xeada7dd6cde0eb1eull, 0xf57d4f7fee6ed178ull,
    0x06f067aa72176fbaull, 0x0a637dc5a2c898a6ull, 0x113f9804bef90daeull, 0x1b710b35131c471bull,
    0x28db77f523047d84ull, 0x32caab7b40c72493ull, 0x3c9ebe0a15c9bebcull, 0x431d67c49c100d4cull,
    0x4cc5d4becb3e42b6ull, 0x597f299cfc657e2aull, 0x5fcb6fab3ad6faecull, 0x6c44198c4a475817ull,
};

/* What SHA-256 starts from are the upper halves of what SHA-512 does. */
static const uint64_t start512[8] = {
    0x6a09e667f3bcc908ull, 0xbb67ae8584caa73bull, 0x3c6ef372fe94f82bull, 0xa54ff53a5f1d36f1ull,
    0x510e527fade682d1ull, 0x9b05688c2b3e6c1full, 0x1f83d9abfb41bd6bull, 0x5be0cd19137e2179ull,
};
static const uint64_t start384[8] = {
    0xcbbb9d5dc1059ed8ull, 0x629a292a367cd507ull, 0x9159015a3070dd17ull, 0x152fecd8f70e5939ull,
    0x67332667ffc00b31ull, 0x8eb44a8768581511ull, 0xdb0c2e0d64f98fa7ull, 0x47b5481dbefa4fa4ull,
};
static const uint64_t round_constants[24] = {
    0x0000000000000001ull, 0x0000000000008082ull, 0x800000000000808aull, 0x8000000080008000ull,
    0x000000000000808bull, 0x0000000080000001ull, 0x8000000080008081ull, 0x8000000000008009ull,
    0x000000000000008aull, 0x0000000000000088ull, 0x0000000080008009ull, 0x000000008000000aull,
    0x000000008000808bull, 0x800000000000008bull, 0x8000000000008089ull, 0x8000000000008003ull,
    0x8000000000008002ull, 0x8000000000000080ull, 0x000000000000800aull, 0x800000008000000aull,
    0x8000000080008081ull, 0x8000000000008080ull, 0x0000000080000001ull, 0x8000000080008008ull,
};
static const uint8_t rotations[25] = {
    0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14,
};

static uint32_t swap_u32(uint32_t number)
{
    return __builtin_bswap32(number);
}

static uint32_t rotate32(uint32_t number, unsigned bits)
{
    return number >> bits | number << (32 - bits);
}

static uint64_t rotate64(uint64_t number, unsigned bits)
{
    return number >> bits | number << (64 - bits);
}

static void block256(uint32_t state[8], const uint8_t *block)
{
    uint32_t words[64], v[8];
    for (unsigned i = 0; i < 16; i++)
        words[i] = swap_u32(load_u32(block + 4 * i));
    for (unsigned i = 16; i < 64; i++) {
        uint32_t a = words[i - 15], b = words[i - 2];
        words[i] = words[i - 16] + words[i - 7] + (rotate32(a, 7) ^ rotate32(a, 18) ^ a >> 3) +
                   (rotate32(b, 17) ^ rotate32(b, 19) ^ b >> 10);
    }
    for (unsigned i = 0; i < 8; i++)
        v[i] = state[i];
    for (unsigned i = 0; i < 64; i++) {
        uint32_t e = v[4], a = v[0];
        uint32_t first = v[7] + (rotate32(e, 6) ^ rotate32(e, 11) ^ rotate32(e, 25)) +
                         ((e & v[5]) ^ (~e & v[6])) + (uint32_t)(k512[i] >> 32) + words[i];
        uint32_t second = (rotate32(a, 2) ^ rotate32(a, 13) ^ rotate32(a, 22)) +
                          ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        for (unsigned j = 7; j > 0; j--)
            v[j] = v[j - 1];
        v[4] += first;
        v[0] = first + second;
    }
    for (unsigned i = 0; i < 8; i++)
        state[i] += v[i];
}

static void block512(uint64_t state[8], const uint8_t *block)
{
    uint64_t words[80], v[8];
    for (unsigned i = 0; i < 16; i++)
        words[i] = __builtin_bswap64(load_u64(block + 8 * i));
    for (unsigned i = 16; i < 80; i++) {
        uint64_t a = words[i - 15], b = words[i - 2];
        words[i] = words[i - 16] + words[i - 7] + (rotate64(a, 1) ^ rotate64(a, 8) ^ a >> 7) +
                   (rotate64(b, 19) ^ rotate64(b, 61) ^ b >> 6);
    }
    for (unsigned i = 0; i < 8; i++)
        v[i] = state[i];
    for (unsigned i = 0; i < 80; i++) {
        uint64_t e = v[4], a = v[0];
        uint64_t first = v[7] + (rotate64(e, 14) ^ rotate64(e, 18) ^ rotate64(e, 41)) +
                         ((e & v[5]) ^ (~e & v[6])) + k512[i] + words[i];
        uint64_t second = (rotate64(a, 28) ^ rotate64(a, 34) ^ rotate64(a, 39)) +
                          ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        for (unsigned j = 7; j > 0; j--)
            v[j] = v[j - 1];
        v[4] += first;
        v[0] = first + second;
    }
    for (unsigned i = 0; i < 8; i++)
        state[i] += v[i];
}

/* The last blocks: what is left, a bit, zeros, and the count of bits at the end.  Returns bytes. */
static uint64_t last_blocks(uint8_t tail[256], const uint8_t *data, uint64_t size,
                            uint64_t block_size)
{
    uint64_t left = size % block_size, count_size = block_size / 8;
    uint64_t tail_size = left + 1 + count_size > block_size ? 2 * block_size : block_size;
    fill_bytes(tail, 0, tail_size);
    if (left > 0)
        copy_bytes(tail, data + size - left, left);
    tail[left] = 0x80;
    store_u64(tail + tail_size - 8, __builtin_bswap64(size * 8));
    return tail_size;
}

static void sha256(const uint8_t *data, uint64_t size, uint8_t *digest)
{
    uint8_t tail[256];
    uint32_t state[8];
    for (unsigned i = 0; i < 8; i++)
        state[i] = (uint32_t)(start512[i] >> 32);
    for (uint64_t at = 0; at + 64 <= size; at += 64)
        block256(state, data + at);
    uint64_t tail_size = last_blocks(tail, data, size, 64);
    for (uint64_t at = 0; at < tail_size; at += 64)
        block256(state, tail + at);
    for (unsigned i = 0; i < 8; i++)
        store_u32(digest + 4 * i, swap_u32(state[i]));
}

static void sha512(const uint64_t start[8], const uint8_t *data, uint64_t size, uint8_t *digest)
{
    uint8_t tail[256];
    uint64_t state[8];
    for (unsigned i = 0; i < 8; i++)
        state[i] = start[i];
    for (uint64_t at = 0; at + 128 <= size; at += 128)
        block512(state, data + at);
    uint64_t tail_size = last_blocks(tail, data, size, 128);
    for (uint64_t at = 0; at < tail_size; at += 128)
        block512(state, tail + at);
    for (unsigned i = 0; i < 8; i++)
        store_u64(digest + 8 * i, __builtin_bswap64(state[i]));
}

static uint64_t rotate_left(uint64_t number, unsigned bits)
{
    return bits == 0 ? number : number << bits | number >> (64 - bits);
}

static void keccak_round(uint64_t a[25], uint64_t constant)
{
    uint64_t columns[5], b[25];
    for (unsigned x = 0; x < 5; x++)
        columns[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    for (unsigned x = 0; x < 5; x++)
        for (unsigned y = 0; y < 25; y += 5)
            a[x + y] ^= columns[(x + 4) % 5] ^ rotate_left(columns[(x + 1) % 5], 1);
    for (unsigned x = 0; x < 5; x++)
        for (unsigned y = 0; y < 5; y++)
            b[y + 5 * ((2 * x + 3 * y) % 5)] = rotate_left(a[x + 5 * y], rotations[x + 5 * y]);
    for (unsigned x = 0; x < 5; x++)
        for (unsigned y = 0; y < 25; y += 5)
            a[x + y] = b[x + y] ^ (~b[(x + 1) % 5 + y] & b[(x + 2) % 5 + y]);
    a[0] ^= constant;
}

static void keccak_block(uint64_t state[25], const uint8_t *block)
{
    for (unsigned i = 0; i < 17; i++)
        state[i] ^= load_u64(block + 8 * i);
    for (unsigned i = 0; i < 24; i++)
        keccak_round(state, round_constants[i]);
}

/* Of 256 bits: blocks of 136 bytes. */
static void keccak256(const uint8_t *data, uint64_t size, uint8_t suffix, uint8_t *digest)
{
    uint64_t state[25] = { 0 }, at = 0;
    uint8_t last[136];
    for (; at + sizeof(last) <= size; at += sizeof(last))
        keccak_block(state, data + at);
    fill_bytes(last, 0, sizeof(last));
    if (size > at)
        copy_bytes(last, data + at, size - at);
    last[size - at] ^= suffix;
    last[sizeof(last) - 1] ^= 0x80;
    keccak_block(state, last);
    for (unsigned i = 0; i < 4; i++)
        store_u64(digest + 8 * i, state[i]);
}

uint64_t hash_size(uint32_t algorithm)
{
    static const uint8_t sizes[] = { 0, 32, 48, 64, 32, 32 };
    return algorithm < ARRAY_COUNT(sizes) ? sizes[algorithm] : 0;
}

void hash_of(enum hash_algorithm algorithm, const uint8_t *data, uint64_t size,
             uint8_t digest[HASH_SIZE_MAX])
{
    switch (algorithm) {
    case HASH_SHA256:
        sha256(data, size, digest);
        break;
    case HASH_SHA384:
        sha512(start384, data, size, digest);
        break;
    case HASH_SHA512:
        sha512(start512, data, size, digest);
        break;
    case HASH_SHA3_256:
        keccak256(data, size, 0x06, digest);
        break;
    case HASH_KECCAK256:
        keccak256(data, size, 0x01, digest);
        break;
    }
}
