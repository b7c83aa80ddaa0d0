/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of calls: one after the other, each with its service until it is answered. */
#include "services/scope.h"

#include "base/clock.h"
#include "core/checked.h"
#include "state/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is handed out or kept of calls may be secret. */
static void wipe_free(void *memory, size_t size)
{
    if (memory == NULL)
        return;
    explicit_bzero(memory, size);
    free(memory);
}

static void answers_drop(struct service_scope *scope)
{
    for (uint32_t i = 0; i < scope->answer_count; i++)
        wipe_free(scope->answers[i].data, scope->answers[i].size);
    scope->answer_count = 0;
    scope->held_size = 0;
}

static void requests_drop(struct service_scope *scope)
{
    wipe_free(TAKE(scope->requests), scope->requests_size);
    scope->requests_size = 0;
}

void scope_done(struct service_scope *scope)
{
    answers_drop(scope);
    requests_drop(scope);
    redactions_release(TAKE(scope->redactions));
    wipe_free((void *)(uintptr_t)scope->result.value.data, scope->result.value.size);
}

static void tally_add(struct service_scope *scope, const struct call_row *row, int64_t value)
{
    if (row->number >= SERVICE_CALL_NUMBERS)
        return;
    scope->tally.answered[row->number] += value >= 0;
    scope->tally.failed[row->number] += value < 0;
}

const struct service_tally *services_tally(const struct service_scope *scope)
{
    return scope == NULL ? NULL : &scope->tally;
}

/* The next answer of the list. */
static void answer_hold(struct service_scope *scope, int64_t value, struct bytes data)
{
    struct held_answer *answer = &scope->answers[scope->answer_count];
    *answer = (struct held_answer){ .value = value };
    if (data.size > SERVICE_ANSWER_SIZE_MAX ||
        data.size > SERVICE_HELD_SIZE_MAX - scope->held_size ||
        data.size > SERVICE_BYTES_MAX - scope->bytes) {
        answer->value = CALL_ERROR_LIMIT;
        data = BYTES_LITERAL("the answer is larger than calls of one invocation may bring");
        data.size = MIN(data.size, SERVICE_HELD_SIZE_MAX - scope->held_size);
    }
    if (data.size > 0)
        answer->data = malloc(data.size);
    if (answer->data != NULL) {
        memcpy(answer->data, data.data, data.size);
        answer->size = data.size;
    } else if (data.size > 0) {
        answer->value = CALL_ERROR_UNAVAILABLE;
    }
    scope->answer_count++;
    scope->held_size += answer->size;
    scope->bytes += MIN(answer->size, SERVICE_BYTES_MAX - scope->bytes);
}

static void refuse(struct service_scope *scope, enum call_error code, const char *format, ...)
    PRINTF_LIKE(3, 4);
