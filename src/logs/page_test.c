/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/page.h"

#include "core/hex.h"
#include "crypto/base64.h"
#include "crypto/hash.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

#define ZEROS64 "0000000000000000000000000000000000000000000000000000000000000000"

enum {
    COUNT = 6
};

/* A log of six segments, as a node would send them. */
static struct {
    json_t *items[COUNT];
    struct digest32 digests[COUNT];
    struct digest32 stream;
} log_of_six;

static void make_segment(size_t at, const struct ecdsa_public *reader)
{
    AUTO_BUFFER struct buffer text, encoded;
    struct log_segment_head head = { .stream = log_of_six.stream, .number = at + 1 };
    struct error error;
    char records[8];
    buffer_init(&text, 1 << 16);
    buffer_init(&encoded, 1 << 16);
    if (at > 0)
        head.previous = log_of_six.digests[at - 1];
    snprintf(records, sizeof(records), "%zu", at + 1);
    CHECK(log_segment_seal(&text, &head, reader, 1, bytes_of_string(records), &error));
    log_of_six.digests[at] = sha256_of(buffer_view(&text));
    base64_append(&encoded, buffer_view(&text));
    log_of_six.items[at] = json_stringn((const char *)encoded.data, encoded.size);
}

static void log_make(void)
{
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    struct error error;
    if (log_of_six.items[0] != NULL)
        return;
    REQUIRE(ecdsa_key_generate(&key, &error));
    log_of_six.stream = log_stream_of("shop", &(struct digest32){ { 1 } });
    for (size_t i = 0; i < COUNT; i++)
        make_segment(i, ecdsa_key_public(key));
}

/* "134": these segments; the log ends with `head`, begins with `first`. */
static json_t *page_of(const char *which, size_t head, size_t first, bool more)
{
    json_t *list = json_array();
    log_make();
    for (; *which != '\0'; which++)
        json_array_append(list, log_of_six.items[*which - '1']);
    static const struct digest32 none;
    const struct digest32 *digest = head == 0 ? &none : &log_of_six.digests[head - 1];
    return json_pack("{s:s, s:{s:I, s:s}, s:I, s:b, s:o}", "stream",
                     hex_of_digest(&log_of_six.stream).text, "head", "number", (json_int_t)head,
                     "digest", hex_of_digest(digest).text, "first", (json_int_t)first, "more",
                     (int)more, "segments", list);
}

static bool note(void *context, const struct log_segment *segment, struct error *error UNUSED)
{
    char *taken = context;
    size_t size = strlen(taken);
    taken[size] = (char)('0' + segment->head.number);
    taken[size + 1] = '\0';
    return true;
}

static enum error_code take(struct log_reading *reading, json_t *given, char taken[32],
                            struct error *error)
{
    AUTO_JSON json_t *root = given;
    struct log_page page;
    if (!log_page_parse(&page, root, error))
        return error->code;
    return log_page_take(reading, &page, note, taken, error) ? ERROR_NONE : error->code;
}

static void whole_logs_are_taken(void)
{
    struct log_reading reading = { 0 };
    struct error error;
    char taken[32] = "";
    CHECK_NUMBER(take(&reading, page_of("", 0, 0, false), taken, &error), ERROR_NONE);
    CHECK(!reading.seen.is_begun);
    CHECK_NUMBER(take(&reading, page_of("12", 5, 1, true), taken, &error), ERROR_NONE);
    CHECK(!reading.seen.is_begun); /* not before the end was there */
    CHECK_NUMBER(take(&reading, page_of("345", 5, 1, false), taken, &error), ERROR_NONE);
    CHECK_STRING(taken, "12345");
    CHECK_NUMBER(reading.seen.number, 5);
    CHECK_NUMBER(take(&reading, page_of("", 5, 1, false), taken, &error), ERROR_NONE);
    CHECK_NUMBER(take(&reading, page_of("6", 6, 1, false), taken, &error), ERROR_NONE);
    CHECK_NUMBER(reading.seen.number, 6);
    /* from somewhere in the middle; the oldest have expired */
    struct log_reading later = { 0 };
    CHECK_NUMBER(take(&later, page_of("56", 6, 4, false), taken, &error), ERROR_NONE);
}

static void expired_ones_are_said(void)
{
    struct log_reading reading = { 0 };
    struct error error;
    char taken[32] = "";
    CHECK_NUMBER(take(&reading, page_of("12", 2, 1, false), taken, &error), ERROR_NONE);
    CHECK_NUMBER(take(&reading, page_of("56", 6, 5, false), taken, &error), ERROR_NONE);
    CHECK_NUMBER(reading.expired, 2);
    CHECK_STRING(taken, "1256");
}

