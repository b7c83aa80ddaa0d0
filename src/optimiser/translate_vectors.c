/* SPDX-License-Identifier: Apache-2.0 */
/* Vector instructions: memory, lanes, bits and integers.  A v128 is two numbers of 64 bits on the
 * stack and takes the shape of the instruction for its duration. */
#include "optimiser/translator.h"
#include "wasm/opcodes.h"
#include "wasm/vector_opcodes.h"

enum {
    LANES_MAX = 16
};

/* The instructions of integer shapes stand in groups of 32: where in the group. */
enum group {
    GROUP_FIRST = 0x60,
    GROUP_SIZE = 0x20,
    GROUP_ABS = 0,
    GROUP_NEG,
    GROUP_POPCNT_OR_Q15,
    GROUP_ALL_TRUE,
    GROUP_BITMASK,
    GROUP_NARROW_S,
    GROUP_NARROW_U,
    GROUP_EXTEND, /* four */
    GROUP_SHL = 0x0b,
    GROUP_SHR_S,
    GROUP_SHR_U,
    GROUP_ADD,
    GROUP_ADD_SAT_S,
    GROUP_ADD_SAT_U,
    GROUP_SUB,
    GROUP_SUB_SAT_S,
    GROUP_SUB_SAT_U,
    GROUP_MUL = 0x15,
    GROUP_MIN_S,
    GROUP_MIN_U,
    GROUP_MAX_S,
    GROUP_MAX_U,
    GROUP_DOT,
    GROUP_AVGR,
    GROUP_EXTMUL, /* four */
};

LLVMTypeRef vector_type(const struct translator *translator, unsigned lane_bits, bool is_float)
{
    const struct translator_types *types = &translator->types;
    LLVMTypeRef lane = lane_bits == 8    ? types->i8
                       : lane_bits == 16 ? types->i16
                       : lane_bits == 32 ? (is_float ? types->f32 : types->i32)
                                         : (is_float ? types->f64 : types->i64);
    return LLVMVectorType(lane, 128 / lane_bits);
}

LLVMValueRef pop_vector(struct translator *translator, LLVMTypeRef shape)
{
    return LLVMBuildBitCast(translator->builder, pop(translator), shape, "");
}

void push_vector(struct translator *translator, LLVMValueRef value)
{
    push(translator, LLVMBuildBitCast(translator->builder, value, translator->types.v128, ""));
}

LLVMValueRef splat(struct translator *translator, LLVMTypeRef shape, LLVMValueRef lane)
{
    LLVMValueRef zero = number32(translator, 0);
    LLVMValueRef first =
        LLVMBuildInsertElement(translator->builder, LLVMGetPoison(shape), lane, zero, "");
    LLVMValueRef mask =
        LLVMConstNull(LLVMVectorType(translator->types.i32, LLVMGetVectorSize(shape)));
    return LLVMBuildShuffleVector(translator->builder, first, LLVMGetPoison(shape), mask, "");
}

/* Lanes first, first + step, ...; those from the second operand count on from the first's. */
LLVMValueRef take_lanes(struct translator *translator, LLVMValueRef a, LLVMValueRef b,
                        unsigned count, unsigned first, unsigned step)
{
    LLVMValueRef mask[LANES_MAX];
    for (unsigned i = 0; i < count; i++)
        mask[i] = number32(translator, first + i * step);
    return LLVMBuildShuffleVector(translator->builder, a, b, LLVMConstVector(mask, count), "");
}

static LLVMValueRef constant_splat(LLVMTypeRef shape, uint64_t number)
{
    LLVMValueRef lanes[LANES_MAX];
    unsigned count = LLVMGetVectorSize(shape);
    for (unsigned i = 0; i < count; i++)
        lanes[i] = LLVMConstInt(LLVMGetElementType(shape), number, 0);
    return LLVMConstVector(lanes, count);
}

static LLVMTypeRef integer_of(const struct translator *translator, unsigned bits)
{
    return LLVMGetElementType(vector_type(translator, bits, false));
}

static void load_extended(struct translator *translator, uint32_t opcode, uint32_t offset)
{
    unsigned which = opcode - VECTOR_V128_LOAD8X8_S;
    unsigned bits = 8u << (which / 2);
    LLVMTypeRef narrow = LLVMVectorType(integer_of(translator, bits), 64 / bits);
    LLVMTypeRef wide = vector_type(translator, bits * 2, false);
    LLVMValueRef value = linear_load(translator, narrow, offset);
    push_vector(translator, which % 2 == 0 ? LLVMBuildSExt(translator->builder, value, wide, "")
                                           : LLVMBuildZExt(translator->builder, value, wide, ""));
}

