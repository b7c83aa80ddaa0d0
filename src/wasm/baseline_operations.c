/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/baseline_state.h"
#include "wasm/opcodes.h"

#include <string.h>

static bool is_stack_register(unsigned reg)
{
    return reg != REGISTER_NONE && (reg & (FLOAT_BASE - 1)) < STENCIL_STACK_REGISTERS;
}

static bool is_local_outside_stencils(const struct baseline *baseline,
                                      const struct operand *operand)
{
    return operand->place == PLACE_LOCAL &&
           is_outside_stencils(baseline->locals[operand->index].pin);
}

static struct destination destination_choose(struct baseline *baseline, unsigned operation,
                                             enum machine_type type, struct operand *a,
                                             const struct operand *b)
{
    struct scan *scan = &baseline->scan;
    const uint8_t *at = scan->at;
    if (at[0] == OPCODE_LOCAL_SET || at[0] == OPCODE_LOCAL_TEE) {
        struct destination set = { .opcode = scan_u8(scan) };
        set.local = scan_u32(scan);
        set.reg = baseline->locals[set.local].pin;
        if (set.reg != REGISTER_NONE &&
            (!is_outside_stencils(set.reg) || is_encoded(operation, b))) {
            local_preserve(baseline, set.local);
            return set;
        }
        scan->at = at;
    }
    struct destination stack = { 0 };
    bool encoded = is_encoded(operation, b);
    bool has_b = b != NULL && b->place == PLACE_REGISTER && (encoded || is_stack_register(b->reg));
    if (!has_b && !encoded && is_local_outside_stencils(baseline, a))
        operand_to_register(baseline, a);
    if (!encoded && a->place == PLACE_REGISTER)
        operand_to_stack_register(baseline, a);
    if (a->place == PLACE_REGISTER && is_float(a->type) == is_float(type))
        stack.reg = a->reg;
    else if (has_b && is_float(b->type) == is_float(type))
        stack.reg = b->reg;
    else
        stack.reg = register_take(baseline, is_float(type));
    return stack;
}

/* The operand's register can take a result: scalars must be where stencils find them. */
static bool can_become(const struct operand *operand, enum machine_type type)
{
    return operand->place == PLACE_REGISTER && is_float(operand->type) == is_float(type) &&
           (type == MACHINE_V128 || is_stack_register(operand->reg));
}

struct destination destination_choose_any(struct baseline *baseline, enum machine_type type,
                                          const struct operand *a, const struct operand *b)
{
    struct scan *scan = &baseline->scan;
    const uint8_t *at = scan->at;
    if (at[0] == OPCODE_LOCAL_SET || at[0] == OPCODE_LOCAL_TEE) {
        struct destination set = { .opcode = scan_u8(scan) };
        set.local = scan_u32(scan);
        set.reg = baseline->locals[set.local].pin;
        if (set.reg != REGISTER_NONE) {
            local_preserve(baseline, set.local);
            return set;
        }
        scan->at = at;
    }
    struct destination stack = { 0 };
    if (can_become(a, type))
        stack.reg = a->reg;
    else if (b != NULL && can_become(b, type))
        stack.reg = b->reg;
    else
        stack.reg = register_take(baseline, is_float(type));
    return stack;
}

static void destination_fill(struct baseline *baseline, enum machine_type type,
                             const struct destination *destination)
{
    if (destination->opcode == 0) {
        operand_push_register(baseline, type, destination->reg);
        return;
    }
    baseline->pins.valid |= 1u << destination->reg;
    baseline->pins.dirty |= 1u << destination->reg;
    if (destination->opcode == OPCODE_LOCAL_TEE) {
        operand_push(baseline, (struct operand){ .place = PLACE_LOCAL,
                                                 .type = (uint8_t)type,
                                                 .index = destination->local });
    }
}

void destination_finish(struct baseline *baseline, enum machine_type type,
                        const struct destination *destination, const struct operand *a,
                        const struct operand *b)
{
    if (a->place != PLACE_REGISTER || a->reg != destination->reg)
        operand_release(baseline, a);
    if (b != NULL && (b->place != PLACE_REGISTER || b->reg != destination->reg))
        operand_release(baseline, b);
    destination_fill(baseline, type, destination);
}

