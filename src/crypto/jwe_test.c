/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/jwe.h"

#include "core/json_reader.h"
#include "crypto/base64.h"
#include "crypto/limits.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TEXT_SIZE_MAX = 8192
};

static struct bytes file_of(const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "tests/data/jwe/%s", name);
    return test_file(path);
}

static struct jwe_key *key_of(const char *name, enum jwe_algorithm algorithm)
{
    struct jwe_key *key = NULL;
    struct error error;
    CHECK(jwe_key_from_pem(&key, file_of(name), algorithm, &error));
    return key;
}

static enum error_code opens(const struct jwe_key *key, struct bytes message, struct bytes expected)
{
    AUTO_SECRET_BUFFER struct secret_buffer plain = { 0 };
    struct error error = { 0 };
    if (!jwe_open(&plain, key, message, &error)) {
        CHECK(plain.data == NULL);
        return error.code;
    }
    CHECK_BYTES(bytes_of(plain.data, plain.size), expected);
    return ERROR_NONE;
}

/* The message with one text replaced; static, until the next call. */
static struct bytes with(struct bytes message, const char *from, const char *to)
{
    static char text[TEXT_SIZE_MAX];
    size_t from_size = strlen(from), at = 0;
    while (at + from_size <= message.size && memcmp(message.data + at, from, from_size) != 0)
        at++;
    CHECK(at + from_size <= message.size);
    int size =
        snprintf(text, sizeof(text), "%.*s%s%.*s", (int)at, (const char *)message.data, to,
                 (int)(message.size - at - from_size), (const char *)message.data + at + from_size);
    CHECK(size > 0 && (size_t)size < sizeof(text));
    return bytes_of(text, (size_t)size);
}

static void opens_the_messages_of_rfc_7520(void)
{
    struct bytes plain = file_of("rfc7520.plain");
    AUTO(jwe_key) struct jwe_key *rsa = key_of("rfc7520_5_2.pem", JWE_RSA_OAEP);
    AUTO(jwe_key) struct jwe_key *ec = key_of("rfc7520_5_4.pem", JWE_ECDH_ES_A128KW);
    REQUIRE(rsa != NULL && ec != NULL);
    CHECK_NUMBER(opens(rsa, file_of("rfc7520_5_2.jwe"), plain), ERROR_NONE);
    CHECK_NUMBER(opens(ec, file_of("rfc7520_5_4.jwe"), plain), ERROR_NONE);
    CHECK_NUMBER(opens(ec, file_of("rfc7520_5_4.json"), plain), ERROR_NONE);
}

static void opens_what_others_encrypt(void)
{
    static const struct {
        const char *message, *key;
        enum jwe_algorithm algorithm;
    } rows[] = {
        { "p256.json", "p256.pem", JWE_ECDH_ES_A256KW },
        { "p256_parties.json", "p256.pem", JWE_ECDH_ES_A256KW },
        { "p256_aad.json", "p256.pem", JWE_ECDH_ES_A256KW },
        { "p256_trustee_aad.json", "p256.pem", JWE_ECDH_ES_A256KW },
        { "p256_short_key.json", "p256.pem", JWE_ECDH_ES_A256KW },
        { "p521.json", "p521.pem", JWE_ECDH_ES_A256KW },
        { "rsa.json", "rsa.pem", JWE_RSA_OAEP_256 },
    };
    struct bytes plain = BYTES_LITERAL("this is the resource");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO(jwe_key) struct jwe_key *key = key_of(rows[i].key, rows[i].algorithm);
        REQUIRE(key != NULL);
        enum error_code code = opens(key, file_of(rows[i].message), plain);
        CHECK_NOTE(code == ERROR_NONE, "%s", rows[i].message);
    }
    AUTO(jwe_key) struct jwe_key *key = key_of("p256.pem", JWE_ECDH_ES_A256KW);
    CHECK_NUMBER(opens(key, file_of("p256_empty.json"), (struct bytes){ 0 }), ERROR_NONE);
}

