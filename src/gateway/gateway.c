/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gateway.h"

#include "core/hex.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "gateway/idempotency.h"
#include "gateway/sealed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool stage_request_id(struct gateway *gateway, struct gateway_request *request,
                             struct refusal *refusal)
{
    uint8_t id[16];
    (void)gateway;
    (void)refusal;
    random_bytes(id, sizeof(id));
    hex_encode(request->id, BYTES_OF(id));
    request->call.request_id = request->id;
    return true;
}

/* Others go on while the call waits. */
static bool stage_state(struct gateway *gateway, struct gateway_request *request,
                        struct refusal *refusal)
{
    const struct gateway_options *options = &gateway->options;
    return options->call_waits == NULL || options->call_waits(options->context, &request->call,
                                                              &refusal->is_taken, &refusal->error);
}

static bool stage_dispatch(struct gateway *gateway, struct gateway_request *request,
                           struct refusal *refusal)
{
    refusal->is_taken = true;
    request->dispatched = true;
    struct gateway_call call = request->call; /* outlives an answer given at once */
    gateway->options.handlers[call.operation](gateway->options.context, &call);
    return true;
}

/* docs/middleware.md has the reasons for the order. */
const struct stage stages[] = {
    { "request-id", true, stage_request_id },
    { "trace", true, stage_trace },
    { "route", true, stage_route },
    { "limits", true, stage_limits },
    { "cors", true, stage_cors },
    { "identity", true, stage_identity },
    { "key-rate", true, stage_key_rate },
    { "sealed", false, stage_sealed },
    { "keys", false, stage_keys },
    { "body", false, stage_body },
    { "idempotency", false, stage_idempotency },
    { "static", false, stage_static },
    { "concurrency", false, stage_concurrency },
    { "state", false, stage_state },
    { "dispatch", false, stage_dispatch },
};
const size_t stage_count = ARRAY_COUNT(stages);

static struct gateway_request *request_new(struct gateway *gateway)
{
    struct gateway_request *request = gateway->free_requests;
    if (request != NULL) {
        gateway->free_requests = request->next_free;
    } else {
        request =
            gateway->request_count == GATEWAY_REQUEST_COUNT_MAX ? NULL : malloc(sizeof(*request));
        if (request == NULL)
            return NULL;
        gateway->request_count++;
    }
    memset(request, 0, offsetof(struct gateway_request, trace));
    request->values.count = request->route_values.count = 0;
    return request;
}

void request_release(struct gateway *gateway, struct gateway_request *request)
{
    sealed_request_free(TAKE(request->sealed));
    flow_leave(gateway, request, true);
    idempotency_leave(gateway, request, true);
    keys_leave(gateway, request);
    rules_release(TAKE(request->rules));
    buffer_done(&request->claims);
    request->next_free = gateway->free_requests;
    gateway->free_requests = request;
}

struct gateway_request *request_find(struct gateway *gateway, struct http_handle handle)
{
    return http_server_tag(gateway->server, handle);
}

void request_answer(struct gateway *gateway, struct gateway_request *request,
                    const struct http_answer *answer)
{
    bool is_admitted = request->is_admitted;
    if (!answer_request(gateway, request, answer) && !is_admitted)
        request_release(gateway, request); /* its tag was never set: on_gone knows nothing */
}

void request_refuse(struct gateway *gateway, struct gateway_request *request,
                    const struct refusal *refusal)
{
    bool is_admitted = request->is_admitted;
    if (!answer_refusal(gateway, request, refusal) && !is_admitted)
        request_release(gateway, request);
}

/* Runs one part of the chain; false when the request was taken or refused. */
static bool run_stages(struct gateway *gateway, struct gateway_request *request, bool at_fields)
{
    struct refusal refusal = { 0 };
    while (request->next_stage < stage_count &&
           stages[request->next_stage].at_fields == at_fields) {
        const struct stage *stage = &stages[request->next_stage++];
        if (!stage->enter(gateway, request, &refusal)) {
            request_refuse(gateway, request, &refusal);
            return false;
        }
        if (refusal.is_taken)
            return false; /* it may be gone by now */
    }
    return true;
}

void request_resume(struct gateway *gateway, struct gateway_request *request)
{
    if (request->sealed == NULL)
        request->call.request = http_server_request(gateway->server, request->handle);
    if (request->call.request != NULL)
        (void)run_stages(gateway, request, false);
}

