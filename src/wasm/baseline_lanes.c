/* SPDX-License-Identifier: Apache-2.0 */
/* Vector instructions that meet memory, lanes and integers. */
#include "wasm/baseline_vector.h"
#include "wasm/opcodes.h"

#include <string.h>

enum {
    VECTOR_SIZE = 16,
    SCRATCH_A = REGISTER_XMM8,
    PEXTR_WIDE = 0x16,
};

static const struct vex pxor = { 1, 1, 0xef, false }, pshufd = { 1, 1, 0x70, false },
                        movd = { 1, 1, 0x6e, false }, movd_out = { 1, 1, 0x7e, false },
                        ptest = { 2, 1, 0x17, false }, pmovmskb = { 1, 1, 0xd7, false },
                        packsswb = { 1, 1, 0x63, false };

const uint8_t *vector_constant(struct baseline *baseline, const void *bytes)
{
    uint8_t *copy = arena_take(baseline->emitter.arena, VECTOR_SIZE);
    if (copy == NULL)
        baseline->emitter.failed = true;
    else
        memcpy(copy, bytes, VECTOR_SIZE);
    return copy;
}

/* The address of an access in a register, or none when the displacement says it all. */
static unsigned address_of(struct baseline *baseline, struct operand *address, int32_t *near)
{
    scan_u32(&baseline->scan); /* alignment */
    uint32_t offset = scan_u32(&baseline->scan);
    *address = operand_take(baseline);
    *near = near_offset(baseline, address, offset);
    return address->place == PLACE_CONSTANT ? REGISTER_NONE : register_with(baseline, address);
}

void compile_vector_load(struct baseline *baseline, const struct vector_row *row)
{
    struct operand address;
    int32_t near;
    unsigned index = address_of(baseline, &address, &near);
    struct destination to = destination_choose_any(baseline, MACHINE_V128, &address, NULL);
    emit_trap_point(&baseline->emitter);
    emit_vector_memory(&baseline->emitter, row->vex, to.reg, REGISTER_NONE, index, near);
    destination_finish(baseline, MACHINE_V128, &to, &address, NULL);
}

void compile_vector_store(struct baseline *baseline)
{
    static const struct vex movups = { 1, 0, 0x11, false };
    struct operand value = operand_take(baseline), address;
    int32_t near;
    unsigned index = address_of(baseline, &address, &near);
    unsigned from = register_with(baseline, &value);
    emit_trap_point(&baseline->emitter);
    emit_vector_memory(&baseline->emitter, movups, from, REGISTER_NONE, index, near);
    operand_release(baseline, &value);
    operand_release(baseline, &address);
}

void compile_lane_access(struct baseline *baseline, const struct vector_row *row)
{
    struct operand a = operand_take(baseline), address;
    int32_t near;
    unsigned index = address_of(baseline, &address, &near);
    uint8_t lane = scan_u8(&baseline->scan);
    unsigned first = register_with(baseline, &a);
    bool is_store = row->shape == SHAPE_VECTOR_STORE_LANE;
    struct destination to = { 0 };
    if (!is_store)
        to = destination_choose_any(baseline, MACHINE_V128, &a, NULL);
    emit_trap_point(&baseline->emitter);
    emit_vector_memory(&baseline->emitter, row->vex, is_store ? first : to.reg,
                       is_store ? REGISTER_NONE : first, index, near);
    emit_byte(&baseline->emitter, lane);
    operand_release(baseline, &address);
    if (is_store)
        operand_release(baseline, &a);
    else
        destination_finish(baseline, MACHINE_V128, &to, &a, NULL);
}

void push_vector_constant(struct baseline *baseline, const uint8_t *bytes)
{
    static const uint8_t zeros[VECTOR_SIZE];
    bool is_zero = bytes == NULL || memcmp(bytes, zeros, VECTOR_SIZE) == 0;
    operand_push_constant(baseline, MACHINE_V128, is_zero ? 0 : (uint64_t)(uintptr_t)bytes);
}

