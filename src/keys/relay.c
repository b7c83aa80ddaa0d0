/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/relay.h"

#include "base/ipc.h"
#include "core/reader.h"
#include "keys/limits.h"

#include <stdlib.h>
#include <string.h>

enum {
    RELAY_EXCHANGE = 1,
    PATH_SIZE_MAX = 512,
    PAYLOAD_MAX = KBS_BODY_SIZE_MAX + PATH_SIZE_MAX + 2
};

struct relay {
    struct ipc *ipc;
    struct buffer payload;
};

bool relay_connect(struct relay **relay, int socket, struct error *error)
{
    struct relay *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the relay");
    buffer_init(&made->payload, PAYLOAD_MAX);
    if (!ipc_new(&made->ipc, socket, PAYLOAD_MAX, error)) {
        relay_close(made);
        return error_within(error, "relay");
    }
    *relay = made;
    return true;
}

void relay_close(struct relay *relay)
{
    if (relay == NULL)
        return;
    ipc_free(relay->ipc);
    buffer_done(&relay->payload);
    free(relay);
}

static bool exchange(void *context, const char *path, struct bytes body, int *status,
                     struct buffer *answer, struct error *error)
{
    struct relay *relay = context;
    struct ipc_message message;
    size_t size = strlen(path);
    uint8_t head[2] = { (uint8_t)size, (uint8_t)(size >> 8) };
    ASSERT(size < PATH_SIZE_MAX);
    buffer_clear(&relay->payload);
    buffer_append(&relay->payload, BYTES_OF(head));
    buffer_append(&relay->payload, bytes_of(path, size));
    buffer_append(&relay->payload, body);
    if (relay->payload.failed)
        return error_set(error, ERROR_LIMIT, "too long a request");
    if (!ipc_call(relay->ipc, RELAY_EXCHANGE, buffer_view(&relay->payload), NULL, 0, &message,
                  RELAY_TIMEOUT_MS, error))
        return false;
    struct reader reader = reader_of(message.payload);
    *status = read_u16_le(&reader);
    buffer_append(answer, read_rest(&reader));
    bool done = !reader.failed && !answer->failed;
    ipc_message_done(&message);
    return done || error_set(error, ERROR_LIMIT, "too long an answer");
}

struct kbs_carrier relay_carrier(struct relay *relay)
{
    return (struct kbs_carrier){ relay, exchange };
}

static bool serve_exchange(void *context, const struct ipc_message *message, struct buffer *answer,
                           int *descriptors UNUSED, unsigned *descriptor_count UNUSED,
                           struct error *error)
{
    const struct kbs_carrier *carrier = context;
    char path[PATH_SIZE_MAX];
    int status;
    struct reader reader = reader_of(message->payload);
    struct bytes text = read_bytes(&reader, read_u16_le(&reader));
    struct bytes body = read_rest(&reader);
    if (reader.failed || text.size >= sizeof(path) ||
        !bytes_starts_with(text, BYTES_LITERAL("/kbs/v0/")) || bytes_find(text, 0) != text.size)
        return error_set(error, ERROR_INVALID, "not a path of a key broker");
    memcpy(path, text.data, text.size);
    path[text.size] = '\0';
    size_t start = answer->size;
    uint8_t head[2] = { 0 };
    buffer_append(answer, BYTES_OF(head));
    if (!carrier->exchange(carrier->context, path, body, &status, answer, error))
        return false;
    answer->data[start] = (uint8_t)status;
    answer->data[start + 1] = (uint8_t)(status >> 8);
    return true;
}

bool relay_serve(const struct kbs_carrier *carrier, int socket, struct error *error)
{
    static const struct ipc_request table[] = {
        { RELAY_EXCHANGE, "exchange", PAYLOAD_MAX, 0, serve_exchange },
    };
    AUTO(ipc) struct ipc *ipc = NULL;
    struct error end = { 0 };
    if (!ipc_new(&ipc, socket, PAYLOAD_MAX, error))
        return false;
    for (unsigned i = 0; i < RELAY_EXCHANGES_MAX; i++) {
        if (ipc_serve_one(ipc, table, ARRAY_COUNT(table), (void *)(uintptr_t)carrier, -1, &end))
            continue;
        if (end.code == ERROR_UNAVAILABLE)
            return true; /* the keeper has what it wanted */
        *error = end;
        return false;
    }
    return true;
}
