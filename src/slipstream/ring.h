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

#include "slipstream/progress.h"
#include "slipstream/shell.h"

/* Serves until the next one is not `function`'s, nothing waits or the library has changed; the
 * shell's window is the lane's. False: the shell is of no use any more, invocations that still wait
 * are left. */
MUST_CHECK bool ring_serve(struct ring *ring, struct shell *shell, uint32_t function,
                           struct error *error);

#endif
