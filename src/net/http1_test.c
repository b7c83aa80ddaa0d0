/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http1.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct http1_head head;
static uint8_t copy[HTTP_HEAD_SIZE_MAX];

/* 0, the status of the refusal, or -1 when more is needed. */
static int judge(struct bytes text)
{
    struct http1_scan scan = { 0 };
    size_t used;
    switch (http1_scan(&scan, text, &used)) {
    case HTTP1_MORE:
        return -1;
    case HTTP1_DONE:
        break;
    case HTTP1_BAD:
    case HTTP1_DATA:
        return scan.status;
    }
    memcpy(copy, text.data, used);
    return http1_head_parse(&head, copy, used);
}

#define HOST "Host: a\r\n"

static void parses_a_request(void)
{
    static const char text[] = "POST /v1/x%20y?b=1&c HTTP/1.1\r\nHost: node.example:8443\r\n"
                               "X-Mixed-Case: \t some  value \t\r\nEmpty:\r\nContent-Length: 12\r\n"
                               "Connection: foo, Close\r\nExpect: 100-Continue\r\n\r\nhello";
    REQUIRE(judge(BYTES_LITERAL("")) == -1);
    REQUIRE(judge(bytes_of_string(text)) == 0);
    const struct http_request *request = &head.request;
    CHECK_NUMBER(request->method, HTTP_METHOD_POST);
    CHECK_BYTES(request->path, BYTES_LITERAL("/v1/x%20y"));
    CHECK_BYTES(request->query, BYTES_LITERAL("b=1&c"));
    CHECK(request->has_query && request->has_body && request->has_content_size);
    CHECK_NUMBER(request->content_size, 12);
    CHECK_BYTES(request->authority, BYTES_LITERAL("node.example:8443"));
    CHECK_NUMBER(request->field_count, 6);
    CHECK_BYTES(http_request_value(request, "x-mixed-case"), BYTES_LITERAL("some  value"));
    CHECK(http_request_field(request, "empty") != NULL);
    CHECK(http_request_field(request, "absent") == NULL);
    CHECK(head.close && head.expect_continue && !head.is_chunked);
}

static void forgives_one_empty_line(void)
{
    CHECK_NUMBER(judge(BYTES_LITERAL("\r\nGET / HTTP/1.1\r\n" HOST "\r\n")), 0);
    CHECK_NUMBER(judge(BYTES_LITERAL("\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n")), 400);
}

