/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/supervisor_client.h"

#include <stdlib.h>
#include <uv.h>

enum {
    PENDING_COUNT_MAX = 256
};

struct pending {
    bool used;
    uint32_t id;
    supervisor_answer *done;
    void *context;
};

struct supervisor_client {
    struct ipc *ipc;
    struct supervisor_events events;
    uv_poll_t *poll;
    uv_loop_t *loop;
    uint32_t last_id;
    struct pending pending[PENDING_COUNT_MAX];
};

static struct pending *pending_find(struct supervisor_client *client, bool used, uint32_t id)
{
    for (size_t i = 0; i < PENDING_COUNT_MAX; i++) {
        struct pending *at = &client->pending[i];
        if (at->used == used && (!used || at->id == id))
            return at;
    }
    return NULL;
}

/* The sender's error came as text of the supervisor, which is ours. */
static void answer_give(struct pending *pending, struct ipc_message *message)
{
    supervisor_answer *done = pending->done;
    void *context = pending->context;
    pending->used = false;
    if (message->type == IPC_ANSWER_OK) {
        done(context, message, NULL);
        return;
    }
    struct error error;
    ipc_answer_error(message, &error);
    done(context, NULL, &error);
}

static void connection_lost(struct supervisor_client *client)
{
    struct error error;
    error_set(&error, ERROR_UNAVAILABLE, "the supervisor is gone");
    uv_poll_stop(client->poll);
    for (size_t i = 0; i < PENDING_COUNT_MAX; i++) {
        struct pending *at = &client->pending[i];
        if (!at->used)
            continue;
        at->used = false;
        at->done(at->context, NULL, &error);
    }
    client->events.lost(client->events.context);
}

static void message_take(struct supervisor_client *client, struct ipc_message *message)
{
    if (message->type == SUPERVISOR_STOP) {
        client->events.stop(client->events.context);
        return;
    }
    if (message->type == SUPERVISOR_HANDOVER) {
        client->events.hand_over(client->events.context, true);
        return;
    }
    if (message->type == SUPERVISOR_NO_HANDOVER) {
        client->events.hand_over(client->events.context, false);
        return;
    }
    struct pending *pending = pending_find(client, true, message->id);
    if (pending != NULL)
        answer_give(pending, message);
}

static void readable(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    struct supervisor_client *client = poll->data;
    struct ipc_message message;
    struct error error;
    while (ipc_receive(client->ipc, &message, 0, &error)) {
        message_take(client, &message);
        ipc_message_done(&message);
    }
    if (error.code != ERROR_TIMEOUT)
        connection_lost(client);
}

bool supervisor_client_new(struct supervisor_client **client, uv_loop_t *loop, int socket,
                           const struct supervisor_events *events, struct error *error)
{
    struct supervisor_client *made = calloc(1, sizeof(*made));
    uv_poll_t *poll = calloc(1, sizeof(*poll));
    if (made == NULL || poll == NULL ||
        !ipc_new(&made->ipc, socket, SUPERVISOR_PAYLOAD_MAX, error)) {
        free(made);
        free(poll);
        return error_set(error, ERROR_NO_MEMORY, "no memory for the supervisor's socket");
    }
    made->events = *events;
    made->poll = poll;
    made->loop = loop;
    poll->data = made;
    if (uv_poll_init(loop, poll, socket) != 0 || uv_poll_start(poll, UV_READABLE, readable) != 0) {
        free(poll);
        ipc_free(made->ipc);
        free(made);
        return error_set(error, ERROR_SYSTEM, "watch the supervisor's socket");
    }
    *client = made;
    return true;
}

static void poll_closed(uv_handle_t *handle)
{
    free(handle);
}

void supervisor_client_free(struct supervisor_client *client)
{
    if (client == NULL)
        return;
    uv_poll_stop(client->poll);
    uv_close((uv_handle_t *)client->poll, poll_closed);
    ipc_free(client->ipc);
    free(client);
}

bool supervisor_request(struct supervisor_client *client, enum supervisor_request type,
                        struct bytes payload, const int *descriptors, unsigned descriptor_count,
                        supervisor_answer *done, void *context, struct error *error)
{
    struct pending *pending = pending_find(client, false, 0);
    if (pending == NULL)
        return error_set(error, ERROR_BUSY, "too many requests to the supervisor");
    uint32_t id = ++client->last_id;
    if (!ipc_send(client->ipc, (uint16_t)type, id, payload, descriptors, descriptor_count, error))
        return false;
    *pending = (struct pending){ true, id, done, context };
    return true;
}

struct waiting {
    bool answered;
    bool succeeded;
    int descriptor;
    struct error error;
};

static void wait_over(void *context, struct ipc_message *answer, const struct error *error)
{
    struct waiting *waiting = context;
    waiting->answered = true;
    waiting->succeeded = answer != NULL;
    if (answer == NULL) {
        waiting->error = *error;
    } else if (answer->descriptor_count > 0) {
        waiting->descriptor = answer->descriptors[0];
        answer->descriptors[0] = -1;
    }
}

bool supervisor_request_wait(struct supervisor_client *client, enum supervisor_request type,
                             struct bytes payload, int *descriptor, struct error *error)
{
    struct waiting waiting = { .descriptor = -1 };
    if (!supervisor_request(client, type, payload, NULL, 0, wait_over, &waiting, error))
        return false;
    while (!waiting.answered)
        uv_run(client->loop, UV_RUN_ONCE);
    if (!waiting.succeeded) {
        *error = waiting.error;
        return false;
    }
    if (descriptor != NULL)
        *descriptor = waiting.descriptor;
    return true;
}
