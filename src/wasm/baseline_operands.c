/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/baseline_state.h"

#include <string.h>

void operand_push_constant(struct baseline *baseline, enum machine_type type, uint64_t bits)
{
    operand_push(baseline,
                 (struct operand){ .place = PLACE_CONSTANT, .type = (uint8_t)type, .bits = bits });
}

void operand_push_register(struct baseline *baseline, enum machine_type type, unsigned reg)
{
    operand_push(
        baseline,
        (struct operand){ .place = PLACE_REGISTER, .type = (uint8_t)type, .reg = (uint8_t)reg });
}

void operand_push_slots(struct baseline *baseline, struct type_range types)
{
    if (baseline->flushed == baseline->height)
        baseline->flushed += types.count;
    for (uint32_t i = 0; i < types.count; i++) {
        operand_push(baseline, (struct operand){ .place = PLACE_SLOT,
                                                 .type = (uint8_t)machine_type_of(types.types[i]),
                                                 .index = baseline->next_slot });
    }
}

void operand_drop(struct baseline *baseline, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct operand dropped = operand_take_lazily(baseline);
        operand_release(baseline, &dropped);
    }
}

void operand_spill(struct baseline *baseline, uint32_t at)
{
    struct operand *operand = &baseline->operands[at];
    operand_store(baseline, operand, FRAME_REGISTER, slot_displacement(baseline, operand->home));
    if (operand->place == PLACE_REGISTER)
        baseline->owners[operand->reg] = 0;
    else if (operand->place == PLACE_LOCAL || operand->place == PLACE_SUM)
        locals_wait(baseline, operand, -1);
    operand->place = PLACE_SLOT;
    operand->index = operand->home;
}

/* A register for an operand that would have to go to its slot: one that no local is pinned to.
 * What a stencil takes has to come back. */
static unsigned find_spare(const struct baseline *baseline, enum machine_type type)
{
    const uint32_t integers = (1u << STENCIL_INTEGER_REGISTERS) - (1u << STENCIL_STACK_REGISTERS);
    const uint32_t floats = (uint32_t)(0x10000 - (1u << STENCIL_STACK_REGISTERS)) << FLOAT_BASE &
                            ~(3u << REGISTER_XMM8);
    uint32_t free = (is_float(type) ? floats : integers) & ~baseline->pinned;
    for (; free != 0; free &= free - 1) {
        unsigned reg = (unsigned)__builtin_ctz(free);
        if (baseline->owners[reg] == 0)
            return reg;
    }
    return REGISTER_NONE;
}

/* The operand at stack index `at` into register `to`. */
static void keep_in_register(struct baseline *baseline, uint32_t at, unsigned to)
{
    struct operand *operand = &baseline->operands[at];
    operand_move(baseline, operand, to);
    if (operand->place == PLACE_REGISTER)
        baseline->owners[operand->reg] = 0;
    else if (operand->place == PLACE_LOCAL)
        baseline->locals[operand->index].lazy--;
    operand->place = PLACE_REGISTER;
    operand->reg = (uint8_t)to;
    baseline->owners[to] = at + 1;
    if (to % FLOAT_BASE >= (unsigned)STENCIL_STACK_REGISTERS)
        baseline->borrowed |= 1u << to;
}

/* Whoever is in the register leaves it. */
static void evict(struct baseline *baseline, unsigned reg)
{
    uint32_t at = baseline->owners[reg] - 1;
    unsigned spare = find_spare(baseline, baseline->operands[at].type);
    if (spare == REGISTER_NONE)
        operand_spill(baseline, at);
    else
        keep_in_register(baseline, at, spare);
}

