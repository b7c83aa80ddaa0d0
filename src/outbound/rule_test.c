/* SPDX-License-Identifier: Apache-2.0 */
#include "outbound/rule.h"
#include "tests/harness.h"

static bool permits(const char *line, enum http_method method, const char *text)
{
    struct rule rule;
    struct url url;
    struct error error = { 0 };
    bool is_read = rule_parse(&rule, bytes_of_string(line), &error) &&
                   url_parse(&url, bytes_of_string(text), &error);
    CHECK_NOTE(is_read, "%s, %s: %s", line, text, error.text);
    return is_read && rule_has(&rule, method, &url);
}

static bool asks(const char *line, const char *text)
{
    return permits(line, HTTP_METHOD_GET, text);
}

static void permits_methods(void)
{
    CHECK(asks("https://a.example", "https://a.example/"));
    CHECK(permits("https://a.example", HTTP_METHOD_HEAD, "https://a.example/"));
    CHECK(!permits("https://a.example", HTTP_METHOD_POST, "https://a.example/"));
    CHECK(permits("POST https://a.example", HTTP_METHOD_POST, "https://a.example/"));
    CHECK(!asks("POST https://a.example", "https://a.example/"));
    CHECK(permits("GET,PUT,DELETE https://a.example", HTTP_METHOD_DELETE, "https://a.example/"));
    CHECK(!permits("GET,PUT https://a.example", HTTP_METHOD_DELETE, "https://a.example/"));
}

static void permits_hosts(void)
{
    CHECK(!asks("https://a.example", "https://b.a.example/"));
    CHECK(!asks("https://a.example", "https://aa.example/"));
    CHECK(!asks("https://a.example", "https://a.example.b.example/"));
    CHECK(asks("https://A.Example", "https://a.example/"));
    CHECK(asks("https://*.a.example", "https://b.a.example/"));
    CHECK(asks("https://*.a.example", "https://c.b.a.example/"));
    CHECK(!asks("https://*.a.example", "https://a.example/"));
    CHECK(!asks("https://*.a.example", "https://ba.example/"));
    CHECK(asks("https://10.0.0.1", "https://10.0.0.1/"));
    CHECK(asks("https://[::1]", "https://[0:0:0:0:0:0:0:1]/"));
    CHECK(!asks("https://[::1]", "https://[::2]/"));
}

static void permits_schemes_and_ports(void)
{
    CHECK(!asks("https://a.example", "http://a.example/"));
    CHECK(!asks("http://a.example", "https://a.example/"));
    CHECK(!asks("https://a.example", "https://a.example:8443/"));
    CHECK(asks("https://a.example:8443", "https://a.example:8443/"));
    CHECK(!asks("https://a.example:8443", "https://a.example/"));
    CHECK(asks("https://a.example:443", "https://a.example/"));
    CHECK(!asks("http://a.example:443", "https://a.example/"));
}

static void permits_paths(void)
{
    CHECK(asks("https://a.example/v1", "https://a.example/v1"));
    CHECK(asks("https://a.example/v1", "https://a.example/v1?x=/../"));
    CHECK(asks("https://a.example/v1", "https://a.example/v1/x"));
    CHECK(!asks("https://a.example/v1", "https://a.example/v10"));
    CHECK(!asks("https://a.example/v1", "https://a.example/V1"));
    CHECK(!asks("https://a.example/v1", "https://a.example/"));
    CHECK(!asks("https://a.example/v1", "https://a.example/?/v1"));
    CHECK(asks("https://a.example/v1/", "https://a.example/v1/x"));
    CHECK(!asks("https://a.example/v1/", "https://a.example/v1"));
    /* Whatever a server may take for a separator. */
    CHECK(!asks("https://a.example/v1", "https://a.example/v1%2fx"));
    CHECK(!asks("https://a.example/v1", "https://a.example/v1/x%2Fy"));
    CHECK(!asks("https://a.example/v1", "https://a.example/v1/x%5Cy"));
    CHECK(asks("https://a.example", "https://a.example/v1/x%2Fy"));
}

static void refuses_bad_rules(void)
{
    static const char *const bad[] = {
        "",
        "a.example",
        "*",
        "https://*",
        "https://*.",
        "https://*.example",
        "https://*a.example",
        "https://a.*.example",
        "https://*.*.example",
        "https://*.10.0.0.1",
        "https://*.a.example/*",
        "https://a.example?x",
        "https://a.example/?x",
        "https://a.example/#x",
        "https://a.example/v1/..",
        "https://a.example:*",
        "https://u@a.example",
        "get https://a.example",
        "CONNECT https://a.example",
        "TRACE https://a.example",
        "GET,GET https://a.example",
        "GET, PUT https://a.example",
        ",GET https://a.example",
        "GET, https://a.example",
        " https://a.example",
        "GET  https://a.example",
        "GET https://a.example ",
        "GET ",
    };
    struct rule rule;
    struct error error;
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        CHECK_NOTE(!rule_parse(&rule, bytes_of_string(bad[i]), &error), "%s", bad[i]);
}

static void suggests_lines(void)
{
    char line[RULE_TEXT_SIZE];
    struct url url;
    struct error error;
    REQUIRE(url_parse(&url, BYTES_LITERAL("https://a.example:8443/secret?key=1"), &error));
    rule_suggest(line, HTTP_METHOD_GET, &url);
    CHECK_STRING(line, "https://a.example:8443");
    CHECK(permits(line, HTTP_METHOD_GET, "https://a.example:8443/secret?key=1"));
    rule_suggest(line, HTTP_METHOD_PUT, &url);
    CHECK_STRING(line, "PUT https://a.example:8443");
    CHECK(permits(line, HTTP_METHOD_PUT, "https://a.example:8443/secret?key=1"));
}

static const struct test tests[] = {
    TEST(permits_methods), TEST(permits_hosts),     TEST(permits_schemes_and_ports),
    TEST(permits_paths),   TEST(refuses_bad_rules), TEST(suggests_lines),
};
TEST_MAIN(tests)
