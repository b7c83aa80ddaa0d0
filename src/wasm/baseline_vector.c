/* SPDX-License-Identifier: Apache-2.0 */
/* Vector instructions: one or two machine instructions on any registers, encoded here after the
 * rows of baseline_vector_rows.c; what is longer is a stencil of stencils_simd.inc.
 *
 * The result's register may hold an operand, so that it is written last, or by an instruction that
 * reads all operands that are still needed. */
#include "wasm/baseline_vector.h"
#include "wasm/opcodes.h"

#include <string.h>

enum {
    VECTOR_SIZE = 16,
    SCRATCH_A = REGISTER_XMM8,
    ALL_LANES = 0xee, /* pshufd: the upper half twice */
};

static const struct vex pxor = { 1, 1, 0xef, false }, pcmpeqd = { 1, 1, 0x76, false },
                        pand = { 1, 1, 0xdb, false }, pandn = { 1, 1, 0xdf, false },
                        por = { 1, 1, 0xeb, false }, pshufd = { 1, 1, 0x70, false };

unsigned register_with(struct baseline *baseline, struct operand *operand)
{
    if (operand->place == PLACE_LOCAL && baseline->locals[operand->index].pin != REGISTER_NONE) {
        pin_validate(baseline, baseline->locals[operand->index].pin);
        return baseline->locals[operand->index].pin;
    }
    operand_to_register(baseline, operand);
    return operand->reg;
}

void emit_with(struct baseline *baseline, struct vex vex, unsigned reg, unsigned second,
               struct operand *operand, unsigned tail)
{
    struct emitter *emitter = &baseline->emitter;
    bool is_pinned =
        operand->place == PLACE_LOCAL && baseline->locals[operand->index].pin != REGISTER_NONE;
    if (operand->place == PLACE_CONSTANT && operand->type == MACHINE_V128 && operand->bits != 0)
        emit_vector_constant(emitter, vex, reg, second, (const uint8_t *)(uintptr_t)operand->bits,
                             tail);
    else if (operand->place == PLACE_CONSTANT || operand->place == PLACE_REGISTER || is_pinned)
        emit_vector_registers(emitter, vex, reg, second, register_with(baseline, operand));
    else
        emit_vector_slot(emitter, vex, reg, second, operand_displacement(baseline, operand));
}

static void emit_not(struct baseline *baseline, unsigned reg)
{
    emit_vector_registers(&baseline->emitter, pcmpeqd, SCRATCH_A, SCRATCH_A, SCRATCH_A);
    emit_vector_registers(&baseline->emitter, pxor, reg, reg, SCRATCH_A);
}

/* `deterministic`: every NaN becomes the positive canonical one. */
static void emit_canonical(struct baseline *baseline, const struct vector_row *row, unsigned reg)
{
    enum {
        UNORDERED = 3
    };
    static const uint32_t nans[2][4] = { { 0x7fc00000, 0x7fc00000, 0x7fc00000, 0x7fc00000 },
                                         { 0, 0x7ff80000, 0, 0x7ff80000 } };
    struct emitter *emitter = &baseline->emitter;
    bool is_wide = (row->flags & VECTOR_F64_LANES) != 0;
    if (!baseline->is_deterministic || (row->flags & (VECTOR_F32_LANES | VECTOR_F64_LANES)) == 0)
        return;
    struct vex compare = { 1, is_wide, 0xc2, false },
               blend = { 3, 1, is_wide ? 0x4b : 0x4a, false };
    emit_vector_registers(emitter, compare, SCRATCH_A, reg, reg);
    emit_byte(emitter, UNORDERED);
    emit_vector_constant(emitter, blend, reg, reg, (const uint8_t *)nans[is_wide], 1);
    emit_byte(emitter, (SCRATCH_A - FLOAT_BASE) << 4);
}

/* x < c where c is constant is x <= c - 1, x > c is x >= c + 1: the opposite of the opposite, which
 * needs two instructions more, unless that constant overflows.  Returns the row to go by. */
