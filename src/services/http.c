/* SPDX-License-Identifier: Apache-2.0 */
#include "services/http.h"

#include "core/hex.h"
#include "crypto/hash.h"
#include "outbound/head.h"
#include "outbound/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIGEST_TEXT_SIZE_MAX = URL_TEXT_SIZE + 256
};

/* One call under way. */
struct fetch {
    const struct http_port *port;
    struct service_call *call;
    struct line_ticket *ticket;
    uint64_t start_ns;
    struct digest32 request;
    char origin[URL_ORIGIN_SIZE];
    enum http_method method;
};

/* --- digests --- */

static struct digest32 digest_of(const char *first, struct bytes url, struct bytes fields,
                                 struct bytes body)
{
    AUTO_BUFFER struct buffer text;
    struct digest32 of_fields = sha256_of(fields), of_body = sha256_of(body);
    buffer_init(&text, DIGEST_TEXT_SIZE_MAX);
    buffer_append_string(&text, first);
    buffer_append(&text, url);
    buffer_format(&text, "\n%s\n", hex_of_digest(&of_fields).text);
    buffer_format(&text, "%s\n", hex_of_digest(&of_body).text);
    ASSERT(!text.failed);
    return sha256_of(buffer_view(&text));
}

struct digest32 http_request_digest(enum http_method method, struct bytes url, struct bytes fields,
                                    struct bytes body)
{
    char first[64];
    snprintf(first, sizeof(first), "S3N-HTTP-Request-1\n%s ", http_method_name(method));
    return digest_of(first, url, fields, body);
}

struct digest32 http_answer_digest(unsigned status, struct bytes url, struct bytes fields,
                                   struct bytes body)
{
    char first[64];
    snprintf(first, sizeof(first), "S3N-HTTP-Response-1\n%u ", status);
    return digest_of(first, url, fields, body);
}

struct digest32 http_failure_digest(enum call_error code)
{
    char text[64];
    snprintf(text, sizeof(text), "S3N-HTTP-Failure-1\n%d\n", (int)code);
    return sha256_of(bytes_of_string(text));
}

/* False: the receipt has no room. */
static bool use_record(const struct fetch *fetch, const struct digest32 *answer)
{
    struct service_use use = { .service = "http",
                               .has_before = true,
                               .has_after = true,
                               .before = fetch->request,
                               .after = *answer };
    /* The origin alone: paths and queries may hold what strangers must not read. */
    if (snprintf(use.name, sizeof(use.name), "%s:%s", http_method_name(fetch->method),
                 fetch->origin) >= (int)sizeof(use.name))
        memcpy(use.name + sizeof(use.name) - 4, "...", 4);
    return service_use(fetch->call->scope, &use);
}

/* --- the end of a call --- */

static void ending_tell(const struct fetch *fetch, const char *outcome, uint64_t received_size)
{
    const struct http_port *port = fetch->port;
    const struct http_ending ending = {
        .outcome = outcome,
        .was_asked = true,
        .duration_ns = clock_monotonic_ns(port->clock) - fetch->start_ns,
        .sent_size = fetch->call->strings[3].size,
        .received_size = received_size,
    };
    port->ended(port->context, fetch->call->facts, &ending);
}

static void refusal_tell(const struct http_port *port, const struct service_call *call,
                         const char *outcome)
{
    const struct http_ending ending = { .outcome = outcome };
    port->ended(port->context, call->facts, &ending);
}

static const char *outcome_of(enum call_error code, enum error_code cause)
{
    return cause == ERROR_UNSUPPORTED       ? "refused-address"
           : code == CALL_ERROR_DENIED      ? "refused-redirect"
           : code == CALL_ERROR_TIMEOUT     ? "timeout"
           : code == CALL_ERROR_LIMIT       ? "limit"
           : code == CALL_ERROR_UNAVAILABLE ? "unavailable"
                                            : "failed";
}

static enum call_error code_of(const struct error *error, bool is_ours)
{
    if (error->code == ERROR_TIMEOUT || error->code == ERROR_DENIED || error->code == ERROR_LIMIT ||
        error->code == ERROR_BUSY)
        return call_error_of(error->code);
    if (error->code == ERROR_UNSUPPORTED)
        return CALL_ERROR_DENIED;
    return is_ours ? CALL_ERROR_UNAVAILABLE : CALL_ERROR_FAILED;
}

