/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cgi.h"

#include <string.h>

static void add(struct buffer *environment, unsigned *count, const char *name, struct bytes value)
{
    if (bytes_find(value, 0) < value.size)
        return; /* can't be said in a NUL-terminated string */
    buffer_append_string(environment, name);
    buffer_append_string(environment, "=");
    buffer_append(environment, value);
    buffer_append(environment, bytes_of("", 1));
    (*count)++;
}

static bool is_withheld(struct bytes name)
{
    static const char *const names[] = { "proxy",       "content-type",    "expect",
                                         "host",        "authorization",   "proxy-authorization",
                                         "signature",   "signature-input", "content-digest",
                                         "traceparent", "tracestate" };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (bytes_equal_string(name, names[i]))
            return true;
    }
    if (http_is_framing_name(name))
        return true;
    return bytes_find(name, '_') < name.size;
}

/* "PREFIX" and the name in upper case with underscores; false when it can't be a variable. */
static bool variable_name(char *text, size_t capacity, const char *prefix, struct bytes name)
{
    size_t size = strlen(prefix);
    if (size + name.size >= capacity)
        return false;
    memcpy(text, prefix, size);
    for (size_t i = 0; i < name.size; i++) {
        uint8_t byte = name.data[i];
        if (byte >= 'a' && byte <= 'z')
            byte = (uint8_t)(byte - 32);
        else if (byte == '-' || byte == '.' || byte == '~')
            byte = '_';
        else if (!((byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_'))
            return false;
        text[size++] = (char)byte;
    }
    text[size] = '\0';
    return name.size > 0;
}

/* What the function asks of others belongs to this request's span. */
static void add_trace(struct buffer *environment, unsigned *count,
                      const struct trace_context *trace)
{
    char text[TRACE_PARENT_TEXT_SIZE];
    if (trace == NULL)
        return;
    trace_parent_print(text, &trace->here);
    add(environment, count, "HTTP_TRACEPARENT", bytes_of_string(text));
    if (trace->state_size > 0)
        add(environment, count, "HTTP_TRACESTATE", trace_state(trace));
}

/* Repeated fields are one variable, as RFC 9110 5.3 joins them; cookies as RFC 9113 8.2.3 does. */
static void add_joined(struct buffer *environment, unsigned *count, const char *name,
                       const struct http_request *request, size_t first)
{
    struct bytes field_name = request->fields[first].name;
    const char *between = bytes_equal_string(field_name, "cookie") ? "; " : ", ";
    buffer_append_string(environment, name);
    buffer_append_string(environment, "=");
    buffer_append(environment, request->fields[first].value);
    for (size_t i = first + 1; i < request->field_count; i++) {
        if (bytes_equal(request->fields[i].name, field_name)) {
            buffer_append_string(environment, between);
            buffer_append(environment, request->fields[i].value);
        }
    }
    buffer_append(environment, bytes_of("", 1));
    (*count)++;
}

static void add_fields(struct buffer *environment, unsigned *count,
                       const struct http_request *request)
{
    char name[128];
    for (size_t i = 0; i < request->field_count; i++) {
        bool first = true;
        for (size_t j = 0; first && j < i; j++)
            first = !bytes_equal(request->fields[j].name, request->fields[i].name);
        if (first && !is_withheld(request->fields[i].name) &&
            variable_name(name, sizeof(name), "HTTP_", request->fields[i].name))
            add_joined(environment, count, name, request, i);
    }
    add(environment, count, "HTTP_HOST", request->authority);
}

static void add_size(struct buffer *environment, unsigned *count, size_t size)
{
    buffer_format(environment, "CONTENT_LENGTH=%zu", size);
    buffer_append(environment, bytes_of("", 1));
    (*count)++;
}

/* The path without what PATH_INFO says. */
static struct bytes script_name(const struct gateway_call *call)
{
    struct bytes path = call->request->path;
    if (call->operation == GATEWAY_FUNCTION_ROUTE && call->path_info.size <= path.size)
        path.size -= call->path_info.size;
    return path;
}

/* Who calls, as far as the route asked (RFC 3875: AUTH_TYPE, REMOTE_USER). */
static void add_caller(struct buffer *environment, unsigned *count, const struct gateway_call *call)
{
    static const char *const hows[] = {
        [ACCESS_BY_KEY] = "owner", [ACCESS_BY_TOKEN] = "token", [ACCESS_BY_JWT] = "jwt"
    };
    enum access_how how = call->caller.how;
    if (how == ACCESS_BY_NOTHING)
        return;
    add(environment, count, "AUTH_TYPE",
        how == ACCESS_BY_KEY ? BYTES_LITERAL("Signature") : BYTES_LITERAL("Bearer"));
    add(environment, count, "S3N_AUTH", bytes_of_string(hows[how]));
    add(environment, count, "REMOTE_USER", call->subject);
    if (how == ACCESS_BY_JWT)
        add(environment, count, "S3N_JWT_CLAIMS", call->claims);
}

bool gateway_call_environment(struct buffer *environment, unsigned *count,
                              const struct gateway_call *call, struct error *error)
{
    const struct http_request *request = call->request;
    char name[128];
    *count = 0;
    add(environment, count, "GATEWAY_INTERFACE", BYTES_LITERAL("CGI/1.1"));
    add(environment, count, "SERVER_SOFTWARE", BYTES_LITERAL("s3n"));
    add(environment, count, "SERVER_PROTOCOL", BYTES_LITERAL("HTTP/1.1"));
    add(environment, count, "REQUEST_METHOD", bytes_of_string(http_method_name(request->method)));
    add(environment, count, "SCRIPT_NAME", script_name(call));
    add(environment, count, "PATH_INFO", call->path_info);
    add(environment, count, "QUERY_STRING", request->query);
    add(environment, count, "REMOTE_ADDR", request->peer);
    if (request->is_secure)
        add(environment, count, "HTTPS", BYTES_LITERAL("on"));
    struct bytes type = http_request_value(request, "content-type");
    if (type.size > 0)
        add(environment, count, "CONTENT_TYPE", type);
    if (request->body.size > 0)
        add_size(environment, count, request->body.size);
    add_fields(environment, count, request);
    add_trace(environment, count, call->trace);
    add(environment, count, "S3N_APPLICATION", call->application);
    add(environment, count, "S3N_FUNCTION", call->function);
    add(environment, count, "S3N_REQUEST_ID", bytes_of_string(call->request_id));
    if (call->is_sealed)
        add(environment, count, "S3N_SEALED", BYTES_LITERAL("1"));
    add_caller(environment, count, call);
    for (size_t i = 0; i < call->parameter_count; i++) {
        const struct gateway_parameter *parameter = &call->parameters[i];
        bool star = strcmp(parameter->name, "*") == 0;
        if (variable_name(name, sizeof(name), "S3N_ROUTE_",
                          star ? BYTES_LITERAL("rest") : bytes_of_string(parameter->name)))
            add(environment, count, name, parameter->value);
    }
    if (environment->failed)
        return error_set(error, ERROR_LIMIT, "the request's variables are over %d bytes",
                         GATEWAY_ENVIRONMENT_SIZE_MAX);
    return true;
}

static bool take_line(struct bytes *rest, struct bytes *line)
{
    size_t size = bytes_find(*rest, '\n');
    if (size == rest->size)
        return false;
    *line = bytes_part(*rest, 0, size);
    *rest = bytes_part(*rest, size + 1, rest->size);
    if (line->size > 0 && line->data[line->size - 1] == '\r')
        line->size--;
    return true;
}

/* "200" or "200 OK". */
static bool read_status(int *status, struct bytes value)
{
    uint64_t number;
    struct bytes digits = bytes_part(value, 0, bytes_find(value, ' '));
    if (digits.size != 3 || !http_decimal_parse(&number, digits) || number < 200 || number > 599)
        return false;
    *status = (int)number;
    return true;
}

/* Fields that are the node's to set. */
static bool is_ours(struct bytes name)
{
    return http_is_framing_name(name) || bytes_equal_string(name, "date") ||
           bytes_equal_string(name, "server") || bytes_starts_with(name, BYTES_LITERAL("s3n-"));
}

static bool read_field(struct cgi_answer *answer, struct bytes line, size_t *names_size)
{
    size_t colon = bytes_find(line, ':');
    struct bytes name = bytes_part(line, 0, colon);
    struct bytes value = bytes_trim(bytes_part(line, colon + 1, line.size));
    if (colon == line.size || !http_is_token(name) || !http_is_field_value(value) ||
        name.size > sizeof(answer->names) - *names_size)
        return false;
    char *lower = answer->names + *names_size;
    for (size_t i = 0; i < name.size; i++) {
        uint8_t byte = name.data[i];
        lower[i] = (char)(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
    }
    name = bytes_of(lower, name.size);
    *names_size += name.size;
    if (bytes_equal_string(name, "status"))
        return read_status(&answer->status, value);
    if (is_ours(name))
        return true;
    /* room is left for what the node adds */
    if (answer->field_count == HTTP_ANSWER_FIELD_COUNT_MAX - 16)
        return false;
    if (bytes_equal_string(name, "location") && answer->status == 200)
        answer->status = 302;
    answer->fields[answer->field_count++] = (struct http_field){ name, value };
    return true;
}

static bool begins_with_fields(struct bytes output)
{
    static const char *const names[] = { "content-type:", "status:", "location:" };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        struct bytes name = bytes_of_string(names[i]);
        if (http_equal_fold(bytes_part(output, 0, name.size), name))
            return true;
    }
    return false;
}

static bool read_head(struct cgi_answer *answer, struct bytes output)
{
    struct bytes rest = output, line;
    size_t names_size = 0;
    if (!begins_with_fields(output))
        return false;
    for (;;) {
        if (!take_line(&rest, &line) || output.size - rest.size > CGI_HEAD_SIZE_MAX)
            return false;
        if (line.size == 0)
            break;
        if (!read_field(answer, line, &names_size))
            return false;
    }
    answer->body = rest;
    return true;
}

void cgi_answer_read(struct cgi_answer *answer, struct bytes output)
{
    answer->status = 200;
    answer->field_count = 0;
    if (read_head(answer, output))
        return;
    answer->status = 200;
    answer->body = output;
    answer->field_count = 1;
    answer->fields[0] =
        (struct http_field){ BYTES_LITERAL("content-type"),
                             bytes_is_utf8(output) ? BYTES_LITERAL("text/plain; charset=utf-8")
                                                   : BYTES_LITERAL("application/octet-stream") };
}