static void a_key_has_one_algorithm(void)
{
    struct bytes none = { 0 };
    AUTO(jwe_key) struct jwe_key *p256 = key_of("p256.pem", JWE_ECDH_ES_A256KW);
    AUTO(jwe_key) struct jwe_key *p256_short = key_of("p256.pem", JWE_ECDH_ES_A128KW);
    AUTO(jwe_key) struct jwe_key *rsa = key_of("rsa.pem", JWE_RSA_OAEP_256);
    AUTO(jwe_key) struct jwe_key *rsa_sha1 = key_of("rsa.pem", JWE_RSA_OAEP);
    REQUIRE(p256 != NULL && p256_short != NULL && rsa != NULL && rsa_sha1 != NULL);
    CHECK_NUMBER(opens(p256_short, file_of("p256.json"), none), ERROR_INVALID);
    CHECK_NUMBER(opens(rsa_sha1, file_of("rsa.json"), none), ERROR_INVALID);
    CHECK_NUMBER(opens(rsa, file_of("p256.json"), none), ERROR_INVALID);
    CHECK_NUMBER(opens(p256, file_of("rsa.json"), none), ERROR_INVALID);
    CHECK_NUMBER(opens(p256, file_of("p521.json"), none), ERROR_INVALID);
    AUTO(jwe_key) struct jwe_key *other = NULL;
    struct error error;
    REQUIRE(jwe_key_generate(&other, JWE_P256, JWE_ECDH_ES_A256KW, &error));
    CHECK_NUMBER(opens(other, file_of("p256.json"), none), ERROR_UNVERIFIED);
    AUTO(jwe_key) struct jwe_key *wrong = NULL;
    CHECK(!jwe_key_from_pem(&wrong, file_of("rsa.pem"), JWE_ECDH_ES_A256KW, &error));
    CHECK(!jwe_key_from_pem(&wrong, file_of("p256.json"), JWE_ECDH_ES_A256KW, &error));
}

/* A message whose protected header is this JSON, of the parts of p256.json otherwise. */
static struct bytes with_header(const char *header)
{
    static char made[TEXT_SIZE_MAX];
    char text[TEXT_SIZE_MAX];
    struct bytes message = file_of("p256.json");
    struct json_reader json;
    struct json_text name, protected = { 0 };
    json_reader_init(&json, message);
    json_enter_object(&json);
    while (json_next_member(&json, &name)) {
        struct json_text value = json_read_string(&json);
        if (json_text_equal(name, "protected"))
        protected = value;
    }
    CHECK(json_read_end(&json));
    CHECK(base64url_text_size(strlen(header)) < sizeof(text));
    base64url_encode(text, bytes_of_string(header));
    char old[TEXT_SIZE_MAX];
    snprintf(old, sizeof(old), "%.*s", (int)protected.raw.size, (const char *)protected.raw.data);
    struct bytes changed = with(message, old, text);
    memcpy(made, changed.data, changed.size);
    return bytes_of(made, changed.size);
}

