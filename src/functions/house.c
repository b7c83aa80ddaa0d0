/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/house.h"
#include "abi/call.h"
#include "abi/envelope.h"
#include "abi/image.h"
#include "base/file.h"
#include "core/checked.h"
#include "core/hex.h"
#include "functions/tiering.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PAGE_SIZE = 4096,
    CALLS_SIZE = CALL_AREA_SIZE + CALL_FORETOLD_SIZE_MAX + CALL_MADE_SIZE,
    VARIABLES_SIZE_LEAST = 1024,
    VARIABLES_SIZE_MAX = 2 * MANIFEST_SIZE_MAX + (256 << 10)
};

/* The manifest's variables as "NAME=value", once for all invocations. */
static bool variables_make(struct house *house)
{
    const struct manifest *manifest = house->application->manifest;
    for (size_t i = 0; i < manifest->function_count; i++) {
        const struct manifest_function *function = &manifest->functions[i];
        size_t count = function->environment_count;
        house->variables[i] = arena_array(house->arena, count + 1, sizeof(char *));
        for (size_t n = 0; n < count && !arena_failed(house->arena); n++) {
            const struct manifest_variable *variable = &function->environment[n];
            size_t size = strlen(variable->name) + strlen(variable->value) + 2;
            char *text = arena_take(house->arena, size);
            if (text != NULL)
                snprintf(text, size, "%s=%s", variable->name, variable->value);
            house->variables[i][n] = text;
        }
    }
    return !arena_failed(house->arena);
}

/* Micro-VMs at a time. */
static uint32_t lane_count_of(const struct house *house)
{
    const struct manifest *manifest = house->application->manifest;
    unsigned most = house->invoker->options.lane_count_max;
    uint32_t lanes = 1;
    for (size_t i = 0; i < manifest->function_count; i++)
        lanes = MAX(lanes, manifest->functions[i].limits.concurrency);
    return MIN(lanes, most != 0 ? most : (uint32_t)LANE_COUNT_DEFAULT);
}

struct house *house_new(struct invoker *invoker, struct application *application)
{
    struct house *house = calloc(1, sizeof(*house));
    if (house == NULL)
        return NULL;
    house->invoker = invoker;
    house->application = application_hold(application);
    house->arena = arena_new_small(VARIABLES_SIZE_MAX, VARIABLES_SIZE_LEAST);
    house->running_count_max = lane_count_of(house) * STATION_COUNT_MAX;
    house->running = calloc(house->running_count_max, sizeof(struct invocation *));
    if (house->running == NULL)
        house->running_count_max = 0;
    if (house->running == NULL || house->arena == NULL || !variables_make(house)) {
        house_free(house);
        return NULL;
    }
    house->is_served = true;
    house->next = invoker->houses;
    invoker->houses = house;
    return house;
}

static void handle_closed(uv_handle_t *handle)
{
    free(handle);
}

static void poll_end(uv_poll_t **poll)
{
    if (*poll == NULL)
        return;
    uv_poll_stop(*poll);
    uv_close((uv_handle_t *)*poll, handle_closed);
    *poll = NULL;
}

void house_close_worker(struct house *house)
{
    struct invoker *invoker = house->invoker;
    if (house->worker == NULL)
        return;
    poll_end(&house->completions);
    poll_end(&house->control);
    worker_close(TAKE(house->worker));
    invoker->options.workers.end(invoker->options.workers.context, house->process);
    memset(house->loaded, 0, sizeof(house->loaded));
    house->lanes_ready = 0;
    house->opening = house->is_loading = house->is_profiling = house->is_watched = false;
    invoker->counts.workers--;
}

void house_free(struct house *house)
{
    house_close_worker(house);
    house_drop_conclusions(house);
    for (unsigned i = 0; i < house->running_count_max; i++)
        invocation_free(house->running[i]);
    while (house->waiting != NULL) {
        struct invocation *first = house->waiting;
        house->waiting = first->next;
        invocation_free(first);
    }
    for (unsigned i = 0; i < MANIFEST_FUNCTION_COUNT_MAX; i++)
        free(house->foretelling[i]);
    application_release(house->application);
    arena_free(house->arena);
    free(house->running);
    free(house);
}

