/* SPDX-License-Identifier: Apache-2.0 */
/* The stages that find out who asks, and that the body is the one that was signed.
 *
 * Owners' signatures are judged before a byte of the body is read; the signature covers the digest,
 * and the digest is compared when the body is there. */
#include "gateway/stage.h"

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

bool stage_identity(struct gateway *gateway, struct gateway_request *request,
                    struct refusal *refusal)
{
    struct gateway_call *call = &request->call;
    struct signature signature;
    struct digest32 id;
    struct ecdsa_public key;
    if (operation_of(call->operation)->access != GATEWAY_ACCESS_OWNER)
        return true;
    refusal->hint =
        "requests are signed with an owner's key: `s3n login --claim` makes you the first "
        "owner, the node's operator adds others to `owners`";
    struct signature_message message = signature_message_of(call->request, BYTES_LITERAL("https"));
    if (!signature_parse(&signature, &message, SIGNATURE_LABEL, &refusal->error))
        return false;
    if (!signature_key_id(&signature, &id))
        return error_set(&refusal->error, ERROR_UNAUTHENTICATED,
                         "keyid is not the hexadecimal SHA-256 of a public key");
    if (gateway->options.owner_find == NULL ||
        !gateway->options.owner_find(gateway->options.context, &id, &key))
        return error_set(&refusal->error, ERROR_UNAUTHENTICATED,
                         "no owner of this key is known here");
    return check_signature(gateway, request, &signature, &key, &refusal->error);
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

bool stage_body(struct gateway *gateway, struct gateway_request *request, struct refusal *refusal)
{
    struct gateway_call *call = &request->call;
    const struct http_field *digest = http_request_field(call->request, "content-digest");
    enum gateway_access access = operation_of(call->operation)->access;
    bool is_signed = access == GATEWAY_ACCESS_OWNER || access == GATEWAY_ACCESS_BEARER_OF_KEY;
    if (digest == NULL && is_signed && call->request->has_body)
        return error_set(&refusal->error, ERROR_UNAUTHENTICATED,
                         "a signed body needs a content-digest");
    if (digest != NULL && is_signed &&
        !content_digest_check(digest->value, call->request->body, &refusal->error))
        return false;
    return access != GATEWAY_ACCESS_BEARER_OF_KEY ||
           identify_by_body(gateway, request, &refusal->error);
}
