/* SPDX-License-Identifier: Apache-2.0 */
/* A micro-VM serves the ring of its lane (abi/batch.h): one entry, many invocations.
 *
 * The guest answers what ends well.  Here is the rest: traps, limits and time limits hit the
 * running invocation alone, the state is restored and the guest entered again; whoever waits behind
 * one that takes long is given back, to be run elsewhere; a guest whose ring can't be right is not
 * entered again.  How many were submitted is read where no guest can write it; what the guest says
 * about its own progress is checked against that. */
#ifndef SLIPSTREAM_RING_H
#define SLIPSTREAM_RING_H

#include "slipstream/channel.h"
#include "slipstream/shell.h"

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

/* Serves until the next one is not `function`'s, nothing waits or the library has changed; the
 * shell's window is the lane's. False: the shell is of no use any more, invocations that still wait
 * are left. */
MUST_CHECK bool ring_serve(struct ring *ring, struct shell *shell, uint32_t function,
                           struct error *error);
/* Answers all that were submitted with CRASHED. */
void ring_fail(struct ring *ring);
/* The same for the first that has no answer yet. */
void ring_fail_one(struct ring *ring);

#endif
