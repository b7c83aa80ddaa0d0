/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ipc.h"
#include "keys/hierarchy.h"
#include "keys/keeper.h"
#include "keys/keeper_message.h"
#include "keys/sealing.h"

#include "core/hex.h"
#include "core/reader.h"
#include "core/writer.h"

#include <stdio.h>
#include <string.h>

/* The rows share one signature; descriptors never travel here. */
#define SERVE(name)                                                                                \
    static bool name(void *context, const struct ipc_message *message, struct buffer *answer,      \
                     int *descriptors UNUSED, unsigned *descriptor_count UNUSED,                   \
                     struct error *error)

static bool begins_about_now(const struct keeper_service *service,
                             const struct keyset_validity *validity)
{
    int64_t now_s = (int64_t)(clock_realtime_ns(service->clock) / 1000000000);
    return validity->not_before_s >= now_s - KEYSET_VALIDITY_MAX_S &&
           validity->not_before_s <= now_s + KEEPER_CLOCK_SKEW_MAX_S;
}

/* Whether one of the last digests in a ring is this one. */
static bool is_among(const struct digest32 ring[KEEPER_KEYSETS_MAX], size_t count,
                     const struct digest32 *digest)
{
    for (size_t i = 0; i < MIN(count, (size_t)KEEPER_KEYSETS_MAX); i++) {
        if (digest32_equal(&ring[i], digest))
            return true;
    }
    return false;
}

/* Never a release without its entry; the same keys for the same time are one release. */
static bool release_record(struct keeper_service *service, const struct keyset *keyset,
                           struct bytes request, struct error *error)
{
    char details[EVENT_SIZE_MAX];
    struct digest32 asked = sha256_of(request);
    if (is_among(service->released, service->released_count, &asked))
        return true;
    struct digest32 encryption_key = sha256_of(BYTES_OF(keyset->encryption_key.bytes));
    struct digest32 receipt_key = ecdsa_public_id(&keyset->receipt_key);
    struct digest32 tls_key = ecdsa_public_id(&keyset->tls_key);
    snprintf(details, sizeof(details),
             "{\"encryption_key\":\"%s\",\"not_after\":%lld,\"not_before\":%lld,"
             "\"receipt_key\":\"%s\",\"tls_key\":\"%s\"}",
             hex_of_digest(&encryption_key).text, (long long)keyset->validity.not_after_s,
             (long long)keyset->validity.not_before_s, hex_of_digest(&receipt_key).text,
             hex_of_digest(&tls_key).text);
    if (!event_book_append(&service->events, "keyset", details, error))
        return false;
    service->released[service->released_count++ % KEEPER_KEYSETS_MAX] = asked;
    return true;
}

static struct keyset_events events_state(const struct keeper_service *service)
{
    struct keyset_events state = { .count = service->events.count, .head = service->events.head };
    snprintf(state.event_register, sizeof(state.event_register), "%s", service->events.target.name);
    return state;
}

SERVE(serve_endorse)
{
    struct keeper_service *service = context;
    struct endorse_request request;
    if (!endorse_request_read(&request, message->payload, error))
        return false;
    struct keyset keyset = { .receipt_key = request.receipt_key,
                             .tls_key = request.tls_key,
                             .validity = request.validity };
    memcpy(keyset.node, service->platform.node, sizeof(keyset.node));
    memcpy(keyset.platform, service->platform.name, strlen(service->platform.name) + 1);
    AUTO_SECRET32 struct secret32 encryption_key;
    encryption_key_derive(&encryption_key, &service->root, service->platform.node,
                          request.validity.not_before_s);
    size_t before = answer->size;
    AUTO_BUFFER struct buffer trial; /* what could not be written is not released */
    buffer_init(&trial, KEYSET_SIZE_MAX);
    if (!x25519_public_of(&keyset.encryption_key, &encryption_key, error) ||
        !keyset_write(&trial, &keyset, error))
        return error_within(error, "endorse");
    if (!begins_about_now(service, &request.validity))
        return error_set(error, ERROR_DENIED, "a keyset is endorsed for about now only");
    if (!release_record(service, &keyset, message->payload, error))
        return error_within(error, "endorse");
    keyset.events = events_state(service);
    if (!keyset_write(answer, &keyset, error))
        return error_within(error, "endorse");
    service->endorsed[service->endorsed_count++ % KEEPER_KEYSETS_MAX] =
        keyset_digest(bytes_part(buffer_view(answer), before, KEYSET_SIZE_MAX));
    return true;
}

