/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks: the host's readings on the control page, carried on by the time stamp counter. */
#ifndef GUEST_CLOCK_H
#define GUEST_CLOCK_H

#include "core/compiler.h"

enum clock_id {
    CLOCK_ID_REALTIME,
    CLOCK_ID_MONOTONIC,
    CLOCK_ID_PROCESS, /* both CPU times: since the entry, nothing else runs here */
    CLOCK_ID_THREAD,
    CLOCK_ID_COUNT
};

uint64_t clock_now_ns(enum clock_id id);

#endif
