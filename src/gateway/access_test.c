/* SPDX-License-Identifier: Apache-2.0 */
/* Who may call what: every operation with every role and every scope, through the gateway's own
 * stages, without a network. */
#include "core/hex.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "gateway/stage.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

enum {
    NOW_S = 1795300000,
    FIELD_COUNT_MAX = 4
};

static uint64_t now_ns(const struct clock *clock UNUSED)
{
    return (uint64_t)NOW_S * 1000000000u;
}
static const struct clock fixed_clock = { now_ns, now_ns };

/* What the key and the token are. */
static struct {
    struct ecdsa_key *key, *stranger;
    enum access_role role;
    uint32_t token_scopes;
    char only[16]; /* application */
    bool is_revoked;
} known;

static void caller_make(struct access_caller *caller, enum access_how how)
{
    *caller = (struct access_caller){ .how = how,
                                      .account = ecdsa_public_id(ecdsa_key_public(known.key)),
                                      .key = ecdsa_public_id(ecdsa_key_public(known.key)),
                                      .role = known.role,
                                      .scopes = access_role_scopes(known.role) };
    if (how == ACCESS_BY_TOKEN)
        caller->scopes = known.token_scopes;
    snprintf(caller->application, sizeof(caller->application), "%s", known.only);
}

static bool key_find(void *context UNUSED, const struct digest32 *id,
                     struct bytes application UNUSED, struct ecdsa_public *key,
                     struct access_caller *caller, struct error *error)
{
    struct digest32 own = ecdsa_public_id(ecdsa_key_public(known.key));
    if (!digest32_equal(&own, id) || known.is_revoked)
        return error_set(error, ERROR_UNAUTHENTICATED, "unknown");
    *key = *ecdsa_key_public(known.key);
    caller_make(caller, ACCESS_BY_KEY);
    return true;
}

static bool token_find(void *context UNUSED, struct bytes text, struct access_caller *caller,
                       struct error *error)
{
    if (!bytes_equal_string(text, "s3n_good") || known.is_revoked)
        return error_set(error, ERROR_UNAUTHENTICATED, "unknown");
    caller_make(caller, ACCESS_BY_TOKEN);
    return true;
}

static void handle(void *context UNUSED, const struct gateway_call *call UNUSED)
{
}

static struct gateway *gateway_make(void)
{
    static const char *const any = "*"; /* pages may do whatever pages ever may */
    struct gateway *gateway = NULL;
    struct error error;
    struct gateway_options options = { .clock = &fixed_clock,
                                       .page_origins = { &any, 1 },
                                       .key_find = key_find,
                                       .token_find = token_find };
    for (size_t i = 0; i < GATEWAY_OPERATION_COUNT; i++)
        options.handlers[i] = handle;
    ASSERT(gateway_new(&gateway, &options, &error));
    nonce_cache_free(gateway->nonces); /* as if it had run for long */
    ASSERT(nonce_cache_new(&gateway->nonces, 1 << 16, NOW_S - 3600, &error));
    known.role = ACCESS_ROLE_OWNER;
    known.token_scopes = UINT32_MAX;
    known.is_revoked = false;
    known.only[0] = '\0';
    return gateway;
}

static void gateway_end(struct gateway *gateway)
{
    gateway_free(gateway);
    ecdsa_key_free(known.key);
    ecdsa_key_free(known.stranger);
    known.key = known.stranger = NULL;
}

/* One request as far as identity is judged. */
struct asked {
    struct gateway_request request;
    struct http_request message;
    struct http_field fields[FIELD_COUNT_MAX];
    struct buffer input, value, digest;
    struct refusal refusal;
};

static void asked_init(struct asked *asked, enum http_method method, const char *path,
                       struct bytes body)
{
    memset(asked, 0, sizeof(*asked));
    buffer_init(&asked->input, 4096);
    buffer_init(&asked->value, 4096);
    buffer_init(&asked->digest, 4096);
    asked->message = (struct http_request){ .method = method,
                                            .target = bytes_of_string(path),
                                            .authority = BYTES_LITERAL("node"),
                                            .fields = asked->fields,
                                            .has_body = body.size > 0,
                                            .is_secure = true,
                                            .body = body };
    http_request_split_target(&asked->message);
    asked->request.call.request = &asked->message;
}