static void translate_vector_access(struct translator *translator, uint32_t opcode)
{
    LLVMBuilderRef builder = translator->builder;
    scan_u32(&translator->scan);
    uint32_t offset = scan_u32(&translator->scan);
    if (opcode == VECTOR_V128_LOAD) {
        push(translator, linear_load(translator, translator->types.v128, offset));
    } else if (opcode == VECTOR_V128_STORE) {
        LLVMValueRef value = pop(translator);
        linear_store(translator, value, offset);
    } else if (opcode <= VECTOR_V128_LOAD32X2_U) {
        load_extended(translator, opcode, offset);
    } else if (opcode <= VECTOR_V128_LOAD64_SPLAT) {
        LLVMTypeRef shape =
            vector_type(translator, 8u << (opcode - VECTOR_V128_LOAD8_SPLAT), false);
        push_vector(translator, splat(translator, shape,
                                      linear_load(translator, LLVMGetElementType(shape), offset)));
    } else {
        LLVMTypeRef shape =
            vector_type(translator, opcode == VECTOR_V128_LOAD32_ZERO ? 32 : 64, false);
        LLVMValueRef lane = linear_load(translator, LLVMGetElementType(shape), offset);
        push_vector(translator, LLVMBuildInsertElement(builder, LLVMConstNull(shape), lane,
                                                       number32(translator, 0), ""));
    }
}

static void translate_lane_access(struct translator *translator, uint32_t opcode)
{
    LLVMBuilderRef builder = translator->builder;
    bool is_load = opcode <= VECTOR_V128_LOAD64_LANE;
    unsigned size = opcode - (is_load ? VECTOR_V128_LOAD8_LANE : VECTOR_V128_STORE8_LANE);
    LLVMTypeRef shape = vector_type(translator, 8u << size, false);
    scan_u32(&translator->scan);
    uint32_t offset = scan_u32(&translator->scan);
    LLVMValueRef lane = number32(translator, scan_u8(&translator->scan));
    LLVMValueRef value = pop_vector(translator, shape);
    if (is_load) {
        LLVMValueRef loaded = linear_load(translator, LLVMGetElementType(shape), offset);
        push_vector(translator, LLVMBuildInsertElement(builder, value, loaded, lane, ""));
        return;
    }
    linear_store(translator, LLVMBuildExtractElement(builder, value, lane, ""), offset);
}

static void translate_lane(struct translator *translator, uint32_t opcode)
{
    static const struct {
        uint8_t bits, is_float, extends; /* 1 signed, 2 unsigned */
        bool replaces;
    } lanes[] = { { 8, 0, 1, false },  { 8, 0, 2, false }, { 8, 0, 0, true },   { 16, 0, 1, false },
                  { 16, 0, 2, false }, { 16, 0, 0, true }, { 32, 0, 0, false }, { 32, 0, 0, true },
                  { 64, 0, 0, false }, { 64, 0, 0, true }, { 32, 1, 0, false }, { 32, 1, 0, true },
                  { 64, 1, 0, false }, { 64, 1, 0, true } };
    unsigned which = opcode - VECTOR_I8X16_EXTRACT_LANE_S;
    LLVMBuilderRef builder = translator->builder;
    LLVMTypeRef shape = vector_type(translator, lanes[which].bits, lanes[which].is_float != 0);
    LLVMTypeRef type = LLVMGetElementType(shape);
    LLVMValueRef lane = number32(translator, scan_u8(&translator->scan));
    if (lanes[which].replaces) {
        LLVMValueRef value = pop(translator);
        if (lanes[which].bits < 32)
            value = LLVMBuildTrunc(builder, value, type, "");
        LLVMValueRef vector = pop_vector(translator, shape);
        push_vector(translator, LLVMBuildInsertElement(builder, vector, value, lane, ""));
        return;
    }
    LLVMValueRef value = LLVMBuildExtractElement(builder, pop_vector(translator, shape), lane, "");
    if (lanes[which].extends != 0)
        value = lanes[which].extends == 1
                    ? LLVMBuildSExt(builder, value, translator->types.i32, "")
                    : LLVMBuildZExt(builder, value, translator->types.i32, "");
    push(translator, value);
}

