/* SPDX-License-Identifier: Apache-2.0 */
/* Cases at the edges of key agreement, HPKE and HKDF, in the manner of Wycheproof, made for this
 * file: points of small order and with several names, empty values, cut tags, other suites, lengths
 * at their limits.  What standards say of the values between is in each unit's own test. */
#include "core/hex.h"
#include "crypto/hpke.h"
#include "crypto/limits.h"
#include "crypto/mac.h"
#include "crypto/ohttp.h"
#include "crypto/test_small_order.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

#define ZERO32 "0000000000000000000000000000000000000000000000000000000000000000"
#define ONES32 "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static void unhex(void *target, size_t size, const char *text)
{
    CHECK_NOTE(hex_decode(target, size, bytes_of_string(text)), "%s", text);
}

/* ---- X25519 (RFC 7748) ---- */

static struct secret32 agreed(const char *scalar, const char *point)
{
    struct secret32 key, shared = { { 0 } };
    struct x25519_public peer;
    struct error error = { 0 };
    unhex(key.bytes, sizeof(key.bytes), scalar);
    unhex(peer.bytes, sizeof(peer.bytes), point);
    CHECK_NOTE(x25519_agree(&shared, &key, &peer, &error), "%s: %s", point, error.text);
    return shared;
}

static void check_agreed(const char *scalar, const char *point, const char *expected)
{
    struct secret32 shared = agreed(scalar, point);
    char text[65];
    hex_encode(text, BYTES_OF(shared.bytes));
    CHECK_STRING(text, expected);
}

