/* SPDX-License-Identifier: Apache-2.0 */
#include "net/nonce.h"
#include "net/signature.h"
#include "net/structured.h"
#include "tests/harness.h"

#include "crypto/hash.h"

#include <stdio.h>
#include <string.h>

/* RFC 9421 B.1.3 and B.2.4: test-key-ecc-p256 signs an answer. */
static const char rfc_key[] = "-----BEGIN PUBLIC KEY-----\n"
                              "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf\n"
                              "w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==\n"
                              "-----END PUBLIC KEY-----\n";
#define RFC_INPUT                                                                                  \
    "sig-b24=(\"@status\" \"content-type\" \"content-digest\" \"content-length\")"                 \
    ";created=1618884473;keyid=\"test-key-ecc-p256\""
#define RFC_SIGNATURE                                                                              \
    "sig-b24=:wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oi" \
    "asw==:"
#define RFC_DIGEST                                                                                 \
    "sha-512=:"                                                                                    \
    "mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgf"         \
    "LQ==:"

static struct http_field rfc_fields[] = {
    { BYTES_LITERAL("date"), BYTES_LITERAL("Tue, 20 Apr 2021 02:07:56 GMT") },
    { BYTES_LITERAL("content-type"), BYTES_LITERAL("application/json") },
    { BYTES_LITERAL("content-digest"), BYTES_LITERAL(RFC_DIGEST) },
    { BYTES_LITERAL("content-length"), BYTES_LITERAL("23") },
    { BYTES_LITERAL("signature-input"), BYTES_LITERAL(RFC_INPUT) },
    { BYTES_LITERAL("signature"), BYTES_LITERAL(RFC_SIGNATURE) },
};

static void verifies_the_vector_of_the_rfc(void)
{
    struct error error = { 0 };
    struct ecdsa_public key;
    struct signature signature;
    struct signature_message message = { .status = 200,
                                         .fields = rfc_fields,
                                         .field_count = ARRAY_COUNT(rfc_fields) };
    REQUIRE(ecdsa_public_from_pem(&key, bytes_of_string(rfc_key), &error));
    REQUIRE(signature_parse(&signature, &message, "sig-b24", &error));
    CHECK_NUMBER(signature.component_count, 4);
    CHECK_NUMBER(signature.created_s, 1618884473);
    CHECK_BYTES(signature.key_id, BYTES_LITERAL("test-key-ecc-p256"));
    AUTO_BUFFER struct buffer base;
    buffer_init(&base, SIGNATURE_BASE_SIZE_MAX);
    REQUIRE(signature_base(&base, &signature, &message, &error));
    CHECK_BYTES(buffer_view(&base),
                BYTES_LITERAL("\"@status\": 200\n\"content-type\": application/json\n"
                              "\"content-digest\": " RFC_DIGEST "\n\"content-length\": 23\n"
                              "\"@signature-params\": (\"@status\" \"content-type\" "
                              "\"content-digest\" \"content-length\");created=1618884473;"
                              "keyid=\"test-key-ecc-p256\""));
    CHECK(signature_verify(&signature, &message, &key, &error));
    message.status = 201;
    CHECK(!signature_verify(&signature, &message, &key, &error));
    CHECK_NUMBER(error.code, ERROR_UNAUTHENTICATED);
}

/* The request of RFC 9421 section 2 and the derived components it gives. */
static void derives_the_components_of_the_rfc(void)
{
    static const struct {
        const char *input;
        const char *base;
    } cases[] = {
        { "(\"@method\")", "\"@method\": POST\n" },
        { "(\"@target-uri\")", "\"@target-uri\": https://www.example.com/path?param=value\n" },
        { "(\"@authority\")", "\"@authority\": www.example.com\n" },
        { "(\"@scheme\")", "\"@scheme\": https\n" },
        { "(\"@request-target\")", "\"@request-target\": /path?param=value\n" },
        { "(\"@path\")", "\"@path\": /path\n" },
        { "(\"@query\")", "\"@query\": ?param=value\n" },
        { "(\"cache-control\")", "\"cache-control\": max-age=60, must-revalidate\n" },
    };
    struct error error = { 0 };
    struct ecdsa_signature nothing = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char input[128], value[128] = "s=:";
        snprintf(input, sizeof(input), "s=%s", cases[i].input);
        memset(value + 3, 'A', 86);
        memcpy(value + 89, "==:", 4);
        struct http_field fields[] = {
            { BYTES_LITERAL("cache-control"), BYTES_LITERAL("max-age=60") },
            { BYTES_LITERAL("cache-control"), BYTES_LITERAL("must-revalidate") },
            { BYTES_LITERAL("signature-input"), bytes_of_string(input) },
            { BYTES_LITERAL("signature"), bytes_of_string(value) },
        };
        struct signature_message message = { .method = HTTP_METHOD_POST,
                                             .scheme = BYTES_LITERAL("https"),
                                             .authority = BYTES_LITERAL("www.EXAMPLE.com:443"),
                                             .target = BYTES_LITERAL("/path?param=value"),
                                             .fields = fields,
                                             .field_count = 4 };
        struct signature signature;
        REQUIRE(signature_parse(&signature, &message, "s", &error));
        CHECK(bytes_equal(BYTES_OF(signature.value.bytes), BYTES_OF(nothing.bytes)));
        AUTO_BUFFER struct buffer base;
        buffer_init(&base, SIGNATURE_BASE_SIZE_MAX);
        CHECK(signature_base(&base, &signature, &message, &error));
        CHECK_BYTES(bytes_part(buffer_view(&base), 0, strlen(cases[i].base)),
                    bytes_of_string(cases[i].base));
    }
}

