/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/function_key.h"

#include "core/hex.h"
#include "crypto/ecdsa.h"
#include "crypto/ed25519.h"
#include "crypto/hpke.h"
#include "crypto/jws.h"
#include "crypto/secp256k1.h"
#include "crypto/test_small_order.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct secret32 root;

static struct key_place place_of(enum key_algorithm algorithm, const char *path)
{
    struct key_place place = { .application = "shop",
                               .owner = { { 0xab } },
                               .algorithm = algorithm };
    snprintf(place.path, sizeof(place.path), "%s", path);
    memset(root.bytes, 0x0b, sizeof(root.bytes));
    return place;
}

static const char *public_text(const struct key_place *place)
{
    static char text[2 * KEY_PUBLIC_SIZE_MAX + 1];
    struct key_public key = { .size = 0 };
    struct error error;
    CHECK(function_key_public(&key, &root, place, &error));
    hex_encode(text, bytes_of(key.bytes, key.size));
    return text;
}

static const char *sign_text(const struct key_place *place, bool is_digest, struct bytes message)
{
    static char text[2 * KEY_SIGNATURE_SIZE_MAX + 1];
    AUTO_BUFFER struct buffer signature;
    struct error error;
    buffer_init(&signature, KEY_SIGNATURE_SIZE_MAX);
    if (!function_key_sign(&signature, &root, place, is_digest, message, &error))
        return error_name(error.code);
    hex_encode(text, buffer_view(&signature));
    return text;
}

/* Computed apart from this code, with Python's hmac and cryptography. */
static void keys_are_those_documented(void)
{
    struct key_place place = place_of(KEY_ALGORITHM_P256, "oracle");
    CHECK_STRING(public_text(&place),
                 "043be65cb44125f25786194d8307d61cfa443ad4009af9d57a1274eda9938e60"
                 "d702432120f7b4996beec37a8db322069a0b5fc8430b777fcd10a072ec275be3b8");
    place.algorithm = KEY_ALGORITHM_SECP256K1;
    CHECK_STRING(public_text(&place),
                 "04d3866e86a1b37d94c26a7221b014c2903aac393df5933a1e8760bc463075ab"
                 "d225cd0c59172bd59be63933edab86d67d2e5c7149896c7f550972ae911535f7b9");
    place.algorithm = KEY_ALGORITHM_ED25519;
    CHECK_STRING(public_text(&place),
                 "ce23b2e4a130f5b4a23d7734bbd82615637f651b7a8d6dc19642cf34971713b8");
    CHECK_STRING(sign_text(&place, false, BYTES_LITERAL("hello")),
                 "fba259b61ef39293e5fb481b8d80403aca94927977013813c9657d64649a67e0"
                 "4899671e1bc1cf5910be4c0028eb80a991bbd94ed4dc1bdc2cf87ce9a5e91b05");
    place.algorithm = KEY_ALGORITHM_X25519;
    CHECK_STRING(public_text(&place),
                 "9a82de4377a2f3cf8885518e4a371ea419b067bee0e1ec8d3e76919477aaed1b");
    place.algorithm = KEY_ALGORITHM_HKDF;
    CHECK_STRING(public_text(&place), "");
    AUTO_BUFFER struct buffer derived;
    struct error error;
    char text[97];
    buffer_init(&derived, 4096);
    REQUIRE(function_key_derive(&derived, &root, &place, 48, &error));
    hex_encode(text, buffer_view(&derived));
    CHECK_STRING(text, "8a0b46bdad37a05fa32535df8420caa4291820f0af84073d"
                       "66c980b9ccf4f3deadcc30141e72bd7f408dfe35aa70b62b");
}