/* Section 5.2; the second point has its highest bit set, which does not count. */
static void x25519_multiplies_as_the_rfc_does(void)
{
    check_agreed("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                 "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
                 "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
    check_agreed("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                 "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
                 "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
    struct secret32 key = { { 9 } };
    struct x25519_public point = { { 9 } };
    for (unsigned i = 0; i < 1000; i++) {
        struct secret32 next;
        struct error error;
        REQUIRE(x25519_agree(&next, &key, &point, &error));
        memcpy(point.bytes, key.bytes, sizeof(point.bytes));
        key = next;
    }
    char text[65];
    hex_encode(text, BYTES_OF(key.bytes));
    CHECK_STRING(text, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

static void points_of_small_order_are_refused_everywhere(void)
{
    struct secret32 key = { { 7 } };
    struct x25519_public own;
    struct error error;
    REQUIRE(x25519_public_of(&own, &key, &error));
    for (size_t i = 0; i < 2 * ARRAY_COUNT(small_order); i++) {
        struct x25519_public point, encapsulated;
        struct secret32 shared = { { 1 } };
        struct hpke_context context;
        unhex(point.bytes, sizeof(point.bytes), small_order[i / 2]);
        point.bytes[31] |= (uint8_t)(i % 2 << 7);
        CHECK(!x25519_agree(&shared, &key, &point, &error) && error.code == ERROR_INVALID);
        CHECK(shared.bytes[0] == 1);
        struct hpke_setup setup = { .aead = AEAD_AES_256_GCM };
        CHECK(!hpke_setup_sender(&context, &encapsulated, &setup, &point, &error));
        CHECK(!hpke_setup_recipient(&context, &setup, &point, &key, &error));
        CHECK(!ohttp_context_make(&context, 1, AEAD_AES_256_GCM, &point, &key, &error));
        setup.sender_public = &point; /* auth mode: the sender's key counts too */
        CHECK(!hpke_setup_recipient(&context, &setup, &own, &key, &error));
        CHECK_NUMBER(error.code, ERROR_INVALID);
    }
}

/* Points between p and 2^255 are taken modulo p, as the RFC demands; points of the twist count. */
static void points_have_several_names(void)
{
    /* Made with a ladder written anew in Python. */
    static const struct {
        const char *point, *shared;
    } rows[] = {
        { "0200000000000000000000000000000000000000000000000000000000000000", /* of the twist */
          "0989cc65eeda6d8051c96629f916d2b8d947e68219702d29a3efd3438698590a" },
        { "0400000000000000000000000000000000000000000000000000000000000000",
          "6e4da8bed22882bdc8b0407ccbad45ced8f9bac3e79657474b457a3263627b6d" },
        { "0900000000000000000000000000000000000000000000000000000000000000",
          "07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c" },
        { "ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p - 2 */
          "900044c44698ad4a9c9cfc045928ef320fb8fa7c5a8b5a6c51f7197d0b359248" },
    };
    static const char scalar[] = "0102030405060708090a0b0c0d0e0f10"
                                 "1112131415161718191a1b1c1d1e1f20";
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        check_agreed(scalar, rows[i].point, rows[i].shared);
    for (unsigned low = 2; low <= 18; low++) {
        char canonical[65], other[65];
        snprintf(canonical, sizeof(canonical), "%02x%.62s", low, ZERO32);
        snprintf(other, sizeof(other), "%02x%.60s7f", 0xed + low, ONES32);
        struct secret32 one = agreed(scalar, canonical), two = agreed(scalar, other);
        CHECK(secret_equal(&one, &two, sizeof(one)));
        snprintf(other, sizeof(other), "%02x%.60s80", low, ZERO32);
        two = agreed(scalar, other);
        CHECK(secret_equal(&one, &two, sizeof(one)));
    }
    /* Bits of a scalar that do not count. */
    struct secret32 whole = agreed("0702030405060708090a0b0c0d0e0f10"
                                   "1112131415161718191a1b1c1d1e1fe0",
                                   rows[2].point);
    struct secret32 clamped = agreed("0002030405060708090a0b0c0d0e0f10"
                                     "1112131415161718191a1b1c1d1e1f60",
                                     rows[2].point);
    CHECK(secret_equal(&whole, &clamped, sizeof(whole)));
}

/* ---- HPKE (RFC 9180) and the encapsulation of RFC 9458 ---- */

static const enum aead_kind aeads[] = { AEAD_AES_128_GCM, AEAD_AES_256_GCM,
                                        AEAD_CHACHA20_POLY1305 };

struct message {
    struct x25519_public encapsulated;
    uint8_t sealed[64];
    size_t size;
};

static void message_make(struct message *message, const struct hpke_setup *setup,
                         struct bytes plain, struct bytes associated)
{
    struct secret32 key = { { 7 } };
    struct x25519_public recipient;
    struct hpke_context context;
    struct error error;
    REQUIRE(x25519_public_of(&recipient, &key, &error) &&
            hpke_setup_sender(&context, &message->encapsulated, setup, &recipient, &error) &&
            hpke_seal(&context, message->sealed, plain, associated, &error));
    message->size = plain.size + AEAD_TAG_SIZE;
}

static bool message_opens(const struct message *message, const struct hpke_setup *setup,
                          struct bytes associated, size_t size)
{
    struct secret32 key = { { 7 } };
    struct hpke_context context;
    struct error error = { 0 };
    uint8_t plain[64];
    bool is_set_up = hpke_setup_recipient(&context, setup, &message->encapsulated, &key, &error);
    CHECK(is_set_up);
    bool done = is_set_up &&
                hpke_open(&context, plain, bytes_of(message->sealed, size), associated, &error);
    CHECK(done || error.code == ERROR_UNVERIFIED);
    return done;
}

static void nothing_is_a_value_too(void)
{
    static const struct bytes nothing = { 0 }, zero = BYTES_LITERAL("\0");
    for (size_t i = 0; i < ARRAY_COUNT(aeads); i++) {
        struct hpke_setup setup = { .aead = aeads[i] }, named = setup;
        struct message message;
        named.info = zero;
        message_make(&message, &setup, nothing, nothing);
        CHECK_NUMBER(message.size, AEAD_TAG_SIZE);
        CHECK(message_opens(&message, &setup, nothing, message.size));
        CHECK(!message_opens(&message, &setup, zero, message.size));
        CHECK(!message_opens(&message, &named, nothing, message.size));
        message_make(&message, &named, zero, zero);
        CHECK(message_opens(&message, &named, zero, message.size));
        CHECK(!message_opens(&message, &named, nothing, message.size));
        CHECK(!message_opens(&message, &setup, zero, message.size));
    }
}

static void tags_are_whole(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(aeads); i++) {
        struct hpke_setup setup = { .aead = aeads[i], .info = BYTES_LITERAL("tags") };
        struct message message;
        message_make(&message, &setup, BYTES_LITERAL("abc"), BYTES_LITERAL("with"));
        for (size_t size = 0; size < message.size; size++)
            CHECK(!message_opens(&message, &setup, BYTES_LITERAL("with"), size));
        for (size_t bit = 0; bit < 8 * message.size; bit++) {
            message.sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
            CHECK(!message_opens(&message, &setup, BYTES_LITERAL("with"), message.size));
            message.sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        memset(message.sealed + 3, 0, AEAD_TAG_SIZE);
        CHECK(!message_opens(&message, &setup, BYTES_LITERAL("with"), message.size));
        memset(message.sealed + 3, 0xff, AEAD_TAG_SIZE);
        CHECK(!message_opens(&message, &setup, BYTES_LITERAL("with"), message.size));
    }
}

static void a_suite_opens_nothing_of_another(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(aeads); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(aeads); j++) {
            struct hpke_setup setup = { .aead = aeads[i] }, other = { .aead = aeads[j] };
            struct message message;
            message_make(&message, &setup, BYTES_LITERAL("x"), (struct bytes){ 0 });
            CHECK(message_opens(&message, &other, (struct bytes){ 0 }, message.size) == (i == j));
            /* The bit that X25519 ignores: the same secret, but another text. */
            message.encapsulated.bytes[31] ^= 0x80;
            CHECK(!message_opens(&message, &setup, (struct bytes){ 0 }, message.size));
        }
    }
}

static void exports_differ_by_label_and_size(void)
{
    struct secret32 key = { { 7 } };
    struct hpke_setup setup = { .aead = AEAD_AES_256_GCM };
    struct message message;
    struct hpke_context context;
    struct error error;
    static uint8_t longest[HKDF_SIZE_MAX];
    uint8_t one[32], two[33];
    message_make(&message, &setup, BYTES_LITERAL("x"), (struct bytes){ 0 });
    REQUIRE(hpke_setup_recipient(&context, &setup, &message.encapsulated, &key, &error));
    hpke_export(one, sizeof(one), &context, BYTES_LITERAL(""));
    hpke_export(two, sizeof(two), &context, BYTES_LITERAL(""));
    CHECK(memcmp(one, two, sizeof(one)) != 0); /* the size is in what is expanded */
    hpke_export(two, sizeof(one), &context, BYTES_LITERAL("\0"));
    CHECK(memcmp(one, two, sizeof(one)) != 0);
    hpke_export(longest, sizeof(longest), &context, BYTES_LITERAL(""));
    CHECK(memcmp(longest, longest + 32, 32) != 0);
}

static void another_key_id_or_suite_is_another_request(void)
{
    struct secret32 secret = { { 7 } };
    struct ohttp_key key = { .id = 9 };
    struct ohttp_exchange exchange;
    struct error error;
    AUTO_BUFFER struct buffer sealed, plain;
    buffer_init(&sealed, 200);
    buffer_init(&plain, 200);
    REQUIRE(x25519_public_of(&key.public_key, &secret, &error) &&
            ohttp_request_seal(&sealed, &exchange, &key, AEAD_AES_256_GCM, BYTES_LITERAL("ask"),
                               &error));
    for (unsigned id = 0; id < 256; id++) {
        struct ohttp_request request;
        struct hpke_context context;
        sealed.data[0] = (uint8_t)id; /* the same key under another name */
        REQUIRE(ohttp_request_parse(&request, buffer_view(&sealed), &error) &&
                request.key_id == id);
        REQUIRE(ohttp_context_make(&context, request.key_id, request.aead, &request.encapsulated,
                                   &secret, &error));
        CHECK(ohttp_request_open(&plain, &exchange, &request, &context, &error) == (id == 9));
    }
    /* Where each number stands, and all that are not served there. */
    static const struct {
        size_t at;
        uint16_t right;
    } numbers[] = { { 1, HPKE_KEM_X25519 }, { 3, HPKE_KDF_SHA256 }, { 5, 0 } };
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
        uint8_t *place = sealed.data + numbers[i].at, before[2];
        memcpy(before, place, 2);
        for (unsigned number = 0; number < 0x10000; number++) {
            struct ohttp_request request;
            place[0] = (uint8_t)(number >> 8);
            place[1] = (uint8_t)number;
            bool is_served =
                numbers[i].right == 0 ? number >= 1 && number <= 3 : number == numbers[i].right;
            bool done = ohttp_request_parse(&request, buffer_view(&sealed), &error);
            CHECK(done == is_served && (done || error.code == ERROR_UNSUPPORTED));
        }
        memcpy(place, before, 2);
    }
}

/* ---- HKDF and HMAC ---- */

static void hkdf_gives_every_length(void)
{
    static uint8_t longest[HKDF_SIZE_MAX], part[HKDF_SIZE_MAX + 1];
    struct bytes secret = BYTES_LITERAL("secret"), info = BYTES_LITERAL("info");
    uint8_t zeros[65] = { 0 };
    hkdf_sha256(longest, sizeof(longest), secret, (struct bytes){ 0 }, info);
    static const size_t sizes[] = {
        0, 1, 31, 32, 33, 63, 64, 65, HKDF_SIZE_MAX - 1, HKDF_SIZE_MAX
    };
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        memset(part, 0xaa, sizeof(part));
        hkdf_sha256(part, sizes[i], secret, (struct bytes){ 0 }, info);
        CHECK(memcmp(part, longest, sizes[i]) == 0 && part[sizes[i]] == 0xaa);
    }
    for (size_t block = 32; block < sizeof(longest); block += 32) /* the counter does not wrap */
        CHECK(memcmp(longest, longest + block, 32) != 0);
    /* No salt is one of zeros up to the block, not beyond. */
    for (size_t size = 0; size <= 65; size++) {
        hkdf_sha256(part, 32, secret, bytes_of(zeros, size), info);
        CHECK((memcmp(part, longest, 32) == 0) == (size <= 64));
    }
    hkdf_sha256(part, 32, secret, (struct bytes){ 0 }, (struct bytes){ 0 });
    hkdf_sha256(part + 32, 32, secret, (struct bytes){ 0 }, BYTES_LITERAL("\0"));
    CHECK(memcmp(part, part + 32, 32) != 0);
    hkdf_sha256(part + 32, 32, (struct bytes){ 0 }, (struct bytes){ 0 }, (struct bytes){ 0 });
    CHECK(memcmp(part, part + 32, 32) != 0);
}

static const struct test tests[] = {
    TEST(x25519_multiplies_as_the_rfc_does),
    TEST(points_of_small_order_are_refused_everywhere),
    TEST(points_have_several_names),
    TEST(nothing_is_a_value_too),
    TEST(tags_are_whole),
    TEST(a_suite_opens_nothing_of_another),
    TEST(exports_differ_by_label_and_size),
    TEST(another_key_id_or_suite_is_another_request),
    TEST(hkdf_gives_every_length),
};
TEST_MAIN(tests)
