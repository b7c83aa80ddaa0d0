/* SPDX-License-Identifier: Apache-2.0 */
#include "access/jwt.h"
#include "access/jwt_vectors.h"
#include "crypto/base64.h"
#include "crypto/hash.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NOW_S = 1800000000
};
static const char *const audiences[] = { "app", "app2" };
static const struct jwt_policy policy = { "https://issuer.example", audiences, 2, 7, 30 };
static struct jwks keys;

/* Everything that a node does with a token, but finding the key set. */
static bool judge(const char *text, const struct jwt_policy *by, int64_t now_s, struct error *error)
{
    AUTO_JWT struct jwt token = { 0 };
    if (!jwt_parse(&token, bytes_of_string(text), error) || !jwt_check(&token, by, now_s, error))
        return false;
    const struct jwks_key *key = jwks_find(&keys, token.algorithm, token.key_id);
    if (key == NULL)
        return error_set(error, ERROR_UNAUTHENTICATED, "no key");
    return jwks_verify(key, token.signed_bytes, bytes_of(token.signature, token.signature_size),
                       error);
}

static void check_refused(const char *text, const struct jwt_policy *by, int64_t now_s,
                          const char *why)
{
    struct error error = { 0 };
    CHECK_NOTE(!judge(text, by, now_s, &error), "%s", why);
    CHECK_NUMBER(error.code, ERROR_UNAUTHENTICATED);
    CHECK_NOTE(strstr(error.text, why) != NULL, "want %s, got %s", why, error.text);
}

static void reads_those_of_another_library(void)
{
    static const char *const all[] = { vector_es256, vector_rs256, vector_eddsa };
    struct error error = { 0 };
    REQUIRE(jwks_parse(&keys, bytes_of_string(vector_keys), &error));
    CHECK_NUMBER(keys.count, 3);
    for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
        AUTO_JWT struct jwt token = { 0 };
        CHECK_NOTE(judge(all[i], &policy, NOW_S, &error), "%s", error.text);
        REQUIRE(jwt_parse(&token, bytes_of_string(all[i]), &error));
        CHECK(bytes_equal_string(jwt_subject(&token), "alice"));
        struct jwt_policy none = policy;
        none.algorithms = 7u & ~(1u << i);
        check_refused(all[i], &none, NOW_S, "does not accept");
    }
    /* RFC 8037 appendix A.4 */
    static const uint8_t public[] = { 0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7,
                                      0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
                                      0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25,
                                      0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a };
    struct bytes message =
        BYTES_LITERAL("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc");
    uint8_t signature[64];
    size_t size = 0;
    REQUIRE(base64url_decode(signature, sizeof(signature), &size,
                             BYTES_LITERAL("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR"
                                           "4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")));
    CHECK(ed25519_verify(public, message, bytes_of(signature, size), &error));
}

static void refuses_every_cut_and_every_change(void)
{
    static const char *const all[] = { vector_es256, vector_rs256, vector_eddsa };
    struct error error = { 0 };
    REQUIRE(jwks_parse(&keys, bytes_of_string(vector_keys), &error));
    for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
        char *text = strdup(all[i]);
        size_t size = strlen(text);
        for (size_t at = 0; at < size; at++) {
            char kept = text[at];
            text[at] = '\0';
            CHECK_NOTE(!judge(text, &policy, NOW_S, &error), "cut at %zu", at);
            text[at] = kept == 'A' ? 'B' : 'A';
            CHECK_NOTE(!judge(text, &policy, NOW_S, &error), "changed at %zu", at);
            text[at] = kept;
        }
        CHECK(judge(text, &policy, NOW_S, &error));
        free(text);
    }
}

/* --- tokens of one's own making --- */

static struct ecdsa_key *own;

static void own_make(void)
{
    struct error error;
    ecdsa_key_free(own);
    ASSERT(ecdsa_key_generate(&own, &error));
    keys.count = 1;
    keys.keys[0] = (struct jwks_key){ .algorithm = JWT_ES256, .p256 = *ecdsa_key_public(own) };
    snprintf(keys.keys[0].id, sizeof(keys.keys[0].id), "k");
}

