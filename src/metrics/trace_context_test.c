/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/trace_context.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN  "00f067aa0ba902b7"

static struct trace_parent parent;
static struct trace_context context;

static bool parse(const char *text)
{
    return trace_parent_parse(&parent, bytes_of_string(text));
}

static bool add(const char *field)
{
    return trace_state_add(&context, bytes_of_string(field));
}

/* Section 3.2.4 of the recommendation. */
static void reads_a_traceparent(void)
{
    CHECK(parse("00-" TRACE "-" SPAN "-01"));
    CHECK_NUMBER(parent.trace_id[0], 0x4b);
    CHECK_NUMBER(parent.trace_id[15], 0x36);
    CHECK_NUMBER(parent.span_id[1], 0xf0);
    CHECK_NUMBER(parent.flags, TRACE_FLAG_SAMPLED);
    CHECK(parse("00-" TRACE "-" SPAN "-00"));
    CHECK_NUMBER(parent.flags, 0);
    CHECK(parse("00-" TRACE "-" SPAN "-fe"));
    CHECK_NUMBER(parent.flags, 0); /* what version 00 does not define is not passed on */
}

static void reads_the_beginning_of_later_versions(void)
{
    CHECK(parse("01-" TRACE "-" SPAN "-01"));
    CHECK(parse("cc-" TRACE "-" SPAN "-01-what-comes-later"));
    CHECK(!parse("cc-" TRACE "-" SPAN "-01.what-comes-later"));
    CHECK(!parse("cc-" TRACE "-" SPAN "-011"));
    CHECK(!parse("00-" TRACE "-" SPAN "-01-"));
    CHECK(!parse("ff-" TRACE "-" SPAN "-01"));
}

static void refuses_what_is_no_traceparent(void)
{
    static const char *const wrong[] = {
        "",
        "00",
        "00-" TRACE "-" SPAN,
        "00-" TRACE "-" SPAN "-0",
        "00-" TRACE "-" SPAN "-0x",
        "00-" TRACE "-" SPAN "-01 ",
        " 00-" TRACE "-" SPAN "-01",
        "0-" TRACE "-" SPAN "-011",
        "00-00000000000000000000000000000000-" SPAN "-01",
        "00-" TRACE "-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01",
        "00-" TRACE "-00F067AA0BA902B7-01",
        "00-" TRACE "-" SPAN "-0A",
        "00_" TRACE "-" SPAN "-01",
        "00-" TRACE "_" SPAN "-01",
        "00-" TRACE "-" SPAN "_01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
    };
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        CHECK_NOTE(!parse(wrong[i]), "%s", wrong[i]);
}

static void survives_cuts_and_flips(void)
{
    char text[TRACE_PARENT_TEXT_SIZE] = "00-" TRACE "-" SPAN "-01";
    struct bytes whole = bytes_of(text, sizeof(text) - 1);
    for (size_t size = 0; size < whole.size; size++)
        CHECK(!trace_parent_parse(&parent, bytes_part(whole, 0, size)));
    for (size_t i = 0; i < whole.size; i++) {
        char kept = text[i];
        for (unsigned byte = 0; byte < 256; byte++) {
            char again[TRACE_PARENT_TEXT_SIZE];
            text[i] = (char)byte;
            if (!trace_parent_parse(&parent, whole))
                continue;
            trace_parent_print(again, &parent);
            struct trace_parent same;
            CHECK(trace_parent_parse(&same, bytes_of_string(again)));
            CHECK(memcmp(&same, &parent, sizeof(same)) == 0);
        }
        text[i] = kept;
    }
}

static void prints_what_it_read(void)
{
    char text[TRACE_PARENT_TEXT_SIZE];
    REQUIRE(parse("cc-" TRACE "-" SPAN "-0f-later"));
    trace_parent_print(text, &parent);
    CHECK_STRING(text, "00-" TRACE "-" SPAN "-01");
}

