/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/invocation.h"

#include "base/secret.h"
#include "core/checked.h"
#include "core/hex.h"
#include "core/sort.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "functions/delivery.h"
#include "functions/house.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WATCH_INTERVAL_MS = 500
};

/* --- one invocation --- */

void invocation_free(struct invocation *invocation)
{
    if (invocation == NULL)
        return;
    services_forget(invocation->scope);
    replay_done(&invocation->replay);
    invocation_disown(invocation);
    free(invocation);
}
DEFINE_AUTO(invocation, invocation_free)

void invocation_fail(struct invocation *invocation, const struct error *error)
{
    invocation->done(invocation->context, NULL, error);
    invocation_free(invocation);
}

static enum receipt_status status_of(const struct outcome *outcome)
{
    switch (outcome->kind) {
    case OUTCOME_DONE:
        return outcome->exit_code == 0 ? RECEIPT_STATUS_DONE : RECEIPT_STATUS_EXIT;
    case OUTCOME_TRAPPED:
        return RECEIPT_STATUS_TRAP;
    case OUTCOME_TIMEOUT:
        return RECEIPT_STATUS_TIMEOUT;
    case OUTCOME_LIMIT:
        return RECEIPT_STATUS_LIMIT;
    case OUTCOME_CRASHED:
        return RECEIPT_STATUS_CRASHED;
    }
    return RECEIPT_STATUS_CRASHED;
}

/* The reason as a name: receipts have no spaces in names. */
static void trap_name(char *name, size_t size, enum trap_reason reason)
{
    snprintf(name, size, "%s", trap_reason_text(reason));
    for (char *at = name; *at != '\0'; at++) {
        if (*at == ' ')
            *at = '-';
    }
}

static int digest_order(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(struct digest32));
}

/* Who released what answers. */
static void release_fill(struct receipt *receipt, const struct application *application)
{
    receipt->release.is_known = true;
    receipt->release.number = application->version_number;
    receipt->release.version = application->version_digest;
    receipt->release.signer_count = application->signer_count;
    memcpy(receipt->release.signers, application->signer_ids, sizeof(receipt->release.signers));
    sort_items(receipt->release.signers, application->signer_count, sizeof(struct digest32),
               digest_order);
}

static void receipt_fill(struct receipt *receipt, const struct house *house,
                         const struct invocation *invocation, const struct outcome *outcome)
{
    const struct application *application = house->application;
    const struct manifest_function *function =
        &application->manifest->functions[invocation->function];
    *receipt = (struct receipt){
        .backend = house->invoker->options.backend,
        .manifest = application->manifest_digest,
        .code = function->code,
        .is_native = function->kind == FUNCTION_NATIVE,
        .image = application->images[invocation->function].image,
        .request = invocation->input_digest,
        .has_nonce = invocation->has_nonce,
        .nonce = invocation->nonce,
        .trigger = { .kind = invocation->trigger, .is_sealed = invocation->is_sealed },
        .usage = { .duration_us = outcome->duration_ns / 1000,
                   .memory_bytes = outcome->memory_size,
                   .has_fuel = outcome->has_fuel,
                   .fuel = MIN(outcome->fuel, (uint64_t)KEYS_NUMBER_MAX) },
        .outcome.status = status_of(outcome),
    };
    release_fill(receipt, application);
    snprintf(receipt->id, sizeof(receipt->id), "%s", invocation->id);
    snprintf(receipt->application, sizeof(receipt->application), "%s",
             application->manifest->application);
    snprintf(receipt->application_version, sizeof(receipt->application_version), "%s",
             application->manifest->version);
    snprintf(receipt->function, sizeof(receipt->function), "%s", function->name);
    memcpy(receipt->trigger.request_id, invocation->request_id, sizeof(invocation->request_id));
    memcpy(receipt->trigger.route, invocation->route, sizeof(invocation->route));
    if (receipt->outcome.status == RECEIPT_STATUS_EXIT)
        receipt->outcome.exit_code = outcome->exit_code;
    if (receipt->outcome.status == RECEIPT_STATUS_TRAP) {
        trap_name(receipt->outcome.trap, sizeof(receipt->outcome.trap), outcome->reason);
        receipt->outcome.has_function_index = outcome->has_function;
        receipt->outcome.function_index = outcome->function_index;
    }
}

