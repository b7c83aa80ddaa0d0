/* SPDX-License-Identifier: Apache-2.0 */
/* Host calls between a worker and the services. */
#include "functions/house.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void house_facts(struct service_facts *facts, const struct house *house,
                 const struct invocation *invocation)
{
    const struct application *application = house->application;
    const struct manifest_function *function =
        &application->manifest->functions[invocation->function];
    *facts = (struct service_facts){
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
        .invocation = (void *)(uintptr_t)invocation,
    };
    snprintf(facts->id, sizeof(facts->id), "%s", invocation->id);
}

bool house_begin_scope(struct house *house, struct invocation *invocation, struct error *error)
{
    struct service_facts facts;
    if (invocation->scope != NULL)
        return true;
    house_facts(&facts, house, invocation);
    return services_begin(house->invoker->services, &facts, &invocation->scope, error);
}

static void call_answer(void *context, struct bytes answers)
{
    const struct invocation *invocation = context;
    struct worker *worker = invocation->house->worker;
    if (worker != NULL)
        worker_answer_call(worker, invocation->call_lane, invocation->call_number, answers);
}

/* The VMM has counted only what left, and ends those that make too many. */
static void calls_count(struct invocation *invocation, struct bytes list)
{
    const struct manifest *manifest = invocation->house->application->manifest;
    uint32_t allowed = manifest->functions[invocation->function].limits.host_calls, count;
    struct replay *replay = &invocation->replay;
    if (replay->state != REPLAY_OVER || replay->made_count == 0 ||
        !call_requests_check(list, &count))
        return;
    replay->left_count += count;
    if (allowed != 0 && replay->made_count + replay->left_count > allowed)
        replay->state = REPLAY_WRONG;
}

/* The list that waited for what was made before it. */
static void call_go_on(struct invocation *invocation)
{
    struct replay *replay = &invocation->replay;
    struct bytes list = bytes_of(replay->held, replay->held_size);
    calls_count(invocation, list);
    if (replay->state == REPLAY_WRONG ||
        !services_run(invocation->scope, list, call_answer, invocation))
        call_answer(invocation, (struct bytes){ 0 });
}

/* A cell has one call at a time; what it says to be a second one is refused. */
static bool call_hold(struct replay *replay, struct bytes list)
{
    if (replay->held != NULL || list.size == 0 || (replay->held = malloc(list.size)) == NULL)
        return false;
    memcpy(replay->held, list.data, list.size);
    replay->held_size = list.size;
    replay->later = call_go_on;
    return true;
}

/* Before a call that leaves come those that were made inside. */
static bool call_run(struct house *house, struct invocation *invocation,
                     const struct worker_call *call)
{
    struct replay *replay = &invocation->replay;
    replay_run(house, invocation, call->slot);
    replay_note(house, invocation, call->requests);
    calls_count(invocation, call->requests);
    if (replay->state == REPLAY_RUNNING)
        return call_hold(replay, call->requests);
    return replay->state != REPLAY_WRONG &&
           services_run(invocation->scope, call->requests, call_answer, invocation);
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
        if (!is_known || !call_run(house, invocation, &call))
            worker_answer_call(house->worker, call.lane, call.number, (struct bytes){ 0 });
    }
}
