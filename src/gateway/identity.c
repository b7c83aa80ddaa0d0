/* SPDX-License-Identifier: Apache-2.0 */
/* The stages that find out who asks, and that the body is the one that was signed.
 *
 * Owners' signatures are judged before a byte of the body is read; the signature covers the digest,
 * and the digest is compared when the body is there. */
#include "gateway/stage.h"

#include <stdio.h>

static int64_t now_s(const struct gateway *gateway)
{
    return (int64_t)(clock_realtime_ns(gateway->options.clock) / 1000000000u);
}

/* Reads and judges the signature with `key`; takes note of its nonce. */
static bool check_signature(struct gateway *gateway, struct gateway_request *request,
                            const struct signature *signature, const struct ecdsa_public *key,
                            struct error *error)
{
    struct gateway_call *call = &request->call;
    struct signature_message message = signature_message_of(call->request, BYTES_LITERAL("https"));
    int64_t now = now_s(gateway);
    bool needs_digest = call->request->has_body;
    if (!signature_check(signature, needs_digest, now, error) ||
        !signature_verify(signature, &message, key, error))
        return false;
    struct digest32 id = ecdsa_public_id(key);
    if (!nonce_cache_use(gateway->nonces, &id, signature->nonce, signature->created_s, now, error))
        return false;
    call->has_owner = true;
    call->owner = id;
    call->owner_key = *key;
    return true;
}

static bool by_signature(struct gateway *gateway, struct gateway_request *request,
                         struct error *error)
{
    struct gateway_call *call = &request->call;
    struct signature signature;
    struct digest32 id;
    struct ecdsa_public key;
    struct access_caller caller;
    struct signature_message message = signature_message_of(call->request, BYTES_LITERAL("https"));
    if (!signature_parse(&signature, &message, SIGNATURE_LABEL, error))
        return false;
    if (!signature_key_id(&signature, &id))
        return error_set(error, ERROR_UNAUTHENTICATED,
                         "keyid is not the hexadecimal SHA-256 of a public key");
    if (gateway->options.key_find == NULL)
        return error_set(error, ERROR_UNAUTHENTICATED, "no key is known here");
    if (!gateway->options.key_find(gateway->options.context, &id, call->application, &key, &caller,
                                   error) ||
        !check_signature(gateway, request, &signature, &key, error))
        return false;
    call->owner = caller.account;
    call->caller = caller;
    return true;
}

/* What follows "Bearer " in the only Authorization field; false: it is of another kind, or there
 * are several, of which somebody in front may have looked at another. */
bool bearer_of(const struct http_request *request, struct bytes *token)
{
    struct bytes value = http_request_value(request, "authorization");
    static const size_t size = sizeof("Bearer ") - 1;
    if (value.size <= size ||
        !http_equal_fold(bytes_part(value, 0, size), BYTES_LITERAL("Bearer ")))
        return false;
    *token = bytes_part(value, size, value.size);
    return true;
}

static bool by_token(struct gateway *gateway, struct gateway_request *request, struct bytes token,
                     struct error *error)
{
    struct gateway_call *call = &request->call;
    struct access_caller caller;
    if (gateway->options.token_find == NULL)
        return error_set(error, ERROR_UNAUTHENTICATED, "this node knows no API tokens");
    if (!gateway->options.token_find(gateway->options.context, token, &caller, error))
        return false;
    call->has_owner = true;
    call->owner = caller.account;
    call->caller = caller;
    return true;
}

static bool identify(struct gateway *gateway, struct gateway_request *request,
                     struct refusal *refusal)
{
    struct bytes token;
    if (bearer_of(request->call.request, &token)) {
        refusal->hint = "`s3n token create` makes one; S3N_API_KEY is where `s3n` looks for it";
        return by_token(gateway, request, token, &refusal->error);
    }
    refusal->hint =
        "requests are signed with an owner's key or have an API token: `s3n login --claim` makes "
        "you the first owner, the node's operator adds others to `owners`, and owners add members";
    return by_signature(gateway, request, &refusal->error);
}

/* By token or key, with the scope `invoke`, of the application's own account. */
static bool member_check(struct gateway *gateway, struct gateway_request *request,
                         struct error *error)
{
    struct gateway_call *call = &request->call;
    struct bytes token;
    bool has_token = bearer_of(call->request, &token);
    if (!has_token && request->auth == GATEWAY_AUTH_TOKEN)
        return error_set(error, ERROR_UNAUTHENTICATED, "this route takes an API token");
    if (has_token && request->auth == GATEWAY_AUTH_OWNER)
        return error_set(error, ERROR_UNAUTHENTICATED, "this route takes an owner's signature");
    if (!(has_token ? by_token(gateway, request, token, error)
                    : by_signature(gateway, request, error)))
        return false;
    if (!digest32_equal(&call->caller.account, &request->account))
        return error_set(error, ERROR_DENIED, "this application is another account's");
    return access_check(&call->caller, ACCESS_SCOPE_INVOKE, call->application, error);
}

