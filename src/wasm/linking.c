/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/linking.h"

#include "core/sort.h"
#include "wasm/limits.h"
#include "wasm/linker.h"
#include "wasm/opcodes.h"
#include "wasm/types.h"

#include <stdlib.h>
#include <string.h>

struct wasm_signatures {
    struct function_type *rows; /* ascending, all different; parameters own the bytes */
    uint32_t count;
};

bool wasm_signatures_new(struct wasm_signatures **signatures, struct error *error)
{
    struct wasm_signatures *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a table of types");
    *signatures = made;
    return true;
}

void wasm_signatures_free(struct wasm_signatures *signatures)
{
    if (signatures == NULL)
        return;
    for (uint32_t i = 0; i < signatures->count; i++)
        free((void *)(uintptr_t)signatures->rows[i].parameters);
    free(signatures->rows);
    free(signatures);
}

static int compare_types(const void *left, const void *right)
{
    struct function_type *const *a = left;
    struct function_type *const *b = right;
    return function_type_order(*a, *b);
}

/* With types of its own: the module's end with its compilation. */
static bool row_init(struct function_type *row, const struct function_type *type, uint32_t id)
{
    uint8_t *types = malloc((size_t)type->parameter_count + type->result_count + 1);
    if (types == NULL)
        return false;
    if (type->parameter_count > 0)
        memcpy(types, type->parameters, type->parameter_count);
    if (type->result_count > 0)
        memcpy(types + type->parameter_count, type->results, type->result_count);
    *row = (struct function_type){ .parameters = types,
                                   .results = types + type->parameter_count,
                                   .parameter_count = type->parameter_count,
                                   .result_count = type->result_count,
                                   .canonical = id };
    return true;
}

/* Merges two sorted lists, so that the work is linear in both whatever the types are. */
static bool merge(struct wasm_signatures *signatures, struct function_type *const *sorted,
                  uint32_t count)
{
    uint64_t most = (uint64_t)signatures->count + count;
    struct function_type *rows = most > UINT32_MAX ? NULL : calloc(most + 1, sizeof(*rows));
    uint32_t made = 0, old = 0, ids = signatures->count;
    bool ok = rows != NULL;
    for (uint32_t i = 0; ok && i < count; i++) {
        while (old < signatures->count &&
               function_type_order(&signatures->rows[old], sorted[i]) < 0)
            rows[made++] = signatures->rows[old++];
        if (old < signatures->count && function_type_order(&signatures->rows[old], sorted[i]) == 0)
            rows[made++] = signatures->rows[old++];
        if (made == 0 || function_type_order(&rows[made - 1], sorted[i]) != 0) {
            ok = row_init(&rows[made], sorted[i], ids);
            made += ok;
            ids += ok;
        }
        if (ok)
            sorted[i]->canonical = rows[made - 1].canonical;
    }
    while (rows != NULL && old < signatures->count)
        rows[made++] = signatures->rows[old++];
    if (rows == NULL)
        return false;
    free(signatures->rows);
    signatures->rows = rows;
    signatures->count = made;
    return ok;
}

static bool share_types(struct module *module, struct arena *arena,
                        struct wasm_signatures *signatures, struct error *error)
{
    struct function_type **sorted = arena_array(arena, module->type_count + 1u, sizeof(*sorted));
    if (sorted != NULL) {
        for (uint32_t i = 0; i < module->type_count; i++)
            sorted[i] = &module->types[i];
        sort_items(sorted, module->type_count, sizeof(*sorted), compare_types);
        if (merge(signatures, sorted, module->type_count))
            return true;
    }
    return error_set(error, ERROR_NO_MEMORY, "no memory for %u types", module->type_count);
}

static void put_number(struct buffer *code, uint32_t number)
{
    do {
        uint8_t byte = number & 0x7f;
        number >>= 7;
        byte |= number != 0 ? 0x80 : 0;
        buffer_append(code, bytes_of(&byte, 1));
    } while (number != 0);
}

static void put_constant(struct buffer *code, uint32_t number)
{
    uint8_t bytes[6] = { OPCODE_I32_CONST };
    int64_t rest = (int32_t)number;
    for (unsigned i = 0; i < 5; i++, rest >>= 7)
        bytes[1 + i] = (uint8_t)((rest & 0x7f) | (i < 4 ? 0x80 : 0));
    buffer_append(code, BYTES_OF(bytes));
}

