/* SPDX-License-Identifier: Apache-2.0 */
/* Validation of what names globals, tables, memory, segments and references. */
#include "wasm/opcodes.h"
#include "wasm/types.h"
#include "wasm/validator.h"

static bool read_global(struct validator *validator, const struct global **global)
{
    uint32_t index = scan_u32(&validator->scan);
    if (index >= validator->module->global_count)
        return validator_refuse(validator, ERROR_INVALID, "unknown global %u", index);
    *global = &validator->module->globals[index];
    return true;
}

static bool check_global_get(struct validator *validator)
{
    const struct global *global;
    if (!read_global(validator, &global))
        return false;
    validator_push(validator, global->type.type);
    return true;
}

static bool check_global_set(struct validator *validator)
{
    const struct global *global;
    if (!read_global(validator, &global))
        return false;
    if (!global->type.is_mutable)
        return validator_refuse(validator, ERROR_INVALID, "global is immutable");
    return validator_pop(validator, global->type.type);
}

static bool read_table(struct validator *validator, enum value_type *element)
{
    uint32_t index = scan_u32(&validator->scan);
    if (index >= validator->module->table_count)
        return validator_refuse(validator, ERROR_INVALID, "unknown table %u", index);
    *element = validator->module->tables[index].element;
    return true;
}

static bool read_element(struct validator *validator, enum value_type *type)
{
    uint32_t index = scan_u32(&validator->scan);
    if (index >= validator->module->element_count)
        return validator_refuse(validator, ERROR_INVALID, "unknown elem segment %u", index);
    *type = validator->module->elements[index].type;
    return true;
}

static bool read_data(struct validator *validator)
{
    uint32_t index = scan_u32(&validator->scan);
    if (!validator->module->has_data_count &&
        !is_instantiation(validator->module, validator->function_index))
        return validator_refuse(validator, ERROR_INVALID, "data count section required");
    if (index >= validator->module->declared_data_count)
        return validator_refuse(validator, ERROR_INVALID, "unknown data segment %u", index);
    return true;
}

/* The byte that will be a memory index one day. */
static bool read_memory(struct validator *validator)
{
    uint8_t memory = scan_u8(&validator->scan);
    const char *proposal = proposal_name(PROPOSAL_MEMORY_INDEX, memory);
    if (proposal != NULL)
        return validator_refuse(validator, ERROR_UNSUPPORTED,
                                "zero byte expected: %s not supported", proposal);
    if (memory != 0)
        return validator_refuse(validator, ERROR_INVALID, "zero byte expected");
    return validator_check_memory(validator);
}

static bool pop_i32(struct validator *validator, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!validator_pop(validator, VALUE_I32))
            return false;
    }
    return true;
}

static bool check_table_get(struct validator *validator)
{
    enum value_type element;
    if (!read_table(validator, &element) || !pop_i32(validator, 1))
        return false;
    validator_push(validator, element);
    return true;
}

static bool check_table_set(struct validator *validator)
{
    enum value_type element;
    return read_table(validator, &element) && validator_pop(validator, element) &&
           pop_i32(validator, 1);
}

static bool check_memory_size(struct validator *validator)
{
    if (!read_memory(validator))
        return false;
    validator_push(validator, VALUE_I32);
    return true;
}

static bool check_memory_grow(struct validator *validator)
{
    if (!read_memory(validator) || !pop_i32(validator, 1))
        return false;
    validator_push(validator, VALUE_I32);
    return true;
}

static bool check_ref_null(struct validator *validator)
{
    enum value_type type;
    if (!validator_read_type(validator, &type))
        return false;
    if (!value_type_is_reference(type))
        return validator_refuse(validator, ERROR_INVALID, "malformed reference type");
    validator_push(validator, type);
    return true;
}