SERVE(serve_evidence)
{
    struct keeper_service *service = context;
    struct evidence_request request;
    if (!evidence_request_read(&request, message->payload, error))
        return false;
    if (!is_among(service->endorsed, service->endorsed_count, &request.keyset))
        return error_set(error, ERROR_DENIED, "no evidence for a keyset that was not endorsed");
    struct digest64 report_data = report_data_of(&request.keyset, &request.nonce);
    if (!service->platform.evidence(service->platform.context, &report_data, answer, error))
        return error_within(error, "evidence");
    return true;
}

/* Spaces whose records have requests of their own are not open to these two. */
static bool space_check(const char *space, struct error *error)
{
    return strncmp(space, SECRET_SPACE_PREFIX, strlen(SECRET_SPACE_PREFIX)) != 0 ||
           error_set(error, ERROR_DENIED, "secrets are taken and released, not sealed and opened");
}

SERVE(serve_seal)
{
    struct keeper_service *service = context;
    struct seal_request request;
    return seal_request_read(&request, message->payload, error) &&
           space_check(request.space, error) &&
           sealing_seal(&service->root, request.space, request.associated, request.body, answer,
                        error);
}

SERVE(serve_open)
{
    struct keeper_service *service = context;
    struct seal_request request;
    return seal_request_read(&request, message->payload, error) &&
           space_check(request.space, error) &&
           sealing_open(&service->root, request.space, request.associated, request.body, answer,
                        error);
}

SERVE(serve_info)
{
    struct keeper_service *service = context;
    (void)message;
    (void)error;
    buffer_append(answer, bytes_of(service->platform.name, strlen(service->platform.name) + 1));
    buffer_append(answer, bytes_of(service->platform.node, strlen(service->platform.node) + 1));
    return true;
}

/* What the keeper alone may say. */
static bool is_reserved(const char *kind)
{
    static const char *const kinds[] = { EVENT_KIND_START, "restart", "keyset", "key", "root" };
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        if (strcmp(kind, kinds[i]) == 0)
            return true;
    }
    return false;
}

SERVE(serve_append)
{
    struct keeper_service *service = context;
    struct append_request request;
    if (!append_request_read(&request, message->payload, error))
        return false;
    if (is_reserved(request.kind))
        return error_set(error, ERROR_DENIED, "events of kind %s are the keeper's", request.kind);
    if (!event_book_append(&service->events, request.kind, request.details, error))
        return false;
    uint8_t state[8 + sizeof(service->events.head.bytes)];
    struct writer writer = writer_into(state, sizeof(state));
    write_u64_le(&writer, service->events.count);
    write_bytes(&writer, BYTES_OF(service->events.head.bytes));
    buffer_append(answer, writer_view(&writer));
    return true;
}

/* From one entry on, as many as fit. */
SERVE(serve_events)
{
    struct keeper_service *service = context;
    struct reader reader = reader_of(message->payload);
    uint64_t left_out = read_u64_le(&reader);
    if (!read_end(&reader))
        return error_set(error, ERROR_INVALID, "not a request for the event log");
    struct bytes log = event_book_view(&service->events);
    for (uint64_t i = 0; i < left_out && log.size > 0; i++)
        log = bytes_part(log, bytes_find(log, '\n') + 1, log.size);
    size_t size = MIN(log.size, (size_t)KEEPER_EVENTS_SIZE_MAX);
    while (size > 0 && log.data[size - 1] != '\n')
        size--;
    buffer_append(answer, bytes_part(log, 0, size));
    return true;
}

