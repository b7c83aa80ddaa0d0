/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/envelope.h"

#include "core/reader.h"
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

/* --- requests --- */

static const char *const variables[] = { "GATEWAY_INTERFACE=CGI/1.1",
                                         "REQUEST_METHOD=POST",
                                         "PATH_INFO=/a b",
                                         "QUERY_STRING=x=1&y=2",
                                         "CONTENT_TYPE=text/plain",
                                         "CONTENT_LENGTH=5",
                                         "HTTP_X_TEST=yes, no",
                                         "S3N_FUNCTION=f",
                                         "EMPTY=",
                                         NULL };

static const struct envelope_request request = { .trigger = ENVELOPE_TRIGGER_HTTP,
                                                 .id = { 1, 2, 3 },
                                                 .environment = variables,
                                                 .body = { (const uint8_t *)"hello", 5 } };

static void check_pair(struct reader *reader, const char *name, const char *value)
{
    uint32_t name_size = read_u32_le(reader), value_size = read_u32_le(reader);
    CHECK_BYTES(read_bytes(reader, name_size), bytes_of_string(name));
    CHECK_BYTES(read_bytes(reader, value_size), bytes_of_string(value));
}

/* As docs/abi.md describes it. */
static void requests_are_laid_out_as_documented(void)
{
    uint8_t bytes[512];
    struct writer writer = writer_into(bytes, sizeof(bytes));
    envelope_request_write(&writer, &request);
    REQUIRE(!writer.failed);
    CHECK_NUMBER(writer.size, envelope_request_size(&request));
    struct reader reader = reader_of(writer_view(&writer));
    CHECK_BYTES(read_bytes(&reader, 4), BYTES_LITERAL("S3NQ"));
    CHECK_NUMBER(read_u16_le(&reader), 1);
    CHECK_NUMBER(read_u16_le(&reader), 2);
    CHECK_NUMBER(read_u32_le(&reader), writer.size);
    uint32_t body_offset = read_u32_le(&reader);
    CHECK_NUMBER(body_offset % 8, 0);
    CHECK_NUMBER(read_u32_le(&reader), 5);
    CHECK_NUMBER(read_u32_le(&reader), 4);
    CHECK_NUMBER(read_u32_le(&reader), 4);
    CHECK_NUMBER(read_u32_le(&reader), 7);
    CHECK_NUMBER(read_u32_le(&reader), 2);
    CHECK_NUMBER(read_u32_le(&reader), 3);
    CHECK_BYTES(read_bytes(&reader, 16), BYTES_OF(request.id));
    CHECK_NUMBER(read_u64_le(&reader), 0);
    CHECK_BYTES(read_bytes(&reader, 15), BYTES_LITERAL("POST/a bx=1&y=2"));
    check_pair(&reader, "content-type", "text/plain");
    check_pair(&reader, "x-test", "yes, no");
    check_pair(&reader, "GATEWAY_INTERFACE", "CGI/1.1");
    check_pair(&reader, "S3N_FUNCTION", "f");
    check_pair(&reader, "EMPTY", "");
    struct bytes padding = read_bytes(&reader, body_offset - reader_offset(&reader));
    CHECK(padding.size < 8);
    CHECK_BYTES(read_bytes(&reader, 5), BYTES_LITERAL("hello"));
    CHECK(read_end(&reader));
}

static void requests_need_their_room(void)
{
    uint8_t bytes[512];
    for (size_t size = 0; size < envelope_request_size(&request); size++) {
        struct writer writer = writer_into(bytes, size);
        envelope_request_write(&writer, &request);
        CHECK(writer.failed);
    }
    struct envelope_request large = request;
    large.body.size = UINT32_MAX;
    CHECK(envelope_request_size(&large) == UINT64_MAX);
    static const char *const none[] = { NULL };
    struct envelope_request bare = { .environment = none };
    CHECK_NUMBER(envelope_request_size(&bare), 64);
}

/* --- answers of reactors --- */

struct made {
    uint8_t bytes[32 << 10];
    struct writer writer;
    struct bytes view;
};

