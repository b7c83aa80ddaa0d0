/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/baseline.h"

#include "abi/layout.h"
#include "wasm/baseline_state.h"
#include "wasm/limits.h"
#include "wasm/linker.h"
#include "wasm/opcodes.h"

#include <string.h>

enum {
    FRAME_SLOTS_MIN = 2,   /* every call moves the frame by at least 16 bytes */
    FRAME_SLOTS_SPARE = 8, /* a helper's extra arguments, an import's results */
    LEAF_FRAME_MAX = 2048, /* bytes that a leaf may use unchecked: the guard behind is larger */
    OPERAND_ROOM = 4,
    FRAME_BIAS = 128,      /* displacements of one byte then reach 32 slots instead of 16 */
    BIASED_SLOTS_MIN = 18, /* smaller frames and bodies don't earn the two additions */
    BIASED_CODE_MIN = 128,
};

/* Makes room for `count` elements, forgetting the old ones. */
static bool make_room(struct baseline *baseline, void **array, uint32_t *capacity, uint32_t count,
                      size_t size)
{
    if (count <= *capacity)
        return true;
    uint32_t larger = MAX(count, *capacity * 2);
    void *fresh = arena_array(baseline->emitter.arena, larger, size);
    if (fresh == NULL)
        return false;
    *array = fresh;
    *capacity = larger;
    return true;
}

/* The most used locals of each class get the registers, if they are used more than calls make it
 * dear. */
static void pins_choose(struct baseline *baseline)
{
    const struct function_facts *facts = baseline->facts;
    enum {
        PINS_MAX = 11
    };
    static const uint8_t registers[2][PINS_MAX] = {
        { 3, 4, 5, 6, 7, 8, REGISTER_RBX, REGISTER_RBP },
        { FLOAT_BASE + 3, FLOAT_BASE + 4, FLOAT_BASE + 5, FLOAT_BASE + 6, FLOAT_BASE + 7,
          REGISTER_XMM10, REGISTER_XMM10 + 1, REGISTER_XMM10 + 2, REGISTER_XMM10 + 3,
          REGISTER_XMM10 + 4, REGISTER_XMM10 + 5 },
    };
    /* rbp, the last one, holds the fuel where that is counted. */
    const uint32_t limits[2] = { baseline->is_metered ? 7 : 8, PINS_MAX };
    uint32_t best[2][PINS_MAX];
    uint32_t counts[2] = { 0, 0 };
    for (uint32_t i = 0; i < facts->local_count; i++) {
        uint32_t uses = facts->local_uses[i];
        unsigned class = is_float(baseline->locals[i].type);
        uint32_t *chosen = best[class];
        /* The first argument comes in a register: it had better stay in one. */
        unsigned uses_min = i == 0 && baseline->type->parameter_count > 0 ? 1 : 2;
        if (uses < uses_min || uses <= facts->call_count / 4)
            continue;
        uint32_t at = counts[class];
        if (at == limits[class]) {
            if (uses <= facts->local_uses[chosen[at - 1]])
                continue;
            at--;
        } else {
            counts[class]++;
        }
        for (; at > 0 && uses > facts->local_uses[chosen[at - 1]]; at--)
            chosen[at] = chosen[at - 1];
        chosen[at] = i;
    }
    baseline->pinned = 0;
    for (unsigned class = 0; class < 2; class ++) {
        for (uint32_t i = 0; i < counts[class]; i++) {
            uint8_t reg = registers[class][i];
            baseline->locals[best[class][i]].pin = reg;
            baseline->pin_locals[reg] = best[class][i];
            baseline->pinned |= 1u << reg;
        }
    }
}

