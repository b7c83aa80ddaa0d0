/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of functions: directly by name, and through the routes under /a/<application>. */
#include "base/log.h"
#include "cmd/s3nd/node.h"
#include "core/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CALL_VARIABLE_COUNT_MAX = 128
};

struct invoking {
    struct node *node;
    struct http_handle handle;
    char request_id[33];
    struct trace_context trace;
    bool is_traced, is_call;
    uint64_t arrived_ns;
    char function[2 * NAME_SIZE_MAX + 2]; /* "application/function" */
};

/* How a failed run is told over HTTP. */
struct failure {
    int status;
    const char *name;
};

static struct failure failure_of(enum receipt_status status)
{
    switch (status) {
    case RECEIPT_STATUS_DONE:
        break;
    case RECEIPT_STATUS_EXIT:
        return (struct failure){ 500, "function-failed" };
    case RECEIPT_STATUS_TRAP:
        return (struct failure){ 500, "trapped" };
    case RECEIPT_STATUS_TIMEOUT:
        return (struct failure){ 504, "timeout" };
    case RECEIPT_STATUS_LIMIT:
        return (struct failure){ 507, "limit" };
    case RECEIPT_STATUS_CRASHED:
        return (struct failure){ 503, "crashed" };
    }
    return (struct failure){ 200, "" };
}

static void refuse(struct node *node, struct http_handle handle, const struct error *error)
{
    gateway_answer_error(
        node->gateway, handle, error,
        error->code == ERROR_BUSY ? "all of the function's instances are busy; try again" : NULL);
}

/* Its spans: `error` says why it never ran. */
static void trace_tell(const struct invoking *invoking, const struct invocation_result *result,
                       const struct error *error)
{
    const struct telemetry_request request = { &invoking->trace, invoking->function,
                                               invoking->request_id, invoking->arrived_ns,
                                               invoking->is_call };
    if (invoking->is_traced)
        node_telemetry_request(invoking->node, &request, result,
                               result == NULL ? error_name(error->code) : NULL);
}

static void finished(void *context, const struct invocation_result *result,
                     const struct error *error)
{
    struct invoking *invoking = context;
    struct node *node = invoking->node;
    struct metrics_exemplar exemplar = { .time_ms = (int64_t)(clock_realtime_ns(&clock_system) /
                                                              1000000) };
    memcpy(exemplar.request_id, invoking->request_id, sizeof(exemplar.request_id));
    if (invoking->is_traced)
        hex_encode(exemplar.trace_id, BYTES_OF(invoking->trace.here.trace_id));
    node_metrics_invoked(node->metrics, invoking->function, result, &exemplar);
    trace_tell(invoking, result, error);
    if (result == NULL) {
        refuse(node, invoking->handle, error);
        free(invoking);
        return;
    }
    struct gateway_invocation invocation = { result->id, result->receipt, result->duration_us,
                                             result->pad_size };
    if (result->status == RECEIPT_STATUS_DONE) {
        node_answer_result(node, invoking->handle, &invocation, result->answer, result->output);
    } else {
        struct failure failure = failure_of(result->status);
        gateway_answer_failure(node->gateway, invoking->handle, &invocation, failure.status,
                               failure.name, result->message);
    }
    free(invoking);
}

/* Strings ended by NUL, one after the other, as a list of pointers. */
static bool list_of_strings(const char **list, size_t count_max, const struct buffer *strings,
                            struct error *error)
{
    size_t count = 0;
    for (size_t at = 0; at < strings->size;) {
        if (count == count_max)
            return error_set(error, ERROR_LIMIT, "more than %zu variables", count_max);
        list[count++] = (const char *)strings->data + at;
        at += strlen((const char *)strings->data + at) + 1;
    }
    list[count] = NULL;
    return true;
}

static bool function_index_of(const struct application *application, struct bytes name,
                              size_t *index)
{
    const struct manifest *manifest = application->manifest;
    for (size_t i = 0; i < manifest->function_count; i++) {
        if (bytes_equal_string(name, manifest->functions[i].name)) {
            *index = i;
            return true;
        }
    }
    return false;
}

/* A function that has a route for sealed requests only is not called by name in the clear. */
static bool sealing_check(const struct invocation_request *request, struct error *error)
{
    const struct manifest *manifest = request->application->manifest;
    for (size_t i = 0; !request->is_sealed && i < manifest->route_count; i++) {
        if (manifest->routes[i].is_sealed_only &&
            manifest->routes[i].function_index == request->function_index &&
            request->trigger == RECEIPT_TRIGGER_CALL)
            return error_set(error, ERROR_DENIED,
                             "this function takes sealed requests only "
                             "(`s3n invoke --seal`)");
    }
    return true;
}

