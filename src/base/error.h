/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong, for whoever must act on it.
 *
 * A function that can fail returns bool, is MUST_CHECK and takes `struct error *error` last, never
 * NULL. true: outputs set, error untouched.  false: error set, outputs untouched.  On the caller's
 * stack, no allocation, needs no release.  Text is for people, in lower case, without a final stop;
 * it never holds secrets, and outside text enters it only through error_quote. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "core/bytes.h"

/* code, name, HTTP status, CLI exit code, whether the same call may succeed later */
#define ERROR_CODES(X)                                                                             \
    X(NONE, "none", 200, 0, false)                                                                 \
    X(INVALID, "invalid", 400, 3, false)                                                           \
    X(USAGE, "usage", 400, 2, false)                                                               \
    X(DENIED, "denied", 403, 4, false)                                                             \
    X(UNAUTHENTICATED, "unauthenticated", 401, 4, false)                                           \
    X(UNVERIFIED, "unverified", 422, 6, false)                                                     \
    X(NOT_FOUND, "not-found", 404, 5, false)                                                       \
    X(EXISTS, "exists", 409, 3, false)                                                             \
    X(CONFLICT, "conflict", 409, 7, true)                                                          \
    X(LIMIT, "limit", 413, 9, false)                                                               \
    X(BUSY, "busy", 429, 9, true)                                                                  \
    X(TIMEOUT, "timeout", 504, 8, true)                                                            \
    X(UNAVAILABLE, "unavailable", 503, 7, true)                                                    \
    X(CRASHED, "crashed", 503, 7, true)                                                            \
    X(TRAPPED, "trapped", 500, 1, false)                                                           \
    X(UNSUPPORTED, "unsupported", 501, 3, false)                                                   \
    X(CORRUPT, "corrupt", 500, 70, false)                                                          \
    X(NO_MEMORY, "no-memory", 503, 7, true)                                                        \
    X(NO_SPACE, "no-space", 507, 7, true)                                                          \
    X(SYSTEM, "system", 500, 7, true)                                                              \
    X(INTERNAL, "internal", 500, 70, false)

enum error_code {
#define ERROR_ENUM(code, name, status, exit, retry) ERROR_##code,
    ERROR_CODES(ERROR_ENUM)
#undef ERROR_ENUM
};

struct error {
    enum error_code code;
    int os_errno;
    char text[232];
};

/* Sets the error and returns false, so that it can be returned.  Too long a text is cut. */
bool error_set(struct error *error, enum error_code code, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Like error_set, with `: strerror(errno)` behind; ENOSPC/EDQUOT, ENOMEM and ENOENT choose their
 * codes. */
bool error_system(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);
/* Puts context in front: "deploy hello: <what it was>".  Returns false. */
bool error_within(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);

const char *error_name(enum error_code code);
/* The code of a name that another process told; false when there is none. */
MUST_CHECK bool error_code_find(struct bytes name, enum error_code *code);
int error_http_status(enum error_code code);
int error_exit_code(enum error_code code);
bool error_is_retryable(enum error_code code);

/* Outside text made safe to print: control characters, quotes, backslashes and bytes that are not
 * UTF-8 are escaped, the rest kept, at most 120 bytes with "..." behind a cut. */
struct quoted {
    char text[128];
};
struct quoted error_quote(struct bytes text);

#endif
