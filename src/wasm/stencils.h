/* SPDX-License-Identifier: Apache-2.0 */
/* The stencils: machine code of one operation with one choice of operand kinds, with holes for
 * displacements, immediates and branch targets.
 *
 * The table itself is generated (tools/stencils, docs/compiler.md) and constant.  Internal to wasm;
 * nothing here depends on the module that is being compiled. */
#ifndef WASM_STENCILS_H
#define WASM_STENCILS_H

#include "base/arena.h"

/* What an operation's operands and destination may be; tools/stencils/operations.py says which. */
enum stencil_shape {
    SHAPE_NONE,
    SHAPE_INTEGER_BINARY,
    SHAPE_INTEGER_COMPARE,
    SHAPE_INTEGER_BRANCH,
    SHAPE_INTEGER_UNARY,
    SHAPE_INTEGER_TEST,
    SHAPE_FLOAT_BINARY,
    SHAPE_FLOAT_UNARY,
    SHAPE_FLOAT_COMPARE,
    SHAPE_FLOAT_BRANCH,
    SHAPE_TO_FLOAT,
    SHAPE_TO_INTEGER,
    SHAPE_LOAD_INTEGER,
    SHAPE_LOAD_FLOAT,
    SHAPE_STORE_INTEGER,
    SHAPE_STORE_FLOAT,
    SHAPE_SELECT_INTEGER,
    SHAPE_SELECT_FLOAT
};

/* Types as machine code tells them apart; references are I64. */
enum machine_type {
    MACHINE_NONE,
    MACHINE_I32,
    MACHINE_I64,
    MACHINE_F32,
    MACHINE_F64,
    MACHINE_V128
};

/* Kinds of operands.  Integer registers are 0-8, the first three cache the operand stack, the
 * others hold pinned locals; float registers are 0-7, likewise. */
enum {
    STENCIL_STACK_REGISTERS = 3,
    STENCIL_INTEGER_REGISTERS = 9,
    STENCIL_FLOAT_REGISTERS = 8,
    STENCIL_KIND_SLOT = 9, /* of integers: 32-bit displacement from the frame */
    STENCIL_KIND_CONSTANT = 10,
    STENCIL_KIND_FLOAT_SLOT = 8,
    STENCIL_CODE_MAX = 160,
};

/* What a patch puts in its place. */
enum stencil_patch {
    PATCH_A32, /* hole a, b or c in four bytes, in one, in two */
    PATCH_B32,
    PATCH_C32,
    PATCH_A8,
    PATCH_B8,
    PATCH_C8,
    PATCH_TAKEN, /* relative address of the branch's target */
    PATCH_A16 = 9,
    PATCH_B16,
    PATCH_C16,
    PATCH_TRAP = 16, /* + enum trap_reason: relative address of a trap */
    PATCH_POOL = 64, /* + offset / 4: relative address in the pool */
};

struct stencil_form {
    uint32_t code;    /* in stencil_code */
    uint16_t patches; /* in stencil_patches: pairs of offset, enum stencil_patch */
    uint8_t size;
    uint8_t patch_count; /* and STENCIL_CLOBBERS_* */
};

enum {
    STENCIL_PATCH_COUNT = 63, /* mask */
    STENCIL_CLOBBERS_RBX = 64,
    STENCIL_CLOBBERS_RBP = 128,
};

#define STENCIL_WANT_OPERATIONS
#include "wasm/stencils.inc"
#undef STENCIL_WANT_OPERATIONS

/* What an instruction of the plain kind compiles to. */
struct operation {
    uint16_t stencil; /* enum stencil_operation, STENCIL_NONE: not by one stencil */
    uint8_t shape;
    uint8_t source; /* enum machine_type of the operands and of the result */
    uint8_t target;
    uint16_t branch; /* comparisons: the operation that branches when it holds, or doesn't */
    uint16_t branch_not;
    uint16_t swapped; /* opcode of the same with the operands exchanged, 0: none */
};

extern const struct operation operations[256];
extern const struct operation saturating_operations[8]; /* 0xfc 0-7 */

struct stencils;

/* The table made ready for look-ups; NULL when the arena is full. */
const struct stencils *stencils_new(struct arena *arena);
enum stencil_shape stencil_shape_of(unsigned operation);
/* The two forms of a stencil, with four-byte and with one-byte holes (the same if there is none);
 * false when this choice of kinds isn't in the table. */
bool stencil_find(const struct stencils *stencils, unsigned operation, const unsigned kinds[3],
                  const struct stencil_form *forms[2]);
/* Machine code; at least 32 bytes may be read there. */
const uint8_t *stencil_code_of(const struct stencil_form *form);
const uint8_t *stencil_patches_of(const struct stencil_form *form);
/* Constants that patches point into: to be copied, aligned to 16 bytes, before any code. */
struct bytes stencil_constants(void);

/* Vector operations that are more than a few instructions (stencils_simd.inc): the operands are in
 * vector or integer stack registers a and b, the result takes the place of a; b is lost. */
struct vector_stencil {
    const uint8_t *code;
    const uint8_t *patches; /* pairs: offset, constant's place / 4 */
    uint8_t size;
    uint8_t patch_count;
};

/* False when the instruction has no stencil; `b` is 0 for those of one operand. */
bool vector_stencil_find(unsigned opcode, unsigned a, unsigned b, struct vector_stencil *stencil);
struct bytes vector_stencil_constants(void);

/* Tools only: hears every choice that the compiler asks for, which are then all taken to exist. */
typedef void stencil_recorder(const char *operation, const char kinds[4]);
extern stencil_recorder *stencil_record;

#endif
