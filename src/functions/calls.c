/* SPDX-License-Identifier: Apache-2.0 */
/* Host calls between a worker and the services. */
#include "functions/house.h"

#include <stdio.h>
#include <string.h>

bool house_begin_scope(struct house *house, struct invocation *invocation, struct error *error)
{
    if (invocation->scope != NULL)
        return true;
    const struct application *application = house->application;
    const struct manifest_function *function =
        &application->manifest->functions[invocation->function];
    struct service_facts facts = {
        .application = application->manifest->application,
        .function = function->name,
        .version = application->manifest->version,
        .owner = application->owner,
        .manifest = application->manifest_digest,
        .code = function->code,
        .permissions = &function->permissions,
        .state_size = (uint64_t)application->manifest->state.mib << 20,
        .state_count = application->manifest->state.entries,
        .call_count_max = function->limits.host_calls,
        .deadline_ns = invocation->since_ns + function->limits.timeout_ms * UINT64_C(1000000),
        .is_timed = invocation->is_traced,
        .invocation = invocation,
    };
    snprintf(facts.id, sizeof(facts.id), "%s", invocation->id);
    return services_begin(house->invoker->services, &facts, &invocation->scope, error);
}

static void call_answer(void *context, struct bytes answers)
{
    const struct invocation *invocation = context;
    struct worker *worker = invocation->house->worker;
    if (worker != NULL)
        worker_answer_call(worker, invocation->call_lane, invocation->call_number, answers);
}

void house_take_calls(struct house *house)
{
    struct worker_call call;
    struct error error;
    while (house->worker != NULL && worker_take_call(house->worker, &call)) {
        invoker_look(house); /* one that called may call again */
        struct invocation *invocation =
            call.token < house->running_count_max ? house->running[call.token] : NULL;
        bool is_known = invocation != NULL && house_begin_scope(house, invocation, &error);
        if (is_known) {
            invocation->call_lane = call.lane;
            invocation->call_number = call.number;
        }
        if (!is_known || !services_run(invocation->scope, call.requests, call_answer, invocation))
            worker_answer_call(house->worker, call.lane, call.number, (struct bytes){ 0 });
    }
}
