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

/* Types are grouped as strings over an alphabet of nine: parameters, a border, results, an end.
 * Sixteen symbols at a time make a number, by which groups that were equal so far are sorted with
 * as many steps as they have members, so that the work is linear in the size of the section
 * whatever stands there.  (A hash table would need a secret.) */
enum {
    SYMBOLS_PER_KEY = 16,
    SYMBOL_END = 0,
    SYMBOL_BORDER = 15,
    GROUP_SMALL = 64, /* sorted by comparing */
};

struct type_key {
    uint64_t key;
    uint32_t index;
};

static const uint8_t symbols[256] = {
    [VALUE_FUNCREF] = 1, [VALUE_EXTERNREF] = 2, [VALUE_V128] = 3, [VALUE_F64] = 4,
    [VALUE_F32] = 5,     [VALUE_I64] = 6,       [VALUE_I32] = 7,
};

static unsigned symbol_at(const struct function_type *type, uint32_t at)
{
    if (at < type->parameter_count)
        return symbols[type->parameters[at]];
    if (at == type->parameter_count)
        return SYMBOL_BORDER;
    at -= type->parameter_count + 1;
    return at < type->result_count ? symbols[type->results[at]] : (unsigned)SYMBOL_END;
}

static uint64_t key_of(const struct function_type *type, uint32_t level)
{
    uint64_t key = 0;
    uint32_t first = level * SYMBOLS_PER_KEY;
    const uint8_t *within = NULL;
    if (first + SYMBOLS_PER_KEY <= type->parameter_count)
        within = type->parameters + first;
    for (uint32_t i = 0; within != NULL && i < SYMBOLS_PER_KEY; i++)
        key = key << 4 | symbols[within[i]];
    for (uint32_t i = 0; within == NULL && i < SYMBOLS_PER_KEY; i++)
        key = key << 4 | symbol_at(type, first + i);
    return key;
}

static int compare_keys(const void *left, const void *right)
{
    const struct type_key *a = left;
    const struct type_key *b = right;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

/* By one byte of the key, stable; bytes that are the same in all are skipped. */
static void sort_by_byte(struct type_key *keys, struct type_key *room, uint32_t count,
                         unsigned shift)
{
    uint32_t starts[257] = { 0 };
    for (uint32_t i = 0; i < count; i++)
        starts[(keys[i].key >> shift & 255) + 1]++;
    if (starts[(keys[0].key >> shift & 255) + 1] == count)
        return;
    for (unsigned i = 1; i < 257; i++)
        starts[i] += starts[i - 1];
    for (uint32_t i = 0; i < count; i++)
        room[starts[keys[i].key >> shift & 255]++] = keys[i];
    memcpy(keys, room, count * sizeof(*keys));
}

/* `keys`: types that are equal in the symbols before this level, in ascending order of indices. */
static void find_equal(struct function_type *types, struct type_key *keys, struct type_key *room,
                       uint32_t count, uint32_t level)
{
    for (uint32_t i = 0; i < count; i++)
        keys[i].key = key_of(&types[keys[i].index], level);
    if (count < GROUP_SMALL) {
        sort_items(keys, count, sizeof(*keys), compare_keys);
    } else {
        for (unsigned shift = 0; shift < 64; shift += 8)
            sort_by_byte(keys, room, count, shift);
    }
    for (uint32_t first = 0, end = 1; first < count; first = end++) {
        while (end < count && keys[end].key == keys[first].key)
            end++;
        bool is_whole = (keys[first].key & 15) == SYMBOL_END;
        if (!is_whole && end - first > 1) {
            find_equal(types, keys + first, room, end - first, level + 1);
            continue;
        }
        for (uint32_t i = first; i < end; i++)
            types[keys[i].index].canonical = keys[first].index;
    }
}

static bool find_equal_types(struct decoder *decoder)
{
    struct module *module = decoder->module;
    struct type_key *keys = decode_array(decoder, module->type_count, 2 * sizeof(*keys));
    if (keys == NULL)
        return false;
    for (uint32_t i = 0; i < module->type_count; i++)
        keys[i].index = i;
    find_equal(module->types, keys, keys + module->type_count, module->type_count, 0);
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
