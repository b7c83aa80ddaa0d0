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

static bool refuse_instruction(struct decoder *decoder, uint8_t opcode)
{
    size_t offset = scan_offset(&decoder->scan) - 1;
    const char *proposal = proposal_name(PROPOSAL_OPCODE, opcode);
    if (proposal != NULL)
        return decode_refuse(decoder, ERROR_UNSUPPORTED, offset,
                             "illegal opcode 0x%02x in a constant expression: %s not supported",
                             opcode, proposal);
    if (instructions[opcode].kind == OPCODE_ABSENT)
        return decode_refuse(decoder, ERROR_INVALID, offset, "illegal opcode 0x%02x", opcode);
    return decode_refuse(decoder, ERROR_INVALID, offset, "constant expression required, found %s",
                         instructions[opcode].text);
}

static bool decode_vector_constant(struct decoder *decoder, struct constant *constant)
{
    struct scan *scan = &decoder->scan;
    size_t offset = scan_offset(scan) - 1;
    uint32_t code = scan_u32(scan);
    if (code != VECTOR_V128_CONST)
        return decode_refuse(decoder, ERROR_INVALID, offset,
                             "constant expression required, found instruction 0xfd 0x%02x", code);
    *constant = (struct constant){ .type = VALUE_V128, .bits = scan_fixed_u64(scan) };
    constant->high_bits = scan_fixed_u64(scan);
    return true;
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
    case OPCODE_VECTOR_PREFIX:
        return decode_vector_constant(decoder, constant);
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

static bool is_arithmetic(uint8_t opcode)
{
    return (opcode >= OPCODE_I32_ADD && opcode <= OPCODE_I32_MUL) ||
           (opcode >= OPCODE_I64_ADD && opcode <= OPCODE_I64_MUL);
}

static uint64_t calculate(uint8_t opcode, uint64_t a, uint64_t b)
{
    switch (opcode) {
    case OPCODE_I32_ADD:
        return (uint32_t)(a + b);
    case OPCODE_I32_SUB:
        return (uint32_t)(a - b);
    case OPCODE_I32_MUL:
        return (uint32_t)(a * b);
    case OPCODE_I64_ADD:
        return a + b;
    case OPCODE_I64_SUB:
        return a - b;
    default:
        return a * b;
    }
}

/* Puts the result of the top two in their place.  What depends on an imported global has no value
 * yet. */
static bool decode_arithmetic(struct decoder *decoder, uint8_t opcode, struct constant *stack,
                              uint32_t *height)
{
    size_t offset = scan_offset(&decoder->scan) - 1;
    enum value_type type = opcode <= OPCODE_I32_MUL ? VALUE_I32 : VALUE_I64;
    if (*height < 2)
        return decode_refuse(decoder, ERROR_INVALID, offset,
                             "type mismatch: %s in a constant expression lacks operands",
                             instructions[opcode].text);
    struct constant *a = &stack[*height - 2];
    const struct constant *b = &stack[*height - 1];
    if (a->type != type || b->type != type)
        return decode_refuse(decoder, ERROR_INVALID, offset,
                             "type mismatch: %s of %s and %s in a constant expression",
                             instructions[opcode].text, value_type_name(a->type),
                             value_type_name(b->type));
    bool is_known = a->kind == CONSTANT_VALUE && b->kind == CONSTANT_VALUE;
    *a = (struct constant){ .kind = is_known ? CONSTANT_VALUE : CONSTANT_EXPRESSION,
                            .type = type,
                            .bits = is_known ? calculate(opcode, a->bits, b->bits) : 0 };
    decoder->module->has_extended_constants = true;
    *height -= 1;
    return true;
}

/* The instructions up to `end`, on a stack that must hold one value then. */
static bool decode_expression(struct decoder *decoder, struct constant *stack, uint32_t *height)
{
    struct scan *scan = &decoder->scan;
    for (;;) {
        size_t offset = scan_offset(scan);
        uint8_t opcode = scan_u8(scan);
        if (!scan_check(scan, decoder->error))
            return false;
        if (opcode == OPCODE_END)
            return true;
        if (is_arithmetic(opcode)) {
            if (!decode_arithmetic(decoder, opcode, stack, height))
                return false;
            continue;
        }
        if (*height == WASM_CONSTANT_DEPTH_MAX)
            return decode_refuse(decoder, ERROR_LIMIT, offset,
                                 "constant expression has more than %d operands at once",
                                 WASM_CONSTANT_DEPTH_MAX);
        if (!decode_constant_instruction(decoder, opcode, &stack[*height]))
            return false;
        *height += 1;
    }
}

bool decode_constant(struct decoder *decoder, enum value_type type, struct constant *constant)
{
    struct constant *stack = decoder->constants; /* an array here would be zeroed each time */
    uint32_t height = 0;
    size_t offset = scan_offset(&decoder->scan);
    if (!decode_expression(decoder, stack, &height))
        return false;
    if (height != 1)
        return decode_refuse(decoder, ERROR_INVALID, offset,
                             "type mismatch: constant expression %s",
                             height == 0 ? "is empty" : "has more than one value");
    if (stack[0].type != type)
        return decode_refuse(decoder, ERROR_INVALID, offset, "type mismatch: expected %s, found %s",
                             value_type_name(type), value_type_name(stack[0].type));
    if (stack[0].kind == CONSTANT_EXPRESSION)
        stack[0].index = (uint32_t)offset;
    *constant = stack[0];
    return true;
}

/* Walks a decoded expression again, now that imported globals have their values. */
static void constant_resolve(const struct module *module, struct constant *constant)
{
    if (constant->kind != CONSTANT_EXPRESSION)
        return;
    uint64_t stack[WASM_CONSTANT_DEPTH_MAX];
    uint32_t height = 0;
    struct scan scan = scan_of(module->source, constant->index);
    for (uint8_t opcode = scan_u8(&scan); opcode != OPCODE_END; opcode = scan_u8(&scan)) {
        if (opcode == OPCODE_I32_CONST) {
            stack[height++] = (uint32_t)scan_signed(&scan, 32);
        } else if (opcode == OPCODE_I64_CONST) {
            stack[height++] = (uint64_t)scan_signed(&scan, 64);
        } else if (opcode == OPCODE_GLOBAL_GET) {
            stack[height++] = module->globals[scan_u32(&scan)].value.bits;
        } else {
            ASSERT(is_arithmetic(opcode) && height >= 2);
            height--;
            stack[height - 1] = calculate(opcode, stack[height - 1], stack[height]);
        }
    }
    *constant =
        (struct constant){ .kind = CONSTANT_VALUE, .type = constant->type, .bits = stack[0] };
}

void constants_resolve(struct module *module)
{
    for (uint32_t i = module->imported_global_count; i < module->global_count; i++)
        constant_resolve(module, &module->globals[i].value);
    for (uint32_t i = 0; i < module->element_count; i++)
        constant_resolve(module, &module->elements[i].offset);
    for (uint32_t i = 0; i < module->data_count; i++)
        constant_resolve(module, &module->data[i].offset);
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
