/* SPDX-License-Identifier: Apache-2.0 */
#include "collateral/schedule.h"
#include "tests/harness.h"

enum {
    NOW_S = 1795000000,
    HOUR_MS = 3600 * 1000
};

static void doubles_what_it_waits_up_to_an_hour(void)
{
    static const uint64_t waits_ms[] = { 30000,  60000,   120000,  240000,  480000,
                                         960000, 1920000, HOUR_MS, HOUR_MS, HOUR_MS };
    struct collateral_schedule schedule = { .has_asked = true };
    for (size_t i = 0; i < ARRAY_COUNT(waits_ms); i++) {
        schedule.failures = (unsigned)i + 1;
        CHECK_NUMBER((int64_t)collateral_schedule_wait_ms(&schedule, NOW_S), (int64_t)waits_ms[i]);
        CHECK(collateral_schedule_is_due(&schedule, NOW_S));
    }
    schedule.failures = UINT32_MAX;
    CHECK(collateral_schedule_wait_ms(&schedule, NOW_S) == HOUR_MS);
}

static void waits_as_long_as_a_service_says(void)
{
    struct collateral_schedule schedule = { .has_asked = true,
                                            .failures = 1,
                                            .refused_until_s = NOW_S + 600 };
    CHECK(collateral_schedule_wait_ms(&schedule, NOW_S) == 600000);
    CHECK(collateral_schedule_wait_ms(&schedule, NOW_S + 590) == 30000);
    CHECK(collateral_schedule_wait_ms(&schedule, NOW_S + 601) == 30000);
    schedule.failures = 6;
    CHECK(collateral_schedule_wait_ms(&schedule, NOW_S) == 960000);
    schedule.refused_until_s = NOW_S + 30 * 86400;
    CHECK(collateral_schedule_wait_ms(&schedule, NOW_S) == HOUR_MS);
    schedule.refused_until_s = INT64_MAX;
    CHECK(collateral_schedule_wait_ms(&schedule, INT64_MIN) == HOUR_MS);
}

static void asks_again_when_a_piece_is_due(void)
{
    struct collateral_schedule schedule = { .due_s = NOW_S + 86400 };
    CHECK(collateral_schedule_is_due(&schedule, NOW_S)); /* never asked */
    schedule.has_asked = true;
    CHECK(!collateral_schedule_is_due(&schedule, NOW_S));
    CHECK(collateral_schedule_wait_ms(&schedule, NOW_S) == HOUR_MS);
    CHECK(collateral_schedule_wait_ms(&schedule, NOW_S + 86400 - 1800) == 1800000);
    CHECK(collateral_schedule_wait_ms(&schedule, NOW_S + 86400 - 5) == 60000);
    CHECK(!collateral_schedule_is_due(&schedule, NOW_S + 86399));
    CHECK(collateral_schedule_is_due(&schedule, NOW_S + 86400));
    CHECK(collateral_schedule_wait_ms(&schedule, NOW_S + 90000) == 60000);
    schedule.due_s = INT64_MAX;
    CHECK(!collateral_schedule_is_due(&schedule, NOW_S));
    CHECK(collateral_schedule_wait_ms(&schedule, NOW_S) == HOUR_MS);
}

/* A day of a node whose services are away for an hour and a half, by a clock of the test's. */
static void keeps_a_node_supplied(void)
{
    struct collateral_schedule schedule = { 0 };
    int64_t now_s = NOW_S;
    unsigned asked = 0, failed = 0;
    while (now_s < NOW_S + 86400) {
        bool is_away = now_s >= NOW_S + 40000 && now_s < NOW_S + 45400;
        if (collateral_schedule_is_due(&schedule, now_s)) {
            asked++;
            schedule.has_asked = true;
            failed += is_away;
            schedule.failures = is_away ? schedule.failures + 1 : 0;
            if (!is_away)
                schedule.due_s = now_s + 20000;
        }
        uint64_t wait_ms = collateral_schedule_wait_ms(&schedule, now_s);
        CHECK(wait_ms >= 30000 && wait_ms <= HOUR_MS);
        now_s += (int64_t)(wait_ms / 1000);
    }
    CHECK_NUMBER(failed, 8); /* at 0, 30, 90, 210, 450, 930, 1890 and 3810 s */
    CHECK_NUMBER(asked, failed + 4);
}

static const struct test tests[] = {
    TEST(doubles_what_it_waits_up_to_an_hour),
    TEST(waits_as_long_as_a_service_says),
    TEST(asks_again_when_a_piece_is_due),
    TEST(keeps_a_node_supplied),
};
TEST_MAIN(tests)
