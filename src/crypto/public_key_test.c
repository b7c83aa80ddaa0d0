/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/public_key.h"

#include "crypto/fixture.h"
#include "tests/harness.h"

#include <string.h>

#define CERTIFICATES "tests/data/attest/snp/certs/"

enum {
    NOW_S = 1750377600, /* 2025-06-20 */
    DAY_S = 86400
};

static void verifies_real_chains_of_all_kinds(void)
{
    static const struct {
        const char *root;
        const char *intermediate;
        const char *leaf;
    } chains[] = {
        { CERTIFICATES "milan_ark.der", CERTIFICATES "milan_ask.der",
          CERTIFICATES "vcek_coco_milan.der" },
        { CERTIFICATES "milan_ark.der", CERTIFICATES "milan_asvk.der",
          CERTIFICATES "vlek_coco_aws.der" },
        { CERTIFICATES "genoa_ark.der", CERTIFICATES "genoa_ask.der",
          CERTIFICATES "vcek_microsoft_genoa.der" },
        { CERTIFICATES "turin_ark.der", CERTIFICATES "turin_ask.der",
          CERTIFICATES "vcek_microsoft_turin.der" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(chains); i++) {
        struct error error;
        enum x509_fault fault;
        struct x509_certificate root;
        struct x509_certificate chain[2];
        REQUIRE(x509_parse(&root, test_file(chains[i].root), &error));
        REQUIRE(x509_parse(&chain[1], test_file(chains[i].intermediate), &error));
        REQUIRE(x509_parse(&chain[0], test_file(chains[i].leaf), &error));
        CHECK_NUMBER(root.key.kind, PUBLIC_KEY_RSA);
        CHECK_NUMBER(root.key.modulus.size, 512);
        CHECK_NUMBER(chain[0].key.kind, PUBLIC_KEY_P384);
        CHECK_NOTE(x509_chain_verify(chain, 2, &root, chain[0].not_before_s, &fault, &error),
                   "%s: %s", chains[i].leaf, error.text);
        CHECK(x509_signature_verify(&root, &root.key, &error));
    }
}

static void refuses_every_change_of_a_real_chain(void)
{
    static const char *const files[] = { CERTIFICATES "milan_ask.der",
                                         CERTIFICATES "vcek_coco_milan.der" };
    struct error error;
    enum x509_fault fault;
    struct x509_certificate issuer;
    REQUIRE(x509_parse(&issuer, test_file(CERTIFICATES "milan_ark.der"), &error));
    for (size_t file = 0; file < ARRAY_COUNT(files); file++) {
        struct bytes original = test_file(files[file]);
        uint8_t copy[4096];
        REQUIRE(original.size < sizeof(copy));
        memcpy(copy, original.data, original.size);
        struct x509_certificate changed;
        for (size_t i = 0; i < original.size; i++) {
            for (unsigned bit = 0; bit < 8; bit += 3) {
                copy[i] ^= (uint8_t)(1 << bit);
                CHECK_NOTE(!x509_parse(&changed, bytes_of(copy, original.size), &error) ||
                               !x509_chain_verify(&changed, 1, &issuer, NOW_S, &fault, &error),
                           "%s byte %zu bit %u", files[file], i, bit);
                copy[i] ^= (uint8_t)(1 << bit);
            }
            CHECK(!x509_parse(&changed, bytes_of(copy, i), &error));
        }
        REQUIRE(x509_parse(&issuer, original, &error));
    }
}

/* A certificate that its own key signed, with an algorithm. */
static bool holds(const struct fixture_key *key, enum fixture_algorithm algorithm, bool *is_read)
{
    struct error error;
    AUTO_BUFFER struct buffer der;
    buffer_init(&der, X509_SIZE_MAX);
    fixture_certificate(&der,
                        &(struct fixture_certificate){ .issuer = "self",
                                                       .subject = "self",
                                                       .not_before_s = NOW_S - DAY_S,
                                                       .not_after_s = NOW_S + DAY_S,
                                                       .constraints = FIXTURE_CA },
                        key, key, algorithm);
    struct x509_certificate certificate;
    *is_read = x509_parse(&certificate, buffer_view(&der), &error);
    return *is_read && x509_signature_verify(&certificate, &certificate.key, &error);
}

static void takes_no_other_parameters(void)
{
    AUTO(fixture_key) struct fixture_key *rsa = fixture_key_new(PUBLIC_KEY_RSA, 2048);
    AUTO(fixture_key) struct fixture_key *p384 = fixture_key_new(PUBLIC_KEY_P384, 0);
    AUTO(fixture_key) struct fixture_key *p256 = fixture_key_new(PUBLIC_KEY_P256, 0);
    bool is_read;
    CHECK(holds(p256, FIXTURE_ECDSA, &is_read));
    CHECK(holds(p384, FIXTURE_ECDSA, &is_read));
    CHECK(holds(rsa, FIXTURE_PSS, &is_read));
    CHECK(holds(rsa, FIXTURE_PSS_TRAILER, &is_read));
    static const enum fixture_algorithm unknown[] = { FIXTURE_PSS_SALT_32, FIXTURE_PSS_SHA256,
                                                      FIXTURE_PSS_DEFAULTS, FIXTURE_PKCS1 };
    for (size_t i = 0; i < ARRAY_COUNT(unknown); i++) {
        CHECK(!holds(rsa, unknown[i], &is_read));
        CHECK_NOTE(!is_read, "algorithm %zu", i);
    }
    CHECK(!holds(rsa, FIXTURE_PSS_SALT_32_LIED, &is_read));
    CHECK(is_read);
}

static void takes_no_weak_rsa_key(void)
{
    bool is_read;
    AUTO(fixture_key) struct fixture_key *small = fixture_key_new(PUBLIC_KEY_RSA, 1024);
    CHECK(!holds(small, FIXTURE_PSS, &is_read));
    CHECK(!is_read);
    AUTO(fixture_key) struct fixture_key *good = fixture_key_new(PUBLIC_KEY_RSA, 2048);
    struct bytes spki = fixture_key_spki(good);
    uint8_t copy[512];
    struct public_key key;
    memcpy(copy, spki.data, spki.size);
    REQUIRE(public_key_view_spki(&key, bytes_of(copy, spki.size)));
    CHECK_BYTES(key.exponent, BYTES_LITERAL("\x01\x00\x01"));
    copy[spki.size - 1] = 0; /* an even exponent */
    CHECK(!public_key_view_spki(&key, bytes_of(copy, spki.size)));
    copy[spki.size - 1] = 1;
    REQUIRE(public_key_view_spki(&key, bytes_of(copy, spki.size)));
    size_t last = (size_t)(key.modulus.data - copy) + key.modulus.size - 1;
    copy[last] ^= 1; /* an even modulus */
    CHECK(!public_key_view_spki(&key, bytes_of(copy, spki.size)));
}

static void keys_go_with_their_own_signatures(void)
{
    struct error error;
    AUTO(fixture_key) struct fixture_key *p384 = fixture_key_new(PUBLIC_KEY_P384, 0);
    AUTO(fixture_key) struct fixture_key *other = fixture_key_new(PUBLIC_KEY_P384, 0);
    AUTO(fixture_key) struct fixture_key *p256 = fixture_key_new(PUBLIC_KEY_P256, 0);
    struct bytes message = BYTES_LITERAL("what is signed");
    struct signature_value signature = { .kind = SIGNATURE_ECDSA_SHA384,
                                         .p384 = fixture_sign384(p384, message) };
    struct public_key key;
    struct public_key other_key;
    struct public_key small_key;
    REQUIRE(public_key_view_spki(&key, fixture_key_spki(p384)));
    REQUIRE(public_key_view_spki(&other_key, fixture_key_spki(other)));
    REQUIRE(public_key_view_spki(&small_key, fixture_key_spki(p256)));
    CHECK(public_key_verify(&key, message, &signature, &error));
    CHECK(!public_key_verify(&key, BYTES_LITERAL("what is Signed"), &signature, &error));
    CHECK(!public_key_verify(&other_key, message, &signature, &error));
    CHECK(!public_key_verify(&small_key, message, &signature, &error));
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    CHECK(public_key_equal(&key, &key));
    CHECK(!public_key_equal(&key, &other_key));
    CHECK(!public_key_equal(&key, &small_key));
    CHECK(!public_key_equal(&(struct public_key){ 0 }, &(struct public_key){ 0 }));
    struct ecdsa_public small;
    REQUIRE(ecdsa_public_from_spki(&small, fixture_key_spki(p256), &error));
    struct digest32 id = ecdsa_public_id(&small);
    struct digest32 same = public_key_id(&small_key);
    CHECK(digest32_equal(&id, &same));
    key.p384.bytes[95] ^= 1; /* off the curve */
    CHECK(!public_key_verify(&key, message, &signature, &error));
    signature.kind = SIGNATURE_ECDSA_SHA256;
    CHECK(!public_key_verify(&key, message, &signature, &error));
}

static void numbers_of_a_signature_are_in_range(void)
{
    static const uint8_t order[48] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37,
                                       0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a,
                                       0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73 };
    struct error error;
    AUTO(fixture_key) struct fixture_key *pair = fixture_key_new(PUBLIC_KEY_P384, 0);
    struct bytes message = BYTES_LITERAL("what is signed");
    struct digest48 digest = sha384_of(message);
    struct public_key key;
    REQUIRE(public_key_view_spki(&key, fixture_key_spki(pair)));
    struct ecdsa384_signature good = fixture_sign384(pair, message);
    CHECK(ecdsa384_verify(&key.p384, &digest, &good, &error));
    /* The other s, n - s, is as good. */
    struct ecdsa384_signature high = good;
    unsigned borrow = 0;
    for (size_t i = 48; i-- > 0;) {
        unsigned value = 256U + order[i] - good.bytes[48 + i] - borrow;
        high.bytes[48 + i] = (uint8_t)value;
        borrow = value < 256 ? 1 : 0;
    }
    CHECK(ecdsa384_verify(&key.p384, &digest, &high, &error));
    for (size_t part = 0; part < 2; part++) {
        struct ecdsa384_signature wrong = good;
        memset(wrong.bytes + 48 * part, 0, 48);
        CHECK(!ecdsa384_verify(&key.p384, &digest, &wrong, &error));
        memcpy(wrong.bytes + 48 * part, order, 48);
        CHECK(!ecdsa384_verify(&key.p384, &digest, &wrong, &error));
        memset(wrong.bytes + 48 * part, 0xff, 48);
        CHECK(!ecdsa384_verify(&key.p384, &digest, &wrong, &error));
    }
}

static const struct test tests[] = {
    TEST(verifies_real_chains_of_all_kinds), TEST(refuses_every_change_of_a_real_chain),
    TEST(takes_no_other_parameters),         TEST(takes_no_weak_rsa_key),
    TEST(keys_go_with_their_own_signatures), TEST(numbers_of_a_signature_are_in_range),
};
TEST_MAIN(tests)
