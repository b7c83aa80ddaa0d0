/* SPDX-License-Identifier: Apache-2.0 */
#include "optimiser/places.h"
#include "optimiser/translator.h"
#include "wasm/limits.h"

#include <stdio.h>

LLVMValueRef slots_of_frame(struct translator *translator, uint32_t count)
{
    LLVMBuilderRef builder = translator->builder;
    LLVMBasicBlockRef here = LLVMGetInsertBlock(builder);
    if (translator->slots != NULL && count <= translator->slots_count)
        return translator->slots;
    LLVMPositionBuilderBefore(builder, LLVMGetBasicBlockTerminator(translator->entry));
    translator->slots_count = MAX(count, 8u);
    translator->slots = LLVMBuildArrayAlloca(builder, translator->types.i64,
                                             number32(translator, translator->slots_count), "");
    LLVMPositionBuilderAtEnd(builder, here);
    return translator->slots;
}

static LLVMValueRef slot_address(struct translator *translator, LLVMValueRef slots, uint32_t slot)
{
    LLVMValueRef at = number64(translator, 8ull * slot);
    return LLVMBuildGEP2(translator->builder, translator->types.i8, slots, &at, 1, "");
}

void slot_store(struct translator *translator, LLVMValueRef slots, uint32_t slot,
                LLVMValueRef value)
{
    LLVMBuilderRef builder = translator->builder;
    if (LLVMTypeOf(value) == translator->types.f32)
        value = LLVMBuildBitCast(builder, value, translator->types.i32, "");
    if (LLVMTypeOf(value) == translator->types.i32)
        value = LLVMBuildZExt(builder, value, translator->types.i64, "");
    LLVMSetAlignment(LLVMBuildStore(builder, value, slot_address(translator, slots, slot)), 8);
}

LLVMValueRef slot_load(struct translator *translator, LLVMValueRef slots, uint32_t slot,
                       uint8_t value_type)
{
    LLVMValueRef value = LLVMBuildLoad2(translator->builder, type_of(translator, value_type),
                                        slot_address(translator, slots, slot), "");
    LLVMSetAlignment(value, 8);
    return value;
}

/* Parameters of the native convention behind `count` that are there. */
static LLVMTypeRef make_type(struct translator *translator, const struct function_type *type,
                             LLVMTypeRef *parameters, unsigned count)
{
    parameters[count++] = translator->types.pointer;
    if (type->result_count > 1)
        parameters[count++] = translator->types.pointer;
    for (uint32_t i = 0; i < type->parameter_count; i++)
        parameters[count++] = type_of(translator, type->parameters[i]);
    LLVMTypeRef result =
        type->result_count == 1 ? type_of(translator, type->results[0]) : translator->types.nothing;
    return LLVMFunctionType(result, parameters, count, 0);
}

LLVMTypeRef function_type_of(struct translator *translator, const struct function_type *type)
{
    LLVMTypeRef parameters[2 + WASM_PARAMETERS_MAX];
    LLVMTypeRef *known = &translator->function_types[native_signature(translator->module, type)];
    if (*known == NULL)
        *known = make_type(translator, type, parameters, 0);
    return *known;
}

static LLVMTypeRef thunk_type_of(struct translator *translator, const struct function_type *type)
{
    LLVMTypeRef parameters[3 + WASM_PARAMETERS_MAX] = { translator->types.pointer };
    return make_type(translator, type, parameters, 1);
}

enum {
    CONVENTION_C = 0,
    CONVENTION_TAIL = 18, /* LLVM's tailcc, for which its C interface has no name */
};

static unsigned convention(const struct translator *translator)
{
    return translator->has_tail_calls ? CONVENTION_TAIL : CONVENTION_C;
}

static LLVMValueRef thunk_of(struct translator *translator, const struct function_type *type)
{
    char name[16];
    snprintf(name, sizeof(name), "s%u", native_signature(translator->module, type));
    LLVMValueRef known = LLVMGetNamedFunction(translator->llvm, name);
    if (known != NULL)
        return known;
    LLVMValueRef made = LLVMAddFunction(translator->llvm, name, thunk_type_of(translator, type));
    LLVMSetVisibility(made, LLVMHiddenVisibility);
    LLVMSetFunctionCallConv(made, convention(translator));
    LLVMAddAttributeAtIndex(made, 1, translator->nest);
    LLVMAddAttributeAtIndex(made, 2, translator->swift_self);
    return made;
}

