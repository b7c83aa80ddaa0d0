/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/pattern.h"
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

static struct pattern_values values;

static bool matches(const char *pattern, const char *path)
{
    return pattern_match(pattern, bytes_of_string(path), &values);
}

static void matches_segments(void)
{
    CHECK(matches("/", "/"));
    CHECK(matches("/v1/blobs", "/v1/blobs"));
    CHECK(!matches("/v1/blobs", "/v1/blobs/"));
    CHECK(!matches("/v1/blobs", "/v1"));
    CHECK(!matches("/v1/blobs", "/v1/Blobs"));
    CHECK(!matches("/v1/blobs", "/v1/%62lobs"));
    CHECK(!matches("/v1/blobs", "//v1/blobs"));
    CHECK(matches("/v1/", "/v1/") && !matches("/v1/", "/v1"));
    CHECK(!matches("/v1", ""));
}

static void takes_parameters(void)
{
    REQUIRE(matches("/x/:pair/y/:other", "/x/neo%2Dgas/y/%c3%a9"));
    CHECK_NUMBER(values.count, 2);
    CHECK_BYTES(pattern_value(&values, "pair"), BYTES_LITERAL("neo-gas"));
    CHECK_BYTES(pattern_value(&values, "other"), BYTES_LITERAL("\xc3\xa9"));
    CHECK_NUMBER(pattern_value(&values, "none").size, 0);
    CHECK(!matches("/x/:pair", "/x/"));
    CHECK(!matches("/x/:pair", "/x/a%2fb"));
    CHECK(!matches("/x/:pair", "/x/a%00b"));
    CHECK(!matches("/x/:pair", "/x/%ff"));
    char path[GATEWAY_PARAMETER_SIZE_MAX + 8] = "/x/";
    memset(path + 3, 'a', GATEWAY_PARAMETER_SIZE_MAX);
    CHECK(matches("/x/:pair", path));
    path[3 + GATEWAY_PARAMETER_SIZE_MAX] = 'a';
    CHECK(!matches("/x/:pair", path));
    CHECK(!matches("/:a/:b/:c/:d/:e/:f/:g/:h/:i", "/1/2/3/4/5/6/7/8/9"));
}

static void takes_the_rest(void)
{
    REQUIRE(matches("/files/*", "/files/a/b%2fc/"));
    CHECK_BYTES(pattern_value(&values, "*"), BYTES_LITERAL("a/b%2fc/"));
    CHECK(matches("/files/*", "/files/") && matches("/files/*", "/files"));
    CHECK(!matches("/files/*", "/file"));
    CHECK(matches("/*", "/") && matches("/:a/*", "/b/c"));
}

static void refuses_dots(void)
{
    static const char *const bad[] = { "/.",       "/..",      "/a/../b",   "/a/%2e%2e/b",
                                       "/a/.%2E/", "/%2e",     "/a%00",     "/a/b/%2e./c",
                                       "/..",      "/./././.", "/x/%00/../" };
    static const char *const good[] = { "/", "/...", "/.a", "/a..", "/..a/b", "//", "/%2e%2e%2e" };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        CHECK_NOTE(!path_is_safe(bytes_of_string(bad[i])), "%s", bad[i]);
    for (size_t i = 0; i < ARRAY_COUNT(good); i++)
        CHECK_NOTE(path_is_safe(bytes_of_string(good[i])), "%s", good[i]);
}

static void prefers_the_more_static(void)
{
    static const char *const order[] = { "/a/b/c",   "/a/b/:x", "/a/b/*",  "/a/:x/c",
                                         "/a/:x/:y", "/a/:x/*", "/:x/b/c", "/*" };
    for (size_t i = 0; i < ARRAY_COUNT(order); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(order); j++)
            CHECK_NOTE(pattern_precedes(order[i], order[j]) == (i < j), "%s %s", order[i],
                       order[j]);
    }
    CHECK(pattern_precedes("/a", "/a/*") && !pattern_precedes("/a/*", "/a"));
}

static void checks_patterns(void)
{
    struct error error;
    char longest[GATEWAY_PATTERN_SIZE_MAX + 1] = "/";
    memset(longest + 1, 'a', GATEWAY_PATTERN_SIZE_MAX - 2);
    CHECK(pattern_check(longest, &error));
    longest[GATEWAY_PATTERN_SIZE_MAX - 1] = 'a';
    CHECK(!pattern_check(longest, &error));
    CHECK(!pattern_check("", &error) && !pattern_check("a", &error));
    CHECK(!pattern_check("/*/a", &error) && pattern_check("/a/*", &error));
    CHECK(!pattern_check("/:a/:b/:c/:d/:e/:f/:g/:h/:i", &error));
}

static const struct test tests[] = {
    TEST(matches_segments), TEST(takes_parameters),        TEST(takes_the_rest),
    TEST(refuses_dots),     TEST(prefers_the_more_static), TEST(checks_patterns),
};
TEST_MAIN(tests)
