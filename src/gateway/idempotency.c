/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/idempotency.h"

#include "crypto/hash.h"

#include <string.h>

static const char hint_same[] = "a repetition has the same method, path, content type and body; "
                                "another request needs another key";

void idempotency_refuse(struct refusal *refusal)
{
    refusal->status = 422;
    refusal->name = "key-reused";
    refusal->hint = hint_same;
    error_set(&refusal->error, ERROR_EXISTS, "this Idempotency-Key belongs to another request");
}

bool idempotency_key_parse(struct bytes *key, struct bytes field)
{
    struct bytes inner = field;
    if (field.size >= 2 && field.data[0] == '"' && field.data[field.size - 1] == '"')
        inner = bytes_part(field, 1, field.size - 2);
    bool is_quoted = inner.size != field.size;
    if (inner.size == 0 || inner.size > GATEWAY_KEY_SIZE_MAX)
        return false;
    for (size_t i = 0; i < inner.size; i++) {
        uint8_t byte = inner.data[i];
        bool is_between = byte == ' ' || byte == ',' || byte == ';';
        if (byte < ' ' || byte > '~' || byte == '"' || byte == '\\' || (is_between && !is_quoted))
            return false;
    }
    *key = inner;
    return true;
}

static void add(struct hash *hash, struct bytes part)
{
    uint64_t size = part.size;
    hash_update(hash, bytes_of(&size, sizeof(size)));
    hash_update(hash, part);
}

/* Nobody finds another's answer: the key counts together with who asks, and how. */
static struct digest32 name_of(const struct gateway_request *request, struct bytes key)
{
    AUTO(hash) struct hash *hash = hash_new(HASH_SHA256);
    const struct gateway_call *call = &request->call;
    const uint8_t kind[] = { call->is_sealed, request->has_caller };
    add(hash, BYTES_LITERAL("s3n/idempotency/1"));
    add(hash, call->application);
    add(hash, BYTES_OF(kind));
    add(hash, request->has_caller ? BYTES_OF(request->caller.bytes) : (struct bytes){ 0 });
    add(hash, key);
    return hash_finish32(hash);
}

static struct digest32 fingerprint_of(const struct http_request *asked)
{
    AUTO(hash) struct hash *hash = hash_new(HASH_SHA256);
    add(hash, bytes_of_string(http_method_name(asked->method)));
    add(hash, asked->target);
    add(hash, http_request_value(asked, "content-type"));
    add(hash, asked->body);
    return hash_finish32(hash);
}

static bool is_repeatable_anyway(enum http_method method)
{
    return method == HTTP_METHOD_GET || method == HTTP_METHOD_HEAD || method == HTTP_METHOD_OPTIONS;
}

/* A request of the same key that came before. */
static const struct gateway_request *holder_of(const struct gateway *gateway,
                                               const struct digest32 *name)
{
    const struct gateway_request *at = gateway->keyed;
    while (at != NULL && (at->is_waiting_for_key || !digest32_equal(&at->call.repeat.key, name)))
        at = at->next_keyed;
    return at;
}

static void enter_list(struct gateway *gateway, struct gateway_request *request)
{
    struct gateway_request **at = &gateway->keyed;
    while (*at != NULL)
        at = &(*at)->next_keyed;
    *at = request;
    request->next_keyed = NULL;
    request->is_keyed = true;
}

/* Waits for the one that has the key, or is told to come back. */
static bool meet(struct gateway *gateway, struct gateway_request *request,
                 const struct gateway_request *holder, struct refusal *refusal)
{
    if (!digest32_equal(&holder->call.repeat.fingerprint, &request->call.repeat.fingerprint)) {
        idempotency_refuse(refusal);
        return false;
    }
    if (request->rules->asked.idempotency.refuses_concurrent)
        return error_set(&refusal->error, ERROR_CONFLICT,
                         "the same request is under way; ask again for its answer");
    request->is_waiting_for_key = true;
    enter_list(gateway, request);
    refusal->is_taken = true;
    return true;
}

bool stage_idempotency(struct gateway *gateway, struct gateway_request *request,
                       struct refusal *refusal)
{
    struct gateway_call *call = &request->call;
    const struct gateway_idempotency *asked =
        request->rules == NULL ? NULL : &request->rules->asked.idempotency;
    struct bytes key;
    if (asked == NULL || !asked->is_on || is_repeatable_anyway(call->request->method))
        return true;
    if (http_request_field(call->request, "idempotency-key") == NULL)
        return !asked->is_required ||
               error_set(&refusal->error, ERROR_INVALID,
                         "requests of this application need an Idempotency-Key");
    if (!idempotency_key_parse(&key, http_request_value(call->request, "idempotency-key")))
        return error_set(&refusal->error, ERROR_INVALID,
                         "an Idempotency-Key is one string of 1 to %d visible characters, like "
                         "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"",
                         GATEWAY_KEY_SIZE_MAX);
    call->repeat = (struct gateway_repeat){ .has_key = true,
                                            .key = name_of(request, key),
                                            .fingerprint = fingerprint_of(call->request),
                                            .retention_s = asked->retention_s };
    const struct gateway_request *holder = holder_of(gateway, &call->repeat.key);
    if (holder != NULL)
        return meet(gateway, request, holder, refusal);
    enter_list(gateway, request);
    return true;
}

/* The first one that waits for a key that nobody has. */
static struct gateway_request *next_of(const struct gateway *gateway)
{
    struct gateway_request *at = gateway->keyed;
    while (at != NULL &&
           !(at->is_waiting_for_key && holder_of(gateway, &at->call.repeat.key) == NULL))
        at = at->next_keyed;
    return at;
}

static void pump(struct gateway *gateway)
{
    if (gateway->is_passing_keys)
        return;
    gateway->is_passing_keys = true;
    for (struct gateway_request *next; (next = next_of(gateway)) != NULL;) {
        next->is_waiting_for_key = false;
        request_resume(gateway, next);
    }
    gateway->is_passing_keys = false;
}

void idempotency_leave(struct gateway *gateway, struct gateway_request *request, bool at_once)
{
    if (!request->is_keyed)
        return;
    struct gateway_request **at = &gateway->keyed;
    while (*at != request)
        at = &(*at)->next_keyed;
    *at = request->next_keyed;
    request->is_keyed = request->is_waiting_for_key = false;
    gateway->waits_for_keys = true;
    if (at_once)
        pump(gateway);
}

void idempotency_tick(struct gateway *gateway)
{
    if (gateway->waits_for_keys)
        pump(gateway);
    gateway->waits_for_keys = false;
}
