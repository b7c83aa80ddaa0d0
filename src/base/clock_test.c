/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "tests/harness.h"

static void system_clocks_go_on(void)
{
    uint64_t before = clock_monotonic_ns(&clock_system);
    CHECK(clock_monotonic_ns(&clock_system) >= before);
    CHECK(clock_realtime_ns(&clock_system) > 1600000000ull * 1000000000u);
}

struct stopped_clock {
    struct clock clock;
    uint64_t now_ns;
};

static uint64_t stopped_now(const struct clock *clock)
{
    return ((const struct stopped_clock *)(const void *)clock)->now_ns;
}

static void tests_bring_their_own(void)
{
    struct stopped_clock stopped = { { stopped_now, stopped_now }, 42 };
    CHECK_NUMBER(clock_realtime_ns(&stopped.clock), 42);
    CHECK_NUMBER(clock_monotonic_ns(&stopped.clock), 42);
}

static const struct test tests[] = { TEST(system_clocks_go_on), TEST(tests_bring_their_own) };
TEST_MAIN(tests)