static void whatever_differs_makes_another_key(void)
{
    for (int number = KEY_ALGORITHM_P256; number <= KEY_ALGORITHM_X25519; number++) {
        struct key_place place = place_of((enum key_algorithm)number, "a");
        char first[2 * KEY_PUBLIC_SIZE_MAX + 1];
        snprintf(first, sizeof(first), "%s", public_text(&place));
        struct key_place others[] = { place, place, place, place };
        snprintf(others[0].path, sizeof(others[0].path), "a/b");
        snprintf(others[1].application, sizeof(others[1].application), "shop2");
        others[2].owner.bytes[31] = 1; /* another owner's application of the same name */
        snprintf(others[3].application, sizeof(others[3].application), "sho");
        for (size_t i = 0; i < ARRAY_COUNT(others); i++)
            CHECK(strcmp(public_text(&others[i]), first) != 0);
        CHECK_STRING(public_text(&place), first);
        root.bytes[0] ^= 1;
        CHECK(strcmp(public_text(&place), first) != 0);
        root.bytes[0] ^= 1;
        struct digest32 digest = function_key_digest(&place),
                        other = function_key_digest(&others[0]);
        CHECK(!digest32_equal(&digest, &other));
    }
}

static void signatures_hold_under_the_public_half(void)
{
    struct bytes message = BYTES_LITERAL("price of neo: 12.5");
    struct digest32 digest = sha256_of(message);
    struct key_place place = place_of(KEY_ALGORITHM_P256, "oracle");
    AUTO_BUFFER struct buffer signature;
    struct key_public key;
    struct error error;
    buffer_init(&signature, 1000);
    REQUIRE(function_key_public(&key, &root, &place, &error) &&
            function_key_sign(&signature, &root, &place, false, message, &error));
    struct ecdsa_public p256;
    struct ecdsa_signature p256_signature;
    REQUIRE(key.size == 65 && key.bytes[0] == 4 && signature.size == 64);
    memcpy(p256.bytes, key.bytes + 1, 64);
    memcpy(p256_signature.bytes, signature.data, 64);
    CHECK(ecdsa_verify(&p256, &digest, &p256_signature, &error));
    char hashed[129];
    snprintf(hashed, sizeof(hashed), "%s", sign_text(&place, false, message));
    CHECK_STRING(sign_text(&place, true, BYTES_OF(digest.bytes)), hashed);

    place.algorithm = KEY_ALGORITHM_SECP256K1;
    buffer_clear(&signature);
    REQUIRE(function_key_public(&key, &root, &place, &error) &&
            function_key_sign(&signature, &root, &place, true, BYTES_OF(digest.bytes), &error));
    struct secp256k1_public recovered;
    struct secp256k1_signature made;
    REQUIRE(signature.size == 65);
    memcpy(made.bytes, signature.data, 64);
    made.recovery = signature.data[64];
    REQUIRE(secp256k1_recover(&recovered, &digest, &made, &error));
    CHECK_BYTES(BYTES_OF(recovered.bytes), bytes_of(key.bytes + 1, 64));

    place.algorithm = KEY_ALGORITHM_ED25519;
    buffer_clear(&signature);
    REQUIRE(function_key_public(&key, &root, &place, &error) &&
            function_key_sign(&signature, &root, &place, false, (struct bytes){ 0 }, &error));
    struct ed25519_public ed25519;
    struct ed25519_signature ed25519_signature;
    REQUIRE(key.size == 32 && signature.size == 64);
    memcpy(ed25519.bytes, key.bytes, 32);
    memcpy(ed25519_signature.bytes, signature.data, 64);
    CHECK(ed25519_verify(ed25519.bytes, (struct bytes){ 0 }, BYTES_OF(ed25519_signature.bytes),
                         &error));
}