static void token_make(struct buffer *text, const char *header, const char *claims)
{
    struct error error;
    struct ecdsa_signature signature;
    buffer_clear(text);
    base64url_append(text, bytes_of_string(header));
    buffer_append_string(text, ".");
    base64url_append(text, bytes_of_string(claims));
    struct digest32 digest = sha256_of(buffer_view(text));
    ASSERT(ecdsa_sign(&signature, own, &digest, &error));
    buffer_append_string(text, ".");
    base64url_append(text, BYTES_OF(signature.bytes));
    buffer_append(text, bytes_of("", 1));
}

#define HEADER "{\"alg\":\"ES256\",\"kid\":\"k\"}"
#define CLAIMS "{\"iss\":\"https://issuer.example\",\"aud\":\"app\",\"exp\":1800000600}"

static void refuses_tricks_of_the_header(void)
{
    static const char *const tricks[][2] = {
        { "{\"alg\":\"none\"}", "`alg`" },
        { "{\"alg\":\"NONE\",\"kid\":\"k\"}", "`alg`" },
        { "{\"alg\":\"HS256\",\"kid\":\"k\"}", "`alg`" }, /* the public key as a secret */
        { "{\"alg\":\"ES384\",\"kid\":\"k\"}", "`alg`" },
        { "{\"alg\":\"es256\",\"kid\":\"k\"}", "`alg`" },
        { "{\"alg\":\"ES256 \",\"kid\":\"k\"}", "`alg`" },
        { "{\"alg\":[\"ES256\"],\"kid\":\"k\"}", "`alg`" },
        { "{\"kid\":\"k\"}", "`alg`" },
        { "{\"alg\":\"RS256\",\"kid\":\"k\"}", "no key" }, /* another algorithm's key */
        { "{\"alg\":\"EdDSA\",\"kid\":\"k\"}", "no key" },
        { "{\"alg\":\"ES256\",\"kid\":\"../../k\"}", "no key" },
        { "{\"alg\":\"ES256\",\"kid\":\"/dev/null\"}", "no key" },
        { "{\"alg\":\"ES256\",\"kid\":\"\"}", "`kid`" },
        { "{\"alg\":\"ES256\",\"kid\":7}", "`kid`" },
        { "{\"alg\":\"ES256\",\"kid\":\"k\",\"jwk\":{\"kty\":\"EC\"}}", "`jwk`" },
        { "{\"alg\":\"ES256\",\"kid\":\"k\",\"jku\":\"https://evil.example\"}", "`jku`" },
        { "{\"alg\":\"ES256\",\"kid\":\"k\",\"x5u\":\"https://evil.example\"}", "`x5u`" },
        { "{\"alg\":\"ES256\",\"kid\":\"k\",\"x5c\":[\"AA\"]}", "`x5c`" },
        { "{\"alg\":\"ES256\",\"kid\":\"k\",\"crit\":[\"exp\"]}", "`crit`" },
        { "{\"alg\":\"ES256\",\"kid\":\"k\",\"b64\":false}", "`b64`" },
        { "{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"s3n-release+jws\"}", "`typ`" },
        { "{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":7}", "`typ`" },
        { "{\"alg\":\"none\",\"alg\":\"ES256\",\"kid\":\"k\"}", "duplicate" },
        { "[\"ES256\"]", "no object" },
        { "\"ES256\"", "no object" },
        { "", "header" },
    };
    AUTO_BUFFER struct buffer text;
    struct error error = { 0 };
    buffer_init(&text, 1 << 16);
    own_make();
    token_make(&text, HEADER, CLAIMS);
    CHECK_NOTE(judge((const char *)text.data, &policy, NOW_S, &error), "%s", error.text);
    token_make(&text, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"x5t\":\"AA\"}", CLAIMS);
    CHECK_NOTE(judge((const char *)text.data, &policy, NOW_S, &error), "%s", error.text);
    for (size_t i = 0; i < ARRAY_COUNT(tricks); i++) {
        token_make(&text, tricks[i][0], CLAIMS);
        check_refused((const char *)text.data, &policy, NOW_S, tricks[i][1]);
    }
}

