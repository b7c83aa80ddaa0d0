/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/baseline_state.h"
#include "wasm/opcodes.h"

#include <string.h>

static struct label *label_at(struct baseline *baseline, uint32_t depth)
{
    return &baseline->labels[baseline->depth - 1 - depth];
}

static bool is_function(const struct baseline *baseline, const struct label *label)
{
    return label == baseline->labels;
}

/* What a jump to the label carries. */
static struct type_range carried(const struct label *label)
{
    return label->opcode == OPCODE_LOOP ? label->parameters : label->results;
}

static bool is_in_register(const struct label *label)
{
    return label->opcode != OPCODE_LOOP && label->results.count == 1;
}

/* Where the operands that a jump carries stand at the label. */
static uint32_t label_slot(const struct baseline *baseline, const struct label *label)
{
    return is_function(baseline, label) ? 0 : label->slot;
}

static struct target target_of(struct label *label)
{
    if (label->opcode == OPCODE_LOOP)
        return (struct target){ .address = label->address };
    label->has_jumps = true;
    return (struct target){ .chain = &label->chain };
}

bool label_push(struct baseline *baseline, uint8_t opcode, struct type_range parameters,
                struct type_range results)
{
    ASSERT(baseline->depth < baseline->label_capacity);
    uint32_t slots = baseline->is_reachable ? slots_of_range(parameters) : 0;
    baseline->labels[baseline->depth] = (struct label){
        .opcode = opcode,
        .parameters = parameters,
        .results = results,
        .is_skipped = !baseline->is_reachable,
        .height = baseline->height - (baseline->is_reachable ? parameters.count : 0),
        .slot = baseline->next_slot - slots,
        .loop_start = baseline->depth == 0 ? 0 : baseline->labels[baseline->depth - 1].loop_start,
        .wanted = baseline->depth == 0 ? 0 : baseline->labels[baseline->depth - 1].wanted,
    };
    struct label *label = &baseline->labels[baseline->depth++];
    if (opcode == OPCODE_LOOP && label->loop_start == 0)
        label->loop_start = baseline->emitter.wasm_offset;
    return true;
}

/* Brings the pinned locals into a state that is right for the label too: what some jump left only
 * in its register must be there, what some jump left only in its slot must be stored. */
static void pins_agree(struct baseline *baseline, struct label *label)
{
    if (is_function(baseline, label))
        return;
    if (label->opcode == OPCODE_LOOP) {
        pins_load(baseline, label->pins.valid);
        pins_store(baseline, ~label->pins.dirty);
        return;
    }
    if (!label->has_jumps) {
        label->pins = baseline->pins;
        return;
    }
    pins_load(baseline, label->pins.dirty | (label->pins.valid & label->wanted));
    pins_store(baseline, ~label->pins.valid);
    label->pins.valid &= baseline->pins.valid;
    label->pins.dirty |= baseline->pins.dirty;
}

void compile_dead_end(struct baseline *baseline)
{
    operand_drop(baseline, baseline->height - label_at(baseline, 0)->height);
    baseline->is_reachable = false;
}

/* Moves the top operands to where the label wants them and drops them.  Towards lower slots in
 * ascending order, so that none is overwritten before it was read. */
static void results_place(struct baseline *baseline, const struct label *label)
{
    struct type_range types = carried(label);
    if (is_in_register(label)) {
        struct operand value = operand_take(baseline);
        operand_move(baseline, &value, value_register(value.type));
        operand_release(baseline, &value);
        return;
    }
    if (is_function(baseline, label))
        operands_to_slots(baseline, types.count);
    uint32_t slot = label_slot(baseline, label);
    for (uint32_t i = 0; i < types.count; i++) {
        const struct operand *value = &baseline->operands[baseline->height - types.count + i];
        operand_store(baseline, value, FRAME_REGISTER, slot_displacement(baseline, slot));
        slot += slots_of(value->type);
    }
    operand_drop(baseline, types.count);
}

