/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the decoder share.  Internal to wasm: only the decode files include it. */
#ifndef WASM_DECODER_H
#define WASM_DECODER_H

#include "wasm/limits.h"
#include "wasm/module.h"
#include "wasm/proposals.h"
#include "wasm/scan.h"

struct decoder {
    struct scan scan;
    struct module *module;
    struct arena *arena;
    struct error *error;
    const char *section;                                /* the one at hand, NULL outside */
    uint32_t element_items;                             /* of all segments so far */
    struct constant constants[WASM_CONSTANT_DEPTH_MAX]; /* stack of a constant expression */
};

/* Sets the error, with " at offset 0x... in the ... section" behind, and returns false.  An earlier
 * fault of the scan goes first: what followed it was not read. */
PRINTF_LIKE(4, 5)
bool decode_refuse(struct decoder *decoder, enum error_code code, size_t offset, const char *format,
                   ...);
/* `count` zeroed elements in the arena; NULL with the error set when there is no room. */
void *decode_array(struct decoder *decoder, size_t count, size_t size_each);
/* A section's number of things, at most `max`. */
MUST_CHECK bool decode_count(struct decoder *decoder, const char *what, uint32_t max,
                             uint32_t *count);

MUST_CHECK bool decode_value_type(struct decoder *decoder, enum value_type *type);
MUST_CHECK bool decode_reference_type(struct decoder *decoder, enum value_type *type);
/* A constant expression that must yield `type`; it sees imported globals only. */
MUST_CHECK bool decode_constant(struct decoder *decoder, enum value_type type,
                                struct constant *constant);
MUST_CHECK bool decode_function_index(struct decoder *decoder, uint32_t *index);
/* Marks a function as one that ref.func may name. */
void decode_reference(struct decoder *decoder, uint32_t function_index);

MUST_CHECK bool decode_types(struct decoder *decoder);
MUST_CHECK bool decode_imports(struct decoder *decoder);
MUST_CHECK bool decode_functions(struct decoder *decoder);
MUST_CHECK bool decode_tables(struct decoder *decoder);
MUST_CHECK bool decode_memories(struct decoder *decoder);
MUST_CHECK bool decode_globals(struct decoder *decoder);
MUST_CHECK bool decode_exports(struct decoder *decoder);
MUST_CHECK bool decode_elements(struct decoder *decoder);
MUST_CHECK bool decode_data(struct decoder *decoder);
/* The name section, leniently: what can't be read is left out. */
void decode_names(struct module *module, struct bytes section);

#endif
