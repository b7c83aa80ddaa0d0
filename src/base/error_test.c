/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "tests/harness.h"

#include <errno.h>
#include <string.h>

static void gains_context(void)
{
    struct error error = { 0 };
    CHECK(!error_set(&error, ERROR_LIMIT, "%d functions, at most %d", 9, 8));
    CHECK(!error_within(&error, "deploy %s", "hello"));
    CHECK_STRING(error.text, "deploy hello: 9 functions, at most 8");
    CHECK(error.code == ERROR_LIMIT);
}

static void long_texts_are_cut(void)
{
    struct error error = { 0 };
    char text[500];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    error_set(&error, ERROR_INVALID, "%s", text);
    CHECK_NUMBER(strlen(error.text), sizeof(error.text) - 1);
    error_within(&error, "%s", text);
    CHECK_NUMBER(strlen(error.text), sizeof(error.text) - 1);
    errno = EIO;
    error_system(&error, "%s", text);
    CHECK(error.os_errno == EIO);
}

static void errno_chooses_the_code(void)
{
    static const struct {
        int number;
        enum error_code code;
    } rows[] = { { ENOSPC, ERROR_NO_SPACE },  { EDQUOT, ERROR_NO_SPACE },
                 { ENOMEM, ERROR_NO_MEMORY }, { ENOENT, ERROR_NOT_FOUND },
                 { EACCES, ERROR_DENIED },    { EIO, ERROR_SYSTEM } };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct error error = { 0 };
        errno = rows[i].number;
        CHECK(!error_system(&error, "open"));
        CHECK_NUMBER(error.code, rows[i].code);
        CHECK(strncmp(error.text, "open: ", 6) == 0);
    }
}

static void every_code_has_its_row(void)
{
    for (int code = ERROR_NONE; code <= ERROR_INTERNAL; code++) {
        CHECK(error_name((enum error_code)code) != NULL);
        CHECK(error_http_status((enum error_code)code) >= 200);
        CHECK(error_exit_code((enum error_code)code) <= 70);
    }
    CHECK_STRING(error_name(ERROR_NOT_FOUND), "not-found");
    enum error_code found = ERROR_NONE;
    CHECK(error_code_find(BYTES_LITERAL("not-found"), &found) && found == ERROR_NOT_FOUND);
    CHECK(!error_code_find(BYTES_LITERAL("not"), &found));
    CHECK_NUMBER(error_exit_code(ERROR_UNVERIFIED), 6);
    CHECK(error_is_retryable(ERROR_BUSY) && !error_is_retryable(ERROR_INVALID));
}

static void outside_text_is_escaped(void)
{
    CHECK_STRING(error_quote(BYTES_LITERAL("a\"b\\\n\x1b[0m")).text, "a\\x22b\\x5c\\x0a\\x1b[0m");
    CHECK_STRING(error_quote(BYTES_LITERAL("caf\xc3\xa9")).text, "caf\xc3\xa9");
    CHECK_STRING(error_quote(BYTES_LITERAL("\xc3(")).text, "\\xc3(");
    /* what steers a terminal in UTF-8: CSI as one character, right to left */
    CHECK_STRING(error_quote(BYTES_LITERAL("\xc2\x9b[2J\xe2\x80\xae\t")).text,
                 "\\xc2\\x9b[2J\\xe2\\x80\\xae\\x09");
    char text[400];
    for (size_t size = 0; size < sizeof(text); size++) {
        for (size_t i = 0; i < size; i++)
            text[i] = "\xe2\x82\xac"[i % 3];
        struct quoted quoted = error_quote(bytes_of(text, size));
        CHECK(strlen(quoted.text) < sizeof(quoted.text));
        CHECK(bytes_is_utf8(bytes_of_string(quoted.text)));
    }
}

static const struct test tests[] = { TEST(gains_context), TEST(long_texts_are_cut),
                                     TEST(errno_chooses_the_code), TEST(every_code_has_its_row),
                                     TEST(outside_text_is_escaped) };
TEST_MAIN(tests)
