/* SPDX-License-Identifier: Apache-2.0 */
/* Proves what the running node has stored: its stores are copied as they are at one moment
 * (node_copies.h, logbook_copy), and a thread proves the copies, as `s3n node check` does at rest,
 * while the node goes on.  What the keeper remembers of the states is read at that moment, too. */
#include "base/log.h"
#include "cmd/s3nd/node.h"
#include "cmd/s3nd/node_control.h"
#include "cmd/s3nd/node_copies.h"
#include "operations/check.h"
#include "operations/control.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STORE_COPY  "/check-store.db"
#define STATES_COPY "/check-state.db"
#define LOGS_COPY   "/check-logs.db"

enum {
    LOOK_MS = 20,
    TELL_EVERY = 25,       /* looks: the operator hears that it goes on */
    PROBLEMS_TOLD_MAX = 64 /* in one answer; all are counted */
};

struct node_check {
    struct node *node;
    struct control_peer *peer; /* NULL: abandoned */
    uint32_t id;
    struct node_copies *copies;                 /* under way */
    struct check_anchor anchors[ANCHOR_STORES]; /* as they were when the stores were copied */
    bool has_anchor[ANCHOR_STORES];
    uv_timer_t look;
    unsigned looks;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t mutex;
    /* Under the mutex. */
    bool is_over, stops;
    const char *part;
    uint64_t done, all;
    /* The thread's, until it is over. */
    struct check check;
    struct check_listener listener;
    json_t *problems;
    bool has_failed; /* it can't tell */
    struct error failure;
};

static void closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void copies_unlink(void)
{
    static const char *const files[] = { STORE_COPY, STATES_COPY, LOGS_COPY };
    char path[64];
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        unlink(files[i]);
        snprintf(path, sizeof(path), "%s-wal", files[i]);
        unlink(path);
    }
}

/* Neither the states' thread nor ours is at it. */
static void end(struct node_check *check)
{
    check->node->check = NULL;
    node_copies_free(TAKE(check->copies));
    copies_unlink();
    json_decref(check->problems);
    pthread_mutex_destroy(&check->mutex);
    uv_timer_stop(&check->look);
    uv_close((uv_handle_t *)&check->look, closed);
}

static void fail(struct node_check *check, const struct error *error)
{
    log_error("check", error);
    if (check->peer != NULL)
        control_fail(check->peer, check->id, error);
    end(check);
}

/* --- the thread --- */

static void proving(void *context, const char *part, uint64_t done, uint64_t all)
{
    struct node_check *check = context;
    pthread_mutex_lock(&check->mutex);
    check->part = part;
    check->done = done;
    check->all = all;
    check->check.stops = check->stops;
    pthread_mutex_unlock(&check->mutex);
}

/* Without the keeper nothing can be opened, which says nothing of what is there. */
static void found(void *context, const char *part, const struct error *problem)
{
    struct node_check *check = context;
    if (problem->code == ERROR_UNAVAILABLE || problem->code == ERROR_NO_MEMORY ||
        problem->code == ERROR_NO_SPACE) {
        check->has_failed = check->check.stops = true;
        check->failure = *problem;
    }
    if (json_array_size(check->problems) < PROBLEMS_TOLD_MAX)
        json_array_append_new(check->problems, check_problem_tree(part, problem));
}

static void *prove(void *context)
{
    struct node_check *check = context;
    struct node *node = check->node;
    struct sealer sealer = keeper_sealer(node->keeper);
    struct check_files files = { .store = STORE_COPY,
                                 .states = STATES_COPY,
                                 .logs = node->logs == NULL ? NULL : LOGS_COPY };
    struct store_anchor store_anchor = check_anchor_of(&check->anchors[ANCHOR_NODE]);
    struct store_anchor states_anchor = check_anchor_of(&check->anchors[ANCHOR_STATES]);
    struct error error;
    if (check->has_anchor[ANCHOR_NODE])
        files.store_anchor = &store_anchor;
    if (check->has_anchor[ANCHOR_STATES])
        files.states_anchor = &states_anchor;
    proving(check, "copying the logs", 0, 0);
    if (node->logs != NULL && !logbook_copy(node->logs, LOGS_COPY, &error)) {
        check_found(&check->check, "logs", &error);
        files.logs = NULL;
    }
    check_files(&check->check, &files, &sealer);
    pthread_mutex_lock(&check->mutex);
    check->is_over = true;
    pthread_mutex_unlock(&check->mutex);
    return NULL;
}