static void read_block_type(struct baseline *baseline, struct type_range *parameters,
                            struct type_range *results)
{
    enum {
        NO_TYPE = -64
    };
    const uint8_t *at = baseline->scan.at;
    int64_t number = scan_signed(&baseline->scan, 33);
    *parameters = (struct type_range){ 0 };
    *results = (struct type_range){ 0 };
    if (number >= 0) {
        const struct function_type *type = &baseline->module->types[number];
        *parameters = (struct type_range){ type->parameters, type->parameter_count };
        *results = (struct type_range){ type->results, type->result_count };
    } else if (number != NO_TYPE) {
        *results = (struct type_range){ at, 1 };
    }
}

/* An `if` whose condition fails when `branch_not` jumps. */
static void compile_if(struct baseline *baseline, unsigned branch_not, struct operand *a,
                       struct operand *b)
{
    struct type_range parameters, results;
    read_block_type(baseline, &parameters, &results);
    operands_to_slots(baseline, parameters.count);
    operands_flush(baseline);
    label_push(baseline, OPCODE_IF, parameters, results);
    struct label *label = label_at(baseline, 0);
    operation_emit(baseline, branch_not, a, b, REGISTER_NONE, 0,
                   (struct target){ .chain = &label->else_chain });
    label->else_pins = baseline->pins;
    fuel_charge(baseline);
}

/* At a loop's head, what the loop uses is valid, and what it sets may be dirty.  If calls stand in
 * it, all else is stored before, once, and what it doesn't use isn't kept for it. */
static void loop_pins(struct baseline *baseline, const struct loop_facts *facts)
{
    uint32_t used = 0, set = 0;
    for (uint32_t rest = baseline->pinned; rest != 0; rest &= rest - 1) {
        unsigned reg = (unsigned)__builtin_ctz(rest), bit = baseline->pin_locals[reg] & 63;
        used |= (uint32_t)(facts->used >> bit & 1) << reg;
        set |= (uint32_t)(facts->set >> bit & 1) << reg;
    }
    if (facts->has_calls) {
        pins_store(baseline, baseline->pinned & ~set);
        baseline->pins.valid &= used;
    }
    pins_load(baseline, used);
    baseline->pins.dirty |= set;
    struct label *label = label_at(baseline, 0);
    label->pins = baseline->pins;
    label->wanted = used;
}

void compile_block(struct baseline *baseline, uint8_t opcode)
{
    if (opcode == OPCODE_IF && baseline->is_reachable) {
        struct operand condition = operand_take(baseline);
        compile_if(baseline, STENCIL_BR_I32_EQZ, &condition, NULL);
        return;
    }
    struct type_range parameters, results;
    read_block_type(baseline, &parameters, &results);
    if (baseline->is_reachable) {
        if (opcode == OPCODE_LOOP)
            operands_to_slots(baseline, parameters.count);
        operands_flush(baseline);
    }
    label_push(baseline, opcode, parameters, results);
    const struct loop_facts *loop = &baseline->facts->loops[baseline->loop_at];
    baseline->loop_at += opcode == OPCODE_LOOP;
    if (!baseline->is_reachable && opcode != OPCODE_BLOCK)
        fuel_charge(baseline);
    if (opcode != OPCODE_LOOP || !baseline->is_reachable)
        return;
    loop_pins(baseline, loop);
    emit_align_loop(&baseline->emitter);
    struct label *label = label_at(baseline, 0);
    label->address = baseline->emitter.size;
    emit_forget_flags(&baseline->emitter);
    label->dispatch.trap = baseline->emitter.trap_count;
    label->dispatch.fixed_count = baseline->emitter.fixed_count;
    fuel_charge(baseline);
}

void compile_else(struct baseline *baseline)
{
    struct label *label = label_at(baseline, 0);
    if (label->is_skipped)
        return;
    if (baseline->is_reachable) {
        results_place(baseline, label);
        pins_agree(baseline, label);
        emit_jump(&baseline->emitter, target_of(label));
    }
    operand_drop(baseline, baseline->height - label->height);
    operand_push_slots(baseline, label->parameters);
    emit_chain_here(&baseline->emitter, &label->else_chain);
    baseline->pins = label->else_pins;
    baseline->is_reachable = true;
    label->opcode = OPCODE_ELSE;
}

