/* SPDX-License-Identifier: Apache-2.0 */
/* The stage that finds what a request asks for. */
#include "core/hex.h"
#include "gateway/query.h"
#include "gateway/representation.h"
#include "gateway/stage.h"

#include <stdio.h>
#include <string.h>

static const struct operation operations[] = {
#define OPERATION_ROW(name, method, pattern, access, body)                                         \
    { #name, HTTP_METHOD_##method, pattern, GATEWAY_ACCESS_##access, body },
    GATEWAY_OPERATIONS(OPERATION_ROW)
#undef OPERATION_ROW
};

const struct operation *operation_of(enum gateway_operation operation)
{
    return &operations[operation];
}

const char *gateway_operation_name(enum gateway_operation operation)
{
    return operations[operation].name;
}

static bool is_name(struct bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t byte = name.data[i];
        bool inner = byte == '-' && i > 0 && i + 1 < name.size;
        if (!inner && !(byte >= 'a' && byte <= 'z') && !(byte >= '0' && byte <= '9'))
            return false;
    }
    return name.size > 0 && name.size <= GATEWAY_NAME_SIZE_MAX;
}

static bool refuse(struct refusal *refusal, int status, enum error_code code, const char *text)
{
    refusal->status = status;
    return error_set(&refusal->error, code, "%s", text);
}

/* What pages of the node's `page_origins` may use. */
static bool is_for_pages(enum gateway_operation operation)
{
    return operations[operation].access == GATEWAY_ACCESS_OPEN && operation != GATEWAY_INVOKE &&
           operation != GATEWAY_FUNCTION_ROUTE;
}

/* A browser's question about a call by name, where it is known later whether the application
 * answers such questions, or about what pages may use. */
static bool is_question(const struct gateway *gateway, enum gateway_operation operation,
                        const struct http_request *asked)
{
    enum http_method will_ask;
    return (operation == GATEWAY_INVOKE ||
            (gateway->page_rules != NULL && is_for_pages(operation))) &&
           cors_is_preflight(asked, &will_ask) && will_ask == operations[operation].method;
}

/* GET answers HEAD too, except where HEAD has its own row. */
static bool takes_method(enum gateway_operation operation, enum http_method method)
{
    return operation == GATEWAY_FUNCTION_ROUTE || operations[operation].method == method ||
           (operations[operation].method == HTTP_METHOD_GET && method == HTTP_METHOD_HEAD);
}

static bool find_operation(const struct gateway *gateway, struct gateway_request *request,
                           struct refusal *refusal)
{
    const struct http_request *asked = request->call.request;
    for (size_t i = 0; i < GATEWAY_OPERATION_COUNT; i++) {
        bool for_admin = operations[i].access == GATEWAY_ACCESS_ADMIN;
        if (for_admin == asked->is_secure ||
            !pattern_match(operations[i].pattern, asked->path, &request->values))
            continue;
        size_t used = strlen(request->allow);
        snprintf(request->allow + used, sizeof(request->allow) - used, "%s%s", used > 0 ? ", " : "",
                 http_method_name(operations[i].method));
        if (takes_method((enum gateway_operation)i, asked->method) ||
            is_question(gateway, (enum gateway_operation)i, asked)) {
            request->call.operation = (enum gateway_operation)i;
            return true;
        }
    }
    if (request->allow[0] != '\0')
        return refuse(refusal, 405, ERROR_INVALID, "this path does not know that method");
    return refuse(refusal, 404, ERROR_NOT_FOUND, "nothing is at this path");
}

/* Which rules hold for the request. */
static void enter_rules(struct gateway_request *request, struct rules *rules)
{
    rules_release(request->rules);
    request->rules = rules_hold(rules);
    request->is_preflight = request->rules != NULL && request->rules->asked.cors.is_on &&
                            cors_is_preflight(request->call.request, &request->will_ask);
    cors_note_origin(request);
}

/* The same, of a version, and how the request is to be read by it. */
static void enter_release(struct gateway_request *request, const struct version_routes *known)
{
    struct gateway_call *call = &request->call;
    call->version = known == NULL ? 0 : known->version;
    enter_rules(request, known == NULL ? NULL : known->rules);
    request->wants_pages = accepts_html(http_request_value(call->request, "accept"));
    request->folder[0] = '\0';
}

