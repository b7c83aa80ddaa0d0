/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/layout.h"
#include "optimiser/limits.h"
#include "optimiser/places.h"
#include "optimiser/translator.h"
#include "wasm/linker.h"
#include "wasm/opcodes.h"

#include <llvm-c/DebugInfo.h>
#include <stdio.h>
#include <string.h>

LLVMTypeRef type_of(const struct translator *translator, uint8_t value_type)
{
    switch (value_type) {
    case VALUE_I32:
        return translator->types.i32;
    case VALUE_F32:
        return translator->types.f32;
    case VALUE_F64:
        return translator->types.f64;
    case VALUE_V128:
        return translator->types.v128;
    default:
        return translator->types.i64; /* references too */
    }
}

LLVMValueRef zero_of(const struct translator *translator, uint8_t value_type)
{
    return LLVMConstNull(type_of(translator, value_type));
}

LLVMValueRef number32(const struct translator *translator, uint32_t number)
{
    return LLVMConstInt(translator->types.i32, number, 0);
}

LLVMValueRef number64(const struct translator *translator, uint64_t number)
{
    return LLVMConstInt(translator->types.i64, number, 0);
}

void push(struct translator *translator, LLVMValueRef value)
{
    ASSERT(translator->height <= translator->facts->stack_height_max);
    translator->stack[translator->height++] = value;
}

LLVMValueRef pop(struct translator *translator)
{
    ASSERT(translator->height > 0);
    return translator->stack[--translator->height];
}

LLVMBasicBlockRef block_new(struct translator *translator)
{
    uint64_t locals = (uint64_t)translator->facts->local_count + 1;
    if (++translator->block_count > OPTIMISER_FUNCTION_BLOCKS_MAX ||
        translator->block_count * locals > OPTIMISER_FUNCTION_LOCALS_BLOCKS_MAX)
        translator->is_refused = true;
    return LLVMAppendBasicBlockInContext(translator->context, translator->function, "");
}

void block_begin(struct translator *translator, LLVMBasicBlockRef block)
{
    LLVMBasicBlockRef last = LLVMGetLastBasicBlock(translator->function);
    if (block != last)
        LLVMMoveBasicBlockAfter(block, last);
    LLVMPositionBuilderAtEnd(translator->builder, block);
    translator->block_start = scan_offset(&translator->scan);
    translator->is_fuel_told = false;
}

void dead_end(struct translator *translator)
{
    translator->height = translator->labels[translator->depth - 1].height;
    translator->is_reachable = false;
}

/* ud2 and the reason, as abi/instance.h wants it; metered code has the fuel left in rbp then. */
void trap(struct translator *translator, enum trap_reason reason)
{
    char text[64];
    int size = snprintf(text, sizeof(text), "ud2\n.byte %u", (unsigned)reason);
    LLVMTypeRef parameters[2] = { translator->types.pointer, translator->types.i64 };
    LLVMTypeRef type =
        LLVMFunctionType(translator->types.nothing, parameters, translator->is_metered ? 2 : 1, 0);
    /* Memory must be as the program left it, so the trap takes its address. */
    const char *constraints = translator->is_metered ? "r,{rbp},~{memory}" : "r,~{memory}";
    LLVMValueRef code = LLVMGetInlineAsm(type, text, (size_t)size, constraints, strlen(constraints),
                                         1, 0, LLVMInlineAsmDialectATT, 0);
    LLVMValueRef operands[2] = { translator->base };
    if (translator->is_metered)
        operands[1] =
            LLVMBuildLoad2(translator->builder, translator->types.i64, translator->fuel, "");
    LLVMValueRef call = LLVMBuildCall2(translator->builder, type, code, operands,
                                       translator->is_metered ? 2 : 1, "");
    LLVMAddCallSiteAttribute(call, FUNCTION_ATTRIBUTES, translator->no_merge);
    place_set(translator, call);
    LLVMBuildUnreachable(translator->builder);
}

void trap_if(struct translator *translator, LLVMValueRef condition, enum trap_reason reason)
{
    LLVMBasicBlockRef bad = block_new(translator);
    LLVMBasicBlockRef good = block_new(translator);
    bool is_fuel_told = translator->is_fuel_told;
    LLVMBuildCondBr(translator->builder, condition, bad, good);
    block_begin(translator, bad);
    trap(translator, reason);
    block_begin(translator, good);
    translator->is_fuel_told = is_fuel_told;
}