static const struct vector_row *simplify_extreme(struct baseline *baseline,
                                                 const struct vector_row *row, struct operand *b)
{
    static const uint8_t widths[] = { 1, 2, 4 };
    unsigned opcode = (unsigned)(row - vector_rows);
    bool is_less =
        opcode == VECTOR_I8X16_LT_U || opcode == VECTOR_I16X8_LT_U || opcode == VECTOR_I32X4_LT_U;
    if ((row->flags & VECTOR_NEGATED) == 0 || b->place != PLACE_CONSTANT || b->bits == 0)
        return row;
    unsigned width = widths[(opcode - VECTOR_I8X16_EQ) / (VECTOR_I16X8_EQ - VECTOR_I8X16_EQ)];
    uint8_t bytes[VECTOR_SIZE];
    memcpy(bytes, (const uint8_t *)(uintptr_t)b->bits, VECTOR_SIZE);
    for (unsigned at = 0; at < VECTOR_SIZE; at += width) {
        uint64_t lane = 0, most = (1ull << 8 * width) - 1;
        memcpy(&lane, bytes + at, width);
        if (lane == (is_less ? 0 : most))
            return row;
        lane = is_less ? lane - 1 : lane + 1;
        memcpy(bytes + at, &lane, width);
    }
    const uint8_t *copy = vector_constant(baseline, bytes);
    if (copy == NULL)
        return row;
    b->bits = (uint64_t)(uintptr_t)copy;
    return is_less ? row + (VECTOR_I8X16_LE_U - VECTOR_I8X16_LT_U)
                   : row + (VECTOR_I8X16_GE_U - VECTOR_I8X16_GT_U);
}

static void take_binary(struct baseline *baseline, const struct vector_row *row, struct operand *a,
                        struct operand *b)
{
    *b = operand_take(baseline);
    *a = operand_take(baseline);
    bool exchange = (row->flags & VECTOR_EXCHANGED) != 0;
    /* The second operand may stay in memory. */
    if ((row->flags & VECTOR_COMMUTES) != 0)
        exchange = b->place == PLACE_REGISTER && a->place != PLACE_REGISTER;
    if (exchange) {
        struct operand other = *a;
        *a = *b;
        *b = other;
    }
}

static void compile_binary(struct baseline *baseline, const struct vector_row *row)
{
    struct operand a, b;
    take_binary(baseline, row, &a, &b);
    unsigned first = register_with(baseline, &a);
    struct destination to = destination_choose_any(baseline, MACHINE_V128, &a, &b);
    bool has_immediate = (row->flags & VECTOR_IMMEDIATE) != 0;
    emit_with(baseline, row->vex, to.reg, first, &b, has_immediate);
    if (has_immediate)
        emit_byte(&baseline->emitter, row->extra);
    if ((row->flags & VECTOR_NEGATED) != 0)
        emit_not(baseline, to.reg);
    emit_canonical(baseline, row, to.reg);
    destination_finish(baseline, MACHINE_V128, &to, &a, &b);
}

/* a <= b where the minimum is a, and so on. */
static void compile_extreme(struct baseline *baseline, const struct vector_row *row)
{
    struct operand a, b;
    take_binary(baseline, row, &a, &b);
    row = simplify_extreme(baseline, row, &b);
    unsigned first = register_with(baseline, &a);
    struct destination to = destination_choose_any(baseline, MACHINE_V128, &a, &b);
    emit_with(baseline, row->vex, SCRATCH_A, first, &b, 0);
    struct vex equal = { 1, 1, row->extra, false };
    emit_vector_registers(&baseline->emitter, equal, to.reg, first, SCRATCH_A);
    if ((row->flags & VECTOR_NEGATED) != 0)
        emit_not(baseline, to.reg);
    destination_finish(baseline, MACHINE_V128, &to, &a, &b);
}

/* The upper half's lanes in twice the width. */
static void emit_high(struct baseline *baseline, const struct vector_row *row, unsigned to,
                      unsigned from)
{
    enum {
        SHIFT_RIGHT_SIGNED = 4
    };
    struct emitter *emitter = &baseline->emitter;
    struct vex unpack = { 1, 1, row->extra, false };
    if (row->extra == 0) {
        emit_vector_registers(emitter, pshufd, SCRATCH_A, REGISTER_NONE, from);
        emit_byte(emitter, ALL_LANES);
        emit_vector_registers(emitter, row->vex, to, REGISTER_NONE, SCRATCH_A);
    } else if (row->extension == 0) {
        emit_vector_registers(emitter, pxor, SCRATCH_A, SCRATCH_A, SCRATCH_A);
        emit_vector_registers(emitter, unpack, to, from, SCRATCH_A);
    } else {
        emit_vector_registers(emitter, unpack, to, from, from);
        emit_vector_extended(emitter, row->vex, SHIFT_RIGHT_SIGNED, to, to);
        emit_byte(emitter, row->extension);
    }
}