SERVE(serve_unseal)
{
    struct keeper_service *service = context;
    struct unseal_request request;
    AUTO_SECRET32 struct secret32 key;
    AUTO_HPKE_CONTEXT struct hpke_context message_context = { 0 };
    if (!unseal_request_read(&request, message->payload, error))
        return false;
    struct keyset_validity validity = { .not_before_s = request.not_before_s };
    if (!begins_about_now(service, &validity))
        return error_set(error, ERROR_DENIED, "no keyset that began then is in use");
    encryption_key_derive(&key, &service->root, service->platform.node, request.not_before_s);
    if (!ohttp_context_make(&message_context, request.key_id, request.aead, &request.encapsulated,
                            &key, error))
        return error_within(error, "unseal");
    buffer_append(answer, BYTES_OF(message_context.key.bytes));
    buffer_append(answer, BYTES_OF(message_context.nonce.bytes));
    buffer_append(answer, BYTES_OF(message_context.exporter.bytes));
    return true;
}

SERVE(serve_admit)
{
    struct keeper_service *service = context;
    struct admit_request request;
    AUTO_SECRET32 struct secret32 key;
    if (!admit_request_read(&request, message->payload, error))
        return false;
    struct keyset_validity validity = { .not_before_s = request.not_before_s };
    if (!begins_about_now(service, &validity))
        return error_set(error, ERROR_DENIED, "no keyset that began then is in use");
    encryption_key_derive(&key, &service->root, service->platform.node, request.not_before_s);
    return secret_admit(answer, &service->root, &request.place, &key, request.envelope, error);
}

/* Once in the log for all times that a version gets the secret; also after a restart. */
static bool handing_out_record(struct keeper_service *service, const char *details,
                               struct error *error)
{
    struct digest32 digest = sha256_of(bytes_of_string(details));
    size_t known = MIN(service->handed_out_count, (size_t)KEEPER_RELEASES_MAX);
    for (size_t i = 0; i < known; i++) {
        if (digest32_equal(&service->handed_out[i], &digest))
            return true;
    }
    struct bytes log = event_book_view(&service->events);
    char entry[EVENT_SIZE_MAX + 16];
    snprintf(entry, sizeof(entry), "%s,\"kind\":\"key\"", details);
    if (log.size == 0 || memmem(log.data, log.size, entry, strlen(entry)) == NULL) {
        if (!event_book_append(&service->events, "key", details, error))
            return false;
    }
    service->handed_out[service->handed_out_count++ % KEEPER_RELEASES_MAX] = digest;
    return true;
}

