/* SPDX-License-Identifier: Apache-2.0 */
/* Where a module may be entered, and as what: `_start` of a command, `s3n_alloc` and `s3n_handle`
 * of a reactor with what initialises it, and the custom section `s3n.abi`, which says which of them
 * is meant (docs/abi.md).  Internal to wasm. */
#ifndef WASM_ENTRY_H
#define WASM_ENTRY_H

#include "abi/image.h"
#include "wasm/module.h"

/* Sets the entries' offsets, flags and the abi in the header.  `starts`: offset of each function's
 * code.  INVALID when a name of the reactor ABI is exported with another type or without its
 * counterpart, or when the custom section names no abi. */
MUST_CHECK bool entry_write(struct image_header *header, const struct module *module,
                            const uint32_t *starts, struct error *error);

/* How it is to be entered when its owner does not say.  INVALID: neither its section nor its
 * exports decide, or they are wrong. */
MUST_CHECK bool entry_choose_abi(enum image_abi *abi, const struct module *module,
                                 struct arena *arena, struct error *error);

#endif
