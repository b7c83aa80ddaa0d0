/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/node_client.h"

#include "base/file.h"
#include "core/reader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    SILENCE_MS = 60000
};

bool node_client_connect(struct node_client *client, const struct config *config,
                         struct error *error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct ucred peer;
    socklen_t size = sizeof(peer);
    if (snprintf(address.sun_path, sizeof(address.sun_path), "%s/" CONTROL_NAME,
                 config->data_folder) >= (int)sizeof(address.sun_path))
        return error_set(error, ERROR_LIMIT,
                         "%s is too long for a socket: such a node can't be asked",
                         config->data_folder);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return error_system(error, "socket");
    if (connect(descriptor, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        bool is_absent = errno == ENOENT || errno == ECONNREFUSED;
        if (is_absent)
            error_set(
                error, ERROR_UNAVAILABLE,
                "no node runs on %s (`s3n node run` starts one, --data-dir names another folder)",
                config->data_folder);
        else
            error_system(error, "connect to %s", address.sun_path);
        close(descriptor);
        return false;
    }
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
        client->supervisor = peer.pid; /* who listens */
    return ipc_new(&client->ipc, descriptor, CONTROL_PAYLOAD_MAX, error);
}

void node_client_done(struct node_client *client)
{
    ipc_free(TAKE(client->ipc));
}

static void progress_show(struct cli *cli, struct bytes payload)
{
    struct reader reader = reader_of(payload);
    uint64_t done = read_u64_le(&reader), all = read_u64_le(&reader);
    struct bytes what = read_rest(&reader);
    cli_step(cli, "%.*s: %llu of %llu", (int)what.size, (const char *)what.data,
             (unsigned long long)done, (unsigned long long)all);
}

bool node_client_ask(struct node_client *client, struct cli *cli, enum control_request request,
                     int file, json_t **answer, struct error *error)
{
    enum {
        ID = 1
    };
    if (!ipc_send(client->ipc, (uint16_t)request, ID, (struct bytes){ 0 }, &file, file >= 0 ? 1 : 0,
                  error))
        return false;
    for (;;) {
        struct ipc_message message;
        if (!ipc_receive(client->ipc, &message, SILENCE_MS, error))
            return error_within(error, "the node");
        bool is_progress = message.type == CONTROL_PROGRESS;
        if (is_progress)
            progress_show(cli, message.payload);
        bool good = message.type == IPC_ANSWER_OK
                        ? json_parse(answer, message.payload, error)
                        : is_progress || ipc_answer_error(&message, error);
        ipc_message_done(&message);
        if (!is_progress) {
            cli_step_done(cli);
            return good;
        }
    }
}
