/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that mean ill: HTTP/2 floods, framing errors, random mutations of whole conversations.
 * After each of them the server must still answer others, and hold nothing of them. */
#include "net/fixture.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum frame {
    DATA,
    HEADERS,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    PUSH_PROMISE,
    PING,
    GOAWAY,
    WINDOW_UPDATE,
    CONTINUATION
};
enum {
    END_STREAM = 1,
    END_HEADERS = 4,
    MESSAGE_SIZE_MAX = 1 << 20
};

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

struct message {
    uint8_t data[MESSAGE_SIZE_MAX];
    size_t size;
};
static struct message message;

static void add(struct bytes bytes)
{
    ASSERT(bytes.size <= sizeof(message.data) - message.size);
    if (bytes.size > 0)
        memcpy(message.data + message.size, bytes.data, bytes.size);
    message.size += bytes.size;
}

static void add_frame(enum frame type, unsigned flags, unsigned stream, struct bytes payload)
{
    uint8_t head[9] = { (uint8_t)(payload.size >> 16),
                        (uint8_t)(payload.size >> 8),
                        (uint8_t)payload.size,
                        (uint8_t)type,
                        (uint8_t)flags,
                        (uint8_t)(stream >> 24),
                        (uint8_t)(stream >> 16),
                        (uint8_t)(stream >> 8),
                        (uint8_t)stream };
    add(BYTES_OF(head));
    add(payload);
}

static void start_http2(void)
{
    message.size = 0;
    add(BYTES_LITERAL(PREFACE));
    add_frame(SETTINGS, 0, 0, (struct bytes){ 0 });
}

/* :method GET, :scheme https, :path, :authority a; HPACK without indexing, RFC 7541 6.2.2. */
static struct bytes get_block(const char *path)
{
    static uint8_t block[256];
    size_t size = strlen(path);
    block[0] = 0x82;
    block[1] = 0x87;
    block[2] = 0x04;
    block[3] = (uint8_t)size;
    for (size_t i = 0; i < size; i++)
        block[4 + i] = (uint8_t)path[i];
    block[4 + size] = 0x01;
    block[5 + size] = 1;
    block[6 + size] = 'a';
    return bytes_of(block, size + 7);
}

static bool send_message(struct wire *wire)
{
    bool sent = wire_send(wire, bytes_of(message.data, message.size));
    message.size = 0;
    return sent;
}

/* Is there a frame of that type among those received?  `error`: of GOAWAY or RST_STREAM. */
static bool has_frame(struct bytes bytes, enum frame type, uint32_t *error)
{
    while (bytes.size >= 9) {
        size_t size =
            (size_t)bytes.data[0] << 16 | (size_t)bytes.data[1] << 8 | (size_t)bytes.data[2];
        struct bytes payload = bytes_part(bytes, 9, size);
        if (bytes.data[3] == (uint8_t)type) {
            struct bytes code = bytes_part(payload, type == GOAWAY ? 4 : 0, 4);
            if (code.size == 4)
                *error = (uint32_t)code.data[0] << 24 | (uint32_t)code.data[1] << 16 |
                         (uint32_t)code.data[2] << 8 | code.data[3];
            return true;
        }
        bytes = bytes_part(bytes, 9 + size, bytes.size);
    }
    return false;
}

