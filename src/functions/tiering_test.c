/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/tiering.h"
#include "tests/harness.h"

static struct worker_profile profile;

static void chooses_what_runs_most(void)
{
    char list[64];
    profile = (struct worker_profile){ .total = 1000,
                                       .count = 4,
                                       .rows = { { 7, 600 }, { 3, 340 }, { 12, 20 }, { 1, 10 } } };
    REQUIRE(tiering_choose(list, sizeof(list), &profile));
    CHECK_STRING(list, "7,3"); /* 940 of 970 are over 95 percent */
    profile.rows[2].samples = 200;
    REQUIRE(tiering_choose(list, sizeof(list), &profile));
    CHECK_STRING(list, "7,3,12");
}

static void needs_enough_samples(void)
{
    char list[64];
    profile = (struct worker_profile){ .total = 1000, .count = 1, .rows = { { 7, 49 } } };
    CHECK(!tiering_choose(list, sizeof(list), &profile));
    profile.rows[0].samples = 50;
    CHECK(tiering_choose(list, sizeof(list), &profile));
    profile = (struct worker_profile){ .total = 1000 };
    CHECK(!tiering_choose(list, sizeof(list), &profile));
}

static void keeps_to_the_lists_size(void)
{
    char list[8];
    profile =
        (struct worker_profile){ .count = 3, .rows = { { 1000, 50 }, { 2000, 50 }, { 3000, 50 } } };
    REQUIRE(tiering_choose(list, sizeof(list), &profile));
    CHECK_STRING(list, "1000");
}

static const struct test tests[] = { TEST(chooses_what_runs_most), TEST(needs_enough_samples),
                                     TEST(keeps_to_the_lists_size) };
TEST_MAIN(tests)
