/* SPDX-License-Identifier: Apache-2.0 */
/* Cases at the edges of signatures, in the manner of Wycheproof, made for this file: numbers out of
 * range, keys that are nearly right, encodings that are nearly right.  What standards say of the
 * values between is in each unit's own test. */
#include "core/hex.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "crypto/hpke.h"
#include "crypto/jws.h"
#include "crypto/secp256k1.h"
#include "crypto/signature_der.h"
#include "tests/harness.h"

#include <string.h>

#define ORDER256 "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define ORDER_K1 "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
#define ZERO32   "0000000000000000000000000000000000000000000000000000000000000000"
#define ONES32   "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static void unhex(void *target, size_t size, const char *text)
{
    CHECK_NOTE(hex_decode(target, size, bytes_of_string(text)), "%s", text);
}

/* ---- Ed25519 (RFC 8032) ---- */

/* Numbers below 2^256, little-endian: value + times * order. */
static void add_order(uint8_t value[32], unsigned times)
{
    uint8_t order[32];
    unsigned carry = 0;
    unhex(order, sizeof(order), "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    for (size_t i = 0; i < 32; i++) {
        carry += (unsigned)value[i] + times * order[i];
        value[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

static void ed25519_has_one_s(void)
{
    struct secret32 secret = { { 7 } };
    struct ed25519_public key;
    struct ed25519_signature good, signature;
    struct error error;
    struct bytes message = BYTES_LITERAL("message");
    REQUIRE(ed25519_public_of(&key, &secret, &error) &&
            ed25519_sign(&good, &secret, message, &error));
    for (unsigned times = 0; times < 15; times++) { /* 15 * L is above 2^255 */
        signature = good;
        add_order(signature.bytes + 32, times);
        CHECK(ed25519_verify(key.bytes, message, BYTES_OF(signature.bytes), &error) ==
              (times == 0));
    }
    for (unsigned bit = 5; bit < 8; bit++) {
        signature = good;
        signature.bytes[63] |= (uint8_t)(1 << bit);
        CHECK(!ed25519_verify(key.bytes, message, BYTES_OF(signature.bytes), &error));
    }
    static const size_t sizes[] = { 0, 1, 32, 63, 65, 128 };
    uint8_t wide[128] = { 0 };
    memcpy(wide, good.bytes, sizeof(good.bytes));
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++)
        CHECK(!ed25519_verify(key.bytes, message, bytes_of(wide, sizes[i]), &error));
}

/* Under such a key R = S * B holds for whatever message, with no private key at all. */
static void ed25519_takes_no_signature_of_a_small_key(void)
{
    static const char *const keys[] = {
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ZERO32,
        "0000000000000000000000000000000000000000000000000000000000000080",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "efffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p + 2: another name
                                                                             */
    };
    struct ed25519_signature forged = { { 1 } }; /* R: the neutral point; S: 0 */
    struct error error;
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        uint8_t key[ED25519_PUBLIC_SIZE];
        unhex(key, sizeof(key), keys[i]);
        CHECK(!ed25519_key_check(key, &error) && error.code == ERROR_INVALID);
        for (uint8_t text = 0; text < 32; text++) /* eight are enough for each order */
            CHECK(!ed25519_verify(key, bytes_of(&text, 1), BYTES_OF(forged.bytes), &error));
    }
}

/* ---- ECDSA on P-256 ---- */

static void p256_signatures_have_one_der(void)
{
    static const struct {
        const char *der;
        bool is_good;
    } rows[] = {
        { "3006020101020101", true },
        { "300702020080020101", true },  /* 128 needs its zero */
        { "3006020180020101", false },   /* a negative r */
        { "3006020101020180", false },   /* a negative s */
        { "300702020001020101", false }, /* a zero too much */
        { "300702010102020001", false }, /* a zero too much in s */
        { "3006020100020101", false },   /* r = 0 */
        { "3006020101020100", false },   /* s = 0 */
        { "30050200020101", false },     /* no digits */
        { "30050201010200", false },
        { "3003020101", false },             /* one number */
        { "3009020101020101020101", false }, /* three */
        { "3000", false },
        { "", false },
        { "30", false },
        { "300602010102010100", false }, /* something behind */
        { "3007020101020101"
          "00",
          false },                       /* something inside */
        { "308106020101020101", false }, /* a longer form of the length */
        { "30820006020101020101", false },
        { "3080020101020101"
          "0000",
          false }, /* indefinite */
        { "3006028101"
          "0101020101",
          false },
        { "300702810101020101", false }, /* a longer form inside */
        { "3106020101020101", false },   /* a set */
        { "3006030101020101", false },   /* a bit string */
        { "3006020101030101", false },
        { "3005020101020101", false }, /* too short a length */
        { "3007020101020101", false }, /* too long a one */
        { "3006020401020101", false }, /* r takes what is s's */
        { "a006020101020101", false },
        { "3026022100" ORDER256 "020101", false }, /* r = n */
        { "30260201010221"
          "00" ORDER256,
          false }, /* s = n */
        { "3026022100" ONES32 "020101", false },
        { "30270222"
          "0100" ZERO32 "020101",
          false },                               /* 34 bytes */
        { "3026022101" ZERO32 "020101", false }, /* 2^256 */
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct ecdsa_signature signature = { { 0x55 } };
        uint8_t der[128];
        size_t size = strlen(rows[i].der) / 2;
        unhex(der, size, rows[i].der);
        CHECK_NOTE(ecdsa_signature_from_der(&signature, bytes_of(der, size)) == rows[i].is_good,
                   "%s", rows[i].der);
        CHECK(rows[i].is_good || signature.bytes[0] == 0x55);
    }
}

/* The neutral point, points of other curves, coordinates that are not below p. */
static const char *const no_points[] = {
    ZERO32 ZERO32,
    ONES32 ONES32,
    /* y of x = 5 with x + p, which is below 2^256 and the same number modulo p */
    "ffffffff00000001000000000000000000000001000000000000000000000004"
    "459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc",
    "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff" /* p, for x = 0 */
    "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4",
    "0000000000000000000000000000000000000000000000000000000000000001" /* a point where b is 3 */
    "0000000000000000000000000000000000000000000000000000000000000001",
    "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798" /* secp256k1's generator */
    "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
};
#define POINT_5                                                                                    \
    "0000000000000000000000000000000000000000000000000000000000000005"                             \
    "459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc"

static void p256_takes_points_of_its_curve_only(void)
{
    struct secret32 scalar = { { 7 } }, shared = { { 0x55 } };
    struct ecdsa_public point, encapsulated;
    struct hpke_setup setup = { .aead = AEAD_AES_128_GCM };
    struct hpke_context context;
    struct error error;
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    REQUIRE(ecdsa_key_import(&key, &scalar, &error));
    unhex(point.bytes, sizeof(point.bytes), POINT_5);
    CHECK(ecdsa_public_check(&point, &error) && ecdsa_key_agree(&shared, key, &point, &error));
    shared.bytes[0] = 0x55;
    for (size_t i = 0; i < ARRAY_COUNT(no_points); i++) {
        unhex(point.bytes, sizeof(point.bytes), no_points[i]);
        CHECK_NOTE(!ecdsa_public_check(&point, &error), "%s", no_points[i]);
        CHECK(!ecdsa_key_agree(&shared, key, &point, &error) && error.code == ERROR_INVALID);
        CHECK(!hpke_p256_setup_sender(&context, &encapsulated, &setup, &point, &error));
        CHECK(!hpke_p256_setup_recipient(&context, &setup, &point, key, &error));
        CHECK_NUMBER(error.code, ERROR_INVALID);
        struct ecdsa_spki spki = ecdsa_public_to_spki(&point);
        CHECK(!ecdsa_public_from_spki(&encapsulated, BYTES_OF(spki.bytes), &error));
    }
    CHECK_NUMBER(shared.bytes[0], 0x55);
}

/* SubjectPublicKeyInfo: the head of the one form that is taken is 3059301306072a8648ce3d020106082a
 * 8648ce3d030107034200 04. */
static void p256_keys_have_one_spki(void)
{
#define ALGORITHM "301306072a8648ce3d020106082a8648ce3d030107"
    static const char *const bad[] = {
        "3039" ALGORITHM "032200" /* compressed */
        "020000000000000000000000000000000000000000000000000000000000000005",
        "3039" ALGORITHM "032200"
        "030000000000000000000000000000000000000000000000000000000000000005",
        "3059" ALGORITHM "034200"
        "06" POINT_5, /* hybrid */
        "3059" ALGORITHM "034200"
        "07" POINT_5,
        "3059" ALGORITHM "034200"
        "05" POINT_5,
        "3059" ALGORITHM "034201"
        "04" POINT_5, /* unused bits */
        "3019" ALGORITHM "030200"
        "00", /* the neutral point */
        "3058" ALGORITHM "034100"
        "04" /* a byte short */
        "0000000000000000000000000000000000000000000000000000000000000005"
        "459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fb",
        "3056301006072a8648ce3d020106052b8104000a034200"
        "04" POINT_5, /* secp256k1 */
        "3059301306072a8648ce3d020106082a8648ce3d030106034200"
        "04" POINT_5,
        "3058301206072a8648ce3d020106072a8648ce3d0301034200"
        "04" POINT_5,
        "304f300906072a8648ce3d0201034200"
        "04" POINT_5, /* no curve */
        "3051300b06072a8648ce3d02010500034200"
        "04" POINT_5, /* NULL for a curve */
    };
    uint8_t der[128];
    struct ecdsa_public key;
    struct error error;
    static const char good[] = "3059" ALGORITHM "034200"
                               "04" POINT_5;
    unhex(der, strlen(good) / 2, good);
    CHECK(ecdsa_public_from_spki(&key, bytes_of(der, strlen(good) / 2), &error));
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        unhex(der, strlen(bad[i]) / 2, bad[i]);
        CHECK_NOTE(!ecdsa_public_from_spki(&key, bytes_of(der, strlen(bad[i]) / 2), &error), "%s",
                   bad[i]);
    }
}