/* --- the loop --- */

static void answer(struct node_check *check)
{
    struct error error;
    AUTO_BUFFER struct buffer text;
    AUTO_JSON json_t *tree = check_tree(&check->check.counts, check->problems);
    buffer_init(&text, CONTROL_PAYLOAD_MAX);
    if (tree == NULL)
        error_set(&error, ERROR_NO_MEMORY, "no memory for the answer");
    if (tree == NULL || !json_canonical(&text, tree, &error)) {
        fail(check, &error);
        return;
    }
    log_line(check->check.counts.problems == 0 ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "check",
             "result", check->check.counts.problems == 0 ? "good" : "problems", NULL);
    control_answer(check->peer, check->id, buffer_view(&text));
    end(check);
}

static void look(uv_timer_t *timer)
{
    struct node_check *check = timer->data;
    pthread_mutex_lock(&check->mutex);
    bool is_over = check->is_over;
    const char *part = check->part;
    uint64_t done = check->done, all = check->all;
    pthread_mutex_unlock(&check->mutex);
    if (!is_over) {
        if (check->peer != NULL && check->looks++ % TELL_EVERY == 0)
            control_progress(check->peer, done, all, part);
        return;
    }
    pthread_join(check->thread, NULL);
    check->has_thread = false;
    if (check->peer == NULL)
        end(check);
    else if (check->has_failed)
        fail(check, &check->failure);
    else
        answer(check);
}

static void copying(void *context, uint64_t done, uint64_t all, const char *what)
{
    struct node_check *check = context;
    if (check->peer != NULL && check->looks++ % TELL_EVERY == 0)
        control_progress(check->peer, done, all, what);
}

static void copied(void *context, const struct error *failure)
{
    struct node_check *check = context;
    struct error error;
    if (check->peer == NULL) {
        end(check);
        return;
    }
    if (failure != NULL) {
        fail(check, failure);
        return;
    }
    for (enum anchor_store store = 0; store < ANCHOR_STORES; store++)
        check->has_anchor[store] =
            node_copies_heads(check->copies, store, &check->anchors[store].heads);
    node_copies_free(TAKE(check->copies));
    int result = pthread_create(&check->thread, NULL, prove, check);
    if (result != 0) {
        errno = result;
        error_system(&error, "start the thread that checks");
        fail(check, &error);
        return;
    }
    check->has_thread = true;
    uv_timer_start(&check->look, look, LOOK_MS, LOOK_MS);
}

bool node_check_start(struct node *node, struct control_peer *peer, uint32_t id,
                      struct error *error)
{
    if (node->backup != NULL || node->check != NULL || node->stopping)
        return error_set(error, ERROR_BUSY, "a backup or a check is under way");
    struct node_check *check = calloc(1, sizeof(*check));
    json_t *problems = json_array();
    if (check == NULL || problems == NULL) {
        free(check);
        json_decref(problems);
        return error_set(error, ERROR_NO_MEMORY, "no memory for a check");
    }
    *check = (struct node_check){ .node = node,
                                  .peer = peer,
                                  .id = id,
                                  .problems = problems,
                                  .part = "",
                                  .listener = { check, proving, found } };
    check->check.listener = &check->listener;
    struct node_copies_options copies = { .store = STORE_COPY,
                                          .states = STATES_COPY,
                                          .wants_heads = true,
                                          .done = copied,
                                          .progress = copying,
                                          .context = check };
    copies_unlink(); /* what one before left that was killed */
    if (!node_copies_start(&check->copies, node, &copies, error)) {
        copies_unlink();
        json_decref(problems);
        free(check);
        return false;
    }
    pthread_mutex_init(&check->mutex, NULL);
    uv_timer_init(&node->loop, &check->look);
    check->look.data = check;
    node->check = check;
    return true;
}

void node_check_abandon(struct node *node, const struct control_peer *peer)
{
    struct node_check *check = node->check;
    if (check == NULL || check->peer != peer)
        return;
    check->peer = NULL;
    pthread_mutex_lock(&check->mutex);
    check->stops = true;
    pthread_mutex_unlock(&check->mutex);
    if (!check->has_thread && !node_copies_is_busy(check->copies))
        end(check);
}
