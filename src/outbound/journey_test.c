/* SPDX-License-Identifier: Apache-2.0 */
/* Where requests may lead: rules, redirects, names and addresses. */
#include "outbound/test_world.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOVED(status, to)                                                                          \
    BYTES_LITERAL("HTTP/1.1 " status " Moved\r\nLocation: " to "\r\n"                              \
                  "Content-Length: 0\r\n\r\n")

static const struct page pages[] = {
    { "/a", BYTES_LITERAL("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"), PAGE_CLOSE, NULL },
    { "/b/c", BYTES_LITERAL("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nc"), PAGE_CLOSE, NULL },
    { "/301", MOVED("301", "/a"), PAGE_CLOSE, NULL },
    { "/302", MOVED("302", "b/./c"), PAGE_CLOSE, NULL },
    { "/303", MOVED("303", "/a#part"), PAGE_CLOSE, NULL },
    { "/307", MOVED("307", "/a"), PAGE_CLOSE, NULL },
    { "/308", MOVED("308", "/a"), PAGE_CLOSE, NULL },
    { "/300", MOVED("300", "/a"), PAGE_CLOSE, NULL },
    { "/304", MOVED("304", "/a"), PAGE_CLOSE, NULL },
    { "/loop", MOVED("302", "/loop"), PAGE_CLOSE, NULL },
    { "/metadata", MOVED("302", "http://169.254.169.254/latest/meta-data/"), PAGE_CLOSE, NULL },
    { "/loopback", MOVED("307", "http://127.0.0.2/"), PAGE_CLOSE, NULL },
    { "/mapped", MOVED("302", "http://[::ffff:127.0.0.1]/"), PAGE_CLOSE, NULL },
    { "/decimal", MOVED("302", "http://2130706433/"), PAGE_CLOSE, NULL },
    { "/file", MOVED("302", "file:///etc/passwd"), PAGE_CLOSE, NULL },
    { "/gopher", MOVED("302", "gopher://127.0.0.1:25/_x"), PAGE_CLOSE, NULL },
    { "/elsewhere", MOVED("302", "http://other.test/"), PAGE_CLOSE, NULL },
    { "/user", MOVED("302", "http://u:p@127.0.0.1/"), PAGE_CLOSE, NULL },
    { "/split", MOVED("302", "/a\tb"), PAGE_CLOSE, NULL },
};

/* Rules that permit all that the test has. */
static const struct outbound_request open_request = {
    .rules = { BYTES_LITERAL("GET,HEAD,POST,PUT http://127.0.0.1:~"),
               BYTES_LITERAL("GET,POST http://169.254.169.254"), BYTES_LITERAL("http://127.0.0.2"),
               BYTES_LITERAL("http://[::ffff:127.0.0.1]"), BYTES_LITERAL("http://*.names.test:~"),
               BYTES_LITERAL("GET,POST http://one.test:~"), BYTES_LITERAL("http://localhost:~"),
               BYTES_LITERAL("http://hosts.test:~") },
    .rule_count = 8,
};

