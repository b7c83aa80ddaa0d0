/* SPDX-License-Identifier: Apache-2.0 */
#include "files/pattern.h"
#include "tests/harness.h"

#include <string.h>

static bool matches(const char *pattern, const char *path)
{
    return pattern_matches(bytes_of_string(pattern), bytes_of_string(path));
}

static bool reaches(const char *pattern, const char *path)
{
    return pattern_reaches(bytes_of_string(pattern), bytes_of_string(path));
}

static void paths_match_name_by_name(void)
{
    static const struct {
        const char *pattern;
        const char *path;
        bool matches;
    } rows[] = {
        { "a.txt", "a.txt", true },
        { "a.txt", "b/a.txt", false },
        { "*.txt", "a.txt", true },
        { "*.txt", "b/a.txt", false },
        { "*.txt", "a.txt2", false },
        { "a*b*c", "axxbyybzc", true },
        { "a*b*c", "axxbyybz", false },
        { "?", "a", true },
        { "?", "\xc3\xa4", true },
        { "??", "\xc3\xa4", false },
        { "?", "ab", false },
        { "*", "abc", true },
        { "***", "abc", true },
        { "a/*", "a/b", true },
        { "a/*", "a/b/c", false },
        { "a/*", "a", false },
        { "a/**", "a/b/c", true },
        { "a/**", "a/b", true },
        { "a/**", "a", false },
        { "a/**", "ab/c", false },
        { "**", "a/b/c", true },
        { "**/c", "a/b/c", true },
        { "**/c", "c", true },
        { "**/c", "a/b/cc", false },
        { "a/**/c", "a/c", true },
        { "a/**/c", "a/x/y/c", true },
        { "a/**/c", "a/x/y/d", false },
        { "a/**/b/**/c", "a/1/b/2/b/3/c", true },
        { "a/**/b/*/c", "a/1/b/2/b/3/c", true },
        { "a/**/b/*/c", "a/1/b/2/3/c", false },
        { "**/*.png", "x/y/z.png", true },
        { "*", ".hidden", false },
        { "?hidden", ".hidden", false },
        { ".*", ".hidden", true },
        { "**", ".git/config", false },
        { "**", "a/.git/config", false },
        { "**/config", ".git/config", false },
        { "**/.git/config", "x/.git/config", true },
        { ".git/**", ".git/config", true },
        { "a[b]", "a[b]", true },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        CHECK_NOTE(matches(rows[i].pattern, rows[i].path) == rows[i].matches, "%s on %s",
                   rows[i].pattern, rows[i].path);
}

static void folders_are_entered_only_if_they_may_hold_something(void)
{
    CHECK(reaches("a/b/c", "a"));
    CHECK(reaches("a/b/c", "a/b"));
    CHECK(!reaches("a/b/c", "b"));
    CHECK(!reaches("*.txt", "folder"));
    CHECK(reaches("*/x", "folder"));
    CHECK(reaches("**/x", "some/deep/folder"));
    CHECK(reaches("assets/**", "assets/deep"));
    CHECK(!reaches("assets/**", "target"));
    CHECK(!reaches("**", ".git"));
}

static void wrong_patterns_are_refused(void)
{
    static const char *const wrong[] = { "",       "/a",  "a/",  "a//b", "../a",
                                         "a/../b", "./a", "a/.", "/",    "\xff" };
    struct error error;
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        CHECK_NOTE(!pattern_check(bytes_of_string(wrong[i]), &error), "%s", wrong[i]);
    CHECK(pattern_check(BYTES_LITERAL("assets/**/*.png"), &error));
    CHECK(pattern_check(BYTES_LITERAL("..."), &error));
}

static void many_stars_take_no_time(void)
{
    char pattern[1025], path[2049];
    for (unsigned i = 0; i < 1024; i++)
        pattern[i] = i % 2 == 0 ? '*' : 'a';
    pattern[1024] = '\0';
    memset(path, 'a', 2047);
    memcpy(path + 2047, "b", 2);
    CHECK(!matches(pattern, path));
    for (unsigned i = 0; i < 1023; i += 3)
        memcpy(pattern + i, "**/", 3);
    memcpy(pattern + 1023, "c", 2);
    for (unsigned i = 0; i < 2048; i++)
        path[i] = i % 2 == 0 ? 'a' : '/';
    memcpy(path + 2047, "", 1);
    CHECK(!matches(pattern, path));
}

static const struct test tests[] = {
    TEST(paths_match_name_by_name),
    TEST(folders_are_entered_only_if_they_may_hold_something),
    TEST(wrong_patterns_are_refused),
    TEST(many_stars_take_no_time),
};
TEST_MAIN(tests)
