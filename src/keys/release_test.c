/* SPDX-License-Identifier: Apache-2.0 */
#include "core/hex.h"
#include "crypto/base64.h"
#include "keys/release.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static struct digest32 digest_of(const char *text)
{
    return sha256_of(bytes_of_string(text));
}

static struct digest32 version_of(const char *a, const char *b)
{
    struct error error = { 0 };
    struct digest32 artefacts[] = { digest_of(a), digest_of(b) }, version = { 0 };
    struct digest32 manifest = digest_of("manifest");
    CHECK(release_digest(&version, &manifest, artefacts, 2, &error));
    return version;
}

/* Made with python: hashlib over the statement written out by hand. */
static void the_digest_is_that_of_the_statement(void)
{
    struct error error = { 0 };
    AUTO_BUFFER struct buffer text;
    struct digest32 manifest = digest_of("manifest"), code = digest_of("code"), version;
    buffer_init(&text, 4096);
    buffer_format(&text, "{\"artefacts\":[\"%s\"],", hex_of_digest(&code).text);
    buffer_format(&text, "\"manifest\":\"%s\",\"purpose\":\"s3n/version/1\"}",
                  hex_of_digest(&manifest).text);
    struct digest32 wanted = sha256_of(buffer_view(&text)), twice[] = { code, code };
    CHECK(release_digest(&version, &manifest, twice, 2, &error));
    CHECK(digest32_equal(&version, &wanted));
    /* The order in which a manifest names them does not count. */
    struct digest32 one = version_of("a", "b"), other = version_of("b", "a");
    CHECK(digest32_equal(&one, &other));
    other = version_of("a", "c");
    CHECK(!digest32_equal(&one, &other));
    CHECK(!release_digest(&version, &manifest, twice, RELEASE_ARTEFACT_COUNT_MAX + 1, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
}

static void signatures_are_of_one_version_by_one_key(void)
{
    struct error error = { 0 };
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    AUTO(ecdsa_key) struct ecdsa_key *other = NULL;
    AUTO_BUFFER struct buffer text;
    struct release_signature signature;
    struct digest32 version = digest_of("version"), another = digest_of("another");
    buffer_init(&text, RELEASE_TEXT_SIZE_MAX);
    REQUIRE(ecdsa_key_generate(&key, &error) && ecdsa_key_generate(&other, &error));
    REQUIRE(release_sign(&text, &version, key, &error));
    CHECK_NOTE(release_parse(&signature, buffer_view(&text), &error), "%s", error.text);
    struct digest32 id = ecdsa_public_id(ecdsa_key_public(key));
    CHECK(digest32_equal(&signature.signer, &id));
    CHECK(release_verify(&signature, &version, ecdsa_key_public(key), &error));
    CHECK(!release_verify(&signature, &another, ecdsa_key_public(key), &error));
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    CHECK(!release_verify(&signature, &version, ecdsa_key_public(other), &error));
    signature.signer = ecdsa_public_id(ecdsa_key_public(other));
    CHECK(!release_verify(&signature, &version, ecdsa_key_public(other), &error));
}

/* The form is RFC 7797's: signing input is the encoded header, a dot, and the bare payload. */
static void any_jose_library_can_check_it(void)
{
    struct error error = { 0 };
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    AUTO_BUFFER struct buffer text;
    AUTO_BUFFER struct buffer input;
    struct digest32 version = digest_of("version");
    buffer_init(&text, RELEASE_TEXT_SIZE_MAX);
    buffer_init(&input, 4096);
    REQUIRE(ecdsa_key_generate(&key, &error) && release_sign(&text, &version, key, &error));
    struct bytes header = bytes_part(buffer_view(&text), 0, bytes_find(buffer_view(&text), '.'));
    buffer_append(&input, header);
    buffer_append_string(&input, ".");
    buffer_append_string(&input, hex_of_digest(&version).text);
    struct digest32 digest = sha256_of(buffer_view(&input));
    struct ecdsa_signature value;
    size_t size;
    CHECK(base64url_decode(value.bytes, sizeof(value.bytes), &size,
                           bytes_part(buffer_view(&text), header.size + 2, text.size)));
    CHECK(ecdsa_verify(ecdsa_key_public(key), &digest, &value, &error));
    char plain[512];
    CHECK(base64url_decode(plain, sizeof(plain) - 1, &size, header));
    plain[size] = '\0';
    CHECK(strstr(plain, "\"alg\":\"ES256\",\"b64\":false,\"crit\":[\"b64\"]") != NULL);
}

static void every_truncation_and_flip_is_refused(void)
{
    struct error error = { 0 };
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    AUTO_BUFFER struct buffer text;
    struct release_signature signature;
    struct digest32 version = digest_of("version");
    buffer_init(&text, RELEASE_TEXT_SIZE_MAX);
    REQUIRE(ecdsa_key_generate(&key, &error) && release_sign(&text, &version, key, &error));
    for (size_t size = 0; size < text.size; size++)
        CHECK(!release_parse(&signature, bytes_of(text.data, size), &error));
    for (size_t i = 0; i < text.size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            text.data[i] ^= (uint8_t)(1 << bit);
            bool holds = release_parse(&signature, buffer_view(&text), &error) &&
                         release_verify(&signature, &version, ecdsa_key_public(key), &error);
            CHECK(!holds);
            text.data[i] ^= (uint8_t)(1 << bit);
        }
    }
    buffer_append_string(&text, "A");
    CHECK(!release_parse(&signature, buffer_view(&text), &error));
}

/* The usual tricks with a JWS header. */
static void other_headers_are_refused(void)
{
    static const char *const headers[] = {
        "{\"alg\":\"none\",\"b64\":false,\"crit\":[\"b64\"],\"kid\":\"<kid>\",\"typ\":\"s3n-"
        "release+"
        "jws\"}",
        "{\"alg\":\"HS256\",\"b64\":false,\"crit\":[\"b64\"],\"kid\":\"<kid>\",\"typ\":\"s3n-"
        "release+"
        "jws\"}",
        "{\"alg\":\"ES256\",\"b64\":true,\"crit\":[\"b64\"],\"kid\":\"<kid>\",\"typ\":\"s3n-"
        "release+"
        "jws\"}",
        "{\"alg\":\"ES256\",\"kid\":\"<kid>\",\"typ\":\"s3n-release+jws\"}",
        "{\"alg\":\"ES256\",\"b64\":false,\"crit\":[\"b64\"],\"kid\":\"<kid>\",\"typ\":\"s3n-"
        "receipt+"
        "jwt\"}",
    };
    struct error error;
    struct digest32 id = digest_of("id");
    for (size_t i = 0; i < ARRAY_COUNT(headers); i++) {
        char plain[512];
        AUTO_BUFFER struct buffer text;
        uint8_t zeros[64] = { 1 };
        struct release_signature signature;
        buffer_init(&text, 4096);
        const char *kid = strstr(headers[i], "<kid>");
        snprintf(plain, sizeof(plain), "%.*s%s%s", (int)(kid - headers[i]), headers[i],
                 hex_of_digest(&id).text, kid + 5);
        base64url_append(&text, bytes_of_string(plain));
        buffer_append_string(&text, "..");
        base64url_append(&text, BYTES_OF(zeros));
        CHECK(!release_parse(&signature, buffer_view(&text), &error));
        CHECK_NUMBER(error.code, ERROR_INVALID);
    }
}

static const struct test tests[] = {
    TEST(the_digest_is_that_of_the_statement), TEST(signatures_are_of_one_version_by_one_key),
    TEST(any_jose_library_can_check_it),       TEST(every_truncation_and_flip_is_refused),
    TEST(other_headers_are_refused),
};

TEST_MAIN(tests)
