/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/query.h"

#include "tests/harness.h"

static void reads_queries(void)
{
    struct log_query query;
    struct error error;
    REQUIRE(log_query_parse(&query, BYTES_LITERAL(""), &error));
    CHECK(query.after == 0 && query.since_ms == 0 && query.size_max == 0);
    REQUIRE(log_query_parse(&query, BYTES_LITERAL("since_ms=12&after=7&size_max=100"), &error));
    CHECK(query.after == 7 && query.since_ms == 12 && query.size_max == 100);
    REQUIRE(log_query_parse(&query, BYTES_LITERAL("after=999999999999999999"), &error));
    CHECK(query.after == UINT64_C(999999999999999999));
}

static void refuses_others(void)
{
    static const char *const bad[] = { "after",     "after=",    "after=-1",
                                       "after=1x",  "after=0x1", "after=1000000000000000000",
                                       "After=1",   "limit=1",   "after=1&after=1",
                                       "after=1&&", "&",         "after=1&",
                                       "=1",        "after=%31", "after=1;since_ms=2",
                                       "after= 1" };
    struct log_query query;
    struct error error;
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        bool is_read = log_query_parse(&query, bytes_of_string(bad[i]), &error);
        /* an "&" at the end has nothing behind it */
        CHECK(is_read == (i == 11));
    }
}

static void reads_times(void)
{
    const int64_t now_ms = 1700000000000;
    int64_t since_ms;
    struct error error;
    static const struct {
        const char *text;
        int64_t before_ms;
    } good[] = { { "90s", 90000 }, { "10m", 600000 }, { "2h", 7200000 }, { "3d", 259200000 } };
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        REQUIRE(log_since_parse(&since_ms, bytes_of_string(good[i].text), now_ms, &error));
        CHECK_NUMBER(since_ms, now_ms - good[i].before_ms);
    }
    REQUIRE(log_since_parse(&since_ms, BYTES_LITERAL("99999999d"), now_ms, &error));
    CHECK_NUMBER(since_ms, 0);
    REQUIRE(log_since_parse(&since_ms, BYTES_LITERAL("2023-11-14T22:13:20Z"), now_ms, &error));
    CHECK_NUMBER(since_ms, now_ms);
    static const char *const bad[] = {
        "",    "s", "10", "10w", "-1s", "1.5h", "yesterday", "1969-12-31T23:59:59Z", "9999999999s",
        "10 m"
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        CHECK(!log_since_parse(&since_ms, bytes_of_string(bad[i]), now_ms, &error));
        CHECK_NUMBER(error.code, ERROR_USAGE);
    }
}

static const struct test tests[] = { TEST(reads_queries), TEST(refuses_others), TEST(reads_times) };
TEST_MAIN(tests)
