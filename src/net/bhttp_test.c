/* SPDX-License-Identifier: Apache-2.0 */
#include "net/bhttp.h"

#include "core/hex.h"
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

enum {
    MESSAGE_SIZE_MAX = 1024
};

/* RFC 9292 section 5.1, known length. */
#define HEAD "034745540568747470730"
#define FIELDS                                                                                     \
    "0a757365722d6167656e74346375726c2f372e31362e33206c69626375726c2f372e31362e33204f70656e53534c" \
    "2f302e392e376c207a6c69622f312e322e3304686f73740f7777772e6578616d706c652e636f6d0f616363657074" \
    "2d6c616e677561676506656e2c206d69"
#define KNOWN         "00" HEAD "00a2f68656c6c6f2e747874406c" FIELDS
#define INDETERMINATE "02" HEAD "00a2f68656c6c6f2e747874" FIELDS "00"

static struct bytes hex(uint8_t *space, const char *text)
{
    size_t size = strlen(text) / 2;
    CHECK(size <= MESSAGE_SIZE_MAX && hex_decode(space, size, bytes_of_string(text)));
    return bytes_of(space, size);
}

static enum error_code decoded(struct bhttp_request *request, const char *text)
{
    static uint8_t message[MESSAGE_SIZE_MAX], space[MESSAGE_SIZE_MAX];
    struct error error;
    return bhttp_request_decode(request, hex(message, text), space, &error) ? ERROR_NONE
                                                                            : error.code;
}

static void is_example(const struct bhttp_request *request, const char *body)
{
    CHECK_NUMBER(request->method, HTTP_METHOD_GET);
    CHECK_BYTES(request->path, BYTES_LITERAL("/hello.txt"));
    CHECK_NUMBER(request->authority.size, 0);
    CHECK_NUMBER(request->field_count, 3);
    CHECK_BYTES(request->fields[1].name, BYTES_LITERAL("host"));
    CHECK_BYTES(request->fields[1].value, BYTES_LITERAL("www.example.com"));
    CHECK_BYTES(request->fields[2].value, BYTES_LITERAL("en, mi"));
    CHECK_BYTES(request->body, bytes_of_string(body));
}

static void reads_the_examples_of_the_rfc(void)
{
    static const struct {
        const char *text, *body;
    } rows[] = {
        { KNOWN "0000", "" },
        { KNOWN "00", "" }, /* trailers left out */
        { KNOWN, "" },      /* and content */
        { KNOWN "02616200", "ab" },
        { KNOWN "02616200000000", "ab" }, /* padding */
        { INDETERMINATE "0000", "" },
        { INDETERMINATE, "" },
        { INDETERMINATE "0261620163000000", "abc" },
        { INDETERMINATE "026162016300", "abc" },
        { INDETERMINATE "02616200" FIELDS "0000", "ab" }, /* trailers */
        { KNOWN "400261620000", "ab" },                   /* a longer form of 2 */
    };
    struct bhttp_request request;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        enum error_code code = decoded(&request, rows[i].text);
        CHECK_NOTE(code == ERROR_NONE, "row %zu: %s", i, error_name(code));
        if (code == ERROR_NONE)
            is_example(&request, rows[i].body);
    }
}

static void refuses_what_is_no_request(void)
{
    static const struct {
        const char *text;
        enum error_code code;
    } rows[] = {
        { "", ERROR_INVALID },
        { "00" HEAD "0012f", ERROR_NONE },                  /* as short as can be */
        { "01" HEAD "0012f00", ERROR_INVALID },             /* a response */
        { "04" HEAD "0012f00", ERROR_INVALID },             /* unknown framing */
        { "00" HEAD "0012f0000", ERROR_NONE },              /* GET / */
        { "00" HEAD "0012f00000001", ERROR_INVALID },       /* padding that is none */
        { "00" HEAD "0012f0001", ERROR_INVALID },           /* content cut off */
        { "00" HEAD "0012f04016101620000", ERROR_NONE },    /* a: b */
        { "00" HEAD "0012f04014101620000", ERROR_INVALID }, /* A: b */
        { "00" HEAD "0012f04016101200000", ERROR_INVALID }, /* a blank for a value */
        { "00" HEAD "0012f04016101620000", ERROR_NONE },
        { "00" HEAD "0012f0500013a61620000", ERROR_INVALID }, /* a name of nothing */
        { "00" HEAD "0012f04013a01620000", ERROR_INVALID },   /* ":" */
        { "00" HEAD "0012f0a013a706174680161000000", ERROR_INVALID },
        { "00" HEAD "0012f0500", ERROR_INVALID },
        { "00" HEAD "0012f12"
          "0e636f6e74656e742d6c656e677468"
          "0230320000",
          ERROR_INVALID },
        { "00" HEAD "0012f0c"
          "0a636f6e6e656374696f6e"
          "000000",
          ERROR_INVALID },
        { "00" HEAD "00161000000", ERROR_INVALID },           /* path "a" */
        { "00" HEAD "000000000", ERROR_INVALID },             /* no path */
        { "00" HEAD "0012a0000", ERROR_INVALID },             /* "*" */
        { "000347455404687474700001 2f0000", ERROR_INVALID }, /* http, and no hexadecimal */
        { "00034745540468747470000"
          "12f0000",
          ERROR_INVALID },
        { "00034745580568747470730"
          "0012f0000",
          ERROR_UNSUPPORTED }, /* GEX */
        { "00034745540568747470730"
          "361406200012f0000",
          ERROR_INVALID },
        { "ff", ERROR_INVALID },
        { "00ffffffffffffffff", ERROR_INVALID },
    };
    struct bhttp_request request;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (strchr(rows[i].text, ' ') != NULL)
            continue;
        enum error_code code = decoded(&request, rows[i].text);
        CHECK_NOTE(code == rows[i].code, "row %zu %s: %s", i, rows[i].text, error_name(code));
    }
}

