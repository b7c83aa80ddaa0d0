/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hash.h"
#include "state/merkle.h"
#include "tests/harness.h"

#include <string.h>

enum {
    LEAVES = 300
};
static struct merkle_leaf leaves[LEAVES];

static void leaves_make(void)
{
    for (uint32_t i = 0; i < LEAVES; i++) {
        leaves[i] = (struct merkle_leaf){ .path = sha256_of(bytes_of(&i, sizeof(i))) };
        leaves[i].hash = sha256_of(BYTES_OF(leaves[i].path.bytes));
    }
}

static unsigned bit_at(const struct merkle_leaf *leaf, unsigned bit)
{
    return (unsigned)(leaf->path.bytes[bit / 8] >> (7 - bit % 8)) & 1u;
}

/* The definition, word by word, over the marked leaves. */
static struct digest32 defined(const bool *is_in, const bool *candidates, unsigned bit)
{
    struct digest32 digest = { { 0 } };
    bool sides[2][LEAVES] = { { false } };
    size_t counts[2] = { 0, 0 };
    const struct merkle_leaf *only = NULL;
    size_t count = 0;
    for (size_t i = 0; i < LEAVES; i++) {
        if (is_in[i] && candidates[i]) {
            only = &leaves[i];
            count++;
        }
    }
    if (count == 0)
        return digest;
    uint8_t data[67] = { 0 };
    if (count == 1) {
        memcpy(data + 1, only->path.bytes, 32);
        memcpy(data + 33, only->hash.bytes, 32);
        return sha256_of(bytes_of(data, 65));
    }
    for (;; bit++) {
        memset(sides, 0, sizeof(sides));
        counts[0] = counts[1] = 0;
        for (size_t i = 0; i < LEAVES; i++) {
            if (is_in[i] && candidates[i]) {
                sides[bit_at(&leaves[i], bit)][i] = true;
                counts[bit_at(&leaves[i], bit)]++;
            }
        }
        if (counts[0] > 0 && counts[1] > 0)
            break;
    }
    data[0] = 1;
    data[1] = (uint8_t)(bit >> 8);
    data[2] = (uint8_t)bit;
    for (unsigned side = 0; side < 2; side++) {
        digest = defined(is_in, sides[side], bit + 1);
        memcpy(data + 3 + side * 32, digest.bytes, 32);
    }
    return sha256_of(BYTES_OF(data));
}

static void digest_is_as_defined_whatever_the_history(void)
{
    struct merkle merkle = { .count = 0 };
    struct error error;
    bool is_in[LEAVES] = { false }, all[LEAVES];
    uint64_t random = 7;
    memset(all, 1, sizeof(all));
    leaves_make();
    for (unsigned step = 0; step < 3000; step++) {
        size_t at = test_random(&random) % LEAVES;
        REQUIRE(merkle_reserve(&merkle, 1, &error));
        if (!is_in[at]) {
            merkle_put(&merkle, &leaves[at]);
            is_in[at] = true;
        } else if (test_random(&random) % 2 == 0) {
            leaves[at].hash.bytes[5]++;
            merkle_put(&merkle, &leaves[at]);
        } else {
            merkle_remove(&merkle, &leaves[at]);
            is_in[at] = false;
        }
        if (step % 50 != 0)
            continue;
        struct digest32 digest = merkle_digest(&merkle);
        struct digest32 expected = defined(is_in, all, 0);
        CHECK_BYTES(BYTES_OF(digest.bytes), BYTES_OF(expected.bytes));
    }
    for (size_t i = 0; i < LEAVES; i++) {
        if (is_in[i])
            merkle_remove(&merkle, &leaves[i]);
    }
    struct digest32 nothing = { { 0 } }, digest = merkle_digest(&merkle);
    CHECK(digest32_equal(&digest, &nothing));
    CHECK_NUMBER(merkle.count, 0);
    merkle_done(&merkle);
}

static void every_bit_counts(void)
{
    struct merkle merkle = { .count = 0 };
    struct error error;
    leaves_make();
    REQUIRE(merkle_reserve(&merkle, 3, &error));
    for (size_t i = 0; i < 3; i++)
        merkle_put(&merkle, &leaves[i]);
    struct digest32 before = merkle_digest(&merkle);
    for (unsigned bit = 0; bit < 256; bit++) {
        leaves[1].hash.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        merkle_put(&merkle, &leaves[1]);
        struct digest32 after = merkle_digest(&merkle);
        CHECK(!digest32_equal(&before, &after));
        leaves[1].hash.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        merkle_put(&merkle, &leaves[1]);
    }
    struct digest32 again = merkle_digest(&merkle);
    CHECK(digest32_equal(&before, &again));
    merkle_done(&merkle);
}

static const struct test tests[] = {
    TEST(digest_is_as_defined_whatever_the_history),
    TEST(every_bit_counts),
};
TEST_MAIN(tests)
