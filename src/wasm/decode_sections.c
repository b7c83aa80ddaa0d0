/* SPDX-License-Identifier: Apache-2.0 */
/* Imports, functions, tables, memories, globals and exports. */
#include "core/sort.h"
#include "wasm/decoder.h"
#include "wasm/limits.h"
#include "wasm/types.h"

#include <string.h>

static bool decode_type_index(struct decoder *decoder, uint32_t *index)
{
    size_t offset = scan_offset(&decoder->scan);
    *index = scan_u32(&decoder->scan);
    if (*index >= decoder->module->type_count)
        return decode_refuse(decoder, ERROR_INVALID, offset, "unknown type %u", *index);
    return scan_check(&decoder->scan, decoder->error);
}

bool decode_function_index(struct decoder *decoder, uint32_t *index)
{
    size_t offset = scan_offset(&decoder->scan);
    *index = scan_u32(&decoder->scan);
    if (*index >= decoder->module->function_count)
        return decode_refuse(decoder, ERROR_INVALID, offset, "unknown function %u", *index);
    return scan_check(&decoder->scan, decoder->error);
}

static bool decode_limits(struct decoder *decoder, struct limits *limits, enum proposal_place place)
{
    struct scan *scan = &decoder->scan;
    size_t offset = scan_offset(scan);
    uint8_t flags = scan_u8(scan);
    if (flags >= 0x80)
        return decode_refuse(decoder, ERROR_INVALID, offset, "integer representation too long");
    const char *proposal = proposal_name(place, flags);
    if (proposal != NULL)
        return decode_refuse(decoder, ERROR_UNSUPPORTED, offset,
                             "integer too large: limits of kind %u: %s not supported", flags,
                             proposal);
    if (flags > 1)
        return decode_refuse(decoder, ERROR_INVALID, offset, "integer too large: limits of kind %u",
                             flags);
    limits->has_max = flags == 1;
    limits->min = scan_u32(scan);
    limits->max = limits->has_max ? scan_u32(scan) : UINT32_MAX;
    if (limits->min > limits->max)
        return decode_refuse(decoder, ERROR_INVALID, offset,
                             "size minimum must not be greater than maximum");
    return scan_check(scan, decoder->error);
}

static bool decode_table_type(struct decoder *decoder, struct table_type *type)
{
    return decode_reference_type(decoder, &type->element) &&
           decode_limits(decoder, &type->limits, PROPOSAL_TABLE_FLAGS);
}

static bool decode_memory_type(struct decoder *decoder, struct limits *limits)
{
    size_t offset = scan_offset(&decoder->scan);
    if (!decode_limits(decoder, limits, PROPOSAL_MEMORY_FLAGS))
        return false;
    if (limits->min > WASM_MEMORY_PAGES_MAX ||
        (limits->has_max && limits->max > WASM_MEMORY_PAGES_MAX))
        return decode_refuse(decoder, ERROR_INVALID, offset,
                             "memory size must be at most 65536 pages (4GiB)");
    return true;
}

static bool decode_global_type(struct decoder *decoder, struct global_type *type)
{
    if (!decode_value_type(decoder, &type->type))
        return false;
    size_t offset = scan_offset(&decoder->scan);
    uint8_t mutability = scan_u8(&decoder->scan);
    if (mutability > 1)
        return decode_refuse(decoder, ERROR_INVALID, offset, "malformed mutability %u", mutability);
    type->is_mutable = mutability == 1;
    return scan_check(&decoder->scan, decoder->error);
}

static bool refuse_kind(struct decoder *decoder, size_t offset, const char *what, uint8_t kind)
{
    const char *proposal = proposal_name(PROPOSAL_EXTERNAL_KIND, kind);
    if (proposal != NULL)
        return decode_refuse(decoder, ERROR_UNSUPPORTED, offset,
                             "malformed %s kind %u: %s not supported", what, kind, proposal);
    return decode_refuse(decoder, ERROR_INVALID, offset, "malformed %s kind %u", what, kind);
}

