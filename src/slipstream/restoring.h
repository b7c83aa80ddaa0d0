/* SPDX-License-Identifier: Apache-2.0 */
/* How the process backend restores memory, chosen by what things cost on this machine.
 *
 * A part is tracked (pages that are written are found by one fault each, and only they are copied),
 * copied whole, or given back to the system.  Hypervisors, sandboxes and mitigations change by more
 * than ten times what a fault costs beside a copy, so the limits between the three come from a
 * measurement at the start.  docs/slipstream.md, "The process backend". */
#ifndef SLIPSTREAM_RESTORING_H
#define SLIPSTREAM_RESTORING_H

#include "base/error.h"

enum restoring_way {
    RESTORING_AUTO,   /* by the costs */
    RESTORING_TRACK,  /* linear memory of any size is tracked */
    RESTORING_COPY,   /* linear memory of any size is copied whole */
    RESTORING_DISCARD /* nothing is tracked: all parts are given back to the system each time */
};

/* Nanoseconds, medians; 0: not measured. */
struct restoring_costs {
    uint32_t copy_ns;    /* a page copied */
    uint32_t fault_ns;   /* a first write to a tracked page: signal, system call, return */
    uint32_t call_ns;    /* a system call that does nothing */
    uint32_t discard_ns; /* a page given back to the system and touched again */
};

struct restoring {
    enum restoring_way way;
    struct restoring_costs costs;
    uint32_t whole_pages; /* linear memory up to here is always copied whole */
    uint32_t
        kept_pages; /* memory that is written all over is copied up to here, given back above */
};

enum {
    RESTORING_TEXT_SIZE = 128
};

/* In a process of its own, since it takes faults; less than a millisecond.  SYSTEM when it can't be
 * measured here: then all costs are 0. */
MUST_CHECK bool restoring_measure(struct restoring_costs *costs, struct error *error);
/* What follows from costs; with costs of 0, what is right on most machines. */
struct restoring restoring_choose(enum restoring_way way, const struct restoring_costs *costs);

const char *restoring_way_name(enum restoring_way way);
MUST_CHECK bool restoring_way_of_name(enum restoring_way *way, const char *name);
/* "auto:COPY:FAULT:CALL:DISCARD", for a child's command line; the choice is made again from it. */
void restoring_print(char text[RESTORING_TEXT_SIZE], const struct restoring *restoring);
MUST_CHECK bool restoring_parse(struct restoring *restoring, const char *text, struct error *error);

#endif
