/* SPDX-License-Identifier: Apache-2.0 */
/* How many of something to keep ready, from how often one was asked for lately and how long each is
 * taken up: the mean number in use at once, and what chance adds to it. */
#ifndef FUNCTIONS_DEMAND_H
#define FUNCTIONS_DEMAND_H

#include "core/compiler.h"

enum {
    DEMAND_STEP_MS = 1000,
    DEMAND_STEPS = 8 /* that the past weighs, each an eighth less than the next */
};

struct demand {
    uint64_t busy_ns; /* weighted sum of what arrived */
    uint64_t step_ns; /* when the present step began */
};

/* One was asked for and takes one up for `busy_ns`.  `now_ns` never falls. */
void demand_add(struct demand *demand, uint64_t now_ns, uint64_t busy_ns);
/* At least `floor`, at most `ceiling`. */
unsigned demand_wanted(struct demand *demand, uint64_t now_ns, unsigned floor, unsigned ceiling);

#endif
