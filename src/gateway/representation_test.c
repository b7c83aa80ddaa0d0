/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/representation.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static struct ranges ranges;

static enum range_verdict parse(const char *text, uint64_t size)
{
    return ranges_parse(&ranges, bytes_of_string(text), size);
}

static void check_part(const char *text, uint64_t first, uint64_t count)
{
    CHECK_NOTE(parse(text, 10000) == RANGE_PART, "%s", text);
    CHECK_NUMBER(ranges.count, 1);
    CHECK_NUMBER(ranges.items[0].first, first);
    CHECK_NUMBER(ranges.items[0].count, count);
}

/* RFC 9110 section 14.1.2. */
static void reads_ranges(void)
{
    check_part("bytes=0-499", 0, 500);
    check_part("bytes=500-999", 500, 500);
    check_part("bytes=-500", 9500, 500);
    check_part("bytes=9500-", 9500, 500);
    check_part("bytes=0-0", 0, 1);
    check_part("bytes=-1", 9999, 1);
    check_part("bytes=9000-20000", 9000, 1000);
    check_part("bytes=-20000", 0, 10000);
    check_part("BYTES=0-", 0, 10000);
    check_part("bytes=5-18446744073709551615", 5, 9995);
    CHECK(parse("bytes=10000-", 10000) == RANGE_UNSATISFIABLE);
    CHECK(parse("bytes=-0", 10000) == RANGE_UNSATISFIABLE);
    CHECK(parse("bytes=0-", 0) == RANGE_UNSATISFIABLE);
    CHECK(parse("bytes=-5", 0) == RANGE_UNSATISFIABLE);
}

static void answers_anything_else_whole(void)
{
    static const char *const others[] = {
        "",           "bytes",      "bytes=",      "bytes=-",     "bytes=a-b",
        "bytes=1",    "bytes=5-4",  "lines=0-1",   "bytes=,",     "bytes= , ,",
        "bytes 0-1",  "bytes=+1-2", "bytes=1-2-3", "bytes=0x1-2", "bytes=18446744073709551616-",
        "bytes=1 -2",
    };
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        CHECK_NOTE(parse(others[i], 10000) == RANGE_WHOLE, "%s", others[i]);
    char text[] = "bytes=100-2000";
    for (size_t size = 0; size < sizeof(text); size++) {
        struct bytes cut = bytes_of(text, size);
        if (ranges_parse(&ranges, cut, 10000) == RANGE_PART)
            CHECK(ranges.items[0].first == 100 && ranges.items[0].count <= 9900);
    }
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        char kept = text[i];
        for (unsigned byte = 0; byte < 256; byte++) {
            text[i] = (char)byte;
            if (ranges_parse(&ranges, bytes_of(text, sizeof(text) - 1), 10000) == RANGE_PART)
                CHECK(ranges.items[0].first + ranges.items[0].count <= 10000 &&
                      ranges.items[0].count > 0);
        }
        text[i] = kept;
    }
}

static void check_parts(const char *text, const struct range *wanted, size_t count)
{
    CHECK_NOTE(parse(text, 10000) == RANGE_PARTS, "%s", text);
    REQUIRE(ranges.count == count);
    for (size_t i = 0; i < count; i++)
        CHECK_NOTE(ranges.items[i].first == wanted[i].first &&
                       ranges.items[i].count == wanted[i].count,
                   "%s: %zu", text, i);
}

/* In the order in which they were asked for (RFC 9110 section 15.3.7.2). */
static void reads_several_ranges(void)
{
    static const struct range two[] = { { 0, 1 }, { 9999, 1 } },
                              turned[] = { { 9999, 1 }, { 0, 1 } };
    static const struct range beside[] = { { 500, 100 }, { 600, 100 } };
    check_parts("bytes=0-0,-1", two, 2);
    check_parts("bytes=-1, 0-0", turned, 2);
    check_parts("bytes=,0-0 ,,\t-1,", two, 2);
    check_parts("bytes=500-599,600-699", beside, 2);
    check_parts("bytes=0-0,20000-,-1,-0", two, 2); /* those beyond the end are left out */
    check_part("bytes=20000-,5-5", 5, 1);
    CHECK(parse("bytes=20000-,10000-10001,-0", 10000) == RANGE_UNSATISFIABLE);
    CHECK(parse("bytes=0-0,1", 10000) == RANGE_WHOLE);
    CHECK(parse("bytes=0-0,5-4", 10000) == RANGE_WHOLE);
    CHECK(parse("bytes=0-0,2-18446744073709551616", 10000) == RANGE_WHOLE);
}

/* RFC 9110 section 14.2: what costs more than it saves. */
static void gives_the_whole_for_greed(void)
{
    char text[200] = "bytes=0-0";
    CHECK(parse("bytes=0-10,10-20", 10000) == RANGE_WHOLE);
    CHECK(parse("bytes=10-20,0-10", 10000) == RANGE_WHOLE);
    CHECK(parse("bytes=0-,0-,0-", 10000) == RANGE_WHOLE);
    CHECK(parse("bytes=5-5,0-9000", 10000) == RANGE_WHOLE);
    CHECK(parse("bytes=0-4999,5000-", 10000) == RANGE_WHOLE);
    CHECK(parse("bytes=0-4999,5500-9987", 10000) == RANGE_WHOLE);
    CHECK(parse("bytes=0-4999,5500-9986", 10000) == RANGE_PARTS); /* 512 for what is around them */
    CHECK(parse("bytes=0-0,2-2", 300) == RANGE_WHOLE);
    for (int i = 1; i < GATEWAY_RANGE_COUNT_MAX; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), ",%d-%d", 10 * i, 10 * i);
    CHECK(parse(text, 10000) == RANGE_PARTS);
    CHECK_NUMBER(ranges.count, GATEWAY_RANGE_COUNT_MAX);
    snprintf(text + strlen(text), sizeof(text) - strlen(text), ",900-900");
    CHECK(parse(text, 10000) == RANGE_WHOLE);
}

