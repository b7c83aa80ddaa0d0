/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, as a struct of functions so that tests can bring their own. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "core/compiler.h"

struct clock {
    uint64_t (*realtime_ns)(const struct clock *clock);
    uint64_t (*monotonic_ns)(const struct clock *clock);
};

/* The system's. */
extern const struct clock clock_system;

static inline uint64_t clock_realtime_ns(const struct clock *clock)
{
    return clock->realtime_ns(clock);
}

static inline uint64_t clock_monotonic_ns(const struct clock *clock)
{
    return clock->monotonic_ns(clock);
}

#endif
