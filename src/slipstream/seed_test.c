/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/seed.h"
#include "tests/harness.h"

#include <string.h>

static void no_seed_comes_twice(void)
{
    enum {
        COUNT = 3 * SEED_POOL_SIZE / SEED_SIZE
    };
    static uint8_t seeds[COUNT][SEED_SIZE];
    static const uint8_t zeros[SEED_SIZE];
    struct error error;
    for (unsigned i = 0; i < COUNT; i++) {
        REQUIRE(seed_take(seeds[i], &error));
        CHECK(memcmp(seeds[i], zeros, SEED_SIZE) != 0);
        for (unsigned j = 0; j < i; j++)
            CHECK(memcmp(seeds[i], seeds[j], SEED_SIZE) != 0);
    }
}

static const struct test tests[] = {
    TEST(no_seed_comes_twice),
};
TEST_MAIN(tests)