/* The operand's kind, and what its hole holds.  What no stencil can take goes into a register. */
static unsigned kind_of(struct baseline *baseline, struct operand *operand, int32_t *hole)
{
    bool floats = is_float(operand->type);
    unsigned base = floats ? FLOAT_BASE : 0;
    uint32_t slot = operand->index;
    if (operand->place == PLACE_CONSTANT) {
        int64_t low = (int32_t)(uint32_t)operand->bits;
        if (!floats && (operand->type == MACHINE_I32 || low == (int64_t)operand->bits)) {
            *hole = (int32_t)low;
            return STENCIL_KIND_CONSTANT;
        }
        operand_to_register(baseline, operand);
    }
    if (is_local_outside_stencils(baseline, operand))
        operand_to_register(baseline, operand);
    if (operand->place == PLACE_REGISTER) {
        operand_to_stack_register(baseline, operand);
        return operand->reg - base;
    }
    if (operand->place == PLACE_LOCAL && baseline->locals[slot].pin != REGISTER_NONE) {
        pin_validate(baseline, baseline->locals[slot].pin);
        return baseline->locals[slot].pin - base;
    }
    *hole = operand_displacement(baseline, operand);
    return floats ? STENCIL_KIND_FLOAT_SLOT : STENCIL_KIND_SLOT;
}

static bool is_access(enum stencil_shape shape)
{
    return shape == SHAPE_LOAD_INTEGER || shape == SHAPE_LOAD_FLOAT ||
           shape == SHAPE_STORE_INTEGER || shape == SHAPE_STORE_FLOAT;
}

static bool overwrites_a(enum stencil_shape shape)
{
    return shape == SHAPE_INTEGER_BINARY || shape == SHAPE_FLOAT_BINARY ||
           shape == SHAPE_INTEGER_COMPARE || shape == SHAPE_INTEGER_UNARY ||
           shape == SHAPE_FLOAT_UNARY || shape == SHAPE_LOAD_INTEGER;
}

/* The stencil that comes needs registers for itself. */
static void pins_forget(struct baseline *baseline, unsigned effects)
{
    uint32_t registers = ((effects & STENCIL_CLOBBERS_RBX) != 0 ? 1u << REGISTER_RBX : 0) |
                         ((effects & STENCIL_CLOBBERS_RBP) != 0 ? 1u << REGISTER_RBP : 0);
    pins_store(baseline, registers);
    baseline->pins.valid &= ~registers;
}

static bool try_stencil(struct baseline *baseline, unsigned operation, struct operand *a,
                        struct operand *b, unsigned to, int32_t offset, struct target target)
{
    int32_t holes[3] = { 0, 0, offset };
    unsigned kinds[3] = { 0, 0, 0 };
    kinds[0] = kind_of(baseline, a, &holes[0]);
    if (b != NULL)
        kinds[1] = kind_of(baseline, b, &holes[1]);
    if (to != REGISTER_NONE)
        kinds[2] = to >= FLOAT_BASE ? to - FLOAT_BASE : to;
    const struct stencil_form *forms[2];
    if (!stencil_find(baseline->emitter.stencils, operation, kinds, forms))
        return false;
    unsigned effects = forms[0]->patch_count & (STENCIL_CLOBBERS_RBX | STENCIL_CLOBBERS_RBP);
    if (effects != 0)
        pins_forget(baseline, effects);
    if (is_access(stencil_shape_of(operation)))
        emit_trap_point(&baseline->emitter);
    emit_stencil(&baseline->emitter, forms, holes, target);
    return true;
}

/* The table lacks this choice of operands: put the first one, and if need be the second, into stack
 * registers, for which every operation has its stencils. */