static void translate_constant_or_shuffle(struct translator *translator, uint32_t opcode)
{
    struct bytes bytes = scan_bytes(&translator->scan, 16);
    LLVMTypeRef shape = vector_type(translator, 8, false);
    LLVMValueRef lanes[LANES_MAX];
    bool is_shuffle = opcode == VECTOR_I8X16_SHUFFLE;
    for (unsigned i = 0; i < LANES_MAX; i++)
        lanes[i] = LLVMConstInt(is_shuffle ? translator->types.i32 : translator->types.i8,
                                bytes.data[i], 0);
    LLVMValueRef vector = LLVMConstVector(lanes, LANES_MAX);
    if (is_shuffle) {
        LLVMValueRef b = pop_vector(translator, shape);
        LLVMValueRef a = pop_vector(translator, shape);
        vector = LLVMBuildShuffleVector(translator->builder, a, b, vector, "");
    }
    push_vector(translator, vector);
}

static void translate_splat(struct translator *translator, uint32_t opcode)
{
    static const uint8_t bits[] = { 8, 16, 32, 64, 32, 64 };
    unsigned which = opcode - VECTOR_I8X16_SPLAT;
    LLVMTypeRef shape = vector_type(translator, bits[which], which >= 4);
    LLVMValueRef value = pop(translator);
    if (bits[which] < 32)
        value = LLVMBuildTrunc(translator->builder, value, LLVMGetElementType(shape), "");
    push_vector(translator, splat(translator, shape, value));
}

static void translate_integer_compare(struct translator *translator, unsigned bits, unsigned which)
{
    static const LLVMIntPredicate predicates[] = { LLVMIntEQ,  LLVMIntNE,  LLVMIntSLT, LLVMIntULT,
                                                   LLVMIntSGT, LLVMIntUGT, LLVMIntSLE, LLVMIntULE,
                                                   LLVMIntSGE, LLVMIntUGE };
    LLVMTypeRef shape = vector_type(translator, bits, false);
    LLVMValueRef b = pop_vector(translator, shape);
    LLVMValueRef a = pop_vector(translator, shape);
    LLVMValueRef same = LLVMBuildICmp(translator->builder, predicates[which], a, b, "");
    push_vector(translator, LLVMBuildSExt(translator->builder, same, shape, ""));
}

static void translate_bits(struct translator *translator, uint32_t opcode)
{
    LLVMBuilderRef builder = translator->builder;
    if (opcode == VECTOR_V128_NOT) {
        push(translator, LLVMBuildNot(builder, pop(translator), ""));
        return;
    }
    if (opcode == VECTOR_V128_ANY_TRUE) {
        LLVMTypeRef whole = LLVMIntTypeInContext(translator->context, 128);
        LLVMValueRef bits = LLVMBuildBitCast(builder, pop(translator), whole, "");
        push(translator, condition_value(translator, LLVMBuildICmp(builder, LLVMIntNE, bits,
                                                                   LLVMConstNull(whole), "")));
        return;
    }
    LLVMValueRef mask = opcode == VECTOR_V128_BITSELECT ? pop(translator) : NULL;
    LLVMValueRef b = pop(translator);
    LLVMValueRef a = pop(translator);
    LLVMValueRef result;
    if (opcode == VECTOR_V128_BITSELECT)
        result = LLVMBuildOr(builder, LLVMBuildAnd(builder, a, mask, ""),
                             LLVMBuildAnd(builder, b, LLVMBuildNot(builder, mask, ""), ""), "");
    else if (opcode == VECTOR_V128_AND)
        result = LLVMBuildAnd(builder, a, b, "");
    else if (opcode == VECTOR_V128_ANDNOT)
        result = LLVMBuildAnd(builder, a, LLVMBuildNot(builder, b, ""), "");
    else if (opcode == VECTOR_V128_OR)
        result = LLVMBuildOr(builder, a, b, "");
    else
        result = LLVMBuildXor(builder, a, b, "");
    push(translator, result);
}

/* A number of one bit per lane. */
static LLVMValueRef lane_bits(struct translator *translator, LLVMValueRef lanes)
{
    unsigned count = LLVMGetVectorSize(LLVMTypeOf(lanes));
    return LLVMBuildBitCast(translator->builder, lanes,
                            LLVMIntTypeInContext(translator->context, count), "");
}