/* The version that was chosen when the request's fields were there, though others may be served by
 * now; when it is gone, the one that is served. */
static bool application_of(struct node *node, const struct gateway_call *call, const char *name,
                           struct application **application, struct error *error)
{
    const struct registry_entry *entry = registry_entry_find(node->registry, name);
    struct application *served = entry == NULL ? NULL : entry->served;
    struct error gone;
    if (entry != NULL && entry->canary != NULL && entry->canary->version_number == call->version)
        served = entry->canary;
    if (served != NULL &&
        (served->version_number == call->version ||
         !registry_version_get(node->registry, name, call->version, application, &gone))) {
        *application = application_hold(served);
        return true;
    }
    return served != NULL || error_set(error, ERROR_NOT_FOUND, "there is no function %s/%s here",
                                       name, error_quote(call->function).text);
}

static bool start_version(struct node *node, const struct gateway_call *call,
                          struct application *application, struct invoking *invoking,
                          struct error *error)
{
    const char *name = application->manifest->application;
    struct invocation_request request = {
        .application = application,
        .input = call->request->body,
        .trigger = call->operation == GATEWAY_INVOKE ? RECEIPT_TRIGGER_CALL : RECEIPT_TRIGGER_HTTP,
        .request_id = call->request_id,
        .route = call->request->path,
        .is_sealed = call->is_sealed,
        .is_traced = invoking->is_traced,
        .has_nonce = call->has_nonce,
    };
    memcpy(request.nonce.bytes, call->nonce, sizeof(request.nonce.bytes));
    if (!function_index_of(application, call->function, &request.function_index))
        return error_set(error, ERROR_NOT_FOUND, "there is no function %s/%s here", name,
                         error_quote(call->function).text);
    if (!sealing_check(&request, error))
        return false;
    snprintf(invoking->function, sizeof(invoking->function), "%s/%.*s", name,
             (int)call->function.size, (const char *)call->function.data);
    AUTO_BUFFER struct buffer strings;
    buffer_init(&strings, GATEWAY_ENVIRONMENT_SIZE_MAX);
    unsigned count;
    const char *environment[CALL_VARIABLE_COUNT_MAX + 1];
    if (!quotas_invoke(node->quotas, &application->owner, node_now_s(), error) ||
        !gateway_call_environment(&strings, &count, call, error) ||
        !list_of_strings(environment, CALL_VARIABLE_COUNT_MAX, &strings, error))
        return false;
    request.environment = environment;
    struct invocation_repeat repeat = { call->repeat.key, call->repeat.fingerprint,
                                        call->repeat.retention_s };
    if (call->repeat.has_key)
        request.repeat = &repeat;
    return invocation_start(node->invoker, &request, finished, invoking, error);
}

/* *replayed: it was answered long ago, and `invoking` is not needed. */
static bool start(struct node *node, const struct gateway_call *call, struct invoking *invoking,
                  bool *replayed, struct error *error)
{
    char name[NAME_SIZE_MAX + 1];
    AUTO(application) struct application *application = NULL;
    snprintf(name, sizeof(name), "%.*s", (int)call->application.size,
             (const char *)call->application.data);
    if (!application_of(node, call, name, &application, error) ||
        !node_replay(node, call, application, replayed, error))
        return false;
    if (*replayed)
        return true;
    if (!start_version(node, call, application, invoking, error))
        return false;
    /* One that was replaced meanwhile has a worker again: it ends when this is done. */
    if (!registry_is_served(node->registry, application))
        node_serving_changed(node, name);
    return true;
}

void api_invoke(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    struct invoking *invoking = malloc(sizeof(*invoking));
    if (invoking == NULL) {
        error_set(&error, ERROR_NO_MEMORY, "no memory for an invocation");
        refuse(node, call->handle, &error);
        return;
    }
    *invoking = (struct invoking){ .node = node, .handle = call->handle };
    invoking->trace = *call->trace;
    invoking->is_traced = node_telemetry_samples(node, call->trace);
    invoking->is_call = call->operation == GATEWAY_INVOKE;
    invoking->arrived_ns = call->arrived_ns;
    snprintf(invoking->request_id, sizeof(invoking->request_id), "%.32s", call->request_id);
    bool replayed = false, started = start(node, call, invoking, &replayed, &error);
    if (!started && invoking->function[0] != '\0')
        trace_tell(invoking, NULL, &error);
    if (!started || replayed)
        free(invoking);
    if (!started)
        refuse(node, call->handle, &error);
}
