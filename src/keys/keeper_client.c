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

/* What is to be remembered of one store. */
struct memory {
    struct keeper *keeper;
    struct store_heads heads;
    uint32_t id;      /* of its request */
    bool has_sent;    /* on this connection, and it was not answered yet */
    bool is_answered; /* well: there is nothing to wait for */
    struct error failure;
};

struct keeper {
    struct ipc *ipc; /* NULL after a failed reconnect */
    uint32_t last_id;
    struct buffer payload;
    pthread_mutex_t mutex;  /* of all of it */
    pthread_cond_t changed; /* there is another connection */
    struct memory memories[ANCHOR_STORES];
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
    for (int i = 0; i < ANCHOR_STORES; i++)
        made->memories[i].keeper = made;
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
    for (int i = 0; i < ANCHOR_STORES; i++)
        keeper->memories[i].has_sent = false;
    pthread_cond_broadcast(&keeper->changed);
    return ipc_new(&keeper->ipc, socket, KEEPER_PAYLOAD_MAX, error) ||
           error_within(error, "keeper");
}

/* Whether it answers what is to be remembered of a store. */
static bool memory_take(struct keeper *keeper, const struct ipc_message *answer)
{
    for (int i = 0; i < ANCHOR_STORES; i++) {
        struct memory *memory = &keeper->memories[i];
        if (!memory->has_sent || memory->id != answer->id)
            continue;
        memory->has_sent = false;
        memory->is_answered = answer->type == IPC_ANSWER_OK;
        if (!memory->is_answered)
            (void)!ipc_answer_error(answer, &memory->failure);
        return true;
    }
    return false;
}

/* The next answer. */
static bool answer_receive(struct keeper *keeper, struct ipc_message *answer, int timeout_ms,
                           struct error *error)
{
    if (!ipc_receive(keeper->ipc, answer, timeout_ms, error))
        return false;
    if (answer->type == IPC_ANSWER_OK || answer->type == IPC_ANSWER_ERROR)
        return true;
    ipc_message_done(answer);
    return error_set(error, ERROR_INVALID, "the keeper asks instead of answering");
}

static bool request_send(struct keeper *keeper, enum keeper_request type, struct bytes payload,
                         uint32_t *id, struct error *error)
{
    if (keeper->ipc == NULL)
        return error_set(error, ERROR_UNAVAILABLE, "no connection to the keeper");
    *id = ++keeper->last_id;
    return ipc_send(keeper->ipc, (uint16_t)type, *id, payload, NULL, 0, error);
}

/* Sends what is in the keeper's payload; the answer borrows the connection's buffer. */
static bool call(struct keeper *keeper, enum keeper_request type, struct ipc_message *answer,
                 struct error *error)
{
    uint32_t id;
    if (keeper->payload.failed)
        return error_set(error, ERROR_LIMIT, "too large a request to the keeper");
    if (!request_send(keeper, type, buffer_view(&keeper->payload), &id, error))
        return error_within(error, "keeper");
    for (;;) {
        if (!answer_receive(keeper, answer, KEEPER_TIMEOUT_MS, error))
            return error_within(error, "keeper");
        if (answer->id == id)
            break;
        (void)!memory_take(keeper, answer); /* or of a call that had timed out */
        ipc_message_done(answer);
    }
    if (answer->type == IPC_ANSWER_OK)
        return true;
    ipc_message_done(answer);
    (void)!ipc_answer_error(answer, error);
    return error_within(error, "keeper");
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

static enum anchor_store which_store(const struct memory *memory)
{
    return (enum anchor_store)(memory - memory->keeper->memories);
}

static bool anchored(void *context, struct store_heads *heads, bool *known, struct error *error)
{
    struct memory *memory = context;
    struct keeper *keeper = memory->keeper;
    struct ipc_message answer;
    uint8_t store = (uint8_t)which_store(memory);
    LOCKED(keeper);
    buffer_clear(&keeper->payload);
    buffer_append(&keeper->payload, bytes_of(&store, 1));
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

static bool memory_send(struct memory *memory, struct error *error)
{
    uint8_t payload[1 + STORE_HEADS_SIZE];
    struct writer writer = writer_into(payload, sizeof(payload));
    write_u8(&writer, (uint8_t)which_store(memory));
    store_heads_write(&writer, &memory->heads);
    memory->has_sent =
        request_send(memory->keeper, KEEPER_ANCHOR, writer_view(&writer), &memory->id, error);
    return memory->has_sent;
}

/* What could not be sent is sent by anchor_finish. */
static bool anchor_begin(void *context, const struct store_heads *heads, struct error *error UNUSED)
{
    struct memory *memory = context;
    struct keeper *keeper = memory->keeper;
    struct error ignored;
    LOCKED(keeper);
    memory->heads = *heads;
    memory->is_answered = false;
    (void)!memory_send(memory, &ignored);
    return true;
}

/* Answered well, or why not. */
static bool memory_wait(struct memory *memory, struct error *error)
{
    struct ipc_message answer;
    if (!memory->is_answered && !memory->has_sent && !memory_send(memory, error))
        return false;
    while (memory->has_sent) {
        if (!answer_receive(memory->keeper, &answer, KEEPER_TIMEOUT_MS, error)) {
            memory->has_sent = false;
            return false;
        }
        if (memory_take(memory->keeper, &answer) && !memory->has_sent && !memory->is_answered)
            *error = memory->failure;
        ipc_message_done(&answer);
    }
    return memory->is_answered;
}

static bool anchor_finish(void *context, struct error *error)
{
    struct memory *memory = context;
    struct keeper *keeper = memory->keeper;
    struct timespec until;
    struct error failure = { 0 };
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += KEEPER_ANCHOR_WAIT_MS / 1000;
    LOCKED(keeper);
    bool done = memory_wait(memory, &failure);
    while (!done && failure.code == ERROR_UNAVAILABLE && which_store(memory) == ANCHOR_STATES &&
           pthread_cond_timedwait(&keeper->changed, &keeper->mutex, &until) == 0)
        done = memory_wait(memory, &failure);
    if (!done)
        *error = failure;
    return done || error_within(error, "keeper");
}

static bool anchor_ready(void *context)
{
    struct memory *memory = context;
    struct keeper *keeper = memory->keeper;
    struct ipc_message answer;
    struct error ignored; /* anchor_finish meets it again */
    LOCKED(keeper);
    while (memory->has_sent && keeper->ipc != NULL &&
           answer_receive(keeper, &answer, 0, &ignored)) {
        (void)!memory_take(keeper, &answer); /* or of a call that had timed out */
        ipc_message_done(&answer);
    }
    return memory->is_answered;
}

struct store_anchor keeper_anchor(struct keeper *keeper, enum anchor_store store)
{
    return (struct store_anchor){ .context = &keeper->memories[store],
                                  .ahead_max = store == ANCHOR_STATES ? 1 : NODE_COMMITS_AHEAD_MAX,
                                  .read = anchored,
                                  .begin = anchor_begin,
                                  .finish = anchor_finish,
                                  .ready = anchor_ready };
}
