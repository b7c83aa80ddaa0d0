/* SPDX-License-Identifier: Apache-2.0 */
/* Integer instructions.  What LLVM calls poison (shifts and divisions out of range) is made what
 * WebAssembly says before it gets there. */
#include "optimiser/translator.h"
#include "wasm/opcodes.h"

static LLVMTypeRef integer_type(const struct translator *translator, bool is_wide)
{
    return is_wide ? translator->types.i64 : translator->types.i32;
}

static LLVMValueRef integer(const struct translator *translator, bool is_wide, uint64_t number)
{
    return LLVMConstInt(integer_type(translator, is_wide), number, 0);
}

static void translate_compare(struct translator *translator, unsigned which)
{
    static const LLVMIntPredicate predicates[] = { LLVMIntEQ,  LLVMIntNE,  LLVMIntSLT, LLVMIntULT,
                                                   LLVMIntSGT, LLVMIntUGT, LLVMIntSLE, LLVMIntULE,
                                                   LLVMIntSGE, LLVMIntUGE };
    LLVMValueRef b = pop(translator);
    LLVMValueRef a = pop(translator);
    push(translator, condition_value(translator, LLVMBuildICmp(translator->builder,
                                                               predicates[which], a, b, "")));
}

static void translate_is_zero(struct translator *translator)
{
    LLVMValueRef value = pop(translator);
    LLVMValueRef source = LLVMIsAZExtInst(value) != NULL ? LLVMGetOperand(value, 0) : NULL;
    LLVMValueRef condition;
    if (source != NULL && LLVMTypeOf(source) == translator->types.i1)
        condition = LLVMBuildNot(translator->builder, source, "");
    else
        condition = LLVMBuildICmp(translator->builder, LLVMIntEQ, value,
                                  LLVMConstNull(LLVMTypeOf(value)), "");
    push(translator, condition_value(translator, condition));
}

static void translate_count(struct translator *translator, unsigned which, bool is_wide)
{
    static const enum intrinsic counts[] = { INTRINSIC_CTLZ, INTRINSIC_CTTZ, INTRINSIC_CTPOP };
    LLVMTypeRef type = integer_type(translator, is_wide);
    LLVMValueRef arguments[2] = { pop(translator), LLVMConstNull(translator->types.i1) };
    push(translator, call_intrinsic(translator, counts[which], &type, 1, arguments,
                                    counts[which] == INTRINSIC_CTPOP ? 1 : 2));
}

static LLVMValueRef is_number(struct translator *translator, LLVMValueRef value, bool is_wide,
                              uint64_t number)
{
    return LLVMBuildICmp(translator->builder, LLVMIntEQ, value,
                         integer(translator, is_wide, number), "");
}

/* which: div_s, div_u, rem_s, rem_u */
static void translate_division(struct translator *translator, unsigned which, bool is_wide)
{
    LLVMBuilderRef builder = translator->builder;
    LLVMValueRef b = pop(translator);
    LLVMValueRef a = pop(translator);
    if (LLVMIsAConstantInt(b) == NULL || LLVMConstIntGetZExtValue(b) == 0)
        trap_if(translator, is_number(translator, b, is_wide, 0), TRAP_DIVIDE_BY_ZERO);
    LLVMValueRef result;
    if (which == 0) {
        LLVMValueRef is_least =
            is_number(translator, a, is_wide, is_wide ? 1ull << 63 : 1ull << 31);
        LLVMValueRef is_minus_one = is_number(translator, b, is_wide, ~0ull);
        trap_if(translator, LLVMBuildAnd(builder, is_least, is_minus_one, ""),
                TRAP_INTEGER_OVERFLOW);
        result = LLVMBuildSDiv(builder, a, b, "");
    } else if (which == 2) {
        /* a % -1 is 0, as a % 1 is, which doesn't overflow. */
        LLVMValueRef safe = LLVMBuildSelect(builder, is_number(translator, b, is_wide, ~0ull),
                                            integer(translator, is_wide, 1), b, "");
        result = LLVMBuildSRem(builder, a, safe, "");
    } else {
        result = which == 1 ? LLVMBuildUDiv(builder, a, b, "") : LLVMBuildURem(builder, a, b, "");
    }
    push(translator, result);
}

