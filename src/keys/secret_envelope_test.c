/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/secret_envelope.h"

#include "core/hex.h"
#include "crypto/hpke.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct secret32 root = { { 4, 5, 6 } }, recipient = { { 7, 8, 9 } };

static struct secret_place place_of(const char *application, uint8_t owner, const char *name,
                                    uint64_t version)
{
    struct secret_place place = { .owner = { { owner } }, .version = version };
    snprintf(place.application, sizeof(place.application), "%s", application);
    snprintf(place.name, sizeof(place.name), "%s", name);
    return place;
}

static void envelope_of(struct buffer *envelope, const struct secret_place *place,
                        const char *value)
{
    struct x25519_public key;
    struct error error;
    buffer_init(envelope, 1 << 20);
    REQUIRE(x25519_public_of(&key, &recipient, &error));
    REQUIRE(secret_seal(envelope, place, &key, bytes_of_string(value), &error));
}

/* Whether it opens there, and at rest too. */
static bool opens(const struct secret_place *place, struct bytes envelope, const char *value)
{
    AUTO_BUFFER struct buffer sealed, opened;
    struct error error = { 0 };
    buffer_init(&sealed, 1 << 20);
    buffer_init(&opened, 1 << 20);
    if (!secret_admit(&sealed, &root, place, &recipient, envelope, &error)) {
        CHECK(error.code == ERROR_UNVERIFIED || error.code == ERROR_INVALID);
        CHECK_NUMBER(sealed.size, 0);
        return false;
    }
    CHECK(memmem(sealed.data, sealed.size, value, strlen(value)) == NULL);
    CHECK(secret_open(&opened, &root, place, buffer_view(&sealed), &error));
    return bytes_equal_string(buffer_view(&opened), value);
}

static void a_secret_opens_at_its_place_only(void)
{
    struct secret_place place = place_of("shop", 1, "API_KEY", 3);
    const struct secret_place others[] = {
        place_of("shop2", 1, "API_KEY", 3), place_of("shop", 2, "API_KEY", 3),
        place_of("shop", 1, "API_KEX", 3),  place_of("shop", 1, "API_KEY", 4),
        place_of("shop", 1, "API_KEY", 33), place_of("sho", 1, "API_KEY", 3),
    };
    AUTO_BUFFER struct buffer envelope, sealed, opened;
    struct error error;
    envelope_of(&envelope, &place, "correct horse");
    CHECK_NUMBER(envelope.size, 13 + SECRET_ENVELOPE_OVERHEAD);
    CHECK(opens(&place, buffer_view(&envelope), "correct horse"));
    buffer_init(&sealed, 1 << 20);
    buffer_init(&opened, 1 << 20);
    REQUIRE(secret_admit(&sealed, &root, &place, &recipient, buffer_view(&envelope), &error));
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        CHECK(!opens(&others[i], buffer_view(&envelope), "correct horse"));
        CHECK(!secret_open(&opened, &root, &others[i], buffer_view(&sealed), &error));
        CHECK_NUMBER(error.code, ERROR_CORRUPT);
    }
}

static void what_was_cut_or_changed_does_not_open(void)
{
    struct secret_place place = place_of("shop", 1, "API_KEY", 1);
    AUTO_BUFFER struct buffer envelope;
    envelope_of(&envelope, &place, "swordfish");
    for (size_t size = 0; size < envelope.size; size++)
        CHECK(!opens(&place, bytes_part(buffer_view(&envelope), 0, size), "swordfish"));
    for (size_t i = 0; i < envelope.size; i++) {
        envelope.data[i] ^= 0x20;
        CHECK(!opens(&place, buffer_view(&envelope), "swordfish"));
        envelope.data[i] ^= 0x20;
    }
    buffer_append_string(&envelope, "x");
    CHECK(!opens(&place, buffer_view(&envelope), "swordfish"));
    uint8_t small_order[SECRET_ENVELOPE_OVERHEAD + 4] = { 0 };
    CHECK(!opens(&place, BYTES_OF(small_order), "swordfish"));
}