/* Copies what the guest wrote out of the memory it could still write, before anything looks at it.
 */
static bool area_copy(struct buffer *target, const void *mailbox, size_t size,
                      const struct mailbox_area *area)
{
    struct bytes view;
    if (!mailbox_area_view(mailbox, size, area, &view))
        return false;
    buffer_append(target, view);
    return !target->failed;
}

uint32_t invocation_pad_size(const struct manifest_function *function)
{
    return function->pad_output == PADDING_MULTIPLE ? function->pad_output_size
                                                    : (uint32_t)function->pad_output;
}

/* The answer of a function that has headers to say; what can't be one is a failure of its own. */
static bool answer_take(struct envelope_answer *answer, enum function_abi abi, struct bytes output,
                        struct outcome *outcome, struct error *failure)
{
    const char *reason = "";
    bool is_read = abi == FUNCTION_ABI_CGI ? envelope_cgi_read(answer, output, &reason)
                                           : envelope_answer_read(answer, output, &reason);
    if (is_read)
        return true;
    outcome->kind = OUTCOME_TRAPPED;
    outcome->reason = TRAP_ANSWER;
    error_set(failure, ERROR_TRAPPED, "malformed answer: %s", reason);
    return false;
}

void finished_done(struct finished *finished)
{
    free(finished->receipt);
    buffer_done(&finished->output);
    secret_wipe(finished->errors.data, finished->errors.size); /* no value is redacted in it yet */
    buffer_done(&finished->errors);
}

static void finished_take(struct finished *finished, struct house *house,
                          const struct invocation *invocation,
                          const struct worker_completion *completion)
{
    size_t size;
    const struct mailbox *mailbox = worker_mailbox(house->worker, completion->slot, &size);
    const struct manifest_function *function =
        &house->application->manifest->functions[invocation->function];
    *finished = (struct finished){ .outcome = completion->outcome };
    struct outcome *outcome = &finished->outcome;
    buffer_init(&finished->output, size);
    buffer_init(&finished->errors, (size_t)LOG_KIB_MAX << 10);
    if (outcome->kind != OUTCOME_CRASHED &&
        (!area_copy(&finished->output, mailbox, size, &mailbox->output) ||
         !area_copy(&finished->errors, mailbox, size, &mailbox->errors))) {
        *outcome = (struct outcome){ .kind = OUTCOME_CRASHED };
        buffer_clear(&finished->output);
        buffer_clear(&finished->errors);
    }
    bool is_done = outcome_check(outcome, &finished->failure);
    if (!is_done && finished->failure.text[0] == '\0')
        error_set(&finished->failure, ERROR_CRASHED, "the micro-VM broke");
    if (function->pad_time_ns > 0) /* what is told must not be finer than what is shown */
        outcome->duration_ns = round_up_to(outcome->duration_ns, function->pad_time_ns);
    finished->has_answer = is_done && function->abi != FUNCTION_ABI_COMMAND &&
                           answer_take(&finished->answer, function->abi,
                                       buffer_view(&finished->output), outcome, &finished->failure);
}

static struct bytes body_of(const struct finished *finished)
{
    return finished->has_answer ? finished->answer.body : buffer_view(&finished->output);
}

static void receipt_add_uses(struct receipt *receipt, const struct service_scope *scope)
{
    unsigned count;
    const struct service_use *uses = services_uses(scope, &count);
    for (unsigned i = 0; i < count && i < RECEIPT_USE_COUNT_MAX; i++) {
        struct receipt_use *use = &receipt->uses[receipt->use_count++];
        snprintf(use->service, sizeof(use->service), "%s", uses[i].service);
        snprintf(use->name, sizeof(use->name), "%s", uses[i].name);
        use->has_before = uses[i].has_before;
        use->has_after = uses[i].has_after;
        use->before = uses[i].before;
        use->after = uses[i].after;
    }
}

