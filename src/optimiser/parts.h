/* SPDX-License-Identifier: Apache-2.0 */
/* The module's functions in parts, each compiled to an object file by a process of its own, a few
 * at a time.  A process that is over its limits or crashes takes nothing with it: its part is tried
 * again in halves, and a function that can't be compiled alone is left out.  What comes out does
 * not depend on the number of workers.  Internal to optimiser. */
#ifndef OPTIMISER_PARTS_H
#define OPTIMISER_PARTS_H

#include "base/arena.h"
#include "optimiser/object.h"
#include "optimiser/optimiser.h"
#include "wasm/baseline.h"

struct parts_job {
    const struct module *module;
    const struct instance_layout *layout;
    const struct optimise_options *options;
    struct arena *arena;
    bool has_tail_calls; /* the module has */
};

/* Compiles what the options want and adds it to `link`; how many processes there were at once. */
MUST_CHECK bool parts_run(const struct parts_job *job, struct object_link *link,
                          uint32_t *process_count, struct error *error);

#endif