static void translate_test(struct translator *translator, unsigned bits, bool is_all_true)
{
    LLVMBuilderRef builder = translator->builder;
    LLVMTypeRef shape = vector_type(translator, bits, false);
    LLVMValueRef value = pop_vector(translator, shape);
    LLVMValueRef zero = LLVMConstNull(shape);
    LLVMValueRef found = lane_bits(
        translator, LLVMBuildICmp(builder, is_all_true ? LLVMIntEQ : LLVMIntSLT, value, zero, ""));
    if (is_all_true)
        push(translator,
             condition_value(translator, LLVMBuildICmp(builder, LLVMIntEQ, found,
                                                       LLVMConstNull(LLVMTypeOf(found)), "")));
    else
        push(translator, LLVMBuildZExt(builder, found, translator->types.i32, ""));
}

/* Half of the lanes, twice as wide. */
static LLVMValueRef extended(struct translator *translator, LLVMValueRef vector, unsigned which)
{
    LLVMTypeRef from = LLVMTypeOf(vector);
    unsigned count = LLVMGetVectorSize(from) / 2;
    LLVMTypeRef to = vector_type(translator, 128 / count, false);
    LLVMValueRef half =
        take_lanes(translator, vector, LLVMGetPoison(from), count, which % 2 == 0 ? 0 : count, 1);
    return which < 2 ? LLVMBuildSExt(translator->builder, half, to, "")
                     : LLVMBuildZExt(translator->builder, half, to, "");
}

static void translate_widen(struct translator *translator, unsigned bits, unsigned which,
                            bool multiplies)
{
    LLVMTypeRef shape = vector_type(translator, bits / 2, false);
    LLVMValueRef b = extended(translator, pop_vector(translator, shape), which);
    if (multiplies)
        b = LLVMBuildMul(translator->builder,
                         extended(translator, pop_vector(translator, shape), which), b, "");
    push_vector(translator, b);
}

static void translate_pairwise(struct translator *translator, uint32_t opcode)
{
    unsigned which = opcode - VECTOR_I16X8_EXTADD_PAIRWISE_I8X16_S;
    unsigned bits = which < 2 ? 8 : 16;
    LLVMBuilderRef builder = translator->builder;
    LLVMTypeRef shape = vector_type(translator, bits, false);
    LLVMTypeRef wide = vector_type(translator, bits * 2, false);
    LLVMValueRef value = pop_vector(translator, shape);
    LLVMValueRef halves[2];
    for (unsigned i = 0; i < 2; i++) {
        LLVMValueRef half = take_lanes(translator, value, LLVMGetPoison(shape), 64 / bits, i, 2);
        halves[i] = which % 2 == 0 ? LLVMBuildSExt(builder, half, wide, "")
                                   : LLVMBuildZExt(builder, half, wide, "");
    }
    push_vector(translator, LLVMBuildAdd(builder, halves[0], halves[1], ""));
}

/* What exists as one instruction of the processor. */
static void translate_machine(struct translator *translator, enum intrinsic intrinsic,
                              unsigned bits)
{
    LLVMTypeRef shape = vector_type(translator, bits, false);
    LLVMValueRef operands[2];
    operands[1] = pop_vector(translator, shape);
    operands[0] = pop_vector(translator, shape);
    LLVMValueRef result = call_intrinsic(translator, intrinsic, NULL, 0, operands, 2);
    if (intrinsic == INTRINSIC_PMULHRSW) { /* -1 * -1 saturates */
        LLVMValueRef is_over = LLVMBuildICmp(translator->builder, LLVMIntEQ, result,
                                             constant_splat(shape, 0x8000), "");
        result = LLVMBuildXor(translator->builder, result,
                              LLVMBuildSExt(translator->builder, is_over, shape, ""), "");
    }
    push_vector(translator, result);
}

static void translate_swizzle(struct translator *translator)
{
    LLVMTypeRef shape = vector_type(translator, 8, false);
    LLVMValueRef index[2] = { pop_vector(translator, shape), constant_splat(shape, 0x70) };
    LLVMValueRef operands[2] = { pop_vector(translator, shape) };
    /* From 16 on bit 7 is set, for which the processor gives 0. */
    operands[1] = call_intrinsic(translator, INTRINSIC_UADD_SAT, &shape, 1, index, 2);
    push_vector(translator, call_intrinsic(translator, INTRINSIC_PSHUFB, NULL, 0, operands, 2));
}

