/* SPDX-License-Identifier: Apache-2.0 */
/* Who answers host calls in `s3n run`: state in memory (local_state.h), `about`, and for everything
 * that takes a node an error that says so.  Nothing needs a permission here. */
#ifndef SLIPSTREAM_LOCAL_DESK_H
#define SLIPSTREAM_LOCAL_DESK_H

#include "slipstream/calls.h"
#include "slipstream/local_state.h"

/* A descriptor opened to read and append, or -1: nothing is kept.  Reads what it has. */
MUST_CHECK bool local_desk_open(struct call_desk *desk, int file, struct error *error);
/* The program ended well: what it changed is kept. */
MUST_CHECK bool local_desk_commit(struct error *error);

#endif
