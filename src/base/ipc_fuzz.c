/* SPDX-License-Identifier: Apache-2.0 */
/* A peer that sends the input and hangs up, against both the plain receiver and a request table. */
#include "base/ipc.h"
#include "fuzz/fuzz.h"

#include <sys/socket.h>
#include <unistd.h>

enum {
    SENT_SIZE_MAX = 60000
};

static bool serve_echo(void *context, const struct ipc_message *message, struct buffer *answer,
                       int *descriptors, unsigned *descriptor_count, struct error *error)
{
    (void)context, (void)descriptors, (void)descriptor_count;
    buffer_append(answer, message->payload);
    return message->payload.size % 2 == 0 || error_set(error, ERROR_LIMIT, "odd");
}

static const struct ipc_request requests[] = {
    { .type = 1, .name = "echo", .payload_max = 1000, .serve = serve_echo },
    { .type = 2, .name = "pass", .payload_max = 10, .descriptor_count = 1, .serve = serve_echo },
};

static struct ipc *connected(struct bytes input)
{
    int ends[2];
    struct ipc *ipc = NULL;
    struct error error;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return NULL;
    ssize_t sent = send(ends[0], input.data, MIN(input.size, (size_t)SENT_SIZE_MAX), MSG_NOSIGNAL);
    (void)sent;
    close(ends[0]);
    if (!ipc_new(&ipc, ends[1], 1 << 16, &error))
        close(ends[1]);
    return ipc;
}

void fuzz_one(struct bytes input)
{
    struct error error;
    struct ipc_message message;
    AUTO(ipc) struct ipc *receiver = connected(input);
    AUTO(ipc) struct ipc *server = connected(input);
    if (receiver == NULL || server == NULL)
        return;
    while (ipc_receive(receiver, &message, 0, &error)) {
        ASSERT(message.descriptor_count == 0);
        ipc_message_done(&message);
    }
    ASSERT(ipc_is_broken(receiver));
    while (ipc_serve_one(server, requests, ARRAY_COUNT(requests), NULL, 0, &error))
        continue;
    ASSERT(ipc_is_broken(server));
}