static void emit_from_registers(struct baseline *baseline, unsigned operation, struct operand *a,
                                struct operand *b, unsigned to, int32_t offset,
                                struct target target)
{
    bool in_place = overwrites_a(stencil_shape_of(operation));
    bool b_is_there = b != NULL && b->place == PLACE_REGISTER && b->reg == to;
    if (in_place && is_stack_register(to) && is_float(a->type) == (to >= FLOAT_BASE) &&
        a->place != PLACE_REGISTER && !b_is_there) {
        operand_move(baseline, a, to);
        a->place = PLACE_REGISTER;
        a->reg = (uint8_t)to;
    }
    operand_to_register(baseline, a);
    unsigned result = in_place ? a->reg : to;
    bool is_extra = false;
    if (!in_place && to != REGISTER_NONE && (baseline->pinned & 1u << to) != 0) {
        result = register_take(baseline, to >= FLOAT_BASE);
        is_extra = true;
    }
    bool found = try_stencil(baseline, operation, a, b, result, offset, target);
    if (!found && b != NULL) {
        operand_to_register(baseline, b);
        found = try_stencil(baseline, operation, a, b, result, offset, target);
    }
    ASSERT(found);
    if (result != to)
        emit_move(&baseline->emitter, MACHINE_I64, to, result);
    if (is_extra)
        baseline->owners[result] = 0;
}

void operation_emit(struct baseline *baseline, unsigned operation, struct operand *a,
                    struct operand *b, unsigned to, int32_t offset, struct target target)
{
    if (operation >= STENCIL_OPERATION_COUNT)
        emit_vector_branch(baseline, operation - STENCIL_OPERATION_COUNT, a, target);
    else if (is_encoded(operation, b))
        operation_encode(baseline, operation, a, b, to, target);
    else if (!try_stencil(baseline, operation, a, b, to, offset, target))
        emit_from_registers(baseline, operation, a, b, to, offset, target);
    if (a->place != PLACE_REGISTER || a->reg != to)
        operand_release(baseline, a);
    if (b != NULL && (b->place != PLACE_REGISTER || b->reg != to))
        operand_release(baseline, b);
}

/* Arithmetic whose NaN the standard leaves open.  What only moves or changes signs keeps all bits.
 */
static bool may_choose_nan(unsigned operation)
{
    switch (operation) {
    case STENCIL_F32_ADD:
    case STENCIL_F32_SUB:
    case STENCIL_F32_MUL:
    case STENCIL_F32_DIV:
    case STENCIL_F32_MIN:
    case STENCIL_F32_MAX:
    case STENCIL_F32_SQRT:
    case STENCIL_F32_CEIL:
    case STENCIL_F32_FLOOR:
    case STENCIL_F32_TRUNC:
    case STENCIL_F32_NEAREST:
    case STENCIL_F32_DEMOTE_F64:
    case STENCIL_F64_ADD:
    case STENCIL_F64_SUB:
    case STENCIL_F64_MUL:
    case STENCIL_F64_DIV:
    case STENCIL_F64_MIN:
    case STENCIL_F64_MAX:
    case STENCIL_F64_SQRT:
    case STENCIL_F64_CEIL:
    case STENCIL_F64_FLOOR:
    case STENCIL_F64_TRUNC:
    case STENCIL_F64_NEAREST:
    case STENCIL_F64_PROMOTE_F32:
        return true;
    default:
        return false;
    }
}

static void emit_result(struct baseline *baseline, unsigned operation, enum machine_type type,
                        struct operand *a, struct operand *b, int32_t offset)
{
    struct destination destination = destination_choose(baseline, operation, type, a, b);
    operation_emit(baseline, operation, a, b, destination.reg, offset, (struct target){ 0 });
    if (baseline->is_deterministic && may_choose_nan(operation))
        emit_canonical_nan(&baseline->emitter, type, destination.reg);
    destination_fill(baseline, type, &destination);
}

/* 0 registers, 1 slots, 2 constants: where the second operand would rather be the greater. */
static unsigned rank(const struct baseline *baseline, const struct operand *operand)
{
    switch ((enum place)operand->place) {
    case PLACE_REGISTER:
        return 0;
    case PLACE_LOCAL:
        return baseline->locals[operand->index].pin == REGISTER_NONE;
    case PLACE_SLOT:
        return 1;
    case PLACE_SUM:
    case PLACE_CONSTANT:
    case PLACE_ACCESS:
        return 2;
    }
    return 0;
}

static bool fits_i32(uint64_t bits)
{
    return (uint64_t)(int64_t)(int32_t)(uint32_t)bits == bits;
}

