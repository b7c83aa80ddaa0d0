/* SPDX-License-Identifier: Apache-2.0 */
/* The slipstream process's side of a worker: serves its control socket, and one thread per slot
 * runs what the channel brings.  Never returns control to a guest's word: outcomes are what the
 * engine saw. */
#ifndef SLIPSTREAM_SERVE_H
#define SLIPSTREAM_SERVE_H

#include "slipstream/engine.h"

/* Takes over the connected socket.  `makes_blank`: has a micro-VM ready before anything is asked
 * (blank.h).  Returns true when the peer has gone (a request to stop). */
MUST_CHECK bool worker_serve(struct engine *engine, int socket, bool makes_blank,
                             struct error *error);

#endif