static void notices_every_cut_of_what_counts(void)
{
    uint8_t message[MESSAGE_SIZE_MAX], space[MESSAGE_SIZE_MAX];
    struct bhttp_request request;
    struct error error;
    struct bytes whole = hex(message, INDETERMINATE "02616200");
    size_t control = strlen("02" HEAD "00a2f68656c6c6f2e747874") / 2;
    size_t head = strlen(INDETERMINATE) / 2;
    for (size_t size = 0; size < whole.size; size++) {
        bool is_read = bhttp_request_decode(&request, bytes_part(whole, 0, size), space, &error);
        CHECK_NOTE(is_read == (size == head || size == control), "%zu bytes", size);
    }
}

static void counts_fields(void)
{
    AUTO_BUFFER struct buffer text;
    uint8_t space[MESSAGE_SIZE_MAX];
    struct error error;
    struct bhttp_request request;
    for (size_t count = HTTP_FIELD_COUNT_MAX; count <= HTTP_FIELD_COUNT_MAX + 1; count++) {
        buffer_init(&text, MESSAGE_SIZE_MAX);
        uint8_t head[32];
        buffer_append(&text, hex(head, "02" HEAD "0012f"));
        for (size_t i = 0; i < count; i++)
            buffer_append(&text, BYTES_LITERAL("\1a\1b"));
        buffer_append(&text, bytes_of("", 1));
        bool is_read = bhttp_request_decode(&request, buffer_view(&text), space, &error);
        CHECK_NUMBER(is_read, count == HTTP_FIELD_COUNT_MAX);
        if (!is_read)
            CHECK_NUMBER(error.code, ERROR_LIMIT);
        buffer_done(&text);
    }
    buffer_init(&text, 1);
}

static void reads_what_it_writes(void)
{
    AUTO_BUFFER struct buffer text;
    uint8_t space[70000];
    static uint8_t body[20000];
    struct error error;
    struct bhttp_request request = { .method = HTTP_METHOD_POST,
                                     .authority = BYTES_LITERAL("node:8443"),
                                     .path = BYTES_LITERAL("/a/x?y=1"),
                                     .body = BYTES_OF(body) },
                         read;
    request.fields[request.field_count++] =
        (struct http_field){ BYTES_LITERAL("content-type"), BYTES_LITERAL("text/plain") };
    buffer_init(&text, sizeof(space));
    REQUIRE(bhttp_request_encode(&text, &request, &error));
    REQUIRE(bhttp_request_decode(&read, buffer_view(&text), space, &error));
    CHECK_NUMBER(read.method, HTTP_METHOD_POST);
    CHECK_BYTES(read.authority, request.authority);
    CHECK_BYTES(read.path, request.path);
    CHECK_BYTES(read.body, request.body);
    CHECK_BYTES(read.fields[0].value, request.fields[0].value);
    struct http_answer answer = {
        .status = 404, .fields = request.fields, .field_count = 1, .body = request.body
    };
    struct bhttp_response response;
    buffer_clear(&text);
    REQUIRE(bhttp_response_encode(&text, &answer, &error));
    REQUIRE(bhttp_response_decode(&response, buffer_view(&text), space, &error));
    CHECK_NUMBER(response.status, 404);
    CHECK_NUMBER(response.field_count, 1);
    CHECK_BYTES(response.body, request.body);
}

static void reads_responses(void)
{
    static const struct {
        const char *text;
        int status;
    } rows[] = { { "0140c8", 200 },     { "0140c80000", 200 },
                 { "0340c800", 200 },   { "014064", 0 },
                 { "010a", 0 },         { "0000", 0 },
                 { "01", 0 },           { "014258", 0 },
                 { "0340c8000161", 0 }, { "0340c800016100", 200 } };
    uint8_t message[64], space[64];
    struct bhttp_response response;
    struct error error;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        bool is_read = bhttp_response_decode(&response, hex(message, rows[i].text), space, &error);
        CHECK_NOTE(is_read == (rows[i].status != 0), "%s", rows[i].text);
        if (is_read)
            CHECK_NUMBER(response.status, rows[i].status);
    }
}

static const struct test tests[] = {
    TEST(reads_the_examples_of_the_rfc),
    TEST(refuses_what_is_no_request),
    TEST(notices_every_cut_of_what_counts),
    TEST(counts_fields),
    TEST(reads_what_it_writes),
    TEST(reads_responses),
};
TEST_MAIN(tests)
