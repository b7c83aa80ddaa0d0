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

/* As exact as the machine has it: for deadlines of the runtime itself. */
uint64_t clock_now_ns(enum clock_id id);
/* What a function is told: rounded down to the resolution that its settings give. */
uint64_t clock_read_ns(enum clock_id id);
uint64_t clock_resolution_ns(void);

#endif
