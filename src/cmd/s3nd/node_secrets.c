/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's desk on the event loop, and the applications' secrets for their functions. */
#include "cmd/s3nd/node.h"

#include <stdlib.h>

static bool secret_find(void *context, const struct service_facts *facts, struct bytes name,
                        uint64_t version, struct secret_found *found, struct error *error)
{
    struct node *node = context;
    struct secret_owner whose = { facts->application, facts->owner };
    return secrets_find(node->secrets, &whose, name, version, node_now_s(), found, error);
}

static bool secret_release(void *context, const struct service_facts *facts,
                           const struct secret_place *place, struct error *error)
{
    struct node *node = context;
    struct secret_receiver receiver = { facts->function, facts->version, facts->manifest };
    return secrets_release(node->secrets, place, &receiver, node_now_s(), error);
}

static void keeper_call_failed(void *context, const struct error *error)
{
    node_keeper_failed(context, error);
}

static void desk_ready(uv_poll_t *watch, int status, int events)
{
    struct node *node = watch->data;
    (void)status, (void)events;
    keeper_desk_take(node->desk);
}

bool node_secrets_open(struct node *node, struct error *error)
{
    uv_poll_t *watch = calloc(1, sizeof(*watch));
    if (watch == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the keeper's desk");
    if (!secrets_open(&node->secrets, node->store, node->audit, error) ||
        !keeper_desk_new(&node->desk, node->keeper, error)) {
        free(watch);
        return false;
    }
    if (uv_poll_init(&node->loop, watch, keeper_desk_descriptor(node->desk)) != 0) {
        free(watch);
        return error_set(error, ERROR_SYSTEM, "can't watch the keeper's desk");
    }
    watch->data = node;
    node->desk_watch = watch;
    uv_poll_start(watch, UV_READABLE, desk_ready);
    node->secret = (struct secret_service){ .context = node,
                                            .desk = node->desk,
                                            .find = secret_find,
                                            .release = secret_release,
                                            .failed = keeper_call_failed };
    node->key = (struct key_service){ node, node->desk, keeper_call_failed };
    return true;
}

static void watch_closed(uv_handle_t *handle)
{
    free(handle);
}

void node_secrets_close(struct node *node)
{
    struct error ignored;
    if (node->desk_watch != NULL) {
        uv_poll_stop(node->desk_watch);
        uv_close((uv_handle_t *)node->desk_watch, watch_closed);
        node->desk_watch = NULL;
    }
    keeper_desk_free(TAKE(node->desk));
    if (node->secrets != NULL)
        (void)!secrets_sweep(node->secrets, node_now_s(), &ignored); /* what was counted */
    secrets_free(TAKE(node->secrets));
}