SERVE(serve_release)
{
    struct keeper_service *service = context;
    struct release_request request;
    char details[EVENT_SIZE_MAX];
    if (!release_request_read(&request, message->payload, error))
        return false;
    struct digest32 secret = secret_place_digest(&request.place);
    snprintf(details, sizeof(details), "{\"manifest\":\"%s\",\"secret\":\"%s\"}",
             hex_of_digest(&request.receiver).text, hex_of_digest(&secret).text);
    /* The room is there at once, so that no copy stays behind. */
    if (buffer_reserve(answer, SECRET_VALUE_SIZE_MAX) == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a secret");
    return secret_open(answer, &service->root, &request.place, request.sealed, error) &&
           (handing_out_record(service, details, error) || error_within(error, "release"));
}

/* Bytes that are derived leave the keeper, like a secret. */
static bool derivation_record(struct keeper_service *service, const struct key_use *use,
                              struct error *error)
{
    char details[EVENT_SIZE_MAX];
    struct digest32 place = function_key_digest(&use->place);
    snprintf(details, sizeof(details), "{\"derived\":\"%s\",\"manifest\":\"%s\"}",
             hex_of_digest(&place).text, hex_of_digest(&use->receiver).text);
    return handing_out_record(service, details, error) || error_within(error, "derive");
}

static bool key_use(struct keeper_service *service, const struct key_use *use,
                    struct buffer *result, struct error *error)
{
    const struct secret32 *root = &service->root;
    const struct key_sealed sealed = { use->info, use->encapsulated, use->associated,
                                       use->message };
    switch (use->operation) {
    case KEY_USE_PUBLIC:
        return true;
    case KEY_USE_SIGN:
        return function_key_sign(result, root, &use->place, use->is_digest, use->message, error);
    case KEY_USE_DERIVE:
        return function_key_derive(result, root, &use->place, use->size, error) &&
               derivation_record(service, use, error);
    case KEY_USE_OPEN:
        return function_key_open(result, root, &use->place, &sealed, error);
    }
    ASSERT(false);
}

SERVE(serve_key)
{
    struct keeper_service *service = context;
    struct key_use use;
    struct key_public key;
    if (!key_request_read(&use, message->payload, error) ||
        !function_key_public(&key, &service->root, &use.place, error))
        return false;
    /* The room is there at once, so that no copy stays behind. */
    if (buffer_reserve(answer, 1 + KEY_PUBLIC_SIZE_MAX + KEY_MESSAGE_SIZE_MAX) == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a key");
    uint8_t size = (uint8_t)key.size;
    buffer_append(answer, bytes_of(&size, 1));
    buffer_append(answer, bytes_of(key.bytes, key.size));
    return key_use(service, &use, answer, error);
}

/* The root may have come after the file was opened. */
static bool anchor_ready(struct keeper_service *service, struct error *error)
{
    if (service->anchor_file < 0)
        return error_set(error, ERROR_UNSUPPORTED, "this keeper remembers no heads");
    if (!service->has_anchor)
        service->has_anchor =
            anchor_open(&service->anchor, service->anchor_file, &service->root, error);
    return service->has_anchor;
}

SERVE(serve_anchor)
{
    struct keeper_service *service = context;
    struct reader reader = reader_of(message->payload);
    struct store_heads heads;
    (void)answer;
    uint8_t store = read_u8(&reader);
    store_heads_read(&reader, &heads);
    if (!read_end(&reader) || store >= ANCHOR_STORES)
        return error_set(error, ERROR_INVALID, "not two heads of a store");
    return anchor_ready(service, error) &&
           anchor_write(&service->anchor, &service->root, store, &heads, error);
}

SERVE(serve_anchored)
{
    struct keeper_service *service = context;
    uint8_t heads[STORE_HEADS_SIZE];
    struct writer writer = writer_into(heads, sizeof(heads));
    struct reader reader = reader_of(message->payload);
    uint8_t store = read_u8(&reader);
    if (!read_end(&reader) || store >= ANCHOR_STORES)
        return error_set(error, ERROR_INVALID, "not a store");
    if (!anchor_ready(service, error))
        return false;
    store_heads_write(&writer, &service->anchor.stores[store].heads);
    if (service->anchor.stores[store].counter != 0)
        buffer_append(answer, writer_view(&writer));
    return true;
}

static const struct ipc_request table[] = {
    { KEEPER_ENDORSE, "endorse", ENDORSE_REQUEST_SIZE, 0, serve_endorse },
    { KEEPER_EVIDENCE, "evidence", EVIDENCE_REQUEST_SIZE, 0, serve_evidence },
    { KEEPER_SEAL, "seal", KEEPER_PAYLOAD_MAX, 0, serve_seal },
    { KEEPER_OPEN, "open", KEEPER_PAYLOAD_MAX, 0, serve_open },
    { KEEPER_INFO, "info", 0, 0, serve_info },
    { KEEPER_APPEND, "append", APPEND_REQUEST_SIZE_MAX, 0, serve_append },
    { KEEPER_EVENTS, "events", EVENTS_REQUEST_SIZE, 0, serve_events },
    { KEEPER_UNSEAL, "unseal", UNSEAL_REQUEST_SIZE, 0, serve_unseal },
    { KEEPER_ANCHOR, "anchor", 1 + STORE_HEADS_SIZE, 0, serve_anchor },
    { KEEPER_ANCHORED, "anchored", 1, 0, serve_anchored },
    { KEEPER_ADMIT, "admit", ADMIT_REQUEST_SIZE_MAX, 0, serve_admit },
    { KEEPER_RELEASE, "release", RELEASE_REQUEST_SIZE_MAX, 0, serve_release },
    { KEEPER_KEY, "key", KEY_REQUEST_SIZE_MAX, 0, serve_key },
};

bool keeper_serve(struct keeper_service *service, int socket, struct error *error)
{
    AUTO(ipc) struct ipc *ipc = NULL;
    if (!ipc_new(&ipc, socket, KEEPER_PAYLOAD_MAX, error))
        return false;
    service->endorsed_count = 0;
    struct error end = { 0 };
    while (ipc_serve_one(ipc, table, ARRAY_COUNT(table), service, -1, &end))
        ;
    if (end.code == ERROR_UNAVAILABLE)
        return true; /* the peer closed it */
    *error = end;
    return false;
}
