/* SPDX-License-Identifier: Apache-2.0 */
/* Float instructions.  Arithmetic is constrained, so that LLVM doesn't fold away what makes a
 * signalling NaN quiet. */
#include "optimiser/translator.h"
#include "wasm/opcodes.h"

static LLVMTypeRef float_type(const struct translator *translator, bool is_wide)
{
    return is_wide ? translator->types.f64 : translator->types.f32;
}

LLVMValueRef float_arithmetic(struct translator *translator, enum intrinsic intrinsic,
                              LLVMValueRef a, LLVMValueRef b)
{
    LLVMTypeRef type = LLVMTypeOf(a);
    LLVMValueRef operands[2] = { a, b };
    return call_intrinsic(translator, intrinsic, &type, 1, operands, 2);
}

LLVMValueRef float_canonical(struct translator *translator, LLVMValueRef value)
{
    if (!translator->is_deterministic)
        return value;
    LLVMTypeRef type = LLVMTypeOf(value);
    bool is_vector = LLVMGetTypeKind(type) == LLVMVectorTypeKind;
    LLVMTypeRef lane = is_vector ? LLVMGetElementType(type) : type;
    LLVMValueRef nan =
        LLVMConstBitCast(lane == translator->types.f64 ? number64(translator, 0x7ff8000000000000u)
                                                       : number32(translator, 0x7fc00000u),
                         lane);
    if (is_vector)
        nan = splat(translator, type, nan);
    LLVMValueRef is_nan = LLVMBuildFCmp(translator->builder, LLVMRealUNO, value, value, "");
    return LLVMBuildSelect(translator->builder, is_nan, nan, value, "");
}

static void translate_compare(struct translator *translator, unsigned which)
{
    static const LLVMRealPredicate predicates[] = { LLVMRealOEQ, LLVMRealUNE, LLVMRealOLT,
                                                    LLVMRealOGT, LLVMRealOLE, LLVMRealOGE };
    LLVMValueRef b = pop(translator);
    LLVMValueRef a = pop(translator);
    push(translator, condition_value(translator, LLVMBuildFCmp(translator->builder,
                                                               predicates[which], a, b, "")));
}

static LLVMValueRef as_integer(struct translator *translator, LLVMValueRef value)
{
    LLVMTypeRef type = LLVMTypeOf(value);
    LLVMTypeRef integer = type == translator->types.f64   ? translator->types.i64
                          : type == translator->types.f32 ? translator->types.i32
                                                          : translator->types.v128;
    return LLVMBuildBitCast(translator->builder, value, integer, "");
}

/* The processor's minimum gives the second operand when the two are equal or not ordered; both ways
 * round, the bits of zeros of different signs then differ in the sign alone. */
LLVMValueRef float_extreme(struct translator *translator, LLVMValueRef a, LLVMValueRef b,
                           bool is_least)
{
    LLVMBuilderRef builder = translator->builder;
    LLVMRealPredicate predicate = is_least ? LLVMRealOLT : LLVMRealOGT;
    LLVMValueRef one =
        LLVMBuildSelect(builder, LLVMBuildFCmp(builder, predicate, a, b, ""), a, b, "");
    LLVMValueRef other =
        LLVMBuildSelect(builder, LLVMBuildFCmp(builder, predicate, b, a, ""), b, a, "");
    LLVMValueRef x = as_integer(translator, one);
    LLVMValueRef y = as_integer(translator, other);
    LLVMValueRef bits = is_least ? LLVMBuildOr(builder, x, y, "") : LLVMBuildAnd(builder, x, y, "");
    LLVMValueRef ordered = LLVMBuildBitCast(builder, bits, LLVMTypeOf(a), "");
    LLVMValueRef sum = float_arithmetic(translator, INTRINSIC_FADD, a, b);
    return LLVMBuildSelect(builder, LLVMBuildFCmp(builder, LLVMRealUNO, a, b, ""), sum, ordered,
                           "");
}

