/* SPDX-License-Identifier: Apache-2.0 */
#include "net/visit.h"

#include <stdio.h>
#include <string.h>

enum {
    NAME_SIZE_MAX = 64
};

/* RFC 6265 section 4.1.1: no blanks, quotes, commas, semicolons or backslashes. */
static bool is_cookie_value(struct bytes value)
{
    for (size_t i = 0; i < value.size; i++) {
        uint8_t c = value.data[i];
        if (c <= ' ' || c > '~' || c == '"' || c == ',' || c == ';' || c == '\\')
            return false;
    }
    return true;
}

/* "NAME=VALUE; attributes": the value of ours is kept, others are ignored. */
static bool cookie_take(struct http_visit *visit, struct bytes field, struct error *error)
{
    size_t name = strlen(visit->cookie);
    if (field.size <= name || !bytes_starts_with(field, bytes_of_string(visit->cookie)) ||
        field.data[name] != '=')
        return true;
    struct bytes value = bytes_part(field, name + 1, field.size);
    value = bytes_trim(bytes_part(value, 0, bytes_find(value, ';')));
    if (value.size > VISIT_COOKIE_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "the cookie %s is over %d characters", visit->cookie,
                         VISIT_COOKIE_SIZE_MAX);
    if (!is_cookie_value(value))
        return error_set(error, ERROR_INVALID, "the cookie %s is not one", visit->cookie);
    memcpy(visit->value, value.data, value.size);
    visit->value[value.size] = '\0';
    return true;
}

static bool answer_take(struct http_visit *visit, const struct http_client_answer *answer,
                        struct buffer *target, struct error *error)
{
    for (size_t i = 0; i < answer->field_count; i++) {
        if (bytes_equal_string(answer->fields[i].name, "set-cookie") &&
            !cookie_take(visit, answer->fields[i].value, error))
            return false;
    }
    buffer_append(target, buffer_view(&answer->body));
    return !target->failed || error_set(error, ERROR_LIMIT, "too long an answer");
}

bool http_visit_exchange(void *context, const char *path, struct bytes body, int *status,
                         struct buffer *answer, struct error *error)
{
    struct http_visit *visit = context;
    char cookie[NAME_SIZE_MAX + VISIT_COOKIE_SIZE_MAX + 2];
    struct http_field fields[2];
    struct http_client_request request = { .method = HTTP_METHOD_GET,
                                           .target = path,
                                           .fields = fields,
                                           .body = body,
                                           .body_size_max = answer->size_max - answer->size };
    if (body.size > 0) {
        request.method = HTTP_METHOD_POST;
        fields[request.field_count++] =
            (struct http_field){ BYTES_LITERAL("content-type"), BYTES_LITERAL("application/json") };
    }
    if (visit->value[0] != '\0') {
        snprintf(cookie, sizeof(cookie), "%.*s=%s", NAME_SIZE_MAX, visit->cookie, visit->value);
        fields[request.field_count++] =
            (struct http_field){ BYTES_LITERAL("cookie"), bytes_of_string(cookie) };
    }
    __attribute__((cleanup(http_client_answer_done))) struct http_client_answer got = { 0 };
    if (!http_client_request(visit->client, &request, &got, error))
        return false;
    *status = got.status;
    return answer_take(visit, &got, answer, error);
}
