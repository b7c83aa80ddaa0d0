/* SPDX-License-Identifier: Apache-2.0 */
/* Against OpenSSL, which is right by assumption: random signatures, changed ones, and the numbers
 * that arithmetic gets wrong. */
#include "crypto/p256.h"

#include "crypto/ecdsa.h"
#include "crypto/hash.h"
#include "crypto/openssl.h"
#include "crypto/p256_field.h"
#include "crypto/p256_tables.h"
#include "tests/harness.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <string.h>

enum {
    ROUND_COUNT = 300
};

static const uint8_t order_bytes[32] = { 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
                                         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                         0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
                                         0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51 };

/* One signature to judge. */
struct sample {
    struct ecdsa_public key;
    struct digest32 digest;
    struct ecdsa_signature signature;
};

static bool agrees(const struct sample *sample, bool with_comb)
{
    struct error error;
    bool expected = ecdsa_verify(&sample->key, &sample->digest, &sample->signature, &error);
    bool window = p256_verify(&p256_base, NULL, sample->key.bytes, sample->digest.bytes,
                              sample->signature.bytes);
    if (window != expected)
        return false;
    static struct p256_comb comb;
    struct p256_affine point;
    if (!with_comb || !p256_point_read(&point, sample->key.bytes))
        return true;
    p256_comb_fill(&comb, &point);
    return p256_verify(&p256_base, &comb, sample->key.bytes, sample->digest.bytes,
                       sample->signature.bytes) == expected;
}

static void fill_random(uint8_t *target, size_t size, uint64_t *state)
{
    for (size_t i = 0; i < size; i++)
        target[i] = (uint8_t)(test_random(state) >> 24);
}

static void agrees_on_random_signatures(void)
{
    uint64_t state = 7;
    for (int round = 0; round < ROUND_COUNT; round++) {
        struct error error;
        struct sample sample;
        AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
        fill_random(sample.digest.bytes, sizeof(sample.digest.bytes), &state);
        if (round % 5 == 0)
            memset(sample.digest.bytes, round % 2 == 0 ? 0 : 0xff, sizeof(sample.digest.bytes));
        REQUIRE(ecdsa_key_generate(&key, &error) &&
                ecdsa_sign(&sample.signature, key, &sample.digest, &error));
        sample.key = *ecdsa_key_public(key);
        bool with_comb = round % 20 == 0;
        CHECK(p256_verify(&p256_base, NULL, sample.key.bytes, sample.digest.bytes,
                          sample.signature.bytes));
        CHECK(agrees(&sample, with_comb));
        struct sample changed = sample;
        uint8_t *places[] = { changed.key.bytes, changed.digest.bytes, changed.signature.bytes,
                              changed.signature.bytes + 32 };
        for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
            uint64_t bit = test_random(&state) % 256;
            places[i][bit / 8] ^= (uint8_t)(1U << bit % 8);
            CHECK(!p256_verify(&p256_base, NULL, changed.key.bytes, changed.digest.bytes,
                               changed.signature.bytes));
            CHECK(agrees(&changed, with_comb));
            changed = sample;
        }
    }
}

/* r, s and coordinates at the edges of their ranges. */
static void agrees_at_the_edges(void)
{
    struct error error;
    struct sample sample;
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    memset(sample.digest.bytes, 0x5a, sizeof(sample.digest.bytes));
    REQUIRE(ecdsa_key_generate(&key, &error) &&
            ecdsa_sign(&sample.signature, key, &sample.digest, &error));
    sample.key = *ecdsa_key_public(key);
    for (int half = 0; half < 2; half++) {
        for (int delta = -2; delta <= 2; delta++) {
            for (int around = 0; around < 3; around++) {
                struct sample edge = sample;
                uint8_t *number = edge.signature.bytes + 32 * half;
                memset(number, around == 2 ? 0xff : 0, 32);
                if (around == 1)
                    memcpy(number, order_bytes, 32);
                int last = number[31] + delta;
                if (last < 0 || last > 255)
                    continue;
                number[31] = (uint8_t)last;
                CHECK(agrees(&edge, false));
                CHECK(!p256_verify(&p256_base, NULL, edge.key.bytes, edge.digest.bytes,
                                   edge.signature.bytes));
            }
        }
    }
    struct sample off = sample;
    off.key.bytes[63] ^= 1;
    CHECK(agrees(&off, false));
    memset(off.key.bytes, 0xff, 32);
    CHECK(agrees(&off, false));
    memset(off.key.bytes, 0, sizeof(off.key.bytes));
    CHECK(agrees(&off, false));
    /* x + p is the same number mod p, but no coordinate. */
    struct p256_affine point;
    memset(off.key.bytes, 0xff, sizeof(off.key.bytes));
    CHECK(!p256_point_read(&point, off.key.bytes));
}

