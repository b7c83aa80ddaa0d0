/* SPDX-License-Identifier: Apache-2.0 */
/* Vector instructions on floats. */
#include "optimiser/translator.h"
#include "wasm/vector_opcodes.h"

static void translate_compare(struct translator *translator, bool is_wide, unsigned which)
{
    static const LLVMRealPredicate predicates[] = { LLVMRealOEQ, LLVMRealUNE, LLVMRealOLT,
                                                    LLVMRealOGT, LLVMRealOLE, LLVMRealOGE };
    unsigned bits = is_wide ? 64 : 32;
    LLVMTypeRef shape = vector_type(translator, bits, true);
    LLVMValueRef b = pop_vector(translator, shape);
    LLVMValueRef a = pop_vector(translator, shape);
    LLVMValueRef same = LLVMBuildFCmp(translator->builder, predicates[which], a, b, "");
    push_vector(translator,
                LLVMBuildSExt(translator->builder, same, vector_type(translator, bits, false), ""));
}

static void translate_rounding(struct translator *translator, bool is_wide,
                               enum intrinsic intrinsic)
{
    LLVMTypeRef shape = vector_type(translator, is_wide ? 64 : 32, true);
    LLVMValueRef value = pop_vector(translator, shape);
    push_vector(translator, float_canonical(translator, call_intrinsic(translator, intrinsic,
                                                                       &shape, 1, &value, 1)));
}

/* which counts from f32x4.abs or f64x2.abs: abs, neg, none, sqrt, add, sub, mul, div, min, max,
 * pmin, pmax */
static void translate_arithmetic(struct translator *translator, bool is_wide, unsigned which)
{
    static const enum intrinsic intrinsics[] = { INTRINSIC_FADD, INTRINSIC_FSUB, INTRINSIC_FMUL,
                                                 INTRINSIC_FDIV };
    LLVMBuilderRef builder = translator->builder;
    LLVMTypeRef shape = vector_type(translator, is_wide ? 64 : 32, true);
    if (which == 3) {
        translate_rounding(translator, is_wide, INTRINSIC_SQRT);
        return;
    }
    LLVMValueRef b = pop_vector(translator, shape);
    if (which < 2) {
        push_vector(translator, which == 1
                                    ? LLVMBuildFNeg(builder, b, "")
                                    : call_intrinsic(translator, INTRINSIC_FABS, &shape, 1, &b, 1));
        return;
    }
    LLVMValueRef a = pop_vector(translator, shape);
    LLVMValueRef result;
    if (which < 8)
        result =
            float_canonical(translator, float_arithmetic(translator, intrinsics[which - 4], a, b));
    else if (which < 10)
        result = float_canonical(translator, float_extreme(translator, a, b, which == 8));
    else /* the processor's own minimum and maximum, with the operands the other way round */
        result = LLVMBuildSelect(
            builder, LLVMBuildFCmp(builder, which == 10 ? LLVMRealOLT : LLVMRealOGT, b, a, ""), b,
            a, "");
    push_vector(translator, result);
}

/* Two lanes of f64 or i32 become the lower ones of four, beside zeros. */
static LLVMValueRef beside_zeros(struct translator *translator, LLVMValueRef pair)
{
    return take_lanes(translator, pair, LLVMConstNull(LLVMTypeOf(pair)), 4, 0, 1);
}

static LLVMValueRef lower_half(struct translator *translator, LLVMValueRef vector)
{
    return take_lanes(translator, vector, LLVMGetPoison(LLVMTypeOf(vector)), 2, 0, 1);
}

static void translate_resize(struct translator *translator, bool to_wide)
{
    LLVMTypeRef pair = LLVMVectorType(translator->types.f32, 2);
    LLVMTypeRef wide = vector_type(translator, 64, true);
    LLVMTypeRef types[2] = { to_wide ? wide : pair, to_wide ? pair : wide };
    LLVMValueRef value = pop_vector(translator, vector_type(translator, to_wide ? 32 : 64, true));
    if (to_wide)
        value = lower_half(translator, value);
    LLVMValueRef result = call_intrinsic(translator, to_wide ? INTRINSIC_FPEXT : INTRINSIC_FPTRUNC,
                                         types, 2, &value, 1);
    result = float_canonical(translator, result);
    push_vector(translator, to_wide ? result : beside_zeros(translator, result));
}