static bool serves(struct fixture *fixture)
{
    struct wire *wire = wire_open(fixture, "http/1.1");
    wire_send_text(wire, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    bool answered = bytes_starts_with(wire_read(wire, 70), BYTES_LITERAL("HTTP/1.1 200"));
    wire_close(wire);
    return answered;
}

static bool is_calm(struct fixture *fixture)
{
    struct http_server_counts counts = fixture_counts(fixture);
    return counts.requests_now == 0 && counts.connections_now == 0 && counts.memory_now == 0;
}

/* Reads until a frame of that type is there; false when the server closes without it. */
static bool gets_frame(struct wire *wire, enum frame type, uint32_t *error)
{
    while (!has_frame(wire_read(wire, 0), type, error)) {
        if (!wire_read_more(wire))
            return false;
    }
    return true;
}

/* The server refuses what comes over that connection from now on. */
static bool is_stopped(struct wire *wire)
{
    uint32_t error = 0;
    return gets_frame(wire, GOAWAY, &error) || wire_is_closed(wire);
}

/* A request is: by an answer, or by the end of its stream or of all. */
static bool is_refused(struct wire *wire, bool by_answer)
{
    uint32_t error = 0;
    do {
        struct bytes all = wire_read(wire, 0);
        if (has_frame(all, RST_STREAM, &error) || has_frame(all, GOAWAY, &error) ||
            (by_answer && has_frame(all, HEADERS, &error)))
            return true;
    } while (wire_read_more(wire));
    return false;
}

static void answers_a_hand_made_request(void)
{
    struct fixture *fixture = fixture_start(NULL);
    struct wire *wire = wire_open(fixture, "h2");
    uint32_t error = 0;
    start_http2();
    add_frame(HEADERS, END_STREAM | END_HEADERS, 1, get_block("/hello"));
    CHECK(send_message(wire));
    CHECK(gets_frame(wire, HEADERS, &error) && gets_frame(wire, DATA, &error));
    CHECK(!has_frame(wire_read(wire, 0), GOAWAY, &error));
    wire_close(wire);
    AWAIT(is_calm(fixture));
    fixture_stop(fixture, 1000);
}

static void stops_rapid_resets(void)
{
    struct fixture *fixture = fixture_start(NULL);
    static const uint8_t cancel[] = { 0, 0, 0, 8 };
    static const char *const paths[] = { "/hello", "/later", "/never" };
    for (size_t path = 0; path < ARRAY_COUNT(paths); path++) {
        struct wire *wire = wire_open(fixture, "h2");
        unsigned before = fixture_requests(fixture);
        start_http2();
        for (unsigned i = 0; i < 10000; i++) {
            add_frame(HEADERS, END_STREAM | END_HEADERS, 2 * i + 1, get_block(paths[path]));
            add_frame(RST_STREAM, 0, 2 * i + 1, BYTES_OF(cancel));
            if (i % 100 == 99 && !send_message(wire))
                break;
        }
        message.size = 0;
        CHECK(is_stopped(wire));
        unsigned served = fixture_requests(fixture) - before;
        CHECK_NOTE(served < 500, "%u of 10000 served", served);
        wire_close(wire);
        AWAIT(is_calm(fixture));
        CHECK(serves(fixture));
    }
    fixture_stop(fixture, 1000);
}

static void stops_a_flood(enum frame type, unsigned flags, unsigned stream, struct bytes payload,
                          bool after_request)
{
    struct fixture *fixture = fixture_start(NULL);
    struct wire *wire = wire_open(fixture, "h2");
    start_http2();
    if (after_request)
        add_frame(HEADERS, type == CONTINUATION ? END_STREAM : END_HEADERS, 1, get_block("/echo"));
    bool open = true;
    for (unsigned i = 0; open && i < 20000; i++) {
        add_frame(type, flags, stream, payload);
        if (i % 100 == 99)
            open = send_message(wire);
    }
    message.size = 0;
    CHECK_NOTE(is_stopped(wire), "frame type %d", type);
    wire_close(wire);
    AWAIT(is_calm(fixture));
    CHECK(serves(fixture));
    fixture_stop(fixture, 1000);
}

static void stops_floods(void)
{
    static const uint8_t zeros[8], one[] = { 0, 0, 0, 1 };
    static const uint8_t setting[] = { 0, 4, 0, 0, 255, 255 };
    static const uint8_t field[] = { 0x00, 1, 'x', 1, 'y' };
    stops_a_flood(PING, 0, 0, BYTES_OF(zeros), false);
    stops_a_flood(SETTINGS, 0, 0, BYTES_OF(setting), false);
    stops_a_flood(CONTINUATION, 0, 1, BYTES_OF(field), true);
    stops_a_flood(DATA, 0, 1, (struct bytes){ 0 }, true);
    stops_a_flood(WINDOW_UPDATE, 0, 0, BYTES_OF(one), false);
    stops_a_flood(PRIORITY, 0, 1, bytes_of(zeros, 5), false);
}

/* The peer's errors make the server reset its own streams (CVE-2025-8671). */
static void stops_resets_by_proxy(void)
{
    struct fixture *fixture = fixture_start(NULL);
    struct wire *wire = wire_open(fixture, "h2");
    static const uint8_t zero[4];
    unsigned before = fixture_requests(fixture);
    start_http2();
    for (unsigned i = 0; i < 5000; i++) {
        add_frame(HEADERS, END_STREAM | END_HEADERS, 2 * i + 1, get_block("/never"));
        add_frame(WINDOW_UPDATE, 0, 2 * i + 1, BYTES_OF(zero));
        if (i % 100 == 99 && !send_message(wire))
            break;
    }
    message.size = 0;
    CHECK(is_stopped(wire));
    CHECK(fixture_requests(fixture) - before < 1000);
    wire_close(wire);
    AWAIT(is_calm(fixture));
    CHECK(serves(fixture));
    fixture_stop(fixture, 1000);
}

static void bounds_streams_and_windows(void)
{
    struct fixture *fixture = fixture_start(NULL);
    struct wire *wire = wire_open(fixture, "h2");
    uint32_t error = 0;
    start_http2();
    for (unsigned i = 0; i < 150; i++)
        add_frame(HEADERS, END_STREAM | END_HEADERS, 2 * i + 1, get_block("/never"));
    CHECK(send_message(wire));
    CHECK(is_refused(wire, false));
    CHECK(fixture_requests(fixture) <= 100);
    wire_close(wire);
    /* More body than the window allows. */
    static const uint8_t filler[16384];
    wire = wire_open(fixture, "h2");
    start_http2();
    for (unsigned stream = 1; stream < 40; stream += 2)
        add_frame(HEADERS, END_HEADERS, stream, get_block("/never"));
    send_message(wire);
    wire_close(wire);
    wire = wire_open(fixture, "h2");
    start_http2();
    add_frame(HEADERS, END_HEADERS, 1, get_block("/early"));
    for (unsigned i = 0; i < 20; i++)
        add_frame(DATA, 0, 1, BYTES_OF(filler));
    CHECK(send_message(wire));
    CHECK(gets_frame(wire, HEADERS, &error));
    wire_close(wire);
    AWAIT(is_calm(fixture));
    CHECK(serves(fixture));
    fixture_stop(fixture, 1000);
}

static void refuses_bad_requests(void)
{
    static const char *const paths[] = { "", "*", "hello", "/a b", "/a\x01", "/%4", "http://a/" };
    struct fixture *fixture = fixture_start(NULL);
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        struct wire *wire = wire_open(fixture, "h2");
        start_http2();
        add_frame(HEADERS, END_STREAM | END_HEADERS, 1, get_block(paths[i]));
        CHECK(send_message(wire));
        CHECK_NOTE(is_refused(wire, true), "%s", paths[i]);
        wire_close(wire);
    }
    CHECK_NUMBER(fixture_requests(fixture), 0);
    fixture_stop(fixture, 1000);
}