/* Numbers of one test, released together. */
struct numbers {
    EC_GROUP *group;
    BN_CTX *context;
    const BIGNUM *order;
    BIGNUM *d; /* private key */
    BIGNUM *k; /* nonce */
    BIGNUM *r;
    BIGNUM *s;
    BIGNUM *e;
    EC_POINT *point;
};

static struct numbers numbers_new(void)
{
    struct numbers n = { .group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1),
                         .context = BN_CTX_new() };
    n.order = EC_GROUP_get0_order(n.group);
    BIGNUM **all[] = { &n.d, &n.k, &n.r, &n.s, &n.e };
    for (size_t i = 0; i < ARRAY_COUNT(all); i++)
        *all[i] = BN_new();
    n.point = EC_POINT_new(n.group);
    BN_rand_range(n.d, n.order);
    BN_rand_range(n.k, n.order);
    return n;
}

static void numbers_free(struct numbers *n)
{
    BIGNUM *all[] = { n->d, n->k, n->r, n->s, n->e };
    for (size_t i = 0; i < ARRAY_COUNT(all); i++)
        BN_free(all[i]);
    EC_POINT_free(n->point);
    EC_GROUP_free(n->group);
    BN_CTX_free(n->context);
}

static void write_point(struct ecdsa_public *key, const struct numbers *n, const EC_POINT *point)
{
    BIGNUM *x = BN_new();
    BIGNUM *y = BN_new();
    CHECK(EC_POINT_get_affine_coordinates(n->group, point, x, y, n->context) == 1);
    CHECK(BN_bn2binpad(x, key->bytes, 32) == 32 && BN_bn2binpad(y, key->bytes + 32, 32) == 32);
    BN_free(x);
    BN_free(y);
}

/* The key d G with r, s and e. */
static struct sample sample_of(const struct numbers *n)
{
    struct sample sample;
    CHECK(EC_POINT_mul(n->group, n->point, n->d, NULL, NULL, n->context) == 1);
    write_point(&sample.key, n, n->point);
    CHECK(BN_bn2binpad(n->r, sample.signature.bytes, 32) == 32 &&
          BN_bn2binpad(n->s, sample.signature.bytes + 32, 32) == 32 &&
          BN_bn2binpad(n->e, sample.digest.bytes, 32) == 32);
    return sample;
}

/* r = x of k G. */
static void set_r(struct numbers *n)
{
    CHECK(EC_POINT_mul(n->group, n->point, n->k, NULL, NULL, n->context) == 1);
    CHECK(EC_POINT_get_affine_coordinates(n->group, n->point, n->r, NULL, n->context) == 1);
    CHECK(BN_nnmod(n->r, n->r, n->order, n->context) == 1);
}

/* u1 G = u2 Q: the same point is added to itself.  u1 G = -u2 Q: the sum is at infinity. */
static void agrees_when_halves_meet(void)
{
    for (int round = 0; round < 8; round++) {
        struct numbers n = numbers_new();
        set_r(&n);
        BN_mod_mul(n.e, n.r, n.d, n.order, n.context);
        BN_mod_add(n.s, n.e, n.e, n.order, n.context);
        BIGNUM *inverse = BN_mod_inverse(NULL, n.k, n.order, n.context);
        BN_mod_mul(n.s, n.s, inverse, n.order, n.context);
        struct sample equal = sample_of(&n);
        CHECK(p256_verify(&p256_base, NULL, equal.key.bytes, equal.digest.bytes,
                          equal.signature.bytes));
        CHECK(agrees(&equal, true));
        BN_mod_sub(n.e, n.order, n.e, n.order, n.context);
        struct sample opposite = sample_of(&n);
        CHECK(!p256_verify(&p256_base, NULL, opposite.key.bytes, opposite.digest.bytes,
                           opposite.signature.bytes));
        CHECK(agrees(&opposite, true));
        BN_free(inverse);
        numbers_free(&n);
    }
}

/* Small multiples of the generator as keys: their tables meet the generator's. */
static void agrees_under_small_keys(void)
{
    for (unsigned d = 1; d <= 40; d++) {
        struct numbers n = numbers_new();
        BN_set_word(n.d, d <= 20 ? d : 1);
        if (d > 20)
            BN_lshift(n.d, n.d, (int)(d - 20) * 12);
        BN_set_word(n.k, d);
        set_r(&n);
        BN_set_word(n.e, d % 3);
        BN_mod_mul(n.s, n.r, n.d, n.order, n.context);
        BN_mod_add(n.s, n.s, n.e, n.order, n.context);
        BIGNUM *inverse = BN_mod_inverse(NULL, n.k, n.order, n.context);
        BN_mod_mul(n.s, n.s, inverse, n.order, n.context);
        struct sample sample = sample_of(&n);
        CHECK(p256_verify(&p256_base, NULL, sample.key.bytes, sample.digest.bytes,
                          sample.signature.bytes));
        CHECK(agrees(&sample, d % 4 == 1));
        BN_free(inverse);
        numbers_free(&n);
    }
}

