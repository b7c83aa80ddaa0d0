/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that were answered inside a micro-VM (abi/call.h), made afterwards as if they had come one
 * after the other.  What was foretold is a hint: unless each of them has the answer that the
 * function got, nothing that the invocation did counts, and it runs again without. */
#include "base/secret.h"
#include "functions/house.h"
#include "functions/made.h"

#include <stdlib.h>
#include <string.h>

static void memory_drop(uint8_t **memory, size_t *size)
{
    if (*memory != NULL)
        secret_wipe(*memory, *size);
    free(TAKE(*memory));
    *size = 0;
}

void replay_done(struct replay *replay)
{
    memory_drop(&replay->pairs, &replay->pairs_size);
    memory_drop(&replay->made, &replay->made_size);
    memory_drop(&replay->held, &replay->held_size);
}

static struct bytes pairs_view(const struct replay *replay)
{
    return bytes_of(replay->pairs, replay->pairs_size);
}

static struct bytes made_view(const struct replay *replay)
{
    return bytes_of(replay->made, replay->made_size);
}

/* --- before it runs --- */

/* Native code may read its mailbox without saying so, and so may what the VMM resets because its
 * compiler is not trusted; one that keeps its state can't run again from the start. */
static bool can_run_inside(const struct manifest_function *function)
{
    return function->kind != FUNCTION_NATIVE && !function->is_isolated && !function->is_reused;
}

bool replay_open(struct house *house, struct invocation *invocation)
{
    struct replay *replay = &invocation->replay;
    struct foretelling *foretelling = house->foretelling[invocation->function];
    replay_done(replay);
    *replay = (struct replay){ .is_off = replay->is_off };
    /* One that is traced shows when its calls were made. */
    if (foretelling == NULL || replay->is_off || invocation->is_traced ||
        invocation->input.size > FORETOLD_INPUT_SIZE_MAX || !foretelling_may(foretelling))
        return false;
    replay->state = REPLAY_OPEN;
    return true;
}

struct bytes replay_foretell(struct house *house, struct invocation *invocation)
{
    static uint8_t area[CALL_FORETOLD_SIZE_MAX];
    struct foretelling *foretelling = house->foretelling[invocation->function];
    struct replay *replay = &invocation->replay;
    struct bytes records[CALL_FORETOLD_COUNT_MAX];
    struct writer writer = writer_into(area, sizeof(area));
    struct service_facts facts;
    unsigned record_count = foretelling_list(foretelling, records);
    if (record_count > 0)
        house_facts(&facts, house, invocation);
    for (unsigned i = 0; i < record_count; i++) {
        struct reader reader = reader_of(records[i]);
        struct call_request request;
        const struct writer before = writer;
        write_bytes(&writer, records[i]);
        if (!call_request_next(&reader, &request) || writer.failed ||
            !services_foretell(house->invoker->services, &facts, &request, &writer))
            writer = before;
    }
    struct bytes made = writer_view(&writer);
    if (made.size > 0)
        replay->pairs = malloc(made.size);
    if (replay->pairs != NULL) {
        memcpy(replay->pairs, made.data, made.size);
        replay->pairs_size = made.size;
    }
    secret_wipe(area, made.size);
    return pairs_view(replay);
}

/* --- what it asks for --- */

void replay_note(struct house *house, const struct invocation *invocation, struct bytes list)
{
    const struct services *services = house->invoker->services;
    struct foretelling **foretelling = &house->foretelling[invocation->function];
    const struct manifest *manifest = house->application->manifest;
    struct call_request request;
    uint32_t count;
    if (!can_run_inside(&manifest->functions[invocation->function]) ||
        !call_requests_check(list, &count))
        return;
    struct reader reader = call_requests_begin(list);
    for (uint32_t i = 0; i < count && call_request_next(&reader, &request); i++) {
        bool is_ours = request.call == CALL_KV_GET || request.call == CALL_KV_SET;
        if (!is_ours || !services_can_foretell(services, request.call))
            continue;
        if (*foretelling == NULL && (*foretelling = malloc(sizeof(**foretelling))) != NULL)
            foretelling_init(*foretelling);
        if (*foretelling != NULL)
            foretelling_note(*foretelling, &request);
    }
}

/* --- making the calls --- */