static void algorithms_do_what_they_can(void)
{
    static const uint8_t digest[33] = { 1 };
    struct key_place place = place_of(KEY_ALGORITHM_ED25519, "a");
    AUTO_BUFFER struct buffer target;
    struct error error;
    buffer_init(&target, 1 << 20);
    CHECK_STRING(sign_text(&place, true, bytes_of(digest, 32)), "unsupported");
    CHECK(!function_key_derive(&target, &root, &place, 32, &error));
    CHECK_NUMBER(error.code, ERROR_UNSUPPORTED);
    place.algorithm = KEY_ALGORITHM_X25519;
    CHECK_STRING(sign_text(&place, false, BYTES_LITERAL("x")), "unsupported");
    place.algorithm = KEY_ALGORITHM_HKDF;
    CHECK_STRING(sign_text(&place, false, BYTES_LITERAL("x")), "unsupported");
    CHECK(!function_key_derive(&target, &root, &place, 0, &error) && error.code == ERROR_INVALID);
    CHECK(!function_key_derive(&target, &root, &place, KEY_DERIVED_SIZE_MAX + 1, &error));
    CHECK(function_key_derive(&target, &root, &place, KEY_DERIVED_SIZE_MAX, &error));
    CHECK_NUMBER(target.size, KEY_DERIVED_SIZE_MAX);
    place.algorithm = KEY_ALGORITHM_P256;
    CHECK_STRING(sign_text(&place, true, bytes_of(digest, 31)), "invalid");
    CHECK_STRING(sign_text(&place, true, bytes_of(digest, 33)), "invalid");
    CHECK_STRING(sign_text(&place, true, (struct bytes){ 0 }), "invalid");
    CHECK(strlen(sign_text(&place, false, (struct bytes){ 0 })) == 128);
    place.path[0] = '\0';
    CHECK_STRING(sign_text(&place, false, BYTES_LITERAL("x")), "invalid");
    snprintf(place.path, sizeof(place.path), "a b");
    CHECK_STRING(sign_text(&place, false, BYTES_LITERAL("x")), "invalid");
    enum key_algorithm algorithm;
    CHECK(!key_algorithm_of_number(&algorithm, 0) && !key_algorithm_of_number(&algorithm, 6) &&
          !key_algorithm_of_number(&algorithm, UINT64_MAX));
}

static void names_are_checked(void)
{
    static const char *const good[] = { "p256:oracle", "secp256k1:a/b/c", "ed25519:_", "x25519:9",
                                        "hkdf:Tokens.2026-11" };
    static const char *const bad[] = { "",        "p256",     "p256:",         ":a",
                                       "P256:a",  "p256:a b", "p384:a",        "p256:a:b",
                                       "rsa:a",   "oracle",   "p256:\xc3\xbc", "p256:\xff",
                                       "hkdf :a", "p256:a\n" };
    struct error error;
    char longest[200] = "secp256k1:";
    for (size_t i = 0; i < ARRAY_COUNT(good); i++)
        CHECK_NOTE(key_name_check(bytes_of_string(good[i]), &error), "%s", good[i]);
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        CHECK_NOTE(!key_name_check(bytes_of_string(bad[i]), &error), "%s", bad[i]);
    memset(longest + 10, 'x', KEY_PATH_SIZE_MAX);
    CHECK(key_name_check(bytes_of_string(longest), &error));
    longest[10 + KEY_PATH_SIZE_MAX] = 'x';
    CHECK(!key_name_check(bytes_of_string(longest), &error));
}

struct envelope {
    uint8_t encapsulated[32];
    uint8_t text[64];
    size_t size;
};

static void envelope_make(struct envelope *envelope, const struct key_place *place,
                          const char *info, const char *associated, const char *plain)
{
    struct key_public key;
    struct x25519_public recipient, encapsulated;
    AUTO_HPKE_CONTEXT struct hpke_context context = { 0 };
    struct hpke_setup setup = { .aead = AEAD_AES_256_GCM, .info = bytes_of_string(info) };
    struct error error;
    REQUIRE(function_key_public(&key, &root, place, &error) && key.size == 32);
    memcpy(recipient.bytes, key.bytes, 32);
    REQUIRE(hpke_setup_sender(&context, &encapsulated, &setup, &recipient, &error) &&
            hpke_seal(&context, envelope->text, bytes_of_string(plain), bytes_of_string(associated),
                      &error));
    memcpy(envelope->encapsulated, encapsulated.bytes, 32);
    envelope->size = strlen(plain) + 16;
}