void compile_end(struct baseline *baseline)
{
    struct label *label = label_at(baseline, 0);
    if (is_function(baseline, label)) {
        function_finish(baseline);
        baseline->depth = 0;
        return;
    }
    if (label->is_skipped) {
        baseline->depth--;
        return;
    }
    if (label->opcode == OPCODE_IF) {
        if (label->results.count == 0 && !label->has_jumps) {
            /* The jump around the branch is the first to this label. */
            label->pins = label->else_pins;
            label->has_jumps = true;
        } else {
            compile_else(baseline);
        }
    }
    if (label->has_jumps) {
        if (baseline->is_reachable) {
            results_place(baseline, label);
            pins_agree(baseline, label);
        }
        operand_drop(baseline, baseline->height - label->height);
        emit_chain_here(&baseline->emitter, &label->chain);
        emit_chain_here(&baseline->emitter, &label->else_chain);
        baseline->pins = label->pins;
        baseline->is_reachable = true;
        if (is_in_register(label)) {
            enum machine_type type = machine_type_of(label->results.types[0]);
            register_claim(baseline, value_register(type));
            operand_push_register(baseline, type, value_register(type));
        } else {
            operand_push_slots(baseline, label->results);
        }
    }
    baseline->depth--;
}

enum {
    DISPATCH_COMPARE = 7,       /* bytes of the comparison */
    DISPATCH_JUMP = 11,         /* of the jump through the table */
    DISPATCH_END = 6 + 11,      /* of what stands between the two and the table */
    DISPATCH_REPEATED_MAX = 64, /* bytes from the loop's head that are worth it */
};

/* The index is in r10 and below the bound: jumps. */
static void emit_dispatch(struct emitter *emitter, uint32_t table)
{
    /* lea rdx, [rip + table]; jmp [rdx + r10 * 8] */
    static const uint8_t code[DISPATCH_JUMP] = { 0x48, 0x8d, 0x15, 0,    0,   0,
                                                 0,    0x42, 0xff, 0x24, 0xd2 };
    emit_bytes(emitter, code, sizeof(code));
    emit_fix(emitter, emitter->size - (uint32_t)sizeof(code) + 3,
             (struct target){ .address = table });
}

/* A br_table follows whose bound is tested next: is it the first thing that the loop around does?
 */
static void dispatch_note(struct baseline *baseline)
{
    struct emitter *emitter = &baseline->emitter;
    uint32_t depth = baseline->depth;
    while (depth > 1 && baseline->labels[depth - 1].opcode == OPCODE_BLOCK)
        depth--;
    struct label *label = &baseline->labels[depth - 1];
    if (label->opcode != OPCODE_LOOP || label->dispatch.fixed_count != emitter->fixed_count ||
        emitter->size - label->address > DISPATCH_REPEATED_MAX || emitter->failed)
        return;
    label->dispatch.compare = emitter->size;
    label->dispatch.table = emitter->size + DISPATCH_COMPARE + DISPATCH_END;
}

static void dispatch_again(struct baseline *baseline, const struct label *label)
{
    struct emitter *emitter = &baseline->emitter;
    const struct dispatch *dispatch = &label->dispatch;
    emit_again(emitter, label->address, dispatch->compare + DISPATCH_COMPARE, dispatch->trap);
    /* Beyond the bound the first one decides. */
    emit_jump_if(emitter, 3, (struct target){ .address = dispatch->compare });
    emit_dispatch(emitter, dispatch->table);
}

void compile_branch(struct baseline *baseline, uint32_t depth)
{
    struct label *label = label_at(baseline, depth);
    if (is_function(baseline, label)) {
        compile_return(baseline);
        return;
    }
    results_place(baseline, label);
    pins_agree(baseline, label);
    if (label->opcode == OPCODE_LOOP && label->dispatch.compare != 0)
        dispatch_again(baseline, label);
    else
        emit_jump(&baseline->emitter, target_of(label));
    compile_dead_end(baseline);
}

/* The top operand into the result register, but it stays on the stack; the condition isn't there.
 */
