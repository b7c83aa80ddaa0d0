/* SPDX-License-Identifier: Apache-2.0 */
#include "services/secret.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an invocation has got. */
struct visit {
    struct secret_held held[SECRET_HELD_COUNT_MAX];
    size_t count;
};

/* One value on its way from the keeper. */
struct fetch {
    struct keeper_job job;
    struct secret_service *service;
    struct service_call *call; /* NULL: nobody waits any more */
    struct secret_place place;
    struct digest32 receiver;
    struct buffer sealed, value;
};

static void fetch_free(struct fetch *fetch)
{
    if (fetch == NULL)
        return;
    buffer_done(&fetch->sealed);
    secret_wipe(fetch->value.data, fetch->value.capacity);
    buffer_done(&fetch->value);
    free(fetch);
}
DEFINE_AUTO(fetch, fetch_free)

static bool is_same_place(const struct secret_place *a, const struct secret_place *b)
{
    return a->version == b->version && strcmp(a->name, b->name) == 0; /* of one application */
}

static const struct secret_held *held_find(const struct visit *visit,
                                           const struct secret_place *place)
{
    for (size_t i = 0; visit != NULL && i < visit->count; i++) {
        if (is_same_place(&visit->held[i].place, place))
            return &visit->held[i];
    }
    return NULL;
}

const struct secret_held *secrets_held(const struct service_scope *scope, size_t *count)
{
    const struct visit *visit = service_state(scope, &service_secret);
    *count = visit == NULL ? 0 : visit->count;
    return visit == NULL ? NULL : visit->held;
}

/* Keeps the value for the rest of the invocation, and its name for the receipt. */
static bool value_hold(struct service_scope *scope, const struct fetch *fetch, struct error *error)
{
    struct visit *visit = service_state(scope, &service_secret);
    if (visit == NULL) {
        visit = calloc(1, sizeof(*visit));
        if (visit == NULL)
            return error_set(error, ERROR_NO_MEMORY, "no memory for a secret");
        service_set_state(scope, &service_secret, visit);
    }
    if (visit->count == SECRET_HELD_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "an invocation gets at most %d secrets",
                         SECRET_HELD_COUNT_MAX);
    struct service_use use = { .service = "secret" };
    struct secret_held *held = &visit->held[visit->count];
    *held = (struct secret_held){ .place = fetch->place };
    snprintf(use.name, sizeof(use.name), "%s:%" PRIu64, fetch->place.name, fetch->place.version);
    if (!secret_buffer_init(&held->value, fetch->value.size, error))
        return false;
    if (!service_redact(fetch->call, buffer_view(&fetch->value), error) ||
        (!service_use(scope, &use) &&
         !error_set(error, ERROR_LIMIT, "the receipt has no room for another secret"))) {
        secret_buffer_done(&held->value);
        return false;
    }
    if (fetch->value.size > 0)
        memcpy(held->value.data, fetch->value.data, fetch->value.size);
    visit->count++;
    return true;
}

static bool fetch_run(struct keeper_job *job, struct keeper *keeper, struct error *error)
{
    struct fetch *fetch = (struct fetch *)job;
    /* At once as large as it gets, so that no copy stays behind. */
    if (buffer_reserve(&fetch->value, SECRET_VALUE_SIZE_MAX) == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a secret");
    return keeper_release(keeper, &fetch->place, &fetch->receiver, buffer_view(&fetch->sealed),
                          &fetch->value, error);
}

static void fetch_done(struct keeper_job *job, const struct error *failure)
{
    AUTO(fetch) struct fetch *fetch = (struct fetch *)job;
    struct secret_service *service = fetch->service;
    struct service_call *call = fetch->call;
    struct error error;
    if (failure != NULL && service->failed != NULL)
        service->failed(service->context, failure);
    if (call == NULL)
        return;
    call->state = NULL;
    if (failure != NULL)
        service_refuse_error(call, failure);
    else if (!service_redact(call, buffer_view(&fetch->value), &error) ||
             !service->release(service->context, call->facts, &fetch->place, &error) ||
             !value_hold(call->scope, fetch, &error))
        service_refuse_error(call, &error);
    else
        service_answer(call, 0, buffer_view(&fetch->value));
}

static void get_run(void *context, struct service_call *call)
{
    struct secret_service *service = context;
    struct secret_found found;
    struct error error;
    if (!service->find(service->context, call->facts, call->strings[0], call->numbers[0], &found,
                       &error)) {
        service_refuse_error(call, &error);
        return;
    }
    const struct secret_held *held =
        held_find(service_state(call->scope, &service_secret), &found.place);
    if (held != NULL) {
        service_answer(call, 0, bytes_of(held->value.data, held->value.size));
        return;
    }
    struct fetch *fetch = calloc(1, sizeof(*fetch));
    if (fetch == NULL) {
        service_refuse(call, CALL_ERROR_UNAVAILABLE, "no memory for a secret");
        return;
    }
    *fetch = (struct fetch){ .job = { .run = fetch_run, .done = fetch_done },
                             .service = service,
                             .call = call,
                             .place = found.place,
                             .receiver = call->facts->manifest };
    buffer_init(&fetch->sealed, found.sealed.size);
    buffer_init(&fetch->value, SECRET_VALUE_SIZE_MAX);
    buffer_append(&fetch->sealed, found.sealed);
    if (fetch->sealed.failed) {
        service_refuse(call, CALL_ERROR_UNAVAILABLE, "no memory for a secret");
        fetch_free(fetch);
        return;
    }
    call->state = fetch;
    keeper_desk_leave(service->desk, &fetch->job);
}

static void secret_cancelled(void *context UNUSED, struct service_call *call)
{
    struct fetch *fetch = call->state;
    if (fetch != NULL)
        fetch->call = NULL;
}

static void secret_forgotten(void *context UNUSED, struct service_scope *scope)
{
    struct visit *visit = service_state(scope, &service_secret);
    if (visit == NULL)
        return;
    service_set_state(scope, &service_secret, NULL);
    for (size_t i = 0; i < visit->count; i++)
        secret_buffer_done(&visit->held[i].value);
    free(visit);
}

static const struct service_handler handlers[] = { { CALL_SECRET_GET, get_run } };
const struct service service_secret = { .name = "secret",
                                        .handlers = handlers,
                                        .handler_count = ARRAY_COUNT(handlers),
                                        .cancelled = secret_cancelled,
                                        .forgotten = secret_forgotten };
