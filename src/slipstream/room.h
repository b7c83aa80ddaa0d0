/* SPDX-License-Identifier: Apache-2.0 */
/* A room: shared memory in which a process that ran a module's initialisation leaves the snapshot
 * for the worker, which never runs guest code itself (process backend).  What is found in it was
 * written next to guest code: sizes are checked, the rest is content. */
#ifndef SLIPSTREAM_ROOM_H
#define SLIPSTREAM_ROOM_H

#include "slipstream/backend.h"

enum room_part {
    ROOM_MEMORY,
    ROOM_INSTANCE,
    ROOM_SCRATCH,
    ROOM_PART_COUNT
};

struct room;

MUST_CHECK bool room_open(struct room **room, struct error *error);
void room_close(struct room *room);
DEFINE_AUTO(room, room_close)

/* Room for a snapshot of this size, empty.  Makes no system call. */
MUST_CHECK bool room_take(struct room *room, enum room_part part, uint64_t size,
                          struct part_template *taken, struct error *error);
/* How the trial ended. */
void room_conclude(struct room *room, bool is_good, const struct error *error);
/* False, with its error, when it ended badly or not at all. */
MUST_CHECK bool room_result(const struct room *room, struct error *error);
/* What was left, to be copied; false when nothing was.  CRASHED when it can't be right. */
bool room_view(const struct room *room, enum room_part part, struct part_template *left);

#endif
