/* SPDX-License-Identifier: Apache-2.0 */
/* The messages themselves; whole handshakes with a broker are in tests/kbs. */
#include "keys/kbs.h"

#include "crypto/base64.h"
#include "keys/limits.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NOW_S = 1700000000,
    TEXT_SIZE_MAX = 4096
};

static struct kbs_options sample = { .is_sample = true, .resource = "default/s3n/root" };

static struct kbs_session *session_of(const struct kbs_options *options)
{
    struct kbs_session *session = NULL;
    struct error error;
    CHECK(kbs_session_new(&session, NULL, options, &error));
    return session;
}

/* Appended text as a string; static, until the next call. */
static const char *text_of(const struct buffer *buffer)
{
    static char text[TEXT_SIZE_MAX];
    snprintf(text, sizeof(text), "%.*s", (int)buffer->size, (const char *)buffer->data);
    return text;
}

static enum error_code challenged(struct kbs_session *session, int status, const char *challenge)
{
    AUTO_BUFFER struct buffer body;
    struct error error = { 0 };
    buffer_init(&body, TEXT_SIZE_MAX);
    CHECK(kbs_write_request(&body, session, &error));
    return kbs_read_challenge(session, status, bytes_of_string(challenge), &error) ? ERROR_NONE
                                                                                   : error.code;
}

static void asks_in_the_words_of_the_protocol(void)
{
    struct kbs_options old = sample;
    old.version = KBS_VERSION_0_2_0;
    AUTO(kbs_session) struct kbs_session *session = session_of(&sample);
    AUTO(kbs_session) struct kbs_session *older = session_of(&old);
    AUTO_BUFFER struct buffer body;
    struct error error;
    buffer_init(&body, TEXT_SIZE_MAX);
    REQUIRE(kbs_write_request(&body, session, &error));
    CHECK_STRING(text_of(&body),
                 "{\"extra-params\":{\"supported-hash-algorithms\":[\"sha256\",\"sha384\","
                 "\"sha512\"]},\"tee\":\"sample\",\"version\":\"0.4.0\"}");
    buffer_clear(&body);
    REQUIRE(kbs_write_request(&body, older, &error));
    CHECK(strstr(text_of(&body), "\"version\":\"0.2.0\"") != NULL);
}

/* The member's text between `start` and `end`. */
static struct bytes part(const char *text, const char *start, const char *end)
{
    const char *from = strstr(text, start);
    const char *to = from == NULL ? NULL : strstr(from + strlen(start), end);
    CHECK(to != NULL);
    if (to == NULL)
        return (struct bytes){ 0 };
    from += strlen(start);
    return bytes_of(from, (size_t)(to - from));
}

/* Evidence over runtime data that the test writes down itself. */
static void binds_nonce_and_key(enum kbs_version version, const char *hash, size_t hash_size)
{
    struct kbs_options options = sample;
    options.version = version;
    AUTO(kbs_session) struct kbs_session *session = session_of(&options);
    AUTO_BUFFER struct buffer body;
    struct error error;
    char challenge[256], runtime[TEXT_SIZE_MAX], expected[96];
    buffer_init(&body, TEXT_SIZE_MAX);
    snprintf(challenge, sizeof(challenge),
             "{\"nonce\":\"bm9uY2U\\u003d\",\"extra-params\":{\"selected-hash-algorithm\":\"%s\"}}",
             hash);
    CHECK_NUMBER(challenged(session, 200, challenge), ERROR_NONE);
    REQUIRE(kbs_write_attestation(&body, session, &error));
    const char *text = text_of(&body);
    struct bytes key = part(text, "\"tee-pubkey\":", "}");
    snprintf(runtime, sizeof(runtime), "{%s\"nonce\":\"bm9uY2U=\",\"tee-pubkey\":%.*s}}",
             version == KBS_VERSION_0_4_0 ? "\"additional-evidence\":\"\"," : "", (int)key.size,
             (const char *)key.data);
    struct bytes data = bytes_of_string(runtime);
    struct digest32 short_hash = sha256_of(data);
    struct digest48 middle_hash = sha384_of(data);
    struct digest64 long_hash = sha512_of(data);
    const uint8_t *digest = hash_size == 32   ? short_hash.bytes
                            : hash_size == 48 ? middle_hash.bytes
                                              : long_hash.bytes;
    base64_encode(expected, bytes_of(digest, hash_size));
    CHECK_BYTES(part(text, "{\"report_data\":\"", "\",\"svn\":\"1\"}"), bytes_of_string(expected));
    if (version == KBS_VERSION_0_4_0) {
        CHECK(strstr(text, "{\"runtime-data\":{\"nonce\":\"bm9uY2U=\",\"tee-pubkey\":{") == text);
        CHECK(strstr(text, "},\"tee-evidence\":{\"additional_evidence\":\"\",\"primary_evidence\":"
                           "{\"report_data\":") != NULL);
    } else {
        CHECK(strstr(text, "{\"tee-evidence\":{\"report_data\":") == text);
    }
}

