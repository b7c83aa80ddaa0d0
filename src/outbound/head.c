/* SPDX-License-Identifier: Apache-2.0 */
#include "outbound/head.h"

#include <string.h>

static bool is_one_of(struct bytes name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (bytes_equal_string(name, *names))
            return true;
    return false;
}

bool head_name_is_forbidden(struct bytes name)
{
    static const char *const names[] = { "host",
                                         "expect",
                                         "via",
                                         "forwarded",
                                         "accept-encoding",
                                         "http2-settings",
                                         "x-forwarded-for",
                                         "x-forwarded-host",
                                         "x-real-ip",
                                         "x-forwarded-proto",
                                         NULL };
    return http_is_framing_name(name) || is_one_of(name, names) ||
           bytes_starts_with(name, BYTES_LITERAL("proxy-")) ||
           bytes_starts_with(name, BYTES_LITERAL("sec-"));
}

bool head_name_is_portable(struct bytes name)
{
    static const char *const names[] = {
        "accept",     "accept-language", "cache-control",     "content-type", "content-language",
        "user-agent", "if-none-match",   "if-modified-since", "if-match",     "range",
        NULL
    };
    return is_one_of(name, names);
}

bool head_name_is_of_body(struct bytes name)
{
    return bytes_starts_with(name, BYTES_LITERAL("content-")) ||
           bytes_equal_string(name, "digest") || bytes_equal_string(name, "last-modified");
}

bool head_name_is_shown(struct bytes name)
{
    return !http_is_framing_name(name) && !bytes_starts_with(name, BYTES_LITERAL("proxy-")) &&
           !bytes_starts_with(name, BYTES_LITERAL("s3n-")) &&
           !bytes_equal_string(name, "content-encoding");
}

static bool order_take(struct head *head, struct bytes name, struct bytes value,
                       struct error *error)
{
    uint64_t number = 0;
    if (bytes_equal_string(name, "s3n-redirect")) {
        head->is_manual = bytes_equal_string(value, "manual");
        return head->is_manual || bytes_equal_string(value, "follow") ||
               error_set(error, ERROR_INVALID, "s3n-redirect is follow or manual");
    }
    if (!bytes_equal_string(name, "s3n-timeout-ms"))
        return error_set(error, ERROR_INVALID, "there is no order %s", error_quote(name).text);
    if (!http_decimal_parse(&number, value) || number < 1 || number > OUTBOUND_TIMEOUT_MS_MAX)
        return error_set(error, ERROR_INVALID, "s3n-timeout-ms is 1 to %d",
                         OUTBOUND_TIMEOUT_MS_MAX);
    head->timeout_ms = (uint32_t)number;
    return true;
}

static bool field_take(struct head *head, struct bytes name, struct bytes value,
                       struct error *error)
{
    if (!http_is_token(name) || !http_is_field_value(value))
        return error_set(error, ERROR_INVALID, "%s is no header field", error_quote(name).text);
    if (bytes_starts_with(name, BYTES_LITERAL("s3n-")))
        return order_take(head, name, value, error);
    if (head_name_is_forbidden(name))
        return error_set(error, ERROR_INVALID, "the header field %s is not a function's to set",
                         error_quote(name).text);
    for (size_t i = 0; i < head->count; i++)
        if (bytes_equal(head->fields[i].name, name))
            return error_set(error, ERROR_INVALID, "the header field %s is there twice",
                             error_quote(name).text);
    if (head->count == HEAD_FIELD_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "a request has at most %d header fields",
                         HEAD_FIELD_COUNT_MAX);
    head->fields[head->count++] = (struct http_field){ name, value };
    return true;
}

bool head_parse(struct head *head, struct bytes text, struct error *error)
{
    size_t used = 0;
    head->count = 0;
    head->is_manual = false;
    head->timeout_ms = 0;
    if (text.size > HEAD_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "header fields have at most %d bytes", HEAD_SIZE_MAX);
    while (text.size > 0) {
        size_t end = bytes_find(text, '\n');
        struct bytes line = bytes_part(text, 0, end);
        text = bytes_part(text, MIN(end + 1, text.size), SIZE_MAX);
        if (line.size > 0 && line.data[line.size - 1] == '\r')
            line.size--;
        size_t colon = bytes_find(line, ':');
        if (colon == line.size)
            return error_set(error, ERROR_INVALID, "%s is no header field: `name: value`",
                             error_quote(line).text);
        char *name = head->names + used;
        for (size_t i = 0; i < colon; i++) {
            char byte = (char)line.data[i];
            head->names[used++] = (char)(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
        }
        if (!field_take(head, bytes_of(name, colon),
                        bytes_trim(bytes_part(line, colon + 1, SIZE_MAX)), error))
            return false;
    }
    return true;
}

void head_answer_write(struct buffer *text, unsigned status, struct bytes url,
                       const struct http_field *fields, size_t count)
{
    buffer_format(text, "%u ", status);
    buffer_append(text, url);
    buffer_append_string(text, "\n");
    for (size_t i = 0; i < count; i++) {
        buffer_append(text, fields[i].name);
        buffer_append_string(text, ": ");
        buffer_append(text, fields[i].value);
        buffer_append_string(text, "\n");
    }
    buffer_append_string(text, "\n");
}
