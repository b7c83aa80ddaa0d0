/* SPDX-License-Identifier: Apache-2.0 */
#include "collateral/schedule.h"

#include "core/compiler.h"

enum {
    RETRY_MS = 30000,
    WAIT_MS_MAX = 3600 * 1000,
    DUE_S_MIN = 60
};

bool collateral_schedule_is_due(const struct collateral_schedule *schedule, int64_t now_s)
{
    return !schedule->has_asked || schedule->failures > 0 || now_s >= schedule->due_s;
}

/* At most an hour, whatever the dates say. */
static uint64_t until_ms(int64_t end_s, int64_t now_s)
{
    if (end_s <= now_s)
        return 0;
    uint64_t left_s = (uint64_t)end_s - (uint64_t)now_s;
    return MIN(left_s, (uint64_t)WAIT_MS_MAX / 1000) * 1000;
}

uint64_t collateral_schedule_wait_ms(const struct collateral_schedule *schedule, int64_t now_s)
{
    if (schedule->failures == 0)
        return MAX(until_ms(schedule->due_s, now_s), (uint64_t)DUE_S_MIN * 1000);
    uint64_t wait_ms = RETRY_MS;
    for (unsigned i = 1; i < schedule->failures && wait_ms < WAIT_MS_MAX; i++)
        wait_ms *= 2;
    wait_ms = MIN(wait_ms, (uint64_t)WAIT_MS_MAX);
    return MAX(wait_ms, until_ms(schedule->refused_until_s, now_s));
}