static void refuses_claims(void)
{
#define BEGIN "{\"iss\":\"https://issuer.example\",\"aud\":\"app\""
    static const char *const wrong[][2] = {
        { BEGIN "}", "no `exp`" },
        { BEGIN ",\"exp\":\"1800000600\"}", "`exp` is no time" },
        { BEGIN ",\"exp\":null}", "`exp` is no time" },
        { BEGIN ",\"exp\":-1}", "`exp` is no time" },
        { BEGIN ",\"exp\":1e300}", "`exp` is no time" },
        { BEGIN ",\"exp\":1799999970}", "has expired" }, /* the leeway is over */
        { BEGIN ",\"exp\":1800000600,\"nbf\":1800000031}", "not valid yet" },
        { BEGIN ",\"exp\":1800000600,\"nbf\":[]}", "`nbf` is no time" },
        { BEGIN ",\"exp\":1800000600,\"iat\":1800000031}", "from the future" },
        { BEGIN ",\"exp\":1,\"exp\":1800000600}", "duplicate" },
        { BEGIN ",\"aud\":\"app\",\"exp\":1800000600}", "duplicate" },
        { BEGIN ",\"exp\":1800000600,\"sub\":7}", "`sub`" },
        { BEGIN ",\"exp\":1800000600,\"sub\":\"a\\nb\"}", "control" },
        { BEGIN ",\"exp\":1800000600,\"sub\":\"a\\u009b2J\"}", "control" },
        { BEGIN ",\"exp\":1800000600,\"sub\":\"root\\u202ea\"}", "control" },
        { "{\"aud\":\"app\",\"exp\":1800000600}", "`iss`" },
        { "{\"iss\":\"https://issuer.example/\",\"aud\":\"app\",\"exp\":1800000600}", "`iss`" },
        { "{\"iss\":[\"https://issuer.example\"],\"aud\":\"app\",\"exp\":1800000600}", "`iss`" },
        { "{\"iss\":\"https://issuer.example\",\"exp\":1800000600}", "`aud`" },
        { "{\"iss\":\"https://issuer.example\",\"aud\":[],\"exp\":1800000600}", "`aud`" },
        { "{\"iss\":\"https://issuer.example\",\"aud\":\"App\",\"exp\":1800000600}", "`aud`" },
        { "{\"iss\":\"https://issuer.example\",\"aud\":{\"a\":\"app\"},\"exp\":1800000600}",
          "`aud`" },
        { "[]", "no object" },
    };
    AUTO_BUFFER struct buffer text;
    struct error error = { 0 };
    buffer_init(&text, 1 << 16);
    own_make();
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        token_make(&text, HEADER, wrong[i][0]);
        check_refused((const char *)text.data, &policy, NOW_S, wrong[i][1]);
    }
    /* the edges of the leeway, on the right side */
    token_make(&text, HEADER, BEGIN ",\"exp\":1799999971,\"nbf\":1800000030,\"iat\":1800000030}");
    CHECK_NOTE(judge((const char *)text.data, &policy, NOW_S, &error), "%s", error.text);
}

