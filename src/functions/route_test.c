/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/route.h"
#include "tests/harness.h"

static void checks_patterns(void)
{
    static const char *const good[] = { "/", "/a", "/a/", "/:a/b", "/a/*", "/*", "/a.b~c_d-e" };
    static const char *const bad[] = {
        "",   "a",     "//a", "/a//b", "/*/a", "/a b", "/a%2",
        "/:", "/:a:b", "/..", "/a/.",  "/a?b", "/a*",  "/:a/:b/:c/:d/:e/:f/:g/:h/:i"
    };
    struct error error;
    for (size_t i = 0; i < ARRAY_COUNT(good); i++)
        CHECK_NOTE(route_check(good[i], &error), "%s: %s", good[i], error.text);
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        CHECK_NOTE(!route_check(bad[i], &error), "%s", bad[i]);
    CHECK(route_is_same("/a/:b", "/a/:c"));
    CHECK(!route_is_same("/a/:b", "/a/c"));
    CHECK(!route_is_same("/a", "/a/"));
    CHECK(route_is_same("/*", "/*"));
}

static const struct test tests[] = {
    TEST(checks_patterns),
};

TEST_MAIN(tests)
