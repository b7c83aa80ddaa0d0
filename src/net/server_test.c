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

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static bool has(struct bytes text, const char *part)
{
    struct bytes wanted = bytes_of_string(part);
    for (size_t i = 0; i + wanted.size <= text.size; i++) {
        if (bytes_equal(bytes_part(text, i, wanted.size), wanted))
            return true;
    }
    return false;
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
        CHECK_BYTES(wire_read(wire, sizeof(expected) - 1, 3000), bytes_of_string(expected));
        wire_forget(wire);
        CHECK(wire_send_text(wire, "HEAD /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
        struct bytes head = wire_read(wire, 4096, 3000);
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
    struct bytes all = wire_read(wire, 346, 3000);
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
    all = wire_read(wire, 40 * 44 + 4000 * 70, 3000);
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
        CHECK(has(wire_read(wire, 69, 3000), "\r\n\r\nabcde"));
        wire_forget(wire);
        for (size_t j = 0; requests[i][j] != '\0'; j++)
            CHECK(wire_send(wire, bytes_of(&requests[i][j], 1)));
        CHECK(has(wire_read(wire, 69, 3000), "\r\n\r\nabcde"));
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
    CHECK_BYTES(wire_read(wire, 25, 3000), BYTES_LITERAL("HTTP/1.1 100 Continue\r\n\r\n"));
    wire_send_text(wire, "abc");
    CHECK(has(wire_read(wire, 25 + 67, 3000), "\r\n\r\nabc"));
    wire_forget(wire);
    wire_send_text(wire, "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                         "Expect: 100-continue\r\n\r\n");
    struct bytes answer = wire_read(wire, 4096, 3000);
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
        struct bytes answer = wire_read(wire, 4096, 3000);
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
        for (int i = 0; i < 200 && fixture_requests(fixture) == before; i++)
            wire_read(held, 1, 10);
        wire_send_text(held,
                       "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nof-held--"
                       "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nof-held--");
        wire_read(held, 1, 10);
        wire_send_text(busy, GET("/hello") "POST /echo HTTP/1.1\r\nHost: b\r\nContent-Length: "
                                           "9\r\n\r\nof-busy--" GET("/hello"));
        struct bytes all = wire_read(busy, 70 + 73 + 70, 3000);
        CHECK(count(all, "hello\n") == 2 && count(all, "of-busy--") == 1);
        all = wire_read(held, 43 + 2 * 73, 3000);
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
    for (int i = 0; i < 200 && fixture_counts(fixture).memory_now < sizeof(filler); i++)
        continue;
    CHECK_NUMBER(fixture_counts(fixture).memory_now, sizeof(filler));
    wire_send_text(second, post);
    wire_send(second, BYTES_OF(filler));
    CHECK(has(wire_read(second, 4096, 3000), "HTTP/1.1 503"));
    wire_close(second);
    second = wire_open(fixture, NULL);
    wire_send_text(second, GET("/size/60000") GET("/size/10"));
    CHECK(has(wire_read(second, 104, 3000), "HTTP/1.1 503"));
    CHECK(has(wire_read(second, 104, 3000), "abcdefghij"));
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
        struct bytes all = wire_read(wire, 20000115, 3000);
        CHECK(has(bytes_part(all, 20000000, all.size), "hello\n"));
        wire_close(wire);
    }
    fixture_stop(fixture, 1000);
}

static void closes_the_slow(void)
{
    struct http_server_limits limits = { .head_timeout_ms = 300,
                                         .body_timeout_ms = 300,
                                         .handshake_timeout_ms = 300,
                                         .idle_timeout_ms = 600,
                                         .answer_timeout_ms = 300 };
    static const char slow_head[] = "GET /hello HTTP/1.1\r\nHost: a\r\nX: ";
    static const char slow_body[] = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n";
    struct fixture *fixture = fixture_start(&limits);
    for (int tls = 0; tls < 2; tls++) {
        const char *protocol = tls ? "http/1.1" : NULL;
        struct wire *head = wire_open(fixture, protocol), *body = wire_open(fixture, protocol);
        struct wire *silent = wire_open(fixture, protocol), *never = wire_open(fixture, protocol);
        struct wire *idle = wire_open(fixture, protocol);
        wire_send_text(head, slow_head);
        wire_send_text(body, slow_body);
        wire_send_text(never, GET("/never"));
        wire_send_text(idle, GET("/hello"));
        for (int i = 0; i < 20; i++) { /* one byte every 100 ms */
            wire_send_text(head, "x");
            wire_send_text(body, "x");
            wire_read(head, 1, 50);
            wire_read(body, 1, 50);
        }
        CHECK(has(wire_read(head, 4096, 1000), "HTTP/1.1 408"));
        CHECK(has(wire_read(body, 4096, 1000), "HTTP/1.1 408"));
        CHECK(has(wire_read(never, 100, 1000), "HTTP/1.1 504"));
        wire_read(silent, 4096, 1000);
        wire_read(idle, 4096, 1000);
        CHECK(wire_is_closed(silent) && wire_is_closed(head) && wire_is_closed(body));
        CHECK(wire_is_closed(idle));
        wire_close(head), wire_close(body), wire_close(silent), wire_close(never);
        wire_close(idle);
    }
    CHECK_NUMBER(fixture_gone(fixture), 4); /* two bodies, two never */
    fixture_stop(fixture, 1000);
}

static void bounds_connections(void)
{
    struct http_server_limits limits = { .connection_count_max = 30,
                                         .peer_connection_count_max = 20 };
    struct fixture *fixture = fixture_start(&limits);
    struct wire *wires[60];
    for (size_t i = 0; i < ARRAY_COUNT(wires); i++)
        wires[i] = wire_open(fixture, NULL);
    struct http_server_counts counts = fixture_counts(fixture);
    for (int i = 0; i < 200 && counts.connections_accepted + counts.connections_refused < 60; i++)
        counts = fixture_counts(fixture);
    CHECK_NUMBER(counts.connections_accepted, 20);
    CHECK_NUMBER(counts.connections_refused, 40);
    for (size_t i = 0; i < ARRAY_COUNT(wires); i++)
        wire_close(wires[i]);
    for (int i = 0; i < 200 && fixture_counts(fixture).connections_now > 0; i++)
        continue;
    struct wire *wire = wire_open(fixture, "http/1.1");
    CHECK(wire_send_text(wire, GET("/hello")));
    CHECK(has(wire_read(wire, 70, 1000), "200 OK"));
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
        wire_read(wire, 1, 5);
        wire_close(wire);
    }
    for (int i = 0; i < 200 && fixture_counts(fixture).connections_now > 0; i++)
        continue;
    CHECK_NUMBER(fixture_counts(fixture).requests_now, 0);
    CHECK_NUMBER(fixture_gone(fixture), fixture_requests(fixture));
    fixture_stop(fixture, 1000);
}

static void stops_gracefully(void)
{
    struct fixture *fixture = fixture_start(NULL);
    struct wire *busy = wire_open(fixture, "http/1.1"), *idle = wire_open(fixture, "http/1.1");
    struct wire *stuck = wire_open(fixture, NULL);
    wire_send_text(idle, GET("/hello"));
    wire_read(idle, 70, 1000);
    wire_send_text(stuck, GET("/never"));
    wire_send_text(busy, GET("/later"));
    usleep(10000);
    fixture_drain(fixture, 400);
    struct bytes answer = wire_read(busy, 4096, 2000);
    CHECK(has(answer, "later\n") && has(answer, "connection: close"));
    wire_read(idle, 4096, 1000);
    CHECK(wire_is_closed(busy) && wire_is_closed(idle));
    struct wire *late = wire_open(fixture, NULL);
    CHECK(wire_is_closed(late));
    wire_read(stuck, 1, 2000);
    CHECK(wire_is_closed(stuck));
    wire_close(busy), wire_close(idle), wire_close(stuck), wire_close(late);
    fixture_stop(fixture, 0);
}

/* Who asks over the plain listener how the server is learns that it stops, until nobody else is
 * served. */
static void tells_while_it_stops(void)
{
    struct fixture *fixture = fixture_start(NULL);
    struct wire *stuck = wire_open(fixture, "http/1.1"), *kept = wire_open(fixture, NULL);
    struct wire *idle = wire_open(fixture, NULL);
    wire_send_text(stuck, GET("/never"));
    wire_send_text(kept, GET("/hello"));
    wire_read(kept, 70, 1000);
    usleep(10000);
    fixture_drain(fixture, 400);
    usleep(10000);
    struct wire *asking = wire_open(fixture, NULL);
    wire_send_text(asking, GET("/hello"));
    CHECK(has(wire_read(asking, 4096, 2000), "connection: close"));
    wire_send_text(kept, GET("/hello"));
    CHECK(has(wire_read(kept, 4096, 2000), "connection: close"));
    CHECK(!wire_is_closed(stuck));
    wire_read(stuck, 1, 2000); /* until it is over */
    wire_read(idle, 1, 2000);
    struct wire *late = wire_open(fixture, NULL);
    wire_read(late, 1, 2000);
    CHECK(wire_is_closed(stuck) && wire_is_closed(idle) && wire_is_closed(late));
    wire_close(stuck), wire_close(kept), wire_close(idle), wire_close(asking), wire_close(late);
    fixture_stop(fixture, 0);
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
        snprintf(line, sizeof(line), "curl -sk -m 5 %s -d abc https://127.0.0.1:PORT/echo",
                 versions[i]);
        CHECK_STRING(command(line, port), "abc");
        snprintf(line, sizeof(line),
                 "curl -sk -m 5 %s -w '%%{http_version} %%{http_code}' -o /dev/null "
                 "https://127.0.0.1:PORT/hello",
                 versions[i]);
        CHECK_STRING(command(line, port), i == 0 ? "1.1 200" : "2 200");
        snprintf(line, sizeof(line),
                 "head -c 1000000 /dev/zero | tr '\\0' x | curl -sk -m 5 %s --data-binary @- "
                 "https://127.0.0.1:PORT/echo | wc -c",
                 versions[i]);
        CHECK_NUMBER(strtol(command(line, port), NULL, 10), 1000000);
        snprintf(line, sizeof(line),
                 "head -c 3000000 /dev/zero | curl -sk -m 5 %s --data-binary @- "
                 "-w '%%{http_code}' -o /dev/null https://127.0.0.1:PORT/echo",
                 versions[i]);
        CHECK_STRING(command(line, port), "413");
        snprintf(line, sizeof(line), "curl -sk -m 5 %s https://127.0.0.1:PORT/size/5000000 | wc -c",
                 versions[i]);
        CHECK_NUMBER(strtol(command(line, port), NULL, 10), 5000000);
        snprintf(line, sizeof(line),
                 "curl -skI -m 5 %s https://127.0.0.1:PORT/size/77 | "
                 "grep -ci 'content-length: 77'",
                 versions[i]);
        CHECK_NUMBER(strtol(command(line, port), NULL, 10), 1);
        snprintf(line, sizeof(line),
                 "curl -sk -m 5 %s -d abc -w '%%{http_code}' https://127.0.0.1:PORT/early",
                 versions[i]);
        CHECK_STRING(command(line, port), "early401");
    }
    CHECK_STRING(command("curl -sk -m 5 --tls-max 1.2 -o /dev/null -w '%{http_code}' "
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
    TEST(refuses_odd_listeners),
    TEST(serves_curl),
    TEST(serves_nghttp2_clients),
};

int main(int argc, char **argv)
{
    fixture_init();
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