static void translate_unary(struct translator *translator, unsigned which, bool is_wide)
{
    static const enum intrinsic roundings[] = { INTRINSIC_FABS,  INTRINSIC_COUNT,
                                                INTRINSIC_CEIL,  INTRINSIC_FLOOR,
                                                INTRINSIC_TRUNC, INTRINSIC_ROUNDEVEN,
                                                INTRINSIC_SQRT };
    LLVMValueRef value = pop(translator);
    LLVMTypeRef type = float_type(translator, is_wide);
    if (which == 1) {
        push(translator, LLVMBuildFNeg(translator->builder, value, ""));
        return;
    }
    LLVMValueRef result = call_intrinsic(translator, roundings[which], &type, 1, &value, 1);
    push(translator, which == 0 ? result : float_canonical(translator, result));
}

/* which: add, sub, mul, div, min, max, copysign */
static void translate_binary(struct translator *translator, unsigned which)
{
    static const enum intrinsic operations[] = { INTRINSIC_FADD, INTRINSIC_FSUB, INTRINSIC_FMUL,
                                                 INTRINSIC_FDIV };
    LLVMValueRef b = pop(translator);
    LLVMValueRef a = pop(translator);
    if (which < 4)
        push(translator,
             float_canonical(translator, float_arithmetic(translator, operations[which], a, b)));
    else if (which < 6)
        push(translator, float_canonical(translator, float_extreme(translator, a, b, which == 4)));
    else
        push(translator, float_arithmetic(translator, INTRINSIC_COPYSIGN, a, b));
}

/* What truncates to a number in range lies strictly between these. */
struct truncation {
    double above, below;
    bool takes_above; /* `above` itself is in range */
};

static struct truncation truncation_of(bool from_wide, bool to_wide, bool is_signed)
{
    if (to_wide)
        return is_signed ? (struct truncation){ -0x1p63, 0x1p63, true }
                         : (struct truncation){ -1, 0x1p64, false };
    if (!is_signed)
        return (struct truncation){ -1, 0x1p32, false };
    return from_wide ? (struct truncation){ -0x1p31 - 1, 0x1p31, false }
                     : (struct truncation){ -0x1p31, 0x1p31, true };
}

static LLVMValueRef to_integer(struct translator *translator, LLVMValueRef value, bool to_wide,
                               bool is_signed)
{
    LLVMTypeRef type = to_wide ? translator->types.i64 : translator->types.i32;
    return is_signed ? LLVMBuildFPToSI(translator->builder, value, type, "")
                     : LLVMBuildFPToUI(translator->builder, value, type, "");
}

static void translate_truncate(struct translator *translator, bool from_wide, bool to_wide,
                               bool is_signed)
{
    LLVMBuilderRef builder = translator->builder;
    LLVMTypeRef type = float_type(translator, from_wide);
    LLVMValueRef value = pop(translator);
    trap_if(translator, LLVMBuildFCmp(builder, LLVMRealUNO, value, value, ""), TRAP_CONVERSION);
    struct truncation range = truncation_of(from_wide, to_wide, is_signed);
    LLVMValueRef is_below = LLVMBuildFCmp(builder, range.takes_above ? LLVMRealULT : LLVMRealULE,
                                          value, LLVMConstReal(type, range.above), "");
    LLVMValueRef is_above =
        LLVMBuildFCmp(builder, LLVMRealUGE, value, LLVMConstReal(type, range.below), "");
    trap_if(translator, LLVMBuildOr(builder, is_below, is_above, ""), TRAP_INTEGER_OVERFLOW);
    push(translator, to_integer(translator, value, to_wide, is_signed));
}

void translate_saturating(struct translator *translator, uint32_t opcode)
{
    bool is_signed = (opcode & 1) == 0;
    LLVMValueRef value = pop(translator);
    LLVMTypeRef types[2] = { opcode >= PREFIXED_I64_TRUNC_SAT_F32_S ? translator->types.i64
                                                                    : translator->types.i32,
                             LLVMTypeOf(value) };
    push(translator,
         call_intrinsic(translator, is_signed ? INTRINSIC_FPTOSI_SAT : INTRINSIC_FPTOUI_SAT, types,
                        2, &value, 1));
}

static void translate_resize(struct translator *translator, bool to_wide)
{
    LLVMTypeRef types[2] = { float_type(translator, to_wide), float_type(translator, !to_wide) };
    LLVMValueRef value = pop(translator);
    LLVMValueRef result = call_intrinsic(translator, to_wide ? INTRINSIC_FPEXT : INTRINSIC_FPTRUNC,
                                         types, 2, &value, 1);
    push(translator, float_canonical(translator, result));
}