/* ---- ECDSA on secp256k1 ---- */

static void secp256k1_takes_numbers_in_range_only(void)
{
    static const char *const numbers[] = { ZERO32, ORDER_K1, ONES32,
                                           ("fffffffffffffffffffffffffffffffe" /* n + 1 */
                                            "baaedce6af48a03bbfd25e8cd0364142") };
    static const char *const keys[] = {
        ZERO32 ZERO32,
        ONES32 ONES32,
        "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc30" /* 1 + p */
        "4218f20ae6c646b363db68605822fb14264ca8d2587fdd6fbc750d587e76a7ee",
        "0000000000000000000000000000000000000000000000000000000000000005" /* no such x */
        "0000000000000000000000000000000000000000000000000000000000000001",
        "0000000000000000000000000000000000000000000000000000000000000005" /* of P-256 */
        "459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc",
    };
    struct secret32 scalar = { { 7 } };
    struct digest32 digest = { { 1 } };
    struct secp256k1_signature good, signature;
    struct secp256k1_public key, other;
    struct error error;
    REQUIRE(secp256k1_public_of(&key, &scalar, &error) &&
            secp256k1_sign(&good, &scalar, &digest, &error) &&
            secp256k1_verify(&key, &digest, &good, &error));
    for (size_t i = 0; i < 2 * ARRAY_COUNT(numbers); i++) {
        signature = good;
        unhex(signature.bytes + 32 * (i % 2), 32, numbers[i / 2]);
        CHECK(!secp256k1_verify(&key, &digest, &signature, &error));
        for (uint8_t recovery = 0; recovery < 4; recovery++) {
            signature.recovery = recovery;
            CHECK(!secp256k1_recover(&other, &digest, &signature, &error));
        }
    }
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        unhex(other.bytes, sizeof(other.bytes), keys[i]);
        CHECK(!secp256k1_verify(&other, &digest, &good, &error));
    }
}

