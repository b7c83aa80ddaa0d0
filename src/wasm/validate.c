/* SPDX-License-Identifier: Apache-2.0 */
/* Validation of one function: locals, the walk over its instructions, plain instructions. */
#include "core/checked.h"
#include "wasm/limits.h"
#include "wasm/opcodes.h"
#include "wasm/proposals.h"
#include "wasm/types.h"
#include "wasm/validator.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool validator_refuse(struct validator *validator, enum error_code code, const char *format, ...)
{
    if (!scan_check(&validator->scan, validator->error))
        return false;
    char text[sizeof(validator->error->text) - 112];
    const struct function *function = &validator->module->functions[validator->function_index];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    size_t offset = (size_t)(validator->instruction - validator->scan.file);
    /* Reading goes on to the end of the file: what stands behind the body is not its code. */
    if (offset >= function->source_offset + function->body.size) {
        snprintf(text, sizeof(text), "END opcode expected where the body ends");
        code = ERROR_INVALID;
    }
    if (function->name.size == 0)
        return error_set(validator->error, code, "%s at offset 0x%zx in function %u", text, offset,
                         validator->function_index);
    return error_set(validator->error, code, "%s at offset 0x%zx in function %u \"%.48s\"", text,
                     offset, validator->function_index, error_quote(function->name).text);
}

static bool refuse_memory(struct validator *validator)
{
    return error_set(validator->error, ERROR_LIMIT,
                     "module needs more memory than the compiler may use");
}

/* Twice the room, or at least `needed`, with what was there copied. */
static void *grow(struct validator *validator, const void *old, uint32_t *capacity, uint32_t needed,
                  size_t size_each)
{
    uint32_t wanted = MAX(needed, *capacity * 2);
    void *array = arena_array(validator->arena, wanted, size_each);
    if (array == NULL)
        return NULL;
    if (*capacity > 0)
        memcpy(array, old, *capacity * size_each);
    *capacity = wanted;
    return array;
}

bool validator_make_room(struct validator *validator, uint32_t count)
{
    if (validator->operand_capacity - validator->height >= count)
        return true;
    if (validator->height + count > WASM_OPERANDS_MAX)
        return validator_refuse(validator, ERROR_LIMIT, "more than %d operands on the stack",
                                WASM_OPERANDS_MAX);
    uint8_t *operands = grow(validator, validator->operands, &validator->operand_capacity,
                             validator->height + count, sizeof(*operands));
    if (operands == NULL)
        return refuse_memory(validator);
    validator->operands = operands;
    return true;
}

bool validator_push_frame(struct validator *validator, uint8_t opcode, struct type_list parameters,
                          struct type_list results)
{
    enum {
        WEIGHT_MAX = 1 << 24
    };
    if (validator->depth == WASM_NESTING_MAX)
        return validator_refuse(validator, ERROR_LIMIT, "more than %d blocks within each other",
                                WASM_NESTING_MAX);
    if (validator->depth == validator->frame_capacity) {
        struct frame *frames = grow(validator, validator->frames, &validator->frame_capacity,
                                    validator->depth + 1, sizeof(*frames));
        if (frames == NULL)
            return refuse_memory(validator);
        validator->frames = frames;
    }
    const struct frame *outer =
        validator->depth == 0 ? NULL : &validator->frames[validator->depth - 1];
    bool is_dead = outer != NULL && (outer->is_dead || outer->is_unreachable);
    uint32_t weight = outer == NULL ? 1 : outer->weight;
    if (opcode == OPCODE_LOOP && weight < WEIGHT_MAX)
        weight *= 8;
    validator->top = &validator->frames[validator->depth++];
    *validator->top = (struct frame){ .parameters = parameters,
                                      .results = results,
                                      .height = validator->height,
                                      .weight = weight,
                                      .is_dead = is_dead,
                                      .exit = UINT32_MAX,
                                      .cost_at = validator->cost_at,
                                      .opcode = opcode };
    validator->depth_max = MAX(validator->depth_max, validator->depth);
    return validator_push_list(validator, parameters);
}

bool validator_pop_any(struct validator *validator, enum value_type *type)
{
    if (validator->height > validator->top->height) {
        *type = (enum value_type)validator->operands[--validator->height];
        return true;
    }
    *type = VALUE_UNKNOWN;
    return validator->top->is_unreachable ||
           validator_refuse(validator, ERROR_INVALID, "type mismatch: nothing on the stack");
}