static void refuse(struct service_scope *scope, enum call_error code, const char *format, ...)
{
    char text[SERVICE_MESSAGE_SIZE_MAX + 512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    answer_hold(scope, code, bytes_of_string(text));
}

struct denial {
    enum call_error code;
    char text[SERVICE_MESSAGE_SIZE_MAX + 512];
};

/* What is missing for the call: `name`, or empty where it has none. */
static struct denial denial_of(const struct service_scope *scope, const struct call_row *row,
                               struct bytes name)
{
    const struct permission_row *permission = permission_row_of(row->permission);
    const char *function = scope->facts.function;
    struct denial denial = { .code = CALL_ERROR_DENIED };
    struct error invalid;
    if (permission->size_max == 0) {
        snprintf(denial.text, sizeof(denial.text),
                 "no permission for %s: add `permissions.%s = true` to [function.%s] in s3n.toml",
                 row->name, permission->key, function);
    } else if (name.size == 0) {
        snprintf(denial.text, sizeof(denial.text),
                 "no permission for %s: add `permissions.%s` to [function.%s] in s3n.toml",
                 row->name, permission->key, function);
    } else if (row->permission == CALL_PERMISSION_KV && kv_is_reserved(name)) {
        snprintf(denial.text, sizeof(denial.text),
                 "namespaces that begin with " KV_NAMESPACE_NODE " are the node's: no permission "
                 "opens %s",
                 error_quote(name).text);
    } else if (!permission_check(row->permission, name, &invalid)) {
        denial.code = CALL_ERROR_INVALID;
        snprintf(denial.text, sizeof(denial.text), "no %s has the name %s", permission->noun,
                 error_quote(name).text);
    } else {
        snprintf(denial.text, sizeof(denial.text),
                 "no permission for %s '%.*s': add `permissions.%s = [\"%.*s\"]` to [function.%s] "
                 "in s3n.toml",
                 permission->noun, (int)name.size, (const char *)name.data, permission->key,
                 (int)name.size, (const char *)name.data, function);
    }
    return denial;
}

static bool is_permitted(const struct permissions *permissions, const struct call_request *request,
                         const struct call_row *row)
{
    if (row->scope == CALL_SCOPE_OWN)
        return true;
    if (row->scope == CALL_SCOPE_NAME)
        return permissions_grant(permissions, row->permission, request->strings[0]);
    return permissions_have(permissions, row->permission);
}

/* True: it is with its service; false: it has its answer. */
static bool call_start(struct service_scope *scope, const struct call_request *request)
{
    const struct call_row *row = call_row_find(request->call);
    const struct service_facts *facts = &scope->facts;
    unsigned entry;
    if (facts->call_count_max != 0 && scope->call_count >= facts->call_count_max) {
        refuse(scope, CALL_ERROR_LIMIT, "more than %u host calls (limits.host_calls)",
               facts->call_count_max);
        return false;
    }
    scope->call_count++;
    if (row == NULL || !call_request_fits(request, row)) {
        refuse(scope, row == NULL ? CALL_ERROR_UNSUPPORTED : CALL_ERROR_INVALID,
               "there is no call %u with these arguments", request->call);
        return false;
    }
    if (!is_permitted(facts->permissions, request, row)) {
        tally_add(scope, row, CALL_ERROR_DENIED);
        struct bytes name =
            row->scope == CALL_SCOPE_NAME ? request->strings[0] : (struct bytes){ 0 };
        struct denial denial = denial_of(scope, row, name);
        refuse(scope, denial.code, "%s", denial.text);
        return false;
    }
    const struct service_handler *handler = services_find(scope->services, row->number, &entry);
    if (handler == NULL) {
        tally_add(scope, row, CALL_ERROR_UNAVAILABLE);
        refuse(scope, CALL_ERROR_UNAVAILABLE, "%s is not available on this node", row->name);
        return false;
    }
    scope->call = (struct service_call){ .scope = scope, .facts = facts, .row = row };
    memcpy(scope->call.numbers, request->numbers, sizeof(request->numbers));
    memcpy(scope->call.strings, request->strings, sizeof(request->strings));
    scope->is_calling = true;
    scope->calling = entry;
    scope->began_ns = facts->is_timed ? clock_monotonic_ns(&clock_system) : 0;
    handler->run(scope->services->entries[entry].context, &scope->call);
    return true;
}

/* The list of answers: what has no room is cut. */
static void list_finish(struct service_scope *scope)
{
    static uint8_t area[CALL_AREA_SIZE];
    struct writer writer = writer_into(area, sizeof(area));
    requests_drop(scope);
    call_answers_write_begin(&writer);
    for (uint32_t i = 0; i < scope->answer_count; i++) {
        const struct held_answer *answer = &scope->answers[i];
        /* Heads of the others always have room. */
        size_t heads = (scope->answer_count - i) * (size_t)(CALL_ANSWER_HEAD_SIZE + 8);
        size_t room = sizeof(area) - writer.size - heads;
        struct bytes data = bytes_of(answer->data, MIN(answer->size, room));
        call_answer_write(&writer, answer->value, data, answer->size);
    }
    call_list_write_end(&writer, scope->answer_count);
    ASSERT(!writer.failed);
    service_listed *listed = TAKE(scope->listed);
    struct bytes answers = writer_view(&writer);
    listed(scope->listed_context, answers); /* the scope may be gone */
    explicit_bzero(area, answers.size);
}

/* Goes on with the list until a service keeps a call, or the list is through. */
static void scope_run(struct service_scope *scope)
{
    struct call_request request;
    scope->is_running = true;
    while (!scope->is_calling && scope->answer_count < scope->request_count) {
        bool is_read = call_request_next(&scope->reader, &request);
        ASSERT(is_read); /* the list was checked */
        (void)call_start(scope, &request);
    }
    scope->is_running = false;
    if (!scope->is_calling)
        list_finish(scope);
}

/* More of an answer of the last list, which stays held. */
static bool rest_answer(struct service_scope *scope, const struct call_request *request,
                        service_listed *done, void *context)
{
    static uint8_t area[CALL_AREA_SIZE];
    struct writer writer = writer_into(area, sizeof(area));
    if (request->number_count != 2 || request->string_count != 0)
        return false;
    uint64_t index = request->numbers[0], offset = request->numbers[1];
    const struct held_answer *answer = index < scope->answer_count ? &scope->answers[index] : NULL;
    struct bytes whole =
        answer != NULL ? bytes_of(answer->data, answer->size) : (struct bytes){ 0 };
    size_t room = sizeof(area) - CALL_LIST_HEAD_SIZE - CALL_ANSWER_HEAD_SIZE - 8;
    struct bytes part = bytes_part(whole, MIN(offset, (uint64_t)whole.size), room);
    call_answers_write_begin(&writer);
    call_answer_write(&writer, (int64_t)whole.size, part, part.size);
    call_list_write_end(&writer, 1);
    ASSERT(!writer.failed);
    struct bytes answers = writer_view(&writer);
    done(context, answers);
    explicit_bzero(area, answers.size);
    return true;
}

bool services_run(struct service_scope *scope, struct bytes requests, service_listed *done,
                  void *context)
{
    uint32_t count;
    struct call_request first;
    if (scope->requests != NULL || scope->is_ending || requests.size > CALL_AREA_SIZE ||
        requests.size == 0 || requests.size > SERVICE_BYTES_MAX - scope->bytes)
        return false;
    uint8_t *copy = malloc(requests.size);
    if (copy == NULL)
        return false;
    memcpy(copy, requests.data, requests.size);
    struct bytes copied = bytes_of(copy, requests.size);
    bool is_list = call_requests_check(copied, &count);
    struct reader reader = call_requests_begin(copied);
    if (is_list && count == 1 && call_request_next(&reader, &first) && first.call == CALL_REST) {
        bool is_answered = rest_answer(scope, &first, done, context);
        wipe_free(copy, requests.size);
        return is_answered;
    }
    if (!is_list) {
        wipe_free(copy, requests.size);
        return false;
    }
    answers_drop(scope);
    scope->bytes += requests.size;
    scope->requests = copy;
    scope->requests_size = requests.size;
    scope->reader = call_requests_begin(copied);
    scope->request_count = count;
    scope->listed = done;
    scope->listed_context = context;
    scope_run(scope);
    return true;
}

bool services_can_foretell(const struct services *services, uint16_t call)
{
    unsigned entry;
    return services_find(services, call, &entry) != NULL &&
           services->entries[entry].service->foretell != NULL;
}

bool services_foretell(const struct services *services, const struct service_facts *facts,
                       const struct call_request *request, struct writer *answer)
{
    const struct call_row *row = call_row_find(request->call);
    const struct writer before = *answer;
    unsigned entry;
    if (row == NULL || !call_request_fits(request, row) ||
        !is_permitted(facts->permissions, request, row) ||
        services_find(services, row->number, &entry) == NULL)
        return false;
    const struct service_entry *with = &services->entries[entry];
    if (with->service->foretell != NULL &&
        with->service->foretell(with->context, facts, request, answer) && !answer->failed)
        return true;
    *answer = before;
    return false;
}

void services_cancel(struct service_scope *scope)
{
    if (scope->is_calling) {
        const struct service_entry *entry = &scope->services->entries[scope->calling];
        scope->is_calling = false;
        if (entry->service->cancelled != NULL)
            entry->service->cancelled(entry->context, &scope->call);
    }
    requests_drop(scope);
    scope->listed = NULL;
}

const struct service_timing *services_timings(const struct service_scope *scope, unsigned *count)
{
    *count = scope == NULL ? 0 : scope->timing_count;
    return scope == NULL ? NULL : scope->timings;
}

/* --- what services say --- */

static void call_end(struct service_call *call, int64_t value, struct bytes data)
{
    struct service_scope *scope = call->scope;
    ASSERT(scope->is_calling && call == &scope->call);
    tally_add(scope, call->row, value);
    if (scope->facts.is_timed && scope->timing_count < SERVICE_TIMING_COUNT_MAX)
        scope->timings[scope->timing_count++] =
            (struct service_timing){ call->row->number, value, scope->began_ns,
                                     clock_monotonic_ns(&clock_system) };
    answer_hold(scope, value, data);
    scope->is_calling = false;
    if (!scope->is_running)
        scope_run(scope);
}

void service_answer(struct service_call *call, int64_t value, struct bytes data)
{
    const char *result = strchr(call->row->shape, '>') + 1;
    ASSERT(value >= 0);
    if (*result == 's')
        value = (int64_t)data.size;
    call_end(call, value, data);
}

void service_refuse(struct service_call *call, enum call_error code, const char *format, ...)
{
    char text[SERVICE_MESSAGE_SIZE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    call_end(call, code, bytes_of_string(text));
}

bool service_redact(struct service_call *call, struct bytes value, struct error *error)
{
    return redactions_add(&call->scope->redactions, value, error);
}

struct redactions *services_redactions(const struct service_scope *scope)
{
    return scope == NULL ? NULL : scope->redactions;
}

void service_deny(struct service_call *call, struct bytes name)
{
    struct denial denial = denial_of(call->scope, call->row, name);
    call_end(call, denial.code, bytes_of_string(denial.text));
}

void service_refuse_error(struct service_call *call, const struct error *error)
{
    call_end(call, call_error_of(error->code), bytes_of_string(error->text));
}
