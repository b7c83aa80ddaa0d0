/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/span.h"
#include "tests/harness.h"

#include <string.h>

static void a_full_queue_drops_and_counts(void)
{
    struct error error;
    AUTO(span_queue) struct span_queue *queue = NULL;
    REQUIRE(span_queue_new(&queue, 3, &error));
    struct span span = { 0 };
    for (uint64_t round = 0; round < 10; round++) {
        for (uint64_t i = 0; i < 5; i++) {
            span.start_ns = round * 10 + i;
            span_queue_add(queue, &span);
        }
        CHECK_NUMBER(span_queue_count(queue), 3);
        CHECK_NUMBER(span_queue_dropped(queue), 2 * (round + 1));
        CHECK_NUMBER(span_queue_at(queue, 0)->start_ns, round * 10);
        CHECK_NUMBER(span_queue_at(queue, 2)->start_ns, round * 10 + 2);
        span_queue_remove(queue, 2);
        CHECK_NUMBER(span_queue_count(queue), 1);
        CHECK_NUMBER(span_queue_at(queue, 0)->start_ns, round * 10 + 2);
        span_queue_remove(queue, 1);
    }
}

static void texts_are_cut_and_utf8(void)
{
    char text[3 * SPAN_TEXT_SIZE + 1];
    struct span span = { 0 };
    for (size_t i = 0; i < sizeof(text) - 1; i++)
        text[i] = "\xe2\x82\xac"[i % 3];
    text[sizeof(text) - 1] = '\0';
    span_name(&span, text);
    CHECK(strlen(span.name) >= SPAN_TEXT_SIZE - 4 && strlen(span.name) < SPAN_TEXT_SIZE);
    CHECK(bytes_is_utf8(bytes_of_string(span.name)));
    span_text(&span, "a", "\xff");
    CHECK_STRING(span.attributes[0].text, "");
    span_text(&span, "b", "short");
    CHECK_STRING(span.attributes[1].text, "short");
    span_number(&span, "c", -5);
    CHECK(span.attributes[2].is_number && span.attributes[2].number == -5);
    CHECK_NUMBER(span.attribute_count, 3);
}

static void sampling_follows_the_id(void)
{
    uint8_t id[TRACE_ID_SIZE] = { 0 };
    uint64_t state = 7;
    CHECK(trace_is_sampled(id, 0.0001) && !trace_is_sampled(id, 0));
    memset(id + 8, 0xff, 8);
    CHECK(trace_is_sampled(id, 1) && !trace_is_sampled(id, 0.999999));
    unsigned sampled = 0;
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t number = test_random(&state);
        memcpy(id + 8, &number, sizeof(number));
        sampled += trace_is_sampled(id, 0.25);
        CHECK(!trace_is_sampled(id, 0.25) || trace_is_sampled(id, 0.5));
    }
    CHECK(sampled > 2300 && sampled < 2700);
}

static const struct test tests[] = {
    TEST(a_full_queue_drops_and_counts),
    TEST(texts_are_cut_and_utf8),
    TEST(sampling_follows_the_id),
};
TEST_MAIN(tests)
