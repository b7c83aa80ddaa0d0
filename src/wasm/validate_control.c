/* SPDX-License-Identifier: Apache-2.0 */
/* Validation of blocks, branches, calls, and what touches the operand stack alone. */
#include "core/checked.h"
#include "wasm/opcodes.h"
#include "wasm/types.h"
#include "wasm/validator.h"

static struct type_list label_types(const struct frame *frame)
{
    return frame->opcode == OPCODE_LOOP ? frame->parameters : frame->results;
}

static bool find_label(struct validator *validator, struct frame **frame)
{
    uint32_t label = scan_u32(&validator->scan);
    if (label >= validator->depth)
        return validator_refuse(validator, ERROR_INVALID, "unknown label %u", label);
    *frame = &validator->frames[validator->depth - 1 - label];
    (*frame)->is_target = true;
    validator->top->exit = MIN(validator->top->exit, validator->depth - 1 - label);
    return true;
}

static bool check_unreachable(struct validator *validator)
{
    validator_set_unreachable(validator);
    return true;
}

static bool check_nop(struct validator *validator UNUSED)
{
    return true;
}

/* A value type stands for its own byte in the source; an index names a type of the module. */
static bool read_block_type(struct validator *validator, struct type_list *parameters,
                            struct type_list *results)
{
    struct scan *scan = &validator->scan;
    *parameters = *results = (struct type_list){ 0 };
    const uint8_t *at = scan->at;
    if (at < scan->end && (*at & 0xc0) == 0x40) {
        enum value_type type;
        if (*at == 0x40) {
            scan->at++;
            return true;
        }
        *results = (struct type_list){ at, 1 };
        return validator_read_type(validator, &type);
    }
    int64_t index = scan_signed(scan, 33);
    if (index < 0)
        return validator_refuse(validator, ERROR_INVALID, "malformed block type");
    if (index >= validator->module->type_count)
        return validator_refuse(validator, ERROR_INVALID, "unknown type %u", (uint32_t)index);
    const struct function_type *type = &validator->module->types[index];
    if (type->parameter_count > 0 || type->result_count > 1)
        validator->features |= WASM_FEATURE_MULTI_VALUE;
    *parameters = (struct type_list){ type->parameters, type->parameter_count };
    *results = (struct type_list){ type->results, type->result_count };
    return true;
}

static bool open_block(struct validator *validator, uint8_t opcode)
{
    struct type_list parameters, results;
    return read_block_type(validator, &parameters, &results) &&
           (opcode != OPCODE_IF || validator_pop(validator, VALUE_I32)) &&
           validator_pop_list(validator, parameters) &&
           validator_push_frame(validator, opcode, parameters, results);
}

static bool check_block(struct validator *validator)
{
    return open_block(validator, OPCODE_BLOCK);
}

static bool check_loop(struct validator *validator)
{
    return open_block(validator, OPCODE_LOOP) && validator_begin_loop(validator) &&
           validator_split(validator, true);
}

static bool check_if(struct validator *validator)
{
    return open_block(validator, OPCODE_IF) && validator_split(validator, true);
}

/* The block's results, and nothing more, are on the stack. */
static bool close_block(struct validator *validator)
{
    struct frame *frame = validator->top;
    if (!validator_pop_list(validator, frame->results))
        return false;
    if (validator->height != frame->height)
        return validator_refuse(validator, ERROR_INVALID,
                                "type mismatch: %u values remain at the end of a block",
                                validator->height - frame->height);
    return true;
}

static bool check_else(struct validator *validator)
{
    struct frame *frame = validator->top;
    if (frame->opcode != OPCODE_IF)
        return validator_refuse(validator, ERROR_INVALID, "END opcode expected, found else");
    if (!close_block(validator))
        return false;
    frame->opcode = OPCODE_ELSE;
    frame->is_unreachable = false;
    return validator_push_list(validator, frame->parameters) && validator_split(validator, true);
}

/* At the end of a frame: whether what follows is a basic block of its own.  It is none when nothing
 * jumps here, and it is one with what led to the frame when all that enters it comes out here. */
