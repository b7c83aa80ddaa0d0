/* SPDX-License-Identifier: Apache-2.0 */
#include "optimiser/translator.h"
#include "wasm/opcodes.h"

#include <string.h>

struct value_types {
    const uint8_t *types;
    uint32_t count;
};

static struct value_types carried_by_branch(const struct translator_label *label)
{
    if (label->opcode == OPCODE_LOOP)
        return (struct value_types){ label->parameter_types, label->parameter_count };
    return (struct value_types){ label->result_types, label->result_count };
}

/* Phis of the target block, which has no instructions yet. */
static void make_phis(struct translator *translator, struct translator_label *label)
{
    struct value_types values = carried_by_branch(label);
    label->phis = arena_array(translator->arena, values.count + 1u, sizeof(LLVMValueRef));
    if (label->phis == NULL)
        return;
    LLVMBasicBlockRef here = LLVMGetInsertBlock(translator->builder);
    LLVMPositionBuilderAtEnd(translator->builder, label->target);
    for (uint32_t i = 0; i < values.count; i++)
        label->phis[i] =
            LLVMBuildPhi(translator->builder, type_of(translator, values.types[i]), "");
    LLVMPositionBuilderAtEnd(translator->builder, here);
}

/* The block at hand is about to go to the label's target with the topmost values. */
static void carry(struct translator *translator, struct translator_label *label)
{
    uint32_t count = carried_by_branch(label).count;
    LLVMBasicBlockRef here = LLVMGetInsertBlock(translator->builder);
    label->is_targeted = true;
    for (uint32_t i = 0; i < count; i++)
        LLVMAddIncoming(label->phis[i], &translator->stack[translator->height - count + i], &here,
                        1);
}

static struct translator_label *label_at(struct translator *translator, uint32_t depth)
{
    return &translator->labels[translator->depth - 1 - depth];
}

static void block_type(struct translator *translator, struct translator_label *label)
{
    static const uint8_t types[] = { VALUE_I32,  VALUE_I64,     VALUE_F32,      VALUE_F64,
                                     VALUE_V128, VALUE_FUNCREF, VALUE_EXTERNREF };
    int64_t code = scan_signed(&translator->scan, 33);
    if (code >= 0) {
        const struct function_type *type = &translator->module->types[code];
        label->parameter_types = type->parameters;
        label->parameter_count = type->parameter_count;
        label->result_types = type->results;
        label->result_count = type->result_count;
        return;
    }
    const uint8_t *found = memchr(types, (int)(code & 0x7f), sizeof(types));
    label->result_types = found;
    label->result_count = found != NULL;
}

static void begin_loop(struct translator *translator, struct translator_label *label)
{
    LLVMBuildBr(translator->builder, label->target);
    carry(translator, label);
    block_begin(translator, label->target);
    for (uint32_t i = 0; i < label->parameter_count; i++)
        translator->stack[label->height + i] = label->phis[i];
}

static void begin_if(struct translator *translator, struct translator_label *label,
                     LLVMValueRef condition)
{
    LLVMBasicBlockRef then = block_new(translator);
    label->otherwise = block_new(translator);
    label->parameters =
        arena_array(translator->arena, label->parameter_count + 1u, sizeof(LLVMValueRef));
    if (label->parameters == NULL)
        return;
    memcpy(label->parameters, translator->stack + label->height,
           label->parameter_count * sizeof(LLVMValueRef));
    LLVMBuildCondBr(translator->builder, condition, then, label->otherwise);
    block_begin(translator, then);
}

void label_open(struct translator *translator, uint8_t opcode)
{
    struct translator_label *label = &translator->labels[translator->depth++];
    *label = (struct translator_label){ .opcode = opcode, .is_skipped = !translator->is_reachable };
    block_type(translator, label);
    if (label->is_skipped) {
        if (opcode != OPCODE_BLOCK)
            meter_charge(translator);
        return;
    }
    LLVMValueRef condition = NULL;
    if (opcode == OPCODE_IF)
        condition = condition_of(translator, pop(translator));
    label->height = translator->height - label->parameter_count;
    label->target = block_new(translator);
    make_phis(translator, label);
    if (arena_failed(translator->arena))
        return;
    if (opcode == OPCODE_LOOP)
        begin_loop(translator, label);
    else if (opcode == OPCODE_IF)
        begin_if(translator, label, condition);
    if (opcode != OPCODE_BLOCK)
        meter_charge(translator);
}

