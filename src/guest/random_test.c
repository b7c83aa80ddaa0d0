/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/random.h"
#include "tests/harness.h"

#include <string.h>

/* RFC 8439 section 2.3.2. */
static void block_matches_the_vector(void)
{
    static const uint8_t nonce[12] = { 0, 0, 0, 9, 0, 0, 0, 0x4a };
    static const uint8_t expected[RANDOM_BLOCK_SIZE] = {
        0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3,
        0x20, 0x71, 0xc4, 0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03, 0x04, 0x22,
        0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e, 0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa,
        0x09, 0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2, 0xb5, 0x12, 0x9c, 0xd1,
        0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e,
    };
    uint8_t key[RANDOM_SEED_SIZE], block[RANDOM_BLOCK_SIZE];
    for (unsigned i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)i;
    random_block(block, key, 1, nonce);
    CHECK_BYTES(BYTES_OF(block), BYTES_OF(expected));
}

static void never_repeats(void)
{
    uint8_t seed[RANDOM_SEED_SIZE] = { 1 }, bytes[4][100], other[100];
    random_init(seed);
    for (unsigned i = 0; i < 4; i++)
        random_fill(bytes[i], sizeof(bytes[i]));
    for (unsigned i = 0; i < 4; i++)
        for (unsigned j = 0; j < i; j++)
            CHECK(memcmp(bytes[i], bytes[j], sizeof(bytes[i])) != 0);
    /* The same seed gives the same bytes; one mixed in gives others. */
    random_init(seed);
    random_fill(other, sizeof(other));
    CHECK_BYTES(BYTES_OF(other), BYTES_OF(bytes[0]));
    random_init(seed);
    random_refresh(seed);
    random_fill(other, sizeof(other));
    CHECK_BYTES(BYTES_OF(other), BYTES_OF(bytes[0]));
    random_init(seed);
    seed[31] = 9;
    random_refresh(seed);
    random_fill(other, sizeof(other));
    CHECK(memcmp(other, bytes[0], sizeof(other)) != 0);
}

static void fills_exactly(void)
{
    uint8_t seed[RANDOM_SEED_SIZE] = { 2 }, bytes[200];
    for (unsigned size = 0; size < 130; size++) {
        memset(bytes, 0xaa, sizeof(bytes));
        random_init(seed);
        random_fill(bytes, size);
        for (unsigned i = size; i < sizeof(bytes); i++)
            REQUIRE(bytes[i] == 0xaa);
    }
}

static const struct test tests[] = { TEST(block_matches_the_vector), TEST(never_repeats),
                                     TEST(fills_exactly) };
TEST_MAIN(tests)