static bool check_ref_is_null(struct validator *validator)
{
    enum value_type type;
    if (!validator_pop_any(validator, &type))
        return false;
    if (value_type_is_number(type))
        return validator_refuse(validator, ERROR_INVALID,
                                "type mismatch: expected a reference, found %s",
                                value_type_name(type));
    validator_push(validator, VALUE_I32);
    return true;
}

static bool check_ref_func(struct validator *validator)
{
    uint32_t index = scan_u32(&validator->scan);
    if (!module_has_function(validator->module, index))
        return validator_refuse(validator, ERROR_INVALID, "unknown function %u", index);
    if (!validator->module->functions[index].is_referenced)
        return validator_refuse(validator, ERROR_INVALID, "undeclared function reference %u",
                                index);
    validator_push(validator, VALUE_FUNCREF);
    return true;
}

check_function *const reference_checks[256] = {
    [OPCODE_GLOBAL_GET] = check_global_get,   [OPCODE_GLOBAL_SET] = check_global_set,
    [OPCODE_TABLE_GET] = check_table_get,     [OPCODE_TABLE_SET] = check_table_set,
    [OPCODE_MEMORY_SIZE] = check_memory_size, [OPCODE_MEMORY_GROW] = check_memory_grow,
    [OPCODE_REF_NULL] = check_ref_null,       [OPCODE_REF_IS_NULL] = check_ref_is_null,
    [OPCODE_REF_FUNC] = check_ref_func,
};

static bool check_table_init(struct validator *validator)
{
    enum value_type segment, element;
    if (!read_element(validator, &segment) || !read_table(validator, &element))
        return false;
    if (segment != element)
        return validator_refuse(validator, ERROR_INVALID,
                                "type mismatch: segment of %s for a table of %s",
                                value_type_name(segment), value_type_name(element));
    return pop_i32(validator, 3);
}

static bool check_table_copy(struct validator *validator)
{
    enum value_type to, from;
    if (!read_table(validator, &to) || !read_table(validator, &from))
        return false;
    if (to != from)
        return validator_refuse(validator, ERROR_INVALID,
                                "type mismatch: copy from a table of %s to one of %s",
                                value_type_name(from), value_type_name(to));
    return pop_i32(validator, 3);
}

static bool check_table_grow(struct validator *validator)
{
    enum value_type element;
    if (!read_table(validator, &element) || !pop_i32(validator, 1) ||
        !validator_pop(validator, element))
        return false;
    validator_push(validator, VALUE_I32);
    return true;
}

static bool check_table_size(struct validator *validator)
{
    enum value_type element;
    if (!read_table(validator, &element))
        return false;
    validator_push(validator, VALUE_I32);
    return true;
}

static bool check_table_fill(struct validator *validator)
{
    enum value_type element;
    return read_table(validator, &element) && pop_i32(validator, 1) &&
           validator_pop(validator, element) && pop_i32(validator, 1);
}

bool validator_check_prefixed(struct validator *validator)
{
    enum value_type type;
    switch (scan_u32(&validator->scan)) {
    case PREFIXED_MEMORY_INIT:
        return read_data(validator) && read_memory(validator) && pop_i32(validator, 3);
    case PREFIXED_DATA_DROP:
        return read_data(validator);
    case PREFIXED_MEMORY_COPY:
        return read_memory(validator) && read_memory(validator) && pop_i32(validator, 3);
    case PREFIXED_MEMORY_FILL:
        return read_memory(validator) && pop_i32(validator, 3);
    case PREFIXED_TABLE_INIT:
        return check_table_init(validator);
    case PREFIXED_ELEM_DROP:
        return read_element(validator, &type);
    case PREFIXED_TABLE_COPY:
        return check_table_copy(validator);
    case PREFIXED_TABLE_GROW:
        return check_table_grow(validator);
    case PREFIXED_TABLE_SIZE:
        return check_table_size(validator);
    case PREFIXED_TABLE_FILL:
        return check_table_fill(validator);
    default:
        assert_failed("a prefixed instruction with rules of its own", __FILE__, __LINE__);
    }
}