static void names_and_sizes_have_limits(void)
{
    static const char *const good[] = {
        "A", "_x", "API_KEY.prod-2", "9",
        "0123456789012345678901234567890123456789012345678901234567890123"
    };
    static const char *const bad[] = {
        "",         ".a",
        "-a",       "a b",
        "a/b",      "a:b",
        "\xc3\xbc", "a\n",
        "\xff",     "01234567890123456789012345678901234567890123456789012345678901234"
    };
    struct secret_place place = place_of("shop", 1, "A", 1);
    struct x25519_public key, zero = { { 0 } };
    struct error error;
    AUTO_BUFFER struct buffer envelope;
    buffer_init(&envelope, 1 << 20);
    uint8_t *value = calloc(1, SECRET_VALUE_SIZE_MAX + 1);
    REQUIRE(value != NULL && x25519_public_of(&key, &recipient, &error));
    for (size_t i = 0; i < ARRAY_COUNT(good); i++)
        CHECK(secret_name_is_valid(bytes_of_string(good[i])));
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        CHECK(!secret_name_is_valid(bytes_of_string(bad[i])));
    CHECK(!secret_seal(&envelope, &place, &key, (struct bytes){ 0 }, &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
    CHECK(
        !secret_seal(&envelope, &place, &key, bytes_of(value, SECRET_VALUE_SIZE_MAX + 1), &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    CHECK(!secret_seal(&envelope, &place, &zero, BYTES_LITERAL("x"), &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
    CHECK_NUMBER(envelope.size, 0);
    CHECK(secret_seal(&envelope, &place, &key, bytes_of(value, SECRET_VALUE_SIZE_MAX), &error));
    place.version = 0;
    CHECK(!secret_seal(&envelope, &place, &key, BYTES_LITERAL("x"), &error));
    free(value);
}

/* The envelope of tests/sealed/vectors.mjs, whose HPKE is written anew on WebCrypto, with the
 * ephemeral key of RFC 9180 A.1.1: who seals in another language has to come to the same. */
static void an_envelope_is_the_one_of_another_implementation(void)
{
    struct secret_place place = place_of("shop", 0xab, "API_KEY", 12);
    const char *const text =
        "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431e0e5f1e9552db80728047c593f"
        "f502c0f53cd5e416dbf2a00d7bdbbb3e";
    struct secret32 ephemeral;
    struct x25519_public key;
    struct hpke_context context;
    struct error error;
    uint8_t expected[13 + SECRET_ENVELOPE_OVERHEAD], made[sizeof(expected)];
    uint8_t info[SECRET_PLACE_SIZE_MAX];
    struct writer writer = writer_into(info, sizeof(info));
    struct x25519_public encapsulated;
    REQUIRE(hex_decode(expected, sizeof(expected), bytes_of_string(text)));
    REQUIRE(hex_decode(
        ephemeral.bytes, sizeof(ephemeral.bytes),
        BYTES_LITERAL("52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736")));
    CHECK(opens(&place, BYTES_OF(expected), "correct horse"));
    secret_place_write(&writer, &place);
    struct hpke_setup setup = { .aead = AEAD_AES_256_GCM, .info = writer_view(&writer) };
    REQUIRE(x25519_public_of(&key, &recipient, &error) &&
            hpke_setup_sender_with(&context, &encapsulated, &setup, &key, &ephemeral, &error) &&
            hpke_seal(&context, made + 32, BYTES_LITERAL("correct horse"), (struct bytes){ 0 },
                      &error));
    memcpy(made, encapsulated.bytes, sizeof(encapsulated.bytes));
    CHECK_BYTES(BYTES_OF(made), BYTES_OF(expected));
}

static void place_is_the_text_documented(void)
{
    struct secret_place place = place_of("shop", 0xab, "API_KEY", 12);
    uint8_t text[SECRET_PLACE_SIZE_MAX];
    struct writer writer = writer_into(text, sizeof(text));
    secret_place_write(&writer, &place);
    char expected[] =
        "s3n/secret/1\0shop\0ab00000000000000000000000000000000000000000000000000000000"
        "000000\0API_KEY\0"
        "12";
    CHECK_BYTES(writer_view(&writer), bytes_of(expected, sizeof(expected) - 1));
    struct secret_place largest =
        place_of("0123456789012345678901234567890123456789012345678901234567890123", 1,
                 "0123456789012345678901234567890123456789012345678901234567890123", UINT64_MAX);
    writer = writer_into(text, sizeof(text));
    secret_place_write(&writer, &largest);
    CHECK(!writer.failed && writer.size == sizeof(text));
}

static const struct test tests[] = {
    TEST(a_secret_opens_at_its_place_only), TEST(what_was_cut_or_changed_does_not_open),
    TEST(names_and_sizes_have_limits),      TEST(an_envelope_is_the_one_of_another_implementation),
    TEST(place_is_the_text_documented),
};
TEST_MAIN(tests)
