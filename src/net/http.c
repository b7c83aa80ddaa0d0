/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include "core/checked.h"

static const char *const method_names[] = {
#define METHOD_NAME(name) #name,
    HTTP_METHODS(METHOD_NAME)
#undef METHOD_NAME
};

const char *http_method_name(enum http_method method)
{
    return method_names[method];
}

bool http_method_parse(enum http_method *method, struct bytes text)
{
    for (size_t i = 0; i < ARRAY_COUNT(method_names); i++) {
        if (bytes_equal_string(text, method_names[i])) {
            *method = (enum http_method)i;
            return true;
        }
    }
    return false;
}

const struct http_field *http_request_field(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->field_count; i++) {
        if (bytes_equal_string(request->fields[i].name, name))
            return &request->fields[i];
    }
    return NULL;
}

struct bytes http_request_value(const struct http_request *request, const char *name)
{
    struct bytes found = { 0 };
    size_t count = 0;
    for (size_t i = 0; i < request->field_count; i++) {
        if (bytes_equal_string(request->fields[i].name, name)) {
            found = request->fields[i].value;
            count++;
        }
    }
    return count == 1 ? found : (struct bytes){ 0 };
}

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        { 100, "Continue" },
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 301, "Moved Permanently" },
        { 302, "Found" },
        { 303, "See Other" },
        { 304, "Not Modified" },
        { 307, "Temporary Redirect" },
        { 308, "Permanent Redirect" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 411, "Length Required" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 417, "Expectation Failed" },
        { 422, "Unprocessable Content" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
        { 505, "HTTP Version Not Supported" },
        { 507, "Insufficient Storage" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(reasons); i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "Unknown";
}

static bool is_letter_or_digit(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9');
}

static bool is_hex_digit(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') ||
           (byte >= 'A' && byte <= 'F');
}

static bool is_one_of(uint8_t byte, const char *set)
{
    for (; *set != '\0'; set++) {
        if (byte == (uint8_t)*set)
            return true;
    }
    return false;
}

bool http_is_token(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_letter_or_digit(text.data[i]) && !is_one_of(text.data[i], "!#$%&'*+-.^_`|~"))
            return false;
    }
    return text.size > 0;
}

bool http_is_field_value(struct bytes text)
{
    bool bad = false; /* no early end: receipts are long, and so the loop runs sixteen at a time */
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        bad |= ((byte < ' ') & (byte != '\t')) | (byte == 0x7f);
    }
    return !bad && (text.size == 0 || (!is_one_of(text.data[0], " \t") &&
                                       !is_one_of(text.data[text.size - 1], " \t")));
}

/* Are the bytes unreserved, sub-delims, percent escapes or among `others`? */
static bool is_uri_text(struct bytes text, const char *others)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '%') {
            if (text.size - i < 3 || !is_hex_digit(text.data[i + 1]) ||
                !is_hex_digit(text.data[i + 2]))
                return false;
        } else if (!is_letter_or_digit(byte) && !is_one_of(byte, "-._~!$&'()*+,;=") &&
                   !is_one_of(byte, others)) {
            return false;
        }
    }
    return true;
}

bool http_is_target(struct bytes text)
{
    return text.size > 0 && text.size <= HTTP_TARGET_SIZE_MAX && text.data[0] == '/' &&
           is_uri_text(text, "/:@?");
}

static bool is_port(struct bytes text)
{
    uint64_t port;
    return text.size <= 5 && (text.size == 0 || (http_decimal_parse(&port, text) && port <= 65535));
}

bool http_is_authority(struct bytes text)
{
    if (text.size == 0 || text.size > HTTP_AUTHORITY_SIZE_MAX)
        return false;
    struct bytes host;
    if (text.data[0] == '[') {
        size_t end = bytes_find(text, ']');
        if (end == text.size)
            return false;
        host = bytes_part(text, 1, end - 1);
        for (size_t i = 0; i < host.size; i++) {
            if (!is_hex_digit(host.data[i]) && !is_one_of(host.data[i], ":."))
                return false;
        }
        text = bytes_part(text, end + 1, text.size);
    } else {
        host = bytes_part(text, 0, bytes_find(text, ':'));
        if (!is_uri_text(host, ""))
            return false;
        text = bytes_part(text, host.size, text.size);
    }
    if (host.size == 0)
        return false;
    return text.size == 0 || (text.data[0] == ':' && is_port(bytes_part(text, 1, text.size)));
}

bool http_decimal_parse(uint64_t *number, struct bytes text)
{
    uint64_t parsed = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte < '0' || byte > '9' || !mul_fits(parsed, 10u, &parsed) ||
            !add_fits(parsed, (uint64_t)(byte - '0'), &parsed))
            return false;
    }
    if (text.size == 0)
        return false;
    *number = parsed;
    return true;
}

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
}

bool http_equal_fold(struct bytes a, struct bytes b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++) {
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    }
    return true;
}

void http_request_split_target(struct http_request *request)
{
    size_t mark = bytes_find(request->target, '?');
    request->path = bytes_part(request->target, 0, mark);
    request->has_query = mark < request->target.size;
    request->query = bytes_part(request->target, mark + 1, request->target.size);
}

bool http_is_framing_name(struct bytes name)
{
    static const char *const names[] = {
        "content-length", "transfer-encoding", "connection", "keep-alive",
        "upgrade",        "trailer",           "te",         "proxy-connection"
    };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (http_equal_fold(name, bytes_of_string(names[i])))
            return true;
    }
    return false;
}

bool http_answer_is_fit(const struct http_answer *answer)
{
    if (answer->status < 200 || answer->status > 599 ||
        answer->field_count > HTTP_ANSWER_FIELD_COUNT_MAX)
        return false;
    size_t size = 64; /* status line, Content-Length, the end */
    for (size_t i = 0; i < answer->field_count; i++) {
        const struct http_field *field = &answer->fields[i];
        size += field->name.size + field->value.size + 4;
        if (size > HTTP_ANSWER_HEAD_SIZE_MAX || !http_is_token(field->name) ||
            !http_is_field_value(field->value) || http_is_framing_name(field->name))
            return false;
        for (size_t j = 0; j < field->name.size; j++) {
            if (field->name.data[j] >= 'A' && field->name.data[j] <= 'Z')
                return false;
        }
    }
    return true;
}