static void joins_tracestates(void)
{
    context.state_size = 0;
    CHECK(add("rojo=" SPAN ",congo=t61rcWkgMzE"));
    CHECK(add(" ,\t, 1-tenant/x*_@system_-*/0= value with spaces~! \t,"));
    CHECK(add(""));
    CHECK_BYTES(trace_state(&context),
                BYTES_LITERAL("rojo=" SPAN ",congo=t61rcWkgMzE,"
                              "1-tenant/x*_@system_-*/0= value with spaces~!"));
}

static void drops_a_wrong_tracestate_whole(void)
{
    static const char *const wrong[] = {
        "a",       "=b",
        "a=",      "a= ",
        "A=b",     "1a=b",
        "a b=c",   "a=b=c",
        "a=b\x7f", "a=\x01",
        "a=b,a=c", "@a=b",
        "a@=b",    "a@b@c=d",
        "a@1b=c",  "a@B=c",
        "a.b=c",   "a=\xc3\xa4",
        "-a=b",    "a =b",
        "a=b;c",   "a@abcdefghijklmno=b",
    };
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        context.state_size = 0;
        CHECK(add("first=1"));
        bool has_other_reason = strcmp(wrong[i], "a=b;c") == 0; /* a semicolon is allowed */
        CHECK_NOTE(add(wrong[i]) == has_other_reason, "%s", wrong[i]);
        CHECK_NOTE(has_other_reason || context.state_size == 0, "%s", wrong[i]);
    }
}

static void keeps_its_limits(void)
{
    char text[2048];
    size_t size = 0;
    for (int i = 0; i < 32; i++)
        size += (size_t)snprintf(text + size, sizeof(text) - size, "%sk%d=v", i > 0 ? "," : "", i);
    context.state_size = 0;
    CHECK(trace_state_add(&context, bytes_of(text, size)));
    CHECK(!add("one=more"));
    /* keys and values of 256, and no more than there is room for */
    for (size_t key = 256; key <= 257; key++) {
        memset(text, 'k', key);
        text[key] = '=';
        memset(text + key + 1, 'v', 256);
        context.state_size = 0;
        CHECK(trace_state_add(&context, bytes_of(text, key + 257)) == (key == 256));
        CHECK(!trace_state_add(&context, bytes_of(text, key + 258)));
    }
    for (unsigned i = 0; i < 2; i++) {
        context.state_size = TRACE_STATE_SIZE_MAX - 4;
        memset(context.state, 'x', context.state_size);
        context.state[1] = '=';
        CHECK(add(i == 0 ? "a=b" : "a=bc") == (i == 0));
    }
}

static void begins_and_goes_on(void)
{
    uint8_t fresh[TRACE_ID_SIZE + TRACE_SPAN_SIZE];
    for (size_t i = 0; i < sizeof(fresh); i++)
        fresh[i] = (uint8_t)(i + 1);
    trace_context_begin(&context, NULL, fresh);
    CHECK(!context.has_caller);
    CHECK_NUMBER(context.here.flags, 0);
    CHECK(memcmp(context.here.span_id, fresh, 8) == 0);
    CHECK(memcmp(context.here.trace_id, fresh + 8, 16) == 0);
    REQUIRE(parse("00-" TRACE "-" SPAN "-01"));
    trace_context_begin(&context, &parent, fresh);
    CHECK(context.has_caller);
    CHECK(memcmp(context.caller, parent.span_id, 8) == 0);
    CHECK(memcmp(context.here.trace_id, parent.trace_id, 16) == 0);
    CHECK(memcmp(context.here.span_id, fresh, 8) == 0);
    CHECK_NUMBER(context.here.flags, TRACE_FLAG_SAMPLED);
    memset(fresh, 0, sizeof(fresh));
    trace_context_begin(&context, NULL, fresh);
    char text[TRACE_PARENT_TEXT_SIZE];
    trace_parent_print(text, &context.here);
    CHECK(parse(text));
}

static const struct test tests[] = {
    TEST(reads_a_traceparent),
    TEST(reads_the_beginning_of_later_versions),
    TEST(refuses_what_is_no_traceparent),
    TEST(survives_cuts_and_flips),
    TEST(prints_what_it_read),
    TEST(joins_tracestates),
    TEST(drops_a_wrong_tracestate_whole),
    TEST(keeps_its_limits),
    TEST(begins_and_goes_on),
};
TEST_MAIN(tests)