/* A field of 4,000 bytes that goes into the table of HPACK once and is then named 60,000 times, a
 * byte each: refused by the size that it stands for, in a sentence, and the connection is good. */
static void refuses_blocks_that_stand_for_much(void)
{
    static const uint8_t field[] = { 0x40, 1, 'x', 0x7f, 0xa1, 0x1e };
    static uint8_t block[64000];
    struct fixture *fixture = fixture_start(NULL);
    struct wire *wire = wire_open(fixture, "h2");
    uint32_t error = 0;
    struct bytes request = get_block("/hello");
    memset(block, 'y', sizeof(block));
    memcpy(block, request.data, request.size);
    memcpy(block + request.size, field, sizeof(field));
    size_t size = request.size + sizeof(field) + 4000;
    memset(block + size, 0xbe, sizeof(block) - size); /* 62: the newest of the table */
    start_http2();
    add_frame(HEADERS, END_STREAM, 1, bytes_of(block, 16000));
    for (unsigned i = 1; i < 4; i++)
        add_frame(CONTINUATION, i == 3 ? END_HEADERS : 0, 1, bytes_of(block + 16000 * i, 16000));
    CHECK(send_message(wire));
    CHECK(gets_frame(wire, DATA, &error));
    struct bytes all = wire_read(wire, 0);
    static const char said[] = "\"code\":\"limit\",\"message\":\"more or longer";
    CHECK(memmem(all.data, all.size, said, sizeof(said) - 1) != NULL);
    wire_forget(wire);
    add_frame(HEADERS, END_STREAM | END_HEADERS, 3, get_block("/hello"));
    CHECK(send_message(wire) && gets_frame(wire, DATA, &error));
    CHECK_NUMBER(fixture_requests(fixture), 1);
    wire_close(wire);
    fixture_stop(fixture, 1000);
}

