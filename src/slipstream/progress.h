/* SPDX-License-Identifier: Apache-2.0 */
/* How far a guest is in the ring of its lane: what is concluded from memory that the guest can
 * write at any time.  Nothing here touches a machine.
 *
 * What was submitted is read where no guest can write it.  What the guest says it has taken counts
 * only when it lies between what it said last and what was submitted. */
#ifndef SLIPSTREAM_PROGRESS_H
#define SLIPSTREAM_PROGRESS_H

#include "slipstream/channel.h"

/* `handled` never counts down and is never more than what was submitted. */
struct ring {
    const struct channel *channel;
    uint32_t lane;
    uint32_t handled; /* invocations that have an answer or were given back */
    /* Counts the library's changes: with another number than `seen` the program may be an old one.
     */
    const uint32_t *version;
    uint32_t seen;
    /* Answers are out; the server may have to be woken. */
    void (*announce)(void *context);
    void *context;
};

/* Of one guest, as seen last: not what it says by now. */
struct progress {
    struct ring *ring;
    uint32_t taken;   /* entries begun or given back */
    uint32_t running; /* the last one begun */
};

enum progress_seen {
    PROGRESS_SAME,
    PROGRESS_ON, /* it has begun others; all before the running one have answers */
    PROGRESS_IMPOSSIBLE
};

/* A guest that begins behind what was handled. */
struct progress progress_begin(struct ring *ring);
MUST_CHECK enum progress_seen progress_look(struct progress *progress);
/* Whether an invocation has begun and not ended. */
MUST_CHECK bool progress_is_running(const struct progress *progress);
/* Those behind the running one are for others to run; true when there were any.  With the guest
 * out. */
MUST_CHECK bool progress_give_back(struct progress *progress);

/* Whether a count that the other side may write has gone on, no further than to what was submitted;
 * `seen` follows it then. */
MUST_CHECK bool count_moves(uint32_t *seen, uint32_t now, uint32_t submitted);

/* All before `end`, of what was submitted, have ended: whoever has no answer gets CRASHED. */
void ring_settle(struct ring *ring, uint32_t end);
/* Those that have answers count as handled. */
void ring_pass_answered(struct ring *ring);
/* Whether a count of invocations that were begun goes beyond what was handled, and no further than
 * what was submitted. */
MUST_CHECK bool ring_has_begun(const struct ring *ring, uint32_t begun);
/* Answers all that were submitted with CRASHED. */
void ring_fail(struct ring *ring);
/* The same for the first that has no answer yet. */
void ring_fail_one(struct ring *ring);

#endif
