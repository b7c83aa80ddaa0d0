/* SPDX-License-Identifier: Apache-2.0 */
#include "access/access.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

/* Written out here once more, so that a change of the table is a decision. */
static const struct {
    const char *scope;
    bool reader, deployer, owner, token;
} wanted[] = {
    { "read", true, true, true, true },        { "metrics", true, true, true, true },
    { "audit", true, true, true, true },       { "logs", false, true, true, true },
    { "deploy", false, true, true, true },     { "rollout", false, true, true, true },
    { "state-read", false, true, true, true }, { "state-write", false, true, true, true },
    { "secrets", false, true, true, true },    { "invoke", false, true, true, true },
    { "tokens", true, true, true, false },     { "delete", false, false, true, true },
    { "members", false, false, true, false },
};

static void roles_have_their_scopes(void)
{
    CHECK_NUMBER(ARRAY_COUNT(wanted), ACCESS_SCOPE_COUNT);
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
        enum access_scope scope;
        struct error error = { 0 };
        REQUIRE(access_scope_of_name(&scope, bytes_of_string(wanted[i].scope), &error));
        CHECK(strcmp(access_scope_name(scope), wanted[i].scope) == 0);
        uint32_t bit = 1u << scope;
        CHECK(((access_role_scopes(ACCESS_ROLE_READER) & bit) != 0) == wanted[i].reader);
        CHECK(((access_role_scopes(ACCESS_ROLE_DEPLOYER) & bit) != 0) == wanted[i].deployer);
        CHECK(((access_role_scopes(ACCESS_ROLE_OWNER) & bit) != 0) == wanted[i].owner);
        CHECK(((access_token_scopes() & bit) != 0) == wanted[i].token);
    }
}

static void checks_scope_and_application(void)
{
    struct error error = { 0 };
    struct access_caller caller = { .how = ACCESS_BY_KEY,
                                    .role = ACCESS_ROLE_READER,
                                    .scopes = access_role_scopes(ACCESS_ROLE_READER) };
    struct bytes none = { 0 };
    CHECK(access_check(&caller, ACCESS_SCOPE_READ, BYTES_LITERAL("app"), &error));
    CHECK(!access_check(&caller, ACCESS_SCOPE_DEPLOY, BYTES_LITERAL("app"), &error));
    CHECK_NUMBER(error.code, ERROR_DENIED);
    CHECK(strstr(error.text, "`deploy`, which a reader has not") != NULL);
    snprintf(caller.application, sizeof(caller.application), "app");
    CHECK(access_check(&caller, ACCESS_SCOPE_READ, BYTES_LITERAL("app"), &error));
    CHECK(access_check(&caller, ACCESS_SCOPE_READ, none, &error));
    CHECK(!access_check(&caller, ACCESS_SCOPE_READ, BYTES_LITERAL("apple"), &error));
    CHECK_NUMBER(error.code, ERROR_DENIED);
    caller.how = ACCESS_BY_TOKEN;
    caller.scopes = 0;
    CHECK(!access_check(&caller, ACCESS_SCOPE_READ, none, &error));
    CHECK(strstr(error.text, "this token has no scope `read`") != NULL);
    CHECK(!access_check(&caller, ACCESS_SCOPE_MEMBERS, none, &error));
    CHECK(strstr(error.text, "no token may do this") != NULL);
}

static void names_what_is_unknown(void)
{
    struct error error = { 0 };
    enum access_scope scope;
    enum access_role role;
    CHECK(!access_scope_of_name(&scope, BYTES_LITERAL("deply"), &error));
    CHECK(strstr(error.text, "did you mean `deploy`") != NULL);
    CHECK(!access_role_of_name(&role, BYTES_LITERAL(""), &error));
    CHECK(access_role_of_name(&role, BYTES_LITERAL("deployer"), &error) &&
          role == ACCESS_ROLE_DEPLOYER && strcmp(access_role_name(role), "deployer") == 0);
}

static const struct test tests[] = {
    TEST(roles_have_their_scopes),
    TEST(checks_scope_and_application),
    TEST(names_what_is_unknown),
};

TEST_MAIN(tests)