static void translate_truncate(struct translator *translator, bool from_wide, bool is_signed)
{
    LLVMValueRef value = pop_vector(translator, vector_type(translator, from_wide ? 64 : 32, true));
    LLVMTypeRef types[2] = { LLVMVectorType(translator->types.i32, from_wide ? 2 : 4),
                             LLVMTypeOf(value) };
    LLVMValueRef result = call_intrinsic(
        translator, is_signed ? INTRINSIC_FPTOSI_SAT : INTRINSIC_FPTOUI_SAT, types, 2, &value, 1);
    push_vector(translator, from_wide ? beside_zeros(translator, result) : result);
}

static void translate_convert(struct translator *translator, bool to_wide, bool is_signed)
{
    LLVMValueRef value = pop_vector(translator, vector_type(translator, 32, false));
    LLVMTypeRef type = vector_type(translator, to_wide ? 64 : 32, true);
    if (to_wide)
        value = lower_half(translator, value);
    push_vector(translator, is_signed ? LLVMBuildSIToFP(translator->builder, value, type, "")
                                      : LLVMBuildUIToFP(translator->builder, value, type, ""));
}

bool translate_vector_float(struct translator *translator, uint32_t opcode)
{
    static const enum intrinsic roundings[] = { INTRINSIC_CEIL, INTRINSIC_FLOOR, INTRINSIC_TRUNC,
                                                INTRINSIC_ROUNDEVEN };
    if (opcode >= VECTOR_F32X4_EQ && opcode <= VECTOR_F32X4_GE)
        translate_compare(translator, false, opcode - VECTOR_F32X4_EQ);
    else if (opcode >= VECTOR_F64X2_EQ && opcode <= VECTOR_F64X2_GE)
        translate_compare(translator, true, opcode - VECTOR_F64X2_EQ);
    else if (opcode >= VECTOR_F32X4_CEIL && opcode <= VECTOR_F32X4_NEAREST)
        translate_rounding(translator, false, roundings[opcode - VECTOR_F32X4_CEIL]);
    else if (opcode == VECTOR_F64X2_CEIL || opcode == VECTOR_F64X2_FLOOR)
        translate_rounding(translator, true, roundings[opcode - VECTOR_F64X2_CEIL]);
    else if (opcode == VECTOR_F64X2_TRUNC || opcode == VECTOR_F64X2_NEAREST)
        translate_rounding(translator, true, roundings[opcode == VECTOR_F64X2_TRUNC ? 2 : 3]);
    else if (opcode == VECTOR_F32X4_DEMOTE_F64X2_ZERO || opcode == VECTOR_F64X2_PROMOTE_LOW_F32X4)
        translate_resize(translator, opcode == VECTOR_F64X2_PROMOTE_LOW_F32X4);
    else if (opcode >= VECTOR_F32X4_ABS && opcode <= VECTOR_F32X4_PMAX)
        translate_arithmetic(translator, false, opcode - VECTOR_F32X4_ABS);
    else if (opcode >= VECTOR_F64X2_ABS && opcode <= VECTOR_F64X2_PMAX)
        translate_arithmetic(translator, true, opcode - VECTOR_F64X2_ABS);
    else if (opcode == VECTOR_I32X4_TRUNC_SAT_F32X4_S || opcode == VECTOR_I32X4_TRUNC_SAT_F32X4_U)
        translate_truncate(translator, false, opcode == VECTOR_I32X4_TRUNC_SAT_F32X4_S);
    else if (opcode == VECTOR_I32X4_TRUNC_SAT_F64X2_S_ZERO ||
             opcode == VECTOR_I32X4_TRUNC_SAT_F64X2_U_ZERO)
        translate_truncate(translator, true, opcode == VECTOR_I32X4_TRUNC_SAT_F64X2_S_ZERO);
    else if (opcode == VECTOR_F32X4_CONVERT_I32X4_S || opcode == VECTOR_F32X4_CONVERT_I32X4_U)
        translate_convert(translator, false, opcode == VECTOR_F32X4_CONVERT_I32X4_S);
    else if (opcode >= VECTOR_F64X2_CONVERT_LOW_I32X4_S)
        translate_convert(translator, true, opcode == VECTOR_F64X2_CONVERT_LOW_I32X4_S);
    else
        return false;
    return true;
}