/* x - c is x + -c, x * 2^n is x << n. */
static unsigned simplify(unsigned operation, struct operand *b)
{
    bool wide = b->type == MACHINE_I64;
    uint64_t bits = b->bits;
    bool is_power = bits != 0 && (bits & (bits - 1)) == 0;
    if (operation == STENCIL_I32_SUB || (operation == STENCIL_I64_SUB && fits_i32(0 - bits))) {
        b->bits = wide ? 0 - bits : (uint32_t)(0 - bits);
        return wide ? STENCIL_I64_ADD : STENCIL_I32_ADD;
    }
    if ((operation == STENCIL_I32_MUL || operation == STENCIL_I64_MUL) && is_power) {
        b->bits = (uint64_t)__builtin_ctzll(bits);
        return wide ? STENCIL_I64_SHL : STENCIL_I32_SHL;
    }
    if (is_power && (operation == STENCIL_I32_DIV_U || operation == STENCIL_I64_DIV_U)) {
        b->bits = (uint64_t)__builtin_ctzll(bits);
        return wide ? STENCIL_I64_SHR_U : STENCIL_I32_SHR_U;
    }
    if (is_power && (operation == STENCIL_I32_REM_U || operation == STENCIL_I64_REM_U)) {
        b->bits = bits - 1;
        return wide ? STENCIL_I64_AND : STENCIL_I32_AND;
    }
    if (operation >= STENCIL_I32_SHL && operation <= STENCIL_I32_ROTR)
        b->bits &= 31;
    if (operation >= STENCIL_I64_SHL && operation <= STENCIL_I64_ROTR)
        b->bits &= 63;
    return operation;
}

/* and + (eqz) + branch tests bits. */
static bool fuse_bits(struct baseline *baseline, unsigned operation, struct operand *a,
                      struct operand *b)
{
    if (operation == STENCIL_I32_AND)
        return compile_fused(baseline, STENCIL_BR_I32_BITS, STENCIL_BR_I32_NO_BITS, a, b);
    if (operation != STENCIL_I64_AND || *baseline->scan.at != OPCODE_I64_EQZ)
        return false;
    baseline->scan.at++;
    if (compile_fused(baseline, STENCIL_BR_I64_NO_BITS, STENCIL_BR_I64_BITS, a, b))
        return true;
    baseline->scan.at--;
    return false;
}

/* x << n and + is one instruction for n up to 3. */
static bool fuse_scaled(struct baseline *baseline, unsigned operation, struct operand *index,
                        const struct operand *shift)
{
    if (operation != STENCIL_I32_SHL || shift->place != PLACE_CONSTANT || shift->bits == 0 ||
        shift->bits > 3 || *baseline->scan.at != OPCODE_I32_ADD)
        return false;
    baseline->scan.at++;
    struct operand base = operand_take(baseline);
    if (base.place == PLACE_CONSTANT)
        operand_to_register(baseline, &base);
    emit_result(baseline, STENCIL_I32_ADD_SCALED1 + (unsigned)shift->bits - 1, MACHINE_I32, &base,
                index, 0);
    return true;
}

/* A comparison and the select behind it. */
static bool fuse_select(struct baseline *baseline, const struct operation *operation,
                        struct operand *a, struct operand *b)
{
    if (*baseline->scan.at != OPCODE_SELECT || !encode_select(baseline, operation->branch, a, b))
        return false;
    baseline->scan.at++;
    return true;
}

static void compile_two(struct baseline *baseline, const struct operation *operation)
{
    struct operand b = operand_take_lazily(baseline);
    struct operand a = operand_take_lazily(baseline);
    if (operation->shape == SHAPE_INTEGER_BINARY &&
        compile_sum(baseline, operation->stencil, &a, &b))
        return;
    if (a.place == PLACE_SUM)
        operand_to_register(baseline, &a);
    if (b.place == PLACE_SUM)
        operand_to_register(baseline, &b);
    if (operation->swapped != 0 && rank(baseline, &a) > rank(baseline, &b)) {
        struct operand other = a;
        a = b;
        b = other;
        operation = &operations[operation->swapped];
    }
    if (a.place == PLACE_CONSTANT && b.place == PLACE_CONSTANT)
        operand_to_register(baseline, &a);
    unsigned stencil = operation->stencil;
    if (compile_division(baseline, stencil, &a, &b))
        return;
    if (operation->branch != STENCIL_NONE &&
        (compile_fused(baseline, operation->branch, operation->branch_not, &a, &b) ||
         fuse_select(baseline, operation, &a, &b)))
        return;
    if (fuse_bits(baseline, stencil, &a, &b) || fuse_scaled(baseline, stencil, &a, &b))
        return;
    if (b.place == PLACE_CONSTANT && operation->shape == SHAPE_INTEGER_BINARY)
        stencil = simplify(stencil, &b);
    emit_result(baseline, stencil, operation->target, &a, &b, 0);
}

