/* SPDX-License-Identifier: Apache-2.0 */
#include "outbound/url.h"
#include "tests/harness.h"

#include <string.h>

static bool parses_to(const char *text, const char *expected)
{
    struct url url;
    struct error error;
    char written[URL_TEXT_SIZE];
    if (!url_parse(&url, bytes_of_string(text), &error)) {
        test_note("%s: %s", text, error.text);
        return false;
    }
    url_write(written, &url);
    if (strcmp(written, expected) != 0)
        test_note("%s became %s", text, written);
    return strcmp(written, expected) == 0;
}

static void writes_one_form(void)
{
    CHECK(parses_to("https://a.example", "https://a.example/"));
    CHECK(parses_to("HTTPS://A.Example:443/P?q=/?x", "https://a.example/P?q=/?x"));
    CHECK(parses_to("http://a.example:80", "http://a.example/"));
    CHECK(parses_to("http://a.example:443", "http://a.example:443/"));
    CHECK(parses_to("https://a.example?x", "https://a.example/?x"));
    CHECK(parses_to("https://10.0.0.1:8443/", "https://10.0.0.1:8443/"));
    CHECK(parses_to("https://[2001:DB8:0:0::1]:1/a", "https://[2001:db8::1]:1/a"));
    CHECK(
        parses_to("https://xn--bcher-kva.example/%C3%BC", "https://xn--bcher-kva.example/%C3%BC"));
    CHECK(parses_to("https://a_b.example/..a/a../...", "https://a_b.example/..a/a../..."));
    CHECK(parses_to("https://a.example/?..", "https://a.example/?.."));
    CHECK(parses_to("https://a.example/a;b=../c", "https://a.example/a;b=../c"));
}

static const char *const bad[] = {
    "",
    "a.example",
    "https:a.example",
    "https:/a.example",
    "ftp://a.example/",
    "file:///etc/passwd",
    "https://",
    "https:///path",
    "https://user@a.example/",
    "https://user:pass@a.example/",
    "https://a.example@b.example/",
    "https://a.example#x",
    "https://a.example/#x",
    "https://a b.example/",
    "https://a.example/a b",
    "https://a.example/\xc3\xbc",
    "https://b\xc3\xbc.example/",
    "https://a.example\\@b.example/",
    "https://a.example/\\x",
    "https://a..example/",
    "https://.example/",
    "https://a.example./",
    "https://-a.example/",
    "https://a-.example/",
    "https://a.example:",
    "https://a.example:0/",
    "https://a.example:080/",
    "https://a.example:65536/",
    "https://a.example:99999999999999999999/",
    "https://a.example:+80/",
    "https://a.example: 80/",
    "https://a.example/%",
    "https://a.example/%1",
    "https://a.example/%zz",
    "https://a.example/%00",
    "https://a.example/?%",
    "https://a.example/.",
    "https://a.example/..",
    "https://a.example/a/../b",
    "https://a.example/a/./b",
    "https://a.example/%2e%2e/b",
    "https://a.example/.%2E/b",
    "https://a.example/a%2f..%2fb",
    "https://a.example/a%5c..%5cb",
    "https://a.example/..;/b",
    "https://a.example/..;x=1/b",
    "https://a.example/%2e%2e%3b/b",
    /* What resolvers would take for an address. */
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://127.0.0.0x1/",
    "https://0177.0.0.1/",
    "https://127.0.0.01/",
    "https://127.0.0.256/",
    "https://1.2.3.4.5/",
    "https://a.example.1/",
    "https://127.0.0.1./",
    "https://[::1/",
    "https://[::1]a/",
    "https://[::1%25lo]/",
    "https://[::1%lo]/",
    "https://[127.0.0.1]/",
    "https://[a.example]/",
    "https://::1/",
    "https://[]/",
};

static void refuses_what_is_no_url(void)
{
    struct url url;
    struct error error;
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        CHECK_NOTE(!url_parse(&url, bytes_of_string(bad[i]), &error), "%s", bad[i]);
    CHECK(!url_parse(&url, bytes_of("https://a.example/\0b", 20), &error));
    CHECK(!url_parse(&url, bytes_of("https://a\0.example/", 19), &error));
}

static void bounds_hosts_and_urls(void)
{
    char text[2 * URL_SIZE_MAX];
    struct url url;
    struct error error;
    memset(text, 'a', sizeof(text));
    memcpy(text, "https://", 8);
    for (size_t i = 8 + 63; i < 8 + 253; i += 64)
        text[i] = '.';
    CHECK(url_parse(&url, bytes_of(text, 8 + 253), &error));
    CHECK(!url_parse(&url, bytes_of(text, 8 + 254), &error));
    text[8 + 63] = 'a'; /* a label of 127 */
    CHECK(!url_parse(&url, bytes_of(text, 8 + 253), &error));
    memcpy(text + 8, "b/", 2);
    memset(text + 10, 'a', sizeof(text) - 10);
    CHECK(url_parse(&url, bytes_of(text, URL_SIZE_MAX), &error));
    CHECK(!url_parse(&url, bytes_of(text, URL_SIZE_MAX + 1), &error));
    CHECK(error.code == ERROR_LIMIT);
}