void invocation_sign(struct house *house, const struct invocation *invocation,
                     struct finished *finished)
{
    struct receipt receipt;
    struct error error;
    const char *text;
    receipt_fill(&receipt, house, invocation, &finished->outcome);
    receipt.response = sha256_of(body_of(finished));
    if (invocation->scope != NULL)
        receipt_add_uses(&receipt, invocation->scope);
    if (receipt_book_issue(house->invoker->options.receipts, &receipt, &text, &error))
        finished->receipt = strdup(text);
}

void invocation_deliver(struct house *house, struct invocation *invocation,
                        struct finished *finished)
{
    const struct manifest_function *function =
        &house->application->manifest->functions[invocation->function];
    struct invocation_result result = {
        .id = invocation->id,
        .status = status_of(&finished->outcome),
        .exit_code = finished->outcome.exit_code,
        .message = finished->failure.text,
        .output = body_of(finished),
        .answer = finished->has_answer ? &finished->answer : NULL,
        .errors = buffer_view(&finished->errors),
        .duration_us = finished->outcome.duration_ns / 1000,
        .times = { .arrived_ns = invocation->arrived_ns,
                   .started_ns = invocation->since_ns,
                   .ended_ns = invocation->since_ns + finished->outcome.duration_ns,
                   .was_cold = invocation->was_cold,
                   .is_padded = function->pad_time_ns > 0 },
        .pad_size = invocation_pad_size(function),
        .receipt = finished->receipt,
    };
    result.tally = services_tally(invocation->scope);
    result.calls = services_timings(invocation->scope, &result.call_count);
    delivery_send(house->invoker, invocation, &result, function->pad_time_ns);
}

static void invocation_log(const struct house *house, const struct invocation *invocation,
                           const struct finished *finished)
{
    const struct invoker_options *options = &house->invoker->options;
    enum receipt_status status = status_of(&finished->outcome);
    if (options->logged == NULL || (finished->errors.size == 0 && status == RECEIPT_STATUS_DONE))
        return;
    const struct invocation_log log = {
        .application = house->application,
        .function = house->application->manifest->functions[invocation->function].name,
        .id = invocation->id,
        .request_id = invocation->request_id,
        .status = status,
        .message = finished->failure.text,
        .written = buffer_view(&finished->errors),
        .redactions = services_redactions(invocation->scope),
    };
    options->logged(options->logged_context, &log);
}

void invocation_end(struct house *house, struct invocation *invocation, struct finished *finished)
{
    invocation_log(house, invocation, finished);
    if (invocation->scope != NULL || invocation->is_kept) {
        invocation_conclude(house, invocation, finished);
        return;
    }
    invocation_sign(house, invocation, finished);
    invocation_deliver(house, invocation, finished);
    finished_done(finished);
}

void invocation_complete(struct house *house, struct invocation *invocation,
                         const struct worker_completion *completion)
{
    struct finished finished;
    finished_take(&finished, house, invocation, completion);
    switch (replay_end(house, invocation, completion)) {
    case REPLAY_RUNNING:
        invocation_hold(house, invocation, &finished);
        break;
    case REPLAY_WRONG:
        finished_done(&finished);
        replay_again(house, invocation);
        break;
    case REPLAY_NONE:
    case REPLAY_OPEN:
    case REPLAY_OVER:
        invocation_end(house, invocation, &finished);
        break;
    }
}

/* --- the invoker --- */

static void handle_closed(uv_handle_t *handle)
{
    free(handle);
}

bool invoker_new(struct invoker **invoker, const struct invoker_options *options,
                 struct error *error)
{
    struct invoker *made = calloc(1, sizeof(*made));
    uv_timer_t *watch = calloc(1, sizeof(*watch));
    uv_idle_t *look = calloc(1, sizeof(*look));
    if (made == NULL || watch == NULL || look == NULL || uv_timer_init(options->loop, watch) != 0 ||
        uv_idle_init(options->loop, look) != 0) {
        free(made);
        free(watch);
        free(look);
        return error_set(error, ERROR_NO_MEMORY, "no memory for invocations");
    }
    made->options = *options;
    made->services = options->services;
    made->owns_services = made->services == NULL;
    if (made->owns_services && !services_new(&made->services, error)) {
        uv_close((uv_handle_t *)watch, handle_closed);
        uv_close((uv_handle_t *)look, handle_closed);
        free(made);
        return false;
    }
    made->watch = watch;
    watch->data = made;
    made->look = look;
    look->data = made;
    *invoker = made;
    return true;
}

