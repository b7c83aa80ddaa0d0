/* SPDX-License-Identifier: Apache-2.0 */
/* Invocations that have ended and whose services decide what becomes of them. */
#include "functions/house.h"
#include "functions/result.h"

#include <stdio.h>

#include <stdlib.h>

struct conclusion {
    struct conclusion *next;
    struct house *house;
    struct invocation *invocation;
    struct finished finished;
};

static void conclusion_free(struct conclusion *conclusion)
{
    for (struct conclusion **at = &conclusion->house->conclusions; *at != NULL; at = &(*at)->next) {
        if (*at == conclusion) {
            *at = conclusion->next;
            break;
        }
    }
    finished_done(&conclusion->finished);
    free(conclusion);
}

void house_drop_conclusions(struct house *house)
{
    while (house->conclusions != NULL) {
        struct conclusion *first = house->conclusions;
        invocation_free(first->invocation);
        conclusion_free(first);
    }
}

/* --- while what it made inside is made --- */

static void replayed(struct invocation *invocation)
{
    struct house *house = invocation->house;
    struct conclusion *held = house->conclusions;
    while (held->invocation != invocation)
        held = held->next;
    if (invocation->replay.state == REPLAY_WRONG) {
        conclusion_free(held);
        replay_again(house, invocation);
        return;
    }
    struct finished finished = held->finished;
    held->finished = (struct finished){ 0 };
    conclusion_free(held);
    invocation_end(house, invocation, &finished);
}

void invocation_hold(struct house *house, struct invocation *invocation, struct finished *finished)
{
    struct conclusion *made = malloc(sizeof(*made));
    if (made == NULL) {
        struct error error;
        error_set(&error, ERROR_NO_MEMORY, "no memory to end an invocation");
        finished_done(finished);
        invocation_fail(invocation, &error);
        return;
    }
    *made = (struct conclusion){
        .next = house->conclusions, .house = house, .invocation = invocation, .finished = *finished
    };
    house->conclusions = made;
    invocation->replay.later = replayed;
}

/* --- what services say --- */

/* From the start, as if it had just come. */
static bool can_retry(const struct house *house, const struct invocation *invocation)
{
    const struct manifest *manifest = house->application->manifest;
    const struct manifest_function *function = &manifest->functions[invocation->function];
    return function->is_retried && invocation->owned != NULL && house->is_served &&
           invocation->retry_count < function->retries;
}

/* A service did not keep it. */
static void conclusion_refuse(struct conclusion *conclusion, const struct service_ending *ending)
{
    struct house *house = conclusion->house;
    struct invocation *invocation = TAKE(conclusion->invocation);
    struct error error;
    if (ending->verdict == SERVICE_RETRY && can_retry(house, invocation)) {
        invocation->retry_count++;
        services_forget(TAKE(invocation->scope));
        house_wait_first(house, invocation);
    } else {
        bool is_failed = ending->verdict == SERVICE_FAIL;
        error_set(&error, is_failed ? ending->code : ERROR_CONFLICT, "%s", ending->message);
        invocation_fail(invocation, &error);
    }
    conclusion_free(conclusion);
}

static void conclusion_deliver(struct conclusion *conclusion)
{
    invocation_deliver(conclusion->house, TAKE(conclusion->invocation), &conclusion->finished);
    conclusion_free(conclusion);
}

/* What was to be written with the receipt is written, or not. */
static void issued(void *context, const struct service_ending *ending)
{
    struct conclusion *conclusion = context;
    if (ending->verdict == SERVICE_KEEP) {
        conclusion_deliver(conclusion);
        return;
    }
    receipt_book_drop(conclusion->house->invoker->options.receipts, conclusion->invocation->id);
    conclusion_refuse(conclusion, ending);
}

/* Whether the invocation that is about to be kept is all there is. */
static bool is_alone(const struct invoker *invoker)
{
    unsigned concluding = 0;
    for (const struct house *house = invoker->houses; house != NULL; house = house->next) {
        if (house->running_count > 0 || house->waiting_count > 0)
            return false;
        for (const struct conclusion *at = house->conclusions; at != NULL; at = at->next)
            concluding++;
    }
    return concluding == 1;
}

static void concluded(void *context, const struct service_ending *ending)
{
    struct conclusion *conclusion = context;
    struct finished *finished = &conclusion->finished;
    if (ending->verdict != SERVICE_KEEP) {
        conclusion_refuse(conclusion, ending);
        return;
    }
    invocation_sign(conclusion->house, conclusion->invocation, finished);
    if (!ending->is_commit) {
        conclusion_deliver(conclusion);
        return;
    }
    struct bytes receipt = { 0 };
    if (finished->receipt != NULL)
        receipt = bytes_of_string(finished->receipt);
    services_issue(conclusion->invocation->scope, receipt, is_alone(conclusion->house->invoker),
                   issued, conclusion);
}

/* Has the answer kept with whatever the invocation did. */
static bool answer_keep(struct house *house, struct invocation *invocation,
                        const struct finished *finished, struct error *error)
{
    const struct manifest_function *function =
        &house->application->manifest->functions[invocation->function];
    struct kept_result result = { .fingerprint = invocation->repeat.fingerprint,
                                  .duration_us = finished->outcome.duration_ns / 1000,
                                  .pad_size = invocation_pad_size(function),
                                  .has_answer = finished->has_answer,
                                  .output = buffer_view(&finished->output) };
    AUTO_BUFFER struct buffer text;
    snprintf(result.id, sizeof(result.id), "%s", invocation->id);
    if (finished->has_answer) {
        result.answer = finished->answer;
        result.output = finished->answer.body;
    }
    buffer_init(&text, SERVICE_RESULT_SIZE_MAX);
    struct service_result kept = { .name = invocation->repeat.name,
                                   .ttl_ms = invocation->repeat.retention_s * INT64_C(1000) };
    if (!house_begin_scope(house, invocation, error) || !kept_result_write(&text, &result, error))
        return false;
    kept.value = buffer_view(&text);
    return services_keep(invocation->scope, &kept, error);
}

void invocation_conclude(struct house *house, struct invocation *invocation,
                         struct finished *finished)
{
    struct conclusion *made = calloc(1, sizeof(*made));
    bool is_commit = finished->outcome.kind == OUTCOME_DONE && finished->outcome.exit_code == 0;
    struct error error;
    if (made == NULL)
        error_set(&error, ERROR_NO_MEMORY, "no memory to end an invocation");
    if (made == NULL ||
        (invocation->is_kept && is_commit && !answer_keep(house, invocation, finished, &error))) {
        free(made);
        finished_done(finished);
        invocation_fail(invocation, &error);
        return;
    }
    if (invocation->scope == NULL) { /* it failed: nothing is kept, and nobody was called */
        free(made);
        invocation_sign(house, invocation, finished);
        invocation_deliver(house, invocation, finished);
        finished_done(finished);
        return;
    }
    *made = (struct conclusion){
        .next = house->conclusions, .house = house, .invocation = invocation, .finished = *finished
    };
    house->conclusions = made;
    services_end(invocation->scope, is_commit, concluded, made);
}
