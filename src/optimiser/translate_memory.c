/* SPDX-License-Identifier: Apache-2.0 */
/* Linear memory, globals and tables. */
#include "optimiser/places.h"
#include "optimiser/translator.h"
#include "wasm/linker.h"
#include "wasm/opcodes.h"

LLVMValueRef instance_field(struct translator *translator, uint64_t offset)
{
    LLVMValueRef at = number64(translator, offset);
    return LLVMBuildGEP2(translator->builder, translator->types.i8, translator->instance, &at, 1,
                         "");
}

/* 33 bits: beyond what is mapped stands nothing for 8 GiB, so the access faults. */
static LLVMValueRef memory_address(struct translator *translator, LLVMValueRef index,
                                   uint32_t offset)
{
    LLVMBuilderRef builder = translator->builder;
    LLVMValueRef wide = LLVMBuildZExt(builder, index, translator->types.i64, "");
    LLVMValueRef address =
        LLVMBuildGEP2(builder, translator->types.i8, translator->base, &wide, 1, "");
    if (offset == 0)
        return address;
    LLVMValueRef more = number64(translator, offset);
    return LLVMBuildGEP2(builder, translator->types.i8, address, &more, 1, "");
}

LLVMValueRef linear_load(struct translator *translator, LLVMTypeRef type, uint32_t offset)
{
    LLVMValueRef address = memory_address(translator, pop(translator), offset);
    meter_store(translator);
    LLVMValueRef value = LLVMBuildLoad2(translator->builder, type, address, "");
    LLVMSetAlignment(value, 1);
    meter_access(translator, value);
    place_set(translator, value);
    return value;
}

void linear_store(struct translator *translator, LLVMValueRef value, uint32_t offset)
{
    LLVMValueRef address = memory_address(translator, pop(translator), offset);
    meter_store(translator);
    LLVMValueRef store = LLVMBuildStore(translator->builder, value, address);
    LLVMSetAlignment(store, 1);
    meter_access(translator, store);
    place_set(translator, store);
}

struct access {
    LLVMTypeRef type; /* in memory */
    LLVMTypeRef value;
    bool is_signed;
};

static struct access access_of(const struct translator *translator, uint8_t opcode)
{
    const struct translator_types *types = &translator->types;
    switch (opcode) {
    case OPCODE_I32_LOAD:
    case OPCODE_I32_STORE:
        return (struct access){ types->i32, types->i32, false };
    case OPCODE_I64_LOAD:
    case OPCODE_I64_STORE:
        return (struct access){ types->i64, types->i64, false };
    case OPCODE_F32_LOAD:
    case OPCODE_F32_STORE:
        return (struct access){ types->f32, types->f32, false };
    case OPCODE_F64_LOAD:
    case OPCODE_F64_STORE:
        return (struct access){ types->f64, types->f64, false };
    case OPCODE_I32_LOAD8_S:
    case OPCODE_I32_LOAD8_U:
    case OPCODE_I32_STORE8:
        return (struct access){ types->i8, types->i32, opcode == OPCODE_I32_LOAD8_S };
    case OPCODE_I32_LOAD16_S:
    case OPCODE_I32_LOAD16_U:
    case OPCODE_I32_STORE16:
        return (struct access){ types->i16, types->i32, opcode == OPCODE_I32_LOAD16_S };
    case OPCODE_I64_LOAD8_S:
    case OPCODE_I64_LOAD8_U:
    case OPCODE_I64_STORE8:
        return (struct access){ types->i8, types->i64, opcode == OPCODE_I64_LOAD8_S };
    case OPCODE_I64_LOAD16_S:
    case OPCODE_I64_LOAD16_U:
    case OPCODE_I64_STORE16:
        return (struct access){ types->i16, types->i64, opcode == OPCODE_I64_LOAD16_S };
    default:
        return (struct access){ types->i32, types->i64, opcode == OPCODE_I64_LOAD32_S };
    }
}

void translate_access(struct translator *translator, uint8_t opcode)
{
    LLVMBuilderRef builder = translator->builder;
    struct access access = access_of(translator, opcode);
    scan_u32(&translator->scan); /* alignment: a hint */
    uint32_t offset = scan_u32(&translator->scan);
    if (opcode >= OPCODE_I32_STORE) {
        LLVMValueRef value = pop(translator);
        if (access.type != access.value)
            value = LLVMBuildTrunc(builder, value, access.type, "");
        linear_store(translator, value, offset);
        return;
    }
    LLVMValueRef value = linear_load(translator, access.type, offset);
    if (access.type != access.value)
        value = access.is_signed ? LLVMBuildSExt(builder, value, access.value, "")
                                 : LLVMBuildZExt(builder, value, access.value, "");
    push(translator, value);
}

static LLVMValueRef global_address(struct translator *translator, uint32_t index)
{
    LLVMValueRef slot = instance_field(translator, translator->layout->globals + 16ull * index);
    const struct global *global = &translator->module->globals[index];
    if (!global->is_linked || !global->type.is_mutable)
        return slot;
    /* Another instance's: the slot holds its address. */
    return LLVMBuildLoad2(translator->builder, translator->types.pointer, slot, "");
}