static void asked_done(struct asked *asked)
{
    rules_release(asked->request.rules);
    buffer_done(&asked->input);
    buffer_done(&asked->value);
    buffer_done(&asked->digest);
}

static void asked_sign(struct asked *asked, const struct ecdsa_key *key)
{
    struct error error;
    uint8_t random[16];
    char nonce[33];
    size_t count = 0;
    random_bytes(random, sizeof(random));
    hex_encode(nonce, BYTES_OF(random));
    if (asked->message.has_body) {
        struct digest32 digest = sha256_of(asked->message.body);
        content_digest_write(&asked->digest, &digest);
        asked->fields[count++] = HTTP_FIELD("content-digest", buffer_view(&asked->digest));
    }
    asked->message.field_count = count;
    struct signature_message message =
        signature_message_of(&asked->message, BYTES_LITERAL("https"));
    ASSERT(signature_create(&asked->input, &asked->value, &message, asked->message.has_body, NOW_S,
                            nonce, key, &error));
    asked->fields[count++] = HTTP_FIELD("signature-input", buffer_view(&asked->input));
    asked->fields[count++] = HTTP_FIELD("signature", buffer_view(&asked->value));
    asked->message.field_count = count;
}

static void asked_bear(struct asked *asked, const char *authorization)
{
    asked->fields[0] = HTTP_FIELD("authorization", bytes_of_string(authorization));
    asked->message.field_count = 1;
}

/* 0: let through; else the status that refuses it. */
static int judge(struct gateway *gateway, struct asked *asked)
{
    struct refusal *refusal = &asked->refusal;
    if (stage_route(gateway, &asked->request, refusal) &&
        stage_identity(gateway, &asked->request, refusal) &&
        stage_body(gateway, &asked->request, refusal))
        return 0;
    return refusal->status != 0 ? refusal->status : error_http_status(refusal->error.code);
}

static int by_key(struct gateway *gateway, enum http_method method, const char *path,
                  const struct ecdsa_key *key)
{
    struct asked asked;
    asked_init(&asked, method, path, (struct bytes){ 0 });
    asked_sign(&asked, key);
    int status = judge(gateway, &asked);
    asked_done(&asked);
    return status;
}

static int by_token(struct gateway *gateway, enum http_method method, const char *path,
                    const char *authorization)
{
    struct asked asked;
    asked_init(&asked, method, path, (struct bytes){ 0 });
    if (authorization != NULL)
        asked_bear(&asked, authorization);
    int status = judge(gateway, &asked);
    asked_done(&asked);
    return status;
}

/* What each operation needs, written out once more: a new one is a decision. */
static const struct {
    const char *scope, *operations;
} wanted[] = {
    { "read", " CALLER_GET OWNER_KEYS TOKEN_LIST MEMBER_LIST APPLICATION_LIST APPLICATION_GET "
              "VERSION_LIST VERSION_GET SECRET_LIST SECRET_GET " },
    { "metrics", " APPLICATION_METRICS " },
    { "secrets", " SECRET_PUT SECRET_DELETE " },
    { "audit", " AUDIT_READ " },
    { "tokens", " TOKEN_CREATE TOKEN_REVOKE " },
    { "members", " OWNER_ROTATE MEMBER_PUT MEMBER_REMOVE " },
    { "deploy", " BLOB_CHECK BLOB_PUT APPLICATION_PUT VERSION_SIGN " },
    { "rollout", " ROLLOUT ROLLBACK " },
    { "delete", " APPLICATION_DELETE APPLICATION_RESTORE VERSION_DELETE VERSION_RESTORE " },
    { "logs", " LOGS " },
    { "state-read", " KV_SHOW KV_LIST KV_GET " },
    { "state-write", " KV_IMPORT KV_SET KV_DELETE " },
    { NULL, " HEALTH INFO ATTESTATION EVENTS SESSION SEALING_KEY SEALED RECEIPT_GET OWNER_CLAIM "
            "INVOKE FUNCTION_ROUTE ADMIN_HEALTH ADMIN_READY ADMIN_METRICS ADMIN_STATUS " },
};

