/* SPDX-License-Identifier: Apache-2.0 */
/* The stages that bound what one caller may ask of one application: sizes and rates. */
#include "crypto/hash.h"
#include "gateway/stage.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* Tells callers apart, of one application: who they are, or where they come from. */
enum caller_kind {
    CALLER_ADDRESS = 'a',
    CALLER_KEY = 'k'
};

/* An IPv6 address stands for its /64: whoever has one has them all. */
static struct bytes network_of(uint8_t network[16], struct bytes peer)
{
    char text[INET6_ADDRSTRLEN];
    if (peer.size >= sizeof(text))
        return (struct bytes){ 0 };
    memcpy(text, peer.data, peer.size);
    text[peer.size] = '\0';
    if (inet_pton(AF_INET, text, network) == 1)
        return bytes_of(network, 4);
    if (inet_pton(AF_INET6, text, network) != 1)
        return (struct bytes){ 0 };
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    if (memcmp(network, mapped, sizeof(mapped)) == 0)
        return bytes_of(network + sizeof(mapped), 4);
    return bytes_of(network, 8);
}

static bool within_rate(struct gateway *gateway, const struct gateway_request *request,
                        const struct gateway_rate *rate, enum caller_kind kind, struct bytes caller,
                        struct refusal *refusal)
{
    char name[GATEWAY_BUCKET_NAME_SIZE_MAX];
    uint64_t wait_ms;
    const struct bytes application = request->call.application;
    if (gateway->limiter == NULL && !limiter_new(&gateway->limiter, &refusal->error))
        return false;
    int size = snprintf(name, sizeof(name), "%c%.*s", kind, (int)application.size,
                        (const char *)application.data);
    size_t used = (size_t)size + 1; /* with the NUL, so that no two names are one */
    ASSERT(used + caller.size <= sizeof(name));
    if (caller.size > 0) /* what is no address is nobody's, and has none */
        memcpy(name + used, caller.data, caller.size);
    if (limiter_take(gateway->limiter, bytes_of(name, used + caller.size), rate,
                     clock_monotonic_ns(gateway->options.clock) / 1000000, &wait_ms))
        return true;
    refusal->retry_after_s = (unsigned)((wait_ms + 999) / 1000);
    return error_set(&refusal->error, ERROR_BUSY,
                     "this application takes %u requests a minute of one %s, and %u at once",
                     rate->per_minute, kind == CALLER_KEY ? "key" : "address", rate->burst);
}

static bool address_rate(struct gateway *gateway, const struct gateway_request *request,
                         struct refusal *refusal)
{
    uint8_t network[16];
    if (request->rules == NULL || request->rules->asked.limits.per_address.per_minute == 0)
        return true;
    return within_rate(gateway, request, &request->rules->asked.limits.per_address, CALLER_ADDRESS,
                       network_of(network, request->call.request->peer), refusal);
}

/* One name for each who proved to be somebody: a member's or token's, or what an issuer calls them.
 */
static void note_caller(struct gateway_request *request)
{
    const struct gateway_call *call = &request->call;
    AUTO(hash) struct hash *hash = hash_new(HASH_SHA256);
    const uint8_t how = (uint8_t)call->caller.how;
    struct bytes name =
        call->subject.size > 0 ? call->subject : bytes_of_string(call->caller.actor);
    request->has_caller = call->caller.how != ACCESS_BY_NOTHING;
    hash_update(hash, bytes_of(&how, 1));
    hash_update(hash, BYTES_OF(call->caller.account.bytes));
    hash_update(hash, name);
    request->caller = hash_finish32(hash);
}

bool stage_key_rate(struct gateway *gateway, struct gateway_request *request,
                    struct refusal *refusal)
{
    note_caller(request);
    if (request->rules == NULL || request->rules->asked.limits.per_key.per_minute == 0 ||
        !request->has_caller)
        return true;
    return within_rate(gateway, request, &request->rules->asked.limits.per_key, CALLER_KEY,
                       BYTES_OF(request->caller.bytes), refusal);
}

bool stage_limits(struct gateway *gateway, struct gateway_request *request, struct refusal *refusal)
{
    const struct gateway_options *options = &gateway->options;
    const struct http_request *asked = request->call.request;
    enum gateway_operation operation = request->call.operation;
    request->body_size_max = operation_of(operation)->body_size_max;
    if ((operation == GATEWAY_INVOKE || operation == GATEWAY_FUNCTION_ROUTE) &&
        options->input_size_max != 0)
        request->body_size_max = options->input_size_max;
    if (operation == GATEWAY_SEALED && options->input_size_max != 0)
        request->body_size_max = options->input_size_max + GATEWAY_SEALED_HEAD_SIZE_MAX;
    if (operation == GATEWAY_BLOB_PUT && options->blob_size_max != 0)
        request->body_size_max = options->blob_size_max;
    if (request->rules != NULL && request->rules->asked.limits.body_size_max != 0)
        request->body_size_max =
            MIN(request->body_size_max, request->rules->asked.limits.body_size_max);
    if (asked->content_size > request->body_size_max)
        return error_set(&refusal->error, ERROR_LIMIT, "the body has %llu bytes, at most %zu",
                         (unsigned long long)asked->content_size, request->body_size_max);
    return address_rate(gateway, request, refusal);
}