void invoker_free(struct invoker *invoker)
{
    if (invoker == NULL)
        return;
    while (invoker->houses != NULL) {
        struct house *house = invoker->houses;
        invoker->houses = house->next;
        house_free(house);
    }
    deliveries_drop(invoker);
    uv_timer_stop(invoker->watch);
    uv_close((uv_handle_t *)invoker->watch, handle_closed);
    uv_idle_stop(invoker->look);
    uv_close((uv_handle_t *)invoker->look, handle_closed);
    if (invoker->owns_services)
        services_free(invoker->services);
    free(invoker);
}

struct invoker_counts invoker_counts(const struct invoker *invoker)
{
    struct invoker_counts counts = invoker->counts;
    for (const struct house *at = invoker->houses; at != NULL; at = at->next) {
        counts.memory_size += house_memory(at);
        counts.lanes_ready += at->lanes_ready;
    }
    return counts;
}

/* Kills workers that do not keep a time limit, refuses those who waited too long. */
static void house_watch(struct house *house, uint64_t now_ns)
{
    struct error error;
    const struct manifest *manifest = house->application->manifest;
    for (size_t i = 0; i < manifest->function_count && house->worker != NULL; i++) {
        uint64_t allowed_ms = manifest->functions[i].limits.timeout_ms + (uint64_t)OVERTIME_MS;
        if (house->running_by_function[i] > 0 &&
            worker_stalled_ns(house->worker, (uint32_t)i) > allowed_ms * 1000000u)
            house_lose_worker(house);
    }
    house_watch_worker(house, now_ns);
    if (house->worker != NULL && !house->opening)
        house_make_ready(house, now_ns, true);
    house_retire(house, now_ns);
    for (struct invocation **at = &house->waiting; *at != NULL;) {
        struct invocation *waiting = *at;
        if (now_ns - waiting->since_ns <= WAITING_MS_MAX * UINT64_C(1000000)) {
            at = &waiting->next;
            continue;
        }
        *at = waiting->next;
        house->waiting_count--;
        house->invoker->counts.waiting--;
        error_set(&error, ERROR_BUSY, "no instance became free within %d seconds",
                  WAITING_MS_MAX / 1000);
        invocation_fail(waiting, &error);
    }
}

/* Versions without a worker that have nothing to do: what is left of them is their application. */
static void houses_sweep(struct invoker *invoker)
{
    for (struct house **at = &invoker->houses; *at != NULL;) {
        struct house *house = *at;
        bool is_empty = !house->is_served || house->worker == NULL;
        if (!is_empty || house->starting || house->opening || house->running_count > 0 ||
            house->waiting_count > 0 || house->conclusions != NULL) {
            at = &house->next;
            continue;
        }
        *at = house->next;
        house_free(house);
    }
}

static void on_watch(uv_timer_t *timer)
{
    struct invoker *invoker = timer->data;
    uint64_t now_ns = clock_monotonic_ns(invoker->options.clock);
    for (struct house *house = invoker->houses; house != NULL; house = house->next)
        house_watch(house, now_ns);
    pool_trim(invoker);
    houses_sweep(invoker);
    bool has_idle = invoker->options.idle_ms != 0 && invoker->counts.workers > 0;
    if (invoker->counts.running == 0 && invoker->counts.waiting == 0 && !has_idle) {
        uv_timer_stop(timer);
        invoker->is_watching = false;
    }
}

void invoker_start_watch(struct invoker *invoker)
{
    if (invoker->is_watching)
        return;
    invoker->is_watching =
        uv_timer_start(invoker->watch, on_watch, WATCH_INTERVAL_MS, WATCH_INTERVAL_MS) == 0;
}

void invoker_application_changed(struct invoker *invoker, const char *name,
                                 const struct application *served, const struct application *canary)
{
    for (struct house *at = invoker->houses; at != NULL; at = at->next) {
        if (strcmp(at->application->manifest->application, name) != 0)
            continue;
        at->is_served = at->application == served || at->application == canary;
        at->is_removed = served == NULL && canary == NULL;
    }
    invoker_start_watch(invoker); /* sweeps them away when they have finished */
}