LLVMValueRef function_of(struct translator *translator, uint32_t index)
{
    LLVMValueRef *known = &translator->functions[index];
    if (*known != NULL)
        return *known;
    char name[16];
    snprintf(name, sizeof(name), "f%u", index);
    LLVMTypeRef type = function_type_of(translator, translator->module->functions[index].type);
    *known = LLVMAddFunction(translator->llvm, name, type);
    LLVMSetVisibility(*known, LLVMHiddenVisibility);
    LLVMSetFunctionCallConv(*known, convention(translator));
    LLVMAddAttributeAtIndex(*known, 1, translator->swift_self);
    return *known;
}

/* Calls with the arguments off the stack and pushes the results.  `code`: what the thunk of the
 * signature is to call, in r10; NULL: the callee is the function. */
static void call(struct translator *translator, LLVMValueRef callee, LLVMValueRef code,
                 const struct function_type *type)
{
    uint32_t count = type->parameter_count;
    LLVMValueRef arguments[3 + WASM_PARAMETERS_MAX];
    unsigned first = 0;
    LLVMValueRef slots = NULL;
    if (code != NULL)
        arguments[first++] = code;
    arguments[first++] = translator->base;
    if (type->result_count > 1) {
        slots = slots_of_frame(translator, 2 * type->result_count);
        arguments[first++] = slots;
    }
    translator->height -= count;
    for (uint32_t i = 0; i < count; i++)
        arguments[first + i] = translator->stack[translator->height + i];
    LLVMTypeRef callee_type =
        code != NULL ? thunk_type_of(translator, type) : function_type_of(translator, type);
    meter_store(translator);
    LLVMValueRef result =
        LLVMBuildCall2(translator->builder, callee_type, callee, arguments, first + count, "");
    LLVMSetInstructionCallConv(result, convention(translator));
    if (code != NULL)
        LLVMAddCallSiteAttribute(result, 1, translator->nest);
    LLVMAddCallSiteAttribute(result, code != NULL ? 2 : 1, translator->swift_self);
    LLVMAddCallSiteAttribute(result, FUNCTION_ATTRIBUTES, translator->strict);
    place_set(translator, result);
    meter_load(translator);
    if (type->result_count == 1) {
        push(translator, result);
        return;
    }
    uint32_t slot = 0;
    for (uint32_t i = 0; i < type->result_count; i++) {
        push(translator, slot_load(translator, slots, slot, type->results[i]));
        slot += type->results[i] == VALUE_V128 ? 2 : 1;
    }
}

/* Calls with the arguments off the stack in place of this function, whose results are the callee's.
 */
static void tail_call(struct translator *translator, LLVMValueRef callee,
                      const struct function_type *type)
{
    uint32_t count = type->parameter_count;
    LLVMValueRef arguments[2 + WASM_PARAMETERS_MAX] = { translator->base };
    unsigned first = 1;
    if (type->result_count > 1)
        arguments[first++] = translator->results;
    translator->height -= count;
    for (uint32_t i = 0; i < count; i++)
        arguments[first + i] = translator->stack[translator->height + i];
    meter_store(translator);
    LLVMValueRef result = LLVMBuildCall2(translator->builder, function_type_of(translator, type),
                                         callee, arguments, first + count, "");
    LLVMSetInstructionCallConv(result, convention(translator));
    LLVMSetTailCallKind(result, LLVMTailCallKindMustTail);
    LLVMAddCallSiteAttribute(result, 1, translator->swift_self);
    LLVMAddCallSiteAttribute(result, FUNCTION_ATTRIBUTES, translator->strict);
    place_set(translator, result);
    if (type->result_count == 1)
        LLVMBuildRet(translator->builder, result);
    else
        LLVMBuildRetVoid(translator->builder);
    dead_end(translator);
}

/* What other instances run goes through stubs that don't end one another. */
void translate_return_call(struct translator *translator, uint32_t index)
{
    const struct function *function = &translator->module->functions[index];
    if (function->is_linked)
        translator->is_refused = true;
    else
        tail_call(translator, function_of(translator, index), function->type);
}

void translate_call(struct translator *translator, uint32_t index)
{
    call(translator, function_of(translator, index), NULL,
         translator->module->functions[index].type);
}

static LLVMValueRef load_field(struct translator *translator, LLVMTypeRef type, LLVMValueRef from,
                               uint64_t offset)
{
    LLVMValueRef at = number64(translator, offset);
    LLVMValueRef address =
        LLVMBuildGEP2(translator->builder, translator->types.i8, from, &at, 1, "");
    return LLVMBuildLoad2(translator->builder, type, address, "");
}

/* A reference's code is the entry with slots; the native entry's distance from the code's start
 * stands in the four bytes before it. */