/* --- completions --- */

void house_take(struct house *house)
{
    struct worker_completion completion;
    while (worker_take(house->worker, &completion)) {
        struct invocation *invocation = completion.token < house->running_count_max
                                            ? TAKE(house->running[completion.token])
                                            : NULL;
        if (invocation == NULL)
            continue;
        house->running_count--;
        house->running_by_function[invocation->function]--;
        house->invoker->counts.running--;
        house->used_ns = clock_monotonic_ns(house->invoker->options.clock);
        pace_end(&house->application->pace, house->used_ns);
        demand_add(&house->demand, house->used_ns, completion.outcome.duration_ns);
        house->has_proved |= completion.outcome.kind != OUTCOME_CRASHED;
        uint32_t function = invocation->function;
        house->memory_peak = MAX(house->memory_peak, completion.outcome.memory_size);
        invocation_complete(house, invocation, &completion);
        worker_release(house->worker, completion.slot);
        tiering_note(house, function, completion.outcome.duration_ns);
    }
    house_take_calls(house);
}

static void retire_if_idle(struct house *house)
{
    if (house->worker != NULL && !house->is_served && house->running_count == 0 &&
        house->waiting_count == 0)
        house_close_worker(house);
}

static void on_completions(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    struct house *house = poll->data;
    house_take(house);
    house_pump(house);
    retire_if_idle(house);
}

/* What ran there has crashed. */
static void worker_bury(struct house *house)
{
    house->invoker->counts.workers_lost++;
    worker_lost(house->worker);
    house_take(house);
    house_close_worker(house);
}

void house_lose_worker(struct house *house)
{
    if (house->worker == NULL)
        return;
    worker_bury(house);
    bool replace = house->has_proved && house->is_served;
    house->has_proved = false;
    if (replace || house->waiting_count > 0)
        house_pump(house);
}

static bool watch(struct house *house, uv_poll_t **poll, int descriptor, uv_poll_cb callback)
{
    uv_poll_t *made = calloc(1, sizeof(*made));
    if (made == NULL || uv_poll_init(house->invoker->options.loop, made, descriptor) != 0) {
        free(made);
        return false;
    }
    made->data = house;
    *poll = made;
    return uv_poll_start(made, UV_READABLE, callback) == 0;
}

/* --- starting a worker --- */

static struct worker_options worker_options_of(const struct house *house)
{
    const struct manifest *manifest = house->application->manifest;
    uint32_t output_kib = 1, log_kib = 1;
    for (size_t i = 0; i < manifest->function_count; i++) {
        output_kib = MAX(output_kib, manifest->functions[i].limits.output_kib);
        log_kib = MAX(log_kib, manifest->functions[i].limits.log_kib);
    }
    /* Strings twice: an envelope holds them too. */
    uint64_t mailbox = sizeof(struct mailbox) + 2 * (uint64_t)STRINGS_SIZE_MAX +
                       house->invoker->options.input_size_max +
                       ((uint64_t)(output_kib + log_kib) << 10) + CALLS_SIZE;
    return (struct worker_options){
        .lane_count = lane_count_of(house),
        .station_count = STATION_COUNT_MAX,
        .core_count = MAX(house->invoker->options.core_count, 1u),
        .mailbox_size = round_up(mailbox + PAGE_SIZE, PAGE_SIZE),
        .answer_timeout_ms = WORKER_ANSWER_TIMEOUT_MS,
    };
}

static void on_control(uv_poll_t *poll, int status, int events);

