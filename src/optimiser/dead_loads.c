/* SPDX-License-Identifier: Apache-2.0 */
/* LLVM deletes a load whose value nobody needs, and with it the trap of an access out of bounds.
 * This follows each loaded value to something that is sure to stay, through operations that can't
 * lose it; known bits, masks, shifts, products and comparisons can.  A load that does not get there
 * in a few steps gets a use of its own: inline assembly of no instructions, which wants the value
 * in a register.  Such a load may still be hoisted or share another's value; it is never lost. */
#include "optimiser/pipeline.h"

#include <string.h>

enum {
    STEPS_MAX = 64
};

/* Called functions that LLVM keeps: real ones, assembly, and strict floating-point operations. */
static bool is_kept_call(LLVMValueRef call)
{
    static const char strict[] = "llvm.experimental.constrained.";
    LLVMValueRef callee = LLVMGetCalledValue(call);
    size_t size;
    if (LLVMIsAFunction(callee) == NULL || LLVMGetIntrinsicID(callee) == 0)
        return true;
    const char *name = LLVMGetValueName2(callee, &size);
    return size >= sizeof(strict) - 1 && memcmp(name, strict, sizeof(strict) - 1) == 0;
}

/* A store of what was just loaded from there does nothing. */
static bool is_idle_store(LLVMValueRef store, LLVMValueRef value)
{
    return LLVMGetOperand(store, 0) == value && LLVMIsALoadInst(value) != NULL &&
           LLVMGetOperand(store, 1) == LLVMGetOperand(value, 0);
}

/* Sure to stay: effects, and loads, which are kept themselves.  A branch may go the same way on
 * both sides. */
static bool is_root(LLVMValueRef user, LLVMValueRef value)
{
    switch (LLVMGetInstructionOpcode(user)) {
    case LLVMStore:
        return !is_idle_store(user, value);
    case LLVMLoad:
    case LLVMRet:
        return true;
    case LLVMCall:
        return is_kept_call(user);
    default:
        return false;
    }
}

/* The result differs whenever the operand does. */
static bool is_lossless(LLVMValueRef user)
{
    switch (LLVMGetInstructionOpcode(user)) {
    case LLVMAdd:
    case LLVMSub:
    case LLVMXor:
        return LLVMGetOperand(user, 0) != LLVMGetOperand(user, 1);
    case LLVMZExt:
    case LLVMSExt:
    case LLVMBitCast:
    case LLVMFPExt:
    case LLVMFNeg:
    case LLVMIntToPtr:
    case LLVMPtrToInt:
    case LLVMGetElementPtr:
        return true;
    default:
        return false;
    }
}

static bool is_needed(LLVMValueRef value, unsigned *steps)
{
    for (LLVMUseRef use = LLVMGetFirstUse(value); use != NULL; use = LLVMGetNextUse(use)) {
        LLVMValueRef user = LLVMGetUser(use);
        if (*steps == 0 || LLVMIsAInstruction(user) == NULL)
            return false;
        --*steps;
        if (is_root(user, value) || (is_lossless(user) && is_needed(user, steps)))
            return true;
    }
    return false;
}

static unsigned vector_bits(LLVMTypeRef type)
{
    LLVMTypeRef element = LLVMGetElementType(type);
    LLVMTypeKind kind = LLVMGetTypeKind(element);
    unsigned bits = kind == LLVMIntegerTypeKind  ? LLVMGetIntTypeWidth(element)
                    : kind == LLVMFloatTypeKind  ? 32u
                    : kind == LLVMDoubleTypeKind ? 64u
                                                 : 0u;
    return bits * LLVMGetVectorSize(type);
}

/* The register class that holds the type whole; NULL: none does. */
static const char *register_for(LLVMTypeRef type)
{
    switch (LLVMGetTypeKind(type)) {
    case LLVMIntegerTypeKind:
        return LLVMGetIntTypeWidth(type) <= 64 ? "r" : NULL;
    case LLVMPointerTypeKind:
        return "r";
    case LLVMFloatTypeKind:
    case LLVMDoubleTypeKind:
        return "x";
    case LLVMVectorTypeKind:
        return vector_bits(type) == 128 ? "x" : NULL;
    default:
        return NULL;
    }
}

/* `value` is used right behind where it is loaded. */
static void add_use(struct translator *translator, LLVMValueRef value)
{
    LLVMTypeRef type = LLVMTypeOf(value);
    const char *constraint = register_for(type);
    if (constraint == NULL) {
        LLVMSetVolatile(value, 1);
        return;
    }
    LLVMTypeRef function = LLVMFunctionType(translator->types.nothing, &type, 1, 0);
    LLVMValueRef code =
        LLVMGetInlineAsm(function, "", 0, constraint, 1, 1, 0, LLVMInlineAsmDialectATT, 0);
    LLVMPositionBuilderBefore(translator->builder, LLVMGetNextInstruction(value));
    LLVMBuildCall2(translator->builder, function, code, &value, 1, "");
}

static void keep_in_block(struct translator *translator, LLVMBasicBlockRef block)
{
    LLVMValueRef next;
    for (LLVMValueRef at = LLVMGetFirstInstruction(block); at != NULL; at = next) {
        unsigned steps = STEPS_MAX;
        next = LLVMGetNextInstruction(at);
        if (LLVMGetInstructionOpcode(at) == LLVMLoad && !is_needed(at, &steps))
            add_use(translator, at);
    }
}

void dead_loads_keep(struct translator *translator)
{
    for (LLVMValueRef function = LLVMGetFirstFunction(translator->llvm); function != NULL;
         function = LLVMGetNextFunction(function)) {
        for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function); block != NULL;
             block = LLVMGetNextBasicBlock(block))
            keep_in_block(translator, block);
    }
}
