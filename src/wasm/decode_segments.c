/* SPDX-License-Identifier: Apache-2.0 */
/* Constant expressions, element segments and data segments. */
#include "wasm/decoder.h"
#include "wasm/limits.h"
#include "wasm/opcodes.h"
#include "wasm/types.h"

void decode_reference(struct decoder *decoder, uint32_t function_index)
{
    decoder->module->functions[function_index].is_referenced = true;
}

static bool decode_global_constant(struct decoder *decoder, struct constant *constant)
{
    size_t offset = scan_offset(&decoder->scan);
    uint32_t index = scan_u32(&decoder->scan);
    if (index >= decoder->module->imported_global_count)
        return decode_refuse(decoder, ERROR_INVALID, offset, "unknown global %u", index);
    const struct global *global = &decoder->module->globals[index];
    if (global->type.is_mutable)
        return decode_refuse(decoder, ERROR_INVALID, offset,
                             "constant expression required: global %u is mutable", index);
    if (global->is_import)
        *constant =
            (struct constant){ .kind = CONSTANT_GLOBAL, .type = global->type.type, .index = index };
    else
        *constant = global->value;
    return scan_check(&decoder->scan, decoder->error);
}

/* Arithmetic in constant expressions is a proposal of its own. */
static bool is_extended_constant(uint8_t opcode)
{
    return (opcode >= OPCODE_I32_ADD && opcode <= OPCODE_I32_MUL) ||
           (opcode >= OPCODE_I64_ADD && opcode <= OPCODE_I64_MUL);
}

static bool refuse_instruction(struct decoder *decoder, uint8_t opcode)
{
    size_t offset = scan_offset(&decoder->scan) - 1;
    const char *proposal = opcode_proposal(opcode);
    if (proposal != NULL)
        return decode_refuse(decoder, ERROR_UNSUPPORTED, offset,
                             "illegal opcode 0x%02x in a constant expression: %s not supported",
                             opcode, proposal);
    if (instructions[opcode].kind == OPCODE_ABSENT)
        return decode_refuse(decoder, ERROR_INVALID, offset, "illegal opcode 0x%02x", opcode);
    if (is_extended_constant(opcode))
        return decode_refuse(decoder, ERROR_UNSUPPORTED, offset,
                             "constant expression required, found %s: extended constant "
                             "expressions not supported",
                             instructions[opcode].text);
    return decode_refuse(decoder, ERROR_INVALID, offset, "constant expression required, found %s",
                         instructions[opcode].text);
}

static bool decode_constant_instruction(struct decoder *decoder, uint8_t opcode,
                                        struct constant *constant)
{
    struct scan *scan = &decoder->scan;
    switch (opcode) {
    case OPCODE_I32_CONST:
        *constant = (struct constant){ .type = VALUE_I32, .bits = (uint32_t)scan_signed(scan, 32) };
        return true;
    case OPCODE_I64_CONST:
        *constant = (struct constant){ .type = VALUE_I64, .bits = (uint64_t)scan_signed(scan, 64) };
        return true;
    case OPCODE_F32_CONST:
        *constant = (struct constant){ .type = VALUE_F32, .bits = scan_fixed_u32(scan) };
        return true;
    case OPCODE_F64_CONST:
        *constant = (struct constant){ .type = VALUE_F64, .bits = scan_fixed_u64(scan) };
        return true;
    case OPCODE_GLOBAL_GET:
        return decode_global_constant(decoder, constant);
    case OPCODE_REF_NULL:
        *constant = (struct constant){ .kind = CONSTANT_NULL };
        return decode_reference_type(decoder, &constant->type);
    case OPCODE_REF_FUNC:
        *constant = (struct constant){ .kind = CONSTANT_FUNCTION, .type = VALUE_FUNCREF };
        if (!decode_function_index(decoder, &constant->index))
            return false;
        decode_reference(decoder, constant->index);
        return true;
    default:
        return refuse_instruction(decoder, opcode);
    }
}

/* More than the one instruction: `opcode` and what follows it tell why. */
static bool refuse_rest(struct decoder *decoder, size_t offset, uint8_t opcode)
{
    while (opcode != OPCODE_END) {
        struct constant ignored;
        if (!decode_constant_instruction(decoder, opcode, &ignored))
            return false;
        opcode = scan_u8(&decoder->scan);
        if (!scan_check(&decoder->scan, decoder->error))
            return false;
    }
    return decode_refuse(decoder, ERROR_INVALID, offset,
                         "type mismatch: constant expression has more than one value");
}

bool decode_constant(struct decoder *decoder, enum value_type type, struct constant *constant)
{
    struct scan *scan = &decoder->scan;
    size_t offset = scan_offset(scan);
    uint8_t opcode = scan_u8(scan);
    struct constant found = { 0 };
    if (scan->fault == NULL && opcode == OPCODE_END)
        return decode_refuse(decoder, ERROR_INVALID, offset,
                             "type mismatch: constant expression is empty");
    if (!decode_constant_instruction(decoder, opcode, &found))
        return false;
    uint8_t end = scan_u8(scan);
    if (scan->fault == NULL && end != OPCODE_END)
        return refuse_rest(decoder, offset, end);
    if (found.type != type)
        return decode_refuse(decoder, ERROR_INVALID, offset, "type mismatch: expected %s, found %s",
                             value_type_name(type), value_type_name(found.type));
    *constant = found;
    return scan_check(scan, decoder->error);
}

