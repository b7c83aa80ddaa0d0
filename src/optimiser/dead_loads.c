/* SPDX-License-Identifier: Apache-2.0 */
/* LLVM deletes a load whose value nobody needs, and with it the trap of an access out of bounds.
 * This follows each loaded value to something that is sure to stay; a load that does not get there
 * in a few steps is made volatile.  A use that LLVM will find not to matter (x * 0, x ^ x, ...)
 * does not count. */
#include "optimiser/pipeline.h"

enum {
    STEPS_MAX = 128
};

static bool is_constant(LLVMValueRef value, uint64_t number)
{
    if (LLVMIsAConstantInt(value) == NULL)
        return false;
    unsigned width = LLVMGetIntTypeWidth(LLVMTypeOf(value));
    uint64_t mask = width >= 64 ? ~0ull : (1ull << width) - 1;
    return width <= 64 && (LLVMConstIntGetZExtValue(value) & mask) == (number & mask);
}

/* Whether the result does not depend on the operands. */
static bool is_idle(LLVMValueRef user)
{
    if (LLVMGetNumOperands(user) < 2)
        return false;
    LLVMValueRef a = LLVMGetOperand(user, 0);
    LLVMValueRef b = LLVMGetOperand(user, 1);
    switch (LLVMGetInstructionOpcode(user)) {
    case LLVMMul:
        return is_constant(a, 0) || is_constant(b, 0);
    case LLVMAnd:
        return is_constant(a, 0) || is_constant(b, 0);
    case LLVMOr:
        return is_constant(a, ~0ull) || is_constant(b, ~0ull);
    case LLVMXor:
    case LLVMSub:
    case LLVMICmp:
        return a == b;
    case LLVMSRem:
    case LLVMURem:
        return a == b || is_constant(b, 1) || is_constant(b, ~0ull);
    case LLVMSDiv:
    case LLVMUDiv:
    case LLVMSelect:
        return true; /* may well be folded; too rare to look closer */
    default:
        return false;
    }
}

/* Sure to stay: effects, control flow, and loads, which are kept themselves. */
static bool is_root(LLVMValueRef user)
{
    switch (LLVMGetInstructionOpcode(user)) {
    case LLVMStore:
    case LLVMLoad:
    case LLVMRet:
        return true;
    case LLVMCall:
        return LLVMGetIntrinsicID(LLVMGetCalledValue(user)) == 0;
    case LLVMBr:
    case LLVMSwitch:
        return true;
    default:
        return false;
    }
}

static bool is_needed(LLVMValueRef value, unsigned *steps)
{
    for (LLVMUseRef use = LLVMGetFirstUse(value); use != NULL; use = LLVMGetNextUse(use)) {
        LLVMValueRef user = LLVMGetUser(use);
        if (LLVMIsAInstruction(user) == NULL || is_idle(user))
            continue;
        if (is_root(user))
            return true;
        if (*steps == 0)
            return false;
        --*steps;
        if (is_needed(user, steps))
            return true;
    }
    return false;
}

static void keep_in_block(LLVMBasicBlockRef block)
{
    for (LLVMValueRef at = LLVMGetFirstInstruction(block); at != NULL;
         at = LLVMGetNextInstruction(at)) {
        unsigned steps = STEPS_MAX;
        if (LLVMGetInstructionOpcode(at) == LLVMLoad && !is_needed(at, &steps))
            LLVMSetVolatile(at, 1);
    }
}

void dead_loads_keep(struct translator *translator)
{
    for (LLVMValueRef function = LLVMGetFirstFunction(translator->llvm); function != NULL;
         function = LLVMGetNextFunction(function)) {
        for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function); block != NULL;
             block = LLVMGetNextBasicBlock(block))
            keep_in_block(block);
    }
}