static bool function_prepare(struct baseline *baseline, uint32_t function_index,
                             const struct function_facts *facts)
{
    if (!make_room(baseline, (void **)&baseline->locals, &baseline->local_capacity,
                   facts->local_count, sizeof(*baseline->locals)) ||
        !make_room(baseline, (void **)&baseline->operands, &baseline->operand_capacity,
                   facts->stack_height_max + OPERAND_ROOM, sizeof(*baseline->operands)) ||
        !make_room(baseline, (void **)&baseline->labels, &baseline->label_capacity,
                   facts->block_depth_max + 2, sizeof(*baseline->labels)))
        return false;
    baseline->facts = facts;
    baseline->type = baseline->module->functions[function_index].type;
    baseline->scan = scan_of(baseline->module->source, facts->code_offset);
    baseline->scan.end = baseline->scan.at + facts->code.size;
    baseline->height = 0;
    baseline->flushed = 0;
    baseline->depth = 0;
    baseline->pins = (struct pins){ 0 };
    baseline->cost_at = 0;
    baseline->loop_at = 0;
    baseline->is_reachable = true;
    baseline->borrowed = 0;
    baseline->has_calls = facts->call_count > 0;
    memset(baseline->owners, 0, sizeof(baseline->owners));
    uint32_t slot = 0;
    for (uint32_t i = 0; i < facts->local_count; i++) {
        enum machine_type type = machine_type_of(facts->local_types[i]);
        baseline->locals[i] =
            (struct local){ .type = (uint8_t)type, .pin = REGISTER_NONE, .slot = slot };
        slot += slots_of(type);
    }
    baseline->operand_base = MAX(slot, (uint32_t)FRAME_SLOTS_MIN);
    baseline->next_slot = baseline->operand_base;
    pins_choose(baseline);
    return true;
}

/* Locals beyond the parameters start as zero. */
static void zero_locals(struct baseline *baseline)
{
    uint32_t count = baseline->facts->local_count;
    for (uint32_t i = baseline->type->parameter_count; i < count; i++) {
        uint32_t first = baseline->locals[i].slot;
        uint32_t slots = 0;
        for (; i < count && baseline->locals[i].pin == REGISTER_NONE; i++)
            slots += slots_of(baseline->locals[i].type);
        emit_zero_slots(&baseline->emitter, first, slots);
        if (i == count)
            return;
        emit_constant(&baseline->emitter, baseline->locals[i].type, baseline->locals[i].pin, 0);
        baseline->pins.valid |= 1u << baseline->locals[i].pin;
        baseline->pins.dirty |= 1u << baseline->locals[i].pin;
    }
}

/* Within the module the first argument travels in a register; who comes from elsewhere passes the
 * load of it. */
void function_enter(struct baseline *baseline, uint32_t function_index)
{
    struct emitter *emitter = &baseline->emitter;
    emit_align(emitter, 32, 0xcc);
    emitter->bias = 0;
    native_header(baseline);
    baseline->starts[function_index] = emitter->size;
    emit_trap_point(emitter);
    if (baseline->type->parameter_count > 0) {
        enum machine_type type = machine_type_of(baseline->type->parameters[0]);
        emit_load(emitter, type, value_register(type), FRAME_REGISTER, 0);
    }
    baseline->entries[function_index] = emitter->size;
    emit_chain_here(emitter, &baseline->call_chains[function_index]);
}

static void receive_first(struct baseline *baseline)
{
    if (baseline->type->parameter_count == 0 || baseline->facts->local_uses[0] == 0)
        return;
    enum machine_type type = machine_type_of(baseline->type->parameters[0]);
    unsigned pin = baseline->locals[0].pin;
    if (pin == REGISTER_NONE) {
        emit_store(&baseline->emitter, type, value_register(type), FRAME_REGISTER,
                   slot_displacement(baseline, 0));
        return;
    }
    emit_move(&baseline->emitter, type, pin, value_register(type));
    baseline->pins.valid |= 1u << pin;
    baseline->pins.dirty |= 1u << pin;
}

static void prologue(struct baseline *baseline)
{
    enum {
        CMP = 0x3b,
        R10 = 10,
        ABOVE = 7
    };
    struct emitter *emitter = &baseline->emitter;
    const struct function_facts *facts = baseline->facts;
    struct type_range results = { baseline->type->results, baseline->type->result_count };
    uint32_t slots = baseline->operand_base + facts->stack_slots_max + FRAME_SLOTS_SPARE;
    slots = MAX(slots, slots_of_range(results));
    if (baseline->has_calls || slots * 8 > LEAF_FRAME_MAX) {
        /* Small frames may end in the guard behind the stack: they needn't be added up. */
        unsigned end = slots * 8 > LEAF_FRAME_MAX ? R10 : (unsigned)FRAME_REGISTER;
        if (end == R10)
            emit_frame_address(emitter, R10, (int32_t)(slots * 8));
        emit_instance_operation(emitter, CMP, end, offsetof(struct instance, frame_limit), true);
        emit_trap_if(emitter, ABOVE, TRAP_STACK, TRAP_NONE);
    }
    if (baseline->has_calls)
        emit_bytes(emitter, (const uint8_t[]){ 0x50 }, 1); /* push rax aligns rsp */
    if (facts->code.size >= BIASED_CODE_MIN && slots > BIASED_SLOTS_MIN + FRAME_SLOTS_SPARE) {
        emit_frame_move(emitter, FRAME_BIAS);
        emitter->bias = FRAME_BIAS;
    }
    receive_first(baseline);
    fuel_charge(baseline);
    zero_locals(baseline);
}