/* to, 0, count: operands of table.init and memory.init */
static void put_operands(struct buffer *code, uint64_t to, uint64_t count)
{
    put_constant(code, (uint32_t)to);
    put_constant(code, 0);
    put_constant(code, (uint32_t)count);
}

static void put_prefixed(struct buffer *code, uint32_t opcode, uint32_t index)
{
    const uint8_t prefix = OPCODE_PREFIX;
    buffer_append(code, bytes_of(&prefix, 1));
    put_number(code, opcode);
    put_number(code, index);
}

static void put_instantiation(struct buffer *code, struct module *module)
{
    static const uint8_t no_locals = 0, end = OPCODE_END, call = OPCODE_CALL;
    buffer_append(code, bytes_of(&no_locals, 1));
    for (uint32_t i = 0; i < module->element_count; i++) {
        struct element_segment *element = &module->elements[i];
        if (element->mode != SEGMENT_ACTIVE)
            continue;
        put_operands(code, constant_bits(module, &element->offset), element->count);
        put_prefixed(code, PREFIXED_TABLE_INIT, i);
        put_number(code, element->table);
        put_prefixed(code, PREFIXED_ELEM_DROP, i);
        element->mode = SEGMENT_PASSIVE;
    }
    for (uint32_t i = 0; i < module->data_count; i++) {
        struct data_segment *data = &module->data[i];
        if (data->mode != SEGMENT_ACTIVE)
            continue;
        put_operands(code, constant_bits(module, &data->offset), data->bytes.size);
        put_prefixed(code, PREFIXED_MEMORY_INIT, i);
        put_number(code, 0);
        put_prefixed(code, PREFIXED_DATA_DROP, i);
        data->mode = SEGMENT_PASSIVE;
    }
    if (module->has_start) {
        buffer_append(code, bytes_of(&call, 1));
        put_number(code, module->start);
    }
    buffer_append(code, bytes_of(&end, 1));
}

/* The new function's body goes behind a copy of the source: bodies are read by their offsets. */
static bool append_function(struct module *module, struct arena *arena, struct bytes body)
{
    size_t size = module->source.size + body.size;
    uint8_t *source = size > UINT32_MAX ? NULL : arena_take(arena, size);
    struct function *functions =
        arena_array(arena, module->function_count + 1u, sizeof(*functions));
    struct function_type *type = arena_take(arena, sizeof(*type));
    if (source == NULL || functions == NULL || type == NULL)
        return false;
    if (module->source.size > 0)
        memcpy(source, module->source.data, module->source.size);
    memcpy(source + module->source.size, body.data, body.size);
    if (module->function_count > 0)
        memcpy(functions, module->functions, module->function_count * sizeof(*functions));
    *type = (struct function_type){ .parameters = source, .results = source };
    functions[module->function_count] =
        (struct function){ .type = type,
                           .source_offset = (uint32_t)module->source.size,
                           .body = bytes_of(source + module->source.size, body.size) };
    module->source = bytes_of(source, size);
    module->functions = functions;
    module->start = module->function_count++;
    module->has_start = true;
    module->declared_data_count = module->data_count;
    return true;
}

bool module_link(struct module *module, struct arena *arena, const struct wasm_link *link,
                 struct error *error)
{
    if (link->placement == 0 || link->placement > LAYOUT_LINKED_MAX)
        return error_set(error, ERROR_LIMIT, "there are at most %u linked instances",
                         LAYOUT_LINKED_MAX);
    if (module->function_count >= WASM_FUNCTIONS_MAX)
        return error_set(error, ERROR_LIMIT, "a linked module has less than %d functions",
                         WASM_FUNCTIONS_MAX);
    module->placement = link->placement;
    if (!share_types(module, arena, link->signatures, error))
        return false;
    AUTO_BUFFER struct buffer body;
    buffer_init(&body, WASM_FUNCTION_SIZE_MAX);
    put_instantiation(&body, module);
    if (body.failed)
        return error_set(error, ERROR_LIMIT, "a linked module has fewer active segments");
    return append_function(module, arena, buffer_view(&body)) ||
           error_set(error, ERROR_NO_MEMORY, "no memory to link a module");
}
