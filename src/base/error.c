/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

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
    bool utf8 = bytes_is_utf8(text);
    size_t used = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        bool plain =
            byte >= 0x20 && byte != 0x7f && byte != '"' && byte != '\\' && (byte < 0x80 || utf8);
        size_t needs = plain ? 1 : 4;
        if (used + needs > 120) {
            while (used > 0 && ((uint8_t)quoted.text[used - 1] & 0xc0) == 0x80)
                used--; /* not in the middle of a character */
            if (used > 0 && ((uint8_t)quoted.text[used - 1] & 0x80) != 0)
                used--;
            memcpy(quoted.text + used, "...", 4);
            return quoted;
        }
        if (plain)
            quoted.text[used] = (char)byte;
        else
            snprintf(quoted.text + used, 5, "\\x%02x", byte);
        used += needs;
    }
    quoted.text[used] = '\0';
    return quoted;
}

void assert_failed(const char *fact, const char *file, int line)
{
    fprintf(stderr, "s3n: bug at %s:%d: %s does not hold\n", file, line, fact);
    abort();
}
