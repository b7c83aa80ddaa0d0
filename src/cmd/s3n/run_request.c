/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/run_request.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Appends NAME=value of `size` bytes. */
static bool add(const char **variables, size_t *count, const char *name, const char *value,
                size_t size, struct error *error)
{
    size_t capacity = strlen(name) + size + 2;
    char *text = malloc(capacity);
    if (text == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the request");
    snprintf(text, capacity, "%s=%.*s", name, (int)size, value);
    variables[(*count)++] = text;
    return true;
}

static bool add_header(const char **variables, size_t *count, const char *header,
                       struct error *error)
{
    char name[128] = "HTTP_";
    size_t size = strcspn(header, ":");
    if (header[size] != ':' || size == 0 || size > sizeof(name) - 6)
        return error_set(error, ERROR_USAGE, "--header wants NAME:VALUE, not \"%s\"",
                         error_quote(bytes_of_string(header)).text);
    for (size_t i = 0; i < size; i++)
        name[5 + i] = header[i] == '-' ? '_' : (char)toupper((unsigned char)header[i]);
    const char *value = header + size + 1;
    value += strspn(value, " \t");
    const char *variable = strcmp(name, "HTTP_CONTENT_TYPE") == 0 ? name + 5 : name;
    return add(variables, count, variable, value, strlen(value), error);
}

bool run_request_variables(const struct run_request *request,
                           const char *variables[RUN_REQUEST_VARIABLES_MAX], struct error *error)
{
    size_t count = 0;
    if (request->method != NULL &&
        !add(variables, &count, "REQUEST_METHOD", request->method, strlen(request->method), error))
        return false;
    if (request->path != NULL) {
        size_t size = strcspn(request->path, "?");
        const char *query = request->path + size + (request->path[size] == '?' ? 1 : 0);
        if (!add(variables, &count, "PATH_INFO", request->path, size, error) ||
            !add(variables, &count, "QUERY_STRING", query, strlen(query), error))
            return false;
    }
    for (size_t i = 0; i < request->headers.count; i++)
        if (!add_header(variables, &count, request->headers.items[i], error))
            return false;
    variables[count] = NULL;
    return true;
}