void compile_with_memory(struct baseline *baseline, const struct operation *operation,
                         struct operand *memory)
{
    struct operand a = operand_take(baseline);
    if (operation->branch == STENCIL_NONE ||
        !compile_fused(baseline, operation->branch, operation->branch_not, &a, memory))
        emit_result(baseline, operation->stencil, operation->target, &a, memory, 0);
}

static void compile_one(struct baseline *baseline, const struct operation *operation)
{
    if (operation->stencil == STENCIL_I32_WRAP_I64 && compile_wrap(baseline))
        return;
    struct operand a = operand_take(baseline);
    if (operation->branch != STENCIL_NONE &&
        (compile_fused(baseline, operation->branch, operation->branch_not, &a, NULL) ||
         fuse_select(baseline, operation, &a, NULL)))
        return;
    emit_result(baseline, operation->stencil, operation->target, &a, NULL, 0);
}

void compile_operation(struct baseline *baseline, const struct operation *operation)
{
    switch ((enum stencil_shape)operation->shape) {
    case SHAPE_INTEGER_BINARY:
    case SHAPE_INTEGER_COMPARE:
    case SHAPE_FLOAT_BINARY:
    case SHAPE_FLOAT_COMPARE:
        compile_two(baseline, operation);
        return;
    case SHAPE_INTEGER_UNARY:
    case SHAPE_FLOAT_UNARY:
    case SHAPE_TO_FLOAT:
    case SHAPE_TO_INTEGER:
        compile_one(baseline, operation);
        return;
    case SHAPE_LOAD_INTEGER:
    case SHAPE_LOAD_FLOAT:
        compile_load(baseline, operation);
        return;
    case SHAPE_STORE_INTEGER:
    case SHAPE_STORE_FLOAT:
        compile_store(baseline, operation);
        return;
    case SHAPE_NONE:
    case SHAPE_INTEGER_BRANCH:
    case SHAPE_INTEGER_TEST:
    case SHAPE_FLOAT_BRANCH:
    case SHAPE_SELECT_INTEGER:
    case SHAPE_SELECT_FLOAT:
        break;
    }
    UNREACHABLE("no instruction of its own");
}

/* Vectors are moved only when they must be. */
static void select_vector(struct baseline *baseline, struct operand *condition,
                          struct operand *second, struct operand *first)
{
    uint32_t around = CHAIN_END;
    operand_to_register(baseline, first);
    operation_emit(baseline, STENCIL_BR_I32_NEZ, condition, NULL, REGISTER_NONE, 0,
                   (struct target){ .chain = &around });
    operand_move(baseline, second, first->reg);
    emit_chain_here(&baseline->emitter, &around);
    operand_release(baseline, second);
    operand_push_register(baseline, MACHINE_V128, first->reg);
}

void compile_select(struct baseline *baseline)
{
    struct operand condition = operand_take(baseline);
    if (encode_select(baseline, STENCIL_BR_I32_NEZ, &condition, NULL))
        return;
    struct operand second = operand_take(baseline);
    struct operand first = operand_take(baseline);
    enum machine_type type = first.type;
    if (type == MACHINE_V128) {
        select_vector(baseline, &condition, &second, &first);
        return;
    }
    unsigned operation = type == MACHINE_F32   ? STENCIL_F32_SELECT
                         : type == MACHINE_F64 ? STENCIL_F64_SELECT
                                               : STENCIL_I_SELECT;
    operand_to_register(baseline, &first);
    operand_to_stack_register(baseline, &first);
    operation_emit(baseline, operation, &condition, &second, first.reg, 0, (struct target){ 0 });
    operand_push_register(baseline, type, first.reg);
}

void compile_extend(struct baseline *baseline)
{
    if (operand_top(baseline)->place == PLACE_SUM) { /* of 32 bits: it wraps around before */
        struct operand sum = operand_take(baseline);
        operand_push_register(baseline, MACHINE_I64, sum.reg);
        return;
    }
    operand_top(baseline)->type = MACHINE_I64;
}
