/* SPDX-License-Identifier: Apache-2.0 */
/* The applications' states: one more store beside the node's own, written by a thread.  Its records
 * are sealed in this process under a key of its own, which the keeper seals: a commit then costs no
 * round trip to the keeper, and what this process has in the clear anyway is all that the key
 * opens. */
#include "base/log.h"
#include "cmd/s3nd/api_trees.h"
#include "cmd/s3nd/node.h"
#include "keys/sealing.h"
#include "services/kv.h"

#include <stdlib.h>

static void states_ready(uv_poll_t *watch, int status, int events)
{
    struct node *node = watch->data;
    (void)status, (void)events;
    states_take(node->states);
}

bool node_states_open(struct node *node, struct error *error)
{
    if (!node_root_key(node, &node->states_key, "state/root", error))
        return error_within(error, "state");
    struct store_anchor anchor = keeper_anchor(node->keeper, ANCHOR_STATES);
    struct states_options options = { .path = "/state.db",
                                      .anchor = &anchor,
                                      .sealer = sealing_local(&node->states_key),
                                      .clock = &clock_system };
    uv_poll_t *watch = calloc(1, sizeof(*watch));
    if (watch == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for states");
    if (!states_open(&node->states, &options, error)) {
        free(watch);
        return false;
    }
    if (uv_poll_init(&node->loop, watch, states_descriptor(node->states)) != 0) {
        free(watch);
        return error_set(error, ERROR_SYSTEM, "can't watch the states");
    }
    watch->data = node;
    node->states_watch = watch;
    uv_poll_start(watch, UV_READABLE, states_ready);
    return true;
}

/* A call that waits for a state. */
struct waiting {
    struct node *node;
    struct http_handle handle;
};

static void state_came(void *context, const struct error *error)
{
    struct waiting *waiting = context;
    if (error != NULL)
        LOG_LIMITED(LOG_LEVEL_ERROR, "state", "error", error->text, NULL);
    gateway_call_goes_on(waiting->node->gateway, waiting->handle, error);
    free(waiting);
}

/* Or an answer may be kept there. */
static bool is_about_state(const struct gateway_call *call)
{
    static const enum gateway_operation operations[] = { GATEWAY_KV_SHOW, GATEWAY_KV_IMPORT,
                                                         GATEWAY_KV_LIST, GATEWAY_KV_GET,
                                                         GATEWAY_KV_SET,  GATEWAY_KV_DELETE };
    for (size_t i = 0; i < ARRAY_COUNT(operations); i++) {
        if (call->operation == operations[i])
            return true;
    }
    return call->repeat.has_key;
}

bool node_call_waits(void *context, const struct gateway_call *call, bool *waits,
                     struct error *error)
{
    struct node *node = context;
    if (!is_about_state(call))
        return true;
    struct name_text name = name_of(call->application);
    const struct application *application = registry_find(node->registry, name.text);
    if (application == NULL)
        return true;
    struct kv_state_id id = kv_state_id(name.text, &application->owner);
    if (states_is_there(node->states, id.text))
        return true;
    struct waiting *waiting = malloc(sizeof(*waiting));
    if (waiting == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to wait for a state");
    *waiting = (struct waiting){ node, call->handle };
    *waits = states_read(node->states, id.text, state_came, waiting, error);
    if (!*waits)
        free(waiting);
    return *waits;
}

bool node_states_forget(void *context, const char *application, const struct digest32 *owner,
                        struct error *error)
{
    struct node *node = context;
    struct kv_state_id id = kv_state_id(application, owner);
    struct secret_owner whose = { application, *owner };
    return states_remove(node->states, id.text, error) &&
           secrets_forget(node->secrets, &whose, node_now_s(), error);
}

void node_quotas_close(struct node *node)
{
    struct error error;
    if (node->store != NULL && !quotas_keep(node->quotas, node->store, &error))
        log_error("quotas", &error);
    quotas_free(TAKE(node->quotas));
}

static void watch_closed(uv_handle_t *handle)
{
    free(handle);
}

void node_states_close(struct node *node)
{
    if (node->states_watch != NULL) {
        uv_poll_stop(node->states_watch);
        uv_close((uv_handle_t *)node->states_watch, watch_closed);
        node->states_watch = NULL;
    }
    states_close(TAKE(node->states));
    secret32_done(&node->states_key);
}
