/* SPDX-License-Identifier: Apache-2.0 */
/* From a validated function to LLVM's intermediate representation, shared by the translate files
 * alone.
 *
 * A translator holds one LLVM module, into which any number of functions of one WebAssembly module
 * go.  Native convention of function i, the symbol "f<i>": the C convention with linear memory's
 * base as swiftself (r13, preserved), then, when there are several results, a pointer to their
 * slots, then the parameters.  In a module with tail calls it is LLVM's tailcc instead.  Addresses
 * of the instance are relative to the symbol "instance". Internal to optimiser. */
#ifndef OPTIMISER_TRANSLATOR_H
#define OPTIMISER_TRANSLATOR_H

#include "optimiser/parts.h"
#include "wasm/scan.h"

#include <llvm-c/Core.h>

enum intrinsic {
    INTRINSIC_CTLZ,
    INTRINSIC_CTTZ,
    INTRINSIC_CTPOP,
    INTRINSIC_FSHL,
    INTRINSIC_FSHR,
    INTRINSIC_FABS,
    INTRINSIC_CEIL,
    INTRINSIC_FLOOR,
    INTRINSIC_TRUNC,
    INTRINSIC_ROUNDEVEN,
    INTRINSIC_SQRT,
    INTRINSIC_COPYSIGN,
    INTRINSIC_FPTOSI_SAT,
    INTRINSIC_FPTOUI_SAT,
    INTRINSIC_FADD,
    INTRINSIC_FSUB,
    INTRINSIC_FMUL,
    INTRINSIC_FDIV,
    INTRINSIC_FPEXT,
    INTRINSIC_FPTRUNC,
    INTRINSIC_ABS,
    INTRINSIC_SADD_SAT,
    INTRINSIC_UADD_SAT,
    INTRINSIC_SSUB_SAT,
    INTRINSIC_USUB_SAT,
    INTRINSIC_SMIN,
    INTRINSIC_UMIN,
    INTRINSIC_SMAX,
    INTRINSIC_UMAX,
    INTRINSIC_PACKSSWB, /* from here on the processor's own */
    INTRINSIC_PACKUSWB,
    INTRINSIC_PACKSSDW,
    INTRINSIC_PACKUSDW,
    INTRINSIC_PMULHRSW,
    INTRINSIC_PMADDWD,
    INTRINSIC_PSHUFB,
    INTRINSIC_COUNT
};

/* Where attributes of a function or a call as a whole go. */
#define FUNCTION_ATTRIBUTES ((LLVMAttributeIndex)LLVMAttributeFunctionIndex)

struct translator_label {
    LLVMBasicBlockRef target;    /* of branches: a loop's head, otherwise what follows the block */
    LLVMBasicBlockRef otherwise; /* IF: its second branch, while that has not begun */
    LLVMValueRef *phis;          /* at target: one per value that a branch carries */
    LLVMValueRef *parameters;    /* IF: to begin its second branch with */
    uint32_t height;             /* operands below the parameters */
    uint8_t opcode;
    bool is_skipped;  /* the block itself stands in unreachable code */
    bool is_targeted; /* somebody goes to target */
    const uint8_t *parameter_types;
    const uint8_t *result_types;
    uint32_t parameter_count, result_count;
};

struct translator_types {
    LLVMTypeRef nothing, i1, i8, i16, i32, i64, f32, f64, pointer, v128;
};

struct translator {
    const struct module *module;
    const struct instance_layout *layout;
    struct arena *arena; /* of the function at hand; reset by whoever calls */
    LLVMContextRef context;
    LLVMModuleRef llvm;
    LLVMBuilderRef builder;
    LLVMDIBuilderRef places; /* places.h */
    LLVMMetadataRef places_file, places_type, places_function;
    LLVMMetadataRef place; /* of the instruction at hand; NULL: not made yet */
    struct translator_types types;
    LLVMValueRef instance, code_start;
    LLVMValueRef *functions;           /* declarations; NULL: not yet */
    LLVMTypeRef *function_types;       /* by canonical type; NULL: not yet */
    LLVMValueRef rounding, exceptions; /* operands of constrained arithmetic */
    LLVMAttributeRef strict, swift_self, nest, no_merge;
    LLVMAttributeRef attributes[8]; /* of every function */
    unsigned attribute_count;
    uint64_t grown_tables;
    LLVMValueRef fuel_scope; /* metered: what tells the fuel in the instance from linear memory */
    bool has_tail_calls;     /* of the module: by what convention native code calls */
    bool is_metered;         /* counts fuel as the baseline does (abi/instance.h) */
    bool is_deterministic;   /* NaNs that arithmetic makes are the canonical one */

    /* The function at hand. */
    struct scan scan;
    const struct function_facts *facts;
    const struct function_type *type;
    LLVMValueRef function, base, results;
    LLVMValueRef *locals;
    LLVMValueRef *stack;
    uint32_t height;
    struct translator_label *labels;
    uint32_t depth;
    LLVMBasicBlockRef entry;
    LLVMValueRef slots; /* for calls of the runtime and several results; NULL: not yet */
    uint32_t slots_count;
    uint32_t block_count;
    size_t block_start; /* of the block at hand, in the module file */
    uint32_t offset;    /* of the instruction at hand, there too */
    LLVMValueRef fuel;  /* metered: a local that holds what is left */
    uint32_t cost_at;   /* metered: of the costs that validation counted */
    bool is_fuel_told;  /* metered: the instance has the same number */
    bool is_reachable;
    bool is_refused; /* something that this tier leaves to the baseline */
};

/* translate.c */
MUST_CHECK bool translator_new(struct translator **translator, const struct parts_job *job,
                               struct arena *arena, struct error *error);