static void follows_redirects(void)
{
    static const struct {
        const char *path;
        enum http_method method;
        const char *line; /* the last request's */
        bool has_body;
    } rows[] = {
        { "/301", HTTP_METHOD_GET, "GET /a ", false },
        { "/301", HTTP_METHOD_POST, "GET /a ", false },
        { "/302", HTTP_METHOD_GET, "GET /b/c ", false },
        { "/302", HTTP_METHOD_POST, "GET /b/c ", false },
        { "/302", HTTP_METHOD_PUT, "PUT /b/c ", true },
        { "/302", HTTP_METHOD_HEAD, "HEAD /b/c ", false },
        { "/303", HTTP_METHOD_POST, "GET /a ", false },
        { "/303", HTTP_METHOD_PUT, "GET /a ", false },
        { "/303", HTTP_METHOD_HEAD, "HEAD /a ", false },
        { "/307", HTTP_METHOD_POST, "POST /a ", true },
        { "/308", HTTP_METHOD_PUT, "PUT /a ", true },
    };
    static struct test_world world;
    struct outcome outcome;
    char url[64];
    world_open(&world, pages, ARRAY_COUNT(pages), NULL, 0);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct outbound_request request = open_request;
        request.method = rows[i].method;
        bool has_body = rows[i].method == HTTP_METHOD_POST || rows[i].method == HTTP_METHOD_PUT;
        request.body = has_body ? BYTES_LITERAL("the body") : (struct bytes){ 0 };
        request.fields[0] = HTTP_FIELD("content-type", BYTES_LITERAL("text/plain"));
        request.fields[1] = HTTP_FIELD("authorization", BYTES_LITERAL("Bearer t"));
        request.field_count = 2;
        snprintf(url, sizeof(url), "http://127.0.0.1:~%s", rows[i].path);
        world_fetch(&world, &outcome, url, &request);
        CHECK_NOTE(outcome.is_answered, "%s: %s", rows[i].path, outcome.error.text);
        CHECK_NOTE(strncmp(world.request, rows[i].line, strlen(rows[i].line)) == 0, "%zu: %.40s", i,
                   world.request);
        CHECK((strstr(world.request, "the body") != NULL) == rows[i].has_body);
        bool is_get = strncmp(world.request, "GET", 3) == 0;
        if (has_body)
            CHECK((strstr(world.request, "text/plain") == NULL) == is_get);
        /* The same origin may see who asks. */
        CHECK(strstr(world.request, "authorization: Bearer t") != NULL);
    }
    /* Statuses that lead nowhere, and functions that want to see for themselves. */
    world_fetch(&world, &outcome, "http://127.0.0.1:~/300", &open_request);
    CHECK_NUMBER(outcome.status, 300);
    world_fetch(&world, &outcome, "http://127.0.0.1:~/304", &open_request);
    CHECK_NUMBER(outcome.status, 304);
    struct outbound_request manual = open_request;
    manual.is_manual = true;
    world_fetch(&world, &outcome, "http://127.0.0.1:~/302", &manual);
    CHECK_NUMBER(outcome.status, 302);
    CHECK_STRING(outcome.fields, "location: b/./c\n");
    world_close(&world);
}

static void checks_every_hop(void)
{
    static const struct {
        const char *path;
        enum error_code code;
        const char *text;
    } rows[] = {
        { "/loop", ERROR_LIMIT, "more than 5 redirects" },
        { "/metadata", ERROR_UNSUPPORTED, "metadata" },
        { "/loopback", ERROR_UNSUPPORTED, "loopback" },
        { "/mapped", ERROR_UNSUPPORTED, "stands for an IPv4" },
        { "/decimal", ERROR_INVALID, "no address" },
        { "/file", ERROR_INVALID, "no URL" },
        { "/gopher", ERROR_INVALID, "no URL" },
        { "/elsewhere", ERROR_DENIED, "no line of permissions.http has \"http://other.test\"" },
        { "/user", ERROR_INVALID, "user" },
        { "/split", ERROR_INVALID, "no path" },
    };
    static struct test_world world;
    struct outcome outcome;
    char url[64];
    world_open(&world, pages, ARRAY_COUNT(pages), NULL, 0);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        snprintf(url, sizeof(url), "http://127.0.0.1:~%s", rows[i].path);
        world_fetch(&world, &outcome, url, &open_request);
        CHECK_NOTE(!outcome.is_answered && outcome.error.code == rows[i].code &&
                       strstr(outcome.error.text, rows[i].text) != NULL,
                   "%s: %s", rows[i].path, outcome.error.text);
    }
    CHECK_NUMBER(world.request_count, ARRAY_COUNT(rows) + 5);
    world_close(&world);
}

static void checks_the_first_request(void)
{
    static const struct {
        const char *url;
        enum http_method method;
        enum error_code code;
    } rows[] = {
        { "http://169.254.169.254/", HTTP_METHOD_GET, ERROR_UNSUPPORTED },
        { "http://127.0.0.2/", HTTP_METHOD_GET, ERROR_UNSUPPORTED },
        { "http://127.0.0.1:1/", HTTP_METHOD_GET, ERROR_DENIED },
        { "https://127.0.0.1:~/a", HTTP_METHOD_GET, ERROR_DENIED },
        { "http://127.0.0.1:~/a", HTTP_METHOD_OPTIONS, ERROR_DENIED },
        { "http://127.0.0.1:~/../a", HTTP_METHOD_GET, ERROR_INVALID },
        { "http://127.1:~/a", HTTP_METHOD_GET, ERROR_INVALID },
        { "file:///etc/passwd", HTTP_METHOD_GET, ERROR_INVALID },
    };
    static struct test_world world;
    struct outcome outcome;
    world_open(&world, pages, ARRAY_COUNT(pages), NULL, 0);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct outbound_request request = open_request;
        request.method = rows[i].method;
        world_fetch(&world, &outcome, rows[i].url, &request);
        CHECK_NOTE(!outcome.is_answered && outcome.error.code == rows[i].code, "%s: %s",
                   rows[i].url, outcome.error.text);
    }
    struct outbound_request request = open_request;
    request.fields[0] = HTTP_FIELD("host", BYTES_LITERAL("other.test"));
    request.field_count = 1;
    world_fetch(&world, &outcome, "http://127.0.0.1:~/a", &request);
    CHECK(!outcome.is_answered && outcome.error.code == ERROR_INVALID);
    CHECK_NUMBER(world.request_count, 0);
    world_close(&world);
}