static void binds_nonce_and_key_to_the_evidence(void)
{
    binds_nonce_and_key(KBS_VERSION_0_4_0, "sha384", 48);
    binds_nonce_and_key(KBS_VERSION_0_4_0, "sha256", 32);
    binds_nonce_and_key(KBS_VERSION_0_4_0, "SHA512", 64);
    binds_nonce_and_key(KBS_VERSION_0_2_0, "sha384", 48);
}

static void refuses_bad_challenges(void)
{
    static const struct {
        int status;
        const char *body;
        enum error_code code;
    } rows[] = {
        { 200, "{\"nonce\":\"A\",\"extra-params\":\"\"}", ERROR_NONE },
        { 200, "{\"nonce\":\"A\"}", ERROR_NONE },
        { 200, "{\"nonce\":\"A\",\"extra-params\":{\"other\":1},\"new\":[]}", ERROR_NONE },
        { 200, "{\"extra-params\":\"\"}", ERROR_INVALID },
        { 200, "{\"nonce\":\"\"}", ERROR_INVALID },
        { 200, "{\"nonce\":1}", ERROR_INVALID },
        { 200, "{\"nonce\":\"A\",\"nonce\":\"B\"}", ERROR_INVALID },
        { 200, "{\"nonce\":\"a\\u0000b\"}", ERROR_INVALID },
        { 200, "{\"nonce\":\"a\\\"b\"}", ERROR_INVALID },
        { 200, "{\"nonce\":\"\\u00e4\"}", ERROR_INVALID },
        { 200, "{\"nonce\":\"A\",\"extra-params\":{\"selected-hash-algorithm\":\"md5\"}}",
          ERROR_INVALID },
        { 200, "{\"nonce\":\"A\",\"extra-params\":{\"selected-hash-algorithm\":384}}",
          ERROR_INVALID },
        { 200, "", ERROR_INVALID },
        { 200, "{\"nonce\":\"A\"} x", ERROR_INVALID },
        { 200, "<html>", ERROR_INVALID },
        { 401, "{\"type\":\"t\",\"detail\":\"version\"}", ERROR_UNAUTHENTICATED },
        { 403, "", ERROR_DENIED },
        { 302, "{\"nonce\":\"A\"}", ERROR_UNAVAILABLE },
        { 201, "{\"nonce\":\"A\"}", ERROR_UNAVAILABLE },
        { 500, "{}", ERROR_UNAVAILABLE },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO(kbs_session) struct kbs_session *session = session_of(&sample);
        enum error_code code = challenged(session, rows[i].status, rows[i].body);
        CHECK_NOTE(code == rows[i].code, "%s: %s", rows[i].body, error_name(code));
    }
    AUTO(kbs_session) struct kbs_session *session = session_of(&sample);
    char *huge = calloc(1, KBS_NONCE_SIZE_MAX + 64);
    REQUIRE(huge != NULL);
    memcpy(huge, "{\"nonce\":\"", 10);
    memset(huge + 10, 'A', KBS_NONCE_SIZE_MAX + 1);
    memcpy(huge + 10 + KBS_NONCE_SIZE_MAX + 1, "\"}", 2);
    CHECK_NUMBER(challenged(session, 200, huge), ERROR_INVALID);
    free(huge);
}

static void tells_what_the_broker_says(void)
{
    AUTO(kbs_session) struct kbs_session *session = session_of(&sample);
    AUTO_BUFFER struct buffer body;
    struct error error;
    buffer_init(&body, TEXT_SIZE_MAX);
    REQUIRE(kbs_write_request(&body, session, &error));
    REQUIRE(!kbs_read_challenge(
        session, 401,
        BYTES_LITERAL("{\"type\":\"x/AttestationError\",\"detail\":\"no \\u001b[31m entry\"}"),
        &error));
    CHECK_STRING(error.text, "the key broker answers 401: no \\x1b[31m entry");
}

static enum error_code token_code(int status, const char *body)
{
    AUTO(kbs_session) struct kbs_session *session = session_of(&sample);
    AUTO_BUFFER struct buffer sent;
    struct error error = { 0 };
    buffer_init(&sent, TEXT_SIZE_MAX);
    CHECK_NUMBER(challenged(session, 200, "{\"nonce\":\"A\"}"), ERROR_NONE);
    CHECK(kbs_write_attestation(&sent, session, &error));
    return kbs_read_token(session, status, bytes_of_string(body), NOW_S, &error) ? ERROR_NONE
                                                                                 : error.code;
}

