/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/pace.h"
#include "tests/harness.h"

static const uint64_t second_ns = 1000000000u;
static const uint64_t floor_ns = 10000000000u, ceiling_ns = 60000000000u;

/* Used for a second after each pause. */
static struct pace used(const uint64_t *pauses_s, unsigned count)
{
    struct pace pace = { 0 };
    uint64_t now_ns = 5 * second_ns;
    pace_begin(&pace, now_ns);
    pace_end(&pace, now_ns += second_ns);
    for (unsigned i = 0; i < count; i++) {
        pace_begin(&pace, now_ns += pauses_s[i] * second_ns);
        pace_end(&pace, now_ns += second_ns);
    }
    return pace;
}

static uint64_t keep_s(const uint64_t *pauses_s, unsigned count)
{
    struct pace pace = used(pauses_s, count);
    return pace_keep_ns(&pace, floor_ns, ceiling_ns) / second_ns;
}
#define KEEP(...)                                                                                  \
    keep_s((const uint64_t[]){ __VA_ARGS__ }, ARRAY_COUNT(((const uint64_t[]){ __VA_ARGS__ })))

static void what_nothing_is_known_of_is_kept(void)
{
    CHECK_NUMBER(keep_s(NULL, 0), 60);
    CHECK_NUMBER(KEEP(0, 0, 0, 0), 60); /* one burst says nothing of the next */
}

static void twice_the_pause_is_kept(void)
{
    CHECK_NUMBER(KEEP(8), 16);
    CHECK_NUMBER(KEEP(8, 8, 0, 0, 8), 16);
    CHECK_NUMBER(KEEP(2), 10);  /* the floor */
    CHECK_NUMBER(KEEP(50), 60); /* the ceiling */
}

/* Whoever comes back later than is allowed starts cold anyway. */
static void what_comes_too_late_is_not_kept(void)
{
    CHECK_NUMBER(KEEP(61), 10);
    CHECK_NUMBER(KEEP(3600, 3600), 10);
}

static void the_past_fades(void)
{
    CHECK_NUMBER(KEEP(16, 2), 24);
    CHECK_NUMBER(KEEP(16, 2, 2), 18);
    CHECK_NUMBER(KEEP(16, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2), 10);
    CHECK_NUMBER(KEEP(3600, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2), 60);
}

static void a_floor_above_the_ceiling_is_the_ceiling(void)
{
    struct pace pace = used((const uint64_t[]){ 3 }, 1);
    CHECK_NUMBER(pace_keep_ns(&pace, floor_ns, second_ns), (int64_t)second_ns);
}

static const struct test tests[] = {
    TEST(what_nothing_is_known_of_is_kept),         TEST(twice_the_pause_is_kept),
    TEST(what_comes_too_late_is_not_kept),          TEST(the_past_fades),
    TEST(a_floor_above_the_ceiling_is_the_ceiling),
};

TEST_MAIN(tests)