static void translate_shift(struct translator *translator, unsigned bits, unsigned which)
{
    LLVMBuilderRef builder = translator->builder;
    LLVMTypeRef shape = vector_type(translator, bits, false);
    LLVMValueRef by = LLVMBuildAnd(builder, pop(translator), number32(translator, bits - 1), "");
    LLVMTypeRef lane = LLVMGetElementType(shape);
    by = bits < 32    ? LLVMBuildTrunc(builder, by, lane, "")
         : bits == 64 ? LLVMBuildZExt(builder, by, lane, "")
                      : by;
    by = splat(translator, shape, by);
    LLVMValueRef value = pop_vector(translator, shape);
    push_vector(translator, which == GROUP_SHL     ? LLVMBuildShl(builder, value, by, "")
                            : which == GROUP_SHR_S ? LLVMBuildAShr(builder, value, by, "")
                                                   : LLVMBuildLShr(builder, value, by, ""));
}

static LLVMValueRef average(struct translator *translator, LLVMValueRef a, LLVMValueRef b)
{
    LLVMBuilderRef builder = translator->builder;
    LLVMTypeRef shape = LLVMTypeOf(a);
    unsigned count = LLVMGetVectorSize(shape);
    LLVMTypeRef wide = LLVMVectorType(integer_of(translator, 256 / count), count);
    LLVMValueRef sum = LLVMBuildAdd(builder, LLVMBuildZExt(builder, a, wide, ""),
                                    LLVMBuildZExt(builder, b, wide, ""), "");
    sum = LLVMBuildAdd(builder, sum, constant_splat(wide, 1), "");
    return LLVMBuildTrunc(builder, LLVMBuildLShr(builder, sum, constant_splat(wide, 1), ""), shape,
                          "");
}

static void translate_integer_binary(struct translator *translator, unsigned bits, unsigned which)
{
    static const enum intrinsic intrinsics[GROUP_SIZE] = {
        [GROUP_ADD_SAT_S] = INTRINSIC_SADD_SAT, [GROUP_ADD_SAT_U] = INTRINSIC_UADD_SAT,
        [GROUP_SUB_SAT_S] = INTRINSIC_SSUB_SAT, [GROUP_SUB_SAT_U] = INTRINSIC_USUB_SAT,
        [GROUP_MIN_S] = INTRINSIC_SMIN,         [GROUP_MIN_U] = INTRINSIC_UMIN,
        [GROUP_MAX_S] = INTRINSIC_SMAX,         [GROUP_MAX_U] = INTRINSIC_UMAX,
    };
    LLVMBuilderRef builder = translator->builder;
    LLVMTypeRef shape = vector_type(translator, bits, false);
    LLVMValueRef b = pop_vector(translator, shape);
    LLVMValueRef a = pop_vector(translator, shape);
    LLVMValueRef operands[2] = { a, b };
    LLVMValueRef result;
    if (which == GROUP_ADD)
        result = LLVMBuildAdd(builder, a, b, "");
    else if (which == GROUP_SUB)
        result = LLVMBuildSub(builder, a, b, "");
    else if (which == GROUP_MUL)
        result = LLVMBuildMul(builder, a, b, "");
    else if (which == GROUP_AVGR)
        result = average(translator, a, b);
    else
        result = call_intrinsic(translator, intrinsics[which], &shape, 1, operands, 2);
    push_vector(translator, result);
}

static void translate_integer_unary(struct translator *translator, unsigned bits, unsigned which)
{
    LLVMTypeRef shape = vector_type(translator, bits, false);
    LLVMValueRef operands[2] = { pop_vector(translator, shape),
                                 LLVMConstNull(translator->types.i1) };
    if (which == GROUP_NEG)
        push_vector(translator, LLVMBuildNeg(translator->builder, operands[0], ""));
    else
        push_vector(translator,
                    call_intrinsic(translator, which == GROUP_ABS ? INTRINSIC_ABS : INTRINSIC_CTPOP,
                                   &shape, 1, operands, which == GROUP_ABS ? 2 : 1));
}