static void compile_unary(struct baseline *baseline, const struct vector_row *row)
{
    struct emitter *emitter = &baseline->emitter;
    struct operand a = operand_take(baseline);
    if (row->shape == SHAPE_VECTOR_HIGH)
        (void)register_with(baseline, &a);
    struct destination to = destination_choose_any(baseline, MACHINE_V128, &a, NULL);
    bool has_immediate = (row->flags & VECTOR_IMMEDIATE) != 0;
    if (row->shape == SHAPE_VECTOR_HIGH) {
        emit_high(baseline, row, to.reg, register_with(baseline, &a));
    } else if (row->shape == SHAPE_VECTOR_NEGATE) {
        emit_vector_registers(emitter, pxor, SCRATCH_A, SCRATCH_A, SCRATCH_A);
        emit_with(baseline, row->vex, to.reg, SCRATCH_A, &a, 0);
    } else {
        emit_with(baseline, row->vex, to.reg, REGISTER_NONE, &a, has_immediate);
    }
    if (has_immediate)
        emit_byte(emitter, row->extra);
    emit_canonical(baseline, row, to.reg);
    destination_finish(baseline, MACHINE_V128, &to, &a, NULL);
}

/* With a constant that the instruction itself implies. */
static void compile_pattern(struct baseline *baseline, const struct vector_row *row)
{
    static const uint64_t patterns[][2] = {
        { 0x7fffffff7fffffff, 0x7fffffff7fffffff }, { 0x8000000080000000, 0x8000000080000000 },
        { 0x7fffffffffffffff, 0x7fffffffffffffff }, { 0x8000000000000000, 0x8000000000000000 },
        { 0x0101010101010101, 0x0101010101010101 }, { 0x0001000100010001, 0x0001000100010001 },
    };
    struct emitter *emitter = &baseline->emitter;
    const uint8_t *pattern = (const uint8_t *)patterns[row->extra];
    struct operand a = operand_take(baseline);
    unsigned first = register_with(baseline, &a);
    struct destination to = destination_choose_any(baseline, MACHINE_V128, &a, NULL);
    if ((row->flags & VECTOR_EXCHANGED) != 0) {
        emit_vector_load_constant(emitter, SCRATCH_A, pattern);
        emit_vector_registers(emitter, row->vex, to.reg, SCRATCH_A, first);
    } else {
        emit_vector_constant(emitter, row->vex, to.reg, first, pattern, 0);
    }
    destination_finish(baseline, MACHINE_V128, &to, &a, NULL);
}

/* Lanes of a byte have no shift of their own: words are shifted and what came from the neighbour is
 * cut off. */
static void shift_bytes(struct baseline *baseline, unsigned opcode, unsigned to, unsigned from,
                        unsigned count)
{
    enum {
        LEFT = 6,
        RIGHT = 2
    };
    static const struct vex shift = { 1, 1, 0x71, false }, subtract = { 1, 1, 0xf8, false };
    struct emitter *emitter = &baseline->emitter;
    bool is_left = opcode == VECTOR_I8X16_SHL;
    uint8_t bytes[VECTOR_SIZE];
    emit_vector_extended(emitter, shift, is_left ? LEFT : RIGHT, to, from);
    emit_byte(emitter, (uint8_t)count);
    memset(bytes, is_left ? 0xff << count & 0xff : 0xff >> count, sizeof(bytes));
    const uint8_t *mask = vector_constant(baseline, bytes);
    if (mask == NULL)
        return;
    emit_vector_constant(emitter, pand, to, to, mask, 0);
    if (opcode != VECTOR_I8X16_SHR_S)
        return;
    memset(bytes, 0x80 >> count, sizeof(bytes));
    const uint8_t *sign = vector_constant(baseline, bytes);
    if (sign == NULL)
        return;
    emit_vector_load_constant(emitter, SCRATCH_A, sign);
    emit_vector_registers(emitter, pxor, to, to, SCRATCH_A);
    emit_vector_registers(emitter, subtract, to, to, SCRATCH_A);
}

/* By an i32, modulo the width of a lane. */
static void compile_shift(struct baseline *baseline, const struct vector_row *row, unsigned opcode)
{
    struct emitter *emitter = &baseline->emitter;
    struct operand count = operand_take(baseline);
    struct operand a = operand_take(baseline);
    unsigned mask = opcode <= VECTOR_I8X16_SHR_U   ? 7
                    : opcode <= VECTOR_I16X8_SHR_U ? 15
                    : opcode <= VECTOR_I32X4_SHR_U ? 31
                                                   : 63;
    unsigned first = register_with(baseline, &a);
    struct destination to = destination_choose_any(baseline, MACHINE_V128, &a, NULL);
    if (count.place == PLACE_CONSTANT && mask == 7) {
        shift_bytes(baseline, opcode, to.reg, first, (unsigned)count.bits & mask);
    } else if (count.place == PLACE_CONSTANT) {
        struct vex vex = { 1, 1, row->extra, false };
        emit_vector_extended(emitter, vex, row->extension, to.reg, first);
        emit_byte(emitter, (uint8_t)(count.bits & mask));
    } else {
        operand_to_scratch(baseline, &count);
        emit_vector_count(emitter, (uint8_t)mask);
        emit_vector_registers(emitter, row->vex, to.reg, first, SCRATCH_A);
    }
    destination_finish(baseline, MACHINE_V128, &to, &a, NULL);
}

