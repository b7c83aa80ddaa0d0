/* SPDX-License-Identifier: Apache-2.0 */
/* What goes back: every answer with its request id, errors in one form, invocations with their
 * receipt. */
#include "gateway/cgi.h"
#include "gateway/idempotency.h"
#include "gateway/sealed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool answer_request(struct gateway *gateway, struct gateway_request *request,
                    const struct http_answer *answer)
{
    struct http_field fields[HTTP_ANSWER_FIELD_COUNT_MAX];
    struct http_answer sent = *answer;
    struct http_handle handle = request->handle;
    sent.fields = fields;
    sent.field_count = 0;
    const size_t room = ARRAY_COUNT(fields) - CORS_FIELDS_MAX - 1;
    for (size_t i = 0; i < answer->field_count && sent.field_count < room; i++)
        fields[sent.field_count++] = answer->fields[i];
    sent.field_count += cors_fields(fields + sent.field_count, request);
    char id[sizeof(request->id)];
    memcpy(id, request->id, sizeof(id));
    fields[sent.field_count++] = HTTP_FIELD("s3n-request-id", bytes_of_string(id));
    sent.pad_size = request->pad_size;
    AUTO_BUFFER struct buffer sealed;
    buffer_init(&sealed, sent.body.size + 2 * GATEWAY_SEALED_HEAD_SIZE_MAX);
    struct http_field types[2 + CORS_FIELDS_MAX] = {
        HTTP_FIELD("content-type", BYTES_LITERAL(SEALED_RESPONSE_TYPE)),
        HTTP_FIELD("cache-control", BYTES_LITERAL("no-store")),
    };
    if (request->sealed != NULL) {
        size_t type_count = 2 + cors_outer_fields(types + 2, gateway, request);
        struct error error;
        bool done = sealed_answer(&sealed, request, &sent, &error);
        sent = (struct http_answer){ .status = done ? 200 : 500,
                                     .fields = types,
                                     .field_count = done ? type_count : 0,
                                     .body = buffer_view(&sealed),
                                     .pad_size = request->pad_size };
        if (!done)
            sent.body = (struct bytes){ 0 };
    }
    /* When it is true the server has forgotten the request; when not, on_gone comes or came. */
    if (!http_server_answer(gateway->server, handle, &sent))
        return false;
    request_release(gateway, request);
    return true;
}

bool gateway_answer(struct gateway *gateway, struct http_handle handle,
                    const struct http_answer *answer)
{
    struct gateway_request *request = request_find(gateway, handle);
    return request != NULL && answer_request(gateway, request, answer);
}

static bool answer_tree(struct gateway *gateway, struct gateway_request *request, int status,
                        const json_t *json, const struct http_field *more, size_t more_count)
{
    struct http_field fields[HTTP_ANSWER_FIELD_COUNT_MAX];
    size_t count = 0;
    fields[count++] = HTTP_FIELD("content-type", BYTES_LITERAL("application/json"));
    fields[count++] = HTTP_FIELD("cache-control", BYTES_LITERAL("no-store"));
    for (size_t i = 0; i < more_count && count < ARRAY_COUNT(fields); i++)
        fields[count++] = more[i];
    char *text = json == NULL
                     ? NULL
                     : json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    struct http_answer answer = { .status = text == NULL ? 500 : status,
                                  .fields = fields,
                                  .field_count = count,
                                  .body = bytes_of_string(text == NULL ? "{}" : text) };
    bool answered = answer_request(gateway, request, &answer);
    free(text);
    return answered;
}

bool gateway_answer_json(struct gateway *gateway, struct http_handle handle, int status,
                         json_t *json)
{
    AUTO_JSON json_t *held = json;
    struct gateway_request *request = request_find(gateway, handle);
    return request != NULL && answer_tree(gateway, request, status, held, NULL, 0);
}

struct failure {
    int status;
    const char *name;
    const char *message;
    const char *hint;
};

static bool answer_failure(struct gateway *gateway, struct gateway_request *request,
                           const struct failure *failure, const struct http_field *more,
                           size_t more_count)
{
    bool answered;
    if (page_answer(gateway, request, failure->status, more, more_count, &answered))
        return answered;
    AUTO_JSON json_t *json =
        json_pack("{s:{s:s,s:s,s:s?},s:s}", "error", "code", failure->name, "message",
                  failure->message, "hint", failure->hint, "request_id", request->id);
    return answer_tree(gateway, request, failure->status, json, more, more_count);
}