static struct house *house_find(struct invoker *invoker, struct application *application)
{
    for (struct house *at = invoker->houses; at != NULL; at = at->next) {
        if (at->application == application)
            return at;
    }
    return house_new(invoker, application);
}

void invoker_warm(struct invoker *invoker, struct application *application)
{
    struct house *house = house_find(invoker, application);
    if (house == NULL)
        return;
    house->used_ns = clock_monotonic_ns(invoker->options.clock);
    house_pump(house);
}

static bool environment_merge(const char **merged, const char *const *given,
                              const char *const *of_manifest, struct error *error)
{
    const char *const *lists[] = { given, of_manifest };
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        for (const char *const *at = lists[i]; *at != NULL; at++) {
            if (count == VARIABLE_COUNT_MAX)
                return error_set(error, ERROR_LIMIT, "more than %d variables", VARIABLE_COUNT_MAX);
            merged[count++] = *at;
        }
    }
    merged[count] = NULL;
    return true;
}

static struct invocation *invocation_new(const struct invocation_request *request,
                                         const struct clock *clock, invocation_done *done,
                                         void *context)
{
    struct invocation *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return NULL;
    uint8_t id[16];
    random_bytes(id, sizeof(id));
    hex_encode(made->id, BYTES_OF(id));
    made->function = (uint32_t)request->function_index;
    made->input = request->input;
    made->input_digest = sha256_of(request->input);
    made->trigger = request->trigger;
    snprintf(made->request_id, sizeof(made->request_id), "%s", request->request_id);
    if (request->trigger == RECEIPT_TRIGGER_HTTP)
        snprintf(made->route, sizeof(made->route), "%.*s",
                 (int)MIN(request->route.size, (size_t)KEYS_ROUTE_SIZE_MAX),
                 (const char *)request->route.data);
    made->is_sealed = request->is_sealed;
    made->has_nonce = request->has_nonce;
    made->nonce = request->nonce;
    made->is_kept = request->repeat != NULL;
    if (made->is_kept)
        made->repeat = *request->repeat;
    made->is_traced = request->is_traced;
    made->arrived_ns = clock_monotonic_ns(clock);
    made->done = done;
    made->context = context;
    return made;
}

static bool invocation_wait(struct house *house, struct invocation *invocation, struct error *error)
{
    struct invoker *invoker = house->invoker;
    if (house->waiting_count == WAITING_COUNT_MAX)
        return error_set(error, ERROR_BUSY, "%d invocations of %s wait already", WAITING_COUNT_MAX,
                         house->application->manifest->application);
    if (!invocation_own(invocation, error))
        return false;
    invocation->since_ns = clock_monotonic_ns(invoker->options.clock);
    struct invocation **last = &house->waiting;
    while (*last != NULL)
        last = &(*last)->next;
    *last = invocation;
    house->waiting_count++;
    invoker->counts.waiting++;
    return true;
}

bool invocation_start(struct invoker *invoker, const struct invocation_request *request,
                      invocation_done *done, void *context, struct error *error)
{
    const char *environment[VARIABLE_COUNT_MAX + 1];
    if (request->input.size > invoker->options.input_size_max)
        return error_set(error, ERROR_LIMIT, "the input has %zu bytes, at most %zu are allowed",
                         request->input.size, invoker->options.input_size_max);
    AUTO(invocation)
    struct invocation *invocation = invocation_new(request, invoker->options.clock, done, context);
    struct house *house = house_find(invoker, request->application);
    if (invocation == NULL || house == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for an invocation");
    if (!environment_merge(environment, request->environment,
                           house->variables[request->function_index], error))
        return false;
    invocation->environment = environment;
    house->used_ns = clock_monotonic_ns(invoker->options.clock);
    if (house->running_count == 0 && house->waiting_count == 0)
        pace_begin(&house->application->pace, house->used_ns);
    bool taken = false;
    /* Nobody overtakes those who wait. */
    if (house->waiting_count == 0 && !house_run(house, invocation, &taken, error))
        return false;
    invoker_start_watch(invoker);
    if (!taken && !invocation_wait(house, invocation, error))
        return false;
    (void)TAKE(invocation);
    if (!taken)
        house_pump(house);
    return true;
}
