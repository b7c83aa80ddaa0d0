/* SPDX-License-Identifier: Apache-2.0 */
/* Against the standards' own values and against OpenSSL, which is right by assumption: random
 * values, changed ones, and the numbers that arithmetic gets wrong. */
#include "crypto/fixture.h"
#include "crypto/jws.h"
#include "crypto/openssl.h"
#include "crypto/portable/montgomery.h"
#include "crypto/portable/p384.h"
#include "crypto/portable/rsa.h"
#include "crypto/portable/sha2.h"
#include "crypto/rsa.h"
#include "tests/harness.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

static const size_t digest_sizes[] = { [HASH_SHA256] = 32, [HASH_SHA384] = 48, [HASH_SHA512] = 64 };

static void hash_portably(uint8_t *digest, enum hash_kind kind, struct bytes data, size_t split)
{
    struct sha2 sha2;
    sha2_init(&sha2, kind);
    sha2_update(&sha2, bytes_part(data, 0, split));
    sha2_update(&sha2, bytes_part(data, split, data.size));
    sha2_finish(&sha2, digest);
}

static void hashes_as_the_standard_says(void)
{
    /* NIST's examples: "abc", and two blocks. */
    static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    static const char four[] = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                               "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
    static const struct {
        enum hash_kind kind;
        const char *message;
        const char *digest;
    } rows[] = {
        { HASH_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { HASH_SHA256, two, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
        { HASH_SHA384, "abc",
          "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
          "8086072ba1e7cc2358baeca134c825a7" },
        { HASH_SHA384, four,
          "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712"
          "fcc7c71a557e2db966c3e9fa91746039" },
        { HASH_SHA512, "abc",
          "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
          "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
        { HASH_SHA512, four,
          "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
          "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        uint8_t digest[64];
        char text[129] = "";
        struct bytes message = bytes_of_string(rows[i].message);
        hash_portably(digest, rows[i].kind, message, message.size);
        for (size_t j = 0; j < digest_sizes[rows[i].kind]; j++)
            snprintf(text + 2 * j, 3, "%02x", digest[j]);
        CHECK_STRING(text, rows[i].digest);
    }
}

/* Every length around every block boundary, in two pieces. */
static void hashes_as_openssl(void)
{
    static uint8_t data[1000];
    uint64_t state = 1;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(test_random(&state) >> 24);
    for (size_t size = 0; size <= sizeof(data); size += size < 300 ? 1 : 77) {
        struct bytes message = bytes_of(data, size);
        struct digest32 sha256 = sha256_of(message);
        struct digest48 sha384 = sha384_of(message);
        struct digest64 sha512 = sha512_of(message);
        const uint8_t *expected[] = { sha256.bytes, sha384.bytes, sha512.bytes };
        for (size_t kind = 0; kind < 3; kind++) {
            uint8_t digest[64];
            hash_portably(digest, (enum hash_kind)kind, message,
                          (size_t)test_random(&state) % (size + 1));
            CHECK(memcmp(digest, expected[kind], digest_sizes[kind]) == 0);
        }
    }
}

/* One signature on P-384 to judge. */
struct sample {
    struct ecdsa384_public key;
    struct digest48 digest;
    struct ecdsa384_signature signature;
};

static bool holds(const struct sample *sample)
{
    return p384_verify(sample->key.bytes, sample->digest.bytes, sample->signature.bytes);
}

static bool agrees(const struct sample *sample)
{
    struct error error;
    return holds(sample) ==
           ecdsa384_verify(&sample->key, &sample->digest, &sample->signature, &error);
}

static struct sample signed_sample(struct bytes message)
{
    struct sample sample;
    struct public_key public;
    AUTO(fixture_key) struct fixture_key *key = fixture_key_new(PUBLIC_KEY_P384, 0);
    ASSERT(public_key_view_spki(&public, fixture_key_spki(key)));
    sample.key = public.p384;
    sample.digest = sha384_of(message);
    sample.signature = fixture_sign384(key, message);
    return sample;
}

static void agrees_on_random_signatures(void)
{
    uint64_t state = 5;
    for (int round = 0; round < 60; round++) {
        uint64_t message = test_random(&state);
        struct sample sample = signed_sample(bytes_of(&message, sizeof(message)));
        CHECK(holds(&sample) && agrees(&sample));
        struct sample changed = sample;
        uint8_t *places[] = { changed.key.bytes, changed.key.bytes + 48, changed.digest.bytes,
                              changed.signature.bytes, changed.signature.bytes + 48 };
        for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
            uint64_t bit = test_random(&state) % 384;
            places[i][bit / 8] ^= (uint8_t)(1U << bit % 8);
            CHECK(!holds(&changed) && agrees(&changed));
            changed = sample;
        }
    }
}

static const uint8_t order_bytes[48] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                         0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37,
                                         0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a,
                                         0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73 };

/* r, s and coordinates at the edges of their ranges. */
static void agrees_at_the_edges(void)
{
    struct sample sample = signed_sample(BYTES_LITERAL("edges"));
    for (size_t place = 0; place < 4; place++) {
        for (int delta = -2; delta <= 2; delta++) {
            for (int around = 0; around < 3; around++) {
                struct sample edge = sample;
                uint8_t *number = place < 2 ? edge.signature.bytes + 48 * place
                                            : edge.key.bytes + 48 * (place - 2);
                memset(number, around == 2 ? 0xff : 0, 48);
                if (around == 1)
                    memcpy(number, order_bytes, 48);
                int last = number[47] + delta;
                if (last < 0 || last > 255)
                    continue;
                number[47] = (uint8_t)last;
                CHECK(!holds(&edge) && agrees(&edge));
            }
        }
    }
    struct sample zero = sample;
    memset(zero.key.bytes, 0, sizeof(zero.key.bytes));
    CHECK(!holds(&zero) && agrees(&zero));
}

/* Numbers of one test, released together. */
struct numbers {
    EC_GROUP *group;
    BN_CTX *context;
    const BIGNUM *order;
    BIGNUM *d; /* private key */
    BIGNUM *k; /* nonce */
    BIGNUM *r, *s, *e;
    BIGNUM *inverse; /* scratch */
    EC_POINT *point;
};

static struct numbers numbers_new(void)
{
    struct numbers n = { .group = EC_GROUP_new_by_curve_name(NID_secp384r1),
                         .context = BN_CTX_new() };
    n.order = EC_GROUP_get0_order(n.group);
    BIGNUM **all[] = { &n.d, &n.k, &n.r, &n.s, &n.e, &n.inverse };
    for (size_t i = 0; i < ARRAY_COUNT(all); i++)
        *all[i] = BN_new();
    n.point = EC_POINT_new(n.group);
    BN_rand_range(n.d, n.order);
    BN_rand_range(n.k, n.order);
    return n;
}

static void numbers_free(struct numbers *n)
{
    BIGNUM *all[] = { n->d, n->k, n->r, n->s, n->e, n->inverse };
    for (size_t i = 0; i < ARRAY_COUNT(all); i++)
        BN_free(all[i]);
    EC_POINT_free(n->point);
    EC_GROUP_free(n->group);
    BN_CTX_free(n->context);
}

/* With `point` as key. */
static struct sample sample_of(const struct numbers *n, const EC_POINT *point)
{
    struct sample sample;
    BIGNUM *x = BN_new();
    BIGNUM *y = BN_new();
    CHECK(EC_POINT_get_affine_coordinates(n->group, point, x, y, n->context) == 1);
    CHECK(BN_bn2binpad(x, sample.key.bytes, 48) == 48 &&
          BN_bn2binpad(y, sample.key.bytes + 48, 48) == 48 &&
          BN_bn2binpad(n->r, sample.signature.bytes, 48) == 48 &&
          BN_bn2binpad(n->s, sample.signature.bytes + 48, 48) == 48 &&
          BN_bn2binpad(n->e, sample.digest.bytes, 48) == 48);
    BN_free(x);
    BN_free(y);
    return sample;
}

/* With the key d G. */
static struct sample sample_of_d(const struct numbers *n)
{
    CHECK(EC_POINT_mul(n->group, n->point, n->d, NULL, NULL, n->context) == 1);
    return sample_of(n, n->point);
}

/* r = x of k G; s = (r d + e) / k. */
static void sign_numbers(struct numbers *n)
{
    CHECK(EC_POINT_mul(n->group, n->point, n->k, NULL, NULL, n->context) == 1);
    CHECK(EC_POINT_get_affine_coordinates(n->group, n->point, n->r, NULL, n->context) == 1);
    CHECK(BN_nnmod(n->r, n->r, n->order, n->context) == 1);
    BN_mod_mul(n->s, n->r, n->d, n->order, n->context);
    BN_mod_add(n->s, n->s, n->e, n->order, n->context);
    BN_mod_inverse(n->inverse, n->k, n->order, n->context);
    BN_mod_mul(n->s, n->s, n->inverse, n->order, n->context);
}

/* u1 G = u2 Q: the same point is added to itself.  u1 G = -u2 Q: the sum is at infinity. */
static void agrees_when_halves_meet(void)
{
    for (int round = 0; round < 8; round++) {
        struct numbers n = numbers_new();
        sign_numbers(&n);
        BN_mod_mul(n.e, n.r, n.d, n.order, n.context);
        sign_numbers(&n);
        struct sample equal = sample_of_d(&n);
        CHECK(holds(&equal) && agrees(&equal));
        BN_mod_sub(n.e, n.order, n.e, n.order, n.context);
        struct sample opposite = sample_of_d(&n);
        CHECK(!holds(&opposite) && agrees(&opposite));
        numbers_free(&n);
    }
}

/* Small and round numbers as keys, nonces and digests. */
static void agrees_under_small_keys(void)
{
    for (unsigned d = 1; d <= 40; d++) {
        struct numbers n = numbers_new();
        BN_set_word(n.d, d <= 20 ? d : 1);
        if (d > 20)
            BN_lshift(n.d, n.d, (int)(d - 20) * 18);
        if (d % 5 == 0)
            BN_sub(n.d, n.order, n.d);
        BN_set_word(n.k, d);
        BN_set_word(n.e, d % 3);
        sign_numbers(&n);
        struct sample sample = sample_of_d(&n);
        CHECK(holds(&sample) && agrees(&sample));
        numbers_free(&n);
    }
}

/* Digests from the order upwards count modulo it. */
static void agrees_on_digests_above_the_order(void)
{
    for (unsigned above = 0; above < 4; above++) {
        struct numbers n = numbers_new();
        BN_set_word(n.e, above);
        sign_numbers(&n);
        BN_add(n.e, n.e, n.order);
        struct sample sample = sample_of_d(&n);
        CHECK(holds(&sample) && agrees(&sample));
        numbers_free(&n);
    }
}

/* A nonce's point whose x is above the order: r is x - n. */
static void agrees_when_x_is_above_the_order(void)
{
    struct numbers n = numbers_new();
    BIGNUM *x = BN_dup(n.order), *a = BN_new(), *b = BN_new();
    do
        BN_add_word(x, 1);
    while (EC_POINT_set_compressed_coordinates(n.group, n.point, x, 0, n.context) != 1);
    BN_mod_sub(n.r, x, n.order, n.order, n.context);
    BN_rand_range(n.s, n.order);
    BN_rand_range(n.e, n.order);
    /* Q = (s R - e G) / r. */
    BN_mod_inverse(n.inverse, n.r, n.order, n.context);
    BN_mod_mul(a, n.s, n.inverse, n.order, n.context);
    BN_mod_sub(b, n.order, n.e, n.order, n.context);
    BN_mod_mul(b, b, n.inverse, n.order, n.context);
    CHECK(EC_POINT_mul(n.group, n.point, b, n.point, a, n.context) == 1);
    struct sample sample = sample_of(&n, n.point);
    CHECK(holds(&sample) && agrees(&sample));
    crypto_error(&(struct error){ 0 }, ERROR_INTERNAL, "");
    BN_free(a);
    BN_free(b);
    BN_free(x);
    numbers_free(&n);
}

/* Products of edge values, against OpenSSL's. */
static void multiplies_as_openssl(void)
{
    uint64_t state = 11;
    BN_CTX *context = BN_CTX_new();
    for (size_t round = 0; round < 400; round++) {
        size_t size = 1 + test_random(&state) % 512;
        uint8_t numbers[3][512];
        for (size_t i = 0; i < 3; i++)
            for (size_t j = 0; j < size; j++)
                numbers[i][j] = round % 3 == 0 ? (test_random(&state) % 2 != 0 ? 0xff : 0)
                                               : (uint8_t)(test_random(&state) >> 24);
        numbers[0][0] |= 1;
        numbers[0][size - 1] |= 1;
        BIGNUM *n = BN_bin2bn(numbers[0], (int)size, NULL);
        BIGNUM *a = BN_bin2bn(numbers[1], (int)size, NULL);
        BIGNUM *b = BN_bin2bn(numbers[2], (int)size, NULL);
        BN_nnmod(a, a, n, context);
        BN_nnmod(b, b, n, context);
        BN_bn2binpad(a, numbers[1], (int)size);
        BN_bn2binpad(b, numbers[2], (int)size);
        struct modulus modulus;
        uint32_t x[MONTGOMERY_LIMB_COUNT_MAX], y[MONTGOMERY_LIMB_COUNT_MAX];
        REQUIRE(modulus_init(&modulus, bytes_of(numbers[0], size)));
        REQUIRE(size == 1 || modulus_read(x, &modulus, bytes_of(numbers[1], size)));
        REQUIRE(size == 1 || modulus_read(y, &modulus, bytes_of(numbers[2], size)));
        if (size > 1) {
            uint8_t product[512], expected[512];
            modulus_mul(x, &modulus, x, modulus.square);
            modulus_mul(x, &modulus, x, y);
            modulus_write(product, &modulus, x);
            BN_mod_mul(a, a, b, n, context);
            BN_bn2binpad(a, expected, (int)size);
            CHECK(memcmp(product, expected, size) == 0);
        }
        BN_free(n);
        BN_free(a);
        BN_free(b);
    }
    BN_CTX_free(context);
}

/* An RSA key that signs whatever it is given. */
struct rsa_signer {
    EVP_PKEY *pair;
    uint8_t modulus[RSA_SIZE_MAX];
    uint8_t exponent[8];
    size_t size, exponent_size;
};

static struct rsa_signer signer_new(unsigned bits)
{
    struct rsa_signer signer = { .pair = EVP_RSA_gen(bits), .size = bits / 8 };
    BIGNUM *n = NULL, *e = NULL;
    ASSERT(signer.pair != NULL &&
           EVP_PKEY_get_bn_param(signer.pair, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
           EVP_PKEY_get_bn_param(signer.pair, OSSL_PKEY_PARAM_RSA_E, &e) == 1);
    BN_bn2binpad(n, signer.modulus, (int)signer.size);
    signer.exponent_size = (size_t)BN_bn2bin(e, signer.exponent);
    BN_free(n);
    BN_free(e);
    return signer;
}

static bool rsa_agrees(const struct rsa_signer *signer, const struct digest48 *digest,
                       struct bytes signature, bool expected)
{
    struct bytes n = bytes_of(signer->modulus, signer->size);
    struct bytes e = bytes_of(signer->exponent, signer->exponent_size);
    return rsa_pss_holds(n, e, digest, signature) == expected &&
           rsa_holds(n, e, digest, signature) == expected;
}

static void sign_raw(const struct rsa_signer *signer, uint8_t *signature, const uint8_t *encoded)
{
    size_t size = signer->size;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, signer->pair, NULL);
    CHECK(EVP_PKEY_sign_init(context) == 1 &&
          EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1 &&
          EVP_PKEY_sign(context, signature, &size, encoded, size) == 1);
    EVP_PKEY_CTX_free(context);
}

static void add_mask(uint8_t *target, size_t size, const uint8_t *seed)
{
    for (uint32_t i = 0; i * 48 < size; i++) {
        uint8_t block[52] = { 0 };
        memcpy(block, seed, 48);
        block[51] = (uint8_t)i;
        struct digest48 digest = sha384_of(BYTES_OF(block));
        for (size_t j = 0; j < 48 && i * 48 + j < size; j++)
            target[i * 48 + j] ^= digest.bytes[j];
    }
}

/* EMSA-PSS (RFC 8017 section 9.1.1) of the digest with zeros as salt, after `change` has been at
 * the data block before it is masked. */
static void encode(uint8_t *encoded, size_t size, const struct digest48 *digest, size_t salt_size,
                   size_t change_at, uint8_t change)
{
    uint8_t hashed[8 + 48 + 64] = { 0 };
    memcpy(hashed + 8, digest->bytes, 48);
    struct digest48 hash = sha384_of(bytes_of(hashed, 56 + salt_size));
    size_t masked = size - 49;
    memset(encoded, 0, masked);
    encoded[masked - salt_size - 1] = 1;
    encoded[change_at] ^= change;
    add_mask(encoded, masked, hash.bytes);
    encoded[0] &= 0x7f;
    memcpy(encoded + masked, hash.bytes, 48);
    encoded[size - 1] = 0xbc;
}

static void rsa_cases(const struct rsa_signer *signer)
{
    uint8_t encoded[RSA_SIZE_MAX], signature[RSA_SIZE_MAX];
    struct bytes view = bytes_of(signature, signer->size);
    struct digest48 digest = sha384_of(bytes_of(signer->modulus, signer->size));
    size_t masked = signer->size - 49;
    encode(encoded, signer->size, &digest, 48, 0, 0);
    sign_raw(signer, signature, encoded);
    CHECK(rsa_agrees(signer, &digest, view, true));
    struct digest48 other = digest;
    other.bytes[47] ^= 1;
    CHECK(rsa_agrees(signer, &other, view, false));
    CHECK(rsa_agrees(signer, &digest, bytes_of(signature, signer->size - 1), false));
    signature[signer->size / 2] ^= 4;
    CHECK(rsa_agrees(signer, &digest, view, false));
    /* Salts of other sizes; something in the padding, at its ends; another separator. */
    for (size_t salt = 0; salt <= 64; salt += 16) {
        encode(encoded, signer->size, &digest, salt, 0, 0);
        sign_raw(signer, signature, encoded);
        CHECK(rsa_agrees(signer, &digest, view, salt == 48));
    }
    const size_t places[] = { 0, 1, masked / 2, masked - 50, masked - 49, masked - 1 };
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        encode(encoded, signer->size, &digest, 48, places[i], 2);
        sign_raw(signer, signature, encoded);
        CHECK(rsa_agrees(signer, &digest, view, false));
    }
    /* Another trailer; the hash changed. */
    encode(encoded, signer->size, &digest, 48, 0, 0);
    encoded[signer->size - 1] = 0xcc;
    sign_raw(signer, signature, encoded);
    CHECK(rsa_agrees(signer, &digest, view, false));
    encode(encoded, signer->size, &digest, 48, 0, 0);
    encoded[masked] ^= 1;
    sign_raw(signer, signature, encoded);
    CHECK(rsa_agrees(signer, &digest, view, false));
    /* As large as the modulus, larger, and the small numbers that are their own powers. */
    memcpy(signature, signer->modulus, signer->size);
    CHECK(rsa_agrees(signer, &digest, view, false));
    memset(signature, 0xff, signer->size);
    CHECK(rsa_agrees(signer, &digest, view, false));
    memset(signature, 0, signer->size);
    CHECK(rsa_agrees(signer, &digest, view, false));
    signature[signer->size - 1] = 1;
    CHECK(rsa_agrees(signer, &digest, view, false));
}

static bool pkcs1_agrees(const struct rsa_signer *signer, struct bytes message,
                         struct bytes signature, bool expected)
{
    struct bytes n = bytes_of(signer->modulus, signer->size);
    struct bytes e = bytes_of(signer->exponent, signer->exponent_size);
    struct digest32 digest = sha256_of(message);
    struct error error;
    return rsa_pkcs1_holds(n, e, &digest, signature) == expected &&
           rs256_verify(n, e, message, signature, &error) == expected;
}

/* Every byte of the encoding changed, a digest moved to the front, another algorithm's size. */
static void pkcs1_cases(const struct rsa_signer *signer)
{
    static const uint8_t info[] = { 0x00, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48,
                                    0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 };
    uint8_t encoded[RSA_SIZE_MAX], signature[RSA_SIZE_MAX];
    size_t size = signer->size, digest_at = size - 32, info_at = digest_at - sizeof(info);
    struct bytes view = bytes_of(signature, size);
    struct bytes message = BYTES_LITERAL("a certificate");
    struct digest32 digest = sha256_of(message);
    memset(encoded, 0xff, size);
    encoded[0] = 0;
    encoded[1] = 1;
    memcpy(encoded + info_at, info, sizeof(info));
    memcpy(encoded + digest_at, digest.bytes, sizeof(digest.bytes));
    sign_raw(signer, signature, encoded);
    CHECK(pkcs1_agrees(signer, message, view, true));
    CHECK(pkcs1_agrees(signer, BYTES_LITERAL("another"), view, false));
    CHECK(pkcs1_agrees(signer, message, bytes_of(signature, size - 1), false));
    for (size_t i = 1; i < size; i = i == 4 ? info_at - 2 : i + 1) {
        encoded[i] ^= 1;
        sign_raw(signer, signature, encoded);
        CHECK_NOTE(pkcs1_agrees(signer, message, view, false), "byte %zu", i);
        encoded[i] ^= 1;
    }
    memset(encoded + 10, 0, size - 10); /* short padding, anything behind: Bleichenbacher's */
    memcpy(encoded + 10, info, sizeof(info));
    memcpy(encoded + 10 + sizeof(info), digest.bytes, sizeof(digest.bytes));
    sign_raw(signer, signature, encoded);
    CHECK(pkcs1_agrees(signer, message, view, false));
    memset(signature, 0, size);
    CHECK(pkcs1_agrees(signer, message, view, false));
}

static void agrees_on_rsa(void)
{
    static const unsigned sizes[] = { 2048, 2056, 3072, 4096 };
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        struct rsa_signer signer = signer_new(sizes[i]);
        rsa_cases(&signer);
        pkcs1_cases(&signer);
        EVP_PKEY_free(signer.pair);
    }
}

static const struct test tests[] = {
    TEST(hashes_as_the_standard_says),
    TEST(hashes_as_openssl),
    TEST(agrees_on_random_signatures),
    TEST(agrees_at_the_edges),
    TEST(agrees_when_halves_meet),
    TEST(agrees_under_small_keys),
    TEST(agrees_on_digests_above_the_order),
    TEST(agrees_when_x_is_above_the_order),
    TEST(multiplies_as_openssl),
    TEST(agrees_on_rsa),
};
TEST_MAIN(tests)