/* Does the route take this method?  If not, `allow` learns which it does. */
static bool route_takes(const struct gateway_route *route, struct gateway_request *request)
{
    static const enum http_method methods[] = {
#define METHOD_ROW(name) HTTP_METHOD_##name,
        HTTP_METHODS(METHOD_ROW)
#undef METHOD_ROW
    };
    enum http_method method =
        request->is_preflight ? request->will_ask : request->call.request->method;
    request->route_methods = route->methods;
    if (route->methods == 0 || (route->methods & (1u << method)) != 0)
        return true;
    for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
        size_t used = strlen(request->allow);
        if ((route->methods & (1u << methods[i])) != 0)
            snprintf(request->allow + used, sizeof(request->allow) - used, "%s%s",
                     used > 0 ? ", " : "", http_method_name(methods[i]));
    }
    return false;
}

/* The route of a function: the first that matches, preferred ones stand first. */
static bool find_function(struct gateway *gateway, struct gateway_request *request,
                          struct refusal *refusal)
{
    struct gateway_call *call = &request->call;
    const struct version_routes *known =
        release_choose(application_find(gateway, call->application), request->id);
    struct bytes path = call->request->path;
    size_t before = sizeof("/a/") - 1 + call->application.size;
    request->allow[0] = '\0'; /* what other operations take says nothing here */
    struct bytes behind = bytes_part(path, before, path.size);
    call->path_info = behind.size == 0 ? BYTES_LITERAL("/") : behind;
    enter_release(request, known);
    for (size_t i = 0; known != NULL && i < known->count; i++) {
        if (!pattern_match(known->routes[i].pattern, call->path_info, &request->route_values) ||
            !route_takes(&known->routes[i], request))
            continue;
        if (known->routes[i].is_sealed_only && !call->is_sealed) {
            refusal->hint = "`s3n invoke --seal` and sdk/js seal requests to the node's keyset";
            return refuse(refusal, 403, ERROR_DENIED, "this route takes sealed requests only");
        }
        request->auth = known->routes[i].auth;
        request->account = known->account;
        snprintf(request->function, sizeof(request->function), "%s", known->routes[i].function);
        if (known->routes[i].folder != NULL)
            snprintf(request->folder, sizeof(request->folder), "%s", known->routes[i].folder);
        call->function = bytes_of_string(request->function);
        call->parameters = request->route_values.parameters;
        call->parameter_count = request->route_values.count;
        return true;
    }
    call->path_info = (struct bytes){ 0 };
    if (request->allow[0] != '\0')
        return refuse(refusal, 405, ERROR_INVALID, "this route does not know that method");
    return refuse(refusal, 404, ERROR_NOT_FOUND,
                  known == NULL ? "there is no such application"
                                : "the application has no route for this path");
}

static bool read_nonce(struct gateway_call *call, struct bytes text, const char *what,
                       struct refusal *refusal)
{
    call->has_nonce = hex_decode(call->nonce, sizeof(call->nonce), text);
    return call->has_nonce ||
           error_set(&refusal->error, ERROR_INVALID, "%s is not 64 hexadecimal digits", what);
}

/* The value behind a name, "nonce=", in a query of the form a=b&nonce=c. */
static struct bytes query_value(struct bytes query, struct bytes name)
{
    while (query.size > 0) {
        struct bytes pair = bytes_part(query, 0, bytes_find(query, '&'));
        if (bytes_starts_with(pair, name))
            return bytes_part(pair, name.size, pair.size);
        query = bytes_part(query, pair.size + 1, query.size);
    }
    return (struct bytes){ 0 };
}

/* Decimal digits without zeros in front, from 1. */
static bool read_number(uint64_t *number, struct bytes text)
{
    uint64_t value = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text.data[i] - '0');
    }
    *number = value;
    return text.size > 0 && text.size <= 15 && text.data[0] != '0';
}