static bool wanted_find(const char *operation, const char **scope)
{
    char spaced[80];
    snprintf(spaced, sizeof(spaced), " %s ", operation);
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
        *scope = wanted[i].scope;
        if (strstr(wanted[i].operations, spaced) != NULL)
            return true;
    }
    return false;
}

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* A path that the pattern takes. */
static void path_for(char path[256], const char *pattern)
{
    size_t size = 0;
    for (const char *at = pattern; *at != '\0' && size < 180;) {
        if (*at != ':') {
            path[size++] = *at++;
            continue;
        }
        const char *value = strncmp(at, ":digest", 7) == 0    ? HEX64
                            : strncmp(at, ":version", 8) == 0 ? "1"
                                                              : "app";
        size += (size_t)snprintf(path + size, 256 - size, "%s", value);
        at += strcspn(at, "/");
    }
    path[size] = '\0';
}

static void walk(struct gateway *gateway, const struct operation *operation, const char *scope)
{
    char path[256];
    enum http_method method = operation->method;
    enum access_scope needed = ACCESS_SCOPE_READ;
    struct error error;
    const char *name = operation->name;
    path_for(path, operation->pattern);
    REQUIRE(access_scope_of_name(&needed, bytes_of_string(scope), &error));
    CHECK_NUMBER(by_token(gateway, method, path, NULL), 401);
    CHECK_NUMBER(by_token(gateway, method, path, "Bearer s3n_bad"), 401);
    CHECK_NUMBER(by_token(gateway, method, path, "Basic s3n_good"), 401);
    CHECK_NUMBER(by_key(gateway, method, path, known.stranger), 401);
    for (int role = 0; role < ACCESS_ROLE_COUNT; role++) {
        known.role = (enum access_role)role;
        bool may = (access_role_scopes(known.role) >> needed & 1) != 0;
        CHECK_NOTE(by_key(gateway, method, path, known.key) == (may ? 0 : 403), "%s as %s", name,
                   access_role_name(known.role));
    }
    for (int i = 0; i < ACCESS_SCOPE_COUNT; i++) {
        known.token_scopes = 1u << i;
        CHECK_NOTE(by_token(gateway, method, path, "bearer s3n_good") ==
                       (i == (int)needed ? 0 : 403),
                   "%s with %s", name, access_scope_name((enum access_scope)i));
    }
    known.token_scopes = UINT32_MAX & ~(1u << needed);
    CHECK_NUMBER(by_token(gateway, method, path, "Bearer s3n_good"), 403);
    known.token_scopes = UINT32_MAX;
    snprintf(known.only, sizeof(known.only), "other");
    int elsewhere = strstr(path, "/applications/app") != NULL ? 403 : 0;
    CHECK_NUMBER(by_token(gateway, method, path, "Bearer s3n_good"), elsewhere);
    CHECK_NUMBER(by_key(gateway, method, path, known.key), elsewhere);
    known.only[0] = '\0';
}

static void every_operation_with_every_role_and_scope(void)
{
    struct error error;
    struct gateway *gateway = gateway_make();
    REQUIRE(ecdsa_key_generate(&known.key, &error) && ecdsa_key_generate(&known.stranger, &error));
    for (int i = 0; i < GATEWAY_OPERATION_COUNT; i++) {
        const struct operation *operation = operation_of((enum gateway_operation)i);
        const char *scope = NULL;
        if (!wanted_find(operation->name, &scope)) {
            CHECK_NOTE(false, "%s: say in `wanted` what it needs", operation->name);
            continue;
        }
        CHECK_NOTE((scope == NULL) == (operation->access < GATEWAY_ACCESS_SCOPED), "%s",
                   operation->name);
        if (scope != NULL)
            walk(gateway, operation, scope);
    }
    gateway_end(gateway);
}

/* Rights that went while the body came. */
static void judges_again_behind_the_body(void)
{
    struct error error;
    struct gateway *gateway = gateway_make();
    REQUIRE(ecdsa_key_generate(&known.key, &error));
    for (int i = 0; i < 4; i++) {
        struct asked asked;
        asked_init(&asked, HTTP_METHOD_PUT, "/v1/applications/app", BYTES_LITERAL("{}"));
        if (i < 2)
            asked_bear(&asked, "Bearer s3n_good");
        else
            asked_sign(&asked, known.key);
        CHECK(stage_route(gateway, &asked.request, &asked.refusal) &&
              stage_identity(gateway, &asked.request, &asked.refusal));
        known.is_revoked = i % 2 == 1;
        CHECK(stage_body(gateway, &asked.request, &asked.refusal) == !known.is_revoked);
        known.is_revoked = false;
        asked_done(&asked);
    }
    gateway_end(gateway);
}

