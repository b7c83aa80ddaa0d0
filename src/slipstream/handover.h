/* SPDX-License-Identifier: Apache-2.0 */
/* How an invocation goes from one thread to another and back, measured on this machine: blocking on
 * the same core, or watching from another one. */
#ifndef SLIPSTREAM_HANDOVER_H
#define SLIPSTREAM_HANDOVER_H

#include "base/error.h"

struct handover {
    uint64_t blocking_ns; /* there and back on one core, by futex */
    uint64_t watching_ns; /* there and back between two cores that watch; 0: there is one core */
    bool watches;         /* the second is worth a core while one is free */
};

/* Takes at most some ten milliseconds and moves the calling thread between cores meanwhile.  Before
 * a jail, which would forbid that.  What can't be measured counts as no reason to watch. */
struct handover handover_measure(void);

#endif