LLVMValueRef condition_of(struct translator *translator, LLVMValueRef value)
{
    LLVMValueRef source = LLVMIsAZExtInst(value) != NULL ? LLVMGetOperand(value, 0) : NULL;
    if (source != NULL && LLVMTypeOf(source) == translator->types.i1)
        return source;
    return LLVMBuildICmp(translator->builder, LLVMIntNE, value, LLVMConstNull(LLVMTypeOf(value)),
                         "");
}

LLVMValueRef condition_value(struct translator *translator, LLVMValueRef condition)
{
    return LLVMBuildZExt(translator->builder, condition, translator->types.i32, "");
}

static LLVMValueRef metadata_string(LLVMContextRef context, const char *text)
{
    return LLVMMetadataAsValue(context, LLVMMDStringInContext2(context, text, strlen(text)));
}

static LLVMAttributeRef attribute(LLVMContextRef context, const char *name)
{
    return LLVMCreateEnumAttribute(context, LLVMGetEnumAttributeKindForName(name, strlen(name)), 0);
}

static LLVMAttributeRef attribute_text(LLVMContextRef context, const char *name, const char *value)
{
    return LLVMCreateStringAttribute(context, name, (unsigned)strlen(name), value,
                                     (unsigned)strlen(value));
}

/* A list of one alias scope. */
static LLVMValueRef scope_list(LLVMContextRef context)
{
    LLVMMetadataRef domain = LLVMMDStringInContext2(context, "s3n", 3);
    domain = LLVMMDNodeInContext2(context, &domain, 1);
    LLVMMetadataRef scope[2] = { LLVMMDStringInContext2(context, "fuel", 4), domain };
    LLVMMetadataRef list = LLVMMDNodeInContext2(context, scope, 2);
    return LLVMMetadataAsValue(context, LLVMMDNodeInContext2(context, &list, 1));
}

/* As large as it can be: LLVM takes accesses beyond an object for impossible. */
static LLVMValueRef outside_symbol(struct translator *translator, const char *name, uint64_t size)
{
    LLVMTypeRef type = LLVMArrayType2(translator->types.i8, size);
    LLVMValueRef symbol = LLVMAddGlobal(translator->llvm, type, name);
    LLVMSetVisibility(symbol, LLVMHiddenVisibility);
    return symbol;
}

static void fill(struct translator *translator)
{
    LLVMContextRef context = translator->context;
    translator->types = (struct translator_types){
        .nothing = LLVMVoidTypeInContext(context),
        .i1 = LLVMInt1TypeInContext(context),
        .i8 = LLVMInt8TypeInContext(context),
        .i16 = LLVMInt16TypeInContext(context),
        .i32 = LLVMInt32TypeInContext(context),
        .i64 = LLVMInt64TypeInContext(context),
        .f32 = LLVMFloatTypeInContext(context),
        .f64 = LLVMDoubleTypeInContext(context),
        .pointer = LLVMPointerTypeInContext(context, 0),
        .v128 = LLVMVectorType(LLVMInt64TypeInContext(context), 2),
    };
    translator->instance = outside_symbol(translator, "instance", LAYOUT_INSTANCE_SIZE_MAX);
    translator->code_start = outside_symbol(translator, "code", LAYOUT_CODE_SIZE_MAX);
    translator->rounding = metadata_string(context, "round.tonearest");
    translator->exceptions = metadata_string(context, "fpexcept.strict");
    translator->strict = attribute(context, "strictfp");
    translator->swift_self = attribute(context, "swiftself");
    translator->nest = attribute(context, "nest");
    translator->no_merge = attribute(context, "nomerge");
    translator->fuel_scope = scope_list(context);
    LLVMAttributeRef all[] = {
        translator->strict,
        attribute(context, "nounwind"),
        attribute(context, "null_pointer_is_valid"),
        /* Frames of more than a page touch each page, so that the guard below the stack is met. */
        attribute_text(context, "probe-stack", "inline-asm"),
        /* Endless recursion must end with the stack. */
        attribute_text(context, "disable-tail-calls", "true"),
    };
    _Static_assert(sizeof(all) <= sizeof(translator->attributes), "room for attributes");
    memcpy(translator->attributes, all, sizeof(all));
    translator->attribute_count = ARRAY_COUNT(all);
}

