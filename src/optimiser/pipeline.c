/* SPDX-License-Identifier: Apache-2.0 */
#include "optimiser/pipeline.h"

#include "optimiser/limits.h"
#include "optimiser/places.h"

#include <llvm-c/DebugInfo.h>
#include <llvm-c/Error.h>
#include <llvm-c/Support.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>

/* Function by function, without the passes that cost most: two to three times faster than
 * default<O2> for code as fast (docs/compiler.md).  Tail recursion must stay recursion, so that
 * endless ones end with the stack. */
static const char first_passes[] = "function(sroa)";
static const char early_passes[] =
    "function(early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>)";
static const char loop_passes[] = "function(loop-mssa(licm))"; /* forgets where loads came from */
static const char late_passes[] =
    "require<profile-summary>,function(gvn,instcombine<no-verify-fixpoint>,simplifycfg,"
    "loop(loop-reduce),codegenprepare)";

/* A load that moves into the branch that uses it traps no more on the other.  The ends of blocks
 * merged into one lose what tells them apart, interpreters their speed.  The last two passes are
 * among ours, so that they come before places are numbered. */
static const char *const settings[] = { "s3n", "-instcombine-code-sinking=false",
                                        "-enable-tail-merge=false", "-disable-lsr",
                                        "-disable-cgp" };

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

static bool optimise(struct translator *translator, LLVMTargetMachineRef machine,
                     struct error *error)
{
    LLVMModuleRef module = translator->llvm;
    if (!run_passes(module, first_passes, machine, error))
        return false;
    dead_loads_keep(translator);
    if (!run_passes(module, early_passes, machine, error))
        return false;
    places_note(translator);
    if (!run_passes(module, loop_passes, machine, error))
        return false;
    places_restore(translator);
    return run_passes(module, late_passes, machine, error);
}

/* Options of the library are the process's. */
static void set_options(void)
{
    static bool are_set;
    if (!are_set)
        LLVMParseCommandLineOptions((int)ARRAY_COUNT(settings), settings, NULL);
    are_set = true;
}

bool pipeline_run(struct translator *translator, struct buffer *object, struct buffer *traps,
                  struct error *error)
{
    AUTO_BUFFER struct buffer places;
    buffer_init(&places, OPTIMISER_OBJECT_SIZE_MAX);
    set_options();
    LLVMTargetMachineRef machine = machine_new(error);
    if (machine == NULL)
        return false;
    LLVMSetTarget(translator->llvm, triple);
    LLVMDIBuilderFinalize(translator->places);
    bool done = optimise(translator, machine, error);
    if (done) {
        places_number(translator, &places);
        done = emit(translator->llvm, machine, object, error) &&
               object_traps(traps, buffer_view(object), buffer_view(&places), error);
    }
    LLVMDisposeTargetMachine(machine);
    return done;
}