static bool decode_element_kind(struct decoder *decoder, bool has_expressions,
                                enum value_type *type)
{
    if (has_expressions)
        return decode_reference_type(decoder, type);
    size_t offset = scan_offset(&decoder->scan);
    uint8_t kind = scan_u8(&decoder->scan);
    if (kind != 0)
        return decode_refuse(decoder, ERROR_INVALID, offset, "malformed element kind %u", kind);
    *type = VALUE_FUNCREF;
    return scan_check(&decoder->scan, decoder->error);
}

static bool decode_items(struct decoder *decoder, struct element_segment *segment,
                         bool has_expressions)
{
    struct scan *scan = &decoder->scan;
    size_t offset = scan_offset(scan);
    uint32_t count = scan_length(scan);
    if (count > WASM_ELEMENT_ITEMS_MAX - decoder->element_items)
        return decode_refuse(decoder, ERROR_LIMIT, offset,
                             "element segments have more than %d elements", WASM_ELEMENT_ITEMS_MAX);
    decoder->element_items += count;
    struct constant *items = decode_array(decoder, count, sizeof(*items));
    if (items == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (has_expressions) {
            if (!decode_constant(decoder, segment->type, &items[i]))
                return false;
            continue;
        }
        items[i] = (struct constant){ .kind = CONSTANT_FUNCTION, .type = VALUE_FUNCREF };
        if (!decode_function_index(decoder, &items[i].index))
            return false;
        decode_reference(decoder, items[i].index);
    }
    segment->items = items;
    segment->count = count;
    return scan_check(scan, decoder->error);
}

/* Table and offset of an active segment. */
static bool decode_place(struct decoder *decoder, struct element_segment *segment, bool has_table)
{
    size_t offset = scan_offset(&decoder->scan);
    segment->table = has_table ? scan_u32(&decoder->scan) : 0;
    if (segment->table >= decoder->module->table_count)
        return decode_refuse(decoder, ERROR_INVALID, offset, "unknown table %u", segment->table);
    return decode_constant(decoder, VALUE_I32, &segment->offset);
}

static bool decode_element(struct decoder *decoder, struct element_segment *segment)
{
    size_t offset = scan_offset(&decoder->scan);
    uint32_t flags = scan_u32(&decoder->scan);
    if (flags > 7)
        return decode_refuse(decoder, ERROR_INVALID, offset, "malformed elements segment kind %u",
                             flags);
    bool is_active = (flags & 1) == 0;
    bool has_expressions = (flags & 4) != 0;
    segment->type = VALUE_FUNCREF;
    if (is_active)
        segment->mode = SEGMENT_ACTIVE;
    else
        segment->mode = (flags & 2) != 0 ? SEGMENT_DECLARED : SEGMENT_PASSIVE;
    if (is_active && !decode_place(decoder, segment, (flags & 2) != 0))
        return false;
    if ((flags & 3) != 0 && !decode_element_kind(decoder, has_expressions, &segment->type))
        return false;
    if (is_active && decoder->module->tables[segment->table].element != segment->type)
        return decode_refuse(decoder, ERROR_INVALID, offset,
                             "type mismatch: segment of %s for a table of %s",
                             value_type_name(segment->type),
                             value_type_name(decoder->module->tables[segment->table].element));
    return decode_items(decoder, segment, has_expressions);
}

bool decode_elements(struct decoder *decoder)
{
    struct module *module = decoder->module;
    uint32_t count;
    if (!decode_count(decoder, "element segments", WASM_ELEMENT_SEGMENTS_MAX, &count))
        return false;
    module->elements = decode_array(decoder, count, sizeof(*module->elements));
    if (module->elements == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!decode_element(decoder, &module->elements[i]))
            return false;
    }
    module->element_count = count;
    return true;
}

static bool decode_data_segment(struct decoder *decoder, struct data_segment *segment)
{
    struct scan *scan = &decoder->scan;
    size_t offset = scan_offset(scan);
    uint32_t flags = scan_u32(scan);
    if (flags > 2)
        return decode_refuse(decoder, ERROR_INVALID, offset, "malformed data segment kind %u",
                             flags);
    segment->mode = flags == 1 ? SEGMENT_PASSIVE : SEGMENT_ACTIVE;
    if (segment->mode == SEGMENT_ACTIVE) {
        uint32_t memory = flags == 2 ? scan_u32(scan) : 0;
        if (memory >= decoder->module->memory_count)
            return decode_refuse(decoder, ERROR_INVALID, offset, "unknown memory %u", memory);
        if (!decode_constant(decoder, VALUE_I32, &segment->offset))
            return false;
    }
    segment->bytes = scan_bytes(scan, scan_u32(scan));
    return scan_check(scan, decoder->error);
}

bool decode_data(struct decoder *decoder)
{
    struct module *module = decoder->module;
    uint32_t count;
    if (!decode_count(decoder, "data segments", WASM_DATA_SEGMENTS_MAX, &count))
        return false;
    module->data = decode_array(decoder, count, sizeof(*module->data));
    if (module->data == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!decode_data_segment(decoder, &module->data[i]))
            return false;
    }
    module->data_count = count;
    return true;
}
