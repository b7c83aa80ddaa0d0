/* SPDX-License-Identifier: Apache-2.0 */
#include "services/scope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool services_new(struct services **services, struct error *error)
{
    struct services *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for services");
    *services = made;
    return true;
}

void services_free(struct services *services)
{
    free(services);
}

const struct service_handler *services_find(const struct services *services, uint16_t call,
                                            unsigned *entry)
{
    for (unsigned i = 0; i < services->count; i++) {
        const struct service *service = services->entries[i].service;
        for (unsigned j = 0; j < service->handler_count; j++) {
            if (service->handlers[j].call != call)
                continue;
            *entry = i;
            return &service->handlers[j];
        }
    }
    return NULL;
}

bool services_handle(const struct services *services, uint16_t call)
{
    unsigned entry;
    return services_find(services, call, &entry) != NULL;
}

bool services_add(struct services *services, const struct service *service, void *context,
                  struct error *error)
{
    if (services->count == SERVICE_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "at most %d services", SERVICE_COUNT_MAX);
    for (unsigned i = 0; i < service->handler_count; i++) {
        ASSERT(call_row_find(service->handlers[i].call) != NULL);
        if (services_handle(services, service->handlers[i].call))
            return error_set(error, ERROR_CONFLICT, "somebody answers `%s` already",
                             call_row_find(service->handlers[i].call)->name);
    }
    services->entries[services->count++] = (struct service_entry){ service, context };
    return true;
}

static unsigned entry_of(const struct service_scope *scope, const struct service *service)
{
    const struct services *services = scope->services;
    unsigned i = 0;
    while (i < services->count && services->entries[i].service != service)
        i++;
    ASSERT(i < services->count);
    return i;
}

void *service_state(const struct service_scope *scope, const struct service *service)
{
    return scope->states[entry_of(scope, service)];
}

void service_set_state(struct service_scope *scope, const struct service *service, void *state)
{
    scope->states[entry_of(scope, service)] = state;
}

const struct service_facts *service_scope_facts(const struct service_scope *scope)
{
    return &scope->facts;
}

static bool is_use_name(const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < size; i++)
        if (name[i] <= ' ' || name[i] > '~' || name[i] == '"' || name[i] == '\\')
            return false;
    return size >= 1 && size <= SERVICE_USE_NAME_SIZE_MAX;
}

bool service_use(struct service_scope *scope, const struct service_use *use)
{
    if (scope->use_count == SERVICE_USE_COUNT_MAX || !is_use_name(use->name))
        return false;
    scope->uses[scope->use_count++] = *use;
    return true;
}

const struct service_use *services_uses(const struct service_scope *scope, unsigned *count)
{
    *count = scope->use_count;
    return scope->uses;
}

enum call_error call_error_of(enum error_code code)
{
    switch (code) {
    case ERROR_INVALID:
    case ERROR_USAGE:
        return CALL_ERROR_INVALID;
    case ERROR_DENIED:
    case ERROR_UNAUTHENTICATED:
        return CALL_ERROR_DENIED;
    case ERROR_NOT_FOUND:
        return CALL_ERROR_NOT_FOUND;
    case ERROR_LIMIT:
    case ERROR_BUSY:
    case ERROR_NO_SPACE:
        return CALL_ERROR_LIMIT;
    case ERROR_EXISTS:
    case ERROR_CONFLICT:
        return CALL_ERROR_CONFLICT;
    case ERROR_TIMEOUT:
        return CALL_ERROR_TIMEOUT;
    case ERROR_UNAVAILABLE:
    case ERROR_CRASHED:
    case ERROR_NO_MEMORY:
        return CALL_ERROR_UNAVAILABLE;
    case ERROR_UNSUPPORTED:
        return CALL_ERROR_UNSUPPORTED;
    case ERROR_UNVERIFIED:
    case ERROR_TRAPPED:
    case ERROR_SYSTEM:
        return CALL_ERROR_FAILED;
    case ERROR_NONE:
    case ERROR_CORRUPT:
    case ERROR_INTERNAL:
        return CALL_ERROR_INTERNAL;
    }
    return CALL_ERROR_INTERNAL;
}

/* --- beginning and end --- */