void translator_free(struct translator *translator);
/* Adds the function; false (without an error) when this tier leaves it to the baseline: nothing of
 * it is in the module then.  Memory of `scratch` is not needed afterwards. */
MUST_CHECK bool translate_function(struct translator *translator, uint32_t index,
                                   const struct function_facts *facts, struct arena *scratch);

/* What the translate files ask of each other. */
LLVMTypeRef type_of(const struct translator *translator, uint8_t value_type);
LLVMValueRef zero_of(const struct translator *translator, uint8_t value_type);
LLVMValueRef number32(const struct translator *translator, uint32_t number);
LLVMValueRef number64(const struct translator *translator, uint64_t number);
void push(struct translator *translator, LLVMValueRef value);
LLVMValueRef pop(struct translator *translator);
LLVMBasicBlockRef block_new(struct translator *translator);
/* Code goes on in `block`. */
void block_begin(struct translator *translator, LLVMBasicBlockRef block);
/* Nothing behind this can be reached. */
void dead_end(struct translator *translator);
void trap(struct translator *translator, enum trap_reason reason);
/* Traps when the i1 is true. */
void trap_if(struct translator *translator, LLVMValueRef condition, enum trap_reason reason);
/* An i32 as a condition. */
LLVMValueRef condition_of(struct translator *translator, LLVMValueRef value);
LLVMValueRef condition_value(struct translator *translator, LLVMValueRef condition);
/* intrinsics.c */
LLVMValueRef call_intrinsic(struct translator *translator, enum intrinsic intrinsic,
                            LLVMTypeRef *types, unsigned type_count, LLVMValueRef *arguments,
                            unsigned argument_count);

/* translate_fuel.c: nothing unless the code is metered */
void meter_begin(struct translator *translator);
/* The next number of function_facts.costs is used up. */
void meter_charge(struct translator *translator);
/* A helper's work on `size` bytes or elements. */
void meter_size(struct translator *translator, enum helper helper, LLVMValueRef size);
/* To the instance and back, around calls and before returns. */
void meter_store(struct translator *translator);
void meter_load(struct translator *translator);
/* An access of linear memory, before which the count was stored. */
void meter_access(struct translator *translator, LLVMValueRef access);

/* translate_control.c */
void label_open(struct translator *translator, uint8_t opcode);
void label_open_function(struct translator *translator);
void translate_else(struct translator *translator);
void translate_end(struct translator *translator);
void translate_branch(struct translator *translator, uint32_t depth);
void translate_branch_if(struct translator *translator, uint32_t depth);
void translate_branch_table(struct translator *translator);
void translate_return(struct translator *translator);

/* translate_numbers.c, translate_floats.c */
void translate_plain(struct translator *translator, uint8_t opcode);
bool translate_float(struct translator *translator, uint8_t opcode);
void translate_saturating(struct translator *translator, uint32_t opcode);
/* Of scalars and vectors alike. */
LLVMValueRef float_canonical(struct translator *translator, LLVMValueRef value);
LLVMValueRef float_arithmetic(struct translator *translator, enum intrinsic intrinsic,
                              LLVMValueRef a, LLVMValueRef b);
LLVMValueRef float_extreme(struct translator *translator, LLVMValueRef a, LLVMValueRef b,
                           bool is_least);

/* translate_vectors.c, translate_vector_floats.c */
void translate_vector(struct translator *translator);
bool translate_vector_float(struct translator *translator, uint32_t opcode);
LLVMTypeRef vector_type(const struct translator *translator, unsigned lane_bits, bool is_float);
LLVMValueRef pop_vector(struct translator *translator, LLVMTypeRef shape);
void push_vector(struct translator *translator, LLVMValueRef value);
LLVMValueRef splat(struct translator *translator, LLVMTypeRef shape, LLVMValueRef lane);
LLVMValueRef take_lanes(struct translator *translator, LLVMValueRef a, LLVMValueRef b,
                        unsigned count, unsigned first, unsigned step);

/* translate_memory.c */
/* Accesses of linear memory; the index is on the stack. */
LLVMValueRef linear_load(struct translator *translator, LLVMTypeRef type, uint32_t offset);
void linear_store(struct translator *translator, LLVMValueRef value, uint32_t offset);
void translate_access(struct translator *translator, uint8_t opcode);
void translate_global_get(struct translator *translator, uint32_t index);
void translate_global_set(struct translator *translator, uint32_t index);
void translate_memory_size(struct translator *translator);
LLVMValueRef instance_field(struct translator *translator, uint64_t offset);
void translate_bulk(struct translator *translator, uint32_t opcode);
void translate_table(struct translator *translator, uint8_t opcode);

/* translate_calls.c */
LLVMTypeRef function_type_of(struct translator *translator, const struct function_type *type);
LLVMValueRef function_of(struct translator *translator, uint32_t index);
void translate_call(struct translator *translator, uint32_t index);
void translate_call_indirect(struct translator *translator, uint32_t type_index, uint32_t table);
void translate_return_call(struct translator *translator, uint32_t index);
void translate_return_call_indirect(struct translator *translator, uint32_t type_index,
                                    uint32_t table);
/* The runtime's helper with operands off the stack and `extras` behind them. */
void helper_call(struct translator *translator, enum helper helper, uint32_t operand_count,
                 const uint32_t *extras, uint32_t extra_count, uint8_t result);
/* Slots for `count` numbers in this function's native frame. */
LLVMValueRef slots_of_frame(struct translator *translator, uint32_t count);
void slot_store(struct translator *translator, LLVMValueRef slots, uint32_t slot,
                LLVMValueRef value);
LLVMValueRef slot_load(struct translator *translator, LLVMValueRef slots, uint32_t slot,
                       uint8_t value_type);

#endif