static bool worker_install(struct house *house, int socket, struct error *error)
{
    struct worker_options options = worker_options_of(house);
    if (!worker_open_begin(&house->worker, socket, &options, error))
        return false;
    house->invoker->counts.workers++;
    house->opening = true;
    house->asked_ns = clock_monotonic_ns(house->invoker->options.clock);
    if (watch(house, &house->completions, worker_event(house->worker), on_completions) &&
        watch(house, &house->control, worker_socket(house->worker), on_control))
        return true;
    house_close_worker(house);
    return error_set(error, ERROR_SYSTEM, "watch a worker");
}

/* Refuses those who wait for this function, or for any (UINT32_MAX). */
static void waiting_fail(struct house *house, uint32_t function, const struct error *error)
{
    for (struct invocation **at = &house->waiting; *at != NULL;) {
        struct invocation *waiting = *at;
        if (function != UINT32_MAX && waiting->function != function) {
            at = &waiting->next;
            continue;
        }
        *at = waiting->next;
        house->waiting_count--;
        house->invoker->counts.waiting--;
        invocation_fail(waiting, error);
    }
}

static void worker_want(struct house *house);

/* One that waited ahead of need may have died unnoticed: another is tried at once. */
static void start_failed(struct house *house, struct error *error)
{
    if (house->start_failures++ < WORKER_START_RETRIES_MAX && house->waiting_count > 0) {
        worker_want(house);
        return;
    }
    house->start_failures = 0;
    error_within(error, "worker of %s", house->application->manifest->application);
    waiting_fail(house, UINT32_MAX, error);
}

static void worker_arrived(void *context, int socket, int process, const struct error *failure)
{
    struct house *house = context;
    struct invoker *invoker = house->invoker;
    struct error error;
    house->starting = false;
    house->process = process;
    if (socket < 0) {
        error = *failure;
        start_failed(house, &error);
    } else if (!worker_install(house, socket, &error)) {
        invoker->options.workers.end(invoker->options.workers.context, process);
        start_failed(house, &error);
    }
}

static void answer_done(struct house *house)
{
    if (house->opening) {
        house->opening = false;
        house->start_failures = 0;
        house_make_ready(house, house->asked_ns, true);
    } else if (house->is_loading) {
        house->is_loading = false;
        house->loaded[house->loading] = true;
    } else if (house->is_profiling) {
        tiering_profiled(house, true);
    }
    house_pump(house);
    retire_if_idle(house);
}

static void answer_refused(struct house *house, struct error *error)
{
    const struct manifest *manifest = house->application->manifest;
    if (house->is_profiling) {
        tiering_profiled(house, false);
        house_pump(house);
        return;
    }
    if (!house->is_loading) {
        house_close_worker(house);
        start_failed(house, error);
        return;
    }
    house->is_loading = false;
    error_within(error, "load %s/%s", manifest->application,
                 manifest->functions[house->loading].name);
    waiting_fail(house, house->loading, error);
    house_pump(house);
    retire_if_idle(house);
}

static void control_lost(struct house *house, struct error *error)
{
    if (house->opening) {
        house_close_worker(house);
        start_failed(house, error);
        return;
    }
    if (house->is_loading) {
        /* Another worker might die of it just the same. */
        error_set(error, ERROR_CRASHED, "its worker died while it was loaded");
        waiting_fail(house, house->loading, error);
    }
    house_lose_worker(house);
}

/* An answer of the worker, or its end. */
static void on_control(uv_poll_t *poll, int status, int events)
{
    struct house *house = poll->data;
    struct error error;
    (void)status, (void)events;
    switch (worker_answer(house->worker, &error)) {
    case WORKER_ANSWER_NONE:
        break;
    case WORKER_ANSWER_DONE:
        answer_done(house);
        break;
    case WORKER_ANSWER_REFUSED:
        answer_refused(house, &error);
        break;
    case WORKER_ANSWER_LOST:
        control_lost(house, &error);
        break;
    }
}

