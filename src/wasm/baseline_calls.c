/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/layout.h"
#include "wasm/baseline_state.h"
#include "wasm/linker.h"
#include "wasm/opcodes.h"

#include <string.h>

enum {
    MACHINE_RAX = 0,
    MACHINE_RSI = 6,
    MACHINE_R10 = 10,
    OPCODE_MOV_STORE = 0x89, /* mov [memory], register */
    OPCODE_MOV_LOAD = 0x8b,
    OPCODE_CMP = 0x3b,
    OPCODE_ADD = 0x03,
    CONDITION_ABOVE_EQUAL = 3,
    CONDITION_NOT_EQUAL = 5,
};

static uint32_t table_field(uint32_t table, size_t field)
{
    return (uint32_t)(offsetof(struct instance, tables) + table * sizeof(struct table) + field);
}

/* What a call may not find in registers goes to the frame: the top `count` operands to their slots
 * in any case. */
static void settle(struct baseline *baseline, uint32_t count)
{
    operands_to_slots(baseline, count);
    registers_spill(baseline);
    pins_store(baseline, baseline->pinned);
}

/* After the arguments were dropped: the callee's frame starts at operand `height`. */
static void enter_and_leave(struct baseline *baseline, const struct target *direct)
{
    struct emitter *emitter = &baseline->emitter;
    int32_t frame = slot_displacement(baseline, baseline->next_slot); /* the callee knows no bias */
    emit_frame_move(emitter, frame);
    if (direct != NULL)
        emit_call(emitter, *direct);
    else
        emit_bytes(emitter, (const uint8_t[]){ 0x41, 0xff, 0x12 }, 3); /* call [r10] */
    emit_frame_move(emitter, -frame);
    baseline->pins = (struct pins){ 0 };
}

/* The only result travels in its register, several in their slots. */
static void push_results(struct baseline *baseline, const struct function_type *type)
{
    if (type->result_count != 1) {
        operand_push_slots(baseline, (struct type_range){ type->results, type->result_count });
        return;
    }
    enum machine_type result = machine_type_of(type->results[0]);
    register_claim(baseline, value_register(result));
    operand_push_register(baseline, result, value_register(result));
}

/* The first argument in its register, the others in their slots. */
static void settle_call(struct baseline *baseline, uint32_t count)
{
    if (count == 0) {
        settle(baseline, 0);
        return;
    }
    struct operand *first = &baseline->operands[baseline->height - count];
    operands_to_slots(baseline, count - 1);
    if (first->place == PLACE_REGISTER)
        baseline->owners[first->reg] = OWNER_BUSY;
    bool is_lazy = first->place == PLACE_LOCAL || first->place == PLACE_SUM;
    if (is_lazy) /* about to be read, and then no more */
        locals_wait(baseline, first, -1);
    settle(baseline, 0);
    if (is_lazy)
        locals_wait(baseline, first, 1);
    operand_move(baseline, first, value_register(first->type));
    if (first->place == PLACE_REGISTER)
        baseline->owners[first->reg] = baseline->height - count + 1;
}

static struct target target_of_function(struct baseline *baseline, uint32_t function_index)
{
    struct target target = { .address = baseline->entries[function_index] };
    if (target.address == 0)
        target.chain = &baseline->call_chains[function_index];
    return target;
}

void compile_call(struct baseline *baseline, uint32_t function_index)
{
    const struct function *function = &baseline->module->functions[function_index];
    const struct function_type *type = function->type;
    if (function->is_import)
        settle(baseline, type->parameter_count);
    else
        settle_call(baseline, type->parameter_count);
    operand_drop(baseline, type->parameter_count);
    struct target target = target_of_function(baseline, function_index);
    enter_and_leave(baseline, &target);
    push_results(baseline, type);
}

/* The table entry that r10 counts: r10 becomes its address, checked to hold a function of `type`.
 */
