/* SPDX-License-Identifier: Apache-2.0 */
#include "optimiser/translator.h"

#include <string.h>

static const struct {
    const char *name;
    bool is_constrained;
    bool is_rounded;
} intrinsics[INTRINSIC_COUNT] = {
    [INTRINSIC_CTLZ] = { "llvm.ctlz", false, false },
    [INTRINSIC_CTTZ] = { "llvm.cttz", false, false },
    [INTRINSIC_CTPOP] = { "llvm.ctpop", false, false },
    [INTRINSIC_FSHL] = { "llvm.fshl", false, false },
    [INTRINSIC_FSHR] = { "llvm.fshr", false, false },
    [INTRINSIC_FABS] = { "llvm.fabs", false, false },
    [INTRINSIC_CEIL] = { "llvm.ceil", false, false },
    [INTRINSIC_FLOOR] = { "llvm.floor", false, false },
    [INTRINSIC_TRUNC] = { "llvm.trunc", false, false },
    [INTRINSIC_ROUNDEVEN] = { "llvm.roundeven", false, false },
    [INTRINSIC_SQRT] = { "llvm.sqrt", false, false },
    [INTRINSIC_COPYSIGN] = { "llvm.copysign", false, false },
    [INTRINSIC_FPTOSI_SAT] = { "llvm.fptosi.sat", false, false },
    [INTRINSIC_FPTOUI_SAT] = { "llvm.fptoui.sat", false, false },
    [INTRINSIC_ABS] = { "llvm.abs", false, false },
    [INTRINSIC_SADD_SAT] = { "llvm.sadd.sat", false, false },
    [INTRINSIC_UADD_SAT] = { "llvm.uadd.sat", false, false },
    [INTRINSIC_SSUB_SAT] = { "llvm.ssub.sat", false, false },
    [INTRINSIC_USUB_SAT] = { "llvm.usub.sat", false, false },
    [INTRINSIC_SMIN] = { "llvm.smin", false, false },
    [INTRINSIC_UMIN] = { "llvm.umin", false, false },
    [INTRINSIC_SMAX] = { "llvm.smax", false, false },
    [INTRINSIC_UMAX] = { "llvm.umax", false, false },
    [INTRINSIC_PACKSSWB] = { "llvm.x86.sse2.packsswb.128", false, false },
    [INTRINSIC_PACKUSWB] = { "llvm.x86.sse2.packuswb.128", false, false },
    [INTRINSIC_PACKSSDW] = { "llvm.x86.sse2.packssdw.128", false, false },
    [INTRINSIC_PACKUSDW] = { "llvm.x86.sse41.packusdw", false, false },
    [INTRINSIC_PMULHRSW] = { "llvm.x86.ssse3.pmul.hr.sw.128", false, false },
    [INTRINSIC_PMADDWD] = { "llvm.x86.sse2.pmadd.wd", false, false },
    [INTRINSIC_PSHUFB] = { "llvm.x86.ssse3.pshuf.b.128", false, false },
    [INTRINSIC_FADD] = { "llvm.experimental.constrained.fadd", true, true },
    [INTRINSIC_FSUB] = { "llvm.experimental.constrained.fsub", true, true },
    [INTRINSIC_FMUL] = { "llvm.experimental.constrained.fmul", true, true },
    [INTRINSIC_FDIV] = { "llvm.experimental.constrained.fdiv", true, true },
    [INTRINSIC_FPEXT] = { "llvm.experimental.constrained.fpext", true, false },
    [INTRINSIC_FPTRUNC] = { "llvm.experimental.constrained.fptrunc", true, true },
};

LLVMValueRef call_intrinsic(struct translator *translator, enum intrinsic intrinsic,
                            LLVMTypeRef *types, unsigned type_count, LLVMValueRef *arguments,
                            unsigned argument_count)
{
    const char *name = intrinsics[intrinsic].name;
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMValueRef all[6];
    memcpy(all, arguments, argument_count * sizeof(*arguments));
    if (intrinsics[intrinsic].is_rounded)
        all[argument_count++] = translator->rounding;
    if (intrinsics[intrinsic].is_constrained)
        all[argument_count++] = translator->exceptions;
    LLVMValueRef called = LLVMGetIntrinsicDeclaration(translator->llvm, id, types, type_count);
    LLVMTypeRef type = LLVMIntrinsicGetType(translator->context, id, types, type_count);
    LLVMValueRef call = LLVMBuildCall2(translator->builder, type, called, all, argument_count, "");
    if (intrinsics[intrinsic].is_constrained)
        LLVMAddCallSiteAttribute(call, FUNCTION_ATTRIBUTES, translator->strict);
    return call;
}
