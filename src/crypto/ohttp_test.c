/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ohttp.h"

#include "core/hex.h"
#include "tests/harness.h"

#include <string.h>

enum {
    TEXT_SIZE_MAX = 4096
};

/* RFC 9458 appendix A. */
#define PRIVATE "3c168975674b2fa8e465970b79c8dcf09f1c741626480bd4c6162fc5b6a98e1a"
#define PUBLIC  "31e1f05a740102115220e9af918f738674aec95f54db6e04eb705aae8e798155"
#define SEALED_REQUEST                                                                             \
    "010020000100014b28f881333e7c164ffc499ad9796f877f4e1051ee6d31bad19dec96c208b4726374e469135906" \
    "992e1268c594d2a10c695d858c40a026e7965e7d86b83dd440b2c0185204b4d63525"
#define REQUEST_TEXT    "00034745540568747470730b6578616d706c652e636f6d012f"
#define RESPONSE_NONCE  "c789e7151fcba46158ca84b04464910d"
#define SEALED_RESPONSE RESPONSE_NONCE "86f9013e404feea014e7be4a441f234f857fbd"

static struct bytes unhex(uint8_t *space, const char *text)
{
    size_t size = strlen(text) / 2;
    CHECK(hex_decode(space, size, bytes_of_string(text)));
    return bytes_of(space, size);
}

static bool opens(struct buffer *plain, struct ohttp_exchange *exchange, struct bytes sealed,
                  const struct secret32 *key, struct error *error)
{
    struct ohttp_request request;
    struct hpke_context context;
    return ohttp_request_parse(&request, sealed, error) &&
           ohttp_context_make(&context, request.key_id, request.aead, &request.encapsulated, key,
                              error) &&
           ohttp_request_open(plain, exchange, &request, &context, error);
}

static void opens_and_seals_as_the_rfc_does(void)
{
    AUTO_BUFFER struct buffer plain, sealed, opened;
    struct ohttp_exchange exchange;
    struct secret32 key;
    struct error error;
    uint8_t space[3][256];
    buffer_init(&plain, TEXT_SIZE_MAX);
    buffer_init(&sealed, TEXT_SIZE_MAX);
    buffer_init(&opened, TEXT_SIZE_MAX);
    (void)unhex(key.bytes, PRIVATE);
    REQUIRE(opens(&plain, &exchange, unhex(space[0], SEALED_REQUEST), &key, &error));
    CHECK_BYTES(buffer_view(&plain), unhex(space[1], REQUEST_TEXT));
    (void)unhex(space[2], RESPONSE_NONCE);
    REQUIRE(ohttp_response_seal_with(&sealed, &exchange, BYTES_LITERAL("\x01\x40\xc8"), space[2],
                                     &error));
    CHECK_BYTES(buffer_view(&sealed), unhex(space[1], SEALED_RESPONSE));
    REQUIRE(ohttp_response_open(&opened, &exchange, buffer_view(&sealed), &error));
    CHECK_BYTES(buffer_view(&opened), BYTES_LITERAL("\x01\x40\xc8"));
}

static void writes_its_configuration(void)
{
    struct ohttp_key key = { .id = 1 };
    uint8_t text[OHTTP_KEYS_SIZE], expected[OHTTP_KEYS_SIZE];
    (void)unhex(key.public_key.bytes, PUBLIC);
    ohttp_keys_write(text, &key);
    /* the RFC's, with the third AEAD and as a list */
    CHECK_BYTES(BYTES_OF(text), unhex(expected, "0031"
                                                "010020" PUBLIC "000c"
                                                "00010001"
                                                "00010002"
                                                "00010003"));
}

static void goes_both_ways_with_every_aead(void)
{
    static const enum aead_kind kinds[] = { AEAD_AES_128_GCM, AEAD_AES_256_GCM,
                                            AEAD_CHACHA20_POLY1305 };
    struct secret32 secret = { { 5 } };
    struct ohttp_key key = { .id = 77 };
    struct error error;
    REQUIRE(x25519_public_of(&key.public_key, &secret, &error));
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        AUTO_BUFFER struct buffer sealed, plain, answer, opened;
        struct ohttp_exchange ours, theirs;
        buffer_init(&sealed, TEXT_SIZE_MAX);
        buffer_init(&plain, TEXT_SIZE_MAX);
        buffer_init(&answer, TEXT_SIZE_MAX);
        buffer_init(&opened, TEXT_SIZE_MAX);
        REQUIRE(ohttp_request_seal(&sealed, &ours, &key, kinds[i], BYTES_LITERAL("ask"), &error));
        CHECK_NUMBER(sealed.size, 3 + OHTTP_REQUEST_OVERHEAD);
        REQUIRE(opens(&plain, &theirs, buffer_view(&sealed), &secret, &error));
        CHECK_BYTES(buffer_view(&plain), BYTES_LITERAL("ask"));
        REQUIRE(ohttp_response_seal(&answer, &theirs, BYTES_LITERAL("told"), &error));
        REQUIRE(ohttp_response_open(&opened, &ours, buffer_view(&answer), &error));
        CHECK_BYTES(buffer_view(&opened), BYTES_LITERAL("told"));
        /* an answer to another request */
        struct ohttp_exchange other;
        buffer_clear(&sealed);
        REQUIRE(ohttp_request_seal(&sealed, &other, &key, kinds[i], BYTES_LITERAL("ask"), &error));
        CHECK(!ohttp_response_open(&opened, &other, buffer_view(&answer), &error));
        CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
        for (size_t size = 0; size < answer.size; size++)
            CHECK(!ohttp_response_open(&opened, &ours, bytes_part(buffer_view(&answer), 0, size),
                                       &error));
        for (size_t at = 0; at < answer.size; at++) {
            answer.data[at] ^= 0x10;
            CHECK(!ohttp_response_open(&opened, &ours, buffer_view(&answer), &error));
            answer.data[at] ^= 0x10;
        }
    }
}

static void notices_every_change_of_a_request(void)
{
    AUTO_BUFFER struct buffer plain;
    struct ohttp_exchange exchange;
    struct secret32 key;
    struct error error;
    uint8_t space[256];
    buffer_init(&plain, TEXT_SIZE_MAX);
    (void)unhex(key.bytes, PRIVATE);
    struct bytes sealed = unhex(space, SEALED_REQUEST);
    for (size_t size = 0; size < sealed.size; size++)
        CHECK(!opens(&plain, &exchange, bytes_part(sealed, 0, size), &key, &error));
    for (size_t at = 0; at < sealed.size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            /* the highest bit of a point is ignored (RFC 7748 section 5), but HPKE binds the bytes
             */
            space[at] ^= (uint8_t)(1 << bit);
            CHECK(!opens(&plain, &exchange, sealed, &key, &error));
            space[at] ^= (uint8_t)(1 << bit);
        }
    }
    CHECK_NUMBER(plain.size, 0);
}

static const struct test tests[] = {
    TEST(opens_and_seals_as_the_rfc_does),
    TEST(writes_its_configuration),
    TEST(goes_both_ways_with_every_aead),
    TEST(notices_every_change_of_a_request),
};
TEST_MAIN(tests)
