/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cgi.h"
#include "tests/harness.h"

#include <string.h>

static struct cgi_answer answer;

static struct bytes field(const char *name)
{
    for (size_t i = 0; i < answer.field_count; i++) {
        if (bytes_equal_string(answer.fields[i].name, name))
            return answer.fields[i].value;
    }
    return (struct bytes){ 0 };
}

static void reads_fields_of_an_output(void)
{
    cgi_answer_read(&answer, BYTES_LITERAL("Content-Type: text/html\r\nX-Own: a b\r\n"
                                           "Status: 404 Not here\r\n\r\n<p>"));
    CHECK_NUMBER(answer.status, 404);
    CHECK_BYTES(answer.body, BYTES_LITERAL("<p>"));
    CHECK_BYTES(field("content-type"), BYTES_LITERAL("text/html"));
    CHECK_BYTES(field("x-own"), BYTES_LITERAL("a b"));
    cgi_answer_read(&answer, BYTES_LITERAL("location: /there\n\n"));
    CHECK_NUMBER(answer.status, 302);
    CHECK_NUMBER(answer.body.size, 0);
    cgi_answer_read(&answer, BYTES_LITERAL("Status: 201\nContent-Length: 5\nConnection: close\n"
                                           "S3N-Receipt: forged\n\nx"));
    CHECK_NUMBER(answer.status, 201);
    CHECK_NUMBER(answer.field_count, 0);
}

static void takes_anything_else_as_the_body(void)
{
    static const char *const outputs[] = {
        "",
        "hello",
        "Content-Type: text/html",
        "Content-Type: text/html\nhello\n\n",
        "Status: 99\n\n",
        "Status: 600\n\n",
        "Status: abc\n\n",
        "X-First: a\n\nbody",
        "Content-Type: a\r\nX Y: b\r\n\r\n",
        "Content-Type: a\x01\n\n",
        "Status: 200\nContent-Type: a\rb\n\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(outputs); i++) {
        cgi_answer_read(&answer, bytes_of_string(outputs[i]));
        CHECK_NOTE(answer.status == 200, "%s", outputs[i]);
        CHECK_BYTES(answer.body, bytes_of_string(outputs[i]));
        CHECK_BYTES(field("content-type"), BYTES_LITERAL("text/plain; charset=utf-8"));
    }
    cgi_answer_read(&answer, BYTES_LITERAL("\xff\xfe"));
    CHECK_BYTES(field("content-type"), BYTES_LITERAL("application/octet-stream"));
}

static void keeps_its_limits(void)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 2 * CGI_HEAD_SIZE_MAX);
    buffer_append_string(&text, "Content-Type: ");
    while (text.size < CGI_HEAD_SIZE_MAX)
        buffer_append_string(&text, "a");
    buffer_append_string(&text, "\n\n");
    cgi_answer_read(&answer, buffer_view(&text));
    CHECK_NUMBER(answer.body.size, text.size);
    buffer_clear(&text);
    for (int i = 0; i < HTTP_ANSWER_FIELD_COUNT_MAX; i++)
        buffer_append_string(&text, "Content-Type: a\n");
    buffer_append_string(&text, "\n");
    cgi_answer_read(&answer, buffer_view(&text));
    CHECK_NUMBER(answer.body.size, text.size);
}

static bool has(const struct buffer *environment, const char *variable)
{
    for (size_t at = 0; at < environment->size;) {
        const char *text = (const char *)environment->data + at;
        if (strcmp(text, variable) == 0)
            return true;
        at += strlen(text) + 1;
    }
    return false;
}