void label_open_function(struct translator *translator)
{
    struct translator_label *label = &translator->labels[translator->depth++];
    *label = (struct translator_label){ .opcode = OPCODE_BLOCK,
                                        .result_types = translator->type->results,
                                        .result_count = translator->type->result_count };
    label->target = block_new(translator);
    make_phis(translator, label);
}

/* From the end of a branch of a block to what follows it. */
static void leave(struct translator *translator, struct translator_label *label)
{
    if (!translator->is_reachable)
        return;
    carry(translator, label);
    LLVMBuildBr(translator->builder, label->target);
}

static void begin_otherwise(struct translator *translator, struct translator_label *label)
{
    block_begin(translator, label->otherwise);
    label->otherwise = NULL;
    memcpy(translator->stack + label->height, label->parameters,
           label->parameter_count * sizeof(LLVMValueRef));
    translator->height = label->height + label->parameter_count;
    translator->is_reachable = true;
}

void translate_else(struct translator *translator)
{
    struct translator_label *label = label_at(translator, 0);
    if (label->is_skipped)
        return;
    leave(translator, label);
    begin_otherwise(translator, label);
}

static void return_values(struct translator *translator, const LLVMValueRef *values)
{
    const struct function_type *type = translator->type;
    meter_store(translator);
    if (type->result_count == 0) {
        LLVMBuildRetVoid(translator->builder);
    } else if (type->result_count == 1) {
        LLVMBuildRet(translator->builder, values[0]);
    } else {
        uint32_t slot = 0;
        for (uint32_t i = 0; i < type->result_count; i++) {
            slot_store(translator, translator->results, slot, values[i]);
            slot += type->results[i] == VALUE_V128 ? 2 : 1;
        }
        LLVMBuildRetVoid(translator->builder);
    }
}

void translate_end(struct translator *translator)
{
    struct translator_label *label = label_at(translator, 0);
    translator->depth--;
    if (label->is_skipped)
        return;
    if (label->opcode == OPCODE_LOOP)
        return; /* falls through with its results where they are; if it does */
    leave(translator, label);
    if (label->otherwise != NULL) { /* an IF without ELSE */
        begin_otherwise(translator, label);
        leave(translator, label);
    }
    if (!label->is_targeted) {
        LLVMDeleteBasicBlock(label->target);
        translator->is_reachable = false;
        translator->height = label->height;
        return;
    }
    block_begin(translator, label->target);
    translator->is_reachable = true;
    translator->height = label->height;
    for (uint32_t i = 0; i < label->result_count; i++)
        push(translator, label->phis[i]);
    if (translator->depth == 0)
        return_values(translator, label->phis);
}

void translate_branch(struct translator *translator, uint32_t depth)
{
    struct translator_label *label = label_at(translator, depth);
    carry(translator, label);
    LLVMBuildBr(translator->builder, label->target);
    dead_end(translator);
}

void translate_branch_if(struct translator *translator, uint32_t depth)
{
    struct translator_label *label = label_at(translator, depth);
    LLVMValueRef condition = condition_of(translator, pop(translator));
    LLVMBasicBlockRef next = block_new(translator);
    carry(translator, label);
    LLVMBuildCondBr(translator->builder, condition, label->target, next);
    block_begin(translator, next);
    meter_charge(translator);
}

void translate_branch_table(struct translator *translator)
{
    struct scan *scan = &translator->scan;
    uint32_t count = scan_u32(scan);
    LLVMValueRef index = pop(translator);
    struct scan others = *scan;
    for (uint32_t i = 0; i < count; i++)
        scan_u32(scan);
    struct translator_label *otherwise = label_at(translator, scan_u32(scan));
    LLVMValueRef table =
        LLVMBuildSwitch(translator->builder, index, otherwise->target, MIN(count, 1u << 16));
    carry(translator, otherwise);
    for (uint32_t i = 0; i < count; i++) {
        struct translator_label *label = label_at(translator, scan_u32(&others));
        if (label == otherwise)
            continue;
        LLVMAddCase(table, number32(translator, i), label->target);
        carry(translator, label);
    }
    dead_end(translator);
}

void translate_return(struct translator *translator)
{
    translate_branch(translator, translator->depth - 1);
}