void translate_global_get(struct translator *translator, uint32_t index)
{
    const struct global *global = &translator->module->globals[index];
    if (!global->type.is_mutable && !global->is_import && global->value.kind == CONSTANT_VALUE &&
        global->type.type != VALUE_V128) {
        bool is_wide = global->type.type == VALUE_I64 || global->type.type == VALUE_F64;
        LLVMValueRef bits = is_wide ? number64(translator, global->value.bits)
                                    : number32(translator, (uint32_t)global->value.bits);
        push(translator, LLVMConstBitCast(bits, type_of(translator, (uint8_t)global->type.type)));
        return;
    }
    LLVMTypeRef type = type_of(translator, (uint8_t)global->type.type);
    LLVMValueRef value =
        LLVMBuildLoad2(translator->builder, type, global_address(translator, index), "");
    LLVMSetAlignment(value, 8);
    push(translator, value);
}

void translate_global_set(struct translator *translator, uint32_t index)
{
    LLVMValueRef value = pop(translator);
    LLVMBuilderRef builder = translator->builder;
    /* Whole slots, zero-extended. */
    if (LLVMTypeOf(value) == translator->types.f32)
        value = LLVMBuildBitCast(builder, value, translator->types.i32, "");
    if (LLVMTypeOf(value) == translator->types.i32)
        value = LLVMBuildZExt(builder, value, translator->types.i64, "");
    LLVMSetAlignment(LLVMBuildStore(builder, value, global_address(translator, index)), 8);
}

void translate_memory_size(struct translator *translator)
{
    LLVMBuilderRef builder = translator->builder;
    scan_u8(&translator->scan);
    LLVMValueRef size =
        LLVMBuildLoad2(builder, translator->types.i64,
                       instance_field(translator, offsetof(struct instance, memory_size)), "");
    LLVMValueRef pages = LLVMBuildLShr(builder, size, number64(translator, 16), "");
    push(translator, LLVMBuildTrunc(builder, pages, translator->types.i32, ""));
}

/* Instructions behind 0xfc: how many operands, how many immediates, which helper. */
static const struct {
    uint8_t operands;
    uint8_t immediates;
    uint8_t kept; /* immediates that the helper gets */
    uint8_t helper;
    uint8_t result; /* enum value_type or 0 */
} bulk[] = {
    [PREFIXED_MEMORY_INIT] = { 3, 2, 1, HELPER_MEMORY_INIT, 0 },
    [PREFIXED_DATA_DROP] = { 0, 1, 1, HELPER_DATA_DROP, 0 },
    [PREFIXED_MEMORY_COPY] = { 3, 2, 0, HELPER_MEMORY_COPY, 0 },
    [PREFIXED_MEMORY_FILL] = { 3, 1, 0, HELPER_MEMORY_FILL, 0 },
    [PREFIXED_TABLE_INIT] = { 3, 2, 2, HELPER_TABLE_INIT, 0 },
    [PREFIXED_ELEM_DROP] = { 0, 1, 1, HELPER_ELEM_DROP, 0 },
    [PREFIXED_TABLE_COPY] = { 3, 2, 2, HELPER_TABLE_COPY, 0 },
    [PREFIXED_TABLE_GROW] = { 2, 1, 1, HELPER_TABLE_GROW, VALUE_I32 },
    [PREFIXED_TABLE_SIZE] = { 0, 1, 0, 0, 0 },
    [PREFIXED_TABLE_FILL] = { 3, 1, 1, HELPER_TABLE_FILL, 0 },
};

static void translate_table_size(struct translator *translator, uint32_t table)
{
    uint64_t at = offsetof(struct instance, tables) + sizeof(struct table) * (uint64_t)table +
                  offsetof(struct table, size);
    push(translator, LLVMBuildLoad2(translator->builder, translator->types.i32,
                                    instance_field(translator, at), ""));
}

void translate_bulk(struct translator *translator, uint32_t opcode)
{
    if (opcode <= PREFIXED_I64_TRUNC_SAT_F64_U) {
        if (translator->is_reachable)
            translate_saturating(translator, opcode);
        return;
    }
    uint32_t extras[2] = { 0 };
    for (unsigned i = 0; i < bulk[opcode].immediates; i++)
        extras[i] = scan_u32(&translator->scan);
    if (!translator->is_reachable)
        return;
    if (opcode == PREFIXED_TABLE_GROW)
        translator->grown_tables |= 1ull << extras[0];
    if (opcode == PREFIXED_TABLE_SIZE)
        translate_table_size(translator, extras[0]);
    else
        helper_call(translator, (enum helper)bulk[opcode].helper, bulk[opcode].operands, extras,
                    bulk[opcode].kept, bulk[opcode].result);
}

void translate_table(struct translator *translator, uint8_t opcode)
{
    uint32_t table = scan_u32(&translator->scan);
    if (opcode == OPCODE_TABLE_GET)
        helper_call(translator, HELPER_TABLE_GET, 1, &table, 1, VALUE_FUNCREF);
    else
        helper_call(translator, HELPER_TABLE_SET, 2, &table, 1, 0);
}