static bool decode_import(struct decoder *decoder, struct import *import)
{
    struct scan *scan = &decoder->scan;
    import->source_offset = (uint32_t)scan_offset(scan);
    import->module = scan_name(scan);
    import->field = scan_name(scan);
    if (MAX(import->module.size, import->field.size) > WASM_NAME_SIZE_MAX)
        return decode_refuse(decoder, ERROR_LIMIT, import->source_offset,
                             "name of an import is longer than %d bytes", WASM_NAME_SIZE_MAX);
    size_t offset = scan_offset(scan);
    uint8_t kind = scan_u8(scan);
    switch (kind) {
    case EXTERNAL_FUNCTION:
        import->kind = EXTERNAL_FUNCTION;
        return decode_type_index(decoder, &import->type_index);
    case EXTERNAL_TABLE:
        import->kind = EXTERNAL_TABLE;
        return decode_table_type(decoder, &import->table);
    case EXTERNAL_MEMORY:
        import->kind = EXTERNAL_MEMORY;
        return decode_memory_type(decoder, &import->memory);
    case EXTERNAL_GLOBAL:
        import->kind = EXTERNAL_GLOBAL;
        return decode_global_type(decoder, &import->global);
    default:
        return refuse_kind(decoder, offset, "import", kind);
    }
}

static bool refuse_count(struct decoder *decoder, const char *what, uint32_t max)
{
    return decode_refuse(decoder, ERROR_LIMIT, scan_offset(&decoder->scan),
                         "module has more than %u %s", max, what);
}

/* Makes room for `more` elements behind those that are there. */
static void *extend(struct decoder *decoder, const void *old, size_t count, size_t more,
                    size_t size_each)
{
    void *array = decode_array(decoder, count + more, size_each);
    if (array != NULL && count > 0)
        memcpy(array, old, count * size_each);
    return array;
}

/* The imports of each kind come first in that kind's index space. */
static bool spread_imports(struct decoder *decoder)
{
    struct module *module = decoder->module;
    uint32_t count = module->import_count;
    module->functions = decode_array(decoder, count, sizeof(*module->functions));
    module->tables = decode_array(decoder, count, sizeof(*module->tables));
    module->memories = decode_array(decoder, count, sizeof(*module->memories));
    module->globals = decode_array(decoder, count, sizeof(*module->globals));
    if (module->functions == NULL || module->tables == NULL || module->memories == NULL ||
        module->globals == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct import *import = &module->imports[i];
        switch (import->kind) {
        case EXTERNAL_FUNCTION:
            module->functions[module->function_count++] =
                (struct function){ .type = &module->types[import->type_index],
                                   .type_index = import->type_index,
                                   .is_import = true,
                                   .import_index = i };
            break;
        case EXTERNAL_TABLE:
            module->tables[module->table_count++] = import->table;
            break;
        case EXTERNAL_MEMORY:
            module->memories[module->memory_count++] = import->memory;
            break;
        case EXTERNAL_GLOBAL:
            module->globals[module->global_count++] =
                (struct global){ .type = import->global, .is_import = true };
            break;
        }
    }
    module->imported_function_count = module->function_count;
    module->imported_table_count = module->table_count;
    module->imported_memory_count = module->memory_count;
    module->imported_global_count = module->global_count;
    return true;
}

static bool check_memories(struct decoder *decoder)
{
    if (decoder->module->memory_count > WASM_MEMORIES_MAX)
        return decode_refuse(decoder, ERROR_UNSUPPORTED, scan_offset(&decoder->scan),
                             "multiple memories: multi-memory not supported");
    return true;
}

bool decode_imports(struct decoder *decoder)
{
    struct module *module = decoder->module;
    uint32_t count;
    if (!decode_count(decoder, "imports", WASM_IMPORTS_MAX, &count))
        return false;
    module->imports = decode_array(decoder, count, sizeof(*module->imports));
    if (module->imports == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!decode_import(decoder, &module->imports[i]))
            return false;
    }
    module->import_count = count;
    if (!spread_imports(decoder) || !check_memories(decoder))
        return false;
    if (module->table_count > WASM_TABLES_MAX)
        return refuse_count(decoder, "tables", WASM_TABLES_MAX);
    return true;
}

bool decode_functions(struct decoder *decoder)
{
    struct module *module = decoder->module;
    uint32_t count;
    if (!decode_count(decoder, "functions", WASM_FUNCTIONS_MAX, &count))
        return false;
    if (count > WASM_FUNCTIONS_MAX - module->function_count)
        return refuse_count(decoder, "functions", WASM_FUNCTIONS_MAX);
    module->functions = extend(decoder, module->functions, module->function_count, count,
                               sizeof(*module->functions));
    if (module->functions == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct function *function = &module->functions[module->function_count];
        if (!decode_type_index(decoder, &function->type_index))
            return false;
        function->type = &module->types[function->type_index];
        module->function_count++;
    }
    return true;
}