/* What a browser does for a page of another origin: 0, or the status that refuses it. */
static int by_page(struct gateway *gateway, const struct operation *operation, bool is_question)
{
    struct asked asked;
    char path[256];
    struct http_field fields[] = {
        HTTP_FIELD("origin", BYTES_LITERAL("https://page.example")),
        HTTP_FIELD("access-control-request-method",
                   bytes_of_string(http_method_name(operation->method))),
        HTTP_FIELD("access-control-request-headers", BYTES_LITERAL("authorization")),
    };
    struct http_field seen[CORS_FIELDS_MAX];
    path_for(path, operation->pattern);
    asked_init(&asked, is_question ? HTTP_METHOD_OPTIONS : operation->method, path,
               (struct bytes){ 0 });
    memcpy(asked.fields, fields, sizeof(fields));
    asked.message.field_count = ARRAY_COUNT(fields);
    bool is_taken = stage_route(gateway, &asked.request, &asked.refusal);
    bool is_page = is_question ? asked.request.is_preflight : cors_fields(seen, &asked.request) > 0;
    int status = !is_taken ? asked.refusal.status : is_page ? 0 : 401;
    asked_done(&asked);
    return status;
}

/* No page of another origin acts for an owner, or reads what only one may: whatever
 * `access.origins` says, browsers get no answer to their question and pages see no answer. */
static void pages_use_what_needs_no_key(void)
{
    static const char pages[] = " HEALTH INFO ATTESTATION EVENTS SESSION SEALING_KEY SEALED "
                                "RECEIPT_GET ";
    struct error error;
    struct gateway *gateway = gateway_make();
    REQUIRE(ecdsa_key_generate(&known.key, &error));
    for (int i = 0; i < GATEWAY_OPERATION_COUNT; i++) {
        const struct operation *operation = operation_of((enum gateway_operation)i);
        char spaced[80];
        if (operation->access == GATEWAY_ACCESS_ADMIN || i == GATEWAY_INVOKE ||
            i == GATEWAY_FUNCTION_ROUTE)
            continue; /* plain HTTP; applications' own */
        snprintf(spaced, sizeof(spaced), " %s ", operation->name);
        bool may = strstr(pages, spaced) != NULL;
        int asked = by_page(gateway, operation, true), done = by_page(gateway, operation, false);
        CHECK_NOTE(asked == (may ? 0 : 405), "%s: %d", operation->name, asked);
        CHECK_NOTE((done == 0) == may, "%s: %d", operation->name, done);
    }
    gateway_end(gateway);
}

/* --- what was signed, and what is asked --- */

static void text_replace(struct buffer *text, const char *old, const char *with)
{
    size_t size = strlen(old);
    REQUIRE(size == strlen(with));
    for (size_t i = 0; i + size <= text->size; i++)
        if (memcmp(text->data + i, old, size) == 0)
            memcpy(text->data + i, with, size);
}

static void who_signs_for_another_is_refused(void)
{
    struct error error;
    struct gateway *gateway = gateway_make();
    REQUIRE(ecdsa_key_generate(&known.key, &error) && ecdsa_key_generate(&known.stranger, &error));
    struct digest32 own = ecdsa_public_id(ecdsa_key_public(known.key));
    struct digest32 other = ecdsa_public_id(ecdsa_key_public(known.stranger));
    struct hex32 own_text = hex_of_digest(&own), other_text = hex_of_digest(&other);
    for (unsigned names_owner = 0; names_owner < 2; names_owner++) {
        struct asked asked;
        asked_init(&asked, HTTP_METHOD_DELETE, "/v1/applications/app", (struct bytes){ 0 });
        asked_sign(&asked, names_owner ? known.stranger : known.key);
        CHECK(bytes_find(buffer_view(&asked.input), 'k') < asked.input.size);
        text_replace(&asked.input, names_owner ? other_text.text : own_text.text,
                     names_owner ? own_text.text : other_text.text);
        CHECK_NUMBER(judge(gateway, &asked), 401);
        CHECK(!asked.request.call.has_owner);
        asked_done(&asked);
    }
    gateway_end(gateway);
}

