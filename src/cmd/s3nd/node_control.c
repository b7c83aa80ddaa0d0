/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/node_control.h"

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "cmd/s3nd/node.h"
#include "core/writer.h"
#include "operations/control.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PEER_COUNT_MAX = 8
};

struct control_peer {
    struct node *node;
    struct ipc *ipc;
    uv_poll_t poll;
    struct control_peer *next;
};

struct node_control {
    uv_poll_t listener;
    int descriptor;
    struct control_peer *peers;
    unsigned peer_count;
};

void node_control_find(struct node *node)
{
    int type;
    socklen_t size = sizeof(type);
    node->control_socket = -1;
    if (getsockopt(SERVER_CONTROL_FD, SOL_SOCKET, SO_TYPE, &type, &size) == 0)
        node->control_socket = SERVER_CONTROL_FD;
}

static void peer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void peer_end(struct control_peer *peer)
{
    struct node_control *control = peer->node->control;
    for (struct control_peer **at = &control->peers; *at != NULL; at = &(*at)->next) {
        if (*at == peer) {
            *at = peer->next;
            control->peer_count--;
            break;
        }
    }
    node_backup_abandon(peer->node, peer);
    node_check_abandon(peer->node, peer);
    uv_poll_stop(&peer->poll);
    ipc_free(TAKE(peer->ipc));
    uv_close((uv_handle_t *)&peer->poll, peer_closed);
}

/* A peer that is gone is noticed by its poll. */
static void tell(struct control_peer *peer, uint16_t type, uint32_t id, struct bytes payload)
{
    struct error ignored;
    (void)!ipc_send(peer->ipc, type, id, payload, NULL, 0, &ignored);
}

void control_progress(struct control_peer *peer, uint64_t done, uint64_t all, const char *what)
{
    uint8_t data[128];
    struct writer writer = writer_into(data, sizeof(data));
    write_u64_le(&writer, done);
    write_u64_le(&writer, all);
    write_bytes(&writer, bytes_of_string(what));
    tell(peer, CONTROL_PROGRESS, 0, writer_view(&writer));
}

void control_answer(struct control_peer *peer, uint32_t id, struct bytes text)
{
    tell(peer, IPC_ANSWER_OK, id, text);
}

void control_fail(struct control_peer *peer, uint32_t id, const struct error *failure)
{
    struct error ignored;
    (void)!ipc_send_error(peer->ipc, id, failure, &ignored);
}

static void status_answer(struct control_peer *peer, uint32_t id)
{
    struct error error;
    AUTO_BUFFER struct buffer text;
    AUTO_JSON json_t *tree = node_status_tree(peer->node);
    buffer_init(&text, CONTROL_PAYLOAD_MAX);
    if (tree == NULL)
        error_set(&error, ERROR_NO_MEMORY, "no memory for the answer");
    if (tree == NULL || !json_canonical(&text, tree, &error))
        control_fail(peer, id, &error);
    else
        control_answer(peer, id, buffer_view(&text));
}

static bool request_serve(struct control_peer *peer, struct ipc_message *message)
{
    struct error error;
    if (message->type == CONTROL_STATUS && message->descriptor_count == 0) {
        status_answer(peer, message->id);
        return true;
    }
    if (message->type == CONTROL_CHECK && message->descriptor_count == 0) {
        if (!node_check_start(peer->node, peer, message->id, &error))
            control_fail(peer, message->id, &error);
        return true;
    }
    if (message->type != CONTROL_BACKUP || message->descriptor_count != 1)
        return false;
    int file = message->descriptors[0];
    message->descriptors[0] = -1;
    if (!node_backup_start(peer->node, peer, message->id, file, &error))
        control_fail(peer, message->id, &error);
    return true;
}

static void peer_readable(uv_poll_t *poll, int status, int events)
{
    struct control_peer *peer = poll->data;
    struct ipc_message message;
    struct error error;
    (void)status, (void)events;
    while (ipc_receive(peer->ipc, &message, 0, &error)) {
        bool known = request_serve(peer, &message);
        ipc_message_done(&message);
        if (!known) {
            peer_end(peer);
            return;
        }
    }
    if (error.code != ERROR_TIMEOUT)
        peer_end(peer);
}

static void peer_add(struct node *node, int socket)
{
    struct control_peer *peer = calloc(1, sizeof(*peer));
    struct error error;
    if (peer == NULL || !ipc_new(&peer->ipc, socket, CONTROL_PAYLOAD_MAX, &error)) {
        close(socket);
        free(peer);
        return;
    }
    peer->node = node;
    if (uv_poll_init(&node->loop, &peer->poll, socket) != 0) {
        ipc_free(peer->ipc);
        free(peer);
        return;
    }
    peer->poll.data = peer;
    peer->next = node->control->peers;
    node->control->peers = peer;
    node->control->peer_count++;
    uv_poll_start(&peer->poll, UV_READABLE, peer_readable);
}

static void arrived(uv_poll_t *poll, int status, int events)
{
    struct node *node = poll->data;
    (void)status, (void)events;
    int socket = accept4(node->control->descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket < 0)
        return;
    if (node->control->peer_count == PEER_COUNT_MAX)
        close(socket);
    else
        peer_add(node, socket);
}

void node_control_start(struct node *node)
{
    if (node->control_socket < 0)
        return;
    struct node_control *control = calloc(1, sizeof(*control));
    if (control == NULL || uv_poll_init(&node->loop, &control->listener, node->control_socket)) {
        free(control);
        return;
    }
    control->descriptor = node->control_socket;
    control->listener.data = node;
    node->control = control;
    uv_poll_start(&control->listener, UV_READABLE, arrived);
}

static void listener_closed(uv_handle_t *handle)
{
    free((uint8_t *)handle - offsetof(struct node_control, listener));
}

void node_control_end(struct node *node)
{
    struct node_control *control = node->control;
    if (control == NULL)
        return;
    while (control->peers != NULL)
        peer_end(control->peers);
    node->control = NULL;
    while (node->backup != NULL || node->check != NULL) /* threads are at it */
        uv_run(&node->loop, UV_RUN_ONCE);
    uv_poll_stop(&control->listener);
    uv_close((uv_handle_t *)&control->listener, listener_closed);
}