/* s: half the order, rounded down, is the last one that chains take (EIP-2). */
static void secp256k1_takes_the_lower_half_only(void)
{
    static const struct {
        const char *s;
        bool is_low;
    } rows[] = {
        { "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0", true },
        { "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1", false },
        { "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140", false },
        { "0000000000000000000000000000000000000000000000000000000000000001", true },
    };
    struct digest32 digest = { { 1 } };
    struct secp256k1_public key;
    struct error error;
    struct secp256k1_signature signature = { .recovery = 0 };
    /* r: the generator's x, so that any s belongs to some key */
    unhex(signature.bytes, 32, "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        unhex(signature.bytes + 32, 32, rows[i].s);
        CHECK(secp256k1_recover(&key, &digest, &signature, &error) == rows[i].is_low);
        if (rows[i].is_low)
            CHECK(secp256k1_verify(&key, &digest, &signature, &error));
    }
    for (uint8_t round = 0; round < 200; round++) {
        struct secret32 scalar = { { 1, round } };
        digest = sha256_of(bytes_of(&round, 1));
        REQUIRE(secp256k1_sign(&signature, &scalar, &digest, &error));
        CHECK(memcmp(signature.bytes + 32,
                     "\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
                     "\xff\xff\xff\x5d\x57\x6e\x73\x57\xa4\x50\x1d\xdf"
                     "\xe9\x2f\x46\x68\x1b\x20\xa0",
                     32) <= 0);
    }
}

/* Digests at and above the order are taken modulo it: zero, and what wraps. */
static void digests_may_be_above_the_order(void)
{
    static const char *const digests[] = { ZERO32, ORDER_K1, ORDER256, ONES32 };
    struct secret32 scalar = { { 7 } };
    for (size_t i = 0; i < ARRAY_COUNT(digests); i++) {
        struct digest32 digest;
        struct secp256k1_signature signature;
        struct secp256k1_public key, recovered;
        struct error error;
        unhex(digest.bytes, sizeof(digest.bytes), digests[i]);
        REQUIRE(secp256k1_public_of(&key, &scalar, &error) &&
                secp256k1_sign(&signature, &scalar, &digest, &error));
        CHECK(secp256k1_verify(&key, &digest, &signature, &error) &&
              secp256k1_recover(&recovered, &digest, &signature, &error));
        CHECK_BYTES(BYTES_OF(recovered.bytes), BYTES_OF(key.bytes));
    }
}

static const struct test tests[] = {
    TEST(ed25519_has_one_s),
    TEST(ed25519_takes_no_signature_of_a_small_key),
    TEST(p256_signatures_have_one_der),
    TEST(p256_takes_points_of_its_curve_only),
    TEST(p256_keys_have_one_spki),
    TEST(secp256k1_takes_numbers_in_range_only),
    TEST(secp256k1_takes_the_lower_half_only),
    TEST(digests_may_be_above_the_order),
};
TEST_MAIN(tests)