static void compile_local_get(struct baseline *baseline, uint32_t index)
{
    operand_push(baseline, (struct operand){ .place = PLACE_LOCAL,
                                             .type = baseline->locals[index].type,
                                             .index = index });
}

static void compile_local_set(struct baseline *baseline, uint32_t index, bool keeps)
{
    struct operand value = operand_take_lazily(baseline);
    local_preserve(baseline, index);
    local_assign(baseline, index, &value);
    unsigned pin = baseline->locals[index].pin;
    if (keeps && value.place == PLACE_REGISTER &&
        (pin == REGISTER_NONE || is_outside_stencils(pin))) {
        operand_push_register(baseline, value.type, value.reg);
        return;
    }
    operand_release(baseline, &value);
    if (keeps)
        compile_local_get(baseline, index);
}

static void compile_reference(struct baseline *baseline, uint8_t opcode)
{
    struct scan *scan = &baseline->scan;
    struct helper_call call = {
        .helper = HELPER_TABLE_GET, .operand_count = 1, .extra_count = 1, .result = VALUE_FUNCREF
    };
    switch (opcode) {
    case OPCODE_REF_NULL:
        scan_u8(scan);
        operand_push_constant(baseline, MACHINE_I64, 0);
        return;
    case OPCODE_REF_IS_NULL:
        compile_operation(baseline, &operations[OPCODE_I64_EQZ]);
        return;
    case OPCODE_REF_FUNC:
        operand_push_constant(baseline, MACHINE_I64, row_address(baseline->module, scan_u32(scan)));
        return;
    case OPCODE_TABLE_SET:
        call = (struct helper_call){ .helper = HELPER_TABLE_SET,
                                     .operand_count = 2,
                                     .extra_count = 1 };
        break;
    default:
        break;
    }
    call.extras[0] = scan_u32(scan);
    compile_helper(baseline, &call);
}

static void compile_constant(struct baseline *baseline, uint8_t opcode)
{
    struct scan *scan = &baseline->scan;
    if (opcode == OPCODE_I32_CONST)
        operand_push_constant(baseline, MACHINE_I32, (uint32_t)scan_signed(scan, 32));
    else if (opcode == OPCODE_I64_CONST)
        operand_push_constant(baseline, MACHINE_I64, (uint64_t)scan_signed(scan, 64));
    else if (opcode == OPCODE_F32_CONST)
        operand_push_constant(baseline, MACHINE_F32, scan_fixed_u32(scan));
    else
        operand_push_constant(baseline, MACHINE_F64, scan_fixed_u64(scan));
}

static void compile_memory_grow(struct baseline *baseline)
{
    compile_helper(baseline, &(struct helper_call){ .helper = HELPER_MEMORY_GROW,
                                                    .operand_count = 1,
                                                    .result = VALUE_I32 });
}

/* Passes over an instruction that can't be reached; blocks are kept count of by the caller. */
static void skip(struct baseline *baseline, uint8_t opcode)
{
    struct scan *scan = &baseline->scan;
    uint32_t numbers = 0;
    switch (opcode) {
    case OPCODE_BR_TABLE:
    case OPCODE_SELECT_T:
        numbers = scan_u32(scan) + (opcode == OPCODE_BR_TABLE);
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
        compile_prefixed(baseline);
        break;
    case OPCODE_VECTOR_PREFIX:
        compile_vector(baseline);
        break;
    case OPCODE_CALL_INDIRECT:
    case OPCODE_RETURN_CALL_INDIRECT:
        numbers = 2;
        break;
    case OPCODE_BR_IF:
        scan_u32(scan);
        fuel_charge(baseline);
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
        if (opcode >= OPCODE_I32_LOAD && opcode <= OPCODE_I64_STORE32)
            numbers = 2;
        break;
    }
    for (uint32_t i = 0; i < numbers; i++)
        scan_u32(scan);
}