static void refuses_tricks_in_the_header(void)
{
#define POINT                                                                                      \
    "\"epk\":{\"crv\":\"P-256\",\"kty\":\"EC\","                                                   \
    "\"x\":\"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY\","                                       \
    "\"y\":\"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU\"}"
#define HEAD "{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\","
    static const struct {
        const char *header;
        enum error_code code;
    } rows[] = {
        { HEAD POINT "}", ERROR_UNVERIFIED }, /* good form: the point is the curve's generator */
        { HEAD POINT ",\"kid\":\"1\",\"new\":[1]}", ERROR_UNVERIFIED },
        { HEAD POINT ",\"crit\":[\"exp\"],\"exp\":1}", ERROR_INVALID },
        { HEAD POINT ",\"crit\":[]}", ERROR_INVALID },
        { HEAD POINT ",\"zip\":\"DEF\"}", ERROR_INVALID },
        { HEAD POINT "," POINT "}", ERROR_INVALID },
        { HEAD POINT "} ", ERROR_UNVERIFIED },
        { HEAD POINT "}x", ERROR_INVALID },
        { HEAD "\"kid\":\"1\"}", ERROR_INVALID },
        { "{\"alg\":\"dir\",\"enc\":\"A256GCM\"," POINT "}", ERROR_INVALID },
        { "{\"alg\":\"none\",\"enc\":\"A256GCM\"," POINT "}", ERROR_INVALID },
        { "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\"," POINT "}", ERROR_INVALID },
        { "{\"alg\":\"RSA1_5\",\"enc\":\"A256GCM\"," POINT "}", ERROR_INVALID },
        { "{\"alg\":\"ecdh-es+a256kw\",\"enc\":\"A256GCM\"," POINT "}", ERROR_INVALID },
        { "{\"alg\":[\"ECDH-ES+A256KW\"],\"enc\":\"A256GCM\"," POINT "}", ERROR_INVALID },
        { "{\"enc\":\"A256GCM\"," POINT "}", ERROR_INVALID },
        { "{\"alg\":\"ECDH-ES+A256KW\"," POINT "}", ERROR_INVALID },
        { "{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A128CBC-HS256\"," POINT "}", ERROR_INVALID },
        { "{\"alg\":\"ECDH-ES+A256KW\",\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\"," POINT "}",
          ERROR_INVALID },
        /* a point off the curve, of another curve, short, of another kind */
        { HEAD "\"epk\":{\"crv\":\"P-256\",\"kty\":\"EC\","
               "\"x\":\"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY\","
               "\"y\":\"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY\"}}",
          ERROR_UNVERIFIED },
        { HEAD "\"epk\":{\"crv\":\"P-256\",\"kty\":\"EC\","
               "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
               "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}}",
          ERROR_UNVERIFIED },
        { HEAD "\"epk\":{\"crv\":\"P-384\",\"kty\":\"EC\",\"x\":\"AA\",\"y\":\"AA\"}}",
          ERROR_INVALID },
        { HEAD "\"epk\":{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"AA\",\"y\":\"AA\"}}",
          ERROR_INVALID },
        { HEAD "\"epk\":{\"crv\":\"P-256\",\"kty\":\"OKP\","
               "\"x\":\"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY\","
               "\"y\":\"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU\"}}",
          ERROR_INVALID },
        { HEAD "\"epk\":null}", ERROR_INVALID },
        { HEAD POINT ",\"apu\":\"A\"}", ERROR_INVALID },
        { "[]", ERROR_INVALID },
        { "", ERROR_INVALID },
    };
    AUTO(jwe_key) struct jwe_key *key = key_of("p256.pem", JWE_ECDH_ES_A256KW);
    REQUIRE(key != NULL);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        enum error_code code = opens(key, with_header(rows[i].header), (struct bytes){ 0 });
        CHECK_NOTE(code == rows[i].code, "%s: %s", rows[i].header, error_name(code));
    }
}

static void refuses_other_serialisations(void)
{
    AUTO(jwe_key) struct jwe_key *key = key_of("p256.pem", JWE_ECDH_ES_A256KW);
    struct bytes message = file_of("p256.json"), none = { 0 };
    static const char *const more[] = { "\"header\": {\"alg\":\"dir\"}, \"iv\"",
                                        "\"unprotected\": {}, \"iv\"", "\"recipients\": [], \"iv\"",
                                        "\"iv\": \"AA\", \"iv\"" };
    REQUIRE(key != NULL);
    for (size_t i = 0; i < ARRAY_COUNT(more); i++)
        CHECK_NUMBER(opens(key, with(message, "\"iv\"", more[i]), none), ERROR_INVALID);
    CHECK_NUMBER(opens(key, with(message, "\"iv\"", "\"new\": {}, \"iv\""),
                       BYTES_LITERAL("this is the resource")),
                 ERROR_NONE);
    CHECK_NUMBER(opens(key, with(message, "\"tag\": \"", "\"tag\": \"AAAA"), none), ERROR_INVALID);
    CHECK_NUMBER(opens(key, with(message, "\"iv\": \"", "\"iv\": \"AAAA"), none), ERROR_INVALID);
    CHECK_NUMBER(opens(key, with(message, "\"iv\"", "\"aad\": \"AAAA\", \"iv\""), none),
                 ERROR_UNVERIFIED);
    AUTO(jwe_key) struct jwe_key *ec = key_of("rfc7520_5_4.pem", JWE_ECDH_ES_A128KW);
    struct bytes compact = file_of("rfc7520_5_4.jwe");
    char text[TEXT_SIZE_MAX];
    snprintf(text, sizeof(text), "%.*s.", (int)compact.size, (const char *)compact.data);
    CHECK_NUMBER(opens(ec, bytes_of_string(text), none), ERROR_INVALID);
    CHECK_NUMBER(opens(ec, BYTES_LITERAL("eyJ9.a.b.c"), none), ERROR_INVALID);
    CHECK_NUMBER(opens(ec, BYTES_LITERAL(""), none), ERROR_INVALID);
}