static void refuses_shapes(void)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 1 << 20);
    own_make();
    check_refused("", &policy, NOW_S, "three parts");
    check_refused("..", &policy, NOW_S, "header");
    check_refused("a.b.c.d", &policy, NOW_S, "three parts");
    check_refused("a.b.c.d.e", &policy, NOW_S, "three parts"); /* encrypted: JWE */
    token_make(&text, HEADER, CLAIMS);
    text.size--;
    buffer_append_string(&text, "=");
    buffer_append(&text, bytes_of("", 1));
    check_refused((const char *)text.data, &policy, NOW_S, "base64url");
    buffer_clear(&text);
    for (size_t i = 0; i < JWT_SIZE_MAX; i++)
        buffer_append_string(&text, "a");
    buffer_append(&text, bytes_of(".\0", 2));
    check_refused((const char *)text.data, &policy, NOW_S, "at most");
    /* deep nesting */
    char claims[4096];
    memset(claims, '[', sizeof(claims) - 1);
    claims[sizeof(claims) - 1] = '\0';
    token_make(&text, HEADER, claims);
    check_refused((const char *)text.data, &policy, NOW_S, "claims");
    /* another key's signature */
    token_make(&text, HEADER, CLAIMS);
    own_make();
    check_refused((const char *)text.data, &policy, NOW_S, "signature");
    ecdsa_key_free(own);
    own = NULL;
}

static void refuses_key_sets(void)
{
#define X    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\""
#define Y    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define GOOD "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"1\"," X "," Y "}"
    static const char *const wrong[] = {
        "",
        "<html>no keys here</html>",
        "{}",
        "{\"keys\":{}}",
        "{\"keys\":[]}",
        "{\"keys\":[7]}",
        "{\"keys\":[" GOOD "," GOOD "]}",
        "{\"keys\":[" GOOD "],\"keys\":[]}",
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\"," X "," Y ",\"d\":\"AA\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\"," X "," X "}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\"," X ",\"y\":\"AAAA\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\"," X "}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}", /* 17 bits */
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\\nb\"," X "," Y "}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-384\"," X "," Y "}]}", /* none of ours */
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"key_ops\":[]," X "," Y "}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"key_ops\":[\"sign\",7]," X "," Y "}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"key_ops\":\"verify\"," X "," Y "}]}",
    };
    struct jwks set;
    struct error error = { 0 };
    REQUIRE(jwks_parse(&set, BYTES_LITERAL("{\"keys\":[" GOOD "]}"), &error) && set.count == 1);
    struct bytes operations = BYTES_LITERAL("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
                                            "\"key_ops\":[\"sign\",\"verify\"]," X "," Y "}]}");
    CHECK(jwks_parse(&set, operations, &error) && set.count == 1);
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        CHECK_NOTE(!jwks_parse(&set, bytes_of_string(wrong[i]), &error), "%s", wrong[i]);
    struct bytes text = BYTES_LITERAL("{\"keys\":[" GOOD "]}");
    for (size_t size = 0; size < text.size; size++)
        CHECK(!jwks_parse(&set, bytes_of(text.data, size), &error));
    char *large = calloc(1, JWKS_SIZE_MAX + 1);
    REQUIRE(large != NULL);
    memset(large, ' ', JWKS_SIZE_MAX + 1);
    CHECK(!jwks_parse(&set, bytes_of(large, JWKS_SIZE_MAX + 1), &error) &&
          error.code == ERROR_LIMIT);
    free(large);
}

static void reads_discovery(void)
{
    char uri[JWKS_URL_SIZE_MAX + 1] = "";
    struct error error = { 0 };
    struct bytes text = BYTES_LITERAL(
        "{\"issuer\":\"https://issuer.example\",\"jwks_uri\":\"https://issuer.example/keys\"}");
    CHECK(discovery_parse(uri, text, "https://issuer.example", &error));
    CHECK_STRING(uri, "https://issuer.example/keys");
    CHECK(!discovery_parse(uri, text, "https://other.example", &error));
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    CHECK(!discovery_parse(uri, BYTES_LITERAL("{\"issuer\":\"https://issuer.example\"}"),
                           "https://issuer.example", &error));
    for (size_t size = 0; size < text.size; size++)
        CHECK(!discovery_parse(uri, bytes_of(text.data, size), "https://issuer.example", &error));
}

static const struct test tests[] = {
    TEST(reads_those_of_another_library),
    TEST(refuses_every_cut_and_every_change),
    TEST(refuses_tricks_of_the_header),
    TEST(refuses_claims),
    TEST(refuses_shapes),
    TEST(refuses_key_sets),
    TEST(reads_discovery),
};

TEST_MAIN(tests)