static void put_pair(struct writer *writer, const char *name, const char *value)
{
    write_u32_le(writer, (uint32_t)strlen(name));
    write_u32_le(writer, (uint32_t)strlen(value));
    write_bytes(writer, bytes_of_string(name));
    write_bytes(writer, bytes_of_string(value));
}

/* Names and values alternate, NULL at the end. */
static struct bytes make(struct made *made, unsigned status, const char *const *pairs,
                         const char *body)
{
    uint32_t count = 0;
    made->writer = writer_into(made->bytes, sizeof(made->bytes));
    write_zeros(&made->writer, 32);
    for (; pairs != NULL && pairs[0] != NULL; pairs += 2, count++)
        put_pair(&made->writer, pairs[0], pairs[1]);
    write_zeros(&made->writer, (8 - made->writer.size % 8) % 8);
    size_t body_offset = made->writer.size;
    write_bytes(&made->writer, bytes_of_string(body));
    ASSERT(!made->writer.failed);
    struct writer head = writer_into(made->bytes, 32);
    write_bytes(&head, BYTES_LITERAL("S3NA"));
    write_u16_le(&head, 1);
    write_u16_le(&head, (uint16_t)status);
    write_u32_le(&head, (uint32_t)made->writer.size);
    write_u32_le(&head, (uint32_t)body_offset);
    write_u32_le(&head, (uint32_t)strlen(body));
    write_u32_le(&head, count);
    return made->view = writer_view(&made->writer);
}

static void check_header(const struct envelope_answer *answer, size_t index, const char *name,
                         const char *value)
{
    CHECK_BYTES(answer->headers[index].name, bytes_of_string(name));
    CHECK_BYTES(answer->headers[index].value, bytes_of_string(value));
}

static void answers_are_read(void)
{
    static struct made made;
    static struct envelope_answer answer;
    const char *reason;
    const char *const pairs[] = {
        "content-type", "text/html", "x",     "",  "content-length", "4", "server",
        "mine",         "date",      "never", "x", "a\tb \xff",      NULL
    };
    REQUIRE(envelope_answer_read(&answer, make(&made, 404, pairs, "body"), &reason));
    CHECK_NUMBER(answer.status, 404);
    REQUIRE(answer.header_count == 3);
    check_header(&answer, 0, "content-type", "text/html");
    check_header(&answer, 1, "x", "");
    check_header(&answer, 2, "x", "a\tb \xff");
    CHECK_BYTES(answer.body, BYTES_LITERAL("body"));
    REQUIRE(envelope_answer_read(&answer, make(&made, 200, NULL, ""), &reason));
    CHECK_NUMBER(answer.header_count, 0);
    CHECK_NUMBER(answer.body.size, 0);
}

static void check_refused(struct bytes source, const char *expected)
{
    static struct envelope_answer answer;
    const char *reason = "";
    CHECK(!envelope_answer_read(&answer, source, &reason));
    CHECK_STRING(reason, expected);
}

static void poke(struct made *made, size_t at, uint32_t number)
{
    struct writer writer = writer_into(made->bytes + at, 4);
    write_u32_le(&writer, number);
}

