/* SPDX-License-Identifier: Apache-2.0 */
#include "net/fixture.h"
#include "tests/harness.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#define DRAIN_LONG_MS (10 * TEST_PATIENCE_MS) /* what is waited for comes before its end */
#define GET(path)     "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static bool has(struct bytes text, const char *part)
{
    struct bytes wanted = bytes_of_string(part);
    for (size_t i = 0; i + wanted.size <= text.size; i++) {
        if (bytes_equal(bytes_part(text, i, wanted.size), wanted))
            return true;
    }
    return false;
}

/* Reads until that has come; false when the server closes without it. */
static bool receives(struct wire *wire, const char *part)
{
    while (!has(wire_read(wire, 0), part)) {
        if (!wire_read_more(wire))
            return false;
    }
    return true;
}

static unsigned count(struct bytes text, const char *part)
{
    unsigned found = 0;
    struct bytes wanted = bytes_of_string(part);
    for (size_t i = 0; i + wanted.size <= text.size; i++)
        found += bytes_equal(bytes_part(text, i, wanted.size), wanted);
    return found;
}

/* Runs a command with the port for each "PORT" in it; gives its output. */
static const char *command(const char *text, unsigned port)
{
    static char output[1 << 16];
    char line[2048];
    size_t size = 0;
    for (; *text != '\0'; text++) {
        ASSERT(size + 8 < sizeof(line));
        if (strncmp(text, "PORT", 4) == 0) {
            size += (size_t)snprintf(line + size, 8, "%u", port);
            text += 3;
        } else {
            line[size++] = *text;
        }
    }
    line[size] = '\0';
    FILE *pipe = popen(line, "r");
    ASSERT(pipe != NULL);
    size = fread(output, 1, sizeof(output) - 1, pipe);
    output[size] = '\0';
    pclose(pipe);
    return output;
}

static bool has_command(const char *name)
{
    char line[128];
    snprintf(line, sizeof(line), "command -v %s >/dev/null 2>&1", name);
    return system(line) == 0;
}