#define NONCE "00112233445566778899aabbccddeeff"

struct signed_request {
    struct buffer input, value, digest;
    struct http_field fields[3];
    struct signature_message message;
    struct ecdsa_key *key;
};

static void sign(struct signed_request *request, struct bytes body, int64_t created_s)
{
    struct error error;
    memset(request, 0, sizeof(*request));
    buffer_init(&request->input, 4096);
    buffer_init(&request->value, 4096);
    buffer_init(&request->digest, 4096);
    struct digest32 digest = sha256_of(body);
    content_digest_write(&request->digest, &digest);
    request->message = (struct signature_message){ .method = HTTP_METHOD_PUT,
                                                   .scheme = BYTES_LITERAL("https"),
                                                   .authority = BYTES_LITERAL("127.0.0.1:8443"),
                                                   .target = BYTES_LITERAL("/v1/x?y"),
                                                   .fields = request->fields,
                                                   .field_count = 1 };
    request->fields[0] =
        (struct http_field){ BYTES_LITERAL("content-digest"), buffer_view(&request->digest) };
    ASSERT(ecdsa_key_generate(&request->key, &error));
    ASSERT(signature_create(&request->input, &request->value, &request->message, true, created_s,
                            NONCE, request->key, &error));
    request->fields[1] =
        (struct http_field){ BYTES_LITERAL("signature-input"), buffer_view(&request->input) };
    request->fields[2] =
        (struct http_field){ BYTES_LITERAL("signature"), buffer_view(&request->value) };
    request->message.field_count = 3;
}

static void done(struct signed_request *request)
{
    buffer_done(&request->input);
    buffer_done(&request->value);
    buffer_done(&request->digest);
    ecdsa_key_free(request->key);
}

static bool accepts(const struct signed_request *request, int64_t now_s, struct error *error)
{
    struct signature signature;
    return signature_parse(&signature, &request->message, SIGNATURE_LABEL, error) &&
           signature_check(&signature, true, now_s, error) &&
           signature_verify(&signature, &request->message, ecdsa_key_public(request->key), error);
}

static void accepts_its_own_and_no_other(void)
{
    struct error error = { 0 };
    struct signed_request request;
    sign(&request, BYTES_LITERAL("body"), 1000000);
    CHECK(accepts(&request, 1000000, &error));
    CHECK(accepts(&request, 1000300, &error) && accepts(&request, 999700, &error));
    CHECK(!accepts(&request, 1000301, &error) && !accepts(&request, 999699, &error));

    struct signature signature;
    struct digest32 id, expected = ecdsa_public_id(ecdsa_key_public(request.key));
    REQUIRE(signature_parse(&signature, &request.message, SIGNATURE_LABEL, &error));
    CHECK(signature_key_id(&signature, &id) && digest32_equal(&id, &expected));
    CHECK_BYTES(signature.nonce, BYTES_LITERAL(NONCE));
    CHECK(content_digest_check(request.fields[0].value, BYTES_LITERAL("body"), &error));
    CHECK(!content_digest_check(request.fields[0].value, BYTES_LITERAL("bodY"), &error));

    struct signature_message original = request.message;
    request.message.method = HTTP_METHOD_POST;
    CHECK(!accepts(&request, 1000000, &error));
    request.message = original;
    request.message.target = BYTES_LITERAL("/v1/x?z");
    CHECK(!accepts(&request, 1000000, &error));
    request.message = original;
    request.message.authority = BYTES_LITERAL("127.0.0.1:8444");
    CHECK(!accepts(&request, 1000000, &error));
    done(&request);
}

