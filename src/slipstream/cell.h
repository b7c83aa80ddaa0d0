/* SPDX-License-Identifier: Apache-2.0 */
/* Cells: the process backend's instances.  Guest code runs in the address space of the process that
 * enters it, so each instance is a process of its own, forked from the worker with the program in
 * sight and closed off (engine_set_seal) before the first guest instruction.
 *
 * A lane's cells take turns.  The worker's thread of the lane hands the lane to the cell of the
 * function that is wanted; the cell then waits for invocations and answers them itself, without the
 * worker, until another function is wanted or the one it has was loaded anew.  What a cell says
 * about its progress is checked; one that dies or hangs costs the invocation that it was at. */
#ifndef SLIPSTREAM_CELL_H
#define SLIPSTREAM_CELL_H

#include "slipstream/lane.h"

/* One page that a lane's thread and its cells share. */
struct cell_share {
    uint32_t turn;    /* futex: number of the cell that has the lane; 0: the worker has it */
    uint32_t handled; /* of the ring, as far as the cell that has the lane came */
    uint32_t library; /* the library's version, as far as lanes were told */
    uint32_t seen;    /* the one at which the function of this turn was found */
};

MUST_CHECK bool cells_open(struct lane *lane, struct error *error);
/* With the lane's lock held: something waits for the row's function.  Returns when the lane is the
 * worker's again. */
void cells_serve(struct lane *lane, const struct library_row *row);
/* The library has changed: the cell that has the lane gives it back when it looks up. */
void cells_prune(struct lane *lane);
/* With the lane's lock held: ends cells whose function is no longer loaded. */
void cells_sweep(struct lane *lane);

/* program_try in a process of its own, when it has to run guest code: the snapshot comes back. */
struct cell_trial {
    bool (*run)(void *context, struct program *program, const struct settings *settings,
                struct error *error);
    void *context;
    const struct channel *channel; /* none of its business */
};
MUST_CHECK bool cell_try(struct program *program, const struct settings *settings,
                         const struct cell_trial *trial, struct error *error);

#endif
