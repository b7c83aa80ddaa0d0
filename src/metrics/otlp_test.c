/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/otlp.h"
#include "metrics/protobuf.h"
#include "tests/harness.h"

#include <string.h>

static const struct otlp_resource resource = { "s3n", "1", "node",
                                               "a=b, c = %41%2C,service.name=x" };

/* Descends by field numbers, ended by 0, into the n-th of the last. */
static struct bytes descend(struct bytes message, const uint32_t *path, unsigned index)
{
    for (; *path != 0; path++) {
        struct reader reader = reader_of(message);
        struct protobuf_field field;
        struct bytes found = { 0 };
        unsigned skip = path[1] == 0 ? index : 0;
        while (protobuf_take(&reader, &field))
            if (field.number == *path && skip-- == 0)
                found = field.bytes;
        CHECK(!reader.failed);
        message = found;
    }
    return message;
}
#define DESCEND(message, index, ...)                                                               \
    descend((message), (const uint32_t[]){ __VA_ARGS__, 0 }, (index))

static void resources_are_told(void)
{
    struct error error;
    AUTO(span_queue) struct span_queue *queue = NULL;
    AUTO_BUFFER struct buffer request;
    buffer_init(&request, OTLP_REQUEST_SIZE_MAX);
    REQUIRE(span_queue_new(&queue, 2, &error));
    REQUIRE(otlp_spans_write(&request, queue, 0, &resource, &error));
    static const char *const wanted[][2] = { { "service.name", "s3n" },
                                             { "service.version", "1" },
                                             { "service.instance.id", "node" },
                                             { "a", "b" },
                                             { "c", "A," } };
    for (unsigned i = 0; i < ARRAY_COUNT(wanted); i++) {
        struct bytes pair = DESCEND(buffer_view(&request), i, 1, 1, 1);
        CHECK_BYTES(DESCEND(pair, 0, 1), bytes_of_string(wanted[i][0]));
        CHECK_BYTES(DESCEND(pair, 0, 2, 1), bytes_of_string(wanted[i][1]));
    }
    CHECK_NUMBER(DESCEND(buffer_view(&request), 5, 1, 1, 1).size, 0);
}

static void attributes_are_checked(void)
{
    static const struct {
        const char *text;
        bool is_good;
    } cases[] = {
        { "", true },       { "a=b", true },    { "a=", true },        { "a", false },
        { "=b", false },    { "a=b,", true },   { "a=b,,c=d", false }, { "a=%4", false },
        { "a=%zz", false }, { "a=%ff", false }, { "a b=c", false },    { "a=b=c", true }
    };
    struct error error;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_NOTE(otlp_attributes_check(cases[i].text, &error) == cases[i].is_good, "%s",
                   cases[i].text);
    char many[4 * (OTLP_ATTRIBUTES_MAX + 1) + 1];
    for (size_t i = 0; i < sizeof(many) - 1; i++)
        many[i] = "a=b,"[i % 4];
    many[sizeof(many) - 1] = '\0';
    CHECK(otlp_attributes_check(many + 4, &error));
    CHECK(!otlp_attributes_check(many, &error));
}

static void answers_are_read(void)
{
    static const char whole[] = "\x0a\x08\x08\x02\x12\x04late";
    struct otlp_answer answer = { .rejected = 9 };
    struct error error;
    CHECK(otlp_answer_read(&answer, (struct bytes){ 0 }, &error));
    CHECK(answer.rejected == 0 && answer.message[0] == '\0');
    CHECK(otlp_answer_read(&answer, bytes_of(whole, sizeof(whole) - 1), &error));
    CHECK_NUMBER(answer.rejected, 2);
    CHECK_STRING(answer.message, "late");
    for (size_t size = 1; size < sizeof(whole) - 1; size++)
        CHECK(!otlp_answer_read(&answer, bytes_of(whole, size), &error));
    for (size_t bit = 0; bit < 8 * (sizeof(whole) - 1); bit++) {
        char changed[sizeof(whole)];
        memcpy(changed, whole, sizeof(whole));
        changed[bit / 8] = (char)(changed[bit / 8] ^ 1 << bit % 8);
        (void)!otlp_answer_read(&answer, bytes_of(changed, sizeof(whole) - 1), &error);
        CHECK(strlen(answer.message) < sizeof(answer.message));
    }
    /* What a newer collector says besides is passed over; -1 was never rejected. */
    CHECK(otlp_answer_read(
        &answer, BYTES_LITERAL("\x10\x05\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        &error));
    CHECK_NUMBER(answer.rejected, 0);
    CHECK(!otlp_answer_read(&answer, BYTES_LITERAL("<html>"), &error));
}

static void what_does_not_fit_is_an_error(void)
{
    static const struct metrics_about about = { "s3n_x_total", "Help.", NULL };
    AUTO(metrics) struct metrics *metrics = metrics_new();
    struct error error;
    metrics_add(metrics_only(metrics_counter(metrics, &about)), 1);
    AUTO_BUFFER struct buffer whole;
    buffer_init(&whole, OTLP_REQUEST_SIZE_MAX);
    REQUIRE(otlp_metrics_write(&whole, metrics, &resource, 1, 2, &error));
    struct bytes metric = DESCEND(buffer_view(&whole), 0, 1, 2, 2);
    CHECK_BYTES(DESCEND(metric, 0, 1), BYTES_LITERAL("s3n_x"));
    for (size_t size = 0; size < whole.size; size++) {
        AUTO_BUFFER struct buffer small;
        buffer_init(&small, size);
        CHECK(!otlp_metrics_write(&small, metrics, &resource, 1, 2, &error));
        CHECK(error.code == ERROR_LIMIT);
    }
}

static const struct test tests[] = {
    TEST(resources_are_told),
    TEST(attributes_are_checked),
    TEST(answers_are_read),
    TEST(what_does_not_fit_is_an_error),
};
TEST_MAIN(tests)