static void result_prepare(struct baseline *baseline, struct operand *condition)
{
    unsigned reg = value_register(operand_top(baseline)->type);
    operand_to_register(baseline, condition);
    if (condition->reg == reg) {
        condition->reg = (uint8_t)register_take(baseline, false);
        emit_move(&baseline->emitter, MACHINE_I32, condition->reg, reg);
        baseline->owners[reg] = 0;
    }
    struct operand value = operand_take(baseline);
    if (value.place != PLACE_REGISTER || value.reg != reg) {
        register_claim(baseline, reg);
        operand_move(baseline, &value, reg);
        operand_release(baseline, &value);
    }
    operand_push_register(baseline, value.type, reg);
}

/* Copies operands that are in their slots to the label's; they stay on the stack. */
static void copy_to_label(struct baseline *baseline, const struct label *label)
{
    uint32_t count = slots_of_range(carried(label));
    uint32_t from = baseline->next_slot - count;
    uint32_t to = label_slot(baseline, label);
    for (uint32_t i = 0; i < count; i++)
        emit_copy(&baseline->emitter, FRAME_REGISTER, slot_displacement(baseline, to + i),
                  slot_displacement(baseline, from + i));
}

void compile_branch_if(struct baseline *baseline, uint32_t depth)
{
    struct label *label = label_at(baseline, depth);
    struct operand condition = operand_take(baseline);
    uint32_t count = carried(label).count;
    if (count > 0 && is_in_register(label)) {
        result_prepare(baseline, &condition);
    } else if (count > 0) {
        operand_to_register(baseline, &condition);
        operands_to_slots(baseline, count);
    }
    pins_agree(baseline, label);
    bool must_move =
        count > 0 && !is_in_register(label) &&
        label_slot(baseline, label) != baseline->next_slot - slots_of_range(carried(label));
    if (!must_move) {
        operation_emit(baseline, STENCIL_BR_I32_NEZ, &condition, NULL, REGISTER_NONE, 0,
                       target_of(label));
        fuel_charge(baseline);
        return;
    }
    uint32_t around = CHAIN_END;
    operation_emit(baseline, STENCIL_BR_I32_EQZ, &condition, NULL, REGISTER_NONE, 0,
                   (struct target){ .chain = &around });
    copy_to_label(baseline, label);
    emit_jump(&baseline->emitter, target_of(label));
    emit_chain_here(&baseline->emitter, &around);
    fuel_charge(baseline);
}

bool compile_fused(struct baseline *baseline, unsigned branch, unsigned branch_not,
                   struct operand *a, struct operand *b)
{
    struct scan *scan = &baseline->scan;
    const uint8_t *before = scan->at;
    while (*scan->at == OPCODE_I32_EQZ) {
        unsigned other = branch;
        branch = branch_not;
        branch_not = other;
        scan->at++;
    }
    uint8_t opcode = *scan->at;
    uint32_t offset = (uint32_t)scan_offset(scan);
    if (opcode == OPCODE_IF) {
        scan->at++;
        baseline->emitter.wasm_offset = offset;
        compile_if(baseline, branch_not, a, b);
        return true;
    }
    if (opcode == OPCODE_BR_IF) {
        scan->at++;
        struct label *label = label_at(baseline, scan_u32(scan));
        if (carried(label).count == 0) {
            pins_agree(baseline, label);
            operation_emit(baseline, branch, a, b, REGISTER_NONE, 0, target_of(label));
            baseline->emitter.wasm_offset = offset;
            fuel_charge(baseline);
            return true;
        }
    }
    scan->at = before;
    return false;
}

/* Makes all targets of a br_table agree; true when each can be jumped to directly. */
static bool table_agree(struct baseline *baseline, uint32_t count)
{
    bool is_direct = true;
    struct scan ahead = baseline->scan;
    for (uint32_t i = 0; i <= count; i++) {
        struct label *label = label_at(baseline, scan_u32(&ahead));
        is_direct = is_direct && (carried(label).count == 0 || is_in_register(label));
        pins_agree(baseline, label);
        (void)target_of(label);
    }
    return is_direct;
}

static void table_stub(struct baseline *baseline, struct label *label)
{
    if (is_in_register(label)) {
        enum machine_type type = machine_type_of(label->results.types[0]);
        emit_load(&baseline->emitter, type, value_register(type), FRAME_REGISTER,
                  slot_displacement(baseline, baseline->next_slot - slots_of(type)));
    } else {
        copy_to_label(baseline, label);
    }
    emit_jump(&baseline->emitter, target_of(label));
}

