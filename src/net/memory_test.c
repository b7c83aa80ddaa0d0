/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation of the server's thread fails once, in turn, ours and those of libuv and nghttp2:
 * a request or a connection may be lost, the server and its accounts may not. */
#include "net/fixture.h"
#include "tests/harness.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif

enum {
    NTH_MAX = 40,
    NTH_TLS_MAX = 400 /* most of them in a handshake */
};

#ifndef SANITIZED

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

static atomic_int countdown; /* 1: the next allocation of the server's thread fails */
static atomic_int failures;
static _Thread_local bool is_client; /* set in the thread of the test itself */

static bool must_fail(void)
{
    if (is_client || countdown == 0 || atomic_fetch_sub(&countdown, 1) != 1)
        return false;
    failures++;
    return true;
}

void *malloc(size_t size)
{
    return must_fail() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return must_fail() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return must_fail() ? NULL : __libc_realloc(memory, size);
}

static bool is_answered(struct fixture *fixture)
{
    struct wire *wire = wire_open(fixture, NULL);
    wire_send_text(wire, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    bool answered = bytes_starts_with(wire_read(wire, 69), BYTES_LITERAL("HTTP/1.1 200"));
    wire_close(wire);
    return answered;
}

static void try_each(const char *protocol, const struct bytes *requests, size_t count, int nth_max)
{
    is_client = true;
    struct fixture *fixture = fixture_start(NULL);
    struct wire *whole = wire_open(fixture, protocol); /* with memory it works */
    wire_send(whole, requests[0]);
    CHECK(wire_read(whole, 69).size >= 69);
    wire_close(whole);
    CHECK(fixture_requests(fixture) >= 1);
    for (int nth = 1; nth <= nth_max; nth++) {
        for (size_t i = 0; i < count; i++) {
            countdown = nth;
            struct wire *wire = wire_open(fixture, protocol);
            wire_send(wire, requests[i]);
            wire_glance(wire, 69, 5);
            wire_close(wire);
            countdown = 0;
        }
        CHECK_NOTE(is_answered(fixture), "after the failure of allocation %d", nth);
    }
    CHECK(failures > 10);
    struct http_server_counts counts = fixture_stop(fixture, 2000);
    CHECK_NUMBER(counts.requests_now, 0);
    CHECK_NUMBER(counts.connections_now, 0);
    CHECK_NUMBER(counts.memory_now, 0);
}

static const struct bytes http1_requests[] = {
    BYTES_LITERAL("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde"),
    BYTES_LITERAL("GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /later HTTP/1.1\r\nHost: a\r\n\r\n"),
    BYTES_LITERAL("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "2\r\nab\r\n0\r\n\r\n"),
    BYTES_LITERAL("GET / HTTP/1.1\r\nbad\r\n\r\n"),
};

/* GET /hello on stream 1, POST /echo with two bytes on stream 3. */
static const struct bytes http2_requests[] = {
    BYTES_LITERAL("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                  "\0\0\0\4\0\0\0\0\0"
                  "\0\0\x0d\1\5\0\0\0\1\x82\x87\4\6/hello\1\1a"
                  "\0\0\x0c\1\4\0\0\0\3\x83\x87\4\5/echo\1\1a"
                  "\0\0\2\0\1\0\0\0\3hi"),
};

static void survives_lack_of_memory(void)
{
    try_each(NULL, http1_requests, ARRAY_COUNT(http1_requests), NTH_MAX);
}

static void survives_lack_of_memory_under_tls(void)
{
    try_each("http/1.1", http1_requests, 1, NTH_TLS_MAX);
}

static void survives_lack_of_memory_in_http2(void)
{
    try_each("h2", http2_requests, ARRAY_COUNT(http2_requests), NTH_TLS_MAX);
}

#else

static void survives_lack_of_memory(void)
{
    SKIP("the sanitizer brings its own malloc");
}

static void survives_lack_of_memory_under_tls(void)
{
    SKIP("the sanitizer brings its own malloc");
}

static void survives_lack_of_memory_in_http2(void)
{
    SKIP("the sanitizer brings its own malloc");
}

#endif

static const struct test tests[] = {
    TEST(survives_lack_of_memory),
    TEST(survives_lack_of_memory_under_tls),
    TEST(survives_lack_of_memory_in_http2),
};

int main(int argc, char **argv)
{
    fixture_init();
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