static void find_entry(struct baseline *baseline, const struct function_type *type, uint32_t table)
{
    struct emitter *emitter = &baseline->emitter;
    emit_instance_operation(emitter, OPCODE_CMP, MACHINE_R10,
                            table_field(table, offsetof(struct table, size)), false);
    emit_trap_if(emitter, CONDITION_ABOVE_EQUAL, TRAP_ELEMENT_UNDEFINED, TRAP_NONE);
    emit_bytes(emitter, (const uint8_t[]){ 0x49, 0xc1, 0xe2, 4 }, 4); /* shl r10, 4 */
    emit_instance_operation(emitter, OPCODE_ADD, MACHINE_R10,
                            table_field(table, offsetof(struct table, entries)), true);
    /* cmp dword [r10 + 8], signature */
    uint8_t compare[8] = { 0x41, 0x81, 0x7a, offsetof(struct function_reference, signature) };
    uint32_t id = signature_id(type);
    memcpy(compare + 4, &id, 4);
    emit_bytes(emitter, compare, 8);
    emit_trap_if(emitter, CONDITION_NOT_EQUAL, TRAP_SIGNATURE, TRAP_ELEMENT_NULL);
}

void compile_call_indirect(struct baseline *baseline, uint32_t type_index, uint32_t table)
{
    const struct function_type *type = &baseline->module->types[type_index];
    struct operand index = operand_take(baseline);
    settle(baseline, type->parameter_count);
    operand_to_scratch(baseline, &index);
    operand_drop(baseline, type->parameter_count);
    find_entry(baseline, type, table);
    enter_and_leave(baseline, NULL);
    push_results(baseline, type);
}

/* A local that stands only in its slot, which arguments of a tail call are about to overwrite. */
static bool is_only_in_slot(const struct baseline *baseline, const struct operand *operand)
{
    uint32_t parts[2] = { LOCAL_NONE, LOCAL_NONE };
    if (operand->place == PLACE_LOCAL || operand->place == PLACE_SUM)
        parts[0] = operand->index;
    if (operand->place == PLACE_SUM)
        parts[1] = operand->second;
    for (unsigned i = 0; i < 2; i++) {
        unsigned pin = parts[i] == LOCAL_NONE ? 0u : baseline->locals[parts[i]].pin;
        if (parts[i] != LOCAL_NONE &&
            (pin == REGISTER_NONE || (baseline->pins.valid & 1u << pin) == 0))
            return true;
    }
    return false;
}

/* The callee takes over this function's frame: the top `count` operands to slots 0.., from argument
 * `first` on.  Operands stand above all locals, so that moving them down in ascending order
 * overwrites none that is still to be read; locals are moved out of the way before. */
static void arguments_down(struct baseline *baseline, uint32_t count, uint32_t first)
{
    const struct operand *arguments = &baseline->operands[baseline->height - count];
    uint32_t slot = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool is_there =
            arguments[i].place == PLACE_LOCAL && baseline->locals[arguments[i].index].slot == slot;
        if (i >= first && is_only_in_slot(baseline, &arguments[i]) && !is_there)
            operand_spill(baseline, baseline->height - count + i);
        slot += slots_of(arguments[i].type);
    }
    slot = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i >= first && !is_only_in_slot(baseline, &arguments[i]))
            operand_store(baseline, &arguments[i], FRAME_REGISTER,
                          slot_displacement(baseline, slot));
        slot += slots_of(arguments[i].type);
    }
}

void compile_return_call(struct baseline *baseline, uint32_t function_index)
{
    const struct function *function = &baseline->module->functions[function_index];
    uint32_t count = function->type->parameter_count;
    if (count > 0 && !function->is_import) {
        const struct operand *first = &baseline->operands[baseline->height - count];
        unsigned reg = value_register(first->type);
        if (first->place != PLACE_REGISTER || first->reg != reg) {
            register_claim(baseline, reg);
            operand_move(baseline, first, reg);
            baseline->owners[reg] = 0;
        }
        arguments_down(baseline, count, 1);
    } else {
        arguments_down(baseline, count, 0);
    }
    frame_leave(baseline);
    emit_jump(&baseline->emitter, target_of_function(baseline, function_index));
    compile_dead_end(baseline);
}

void compile_return_call_indirect(struct baseline *baseline, uint32_t type_index, uint32_t table)
{
    const struct function_type *type = &baseline->module->types[type_index];
    struct operand index = operand_take(baseline);
    /* Moving arguments needs r10. */
    if (is_only_in_slot(baseline, &index) || index.place != PLACE_LOCAL)
        operand_to_register(baseline, &index);
    arguments_down(baseline, type->parameter_count, 0);
    operand_to_scratch(baseline, &index);
    find_entry(baseline, type, table);
    frame_leave(baseline);
    emit_bytes(&baseline->emitter, (const uint8_t[]){ 0x41, 0xff, 0x22 }, 3); /* jmp [r10] */
    compile_dead_end(baseline);
}

