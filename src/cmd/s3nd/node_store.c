/* SPDX-License-Identifier: Apache-2.0 */
/* The node's own store.  Its head is remembered by the keeper beside the work: once for all commits
 * of one round of the event loop. */
#include "base/log.h"
#include "cmd/s3nd/node.h"
#include "crypto/random.h"

#include <stdlib.h>
#include <string.h>

static void round_ended(uv_prepare_t *watch)
{
    struct node *node = watch->data;
    store_remember(node->store);
}

static void watch_closed(uv_handle_t *handle)
{
    free(handle);
}

bool node_store_open(struct node *node, struct error *error)
{
    struct sealer sealer = keeper_sealer(node->keeper);
    struct store_anchor anchor = keeper_anchor(node->keeper, ANCHOR_NODE);
    if (!store_open_anchored(&node->store, "/store.db", &sealer, &anchor, error))
        return false;
    uv_prepare_t *watch = calloc(1, sizeof(*watch));
    if (watch == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the store");
    uv_prepare_init(&node->loop, watch);
    watch->data = node;
    node->store_watch = watch;
    uv_prepare_start(watch, round_ended);
    return true;
}

void node_store_close(struct node *node)
{
    struct error error;
    if (node->store_watch != NULL) {
        uv_prepare_stop(node->store_watch);
        uv_close((uv_handle_t *)node->store_watch, watch_closed);
        node->store_watch = NULL;
    }
    if (node->store != NULL && !store_confirm(node->store, &error))
        log_error("the store's head", &error);
    store_close(TAKE(node->store));
}

bool node_root_key(struct node *node, struct secret32 *key, const char *record, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    struct store_key place = { STORE_SPACE_NODE, record };
    struct error missing = { 0 };
    uint64_t revision;
    buffer_init(&text, sizeof(key->bytes));
    if (store_get(node->store, place, &text, &revision, &missing)) {
        bool is_whole = text.size == sizeof(key->bytes);
        if (is_whole)
            memcpy(key->bytes, text.data, text.size);
        secret_wipe(text.data, text.size);
        return is_whole || error_set(error, ERROR_CORRUPT, "the key %s has the wrong size", record);
    }
    if (missing.code != ERROR_NOT_FOUND) {
        *error = missing;
        return false;
    }
    random_secret32(key);
    return store_put(node->store, place, BYTES_OF(key->bytes), 0, &revision, error);
}