/* Copies the list out of what the guest can write; false: there can't be such a list. */
static bool made_take(const struct house *house, struct replay *replay, uint32_t slot)
{
    size_t size;
    struct bytes view;
    const struct mailbox *mailbox = worker_mailbox(house->worker, slot, &size);
    if (!mailbox_area_view(mailbox, size, &mailbox->made, &view) || view.size > CALL_MADE_SIZE)
        return false;
    if (view.size == 0)
        return true;
    replay->made = malloc(view.size);
    if (replay->made == NULL)
        return false;
    memcpy(replay->made, view.data, view.size);
    replay->made_size = view.size;
    return made_check(made_view(replay), pairs_view(replay), &replay->made_count);
}

static void made_answered(void *context, struct bytes answers)
{
    struct invocation *invocation = context;
    struct replay *replay = &invocation->replay;
    bool is_right = made_was_right(made_view(replay), pairs_view(replay), answers);
    replay->state = is_right ? REPLAY_OVER : REPLAY_WRONG;
    if (is_right) {
        replay_note(invocation->house, invocation, made_view(replay));
        foretelling_learn(invocation->house->foretelling[invocation->function], false);
    }
    void (*later)(struct invocation *) = TAKE(replay->later);
    if (later != NULL)
        later(invocation);
}

void replay_run(struct house *house, struct invocation *invocation, uint32_t slot)
{
    struct replay *replay = &invocation->replay;
    struct error error;
    if (replay->state != REPLAY_OPEN)
        return;
    bool is_list = made_take(house, replay, slot);
    if (is_list && replay->made_size == 0) {
        replay->state = REPLAY_OVER;
        return;
    }
    replay->state = REPLAY_RUNNING;
    if (!is_list || !house_begin_scope(house, invocation, &error) ||
        !services_run(invocation->scope, made_view(replay), made_answered, invocation))
        replay->state = REPLAY_WRONG;
}

enum replay_state replay_end(struct house *house, struct invocation *invocation,
                             const struct worker_completion *completion)
{
    struct replay *replay = &invocation->replay;
    enum outcome_kind kind = completion->outcome.kind;
    bool was_open = replay->state == REPLAY_OPEN;
    if (kind == OUTCOME_CRASHED) /* it has done nothing, right or wrong */
        return REPLAY_OVER;
    if (replay->state == REPLAY_RUNNING) /* and its call never came to an answer */
        return kind == OUTCOME_TIMEOUT ? REPLAY_OVER : REPLAY_WRONG;
    replay_run(house, invocation, completion->slot);
    /* One that took too long has, whatever it was told. */
    return was_open && kind == OUTCOME_TIMEOUT ? REPLAY_OVER : replay->state;
}

/* --- from the start --- */

/* Input and environment are the caller's until now; they have to outlast the call. */
bool invocation_own(struct invocation *invocation, struct error *error)
{
    size_t count = 0, strings = 0;
    for (const char **at = invocation->environment; *at != NULL; at++) {
        strings += strlen(*at) + 1;
        count++;
    }
    size_t list_size = (count + 1) * sizeof(char *);
    size_t size = list_size + strings + invocation->input.size;
    char *memory = malloc(size);
    if (memory == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for an invocation");
    const char **list = (const char **)(void *)memory;
    char *at = memory + list_size;
    for (size_t i = 0; i < count; i++) {
        size_t string_size = strlen(invocation->environment[i]) + 1;
        memcpy(at, invocation->environment[i], string_size);
        list[i] = at;
        at += string_size;
    }
    list[count] = NULL;
    if (invocation->input.size > 0)
        memcpy(at, invocation->input.data, invocation->input.size);
    invocation->input.data = (const uint8_t *)at;
    invocation->environment = list;
    invocation->owned = memory;
    invocation->owned_size = size;
    return true;
}

void invocation_disown(struct invocation *invocation)
{
    if (invocation->owned != NULL)
        secret_wipe(invocation->owned, invocation->owned_size);
    free(TAKE(invocation->owned));
}

void replay_again(struct house *house, struct invocation *invocation)
{
    struct error error;
    services_forget(TAKE(invocation->scope));
    foretelling_learn(house->foretelling[invocation->function], true);
    replay_done(&invocation->replay);
    invocation->replay = (struct replay){ .is_off = true };
    if (house->is_removed) {
        error_set(&error, ERROR_NOT_FOUND, "the application was removed meanwhile");
        invocation_fail(invocation, &error);
        return;
    }
    house->invoker->counts.reruns++;
    house_wait_first(house, invocation);
}