static void what_is_wrong_is_refused(void)
{
    static const struct {
        const char *which;
        size_t head, first;
        const char *message;
    } rows[] = {
        { "124", 4, 1, "segment 3 is missing" },
        { "12", 4, 1, "segment 3 is missing" },
        { "132", 3, 1, "segment 2 is missing" },
        { "1123", 3, 1, "segment 2 is missing" },
        { "23", 4, 1, "segment 4 is missing" },
        { "1234", 3, 1, "segment 5 is missing" }, /* more than there are */
    };
    struct error error;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct log_reading reading = { 0 };
        char taken[32] = "";
        CHECK_NUMBER(take(&reading, page_of(rows[i].which, rows[i].head, rows[i].first, false),
                          taken, &error),
                     ERROR_UNVERIFIED);
        CHECK(strstr(error.text, rows[i].message) != NULL);
        CHECK(!reading.seen.is_begun);
    }
}

/* A digest that the node says, of another segment than it sends. */
static void other_segments_are_refused(void)
{
    struct log_reading reading = { 0 };
    struct error error;
    char taken[32] = "";
    json_t *page = page_of("123", 3, 1, false);
    json_object_set_new(json_object_get(page, "head"), "digest",
                        json_string(hex_of_digest(&log_of_six.digests[4]).text));
    CHECK_NUMBER(take(&reading, page, taken, &error), ERROR_UNVERIFIED);
    reading = (struct log_reading){ .seen = { true, log_of_six.stream, 2, log_of_six.digests[4] } };
    CHECK_NUMBER(take(&reading, page_of("123", 3, 1, false), taken, &error), ERROR_UNVERIFIED);
    CHECK(strstr(error.text, "segment 2 is another one") != NULL);
    reading = (struct log_reading){ .seen = { true, log_of_six.stream, 3, log_of_six.digests[4] } };
    CHECK_NUMBER(take(&reading, page_of("", 3, 1, false), taken, &error), ERROR_UNVERIFIED);
    reading = (struct log_reading){ .seen = { true, log_of_six.stream, 5, log_of_six.digests[4] } };
    CHECK_NUMBER(take(&reading, page_of("123", 3, 1, false), taken, &error), ERROR_UNVERIFIED);
    CHECK(strstr(error.text, "shows an older state") != NULL);
    page = page_of("1", 1, 1, false);
    json_object_set_new(page, "stream", json_string(hex_of_digest(&log_of_six.digests[0]).text));
    reading = (struct log_reading){ 0 };
    CHECK_NUMBER(take(&reading, page, taken, &error), ERROR_UNVERIFIED);
    CHECK(strstr(error.text, "another application") != NULL);
}

static void broken_answers_are_refused(void)
{
    static const char *const answers[] = {
        "{}",
        "[]",
        "{\"stream\":\"00\"}",
        "{\"stream\":\"" ZEROS64 "\",\"head\":{\"number\":-1,\"digest\":\"" ZEROS64
        "\"},\"first\":0,\"segments\":[]}",
        "{\"stream\":\"" ZEROS64 "\",\"head\":{\"number\":0,\"digest\":\"" ZEROS64
        "\"},\"first\":0,\"segments\":{}}",
        "{\"stream\":\"" ZEROS64 "\",\"head\":{\"number\":1,\"digest\":\"" ZEROS64
        "\"},\"first\":0,\"more\":true,\"segments\":[]}",
        "{\"stream\":\"" ZEROS64 "\",\"head\":{\"number\":1,\"digest\":\"" ZEROS64
        "\"},\"first\":0,\"segments\":[7]}",
        "{\"stream\":\"" ZEROS64 "\",\"head\":{\"number\":1,\"digest\":\"" ZEROS64
        "\"},\"first\":0,\"segments\":[\"!\"]}",
        "{\"stream\":\"" ZEROS64 "\",\"head\":{\"number\":1,\"digest\":\"" ZEROS64
        "\"},\"first\":0,\"segments\":[\"AAAA\"]}",
    };
    for (size_t i = 0; i < ARRAY_COUNT(answers); i++) {
        AUTO_JSON json_t *root = NULL;
        struct log_reading reading = { 0 };
        struct log_page page;
        struct error error;
        char taken[32] = "";
        REQUIRE(json_parse(&root, bytes_of_string(answers[i]), &error));
        bool done = log_page_parse(&page, root, &error) &&
                    log_page_take(&reading, &page, note, taken, &error);
        CHECK(!done);
        CHECK_STRING(taken, "");
    }
}

static const struct test tests[] = {
    TEST(whole_logs_are_taken),       TEST(expired_ones_are_said),
    TEST(what_is_wrong_is_refused),   TEST(other_segments_are_refused),
    TEST(broken_answers_are_refused),
};
TEST_MAIN(tests)
