/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/seed.h"

#include <string.h>
#include <sys/random.h>

_Static_assert(SEED_POOL_SIZE % SEED_SIZE == 0, "whole seeds");

static __thread struct {
    uint8_t bytes[SEED_POOL_SIZE];
    size_t left;
} pool;

/* The kernel may give less than asked for. */
static bool pool_fill(struct error *error)
{
    size_t filled = 0;
    while (filled < sizeof(pool.bytes)) {
        ssize_t got = getrandom(pool.bytes + filled, sizeof(pool.bytes) - filled, 0);
        if (got <= 0)
            return error_system(error, "seed the guest's random generator");
        filled += (size_t)got;
    }
    pool.left = sizeof(pool.bytes);
    return true;
}

void seed_forget(void)
{
    explicit_bzero(pool.bytes, sizeof(pool.bytes));
    pool.left = 0;
}

bool seed_take(uint8_t seed[SEED_SIZE], struct error *error)
{
    if (pool.left == 0 && !pool_fill(error))
        return false;
    pool.left -= SEED_SIZE;
    memcpy(seed, pool.bytes + pool.left, SEED_SIZE);
    explicit_bzero(pool.bytes + pool.left, SEED_SIZE);
    return true;
}