static void fetch_fail(struct fetch *fetch, const struct error *error, bool is_ours)
{
    struct service_call *call = fetch->call;
    enum call_error code = code_of(error, is_ours);
    struct digest32 digest = http_failure_digest(code);
    bool has_room = use_record(fetch, &digest);
    ending_tell(fetch, outcome_of(code, error->code), 0);
    free(fetch);
    if (has_room)
        service_refuse(call, code, "%s", error->text);
    else
        service_refuse(call, CALL_ERROR_LIMIT, "the receipt has no room for another request");
}

static void fetch_answer(struct fetch *fetch, const struct outbound_answer *answer)
{
    static const char *const classes[] = { "2xx", "3xx", "4xx", "5xx" };
    AUTO_BUFFER struct buffer text;
    struct service_call *call = fetch->call;
    buffer_init(&text, SERVICE_ANSWER_SIZE_MAX);
    head_answer_write(&text, answer->status, answer->url, answer->fields, answer->field_count);
    struct bytes head = buffer_view(&text);
    size_t first = MIN(bytes_find(head, '\n') + 1, head.size);
    /* Without the empty line behind them. */
    struct bytes fields = bytes_part(head, first, head.size == 0 ? 0 : head.size - first - 1);
    struct digest32 digest = http_answer_digest(answer->status, answer->url, fields, answer->body);
    buffer_append(&text, answer->body);
    bool has_room = use_record(fetch, &digest);
    ending_tell(fetch, classes[answer->status / 100 - 2], answer->body.size);
    free(fetch);
    if (text.failed)
        service_refuse(call, CALL_ERROR_LIMIT, "the answer is too large");
    else if (!has_room)
        service_refuse(call, CALL_ERROR_LIMIT, "the receipt has no room for another request");
    else
        service_answer(call, 0, buffer_view(&text));
}

static void fetched(void *context, const struct outbound_answer *answer, const struct error *error,
                    bool is_ours)
{
    struct fetch *fetch = context;
    if (answer == NULL)
        fetch_fail(fetch, error, is_ours);
    else
        fetch_answer(fetch, answer);
}

/* --- its beginning --- */

static bool is_permitted(const struct permissions *permissions, enum http_method method,
                         const struct url *url)
{
    const struct permission_list *list = &permissions->lists[CALL_PERMISSION_HTTP];
    for (size_t i = 0; i < list->count; i++) {
        struct rule rule;
        struct error ignored;
        if (rule_parse(&rule, bytes_of_string(list->names[i]), &ignored) &&
            rule_has(&rule, method, url))
            return true;
    }
    return false;
}

/* What is left of the invocation's time, and at most what was asked for. */
static uint32_t timeout_ms(const struct http_port *port, const struct service_facts *facts,
                           const struct head *head)
{
    uint64_t limit_ms = head->timeout_ms != 0 ? head->timeout_ms : OUTBOUND_TIMEOUT_MS_DEFAULT;
    uint64_t now_ns = clock_monotonic_ns(port->clock);
    if (facts->deadline_ns == 0)
        return (uint32_t)limit_ms;
    uint64_t left_ms = facts->deadline_ns > now_ns ? (facts->deadline_ns - now_ns) / 1000000 : 0;
    return (uint32_t)MAX(MIN(limit_ms, left_ms), (uint64_t)1);
}

static bool has_room(struct service_call *call)
{
    uintptr_t count = (uintptr_t)service_state(call->scope, &service_http);
    if (count >= HTTP_COUNT_MAX) {
        service_refuse(call, CALL_ERROR_LIMIT, "an invocation may ask others %d times",
                       HTTP_COUNT_MAX);
        return false;
    }
    service_set_state(call->scope, &service_http, (void *)(count + 1));
    return true;
}

