/* SPDX-License-Identifier: Apache-2.0 */
/* The baseline tier: one walk over a validated body, stencil by stencil.
 *
 * A model of the operand stack keeps where each operand is: in a register, in its frame slot, still
 * in a local, or a constant.  Locals that are used most are pinned to registers.  Time and memory
 * are linear in the body.  Internal to wasm; docs/compiler.md explains the design. */
#ifndef WASM_BASELINE_H
#define WASM_BASELINE_H

#include "wasm/module.h"
#include "wasm/native.h"

/* Offsets in the instance region, chosen by the linker before any code is made. */
struct instance_layout {
    uint32_t globals;  /* 16 bytes each */
    uint32_t segments; /* struct segment: data, then elements */
    uint32_t imports;  /* linked: 8 bytes per imported function, the address of its entry */
    uint32_t shares;   /* linked: struct share[1 + INSTANCE_TABLE_COUNT_MAX] */
    uint32_t tables;   /* entries of all tables */
};

/* Signature ids in code and in struct function_reference: 0 is nobody's, so that a null reference
 * never passes the check. */
static inline uint32_t signature_id(const struct function_type *type)
{
    return type->canonical + 1;
}

struct code_options {
    const struct module *module;
    const struct instance_layout *layout;
    const struct native_code *native; /* another tier's functions; NULL: none */
    struct buffer *buffer;            /* the image; code goes behind what it holds */
    struct arena *arena;
    bool is_metered;       /* the code counts fuel (abi/instance.h) */
    bool is_deterministic; /* NaN results are the canonical ones */
};

struct baseline;

/* Where a function's native code begins. */
struct native_row {
    uint32_t start; /* code offset */
    uint32_t index; /* of the function */
};

/* Code that was made, in memory of the arena. */
struct code {
    uint32_t size;
    const uint32_t *starts;     /* code offset of each function */
    const uint32_t *references; /* ... of what references and exports name; linked: entry stubs */
    const struct image_trap *traps;
    uint32_t trap_count;
    uint64_t grown_tables;                /* a bit per table that has a table.grow */
    const struct native_row *native_rows; /* ascending starts, all behind those of `starts` */
    uint32_t native_row_count;
};

/* Emits the constants and the stubs of imported functions. */
MUST_CHECK bool baseline_new(struct baseline **baseline, const struct code_options *options,
                             struct error *error);
/* The defined functions, in ascending order, each once; `facts` of the same function. */
MUST_CHECK bool baseline_function(struct baseline *baseline, uint32_t function_index,
                                  const struct function_facts *facts, struct error *error);
/* After the last function: buffer->size then covers the code. */
MUST_CHECK bool baseline_finish(struct baseline *baseline, struct code *code, struct error *error);

#endif
