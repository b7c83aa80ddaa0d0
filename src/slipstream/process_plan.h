/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest of the process backend needs to restore itself between two invocations of a batch:
 * where its parts stand, which of their pages were written, and the snapshot. */
#ifndef SLIPSTREAM_PROCESS_PLAN_H
#define SLIPSTREAM_PROCESS_PLAN_H

#include "slipstream/place.h"

struct process_parts {
    const struct tracked *memory;
    const struct place *place;
    uint64_t scratch_size;
};

/* Fills control->parts; false when the host has to restore. */
bool process_plan(struct control *control, const struct process_parts *parts,
                  const struct program *program);

#endif