static void checks_names(void)
{
    static struct zone zones[] = {
        { "good.names.test", "127.0.0.1", NULL, 0 },
        { "both.names.test", "127.0.0.1 10.0.0.1", NULL, 0 },
        { "private.names.test", "192.168.1.1", NULL, 0 },
        { "cgnat.names.test", "100.64.0.1", NULL, 0 },
        { "metadata.names.test", "169.254.169.254", NULL, 0 },
        { "mapped.names.test", "::ffff:127.0.0.1", NULL, 0 },
        { "nat64.names.test", "127.0.0.1 64:ff9b::7f00:1", NULL, 0 },
        { "six.names.test", "::1", NULL, 0 },
        { "zero.names.test", "0.0.0.0", NULL, 0 },
        { "empty.names.test", "", NULL, 0 },
    };
    static const struct {
        const char *name;
        enum error_code code; /* NONE: answered */
    } rows[] = {
        { "good.names.test", ERROR_NONE },
        { "both.names.test", ERROR_UNSUPPORTED },
        { "private.names.test", ERROR_UNSUPPORTED },
        { "cgnat.names.test", ERROR_UNSUPPORTED },
        { "metadata.names.test", ERROR_UNSUPPORTED },
        { "mapped.names.test", ERROR_UNSUPPORTED },
        { "nat64.names.test", ERROR_UNSUPPORTED },
        { "six.names.test", ERROR_UNSUPPORTED },
        { "zero.names.test", ERROR_UNSUPPORTED },
        { "empty.names.test", ERROR_NOT_FOUND },
        { "absent.names.test", ERROR_NOT_FOUND },
        { "localhost", ERROR_UNSUPPORTED }, /* has ::1, too */
        { "hosts.test", ERROR_NONE },
    };
    static struct test_world world;
    struct outcome outcome;
    char url[64];
    world_open(&world, pages, ARRAY_COUNT(pages), zones, ARRAY_COUNT(zones));
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        snprintf(url, sizeof(url), "http://%s:~/a", rows[i].name);
        world_fetch(&world, &outcome, url, &open_request);
        CHECK_NOTE(outcome.error.code == rows[i].code &&
                       outcome.is_answered == (rows[i].code == ERROR_NONE),
                   "%s: %s", rows[i].name, outcome.error.text);
    }
    CHECK_NUMBER(world.request_count, 2);
    world_close(&world);
}

/* A name that leads to an allowed address when it is checked and elsewhere when it is asked for
 * again: each request asks once, and what was checked is what is connected to. */
static void is_not_fooled_by_rebinding(void)
{
    static struct zone zones[] = {
        { "turns.names.test", "127.0.0.1", "169.254.169.254", 0 },
        { "back.names.test", "10.0.0.1", "127.0.0.1", 0 },
    };
    static struct test_world world;
    struct outcome outcome;
    world_open(&world, pages, ARRAY_COUNT(pages), zones, ARRAY_COUNT(zones));
    world_fetch(&world, &outcome, "http://turns.names.test:~/a", &open_request);
    CHECK_NOTE(outcome.is_answered, "%s", outcome.error.text);
    CHECK_NUMBER(zones[0].asked, 1);
    world_fetch(&world, &outcome, "http://turns.names.test:~/a", &open_request);
    CHECK(!outcome.is_answered && outcome.error.code == ERROR_UNSUPPORTED);
    world_fetch(&world, &outcome, "http://back.names.test:~/a", &open_request);
    CHECK(!outcome.is_answered && outcome.error.code == ERROR_UNSUPPORTED);
    world_fetch(&world, &outcome, "http://back.names.test:~/a", &open_request);
    CHECK(outcome.is_answered); /* nothing was kept of the first look */
    world_close(&world);
}

