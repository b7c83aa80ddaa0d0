/* SPDX-License-Identifier: Apache-2.0 */
/* The operations that are one machine instruction on any registers: encoded here, since a table of
 * all their combinations would be larger than all the rest.  Everything else is a stencil. */
#include "wasm/baseline_state.h"

enum kind {
    KIND_NONE,
    KIND_BINARY,   /* code: extension of the immediate form */
    KIND_MULTIPLY, /* code: nothing */
    KIND_SHIFT,    /* code: extension; by a constant */
    KIND_SCALED,   /* code: shift */
    KIND_BRANCH,   /* code: condition after cmp */
    KIND_BITS,     /* code: condition after test */
    KIND_ZERO,     /* code: condition after test with itself */
    KIND_WRAP,
    KIND_EXTEND,
    KIND_SET,      /* code: condition after cmp, which becomes a number */
    KIND_SET_ZERO, /* code: condition after test with itself, likewise */
    KIND_FLOAT     /* code: second byte of the VEX instruction */
};

enum {
    ADD = 0,
    AND = 4,
    SUB = 5,
    CMP = 7,
    ROTATE_RIGHT = 1 /* ROL is 0 */
};

struct encoding {
    uint8_t kind;
    uint8_t code;
    bool wide;
};

#define BOTH(name, kind, code)                                                                     \
    [STENCIL_I32_##name] = { kind, code, false }, [STENCIL_I64_##name] = { kind, code, true }
#define BOTH_BRANCHES(name, kind, code)                                                            \
    [STENCIL_BR_I32_##name] = { kind, code, false }, [STENCIL_BR_I64_##name] = { kind, code, true }
#define BOTH_FLOATS(name, code)                                                                    \
    [STENCIL_F32_##name] = { KIND_FLOAT, code, false },                                            \
    [STENCIL_F64_##name] = { KIND_FLOAT, code, true }

static const struct encoding encodings[STENCIL_OPERATION_COUNT] = {
    BOTH(ADD, KIND_BINARY, ADD),
    BOTH(OR, KIND_BINARY, 1),
    BOTH(AND, KIND_BINARY, 4),
    BOTH(SUB, KIND_BINARY, SUB),
    BOTH(XOR, KIND_BINARY, 6),
    BOTH(MUL, KIND_MULTIPLY, 0),
    BOTH(ROTL, KIND_SHIFT, 0),
    BOTH(ROTR, KIND_SHIFT, 1),
    BOTH(SHL, KIND_SHIFT, 4),
    BOTH(SHR_U, KIND_SHIFT, 5),
    BOTH(SHR_S, KIND_SHIFT, 7),
    BOTH(EQ, KIND_SET, 4),
    BOTH(NE, KIND_SET, 5),
    BOTH(LT_U, KIND_SET, 2),
    BOTH(GE_U, KIND_SET, 3),
    BOTH(LE_U, KIND_SET, 6),
    BOTH(GT_U, KIND_SET, 7),
    BOTH(LT_S, KIND_SET, 12),
    BOTH(GE_S, KIND_SET, 13),
    BOTH(LE_S, KIND_SET, 14),
    BOTH(GT_S, KIND_SET, 15),
    BOTH(EQZ, KIND_SET_ZERO, 4),
    BOTH_BRANCHES(EQ, KIND_BRANCH, 4),
    BOTH_BRANCHES(NE, KIND_BRANCH, 5),
    BOTH_BRANCHES(LT_U, KIND_BRANCH, 2),
    BOTH_BRANCHES(GE_U, KIND_BRANCH, 3),
    BOTH_BRANCHES(LE_U, KIND_BRANCH, 6),
    BOTH_BRANCHES(GT_U, KIND_BRANCH, 7),
    BOTH_BRANCHES(LT_S, KIND_BRANCH, 12),
    BOTH_BRANCHES(GE_S, KIND_BRANCH, 13),
    BOTH_BRANCHES(LE_S, KIND_BRANCH, 14),
    BOTH_BRANCHES(GT_S, KIND_BRANCH, 15),
    BOTH_BRANCHES(EQZ, KIND_ZERO, 4),
    BOTH_BRANCHES(NEZ, KIND_ZERO, 5),
    BOTH_BRANCHES(NO_BITS, KIND_BITS, 4),
    BOTH_BRANCHES(BITS, KIND_BITS, 5),
    BOTH_FLOATS(ADD, 0x58),
    BOTH_FLOATS(MUL, 0x59),
    BOTH_FLOATS(SUB, 0x5c),
    BOTH_FLOATS(DIV, 0x5e),
    [STENCIL_I32_ADD_SCALED1] = { KIND_SCALED, 1, false },
    [STENCIL_I32_ADD_SCALED2] = { KIND_SCALED, 2, false },
    [STENCIL_I32_ADD_SCALED3] = { KIND_SCALED, 3, false },
    [STENCIL_I32_WRAP_I64] = { KIND_WRAP, 0, false },
    [STENCIL_I64_EXTEND_I32_S] = { KIND_EXTEND, 0, true },
};

bool is_encoded(unsigned operation, const struct operand *b)
{
    unsigned kind = encodings[operation].kind;
    return kind != KIND_NONE && (kind != KIND_SHIFT || b->place == PLACE_CONSTANT);
}

bool takes_memory(unsigned operation, enum machine_type type, enum machine_type operand)
{
    unsigned kind = encodings[operation].kind;
    return type == operand &&
           (kind == KIND_BINARY || kind == KIND_MULTIPLY || kind == KIND_SET || kind == KIND_FLOAT);
}

unsigned register_of(struct baseline *baseline, const struct operand *operand)
{
    if (operand->place == PLACE_REGISTER)
        return operand->reg;
    if (operand->place != PLACE_LOCAL || baseline->locals[operand->index].pin == REGISTER_NONE)
        return REGISTER_NONE;
    pin_validate(baseline, baseline->locals[operand->index].pin);
    return baseline->locals[operand->index].pin;
}

static bool is_immediate(const struct operand *operand)
{
    return operand->place == PLACE_CONSTANT &&
           (operand->type == MACHINE_I32 ||
            (uint64_t)(int64_t)(int32_t)(uint32_t)operand->bits == operand->bits);
}

/* What can't be an immediate goes into a register. */
static void spare_long_constant(struct baseline *baseline, struct operand *operand)
{
    if (operand->place == PLACE_CONSTANT && !is_immediate(operand))
        operand_to_register(baseline, operand);
}

/* extension reg, operand */
static void combine(struct baseline *baseline, unsigned extension, bool wide, unsigned reg,
                    const struct operand *operand)
{
    struct emitter *emitter = &baseline->emitter;
    unsigned from = register_of(baseline, operand);
    if (from != REGISTER_NONE)
        emit_integer_registers(emitter, (uint8_t)(extension * 8 + 1), wide, from, reg);
    else if (operand->place == PLACE_CONSTANT)
        emit_integer_immediate(emitter, extension, wide, reg, (int32_t)(uint32_t)operand->bits);
    else if (operand->place == PLACE_ACCESS)
        emit_operand_access(
            baseline, (struct access){ .opcode = (uint8_t)(extension * 8 + 3), .is_wide = wide },
            reg, operand);
    else
        emit_integer_slot(emitter, (uint8_t)(extension * 8 + 3), wide, reg,
                          operand_displacement(baseline, operand));
}

/* and with 255, 65535 or all of 32 bits: from any register to any other. */
static bool keep_low(struct baseline *baseline, const struct operand *a, const struct operand *b,
                     unsigned to)
{
    enum {
        MOV = 0x8b
    };
    unsigned first = register_of(baseline, a);
    bool is_all = a->type == MACHINE_I64 && b->bits == UINT32_MAX;
    if (b->place != PLACE_CONSTANT || a->place == PLACE_CONSTANT ||
        (b->bits != UINT8_MAX && b->bits != UINT16_MAX && !is_all))
        return false;
    if (first == REGISTER_NONE) {
        operand_move(baseline, a, to);
        first = to;
    }
    if (is_all)
        emit_integer_registers(&baseline->emitter, MOV, false, to, first);
    else
        emit_widen_low(&baseline->emitter, b->bits == UINT8_MAX ? 8 : 16, to, first);
    return true;
}

static void emit_binary(struct baseline *baseline, const struct encoding *encoding,
                        struct operand *a, struct operand *b, unsigned to)
{
    struct emitter *emitter = &baseline->emitter;
    bool wide = encoding->wide;
    bool is_sum = encoding->code == ADD;
    if (encoding->code == AND && keep_low(baseline, a, b, to))
        return;
    spare_long_constant(baseline, b);
    unsigned first = register_of(baseline, a), second = register_of(baseline, b);
    if (is_sum && first != REGISTER_NONE && first != to && second != REGISTER_NONE &&
        second != to) {
        emit_lea(emitter, wide, to, first, second, 0);
    } else if (is_sum && first != REGISTER_NONE && first != to && b->place == PLACE_CONSTANT) {
        emit_lea_immediate(emitter, wide, to, first, (int32_t)(uint32_t)b->bits);
    } else if (second == to && first != to) {
        spare_long_constant(baseline, a);
        if (encoding->code == SUB) { /* a - b is -b + a */
            emit_negate(emitter, wide, to);
            combine(baseline, ADD, wide, to, a);
        } else {
            combine(baseline, encoding->code, wide, to, a);
        }
    } else {
        operand_move(baseline, a, to);
        combine(baseline, encoding->code, wide, to, b);
    }
}

static void emit_product(struct baseline *baseline, bool wide, struct operand *a, struct operand *b,
                         unsigned to)
{
    struct emitter *emitter = &baseline->emitter;
    spare_long_constant(baseline, b);
    unsigned first = register_of(baseline, a), second = register_of(baseline, b);
    if (b->place == PLACE_CONSTANT) {
        if (first == REGISTER_NONE)
            operand_move(baseline, a, to);
        emit_multiply_immediate(emitter, wide, to, first == REGISTER_NONE ? to : first,
                                (int32_t)(uint32_t)b->bits);
        return;
    }
    if (second == to && first != to) {
        struct operand *other = a;
        a = b;
        b = other;
        second = first;
    }
    operand_move(baseline, a, to);
    if (b->place == PLACE_ACCESS) {
        struct access imul = { .opcode = 0xaf, .is_long = true, .is_wide = wide };
        emit_operand_access(baseline, imul, to, b);
        return;
    }
    if (second == REGISTER_NONE) {
        operand_to_register(baseline, b);
        second = b->reg;
    }
    emit_multiply(emitter, wide, to, second);
}

static void emit_scaled(struct baseline *baseline, unsigned shift, struct operand *a,
                        struct operand *b, unsigned to)
{
    unsigned first = register_of(baseline, a), second = register_of(baseline, b);
    if (second == REGISTER_NONE) {
        operand_to_register(baseline, b);
        second = b->reg;
    }
    if (first == REGISTER_NONE) {
        operand_to_register(baseline, a);
        first = a->reg;
    }
    emit_lea(&baseline->emitter, false, to, first, second, shift);
}

static void emit_compare(struct baseline *baseline, bool wide, struct operand *a, struct operand *b)
{
    spare_long_constant(baseline, b);
    unsigned first = register_of(baseline, a);
    if (first == REGISTER_NONE && b->place == PLACE_CONSTANT && a->place != PLACE_CONSTANT) {
        emit_compare_slot(&baseline->emitter, wide, operand_displacement(baseline, a),
                          (int32_t)(uint32_t)b->bits);
        return;
    }
    if (first == REGISTER_NONE) {
        operand_to_register(baseline, a);
        first = a->reg;
    }
    combine(baseline, CMP, wide, first, b);
}

static void emit_test(struct baseline *baseline, bool wide, struct operand *a, struct operand *b)
{
    enum {
        TEST = 0x85
    };
    struct emitter *emitter = &baseline->emitter;
    spare_long_constant(baseline, b);
    unsigned first = register_of(baseline, a);
    if (first == REGISTER_NONE) {
        operand_to_register(baseline, a);
        first = a->reg;
    }
    unsigned second = register_of(baseline, b);
    if (second != REGISTER_NONE)
        emit_integer_registers(emitter, TEST, wide, second, first);
    else if (b->place == PLACE_CONSTANT)
        emit_test_immediate(emitter, wide, first, (int32_t)(uint32_t)b->bits);
    else
        emit_integer_slot(emitter, TEST, wide, first, operand_displacement(baseline, b));
}

static void emit_zero_test(struct baseline *baseline, bool wide, struct operand *a)
{
    unsigned reg = register_of(baseline, a);
    if (reg != REGISTER_NONE && emit_knows_zero(&baseline->emitter, reg, wide))
        return;
    if (reg == REGISTER_NONE && a->place != PLACE_CONSTANT) {
        emit_compare_slot(&baseline->emitter, wide, operand_displacement(baseline, a), 0);
        return;
    }
    emit_test(baseline, wide, a, a);
}

/* 1 or 0: from a register that was cleared before, if it isn't one that is compared. */
static void emit_condition_number(struct baseline *baseline, const struct encoding *encoding,
                                  struct operand *a, struct operand *b, unsigned to)
{
    struct emitter *emitter = &baseline->emitter;
    bool is_zero = encoding->kind == KIND_SET_ZERO;
    unsigned first = register_of(baseline, a), second = REGISTER_NONE;
    if (!is_zero)
        second = b->place == PLACE_ACCESS ? b->reg : register_of(baseline, b);
    bool is_apart = to != first && to != second;
    if (is_apart && !(is_zero && emit_knows_zero(emitter, first, encoding->wide)))
        emit_integer_constant(emitter, to, 0);
    else
        is_apart = false;
    if (is_zero)
        emit_zero_test(baseline, encoding->wide, a);
    else
        emit_compare(baseline, encoding->wide, a, b);
    if (is_apart)
        emit_set_if(emitter, encoding->code, to);
    else
        emit_condition(emitter, encoding->code, to);
}

/* From 32 bits, zero- or sign-extended. */
static void emit_widen(struct baseline *baseline, bool is_signed, struct operand *a, unsigned to)
{
    enum {
        MOV = 0x8b,
        MOVSXD = 0x63
    };
    struct emitter *emitter = &baseline->emitter;
    uint8_t opcode = is_signed ? MOVSXD : MOV;
    if (a->place == PLACE_CONSTANT)
        operand_to_register(baseline, a);
    unsigned reg = register_of(baseline, a);
    if (reg != REGISTER_NONE)
        emit_integer_registers(emitter, opcode, is_signed, to, reg);
    else
        emit_integer_slot(emitter, opcode, is_signed, to, operand_displacement(baseline, a));
}

static void emit_float_access(struct baseline *baseline, uint8_t opcode,
                              const struct operand *memory, unsigned to, unsigned first)
{
    struct vex vex = { 1, memory->type == MACHINE_F32 ? 2 : 3, opcode, false };
    emit_trap_point(&baseline->emitter);
    emit_vector_memory(&baseline->emitter, vex, to, first, memory->reg,
                       (int32_t)(uint32_t)memory->bits);
}

static void emit_float(struct baseline *baseline, uint8_t opcode, struct operand *a,
                       struct operand *b, unsigned to)
{
    struct emitter *emitter = &baseline->emitter;
    enum machine_type type = a->type;
    unsigned first = register_of(baseline, a), second = register_of(baseline, b);
    if (first == REGISTER_NONE) {
        /* Through the target, unless that is what the second operand is in. */
        first = to == second ? register_take(baseline, true) : to;
        operand_move(baseline, a, first);
        if (to == second)
            baseline->owners[first] = 0;
    }
    if (second != REGISTER_NONE)
        emit_float_registers(emitter, opcode, type, to, first, second);
    else if (b->place == PLACE_CONSTANT)
        emit_float_constant(emitter, opcode, type, to, first, b->bits);
    else if (b->place == PLACE_ACCESS)
        emit_float_access(baseline, opcode, b, to, first);
    else
        emit_float_slot(emitter, opcode, type, to, first, operand_displacement(baseline, b));
}

/* Into another register than the operand's it is one instruction. */
static bool rotate(struct baseline *baseline, const struct encoding *encoding,
                   const struct operand *a, uint8_t count, unsigned to)
{
    unsigned bits = encoding->wide ? 64 : 32, from = register_of(baseline, a);
    uint8_t right = (uint8_t)(encoding->code == ROTATE_RIGHT ? count : (bits - count) & (bits - 1));
    if (from == to || a->place == PLACE_CONSTANT)
        return false;
    if (from != REGISTER_NONE)
        emit_rotate(&baseline->emitter, encoding->wide, to, from, right);
    else
        emit_rotate_slot(&baseline->emitter, encoding->wide, to, operand_displacement(baseline, a),
                         right);
    return true;
}

void operation_encode(struct baseline *baseline, unsigned operation, struct operand *a,
                      struct operand *b, unsigned to, struct target target)
{
    struct emitter *emitter = &baseline->emitter;
    const struct encoding *encoding = &encodings[operation];
    switch ((enum kind)encoding->kind) {
    case KIND_NONE:
        return;
    case KIND_BINARY:
        emit_binary(baseline, encoding, a, b, to);
        return;
    case KIND_MULTIPLY:
        emit_product(baseline, encoding->wide, a, b, to);
        return;
    case KIND_SHIFT:
        if (encoding->code <= ROTATE_RIGHT && rotate(baseline, encoding, a, (uint8_t)b->bits, to))
            return;
        operand_move(baseline, a, to);
        emit_shift(emitter, encoding->code, encoding->wide, to, (uint8_t)b->bits);
        return;
    case KIND_SCALED:
        emit_scaled(baseline, encoding->code, a, b, to);
        return;
    case KIND_BRANCH:
        emit_compare(baseline, encoding->wide, a, b);
        emit_jump_if(emitter, encoding->code, target);
        return;
    case KIND_BITS:
        emit_test(baseline, encoding->wide, a, b);
        emit_jump_if(emitter, encoding->code, target);
        return;
    case KIND_ZERO:
        emit_zero_test(baseline, encoding->wide, a);
        emit_jump_if(emitter, encoding->code, target);
        return;
    case KIND_WRAP:
        emit_widen(baseline, false, a, to);
        return;
    case KIND_EXTEND:
        emit_widen(baseline, true, a, to);
        return;
    case KIND_SET:
    case KIND_SET_ZERO:
        emit_condition_number(baseline, encoding, a, b, to);
        return;
    case KIND_FLOAT:
        emit_float(baseline, encoding->code, a, b, to);
        return;
    }
}

static bool is_direct(const struct baseline *baseline, const struct operand *operand)
{
    return operand->place == PLACE_REGISTER ||
           (operand->place == PLACE_LOCAL && baseline->locals[operand->index].pin != REGISTER_NONE);
}

/* How many stack registers the comparison and the move need at once. */
static unsigned registers_needed(const struct baseline *baseline, const struct encoding *encoding,
                                 const struct operand *a, const struct operand *b)
{
    const struct operand *second = &baseline->operands[baseline->height - 1];
    unsigned needed = 1u + (a->place == PLACE_REGISTER);
    needed += second->place == PLACE_CONSTANT || second->place == PLACE_REGISTER ||
              second->place == PLACE_SUM;
    if (encoding->kind == KIND_ZERO)
        return needed + (a->place == PLACE_CONSTANT);
    bool is_long = b->place == PLACE_CONSTANT && !is_immediate(b);
    needed += b->place == PLACE_REGISTER || is_long;
    return needed + (!is_direct(baseline, a) &&
                     (b->place != PLACE_CONSTANT || is_long || a->place == PLACE_CONSTANT));
}

bool encode_select(struct baseline *baseline, unsigned operation, struct operand *a,
                   struct operand *b)
{
    const struct encoding *encoding = &encodings[operation];
    struct emitter *emitter = &baseline->emitter;
    bool is_zero = encoding->kind == KIND_ZERO;
    if ((encoding->kind != KIND_BRANCH && !is_zero) || baseline->height < 2 ||
        is_float(baseline->operands[baseline->height - 1].type) ||
        registers_needed(baseline, encoding, a, b) > STENCIL_STACK_REGISTERS)
        return false;
    struct operand second = operand_take(baseline), first = operand_take(baseline);
    enum machine_type type = first.type;
    bool wide = type == MACHINE_I64;
    if (first.place == PLACE_CONSTANT)
        operand_to_register(baseline, &first);
    if (second.place == PLACE_CONSTANT)
        operand_to_register(baseline, &second);
    struct destination to = destination_choose_any(baseline, type, &first, NULL);
    unsigned from = register_of(baseline, &second), other = register_of(baseline, &first);
    if (is_zero)
        emit_zero_test(baseline, encoding->wide, a);
    else
        emit_compare(baseline, encoding->wide, a, b);
    bool is_there = from == to.reg; /* the value of the other case */
    if (!is_there)
        operand_move(baseline, &first, to.reg); /* leaves the flags */
    unsigned condition = is_there ? encoding->code : encoding->code ^ 1u;
    const struct operand *moved = is_there ? &first : &second;
    unsigned reg = is_there ? other : from;
    if (reg != REGISTER_NONE)
        emit_move_if(emitter, condition, wide, to.reg, reg);
    else
        emit_load_if(emitter, condition, wide, to.reg, operand_displacement(baseline, moved));
    operand_release(baseline, a);
    if (b != NULL)
        operand_release(baseline, b);
    destination_finish(baseline, type, &to, &first, &second);
    return true;
}