static void translate_group(struct translator *translator, unsigned bits, unsigned which)
{
    switch (which) {
    case GROUP_POPCNT_OR_Q15:
        if (bits == 16)
            translate_machine(translator, INTRINSIC_PMULHRSW, 16);
        else
            translate_integer_unary(translator, bits, which);
        return;
    case GROUP_ABS:
    case GROUP_NEG:
        translate_integer_unary(translator, bits, which);
        return;
    case GROUP_ALL_TRUE:
    case GROUP_BITMASK:
        translate_test(translator, bits, which == GROUP_ALL_TRUE);
        return;
    case GROUP_NARROW_S:
        translate_machine(translator, bits == 8 ? INTRINSIC_PACKSSWB : INTRINSIC_PACKSSDW,
                          bits * 2);
        return;
    case GROUP_NARROW_U:
        translate_machine(translator, bits == 8 ? INTRINSIC_PACKUSWB : INTRINSIC_PACKUSDW,
                          bits * 2);
        return;
    case GROUP_SHL:
    case GROUP_SHR_S:
    case GROUP_SHR_U:
        translate_shift(translator, bits, which);
        return;
    case GROUP_DOT:
        translate_machine(translator, INTRINSIC_PMADDWD, 16);
        return;
    default:
        break;
    }
    if (which >= GROUP_EXTMUL)
        translate_widen(translator, bits, which - GROUP_EXTMUL, true);
    else if (which >= GROUP_EXTEND && which < GROUP_SHL)
        translate_widen(translator, bits, which - GROUP_EXTEND, false);
    else
        translate_integer_binary(translator, bits, which);
}

static void translate_plain_vector(struct translator *translator, uint32_t opcode)
{
    if (opcode == VECTOR_I8X16_SWIZZLE) {
        translate_swizzle(translator);
    } else if (opcode <= VECTOR_F64X2_SPLAT) {
        translate_splat(translator, opcode);
    } else if (opcode <= VECTOR_I32X4_GE_U) {
        unsigned which = opcode - VECTOR_I8X16_EQ;
        translate_integer_compare(translator, 8u << (which / 10 & 3), which % 10);
    } else if (opcode >= VECTOR_V128_NOT && opcode <= VECTOR_V128_ANY_TRUE) {
        translate_bits(translator, opcode);
    } else if (opcode >= VECTOR_I16X8_EXTADD_PAIRWISE_I8X16_S &&
               opcode <= VECTOR_I32X4_EXTADD_PAIRWISE_I16X8_U) {
        translate_pairwise(translator, opcode);
    } else if (opcode >= VECTOR_I64X2_EQ && opcode <= VECTOR_I64X2_GE_S) {
        static const uint8_t predicates[] = { 0, 1, 2, 4, 6, 8 };
        translate_integer_compare(translator, 64, predicates[opcode - VECTOR_I64X2_EQ]);
    } else if (!translate_vector_float(translator, opcode) && opcode >= GROUP_FIRST) {
        unsigned group = (opcode - GROUP_FIRST) / GROUP_SIZE;
        translate_group(translator, 8u << group % 4, (opcode - GROUP_FIRST) % GROUP_SIZE);
    }
}

static void skip_vector(struct translator *translator, uint32_t opcode)
{
    struct scan *scan = &translator->scan;
    unsigned kind = vector_instructions[opcode].kind;
    if (kind == OPCODE_ACCESS || kind == OPCODE_ACCESS_LANE) {
        scan_u32(scan);
        scan_u32(scan);
    }
    if (kind == OPCODE_LANE || kind == OPCODE_ACCESS_LANE)
        scan_u8(scan);
    if (kind == OPCODE_SPECIAL)
        scan_bytes(scan, 16);
}

void translate_vector(struct translator *translator)
{
    uint32_t opcode = scan_u32(&translator->scan);
    if (!translator->is_reachable) {
        skip_vector(translator, opcode);
        return;
    }
    switch (vector_instructions[opcode].kind) {
    case OPCODE_ACCESS:
        translate_vector_access(translator, opcode);
        return;
    case OPCODE_ACCESS_LANE:
        translate_lane_access(translator, opcode);
        return;
    case OPCODE_LANE:
        translate_lane(translator, opcode);
        return;
    case OPCODE_SPECIAL:
        translate_constant_or_shuffle(translator, opcode);
        return;
    default:
        translate_plain_vector(translator, opcode);
        return;
    }
}
