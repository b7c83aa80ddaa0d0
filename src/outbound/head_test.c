/* SPDX-License-Identifier: Apache-2.0 */
#include "outbound/head.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static struct head head;

static void reads_fields(void)
{
    struct error error = { 0 };
    bool is_read = head_parse(&head,
                              BYTES_LITERAL("Accept: text/plain\nX-One:1 \t\r\nX-None:\n"
                                            "S3N-Redirect: manual\ns3n-timeout-ms: 250\n"
                                            "authorization: Bearer a:b"),
                              &error);
    CHECK_NOTE(is_read, "%s", error.text);
    REQUIRE(is_read && head.count == 4);
    CHECK_BYTES(head.fields[0].name, BYTES_LITERAL("accept"));
    CHECK_BYTES(head.fields[0].value, BYTES_LITERAL("text/plain"));
    CHECK_BYTES(head.fields[1].value, BYTES_LITERAL("1"));
    CHECK_NUMBER(head.fields[2].value.size, 0);
    CHECK_BYTES(head.fields[3].value, BYTES_LITERAL("Bearer a:b"));
    CHECK(head.is_manual && head.timeout_ms == 250);
    REQUIRE(head_parse(&head, (struct bytes){ 0 }, &error));
    CHECK(head.count == 0 && !head.is_manual && head.timeout_ms == 0);
}

static void refuses_what_is_not_a_functions(void)
{
    static const char *const bad[] = {
        "Host: a.example",
        "hOsT: a.example",
        "Connection: close",
        "Keep-Alive: 1",
        "Transfer-Encoding: chunked",
        "Content-Length: 1",
        "TE: trailers",
        "Trailer: x",
        "Upgrade: h2c",
        "Expect: 100-continue",
        "Proxy-Authorization: x",
        "Proxy-Connection: x",
        "Accept-Encoding: gzip",
        "Forwarded: for=1",
        "X-Forwarded-Host: a",
        "Via: a",
        "Sec-Fetch-Site: x",
        "s3n-redirect: maybe",
        "s3n-timeout-ms: 0",
        "s3n-timeout-ms: 60001",
        "s3n-timeout-ms: 1x",
        "s3n-else: 1",
        "no colon",
        ": no name",
        "a b: c",
        "a : b",
        "a: b\x01",
        "a: b\rc: d",
        "a: b\n\nc: d",
        "\n",
        "a: b\nA: c",
        "\xc3\xa4: b",
        " folded: x",
    };
    struct error error;
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        CHECK_NOTE(!head_parse(&head, bytes_of_string(bad[i]), &error), "%s", bad[i]);
    CHECK(!head_parse(&head, bytes_of("a: b\0c", 6), &error));
}

static void bounds_fields(void)
{
    static char text[2 * HEAD_SIZE_MAX];
    struct error error;
    size_t size = 0;
    for (unsigned i = 0; i < HEAD_FIELD_COUNT_MAX; i++)
        size += (size_t)snprintf(text + size, sizeof(text) - size, "x-%u: 1\n", i);
    CHECK(head_parse(&head, bytes_of(text, size), &error));
    size += (size_t)snprintf(text + size, sizeof(text) - size, "x: 1\n");
    CHECK(!head_parse(&head, bytes_of(text, size), &error) && error.code == ERROR_LIMIT);
    memset(text, 'a', sizeof(text));
    memcpy(text, "x: ", 3);
    CHECK(head_parse(&head, bytes_of(text, HEAD_SIZE_MAX), &error));
    CHECK(!head_parse(&head, bytes_of(text, HEAD_SIZE_MAX + 1), &error));
    CHECK(error.code == ERROR_LIMIT);
}

static void writes_answers(void)
{
    AUTO_BUFFER struct buffer text;
    const struct http_field fields[] = { HTTP_FIELD("etag", BYTES_LITERAL("\"1\"")),
                                         HTTP_FIELD("x", BYTES_LITERAL("")) };
    buffer_init(&text, 1024);
    head_answer_write(&text, 201, BYTES_LITERAL("https://a.example/"), fields, 2);
    CHECK_BYTES(buffer_view(&text), BYTES_LITERAL("201 https://a.example/\netag: \"1\"\nx: \n\n"));
}

static const struct test tests[] = {
    TEST(reads_fields),
    TEST(refuses_what_is_not_a_functions),
    TEST(bounds_fields),
    TEST(writes_answers),
};
TEST_MAIN(tests)
