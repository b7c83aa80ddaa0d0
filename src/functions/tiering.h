/* SPDX-License-Identifier: Apache-2.0 */
/* When a function is worth the optimiser's time: it has run for long enough on this node.  A small
 * module is optimised whole; of a large one what the worker's timer found running most.  Internal
 * to functions. */
#ifndef FUNCTIONS_TIERING_H
#define FUNCTIONS_TIERING_H

#include "functions/house.h"

/* An invocation took so long. */
void tiering_note(struct house *house, uint32_t function, uint64_t duration_ns);
/* The worker has answered with a profile, or refused it. */
void tiering_profiled(struct house *house, bool is_answered);
/* The functions that make up almost all of the samples, as "3,7,12"; false when there are too few
 * samples to tell. */
bool tiering_choose(char *list, size_t size, const struct worker_profile *profile);

#endif