unsigned register_take(struct baseline *baseline, bool is_for_float)
{
    unsigned first = is_for_float ? FLOAT_BASE : 0;
    unsigned oldest = first;
    for (unsigned reg = first; reg < first + STENCIL_STACK_REGISTERS; reg++) {
        if (baseline->owners[reg] == 0) {
            baseline->owners[reg] = OWNER_BUSY;
            return reg;
        }
        if (baseline->owners[reg] < baseline->owners[oldest])
            oldest = reg;
    }
    ASSERT(baseline->owners[oldest] != OWNER_BUSY);
    evict(baseline, oldest);
    baseline->owners[oldest] = OWNER_BUSY;
    return oldest;
}

void register_claim(struct baseline *baseline, unsigned reg)
{
    if (baseline->owners[reg] != 0 && baseline->owners[reg] != OWNER_BUSY)
        evict(baseline, reg);
    baseline->owners[reg] = OWNER_BUSY;
}

/* The register of a sum's part, holding the local's value. */
static unsigned part_register(struct baseline *baseline, uint32_t local)
{
    if (local == LOCAL_NONE)
        return REGISTER_NONE;
    pin_validate(baseline, baseline->locals[local].pin);
    return baseline->locals[local].pin;
}

static void sum_move(struct baseline *baseline, const struct operand *sum, unsigned to)
{
    unsigned base = part_register(baseline, sum->index);
    unsigned second = part_register(baseline, sum->second);
    emit_sum(&baseline->emitter, sum->type == MACHINE_I64, to, base, second, sum->shift,
             (int32_t)(uint32_t)sum->bits);
}

void operand_move(struct baseline *baseline, const struct operand *operand, unsigned to)
{
    struct emitter *emitter = &baseline->emitter;
    enum machine_type type = operand->type;
    if (operand->place == PLACE_REGISTER) {
        emit_move(emitter, type, to, operand->reg);
    } else if (operand->place == PLACE_CONSTANT) {
        emit_constant(emitter, type, to, operand->bits);
    } else if (operand->place == PLACE_SLOT) {
        emit_load(emitter, type, to, FRAME_REGISTER, slot_displacement(baseline, operand->index));
    } else if (operand->place == PLACE_SUM) {
        sum_move(baseline, operand, to);
    } else {
        const struct local *local = &baseline->locals[operand->index];
        unsigned pin = local->pin;
        if (pin != REGISTER_NONE && (baseline->pins.valid & 1u << pin) != 0)
            emit_move(emitter, type, to, pin);
        else
            emit_load(emitter, type, to, FRAME_REGISTER, slot_displacement(baseline, local->slot));
    }
}

void operand_to_register(struct baseline *baseline, struct operand *operand)
{
    if (operand->place == PLACE_REGISTER)
        return;
    unsigned reg = register_take(baseline, is_float(operand->type));
    operand_move(baseline, operand, reg);
    operand->place = PLACE_REGISTER;
    operand->reg = (uint8_t)reg;
}

void operand_to_stack_register(struct baseline *baseline, struct operand *operand)
{
    if (operand->place == PLACE_REGISTER &&
        operand->reg % FLOAT_BASE < (unsigned)STENCIL_STACK_REGISTERS)
        return;
    unsigned reg = register_take(baseline, is_float(operand->type));
    operand_move(baseline, operand, reg);
    operand_release(baseline, operand);
    operand->place = PLACE_REGISTER;
    operand->reg = (uint8_t)reg;
}

void operand_to_scratch(struct baseline *baseline, struct operand *operand)
{
    struct emitter *emitter = &baseline->emitter;
    if (operand->place == PLACE_CONSTANT) {
        emit_scratch_constant(emitter, (uint32_t)operand->bits);
        return;
    }
    unsigned reg = operand->reg;
    if (operand->place == PLACE_LOCAL) {
        reg = baseline->locals[operand->index].pin;
        if (reg != REGISTER_NONE)
            pin_validate(baseline, reg);
    }
    if (operand->place == PLACE_SLOT || reg == REGISTER_NONE)
        emit_scratch_load(emitter, operand_displacement(baseline, operand));
    else
        emit_scratch_move(emitter, reg);
    operand_release(baseline, operand);
}

