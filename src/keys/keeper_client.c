/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ipc.h"
#include "core/reader.h"
#include "core/writer.h"
#include "keys/keeper.h"
#include "keys/keeper_message.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct keeper {
    struct ipc *ipc; /* NULL after a failed reconnect */
    struct buffer payload;
    pthread_mutex_t mutex;    /* of both, and of the connection */
    pthread_cond_t changed;   /* there is another connection */
    struct store_heads heads; /* of the anchor under way */
    uint32_t anchor_id;
    bool has_sent; /* its request, on this connection */
};

enum {
    ANCHOR_ID_BASE = 0x40000000, /* apart from the ids that ipc_call gives */
};

static void keeper_unlock(struct keeper **keeper)
{
    pthread_mutex_unlock(&(*keeper)->mutex);
}
#define LOCKED(keeper)                                                                             \
    pthread_mutex_lock(&(keeper)->mutex);                                                          \
    struct keeper *locked __attribute__((cleanup(keeper_unlock), unused)) = (keeper)

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
    pthread_mutex_init(&made->mutex, NULL);
    pthread_cond_init(&made->changed, NULL);
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
    pthread_mutex_destroy(&keeper->mutex);
    pthread_cond_destroy(&keeper->changed);
    free(keeper);
}

bool keeper_reconnect(struct keeper *keeper, int socket, struct error *error)
{
    LOCKED(keeper);
    ipc_free(TAKE(keeper->ipc));
    keeper->has_sent = false;
    pthread_cond_broadcast(&keeper->changed);
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
    LOCKED(keeper);
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
    LOCKED(keeper);
    buffer_clear(&keeper->payload);
    endorse_request_write(&keeper->payload, &request);
    return call_append(keeper, KEEPER_ENDORSE, keyset, error);
}

bool keeper_evidence(struct keeper *keeper, const struct digest32 *keyset,
                     const struct nonce32 *nonce, struct buffer *quote, struct error *error)
{
    struct evidence_request request = { *keyset, *nonce };
    LOCKED(keeper);
    buffer_clear(&keeper->payload);
    evidence_request_write(&keeper->payload, &request);
    return call_append(keeper, KEEPER_EVIDENCE, quote, error);
}