bool translator_new(struct translator **translator, const struct parts_job *job,
                    struct arena *arena, struct error *error)
{
    const struct module *module = job->module;
    struct translator *made = arena_take(arena, sizeof(*made));
    LLVMValueRef *functions = arena_array(arena, module->function_count + 1u, sizeof(*functions));
    LLVMTypeRef *types = arena_array(arena, module->type_count + 2u, sizeof(*types));
    if (made == NULL || functions == NULL || types == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to translate");
    made->module = module;
    made->layout = job->layout;
    made->has_tail_calls = job->has_tail_calls;
    made->is_metered = job->options->wasm.fuel;
    made->is_deterministic = job->options->wasm.deterministic;
    made->functions = functions;
    made->function_types = types;
    made->context = LLVMContextCreate();
    made->llvm = LLVMModuleCreateWithNameInContext("s3n", made->context);
    LLVMSetDataLayout(made->llvm, "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-"
                                  "n8:16:32:64-S128");
    made->builder = LLVMCreateBuilderInContext(made->context);
    fill(made);
    places_begin(made);
    *translator = made;
    return true;
}

void translator_free(struct translator *translator)
{
    if (translator == NULL)
        return;
    LLVMDisposeDIBuilder(translator->places);
    LLVMDisposeBuilder(translator->builder);
    LLVMDisposeModule(translator->llvm);
    LLVMContextDispose(translator->context);
}

/* Immediates of an instruction that can't be reached. */
static void skip(struct translator *translator, uint8_t opcode)
{
    struct scan *scan = &translator->scan;
    uint32_t numbers = 0;
    switch (opcode) {
    case OPCODE_BR_TABLE:
        numbers = scan_u32(scan) + 1;
        break;
    case OPCODE_SELECT_T:
        numbers = scan_u32(scan);
        break;
    case OPCODE_I32_CONST:
    case OPCODE_I64_CONST:
        scan_signed(scan, 64);
        break;
    case OPCODE_F32_CONST:
        scan_fixed_u32(scan);
        break;
    case OPCODE_F64_CONST:
        scan_fixed_u64(scan);
        break;
    case OPCODE_PREFIX:
        translate_bulk(translator, scan_u32(scan));
        break;
    case OPCODE_VECTOR_PREFIX:
        translate_vector(translator);
        break;
    case OPCODE_CALL_INDIRECT:
    case OPCODE_RETURN_CALL_INDIRECT:
        numbers = 2;
        break;
    case OPCODE_BR_IF:
        scan_u32(scan);
        meter_charge(translator);
        break;
    case OPCODE_BR:
    case OPCODE_CALL:
    case OPCODE_RETURN_CALL:
    case OPCODE_LOCAL_GET:
    case OPCODE_LOCAL_SET:
    case OPCODE_LOCAL_TEE:
    case OPCODE_GLOBAL_GET:
    case OPCODE_GLOBAL_SET:
    case OPCODE_TABLE_GET:
    case OPCODE_TABLE_SET:
    case OPCODE_MEMORY_SIZE:
    case OPCODE_MEMORY_GROW:
    case OPCODE_REF_NULL:
    case OPCODE_REF_FUNC:
        numbers = 1;
        break;
    default:
        if (instructions[opcode].kind == OPCODE_ACCESS)
            numbers = 2;
        break;
    }
    for (uint32_t i = 0; i < numbers; i++)
        scan_u32(scan);
}

static void translate_constant(struct translator *translator, uint8_t opcode)
{
    struct scan *scan = &translator->scan;
    const struct translator_types *types = &translator->types;
    switch (opcode) {
    case OPCODE_I32_CONST:
        push(translator, number32(translator, (uint32_t)scan_signed(scan, 32)));
        return;
    case OPCODE_I64_CONST:
        push(translator, number64(translator, (uint64_t)scan_signed(scan, 64)));
        return;
    case OPCODE_F32_CONST:
        push(translator, LLVMConstBitCast(number32(translator, scan_fixed_u32(scan)), types->f32));
        return;
    default:
        push(translator, LLVMConstBitCast(number64(translator, scan_fixed_u64(scan)), types->f64));
        return;
    }
}

static void translate_local(struct translator *translator, uint8_t opcode)
{
    uint32_t index = scan_u32(&translator->scan);
    LLVMTypeRef type = type_of(translator, translator->facts->local_types[index]);
    if (opcode == OPCODE_LOCAL_GET) {
        push(translator, LLVMBuildLoad2(translator->builder, type, translator->locals[index], ""));
        return;
    }
    LLVMValueRef value = pop(translator);
    LLVMBuildStore(translator->builder, value, translator->locals[index]);
    if (opcode == OPCODE_LOCAL_TEE)
        push(translator, value);
}

static void translate_select(struct translator *translator)
{
    LLVMValueRef condition = condition_of(translator, pop(translator));
    LLVMValueRef second = pop(translator);
    LLVMValueRef first = pop(translator);
    push(translator, LLVMBuildSelect(translator->builder, condition, first, second, ""));
}

static void translate_reference(struct translator *translator, uint8_t opcode)
{
    if (opcode == OPCODE_TABLE_GET || opcode == OPCODE_TABLE_SET) {
        translate_table(translator, opcode);
    } else if (opcode == OPCODE_REF_NULL) {
        scan_u8(&translator->scan);
        push(translator, number64(translator, 0));
    } else if (opcode == OPCODE_REF_IS_NULL) {
        LLVMValueRef value = pop(translator);
        push(translator,
             condition_value(translator, LLVMBuildICmp(translator->builder, LLVMIntEQ, value,
                                                       number64(translator, 0), "")));
    } else {
        uint64_t row = row_address(translator->module, scan_u32(&translator->scan));
        push(translator, number64(translator, row));
    }
}

static void translate_calling(struct translator *translator, uint8_t opcode)
{
    uint32_t index = scan_u32(&translator->scan);
    if (opcode == OPCODE_CALL)
        translate_call(translator, index);
    else if (opcode == OPCODE_RETURN_CALL)
        translate_return_call(translator, index);
    else if (opcode == OPCODE_CALL_INDIRECT)
        translate_call_indirect(translator, index, scan_u32(&translator->scan));
    else
        translate_return_call_indirect(translator, index, scan_u32(&translator->scan));
}

static void translate_special(struct translator *translator, uint8_t opcode)
{
    struct scan *scan = &translator->scan;
    switch (opcode) {
    case OPCODE_NOP:
        return;
    case OPCODE_UNREACHABLE:
        trap(translator, TRAP_UNREACHABLE);
        dead_end(translator);
        return;
    case OPCODE_BR:
        translate_branch(translator, scan_u32(scan));
        return;
    case OPCODE_BR_IF:
        translate_branch_if(translator, scan_u32(scan));
        return;
    case OPCODE_BR_TABLE:
        translate_branch_table(translator);
        return;
    case OPCODE_RETURN:
        translate_return(translator);
        return;
    case OPCODE_CALL:
    case OPCODE_CALL_INDIRECT:
    case OPCODE_RETURN_CALL:
    case OPCODE_RETURN_CALL_INDIRECT:
        translate_calling(translator, opcode);
        return;
    case OPCODE_DROP:
        pop(translator);
        return;
    case OPCODE_SELECT_T:
        scan_u32(scan);
        scan_u8(scan);
        translate_select(translator);
        return;
    case OPCODE_SELECT:
        translate_select(translator);
        return;
    case OPCODE_GLOBAL_GET:
        translate_global_get(translator, scan_u32(scan));
        return;
    case OPCODE_GLOBAL_SET:
        translate_global_set(translator, scan_u32(scan));
        return;
    case OPCODE_MEMORY_SIZE:
        translate_memory_size(translator);
        return;
    case OPCODE_MEMORY_GROW:
        scan_u8(scan);
        helper_call(translator, HELPER_MEMORY_GROW, 1, NULL, 0, VALUE_I32);
        return;
    case OPCODE_TABLE_GET:
    case OPCODE_TABLE_SET:
    case OPCODE_REF_NULL:
    case OPCODE_REF_IS_NULL:
    case OPCODE_REF_FUNC:
        translate_reference(translator, opcode);
        return;
    case OPCODE_PREFIX:
        translate_bulk(translator, scan_u32(scan));
        return;
    case OPCODE_VECTOR_PREFIX:
        translate_vector(translator);
        return;
    default:
        translator->is_refused = true;
        return;
    }
}

static void translate_instruction(struct translator *translator, uint8_t opcode)
{
    switch (opcode) {
    case OPCODE_BLOCK:
    case OPCODE_LOOP:
    case OPCODE_IF:
        label_open(translator, opcode);
        return;
    case OPCODE_ELSE:
        translate_else(translator);
        meter_charge(translator);
        return;
    case OPCODE_END:
        translate_end(translator);
        if (translator->depth > 0)
            meter_charge(translator);
        return;
    default:
        break;
    }
    if (!translator->is_reachable) {
        skip(translator, opcode);
        return;
    }
    switch (opcode) {
    case OPCODE_LOCAL_GET:
    case OPCODE_LOCAL_SET:
    case OPCODE_LOCAL_TEE:
        translate_local(translator, opcode);
        return;
    case OPCODE_I32_CONST:
    case OPCODE_I64_CONST:
    case OPCODE_F32_CONST:
    case OPCODE_F64_CONST:
        translate_constant(translator, opcode);
        return;
    default:
        break;
    }
    if (instructions[opcode].kind == OPCODE_ACCESS)
        translate_access(translator, opcode);
    else if (instructions[opcode].kind == OPCODE_PLAIN)
        translate_plain(translator, opcode);
    else
        translate_special(translator, opcode);
}

static bool prepare(struct translator *translator, uint32_t index,
                    const struct function_facts *facts, struct arena *scratch)
{
    translator->arena = scratch;
    translator->facts = facts;
    translator->type = translator->module->functions[index].type;
    translator->locals = arena_array(scratch, facts->local_count + 1u, sizeof(LLVMValueRef));
    translator->stack = arena_array(scratch, facts->stack_height_max + 2u, sizeof(LLVMValueRef));
    translator->labels =
        arena_array(scratch, facts->block_depth_max + 2u, sizeof(struct translator_label));
    if (arena_failed(scratch))
        return false;
    translator->scan = scan_of(translator->module->source, facts->code_offset);
    translator->scan.end = translator->scan.at + facts->code.size;
    translator->height = 0;
    translator->depth = 0;
    translator->slots = NULL;
    translator->slots_count = 0;
    translator->block_count = 0;
    translator->is_reachable = true;
    translator->is_refused = false;
    translator->function = function_of(translator, index);
    return true;
}

static void begin(struct translator *translator)
{
    const struct function_facts *facts = translator->facts;
    LLVMValueRef function = translator->function;
    for (unsigned i = 0; i < translator->attribute_count; i++)
        LLVMAddAttributeAtIndex(function, FUNCTION_ATTRIBUTES, translator->attributes[i]);
    translator->entry = block_new(translator);
    block_begin(translator, translator->entry);
    translator->base = LLVMGetParam(function, 0);
    places_function(translator, (uint32_t)facts->code_offset);
    unsigned first = 1;
    if (translator->type->result_count > 1)
        translator->results = LLVMGetParam(function, first++);
    for (uint32_t i = 0; i < facts->local_count; i++) {
        LLVMTypeRef type = type_of(translator, facts->local_types[i]);
        translator->locals[i] = LLVMBuildAlloca(translator->builder, type, "");
    }
    for (uint32_t i = 0; i < facts->local_count; i++) {
        bool is_parameter = i < translator->type->parameter_count;
        LLVMBuildStore(translator->builder,
                       is_parameter ? LLVMGetParam(function, first + i)
                                    : zero_of(translator, facts->local_types[i]),
                       translator->locals[i]);
    }
    meter_begin(translator);
    LLVMBasicBlockRef body = block_new(translator);
    LLVMBuildBr(translator->builder, body); /* what is allocated later goes before this */
    block_begin(translator, body);
    label_open_function(translator);
    meter_charge(translator);
}

/* What began as a definition becomes a declaration again. */
static void abandon(struct translator *translator, uint32_t index)
{
    LLVMValueRef old = translator->functions[index];
    LLVMTypeRef type = function_type_of(translator, translator->module->functions[index].type);
    translator->functions[index] = NULL;
    LLVMSetValueName2(old, "", 0);
    LLVMValueRef fresh = function_of(translator, index);
    ASSERT(LLVMGlobalGetValueType(fresh) == type);
    LLVMReplaceAllUsesWith(old, fresh);
    LLVMDeleteFunction(old);
}

bool translate_function(struct translator *translator, uint32_t index,
                        const struct function_facts *facts, struct arena *scratch)
{
    if (!prepare(translator, index, facts, scratch))
        return false;
    begin(translator);
    while (translator->depth > 0 && !translator->is_refused && !arena_failed(scratch)) {
        ASSERT(translator->scan.fault == NULL);
        if (scan_offset(&translator->scan) - translator->block_start > OPTIMISER_BLOCK_SIZE_MAX)
            translator->is_refused = true;
        place_begin(translator, (uint32_t)scan_offset(&translator->scan));
        translate_instruction(translator, scan_u8(&translator->scan));
    }
    if (!translator->is_refused && !arena_failed(scratch))
        return true;
    abandon(translator, index);
    return false;
}
