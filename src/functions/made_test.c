/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/made.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t pairs_area[1024], list_area[1024], answers_area[1024];

static struct call_request get_of(const char *key)
{
    return (struct call_request){ .call = CALL_KV_GET,
                                  .string_count = 2,
                                  .strings = { BYTES_LITERAL("a"), bytes_of_string(key) } };
}

static struct call_request set_of(const char *key)
{
    return (struct call_request){ .call = CALL_KV_SET,
                                  .number_count = 1,
                                  .string_count = 3,
                                  .strings = { BYTES_LITERAL("a"), bytes_of_string(key),
                                               BYTES_LITERAL("value") } };
}

/* "k" is "5", and there is no "none". */
static struct bytes pairs_make(void)
{
    struct writer writer = writer_into(pairs_area, sizeof(pairs_area));
    const struct call_request five = get_of("k"), none = get_of("none");
    call_request_write(&writer, &five);
    call_answer_write(&writer, 1, BYTES_LITERAL("5"), 1);
    call_request_write(&writer, &none);
    call_answer_write(&writer, CALL_ERROR_NOT_FOUND, BYTES_LITERAL("no"), 2);
    return writer_view(&writer);
}

static struct bytes list_make(const struct call_request *requests, uint32_t count)
{
    struct writer writer = writer_into(list_area, sizeof(list_area));
    call_requests_write_begin(&writer);
    for (uint32_t i = 0; i < count; i++)
        call_request_write(&writer, &requests[i]);
    call_list_write_end(&writer, count);
    return writer_view(&writer);
}

struct said {
    int64_t value;
    const char *data;
};

static struct bytes answers_make(const struct said *said, uint32_t count)
{
    struct writer writer = writer_into(answers_area, sizeof(answers_area));
    call_answers_write_begin(&writer);
    for (uint32_t i = 0; i < count; i++)
        call_answer_write(&writer, said[i].value, bytes_of_string(said[i].data),
                          strlen(said[i].data));
    call_list_write_end(&writer, count);
    return writer_view(&writer);
}

static void right_is_what_was_given(void)
{
    static const struct {
        struct said said[3];
        uint32_t count;
        bool is_right;
    } rows[] = {
        { { { 1, "5" }, { 0, "" }, { CALL_ERROR_NOT_FOUND, "no" } }, 3, true },
        { { { 1, "6" }, { 0, "" }, { CALL_ERROR_NOT_FOUND, "no" } }, 3, false },
        { { { 1, "5" }, { 0, "" }, { 2, "no" } }, 3, false },
        { { { 1, "5" }, { CALL_ERROR_LIMIT, "full" }, { CALL_ERROR_NOT_FOUND, "no" } }, 3, false },
        { { { 1, "5" }, { 1, "" }, { CALL_ERROR_NOT_FOUND, "no" } }, 3, false },
        { { { 1, "5" }, { 0, "" } }, 2, false },
        { { { 2, "55" }, { 0, "" }, { CALL_ERROR_NOT_FOUND, "no" } }, 3, false },
    };
    const struct call_request requests[] = { get_of("k"), set_of("x"), get_of("none") };
    struct bytes pairs = pairs_make(), list = list_make(requests, 3);
    uint32_t count;
    REQUIRE(made_check(list, pairs, &count));
    CHECK_NUMBER(count, 3);
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++)
        CHECK_NUMBER(made_was_right(list, pairs, answers_make(rows[i].said, rows[i].count)),
                     rows[i].is_right);
    CHECK(!made_was_right(list, pairs, (struct bytes){ 0 }));
}

static void other_calls_were_not_made_inside(void)
{
    static const uint16_t others[] = { CALL_KV_DELETE,  CALL_KV_COMPARE_AND_SET,
                                       CALL_HTTP_FETCH, CALL_KEY_SIGN,
                                       CALL_REST,       999 };
    struct bytes pairs = pairs_make();
    uint32_t count;
    for (unsigned i = 0; i < ARRAY_COUNT(others); i++) {
        const struct call_request requests[] = { get_of("k"), { .call = others[i] } };
        CHECK(!made_check(list_make(requests, 2), pairs, &count));
    }
    const struct call_request unknown = get_of("other"), known = get_of("k");
    CHECK(!made_check(list_make(&unknown, 1), pairs, &count));
    CHECK(made_check(list_make(&known, 1), pairs, &count));
    CHECK(!made_check(list_make(&known, 1), (struct bytes){ 0 }, &count));
}

static void cut_and_changed_lists_are_refused(void)
{
    const struct call_request requests[] = { get_of("k"), set_of("x"), get_of("none") };
    struct bytes pairs = pairs_make(), list = list_make(requests, 3);
    uint32_t count;
    for (size_t size = 0; size < list.size; size++) {
        uint8_t *copy = malloc(size + 1); /* whoever reads beyond it is found by the sanitizer */
        memcpy(copy, list.data, size);
        CHECK(!made_check(bytes_of(copy, size), pairs, &count));
        free(copy);
    }
    for (size_t at = 0; at < list.size; at++) {
        static const struct said said[] = { { 1, "5" }, { 0, "" }, { CALL_ERROR_NOT_FOUND, "no" } };
        list_area[at] ^= 1;
        if (made_check(list, pairs, &count)) /* another value was set, or of another key */
            (void)!made_was_right(list, pairs, answers_make(said, 3));
        list_area[at] ^= 1;
    }
    CHECK(made_check(list, pairs, &count));
}

static const struct test tests[] = { TEST(right_is_what_was_given),
                                     TEST(other_calls_were_not_made_inside),
                                     TEST(cut_and_changed_lists_are_refused) };
TEST_MAIN(tests)
