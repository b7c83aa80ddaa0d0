/* SPDX-License-Identifier: Apache-2.0 */
/* A blank: a cell made before its worker is bound to an application.  It makes its machine, without
 * mailbox, lane or program, enters it once and waits.  At the first load it is told the rest over a
 * socket of its own: it maps its lane of the channel and the program, takes its last filter, loads
 * the program and waits for its turn on lane 0 like any other cell.
 *
 * Only of backends whose machines are walls.  Programs whose code is shared by all cells of a
 * worker (program_text) are not for it: cells forked with them in sight share what it would copy.
 */
#ifndef SLIPSTREAM_BLANK_H
#define SLIPSTREAM_BLANK_H

#include "slipstream/cell.h"
#include "slipstream/profile.h"
#include "slipstream/room.h"

struct blank {
    pid_t pid; /* 0: there is none */
    int pipe;
    int socket;
    struct cell_share *share; /* of lane 0; there even without a blank, once there was one */
    struct profile_samples *samples;
    struct room *room; /* for the first program's snapshot */
};

/* Without one, when it can't be made, cells are made at need. */
void blank_make(struct blank *blank, struct engine *engine);
void blank_drop(struct blank *blank);
/* Whether it can take the program, which then uses the samples and the room. */
bool blank_suits(const struct blank *blank, const struct program *program);

/* What it is told besides.  Descriptors are the caller's; files -1: none. */
struct blank_orders {
    const struct library_row *row;
    int channel, image, files;
    bool has_snapshot; /* in the room */
};
/* Makes it a cell of the lane, which is lane 0 and has run nothing yet; false when it could not be
 * told. */
MUST_CHECK bool blank_bind(struct blank *blank, struct lane *lane,
                           const struct blank_orders *orders);

#endif