/* What is in no register, by way of a scratch one. */
static void store_from_memory(struct baseline *baseline, const struct operand *operand,
                              unsigned base, int32_t displacement)
{
    struct emitter *emitter = &baseline->emitter;
    if (operand->type != MACHINE_V128) {
        emit_copy(emitter, base, displacement, operand_displacement(baseline, operand));
        return;
    }
    operand_move(baseline, operand, REGISTER_XMM8);
    emit_store(emitter, MACHINE_V128, REGISTER_XMM8, base, displacement);
}

void operand_store(struct baseline *baseline, const struct operand *operand, unsigned base,
                   int32_t displacement)
{
    struct emitter *emitter = &baseline->emitter;
    unsigned from = operand->place == PLACE_REGISTER ? operand->reg : REGISTER_NONE;
    if (operand->place == PLACE_CONSTANT && operand->type != MACHINE_V128) {
        emit_store_constant(emitter, base, displacement, operand->bits);
        return;
    }
    if (operand->place == PLACE_SUM) {
        sum_move(baseline, operand, REGISTER_NONE);
        emit_scratch_store(emitter, base, displacement);
        return;
    }
    if (operand->place == PLACE_LOCAL) {
        from = baseline->locals[operand->index].pin;
        if (from != REGISTER_NONE)
            pin_validate(baseline, from);
    }
    if (from == REGISTER_NONE)
        store_from_memory(baseline, operand, base, displacement);
    else
        emit_store(emitter, operand->type, from, base, displacement);
}

void operands_flush(struct baseline *baseline)
{
    for (uint32_t i = baseline->flushed; i < baseline->height; i++) {
        if (baseline->operands[i].place != PLACE_SLOT &&
            baseline->operands[i].place != PLACE_CONSTANT)
            operand_spill(baseline, i);
    }
    baseline->flushed = baseline->height;
}

void operands_to_slots(struct baseline *baseline, uint32_t count)
{
    for (uint32_t i = baseline->height - count; i < baseline->height; i++) {
        if (baseline->operands[i].place != PLACE_SLOT)
            operand_spill(baseline, i);
    }
}

static void spill_owner(struct baseline *baseline, unsigned reg)
{
    if (baseline->owners[reg] != 0 && baseline->owners[reg] != OWNER_BUSY)
        operand_spill(baseline, baseline->owners[reg] - 1);
}

void registers_spill(struct baseline *baseline)
{
    for (unsigned reg = 0; reg < STENCIL_STACK_REGISTERS; reg++) {
        spill_owner(baseline, reg);
        spill_owner(baseline, FLOAT_BASE + reg);
    }
    for (uint32_t rest = baseline->borrowed; rest != 0; rest &= rest - 1) {
        unsigned reg = (unsigned)__builtin_ctz(rest);
        spill_owner(baseline, reg);
        if (baseline->owners[reg] == 0)
            baseline->borrowed &= ~(1u << reg);
    }
}

/* The value of a local, which is about to change, stays what it is for the operand at `at`. */
static void preserve(struct baseline *baseline, uint32_t at)
{
    const struct local *local = &baseline->locals[baseline->operands[at].index];
    bool is_valid = local->pin != REGISTER_NONE && (baseline->pins.valid & 1u << local->pin) != 0;
    unsigned spare = REGISTER_NONE;
    unsigned first = is_float(local->type) ? FLOAT_BASE : 0;
    if (is_valid && local->type == MACHINE_V128)
        spare = find_spare(baseline, MACHINE_V128);
    for (unsigned i = 0; i < STENCIL_STACK_REGISTERS && is_valid && spare == REGISTER_NONE; i++) {
        if (baseline->owners[first + i] == 0)
            spare = first + i;
    }
    if (is_valid && spare == REGISTER_NONE)
        spare = find_spare(baseline, local->type);
    if (spare == REGISTER_NONE)
        operand_spill(baseline, at);
    else
        keep_in_register(baseline, at, spare);
}