bool keeper_append(struct keeper *keeper, const char *kind, const char *details,
                   struct error *error)
{
    struct ipc_message answer;
    LOCKED(keeper);
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
    LOCKED(keeper);
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
    LOCKED(keeper);
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
    LOCKED(keeper);
    buffer_clear(&keeper->payload);
    unseal_request_write(&keeper->payload, &asked);
    if (!call(keeper, KEEPER_UNSEAL, &answer, error))
        return false;
    struct hpke_context read = { .kem = HPKE_KEM_X25519, .aead = request->aead };
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

bool keeper_admit(struct keeper *keeper, const struct secret_place *place, int64_t not_before_s,
                  struct bytes envelope, struct buffer *sealed, struct error *error)
{
    struct admit_request request = { *place, not_before_s, envelope };
    LOCKED(keeper);
    buffer_clear(&keeper->payload);
    admit_request_write(&keeper->payload, &request);
    return call_append(keeper, KEEPER_ADMIT, sealed, error);
}

/* As call_append; nothing of the answer stays with the connection. */
static bool call_append_secret(struct keeper *keeper, enum keeper_request type,
                               struct buffer *target, struct error *error)
{
    struct ipc_message answer;
    if (!call(keeper, type, &answer, error))
        return false;
    buffer_append(target, answer.payload);
    secret_wipe((void *)(uintptr_t)answer.payload.data, answer.payload.size);
    ipc_message_done(&answer);
    return !target->failed || error_set(error, ERROR_LIMIT, "the keeper's answer is too large");
}

bool keeper_release(struct keeper *keeper, const struct secret_place *place,
                    const struct digest32 *receiver, struct bytes sealed, struct buffer *value,
                    struct error *error)
{
    struct release_request request = { *place, *receiver, sealed };
    LOCKED(keeper);
    buffer_clear(&keeper->payload);
    release_request_write(&keeper->payload, &request);
    return call_append_secret(keeper, KEEPER_RELEASE, value, error);
}

bool keeper_use_key(struct keeper *keeper, const struct key_use *use, struct key_public *public_key,
                    struct buffer *result, struct error *error)
{
    struct ipc_message answer;
    struct key_public key = { .size = 0 };
    size_t size =
        use->info.size + use->encapsulated.size + use->associated.size + use->message.size;
    if (size > KEY_MESSAGE_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "at most %d bytes for a key", KEY_MESSAGE_SIZE_MAX);
    LOCKED(keeper);
    buffer_clear(&keeper->payload);
    key_request_write(&keeper->payload, use);
    bool done = call(keeper, KEEPER_KEY, &answer, error);
    secret_wipe(keeper->payload.data, keeper->payload.size);
    if (!done)
        return false;
    struct reader reader = reader_of(answer.payload);
    key.size = read_count(&reader, read_u8(&reader), KEY_PUBLIC_SIZE_MAX, 1);
    read_into(&reader, key.bytes, key.size);
    buffer_append(result, read_rest(&reader));
    secret_wipe((void *)(uintptr_t)answer.payload.data, answer.payload.size);
    ipc_message_done(&answer);
    if (reader.failed || result->failed)
        return error_set(error, ERROR_INTERNAL, "the keeper's answer is malformed");
    *public_key = key;
    return true;
}

struct sealer keeper_sealer(struct keeper *keeper)
{
    return (struct sealer){ keeper, sealer_seal, sealer_open };
}

/* --- the head of a store --- */

static bool anchored(void *context, struct store_heads *heads, bool *known, struct error *error)
{
    struct keeper *keeper = context;
    struct ipc_message answer;
    LOCKED(keeper);
    buffer_clear(&keeper->payload);
    if (!call(keeper, KEEPER_ANCHORED, &answer, error))
        return false;
    struct reader reader = reader_of(answer.payload);
    *known = answer.payload.size > 0;
    if (*known)
        store_heads_read(&reader, heads);
    bool done = read_end(&reader);
    ipc_message_done(&answer);
    return done || error_set(error, ERROR_INTERNAL, "the keeper's anchor has the wrong size");
}

static bool anchor_send(struct keeper *keeper, struct error *error)
{
    uint8_t heads[STORE_HEADS_SIZE];
    struct writer writer = writer_into(heads, sizeof(heads));
    store_heads_write(&writer, &keeper->heads);
    keeper->anchor_id = ANCHOR_ID_BASE | ((keeper->anchor_id + 1) & (ANCHOR_ID_BASE - 1));
    if (keeper->ipc == NULL)
        return error_set(error, ERROR_UNAVAILABLE, "no connection to the keeper");
    keeper->has_sent = ipc_send(keeper->ipc, KEEPER_ANCHOR, keeper->anchor_id, writer_view(&writer),
                                NULL, 0, error);
    return keeper->has_sent;
}

static bool anchor_receive(struct keeper *keeper, struct error *error)
{
    struct ipc_message answer;
    do {
        if (!ipc_receive(keeper->ipc, &answer, KEEPER_TIMEOUT_MS, error))
            return false;
        ipc_message_done(&answer); /* others are of calls that had timed out */
    } while (answer.id != keeper->anchor_id);
    return answer.type == IPC_ANSWER_OK || ipc_answer_error(&answer, error);
}

/* Holds the connection until anchor_finish.  What could not be sent is sent there. */
static bool anchor_begin(void *context, const struct store_heads *heads, struct error *error UNUSED)
{
    struct keeper *keeper = context;
    struct error ignored;
    pthread_mutex_lock(&keeper->mutex);
    keeper->heads = *heads;
    (void)!anchor_send(keeper, &ignored);
    return true;
}

static bool anchor_finish(void *context, struct error *error)
{
    struct keeper *keeper = context;
    struct timespec until;
    struct error failure = { 0 };
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += KEEPER_ANCHOR_WAIT_MS / 1000;
    bool done = false, waits = true;
    while (!done && waits) {
        done =
            (keeper->has_sent || anchor_send(keeper, &failure)) && anchor_receive(keeper, &failure);
        keeper->has_sent = false;
        if (!done)
            waits = failure.code == ERROR_UNAVAILABLE &&
                    pthread_cond_timedwait(&keeper->changed, &keeper->mutex, &until) == 0;
    }
    pthread_mutex_unlock(&keeper->mutex);
    if (!done)
        *error = failure;
    return done || error_within(error, "keeper");
}

struct store_anchor keeper_anchor(struct keeper *keeper)
{
    return (struct store_anchor){ keeper, anchored, anchor_begin, anchor_finish };
}
