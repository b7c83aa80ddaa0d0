/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/restoring.h"

#include "slipstream/limits.h"
#include "tests/harness.h"

#include <string.h>

/* The figures are the machine's; that there are some, and that we live on, is ours. */
static void measures_something(void)
{
    struct error error = { 0 };
    struct restoring_costs costs;
    REQUIRE(restoring_measure(&costs, &error));
    CHECK(costs.copy_ns > 0 && costs.fault_ns > 0 && costs.call_ns > 0 && costs.discard_ns > 0);
}

static struct restoring chosen(enum restoring_way way, uint32_t copy_ns, uint32_t fault_ns,
                               uint32_t call_ns, uint32_t discard_ns)
{
    const struct restoring_costs costs = { copy_ns, fault_ns, call_ns, discard_ns };
    return restoring_choose(way, &costs);
}

static void costs_decide(void)
{
    const uint32_t small_max = WHOLE_COPY_SIZE / LAYOUT_PAGE_SIZE;
    const uint32_t large_max = RESTORING_KEPT_SIZE_MAX / LAYOUT_PAGE_SIZE;
    /* A usual machine. */
    struct restoring usual = chosen(RESTORING_AUTO, 100, 4000, 100, 500);
    CHECK_NUMBER(usual.whole_pages, 4000 / (100 * HOT_RESETS));
    CHECK_NUMBER(usual.kept_pages, (2 * 100 + TRACKED_FAULTS_MAX * 500) / 100);
    /* Dear faults: more is copied without asking.  Dear pages: more is kept. */
    CHECK(chosen(RESTORING_AUTO, 100, 8000, 100, 500).whole_pages > usual.whole_pages);
    CHECK(chosen(RESTORING_AUTO, 100, 4000, 100, 900).kept_pages > usual.kept_pages);
    CHECK(chosen(RESTORING_AUTO, 200, 4000, 100, 500).whole_pages < usual.whole_pages);
    /* But within bounds. */
    CHECK_NUMBER(chosen(RESTORING_AUTO, 1, 1000000000, 1, 1).whole_pages, small_max);
    CHECK_NUMBER(chosen(RESTORING_AUTO, 1, 1, 1000000000, 1000000000).kept_pages, large_max);
    CHECK_NUMBER(chosen(RESTORING_AUTO, 1000000000, 1, 1, 1).kept_pages, small_max);
    /* Not measured: as on most machines. */
    CHECK_NUMBER(chosen(RESTORING_AUTO, 0, 0, 0, 0).whole_pages, 0);
    CHECK_NUMBER(chosen(RESTORING_AUTO, 0, 0, 0, 0).kept_pages, small_max);
}

static void forced_ways_win_over_costs(void)
{
    CHECK_NUMBER(chosen(RESTORING_TRACK, 1, 1000000, 1, 1).whole_pages, 0);
    CHECK_NUMBER(chosen(RESTORING_COPY, 1000, 1, 1, 1).whole_pages, UINT32_MAX);
    CHECK_NUMBER(chosen(RESTORING_COPY, 1000, 1, 1, 1).kept_pages, UINT32_MAX);
    CHECK_NUMBER(chosen(RESTORING_DISCARD, 1, 1000000, 1, 1).whole_pages, 0);
    CHECK_NUMBER(chosen(RESTORING_DISCARD, 1, 1000000, 1, 1).kept_pages, 0);
}

static void comes_back_from_a_command_line(void)
{
    struct error error = { 0 };
    for (enum restoring_way way = RESTORING_AUTO; way <= RESTORING_DISCARD; way++) {
        struct restoring made = chosen(way, 95, 4100, 90, 620), back, named;
        enum restoring_way found;
        char text[RESTORING_TEXT_SIZE];
        restoring_print(text, &made);
        REQUIRE(restoring_parse(&back, text, &error));
        CHECK(memcmp(&made, &back, sizeof(made)) == 0);
        REQUIRE(restoring_way_of_name(&found, restoring_way_name(way)));
        CHECK_NUMBER(found, way);
        REQUIRE(restoring_parse(&named, restoring_way_name(way), &error));
        CHECK(named.way == way && named.costs.copy_ns == 0);
    }
    static const char *const wrong[] = { "",
                                         "fast",
                                         "auto:",
                                         "auto:1",
                                         "auto:1:2:3",
                                         "auto:1:2:3:",
                                         "auto:1:2:3:4:5",
                                         "auto:1:2:3:-4",
                                         "auto:1:2:3:4 ",
                                         ":1:2:3:4",
                                         "auto:1:2:3:1000000001",
                                         "auto:1:2:3:99999999999",
                                         "autoautoautoautoauto:1:2:3:4",
                                         "auto,1,2,3,4" };
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        struct restoring back = { .kept_pages = 7 };
        CHECK_NOTE(!restoring_parse(&back, wrong[i], &error) && error.code == ERROR_USAGE &&
                       back.kept_pages == 7,
                   "%s", wrong[i]);
    }
}

static const struct test tests[] = {
    TEST(measures_something),
    TEST(costs_decide),
    TEST(forced_ways_win_over_costs),
    TEST(comes_back_from_a_command_line),
};
TEST_MAIN(tests)
