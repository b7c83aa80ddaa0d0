/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/cose.h"

#include "core/hex.h"
#include "tests/harness.h"

#include <string.h>

enum {
    MESSAGE_SIZE_MAX = 512
};

/* RFC 9052 appendix C.2.1: ES256 with the key "11" of appendix C.7.1. */
#define EXAMPLE_HEAD "d28443a10126a10442313154"
#define EXAMPLE_REST                                                                               \
    "546869732069732074686520636f6e74656e742e"                                                     \
    "58408eb33e4ca31d1c465ab05aac34cc6b23d58fef5c083106c4d25a91aef0b0117e2af9a291aa32e14ab834dc56" \
    "ed2a223444547e01f11d3b0916e5a4c345cacb36"
#define EXAMPLE EXAMPLE_HEAD EXAMPLE_REST

static const char example_key[] =
    "bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff"
    "20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e";

static struct bytes hex(uint8_t *space, const char *text)
{
    size_t size = strlen(text) / 2;
    CHECK(size <= MESSAGE_SIZE_MAX && hex_decode(space, size, bytes_of_string(text)));
    return bytes_of(space, size);
}

static struct public_key key_of_example(void)
{
    struct public_key key = { .kind = PUBLIC_KEY_P256 };
    CHECK(hex_decode(key.p256.bytes, sizeof(key.p256.bytes), bytes_of_string(example_key)));
    return key;
}

static bool parses(struct cose_sign1 *message, uint8_t *space, const char *text,
                   enum cose_fault *fault)
{
    struct error error;
    *fault = COSE_FAULT_NONE;
    bool is_parsed = cose_sign1_parse(message, hex(space, text), CBOR_UNSORTED, fault, &error);
    CHECK(is_parsed == (*fault == COSE_FAULT_NONE));
    return is_parsed;
}

static void verifies_the_example_of_the_rfc(void)
{
    struct error error;
    enum cose_fault fault;
    struct cose_sign1 message;
    uint8_t space[MESSAGE_SIZE_MAX];
    struct public_key key = key_of_example();
    REQUIRE(parses(&message, space, EXAMPLE, &fault));
    CHECK(message.is_tagged && message.has_algorithm && message.has_key_id);
    CHECK_NUMBER(message.algorithm, COSE_ES256);
    CHECK_BYTES(message.key_id, BYTES_LITERAL("11"));
    CHECK_BYTES(message.payload, BYTES_LITERAL("This is the content."));
    CHECK(cose_sign1_verify(&message, &key, (struct bytes){ 0 }, &error));
    CHECK(!cose_sign1_verify(&message, &key, BYTES_LITERAL("x"), &error));
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    /* The tag may be left out; it is not signed. */
    REQUIRE(parses(&message, space, &EXAMPLE[2], &fault));
    CHECK(!message.is_tagged && cose_sign1_verify(&message, &key, (struct bytes){ 0 }, &error));
    /* Nor is the unprotected header. */
    REQUIRE(parses(&message, space, "d28443a10126a054" EXAMPLE_REST, &fault));
    CHECK(!message.has_key_id && cose_sign1_verify(&message, &key, (struct bytes){ 0 }, &error));
    key.kind = PUBLIC_KEY_P384;
    CHECK(!cose_sign1_verify(&message, &key, (struct bytes){ 0 }, &error));
    key.kind = PUBLIC_KEY_RSA;
    CHECK(!cose_sign1_verify(&message, &key, (struct bytes){ 0 }, &error));
}