void gateway_call_goes_on(struct gateway *gateway, struct http_handle handle,
                          const struct error *failure)
{
    struct gateway_request *request = request_find(gateway, handle);
    if (request == NULL)
        return;
    if (failure == NULL) {
        request_resume(gateway, request);
        return;
    }
    struct refusal refusal = { .error = *failure };
    request_refuse(gateway, request, &refusal);
}

static void on_fields(void *context, struct http_handle handle, const struct http_request *asked,
                      struct http_admission *admission)
{
    static const struct http_answer busy = { .status = 503 };
    struct gateway *gateway = context;
    struct gateway_request *request = request_new(gateway);
    if (request == NULL) {
        http_server_answer(gateway->server, handle, &busy);
        return;
    }
    request->handle = handle;
    request->call.handle = handle;
    request->call.request = asked;
    if (!run_stages(gateway, request, true))
        return;
    request->is_admitted = true;
    admission->tag = request;
    admission->body_size_max = request->body_size_max;
}

static void on_request(void *context, struct http_handle handle, const struct http_request *asked,
                       void *tag)
{
    struct gateway *gateway = context;
    struct gateway_request *request = tag;
    (void)handle;
    request->call.request = asked;
    (void)run_stages(gateway, request, false);
}

static void on_tick(void *context)
{
    flows_tick(context);
    keys_tick(context);
    idempotency_tick(context);
}

static void on_gone(void *context, struct http_handle handle, void *tag)
{
    struct gateway *gateway = context;
    struct gateway_request *request = tag;
    if (request == NULL)
        return;
    bool dispatched = request->dispatched;
    idempotency_leave(gateway, request, false);
    flow_leave(gateway, request, false); /* here is no place to begin other requests */
    request_release(gateway, request);
    if (dispatched && gateway->options.call_gone != NULL)
        gateway->options.call_gone(gateway->options.context, handle);
}

bool gateway_new(struct gateway **gateway, const struct gateway_options *options,
                 struct error *error)
{
    AUTO(gateway) struct gateway *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the gateway");
    made->options = *options;
    int64_t now_s = (int64_t)(clock_realtime_ns(options->clock) / 1000000000);
    if (!cors_page_rules(&made->page_rules, &options->page_origins, error) ||
        !nonce_cache_new(&made->nonces, SIGNATURE_NONCE_COUNT_MAX, now_s, error) ||
        !nonce_cache_new(&made->sealed_seen, GATEWAY_SEALED_SEEN_MAX, now_s, error))
        return false;
    *gateway = TAKE(made);
    return true;
}

static void release_done(struct version_routes *release)
{
    for (size_t i = 0; i < release->count; i++) {
        free((void *)(uintptr_t)release->routes[i].pattern);
        free((void *)(uintptr_t)release->routes[i].function);
        free((void *)(uintptr_t)release->routes[i].folder);
    }
    free(release->routes);
    rules_release(release->rules);
}

static void routes_done(struct application_routes *known)
{
    for (size_t i = 0; i < known->release_count; i++)
        release_done(&known->releases[i]);
}

void gateway_free(struct gateway *gateway)
{
    if (gateway == NULL)
        return;
    for (size_t i = 0; i < gateway->application_count; i++)
        routes_done(&gateway->applications[i]);
    free(gateway->applications);
    while (gateway->free_requests != NULL) {
        struct gateway_request *request = gateway->free_requests;
        gateway->free_requests = request->next_free;
        free(request);
    }
    rules_release(gateway->page_rules);
    limiter_free(gateway->limiter);
    nonce_cache_free(gateway->nonces);
    nonce_cache_free(gateway->sealed_seen);
    free(gateway);
}

struct http_server_handler gateway_server_handler(struct gateway *gateway)
{
    return (struct http_server_handler){ gateway, on_fields, on_request, on_gone, on_tick };
}

void gateway_set_server(struct gateway *gateway, struct http_server *server)
{
    gateway->server = server;
}

