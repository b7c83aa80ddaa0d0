/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include "base/terminal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int http_status;
    int exit_code;
    bool retry;
} codes[] = {
#define ERROR_ROW(code, name, status, exit, retry) [ERROR_##code] = { name, status, exit, retry },
    ERROR_CODES(ERROR_ROW)
#undef ERROR_ROW
};

bool error_set(struct error *error, enum error_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error->code = code;
    error->os_errno = 0;
    vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    return false;
}

static enum error_code code_of_errno(int number)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT:
        return ERROR_NO_SPACE;
    case ENOMEM:
        return ERROR_NO_MEMORY;
    case ENOENT:
        return ERROR_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERROR_DENIED;
    case EISDIR: /* a path that can't be what it is used as */
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
        return ERROR_INVALID;
    default:
        return ERROR_SYSTEM;
    }
}

bool error_system(struct error *error, const char *format, ...)
{
    int number = errno;
    va_list arguments;
    va_start(arguments, format);
    int used = vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    if (used >= 0 && (size_t)used < sizeof(error->text))
        snprintf(error->text + used, sizeof(error->text) - (size_t)used, ": %s", strerror(number));
    error->code = code_of_errno(number);
    error->os_errno = number;
    return false;
}

bool error_within(struct error *error, const char *format, ...)
{
    char inner[sizeof(error->text)];
    memcpy(inner, error->text, sizeof(inner));
    va_list arguments;
    va_start(arguments, format);
    int used = vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    if (used >= 0 && (size_t)used < sizeof(error->text))
        snprintf(error->text + used, sizeof(error->text) - (size_t)used, ": %s", inner);
    return false;
}

const char *error_name(enum error_code code)
{
    return codes[code].name;
}

bool error_code_find(struct bytes name, enum error_code *code)
{
    for (size_t i = 0; i < ARRAY_COUNT(codes); i++) {
        if (bytes_equal_string(name, codes[i].name)) {
            *code = (enum error_code)i;
            return true;
        }
    }
    return false;
}

int error_http_status(enum error_code code)
{
    return codes[code].http_status;
}

int error_exit_code(enum error_code code)
{
    return codes[code].exit_code;
}

bool error_is_retryable(enum error_code code)
{
    return codes[code].retry;
}

struct quoted error_quote(struct bytes text)
{
    struct quoted quoted = { { 0 } };
    size_t used = 0;
    while (text.size > 0) {
        bool passes;
        size_t size = terminal_character(text, &passes);
        bool is_plain =
            passes && text.data[0] != '"' && text.data[0] != '\\' && text.data[0] != '\t';
        size_t needs = is_plain ? size : 4 * size;
        if (used + needs > 120) {
            memcpy(quoted.text + used, "...", 4);
            return quoted;
        }
        if (is_plain)
            memcpy(quoted.text + used, text.data, size);
        for (size_t i = 0; !is_plain && i < size; i++)
            snprintf(quoted.text + used + 4 * i, 5, "\\x%02x", text.data[i]);
        used += needs;
        text = bytes_part(text, size, text.size);
    }
    quoted.text[used] = '\0';
    return quoted;
}

void assert_failed(const char *fact, const char *file, int line)
{
    fprintf(stderr, "s3n: bug at %s:%d: %s does not hold\n", file, line, fact);
    abort();
}