static void answers_over_plain_and_tls(void)
{
    struct fixture *fixture = fixture_start(NULL);
    for (int tls = 0; tls < 2; tls++) {
        struct wire *wire = wire_open(fixture, tls ? "http/1.1" : NULL);
        CHECK(wire_send_text(wire, GET("/hello")));
        static const char expected[] =
            "HTTP/1.1 200 OK\r\ncontent-length: 6\r\ncontent-type: text/plain\r\n\r\nhello\n";
        CHECK_BYTES(wire_read(wire, sizeof(expected) - 1), bytes_of_string(expected));
        wire_forget(wire);
        CHECK(wire_send_text(wire, "HEAD /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
        struct bytes head = wire_read(wire, 4096);
        CHECK(has(head, "content-length: 6\r\n") && !has(head, "hello"));
        CHECK(wire_is_closed(wire));
        wire_close(wire);
    }
    struct http_server_counts counts = fixture_stop(fixture, 1000);
    CHECK_NUMBER(counts.requests, 4);
    CHECK_NUMBER(counts.requests_now, 0);
    CHECK_NUMBER(counts.connections_now, 0);
}

static void answers_pipelined_requests_in_order(void)
{
    struct fixture *fixture = fixture_start(NULL);
    struct wire *wire = wire_open(fixture, "http/1.1");
    CHECK(wire_send_text(wire, GET("/later") GET("/hello") GET("/later") GET("/size/3") GET("/none")
                                   GET("/twice")));
    struct bytes all = wire_read(wire, 346);
    CHECK_NUMBER(count(all, "HTTP/1.1 200 OK"), 5);
    CHECK_NUMBER(count(all, "HTTP/1.1 404"), 1);
    size_t later = bytes_find(all, 'l');
    CHECK(later < all.size && has(bytes_part(all, 0, 80), "later\n"));
    CHECK(!wire_is_closed(wire));
    wire_close(wire);
    /* More pipelined bytes than are read ahead. */
    wire = wire_open(fixture, NULL);
    for (int i = 0; i < 40; i++)
        CHECK(wire_send_text(wire, GET("/later")));
    for (int i = 0; i < 4000; i++)
        CHECK(wire_send_text(wire, GET("/hello")));
    all = wire_read(wire, 40 * 44 + 4000 * 70);
    CHECK_NUMBER(count(all, "HTTP/1.1 200 OK"), 4040);
    wire_close(wire);
    fixture_stop(fixture, 1000);
}

static void takes_bodies(void)
{
    static const char *const requests[] = {
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde",
        "POST /buffer HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n",
        "POST /buffer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nabcde\r\n0\r\n\r\n",
    };
    struct fixture *fixture = fixture_start(NULL);
    struct wire *wire = wire_open(fixture, "http/1.1");
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        wire_forget(wire);
        CHECK(wire_send_text(wire, requests[i]));
        CHECK(receives(wire, "\r\n\r\nabcde"));
        wire_forget(wire);
        for (size_t j = 0; requests[i][j] != '\0'; j++)
            CHECK(wire_send(wire, bytes_of(&requests[i][j], 1)));
        CHECK(receives(wire, "\r\n\r\nabcde"));
    }
    wire_close(wire);
    fixture_stop(fixture, 1000);
}

static void continues_when_asked(void)
{
    struct fixture *fixture = fixture_start(NULL);
    struct wire *wire = wire_open(fixture, "http/1.1");
    wire_send_text(wire, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                         "Expect: 100-continue\r\n\r\n");
    CHECK_BYTES(wire_read(wire, 25), BYTES_LITERAL("HTTP/1.1 100 Continue\r\n\r\n"));
    wire_send_text(wire, "abc");
    CHECK(receives(wire, "\r\n\r\nabc"));
    wire_forget(wire);
    wire_send_text(wire, "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                         "Expect: 100-continue\r\n\r\n");
    struct bytes answer = wire_read(wire, 4096);
    CHECK(has(answer, "HTTP/1.1 401") && has(answer, "connection: close") &&
          !has(answer, "100 Continue"));
    wire_close(wire);
    fixture_stop(fixture, 1000);
}

static void refuses_large_bodies(void)
{
    struct fixture *fixture = fixture_start(NULL);
    static const char *const requests[] = {
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n",
        /* one chunk that announces too much: not waited for; and many that come to it */
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        struct wire *wire = wire_open(fixture, "http/1.1");
        wire_send_text(wire, requests[i]);
        static const char filler[1 << 16];
        for (int j = 0; i == 3 && j < 17; j++) {
            wire_send_text(wire, "10000\r\n");
            wire_send(wire, BYTES_OF(filler));
            wire_send_text(wire, "\r\n");
        }
        struct bytes answer = wire_read(wire, 4096);
        CHECK(has(answer, "HTTP/1.1 413") && has(answer, "\"code\":\"limit\""));
        CHECK(wire_is_closed(wire));
        wire_close(wire);
    }
    struct http_server_counts counts = fixture_stop(fixture, 3000);
    CHECK_NUMBER(counts.memory_now, 0);
    CHECK_NUMBER(counts.requests_refused, ARRAY_COUNT(requests));
}

/* An answer to one connection from inside a callback of another one must not touch the bytes at
 * hand there. */
static void answers_others_from_callbacks(void)
{
    struct fixture *fixture = fixture_start(NULL);
    for (int round = 0; round < 20; round++) {
        struct wire *held = wire_open(fixture, "http/1.1"), *busy = wire_open(fixture, "http/1.1");
        unsigned before = fixture_requests(fixture);
        wire_send_text(held, GET("/held"));
        AWAIT(fixture_requests(fixture) > before);
        wire_send_text(held,
                       "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nof-held--"
                       "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nof-held--");
        wire_glance(held, 1, 10);
        wire_send_text(busy, GET("/hello") "POST /echo HTTP/1.1\r\nHost: b\r\nContent-Length: "
                                           "9\r\n\r\nof-busy--" GET("/hello"));
        struct bytes all = wire_read(busy, 70 + 73 + 70);
        CHECK(count(all, "hello\n") == 2 && count(all, "of-busy--") == 1);
        all = wire_read(held, 43 + 2 * 73);
        CHECK(count(all, "held\n") == 1 && count(all, "of-held--") == 2);
        wire_close(held), wire_close(busy);
    }
    fixture_stop(fixture, 1000);
}

static void bounds_memory_of_peers(void)
{
    struct http_server_limits limits = { .memory_max = 300000, .peer_memory_max = 200000 };
    static const char post[] = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 150001\r\n\r\n";
    static const char filler[150000];
    struct fixture *fixture = fixture_start(&limits);
    struct wire *first = wire_open(fixture, "http/1.1"), *second = wire_open(fixture, NULL);
    wire_send_text(first, post);
    wire_send(first, BYTES_OF(filler));
    AWAIT(fixture_counts(fixture).memory_now == sizeof(filler));
    wire_send_text(second, post);
    wire_send(second, BYTES_OF(filler));
    CHECK(receives(second, "HTTP/1.1 503"));
    wire_close(second);
    second = wire_open(fixture, NULL);
    wire_send_text(second, GET("/size/60000") GET("/size/10"));
    CHECK(receives(second, "HTTP/1.1 503") && receives(second, "abcdefghij"));
    wire_close(first), wire_close(second);
    struct http_server_counts counts = fixture_stop(fixture, 1000);
    CHECK_NUMBER(counts.memory_now, 0);
}

static void sends_large_answers_to_slow_readers(void)
{
    struct fixture *fixture = fixture_start(NULL);
    for (int tls = 0; tls < 2; tls++) {
        struct wire *wire = wire_open(fixture, tls ? "http/1.1" : NULL);
        wire_send_text(wire, GET("/size/20000000") GET("/hello"));
        usleep(50000);
        struct bytes all = wire_read(wire, 20000115);
        CHECK(has(bytes_part(all, 20000000, all.size), "hello\n"));
        wire_close(wire);
    }
    fixture_stop(fixture, 1000);
}

/* How each kind of slow client ends. */
struct slow_ends {
    bool head, body, never, silent, idle;
    unsigned gone;
    bool disturbed; /* the machine was so slow itself that the limits may have met what was not */
};

static struct slow_ends slow_ends_at(const char *protocol, uint32_t limit_ms)
{
    struct http_server_limits limits = { .head_timeout_ms = limit_ms,
                                         .body_timeout_ms = limit_ms,
                                         .handshake_timeout_ms = limit_ms,
                                         .idle_timeout_ms = 2 * limit_ms,
                                         .answer_timeout_ms = limit_ms };
    struct fixture *fixture = fixture_start(&limits);
    uint64_t since_ms = test_clock_ms();
    struct wire *head = wire_open(fixture, protocol);
    wire_send_text(head, "GET /hello HTTP/1.1\r\nHost: a\r\nX: ");
    struct wire *body = wire_open(fixture, protocol);
    wire_send_text(body, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n");
    struct wire *never = wire_open(fixture, protocol);
    wire_send_text(never, GET("/never"));
    struct wire *idle = wire_open(fixture, protocol);
    wire_send_text(idle, GET("/hello"));
    struct wire *silent = wire_open(fixture, protocol);
    uint64_t took_ms = test_clock_ms() - since_ms;
    for (unsigned i = 0; i < 60 && !(wire_is_closed(head) && wire_is_closed(body)); i++) {
        wire_send_text(head, "x"); /* a byte every now and then */
        wire_send_text(body, "x");
        wire_glance(head, SIZE_MAX, (int)limit_ms / 6);
        wire_glance(body, SIZE_MAX, (int)limit_ms / 6);
    }
    struct slow_ends ends = {
        .head = wire_is_closed(head) && has(wire_read(head, 0), "HTTP/1.1 408"),
        .body = wire_is_closed(body) && has(wire_read(body, 0), "HTTP/1.1 408"),
        .never = receives(never, "HTTP/1.1 504"),
        .silent = wire_ends(silent) && wire_read(silent, 0).size == 0,
        .idle = wire_ends(idle) && has(wire_read(idle, 0), "HTTP/1.1 200"),
    };
    ends.disturbed = took_ms > limit_ms / 3 || fixture_stall_ms(fixture) > limit_ms / 3;
    wire_close(head), wire_close(body), wire_close(silent), wire_close(never), wire_close(idle);
    ends.gone = fixture_gone(fixture);
    fixture_stop(fixture, 1000);
    return ends;
}

static void closes_the_slow(void)
{
    for (int tls = 0; tls < 2; tls++) {
        struct slow_ends ends = { .disturbed = true }; /* slow machines get more time */
        for (uint32_t limit_ms = 300; limit_ms < 6000 && ends.disturbed; limit_ms *= 2) {
            ends = slow_ends_at(tls ? "http/1.1" : NULL, limit_ms);
            if (ends.head && ends.body && ends.never && ends.silent && ends.idle && ends.gone == 2)
                break;
        }
        CHECK(ends.head && ends.body);
        CHECK(ends.never);
        CHECK(ends.silent);
        CHECK(ends.idle);
        CHECK_NUMBER(ends.gone, 2); /* the body and the one never answered */
    }
}

static void bounds_connections(void)
{
    struct http_server_limits limits = { .connection_count_max = 30,
                                         .peer_connection_count_max = 20 };
    struct fixture *fixture = fixture_start(&limits);
    struct wire *wires[60];
    for (size_t i = 0; i < ARRAY_COUNT(wires); i++)
        wires[i] = wire_open(fixture, NULL);
    AWAIT(fixture_counts(fixture).connections_refused >= 40);
    struct http_server_counts counts = fixture_counts(fixture);
    CHECK_NUMBER(counts.connections_accepted, 20);
    CHECK_NUMBER(counts.connections_refused, 40);
    for (size_t i = 0; i < ARRAY_COUNT(wires); i++)
        wire_close(wires[i]);
    AWAIT(fixture_counts(fixture).connections_now == 0);
    struct wire *wire = wire_open(fixture, "http/1.1");
    CHECK(wire_send_text(wire, GET("/hello")));
    CHECK(receives(wire, "200 OK"));
    wire_close(wire);
    fixture_stop(fixture, 1000);
}

static void notices_when_clients_leave(void)
{
    struct fixture *fixture = fixture_start(NULL);
    for (int i = 0; i < 20; i++) {
        struct wire *wire = wire_open(fixture, i % 2 ? "http/1.1" : NULL);
        wire_send_text(wire, GET("/never"));
        wire_send_text(wire, GET("/hello"));
        wire_glance(wire, 1, 5);
        wire_close(wire);
    }
    AWAIT(fixture_counts(fixture).connections_now == 0);
    CHECK_NUMBER(fixture_counts(fixture).requests_now, 0);
    CHECK_NUMBER(fixture_gone(fixture), fixture_requests(fixture));
    fixture_stop(fixture, 1000);
}

static void stops_gracefully(void)
{
    struct fixture *fixture = fixture_start(NULL);
    struct wire *busy = wire_open(fixture, "http/1.1"), *idle = wire_open(fixture, "http/1.1");
    struct wire *stuck = wire_open(fixture, NULL), *kept = wire_open(fixture, NULL);
    wire_send_text(idle, GET("/hello"));
    CHECK(receives(idle, "hello\n"));
    wire_send_text(stuck, GET("/never"));
    wire_send_text(busy, GET("/held"));
    AWAIT(fixture_requests(fixture) == 3);
    fixture_drain(fixture, DRAIN_LONG_MS);
    CHECK(wire_ends(idle));
    CHECK(!wire_is_closed(busy));
    wire_send_text(kept, GET("/hello")); /* so that the one held is answered */
    CHECK(wire_ends(busy) && wire_ends(kept));
    struct bytes answer = wire_read(busy, 0);
    CHECK(has(answer, "held\n") && has(answer, "connection: close"));
    struct wire *late = wire_open(fixture, NULL); /* nobody else is served any more */
    CHECK(wire_ends(late));
    CHECK(fixture_counts(fixture).requests_now == 1); /* what is stuck has time yet */
    wire_close(stuck);
    wire_close(busy), wire_close(idle), wire_close(kept), wire_close(late);
    fixture_stop(fixture, 0);
}

/* Who asks over the plain listener how the server is learns that it stops, until nobody else is
 * served. */
static void tells_while_it_stops(void)
{
    struct fixture *fixture = fixture_start(NULL);
    struct wire *busy = wire_open(fixture, "http/1.1"), *kept = wire_open(fixture, NULL);
    struct wire *idle = wire_open(fixture, NULL);
    wire_send_text(busy, GET("/never"));
    wire_send_text(kept, GET("/hello"));
    CHECK(receives(kept, "hello\n"));
    AWAIT(fixture_requests(fixture) == 2);
    fixture_drain(fixture, DRAIN_LONG_MS);
    for (int i = 0; i < 3; i++) {
        struct wire *asking = wire_open(fixture, NULL);
        wire_send_text(asking, GET("/hello"));
        CHECK(wire_ends(asking) && has(wire_read(asking, 0), "connection: close"));
        wire_close(asking);
    }
    wire_send_text(kept, GET("/hello"));
    CHECK(wire_ends(kept) && has(wire_read(kept, 0), "connection: close"));
    CHECK_NUMBER(fixture_counts(fixture).connections_now, 2);
    wire_close(busy);
    CHECK(wire_ends(idle)); /* it never asked for anything */
    struct wire *late = wire_open(fixture, NULL);
    CHECK(wire_ends(late));
    wire_close(kept), wire_close(idle), wire_close(late);
    CHECK_NUMBER(fixture_stop(fixture, 0).connections_now, 0);
}

/* Stops the server's thread, lets time pass and a request come, and tells it to end before that if
 * so wanted; whether the request was answered. */
static bool answers_after_a_pause(const char *protocol, uint32_t idle_ms, bool ends)
{
    struct http_server_limits limits = { .idle_timeout_ms = idle_ms };
    struct fixture *fixture = fixture_start(&limits);
    struct wire *kept = wire_open(fixture, protocol), *pausing = wire_open(fixture, "http/1.1");
    wire_send_text(kept, GET("/hello"));
    bool answered = receives(kept, "hello\n");
    wire_forget(kept);
    wire_send_text(pausing, GET("/pause"));
    AWAIT(fixture_is_paused(fixture));
    if (ends)
        fixture_drain_soon(fixture, DRAIN_LONG_MS);
    else
        usleep(idle_ms * 1500);
    wire_send_text(kept, GET("/hello"));
    fixture_resume(fixture);
    answered = answered && receives(kept, "hello\n");
    CHECK(!ends || wire_ends(kept));
    wire_close(kept), wire_close(pausing);
    fixture_stop(fixture, 1000);
    return answered;
}

/* What has come before a server that was kept from running looks at the clock counts. */
static void answers_what_came_before_it_looked(void)
{
    for (int tls = 0; tls < 2; tls++) {
        bool answered = false;
        for (uint32_t idle_ms = 200; idle_ms < 4000 && !answered; idle_ms *= 4)
            answered = answers_after_a_pause(tls ? "http/1.1" : NULL, idle_ms, false);
        CHECK(answered);
        CHECK(answers_after_a_pause(tls ? "http/1.1" : NULL, HTTP_IDLE_TIMEOUT_MS, true));
    }
}

/* What is not over in time is ended. */
static void stops_when_its_time_is_over(void)
{
    struct fixture *fixture = fixture_start(NULL);
    struct wire *stuck = wire_open(fixture, "http/1.1"), *plain = wire_open(fixture, NULL);
    struct wire *idle = wire_open(fixture, NULL), *half = wire_open_raw(fixture);
    wire_send_text(stuck, GET("/never"));
    wire_send_text(plain, GET("/never"));
    AWAIT(fixture_requests(fixture) == 2 && fixture_counts(fixture).connections_now == 4);
    fixture_drain(fixture, 200);
    CHECK(wire_ends(stuck));
    CHECK(wire_ends(plain));
    CHECK(wire_ends(idle));
    CHECK(wire_ends(half)); /* in its handshake */
    struct wire *late = wire_open(fixture, NULL);
    CHECK(wire_ends(late));
    CHECK_NUMBER(fixture_gone(fixture), 2);
    wire_close(stuck), wire_close(plain), wire_close(idle), wire_close(half), wire_close(late);
    CHECK_NUMBER(fixture_stop(fixture, 0).connections_now, 0);
}

static void refuses_odd_listeners(void)
{
    struct fixture *fixture = fixture_start(NULL);
    struct http_server *server = NULL;
    struct error error = { 0 };
    uv_loop_t *loop = malloc(uv_loop_size());
    ASSERT(loop != NULL && uv_loop_init(loop) == 0);
    struct http_server_options options = { .loop = loop };
    REQUIRE(http_server_new(&server, &options, &error));
    CHECK(!http_server_listen(server, HTTP_LISTENER_PLAIN, "0.0.0.0:0", &error));
    CHECK(error.code == ERROR_DENIED);
    CHECK(!http_server_listen(server, HTTP_LISTENER_PLAIN, "[::]:0", &error));
    CHECK(!http_server_listen(server, HTTP_LISTENER_TLS, "127.0.0.1:0", &error));
    static const char *const bad[] = {
        "",      ":1",   "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "localhost:1", "127.0.0.1:x",
        "::1:1", "[::1]"
    };
    for (size_t i = 0; i < 4; i++) {
        CHECK(!http_server_listen(server, HTTP_LISTENER_PLAIN, bad[i], &error));
        CHECK(error.code == ERROR_INVALID);
    }
    char taken[32];
    snprintf(taken, sizeof(taken), "127.0.0.1:%u", fixture_plain_port(fixture));
    CHECK(!http_server_listen(server, HTTP_LISTENER_PLAIN, taken, &error));
    CHECK(error.code == ERROR_EXISTS);
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(bind(bound, (struct sockaddr *)&any, sizeof(any)) == 0);
    CHECK(http_server_listen_socket(server, HTTP_LISTENER_PLAIN, bound, &error));
    int pipes[2];
    REQUIRE(pipe(pipes) == 0);
    CHECK(!http_server_listen_socket(server, HTTP_LISTENER_PLAIN, pipes[0], &error));
    close(pipes[1]);
    http_server_free(server);
    CHECK(uv_loop_close(loop) == 0);
    free(loop);
    fixture_stop(fixture, 1000);
}

static void serves_curl(void)
{
    if (!has_command("curl"))
        SKIP("curl is not installed");
    struct fixture *fixture = fixture_start(NULL);
    unsigned port = fixture_port(fixture);
    static const char *const versions[] = { "--http1.1", "--http2" };
    for (size_t i = 0; i < 2; i++) {
        char line[512];
        snprintf(line, sizeof(line), "curl -sk -m 60 %s -d abc https://127.0.0.1:PORT/echo",
                 versions[i]);
        CHECK_STRING(command(line, port), "abc");
        snprintf(line, sizeof(line),
                 "curl -sk -m 60 %s -w '%%{http_version} %%{http_code}' -o /dev/null "
                 "https://127.0.0.1:PORT/hello",
                 versions[i]);
        CHECK_STRING(command(line, port), i == 0 ? "1.1 200" : "2 200");
        snprintf(line, sizeof(line),
                 "head -c 1000000 /dev/zero | tr '\\0' x | curl -sk -m 60 %s --data-binary @- "
                 "https://127.0.0.1:PORT/echo | wc -c",
                 versions[i]);
        CHECK_NUMBER(strtol(command(line, port), NULL, 10), 1000000);
        snprintf(line, sizeof(line),
                 "head -c 3000000 /dev/zero | curl -sk -m 60 %s --data-binary @- "
                 "-w '%%{http_code}' -o /dev/null https://127.0.0.1:PORT/echo",
                 versions[i]);
        CHECK_STRING(command(line, port), "413");
        snprintf(line, sizeof(line),
                 "curl -sk -m 60 %s https://127.0.0.1:PORT/size/5000000 | wc -c", versions[i]);
        CHECK_NUMBER(strtol(command(line, port), NULL, 10), 5000000);
        snprintf(line, sizeof(line),
                 "curl -skI -m 60 %s https://127.0.0.1:PORT/size/77 | "
                 "grep -ci 'content-length: 77'",
                 versions[i]);
        CHECK_NUMBER(strtol(command(line, port), NULL, 10), 1);
        snprintf(line, sizeof(line),
                 "curl -sk -m 60 %s -d abc -w '%%{http_code}' https://127.0.0.1:PORT/early",
                 versions[i]);
        CHECK_STRING(command(line, port), "early401");
    }
    CHECK_STRING(command("curl -sk -m 60 --tls-max 1.2 -o /dev/null -w '%{http_code}' "
                         "https://127.0.0.1:PORT/hello",
                         port),
                 "000");
    fixture_stop(fixture, 1000);
}

static void serves_nghttp2_clients(void)
{
    if (!has_command("h2load") || !has_command("nghttp"))
        SKIP("nghttp2-client is not installed");
    struct fixture *fixture = fixture_start(NULL);
    unsigned port = fixture_port(fixture);
    const char *load = command("h2load -n 2000 -c 4 -m 20 https://127.0.0.1:PORT/hello 2>&1", port);
    CHECK(strstr(load, "2000 succeeded, 0 failed, 0 errored") != NULL);
    load = command("h2load -n 200 -c 4 -m 20 https://127.0.0.1:PORT/later 2>&1", port);
    CHECK(strstr(load, "200 succeeded, 0 failed, 0 errored") != NULL);
    load = command("h2load -n 40 -c 2 -m 10 https://127.0.0.1:PORT/size/300000 2>&1", port);
    CHECK(strstr(load, "40 succeeded, 0 failed, 0 errored") != NULL);
    load = command("nghttp -n -y --stat https://127.0.0.1:PORT/hello https://127.0.0.1:PORT/size/9 "
                   "2>&1",
                   port);
    CHECK(strstr(load, " 200 ") != NULL);
    fixture_stop(fixture, 1000);
}

static const struct test tests[] = {
    TEST(answers_over_plain_and_tls),
    TEST(answers_pipelined_requests_in_order),
    TEST(takes_bodies),
    TEST(continues_when_asked),
    TEST(refuses_large_bodies),
    TEST(answers_others_from_callbacks),
    TEST(bounds_memory_of_peers),
    TEST(sends_large_answers_to_slow_readers),
    TEST(closes_the_slow),
    TEST(bounds_connections),
    TEST(notices_when_clients_leave),
    TEST(stops_gracefully),
    TEST(tells_while_it_stops),
    TEST(answers_what_came_before_it_looked),
    TEST(stops_when_its_time_is_over),
    TEST(refuses_odd_listeners),
    TEST(serves_curl),
    TEST(serves_nghttp2_clients),
};

int main(int argc, char **argv)
{
    fixture_init();
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
