/* SPDX-License-Identifier: Apache-2.0 */
#include "core/hex.h"
#include "crypto/hpke.h"
#include "tests/harness.h"

#include <string.h>

/* RFC 9180 appendix A.3.1: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM. */
#define EPHEMERAL "4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb"
#define RECIPIENT "f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2"
#define ENCAPSULATED                                                                               \
    "a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac9"                             \
    "8536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4"
#define RECIPIENT_PUBLIC                                                                           \
    "fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a82"                             \
    "6a779b4cf969b8a0e539c7f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0"
#define PLAIN "4265617574792069732074727574682c20747275746820626561757479"

static const char *const sealed_rows[] = {
    "5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f"
    "9076ac232e3ab2523f39513434",
    "fa6f037b47fc21826b610172ca9637e82d6e5801eb31cbd3748271affd4ecb06"
    "646e0329cbdf3c3cd655b28e82",
};
static const char *const associated_rows[] = { "Count-0", "Count-1" };

static const struct hpke_setup rfc_setup = { .aead = AEAD_AES_128_GCM,
                                             .info = BYTES_LITERAL("Ode on a Grecian Urn") };

static struct bytes unhex(uint8_t *space, const char *text)
{
    size_t size = strlen(text) / 2;
    CHECK(hex_decode(space, size, bytes_of_string(text)));
    return bytes_of(space, size);
}

static struct ecdsa_key *key_of(const char *text)
{
    struct secret32 scalar;
    struct ecdsa_key *key = NULL;
    struct error error;
    (void)unhex(scalar.bytes, text);
    CHECK(ecdsa_key_import(&key, &scalar, &error));
    return key;
}

static void seals_as_the_rfc_does(void)
{
    AUTO(ecdsa_key) struct ecdsa_key *ephemeral = key_of(EPHEMERAL);
    AUTO(ecdsa_key) struct ecdsa_key *recipient = key_of(RECIPIENT);
    struct hpke_context sender, opener;
    struct ecdsa_public encapsulated;
    struct error error;
    uint8_t space[3][64];
    CHECK_BYTES(BYTES_OF(ecdsa_key_public(recipient)->bytes), unhex(space[0], RECIPIENT_PUBLIC));
    REQUIRE(hpke_p256_setup_sender_with(&sender, &encapsulated, &rfc_setup,
                                        ecdsa_key_public(recipient), ephemeral, &error));
    CHECK_BYTES(BYTES_OF(encapsulated.bytes), unhex(space[0], ENCAPSULATED));
    REQUIRE(hpke_p256_setup_recipient(&opener, &rfc_setup, &encapsulated, recipient, &error));
    for (size_t i = 0; i < ARRAY_COUNT(sealed_rows); i++) {
        struct bytes plain = unhex(space[0], PLAIN), sealed = unhex(space[1], sealed_rows[i]);
        struct bytes associated = bytes_of_string(associated_rows[i]);
        REQUIRE(hpke_seal(&sender, space[2], plain, associated, &error));
        CHECK_BYTES(bytes_of(space[2], sealed.size), sealed);
        REQUIRE(hpke_open(&opener, space[2], sealed, associated, &error));
        CHECK_BYTES(bytes_of(space[2], plain.size), plain);
    }
}

static void exports_the_same_to_both(void)
{
    AUTO(ecdsa_key) struct ecdsa_key *recipient = key_of(RECIPIENT);
    struct hpke_context sender, opener;
    struct ecdsa_public encapsulated;
    struct error error;
    uint8_t left[32], right[32];
    REQUIRE(hpke_p256_setup_sender(&sender, &encapsulated, &rfc_setup, ecdsa_key_public(recipient),
                                   &error));
    REQUIRE(hpke_p256_setup_recipient(&opener, &rfc_setup, &encapsulated, recipient, &error));
    hpke_export(left, sizeof(left), &sender, BYTES_LITERAL("label"));
    hpke_export(right, sizeof(right), &opener, BYTES_LITERAL("label"));
    CHECK_BYTES(BYTES_OF(left), BYTES_OF(right));
    hpke_export(right, sizeof(right), &opener, BYTES_LITERAL("other"));
    CHECK(memcmp(left, right, sizeof(left)) != 0);
}

static void opens_with_no_other_key(void)
{
    AUTO(ecdsa_key) struct ecdsa_key *recipient = key_of(RECIPIENT);
    AUTO(ecdsa_key) struct ecdsa_key *other = key_of(EPHEMERAL);
    struct hpke_context sender, opener;
    struct ecdsa_public encapsulated;
    struct error error;
    uint8_t sealed[32], plain[32];
    REQUIRE(hpke_p256_setup_sender(&sender, &encapsulated, &rfc_setup, ecdsa_key_public(recipient),
                                   &error));
    REQUIRE(hpke_seal(&sender, sealed, BYTES_LITERAL("x"), (struct bytes){ 0 }, &error));
    REQUIRE(hpke_p256_setup_recipient(&opener, &rfc_setup, &encapsulated, other, &error));
    CHECK(!hpke_open(&opener, plain, bytes_of(sealed, 17), (struct bytes){ 0 }, &error));
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    for (size_t i = 0; i < sizeof(encapsulated.bytes); i++) {
        struct ecdsa_public changed = encapsulated;
        changed.bytes[i] ^= 1; /* no point any more */
        CHECK(!hpke_p256_setup_recipient(&opener, &rfc_setup, &changed, recipient, &error));
        CHECK_NUMBER(error.code, ERROR_INVALID);
    }
    struct ecdsa_public zero = { { 0 } };
    CHECK(!hpke_p256_setup_sender(&sender, &encapsulated, &rfc_setup, &zero, &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
}

static const struct test tests[] = {
    TEST(seals_as_the_rfc_does),
    TEST(exports_the_same_to_both),
    TEST(opens_with_no_other_key),
};
TEST_MAIN(tests)
