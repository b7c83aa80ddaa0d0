/* SPDX-License-Identifier: Apache-2.0 */
/* How long something that is idle is worth keeping, from the pauses between its uses: as long as
 * the next use may be expected within the time that is allowed at all, and no longer than that
 * takes. */
#ifndef FUNCTIONS_PACE_H
#define FUNCTIONS_PACE_H

#include "core/compiler.h"

enum {
    PACE_PAUSE_MS = 1000 /* shorter ones are no pause */
};

/* All zero: never used. */
struct pace {
    uint64_t used_ns;  /* last; 0: never */
    uint64_t pause_ns; /* the longest lately, each later one makes it count a quarter less; 0: not
                          known */
};

/* It was idle, and is used again.  `now_ns` never falls. */
void pace_begin(struct pace *pace, uint64_t now_ns);
/* A use has ended. */
void pace_end(struct pace *pace, uint64_t now_ns);
/* From its last use on, between `floor_ns` and `ceiling_ns`: twice the pause that is known; the
 * ceiling when none is, the floor when it is longer than the ceiling, which keeping would not
 * bridge. */
uint64_t pace_keep_ns(const struct pace *pace, uint64_t floor_ns, uint64_t ceiling_ns);

#endif
