/* SPDX-License-Identifier: Apache-2.0 */
/* The key that requests are sealed to, and what opens them. */
#include "cmd/s3nd/node.h"

/* A keyset's own: what was sealed to another one is told from what was changed. */
static uint8_t key_id_of(const struct node *node)
{
    return node->identity.keyset_digest.bytes[0];
}

void api_sealing_key(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct ohttp_key key = { key_id_of(node), node->identity.parsed.encryption_key };
    uint8_t text[OHTTP_KEYS_SIZE];
    struct http_field fields[] = {
        HTTP_FIELD("content-type", BYTES_LITERAL("application/ohttp-keys")),
        HTTP_FIELD("cache-control", BYTES_LITERAL("no-store")),
    };
    struct http_answer answer = {
        .status = 200, .fields = fields, .field_count = 2, .body = BYTES_OF(text)
    };
    ohttp_keys_write(text, &key);
    gateway_answer(node->gateway, call->handle, &answer);
}

bool node_sealed_context(void *context, const struct ohttp_request *request,
                         struct hpke_context *secrets, struct error *error)
{
    struct node *node = context;
    if (request->key_id != key_id_of(node))
        return error_set(error, ERROR_UNVERIFIED,
                         "the request is sealed to another keyset than the present one");
    if (keeper_unseal(node->keeper, node->identity.parsed.validity.not_before_s, request, secrets,
                      error))
        return true;
    node_keeper_failed(node, error);
    return false;
}
