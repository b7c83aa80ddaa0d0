/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/aead.h"

#include "core/hex.h"
#include "crypto/limits.h"
#include "crypto/random.h"
#include "tests/harness.h"

#include <string.h>

/* The AES-256 cases with 96-bit nonces of the GCM submission to NIST (13, 14, 16). */
static const struct {
    const char *key;
    const char *nonce;
    const char *plain;
    const char *associated;
    const char *sealed;
} vectors[] = {
    { "0000000000000000000000000000000000000000000000000000000000000000",
      "000000000000000000000000", "", "", "530f8afbc74536b9a963b4f1c4cb738b" },
    { "0000000000000000000000000000000000000000000000000000000000000000",
      "000000000000000000000000", "00000000000000000000000000000000", "",
      "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919" },
    { "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
      "cafebabefacedbaddecaf888",
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
      "feedfacedeadbeeffeedfacedeadbeefabaddad2",
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
      "76fc6ece0f4e1768cddf8853bb2d551b" },
};

static struct bytes unhex(uint8_t *space, const char *text)
{
    size_t size = strlen(text) / 2;
    CHECK(hex_decode(space, size, bytes_of_string(text)));
    return bytes_of(space, size);
}

static void seals_as_the_standard_does(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(vectors); i++) {
        struct error error;
        AUTO_SECRET32 struct secret32 key;
        struct aead_nonce nonce;
        uint8_t space[4][80];
        unhex(key.bytes, vectors[i].key);
        unhex(nonce.bytes, vectors[i].nonce);
        struct bytes plain = unhex(space[0], vectors[i].plain);
        struct bytes associated = unhex(space[1], vectors[i].associated);
        struct bytes sealed = unhex(space[2], vectors[i].sealed);
        CHECK(aead_seal(space[3], &key, &nonce, plain, associated, &error));
        CHECK_BYTES(bytes_of(space[3], plain.size + AEAD_TAG_SIZE), sealed);
        CHECK(aead_open(space[3], &key, &nonce, sealed, associated, &error));
        CHECK_BYTES(bytes_of(space[3], plain.size), plain);
    }
}

static void refuses_every_change(void)
{
    struct error error;
    AUTO_SECRET32 struct secret32 key;
    random_secret32(&key);
    struct aead_nonce nonce = aead_nonce_random();
    struct bytes plain = BYTES_LITERAL("a value that must stay as it is");
    struct bytes associated = BYTES_LITERAL("its name");
    uint8_t sealed[64];
    uint8_t opened[64];
    size_t size = plain.size + AEAD_TAG_SIZE;
    REQUIRE(aead_seal(sealed, &key, &nonce, plain, associated, &error));
    for (size_t bit = 0; bit < size * 8; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        memset(opened, 0x55, sizeof(opened));
        CHECK(!aead_open(opened, &key, &nonce, bytes_of(sealed, size), associated, &error));
        CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
        /* Nothing of the forged plaintext stays behind. */
        CHECK(opened[0] == 0 && opened[plain.size - 1] == 0 && opened[plain.size] == 0x55);
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t less = 0; less < size; less++)
        CHECK(!aead_open(opened, &key, &nonce, bytes_of(sealed, less), associated, &error));
    CHECK(
        !aead_open(opened, &key, &nonce, bytes_of(sealed, size), BYTES_LITERAL("its nam"), &error));
    nonce.bytes[11] ^= 1;
    CHECK(!aead_open(opened, &key, &nonce, bytes_of(sealed, size), associated, &error));
    nonce.bytes[11] ^= 1;
    key.bytes[31] ^= 1;
    CHECK(!aead_open(opened, &key, &nonce, bytes_of(sealed, size), associated, &error));
}

static void works_in_place(void)
{
    struct error error;
    AUTO_SECRET32 struct secret32 key = { { 1 } };
    struct aead_nonce nonce = { { 2 } };
    uint8_t space[5 + AEAD_TAG_SIZE] = "hello";
    REQUIRE(aead_seal(space, &key, &nonce, bytes_of(space, 5), (struct bytes){ 0 }, &error));
    REQUIRE(aead_open(space, &key, &nonce, BYTES_OF(space), (struct bytes){ 0 }, &error));
    CHECK_BYTES(bytes_of(space, 5), BYTES_LITERAL("hello"));
}

static void refuses_what_is_too_long(void)
{
    struct error error;
    struct secret32 key = { { 1 } };
    struct aead_nonce nonce = { { 2 } };
    uint8_t byte = 0;
    struct bytes huge = bytes_of(&byte, (size_t)AEAD_SIZE_MAX + 1);
    CHECK(!aead_seal(&byte, &key, &nonce, huge, (struct bytes){ 0 }, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    CHECK(!aead_seal(&byte, &key, &nonce, (struct bytes){ 0 }, huge, &error));
    huge.size += AEAD_TAG_SIZE;
    CHECK(!aead_open(&byte, &key, &nonce, huge, (struct bytes){ 0 }, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
}

/* GCM's case 4 (AES-128) and RFC 8439 section 2.8.2: what the tag is says that all before is. */
static void seals_as_its_relatives_do(void)
{
    static const char sunscreen[] =
        "Ladies and Gentlemen of the class of '99: If I could offer you "
        "only one tip for the future, sunscreen would be it.";
    uint8_t space[80], sealed[160], associated[20], opened[160], tag[AEAD_TAG_SIZE];
    AUTO_SECRET32 struct secret32 key = { 0 };
    struct aead_nonce nonce;
    struct error error;
    (void)unhex(key.bytes, "feffe9928665731c6d6a8f9467308308");
    (void)unhex(nonce.bytes, vectors[2].nonce);
    struct bytes plain = unhex(space, vectors[2].plain);
    struct bytes more = unhex(associated, vectors[2].associated);
    REQUIRE(aead_seal_as(sealed, AEAD_AES_128_GCM, &key, &nonce, plain, more, &error));
    CHECK_BYTES(bytes_of(sealed + plain.size, AEAD_TAG_SIZE),
                unhex(tag, "5bc94fbc3221a5db94fae95ae7121a47"));
    CHECK_NUMBER(aead_key_size(AEAD_AES_128_GCM), 16);
    REQUIRE(aead_open_as(opened, AEAD_AES_128_GCM, &key, &nonce,
                         bytes_of(sealed, plain.size + AEAD_TAG_SIZE), more, &error));
    CHECK_BYTES(bytes_of(opened, plain.size), plain);

    (void)unhex(key.bytes, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
    (void)unhex(nonce.bytes, "070000004041424344454647");
    more = unhex(associated, "50515253c0c1c2c3c4c5c6c7");
    plain = bytes_of_string(sunscreen);
    REQUIRE(aead_seal_as(sealed, AEAD_CHACHA20_POLY1305, &key, &nonce, plain, more, &error));
    CHECK_BYTES(bytes_of(sealed + plain.size, AEAD_TAG_SIZE),
                unhex(tag, "1ae10b594f09e26a7e902ecbd0600691"));
    sealed[3] ^= 1;
    CHECK(!aead_open_as(opened, AEAD_CHACHA20_POLY1305, &key, &nonce,
                        bytes_of(sealed, plain.size + AEAD_TAG_SIZE), more, &error));
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
}

static const struct test tests[] = {
    TEST(seals_as_the_standard_does), TEST(seals_as_its_relatives_do),
    TEST(refuses_every_change),       TEST(works_in_place),
    TEST(refuses_what_is_too_long),
};
TEST_MAIN(tests)