bool validator_pop_slowly(struct validator *validator, enum value_type expected)
{
    enum value_type found;
    if (!validator_pop_any(validator, &found))
        return false;
    return found == expected || found == VALUE_UNKNOWN ||
           validator_refuse(validator, ERROR_INVALID, "type mismatch: expected %s, found %s",
                            value_type_name(expected), value_type_name(found));
}

bool validator_peek_list(struct validator *validator, struct type_list list)
{
    uint32_t there = validator->height - validator->top->height;
    uint32_t count = MIN(there, list.count);
    if (count < list.count && !validator->top->is_unreachable)
        return validator_refuse(validator, ERROR_INVALID,
                                "type mismatch: expected %u values, found %u", list.count, there);
    if (count == 0)
        return true;
    const uint8_t *found = validator->operands + validator->height - count;
    const uint8_t *expected = list.types + list.count - count;
    if (memcmp(found, expected, count) == 0)
        return true;
    for (uint32_t i = 0; i < count; i++) {
        if (found[i] != expected[i] && found[i] != VALUE_UNKNOWN)
            return validator_refuse(validator, ERROR_INVALID,
                                    "type mismatch: expected %s, found %s",
                                    value_type_name((enum value_type)expected[i]),
                                    value_type_name((enum value_type)found[i]));
    }
    return true;
}

bool validator_pop_list(struct validator *validator, struct type_list list)
{
    if (!validator_peek_list(validator, list))
        return false;
    validator->height -= MIN(validator->height - validator->top->height, list.count);
    return true;
}

bool validator_push_list(struct validator *validator, struct type_list list)
{
    if (!validator_make_room(validator, list.count + VALIDATOR_ROOM))
        return false;
    if (list.count > 0)
        memcpy(validator->operands + validator->height, list.types, list.count);
    validator->height += list.count;
    validator->height_max = MAX(validator->height_max, validator->height);
    return true;
}

void validator_set_unreachable(struct validator *validator)
{
    validator->height = validator->top->height;
    validator->top->is_unreachable = true;
}

bool validator_read_type(struct validator *validator, enum value_type *type)
{
    uint8_t byte = scan_u8(&validator->scan);
    enum value_type found = (enum value_type)byte;
    const char *proposal = proposal_name(PROPOSAL_VALUE_TYPE, byte);
    *type = found;
    if (found == VALUE_V128)
        validator->features |= WASM_FEATURE_SIMD;
    if (value_type_is_number(found) || value_type_is_reference(found))
        return true;
    if (proposal != NULL)
        return validator_refuse(validator, ERROR_UNSUPPORTED,
                                "malformed value type 0x%02x: %s not supported", byte, proposal);
    return validator_refuse(validator, ERROR_INVALID, "malformed value type 0x%02x", byte);
}

bool validator_check_memory(struct validator *validator)
{
    return validator->module->memory_count > 0 ||
           validator_refuse(validator, ERROR_INVALID, "unknown memory 0");
}

bool validator_split(struct validator *validator, bool starts_block)
{
    if (!validator->counts_costs)
        return true;
    if (validator->cost_count == validator->cost_capacity) {
        uint32_t *costs = grow(validator, validator->costs, &validator->cost_capacity,
                               validator->cost_count + 64, sizeof(*costs));
        if (costs == NULL)
            return refuse_memory(validator);
        validator->costs = costs;
    }
    if (starts_block)
        validator->cost_at = validator->cost_count;
    validator->costs[validator->cost_count++] = starts_block ? 0 : COST_NONE;
    return true;
}

bool validator_begin_loop(struct validator *validator)
{
    if (validator->loop_count == validator->loop_capacity) {
        struct loop_facts *loops = grow(validator, validator->loops, &validator->loop_capacity,
                                        validator->loop_count + 16, sizeof(*loops));
        if (loops == NULL)
            return refuse_memory(validator);
        validator->loops = loops;
    }
    validator->top->loop_at = validator->loop_count++;
    return true;
}

void validator_end_loop(struct validator *validator, const struct frame *frame)
{
    validator->loops[frame->loop_at] = frame->facts;
}

void validator_count_costs(struct validator *validator)
{
    validator->counts_costs = true;
}

