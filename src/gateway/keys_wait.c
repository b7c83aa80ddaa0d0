/* SPDX-License-Identifier: Apache-2.0 */
/* Requests whose web token can't be judged yet, because its issuer's keys are being fetched: they
 * wait for the keys rather than have their callers ask again, so many of them and for so long.
 *
 * The stage of identity lets them on, so that their bodies come meanwhile; here each is judged, and
 * parked as long as there is still nothing to judge it with. */
#include "gateway/stage.h"

static uint64_t now_ms(const struct gateway *gateway)
{
    return clock_monotonic_ns(gateway->options.clock) / 1000000;
}

bool keys_have_room(const struct gateway *gateway, const struct gateway_request *request)
{
    size_t all = 0, own = 0;
    for (const struct gateway_request *at = gateway->parked; at != NULL; at = at->next_parked) {
        all++;
        own += bytes_equal(at->call.application, request->call.application);
    }
    return all < GATEWAY_KEYS_WAITING_MAX && own < GATEWAY_KEYS_WAITING_OF_APPLICATION_MAX;
}

static void park(struct gateway *gateway, struct gateway_request *request)
{
    struct gateway_request **at = &gateway->parked;
    while (*at != NULL)
        at = &(*at)->next_parked;
    *at = request;
    request->next_parked = NULL;
    request->is_parked = true;
    request->keys_round = gateway->keys_round;
    if (request->keys_until_ms == 0)
        request->keys_until_ms = now_ms(gateway) + GATEWAY_KEYS_WAIT_MS;
}

bool stage_keys(struct gateway *gateway, struct gateway_request *request, struct refusal *refusal)
{
    if (!request->awaits_keys)
        return true;
    if (jwt_identify(gateway, request, &refusal->error))
        return stage_key_rate(gateway, request, refusal); /* it had no name there */
    bool is_late = request->keys_until_ms != 0 && request->keys_until_ms <= now_ms(gateway);
    if (!request->awaits_keys || is_late || !keys_have_room(gateway, request))
        return false;
    park(gateway, request);
    request->next_stage--; /* here again */
    refusal->is_taken = true;
    return true;
}

void keys_leave(struct gateway *gateway, struct gateway_request *request)
{
    struct gateway_request **at = &gateway->parked;
    if (!request->is_parked)
        return;
    while (*at != request)
        at = &(*at)->next_parked;
    *at = request->next_parked;
    request->is_parked = false;
}

/* One that has not been judged since the last change, or waits no longer. */
static struct gateway_request *due_of(const struct gateway *gateway)
{
    uint64_t now = now_ms(gateway);
    struct gateway_request *at = gateway->parked;
    while (at != NULL && at->keys_round == gateway->keys_round && at->keys_until_ms > now)
        at = at->next_parked;
    return at;
}

void keys_tick(struct gateway *gateway)
{
    for (struct gateway_request *next; (next = due_of(gateway)) != NULL;) {
        keys_leave(gateway, next);
        request_resume(gateway, next);
    }
}

void gateway_keys_changed(struct gateway *gateway)
{
    if (gateway == NULL)
        return;
    gateway->keys_round++;
    keys_tick(gateway);
}
