/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/demand.h"

static const uint64_t step_ns = DEMAND_STEP_MS * UINT64_C(1000000);

/* Whole steps only, so that it does not matter how often it is called. */
static void age(struct demand *demand, uint64_t now_ns)
{
    while (demand->busy_ns >= DEMAND_STEPS && now_ns - demand->step_ns >= step_ns) {
        demand->busy_ns -= demand->busy_ns / DEMAND_STEPS;
        demand->step_ns += step_ns;
    }
    if (now_ns - demand->step_ns >= step_ns)
        *demand = (struct demand){ .step_ns = now_ns };
}

void demand_add(struct demand *demand, uint64_t now_ns, uint64_t busy_ns)
{
    age(demand, now_ns);
    demand->busy_ns += MIN(busy_ns, UINT64_MAX - demand->busy_ns);
}

unsigned demand_wanted(struct demand *demand, uint64_t now_ns, unsigned floor, unsigned ceiling)
{
    age(demand, now_ns);
    double load = (double)demand->busy_ns / (double)(step_ns * DEMAND_STEPS);
    unsigned wanted = 0;
    /* Arrivals that know nothing of each other exceed their mean by more than twice its root in
     * one case of forty.  Of less than one in two hundred nothing is kept. */
    if (load >= 0.005) {
        while (wanted < ceiling && (wanted < load || (wanted - load) * (wanted - load) < 4 * load))
            wanted++;
    }
    return MIN(MAX(wanted, floor), ceiling);
}