static void refuses_what_is_too_large(void)
{
    AUTO(jwe_key) struct jwe_key *key = key_of("p256.pem", JWE_ECDH_ES_A256KW);
    uint8_t *huge = malloc(JWE_SIZE_MAX + 1);
    REQUIRE(key != NULL && huge != NULL);
    memset(huge, 'e', JWE_SIZE_MAX + 1);
    CHECK_NUMBER(opens(key, bytes_of(huge, JWE_SIZE_MAX + 1), (struct bytes){ 0 }), ERROR_LIMIT);
    CHECK_NUMBER(opens(key, bytes_of(huge, JWE_SIZE_MAX), (struct bytes){ 0 }), ERROR_INVALID);
    free(huge);
}

static void notices_every_cut_and_every_change(void)
{
    struct bytes good = file_of("p256.json");
    AUTO(jwe_key) struct jwe_key *key = key_of("p256.pem", JWE_ECDH_ES_A256KW);
    uint8_t changed[TEXT_SIZE_MAX];
    REQUIRE(key != NULL && good.size < sizeof(changed));
    for (size_t size = 0; size < good.size; size++)
        CHECK(opens(key, bytes_part(good, 0, size), (struct bytes){ 0 }) != ERROR_NONE);
    for (size_t i = 0; i < good.size; i++) {
        memcpy(changed, good.data, good.size);
        changed[i] ^= 1;
        enum error_code code =
            opens(key, bytes_of(changed, good.size), BYTES_LITERAL("this is the resource"));
        /* only spaces between the members may become something harmless: they don't */
        CHECK_NOTE(code != ERROR_NONE, "byte %zu of %zu", i, good.size);
    }
}

static void shows_its_public_half(void)
{
    static const struct {
        enum jwe_kind kind;
        enum jwe_algorithm algorithm;
        const char *start;
        size_t size;
    } rows[] = {
        { JWE_P256, JWE_ECDH_ES_A256KW,
          "{\"alg\":\"ECDH-ES+A256KW\",\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"", 149 },
        { JWE_P521, JWE_ECDH_ES_A256KW,
          "{\"alg\":\"ECDH-ES+A256KW\",\"crv\":\"P-521\",\"kty\":\"EC\",\"x\":\"", 239 },
        { JWE_RSA, JWE_RSA_OAEP_256,
          "{\"alg\":\"RSA-OAEP-256\",\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"", 564 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO(jwe_key) struct jwe_key *key = NULL;
        AUTO_BUFFER struct buffer jwk;
        struct error error;
        buffer_init(&jwk, TEXT_SIZE_MAX);
        REQUIRE(jwe_key_generate(&key, rows[i].kind, rows[i].algorithm, &error));
        REQUIRE(jwe_key_write_public(&jwk, key, &error));
        CHECK(bytes_starts_with(buffer_view(&jwk), bytes_of_string(rows[i].start)));
        CHECK_NUMBER(jwk.size, rows[i].size);
    }
}

static const struct test tests[] = { TEST(opens_the_messages_of_rfc_7520),
                                     TEST(opens_what_others_encrypt),
                                     TEST(a_key_has_one_algorithm),
                                     TEST(refuses_tricks_in_the_header),
                                     TEST(refuses_other_serialisations),
                                     TEST(refuses_what_is_too_large),
                                     TEST(notices_every_cut_and_every_change),
                                     TEST(shows_its_public_half) };
TEST_MAIN(tests)