static bool check_local(struct validator *validator, uint8_t opcode)
{
    uint32_t index = scan_u32(&validator->scan);
    if (index >= validator->local_count)
        return validator_refuse(validator, ERROR_INVALID, "unknown local %u", index);
    enum value_type type = (enum value_type)validator->local_types[index];
    uint32_t *uses = &validator->local_uses[index];
    validator->local_lasts[index] =
        (uint32_t)(validator->instruction - validator->module->source.data);
    uint64_t bit = 1ull << (index & 63);
    validator->top->facts.used |= bit;
    if (opcode != OPCODE_LOCAL_GET)
        validator->top->facts.set |= bit;
    if (!add_fits(*uses, validator->top->weight, uses))
        *uses = UINT32_MAX;
    if (opcode != OPCODE_LOCAL_GET && !validator_pop(validator, type))
        return false;
    if (opcode != OPCODE_LOCAL_SET)
        validator_push(validator, type);
    return true;
}

bool validator_apply(struct validator *validator, const struct signature *signature)
{
    for (uint32_t i = signature->operand_count; i > 0; i--) {
        if (!validator_pop(validator, (enum value_type)signature->operands[i - 1]))
            return false;
    }
    if (signature->result != VALUE_UNKNOWN)
        validator_push(validator, (enum value_type)signature->result);
    return true;
}

bool validator_read_access(struct validator *validator, const struct instruction *instruction)
{
    uint32_t alignment = scan_u32(&validator->scan);
    (void)scan_u32(&validator->scan); /* offset: any */
    if (alignment > instruction->alignment) {
        const char *proposal = proposal_name(PROPOSAL_ACCESS_FLAGS, alignment);
        if (proposal != NULL)
            return validator_refuse(validator, ERROR_UNSUPPORTED,
                                    "malformed memop flags: %s not supported", proposal);
        return validator_refuse(validator, ERROR_INVALID, "%s",
                                alignment < 32 ? "alignment must not be larger than natural"
                                               : "malformed memop flags");
    }
    return validator_check_memory(validator);
}

static bool check_constant(struct validator *validator, uint8_t opcode)
{
    struct scan *scan = &validator->scan;
    switch (opcode) {
    case OPCODE_I32_CONST:
        (void)scan_signed(scan, 32);
        validator_push(validator, VALUE_I32);
        return true;
    case OPCODE_I64_CONST:
        (void)scan_signed(scan, 64);
        validator_push(validator, VALUE_I64);
        return true;
    case OPCODE_F32_CONST:
        (void)scan_bytes(scan, 4);
        validator_push(validator, VALUE_F32);
        return true;
    default:
        (void)scan_bytes(scan, 8);
        validator_push(validator, VALUE_F64);
        return true;
    }
}

static bool check_special(struct validator *validator, uint8_t opcode)
{
    check_function *check = control_checks[opcode];
    if (check == NULL)
        check = reference_checks[opcode];
    ASSERT(check != NULL);
    return check(validator);
}

bool validator_refuse_prefixed(struct validator *validator, uint8_t prefix,
                               enum proposal_place place, uint32_t code)
{
    const char *proposal = proposal_name(place, code);
    if (proposal != NULL)
        return validator_refuse(validator, ERROR_UNSUPPORTED,
                                "illegal opcode 0x%02x 0x%02x: %s not supported", prefix, code,
                                proposal);
    return validator_refuse(validator, ERROR_INVALID, "illegal opcode 0x%02x 0x%02x", prefix, code);
}

static bool refuse_absent(struct validator *validator, uint8_t opcode)
{
    static const struct {
        uint8_t prefix;
        enum proposal_place place;
    } prefixes[] = { { 0xfb, PROPOSAL_OPCODE_FB }, { 0xfe, PROPOSAL_OPCODE_FE } };
    for (size_t i = 0; i < ARRAY_COUNT(prefixes); i++) {
        if (prefixes[i].prefix != opcode)
            continue;
        uint32_t code = scan_u32(&validator->scan);
        return validator_refuse_prefixed(validator, opcode, prefixes[i].place, code);
    }
    const char *proposal = proposal_name(PROPOSAL_OPCODE, opcode);
    if (proposal != NULL)
        return validator_refuse(validator, ERROR_UNSUPPORTED,
                                "illegal opcode 0x%02x: %s not supported", opcode, proposal);
    return validator_refuse(validator, ERROR_INVALID, "illegal opcode 0x%02x", opcode);
}

