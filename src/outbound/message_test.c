/* SPDX-License-Identifier: Apache-2.0 */
#include "outbound/message.h"
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

static const struct outbound_request request = {
    .method = HTTP_METHOD_PUT,
    .is_manual = true,
    .timeout_ms = 1000,
    .body_size_max = 4096,
    .url = BYTES_LITERAL("https://a.example/x"),
    .rules = { BYTES_LITERAL("PUT https://a.example"), BYTES_LITERAL("https://b.example") },
    .rule_count = 2,
    .fields = { { BYTES_LITERAL("accept"), BYTES_LITERAL("*/*") } },
    .field_count = 1,
    .body = BYTES_LITERAL("the body"),
};

static const struct outbound_answer answer = {
    .status = 404,
    .url = BYTES_LITERAL("https://a.example/y"),
    .fields = { { BYTES_LITERAL("etag"), BYTES_LITERAL("1") },
                { BYTES_LITERAL("x"), BYTES_LITERAL("") } },
    .field_count = 2,
    .body = BYTES_LITERAL("none"),
};

static void carries_requests(void)
{
    AUTO_BUFFER struct buffer text;
    struct outbound_request read;
    struct error error;
    buffer_init(&text, REQUEST_SIZE_MAX);
    outbound_request_write(&text, &request);
    REQUIRE(outbound_request_read(&read, buffer_view(&text), &error));
    CHECK(read.method == HTTP_METHOD_PUT && read.is_manual && read.timeout_ms == 1000 &&
          read.body_size_max == 4096 && read.rule_count == 2 && read.field_count == 1);
    CHECK_BYTES(read.url, request.url);
    CHECK_BYTES(read.rules[1], request.rules[1]);
    CHECK_BYTES(read.fields[0].value, request.fields[0].value);
    CHECK_BYTES(read.body, request.body);
}

static void carries_answers(void)
{
    AUTO_BUFFER struct buffer text;
    struct outbound_answer read;
    struct error error;
    buffer_init(&text, ANSWER_SIZE_MAX);
    outbound_answer_write(&text, &answer);
    REQUIRE(outbound_answer_read(&read, buffer_view(&text), &error));
    CHECK(read.status == 404 && read.field_count == 2);
    CHECK_BYTES(read.url, answer.url);
    CHECK_BYTES(read.fields[0].name, BYTES_LITERAL("etag"));
    CHECK_BYTES(read.body, answer.body);
}

static void refuses_what_is_malformed(void)
{
    AUTO_BUFFER struct buffer text;
    struct outbound_request read;
    struct outbound_answer read_answer;
    struct error error;
    buffer_init(&text, REQUEST_SIZE_MAX);
    struct outbound_request bad = request;
    bad.timeout_ms = OUTBOUND_TIMEOUT_MS_MAX + 1;
    outbound_request_write(&text, &bad);
    CHECK(!outbound_request_read(&read, buffer_view(&text), &error));
    buffer_clear(&text);
    bad = request;
    bad.fields[0].value = BYTES_LITERAL("a\r\nb: c");
    outbound_request_write(&text, &bad);
    CHECK(!outbound_request_read(&read, buffer_view(&text), &error));
    static const struct bytes urls[] = { BYTES_LITERAL(""), BYTES_LITERAL("a\nb") };
    for (size_t i = 0; i < ARRAY_COUNT(urls); i++) {
        struct outbound_answer wrong = answer;
        wrong.url = urls[i];
        buffer_clear(&text);
        outbound_answer_write(&text, &wrong);
        CHECK(!outbound_answer_read(&read_answer, buffer_view(&text), &error));
    }
    struct outbound_answer wrong = answer;
    wrong.status = 199;
    buffer_clear(&text);
    outbound_answer_write(&text, &wrong);
    CHECK(!outbound_answer_read(&read_answer, buffer_view(&text), &error));
}

/* Copies have their exact size, so that the sanitizers see every byte beyond. */
static void try_both(struct bytes good, size_t size, size_t bit)
{
    struct outbound_request read;
    struct outbound_answer read_answer;
    struct error error;
    uint8_t *copy = malloc(size + 1);
    REQUIRE(copy != NULL);
    memcpy(copy + 1, good.data, size);
    if (bit < 8 * size)
        copy[1 + bit / 8] ^= (uint8_t)(1u << bit % 8);
    struct bytes text = bytes_of(copy + 1, size);
    bool is_request = outbound_request_read(&read, text, &error);
    bool is_answer = outbound_answer_read(&read_answer, text, &error);
    CHECK(size == good.size || (!is_request && !is_answer));
    free(copy);
}

static void truncations_and_flips_never_crash(void)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, REQUEST_SIZE_MAX);
    for (int i = 0; i < 2; i++) {
        buffer_clear(&text);
        if (i == 0)
            outbound_request_write(&text, &request);
        else
            outbound_answer_write(&text, &answer);
        struct bytes good = buffer_view(&text);
        for (size_t size = 0; size < good.size; size++)
            try_both(good, size, SIZE_MAX);
        for (size_t bit = 0; bit < 8 * good.size; bit++)
            try_both(good, good.size, bit);
    }
}

static const struct test tests[] = {
    TEST(carries_requests),
    TEST(carries_answers),
    TEST(refuses_what_is_malformed),
    TEST(truncations_and_flips_never_crash),
};
TEST_MAIN(tests)
