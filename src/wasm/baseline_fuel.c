/* SPDX-License-Identifier: Apache-2.0 */
/* Metering: rbp holds what is left (abi/instance.h).  Validation has counted the instructions of
 * every basic block, so that each block costs one subtraction and one branch that is never taken.
 */
#include "wasm/baseline_state.h"

#include <string.h>

enum {
    MACHINE_RBP = 5,
    OPCODE_MOV_STORE = 0x89,
    CONDITION_BELOW = 2,
};

void fuel_charge(struct baseline *baseline)
{
    if (!baseline->is_metered)
        return;
    ASSERT(baseline->cost_at < baseline->facts->cost_count);
    uint32_t cost = baseline->facts->costs[baseline->cost_at++];
    if (!baseline->is_reachable || cost == COST_NONE || cost == 0)
        return;
    emit_integer_immediate(&baseline->emitter, 5, true, REGISTER_RBP, (int32_t)cost);
    emit_trap_if(&baseline->emitter, CONDITION_BELOW, TRAP_OUT_OF_FUEL, TRAP_NONE);
}

void fuel_charge_slot(struct baseline *baseline, uint32_t slot, unsigned shift)
{
    if (!baseline->is_metered)
        return;
    struct emitter *emitter = &baseline->emitter;
    emit_scratch_load(emitter, slot_displacement(baseline, slot));
    /* shr r10d, shift; sub rbp, r10 */
    emit_bytes(emitter, (const uint8_t[]){ 0x41, 0xc1, 0xea, (uint8_t)shift, 0x4c, 0x29, 0xd5 }, 7);
    emit_trap_if(emitter, CONDITION_BELOW, TRAP_OUT_OF_FUEL, TRAP_NONE);
}

void fuel_store(struct baseline *baseline)
{
    if (baseline->is_metered)
        emit_instance_operation(&baseline->emitter, OPCODE_MOV_STORE, MACHINE_RBP,
                                offsetof(struct instance, fuel), true);
}