static void emit_found_stencil(struct baseline *baseline, unsigned opcode, unsigned a, unsigned b)
{
    struct vector_stencil stencil;
    bool found = vector_stencil_find(opcode, a, b, &stencil);
    ASSERT(found);
    emit_vector_stencil(&baseline->emitter, &stencil);
}

/* All operands in stack registers; the result is where the first one was. */
static void compile_by_stencil(struct baseline *baseline, const struct vector_row *row,
                               unsigned opcode)
{
    struct operand b = { .place = PLACE_CONSTANT, .type = MACHINE_V128 };
    bool has_b = row->shape != SHAPE_VECTOR_STENCIL_1;
    if (has_b)
        b = operand_take(baseline);
    struct operand a = operand_take(baseline);
    operand_to_stack_register(baseline, &a);
    if (has_b) {
        operand_to_stack_register(baseline, &b);
    } else if (opcode == VECTOR_I8X16_POPCNT) { /* needs one register more */
        b.place = PLACE_REGISTER;
        b.reg = (uint8_t)register_take(baseline, true);
        has_b = true;
    }
    emit_found_stencil(baseline, opcode, a.reg - FLOAT_BASE,
                       !has_b                ? 0
                       : b.reg >= FLOAT_BASE ? b.reg - FLOAT_BASE
                                             : b.reg);
    emit_canonical(baseline, row, a.reg);
    operand_release(baseline, &b);
    operand_push_register(baseline, MACHINE_V128, a.reg);
}

static void compile_bitselect(struct baseline *baseline)
{
    struct emitter *emitter = &baseline->emitter;
    struct operand mask = operand_take(baseline);
    struct operand b = operand_take(baseline);
    struct operand a = operand_take(baseline);
    unsigned select = register_with(baseline, &mask);
    if (a.place == PLACE_CONSTANT && a.bits == 0)
        operand_to_register(baseline, &a);
    if (b.place == PLACE_CONSTANT && b.bits == 0)
        operand_to_register(baseline, &b);
    struct destination to = destination_choose_any(baseline, MACHINE_V128, &a, &b);
    emit_with(baseline, pandn, SCRATCH_A, select, &b, 0);
    emit_with(baseline, pand, to.reg, select, &a, 0);
    emit_vector_registers(emitter, por, to.reg, to.reg, SCRATCH_A);
    if (mask.place != PLACE_REGISTER || mask.reg != to.reg)
        operand_release(baseline, &mask);
    destination_finish(baseline, MACHINE_V128, &to, &a, &b);
}

static void compile_not(struct baseline *baseline)
{
    struct operand a = operand_take(baseline);
    struct destination to = destination_choose_any(baseline, MACHINE_V128, &a, NULL);
    emit_vector_registers(&baseline->emitter, pcmpeqd, SCRATCH_A, SCRATCH_A, SCRATCH_A);
    emit_with(baseline, pxor, to.reg, SCRATCH_A, &a, 0);
    destination_finish(baseline, MACHINE_V128, &to, &a, NULL);
}

/* Indices beyond 15 choose zero: pshufb does so for those with the highest bit. */
static void compile_swizzle(struct baseline *baseline)
{
    static const struct vex paddusb = { 1, 1, 0xdc, false }, pshufb = { 2, 1, 0, false };
    static const uint64_t beyond[2] = { 0x7070707070707070, 0x7070707070707070 };
    struct emitter *emitter = &baseline->emitter;
    struct operand indices = operand_take(baseline);
    struct operand a = operand_take(baseline);
    unsigned first = register_with(baseline, &a), second = register_with(baseline, &indices);
    struct destination to = destination_choose_any(baseline, MACHINE_V128, &a, &indices);
    emit_vector_constant(emitter, paddusb, SCRATCH_A, second, (const uint8_t *)beyond, 0);
    emit_vector_registers(emitter, pshufb, to.reg, first, SCRATCH_A);
    destination_finish(baseline, MACHINE_V128, &to, &a, &indices);
}

