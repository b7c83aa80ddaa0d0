/* SPDX-License-Identifier: Apache-2.0 */
/* The server that makes room for its successor, without a request that fails.  First it goes on as
 * before but ends each connection with its next answer, so that clients come back by new ones; in a
 * moment without long requests it accepts no more (who connects now waits for the successor), lets
 * what is under way end, and is gone. */
#include "base/log.h"
#include "cmd/s3nd/node.h"

enum {
    ANNOUNCE_MS = 400, /* for connections with pauses between requests */
    LOOK_MS = 5,
    LONG_MS = 100,  /* a request this old may go on for long */
    FRESH_MS = 100, /* a connection this young gets its next request any time */
    FRESH_MS_MAX = 400
};

static void look(uv_timer_t *timer)
{
    struct node *node = timer->data;
    uint64_t waited_ms = uv_now(&node->loop) - node->handover_since_ms;
    if (node->accepts_no_more) {
        /* Connections from just before: their first request is on its way. */
        if (http_server_is_expecting(node->http, FRESH_MS, FRESH_MS_MAX) &&
            waited_ms < FRESH_MS_MAX)
            return;
        uv_timer_stop(timer);
        node_stop(node);
        return;
    }
    bool has_long = http_server_oldest_ms(node->http) > LONG_MS;
    if (waited_ms < ANNOUNCE_MS || (has_long && waited_ms < node->config->drain_ms))
        return;
    http_server_stop_accepting(node->http);
    node->accepts_no_more = true;
    node->handover_since_ms = uv_now(&node->loop);
}

void node_hand_over(void *context, bool is_there)
{
    struct node *node = context;
    if (!is_there) {
        node->upgrades_failed++;
        return;
    }
    if (node->stopping || node->has_handover || node->http == NULL)
        return;
    log_line(LOG_LEVEL_INFO, "handing over", NULL);
    node->has_handover = true;
    node->handover_since_ms = uv_now(&node->loop);
    http_server_announce_end(node->http);
    uv_timer_init(&node->loop, &node->handover_timer);
    node->handover_timer.data = node;
    uv_timer_start(&node->handover_timer, look, LOOK_MS, LOOK_MS);
}

void node_handover_end(struct node *node)
{
    if (!node->has_handover)
        return;
    uv_close((uv_handle_t *)&node->handover_timer, NULL);
    /* The successor waits for them, and opens them at once. */
    if (node->store != NULL)
        store_keep_log(node->store);
    if (node->states != NULL)
        states_keep_log(node->states);
    if (node->logs != NULL)
        logbook_keep_log(node->logs);
}