bool decode_tables(struct decoder *decoder)
{
    struct module *module = decoder->module;
    uint32_t count;
    if (!decode_count(decoder, "tables", UINT32_MAX, &count))
        return false;
    if (count > WASM_TABLES_MAX - module->table_count)
        return refuse_count(decoder, "tables", WASM_TABLES_MAX);
    module->tables =
        extend(decoder, module->tables, module->table_count, count, sizeof(*module->tables));
    if (module->tables == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const char *proposal = decoder->scan.at == decoder->scan.end
                                   ? NULL
                                   : proposal_name(PROPOSAL_TABLE_FORM, *decoder->scan.at);
        if (proposal != NULL)
            return decode_refuse(decoder, ERROR_UNSUPPORTED, scan_offset(&decoder->scan),
                                 "malformed table type 0x%02x: %s not supported", *decoder->scan.at,
                                 proposal);
        if (!decode_table_type(decoder, &module->tables[module->table_count]))
            return false;
        module->table_count++;
    }
    return true;
}

bool decode_memories(struct decoder *decoder)
{
    struct module *module = decoder->module;
    uint32_t count;
    if (!decode_count(decoder, "memories", UINT32_MAX, &count))
        return false;
    module->memories =
        extend(decoder, module->memories, module->memory_count, count, sizeof(*module->memories));
    if (module->memories == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!decode_memory_type(decoder, &module->memories[module->memory_count]))
            return false;
        module->memory_count++;
    }
    return check_memories(decoder);
}

bool decode_globals(struct decoder *decoder)
{
    struct module *module = decoder->module;
    uint32_t count;
    if (!decode_count(decoder, "globals", WASM_GLOBALS_MAX, &count))
        return false;
    if (count > WASM_GLOBALS_MAX - module->global_count)
        return refuse_count(decoder, "globals", WASM_GLOBALS_MAX);
    module->globals =
        extend(decoder, module->globals, module->global_count, count, sizeof(*module->globals));
    if (module->globals == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct global *global = &module->globals[module->global_count];
        if (!decode_global_type(decoder, &global->type) ||
            !decode_constant(decoder, global->type.type, &global->value))
            return false;
        module->global_count++;
    }
    return true;
}

static bool decode_export(struct decoder *decoder, struct export *export)
{
    static const char *const names[] = { "function", "table", "memory", "global" };
    struct module *module = decoder->module;
    const uint32_t counts[] = { module->function_count, module->table_count, module->memory_count,
                                module->global_count };
    struct scan *scan = &decoder->scan;
    size_t offset = scan_offset(scan);
    export->name = scan_name(scan);
    if (export->name.size > WASM_NAME_SIZE_MAX)
        return decode_refuse(decoder, ERROR_LIMIT, offset,
                             "name of an export is longer than %d bytes", WASM_NAME_SIZE_MAX);
    offset = scan_offset(scan);
    uint8_t kind = scan_u8(scan);
    if (kind >= ARRAY_COUNT(counts))
        return refuse_kind(decoder, offset, "export", kind);
    export->kind = (enum external_kind)kind;
    export->index = scan_u32(scan);
    if (export->index >= counts[kind])
        return decode_refuse(decoder, ERROR_INVALID, offset, "unknown %s %u", names[kind],
                             export->index);
    if (export->kind == EXTERNAL_FUNCTION)
        decode_reference(decoder, export->index);
    return scan_check(scan, decoder->error);
}

static int compare_names(const void *left, const void *right)
{
    const struct export *const *a = left;
    const struct export *const *b = right;
    struct bytes x = (*a)->name, y = (*b)->name;
    if (x.size != y.size)
        return x.size < y.size ? -1 : 1;
    return x.size == 0 ? 0 : memcmp(x.data, y.data, x.size);
}

static bool check_names(struct decoder *decoder)
{
    struct module *module = decoder->module;
    const struct export **sorted = decode_array(decoder, module->export_count, sizeof(*sorted));
    if (sorted == NULL)
        return false;
    for (uint32_t i = 0; i < module->export_count; i++)
        sorted[i] = &module->exports[i];
    sort_items(sorted, module->export_count, sizeof(*sorted), compare_names);
    for (uint32_t i = 1; i < module->export_count; i++) {
        if (compare_names(&sorted[i - 1], &sorted[i]) == 0)
            return decode_refuse(decoder, ERROR_INVALID, scan_offset(&decoder->scan),
                                 "duplicate export name \"%s\"", error_quote(sorted[i]->name).text);
    }
    return true;
}

bool decode_exports(struct decoder *decoder)
{
    struct module *module = decoder->module;
    uint32_t count;
    if (!decode_count(decoder, "exports", WASM_EXPORTS_MAX, &count))
        return false;
    module->exports = decode_array(decoder, count, sizeof(*module->exports));
    if (module->exports == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!decode_export(decoder, &module->exports[i]))
            return false;
    }
    module->export_count = count;
    return check_names(decoder);
}
