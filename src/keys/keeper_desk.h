/* SPDX-License-Identifier: Apache-2.0 */
/* The desk at which an event loop leaves what it wants of the keeper, so that it never waits for an
 * answer: one thread makes the calls, in order; the results are taken when the descriptor is
 * readable.
 *
 * Owns: the thread, and jobs from keeper_desk_leave to their `done`.  All functions: one thread,
 * the loop's, but a job's `run`, which is the desk's own. */
#ifndef KEYS_KEEPER_DESK_H
#define KEYS_KEEPER_DESK_H

#include "keys/keeper.h"

struct keeper_desk;

struct keeper_job {
    /* On the desk's thread; may touch nothing but the job and the keeper. */
    bool (*run)(struct keeper_job *job, struct keeper *keeper, struct error *error);
    /* On the loop's, once; the job is the caller's again.  `failure` NULL: it was done. */
    void (*done)(struct keeper_job *job, const struct error *failure);
    /* The rest is the desk's. */
    struct keeper_job *next;
    struct error error;
    bool is_done;
};

/* `keeper` outlives the desk. */
MUST_CHECK bool keeper_desk_new(struct keeper_desk **desk, struct keeper *keeper,
                                struct error *error);
/* Waits for the job under way; what has not begun is done with UNAVAILABLE. */
void keeper_desk_free(struct keeper_desk *desk);
DEFINE_AUTO(keeper_desk, keeper_desk_free)

void keeper_desk_leave(struct keeper_desk *desk, struct keeper_job *job);
/* Readable when keeper_desk_take has something to do. */
int keeper_desk_descriptor(const struct keeper_desk *desk);
/* Calls `done` of all jobs that are through. */
void keeper_desk_take(struct keeper_desk *desk);

#endif