static void looks_at_the_token(void)
{
    static const struct {
        const char *claims;
        enum error_code code;
    } rows[] = { { "{\"exp\":1700000001}", ERROR_NONE },
                 { "{}", ERROR_NONE },
                 { "{\"exp\":1700000000}", ERROR_UNVERIFIED },
                 { "{\"exp\":1}", ERROR_UNVERIFIED },
                 { "{\"exp\":-1}", ERROR_INVALID },
                 { "{\"exp\":\"1800000000\"}", ERROR_INVALID },
                 { "[]", ERROR_INVALID },
                 { "", ERROR_INVALID } };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char claims[128], body[256];
        base64url_encode(claims, bytes_of_string(rows[i].claims));
        snprintf(body, sizeof(body), "{\"token\":\"e30.%s.AA\"}", claims);
        enum error_code code = token_code(200, body);
        CHECK_NOTE(code == rows[i].code, "%s: %s", rows[i].claims, error_name(code));
    }
    CHECK_NUMBER(token_code(200, "{\"token\":\"e30\"}"), ERROR_INVALID);
    CHECK_NUMBER(token_code(200, "{\"token\":\"e30.e30\"}"), ERROR_INVALID);
    CHECK_NUMBER(token_code(200, "{\"token\":\"e30.!.AA\"}"), ERROR_INVALID);
    CHECK_NUMBER(token_code(200, "{}"), ERROR_INVALID);
    CHECK_NUMBER(token_code(401, "{\"detail\":\"policy\"}"), ERROR_UNAUTHENTICATED);
}

static void keeps_its_steps_in_order(void)
{
    AUTO(kbs_session) struct kbs_session *session = session_of(&sample);
    AUTO_BUFFER struct buffer body;
    AUTO_SECRET_BUFFER struct secret_buffer resource = { 0 };
    struct error error;
    buffer_init(&body, TEXT_SIZE_MAX);
    CHECK(!kbs_write_attestation(&body, session, &error));
    CHECK_NUMBER(error.code, ERROR_INTERNAL);
    CHECK(!kbs_read_resource(&resource, session, 200, BYTES_LITERAL("{}"), &error));
    CHECK_NUMBER(error.code, ERROR_INTERNAL);
    CHECK(kbs_write_request(&body, session, &error));
    CHECK(!kbs_write_request(&body, session, &error));
}

static void knows_names_of_resources(void)
{
    static const char *const good[] = { "default/s3n/root", "a/b/c", "A-1/b_2/c.3" };
    static const char *const bad[] = { "",        "a",       "a/b",          "a/b/c/d",
                                       "a//c",    "/a/b/c",  "a/b/c/",       "../b/c",
                                       "a/./c",   "a/b/..",  "a/b/c?d",      "a/b/c#d",
                                       "a/b/%2e", "a/b/c d", "a/b/\303\244", "a\\b/c/d" };
    struct error error;
    for (size_t i = 0; i < ARRAY_COUNT(good); i++)
        CHECK_NOTE(kbs_resource_check(good[i], &error), "%s", good[i]);
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        CHECK_NOTE(!kbs_resource_check(bad[i], &error), "%s", bad[i]);
    enum kbs_version version;
    enum jwe_kind kind;
    CHECK(!kbs_version_parse(&version, "0.1.0", &error));
    CHECK(!kbs_key_parse(&kind, "RSA1_5", &error));
}

static void sends_no_evidence_that_no_broker_takes(void)
{
    struct platform nitro = { .name = "nitro" };
    struct kbs_options options = { .resource = "a/b/c" };
    AUTO(kbs_session) struct kbs_session *session = NULL;
    AUTO_BUFFER struct buffer body;
    struct error error;
    buffer_init(&body, TEXT_SIZE_MAX);
    REQUIRE(kbs_session_new(&session, &nitro, &options, &error));
    CHECK(!kbs_write_request(&body, session, &error));
    CHECK_NUMBER(error.code, ERROR_UNSUPPORTED);
}

static const struct test tests[] = {
    TEST(asks_in_the_words_of_the_protocol),
    TEST(binds_nonce_and_key_to_the_evidence),
    TEST(refuses_bad_challenges),
    TEST(tells_what_the_broker_says),
    TEST(looks_at_the_token),
    TEST(keeps_its_steps_in_order),
    TEST(knows_names_of_resources),
    TEST(sends_no_evidence_that_no_broker_takes),
};
TEST_MAIN(tests)
