/* SPDX-License-Identifier: Apache-2.0 */
/* Value types and the type section. */
#include "core/sort.h"
#include "wasm/decoder.h"
#include "wasm/limits.h"
#include "wasm/types.h"

#include <string.h>

static bool refuse_type(struct decoder *decoder, uint8_t byte, const char *what)
{
    size_t offset = scan_offset(&decoder->scan) - 1;
    const char *proposal = proposal_name(PROPOSAL_VALUE_TYPE, byte);
    if (byte >= 0x80)
        return decode_refuse(decoder, ERROR_INVALID, offset, "integer representation too long");
    if (proposal != NULL)
        return decode_refuse(decoder, ERROR_UNSUPPORTED, offset,
                             "malformed %s 0x%02x: %s not supported", what, byte, proposal);
    return decode_refuse(decoder, ERROR_INVALID, offset, "malformed %s 0x%02x", what, byte);
}

bool decode_reference_type(struct decoder *decoder, enum value_type *type)
{
    uint8_t byte = scan_u8(&decoder->scan);
    if (decoder->scan.fault != NULL || !value_type_is_reference((enum value_type)byte))
        return refuse_type(decoder, byte, "reference type");
    *type = (enum value_type)byte;
    return true;
}

bool decode_value_type(struct decoder *decoder, enum value_type *type)
{
    uint8_t byte = scan_u8(&decoder->scan);
    enum value_type found = (enum value_type)byte;
    if (decoder->scan.fault != NULL ||
        !(value_type_is_number(found) || value_type_is_reference(found)))
        return refuse_type(decoder, byte, "value type");
    decoder->module->has_vectors |= found == VALUE_V128;
    *type = found;
    return true;
}

/* The types of a parameter or result list; they stand in the source one byte each. */
static bool decode_list(struct decoder *decoder, const char *what, uint32_t max,
                        const uint8_t **types, uint32_t *count)
{
    size_t offset = scan_offset(&decoder->scan);
    uint32_t found = scan_length(&decoder->scan);
    if (found > max)
        return decode_refuse(decoder, ERROR_LIMIT, offset, "type has %u %s, at most %u", found,
                             what, max);
    *types = decoder->scan.at;
    for (uint32_t i = 0; i < found; i++) {
        enum value_type type;
        if (!decode_value_type(decoder, &type))
            return false;
    }
    *count = found;
    return scan_check(&decoder->scan, decoder->error);
}

static bool decode_type(struct decoder *decoder, struct function_type *type)
{
    size_t offset = scan_offset(&decoder->scan);
    uint8_t form = scan_u8(&decoder->scan);
    if (form >= 0x80)
        return decode_refuse(decoder, ERROR_INVALID, offset, "integer representation too long");
    const char *proposal = proposal_name(PROPOSAL_TYPE_FORM, form);
    if (proposal != NULL)
        return decode_refuse(decoder, ERROR_UNSUPPORTED, offset,
                             "malformed function type 0x%02x: %s not supported", form, proposal);
    if (form != 0x60)
        return decode_refuse(decoder, ERROR_INVALID, offset, "malformed function type 0x%02x",
                             form);
    return decode_list(decoder, "parameters", WASM_PARAMETERS_MAX, &type->parameters,
                       &type->parameter_count) &&
           decode_list(decoder, "results", WASM_RESULTS_MAX, &type->results, &type->result_count);
}

static int compare_lists(const uint8_t *a, uint32_t a_count, const uint8_t *b, uint32_t b_count)
{
    if (a_count != b_count)
        return a_count < b_count ? -1 : 1;
    return a_count == 0 ? 0 : memcmp(a, b, a_count);
}

int function_type_order(const struct function_type *a, const struct function_type *b)
{
    int order = compare_lists(a->parameters, a->parameter_count, b->parameters, b->parameter_count);
    return order != 0 ? order
                      : compare_lists(a->results, a->result_count, b->results, b->result_count);
}

/* Equal types by their place in the array. */
static int compare_types(const void *left, const void *right)
{
    struct function_type *const *a = left;
    struct function_type *const *b = right;
    int order = function_type_order(*a, *b);
    return order != 0 ? order : (*a > *b) - (*a < *b);
}

/* Sorting bounds the work for any input; a hash table would need a secret. */
static bool find_equal_types(struct decoder *decoder)
{
    struct module *module = decoder->module;
    struct function_type **sorted = decode_array(decoder, module->type_count, sizeof(*sorted));
    if (sorted == NULL)
        return false;
    for (uint32_t i = 0; i < module->type_count; i++)
        sorted[i] = &module->types[i];
    sort_items(sorted, module->type_count, sizeof(*sorted), compare_types);
    for (uint32_t i = 0; i < module->type_count; i++) {
        bool is_first = i == 0 || function_type_order(sorted[i - 1], sorted[i]) != 0;
        sorted[i]->canonical =
            is_first ? (uint32_t)(sorted[i] - module->types) : sorted[i - 1]->canonical;
    }
    return true;
}

bool decode_types(struct decoder *decoder)
{
    struct module *module = decoder->module;
    uint32_t count;
    if (!decode_count(decoder, "types", WASM_TYPES_MAX, &count))
        return false;
    module->types = decode_array(decoder, count, sizeof(*module->types));
    if (module->types == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!decode_type(decoder, &module->types[i]))
            return false;
    }
    module->type_count = count;
    return find_equal_types(decoder);
}