static LLVMValueRef native_entry(struct translator *translator, LLVMValueRef row)
{
    LLVMBuilderRef builder = translator->builder;
    LLVMValueRef code = load_field(translator, translator->types.pointer, row, 0);
    LLVMValueRef distance =
        load_field(translator, translator->types.i32, code, (uint64_t) - (int64_t)NATIVE_HEADER);
    LLVMSetAlignment(distance, 4);
    distance = LLVMBuildZExt(builder, distance, translator->types.i64, "");
    return LLVMBuildGEP2(builder, translator->types.i8, translator->code_start, &distance, 1, "");
}

/* The index off the stack: the table's row, which holds a function of the type. */
static LLVMValueRef find_row(struct translator *translator, const struct function_type *type,
                             uint32_t table)
{
    LLVMBuilderRef builder = translator->builder;
    uint64_t fields = offsetof(struct instance, tables) + sizeof(struct table) * (uint64_t)table;
    LLVMValueRef index = pop(translator);
    LLVMValueRef size =
        LLVMBuildLoad2(builder, translator->types.i32,
                       instance_field(translator, fields + offsetof(struct table, size)), "");
    trap_if(translator, LLVMBuildICmp(builder, LLVMIntUGE, index, size, ""),
            TRAP_ELEMENT_UNDEFINED);
    LLVMValueRef entries =
        LLVMBuildLoad2(builder, translator->types.pointer, instance_field(translator, fields), "");
    LLVMValueRef at = LLVMBuildZExt(builder, index, translator->types.i64, "");
    at = LLVMBuildShl(builder, at, number64(translator, 4), "");
    LLVMValueRef row = LLVMBuildGEP2(builder, translator->types.i8, entries, &at, 1, "");
    LLVMValueRef signature = load_field(translator, translator->types.i32, row,
                                        offsetof(struct function_reference, signature));
    LLVMBasicBlockRef bad = block_new(translator);
    LLVMBasicBlockRef good = block_new(translator);
    LLVMValueRef is_same =
        LLVMBuildICmp(builder, LLVMIntEQ, signature, number32(translator, signature_id(type)), "");
    LLVMBuildCondBr(builder, is_same, good, bad);
    block_begin(translator, bad);
    LLVMValueRef code = load_field(translator, translator->types.i64, row, 0);
    trap_if(translator, LLVMBuildICmp(builder, LLVMIntEQ, code, number64(translator, 0), ""),
            TRAP_ELEMENT_NULL);
    trap(translator, TRAP_SIGNATURE);
    block_begin(translator, good);
    return row;
}

void translate_call_indirect(struct translator *translator, uint32_t type_index, uint32_t table)
{
    const struct function_type *type = &translator->module->types[type_index];
    LLVMValueRef row = find_row(translator, type, table);
    if (translator->module->placement == 0)
        call(translator, native_entry(translator, row), NULL, type);
    else
        call(translator, thunk_of(translator, type),
             load_field(translator, translator->types.pointer, row, 0), type);
}

void translate_return_call_indirect(struct translator *translator, uint32_t type_index,
                                    uint32_t table)
{
    const struct function_type *type = &translator->module->types[type_index];
    if (translator->module->placement != 0) {
        translator->is_refused = true;
        return;
    }
    tail_call(translator, native_entry(translator, find_row(translator, type, table)), type);
}

void helper_call(struct translator *translator, enum helper helper, uint32_t operand_count,
                 const uint32_t *extras, uint32_t extra_count, uint8_t result)
{
    LLVMBuilderRef builder = translator->builder;
    LLVMValueRef slots = slots_of_frame(translator, operand_count + extra_count);
    if (operand_count > 0)
        meter_size(translator, helper, translator->stack[translator->height - 1]);
    translator->height -= operand_count;
    for (uint32_t i = 0; i < operand_count; i++)
        slot_store(translator, slots, i, translator->stack[translator->height + i]);
    for (uint32_t i = 0; i < extra_count; i++)
        slot_store(translator, slots, operand_count + i, number32(translator, extras[i]));
    LLVMValueRef callee = LLVMBuildLoad2(
        builder, translator->types.pointer,
        instance_field(translator, offsetof(struct instance, helpers) + 8 * (uint64_t)helper), "");
    LLVMTypeRef parameters[3] = { translator->types.pointer, translator->types.pointer,
                                  translator->types.pointer };
    LLVMTypeRef type = LLVMFunctionType(translator->types.nothing, parameters, 3, 0);
    LLVMValueRef arguments[3] = { translator->base, translator->instance, slots };
    meter_store(translator);
    LLVMValueRef made = LLVMBuildCall2(builder, type, callee, arguments, 3, "");
    LLVMAddCallSiteAttribute(made, 1, translator->swift_self);
    LLVMAddCallSiteAttribute(made, FUNCTION_ATTRIBUTES, translator->strict);
    place_set(translator, made);
    if (result != 0)
        push(translator, slot_load(translator, slots, 0, result));
}