static void chooses_encodings(void)
{
    static const struct {
        const char *text;
        unsigned available;
        enum encoding wanted;
    } cases[] = {
        { "", 7, ENCODING_IDENTITY },
        { "gzip", 7, ENCODING_GZIP },
        { "gzip, deflate, br", 7, ENCODING_BROTLI },
        { "gzip, deflate, br", 3, ENCODING_GZIP },
        { "gzip, deflate, br", 1, ENCODING_IDENTITY },
        { "br;q=0.5, gzip;q=0.8", 7, ENCODING_GZIP },
        { "br;q=0, gzip;q=0", 7, ENCODING_IDENTITY },
        { "*", 7, ENCODING_BROTLI },
        { "*;q=0", 7, ENCODING_IDENTITY },
        { "*, br;q=0", 7, ENCODING_GZIP },
        { "identity", 7, ENCODING_IDENTITY },
        { "identity;q=0.5, gzip;q=0.4", 7, ENCODING_IDENTITY },
        { "identity;q=0.5, gzip;q=0.5", 7, ENCODING_GZIP },
        { "identity;q=0, gzip;q=0.001", 7, ENCODING_GZIP },
        { "GZIP", 7, ENCODING_GZIP },
        { "x-gzip", 7, ENCODING_GZIP },
        { "gzip ; q=1.000 , br ; q=0.999", 7, ENCODING_GZIP },
        { "gzip;q=2", 7, ENCODING_IDENTITY },
        { "gzip;q=1.001", 7, ENCODING_IDENTITY },
        { "gzip;q=.5", 7, ENCODING_IDENTITY },
        { "gzip;q=0.1234", 7, ENCODING_IDENTITY },
        { "gzip;q=", 7, ENCODING_IDENTITY },
        { ";q=1,,gzip", 7, ENCODING_GZIP },
        { "deflate", 7, ENCODING_IDENTITY },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_NOTE(encoding_choose(bytes_of_string(cases[i].text), cases[i].available) ==
                       cases[i].wanted,
                   "%s", cases[i].text);
    CHECK_STRING(encoding_name(ENCODING_BROTLI), "br");
}

static void compares_tags(void)
{
    struct bytes tag = BYTES_LITERAL("\"ab\"");
    CHECK(etag_matches(BYTES_LITERAL("\"ab\""), tag));
    CHECK(etag_matches(BYTES_LITERAL("W/\"ab\""), tag));
    CHECK(etag_matches(BYTES_LITERAL("\"x\", \"ab\" ,\"y\""), tag));
    CHECK(etag_matches(BYTES_LITERAL("*"), tag));
    CHECK(etag_matches_strongly(BYTES_LITERAL("\"x\", \"ab\" "), tag));
    CHECK(etag_matches_strongly(BYTES_LITERAL(" * "), tag));
    CHECK(!etag_matches_strongly(BYTES_LITERAL("W/\"ab\", \"x\""), tag));
    CHECK(!etag_matches_strongly((struct bytes){ 0 }, tag));
    CHECK(!etag_matches(BYTES_LITERAL(""), tag));
    CHECK(!etag_matches(BYTES_LITERAL("ab"), tag));
    CHECK(!etag_matches(BYTES_LITERAL("\"abc\""), tag));
    CHECK(!etag_matches(BYTES_LITERAL("w/\"ab\""), tag));
    CHECK(!etag_matches(BYTES_LITERAL("\"*\""), tag));
}

static void knows_who_wants_pages(void)
{
    CHECK(accepts_html(BYTES_LITERAL("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")));
    CHECK(accepts_html(BYTES_LITERAL("application/json, Text/HTML;level=1;q=0.1")));
    CHECK(!accepts_html(BYTES_LITERAL("*/*")));
    CHECK(!accepts_html(BYTES_LITERAL("application/json")));
    CHECK(!accepts_html(BYTES_LITERAL("text/html;q=0")));
    CHECK(!accepts_html(BYTES_LITERAL("")));
}

static void knows_types(void)
{
    CHECK_STRING(content_type_of(BYTES_LITERAL("index.html")), "text/html; charset=utf-8");
    CHECK_STRING(content_type_of(BYTES_LITERAL("a.min.JS")), "text/javascript; charset=utf-8");
    CHECK_STRING(content_type_of(BYTES_LITERAL("x.wasm")), "application/wasm");
    CHECK_STRING(content_type_of(BYTES_LITERAL("html")), "application/octet-stream");
    CHECK_STRING(content_type_of(BYTES_LITERAL("a.")), "application/octet-stream");
    CHECK_STRING(content_type_of(BYTES_LITERAL("")), "application/octet-stream");
    CHECK_STRING(content_type_of(BYTES_LITERAL("a.html.exe")), "application/octet-stream");
}

static const struct test tests[] = {
    TEST(reads_ranges),          TEST(answers_anything_else_whole),
    TEST(reads_several_ranges),  TEST(gives_the_whole_for_greed),
    TEST(chooses_encodings),     TEST(compares_tags),
    TEST(knows_who_wants_pages), TEST(knows_types),
};
TEST_MAIN(tests)
