/* SPDX-License-Identifier: Apache-2.0 */
/* Requests through the line, the process and a server that misbehaves. */
#include "outbound/head.h"
#include "outbound/test_world.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define OK_HEAD  "HTTP/1.1 200 OK\r\n"
#define ANY_RULE BYTES_LITERAL("GET,HEAD,POST,PUT http://127.0.0.1:~")

static const struct page pages[] = {
    { "/plain",
      BYTES_LITERAL(OK_HEAD "Content-Length: 5\r\nX-Mine: a  b\r\nSet-Cookie: c=1\r\n"
                            "Connection: close\r\nKeep-Alive: 1\r\nS3N-Odd: x\r\n\r\nhello"),
      PAGE_CLOSE, NULL },
    { "/interim",
      BYTES_LITERAL("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n" OK_HEAD
                    "Content-Length: 2\r\nX-Late: 1\r\n\r\nok"),
      PAGE_CLOSE, NULL },
    { "/trailers",
      BYTES_LITERAL(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Tail: 1\r\n\r\n"),
      PAGE_CLOSE, NULL },
    { "/nothing", BYTES_LITERAL(""), PAGE_CLOSE, NULL },
    { "/hang", BYTES_LITERAL(""), PAGE_HANG, NULL },
    { "/half-head", BYTES_LITERAL(OK_HEAD "Content-Le"), PAGE_HANG, NULL },
    { "/half-body", BYTES_LITERAL(OK_HEAD "Content-Length: 5\r\n\r\nhel"), PAGE_CLOSE, NULL },
    { "/drip", BYTES_LITERAL(OK_HEAD "Content-Length: 99999\r\n\r\n"), PAGE_DRIP, "x" },
    { "/endless-line", BYTES_LITERAL(OK_HEAD "X: "), PAGE_FOREVER, "xxxxxxxxxxxxxxxxxxxxxxxxxxxx" },
    { "/endless-head", BYTES_LITERAL(OK_HEAD), PAGE_FOREVER,
      "X-Filler: yyyyyyyyyyyyyyyyyyyyyy\r\n" },
    { "/endless-interim", BYTES_LITERAL(""), PAGE_FOREVER, "HTTP/1.1 100 Continue\r\n\r\n" },
    { "/endless-body", BYTES_LITERAL(OK_HEAD "\r\n"), PAGE_FOREVER,
      "zzzzzzzzzzzzzzzzzzzzzzzzzzzzz" },
    { "/endless-chunks", BYTES_LITERAL(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"), PAGE_FOREVER,
      "4\r\nabcd\r\n" },
    { "/endless-trailers",
      BYTES_LITERAL(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"), PAGE_FOREVER,
      "X-Tail: yyyyyyyyyyyyyyyyyyyyyyyy\r\n" },
    { "/bad-chunks",
      BYTES_LITERAL(OK_HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n"), PAGE_CLOSE,
      NULL },
    { "/negative", BYTES_LITERAL(OK_HEAD "Content-Length: -1\r\n\r\nhello"), PAGE_CLOSE, NULL },
    { "/no-http", BYTES_LITERAL("SSH-2.0-OpenSSH_9\r\n"), PAGE_CLOSE, NULL },
    { "/http-0.9", BYTES_LITERAL("<html>hello</html>"), PAGE_CLOSE, NULL },
    { "/status-999", BYTES_LITERAL("HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n"), PAGE_CLOSE,
      NULL },
    { "/odd-encoding",
      BYTES_LITERAL(OK_HEAD "Content-Encoding: martian\r\nContent-Length: 2\r\n\r\n"
                            "ok"),
      PAGE_CLOSE, NULL },
    { "/bad-gzip",
      BYTES_LITERAL(OK_HEAD "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"), PAGE_CLOSE,
      NULL },
    { "/control",
      BYTES_LITERAL(OK_HEAD "X-Bad: a\x01"
                            "b\r\nX-Good: 1\r\nContent-Length: 0\r\n\r\n"),
      PAGE_CLOSE, NULL },
};

static void fetch(struct test_world *world, struct outcome *outcome, const char *path)
{
    char url[128];
    struct outbound_request request = { .rules = { ANY_RULE }, .rule_count = 1 };
    snprintf(url, sizeof(url), "http://127.0.0.1:~%s", path);
    request.timeout_ms = strcmp(path, "/plain") == 0 ? 0 : 1500;
    request.body_size_max = 64 << 10;
    world_fetch(world, outcome, url, &request);
}

static void brings_answers(void)
{
    static struct test_world world;
    struct outcome outcome;
    char url[64];
    world_open(&world, pages, ARRAY_COUNT(pages), NULL, 0);
    fetch(&world, &outcome, "/plain");
    CHECK_NOTE(outcome.is_answered, "%s", outcome.error.text);
    CHECK_NUMBER(outcome.status, 200);
    CHECK_STRING(outcome.body, "hello");
    CHECK_STRING(outcome.fields, "x-mine: a  b\nset-cookie: c=1\n");
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/plain", world.web_port);
    CHECK_STRING(outcome.url, url);
    fetch(&world, &outcome, "/interim");
    CHECK_STRING(outcome.fields, "x-late: 1\n");
    fetch(&world, &outcome, "/trailers");
    CHECK_STRING(outcome.body, "ok");
    CHECK_STRING(outcome.fields, "");
    fetch(&world, &outcome, "/absent");
    CHECK_NUMBER(outcome.status, 404);
    fetch(&world, &outcome, "/control");
    CHECK_STRING(outcome.fields, "x-good: 1\n");
    CHECK_NUMBER(world.started, 1);
    world_close(&world);
}

static void sends_what_it_is_given(void)
{
    static struct test_world world;
    struct outcome outcome;
    struct outbound_request request = {
        .method = HTTP_METHOD_POST,
        .rules = { ANY_RULE },
        .rule_count = 1,
        .fields = { HTTP_FIELD("x-one", BYTES_LITERAL("1 2")),
                    HTTP_FIELD("x-empty", BYTES_LITERAL("")) },
        .field_count = 2,
        .body = BYTES_LITERAL("a\0b"),
    };
    world_open(&world, pages, ARRAY_COUNT(pages), NULL, 0);
    world_fetch(&world, &outcome, "http://127.0.0.1:~/plain?q=/%41&x", &request);
    REQUIRE(outcome.is_answered);
    CHECK(strstr(world.request, "POST /plain?q=/%41&x HTTP/1.1\r\n") == world.request);
    CHECK(strstr(world.request, "\r\nx-one: 1 2\r\n") != NULL);
    CHECK(strstr(world.request, "\r\nx-empty:\r\n") != NULL);
    CHECK(strstr(world.request, "\r\nContent-Length: 3\r\n") != NULL);
    CHECK(strstr(world.request, "\r\nAccept-Encoding: gzip, deflate, br\r\n") != NULL);
    CHECK(strstr(world.request, "Content-Type") == NULL && strstr(world.request, "Expect") == NULL);
    CHECK(memcmp(strstr(world.request, "\r\n\r\n") + 4, "a\0b", 3) == 0);
    request.method = HTTP_METHOD_HEAD;
    request.field_count = 0;
    request.body = (struct bytes){ 0 };
    world_fetch(&world, &outcome, "http://127.0.0.1:~/plain", &request);
    CHECK(outcome.is_answered && outcome.status == 200 && outcome.body_size == 0);
    world_close(&world);
}

static void bounds_hostile_answers(void)
{
    static const struct {
        const char *path;
        enum error_code code;
    } rows[] = {
        { "/nothing", ERROR_UNAVAILABLE },    { "/hang", ERROR_TIMEOUT },
        { "/half-head", ERROR_TIMEOUT },      { "/half-body", ERROR_UNAVAILABLE },
        { "/drip", ERROR_TIMEOUT },           { "/endless-line", ERROR_LIMIT },
        { "/endless-head", ERROR_LIMIT },     { "/endless-interim", ERROR_LIMIT },
        { "/endless-body", ERROR_LIMIT },     { "/endless-chunks", ERROR_LIMIT },
        { "/endless-trailers", ERROR_LIMIT }, { "/bad-chunks", ERROR_UNAVAILABLE },
        { "/negative", ERROR_INVALID },       { "/no-http", ERROR_INVALID },
        { "/http-0.9", ERROR_INVALID },       { "/status-999", ERROR_INVALID },
        { "/odd-encoding", ERROR_INVALID },   { "/bad-gzip", ERROR_INVALID },
    };
    static struct test_world world;
    struct outcome outcome;
    world_open(&world, pages, ARRAY_COUNT(pages), NULL, 0);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        fetch(&world, &outcome, rows[i].path);
        CHECK_NOTE(!outcome.is_answered && !outcome.is_ours, "%s", rows[i].path);
        CHECK_NOTE(outcome.error.code == rows[i].code, "%s: %s %s", rows[i].path,
                   error_name(outcome.error.code), outcome.error.text);
    }
    fetch(&world, &outcome, "/plain");
    CHECK(outcome.is_answered);
    CHECK_NUMBER(world.started, 1); /* none of them ended the process */
    world_close(&world);
}

/* `size` zeros behind a head. */
static struct bytes bomb_make(unsigned size)
{
    static const char head[] = OK_HEAD "Content-Encoding: gzip\r\n\r\n";
    static char text[256 << 10];
    char command[64];
    memcpy(text, head, sizeof(head) - 1);
    snprintf(command, sizeof(command), "head -c %u /dev/zero | gzip -9", size);
    FILE *pipe = popen(command, "r");
    CHECK(pipe != NULL);
    size_t made = fread(text + sizeof(head) - 1, 1, sizeof(text) - sizeof(head), pipe);
    CHECK(pclose(pipe) == 0);
    return bytes_of(text, sizeof(head) - 1 + made);
}

static void bounds_what_is_decoded(void)
{
    static struct test_world world;
    struct page page = { "/bomb", bomb_make(50 << 20), PAGE_CLOSE, NULL };
    struct outcome outcome;
    CHECK(page.text.size < 60 << 10);
    world_open(&world, &page, 1, NULL, 0);
    fetch(&world, &outcome, "/bomb");
    CHECK(!outcome.is_answered && outcome.error.code == ERROR_LIMIT);
    page.text = bomb_make(1000);
    fetch(&world, &outcome, "/bomb");
    CHECK(outcome.is_answered && outcome.body_size == 1000);
    CHECK_STRING(outcome.fields, ""); /* not the encoding that was undone */
    world_close(&world);
}

static void serves_many_at_once(void)
{
    static struct test_world world;
    struct outcome slow, outcomes[40], refused;
    struct outbound_request request = { .rules = { ANY_RULE }, .rule_count = 1 };
    world_open(&world, pages, ARRAY_COUNT(pages), NULL, 0);
    for (size_t i = 0; i < ARRAY_COUNT(outcomes); i++)
        world_begin(&world, &outcomes[i], "http://127.0.0.1:~/plain", &request);
    for (size_t i = 0; i < ARRAY_COUNT(outcomes); i++) {
        while (!outcomes[i].is_over)
            world_turn(&world, 20);
        CHECK(outcomes[i].is_answered);
    }
    /* A full queue refuses, and what is cancelled makes room. */
    struct outcome waiting[LINE_QUEUE_COUNT_MAX];
    request.timeout_ms = 5000;
    world_begin(&world, &slow, "http://127.0.0.1:~/hang", &request);
    world_turn(&world, 0);
    for (size_t i = 0; i < ARRAY_COUNT(waiting); i++)
        world_begin(&world, &waiting[i], "http://127.0.0.1:~/plain", &request);
    world_begin(&world, &refused, "http://127.0.0.1:~/plain", &request);
    CHECK(refused.is_over && refused.error.code == ERROR_BUSY);
    for (size_t i = 0; i < ARRAY_COUNT(waiting); i++)
        line_cancel(waiting[i].ticket);
    line_cancel(slow.ticket);
    fetch(&world, &outcomes[0], "/plain"); /* the server was let go of */
    CHECK(outcomes[0].is_answered && !slow.is_over);
    world_close(&world);
}

static void survives_its_process(void)
{
    static struct test_world world;
    struct outcome first, second, third;
    struct outbound_request request = { .rules = { ANY_RULE }, .rule_count = 1 };
    world_open(&world, pages, ARRAY_COUNT(pages), NULL, 0);
    fetch(&world, &first, "/plain");
    CHECK(first.is_answered);
    /* It dies while it asks: what was under way fails, what comes then is served by another. */
    world_begin(&world, &first, "http://127.0.0.1:~/hang", &request);
    world_turn(&world, 0);
    kill(world.process, SIGKILL);
    while (!first.is_over)
        world_turn(&world, 20);
    CHECK(!first.is_answered && first.is_ours && first.error.code == ERROR_CRASHED);
    fetch(&world, &second, "/plain");
    CHECK(second.is_answered);
    CHECK_NUMBER(world.started, 2);
    /* It hangs: it is killed, after the request's own limit. */
    request.timeout_ms = 200;
    kill(world.process, SIGSTOP);
    world_begin(&world, &first, "http://127.0.0.1:~/plain", &request);
    while (!first.is_over)
        world_turn(&world, 100);
    CHECK(!first.is_answered && first.is_ours);
    CHECK_NUMBER(world.killed, 1);
    fetch(&world, &second, "/plain");
    CHECK(second.is_answered);
    /* There is none to be had. */
    kill(world.process, SIGKILL);
    world.is_refusing = true;
    world_begin(&world, &third, "http://127.0.0.1:~/plain", &request);
    while (!third.is_over)
        world_turn(&world, 20);
    CHECK(!third.is_answered && third.is_ours);
    world_close(&world);
}

static void believes_no_process(void)
{
    static struct test_world world;
    struct outcome outcome, waiting[8];
    struct outbound_request request = { .rules = { ANY_RULE }, .rule_count = 1 };
    world_open(&world, pages, ARRAY_COUNT(pages), NULL, 0);
    world.is_lying = true;
    fetch(&world, &outcome, "/plain");
    CHECK(!outcome.is_answered && outcome.is_ours && outcome.error.code == ERROR_CRASHED);
    CHECK_NUMBER(world.killed, 1);
    world.is_lying = false;
    fetch(&world, &outcome, "/plain");
    CHECK(outcome.is_answered);
    /* One that never lives to ask is not waited for without end. */
    kill(world.process, SIGKILL);
    world.is_dying = true;
    for (size_t i = 0; i < ARRAY_COUNT(waiting); i++)
        world_begin(&world, &waiting[i], "http://127.0.0.1:~/plain", &request);
    for (size_t i = 0; i < ARRAY_COUNT(waiting); i++) {
        while (!waiting[i].is_over)
            world_turn(&world, 20);
        CHECK(!waiting[i].is_answered && waiting[i].is_ours);
    }
    world_close(&world);
}

static const struct test tests[] = {
    TEST(brings_answers),         TEST(sends_what_it_is_given), TEST(bounds_hostile_answers),
    TEST(bounds_what_is_decoded), TEST(serves_many_at_once),    TEST(survives_its_process),
    TEST(believes_no_process),
};
TEST_MAIN(tests)