static bool check_prefixed(struct validator *validator)
{
    const uint8_t *at = validator->scan.at;
    uint32_t code = scan_u32(&validator->scan);
    if (code >= PREFIXED_COUNT)
        return validator_refuse_prefixed(validator, OPCODE_PREFIX, PROPOSAL_OPCODE_FC, code);
    validator->features |= prefixed_instructions[code].features;
    if (prefixed_instructions[code].kind == OPCODE_PLAIN)
        return validator_apply(validator, &prefixed_instructions[code].signature);
    validator->scan.at = at;
    return validator_check_prefixed(validator);
}

static bool check_instruction(struct validator *validator, uint8_t opcode)
{
    const struct instruction *instruction = &instructions[opcode];
    switch (opcode) {
    case OPCODE_LOCAL_GET:
    case OPCODE_LOCAL_SET:
    case OPCODE_LOCAL_TEE:
        return check_local(validator, opcode);
    case OPCODE_I32_CONST:
    case OPCODE_I64_CONST:
    case OPCODE_F32_CONST:
    case OPCODE_F64_CONST:
        return check_constant(validator, opcode);
    case OPCODE_PREFIX:
        return check_prefixed(validator);
    case OPCODE_VECTOR_PREFIX:
        return validator_check_vector(validator);
    default:
        break;
    }
    validator->features |= instruction->features;
    switch ((enum opcode_kind)instruction->kind) {
    case OPCODE_PLAIN:
        return validator_apply(validator, &instruction->signature);
    case OPCODE_ACCESS:
        return validator_read_access(validator, instruction) &&
               validator_apply(validator, &instruction->signature);
    case OPCODE_SPECIAL:
        return check_special(validator, opcode);
    case OPCODE_LANE:
    case OPCODE_ACCESS_LANE:
    case OPCODE_ABSENT:
        break;
    }
    return refuse_absent(validator, opcode);
}

static void count_cost(struct validator *validator, uint8_t opcode)
{
    bool is_dead = validator->top->is_dead || validator->top->is_unreachable;
    if (!is_dead && opcode != OPCODE_END && opcode != OPCODE_ELSE)
        validator->costs[validator->cost_at]++;
}

static bool check_code(struct validator *validator)
{
    while (validator->depth > 0) {
        if (validator->operand_capacity - validator->height < VALIDATOR_ROOM &&
            !validator_make_room(validator, VALIDATOR_ROOM))
            return false;
        validator->instruction = validator->scan.at;
        uint8_t opcode = scan_u8(&validator->scan);
        if (validator->counts_costs)
            count_cost(validator, opcode);
        if (!check_instruction(validator, opcode))
            return false;
        if (validator->scan.fault != NULL)
            return validator_refuse(validator, ERROR_INVALID, "fault");
    }
    return true;
}

static bool add_locals(struct validator *validator, uint64_t *total, uint32_t count,
                       enum value_type type)
{
    *total += count;
    if (*total > WASM_LOCALS_MAX)
        return true; /* refused once all are counted */
    if (*total > validator->local_capacity) {
        uint32_t capacity = validator->local_capacity;
        uint8_t *types = grow(validator, validator->local_types, &capacity, (uint32_t)*total, 1);
        capacity = validator->local_capacity;
        uint32_t *uses =
            grow(validator, validator->local_uses, &capacity, (uint32_t)*total, sizeof(*uses));
        capacity = validator->local_capacity;
        uint32_t *lasts =
            grow(validator, validator->local_lasts, &capacity, (uint32_t)*total, sizeof(*lasts));
        if (types == NULL || uses == NULL || lasts == NULL)
            return refuse_memory(validator);
        validator->local_types = types;
        validator->local_uses = uses;
        validator->local_lasts = lasts;
        validator->local_capacity = capacity;
    }
    if (count > 0)
        memset(validator->local_types + *total - count, (int)type, count);
    return true;
}

