/* SPDX-License-Identifier: Apache-2.0 */
/* Cross-origin requests: which pages may read what is answered, and what browsers ask before they
 * ask (Fetch, sections 3.2 and 4.8).
 *
 * CORS protects callers' browsers, not functions: a request of another page is run all the same,
 * its answer just can't be read there. */
#include "gateway/stage.h"

#include <stdio.h>
#include <string.h>

static const char *const own_fields[] = {
    "access-control-allow-origin",      "access-control-allow-methods",
    "access-control-allow-headers",     "access-control-expose-headers",
    "access-control-allow-credentials", "access-control-max-age",
};

/* What pages may always read: how to find this call again, and its proof. */
#define ALWAYS_EXPOSED                                                                             \
    "s3n-request-id, s3n-invocation-id, s3n-receipt, s3n-duration-us, s3n-replayed, retry-after"

static bool is_on(const struct gateway_request *request)
{
    return request->rules != NULL && request->rules->asked.cors.is_on;
}

static bool is_any(const struct gateway_cors *cors)
{
    return cors->origins.count == 1 && strcmp(cors->origins.items[0], "*") == 0;
}

bool cors_is_preflight(const struct http_request *asked, enum http_method *will_ask)
{
    return asked->method == HTTP_METHOD_OPTIONS && http_request_value(asked, "origin").size > 0 &&
           http_method_parse(will_ask, http_request_value(asked, "access-control-request-method"));
}

void cors_note_origin(struct gateway_request *request)
{
    request->origin = (struct bytes){ 0 };
    request->origin_text[0] = '\0';
    if (!is_on(request))
        return;
    const struct gateway_cors *cors = &request->rules->asked.cors;
    struct bytes origin = http_request_value(request->call.request, "origin");
    bool is_listed = is_any(cors) && origin.size > 0;
    for (size_t i = 0; !is_listed && i < cors->origins.count; i++)
        is_listed = bytes_equal_string(origin, cors->origins.items[i]);
    if (!is_listed || origin.size > GATEWAY_ORIGIN_SIZE_MAX)
        return;
    if (is_any(cors))
        origin = BYTES_LITERAL("*");
    memcpy(request->origin_text, origin.data, origin.size);
    request->origin_text[origin.size] = '\0';
    request->origin = bytes_of(request->origin_text, origin.size);
}

static size_t write_fields(struct http_field *fields, const struct rules *rules,
                           struct bytes origin, bool is_preflight)
{
    size_t count = 0;
    const struct gateway_cors *cors = &rules->asked.cors;
    if (!is_any(cors)) /* also where there was no origin: caches keep one answer for all */
        fields[count++] = HTTP_FIELD("vary", BYTES_LITERAL("origin"));
    if (origin.size == 0)
        return count;
    fields[count++] = HTTP_FIELD("access-control-allow-origin", origin);
    if (cors->has_credentials)
        fields[count++] = HTTP_FIELD("access-control-allow-credentials", BYTES_LITERAL("true"));
    if (!is_preflight)
        fields[count++] = HTTP_FIELD("access-control-expose-headers",
                                     cors->expose.count > 0 ? bytes_of_string(rules->cors_expose)
                                                            : BYTES_LITERAL(ALWAYS_EXPOSED));
    return count;
}

size_t cors_fields(struct http_field *fields, const struct gateway_request *request)
{
    return is_on(request)
               ? write_fields(fields, request->rules, request->origin, request->is_preflight)
               : 0;
}

size_t cors_outer_fields(struct http_field *fields, const struct gateway *gateway,
                         const struct gateway_request *request)
{
    return gateway->page_rules == NULL
               ? 0
               : write_fields(fields, gateway->page_rules, bytes_of_string(request->outer_origin),
                              false);
}

bool cors_page_rules(struct rules **rules, const struct gateway_list *origins, struct error *error)
{
    static const char *const headers[] = { "content-type", "traceparent", "tracestate" };
    struct gateway_middleware asked = { .cors = { .is_on = true,
                                                  .origins = *origins,
                                                  .headers = { headers, ARRAY_COUNT(headers) },
                                                  .max_age_s = GATEWAY_PREFLIGHT_AGE_S } };
    return rules_new(rules, origins->count == 0 ? NULL : &asked, error);
}

bool cors_is_ours(const struct gateway_request *request, struct bytes name)
{
    for (size_t i = 0; is_on(request) && i < ARRAY_COUNT(own_fields); i++) {
        if (bytes_equal_string(name, own_fields[i]))
            return true;
    }
    return false;
}

/* Fields that a page may send without being asked are not listed by browsers. */
static bool headers_are_allowed(const struct gateway_cors *cors, struct bytes asked,
                                struct error *error)
{
    while (asked.size > 0) {
        struct bytes part = bytes_part(asked, 0, bytes_find(asked, ','));
        struct bytes name = bytes_trim(part);
        bool is_listed = name.size == 0;
        asked = bytes_part(asked, part.size + 1, asked.size);
        for (size_t i = 0; !is_listed && i < cors->headers.count; i++)
            is_listed = http_equal_fold(name, bytes_of_string(cors->headers.items[i]));
        if (!is_listed)
            return error_set(error, ERROR_DENIED, "pages may not send the field %s here",
                             error_quote(name).text);
    }
    return true;
}

static void answer_preflight(struct gateway *gateway, struct gateway_request *request)
{
    static const enum http_method methods[] = {
#define METHOD_ROW(name) HTTP_METHOD_##name,
        HTTP_METHODS(METHOD_ROW)
#undef METHOD_ROW
    };
    char text[64] = "";
    for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
        size_t used = strlen(text);
        if (request->route_methods == 0 || (request->route_methods & (1u << methods[i])) != 0)
            snprintf(text + used, sizeof(text) - used, "%s%s", used > 0 ? ", " : "",
                     http_method_name(methods[i]));
    }
    struct http_field fields[3] = {
        HTTP_FIELD("access-control-allow-methods", bytes_of_string(text)),
        HTTP_FIELD("access-control-max-age", bytes_of_string(request->rules->cors_max_age)),
    };
    size_t count = 2;
    if (request->rules->asked.cors.headers.count > 0)
        fields[count++] = HTTP_FIELD("access-control-allow-headers",
                                     bytes_of_string(request->rules->cors_headers));
    struct http_answer answer = { .status = 204, .fields = fields, .field_count = count };
    request_answer(gateway, request, &answer);
}

bool stage_cors(struct gateway *gateway, struct gateway_request *request, struct refusal *refusal)
{
    if (!request->is_preflight)
        return true;
    const struct gateway_cors *cors = &request->rules->asked.cors;
    const struct http_request *asked = request->call.request;
    if (request->origin.size == 0)
        return error_set(&refusal->error, ERROR_DENIED, "pages of %s may not read answers here",
                         error_quote(http_request_value(asked, "origin")).text);
    for (size_t i = 0; i < asked->field_count; i++) {
        if (bytes_equal_string(asked->fields[i].name, "access-control-request-headers") &&
            !headers_are_allowed(cors, asked->fields[i].value, &refusal->error))
            return false;
    }
    answer_preflight(gateway, request);
    refusal->is_taken = true;
    return true;
}
