/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/compiler_end.h"

#include <signal.h>

/* What is wrong with the module, or what the compiler lacks here. */
static bool is_refusal(struct bytes name, enum error_code *code)
{
    return error_code_find(name, code) && (*code == ERROR_INVALID || *code == ERROR_UNSUPPORTED ||
                                           *code == ERROR_LIMIT || *code == ERROR_UNAVAILABLE);
}

static bool fail_as_told(int exit_code, struct bytes words, struct error *error)
{
    char line[COMPILER_WORDS_MAX];
    words = bytes_part(words, 0, sizeof(line));
    words = bytes_part(words, 0, bytes_find(words, '\n'));
    for (size_t i = 0; i < words.size; i++) {
        bool is_plain = words.data[i] >= 0x20 && words.data[i] < 0x7f;
        line[i] = is_plain ? (char)words.data[i] : '?';
    }
    struct bytes said = bytes_of(line, words.size);
    size_t colon = bytes_find(said, ':');
    struct bytes reason = bytes_part(said, colon + 2, SIZE_MAX);
    enum error_code code;
    if (reason.size > 0 && is_refusal(bytes_part(said, 0, colon), &code))
        return error_set(error, code, "%.*s", (int)reason.size, (const char *)reason.data);
    return error_set(error, ERROR_INTERNAL, "the compiler failed with exit code %d: %.*s",
                     exit_code, (int)said.size, (const char *)said.data);
}

bool compiler_end_check(const struct spawn_end *end, struct bytes words, struct error *error)
{
    if (!end->was_killed)
        return end->code == 0 || fail_as_told(end->code, words, error);
    switch (end->code) {
    case SIGXCPU:
        return error_set(error, ERROR_LIMIT, "the module takes too long to compile");
    case SIGXFSZ:
        return error_set(error, ERROR_LIMIT, "the module's image is too large");
    case SIGKILL:
        return error_set(error, ERROR_CRASHED, "the compiler was killed; try again");
    case SIGSYS:
        return error_set(error, ERROR_CRASHED,
                         "the compiler made a system call that its jail forbids");
    default:
        return error_set(error, ERROR_CRASHED, "the compiler crashed on this module (signal %d)",
                         end->code);
    }
}
