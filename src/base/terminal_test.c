/* SPDX-License-Identifier: Apache-2.0 */
#include "base/terminal.h"

#include "tests/harness.h"

static void shows(struct bytes text, const char *shown, const char *cleaned)
{
    AUTO_BUFFER struct buffer target;
    buffer_init(&target, 4096);
    terminal_append(&target, text);
    CHECK_BYTES(buffer_view(&target), bytes_of_string(shown));
    buffer_clear(&target);
    utf8_append(&target, text);
    CHECK_BYTES(buffer_view(&target), bytes_of_string(cleaned));
}

static void neutralises(void)
{
    shows(BYTES_LITERAL("plain\ttext \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
          "plain\ttext \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
          "plain\ttext \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
    shows(BYTES_LITERAL("\x1b[2J\x1b]0;title\x07\r\b\x7f"),
          "\\x1b[2J\\x1b]0;title\\x07\\x0d\\x08\\x7f", "\x1b[2J\x1b]0;title\x07\r\b\x7f");
    /* C1 as characters and as bytes */
    shows(BYTES_LITERAL("\xc2\x9b\x32J\x9b"), "\\u009b2J\\x9b", "\xc2\x9b\x32J\xef\xbf\xbd");
    /* right to left, isolates, line and paragraph separator */
    shows(BYTES_LITERAL("\xe2\x80\xae\xe2\x81\xa6\xe2\x80\xa8\xd8\x9c\xe2\x80\x8f"),
          "\\u202e\\u2066\\u2028\\u061c\\u200f",
          "\xe2\x80\xae\xe2\x81\xa6\xe2\x80\xa8\xd8\x9c\xe2\x80\x8f");
}

static void invalid_text_shows_as_bytes(void)
{
#define BAD "\xef\xbf\xbd"
    shows(BYTES_LITERAL("\xff\xfe"), "\\xff\\xfe", BAD BAD);
    shows(BYTES_LITERAL("\xc3"), "\\xc3", BAD);
    shows(BYTES_LITERAL("\xe2\x82"), "\\xe2\\x82", BAD BAD);
    shows(BYTES_LITERAL("\xc0\xaf"), "\\xc0\\xaf", BAD BAD);              /* overlong */
    shows(BYTES_LITERAL("\xed\xa0\x80"), "\\xed\\xa0\\x80", BAD BAD BAD); /* a surrogate */
    shows(BYTES_LITERAL("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80", BAD BAD BAD BAD);
    shows(BYTES_LITERAL("\xe2(x"), "\\xe2(x", BAD "(x");
}

static void masks(void)
{
    char text[] = "a\x1b[2J\tb\xc2\x9b\x32J\xe2\x80\xae\xc3\xa9\xff\xe2\x82";
    terminal_mask(text);
    CHECK_STRING(text, "a?[2J\tb?2J?\xc3\xa9???");
}

static void a_line_has_nothing_that_steers(void)
{
    static const char *const lines[] = { "", "ci", "Ada L.",
                                         ("\xc3\x89milie \xe6\xbc\xa2\xe5\xad\x97 "
                                          "\xd8\xb9\xd9\x84\xd9\x8a \xf0\x9f\x98\x80") };
    static const char *const others[] = { "a\nb",          "a\tb",         "\x1b[2J",
                                          "\x7f",          "\xc2\x85",     "\xc2\x9b\x32J",
                                          "\x9b\x32J",     "\xd8\x9c",     "\xe2\x80\x8e",
                                          "a\xe2\x80\x8f", "\xe2\x80\xa8", "\xe2\x80\xae",
                                          "\xe2\x81\xa6x", "\xff",         "\xed\xa0\x80",
                                          "\xc3" };
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
        CHECK_NOTE(terminal_is_line(bytes_of_string(lines[i])), "%zu", i);
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        CHECK_NOTE(!terminal_is_line(bytes_of_string(others[i])), "%zu", i);
    CHECK(!terminal_is_line(BYTES_LITERAL("a\0b")));
}

static const struct test tests[] = { TEST(neutralises), TEST(masks),
                                     TEST(a_line_has_nothing_that_steers),
                                     TEST(invalid_text_shows_as_bytes) };
TEST_MAIN(tests)