/* which counts from i32.add or i64.add */
static void translate_arithmetic(struct translator *translator, unsigned which, bool is_wide)
{
    LLVMBuilderRef builder = translator->builder;
    if (which >= 3 && which <= 6) {
        translate_division(translator, which - 3, is_wide);
        return;
    }
    LLVMValueRef b = pop(translator);
    LLVMValueRef a = pop(translator);
    LLVMTypeRef type = integer_type(translator, is_wide);
    if (which >= 10 && which <= 12)
        b = LLVMBuildAnd(builder, b, integer(translator, is_wide, is_wide ? 63 : 31), "");
    LLVMValueRef rotation[3] = { a, a, b };
    LLVMValueRef result = NULL;
    switch (which) {
    case 0:
        result = LLVMBuildAdd(builder, a, b, "");
        break;
    case 1:
        result = LLVMBuildSub(builder, a, b, "");
        break;
    case 2:
        result = LLVMBuildMul(builder, a, b, "");
        break;
    case 7:
        result = LLVMBuildAnd(builder, a, b, "");
        break;
    case 8:
        result = LLVMBuildOr(builder, a, b, "");
        break;
    case 9:
        result = LLVMBuildXor(builder, a, b, "");
        break;
    case 10:
        result = LLVMBuildShl(builder, a, b, "");
        break;
    case 11:
        result = LLVMBuildAShr(builder, a, b, "");
        break;
    case 12:
        result = LLVMBuildLShr(builder, a, b, "");
        break;
    default:
        result = call_intrinsic(translator, which == 13 ? INTRINSIC_FSHL : INTRINSIC_FSHR, &type, 1,
                                rotation, 3);
        break;
    }
    push(translator, result);
}

static void translate_sign(struct translator *translator, LLVMTypeRef narrow, bool is_wide)
{
    LLVMValueRef low = LLVMBuildTrunc(translator->builder, pop(translator), narrow, "");
    push(translator,
         LLVMBuildSExt(translator->builder, low, integer_type(translator, is_wide), ""));
}

static void translate_width(struct translator *translator, uint8_t opcode)
{
    const struct translator_types *types = &translator->types;
    LLVMBuilderRef builder = translator->builder;
    switch (opcode) {
    case OPCODE_I32_WRAP_I64:
        push(translator, LLVMBuildTrunc(builder, pop(translator), types->i32, ""));
        return;
    case OPCODE_I64_EXTEND_I32_S:
        push(translator, LLVMBuildSExt(builder, pop(translator), types->i64, ""));
        return;
    case OPCODE_I64_EXTEND_I32_U:
        push(translator, LLVMBuildZExt(builder, pop(translator), types->i64, ""));
        return;
    case OPCODE_I32_EXTEND8_S:
    case OPCODE_I32_EXTEND16_S:
        translate_sign(translator, opcode == OPCODE_I32_EXTEND8_S ? types->i8 : types->i16, false);
        return;
    case OPCODE_I64_EXTEND8_S:
    case OPCODE_I64_EXTEND16_S:
        translate_sign(translator, opcode == OPCODE_I64_EXTEND8_S ? types->i8 : types->i16, true);
        return;
    case OPCODE_I64_EXTEND32_S:
        translate_sign(translator, types->i32, true);
        return;
    default:
        translator->is_refused = true;
        return;
    }
}

void translate_plain(struct translator *translator, uint8_t opcode)
{
    if (opcode == OPCODE_I32_EQZ || opcode == OPCODE_I64_EQZ)
        translate_is_zero(translator);
    else if (opcode >= OPCODE_I32_EQ && opcode <= OPCODE_I32_GE_U)
        translate_compare(translator, (unsigned)opcode - OPCODE_I32_EQ);
    else if (opcode >= OPCODE_I64_EQ && opcode <= OPCODE_I64_GE_U)
        translate_compare(translator, (unsigned)opcode - OPCODE_I64_EQ);
    else if (opcode >= OPCODE_I32_CLZ && opcode <= OPCODE_I32_POPCNT)
        translate_count(translator, (unsigned)opcode - OPCODE_I32_CLZ, false);
    else if (opcode >= OPCODE_I64_CLZ && opcode <= OPCODE_I64_POPCNT)
        translate_count(translator, (unsigned)opcode - OPCODE_I64_CLZ, true);
    else if (opcode >= OPCODE_I32_ADD && opcode <= OPCODE_I32_ROTR)
        translate_arithmetic(translator, (unsigned)opcode - OPCODE_I32_ADD, false);
    else if (opcode >= OPCODE_I64_ADD && opcode <= OPCODE_I64_ROTR)
        translate_arithmetic(translator, (unsigned)opcode - OPCODE_I64_ADD, true);
    else if (!translate_float(translator, opcode))
        translate_width(translator, opcode);
}