static void refuses_every_cut_and_every_changed_bit_that_is_signed(void)
{
    struct error error;
    enum cose_fault fault;
    struct cose_sign1 message;
    uint8_t space[MESSAGE_SIZE_MAX];
    struct public_key key = key_of_example();
    struct bytes whole = hex(space, EXAMPLE);
    for (size_t size = 0; size < whole.size; size++) {
        CHECK(!cose_sign1_parse(&message, bytes_of(space, size), CBOR_UNSORTED, &fault, &error));
        CHECK_NUMBER(fault, COSE_FAULT_FORMAT);
    }
    space[whole.size] = 0;
    CHECK(!cose_sign1_parse(&message, bytes_of(space, whole.size + 1), CBOR_UNSORTED, &fault,
                            &error));
    CHECK_NUMBER(fault, COSE_FAULT_TRAILING_DATA);
    for (size_t bit = 0; bit < 8 * whole.size; bit++) {
        /* The unprotected header's label and value, "04 42 31 31", are not signed. */
        bool is_signed = bit / 8 < 7 || bit / 8 > 10;
        space[bit / 8] ^= (uint8_t)(1 << bit % 8);
        bool holds = cose_sign1_parse(&message, whole, CBOR_UNSORTED, &fault, &error) &&
                     cose_sign1_verify(&message, &key, (struct bytes){ 0 }, &error);
        CHECK_NOTE(!holds || !is_signed, "bit %zu", bit);
        space[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* A message of these headers, of which the protected ones are wrapped here. */
static struct bytes message_of(uint8_t *space, const char *protected_part, const char *unprotected)
{
    uint8_t inner[64];
    struct writer writer = writer_into(space, MESSAGE_SIZE_MAX);
    cbor_write_array(&writer, 4);
    cbor_write_bytes(&writer, hex(inner, protected_part));
    write_bytes(&writer, hex(inner, unprotected));
    cbor_write_bytes(&writer, BYTES_LITERAL("payload"));
    cbor_write_bytes(&writer, BYTES_LITERAL("signature"));
    return writer_view(&writer);
}

static void judges_headers(void)
{
    static const struct {
        const char *protected_part, *unprotected;
        bool is_sound;
    } cases[] = {
        { "a10126", "a0", true },
        { "", "a0", true },            /* no headers: parses, verifies under no key */
        { "a0", "a0", true },          /* the same, longer */
        { "a10126", "a10126", false }, /* the algorithm in both maps */
        { "", "a10126", true },        /* an algorithm that nobody signed */
        { "a10126", "a163666f6f01", true },
        { "a10126", "a10f01", true },                    /* a header that says nothing here */
        { "a1012601", "a0", false },                     /* bytes behind the map */
        { "a163666f6f01", "a163666f6f02", false },       /* a text in both maps */
        { "a20126028101", "a0", true },                  /* crit [1] */
        { "a2012602810a", "a0", false },                 /* crit [10], unknown, absent */
        { "a3012602810a0a00", "a0", false },             /* crit [10], unknown, present */
        { "a20126028104", "a0", false },                 /* crit [4] that is not protected */
        { "a20126028104", "a1044131", false },           /* nor by standing in the other map */
        { "a30126028104044131", "a0", true },            /* crit [4] */
        { "a201260280", "a0", false },                   /* crit [] */
        { "a201260201", "a0", false },                   /* crit 1 */
        { "a30126028163666f6f63666f6f01", "a0", false }, /* crit ["foo"], present */
        { "a10126", "a1028101", false },                 /* crit unprotected */
        { "a10126", "a1048101", false },                 /* a key id that is no bytes */
        { "a10126", "a1044131", true },
        { "a101", "a0", false },
        { "a10163414243", "a0", true }, /* by name: none that is known */
        { "a1014100", "a0", false },
        { "a101f6", "a0", false },
        { "a1011bffffffffffffffff", "a0", false },
        { "a10126", "80", false },
        { "80", "a0", false },
        { "a201260126", "a0", false }, /* a label twice */
        { "a10126", "a2044131044131", false },
        { "a20126033818", "a0", false }, /* a negative content type */
        { "a201260300", "a0", true },
        { "a201260363787474", "a0", true },
        { "a1410101", "a0", false }, /* a label of bytes */
        { "bf0126ff", "a0", false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct error error;
        enum cose_fault fault;
        struct cose_sign1 message;
        uint8_t space[MESSAGE_SIZE_MAX];
        struct public_key key = key_of_example();
        bool is_sound = cose_sign1_parse(
            &message, message_of(space, cases[i].protected_part, cases[i].unprotected),
            CBOR_UNSORTED, &fault, &error);
        CHECK_NOTE(is_sound == cases[i].is_sound, "%zu: %s %s", i, cases[i].protected_part,
                   cases[i].unprotected);
        CHECK(!is_sound || !cose_sign1_verify(&message, &key, (struct bytes){ 0 }, &error));
    }
}

static void refuses_other_shapes(void)
{
    static const char *const cases[] = {
        "8343a10126a04100",         /* three */
        "8543a10126a0410041004100", /* five */
        "d18443a10126a041004100",   /* tag 17 */
        "d2d28443a10126a041004100", /* tagged twice */
        "8443a10126a0f64100",       /* a detached payload */
        "8443a10126a061614100",     /* text */
        "8443a10126a041006161",
        "9f43a10126a041004100ff",
        "8443a10126bfff41004100",
        "a0",
        "00",
        "f6",
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        enum cose_fault fault;
        struct cose_sign1 message;
        uint8_t space[MESSAGE_SIZE_MAX];
        CHECK_NOTE(!parses(&message, space, cases[i], &fault), "%s", cases[i]);
        CHECK_NUMBER(fault, COSE_FAULT_FORMAT);
    }
}

static void verifies_what_it_signs(void)
{
    struct error error;
    enum cose_fault fault;
    struct cose_sign1 message;
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    REQUIRE(ecdsa_key_generate(&key, &error));
    struct public_key public = { .kind = PUBLIC_KEY_P256, .p256 = *ecdsa_key_public(key) };
    uint8_t payload[300] = { 7 };
    for (size_t size = 0; size <= sizeof(payload); size += 60) {
        AUTO_BUFFER struct buffer signed_message;
        buffer_init(&signed_message, 1024);
        struct bytes key_id = size == 0 ? (struct bytes){ 0 } : BYTES_LITERAL("key");
        REQUIRE(cose_sign1_sign(&signed_message, bytes_of(payload, size), BYTES_LITERAL("aad"),
                                key_id, key, &error));
        REQUIRE(
            cose_sign1_parse(&message, buffer_view(&signed_message), CBOR_SORTED, &fault, &error));
        CHECK_BYTES(message.payload, bytes_of(payload, size));
        CHECK_BYTES(message.key_id, key_id);
        CHECK(cose_sign1_verify(&message, &public, BYTES_LITERAL("aad"), &error));
        CHECK(!cose_sign1_verify(&message, &public, BYTES_LITERAL("aae"), &error));
    }
    AUTO_BUFFER struct buffer small;
    buffer_init(&small, 64);
    CHECK(!cose_sign1_sign(&small, BYTES_OF(payload), (struct bytes){ 0 }, (struct bytes){ 0 }, key,
                           &error));
}

static const struct test tests[] = {
    TEST(verifies_the_example_of_the_rfc),
    TEST(refuses_every_cut_and_every_changed_bit_that_is_signed),
    TEST(judges_headers),
    TEST(refuses_other_shapes),
    TEST(verifies_what_it_signs),
};
TEST_MAIN(tests)
