/* SPDX-License-Identifier: Apache-2.0 */
/* Initial linear memory: active data segments painted over each other, as runs that aren't zero.
 * Internal to wasm. */
#ifndef WASM_LINKER_MEMORY_H
#define WASM_LINKER_MEMORY_H

#include "wasm/module.h"

struct memory_run {
    uint32_t address;
    struct bytes bytes; /* in the arena */
};

struct memory_runs {
    struct memory_run *rows; /* ascending, apart from each other */
    size_t count;
    bool is_out_of_bounds; /* a segment doesn't fit; those before it are painted */
};

MUST_CHECK bool linker_memory(struct memory_runs *runs, const struct module *module,
                              struct arena *arena, struct error *error);

#endif