/* Calls of all kinds; false when it is none. */
static bool compile_any_call(struct baseline *baseline, uint8_t opcode)
{
    struct scan *scan = &baseline->scan;
    if (opcode < OPCODE_CALL || opcode > OPCODE_RETURN_CALL_INDIRECT)
        return false;
    uint32_t first = scan_u32(scan);
    if (opcode == OPCODE_CALL)
        compile_call(baseline, first);
    else if (opcode == OPCODE_RETURN_CALL)
        compile_return_call(baseline, first);
    else if (opcode == OPCODE_CALL_INDIRECT)
        compile_call_indirect(baseline, first, scan_u32(scan));
    else
        compile_return_call_indirect(baseline, first, scan_u32(scan));
    return true;
}

static void compile_special(struct baseline *baseline, uint8_t opcode)
{
    struct scan *scan = &baseline->scan;
    if (compile_any_call(baseline, opcode))
        return;
    switch (opcode) {
    case OPCODE_NOP:
        return;
    case OPCODE_UNREACHABLE:
        emit_unreachable(&baseline->emitter, TRAP_UNREACHABLE);
        compile_dead_end(baseline);
        return;
    case OPCODE_BR:
        compile_branch(baseline, scan_u32(scan));
        return;
    case OPCODE_BR_IF:
        compile_branch_if(baseline, scan_u32(scan));
        return;
    case OPCODE_BR_TABLE:
        compile_branch_table(baseline);
        return;
    case OPCODE_RETURN:
        compile_return(baseline);
        return;
    case OPCODE_DROP:
        operand_drop(baseline, 1);
        return;
    case OPCODE_SELECT_T:
        scan_u32(scan);
        scan_u8(scan);
        compile_select(baseline);
        return;
    case OPCODE_SELECT:
        compile_select(baseline);
        return;
    case OPCODE_GLOBAL_GET:
        compile_global_get(baseline, scan_u32(scan));
        return;
    case OPCODE_GLOBAL_SET:
        compile_global_set(baseline, scan_u32(scan));
        return;
    case OPCODE_MEMORY_SIZE:
        scan_u8(scan);
        compile_memory_size(baseline);
        return;
    case OPCODE_MEMORY_GROW:
        scan_u8(scan);
        compile_memory_grow(baseline);
        return;
    case OPCODE_I64_EXTEND_I32_U: /* an i32 is zero-extended wherever it stands */
        compile_extend(baseline);
        return;
    case OPCODE_PREFIX:
        compile_prefixed(baseline);
        return;
    case OPCODE_VECTOR_PREFIX:
        compile_vector(baseline);
        return;
    default:
        compile_reference(baseline, opcode);
        return;
    }
}

/* One instruction, whose opcode was read; false at the end of the function. */
static bool compile_instruction(struct baseline *baseline, uint8_t opcode)
{
    struct scan *scan = &baseline->scan;
    switch (opcode) {
    case OPCODE_BLOCK:
    case OPCODE_LOOP:
    case OPCODE_IF:
        compile_block(baseline, opcode);
        return true;
    case OPCODE_ELSE:
        compile_else(baseline);
        fuel_charge(baseline);
        return true;
    case OPCODE_END:
        compile_end(baseline);
        if (baseline->depth > 0)
            fuel_charge(baseline);
        return baseline->depth > 0;
    default:
        break;
    }
    if (!baseline->is_reachable) {
        skip(baseline, opcode);
        return true;
    }
    switch (opcode) {
    case OPCODE_LOCAL_GET:
        compile_local_get(baseline, scan_u32(scan));
        break;
    case OPCODE_LOCAL_SET:
    case OPCODE_LOCAL_TEE:
        compile_local_set(baseline, scan_u32(scan), opcode == OPCODE_LOCAL_TEE);
        break;
    case OPCODE_I32_CONST:
    case OPCODE_I64_CONST:
    case OPCODE_F32_CONST:
    case OPCODE_F64_CONST:
        compile_constant(baseline, opcode);
        break;
    default:
        if (operations[opcode].stencil != STENCIL_NONE)
            compile_operation(baseline, &operations[opcode]);
        else
            compile_special(baseline, opcode);
        break;
    }
    return true;
}

