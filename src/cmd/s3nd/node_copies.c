/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/node_copies.h"

#include "cmd/s3nd/node.h"

#include <stdlib.h>

enum {
    PAGES_A_TURN = 64
};

struct node_copies {
    struct node *node;
    struct node_copies_options options;
    uv_idle_t turn;
    struct store_copy *store_copy;
    uint64_t left, all; /* pages of the node's store */
    bool is_at_states;  /* but for the last pages, the node's store is copied */
    bool has_task;
    /* While a task is under way, the thread's. */
    struct store_copy *states_copy;
    uint64_t states_left, states_all;
    struct store_heads heads[ANCHOR_STORES];
    bool has_heads[ANCHOR_STORES];
};

static void finish(struct node_copies *copies, const struct error *failure)
{
    uv_idle_stop(&copies->turn);
    store_copy_free(TAKE(copies->store_copy));
    store_copy_free(TAKE(copies->states_copy));
    copies->options.done(copies->options.context, failure);
}

static bool heads_read(struct node_copies *copies, enum anchor_store store, struct error *error)
{
    struct store_anchor anchor = keeper_anchor(copies->node->keeper, store);
    return !copies->options.wants_heads ||
           anchor.read(anchor.context, &copies->heads[store], &copies->has_heads[store], error);
}

/* On the thread, between two commits. */
static bool states_copy_on(void *context, struct store *store, struct error *error)
{
    struct node_copies *copies = context;
    if (copies->states_copy == NULL &&
        !store_copy_new(&copies->states_copy, store, copies->options.states, error))
        return false;
    bool is_last = copies->states_all > 0 && copies->states_left <= PAGES_A_TURN;
    if (!store_copy_step(copies->states_copy, is_last ? 0 : PAGES_A_TURN, &copies->states_left,
                         &copies->states_all, error))
        return false;
    return copies->states_left > 0 || heads_read(copies, ANCHOR_STATES, error);
}

static void states_copied(void *context, const struct error *failure)
{
    struct node_copies *copies = context;
    struct error error;
    copies->has_task = false;
    if (failure != NULL)
        finish(copies, failure);
    else if (copies->states_left > 0)
        return; /* the next turn goes on */
    else if ((copies->left > 0 &&
              !store_copy_step(copies->store_copy, 0, &copies->left, &copies->all, &error)) ||
             !heads_read(copies, ANCHOR_NODE, &error))
        finish(copies, &error);
    else
        finish(copies, NULL);
}

static void turn(uv_idle_t *idle)
{
    struct node_copies *copies = idle->data;
    const struct node_copies_options *options = &copies->options;
    struct error error;
    if (copies->has_task)
        return;
    if (copies->is_at_states) {
        options->progress(options->context, copies->states_all - copies->states_left,
                          copies->states_all, "copying the state");
        copies->has_task =
            states_run(copies->node->states, states_copy_on, copies, states_copied, &error);
        if (!copies->has_task)
            finish(copies, &error);
        return;
    }
    /* The last step is made when the states are copied: what is copied whole follows no commit any
     * more, and would be older than what the keeper remembers then. */
    unsigned pages = copies->left > PAGES_A_TURN ? PAGES_A_TURN : 1;
    if (!store_copy_step(copies->store_copy, pages, &copies->left, &copies->all, &error)) {
        finish(copies, &error);
        return;
    }
    options->progress(options->context, copies->all - copies->left, copies->all,
                      "copying the store");
    copies->is_at_states = copies->left <= PAGES_A_TURN;
}

bool node_copies_start(struct node_copies **copies, struct node *node,
                       const struct node_copies_options *options, struct error *error)
{
    struct node_copies *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for copies of the stores");
    *made = (struct node_copies){ .node = node, .options = *options };
    if (!store_copy_new(&made->store_copy, node->store, options->store, error)) {
        free(made);
        return false;
    }
    uv_idle_init(&node->loop, &made->turn);
    made->turn.data = made;
    uv_idle_start(&made->turn, turn);
    *copies = made;
    return true;
}

bool node_copies_heads(const struct node_copies *copies, enum anchor_store store,
                       struct store_heads *heads)
{
    *heads = copies->heads[store];
    return copies->has_heads[store];
}

bool node_copies_is_busy(const struct node_copies *copies)
{
    return copies != NULL && copies->has_task;
}

static void closed(uv_handle_t *handle)
{
    free(handle->data);
}

void node_copies_free(struct node_copies *copies)
{
    if (copies == NULL)
        return;
    ASSERT(!copies->has_task);
    store_copy_free(copies->store_copy);
    store_copy_free(copies->states_copy);
    uv_idle_stop(&copies->turn);
    uv_close((uv_handle_t *)&copies->turn, closed);
}
