/* SPDX-License-Identifier: Apache-2.0 */
/* Every case of the vectors: result, reason and each claim, as JSON. */
#include "attest/intel/test_cases.h"
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

enum {
    JSON_TEXT_SIZE = 64 << 10
};

/* The verdict as a program would read it. */
static json_t *verdict_to_json(const struct attest_verdict *verdict)
{
    static char space[JSON_TEXT_SIZE];
    struct error error;
    json_t *parsed = NULL;
    struct writer writer = writer_into(space, sizeof(space));
    struct json_writer json = json_writer_into(&writer);
    json_write_object_begin(&json);
    attest_verdict_write(&json, verdict);
    json_write_object_end(&json);
    CHECK_NOTE(json_parse(&parsed, writer_view(&writer), &error), "%s", error.text);
    return parsed;
}

/* Compares what the case expects with the member of that name, at the top or among the claims. */
static void compare(const struct test_case *test_case, const json_t *verdict)
{
    const char *name;
    json_t *expected;
    json_object_foreach(test_case->expect, name, expected)
    {
        const json_t *actual = json_object_get(verdict, name);
        if (actual == NULL)
            actual = json_object_get(json_object_get(verdict, "claims"), name);
        if (json_equal(actual, expected))
            continue;
        char *wanted = json_dumps(expected, JSON_ENCODE_ANY);
        char *found = actual == NULL ? NULL : json_dumps(actual, JSON_ENCODE_ANY);
        CHECK_NOTE(false, "%s: %s is %s, not %s", test_case->name, name,
                   found == NULL ? "missing" : found, wanted);
        free(wanted);
        free(found);
    }
}

static void answers_every_case(void)
{
    static struct test_case test_case;
    AUTO_JSON json_t *file = NULL;
    size_t count = test_cases_open(&file);
    CHECK(count > 100);
    for (size_t i = 0; i < count; i++) {
        struct error error;
        struct attest_verdict verdict;
        REQUIRE(test_case_read(&test_case, file, i));
        bool is_valid = attest_verify(&verdict, test_case.quote, &test_case.options, &error);
        CHECK(is_valid == (verdict.reason == ATTEST_REASON_NONE));
        AUTO_JSON json_t *json = verdict_to_json(&verdict);
        compare(&test_case, json);
    }
}

static const struct test tests[] = {
    TEST(answers_every_case),
};
TEST_MAIN(tests)