void compile_branch_table(struct baseline *baseline)
{
    struct emitter *emitter = &baseline->emitter;
    struct scan *scan = &baseline->scan;
    struct operand index = operand_take(baseline);
    uint32_t count = scan_u32(scan);
    bool is_direct = table_agree(baseline, count);
    const uint8_t *targets = scan->at;
    for (uint32_t i = 0; i < count; i++)
        scan_u32(scan);
    struct label *fallback = label_at(baseline, scan_u32(scan));
    if (!is_direct)
        operands_to_slots(baseline, carried(fallback).count);
    operand_to_scratch(baseline, &index);
    if (is_direct && carried(fallback).count == 0)
        dispatch_note(baseline);
    if (is_direct)
        results_place(baseline, fallback);
    /* cmp r10d, count; jae fallback */
    uint8_t compare[7] = { 0x41, 0x81, 0xfa };
    memcpy(compare + 3, &count, 4);
    emit_bytes(emitter, compare, 7);
    uint32_t stub = CHAIN_END;
    emit_jump_if(emitter, 3, is_direct ? target_of(fallback) : (struct target){ .chain = &stub });
    uint32_t table = emitter->size + DISPATCH_JUMP;
    emit_dispatch(emitter, table);
    struct scan ahead = *scan;
    ahead.at = targets;
    for (uint32_t i = 0; i < count; i++) {
        struct label *label = label_at(baseline, scan_u32(&ahead));
        emit_table_entry(emitter, is_direct ? target_of(label) : (struct target){ .address = 0 });
    }
    ahead.at = targets;
    for (uint32_t i = 0; i < count && !is_direct && !emitter->failed; i++) {
        emit_table_fix(emitter, table, i);
        table_stub(baseline, label_at(baseline, scan_u32(&ahead)));
    }
    if (!is_direct) {
        emit_chain_here(emitter, &stub);
        table_stub(baseline, fallback);
    }
    compile_dead_end(baseline);
}

void frame_leave(struct baseline *baseline)
{
    if (baseline->emitter.bias != 0)
        emit_frame_move(&baseline->emitter, -(int32_t)baseline->emitter.bias);
    if (baseline->has_calls)
        emit_bytes(&baseline->emitter, (const uint8_t[]){ 0x59 }, 1); /* pop rcx */
}

static void epilogue(struct baseline *baseline)
{
    uint32_t slot = 0;
    for (uint32_t i = 0; i < baseline->type->result_count; i++) {
        enum machine_type type = machine_type_of(baseline->type->results[i]);
        if (type == MACHINE_F32)
            emit_clear_upper(&baseline->emitter, slot);
        slot += slots_of(type);
    }
    frame_leave(baseline);
    emit_bytes(&baseline->emitter, (const uint8_t[]){ 0xc3 }, 1); /* ret */
}

void compile_return(struct baseline *baseline)
{
    if (baseline->type->result_count == 1) {
        struct operand value = operand_take(baseline);
        unsigned reg = value_register(value.type);
        operand_move(baseline, &value, reg);
        operand_release(baseline, &value);
        emit_store(&baseline->emitter, value.type, reg, FRAME_REGISTER,
                   slot_displacement(baseline, 0));
    } else {
        results_place(baseline, &baseline->labels[0]);
    }
    epilogue(baseline);
    compile_dead_end(baseline);
}

void function_finish(struct baseline *baseline)
{
    struct label *label = &baseline->labels[0];
    if (!label->has_jumps) {
        if (baseline->is_reachable)
            compile_return(baseline);
        return;
    }
    if (baseline->is_reachable)
        results_place(baseline, label);
    operand_drop(baseline, baseline->height);
    emit_chain_here(&baseline->emitter, &label->chain);
    if (is_in_register(label)) {
        enum machine_type type = machine_type_of(label->results.types[0]);
        emit_store(&baseline->emitter, type, value_register(type), FRAME_REGISTER,
                   slot_displacement(baseline, 0));
    }
    epilogue(baseline);
}
