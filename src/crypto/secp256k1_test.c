/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/secp256k1.h"

#include "core/hex.h"
#include "crypto/hash.h"
#include "tests/harness.h"

#include <string.h>

#define N "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"

static void read_hex(uint8_t *target, size_t size, const char *digits)
{
    CHECK(hex_decode(target, size, bytes_of_string(digits)));
}

static struct secret32 scalar_of(const char *digits)
{
    struct secret32 scalar = { { 0 } };
    read_hex(scalar.bytes, sizeof(scalar.bytes), digits);
    return scalar;
}

/* The vectors that wallets share for RFC 6979 on this curve, and the transaction of EIP-155. */
static void signatures_are_those_that_others_make(void)
{
    static const struct {
        const char *scalar;
        const char *message; /* NULL: the digest that follows */
        const char *digest;
        const char *signature;
        int recovery; /* -1: not said */
    } cases[] = {
        { "0000000000000000000000000000000000000000000000000000000000000001", "Satoshi Nakamoto",
          NULL,
          "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
          "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5",
          -1 },
        { "0000000000000000000000000000000000000000000000000000000000000001",
          "All those moments will be lost in time, like tears in rain. Time to die...", NULL,
          "8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b"
          "547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21",
          -1 },
        { "4646464646464646464646464646464646464646464646464646464646464646", NULL,
          "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53",
          "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"
          "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83",
          0 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct secret32 scalar = scalar_of(cases[i].scalar);
        struct secp256k1_signature signature;
        struct secp256k1_public key, recovered;
        struct digest32 digest;
        struct error error;
        char text[129];
        if (cases[i].message != NULL)
            digest = sha256_of(bytes_of_string(cases[i].message));
        else
            read_hex(digest.bytes, sizeof(digest.bytes), cases[i].digest);
        REQUIRE(secp256k1_sign(&signature, &scalar, &digest, &error));
        hex_encode(text, BYTES_OF(signature.bytes));
        CHECK_STRING(text, cases[i].signature);
        CHECK(cases[i].recovery < 0 || cases[i].recovery == signature.recovery);
        REQUIRE(secp256k1_public_of(&key, &scalar, &error));
        CHECK(secp256k1_verify(&key, &digest, &signature, &error));
        REQUIRE(secp256k1_recover(&recovered, &digest, &signature, &error));
        CHECK_BYTES(BYTES_OF(recovered.bytes), BYTES_OF(key.bytes));
    }
}

static void the_base_point_is_the_curves(void)
{
    struct secret32 one =
        scalar_of("0000000000000000000000000000000000000000000000000000000000000001");
    struct secp256k1_public key;
    struct error error;
    char text[129];
    REQUIRE(secp256k1_public_of(&key, &one, &error));
    hex_encode(text, BYTES_OF(key.bytes));
    CHECK_STRING(text, "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
                       "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8");
}

static void scalars_out_of_range_are_refused(void)
{
    static const char *const bad[] = {
        "0000000000000000000000000000000000000000000000000000000000000000", N,
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    };
    struct digest32 digest = { { 1 } };
    struct secp256k1_signature signature;
    struct secp256k1_public key;
    struct error error;
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct secret32 scalar = scalar_of(bad[i]);
        CHECK(!secp256k1_is_scalar(&scalar));
        CHECK(!secp256k1_sign(&signature, &scalar, &digest, &error) && error.code == ERROR_INVALID);
        CHECK(!secp256k1_public_of(&key, &scalar, &error) && error.code == ERROR_INVALID);
    }
    struct secret32 last =
        scalar_of("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140");
    CHECK(secp256k1_is_scalar(&last) && secp256k1_sign(&signature, &last, &digest, &error));
}

/* s of the upper half: n - s verifies in theory and is refused. */
static void negate(uint8_t s[32])
{
    uint8_t n[32];
    int borrow = 0;
    read_hex(n, sizeof(n), N);
    for (int i = 31; i >= 0; i--) {
        int byte = n[i] - s[i] - borrow;
        borrow = byte < 0;
        s[i] = (uint8_t)(byte + 256 * borrow);
    }
}

static void what_is_not_a_signature_is_refused(void)
{
    struct secret32 scalar =
        scalar_of("4646464646464646464646464646464646464646464646464646464646464646");
    struct secp256k1_public key, off, recovered;
    struct secp256k1_signature good, signature;
    struct error error;
    for (uint8_t round = 0; round < 20; round++) {
        struct digest32 digest = sha256_of(bytes_of(&round, 1));
        REQUIRE(secp256k1_public_of(&key, &scalar, &error) &&
                secp256k1_sign(&good, &scalar, &digest, &error));
        CHECK(good.bytes[32] < 0x80); /* the lower half */
        CHECK(secp256k1_verify(&key, &digest, &good, &error));
        for (size_t i = 0; i < 64; i++) {
            signature = good;
            signature.bytes[i] ^= 1;
            CHECK(!secp256k1_verify(&key, &digest, &signature, &error));
        }
        signature = good;
        negate(signature.bytes + 32);
        CHECK(!secp256k1_verify(&key, &digest, &signature, &error));
        signature = good;
        memset(signature.bytes, 0, 32);
        CHECK(!secp256k1_verify(&key, &digest, &signature, &error));
        signature = good;
        read_hex(signature.bytes, 32, N);
        CHECK(!secp256k1_verify(&key, &digest, &signature, &error));
        off = key;
        off.bytes[63] ^= 1;
        CHECK(!secp256k1_verify(&off, &digest, &good, &error));
        signature = good;
        signature.recovery ^= 1;
        CHECK(!secp256k1_recover(&recovered, &digest, &signature, &error) ||
              memcmp(recovered.bytes, key.bytes, 64) != 0);
        signature.recovery = 4;
        CHECK(!secp256k1_recover(&recovered, &digest, &signature, &error));
    }
}

static const struct test tests[] = {
    TEST(signatures_are_those_that_others_make),
    TEST(the_base_point_is_the_curves),
    TEST(scalars_out_of_range_are_refused),
    TEST(what_is_not_a_signature_is_refused),
};
TEST_MAIN(tests)