/* frame_top = the first slot that nobody uses */
static void store_frame_top(struct baseline *baseline, uint32_t slot)
{
    struct emitter *emitter = &baseline->emitter;
    emit_frame_address(emitter, MACHINE_RAX, slot_displacement(baseline, slot));
    emit_instance_operation(emitter, OPCODE_MOV_STORE, MACHINE_RAX,
                            offsetof(struct instance, frame_top), true);
}

/* Operations on many bytes or elements cost one unit per eight bytes or one element. */
static void fuel_charge_size(struct baseline *baseline, enum helper helper)
{
    bool is_memory = helper == HELPER_MEMORY_COPY || helper == HELPER_MEMORY_FILL ||
                     helper == HELPER_MEMORY_INIT;
    bool is_table = helper == HELPER_TABLE_COPY || helper == HELPER_TABLE_FILL ||
                    helper == HELPER_TABLE_INIT || helper == HELPER_TABLE_GROW;
    if (is_memory || is_table) /* the size is their last operand */
        fuel_charge_slot(baseline, baseline->next_slot - 1, is_memory ? 3 : 0);
}

void compile_helper(struct baseline *baseline, const struct helper_call *call)
{
    struct emitter *emitter = &baseline->emitter;
    settle(baseline, call->operand_count);
    fuel_charge_size(baseline, call->helper);
    uint32_t base = baseline->next_slot - call->operand_count;
    uint32_t end = base + call->operand_count;
    for (uint32_t i = 0; i < call->extra_count; i++)
        emit_store_constant(emitter, FRAME_REGISTER, slot_displacement(baseline, end + i),
                            call->extras[i]);
    operand_drop(baseline, call->operand_count);
    store_frame_top(baseline, MAX(end + call->extra_count, base + 1));
    emit_frame_address(emitter, MACHINE_RSI, slot_displacement(baseline, base));
    emit_bytes(emitter, (const uint8_t[]){ 0x4c, 0x89, 0xf7 }, 3); /* mov rdi, r14 */
    if (!baseline->has_calls)
        emit_bytes(emitter, (const uint8_t[]){ 0x50 }, 1); /* push rax, for the alignment */
    fuel_store(baseline);
    emit_trap_point(emitter);
    uint8_t through[7] = { 0x41, 0xff, 0x96 }; /* call [r14 + helper] */
    uint32_t helper = (uint32_t)(offsetof(struct instance, helpers) + 8 * call->helper);
    memcpy(through + 3, &helper, 4);
    emit_bytes(emitter, through, 7);
    if (!baseline->has_calls)
        emit_bytes(emitter, (const uint8_t[]){ 0x59 }, 1);
    baseline->pins = (struct pins){ 0 };
    if (call->result != 0)
        operand_push_slots(baseline, (struct type_range){ &call->result, 1 });
}

void import_stub(struct baseline *baseline, uint32_t function_index)
{
    struct emitter *emitter = &baseline->emitter;
    const struct function *function = &baseline->module->functions[function_index];
    if (function->is_linked) {
        linked_import_stub(baseline, function_index);
        return;
    }
    emit_align(emitter, 16, 0xcc);
    emitter->bias = 0;
    native_header(baseline);
    baseline->starts[function_index] = emitter->size;
    baseline->entries[function_index] = emitter->size;
    emitter->wasm_offset = 0;
    emit_trap_point(emitter);
    uint32_t slot = 0;
    for (uint32_t i = 0; i < function->type->parameter_count; i++) {
        uint8_t type = function->type->parameters[i];
        if (type == VALUE_F32)
            emit_clear_upper(emitter, slot);
        slot += slots_of(machine_type_of(type));
    }
    store_frame_top(baseline, MAX(slot, 2u));
    /* mov rdi, r14; mov rsi, r12; mov rax, [r14 + bindings]; push rax; call [rax + binding] */
    emit_bytes(emitter, (const uint8_t[]){ 0x4c, 0x89, 0xf7, 0x4c, 0x89, 0xe6 }, 6);
    emit_instance_operation(emitter, OPCODE_MOV_LOAD, MACHINE_RAX,
                            offsetof(struct instance, bindings), true);
    fuel_store(baseline);
    uint8_t call[7] = { 0x50, 0xff, 0x90 };
    uint32_t binding = 8 * (uint32_t)function->binding;
    memcpy(call + 3, &binding, 4);
    emit_bytes(emitter, call, 7);
    if (function->type->result_count == 1) {
        enum machine_type result = machine_type_of(function->type->results[0]);
        emit_load(emitter, result, value_register(result), FRAME_REGISTER, 0);
    }
    emit_bytes(emitter, (const uint8_t[]){ 0x59, 0xc3 }, 2); /* pop rcx; ret */
}