static void skip_immediates(struct baseline *baseline, unsigned opcode)
{
    struct scan *scan = &baseline->scan;
    switch ((enum opcode_kind)vector_instructions[opcode].kind) {
    case OPCODE_ABSENT:
    case OPCODE_PLAIN:
        return;
    case OPCODE_ACCESS_LANE:
    case OPCODE_ACCESS:
        scan_u32(scan);
        scan_u32(scan);
        if (vector_instructions[opcode].kind == OPCODE_ACCESS)
            return;
        scan_u8(scan);
        return;
    case OPCODE_LANE:
        scan_u8(scan);
        return;
    case OPCODE_SPECIAL:
        scan_bytes(scan, VECTOR_SIZE);
        return;
    }
}

/* Instructions without a row. */
static void compile_own(struct baseline *baseline, unsigned opcode)
{
    switch (opcode) {
    case VECTOR_V128_STORE:
        compile_vector_store(baseline);
        return;
    case VECTOR_V128_CONST:
        push_vector_constant(baseline, scan_bytes(&baseline->scan, VECTOR_SIZE).data);
        return;
    case VECTOR_I8X16_SHUFFLE:
        compile_shuffle(baseline);
        return;
    case VECTOR_I8X16_SWIZZLE:
        compile_swizzle(baseline);
        return;
    case VECTOR_F32X4_SPLAT:
    case VECTOR_F64X2_SPLAT:
        compile_float_splat(baseline, opcode == VECTOR_F64X2_SPLAT);
        return;
    case VECTOR_F32X4_EXTRACT_LANE:
    case VECTOR_F64X2_EXTRACT_LANE:
        compile_float_extract(baseline, opcode == VECTOR_F64X2_EXTRACT_LANE);
        return;
    case VECTOR_F32X4_REPLACE_LANE:
    case VECTOR_F64X2_REPLACE_LANE:
        compile_float_replace(baseline, opcode == VECTOR_F64X2_REPLACE_LANE);
        return;
    case VECTOR_V128_NOT:
        compile_not(baseline);
        return;
    case VECTOR_V128_BITSELECT:
        compile_bitselect(baseline);
        return;
    case VECTOR_V128_ANY_TRUE:
        compile_test(baseline, opcode);
        return;
    case VECTOR_I16X8_BITMASK:
        compile_mask(baseline, NULL, opcode);
        return;
    default:
        UNREACHABLE("a vector instruction without a rule");
    }
}

void compile_vector(struct baseline *baseline)
{
    unsigned opcode = scan_u32(&baseline->scan);
    if (baseline->is_reachable)
        compile_vector_instruction(baseline, opcode);
    else
        skip_immediates(baseline, opcode);
}

void compile_vector_instruction(struct baseline *baseline, unsigned opcode)
{
    const struct vector_row *row = &vector_rows[opcode];
    switch ((enum vector_shape)row->shape) {
    case SHAPE_VECTOR_NONE:
        compile_own(baseline, opcode);
        return;
    case SHAPE_VECTOR_BINARY:
        compile_binary(baseline, row);
        return;
    case SHAPE_VECTOR_EXTREME:
        compile_extreme(baseline, row);
        return;
    case SHAPE_VECTOR_UNARY:
    case SHAPE_VECTOR_HIGH:
    case SHAPE_VECTOR_NEGATE:
        compile_unary(baseline, row);
        return;
    case SHAPE_VECTOR_PATTERN:
        compile_pattern(baseline, row);
        return;
    case SHAPE_VECTOR_SHIFT:
        compile_shift(baseline, row, opcode);
        return;
    case SHAPE_VECTOR_STENCIL_SHIFT:
        if (opcode <= VECTOR_I8X16_SHR_U && operand_top(baseline)->place == PLACE_CONSTANT) {
            compile_shift(baseline, row, opcode);
            return;
        }
        compile_by_stencil(baseline, row, opcode);
        return;
    case SHAPE_VECTOR_STENCIL_1:
    case SHAPE_VECTOR_STENCIL_2:
        compile_by_stencil(baseline, row, opcode);
        return;
    case SHAPE_VECTOR_LOAD:
        compile_vector_load(baseline, row);
        return;
    case SHAPE_VECTOR_LOAD_LANE:
    case SHAPE_VECTOR_STORE_LANE:
        compile_lane_access(baseline, row);
        return;
    case SHAPE_VECTOR_SPLAT:
        compile_splat(baseline, row);
        return;
    case SHAPE_VECTOR_EXTRACT:
        compile_extract(baseline, row);
        return;
    case SHAPE_VECTOR_REPLACE:
        compile_replace(baseline, row);
        return;
    case SHAPE_VECTOR_MASK:
        compile_mask(baseline, row, opcode);
        return;
    case SHAPE_VECTOR_ALL_TRUE:
        compile_test(baseline, opcode);
        return;
    }
}