static void credentials_stay_at_home(void)
{
    static struct zone zones[] = { { "one.test", "127.0.0.1", NULL, 0 } };
    static struct test_world world;
    char text[256];
    struct page moving[] = {
        { "/away", BYTES_LITERAL(""), PAGE_CLOSE, NULL },
        { "/a", pages[0].text, PAGE_CLOSE, NULL },
    };
    struct outcome outcome;
    struct outbound_request request = open_request;
    world_open(&world, moving, ARRAY_COUNT(moving), zones, 1);
    snprintf(text, sizeof(text),
             "HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:%u/a\r\nContent-Length: 0\r\n\r\n",
             world.web_port);
    moving[0].text = bytes_of_string(text);
    request.method = HTTP_METHOD_POST;
    request.body = BYTES_LITERAL("{}");
    request.fields[0] = HTTP_FIELD("authorization", BYTES_LITERAL("Bearer secret-token"));
    request.fields[1] = HTTP_FIELD("cookie", BYTES_LITERAL("sid=secret"));
    request.fields[2] = HTTP_FIELD("x-api-key", BYTES_LITERAL("secret-key"));
    request.fields[3] = HTTP_FIELD("accept", BYTES_LITERAL("text/plain"));
    request.fields[4] = HTTP_FIELD("content-type", BYTES_LITERAL("application/json"));
    request.field_count = 5;
    world_fetch(&world, &outcome, "http://one.test:~/away", &request);
    CHECK_NOTE(outcome.is_answered, "%s", outcome.error.text);
    CHECK(strncmp(world.request, "POST /a ", 8) == 0);
    CHECK(strstr(world.request, "secret") == NULL);
    CHECK(strstr(world.request, "accept: text/plain") != NULL);
    CHECK(strstr(world.request, "content-type: application/json") != NULL);
    CHECK(strstr(world.request, "{}") != NULL);
    world_close(&world);
}

/* What libcurl alone would take. */
static void refuses_answers_of_two_readings(void)
{
#define OK "HTTP/1.1 200 OK\r\n"
    static const struct page odd[] = {
        { "/one", BYTES_LITERAL(OK "Content-Length: 5\r\n\r\nhello"), PAGE_CLOSE, NULL },
        { "/chunks", BYTES_LITERAL(OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
          PAGE_CLOSE, NULL },
        { "/interim",
          BYTES_LITERAL("HTTP/1.1 103 Early\r\nContent-Length: 5\r\n\r\n" OK
                        "Content-Length: 5\r\n\r\nhello"),
          PAGE_CLOSE, NULL },
        { "/two", BYTES_LITERAL(OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
          PAGE_CLOSE, NULL },
        { "/both",
          BYTES_LITERAL(OK "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "5\r\nhello\r\n0\r\n\r\n"),
          PAGE_CLOSE, NULL },
        { "/reversed",
          BYTES_LITERAL(OK "transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n"
                           "5\r\nhello\r\n0\r\n\r\n"),
          PAGE_CLOSE, NULL },
        { "/huge", BYTES_LITERAL(OK "Content-Length: 99999999999999999999\r\n\r\nhello"),
          PAGE_CLOSE, NULL },
        { "/list", BYTES_LITERAL(OK "Content-Length: 5, 5\r\n\r\nhello"), PAGE_CLOSE, NULL },
        { "/return", BYTES_LITERAL(OK "X: a\rContent-Length: 3\r\nContent-Length: 5\r\n\r\nhello"),
          PAGE_CLOSE, NULL },
    };
    static struct test_world world;
    struct outcome outcome;
    world_open(&world, odd, ARRAY_COUNT(odd), NULL, 0);
    for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
        char url[64];
        snprintf(url, sizeof(url), "http://127.0.0.1:~%s", odd[i].path);
        world_fetch(&world, &outcome, url, &open_request);
        CHECK_NOTE(outcome.is_answered == (i < 3), "%s: %s", odd[i].path, outcome.error.text);
        CHECK_NOTE(i < 3 || outcome.error.code == ERROR_INVALID, "%s: %s", odd[i].path,
                   outcome.error.text);
    }
    world_close(&world);
}

static const struct test tests[] = {
    TEST(follows_redirects),
    TEST(checks_every_hop),
    TEST(checks_the_first_request),
    TEST(checks_names),
    TEST(is_not_fooled_by_rebinding),
    TEST(credentials_stay_at_home),
    TEST(refuses_answers_of_two_readings),
};
TEST_MAIN(tests)
