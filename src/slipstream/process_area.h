/* SPDX-License-Identifier: Apache-2.0 */
/* Areas of the process backend: this process's own memory at the guest's addresses.  The address
 * space is one for all machines, so two can't have the same area at a time. */
#ifndef SLIPSTREAM_PROCESS_AREA_H
#define SLIPSTREAM_PROCESS_AREA_H

#include "slipstream/backend.h"

struct process_areas;

/* *areas NULL: none yet. */
MUST_CHECK bool process_area_add(struct process_areas **areas, const struct area *area,
                                 uint8_t **host, struct error *error);
MUST_CHECK bool process_area_grow(struct process_areas *areas, uint64_t address, uint64_t size);
void process_areas_close(struct process_areas *areas);

#endif
