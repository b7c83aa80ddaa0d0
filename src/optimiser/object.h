/* SPDX-License-Identifier: Apache-2.0 */
/* Object files as LLVM writes them for this tier, joined into one native_code: a linker for the few
 * kinds of sections and relocations that occur.  Anything else is refused.  Internal to optimiser.
 */
#ifndef OPTIMISER_OBJECT_H
#define OPTIMISER_OBJECT_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "wasm/native.h"

struct object_link {
    struct buffer text;        /* of all objects, one behind the other */
    struct buffer relocations; /* struct native_relocation[] */
    struct buffer traps;       /* struct image_trap[], by offset in text */
    uint32_t *starts;          /* per function */
    uint32_t function_count, type_count;
    uint64_t grown_tables; /* as native_code has it */
};

MUST_CHECK bool object_link_init(struct object_link *link, uint32_t function_count,
                                 uint32_t type_count, struct arena *arena, struct error *error);
void object_link_done(struct object_link *link);
/* `traps`: what object_traps made of it.  CORRUPT when `object` is not what LLVM writes; the link
 * is then of no more use. */
MUST_CHECK bool object_add(struct object_link *link, struct bytes object, struct bytes traps,
                           struct error *error);
/* Appends to `traps` struct image_trap[] with ascending offsets in the object's section of code.
 * `places`: struct place[] (places.h).  CORRUPT as above. */
MUST_CHECK bool object_traps(struct buffer *traps, struct bytes object, struct bytes places,
                             struct error *error);
/* Borrows the link's memory. */
struct native_code object_link_view(const struct object_link *link);

#endif