static uint32_t global_offset(const struct baseline *baseline, uint32_t index)
{
    return baseline->layout->globals + 16 * index;
}

/* Another instance's mutable global: r10 becomes its address. */
static void find_global(struct baseline *baseline, uint32_t index)
{
    emit_instance_operation(&baseline->emitter, OPCODE_MOV_LOAD, MACHINE_R10,
                            global_offset(baseline, index), true);
}

void compile_global_get(struct baseline *baseline, uint32_t index)
{
    const struct global *global = &baseline->module->globals[index];
    enum machine_type type = machine_type_of((uint8_t)global->type.type);
    if (!global->type.is_mutable && type != MACHINE_V128) {
        operand_push_constant(baseline, type, constant_bits(baseline->module, &global->value));
        return;
    }
    unsigned reg = register_take(baseline, is_float(type));
    if (global->is_linked) {
        find_global(baseline, index);
        emit_load(&baseline->emitter, type, reg, MACHINE_R10, 0);
    } else {
        emit_load(&baseline->emitter, type, reg, INSTANCE_REGISTER,
                  (int32_t)global_offset(baseline, index));
    }
    operand_push_register(baseline, type, reg);
}

void compile_global_set(struct baseline *baseline, uint32_t index)
{
    struct operand value = operand_take(baseline);
    if (value.type == MACHINE_F32 && value.place != PLACE_CONSTANT)
        operand_to_register(baseline, &value); /* a slot's upper half may hold anything */
    if (baseline->module->globals[index].is_linked) {
        operand_to_register(baseline, &value); /* moves from elsewhere need r10 */
        find_global(baseline, index);
        operand_store(baseline, &value, MACHINE_R10, 0);
    } else {
        operand_store(baseline, &value, INSTANCE_REGISTER, (int32_t)global_offset(baseline, index));
    }
    operand_release(baseline, &value);
}

void compile_memory_size(struct baseline *baseline)
{
    struct emitter *emitter = &baseline->emitter;
    unsigned reg = register_take(baseline, false);
    emit_load(emitter, MACHINE_I64, reg, INSTANCE_REGISTER,
              (int32_t)offsetof(struct instance, memory_size));
    emit_shift(emitter, 5, true, reg, 16);
    operand_push_register(baseline, MACHINE_I32, reg);
}

static void compile_table_size(struct baseline *baseline, uint32_t table)
{
    unsigned reg = register_take(baseline, false);
    emit_load(&baseline->emitter, MACHINE_I32, reg, INSTANCE_REGISTER,
              (int32_t)table_field(table, offsetof(struct table, size)));
    operand_push_register(baseline, MACHINE_I32, reg);
}

/* Instructions behind 0xfc: how many operands, how many immediates, which helper. */
static const struct {
    uint8_t operands;
    uint8_t immediates;
    uint8_t kept; /* immediates that the helper gets */
    uint8_t helper;
    uint8_t result; /* enum value_type or 0 */
} prefixed[] = {
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

void compile_prefixed(struct baseline *baseline)
{
    uint32_t code = scan_u32(&baseline->scan);
    if (code <= PREFIXED_I64_TRUNC_SAT_F64_U) {
        if (baseline->is_reachable)
            compile_operation(baseline, &saturating_operations[code]);
        return;
    }
    struct helper_call call = { .helper = prefixed[code].helper,
                                .operand_count = prefixed[code].operands,
                                .extra_count = prefixed[code].kept,
                                .result = prefixed[code].result };
    for (unsigned i = 0; i < prefixed[code].immediates; i++)
        call.extras[i] = scan_u32(&baseline->scan);
    if (!baseline->is_reachable)
        return;
    if (code == PREFIXED_TABLE_GROW)
        baseline->grown_tables |= 1ull << call.extras[0];
    if (code == PREFIXED_TABLE_SIZE)
        compile_table_size(baseline, call.extras[0]);
    else
        compile_helper(baseline, &call);
}