bool answer_refusal(struct gateway *gateway, struct gateway_request *request,
                    const struct refusal *refusal)
{
    enum error_code code = refusal->error.code;
    struct failure failure = { refusal->status != 0 ? refusal->status : error_http_status(code),
                               refusal->name != NULL ? refusal->name : error_name(code),
                               refusal->error.text, refusal->hint };
    struct http_field more[2];
    char seconds[12];
    size_t count = 0;
    if (failure.status == 405)
        more[count++] = HTTP_FIELD("allow", bytes_of_string(request->allow));
    snprintf(seconds, sizeof(seconds), "%u", MAX(refusal->retry_after_s, 1u));
    if (error_is_retryable(code) &&
        (failure.status == 503 || failure.status == 429 || failure.status == 409))
        more[count++] = HTTP_FIELD("retry-after", bytes_of_string(seconds));
    return answer_failure(gateway, request, &failure, more, count);
}

bool gateway_answer_key_reused(struct gateway *gateway, struct http_handle handle)
{
    struct gateway_request *request = request_find(gateway, handle);
    struct refusal refusal = { 0 };
    return request != NULL && (idempotency_refuse(&refusal), true) &&
           answer_refusal(gateway, request, &refusal);
}

bool gateway_answer_error(struct gateway *gateway, struct http_handle handle,
                          const struct error *error, const char *hint)
{
    struct gateway_request *request = request_find(gateway, handle);
    struct refusal refusal = { .error = *error, .hint = hint };
    return request != NULL && answer_refusal(gateway, request, &refusal);
}

/* The fields of an invocation; `duration` is the text's memory. */
static size_t invocation_fields(struct http_field *fields, char duration[24],
                                const struct gateway_invocation *invocation)
{
    size_t count = 0;
    snprintf(duration, 24, "%" PRIu64, invocation->duration_us);
    fields[count++] = HTTP_FIELD("s3n-invocation-id", bytes_of_string(invocation->invocation_id));
    fields[count++] = HTTP_FIELD("s3n-duration-us", bytes_of_string(duration));
    if (invocation->is_replayed)
        fields[count++] = HTTP_FIELD("s3n-replayed", BYTES_LITERAL("true"));
    if (invocation->receipt != NULL)
        fields[count++] = HTTP_FIELD("s3n-receipt", bytes_of_string(invocation->receipt));
    return count;
}

/* What a route shows of a function's own head. */
static void head_copy(struct cgi_answer *answer, const struct gateway_output *output)
{
    answer->status = output->status;
    answer->field_count = 0;
    answer->body = output->body;
    for (size_t i = 0; i < output->field_count && i < GATEWAY_OUTPUT_FIELDS_MAX; i++)
        answer->fields[answer->field_count++] = output->fields[i];
}

/* A function does not decide what the manifest does. */
static void drop_ours(struct cgi_answer *answer, const struct gateway_request *request)
{
    size_t kept = 0;
    for (size_t i = 0; i < answer->field_count; i++) {
        if (!cors_is_ours(request, answer->fields[i].name))
            answer->fields[kept++] = answer->fields[i];
    }
    answer->field_count = kept;
}

bool gateway_answer_invocation(struct gateway *gateway, struct http_handle handle,
                               const struct gateway_invocation *invocation,
                               const struct gateway_output *output)
{
    struct gateway_request *request = request_find(gateway, handle);
    char duration[24], status[16];
    struct cgi_answer cgi;
    if (request == NULL)
        return false;
    if (request->call.operation != GATEWAY_FUNCTION_ROUTE) {
        cgi.status = 200;
        cgi.field_count = 1;
        cgi.body = output->body;
        cgi.fields[0] = HTTP_FIELD("content-type", BYTES_LITERAL("application/octet-stream"));
        snprintf(status, sizeof(status), "%d", output->status);
        if (output->has_head)
            cgi.fields[cgi.field_count++] = HTTP_FIELD("s3n-status", bytes_of_string(status));
    } else if (output->has_head) {
        head_copy(&cgi, output);
    } else {
        cgi_answer_read(&cgi, output->body);
    }
    drop_ours(&cgi, request);
    cgi.field_count += invocation_fields(cgi.fields + cgi.field_count, duration, invocation);
    struct http_answer answer = {
        .status = cgi.status,
        .fields = cgi.fields,
        .field_count = cgi.field_count,
        .body = cgi.body,
    };
    request->pad_size = invocation->pad_size;
    return answer_request(gateway, request, &answer);
}

bool gateway_answer_failure(struct gateway *gateway, struct http_handle handle,
                            const struct gateway_invocation *invocation, int status,
                            const char *name, const char *message)
{
    struct gateway_request *request = request_find(gateway, handle);
    struct failure failure = { status, name, message, NULL };
    struct http_field fields[6];
    char duration[24];
    if (request == NULL)
        return false;
    request->pad_size = invocation->pad_size;
    return answer_failure(gateway, request, &failure, fields,
                          invocation_fields(fields, duration, invocation));
}