static bool is_waiting_for(const struct operand *operand, uint32_t local)
{
    if (operand->place == PLACE_LOCAL)
        return operand->index == local;
    return operand->place == PLACE_SUM && (operand->index == local || operand->second == local);
}

/* The same for any lazy operand; a sum is added up. */
static void operand_keep(struct baseline *baseline, uint32_t at)
{
    struct operand *operand = &baseline->operands[at];
    if (operand->place == PLACE_LOCAL) {
        preserve(baseline, at);
        return;
    }
    for (unsigned reg = 0; reg < STENCIL_STACK_REGISTERS; reg++) {
        if (baseline->owners[reg] != 0)
            continue;
        operand_move(baseline, operand, reg);
        locals_wait(baseline, operand, -1);
        operand->place = PLACE_REGISTER;
        operand->reg = (uint8_t)reg;
        baseline->owners[reg] = at + 1;
        return;
    }
    operand_spill(baseline, at);
}

void local_preserve(struct baseline *baseline, uint32_t index)
{
    enum {
        SCAN_MAX = 32 /* beyond it everything is flushed, so that no operand is looked at twice */
    };
    struct local *local = &baseline->locals[index];
    for (uint32_t i = baseline->height; local->lazy > 0; i--) {
        ASSERT(i > baseline->flushed);
        if (baseline->height - i == SCAN_MAX) {
            operands_flush(baseline);
            return;
        }
        if (is_waiting_for(&baseline->operands[i - 1], index))
            operand_keep(baseline, i - 1);
    }
}

void local_assign(struct baseline *baseline, uint32_t index, const struct operand *operand)
{
    const struct local *local = &baseline->locals[index];
    if (local->pin == REGISTER_NONE) {
        operand_store(baseline, operand, FRAME_REGISTER, slot_displacement(baseline, local->slot));
        return;
    }
    operand_move(baseline, operand, local->pin);
    baseline->pins.valid |= 1u << local->pin;
    baseline->pins.dirty |= 1u << local->pin;
}

void pin_validate(struct baseline *baseline, unsigned reg)
{
    if ((baseline->pins.valid & 1u << reg) != 0)
        return;
    uint32_t local = baseline->pin_locals[reg];
    emit_load(&baseline->emitter, baseline->locals[local].type, reg, FRAME_REGISTER,
              slot_displacement(baseline, baseline->locals[local].slot));
    baseline->pins.valid |= 1u << reg;
}

void pins_load(struct baseline *baseline, uint32_t registers)
{
    registers &= ~baseline->pins.valid;
    for (; registers != 0; registers &= registers - 1)
        pin_validate(baseline, (unsigned)__builtin_ctz(registers));
}

/* Nothing can read the local any more: it is used nowhere behind, and no jump leads back to before
 * the outermost loop around. */
static bool is_dead(const struct baseline *baseline, uint32_t local)
{
    if (baseline->depth == 0 || baseline->locals[local].lazy != 0)
        return false;
    uint32_t start = baseline->labels[baseline->depth - 1].loop_start;
    uint32_t from = start != 0 ? start : baseline->emitter.wasm_offset;
    return baseline->facts->local_lasts[local] < from;
}

void pins_store(struct baseline *baseline, uint32_t registers)
{
    registers &= baseline->pins.dirty;
    baseline->pins.dirty &= ~registers;
    for (; registers != 0; registers &= registers - 1) {
        unsigned reg = (unsigned)__builtin_ctz(registers);
        uint32_t local = baseline->pin_locals[reg];
        if (is_dead(baseline, local))
            continue;
        emit_store(&baseline->emitter, baseline->locals[local].type, reg, FRAME_REGISTER,
                   slot_displacement(baseline, baseline->locals[local].slot));
    }
}
