/* SPDX-License-Identifier: Apache-2.0 */
/* What makes a module one of several linked instances: a placement, type ids that all share, and an
 * instantiation that runs as code.  Internal to wasm. */
#ifndef WASM_LINKING_H
#define WASM_LINKING_H

#include "wasm/module.h"
#include "wasm/wasm.h"

/* Gives the module its place and its types the ids of `link->signatures`, and turns active segments
 * and the start function into one new function that does what instantiation does, in the order and
 * with the traps that the standard gives: table.init and elem.drop per segment, memory.init and
 * data.drop, then the call of the start function.  It becomes the start function.  Call after
 * imports_resolve. */
MUST_CHECK bool module_link(struct module *module, struct arena *arena,
                            const struct wasm_link *link, struct error *error);

#endif
