/* SPDX-License-Identifier: Apache-2.0 */
/* The server's keeper: asked for at the start, and again whenever it is gone.  Requests that need
 * it in between fail with UNAVAILABLE; functions run on. */
#include "base/log.h"
#include "cmd/s3nd/node.h"

#include <stdlib.h>

static void watch_closed(uv_handle_t *handle)
{
    free(handle);
}

void node_keeper_unwatch(struct node *node)
{
    if (node->keeper_watch == NULL)
        return;
    uv_poll_stop(node->keeper_watch);
    uv_close((uv_handle_t *)node->keeper_watch, watch_closed);
    node->keeper_watch = NULL;
}

static void keeper_ended(uv_poll_t *watch, int status, int events)
{
    struct node *node = watch->data;
    struct error error;
    (void)status, (void)events;
    error_set(&error, ERROR_UNAVAILABLE, "the keeper is gone");
    node_keeper_failed(node, &error);
}

/* Without a watch, the next call to the keeper notices. */
static void keeper_watch(struct node *node)
{
    uv_poll_t *watch = calloc(1, sizeof(*watch));
    node_keeper_unwatch(node);
    if (watch == NULL || uv_poll_init(&node->loop, watch, keeper_socket(node->keeper)) != 0) {
        free(watch);
        return;
    }
    watch->data = node;
    node->keeper_watch = watch;
    uv_poll_start(watch, UV_DISCONNECT, keeper_ended);
}

static bool keeper_renew(struct node *node, int socket, struct error *error)
{
    if (!keeper_reconnect(node->keeper, socket, error) ||
        !identity_renew(&node->identity, node->keeper, node->receipts, node->address.text, error))
        return false;
    node_use_identity(node);
    keeper_watch(node);
    return true;
}

static void keeper_arrived(void *context, struct ipc_message *answer, const struct error *failure)
{
    struct node *node = context;
    struct error error;
    node->keeper_is_lost = false;
    if (answer == NULL || answer->descriptor_count != 1) {
        if (failure != NULL)
            log_error("keeper", failure);
        return; /* the next call that fails asks again */
    }
    int socket = answer->descriptors[0];
    answer->descriptors[0] = -1;
    if (keeper_renew(node, socket, &error))
        log_line(LOG_LEVEL_INFO, "keeper is back", NULL);
    else
        log_error("keeper", &error);
}

void node_keeper_failed(struct node *node, const struct error *error)
{
    struct error ignored;
    if (error->code != ERROR_UNAVAILABLE || node->keeper_is_lost || node->stopping)
        return;
    log_line(LOG_LEVEL_WARN, "keeper is gone", NULL);
    node_metrics_keeper_lost(node->metrics);
    node_keeper_unwatch(node);
    node->keeper_is_lost =
        supervisor_request(node->supervisor, SUPERVISOR_KEEPER, (struct bytes){ 0 }, NULL, 0,
                           keeper_arrived, node, &ignored);
}

bool node_keeper_connect(struct node *node, int socket, struct error *error)
{
    bool has_socket = socket >= 0 || supervisor_request_wait(node->supervisor, SUPERVISOR_KEEPER,
                                                             (struct bytes){ 0 }, &socket, error);
    if (!has_socket || !keeper_connect(&node->keeper, socket, error))
        return false;
    if (!keeper_get_info(node->keeper, &node->info, error))
        return error->code == ERROR_UNAVAILABLE
                   ? error_set(error, error->code, "the keeper ended; its line above says why")
                   : false;
    keeper_watch(node);
    return true;
}