/* Where the application stands in the sorted table, or should. */
static size_t position_of(const struct gateway *gateway, struct bytes name)
{
    size_t low = 0, high = gateway->application_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        struct bytes at = bytes_of_string(gateway->applications[middle].application);
        int order = memcmp(at.data, name.data, MIN(at.size, name.size));
        if (order < 0 || (order == 0 && at.size < name.size))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct application_routes *application_find(const struct gateway *gateway, struct bytes name)
{
    size_t at = position_of(gateway, name);
    bool found = at < gateway->application_count &&
                 bytes_equal_string(name, gateway->applications[at].application);
    return found ? &gateway->applications[at] : NULL;
}

const struct version_routes *release_choose(const struct application_routes *known,
                                            const char *request_id)
{
    if (known == NULL || known->release_count == 0)
        return NULL;
    if (known->release_count == 1)
        return &known->releases[0];
    /* Ids may be somebody else's, so they are not taken for evenly spread. */
    char text[GATEWAY_NAME_SIZE_MAX + 64];
    int size = snprintf(text, sizeof(text), "%s %.33s", known->application, request_id);
    struct digest32 digest = sha256_of(bytes_of(text, (size_t)size));
    unsigned at =
        ((unsigned)digest.bytes[0] << 16 | (unsigned)digest.bytes[1] << 8 | digest.bytes[2]) % 100;
    for (size_t i = 0; i < known->release_count; i++) {
        if (at < known->releases[i].weight)
            return &known->releases[i];
        at -= known->releases[i].weight;
    }
    return &known->releases[0];
}

static bool copy_routes(struct version_routes *made, const struct gateway_route *routes,
                        size_t count, struct error *error)
{
    made->routes = calloc(count == 0 ? 1 : count, sizeof(*made->routes));
    for (size_t i = 0; made->routes != NULL && i < count; i++) {
        if (!pattern_check(routes[i].pattern, error))
            return false;
        /* insertion keeps the preferred ones first */
        size_t at = made->count++;
        for (; at > 0 && pattern_precedes(routes[i].pattern, made->routes[at - 1].pattern); at--)
            made->routes[at] = made->routes[at - 1];
        made->routes[at] = routes[i];
        made->routes[at].pattern = strdup(routes[i].pattern);
        made->routes[at].function = strdup(routes[i].function);
        made->routes[at].folder = routes[i].folder == NULL ? NULL : strdup(routes[i].folder);
        if (made->routes[at].pattern == NULL || made->routes[at].function == NULL ||
            (routes[i].folder != NULL && made->routes[at].folder == NULL))
            return error_set(error, ERROR_NO_MEMORY, "no memory for routes");
    }
    return made->routes != NULL || error_set(error, ERROR_NO_MEMORY, "no memory for routes");
}

/* Makes room for one more application at its place. */
static bool insert(struct gateway *gateway, const struct application_routes *made,
                   struct error *error)
{
    if (gateway->application_count == GATEWAY_APPLICATION_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "more than %d applications",
                         GATEWAY_APPLICATION_COUNT_MAX);
    size_t at = position_of(gateway, bytes_of_string(made->application));
    struct application_routes *longer =
        realloc(gateway->applications, (gateway->application_count + 1) * sizeof(*longer));
    if (longer == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for routes");
    memmove(longer + at + 1, longer + at, (gateway->application_count - at) * sizeof(*longer));
    longer[at] = *made;
    gateway->applications = longer;
    gateway->application_count++;
    return true;
}

bool gateway_routes_set(struct gateway *gateway, const char *application,
                        const struct gateway_release *releases, size_t count, struct error *error)
{
    struct application_routes made = { 0 };
    struct bytes name = bytes_of_string(application);
    ASSERT(count <= GATEWAY_RELEASE_COUNT_MAX);
    if (name.size > GATEWAY_NAME_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "an application's name has at most %d characters",
                         GATEWAY_NAME_SIZE_MAX);
    memcpy(made.application, application, name.size);
    for (size_t i = 0; i < count; i++) {
        struct version_routes *release = &made.releases[made.release_count++];
        release->version = releases[i].version;
        release->weight = releases[i].weight;
        release->account = releases[i].account;
        if (releases[i].route_count > GATEWAY_ROUTE_COUNT_MAX) {
            routes_done(&made);
            return error_set(error, ERROR_LIMIT, "an application has at most %d routes",
                             GATEWAY_ROUTE_COUNT_MAX);
        }
        if (!copy_routes(release, releases[i].routes, releases[i].route_count, error) ||
            !rules_new(&release->rules, releases[i].middleware, error)) {
            routes_done(&made);
            return false;
        }
    }
    gateway_routes_remove(gateway, application);
    if (insert(gateway, &made, error))
        return true;
    routes_done(&made);
    return false;
}

void gateway_routes_remove(struct gateway *gateway, const char *application)
{
    size_t at = position_of(gateway, bytes_of_string(application));
    if (application_find(gateway, bytes_of_string(application)) == NULL)
        return;
    routes_done(&gateway->applications[at]);
    gateway->application_count--;
    memmove(gateway->applications + at, gateway->applications + at + 1,
            (gateway->application_count - at) * sizeof(*gateway->applications));
}
