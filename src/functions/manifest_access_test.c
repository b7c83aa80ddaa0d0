/* SPDX-License-Identifier: Apache-2.0 */
#include "access/jwks.h"
#include "functions/manifest.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

#define HEAD                                                                                       \
    "s3n_manifest_version = 1\ncompatibility_date = \"2026-11-01\"\n"                              \
    "[application]\nname = \"a\"\nversion = \"1\"\n[function.f]\nsource = \"f\"\n"
#define ROUTE(auth)                                                                                \
    "[[trigger.http]]\nroute = \"/" auth "\"\nfunction = \"f\"\nauth = \"" auth "\"\n"
#define JWT                                                                                        \
    "[jwt]\nissuer = \"https://i.example/x\"\naudience = [\"b\", \"a\"]\n"                         \
    "algorithms = [\"EdDSA\", \"ES256\"]\n"

static bool parse(struct manifest **manifest, const char *text, struct error *error)
{
    return manifest_parse_toml(manifest, "s3n.toml", bytes_of_string(text), error);
}

static void reads_auth_and_issuer(void)
{
    AUTO(manifest) struct manifest *manifest = NULL;
    AUTO(manifest) struct manifest *again = NULL;
    AUTO_BUFFER struct buffer text;
    struct error error = { 0 };
    buffer_init(&text, MANIFEST_SIZE_MAX);
    const char *source = HEAD ROUTE("public") ROUTE("token") ROUTE("owner") ROUTE("jwt") JWT;
    bool parsed = parse(&manifest, source, &error);
    CHECK_NOTE(parsed, "%s", error.text);
    REQUIRE(parsed && manifest->route_count == 4);
    for (size_t i = 0; i < 4; i++)
        CHECK_NUMBER(manifest->routes[i].auth, i);
    const struct manifest_jwt *jwt = &manifest->jwt;
    CHECK_STRING(jwt->issuer, "https://i.example/x");
    CHECK(jwt->jwks_url == NULL && jwt->audience_count == 2 && strcmp(jwt->audiences[0], "a") == 0);
    CHECK_NUMBER(jwt->algorithms, 1u << JWT_ES256 | 1u << JWT_EDDSA);
    CHECK_NUMBER(jwt->leeway_s, JWT_LEEWAY_S_DEFAULT);

    manifest->functions[0].has_code = true;
    REQUIRE(manifest_canonical(&text, manifest, &error));
    bool same = manifest_parse(&again, buffer_view(&text), &error);
    CHECK_NOTE(same, "%s", error.text);
    REQUIRE(same);
    CHECK(again->routes[3].auth == ROUTE_AUTH_JWT && strcmp(again->jwt.audiences[1], "b") == 0);
    buffer_append(&text, bytes_of("", 1));
    CHECK(strstr((const char *)text.data, "\"auth\":\"public\"") == NULL); /* digests stay */
}

static void check_refused(const char *text, const char *why)
{
    AUTO(manifest) struct manifest *manifest = NULL;
    struct error error = { 0 };
    CHECK_NOTE(!parse(&manifest, text, &error), "%s", why);
    CHECK_NOTE(strstr(error.text, why) != NULL, "want %s, got %s", why, error.text);
}

static void refuses_what_is_half_said(void)
{
    check_refused(
        HEAD ROUTE("jwt"),
        "s3n.toml: the route /jwt has auth = \"jwt\": the table [jwt] must say whose tokens");
    check_refused(HEAD ROUTE("jwks"), "auth: must be one of \"public\", \"token\"");
    check_refused(HEAD "[jwt]\nissuer = \"https://i\"\naudience = \"a\"\n", "jwt.algorithms");
    check_refused(HEAD "[jwt]\nissuer = \"https://i\"\nalgorithms = [\"ES256\"]\n", "jwt.audience");
    check_refused(HEAD "[jwt]\naudience = \"a\"\nalgorithms = [\"ES256\"]\n", "jwt.issuer");
    static const char *const algorithms[] = { "none", "HS256", "es256", "ES384", "RS512" };
    for (size_t i = 0; i < ARRAY_COUNT(algorithms); i++) {
        char text[1024];
        snprintf(text, sizeof(text),
                 HEAD "[jwt]\nissuer = \"https://i\"\naudience = \"a\"\nalgorithms = [\"%s\"]\n",
                 algorithms[i]);
        check_refused(text, "must list some of \"ES256\", \"RS256\", \"EdDSA\"");
    }
    static const char *const issuers[] = { "file:///etc/passwd", "https://a@b", "https://",
                                           "ftp://a", "https://a b" };
    for (size_t i = 0; i < ARRAY_COUNT(issuers); i++) {
        char text[1024];
        snprintf(text, sizeof(text),
                 HEAD "[jwt]\nissuer = \"%s\"\naudience = \"a\"\nalgorithms = [\"ES256\"]\n",
                 issuers[i]);
        check_refused(text, "jwt.issuer: must be a URL");
    }
    check_refused(HEAD JWT "leeway_s = 301\n", "jwt.leeway_s");
    check_refused(HEAD JWT "leeway = 3\n", "did you mean `leeway_s`");
}

static const struct test tests[] = {
    TEST(reads_auth_and_issuer),
    TEST(refuses_what_is_half_said),
};

TEST_MAIN(tests)