bool services_begin(struct services *services, const struct service_facts *facts,
                    struct service_scope **scope, struct error *error)
{
    struct service_scope *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for calls of a function");
    made->services = services;
    made->facts = *facts;
    *scope = made;
    for (unsigned i = 0; i < services->count; i++)
        if (services->entries[i].service->began != NULL)
            services->entries[i].service->began(services->entries[i].context, made);
    return true;
}

void services_forget(struct service_scope *scope)
{
    if (scope == NULL)
        return;
    services_cancel(scope);
    for (unsigned i = scope->services->count; i-- > 0;) {
        const struct service_entry *entry = &scope->services->entries[i];
        if (entry->service->forgotten != NULL)
            entry->service->forgotten(entry->context, scope);
    }
    scope_done(scope);
    free(scope);
}

/* Asks the services that have not been asked; those that answer at once take no stack. */
static void endings_run(struct service_scope *scope)
{
    const struct services *services = scope->services;
    struct service_ending *ending = &scope->ending;
    scope->is_concluding = true;
    while (ending->next < services->count) {
        const struct service_entry *entry = &services->entries[ending->next];
        const struct service *service = entry->service;
        scope->is_concluded = scope->is_issuing ? service->issued == NULL : service->ended == NULL;
        if (!scope->is_concluded && scope->is_issuing)
            service->issued(entry->context, scope, scope->receipt, ending);
        else if (!scope->is_concluded)
            service->ended(entry->context, scope, ending);
        if (!scope->is_concluded) {
            scope->is_concluding = false;
            return;
        }
        ending->next++;
    }
    scope->is_concluding = false;
    scope->concluded(scope->concluded_context, ending); /* the scope may be gone */
}

void service_conclude(struct service_ending *ending, enum service_verdict verdict,
                      const char *message)
{
    struct service_scope *scope = ending->scope;
    ASSERT((scope->is_ending || scope->is_issuing) && !scope->is_concluded);
    scope->is_concluded = true;
    if (verdict > ending->verdict) {
        ending->verdict = verdict;
        ending->is_commit = false;
        snprintf(ending->message, sizeof(ending->message), "%s", message != NULL ? message : "");
    }
    if (scope->is_concluding)
        return;
    ending->next++;
    endings_run(scope);
}

void service_conclude_error(struct service_ending *ending, const struct error *error)
{
    enum service_verdict verdict = error->code == ERROR_CONFLICT ? SERVICE_RETRY : SERVICE_FAIL;
    if (verdict > ending->verdict)
        ending->code = error->code;
    service_conclude(ending, verdict, error->text);
}

bool services_keep(struct service_scope *scope, const struct service_result *result,
                   struct error *error)
{
    ASSERT(!scope->has_result && !scope->is_ending && result->value.size > 0);
    if (result->value.size > SERVICE_RESULT_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "an answer of %zu bytes is too large to be kept",
                         result->value.size);
    uint8_t *copy = malloc(result->value.size);
    if (copy == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to keep an answer");
    memcpy(copy, result->value.data, result->value.size);
    scope->result = *result;
    scope->result.value.data = copy;
    scope->has_result = true;
    return true;
}

const struct service_result *service_scope_result(const struct service_scope *scope)
{
    return scope->has_result ? &scope->result : NULL;
}

void services_end(struct service_scope *scope, bool is_commit, service_concluded *done,
                  void *context)
{
    ASSERT(!scope->is_ending);
    services_cancel(scope);
    scope->is_ending = true;
    scope->ending = (struct service_ending){ .is_commit = is_commit,
                                             .code = ERROR_UNAVAILABLE,
                                             .scope = scope };
    scope->concluded = done;
    scope->concluded_context = context;
    endings_run(scope);
}

void services_issue(struct service_scope *scope, struct bytes receipt, bool is_alone,
                    service_concluded *done, void *context)
{
    ASSERT(scope->is_ending && !scope->is_issuing);
    scope->is_issuing = true;
    scope->receipt = receipt;
    scope->ending = (struct service_ending){
        .is_commit = true, .is_alone = is_alone, .code = ERROR_UNAVAILABLE, .scope = scope
    };
    scope->concluded = done;
    scope->concluded_context = context;
    endings_run(scope);
}
