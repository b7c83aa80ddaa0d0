/* SPDX-License-Identifier: Apache-2.0 */
#include "optimiser/pipeline.h"

#include <llvm-c/Error.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>

/* Function by function, without the passes that cost most: two to three times faster than
 * default<O2> for code as fast (docs/compiler.md).  Tail recursion must stay recursion, so that
 * endless ones end with the stack. */
static const char first_passes[] = "function(sroa)";
static const char other_passes[] =
    "function(early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,loop-mssa(licm),gvn,"
    "instcombine<no-verify-fixpoint>,simplifycfg)";

static const char triple[] = "x86_64-unknown-linux-gnu";

static LLVMTargetMachineRef machine_new(struct error *error)
{
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
    LLVMTargetRef target = NULL;
    char *message = NULL;
    if (LLVMGetTargetFromTriple(triple, &target, &message) != 0) {
        error_set(error, ERROR_UNAVAILABLE, "LLVM: %s", message);
        LLVMDisposeMessage(message);
        return NULL;
    }
    LLVMTargetMachineRef machine = LLVMCreateTargetMachine(
        target, triple, "x86-64-v3", "", LLVMCodeGenLevelDefault, LLVMRelocPIC, LLVMCodeModelSmall);
    if (machine == NULL)
        error_set(error, ERROR_UNAVAILABLE, "LLVM has no machine for x86-64-v3");
    return machine;
}

static bool run_passes(LLVMModuleRef module, const char *passes, LLVMTargetMachineRef machine,
                       struct error *error)
{
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef failure = LLVMRunPasses(module, passes, machine, options);
    LLVMDisposePassBuilderOptions(options);
    if (failure == NULL)
        return true;
    char *message = LLVMGetErrorMessage(failure);
    error_set(error, ERROR_INTERNAL, "LLVM: %s", message);
    LLVMDisposeErrorMessage(message);
    return false;
}

static bool emit(LLVMModuleRef module, LLVMTargetMachineRef machine, struct buffer *object,
                 struct error *error)
{
    LLVMMemoryBufferRef memory = NULL;
    char *message = NULL;
    if (LLVMTargetMachineEmitToMemoryBuffer(machine, module, LLVMObjectFile, &message, &memory) !=
        0) {
        error_set(error, ERROR_INTERNAL, "LLVM: %s", message);
        LLVMDisposeMessage(message);
        return false;
    }
    buffer_append(object, bytes_of(LLVMGetBufferStart(memory), LLVMGetBufferSize(memory)));
    LLVMDisposeMemoryBuffer(memory);
    return !object->failed ||
           error_set(error, ERROR_LIMIT, "the object file is over %zu bytes", object->size_max);
}

bool pipeline_run(struct translator *translator, struct buffer *object, struct error *error)
{
    LLVMTargetMachineRef machine = machine_new(error);
    if (machine == NULL)
        return false;
    LLVMSetTarget(translator->llvm, triple);
    bool done = run_passes(translator->llvm, first_passes, machine, error);
    if (done)
        dead_loads_keep(translator);
    done = done && run_passes(translator->llvm, other_passes, machine, error) &&
           emit(translator->llvm, machine, object, error);
    LLVMDisposeTargetMachine(machine);
    return done;
}
