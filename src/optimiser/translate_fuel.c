/* SPDX-License-Identifier: Apache-2.0 */
/* Metering.  The fuel left is a local variable, which LLVM keeps in a register; while anything else
 * runs it stands in the instance.  An access of linear memory may fault, and the count must be
 * exact then: it is written there before the first access of each block, while the register goes
 * on.  The baseline's rules and counts hold (wasm/baseline_fuel.c). */
#include "optimiser/translator.h"

#include <string.h>

static unsigned metadata_kind(const struct translator *translator, const char *name)
{
    return LLVMGetMDKindIDInContext(translator->context, name, (unsigned)strlen(name));
}

static void take(struct translator *translator, LLVMValueRef cost)
{
    LLVMBuilderRef builder = translator->builder;
    LLVMValueRef left = LLVMBuildLoad2(builder, translator->types.i64, translator->fuel, "");
    LLVMBuildStore(builder, LLVMBuildSub(builder, left, cost, ""), translator->fuel);
    translator->is_fuel_told = false;
    trap_if(translator, LLVMBuildICmp(builder, LLVMIntULT, left, cost, ""), TRAP_OUT_OF_FUEL);
}

void meter_begin(struct translator *translator)
{
    translator->cost_at = 0;
    if (!translator->is_metered)
        return;
    translator->fuel = LLVMBuildAlloca(translator->builder, translator->types.i64, "");
    meter_load(translator);
}

void meter_charge(struct translator *translator)
{
    const struct function_facts *facts = translator->facts;
    if (!translator->is_metered)
        return;
    ASSERT(translator->cost_at < facts->cost_count);
    uint32_t cost = facts->costs[translator->cost_at++];
    if (translator->is_reachable && cost != COST_NONE && cost != 0)
        take(translator, number64(translator, cost));
}

void meter_size(struct translator *translator, enum helper helper, LLVMValueRef size)
{
    bool is_memory = helper == HELPER_MEMORY_COPY || helper == HELPER_MEMORY_FILL ||
                     helper == HELPER_MEMORY_INIT;
    bool is_table = helper == HELPER_TABLE_COPY || helper == HELPER_TABLE_FILL ||
                    helper == HELPER_TABLE_INIT || helper == HELPER_TABLE_GROW;
    if (!translator->is_metered || (!is_memory && !is_table))
        return;
    LLVMValueRef cost =
        LLVMBuildLShr(translator->builder, size, number32(translator, is_memory ? 3 : 0), "");
    take(translator, LLVMBuildZExt(translator->builder, cost, translator->types.i64, ""));
}

void meter_store(struct translator *translator)
{
    if (!translator->is_metered || translator->is_fuel_told)
        return;
    translator->is_fuel_told = true;
    LLVMValueRef left =
        LLVMBuildLoad2(translator->builder, translator->types.i64, translator->fuel, "");
    LLVMValueRef store = LLVMBuildStore(
        translator->builder, left, instance_field(translator, offsetof(struct instance, fuel)));
    /* A fault reads it, so that it stays where it is between accesses of linear memory; these need
     * not mind it. */
    LLVMSetVolatile(store, 1);
    LLVMSetMetadata(store, metadata_kind(translator, "alias.scope"), translator->fuel_scope);
}

void meter_load(struct translator *translator)
{
    if (!translator->is_metered)
        return;
    LLVMValueRef left =
        LLVMBuildLoad2(translator->builder, translator->types.i64,
                       instance_field(translator, offsetof(struct instance, fuel)), "");
    LLVMBuildStore(translator->builder, left, translator->fuel);
    translator->is_fuel_told = true;
}

void meter_access(struct translator *translator, LLVMValueRef access)
{
    if (translator->is_metered)
        LLVMSetMetadata(access, metadata_kind(translator, "noalias"), translator->fuel_scope);
}