enum alteration {
    ALTER_NOTHING,
    ALTER_METHOD,
    ALTER_TARGET,
    ALTER_AUTHORITY,
    ALTER_DIGEST,
    ALTER_BODY,
    ALTER_SIGNATURE,
    ALTER_TIME,
    ALTER_KEY_NAME,
    ALTERATIONS
};

static void alter(struct asked *asked, enum alteration what)
{
    struct http_request *message = &asked->message;
    struct digest32 digest = sha256_of(BYTES_LITERAL("{ }"));
    struct digest32 own = ecdsa_public_id(ecdsa_key_public(known.key));
    struct hex32 name = hex_of_digest(&own);
    char short_name[65];
    snprintf(short_name, sizeof(short_name), "%.63s-", name.text);
    switch (what) {
    case ALTER_METHOD:
        message->method = HTTP_METHOD_DELETE;
        break;
    case ALTER_TARGET:
        message->target = BYTES_LITERAL("/v1/applications/app2");
        http_request_split_target(message);
        break;
    case ALTER_AUTHORITY:
        message->authority = BYTES_LITERAL("node2");
        break;
    case ALTER_DIGEST:
    case ALTER_BODY:
        message->body = BYTES_LITERAL("{ }");
        buffer_clear(&asked->digest);
        if (what == ALTER_DIGEST)
            digest = sha256_of(BYTES_LITERAL("{}"));
        content_digest_write(&asked->digest, &digest);
        break;
    case ALTER_SIGNATURE:
        asked->value.data[20] = asked->value.data[20] == 'A' ? 'B' : 'A';
        break;
    case ALTER_TIME:
        text_replace(&asked->input, "created=1795300000", "created=1795300001");
        break;
    case ALTER_KEY_NAME:
        text_replace(&asked->input, name.text, short_name);
        break;
    case ALTER_NOTHING:
    case ALTERATIONS:
        break;
    }
}

static void only_what_was_signed_is_done(void)
{
    struct error error;
    struct gateway *gateway = gateway_make();
    REQUIRE(ecdsa_key_generate(&known.key, &error));
    for (int what = 0; what < ALTERATIONS; what++) {
        struct asked asked;
        asked_init(&asked, HTTP_METHOD_PUT, "/v1/applications/app", BYTES_LITERAL("{}"));
        asked_sign(&asked, known.key);
        alter(&asked, (enum alteration)what);
        int wanted_status = what == ALTER_NOTHING ? 0 : what == ALTER_DIGEST ? 400 : 401;
        CHECK_NOTE(judge(gateway, &asked) == wanted_status, "alteration %d", what);
        asked_done(&asked);
    }
    gateway_end(gateway);
}

/* --- who calls a function --- */

struct function_case {
    enum gateway_auth auth;
    const char *bearer; /* NULL: none */
    bool is_signed, is_stranger, is_anothers, has_body;
    uint32_t scopes; /* of the token; 0: all */
    const char *only;
    int status;
};

static int by_function_caller(struct gateway *gateway, const struct function_case *row)
{
    struct asked asked;
    struct refusal *refusal = &asked.refusal;
    asked_init(&asked, HTTP_METHOD_POST, "/a/app/run",
               row->has_body ? BYTES_LITERAL("x") : (struct bytes){ 0 });
    asked.request.call.operation = GATEWAY_FUNCTION_ROUTE;
    asked.request.call.application = BYTES_LITERAL("app");
    asked.request.auth = row->auth;
    asked.request.account = ecdsa_public_id(ecdsa_key_public(known.key));
    asked.request.account.bytes[0] ^= row->is_anothers;
    known.token_scopes = row->scopes == 0 ? UINT32_MAX : row->scopes;
    snprintf(known.only, sizeof(known.only), "%s", row->only == NULL ? "" : row->only);
    if (row->is_signed)
        asked_sign(&asked, row->is_stranger ? known.stranger : known.key);
    else if (row->bearer != NULL)
        asked_bear(&asked, row->bearer);
    bool may = stage_identity(gateway, &asked.request, refusal) &&
               stage_body(gateway, &asked.request, refusal);
    asked_done(&asked);
    return may ? 0 : error_http_status(refusal->error.code);
}

