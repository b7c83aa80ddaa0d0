/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/pace.h"

void pace_begin(struct pace *pace, uint64_t now_ns)
{
    uint64_t pause_ns = pace->used_ns != 0 ? now_ns - pace->used_ns : 0;
    if (pause_ns >= PACE_PAUSE_MS * UINT64_C(1000000))
        pace->pause_ns = MAX(pause_ns, pace->pause_ns - pace->pause_ns / 4);
    pace->used_ns = now_ns;
}

void pace_end(struct pace *pace, uint64_t now_ns)
{
    pace->used_ns = now_ns;
}

uint64_t pace_keep_ns(const struct pace *pace, uint64_t floor_ns, uint64_t ceiling_ns)
{
    if (pace->pause_ns == 0 || floor_ns >= ceiling_ns)
        return ceiling_ns;
    if (pace->pause_ns > ceiling_ns)
        return floor_ns;
    return MIN(MAX(2 * pace->pause_ns, floor_ns), ceiling_ns);
}
