/* SPDX-License-Identifier: Apache-2.0 */
/* Several modules in one micro-VM, linked with each other: each has code, globals, tables and a
 * memory at a place of its own (abi/image.h), and uses what others export.  Written once above the
 * backends.  A shell that holds linked instances holds no program of its own; they live as long as
 * the shell and are not reset. */
#ifndef SLIPSTREAM_LINKED_H
#define SLIPSTREAM_LINKED_H

#include "slipstream/engine.h"

struct linked;

/* An export of an instance that is there already. */
struct linked_export {
    const struct linked *instance;
    uint32_t index; /* row of its image's IMAGE_EXPORTS */
};

/* Adds an instance of `program` and instantiates it: `sources` satisfies the image's IMAGE_IMPORTS,
 * row by row.  INVALID when the image was compiled to stand alone, when its place is taken, or when
 * a source is of another kind or type than the import.  true with outcome->kind other than DONE:
 * instantiation trapped or ran out of time; what it did until then stays, and *linked is NULL. */
MUST_CHECK bool shell_link(struct shell *shell, struct program *program,
                           const struct linked_export *sources, size_t source_count,
                           const struct settings *settings, struct linked **linked,
                           struct outcome *outcome, struct error *error);
const struct image *linked_image(const struct linked *linked);

/* As shell_call, for an exported function of the instance. */
MUST_CHECK bool linked_call(struct linked *linked, const struct image_export *export,
                            const uint64_t *arguments, uint32_t argument_count, uint64_t *results,
                            uint32_t result_count, struct outcome *outcome, struct error *error);
/* The slot of an exported global. */
MUST_CHECK bool linked_global(const struct linked *linked, const struct image_export *export,
                              uint64_t slot[2], struct error *error);
/* The row that a function reference in a slot points to. */
MUST_CHECK bool linked_function(const struct linked *linked, uint64_t reference,
                                struct function_reference *row, struct error *error);
/* Present size of an exported table in entries, or memory in pages. */
uint32_t linked_size(const struct linked *linked, const struct image_export *export);

#endif