bool jwt_identify(struct gateway *gateway, struct gateway_request *request, struct error *error)
{
    struct gateway_call *call = &request->call;
    struct gateway_jwt jwt = { .claims = &request->claims, .subject = request->subject };
    struct bytes token;
    request->awaits_keys = false;
    if (!bearer_of(call->request, &token))
        return error_set(error, ERROR_UNAUTHENTICATED,
                         "this route takes a token of its issuer (one authorization: Bearer)");
    if (gateway->options.jwt_check == NULL)
        return error_set(error, ERROR_UNSUPPORTED, "this node judges no web tokens");
    buffer_done(&request->claims);
    buffer_init(&request->claims, GATEWAY_CLAIMS_SIZE_MAX);
    if (!gateway->options.jwt_check(gateway->options.context, call, token, &jwt, error)) {
        request->awaits_keys = jwt.is_coming;
        return false;
    }
    if (request->claims.failed)
        return error_set(error, ERROR_LIMIT, "the token's claims are over %d bytes",
                         GATEWAY_CLAIMS_SIZE_MAX);
    call->caller.how = ACCESS_BY_JWT;
    call->subject = bytes_of_string(request->subject);
    call->claims = buffer_view(&request->claims);
    return true;
}

/* Who calls a function, where its route asks. */
static bool function_caller(struct gateway *gateway, struct gateway_request *request,
                            struct refusal *refusal)
{
    struct gateway_call *call = &request->call;
    if (request->auth == GATEWAY_AUTH_PUBLIC)
        return true;
    if (request->auth == GATEWAY_AUTH_JWT)
        return jwt_identify(gateway, request, &refusal->error);
    refusal->hint = "`auth` of the route in s3n.toml says who may call it (docs/access.md)";
    if (!member_check(gateway, request, &refusal->error))
        return false;
    snprintf(request->subject, sizeof(request->subject), "%s", call->caller.actor);
    call->subject = bytes_of_string(request->subject);
    return true;
}

static enum access_scope scope_of(enum gateway_access access)
{
    return (enum access_scope)(access - GATEWAY_ACCESS_SCOPED);
}

bool stage_identity(struct gateway *gateway, struct gateway_request *request,
                    struct refusal *refusal)
{
    struct gateway_call *call = &request->call;
    enum gateway_access access = operation_of(call->operation)->access;
    if (access < GATEWAY_ACCESS_SCOPED) /* what can't be judged yet is judged by stage_keys */
        return function_caller(gateway, request, refusal) ||
               (request->awaits_keys && keys_have_room(gateway, request));
    if (!identify(gateway, request, refusal))
        return false;
    refusal->hint = "`s3n member ls` and `s3n token ls` say who may do what";
    return access_check(&call->caller, scope_of(access), call->application, &refusal->error);
}

/* A claim is signed by the key that its body presents. */
static bool identify_by_body(struct gateway *gateway, struct gateway_request *request,
                             struct error *error)
{
    struct gateway_call *call = &request->call;
    struct signature signature;
    struct digest32 id, named;
    struct ecdsa_public key;
    AUTO_JSON json_t *body = NULL;
    json_t *jwk;
    struct signature_message message = signature_message_of(call->request, BYTES_LITERAL("https"));
    if (!signature_parse(&signature, &message, SIGNATURE_LABEL, error) ||
        !json_parse(&body, call->request->body, error) ||
        !json_get_object(body, "public_key", &jwk, error) ||
        !ecdsa_public_from_jwk(&key, jwk, error))
        return false;
    id = ecdsa_public_id(&key);
    if (!signature_key_id(&signature, &named) || !digest32_equal(&id, &named))
        return error_set(error, ERROR_UNAUTHENTICATED, "keyid is not that of public_key");
    return check_signature(gateway, request, &signature, &key, error);
}

/* A key or token may have lost its rights while the body came. */
static bool identify_again(struct gateway *gateway, struct gateway_request *request,
                           struct error *error)
{
    struct gateway_call *call = &request->call;
    struct access_caller caller;
    struct ecdsa_public key;
    struct bytes token;
    enum gateway_access access = operation_of(call->operation)->access;
    bool is_known =
        call->caller.how != ACCESS_BY_TOKEN
            ? gateway->options.key_find(gateway->options.context, &call->caller.key,
                                        call->application, &key, &caller, error)
            : bearer_of(call->request, &token) &&
                  gateway->options.token_find(gateway->options.context, token, &caller, error);
    if (!is_known)
        return false;
    call->owner = caller.account;
    call->caller = caller;
    if (request->auth != GATEWAY_AUTH_PUBLIC)
        return access_check(&caller, ACCESS_SCOPE_INVOKE, call->application, error);
    return access_check(&caller, scope_of(access), call->application, error);
}

bool stage_body(struct gateway *gateway, struct gateway_request *request, struct refusal *refusal)
{
    struct gateway_call *call = &request->call;
    const struct http_field *digest = http_request_field(call->request, "content-digest");
    enum gateway_access access = operation_of(call->operation)->access;
    bool is_signed = access == GATEWAY_ACCESS_BEARER_OF_KEY || call->caller.how == ACCESS_BY_KEY;
    if (digest == NULL && is_signed && call->request->has_body)
        return error_set(&refusal->error, ERROR_UNAUTHENTICATED,
                         "a signed body needs a content-digest");
    if (digest != NULL && is_signed &&
        !content_digest_check(digest->value, call->request->body, &refusal->error))
        return false;
    if (request->auth != GATEWAY_AUTH_PUBLIC && call->request->has_body)
        return call->caller.how == ACCESS_BY_KEY ? identify_again(gateway, request, &refusal->error)
                                                 : function_caller(gateway, request, refusal);
    if (access >= GATEWAY_ACCESS_SCOPED)
        return !call->request->has_body || identify_again(gateway, request, &refusal->error);
    return access != GATEWAY_ACCESS_BEARER_OF_KEY ||
           identify_by_body(gateway, request, &refusal->error);
}
