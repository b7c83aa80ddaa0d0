/* SPDX-License-Identifier: Apache-2.0 */
/* Lays out the instance region before code is made, and writes the image behind the code.  Holds no
 * address but those of abi/layout.h.  Internal to wasm. */
#ifndef WASM_LINKER_H
#define WASM_LINKER_H

#include "wasm/baseline.h"

/* LIMIT when globals, segments and tables don't fit the instance region. */
MUST_CHECK bool linker_layout(struct instance_layout *layout, const struct module *module,
                              struct error *error);

/* Where the row of a function stands. */
static inline uint64_t row_address(const struct module *module, uint32_t function_index)
{
    return image_place(module->placement).rodata +
           sizeof(struct function_reference) * (uint64_t)function_index;
}

/* A constant expression's value: numbers zero-extended, references as in a slot. */
uint64_t constant_bits(const struct module *module, const struct constant *constant);

struct link_options {
    const struct module *module;
    const struct instance_layout *layout;
    const struct code *code;
    struct arena *arena;
    struct digest32 module_digest;
    bool is_metered;
    const char *compiler; /* what the image says made it */
};

/* `image` holds IMAGE_HEADER_SIZE bytes of room, then the code; the rest is appended and the header
 * filled in.  Active segments are applied. */
MUST_CHECK bool linker_write(struct buffer *image, const struct link_options *options,
                             struct error *error);

#endif