void house_watch_worker(struct house *house, uint64_t now_ns)
{
    struct error error;
    uint64_t allowed_ms = WORKER_ANSWER_TIMEOUT_MS;
    if (house->worker == NULL || (!house->opening && !house->is_loading && !house->is_profiling))
        return;
    if (house->is_loading)
        allowed_ms += house->application->manifest->functions[house->loading].limits.timeout_ms;
    if (now_ns - house->asked_ns <= allowed_ms * 1000000u)
        return;
    error_set(&error, ERROR_TIMEOUT, "its worker does not answer");
    waiting_fail(house, house->is_loading ? house->loading : UINT32_MAX, &error);
    house_lose_worker(house);
}

static void worker_want(struct house *house)
{
    struct invoker *invoker = house->invoker;
    struct error error;
    if (house->starting || house->worker != NULL)
        return;
    if (!pool_make_room(invoker)) {
        error_set(&error, ERROR_BUSY, "all of this node's workers are busy");
        waiting_fail(house, UINT32_MAX, &error);
        return;
    }
    house->starting = invoker->options.workers.request(invoker->options.workers.context,
                                                       worker_arrived, house, &error);
    if (!house->starting)
        waiting_fail(house, UINT32_MAX, &error);
}

/* --- running --- */

/* Asks the worker to load a function; one at a time, the others' turn comes with the answer. */
static bool function_load(struct house *house, uint32_t function, struct error *error)
{
    struct application *application = house->application;
    const struct manifest_function *row = &application->manifest->functions[function];
    const struct settings settings = function_settings(row);
    AUTO_CLOSE int image = -1;
    AUTO_CLOSE int files = -1;
    if (house->is_loading || house->is_profiling)
        return true;
    /* What runs is what its owners released: signatures are checked at each load.  After a start
     * the log may be another than the one at deployment. */
    house->is_loading = application_verify(application, error) &&
                        loading_record(&house->invoker->options.loads, application->manifest,
                                       &application->manifest_digest, function,
                                       &application->images[function], error) &&
                        function_open(house->invoker->options.blobs, row,
                                      &application->images[function], &image, &files, error) &&
                        worker_load_begin(house->worker, function, image, files, &settings, error);
    house->loading = function;
    house->asked_ns = clock_monotonic_ns(house->invoker->options.clock);
    return house->is_loading ||
           error_within(error, "load %s/%s", application->manifest->application, row->name);
}

/* What a reactor is handed instead of the bare body. */
static struct envelope_request envelope_of(const struct invocation *invocation)
{
    struct envelope_request request = {
        .trigger = invocation->trigger == RECEIPT_TRIGGER_HTTP ? ENVELOPE_TRIGGER_HTTP
                                                               : ENVELOPE_TRIGGER_CALL,
        .environment = (const char *const *)invocation->environment,
        .body = invocation->input,
    };
    bool is_id = hex_decode(request.id, sizeof(request.id), bytes_of_string(invocation->id));
    ASSERT(is_id);
    return request;
}

static void envelope_fill(struct mailbox *mailbox, size_t size,
                          const struct envelope_request *request)
{
    uint8_t *at = (uint8_t *)mailbox + mailbox->input.offset;
    struct writer writer = writer_into(at, MIN(mailbox->input.capacity, size));
    envelope_request_write(&writer, request);
    ASSERT(!writer.failed);
    mailbox->input.size = (uint32_t)writer.size;
}