static void permission_refuse(struct service_call *call, enum http_method method,
                              const struct url *url)
{
    char line[RULE_TEXT_SIZE];
    rule_suggest(line, method, url);
    service_refuse(call, CALL_ERROR_DENIED,
                   "no permission for this address: add `permissions.http = [\"%.120s\"]` to "
                   "[function.%s] in s3n.toml",
                   line, call->facts->function);
}

static void fetch_start(const struct http_port *port, struct service_call *call,
                        const struct outbound_request *request, const struct url *url)
{
    AUTO_BUFFER struct buffer fields;
    struct error error;
    struct fetch *fetch = calloc(1, sizeof(*fetch));
    if (fetch == NULL) {
        service_refuse(call, CALL_ERROR_UNAVAILABLE, "no memory for a request");
        return;
    }
    buffer_init(&fields, 2 * HEAD_SIZE_MAX);
    for (size_t i = 0; i < request->field_count; i++) {
        buffer_append(&fields, request->fields[i].name);
        buffer_append_string(&fields, ": ");
        buffer_append(&fields, request->fields[i].value);
        buffer_append_string(&fields, "\n");
    }
    fetch->port = port;
    fetch->call = call;
    fetch->start_ns = clock_monotonic_ns(port->clock);
    fetch->method = request->method;
    fetch->request =
        http_request_digest(request->method, request->url, buffer_view(&fields), request->body);
    url_origin_write(fetch->origin, url);
    call->state = fetch;
    if (port->fetch(port->context, call->facts, request, fetched, fetch, &fetch->ticket, &error))
        return;
    free(fetch);
    refusal_tell(port, call, error.code == ERROR_BUSY ? "limit" : "unavailable");
    service_refuse_error(call, &error);
}

static void fetch_run(void *context, struct service_call *call)
{
    static struct head head; /* one thread; its parts are copied before this returns */
    struct http_port *port = context;
    struct url url;
    char text[URL_TEXT_SIZE];
    struct error error;
    struct outbound_request request = { .body = call->strings[3],
                                        .body_size_max = HTTP_BODY_SIZE_MAX };
    if (!http_method_parse(&request.method, call->strings[0])) {
        service_refuse(call, CALL_ERROR_INVALID, "%s is no method that can be asked for",
                       error_quote(call->strings[0]).text);
        return;
    }
    if (!url_parse(&url, call->strings[1], &error) ||
        !head_parse(&head, call->strings[2], &error)) {
        service_refuse_error(call, &error);
        return;
    }
    if (!is_permitted(call->facts->permissions, request.method, &url)) {
        refusal_tell(port, call, "refused-rule");
        permission_refuse(call, request.method, &url);
        return;
    }
    if (request.body.size > 0 &&
        (request.method == HTTP_METHOD_GET || request.method == HTTP_METHOD_HEAD)) {
        service_refuse(call, CALL_ERROR_INVALID, "%s has no body",
                       http_method_name(request.method));
        return;
    }
    if (!has_room(call))
        return;
    url_write(text, &url);
    request.url = bytes_of_string(text);
    request.is_manual = head.is_manual;
    request.timeout_ms = timeout_ms(port, call->facts, &head);
    request.field_count = head.count;
    memcpy(request.fields, head.fields, sizeof(request.fields));
    const struct permission_list *list = &call->facts->permissions->lists[CALL_PERMISSION_HTTP];
    for (size_t i = 0; i < list->count && i < RULE_COUNT_MAX; i++)
        request.rules[request.rule_count++] = bytes_of_string(list->names[i]);
    fetch_start(port, call, &request, &url);
}

static void fetch_cancelled(void *context, struct service_call *call)
{
    struct http_port *port = context;
    struct fetch *fetch = call->state;
    struct digest32 digest = http_failure_digest(CALL_ERROR_TIMEOUT);
    port->cancel(port->context, fetch->ticket);
    (void)!use_record(fetch, &digest); /* it may have been asked all the same */
    ending_tell(fetch, "cancelled", 0);
    free(fetch);
}

static const struct service_handler handlers[] = { { CALL_HTTP_FETCH, fetch_run } };
const struct service service_http = { .name = "http",
                                      .handlers = handlers,
                                      .handler_count = ARRAY_COUNT(handlers),
                                      .cancelled = fetch_cancelled };