static void ends_slow_header_blocks(void)
{
    struct http_server_limits limits = { .head_timeout_ms = 300 };
    struct fixture *fixture = fixture_start(&limits);
    struct wire *wire = wire_open(fixture, "h2");
    start_http2();
    add_frame(HEADERS, 0, 1, get_block("/hello"));
    CHECK(send_message(wire));
    CHECK(wire_ends(wire));
    wire_close(wire);
    AWAIT(is_calm(fixture));
    fixture_stop(fixture, 1000);
}

/* When time limits end one stream, its on_gone answers another one of the same connection. */
static void ends_streams_that_answer_each_other(void)
{
    struct http_server_limits limits = { .answer_timeout_ms = 200 };
    struct fixture *fixture = fixture_start(&limits);
    struct wire *wire = wire_open(fixture, "h2");
    start_http2();
    for (unsigned stream = 1; stream < 40; stream += 4) {
        add_frame(HEADERS, END_STREAM | END_HEADERS, stream, get_block("/held"));
        add_frame(HEADERS, END_STREAM | END_HEADERS, stream + 2, get_block("/never"));
    }
    CHECK(send_message(wire));
    AWAIT(fixture_gone(fixture) == 10);
    AWAIT(fixture_counts(fixture).requests_now == 0);
    wire_glance(wire, SIZE_MAX, 20);
    CHECK(!wire_is_closed(wire));
    wire_close(wire);
    AWAIT(is_calm(fixture));
    CHECK(serves(fixture));
    fixture_stop(fixture, 1000);
}

static void drains_http2(void)
{
    struct fixture *fixture = fixture_start(NULL);
    struct wire *busy = wire_open(fixture, "h2"), *idle = wire_open(fixture, "h2");
    uint32_t error = 99;
    start_http2();
    add_frame(HEADERS, END_STREAM | END_HEADERS, 1, get_block("/later"));
    CHECK(send_message(busy));
    start_http2();
    CHECK(send_message(idle));
    wire_read(idle, 1);
    AWAIT(fixture_requests(fixture) == 1);
    fixture_drain(fixture, TEST_PATIENCE_MS);
    CHECK(wire_ends(busy));
    CHECK(has_frame(wire_read(busy, 0), DATA, &error));
    CHECK(has_frame(wire_read(busy, 0), GOAWAY, &error) && error == 0);
    CHECK(wire_ends(idle));
    wire_close(busy), wire_close(idle);
    CHECK_NUMBER(fixture_stop(fixture, 0).requests_now, 0);
}

static const char *const conversations[] = {
    "GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /later HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789"
    "GET /never HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /buffer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5\r\nabcde\r\n0\r\n\r\nHEAD /size/70000 HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /early HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n01234",
    "GET /size/300000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
};

static struct bytes http2_conversation(void)
{
    static const uint8_t body[100], cancel[] = { 0, 0, 0, 8 }, zeros[8];
    start_http2();
    add_frame(HEADERS, END_STREAM | END_HEADERS, 1, get_block("/later"));
    add_frame(HEADERS, END_HEADERS, 3, get_block("/echo"));
    add_frame(DATA, 0, 3, BYTES_OF(body));
    add_frame(DATA, END_STREAM, 3, BYTES_OF(body));
    add_frame(HEADERS, END_STREAM | END_HEADERS, 5, get_block("/size/70000"));
    add_frame(HEADERS, END_HEADERS, 7, get_block("/early"));
    add_frame(DATA, END_STREAM, 7, BYTES_OF(body));
    add_frame(HEADERS, END_STREAM | END_HEADERS, 9, get_block("/never"));
    add_frame(RST_STREAM, 0, 1, BYTES_OF(cancel));
    add_frame(PING, 0, 0, BYTES_OF(zeros));
    return bytes_of(message.data, message.size);
}