static bool mailbox_fill(struct house *house, uint32_t slot, struct invocation *invocation,
                         struct error *error)
{
    const struct manifest_function *row =
        &house->application->manifest->functions[invocation->function];
    const char *arguments[] = { row->name, NULL };
    bool has_envelope = row->abi == FUNCTION_ABI_REACTOR;
    struct envelope_request envelope = envelope_of(invocation);
    uint64_t input_size =
        has_envelope ? envelope_request_size(&envelope) : (uint64_t)invocation->input.size;
    uint32_t errors_size = row->limits.log_kib << 10;
    struct mailbox_request request = {
        .arguments = arguments,
        .environment = invocation->environment,
        .input = has_envelope ? (struct bytes){ 0 } : invocation->input,
        .input_capacity = (uint32_t)input_size,
        .errors_capacity = errors_size,
        .calls_capacity = CALL_AREA_SIZE,
    };
    if (invocation->replay.state == REPLAY_OPEN) {
        request.foretold = replay_foretell(house, invocation);
        request.made_capacity = CALL_MADE_SIZE;
    }
    size_t strings = 0;
    for (const char **at = invocation->environment; *at != NULL; at++)
        strings += strlen(*at) + 1;
    /* Output has what is left: exactly what the manifest grants. */
    size_t wanted = sizeof(struct mailbox) + strings + sizeof(row->name) + input_size +
                    errors_size + ((size_t)row->limits.output_kib << 10) + CALL_AREA_SIZE +
                    request.foretold.size + request.made_capacity;
    size_t size;
    void *mailbox = worker_mailbox(house->worker, slot, &size);
    if (input_size > size)
        return error_set(error, ERROR_LIMIT, "the request has no room in a mailbox");
    if (!mailbox_prepare(mailbox, MIN(size, (size_t)round_up(wanted, PAGE_SIZE)), &request, error))
        return false;
    if (has_envelope)
        envelope_fill(mailbox, size, &envelope);
    return true;
}

bool house_run(struct house *house, struct invocation *invocation, bool *taken, struct error *error)
{
    uint32_t function = invocation->function, slot;
    const struct manifest_function *row = &house->application->manifest->functions[function];
    *taken = false;
    bool is_ready = house->worker != NULL && !house->opening && house->loaded[function];
    invocation->was_cold = invocation->was_cold || !is_ready;
    if (house->worker == NULL || house->opening || !worker_is_alive(house->worker))
        return true;
    if (!house->loaded[function]) {
        if (function_load(house, function, error))
            return true;
        /* A worker that is gone is noticed by its socket; the invocation waits for another. */
        return error->code == ERROR_UNAVAILABLE;
    }
    if (!worker_acquire(house->worker, function, row->limits.concurrency, &slot))
        return true;
    /* What may have to run again keeps its input. */
    bool may_repeat = replay_open(house, invocation) || row->is_retried;
    bool is_kept = !may_repeat || invocation->owned != NULL || invocation_own(invocation, error);
    if (!is_kept || !mailbox_fill(house, slot, invocation, error)) {
        worker_release(house->worker, slot);
        return false;
    }
    invocation->since_ns = clock_monotonic_ns(house->invoker->options.clock);
    uint64_t token = 0;
    while (house->running[token] != NULL)
        token++;
    house->running[token] = invocation;
    house->running_count++;
    house->running_by_function[function]++;
    house->invoker->counts.running++;
    worker_submit(house->worker, slot, function, token);
    if (house->running_count + 1 >= house->lanes_ready)
        house_make_ready(house, invocation->since_ns, false);
    if (!may_repeat) {
        invocation_disown(invocation);
        invocation->input = (struct bytes){ 0 };
        invocation->environment = NULL;
    }
    invocation->house = house;
    *taken = true;
    invoker_look(house);
    return true;
}

void house_wait_first(struct house *house, struct invocation *invocation)
{
    invocation->since_ns = clock_monotonic_ns(house->invoker->options.clock);
    invocation->next = house->waiting;
    house->waiting = invocation;
    house->waiting_count++;
    house->invoker->counts.waiting++;
    invoker_start_watch(house->invoker);
    house_pump(house);
}

void house_pump(struct house *house)
{
    struct invocation **at = &house->waiting;
    while (house->worker != NULL && *at != NULL) {
        struct invocation *invocation = *at;
        struct error error;
        bool taken = false;
        struct invocation *next = invocation->next;
        bool can = house_run(house, invocation, &taken, &error);
        if (can && !taken) {
            at = &invocation->next; /* another function may have room */
            continue;
        }
        *at = next;
        house->waiting_count--;
        house->invoker->counts.waiting--;
        if (!can)
            invocation_fail(invocation, &error);
    }
    if (house->worker == NULL && (house->waiting_count > 0 || house->is_served))
        worker_want(house);
}