static const struct {
    int status;
    struct bytes text;
} ambiguous[] = {
#define PROBE(status, text)                                                                        \
    {                                                                                              \
        status,                                                                                    \
        {                                                                                          \
            (const uint8_t *)(text), sizeof(text) - 1                                              \
        }                                                                                          \
    }
#define POST(fields) "POST / HTTP/1.1\r\n" HOST fields "\r\n"
    PROBE(400, POST("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")),
    PROBE(400, POST("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")),
    PROBE(400, POST("Content-Length: 5\r\nContent-Length: 6\r\n")),
    PROBE(400, POST("Content-Length: 5\r\nContent-Length: 5\r\n")),
    PROBE(400, POST("Content-Length: 5, 5\r\n")),
    PROBE(400, POST("Content-Length: +5\r\n")),
    PROBE(400, POST("Content-Length: -1\r\n")),
    PROBE(400, POST("Content-Length: 0x5\r\n")),
    PROBE(400, POST("Content-Length: 5 5\r\n")),
    PROBE(400, POST("Content-Length:\r\n")),
    PROBE(400, POST("Content-Length: 18446744073709551616\r\n")),
    PROBE(400, POST("Content-Length: 99999999999999999999999\r\n")),
    PROBE(400, POST("Content-Length : 5\r\n")),
    PROBE(400, POST("X \t: 5\r\n")),
    PROBE(501, POST("Transfer-Encoding: gzip, chunked\r\n")),
    PROBE(501, POST("Transfer-Encoding: chunked, chunked\r\n")),
    PROBE(501, POST("Transfer-Encoding: identity\r\n")),
    PROBE(501, POST("Transfer-Encoding:\r\n")),
    PROBE(501, POST("Transfer-Encoding: \"chunked\"\r\n")),
    PROBE(501, POST("Transfer-Encoding: xchunked\r\n")),
    PROBE(400, POST("Transfer-Encoding: \vchunked\r\n")),
    PROBE(400, POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")),
    PROBE(501, POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n")),
    PROBE(400, POST("X: a\0b\r\n")),
    PROBE(400, POST("X: a\rb\r\n")),
    PROBE(400, POST("X: a\nb\r\n")),
    PROBE(400, POST("X: a\x7f\r\n")),
    PROBE(400, POST("X: a\x01\r\n")),
    PROBE(400, POST("X: a\r\n folded\r\n")),
    PROBE(400, POST("X: a\r\n\tfolded\r\n")),
    PROBE(400, POST(" X: a\r\n")),
    PROBE(400, POST(": a\r\n")),
    PROBE(400, POST("no colon\r\n")),
    PROBE(400, POST("X(y): a\r\n")),
    PROBE(400, POST("X\xc3\xa9: a\r\n")),
    PROBE(400, POST("Host: b\r\n")),
    PROBE(400, POST(HOST)),
    PROBE(417, POST("Expect: something\r\n")),
    PROBE(400, "POST / HTTP/1.1\r\n\r\n"),
    PROBE(400, "POST / HTTP/1.1\r\nHost:\r\n\r\n"),
    PROBE(400, "POST / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    PROBE(400, "POST / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    PROBE(400, "POST / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    PROBE(400, "POST / HTTP/1.1\r\nHost: a:65536\r\n\r\n"),
    PROBE(400, "POST / HTTP/1.1\r\nHost: a:1:2\r\n\r\n"),
    PROBE(400, "POST / HTTP/1.1\r\nHost: [::1\r\n\r\n"),
    PROBE(400, "POST / HTTP/1.1\r\nHost: [::1]x\r\n\r\n"),
    PROBE(400, "POST / HTTP/1.1\r\nHost: a,b\r\n b\r\n\r\n"),
    PROBE(400, "POST / HTTP/1.1\nHost: a\n\n"),
    PROBE(400, "POST / HTTP/1.1\r\nHost: a\n\r\n"),
    PROBE(400, "POST / HTTP/1.1\r\nHost: a\r\n\n"),
    PROBE(400, "POST / HTTP/1.1\rHost: a\r\r"),
    PROBE(400, "POST  / HTTP/1.1\r\n" HOST "\r\n"),
    PROBE(400, "POST /  HTTP/1.1\r\n" HOST "\r\n"),
    PROBE(400, "POST\t/ HTTP/1.1\r\n" HOST "\r\n"),
    PROBE(400, " POST / HTTP/1.1\r\n" HOST "\r\n"),
    PROBE(400, "POST / HTTP/1.1 \r\n" HOST "\r\n"),
    PROBE(400, "POST /\r\n" HOST "\r\n"),
    PROBE(400, "POST / http/1.1\r\n" HOST "\r\n"),
    PROBE(505, "POST / HTTP/1.0\r\n" HOST "\r\n"),
    PROBE(505, "POST / HTTP/2.0\r\n" HOST "\r\n"),
    PROBE(400, "PO(ST / HTTP/1.1\r\n" HOST "\r\n"),
    PROBE(501, "post / HTTP/1.1\r\n" HOST "\r\n"),
    PROBE(501, "TRACE / HTTP/1.1\r\n" HOST "\r\n"),
    PROBE(501, "CONNECT a:443 HTTP/1.1\r\n" HOST "\r\n"),
    PROBE(501, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    PROBE(400, "GET http://a/ HTTP/1.1\r\n" HOST "\r\n"),
    PROBE(400, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n"),
    PROBE(400, "GET a HTTP/1.1\r\n" HOST "\r\n"),
    PROBE(400, "GET /a#b HTTP/1.1\r\n" HOST "\r\n"),
    PROBE(400, "GET /a% HTTP/1.1\r\n" HOST "\r\n"),
    PROBE(400, "GET /a%4 HTTP/1.1\r\n" HOST "\r\n"),
    PROBE(400, "GET /a%4g HTTP/1.1\r\n" HOST "\r\n"),
    PROBE(400, "GET /a\\b HTTP/1.1\r\n" HOST "\r\n"),
    PROBE(400, "GET /a\"b HTTP/1.1\r\n" HOST "\r\n"),
    PROBE(400, "GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n"),
    PROBE(400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 \r\n\r\n"),
};

static void refuses_what_can_be_read_in_two_ways(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(ambiguous); i++) {
        int status = judge(ambiguous[i].text);
        /* PRI and the bare lines are refused before the method is known. */
        bool refused =
            status == ambiguous[i].status || (ambiguous[i].status == 501 && status == 505);
        CHECK_NOTE(refused, "probe %zu: got %d, want %d", i, status, ambiguous[i].status);
    }
}

static void accepts_unusual_but_plain_requests(void)
{
    static const char *const texts[] = {
        POST("Content-Length: 0\r\n"),
        POST("Content-Length: 005\r\n"),
        POST("Transfer-Encoding: CHUNKED\r\n"),
        POST("X: \xc3\xa9\r\n"),
        POST("X-A_b.c~!#$%&'*+^`|: a\r\n"),
        POST("X: a:b\r\n"),
        "GET /:@!$&'()*+,;=-._~%41//?a?/ HTTP/1.1\r\nhOST: [::1]:\r\n\r\n",
        "OPTIONS / HTTP/1.1\r\nHost:a:1\r\n\r\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        CHECK_NOTE(judge(bytes_of_string(texts[i])) == 0, "text %zu", i);
}

static void every_truncation_needs_more(void)
{
    static const char text[] = POST("Content-Length: 5\r\nX: y\r\n");
    for (size_t i = 0; i < sizeof(text) - 1; i++)
        CHECK_NUMBER(judge(bytes_of(text, i)), -1);
    CHECK_NUMBER(judge(bytes_of(text, sizeof(text) - 1)), 0);
}

static void no_flipped_byte_smuggles(void)
{
    static const char text[] = POST("Content-Length: 5\r\nX: y\r\n");
    uint8_t flipped[sizeof(text)];
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            memcpy(flipped, text, sizeof(text));
            flipped[i] = (uint8_t)byte;
            if (judge(bytes_of(flipped, sizeof(text) - 1)) != 0)
                continue;
            const struct http_request *request = &head.request;
            CHECK(http_is_target(request->target) && http_is_authority(request->authority));
            CHECK(request->field_count == 3);
        }
    }
}

static int judge_sized(size_t target, size_t fields, size_t value)
{
    size_t capacity = target + fields * (value + 16) + 64, size = 0;
    char *text = malloc(capacity);
    ASSERT(text != NULL);
    size += (size_t)snprintf(text, capacity, "GET /");
    memset(text + size, 'a', target - 1);
    size += target - 1;
    size += (size_t)snprintf(text + size, capacity - size, " HTTP/1.1\r\nHost: a\r\n");
    for (size_t i = 1; i < fields; i++) {
        size += (size_t)snprintf(text + size, capacity - size, "x%zu: ", i);
        memset(text + size, 'v', value);
        size += value;
        text[size++] = '\r';
        text[size++] = '\n';
    }
    text[size++] = '\r';
    text[size++] = '\n';
    int status = judge(bytes_of(text, size));
    free(text);
    return status;
}

static void keeps_its_limits(void)
{
    CHECK_NUMBER(judge_sized(HTTP_TARGET_SIZE_MAX, 1, 0), 0);
    CHECK_NUMBER(judge_sized(HTTP_TARGET_SIZE_MAX + 1, 1, 0), 414);
    CHECK_NUMBER(judge_sized(HTTP_HEAD_SIZE_MAX, 1, 0), 414);
    CHECK_NUMBER(judge_sized(1, HTTP_FIELD_COUNT_MAX, 1), 0);
    CHECK_NUMBER(judge_sized(1, HTTP_FIELD_COUNT_MAX + 1, 1), 431);
    CHECK_NUMBER(judge_sized(1, 2, HTTP_HEAD_SIZE_MAX - 64), 0);
    CHECK_NUMBER(judge_sized(1, 2, HTTP_HEAD_SIZE_MAX), 431);
}

/* Decodes `text` in pieces; the data to `out`, *used the bytes up to the end. */
static enum http1_step unchunk(struct bytes text, size_t piece, char *out, size_t *used)
{
    struct http1_chunked chunked = { 0 };
    enum http1_step step = HTTP1_MORE;
    size_t size = 0;
    *used = 0;
    while (*used < text.size && step != HTTP1_DONE && step != HTTP1_BAD) {
        struct bytes data;
        size_t taken;
        step = http1_chunked_read(&chunked, bytes_part(text, *used, piece), &taken, &data);
        memcpy(out + size, data.data == NULL ? (const uint8_t *)"" : data.data, data.size);
        size += data.size;
        *used += taken;
    }
    out[size] = '\0';
    return step;
}

static void reads_chunks_whatever_the_pieces(void)
{
    static const char text[] = "5\r\nhello\r\n0006\r\n world\r\nA\r\n0123456789\r\n0\r\n\r\nGET /";
    char out[64];
    size_t used;
    for (size_t piece = 1; piece < sizeof(text); piece++) {
        CHECK(unchunk(bytes_of_string(text), piece, out, &used) == HTTP1_DONE);
        CHECK_STRING(out, "hello world0123456789");
        CHECK_NUMBER(used, sizeof(text) - 1 - 5);
    }
    for (size_t size = 0; size < sizeof(text) - 1 - 5; size++) {
        enum http1_step step = unchunk(bytes_of(text, size), size, out, &used);
        CHECK(step == HTTP1_MORE || step == HTTP1_DATA);
    }
}

static void refuses_bad_chunks(void)
{
    static const char *const texts[] = {
        "0x1\r\na\r\n0\r\n\r\n",
        "+1\r\na\r\n0\r\n\r\n",
        "-1\r\na",
        " 1\r\na\r\n0\r\n\r\n",
        "1 \r\na\r\n0\r\n\r\n",
        "1;ext\r\na\r\n0\r\n\r\n",
        "1;a=b\r\na\r\n0\r\n\r\n",
        "1\na\n0\n\n",
        "1\r\nab\r\n0\r\n\r\n",
        "1\r\na\n0\r\n\r\n",
        "1\r\na0\r\n\r\n",
        "\r\n",
        "0\r\nTrailer: x\r\n\r\n",
        "0\r\nX",
        "0\r\n\n",
        "0\n\r\n",
        "g\r\n",
        "1\r\r\na",
        "fffffffffffffffff\r\n",
        "0000000000000001\r\n",
        "8000000000000000\r\n",
        "1\r\na\r\n\r\n0\r\n\r\n",
    };
    char out[64];
    size_t used;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        for (size_t piece = 1; piece <= 32; piece += 31)
            CHECK_NOTE(unchunk(bytes_of_string(texts[i]), piece, out, &used) == HTTP1_BAD,
                       "text %zu", i);
    }
}

static void writes_answers(void)
{
    char text[512];
    struct http_field fields[] = { HTTP_FIELD("content-type", BYTES_LITERAL("text/plain")) };
    struct http_answer answer = {
        .status = 200, .fields = fields, .field_count = 1, .body = BYTES_LITERAL("hello")
    };
    struct writer writer = writer_into(text, sizeof(text));
    REQUIRE(http1_answer_write(&writer, &answer, true));
    CHECK_BYTES(writer_view(&writer),
                BYTES_LITERAL("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n"
                              "content-type: text/plain\r\n\r\n"));
    answer = (struct http_answer){ .status = 204 };
    writer = writer_into(text, sizeof(text));
    REQUIRE(http1_answer_write(&writer, &answer, false));
    CHECK_BYTES(writer_view(&writer), BYTES_LITERAL("HTTP/1.1 204 No Content\r\n\r\n"));
    writer = writer_into(text, 20);
    CHECK(!http1_answer_write(&writer, &answer, false));
}

static void writes_no_field_that_splits(void)
{
    static const struct http_field bad[] = {
        { BYTES_LITERAL("x"), BYTES_LITERAL("a\r\nset-cookie: b") },
        { BYTES_LITERAL("x"), BYTES_LITERAL("a\nb") },
        { BYTES_LITERAL("x"), BYTES_LITERAL("a\0b") },
        { BYTES_LITERAL("x"), BYTES_LITERAL(" a") },
        { BYTES_LITERAL("x y"), BYTES_LITERAL("a") },
        { BYTES_LITERAL(""), BYTES_LITERAL("a") },
        { BYTES_LITERAL("x:"), BYTES_LITERAL("a") },
        { BYTES_LITERAL("Upper"), BYTES_LITERAL("a") },
        { BYTES_LITERAL("content-length"), BYTES_LITERAL("1") },
        { BYTES_LITERAL("transfer-encoding"), BYTES_LITERAL("chunked") },
        { BYTES_LITERAL("connection"), BYTES_LITERAL("close") },
    };
    char text[512];
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct http_answer answer = { .status = 200, .fields = &bad[i], .field_count = 1 };
        struct writer writer = writer_into(text, sizeof(text));
        CHECK_NOTE(!http1_answer_write(&writer, &answer, false), "field %zu", i);
    }
    struct http_answer informal = { .status = 100 };
    CHECK(!http_answer_is_fit(&informal));
}

static const struct test tests[] = {
    TEST(parses_a_request),
    TEST(forgives_one_empty_line),
    TEST(refuses_what_can_be_read_in_two_ways),
    TEST(accepts_unusual_but_plain_requests),
    TEST(every_truncation_needs_more),
    TEST(no_flipped_byte_smuggles),
    TEST(keeps_its_limits),
    TEST(reads_chunks_whatever_the_pieces),
    TEST(refuses_bad_chunks),
    TEST(writes_answers),
    TEST(writes_no_field_that_splits),
};
TEST_MAIN(tests)