static bool opens(const struct key_place *place, const struct envelope *envelope, const char *info,
                  const char *associated, size_t size)
{
    AUTO_BUFFER struct buffer plain;
    struct error error = { 0 };
    struct key_sealed sealed = { bytes_of_string(info), BYTES_OF(envelope->encapsulated),
                                 bytes_of_string(associated), bytes_of(envelope->text, size) };
    buffer_init(&plain, 1000);
    bool done = function_key_open(&plain, &root, place, &sealed, &error);
    CHECK(done ||
          (plain.size == 0 && (error.code == ERROR_UNVERIFIED || error.code == ERROR_INVALID)));
    return done && bytes_equal_string(buffer_view(&plain), "for the shop");
}

static void what_was_sealed_to_the_key_opens(void)
{
    struct key_place place = place_of(KEY_ALGORITHM_X25519, "inbox"), other = place;
    struct envelope envelope;
    envelope_make(&envelope, &place, "orders", "no. 7", "for the shop");
    CHECK(opens(&place, &envelope, "orders", "no. 7", envelope.size));
    CHECK(!opens(&place, &envelope, "order", "no. 7", envelope.size));
    CHECK(!opens(&place, &envelope, "orders", "no. 8", envelope.size));
    CHECK(!opens(&place, &envelope, "orders", "", envelope.size));
    snprintf(other.path, sizeof(other.path), "outbox");
    CHECK(!opens(&other, &envelope, "orders", "no. 7", envelope.size));
    for (size_t size = 0; size < envelope.size; size++)
        CHECK(!opens(&place, &envelope, "orders", "no. 7", size));
    for (size_t i = 0; i < 32; i++) {
        envelope.encapsulated[i] ^= 1;
        CHECK(!opens(&place, &envelope, "orders", "no. 7", envelope.size));
        envelope.encapsulated[i] ^= 1;
    }
    memset(envelope.encapsulated, 0, 32); /* a point of small order */
    CHECK(!opens(&place, &envelope, "orders", "no. 7", envelope.size));
    AUTO_BUFFER struct buffer plain;
    struct error error;
    buffer_init(&plain, 1000);
    struct key_sealed sealed = { .encapsulated = bytes_of(envelope.encapsulated, 31),
                                 .text = bytes_of(envelope.text, envelope.size) };
    CHECK(!function_key_open(&plain, &root, &place, &sealed, &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
    static const uint8_t info[1025];
    sealed.encapsulated = BYTES_OF(envelope.encapsulated);
    sealed.info = BYTES_OF(info);
    CHECK(!function_key_open(&plain, &root, &place, &sealed, &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
}

/* Whatever a digest is, also above the order of the curve, what is made of it holds. */
static void any_digest_is_signed(void)
{
    static const char *const digests[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
    };
    struct key_place p256 = place_of(KEY_ALGORITHM_P256, "k"),
                     k1 = place_of(KEY_ALGORITHM_SECP256K1, "k");
    struct key_public key;
    struct error error;
    for (size_t i = 0; i < ARRAY_COUNT(digests); i++) {
        struct digest32 digest;
        struct ecdsa_public public_key;
        struct ecdsa_signature signature;
        struct secp256k1_public k1_key;
        struct secp256k1_signature k1_signature;
        REQUIRE(hex_decode(digest.bytes, sizeof(digest.bytes), bytes_of_string(digests[i])));
        REQUIRE(function_key_public(&key, &root, &p256, &error));
        memcpy(public_key.bytes, key.bytes + 1, sizeof(public_key.bytes));
        REQUIRE(hex_decode(signature.bytes, sizeof(signature.bytes),
                           bytes_of_string(sign_text(&p256, true, BYTES_OF(digest.bytes)))));
        CHECK(ecdsa_verify(&public_key, &digest, &signature, &error));
        REQUIRE(function_key_public(&key, &root, &k1, &error));
        memcpy(k1_key.bytes, key.bytes + 1, sizeof(k1_key.bytes));
        REQUIRE(hex_decode(k1_signature.bytes, sizeof(k1_signature.bytes),
                           bytes_part(bytes_of_string(sign_text(&k1, true, BYTES_OF(digest.bytes))),
                                      0, 2 * sizeof(k1_signature.bytes))));
        CHECK(secp256k1_verify(&k1_key, &digest, &k1_signature, &error)); /* the lower half too */
    }
}

static void fewer_bytes_are_the_beginning_of_more(void)
{
    static const uint32_t sizes[] = { 1, 31, 32, 33, 64, 1023, KEY_DERIVED_SIZE_MAX };
    struct key_place place = place_of(KEY_ALGORITHM_HKDF, "k");
    AUTO_BUFFER struct buffer longest;
    struct error error;
    buffer_init(&longest, KEY_DERIVED_SIZE_MAX);
    REQUIRE(function_key_derive(&longest, &root, &place, KEY_DERIVED_SIZE_MAX, &error));
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        AUTO_BUFFER struct buffer part;
        buffer_init(&part, KEY_DERIVED_SIZE_MAX);
        REQUIRE(function_key_derive(&part, &root, &place, sizes[i], &error));
        CHECK_BYTES(buffer_view(&part), bytes_part(buffer_view(&longest), 0, sizes[i]));
    }
}

/* Parts of a name that read the same when they are put together. */
static void names_do_not_run_into_each_other(void)
{
    static const struct {
        const char *application, *path;
    } rows[] = { { "shop", "a" },      { "shop", "aa" },   { "shopa", "a" },     { "sho", "pa" },
                 { "shop", "p256/a" }, { "shop", "256a" }, { "shop", "ed25519" } };
    struct digest32 seen[2 * ARRAY_COUNT(rows)];
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        for (int algorithm = KEY_ALGORITHM_P256; algorithm <= KEY_ALGORITHM_SECP256K1;
             algorithm++) {
            struct key_place place = place_of((enum key_algorithm)algorithm, rows[i].path);
            snprintf(place.application, sizeof(place.application), "%s", rows[i].application);
            seen[count] = sha256_of(bytes_of_string(public_text(&place)));
            for (size_t j = 0; j < count; j++)
                CHECK(!digest32_equal(&seen[count], &seen[j]));
            count++;
        }
    }
}

/* A capsule that makes the shared secret known to everybody, under each of its names. */
static void capsules_of_small_order_open_nothing(void)
{
    struct key_place place = place_of(KEY_ALGORITHM_X25519, "inbox");
    for (size_t i = 0; i < 2 * ARRAY_COUNT(small_order); i++) {
        struct envelope envelope = { .size = 28 };
        REQUIRE(hex_decode(envelope.encapsulated, 32, bytes_of_string(small_order[i / 2])));
        envelope.encapsulated[31] |= (uint8_t)(i % 2 << 7);
        CHECK(!opens(&place, &envelope, "", "", envelope.size));
    }
}

static const struct test tests[] = {
    TEST(keys_are_those_documented),
    TEST(whatever_differs_makes_another_key),
    TEST(signatures_hold_under_the_public_half),
    TEST(algorithms_do_what_they_can),
    TEST(names_are_checked),
    TEST(what_was_sealed_to_the_key_opens),
    TEST(any_digest_is_signed),
    TEST(fewer_bytes_are_the_beginning_of_more),
    TEST(names_do_not_run_into_each_other),
    TEST(capsules_of_small_order_open_nothing),
};
TEST_MAIN(tests)