static bool read_parameters(struct gateway_request *request, struct refusal *refusal)
{
    struct gateway_call *call = &request->call;
    struct bytes digest = pattern_value(&request->values, "digest");
    call->application = pattern_value(&request->values, "application");
    call->function = pattern_value(&request->values, "function");
    call->receipt_id = pattern_value(&request->values, "id");
    call->kv_namespace = pattern_value(&request->values, "namespace");
    call->secret = pattern_value(&request->values, "secret");
    if (call->application.size > 0 && !is_name(call->application))
        return refuse(refusal, 404, ERROR_NOT_FOUND, "there is no application of such a name");
    if (call->function.size > 0 && !is_name(call->function))
        return refuse(refusal, 404, ERROR_NOT_FOUND, "there is no function of such a name");
    if (digest.size > 0 && !hex_decode(call->digest.bytes, sizeof(call->digest.bytes), digest))
        return error_set(&refusal->error, ERROR_INVALID,
                         "blobs and keys are named by the 64 hexadecimal digits of their SHA-256");
    struct bytes version = pattern_value(&request->values, "version");
    if (version.size > 0 && !read_number(&call->number, version))
        return refuse(refusal, 404, ERROR_NOT_FOUND, "a version is named by its number");
    if (operations[call->operation].access >= GATEWAY_ACCESS_SCOPED &&
        !query_check(call->operation, call->request->query, &refusal->error))
        return false;
    call->first = 1;
    struct bytes first = query_value(call->request->query, BYTES_LITERAL("first="));
    if (call->operation == GATEWAY_AUDIT_READ && first.size > 0 &&
        !read_number(&call->first, first))
        return error_set(&refusal->error, ERROR_INVALID, "first: must be an entry's number");
    if (call->operation == GATEWAY_ATTESTATION || call->operation == GATEWAY_SESSION)
        return read_nonce(call, query_value(call->request->query, BYTES_LITERAL("nonce=")),
                          "the query's nonce", refusal);
    const struct http_field *nonce = http_request_field(call->request, "s3n-nonce");
    if (nonce != NULL &&
        (call->operation == GATEWAY_INVOKE || call->operation == GATEWAY_FUNCTION_ROUTE))
        return read_nonce(call, nonce->value, "the field s3n-nonce", refusal);
    return true;
}

/* A way round the routes is none round what they ask for. */
static enum gateway_auth auth_by_name(const struct version_routes *known, struct bytes function)
{
    for (size_t i = 0; known != NULL && i < known->count; i++) {
        if (known->routes[i].auth != GATEWAY_AUTH_PUBLIC &&
            bytes_equal_string(function, known->routes[i].function))
            return GATEWAY_AUTH_MEMBER;
    }
    return GATEWAY_AUTH_PUBLIC;
}

bool stage_route(struct gateway *gateway, struct gateway_request *request, struct refusal *refusal)
{
    struct gateway_call *call = &request->call;
    if (call->request->is_secure && gateway->options.host_is_known != NULL &&
        !gateway->options.host_is_known(gateway->options.context, call->request->authority))
        return refuse(refusal, 421, ERROR_NOT_FOUND, "this node does not answer to that name");
    if (!path_is_safe(call->request->path))
        return error_set(&refusal->error, ERROR_INVALID,
                         "the path has a . or .. segment, or a NUL");
    if (!find_operation(gateway, request, refusal))
        return false;
    if (is_for_pages(call->operation) && !call->is_sealed) {
        enter_rules(request, gateway->page_rules);
        request->route_methods = 1u << operations[call->operation].method;
    }
    if (!read_parameters(request, refusal))
        return false;
    if (call->operation == GATEWAY_FUNCTION_ROUTE)
        return find_function(gateway, request, refusal);
    if (call->operation == GATEWAY_INVOKE) {
        const struct version_routes *known =
            release_choose(application_find(gateway, call->application), request->id);
        enter_release(request, known);
        request->route_methods = 1u << HTTP_METHOD_POST;
        if (call->request->method == HTTP_METHOD_OPTIONS && !request->is_preflight) {
            snprintf(request->allow, sizeof(request->allow), "POST");
            return refuse(refusal, 405, ERROR_INVALID, "this path does not know that method");
        }
        call->path_info = BYTES_LITERAL("/");
        request->auth = auth_by_name(known, call->function);
        if (known != NULL)
            request->account = known->account;
    }
    if (call->operation != GATEWAY_SEALED && gateway->options.handlers[call->operation] == NULL)
        return refuse(refusal, 501, ERROR_UNSUPPORTED, "this node does not do that");
    return true;
}