static bool read_locals(struct validator *validator, const struct function_type *type)
{
    struct scan *scan = &validator->scan;
    uint64_t total = 0;
    for (uint32_t i = 0; i < type->parameter_count; i++) {
        if (!add_locals(validator, &total, 1, (enum value_type)type->parameters[i]))
            return false;
    }
    validator->instruction = scan->at;
    uint32_t runs = scan_length(scan);
    for (uint32_t i = 0; i < runs && scan->fault == NULL; i++) {
        uint32_t count = scan_u32(scan);
        enum value_type local;
        if (!validator_read_type(validator, &local) || !add_locals(validator, &total, count, local))
            return false;
    }
    if (total > WASM_LOCALS_MAX)
        return validator_refuse(validator, total > UINT32_MAX ? ERROR_INVALID : ERROR_LIMIT,
                                "too many locals: %llu, at most %d", (unsigned long long)total,
                                WASM_LOCALS_MAX);
    if (total > validator->locals_left)
        return validator_refuse(validator, ERROR_LIMIT,
                                "functions have more locals together than %d and %d per byte",
                                WASM_LOCALS_GROWTH_FREE, WASM_LOCALS_GROWTH_MAX);
    validator->locals_left -= total;
    validator->local_count = (uint32_t)total;
    if (total > 0) {
        memset(validator->local_uses, 0, total * sizeof(*validator->local_uses));
        memset(validator->local_lasts, 0, total * sizeof(*validator->local_lasts));
    }
    return scan->fault == NULL || validator_refuse(validator, ERROR_INVALID, "fault");
}

bool validator_new(struct validator **validator, const struct module *module, struct arena *arena,
                   struct error *error)
{
    struct validator *made = arena_take(arena, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_LIMIT, "no memory to validate the module");
    made->module = module;
    made->arena = arena;
    made->error = error;
    made->locals_left =
        (uint64_t)module->code_size * WASM_LOCALS_GROWTH_MAX + WASM_LOCALS_GROWTH_FREE;
    made->operand_capacity = 256;
    made->frame_capacity = 32;
    made->local_capacity = 64;
    made->operands = arena_array(arena, made->operand_capacity, 1);
    made->frames = arena_array(arena, made->frame_capacity, sizeof(*made->frames));
    made->local_types = arena_array(arena, made->local_capacity, 1);
    made->local_uses = arena_array(arena, made->local_capacity, sizeof(*made->local_uses));
    made->local_lasts = arena_array(arena, made->local_capacity, sizeof(*made->local_lasts));
    if (made->local_lasts == NULL || made->operands == NULL || made->frames == NULL ||
        made->local_types == NULL || made->local_uses == NULL)
        return error_set(error, ERROR_LIMIT, "no memory to validate the module");
    *validator = made;
    return true;
}

bool validate_function(struct validator *validator, uint32_t function_index,
                       struct function_facts *facts, struct error *error)
{
    const struct module *module = validator->module;
    ASSERT(function_index >= module->imported_function_count &&
           function_index < module->function_count);
    const struct function *function = &module->functions[function_index];
    const struct function_type *type = function->type;
    validator->error = error;
    validator->function_index = function_index;
    validator->scan = scan_of(module->source, function->source_offset);
    validator->height = validator->height_max = 0;
    validator->depth = validator->depth_max = 0;
    validator->call_count = 0;
    validator->cost_count = 0;
    validator->loop_count = 0;
    validator->features = 0;
    if (!read_locals(validator, type))
        return false;
    const uint8_t *code = validator->scan.at;
    struct type_list results = { type->results, type->result_count };
    if (!validator_push_frame(validator, OPCODE_BLOCK, (struct type_list){ 0 }, results) ||
        !validator_split(validator, true) || !check_code(validator))
        return false;
    if (validator->scan.at != module->source.data + function->source_offset + function->body.size)
        return validator_refuse(validator, ERROR_INVALID, "section size mismatch");
    bool has_vectors = module->has_vectors || (validator->features & WASM_FEATURE_SIMD) != 0;
    *facts = (struct function_facts){
        .local_types = validator->local_types,
        .local_count = validator->local_count,
        .stack_height_max = validator->height_max,
        .stack_slots_max = has_vectors ? 2 * validator->height_max : validator->height_max,
        .call_count = validator->call_count,
        .local_uses = validator->local_uses,
        .local_lasts = validator->local_lasts,
        .loops = validator->loops,
        .loop_count = validator->loop_count,
        .block_depth_max = validator->depth_max,
        .features = validator->features,
        .costs = validator->costs,
        .cost_count = validator->cost_count,
        .code = bytes_of(code, (size_t)(validator->scan.at - code)),
        .code_offset = (uint32_t)(code - module->source.data),
    };
    return true;
}

bool module_validate(const struct module *module, struct arena *arena, struct error *error)
{
    struct validator *validator;
    if (!validator_new(&validator, module, arena, error))
        return false;
    for (uint32_t i = module->imported_function_count; i < module->function_count; i++) {
        struct function_facts facts;
        if (!validate_function(validator, i, &facts, error))
            return false;
    }
    return true;
}
