/* SPDX-License-Identifier: Apache-2.0 */
/* What happens inside a cell (cell.h), the process: what it keeps, how it takes a program, how it
 * serves its lane. */
#ifndef SLIPSTREAM_CELL_LIFE_H
#define SLIPSTREAM_CELL_LIFE_H

#include "slipstream/cell.h"

enum {
    /* A cell's descriptors, besides the standard streams. */
    CELL_EVENT = 3,
    CELL_PIPE = 4,
    CELL_DEVICE = 5, /* while it makes its machine */
    CELL_FIRST_FREE = 6,
    /* What it writes to its pipe. */
    CELL_YIELDS = 1,
    CELL_ENDS = 2
};

struct cell_life {
    struct lane *lane;
    struct shell *shell;
    uint32_t number;
    uint32_t function;
    bool is_direct;
    bool is_isolated; /* ends after one invocation: the next has a process of its own, which is all
                         the wall that it has */
};

/* First thing after the fork: makes what a process has to make for itself, timers and the stack for
 * faults.  It ends with its worker, which may have ended already: then false. */
MUST_CHECK bool cell_settle(const struct engine *engine, pid_t worker, struct error *error);
/* Keeps these descriptors under these numbers, and what machines are made with; all others are
 * closed. */
MUST_CHECK bool cell_keep_descriptors(const struct engine *engine, const int *from, const int *to,
                                      unsigned count);
/* No further machine can be made. */
void cell_close_device(const struct engine *engine);
/* Leaves of the channel what this lane's cells need. */
void cell_narrow_channel(const struct lane *lane);
MUST_CHECK bool cell_load(struct cell_life *life, const struct library_row *row,
                          struct error *error);
void cell_wait_turn(struct cell_life *life);
/* With the lane: serves it, in turn with others. */
NORETURN void cell_live(struct cell_life *life);
/* All of it, for a cell that is forked with the programs in sight.  `row` NULL: a spare, which is
 * told with its first turn. */
NORETURN void cell_main(struct lane *lane, const struct library_row *row, uint32_t number,
                        int pipe_end, pid_t worker);

#endif