static void hostile_heads_are_refused(void)
{
    static struct made made;
    const char *const pair[] = { "x", "yy", NULL };
    static const struct {
        size_t at;
        uint32_t number;
        const char *reason;
    } cases[] = {
        { 0, 0, "it does not begin as an answer of version 1" },
        { 4, 200u << 16 | 2, "it does not begin as an answer of version 1" },
        { 4, 199u << 16 | 1, "its status is not between 200 and 599" },
        { 4, 600u << 16 | 1, "its status is not between 200 and 599" },
        { 8, 47, "its size is not what it says" },
        { 8, UINT32_MAX, "its size is not what it says" },
        { 12, 40, "its body is not right behind its headers" },
        { 12, 32, "its body is not right behind its headers" },
        { 12, 0, "its body is not right behind its headers" },
        { 12, UINT32_MAX, "its body is not right behind its headers" },
        { 16, 3, "its body is not right behind its headers" },
        { 16, 5, "its body is not right behind its headers" },
        { 16, UINT32_MAX, "its body is not right behind its headers" },
        { 20, 0, "its body is not right behind its headers" },
        { 20, UINT32_MAX, "headers reach beyond the answer" },
        { 24, 1, "it does not begin as an answer of version 1" },
        { 28, 1, "it does not begin as an answer of version 1" },
        { 32, 0, "a header's name is not a token in lower case" },
        { 32, UINT32_MAX, "headers reach beyond the answer" },
        { 36, UINT32_MAX, "headers reach beyond the answer" },
        { 36, 8, "a header's value holds control characters or blanks at an end" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct bytes source = make(&made, 200, pair, "body");
        poke(&made, cases[i].at, cases[i].number);
        check_refused(source, cases[i].reason);
    }
    struct bytes source = make(&made, 200, pair, "body");
    made.bytes[43] = 1;
    check_refused(source, "bytes between headers and body");
}

static void smuggling_is_refused(void)
{
    static struct made made;
    static const struct {
        const char *name, *value, *reason;
    } cases[] = {
        { "X-Upper", "v", "a header's name is not a token in lower case" },
        { "a b", "v", "a header's name is not a token in lower case" },
        { "a:", "v", "a header's name is not a token in lower case" },
        { "a\r\nb", "v", "a header's name is not a token in lower case" },
        { ":status", "200", "a header's name is not a token in lower case" },
        { "", "v", "a header's name is not a token in lower case" },
        { "a", "v\r\nset-cookie: x",
          "a header's value holds control characters or blanks at an end" },
        { "a", "v\n", "a header's value holds control characters or blanks at an end" },
        { "a", "\x7f", "a header's value holds control characters or blanks at an end" },
        { "a", " v", "a header's value holds control characters or blanks at an end" },
        { "a", "v ", "a header's value holds control characters or blanks at an end" },
        { "transfer-encoding", "chunked", "a header that is the node's to set" },
        { "connection", "close", "a header that is the node's to set" },
        { "upgrade", "h2c", "a header that is the node's to set" },
        { "s3n-receipt", "forged", "a header that is the node's to set" },
        { "content-length", "3", "Content-Length is not the body's size" },
        { "content-length", "", "Content-Length is not the body's size" },
        { "content-length", "+4", "Content-Length is not the body's size" },
        { "content-length", "18446744073709551620", "Content-Length is not the body's size" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const char *const pairs[] = { cases[i].name, cases[i].value, NULL };
        check_refused(make(&made, 200, pairs, "body"), cases[i].reason);
    }
    const char *many[2 * (ENVELOPE_HEADERS_MAX + 1) + 1] = { NULL };
    for (size_t i = 0; i + 1 < ARRAY_COUNT(many); i++)
        many[i] = "x";
    check_refused(make(&made, 200, many, ""), "too many headers");
    static char long_value[ENVELOPE_HEAD_SIZE_MAX];
    memset(long_value, 'v', sizeof(long_value) - 1);
    const char *const large[] = { "x", long_value, NULL };
    check_refused(make(&made, 200, large, ""), "headers are too large");
}

static void truncations_and_flips_are_survived(void)
{
    static struct made made;
    static struct envelope_answer answer;
    const char *const pairs[] = { "content-type", "text/html", "x", "y", NULL };
    const char *reason;
    struct bytes source = make(&made, 200, pairs, "a body");
    for (size_t size = 0; size < source.size; size++) {
        uint8_t *copy = malloc(size + 1);
        ASSERT(copy != NULL);
        memcpy(copy, source.data, size);
        CHECK(!envelope_answer_read(&answer, bytes_of(copy, size), &reason));
        free(copy);
    }
    for (size_t i = 0; i < source.size * 8; i++) {
        made.bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        if (envelope_answer_read(&answer, source, &reason)) {
            CHECK(answer.status >= 200 && answer.status <= 599 && answer.header_count <= 2);
            CHECK(answer.body.data + answer.body.size <= source.data + source.size);
        }
        made.bytes[i / 8] ^= (uint8_t)(1 << i % 8);
    }
}

/* --- answers of CGI programs --- */

static void cgi_is_read(void)
{
    static struct envelope_answer answer;
    const char *reason = "";
    CHECK(envelope_cgi_read(&answer,
                            BYTES_LITERAL("Status: 404 Not Found\r\nContent-type:text/html\n"
                                          "Content-Length: 4\nDate: x\nX-A:  b \n\nbody"),
                            &reason));
    CHECK_NUMBER(answer.status, 404);
    REQUIRE(answer.header_count == 2);
    check_header(&answer, 0, "content-type", "text/html");
    check_header(&answer, 1, "x-a", "b");
    CHECK_BYTES(answer.body, BYTES_LITERAL("body"));
    CHECK(envelope_cgi_read(&answer, BYTES_LITERAL("Location: /there\n\n"), &reason));
    CHECK_NUMBER(answer.status, 302);
    CHECK(envelope_cgi_read(&answer, BYTES_LITERAL("Location: /there\nStatus: 201\n\n"), &reason));
    CHECK_NUMBER(answer.status, 201);
    CHECK(envelope_cgi_read(&answer, BYTES_LITERAL("Content-Type: a/b\n\n\nbody\n"), &reason));
    CHECK_BYTES(answer.body, BYTES_LITERAL("\nbody\n"));
    CHECK_NUMBER(answer.status, 200);
}

static void broken_cgi_is_refused(void)
{
    static const struct {
        const char *output, *reason;
    } cases[] = {
        { "", "its header lines do not end with an empty line" },
        { "hello, world", "its header lines do not end with an empty line" },
        { "Content-Type: a/b\nbody", "its header lines do not end with an empty line" },
        { "\nbody", "it has neither Content-Type nor Location nor Status" },
        { "X-A: b\n\nbody", "it has neither Content-Type nor Location nor Status" },
        { "Status: 200\n\nbody", "it has a body but no Content-Type" },
        { "Status: 200\nStatus: 200\n\n", "it has Status twice" },
        { "Content-Type: a/b\ncontent-type: a/b\n\n", "it has Content-Type or Location twice" },
        { "Location: /\nLocation: /\n\n", "it has Content-Type or Location twice" },
        { "Status: 99\n\n", "its Status is not between 200 and 599" },
        { "Status: 2000\n\n", "its Status is not between 200 and 599" },
        { "Status: OK\n\n", "its Status is not between 200 and 599" },
        { "Status: 100 Continue\n\n", "its Status is not between 200 and 599" },
        { "Content-Type: a/b\nno colon\n\n", "a header line without a colon" },
        { "Content-Type: a/b\n folded: x\n\n", "a header's name is not a token in lower case" },
        { "Content-Type : a/b\n\n", "a header's name is not a token in lower case" },
        { "Content-Type: a/b\nX: a\rb\n\n",
          "a header's value holds control characters or blanks at an end" },
        { "Content-Type: a/b\nTransfer-Encoding: chunked\n\n",
          "a header that is the node's to set" },
        { "Content-Type: a/b\nS3N-Receipt: x\n\n", "a header that is the node's to set" },
        { "Content-Type: a/b\nContent-Length: 5\n\nbody", "Content-Length is not the body's size" },
    };
    static struct envelope_answer answer;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const char *reason = "";
        CHECK(!envelope_cgi_read(&answer, bytes_of_string(cases[i].output), &reason));
        CHECK_STRING(reason, cases[i].reason);
    }
}

static void cgi_heads_are_bounded(void)
{
    static char output[2 * ENVELOPE_HEAD_SIZE_MAX];
    static struct envelope_answer answer;
    const char *reason;
    memset(output, 'x', sizeof(output));
    memcpy(output, "Content-Type:", 13);
    memcpy(output + sizeof(output) - 2, "\n\n", 2);
    CHECK(!envelope_cgi_read(&answer, BYTES_OF(output), &reason));
    for (size_t i = 18; i + 16 < sizeof(output); i += 16)
        memcpy(output + i, "\nname:", 6);
    CHECK(!envelope_cgi_read(&answer, BYTES_OF(output), &reason));
}

static const struct test tests[] = {
    TEST(requests_are_laid_out_as_documented),
    TEST(requests_need_their_room),
    TEST(answers_are_read),
    TEST(hostile_heads_are_refused),
    TEST(smuggling_is_refused),
    TEST(truncations_and_flips_are_survived),
    TEST(cgi_is_read),
    TEST(broken_cgi_is_refused),
    TEST(cgi_heads_are_bounded),
};
TEST_MAIN(tests)