static bool join(struct validator *validator)
{
    const struct frame *frame = validator->top;
    bool is_joined =
        frame->opcode != OPCODE_LOOP && (frame->opcode != OPCODE_BLOCK || frame->is_target);
    bool is_reached = is_joined || !frame->is_unreachable;
    if (frame->exit < validator->depth - 1 || !is_reached)
        return is_joined || frame->is_unreachable;
    validator->cost_at = frame->cost_at;
    return false;
}

static bool check_end(struct validator *validator)
{
    struct frame *frame = validator->top;
    if (!close_block(validator))
        return false;
    struct function_type type = { frame->parameters.types, frame->results.types,
                                  frame->parameters.count, frame->results.count, 0 };
    struct function_type same = { frame->parameters.types, frame->parameters.types,
                                  frame->parameters.count, frame->parameters.count, 0 };
    if (frame->opcode == OPCODE_IF && !function_type_equal(&type, &same))
        return validator_refuse(validator, ERROR_INVALID,
                                "type mismatch: if without else must give back its parameters");
    struct type_list results = frame->results;
    bool starts_block = join(validator);
    validator->depth--;
    if (validator->depth == 0)
        return true;
    validator->top = &validator->frames[validator->depth - 1];
    validator->top->exit = MIN(validator->top->exit, frame->exit);
    if (frame->opcode == OPCODE_LOOP)
        validator_end_loop(validator, frame);
    validator->top->facts.used |= frame->facts.used;
    validator->top->facts.set |= frame->facts.set;
    validator->top->facts.has_calls |= frame->facts.has_calls;
    return validator_push_list(validator, results) && validator_split(validator, starts_block);
}

static bool check_br(struct validator *validator)
{
    struct frame *target;
    if (!find_label(validator, &target) || !validator_pop_list(validator, label_types(target)))
        return false;
    validator_set_unreachable(validator);
    return true;
}

static bool check_br_if(struct validator *validator)
{
    struct frame *target;
    if (!find_label(validator, &target) || !validator_pop(validator, VALUE_I32))
        return false;
    struct type_list types = label_types(target);
    return validator_pop_list(validator, types) && validator_push_list(validator, types) &&
           validator_split(validator, true);
}

static bool check_br_table(struct validator *validator)
{
    if (!validator_pop(validator, VALUE_I32))
        return false;
    uint32_t count = scan_length(&validator->scan);
    struct type_list first = { 0 };
    const uint8_t *checked = NULL; /* types that fit already, so that equal ones cost nothing */
    for (uint32_t i = 0; i <= count && validator->scan.fault == NULL; i++) {
        struct frame *target;
        if (!find_label(validator, &target))
            return false;
        struct type_list types = label_types(target);
        if (i == 0)
            first = types;
        if (types.count != first.count)
            return validator_refuse(validator, ERROR_INVALID,
                                    "type mismatch: labels of br_table take %u and %u values",
                                    first.count, types.count);
        if (types.count == 0 || types.types == checked)
            continue;
        if (!validator_peek_list(validator, types))
            return false;
        checked = types.types;
    }
    if (!validator_pop_list(validator, first))
        return false;
    validator_set_unreachable(validator);
    return true;
}

static bool check_return(struct validator *validator)
{
    if (!validator_pop_list(validator, validator->frames[0].results))
        return false;
    validator->top->exit = 0;
    validator_set_unreachable(validator);
    return true;
}

static bool apply_call(struct validator *validator, const struct function_type *type)
{
    if (!add_fits(validator->call_count, validator->top->weight, &validator->call_count))
        validator->call_count = UINT32_MAX;
    validator->top->facts.has_calls = true;
    struct type_list parameters = { type->parameters, type->parameter_count };
    struct type_list results = { type->results, type->result_count };
    return validator_pop_list(validator, parameters) && validator_push_list(validator, results);
}

static bool check_call(struct validator *validator)
{
    uint32_t index = scan_u32(&validator->scan);
    if (!module_has_function(validator->module, index))
        return validator_refuse(validator, ERROR_INVALID, "unknown function %u", index);
    return apply_call(validator, validator->module->functions[index].type);
}

