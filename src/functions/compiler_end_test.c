/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/compiler_end.h"
#include "tests/harness.h"

#include <signal.h>
#include <string.h>

static const struct {
    struct spawn_end end;
    const char *words;
    enum error_code code;
    const char *text;
} rows[] = {
    { { false, 3 }, "invalid: bad magic at 0x0\nmore", ERROR_INVALID, "bad magic at 0x0" },
    { { false, 3 },
      "unsupported: unknown import \"env\"",
      ERROR_UNSUPPORTED,
      "unknown import \"env\"" },
    { { false, 9 }, "limit: too many\x1b[1m", ERROR_LIMIT, "too many?[1m" },
    { { false, 7 },
      "system: no memory",
      ERROR_INTERNAL,
      "the compiler failed with exit code 7: system: no memory" },
    { { false, 7 }, "unavailable: no namespaces", ERROR_UNAVAILABLE, "no namespaces" },
    { { false, 3 }, "invalid:", ERROR_INTERNAL, "the compiler failed with exit code 3: invalid:" },
    { { false, 3 }, "invalid", ERROR_INTERNAL, "the compiler failed with exit code 3: invalid" },
    { { false, 1 }, "", ERROR_INTERNAL, "the compiler failed with exit code 1: " },
    { { true, SIGXCPU }, "", ERROR_LIMIT, "the module takes too long to compile" },
    { { true, SIGXFSZ }, "", ERROR_LIMIT, "the module's image is too large" },
    { { true, SIGKILL }, "", ERROR_CRASHED, "the compiler was killed; try again" },
    { { true, SIGSYS },
      "",
      ERROR_CRASHED,
      "the compiler made a system call that its jail forbids" },
    { { true, SIGSEGV },
      "invalid: x",
      ERROR_CRASHED,
      "the compiler crashed on this module (signal 11)" },
};

static void each_end_has_its_error(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct error error = { 0 };
        CHECK(!compiler_end_check(&rows[i].end, bytes_of_string(rows[i].words), &error));
        CHECK_NUMBER(error.code, rows[i].code);
        CHECK_STRING(error.text, rows[i].text);
    }
}

static void a_good_end_is_none(void)
{
    struct error error = { 0 };
    CHECK(compiler_end_check(&(struct spawn_end){ 0 }, BYTES_LITERAL("invalid: x"), &error));
}

static void long_words_are_cut(void)
{
    char words[1000];
    struct error error = { 0 };
    memset(words, 'x', sizeof(words));
    memcpy(words, "limit: ", 7);
    for (size_t size = 0; size < sizeof(words); size++)
        CHECK(!compiler_end_check(&(struct spawn_end){ .code = 9 }, bytes_of(words, size), &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    CHECK_NUMBER(strlen(error.text), COMPILER_WORDS_MAX - 7);
}

static const struct test tests[] = { TEST(each_end_has_its_error), TEST(a_good_end_is_none),
                                     TEST(long_words_are_cut) };
TEST_MAIN(tests)
