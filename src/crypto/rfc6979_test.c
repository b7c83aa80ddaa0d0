/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/rfc6979.h"

#include "core/hex.h"
#include "crypto/hash.h"
#include "tests/harness.h"

#include <string.h>

static struct secret32 scalar_of(const char *digits)
{
    struct secret32 scalar = { { 0 } };
    CHECK(hex_decode(scalar.bytes, sizeof(scalar.bytes), bytes_of_string(digits)));
    return scalar;
}

static const char *signed_text(const char *scalar_digits, struct bytes message)
{
    static char text[129];
    struct secret32 scalar = scalar_of(scalar_digits);
    struct digest32 digest = sha256_of(message);
    struct ecdsa_signature signature = { { 0 } };
    struct error error;
    CHECK(rfc6979_sign(&signature, &scalar, &digest, &error));
    hex_encode(text, BYTES_OF(signature.bytes));
    return text;
}

/* RFC 6979 appendix A.2.5. */
static const char key_of_rfc[] = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";

static void signatures_are_those_of_the_rfc(void)
{
    CHECK_STRING(signed_text(key_of_rfc, BYTES_LITERAL("sample")),
                 "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
                 "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
    CHECK_STRING(signed_text(key_of_rfc, BYTES_LITERAL("test")),
                 "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
                 "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083");
}

static void nonces_are_those_of_the_rfc(void)
{
    struct secret32 scalar = scalar_of(key_of_rfc), first, second, third;
    struct digest32 digest = sha256_of(BYTES_LITERAL("sample")); /* below n */
    struct rfc6979 generator;
    char text[65];
    rfc6979_begin(&generator, &scalar, digest.bytes);
    rfc6979_next(&generator, &first);
    hex_encode(text, BYTES_OF(first.bytes));
    CHECK_STRING(text, "a6e3c57dd01abe90086538398355dd4c3b17aa873382b0f24d6129493d8aad60");
    rfc6979_next(&generator, &second);
    rfc6979_next(&generator, &third);
    CHECK(!secret_equal(first.bytes, second.bytes, 32) &&
          !secret_equal(second.bytes, third.bytes, 32));
    rfc6979_done(&generator);
    uint8_t zeros[sizeof(generator)] = { 0 };
    CHECK(memcmp(&generator, zeros, sizeof(generator)) == 0);
}

static void edges_sign_and_verify(void)
{
    static const struct {
        const char *scalar;
        bool is_good;
    } scalars[] = {
        { "0000000000000000000000000000000000000000000000000000000000000000", false },
        { "0000000000000000000000000000000000000000000000000000000000000001", true },
        { "00000000000000000000000000000000000000000000000000000000000000ff", true },
        { "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550", true }, /* n - 1 */
        { "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", false },
        { "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false },
    };
    static const char *const digests[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", /* n: zero again */
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0000000000000000000000000000000000000000000000000000000000000001",
    };
    for (size_t i = 0; i < ARRAY_COUNT(scalars); i++) {
        struct secret32 scalar = scalar_of(scalars[i].scalar);
        AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
        struct error error;
        if (scalars[i].is_good)
            REQUIRE(ecdsa_key_import(&key, &scalar, &error));
        for (size_t j = 0; j < ARRAY_COUNT(digests); j++) {
            struct ecdsa_signature signature = { { 7 } }, again;
            struct digest32 digest;
            REQUIRE(hex_decode(digest.bytes, sizeof(digest.bytes), bytes_of_string(digests[j])));
            bool done = rfc6979_sign(&signature, &scalar, &digest, &error);
            CHECK(done == scalars[i].is_good);
            CHECK(done || (error.code == ERROR_INVALID && signature.bytes[0] == 7));
            if (!done)
                continue;
            CHECK(ecdsa_verify(ecdsa_key_public(key), &digest, &signature, &error));
            CHECK(rfc6979_sign(&again, &scalar, &digest, &error));
            CHECK_BYTES(BYTES_OF(again.bytes), BYTES_OF(signature.bytes));
            digest.bytes[31] ^= 1;
            CHECK(!ecdsa_verify(ecdsa_key_public(key), &digest, &signature, &error));
        }
    }
}

static const struct test tests[] = {
    TEST(signatures_are_those_of_the_rfc),
    TEST(nonces_are_those_of_the_rfc),
    TEST(edges_sign_and_verify),
};
TEST_MAIN(tests)
