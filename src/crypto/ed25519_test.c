/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ed25519.h"

#include "core/hex.h"
#include "crypto/jws.h"
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

/* RFC 8032 section 7.1, TEST 1 to 3. */
static const struct {
    const char *secret, *public_key, *message, *signature;
} vectors[] = {
    { "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
      "b46b"
      "d25bf5f0595bbe24655141438e7a100b" },
    { "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
      "1d8c"
      "387b2eaeb4302aeeb00d291612bb0c00" },
    { "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
      "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984d"
      "c659"
      "4a7c15e9716ed28dc027beceea1ec40a" },
};

static void signatures_are_those_of_the_rfc(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(vectors); i++) {
        struct secret32 secret;
        struct ed25519_public key;
        struct ed25519_signature signature;
        struct error error;
        uint8_t message[8];
        char text[129];
        size_t size = strlen(vectors[i].message) / 2;
        REQUIRE(hex_decode(secret.bytes, 32, bytes_of_string(vectors[i].secret)) &&
                hex_decode(message, size, bytes_of_string(vectors[i].message)));
        REQUIRE(ed25519_public_of(&key, &secret, &error));
        hex_encode(text, BYTES_OF(key.bytes));
        CHECK_STRING(text, vectors[i].public_key);
        REQUIRE(ed25519_sign(&signature, &secret, bytes_of(message, size), &error));
        hex_encode(text, BYTES_OF(signature.bytes));
        CHECK_STRING(text, vectors[i].signature);
        CHECK(
            ed25519_verify(key.bytes, bytes_of(message, size), BYTES_OF(signature.bytes), &error));
    }
}

static void what_is_not_a_signature_is_refused(void)
{
    /* The group's order, little-endian: s + L is another text for the same s. */
    static const uint8_t order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                       0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                       0,    0,    0,    0,    0,    0,    0,    0,
                                       0,    0,    0,    0,    0,    0,    0,    0x10 };
    struct secret32 secret = { { 3 } };
    struct ed25519_public key;
    struct ed25519_signature good, signature;
    struct error error;
    struct bytes message = BYTES_LITERAL("a message");
    REQUIRE(ed25519_public_of(&key, &secret, &error) &&
            ed25519_sign(&good, &secret, message, &error));
    for (size_t i = 0; i < sizeof(good.bytes); i++) {
        signature = good;
        signature.bytes[i] ^= 1;
        CHECK(!ed25519_verify(key.bytes, message, BYTES_OF(signature.bytes), &error));
        CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    }
    signature = good;
    unsigned carry = 0;
    for (size_t i = 0; i < 32; i++) {
        carry += (unsigned)signature.bytes[32 + i] + order[i];
        signature.bytes[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    CHECK(!ed25519_verify(key.bytes, message, BYTES_OF(signature.bytes), &error));
    CHECK(!ed25519_verify(key.bytes, BYTES_LITERAL("a messagf"), BYTES_OF(good.bytes), &error));
    CHECK(!ed25519_verify(key.bytes, (struct bytes){ 0 }, BYTES_OF(good.bytes), &error));
    key.bytes[0] ^= 1;
    CHECK(!ed25519_verify(key.bytes, message, BYTES_OF(good.bytes), &error));
}

static void messages_have_any_size(void)
{
    struct secret32 secret = { { 4 } };
    struct ed25519_public key;
    struct ed25519_signature signature;
    struct error error;
    size_t size = 300 << 10;
    uint8_t *message = calloc(1, size);
    REQUIRE(message != NULL && ed25519_public_of(&key, &secret, &error));
    CHECK(ed25519_sign(&signature, &secret, bytes_of(message, size), &error));
    CHECK(ed25519_verify(key.bytes, bytes_of(message, size), BYTES_OF(signature.bytes), &error));
    message[size - 1] = 1;
    CHECK(!ed25519_verify(key.bytes, bytes_of(message, size), BYTES_OF(signature.bytes), &error));
    free(message);
}

static const struct test tests[] = {
    TEST(signatures_are_those_of_the_rfc),
    TEST(what_is_not_a_signature_is_refused),
    TEST(messages_have_any_size),
};
TEST_MAIN(tests)