static void notices_every_flipped_byte(void)
{
    struct error error = { 0 };
    struct signed_request request;
    sign(&request, BYTES_LITERAL("body"), 1000000);
    struct buffer *parts[] = { &request.input, &request.value, &request.digest };
    for (size_t part = 0; part < ARRAY_COUNT(parts); part++) {
        for (size_t i = 0; i < parts[part]->size; i++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                parts[part]->data[i] ^= (uint8_t)(1 << bit);
                CHECK_NOTE(!accepts(&request, 1000000, &error), "part %zu byte %zu", part, i);
                parts[part]->data[i] ^= (uint8_t)(1 << bit);
            }
        }
    }
    for (size_t field = 1; field < 3; field++) {
        struct bytes whole = request.fields[field].value;
        for (size_t size = 0; size < whole.size; size++) {
            request.fields[field].value = bytes_of(whole.data, size);
            CHECK(!accepts(&request, 1000000, &error));
        }
        request.fields[field].value = whole;
    }
    CHECK(accepts(&request, 1000000, &error));
    done(&request);
}

static void asks_for_what_it_must(void)
{
    static const char *const inputs[] = {
        "(\"@method\")",
        "(\"@target-uri\" \"content-digest\")",
        "(\"@method\" \"@path\" \"@query\" \"content-digest\")",
        "(\"@method\" \"@target-uri\")",
        "(\"@method\" \"@target-uri\" \"content-digest\")",
    };
    static const char *const tails[] = {
        ";nonce=\"" NONCE "\";keyid=\"a\"",
        ";created=1000;keyid=\"a\"",
        ";created=1000;nonce=\"short\";keyid=\"a\"",
        ";created=1000;nonce=\"" NONCE "\"",
        ";created=1000;nonce=\"" NONCE "\";keyid=\"a\";alg=\"rsa-pss-sha512\"",
        ";created=1000;nonce=\"" NONCE "\";keyid=\"a\";expires=999",
        ";created=1000;nonce=\"" NONCE "\";keyid=\"a\"",
    };
    char value[128] = "s3n=:";
    memset(value + 5, 'A', 86);
    memcpy(value + 91, "==:", 4);
    for (size_t i = 0; i < ARRAY_COUNT(inputs); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(tails); j++) {
            char input[512];
            struct error error = { 0 };
            struct signature signature;
            snprintf(input, sizeof(input), "s3n=%s%s", inputs[i], tails[j]);
            struct http_field fields[] = {
                { BYTES_LITERAL("signature-input"), bytes_of_string(input) },
                { BYTES_LITERAL("signature"), bytes_of_string(value) },
            };
            struct signature_message message = { .fields = fields, .field_count = 2 };
            REQUIRE(signature_parse(&signature, &message, "s3n", &error));
            bool good = signature_check(&signature, true, 1000, &error);
            CHECK_NOTE(good == (i == 4 && j == 6), "%s", input);
            CHECK(good || error.code == ERROR_UNAUTHENTICATED);
            good = signature_check(&signature, false, 1000, &error);
            CHECK(good == ((i == 3 || i == 4) && j == 6));
        }
    }
}

