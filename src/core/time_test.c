/* SPDX-License-Identifier: Apache-2.0 */
#include "core/time.h"

#include "tests/harness.h"

#include <time.h>

static bool parse(int64_t *time_s, const char *text)
{
    return time_parse(time_s, bytes_of_string(text));
}

static void reads_what_rfc_3339_allows(void)
{
    static const struct {
        const char *text;
        int64_t time_s;
    } rows[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "1969-12-31T23:59:59Z", -1 },
        { "2024-02-29T12:34:56Z", 1709210096 },
        { "2000-02-29t00:00:00z", 951782400 },
        { "1985-04-12T23:20:50.52Z", 482196050 },
        { "1996-12-19T16:39:57-08:00", 851042397 },
        { "1990-12-31T23:59:60Z", 662687999 },
        { "1937-01-01T12:00:27.87+00:20", -1041337173 },
        { "0000-01-01T00:00:00Z", INT64_C(-62167219200) },
        { "9999-12-31T23:59:59Z", INT64_C(253402300799) },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        int64_t time_s = 0;
        CHECK_NOTE(parse(&time_s, rows[i].text), "%s", rows[i].text);
        CHECK_NUMBER(time_s, rows[i].time_s);
    }
}

static void refuses_the_rest(void)
{
    static const char *const texts[] = { "",
                                         "2024-03-13",
                                         "2024-03-13T00:00:00",
                                         "2024-03-13 00:00:00Z",
                                         "2024-02-30T00:00:00Z",
                                         "2023-02-29T00:00:00Z",
                                         "1900-02-29T00:00:00Z",
                                         "2024-13-01T00:00:00Z",
                                         "2024-00-01T00:00:00Z",
                                         "2024-01-00T00:00:00Z",
                                         "2024-01-01T24:00:00Z",
                                         "2024-01-01T00:60:00Z",
                                         "2024-01-01T00:00:61Z",
                                         "2024-01-01T00:00:00.Z",
                                         "2024-01-01T00:00:00+2400",
                                         "2024-01-01T00:00:00+24:00",
                                         "2024-01-01T00:00:00ZZ",
                                         "+024-01-01T00:00:00Z",
                                         "02024-01-01T00:00:00Z",
                                         "2024-01-01T00:00:00.5" };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        int64_t time_s = 42;
        CHECK_NOTE(!parse(&time_s, texts[i]), "%s", texts[i]);
        CHECK_NUMBER(time_s, 42);
    }
}

static void agrees_with_the_c_library(void)
{
    uint64_t state = 1;
    for (int i = 0; i < 20000; i++) {
        int64_t time_s = (int64_t)(test_random(&state) % UINT64_C(315569520000)) - 62167219200;
        struct tm parts;
        time_t as_time = (time_t)time_s;
        char expected[TIME_TEXT_SIZE + 1], text[TIME_TEXT_SIZE + 1];
        REQUIRE(gmtime_r(&as_time, &parts) != NULL);
        strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &parts);
        if (parts.tm_year + 1900 < 1000)
            continue; /* the library does not pad such years */
        REQUIRE(time_format(text, time_s));
        CHECK_STRING(text, expected);
        int64_t again_s = 0;
        CHECK(parse(&again_s, text));
        CHECK_NUMBER(again_s, time_s);
    }
}

static void keeps_to_years_of_four_digits(void)
{
    char text[TIME_TEXT_SIZE + 1];
    REQUIRE(time_format(text, INT64_C(253402300799)));
    CHECK_STRING(text, "9999-12-31T23:59:59Z");
    CHECK(!time_format(text, INT64_C(253402300800)));
    REQUIRE(time_format(text, INT64_C(-62167219200)));
    CHECK_STRING(text, "0000-01-01T00:00:00Z");
    CHECK(!time_format(text, INT64_C(-62167219201)));
    CHECK(!time_format(text, INT64_MAX));
    CHECK(!time_format(text, INT64_MIN));
}

static const struct test tests[] = {
    TEST(reads_what_rfc_3339_allows),
    TEST(refuses_the_rest),
    TEST(agrees_with_the_c_library),
    TEST(keeps_to_years_of_four_digits),
};
TEST_MAIN(tests)
