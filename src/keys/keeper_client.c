/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ipc.h"
#include "core/reader.h"
#include "core/writer.h"
#include "keys/keeper.h"
#include "keys/keeper_message.h"

#include <stdlib.h>
#include <string.h>

struct keeper {
    struct ipc *ipc; /* NULL after a failed reconnect */
    struct buffer payload;
};

int keeper_socket(const struct keeper *keeper)
{
    return keeper->ipc == NULL ? -1 : ipc_descriptor(keeper->ipc);
}

bool keeper_connect(struct keeper **keeper, int socket, struct error *error)
{
    struct keeper *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the keeper's connection");
    buffer_init(&made->payload, KEEPER_PAYLOAD_MAX);
    if (!ipc_new(&made->ipc, socket, KEEPER_PAYLOAD_MAX, error)) {
        keeper_close(made);
        return error_within(error, "keeper");
    }
    *keeper = made;
    return true;
}

void keeper_close(struct keeper *keeper)
{
    if (keeper == NULL)
        return;
    ipc_free(keeper->ipc);
    buffer_done(&keeper->payload);
    free(keeper);
}

bool keeper_reconnect(struct keeper *keeper, int socket, struct error *error)
{
    ipc_free(TAKE(keeper->ipc));
    return ipc_new(&keeper->ipc, socket, KEEPER_PAYLOAD_MAX, error) ||
           error_within(error, "keeper");
}

/* Sends what is in the keeper's payload; the answer borrows the connection's buffer. */
static bool call(struct keeper *keeper, enum keeper_request type, struct ipc_message *answer,
                 struct error *error)
{
    if (keeper->payload.failed)
        return error_set(error, ERROR_LIMIT, "too large a request to the keeper");
    if (keeper->ipc == NULL)
        return error_set(error, ERROR_UNAVAILABLE, "no connection to the keeper");
    if (!ipc_call(keeper->ipc, (uint16_t)type, buffer_view(&keeper->payload), NULL, 0, answer,
                  KEEPER_TIMEOUT_MS, error))
        return error_within(error, "keeper");
    return true;
}

static bool call_append(struct keeper *keeper, enum keeper_request type, struct buffer *target,
                        struct error *error)
{
    struct ipc_message answer;
    if (!call(keeper, type, &answer, error))
        return false;
    buffer_append(target, answer.payload);
    ipc_message_done(&answer);
    return !target->failed || error_set(error, ERROR_LIMIT, "the keeper's answer is too large");
}

static bool text_take(char *text, size_t size, struct reader *reader)
{
    struct bytes left = bytes_of(reader->at, reader_left(reader));
    size_t end = bytes_find(left, 0);
    if (end >= left.size || end >= size)
        return false;
    read_into(reader, text, end + 1);
    return true;
}

bool keeper_get_info(struct keeper *keeper, struct keeper_info *info, struct error *error)
{
    struct ipc_message answer;
    struct keeper_info parsed = { 0 };
    buffer_clear(&keeper->payload);
    if (!call(keeper, KEEPER_INFO, &answer, error))
        return false;
    struct reader reader = reader_of(answer.payload);
    bool done = text_take(parsed.platform, sizeof(parsed.platform), &reader) &&
                text_take(parsed.node, sizeof(parsed.node), &reader) && read_end(&reader);
    ipc_message_done(&answer);
    if (!done)
        return error_set(error, ERROR_INTERNAL, "the keeper says nothing sensible of itself");
    *info = parsed;
    return true;
}

bool keeper_endorse(struct keeper *keeper, const struct ecdsa_public *receipt_key,
                    const struct ecdsa_public *tls_key, const struct keyset_validity *validity,
                    struct buffer *keyset, struct error *error)
{
    struct endorse_request request = { *receipt_key, *tls_key, *validity };
    buffer_clear(&keeper->payload);
    endorse_request_write(&keeper->payload, &request);
    return call_append(keeper, KEEPER_ENDORSE, keyset, error);
}