static void refuses_malformed_fields(void)
{
    static const char *const inputs[] = {
        "",
        "s3n",
        "s3n=",
        "s3n=(",
        "s3n=()x",
        "s3n=(\"a\"\"b\")",
        "s3n=(\"a\" \"a\")",
        "s3n=(\"a\";sf)",
        "s3n=(a)",
        "s3n=(\"a)",
        "s3n=(\"a\\\"\")",
        "s3n=();created=\"1\"",
        "s3n=();created=1;created=2",
        "s3n=();created=1.5",
        "s3n=();created=1234567890123456",
        "s3n=();nonce=token",
        "s3n=();keyid=:AA==:",
        "s3n=(), s3n=()",
        "s3n=(),",
        ",s3n=()",
        "S3N=()",
        "s3n=()\t;created=1",
        "s3n=(\"\x80\")",
        ("s3n=(\"a\" \"b\" \"c\" \"d\" \"e\" \"f\" \"g\" \"h\" \"i\" \"j\" \"k\" \"l\" \"m\" \"n\" "
         "\"o\" \"p\" \"q\")"),
        "a=1, b=1, c=1, d=1, e=1, f=1, g=1, h=1, s3n=()",
    };
    char value[128] = "s3n=:";
    memset(value + 5, 'A', 86);
    memcpy(value + 91, "==:", 4);
    struct error error = { 0 };
    struct signature signature;
    struct http_field fields[3] = {
        { BYTES_LITERAL("signature-input"), { 0 } },
        { BYTES_LITERAL("signature"), bytes_of_string(value) },
    };
    struct signature_message message = { .fields = fields, .field_count = 2 };
    for (size_t i = 0; i < ARRAY_COUNT(inputs); i++) {
        fields[0].value = bytes_of_string(inputs[i]);
        CHECK_NOTE(!signature_parse(&signature, &message, "s3n", &error), "%s", inputs[i]);
    }
    fields[0].value = BYTES_LITERAL("s3n=()");
    CHECK(signature_parse(&signature, &message, "s3n", &error));
    fields[2] = fields[0];
    message.field_count = 3;
    CHECK(!signature_parse(&signature, &message, "s3n", &error));
    message.field_count = 2;
    static const char *const values[] = { "s3n=::", "s3n=:AA==:", "s3n=\"AAAA\"", "s3n=(:AA==:)",
                                          "s3n" };
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        fields[1].value = bytes_of_string(values[i]);
        CHECK(!signature_parse(&signature, &message, "s3n", &error));
    }
    message.field_count = 1;
    CHECK(!signature_parse(&signature, &message, "s3n", &error));
    CHECK_NUMBER(error.code, ERROR_UNAUTHENTICATED);
}

/* RFC 9530 appendix B: the digest of {"hello": "world"} with a line end. */
static void reads_digests(void)
{
    struct error error;
    struct digest32 digest;
    CHECK(content_digest_check(
        BYTES_LITERAL("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"),
        BYTES_LITERAL("{\"hello\": \"world\"}\n"), &error));
    CHECK(content_digest_check(
        BYTES_LITERAL("sha-512=:AAAA:, sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"),
        BYTES_LITERAL("{\"hello\": \"world\"}\n"), &error));
    static const char *const bad[] = { "",
                                       "sha-256=",
                                       "sha-256=::",
                                       "sha-512=:AAAA:",
                                       "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg:",
                                       "sha-256=\"RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=\"" };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        CHECK(!content_digest_parse(&digest, bytes_of_string(bad[i]), &error));
}

static void accepts_each_nonce_once(void)
{
    struct error error = { 0 };
    AUTO(nonce_cache) struct nonce_cache *cache = NULL;
    struct digest32 owner = { { 1 } }, other = { { 2 } };
    REQUIRE(nonce_cache_new(&cache, 100, 1000, &error));
    for (unsigned i = 0; i < 100; i++) {
        struct bytes nonce = bytes_of(&i, sizeof(i));
        CHECK(nonce_cache_use(cache, &owner, nonce, 1000, 1000, &error));
        CHECK(!nonce_cache_use(cache, &owner, nonce, 1000, 1000, &error));
        CHECK_NUMBER(error.code, ERROR_UNAUTHENTICATED);
    }
    CHECK(!nonce_cache_use(cache, &other, BYTES_LITERAL("old"), 999, 1000, &error));
    CHECK_NUMBER(error.code, ERROR_UNAUTHENTICATED); /* from before the cache */
    unsigned first = 0;
    struct bytes nonce = bytes_of(&first, sizeof(first));
    CHECK(!nonce_cache_use(cache, &other, nonce, 1001, 1001, &error));
    CHECK_NUMBER(error.code, ERROR_BUSY);
    CHECK(!nonce_cache_use(cache, &owner, nonce, 1000, 1300, &error));
    for (unsigned i = 0; i < 300; i++) { /* the window has passed: all may be forgotten */
        struct bytes fresh = bytes_of(&i, sizeof(i));
        CHECK(nonce_cache_use(cache, &other, fresh, 1301 + i * 10, 1301 + i * 10, &error));
    }
    /* What was forgotten is not accepted again with a clock that was set back. */
    CHECK(!nonce_cache_use(cache, &owner, nonce, 1000, 1000, &error));
    CHECK_NUMBER(error.code, ERROR_UNAUTHENTICATED);
}

static const struct test tests[] = {
    TEST(verifies_the_vector_of_the_rfc),
    TEST(derives_the_components_of_the_rfc),
    TEST(accepts_its_own_and_no_other),
    TEST(notices_every_flipped_byte),
    TEST(asks_for_what_it_must),
    TEST(refuses_malformed_fields),
    TEST(reads_digests),
    TEST(accepts_each_nonce_once),
};
TEST_MAIN(tests)
