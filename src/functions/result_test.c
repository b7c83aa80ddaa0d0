/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/result.h"
#include "services/limits.h"
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

static struct kept_result made = {
    .fingerprint = { { 1, 2, 3 } },
    .id = "0123456789abcdef0123456789abcdef",
    .duration_us = 77,
    .pad_size = 1,
    .has_answer = true,
    .output = { (const uint8_t *)"body", 4 },
};
static struct kept_result read;

static void make(struct buffer *text)
{
    struct error error;
    made.answer.status = 201;
    made.answer.header_count = 2;
    made.answer.headers[0] = (struct envelope_pair){ BYTES_LITERAL("x-own"), BYTES_LITERAL("a b") };
    made.answer.headers[1] =
        (struct envelope_pair){ BYTES_LITERAL("content-type"), BYTES_LITERAL("text/html") };
    buffer_init(text, SERVICE_RESULT_SIZE_MAX);
    CHECK(kept_result_write(text, &made, &error));
}

static void keeps_an_answer(void)
{
    AUTO_BUFFER struct buffer text;
    struct error error;
    make(&text);
    REQUIRE(kept_result_read(&read, buffer_view(&text), &error));
    CHECK_STRING(read.id, made.id);
    CHECK(digest32_equal(&read.fingerprint, &made.fingerprint));
    CHECK_NUMBER(read.duration_us, 77);
    CHECK_NUMBER(read.pad_size, 1);
    CHECK_NUMBER(read.answer.status, 201);
    CHECK_NUMBER(read.answer.header_count, 2);
    CHECK_BYTES(read.answer.headers[1].value, BYTES_LITERAL("text/html"));
    CHECK_BYTES(read.answer.body, BYTES_LITERAL("body"));
}

static void refuses_what_was_cut_or_changed(void)
{
    AUTO_BUFFER struct buffer text;
    struct error error;
    make(&text);
    struct bytes whole = buffer_view(&text);
    for (size_t size = 0; size < whole.size - 4; size++) /* a body may be shorter */
        CHECK(!kept_result_read(&read, bytes_part(whole, 0, size), &error));
    for (size_t i = 0; i < whole.size; i++) {
        AUTO_BUFFER struct buffer again;
        for (unsigned flip = 1; flip < 256; flip <<= 1) {
            text.data[i] ^= (uint8_t)flip;
            if (kept_result_read(&read, whole, &error)) {
                buffer_init(&again, SERVICE_RESULT_SIZE_MAX);
                CHECK(kept_result_write(&again, &read, &error));
                CHECK_BYTES(buffer_view(&again), whole);
                buffer_done(&again);
            }
            text.data[i] ^= (uint8_t)flip;
        }
        buffer_init(&again, 0);
    }
}

static void refuses_what_is_too_large(void)
{
    struct kept_result large = made;
    uint8_t *body = calloc(1, SERVICE_RESULT_SIZE_MAX);
    struct error error;
    for (unsigned i = 0; i < 2; i++) {
        AUTO_BUFFER struct buffer text;
        buffer_init(&text, SERVICE_RESULT_SIZE_MAX);
        large.has_answer = false;
        large.output = bytes_of(body, SERVICE_RESULT_SIZE_MAX - 78 + i);
        CHECK(kept_result_write(&text, &large, &error) == (i == 0));
    }
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    free(body);
}

static const struct test tests[] = {
    TEST(keeps_an_answer),
    TEST(refuses_what_was_cut_or_changed),
    TEST(refuses_what_is_too_large),
};
TEST_MAIN(tests)
