/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/blobs/{sha256}: modules, before a manifest names them. */
#include "base/log.h"
#include "cmd/s3nd/node.h"
#include "core/hex.h"
#include "crypto/hash.h"

static void fail(struct node *node, const struct gateway_call *call, const struct error *error,
                 const char *hint)
{
    if (error->code == ERROR_UNAVAILABLE)
        node_keeper_failed(node, error);
    if (error->code == ERROR_SYSTEM || error->code == ERROR_CORRUPT ||
        error->code == ERROR_NO_SPACE)
        LOG_LIMITED(LOG_LEVEL_ERROR, "blob", "error", error->text, NULL);
    gateway_answer_error(node->gateway, call->handle, error, hint);
}

void api_blob_check(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    uint64_t size;
    if (!store_blob_size(node->store, &call->digest, &size, &error)) {
        fail(node, call, &error, NULL);
        return;
    }
    struct http_answer answer = { .status = 200 };
    gateway_answer(node->gateway, call->handle, &answer);
}

void api_blob_put(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    struct bytes body = call->request->body;
    struct digest32 digest = sha256_of(body);
    uint64_t size;
    if (!digest32_equal(&digest, &call->digest)) {
        error_set(&error, ERROR_INVALID, "the body's SHA-256 is %s, not what the path says",
                  hex_of_digest(&digest).text);
        fail(node, call, &error, "nothing was stored");
        return;
    }
    bool known = store_blob_size(node->store, &digest, &size, &error);
    if (!known &&
        (!registry_upload(node->registry, &digest, body.size, &call->owner, node_now_s(), &error) ||
         !blobs_put(node->blobs, &digest, body, &error))) {
        fail(node, call, &error, error.code == ERROR_NO_SPACE ? "the node's disk is full" : NULL);
        return;
    }
    gateway_answer_json(node->gateway, call->handle, known ? 200 : 201,
                        json_pack("{s:s, s:I}", "digest", hex_of_digest(&digest).text, "size",
                                  (json_int_t)body.size));
}