/* Changes, drops, doubles or moves a few bytes. */
static size_t mutate(uint8_t *data, size_t size, size_t capacity, uint64_t *state)
{
    unsigned changes = (unsigned)(test_random(state) % 4);
    for (unsigned i = 0; i < changes && size > 0; i++) {
        size_t at = test_random(state) % size;
        size_t part = 1 + test_random(state) % 16;
        part = MIN(part, size - at);
        switch (test_random(state) % 4) {
        case 0:
            data[at] = (uint8_t)test_random(state);
            break;
        case 1:
            data[at] ^= (uint8_t)(1 << test_random(state) % 8);
            break;
        case 2:
            memmove(data + at, data + at + part, size - at - part);
            size -= part;
            break;
        default:
            if (size + part <= capacity) {
                memmove(data + at + part, data + at, size - at);
                size += part;
            }
        }
    }
    return size;
}

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

/* The network fuzzer: deterministic inputs, real sockets, random pieces and ends.  For longer runs
 * S3N_FUZZ_ROUNDS and S3N_FUZZ_SEED. */
static void survives_mutated_conversations(void)
{
    struct http_server_limits limits = { .head_timeout_ms = 200,
                                         .body_timeout_ms = 200,
                                         .answer_timeout_ms = 200,
                                         .idle_timeout_ms = 200 };
    struct fixture *fixture = fixture_start(&limits);
    uint64_t state = number_of("S3N_FUZZ_SEED", 20261121);
    uint64_t rounds = number_of("S3N_FUZZ_ROUNDS", 600);
    static uint8_t data[4096];
    for (uint64_t round = 0; round < rounds; round++) {
        unsigned kind = (unsigned)(test_random(&state) % (ARRAY_COUNT(conversations) + 5));
        bool http2 = kind >= ARRAY_COUNT(conversations);
        struct bytes text = http2 ? http2_conversation() : bytes_of_string(conversations[kind]);
        memcpy(data, text.data, text.size);
        size_t size = mutate(data, text.size, sizeof(data), &state);
        struct wire *wire = wire_open(fixture, http2                          ? "h2"
                                               : test_random(&state) % 2 == 0 ? "http/1.1"
                                                                              : NULL);
        size_t sent = 0;
        while (sent < size) {
            size_t piece = 1 + test_random(&state) % (size - sent);
            if (!wire_send(wire, bytes_of(data + sent, piece)))
                break;
            sent += piece;
        }
        if (test_random(&state) % 2 == 0)
            wire_glance(wire, 1 << 20, (int)(test_random(&state) % 10));
        wire_close(wire);
    }
    AWAIT(serves(fixture)); /* within limits that a loaded machine may miss once */
    AWAIT(is_calm(fixture));
    fixture_stop(fixture, 1000);
}

/* What ready-made parsers let pass (each of them something), over a real connection with a second
 * request behind: one refusal, and the second is never read as a request. */
