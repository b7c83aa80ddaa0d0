/* SPDX-License-Identifier: Apache-2.0 */
/* How many requests of one application are under way, and the queue of those that wait.
 *
 * A request counts from here until it is answered or its client has gone.  Flows are there while
 * they have requests; all versions of an application share one. */
#include "gateway/stage.h"

#include <stdlib.h>
#include <string.h>

struct flow {
    struct flow *next;
    char application[GATEWAY_NAME_SIZE_MAX + 1];
    uint32_t running, waiting;
    struct gateway_request *first; /* of those that wait, by arrival */
    struct gateway_request **last;
};

static uint64_t now_ms(const struct gateway *gateway)
{
    return clock_monotonic_ns(gateway->options.clock) / 1000000;
}

static struct flow *flow_of(struct gateway *gateway, struct bytes application)
{
    struct flow *flow = gateway->flows;
    while (flow != NULL && !bytes_equal_string(application, flow->application))
        flow = flow->next;
    if (flow != NULL)
        return flow;
    flow = calloc(1, sizeof(*flow));
    if (flow == NULL)
        return NULL;
    ASSERT(application.size < sizeof(flow->application));
    memcpy(flow->application, application.data, application.size);
    flow->last = &flow->first;
    flow->next = gateway->flows;
    gateway->flows = flow;
    return flow;
}

static void flow_drop(struct gateway *gateway, struct flow *flow)
{
    struct flow **at = &gateway->flows;
    while (*at != flow)
        at = &(*at)->next;
    *at = flow->next;
    free(flow);
}

static void queue_remove(struct flow *flow, struct gateway_request *request)
{
    struct gateway_request **at = &flow->first;
    while (*at != request)
        at = &(*at)->next_waiting;
    *at = request->next_waiting;
    if (flow->last == &request->next_waiting)
        flow->last = at;
    request->next_waiting = NULL;
    request->is_waiting = false;
    flow->waiting--;
}

bool stage_concurrency(struct gateway *gateway, struct gateway_request *request,
                       struct refusal *refusal)
{
    if (request->rules == NULL || request->rules->asked.limits.concurrency == 0)
        return true;
    const struct gateway_admission *limits = &request->rules->asked.limits;
    struct flow *flow = flow_of(gateway, request->call.application);
    if (flow == NULL)
        return error_set(&refusal->error, ERROR_NO_MEMORY, "no memory for a request");
    if (flow->running < limits->concurrency && flow->waiting == 0) {
        flow->running++;
        request->flow = flow;
        return true;
    }
    if (flow->waiting >= limits->queue) {
        refusal->retry_after_s = 1;
        refusal->status = 503;
        return error_set(&refusal->error, ERROR_BUSY,
                         "this application answers %u requests at a time, and %u wait already",
                         limits->concurrency, flow->waiting);
    }
    flow->waiting++;
    request->flow = flow;
    request->is_waiting = true;
    request->wait_until_ms = now_ms(gateway) + limits->queue_ms;
    *flow->last = request;
    flow->last = &request->next_waiting;
    refusal->is_taken = true;
    return true;
}

/* Lets in whoever waits, as far as their own version's limit allows. */
static void flow_pump(struct gateway *gateway, struct flow *flow)
{
    if (gateway->is_pumping)
        return; /* whoever pumps looks again */
    gateway->is_pumping = true;
    while (flow->first != NULL && flow->running < flow->first->rules->asked.limits.concurrency) {
        struct gateway_request *request = flow->first;
        queue_remove(flow, request);
        flow->running++;
        request_resume(gateway, request);
    }
    gateway->is_pumping = false;
    if (flow->first == NULL && flow->running == 0)
        flow_drop(gateway, flow);
}

void flow_leave(struct gateway *gateway, struct gateway_request *request, bool at_once)
{
    struct flow *flow = TAKE(request->flow);
    if (flow == NULL)
        return;
    if (request->is_waiting)
        queue_remove(flow, request);
    else
        flow->running--;
    if (at_once)
        flow_pump(gateway, flow);
}

static void refuse_late(struct gateway *gateway, struct gateway_request *request)
{
    struct refusal refusal = { .status = 503, .retry_after_s = 1 };
    error_set(&refusal.error, ERROR_BUSY,
              "this application answers %u requests at a time, and none of them ended in %u ms",
              request->rules->asked.limits.concurrency, request->rules->asked.limits.queue_ms);
    request_refuse(gateway, request, &refusal);
}

void flows_tick(struct gateway *gateway)
{
    uint64_t now = now_ms(gateway);
    struct flow *next;
    for (struct flow *flow = gateway->flows; flow != NULL; flow = next) {
        while (flow->first != NULL && flow->first->wait_until_ms <= now) {
            struct gateway_request *late = flow->first;
            queue_remove(flow, late);
            late->flow = NULL;
            refuse_late(gateway, late);
        }
        next = flow->next;
        flow_pump(gateway, flow);
    }
}
