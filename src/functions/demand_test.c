/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/demand.h"
#include "tests/harness.h"

static const uint64_t second_ns = 1000000000u;

/* `rate` a second, each busy for a second, for `seconds`. */
static void arrive(struct demand *demand, uint64_t *now_ns, unsigned rate, unsigned seconds)
{
    for (unsigned i = 0; i < rate * seconds; i++) {
        demand_add(demand, *now_ns, second_ns);
        *now_ns += second_ns / rate;
    }
}

static void without_arrivals_the_floor(void)
{
    struct demand demand = { 0 };
    CHECK_NUMBER(demand_wanted(&demand, 5 * second_ns, 0, 8), 0);
    CHECK_NUMBER(demand_wanted(&demand, 6 * second_ns, 2, 8), 2);
    CHECK_NUMBER(demand_wanted(&demand, UINT64_MAX, 2, 8), 2);
}

static void follows_the_rate(void)
{
    unsigned before = 0;
    for (unsigned rate = 1; rate <= 64; rate *= 4) {
        struct demand demand = { 0 };
        uint64_t now_ns = 77 * second_ns;
        arrive(&demand, &now_ns, rate, 60);
        unsigned wanted = demand_wanted(&demand, now_ns, 1, 512);
        /* The mean, and twice its root for chance. */
        CHECK(wanted >= rate && wanted <= rate + 2 * rate && wanted > before);
        before = wanted;
    }
    CHECK(before >= 56 + 15 && before <= 64 + 16);
}

static void follows_the_busy_time(void)
{
    struct demand brief = { 0 }, lengthy = { 0 };
    for (unsigned i = 0; i < 600; i++) {
        demand_add(&brief, i * second_ns / 10, second_ns / 1000);
        demand_add(&lengthy, i * second_ns / 10, 2 * second_ns);
    }
    CHECK_NUMBER(demand_wanted(&brief, 60 * second_ns, 0, 512), 1);
    unsigned wanted = demand_wanted(&lengthy, 60 * second_ns, 0, 512);
    CHECK(wanted >= 26 && wanted <= 29);
}

static void keeps_within_floor_and_ceiling(void)
{
    struct demand demand = { 0 };
    uint64_t now_ns = 0;
    arrive(&demand, &now_ns, 50, 30);
    CHECK_NUMBER(demand_wanted(&demand, now_ns, 1, 8), 8);
    CHECK_NUMBER(demand_wanted(&demand, now_ns, 0, 0), 0);
    demand_add(&demand, now_ns, UINT64_MAX);
    CHECK_NUMBER(demand_wanted(&demand, now_ns, 1, 8), 8);
}

static void falls_when_nothing_comes(void)
{
    struct demand demand = { 0 };
    uint64_t now_ns = 0;
    arrive(&demand, &now_ns, 10, 60);
    unsigned last = demand_wanted(&demand, now_ns, 1, 64), first = last;
    CHECK(first > 10);
    for (unsigned i = 0; i < 60; i++) {
        unsigned wanted = demand_wanted(&demand, now_ns + i * second_ns, 1, 64);
        CHECK(wanted <= last);
        last = wanted;
    }
    CHECK_NUMBER(last, 1);
}

static void does_not_depend_on_how_often_it_is_asked(void)
{
    struct demand asked = { 0 }, left = { 0 };
    for (unsigned i = 0; i < 200; i++) {
        demand_add(&asked, i * second_ns / 20, second_ns);
        demand_add(&left, i * second_ns / 20, second_ns);
        for (unsigned j = 0; j < 10; j++)
            (void)demand_wanted(&asked, i * second_ns / 20 + j, 1, 64);
    }
    CHECK_NUMBER(demand_wanted(&asked, 13 * second_ns, 1, 64),
                 demand_wanted(&left, 13 * second_ns, 1, 64));
}

static const struct test tests[] = {
    TEST(without_arrivals_the_floor), TEST(follows_the_rate),
    TEST(follows_the_busy_time),      TEST(keeps_within_floor_and_ceiling),
    TEST(falls_when_nothing_comes),   TEST(does_not_depend_on_how_often_it_is_asked),
};

TEST_MAIN(tests)