static void refuses_each_ambiguous_request(void)
{
#define HOST   "Host: a\r\n"
#define BEHIND "GET /hello HTTP/1.1\r\n" HOST "\r\n"
#define POST   "POST /echo HTTP/1.1\r\n" HOST
    static const struct bytes probes[] = {
        BYTES_LITERAL(POST
                      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" BEHIND),
        BYTES_LITERAL(POST "Content-Length: 5\r\nContent-Length: 0\r\n\r\n" BEHIND),
        BYTES_LITERAL(POST "Content-Length: +5\r\n\r\nabcde" BEHIND),
        BYTES_LITERAL(POST "Content-Length: 0x5\r\n\r\nabcde" BEHIND),
        BYTES_LITERAL(POST "Content-Length : 5\r\n\r\nabcde" BEHIND),
        BYTES_LITERAL(POST "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n" BEHIND),
        BYTES_LITERAL(POST "Transfer-Encoding: chunked\r\n\r\n1;a\nb\r\na\r\n0\r\n\r\n" BEHIND),
        BYTES_LITERAL(POST "Transfer-Encoding: chunked\r\n\r\n0\r\nHost: b\r\n\r\n" BEHIND),
        BYTES_LITERAL(POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" BEHIND),
        BYTES_LITERAL("GET /hello HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n" BEHIND),
        BYTES_LITERAL("GET /hello HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n" BEHIND),
        BYTES_LITERAL("GET /hello HTTP/1.1\r\n" HOST HOST "\r\n" BEHIND),
        BYTES_LITERAL("GET /hello HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n" BEHIND),
        BYTES_LITERAL("GET /hello HTTP/1.1\nHost: a\n\n" BEHIND),
        BYTES_LITERAL("GET /hello HTTP/1.1\r\n\r\n" BEHIND),
        BYTES_LITERAL("GET /hello HTTP/1.0\r\n" HOST "\r\n" BEHIND),
        BYTES_LITERAL("GET http://b/hello HTTP/1.1\r\n" HOST "\r\n" BEHIND),
        BYTES_LITERAL("CONNECT b:443 HTTP/1.1\r\n" HOST "\r\n" BEHIND),
    };
    struct fixture *fixture = fixture_start(NULL);
    for (size_t i = 0; i < ARRAY_COUNT(probes); i++) {
        struct wire *wire = wire_open(fixture, "http/1.1");
        wire_send(wire, probes[i]);
        bool is_closed = wire_ends(wire);
        struct bytes all = wire_read(wire, 0);
        unsigned answers = 0;
        for (size_t at = 0; at < all.size; at++)
            answers += bytes_starts_with(bytes_part(all, at, all.size), BYTES_LITERAL("HTTP/1.1 "));
        CHECK_NOTE(answers == 1, "probe %zu: %u answers", i, answers);
        struct bytes status = bytes_part(all, 9, 1);
        CHECK_NOTE(bytes_equal_string(status, "4") || bytes_equal_string(status, "5"), "probe %zu",
                   i);
        CHECK_NOTE(is_closed, "probe %zu", i);
        wire_close(wire);
    }
    CHECK_NUMBER(fixture_requests(fixture), 0);
    fixture_stop(fixture, 5000);
}

static void survives_broken_handshakes(void)
{
    struct fixture *fixture = fixture_start(NULL);
    uint64_t state = 7;
    uint8_t junk[512];
    static const uint8_t hello[] = { 0x16, 3, 1, 1, 0, 1, 0, 0, 0xfc, 3, 3 };
    for (unsigned round = 0; round < 100; round++) {
        /* A plain connection to the TLS port, by the port's number. */
        struct wire *wire = wire_open_raw(fixture);
        for (size_t i = 0; i < sizeof(junk); i++)
            junk[i] = (uint8_t)test_random(&state);
        if (round % 2 == 0)
            memcpy(junk, hello, sizeof(hello));
        wire_send(wire, bytes_of(junk, 1 + test_random(&state) % sizeof(junk)));
        if (round % 3 == 0)
            wire_glance(wire, 1, 5);
        wire_close(wire);
    }
    AWAIT(is_calm(fixture));
    CHECK(serves(fixture));
    fixture_stop(fixture, 1000);
}

static void tells_who_forgot_tls(void)
{
    struct fixture *fixture = fixture_start(NULL);
    struct wire *wire = wire_open_raw(fixture);
    CHECK(wire_send_text(wire, "POST / HTTP/1.1\r\n"));
    CHECK(bytes_starts_with(wire_read(wire, 200), BYTES_LITERAL("HTTP/1.1 400 ")));
    CHECK(wire_ends(wire));
    wire_close(wire);
    CHECK(serves(fixture));
    fixture_stop(fixture, 1000);
}

static const struct test tests[] = {
    TEST(answers_a_hand_made_request),
    TEST(stops_rapid_resets),
    TEST(stops_floods),
    TEST(stops_resets_by_proxy),
    TEST(bounds_streams_and_windows),
    TEST(refuses_bad_requests),
    TEST(refuses_blocks_that_stand_for_much),
    TEST(ends_slow_header_blocks),
    TEST(drains_http2),
    TEST(ends_streams_that_answer_each_other),
    TEST(survives_mutated_conversations),
    TEST(refuses_each_ambiguous_request),
    TEST(survives_broken_handshakes),
    TEST(tells_who_forgot_tls),
};

int main(int argc, char **argv)
{
    fixture_init();
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