bool baseline_function(struct baseline *baseline, uint32_t function_index,
                       const struct function_facts *facts, struct error *error)
{
    struct emitter *emitter = &baseline->emitter;
    emitter->wasm_offset = (uint32_t)facts->code_offset;
    if (native_has(baseline, function_index)) {
        native_function(baseline, function_index);
        return true;
    }
    if (!function_prepare(baseline, function_index, facts))
        return error_set(error, ERROR_NO_MEMORY, "no memory to compile function %u",
                         function_index);
    uint32_t start = emitter->size;
    uint64_t size_max = (uint64_t)facts->code.size * WASM_CODE_GROWTH_MAX +
                        (uint64_t)facts->local_count * 16 + WASM_CODE_GROWTH_FREE;
    uint64_t module_max =
        (uint64_t)baseline->module->code_size * WASM_CODE_GROWTH_MAX + WASM_CODE_GROWTH_MODULE_FREE;
    uint64_t end_max = MIN(start + size_max, module_max);
    if ((facts->features & WASM_FEATURE_SIMD) != 0)
        emit_vector_pool(emitter);
    function_enter(baseline, function_index);
    label_push(baseline, OPCODE_BLOCK, (struct type_range){ 0 },
               (struct type_range){ baseline->type->results, baseline->type->result_count });
    prologue(baseline);
    bool more = true;
    while (more && !emitter->failed && emitter->size <= end_max) {
        emitter->wasm_offset = (uint32_t)scan_offset(&baseline->scan);
        more = compile_instruction(baseline, scan_u8(&baseline->scan));
    }
    emit_islands(emitter);
    emitter->bias = 0;
    if (emitter->failed)
        return error_set(error, ERROR_LIMIT, "the image is larger than %zu bytes",
                         emitter->buffer->size_max);
    if (more && end_max == module_max)
        return error_set(error, ERROR_LIMIT,
                         "code of the module, with function %u, is over %llu bytes", function_index,
                         (unsigned long long)module_max);
    if (more)
        return error_set(error, ERROR_LIMIT, "code of function %u is over %llu bytes",
                         function_index, (unsigned long long)size_max);
    return true;
}

bool baseline_new(struct baseline **baseline, const struct code_options *options,
                  struct error *error)
{
    const struct module *module = options->module;
    struct arena *arena = options->arena;
    struct baseline *made = arena_take(arena, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the compiler");
    made->module = module;
    made->is_metered = options->is_metered;
    made->is_deterministic = options->is_deterministic;
    made->layout = options->layout;
    made->starts = arena_array(arena, module->function_count + 1u, sizeof(uint32_t));
    made->entries = arena_array(arena, module->function_count + 1u, sizeof(uint32_t));
    made->call_chains = arena_array(arena, module->function_count + 1u, sizeof(uint32_t));
    struct emitter *emitter = &made->emitter;
    *emitter = (struct emitter){ .buffer = options->buffer,
                                 .start = options->buffer->size,
                                 .base = image_place(module->placement).code,
                                 .arena = arena,
                                 .stencils = stencils_new(arena) };
    if (made->starts == NULL || made->entries == NULL || made->call_chains == NULL ||
        emitter->stencils == NULL ||
        (options->native != NULL && !native_new(made, options->native, arena)))
        return error_set(error, ERROR_NO_MEMORY, "no memory for the compiler");
    buffer_reserve(options->buffer, module->code_size * 2);
    struct bytes constants = stencil_constants();
    for (size_t at = 0; at < constants.size; at += 64) {
        struct bytes part = bytes_part(constants, at, 64);
        emit_bytes(emitter, part.data, (unsigned)part.size);
    }
    for (uint32_t i = 0; i < module->imported_function_count && !emitter->failed; i++)
        import_stub(made, i);
    if (emitter->failed)
        return error_set(error, ERROR_LIMIT, "no room for code");
    *baseline = made;
    return true;
}

bool baseline_finish(struct baseline *baseline, struct code *code, struct error *error)
{
    struct emitter *emitter = &baseline->emitter;
    baseline->references = baseline->starts;
    if (baseline->module->placement != 0 && !emit_entries(baseline))
        return error_set(error, ERROR_NO_MEMORY, "no memory for entries of functions");
    if ((baseline->native != NULL && !native_finish(baseline, emitter->arena)) || emitter->failed)
        return error_set(error, ERROR_LIMIT, "no room for code");
    emitter->buffer->size = emitter->start + emitter->size;
    *code = (struct code){ .size = emitter->size,
                           .starts = baseline->starts,
                           .references = baseline->references,
                           .traps = emitter->traps,
                           .trap_count = emitter->trap_count,
                           .grown_tables = baseline->grown_tables,
                           .native_rows = baseline->native_rows,
                           .native_row_count = baseline->native_row_count };
    return true;
}
