/* SPDX-License-Identifier: Apache-2.0 */
/* The node's own store.  Its head is remembered by the keeper beside the work: once for all commits
 * of one round of the event loop. */
#include "base/log.h"
#include "cmd/s3nd/node.h"

#include <stdlib.h>

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