/* Reads type and table and takes the index. */
static bool take_callee(struct validator *validator, const struct function_type **callee)
{
    const struct module *module = validator->module;
    uint32_t type = scan_u32(&validator->scan);
    uint32_t table = scan_u32(&validator->scan);
    if (table >= module->table_count)
        return validator_refuse(validator, ERROR_INVALID, "unknown table %u", table);
    if (type >= module->type_count)
        return validator_refuse(validator, ERROR_INVALID, "unknown type %u", type);
    if (module->tables[table].element != VALUE_FUNCREF)
        return validator_refuse(validator, ERROR_INVALID,
                                "type mismatch: call through a table of externref");
    *callee = &module->types[type];
    return validator_pop(validator, VALUE_I32);
}

static bool check_call_indirect(struct validator *validator)
{
    const struct function_type *callee;
    return take_callee(validator, &callee) && apply_call(validator, callee);
}

/* A tail call: the callee's results are this function's. */
static bool apply_return_call(struct validator *validator, const struct function_type *callee)
{
    struct type_list parameters = { callee->parameters, callee->parameter_count };
    struct type_list own = validator->frames[0].results;
    struct function_type returned = { NULL, own.types, 0, own.count, 0 };
    struct function_type given = { NULL, callee->results, 0, callee->result_count, 0 };
    if (!function_type_equal(&given, &returned))
        return validator_refuse(validator, ERROR_INVALID,
                                "type mismatch: tail call to a function with other results");
    if (!validator_pop_list(validator, parameters))
        return false;
    validator->top->exit = 0;
    validator_set_unreachable(validator);
    return true;
}

static bool check_return_call(struct validator *validator)
{
    uint32_t index = scan_u32(&validator->scan);
    if (!module_has_function(validator->module, index))
        return validator_refuse(validator, ERROR_INVALID, "unknown function %u", index);
    return apply_return_call(validator, validator->module->functions[index].type);
}

static bool check_return_call_indirect(struct validator *validator)
{
    const struct function_type *callee;
    return take_callee(validator, &callee) && apply_return_call(validator, callee);
}

static bool check_drop(struct validator *validator)
{
    enum value_type type;
    return validator_pop_any(validator, &type);
}

static bool check_select(struct validator *validator)
{
    enum value_type second, first;
    if (!validator_pop(validator, VALUE_I32) || !validator_pop_any(validator, &second) ||
        !validator_pop_any(validator, &first))
        return false;
    if (value_type_is_reference(first) || value_type_is_reference(second))
        return validator_refuse(validator, ERROR_INVALID,
                                "type mismatch: select of references must name their type");
    if (first != second && first != VALUE_UNKNOWN && second != VALUE_UNKNOWN)
        return validator_refuse(validator, ERROR_INVALID, "type mismatch: select of %s and %s",
                                value_type_name(first), value_type_name(second));
    validator_push(validator, first == VALUE_UNKNOWN ? second : first);
    return true;
}

static bool check_select_typed(struct validator *validator)
{
    uint32_t count = scan_length(&validator->scan);
    enum value_type type;
    if (count != 1)
        return validator_refuse(validator, ERROR_INVALID, "invalid result arity %u of select",
                                count);
    if (!validator_read_type(validator, &type) || !validator_pop(validator, VALUE_I32) ||
        !validator_pop(validator, type) || !validator_pop(validator, type))
        return false;
    validator_push(validator, type);
    return true;
}

check_function *const control_checks[256] = {
    [OPCODE_UNREACHABLE] = check_unreachable,
    [OPCODE_NOP] = check_nop,
    [OPCODE_BLOCK] = check_block,
    [OPCODE_LOOP] = check_loop,
    [OPCODE_IF] = check_if,
    [OPCODE_ELSE] = check_else,
    [OPCODE_END] = check_end,
    [OPCODE_BR] = check_br,
    [OPCODE_BR_IF] = check_br_if,
    [OPCODE_BR_TABLE] = check_br_table,
    [OPCODE_RETURN] = check_return,
    [OPCODE_CALL] = check_call,
    [OPCODE_CALL_INDIRECT] = check_call_indirect,
    [OPCODE_RETURN_CALL] = check_return_call,
    [OPCODE_RETURN_CALL_INDIRECT] = check_return_call_indirect,
    [OPCODE_DROP] = check_drop,
    [OPCODE_SELECT] = check_select,
    [OPCODE_SELECT_T] = check_select_typed,
};