bool keeper_evidence(struct keeper *keeper, const struct digest32 *keyset,
                     const struct nonce32 *nonce, struct buffer *quote, struct error *error)
{
    struct evidence_request request = { *keyset, *nonce };
    buffer_clear(&keeper->payload);
    evidence_request_write(&keeper->payload, &request);
    return call_append(keeper, KEEPER_EVIDENCE, quote, error);
}

bool keeper_append(struct keeper *keeper, const char *kind, const char *details,
                   struct error *error)
{
    struct ipc_message answer;
    buffer_clear(&keeper->payload);
    append_request_write(&keeper->payload, kind, details);
    if (!call(keeper, KEEPER_APPEND, &answer, error))
        return false;
    ipc_message_done(&answer);
    return true;
}

bool keeper_events(struct keeper *keeper, uint64_t count, struct buffer *log, struct error *error)
{
    uint8_t left_out[EVENTS_REQUEST_SIZE];
    for (;;) {
        size_t before = log->size;
        struct writer writer = writer_into(left_out, sizeof(left_out));
        write_u64_le(&writer, count);
        buffer_clear(&keeper->payload);
        buffer_append(&keeper->payload, writer_view(&writer));
        if (!call_append(keeper, KEEPER_EVENTS, log, error))
            return false;
        if (log->size == before)
            return true;
        for (size_t i = before; i < log->size; i++)
            count += log->data[i] == '\n';
    }
}

static bool seal_or_open(struct keeper *keeper, enum keeper_request type,
                         const struct seal_request *request, struct buffer *target,
                         struct error *error)
{
    buffer_clear(&keeper->payload);
    seal_request_write(&keeper->payload, request);
    return call_append(keeper, type, target, error);
}

static bool request_set(struct seal_request *request, const char *space, struct bytes associated,
                        struct bytes body, struct error *error)
{
    size_t size = strlen(space);
    if (size > STORE_SPACE_SIZE_MAX || associated.size > STORE_ASSOCIATED_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "too long a space or associated data");
    *request = (struct seal_request){ .associated = associated, .body = body };
    memcpy(request->space, space, size);
    return true;
}

static bool sealer_seal(void *context, const char *space, struct bytes associated,
                        struct bytes plain, struct buffer *sealed, struct error *error)
{
    struct seal_request request;
    return request_set(&request, space, associated, plain, error) &&
           seal_or_open(context, KEEPER_SEAL, &request, sealed, error);
}

static bool sealer_open(void *context, const char *space, struct bytes associated,
                        struct bytes sealed, struct buffer *plain, struct error *error)
{
    struct seal_request request;
    return request_set(&request, space, associated, sealed, error) &&
           seal_or_open(context, KEEPER_OPEN, &request, plain, error);
}

bool keeper_unseal(struct keeper *keeper, int64_t not_before_s, const struct ohttp_request *request,
                   struct hpke_context *context, struct error *error)
{
    struct unseal_request asked = { not_before_s, request->key_id, request->aead,
                                    request->encapsulated };
    struct ipc_message answer;
    buffer_clear(&keeper->payload);
    unseal_request_write(&keeper->payload, &asked);
    if (!call(keeper, KEEPER_UNSEAL, &answer, error))
        return false;
    struct hpke_context read = { .aead = request->aead };
    struct reader reader = reader_of(answer.payload);
    read_into(&reader, read.key.bytes, sizeof(read.key.bytes));
    read_into(&reader, read.nonce.bytes, sizeof(read.nonce.bytes));
    read_into(&reader, read.exporter.bytes, sizeof(read.exporter.bytes));
    bool done = read_end(&reader);
    secret_wipe((void *)(uintptr_t)answer.payload.data, answer.payload.size);
    ipc_message_done(&answer);
    *context = read;
    secret_wipe(&read, sizeof(read));
    return done || error_set(error, ERROR_INTERNAL, "the keeper's answer is malformed");
}

struct sealer keeper_sealer(struct keeper *keeper)
{
    return (struct sealer){ keeper, sealer_seal, sealer_open };
}