static void a_route_says_who_calls(void)
{
    static const char good[] = "Bearer s3n_good";
    static const uint32_t invoke = 1u << ACCESS_SCOPE_INVOKE;
    const struct function_case rows[] = {
        { GATEWAY_AUTH_PUBLIC, .has_body = true },
        { GATEWAY_AUTH_PUBLIC, .bearer = "Bearer s3n_bad" },
        { GATEWAY_AUTH_TOKEN, .status = 401 },
        { GATEWAY_AUTH_TOKEN, .bearer = good },
        { GATEWAY_AUTH_TOKEN, .bearer = good, .has_body = true },
        { GATEWAY_AUTH_TOKEN, .bearer = good, .scopes = invoke },
        { GATEWAY_AUTH_TOKEN, .bearer = good, .scopes = ~invoke, .status = 403 },
        { GATEWAY_AUTH_TOKEN, .bearer = good, .only = "app" },
        { GATEWAY_AUTH_TOKEN, .bearer = good, .only = "other", .status = 403 },
        { GATEWAY_AUTH_TOKEN, .bearer = good, .is_anothers = true, .status = 403 },
        { GATEWAY_AUTH_TOKEN, .bearer = "Bearer s3n_bad", .status = 401 },
        { GATEWAY_AUTH_TOKEN, .bearer = "Bearer ", .status = 401 },
        { GATEWAY_AUTH_TOKEN, .bearer = "Bearer", .status = 401 },
        { GATEWAY_AUTH_TOKEN, .bearer = "Digest s3n_good", .status = 401 },
        { GATEWAY_AUTH_TOKEN, .is_signed = true, .status = 401 },
        { GATEWAY_AUTH_OWNER, .status = 401 },
        { GATEWAY_AUTH_OWNER, .is_signed = true },
        { GATEWAY_AUTH_OWNER, .is_signed = true, .has_body = true },
        { GATEWAY_AUTH_OWNER, .is_signed = true, .only = "other", .status = 403 },
        { GATEWAY_AUTH_OWNER, .is_signed = true, .is_anothers = true, .status = 403 },
        { GATEWAY_AUTH_OWNER, .is_signed = true, .is_stranger = true, .status = 401 },
        { GATEWAY_AUTH_OWNER, .bearer = good, .status = 401 },
        { GATEWAY_AUTH_JWT, .status = 401 },
        { GATEWAY_AUTH_JWT, .bearer = good, .status = 501 }, /* nobody judges them here */
    };
    struct error error;
    struct gateway *gateway = gateway_make();
    REQUIRE(ecdsa_key_generate(&known.key, &error) && ecdsa_key_generate(&known.stranger, &error));
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        int status = by_function_caller(gateway, &rows[i]);
        CHECK_NOTE(status == rows[i].status, "row %zu: %d", i, status);
    }
    gateway_end(gateway);
}

/* Somebody in front may have judged the one, and we the other. */
static void one_authorization_is_taken(void)
{
    struct error error;
    REQUIRE(ecdsa_key_generate(&known.key, &error));
    struct gateway *gateway = gateway_make();
    static const char *const second[] = { "Bearer s3n_good", "Bearer s3n_other", "Basic YTpi", "" };
    CHECK_NUMBER(by_token(gateway, HTTP_METHOD_GET, "/v1/applications", "Bearer s3n_good"), 0);
    for (size_t i = 0; i < ARRAY_COUNT(second); i++) {
        struct asked asked;
        asked_init(&asked, HTTP_METHOD_GET, "/v1/applications", (struct bytes){ 0 });
        asked_bear(&asked, "Bearer s3n_good");
        asked.fields[1] = HTTP_FIELD("authorization", bytes_of_string(second[i]));
        asked.message.field_count = 2;
        CHECK_NUMBER(judge(gateway, &asked), 401);
        asked_done(&asked);
    }
    gateway_end(gateway);
}

static const struct test tests[] = {
    TEST(one_authorization_is_taken),
    TEST(who_signs_for_another_is_refused),
    TEST(only_what_was_signed_is_done),
    TEST(a_route_says_who_calls),
    TEST(every_operation_with_every_role_and_scope),
    TEST(pages_use_what_needs_no_key),
    TEST(judges_again_behind_the_body),
};

TEST_MAIN(tests)