static void translate_convert(struct translator *translator, bool to_wide, bool is_signed)
{
    LLVMTypeRef type = float_type(translator, to_wide);
    LLVMValueRef value = pop(translator);
    push(translator, is_signed ? LLVMBuildSIToFP(translator->builder, value, type, "")
                               : LLVMBuildUIToFP(translator->builder, value, type, ""));
}

static void translate_reinterpret(struct translator *translator, LLVMTypeRef type)
{
    push(translator, LLVMBuildBitCast(translator->builder, pop(translator), type, ""));
}

static bool translate_conversion(struct translator *translator, uint8_t opcode)
{
    const struct translator_types *types = &translator->types;
    switch (opcode) {
    case OPCODE_F32_DEMOTE_F64:
        translate_resize(translator, false);
        return true;
    case OPCODE_F64_PROMOTE_F32:
        translate_resize(translator, true);
        return true;
    case OPCODE_I32_REINTERPRET_F32:
        translate_reinterpret(translator, types->i32);
        return true;
    case OPCODE_I64_REINTERPRET_F64:
        translate_reinterpret(translator, types->i64);
        return true;
    case OPCODE_F32_REINTERPRET_I32:
        translate_reinterpret(translator, types->f32);
        return true;
    case OPCODE_F64_REINTERPRET_I64:
        translate_reinterpret(translator, types->f64);
        return true;
    default:
        break;
    }
    /* Runs of four: from f32 or f64 (i32 or i64 for conversions), signed or not. */
    if (opcode >= OPCODE_I32_TRUNC_F32_S && opcode <= OPCODE_I32_TRUNC_F64_U) {
        unsigned which = (unsigned)opcode - OPCODE_I32_TRUNC_F32_S;
        translate_truncate(translator, which >= 2, false, (which & 1) == 0);
    } else if (opcode >= OPCODE_I64_TRUNC_F32_S && opcode <= OPCODE_I64_TRUNC_F64_U) {
        unsigned which = (unsigned)opcode - OPCODE_I64_TRUNC_F32_S;
        translate_truncate(translator, which >= 2, true, (which & 1) == 0);
    } else if (opcode >= OPCODE_F32_CONVERT_I32_S && opcode <= OPCODE_F32_CONVERT_I64_U) {
        translate_convert(translator, false, ((opcode - OPCODE_F32_CONVERT_I32_S) & 1) == 0);
    } else if (opcode >= OPCODE_F64_CONVERT_I32_S && opcode <= OPCODE_F64_CONVERT_I64_U) {
        translate_convert(translator, true, ((opcode - OPCODE_F64_CONVERT_I32_S) & 1) == 0);
    } else {
        return false;
    }
    return true;
}

bool translate_float(struct translator *translator, uint8_t opcode)
{
    if (opcode >= OPCODE_F32_EQ && opcode <= OPCODE_F32_GE)
        translate_compare(translator, (unsigned)opcode - OPCODE_F32_EQ);
    else if (opcode >= OPCODE_F64_EQ && opcode <= OPCODE_F64_GE)
        translate_compare(translator, (unsigned)opcode - OPCODE_F64_EQ);
    else if (opcode >= OPCODE_F32_ABS && opcode <= OPCODE_F32_SQRT)
        translate_unary(translator, (unsigned)opcode - OPCODE_F32_ABS, false);
    else if (opcode >= OPCODE_F64_ABS && opcode <= OPCODE_F64_SQRT)
        translate_unary(translator, (unsigned)opcode - OPCODE_F64_ABS, true);
    else if (opcode >= OPCODE_F32_ADD && opcode <= OPCODE_F32_COPYSIGN)
        translate_binary(translator, (unsigned)opcode - OPCODE_F32_ADD);
    else if (opcode >= OPCODE_F64_ADD && opcode <= OPCODE_F64_COPYSIGN)
        translate_binary(translator, (unsigned)opcode - OPCODE_F64_ADD);
    else
        return translate_conversion(translator, opcode);
    return true;
}
