/* SPDX-License-Identifier: Apache-2.0 */
/* Who answers host calls in `s3n run`: state in memory (local_state.h), `about`; what takes a
 * node is passed on (local_services.h), or gets an error that says so.  Nothing needs a permission
 * here. */
#ifndef SLIPSTREAM_LOCAL_DESK_H
#define SLIPSTREAM_LOCAL_DESK_H

#include "slipstream/calls.h"
#include "slipstream/local_state.h"

/* `file`: a descriptor opened to read and append, or -1: nothing is kept.  Reads what it has.
 * `services`: the socket of who answers what takes a node, or -1. */
MUST_CHECK bool local_desk_open(struct call_desk *desk, int file, int services,
                                struct error *error);
/* The program ended well: what it changed is kept. */
MUST_CHECK bool local_desk_commit(struct error *error);

#endif