/* A nonce's point whose x is above the order: r is x - n. */
static void agrees_when_x_is_above_the_order(void)
{
    struct numbers n = numbers_new();
    BIGNUM *x = BN_dup(n.order);
    while (EC_POINT_set_compressed_coordinates(n.group, n.point, x, 0, n.context) != 1)
        BN_add_word(x, 1);
    BN_mod_sub(n.r, x, n.order, n.order, n.context);
    BN_rand_range(n.s, n.order);
    BN_rand_range(n.e, n.order);
    /* Q = (s R - e G) / r. */
    BIGNUM *inverse = BN_mod_inverse(NULL, n.r, n.order, n.context);
    BIGNUM *a = BN_new();
    BIGNUM *b = BN_new();
    struct sample sample = sample_of(&n);
    CHECK(EC_POINT_set_compressed_coordinates(n.group, n.point, x, 0, n.context) == 1);
    BN_mod_mul(a, n.s, inverse, n.order, n.context);
    BN_mod_sub(b, n.order, n.e, n.order, n.context);
    BN_mod_mul(b, b, inverse, n.order, n.context);
    CHECK(EC_POINT_mul(n.group, n.point, b, n.point, a, n.context) == 1);
    write_point(&sample.key, &n, n.point);
    CHECK(p256_verify(&p256_base, NULL, sample.key.bytes, sample.digest.bytes,
                      sample.signature.bytes));
    CHECK(agrees(&sample, true));
    crypto_error(&(struct error){ 0 }, ERROR_INTERNAL, "");
    BN_free(a);
    BN_free(b);
    BN_free(x);
    BN_free(inverse);
    numbers_free(&n);
}

static struct p256_element edge_element(size_t i, uint64_t *state)
{
    static const uint64_t edges[][4] = {
        { 0 },
        { 1 },
        { 0xfffffffffffffffe, 0x00000000ffffffff, 0, 0xffffffff00000001 },
        { 0xffffffffffffffff, 0, 0, 0 },
        { 0, 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffff00000000 },
        { 0xffffffffffffffff, 0x00000000fffffffe, 0, 0xffffffff00000001 },
    };
    struct p256_element element;
    if (i < ARRAY_COUNT(edges)) {
        memcpy(element.limbs, edges[i], sizeof(element.limbs));
        return element;
    }
    for (size_t j = 0; j < 4; j++)
        element.limbs[j] = test_random(state);
    element.limbs[3] %= prime[3];
    return element;
}

static void computes_as_portably(void)
{
    uint64_t state = 3;
    for (size_t i = 0; i < 200; i++) {
        for (size_t j = 0; j < 200; j++) {
            struct p256_element a = edge_element(i, &state);
            struct p256_element b = edge_element(j, &state);
            struct p256_element results[] = { mul(&a, &b),          add(&a, &b),
                                              sub(&a, &b),          portable_mul(&a, &b),
                                              portable_add(&a, &b), portable_sub(&a, &b) };
            for (size_t k = 0; k < 3; k++)
                CHECK(memcmp(&results[k], &results[k + 3], sizeof(results[k])) == 0);
            /* What processors without ADX take. */
            struct p256_element plain = mul_plain(&a, &b);
            CHECK(memcmp(&plain, &results[3], sizeof(plain)) == 0);
        }
    }
}

static void knows_the_right_tables(void)
{
    static struct p256_comb comb;
    struct error error;
    for (size_t i = 0; i < P256_KNOWN_KEY_COUNT; i++) {
        struct p256_affine point;
        struct ecdsa_public key;
        memcpy(key.bytes, p256_known_keys[i].key, sizeof(key.bytes));
        REQUIRE(ecdsa_public_check(&key, &error) && p256_point_read(&point, key.bytes));
        p256_comb_fill(&comb, &point);
        CHECK(memcmp(&comb, &p256_known_keys[i].comb, sizeof(comb)) == 0);
        struct digest32 digest = { { 1 } };
        struct ecdsa_signature signature = { { [31] = 1, [63] = 1 } };
        CHECK(!ecdsa_verify(&key, &digest, &signature, &error) && error.code == ERROR_UNVERIFIED);
    }
}

static const struct test tests[] = {
    TEST(agrees_on_random_signatures),      TEST(agrees_at_the_edges),
    TEST(agrees_when_halves_meet),          TEST(agrees_under_small_keys),
    TEST(agrees_when_x_is_above_the_order), TEST(computes_as_portably),
    TEST(knows_the_right_tables),
};
TEST_MAIN(tests)
