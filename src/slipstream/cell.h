/* SPDX-License-Identifier: Apache-2.0 */
/* Cells: a worker's instances.  Each is a process of its own, forked from the worker with the
 * programs in sight and closed off (engine_set_seal) before the first guest instruction; the worker
 * never runs a guest.  With kvm a cell makes its micro-VM, is closed off, and only then takes a
 * program, so that one can wait ready made (the lane's spare); with the process backend it takes
 * the program first, whose code has to become executable.
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
    uint32_t version; /* of the function that a spare takes with its first turn */
    uint32_t begun;   /* invocations, by a cell that runs them one by one */
    uint32_t recall;  /* the cell gives the lane back as soon as nothing comes in */
};

MUST_CHECK bool cells_open(struct lane *lane, struct error *error);
/* With the lane's lock held: something waits for the row's function.  Returns when the lane is the
 * worker's again. */
void cells_serve(struct lane *lane, const struct library_row *row);
/* The library has changed: the cell that has the lane gives it back when it looks up. */
void cells_prune(struct lane *lane);
/* With the lane's lock held: ends cells whose function is no longer loaded. */
void cells_sweep(struct lane *lane);
/* Whoever has the lane gives it back when it looks up and nothing comes in. */
void cells_recall(struct lane *lane);
/* With the lane's lock held: ends all cells, the spare too. */
void cells_drop(struct lane *lane);
/* With the lane's lock held: whether a spare is wanted, for a function that is loaded and has no
 * cell here; and makes it, in the place of one that does not see all programs. */
bool cells_want_spare(const struct lane *lane);
void cells_make_spare(struct lane *lane);

/* Initialises the program in a process of its own: the snapshot comes back.  `run` leaves its shell
 * open: the process ends. */
struct cell_trial {
    bool (*run)(void *context, struct program *program, const struct settings *settings,
                struct error *error);
    void *context;
    const struct engine *engine;
    const struct channel *channel; /* none of its business */
    struct room *room;             /* for the snapshot; NULL: one of its own */
};
MUST_CHECK bool cell_try(struct program *program, const struct settings *settings,
                         const struct cell_trial *trial, struct error *error);

#endif
