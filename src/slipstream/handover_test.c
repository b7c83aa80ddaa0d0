/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/deadline.h"
#include "slipstream/handover.h"
#include "tests/harness.h"

#include <sched.h>

/* The figures are the machine's; that it ends, decides by them and leaves the thread as it was is
 * ours. */
static void measures_and_leaves_no_trace(void)
{
    cpu_set_t before, after;
    REQUIRE(sched_getaffinity(0, sizeof(before), &before) == 0);
    struct handover made = handover_measure();
    REQUIRE(sched_getaffinity(0, sizeof(after), &after) == 0);
    CHECK(CPU_EQUAL(&before, &after));
    if (made.watches)
        CHECK(made.watching_ns != 0 && 2 * made.watching_ns < made.blocking_ns + 1);
}

/* With one core there is nobody to watch from. */
static void one_core_blocks(void)
{
    cpu_set_t before, one;
    REQUIRE(sched_getaffinity(0, sizeof(before), &before) == 0);
    CPU_ZERO(&one);
    for (unsigned core = 0; core < CPU_SETSIZE; core++)
        if (CPU_ISSET(core, &before) && CPU_COUNT(&one) == 0)
            CPU_SET(core, &one);
    REQUIRE(sched_setaffinity(0, sizeof(one), &one) == 0);
    struct handover made = handover_measure();
    CHECK(!made.watches);
    CHECK_NUMBER(made.watching_ns, 0);
    CHECK(sched_setaffinity(0, sizeof(before), &before) == 0);
}

static const struct test tests[] = {
    TEST(measures_and_leaves_no_trace),
    TEST(one_core_blocks),
};
TEST_MAIN(tests)