/* `width` bytes of a constant in every lane. */
static void splat_constant(struct baseline *baseline, uint64_t bits, unsigned width)
{
    uint8_t bytes[VECTOR_SIZE];
    for (unsigned at = 0; at < VECTOR_SIZE; at += width)
        memcpy(bytes + at, &bits, width);
    push_vector_constant(baseline, vector_constant(baseline, bytes));
}

void compile_splat(struct baseline *baseline, const struct vector_row *row)
{
    struct emitter *emitter = &baseline->emitter;
    struct operand a = operand_take(baseline);
    if (a.place == PLACE_CONSTANT) {
        splat_constant(baseline, a.bits, row->extra);
        return;
    }
    bool is_pinned = a.place == PLACE_LOCAL && baseline->locals[a.index].pin != REGISTER_NONE;
    struct destination to = destination_choose_any(baseline, MACHINE_V128, &a, NULL);
    if (a.place == PLACE_REGISTER || is_pinned) {
        struct vex move = movd;
        move.is_wide = a.type == MACHINE_I64;
        emit_vector_registers(emitter, move, to.reg, REGISTER_NONE, register_with(baseline, &a));
        emit_vector_registers(emitter, row->vex, to.reg, REGISTER_NONE, to.reg);
    } else {
        emit_with(baseline, row->vex, to.reg, REGISTER_NONE, &a, 0);
    }
    destination_finish(baseline, MACHINE_V128, &to, &a, NULL);
}

void compile_float_splat(struct baseline *baseline, bool is_wide)
{
    static const struct vex movddup = { 1, 3, 0x12, false }, broadcast = { 2, 1, 0x18, false };
    struct operand a = operand_take(baseline);
    if (a.place == PLACE_CONSTANT) {
        splat_constant(baseline, a.bits, is_wide ? 8 : 4);
        return;
    }
    struct destination to = destination_choose_any(baseline, MACHINE_V128, &a, NULL);
    emit_with(baseline, is_wide ? movddup : broadcast, to.reg, REGISTER_NONE, &a, 0);
    destination_finish(baseline, MACHINE_V128, &to, &a, NULL);
}

void compile_extract(struct baseline *baseline, const struct vector_row *row)
{
    struct emitter *emitter = &baseline->emitter;
    uint8_t lane = scan_u8(&baseline->scan);
    struct operand a = operand_take(baseline);
    unsigned from = register_with(baseline, &a);
    enum machine_type type = row->vex.is_wide ? MACHINE_I64 : MACHINE_I32;
    struct destination to = destination_choose_any(baseline, type, &a, NULL);
    if (lane == 0 && row->vex.opcode == PEXTR_WIDE) {
        struct vex move = movd_out;
        move.is_wide = row->vex.is_wide;
        emit_vector_registers(emitter, move, from, REGISTER_NONE, to.reg);
    } else {
        emit_vector_registers(emitter, row->vex, from, REGISTER_NONE, to.reg);
        emit_byte(emitter, lane);
    }
    if (row->extra != 0)
        emit_sign_extend(emitter, row->extra, to.reg);
    destination_finish(baseline, type, &to, &a, NULL);
}

void compile_float_extract(struct baseline *baseline, bool is_wide)
{
    static const struct vex unpack = { 1, 1, 0x15, false };
    struct emitter *emitter = &baseline->emitter;
    uint8_t lane = scan_u8(&baseline->scan);
    struct operand a = operand_take(baseline);
    enum machine_type type = is_wide ? MACHINE_F64 : MACHINE_F32;
    unsigned from = register_with(baseline, &a);
    struct destination to = destination_choose_any(baseline, type, &a, NULL);
    if (lane == 0) {
        emit_move(emitter, type, to.reg, from);
    } else if (is_wide) {
        emit_vector_registers(emitter, unpack, to.reg, from, from);
    } else {
        emit_vector_registers(emitter, pshufd, to.reg, REGISTER_NONE, from);
        emit_byte(emitter, lane);
    }
    destination_finish(baseline, type, &to, &a, NULL);
}