static void check_variables(const struct gateway_call *call)
{
    AUTO_BUFFER struct buffer environment;
    buffer_init(&environment, GATEWAY_ENVIRONMENT_SIZE_MAX);
    unsigned count;
    struct error error;
    REQUIRE(gateway_call_environment(&environment, &count, call, &error));
    static const char *const wanted[] = {
        "GATEWAY_INTERFACE=CGI/1.1",
        "REQUEST_METHOD=POST",
        "SCRIPT_NAME=/a/app",
        "PATH_INFO=/quote/neo",
        "QUERY_STRING=x=1",
        "CONTENT_TYPE=text/plain",
        "CONTENT_LENGTH=3",
        "HTTP_HOST=a:1",
        "HTTP_X_SOME_THING=v=w, second",
        "HTTP_COOKIE=a=1; b=2",
        "HTTP_TRACEPARENT=00-ab000000000000000000000000000000-cd00000000000000-01",
        "HTTP_TRACESTATE=a=b",
        "HTTPS=on",
        "REMOTE_ADDR=127.0.0.1",
        "S3N_APPLICATION=app",
        "S3N_FUNCTION=f",
        "S3N_REQUEST_ID=id",
        "S3N_ROUTE_PAIR=neo",
        "S3N_ROUTE_REST=a/b",
        "SERVER_PROTOCOL=HTTP/1.1",
        "SERVER_SOFTWARE=s3n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++)
        CHECK_NOTE(has(&environment, wanted[i]), "%s", wanted[i]);
    CHECK_NUMBER(count, ARRAY_COUNT(wanted));
    buffer_done(&environment);
    buffer_init(&environment, 100);
    CHECK(!gateway_call_environment(&environment, &count, call, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
}

static void makes_variables(void)
{
    struct http_field fields[] = {
        { BYTES_LITERAL("host"), BYTES_LITERAL("a:1") },
        { BYTES_LITERAL("content-type"), BYTES_LITERAL("text/plain") },
        { BYTES_LITERAL("content-length"), BYTES_LITERAL("3") },
        { BYTES_LITERAL("x-some-thing"), BYTES_LITERAL("v=w") },
        { BYTES_LITERAL("x-some-thing"), BYTES_LITERAL("second") },
        { BYTES_LITERAL("x_some_thing"), BYTES_LITERAL("confusing") },
        { BYTES_LITERAL("cookie"), BYTES_LITERAL("a=1") },
        { BYTES_LITERAL("cookie"), BYTES_LITERAL("b=2") },
        { BYTES_LITERAL("proxy"), BYTES_LITERAL("http://evil") },
        { BYTES_LITERAL("authorization"), BYTES_LITERAL("Basic eA==") },
        { BYTES_LITERAL("signature"), BYTES_LITERAL("s") },
        { BYTES_LITERAL("x!"), BYTES_LITERAL("odd") },
        { BYTES_LITERAL("traceparent"), BYTES_LITERAL("as-it-came") },
        { BYTES_LITERAL("tracestate"), BYTES_LITERAL("as=it,came") },
    };
    struct http_request request = { .method = HTTP_METHOD_POST,
                                    .target = BYTES_LITERAL("/a/app/quote/neo?x=1"),
                                    .authority = BYTES_LITERAL("a:1"),
                                    .fields = fields,
                                    .field_count = ARRAY_COUNT(fields),
                                    .is_secure = true,
                                    .peer = BYTES_LITERAL("127.0.0.1"),
                                    .body = BYTES_LITERAL("abc") };
    http_request_split_target(&request);
    struct gateway_parameter parameters[] = { { "pair", BYTES_LITERAL("neo") },
                                              { "*", BYTES_LITERAL("a/b") } };
    struct trace_context trace = { .here = { { 0xab }, { 0xcd }, 1 } };
    REQUIRE(trace_state_add(&trace, BYTES_LITERAL("a=b")));
    struct gateway_call call = { .operation = GATEWAY_FUNCTION_ROUTE,
                                 .request = &request,
                                 .request_id = "id",
                                 .trace = &trace,
                                 .application = BYTES_LITERAL("app"),
                                 .function = BYTES_LITERAL("f"),
                                 .path_info = BYTES_LITERAL("/quote/neo"),
                                 .parameters = parameters,
                                 .parameter_count = 2 };
    check_variables(&call);
}

static const struct test tests[] = {
    TEST(reads_fields_of_an_output),
    TEST(takes_anything_else_as_the_body),
    TEST(keeps_its_limits),
    TEST(makes_variables),
};
TEST_MAIN(tests)