static void truncations_and_flips_never_crash(void)
{
    static const char good[] = "https://[2001:db8::1]:8443/a%20b/c?d=%41";
    struct url url, again;
    struct error error;
    char written[URL_TEXT_SIZE];
    for (size_t size = 0; size < sizeof(good); size++)
        for (unsigned bit = 0; bit <= 8; bit++) {
            char text[sizeof(good)];
            memcpy(text, good, sizeof(good));
            if (size > 0 && bit < 8)
                text[size - 1] = (char)(text[size - 1] ^ (1 << bit));
            if (!url_parse(&url, bytes_of(text, bit < 8 ? sizeof(good) - 1 : size), &error))
                continue;
            url_write(written, &url);
            CHECK(url_parse(&again, bytes_of_string(written), &error));
            CHECK(url_same_origin(&url, &again) && strcmp(url.target, again.target) == 0);
        }
}

static void resolves_references(void)
{
    /* RFC 3986 section 5.4, with fragments dropped. */
    static const struct {
        const char *reference, *expected;
    } rows[] = {
        { "g", "http://a/b/c/g" },
        { "./g", "http://a/b/c/g" },
        { "g/", "http://a/b/c/g/" },
        { "/g", "http://a/g" },
        { "//g", "http://g/" },
        { "?y", "http://a/b/c/d;p?y" },
        { "g?y", "http://a/b/c/g?y" },
        { "#s", "http://a/b/c/d;p?q" },
        { "g#s", "http://a/b/c/g" },
        { "g?y#s", "http://a/b/c/g?y" },
        { ";x", "http://a/b/c/;x" },
        { "", "http://a/b/c/d;p?q" },
        { ".", "http://a/b/c/" },
        { "./", "http://a/b/c/" },
        { "..", "http://a/b/" },
        { "../g", "http://a/b/g" },
        { "../..", "http://a/" },
        { "../../g", "http://a/g" },
        { "../../../g", "http://a/g" },
        { "/./g", "http://a/g" },
        { "/../g", "http://a/g" },
        { "g.", "http://a/b/c/g." },
        { "..g", "http://a/b/c/..g" },
        { "./../g", "http://a/b/g" },
        { "g/./h", "http://a/b/c/g/h" },
        { "g/../h", "http://a/b/c/h" },
        { "g?y/../x", "http://a/b/c/g?y/../x" },
        { "https://b.example", "https://b.example/" },
        { "https://b.example/x/../y?../z", "https://b.example/y?../z" },
        { "//b.example:81/./x", "http://b.example:81/x" },
    };
    struct url base, url;
    struct error error;
    char text[URL_TEXT_SIZE];
    REQUIRE(url_parse(&base, BYTES_LITERAL("http://a/b/c/d;p?q"), &error));
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        bool is_read = url_resolve(&url, &base, bytes_of_string(rows[i].reference), &error);
        CHECK_NOTE(is_read, "%s: %s", rows[i].reference, error.text);
        if (!is_read)
            continue;
        url_write(text, &url);
        CHECK_STRING(text, rows[i].expected);
    }
}

static void references_are_read_strictly(void)
{
    static const char *const wrong[] = {
        "ftp://b/", "javascript:alert(1)", "http://u@b/", "/%2e%2e/x", "\\\\b\\x",
        "/a b",     "https://127.1",       "http:g",      "///g"
    };
    struct url base, url;
    struct error error;
    REQUIRE(url_parse(&base, BYTES_LITERAL("http://a/b/c/d;p?q"), &error));
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        CHECK_NOTE(!url_resolve(&url, &base, bytes_of_string(wrong[i]), &error), "%s", wrong[i]);
    CHECK(!url_resolve(&url, &base, bytes_of("/a\0b", 4), &error));
    CHECK(!url_resolve(&url, &base, bytes_of("http://a\0b/", 11), &error));
}

static void knows_origins(void)
{
    struct url a, b;
    struct error error;
    REQUIRE(url_parse(&a, BYTES_LITERAL("https://a.example/x"), &error));
    REQUIRE(url_parse(&b, BYTES_LITERAL("https://A.example:443/y"), &error));
    CHECK(url_same_origin(&a, &b));
    REQUIRE(url_parse(&b, BYTES_LITERAL("http://a.example:443/x"), &error));
    CHECK(!url_same_origin(&a, &b));
    REQUIRE(url_parse(&b, BYTES_LITERAL("https://a.example:444/x"), &error));
    CHECK(!url_same_origin(&a, &b));
    REQUIRE(url_parse(&b, BYTES_LITERAL("https://b.a.example/x"), &error));
    CHECK(!url_same_origin(&a, &b));
}

static const struct test tests[] = {
    TEST(writes_one_form),       TEST(refuses_what_is_no_url),
    TEST(bounds_hosts_and_urls), TEST(truncations_and_flips_never_crash),
    TEST(resolves_references),   TEST(references_are_read_strictly),
    TEST(knows_origins),
};
TEST_MAIN(tests)
