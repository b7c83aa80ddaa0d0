/* SPDX-License-Identifier: Apache-2.0 */
/* How each vector instruction is made.  Internal to the baseline files. */
#ifndef WASM_BASELINE_VECTOR_H
#define WASM_BASELINE_VECTOR_H

#include "wasm/baseline_state.h"

enum vector_shape {
    SHAPE_VECTOR_NONE,      /* a rule of its own */
    SHAPE_VECTOR_BINARY,    /* vex result, a, b */
    SHAPE_VECTOR_EXTREME,   /* comparison by minimum or maximum: is it a? */
    SHAPE_VECTOR_UNARY,     /* vex result, a */
    SHAPE_VECTOR_HIGH,      /* the same on the upper half */
    SHAPE_VECTOR_PATTERN,   /* vex result, a, pattern */
    SHAPE_VECTOR_NEGATE,    /* vex result, 0, a */
    SHAPE_VECTOR_SHIFT,     /* vex result, a, count */
    SHAPE_VECTOR_STENCIL_1, /* by a stencil of one vector, two, one and a count */
    SHAPE_VECTOR_STENCIL_2,
    SHAPE_VECTOR_STENCIL_SHIFT,
    SHAPE_VECTOR_LOAD,       /* vex result, memory */
    SHAPE_VECTOR_LOAD_LANE,  /* vex result, a, memory, lane */
    SHAPE_VECTOR_STORE_LANE, /* vex a, memory, lane */
    SHAPE_VECTOR_SPLAT,      /* from an integer: vex result, lowest lane of result */
    SHAPE_VECTOR_EXTRACT,    /* vex integer, a, lane */
    SHAPE_VECTOR_REPLACE,    /* vex result, a, integer, lane */
    SHAPE_VECTOR_MASK,       /* vex integer, a */
    SHAPE_VECTOR_ALL_TRUE,   /* vex: equal lanes */
};

enum vector_flag {
    VECTOR_COMMUTES = 1,
    VECTOR_EXCHANGED = 2,  /* vex result, b, a */
    VECTOR_NEGATED = 4,    /* then every bit is turned */
    VECTOR_IMMEDIATE = 8,  /* `extra` follows as a byte */
    VECTOR_F32_LANES = 16, /* results are floats that `deterministic` makes canonical */
    VECTOR_F64_LANES = 32,
};

struct vector_row {
    uint8_t shape;
    uint8_t flags;
    /* EXTREME: opcode of the comparison for equality; PATTERN: which; SHIFT: opcode and extension
     * of the form with a constant count; EXTRACT: bits that are sign-extended; HIGH: opcode of the
     * unpacking, and the shift by `vex` that makes it signed. */
    uint8_t extra;
    uint8_t extension;
    struct vex vex;
};

extern const struct vector_row vector_rows[256];

/* baseline_vector.c */
/* One whose opcode was read; its immediates come next. */
void compile_vector_instruction(struct baseline *baseline, unsigned opcode);
/* vex reg, second, operand: from wherever the operand is.  `tail`: immediate bytes that follow. */
void emit_with(struct baseline *baseline, struct vex vex, unsigned reg, unsigned second,
               struct operand *operand, unsigned tail);

/* baseline_lanes.c */
/* A copy of 16 bytes that lives as long as the code is made; NULL when there is no room. */
const uint8_t *vector_constant(struct baseline *baseline, const void *bytes);
void compile_vector_load(struct baseline *baseline, const struct vector_row *row);
void compile_vector_store(struct baseline *baseline);
void compile_lane_access(struct baseline *baseline, const struct vector_row *row);
void push_vector_constant(struct baseline *baseline, const uint8_t *bytes);
void compile_splat(struct baseline *baseline, const struct vector_row *row);
void compile_float_splat(struct baseline *baseline, bool is_wide);
void compile_extract(struct baseline *baseline, const struct vector_row *row);
void compile_float_extract(struct baseline *baseline, bool is_wide);
void compile_replace(struct baseline *baseline, const struct vector_row *row);
void compile_float_replace(struct baseline *baseline, bool is_wide);
void compile_mask(struct baseline *baseline, const struct vector_row *row, unsigned opcode);
void compile_test(struct baseline *baseline, unsigned opcode);

#endif