void compile_replace(struct baseline *baseline, const struct vector_row *row)
{
    uint8_t lane = scan_u8(&baseline->scan);
    struct operand value = operand_take(baseline);
    struct operand a = operand_take(baseline);
    unsigned first = register_with(baseline, &a);
    struct destination to = destination_choose_any(baseline, MACHINE_V128, &a, NULL);
    if (value.place == PLACE_CONSTANT)
        operand_to_register(baseline, &value);
    emit_with(baseline, row->vex, to.reg, first, &value, 1);
    emit_byte(&baseline->emitter, lane);
    destination_finish(baseline, MACHINE_V128, &to, &a, &value);
}

void compile_float_replace(struct baseline *baseline, bool is_wide)
{
    static const struct vex insert = { 3, 1, 0x21, false }, move = { 1, 3, 0x10, false },
                            unpack = { 1, 1, 0x14, false };
    struct emitter *emitter = &baseline->emitter;
    uint8_t lane = scan_u8(&baseline->scan);
    struct operand value = operand_take(baseline);
    struct operand a = operand_take(baseline);
    unsigned first = register_with(baseline, &a), second = register_with(baseline, &value);
    struct destination to = destination_choose_any(baseline, MACHINE_V128, &a, NULL);
    emit_vector_registers(emitter,
                          !is_wide    ? insert
                          : lane == 0 ? move
                                      : unpack,
                          to.reg, first, second);
    if (!is_wide)
        emit_byte(emitter, (uint8_t)(lane << 4));
    destination_finish(baseline, MACHINE_V128, &to, &a, &value);
}

void compile_mask(struct baseline *baseline, const struct vector_row *row, unsigned opcode)
{
    struct emitter *emitter = &baseline->emitter;
    struct operand a = operand_take(baseline);
    unsigned from = register_with(baseline, &a);
    struct destination to = destination_choose_any(baseline, MACHINE_I32, &a, NULL);
    if (opcode == VECTOR_I16X8_BITMASK) {
        emit_vector_registers(emitter, pxor, SCRATCH_A, SCRATCH_A, SCRATCH_A);
        emit_vector_registers(emitter, packsswb, SCRATCH_A, from, SCRATCH_A);
        emit_vector_registers(emitter, pmovmskb, to.reg, REGISTER_NONE, SCRATCH_A);
    } else {
        emit_vector_registers(emitter, row->vex, to.reg, REGISTER_NONE, from);
    }
    destination_finish(baseline, MACHINE_I32, &to, &a, NULL);
}

/* any_true: some bit is set; all_true: no lane equals zero.  Returns the condition under which it
 * holds. */
static unsigned emit_test(struct baseline *baseline, unsigned opcode, unsigned from)
{
    enum {
        ZERO = 4,
        NOT_ZERO = 5
    };
    struct emitter *emitter = &baseline->emitter;
    bool is_any = opcode == VECTOR_V128_ANY_TRUE;
    if (!is_any) {
        emit_vector_registers(emitter, pxor, SCRATCH_A, SCRATCH_A, SCRATCH_A);
        emit_vector_registers(emitter, vector_rows[opcode].vex, SCRATCH_A, SCRATCH_A, from);
        from = SCRATCH_A;
    }
    emit_vector_registers(emitter, ptest, from, REGISTER_NONE, from);
    return is_any ? NOT_ZERO : ZERO;
}

void emit_vector_branch(struct baseline *baseline, unsigned branch, struct operand *a,
                        struct target target)
{
    unsigned from = register_with(baseline, a);
    unsigned condition = emit_test(baseline, branch / 2, from);
    emit_jump_if(&baseline->emitter, condition ^ (branch & 1), target);
}

void compile_test(struct baseline *baseline, unsigned opcode)
{
    struct operand a = operand_take(baseline);
    if (compile_fused(baseline, vector_branch(opcode, false), vector_branch(opcode, true), &a,
                      NULL))
        return;
    unsigned from = register_with(baseline, &a);
    struct destination to = destination_choose_any(baseline, MACHINE_I32, &a, NULL);
    unsigned condition = emit_test(baseline, opcode, from);
    emit_condition(&baseline->emitter, condition, to.reg);
    destination_finish(baseline, MACHINE_I32, &to, &a, NULL);
}
