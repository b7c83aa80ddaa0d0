/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/linker.h"

#include "abi/image.h"
#include "abi/layout.h"
#include "base/buffer.h"
#include "core/checked.h"
#include "wasm/entry.h"
#include "wasm/limits.h"
#include "wasm/linker_memory.h"

#include <string.h>

struct linker {
    struct buffer *image;
    const struct link_options *options;
    const struct module *module;
    struct image_header header;
    struct instance_layout layout; /* with the tables */
    struct image_place place;
    struct buffer strings;
};

bool linker_layout(struct instance_layout *layout, const struct module *module, struct error *error)
{
    uint64_t globals = sizeof(struct instance);
    uint64_t segments = globals + 16ull * module->global_count;
    uint64_t imports =
        segments + sizeof(struct segment) * ((uint64_t)module->data_count + module->element_count);
    uint64_t shares = imports, end = imports;
    if (module->placement != 0) {
        shares += 8ull * module->imported_function_count;
        end = shares + sizeof(struct share) * (1 + INSTANCE_TABLE_COUNT_MAX);
    }
    if (end > LAYOUT_INSTANCE_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "globals and segments need %llu bytes, at most %llu",
                         (unsigned long long)end, (unsigned long long)LAYOUT_INSTANCE_SIZE_MAX);
    *layout = (struct instance_layout){ .globals = (uint32_t)globals,
                                        .segments = (uint32_t)segments,
                                        .imports = (uint32_t)imports,
                                        .shares = (uint32_t)shares,
                                        .tables = (uint32_t)end };
    return true;
}

uint64_t constant_bits(const struct module *module, const struct constant *constant)
{
    switch (constant->kind) {
    case CONSTANT_VALUE:
        return constant->bits;
    case CONSTANT_GLOBAL: /* an imported one, whose value imports_resolve has set */
        return module->globals[constant->index].value.bits;
    case CONSTANT_FUNCTION:
        return row_address(module, constant->index);
    case CONSTANT_NULL:
        return 0;
    case CONSTANT_EXPRESSION: /* none is left */
        break;
    }
    return 0;
}

static uint64_t constant_high_bits(const struct module *module, const struct constant *constant)
{
    if (constant->type != VALUE_V128)
        return 0;
    return constant->kind == CONSTANT_GLOBAL ? module->globals[constant->index].value.high_bits
                                             : constant->high_bits;
}

static void section_begin(struct linker *linker, enum image_section section)
{
    static const uint8_t zeros[LAYOUT_PAGE_SIZE];
    size_t size = linker->image->size;
    buffer_append(linker->image, bytes_of(zeros, round_up(size, LAYOUT_PAGE_SIZE) - size));
    linker->header.sections[section].offset = linker->image->size;
}

static void section_end(struct linker *linker, enum image_section section)
{
    linker->header.sections[section].size =
        linker->image->size - linker->header.sections[section].offset;
}

static struct function_reference reference_of(const struct linker *linker, uint32_t index)
{
    return (struct function_reference){
        .code = linker->place.code + linker->options->code->references[index],
        .signature = signature_id(linker->module->functions[index].type),
        .index = (uint32_t)((row_address(linker->module, index) - LAYOUT_RODATA) /
                            sizeof(struct function_reference)),
    };
}

static struct function_reference item_of(const struct linker *linker, const struct constant *item)
{
    const struct constant *value =
        item->kind == CONSTANT_GLOBAL ? &linker->module->globals[item->index].value : item;
    if (value->kind == CONSTANT_FUNCTION)
        return reference_of(linker, value->index);
    if (item->kind != CONSTANT_GLOBAL || value->kind != CONSTANT_VALUE || value->bits == 0)
        return (struct function_reference){ 0 };
    const struct function_reference *row = linker->module->globals[item->index].function;
    /* As the runtime writes external references. */
    return row != NULL ? *row
                       : (struct function_reference){ .code = value->bits,
                                                      .signature = UINT32_MAX,
                                                      .index = UINT32_MAX };
}

static uint64_t rodata_address(const struct linker *linker)
{
    return linker->place.rodata + linker->image->size -
           linker->header.sections[IMAGE_RODATA].offset;
}

/* Function references, then what passive segments hold; fills in their rows. */
static void write_rodata(struct linker *linker, struct segment *segments)
{
    const struct module *module = linker->module;
    section_begin(linker, IMAGE_RODATA);
    for (uint32_t i = 0; i < module->function_count; i++) {
        struct function_reference row = reference_of(linker, i);
        buffer_append(linker->image, bytes_of(&row, sizeof(row)));
    }
    for (uint32_t i = 0; i < module->element_count; i++) {
        const struct element_segment *element = &module->elements[i];
        if (element->mode != SEGMENT_PASSIVE)
            continue;
        segments[module->data_count + i] =
            (struct segment){ .data = rodata_address(linker), .size = element->count };
        for (uint32_t j = 0; j < element->count; j++) {
            struct function_reference row = item_of(linker, &element->items[j]);
            buffer_append(linker->image, bytes_of(&row, sizeof(row)));
        }
    }
    for (uint32_t i = 0; i < module->data_count; i++) {
        const struct data_segment *data = &module->data[i];
        if (data->mode != SEGMENT_PASSIVE)
            continue;
        segments[i] = (struct segment){ .data = rodata_address(linker), .size = data->bytes.size };
        buffer_append(linker->image, data->bytes);
    }
    section_end(linker, IMAGE_RODATA);
}

/* Places the tables behind the segments.  Only tables that some instruction grows get room for it.
 */
static bool place_tables(struct linker *linker, struct instance *instance, struct error *error)
{
    const struct module *module = linker->module;
    uint64_t end = round_up(linker->layout.tables, 16);
    for (uint32_t i = 0; i < module->table_count; i++) {
        const struct limits *limits = &module->tables[i].limits;
        if (module->tables[i].element == VALUE_EXTERNREF)
            instance->external_tables |= 1ull << i;
        if (module->placement != 0 && i < module->imported_table_count)
            continue;
        bool grows = module->placement != 0 || (linker->options->code->grown_tables >> i & 1) != 0;
        uint64_t most = limits->min + (grows ? (uint64_t)WASM_TABLE_GROWTH_MAX : 0);
        if (limits->has_max)
            most = MIN(most, (uint64_t)limits->max);
        most = MAX(most, (uint64_t)limits->min);
        instance->tables[i] = (struct table){ .entries = linker->place.instance + end,
                                              .size = limits->min,
                                              .size_max = (uint32_t)most };
        end += most * sizeof(struct function_reference);
    }
    uint64_t end_max =
        module->placement != 0 ? LAYOUT_LINKED_INSTANCE_SIZE_MAX : LAYOUT_INSTANCE_SIZE_MAX;
    linker->header.instance_size = end;
    if (end > end_max)
        return error_set(error, ERROR_LIMIT, "globals and tables need %llu bytes, at most %llu",
                         (unsigned long long)end, (unsigned long long)end_max);
    return true;
}

static void start_traps(struct linker *linker, enum trap_reason reason)
{
    if ((linker->header.flags & IMAGE_START_TRAPS) != 0)
        return;
    linker->header.flags |= IMAGE_START_TRAPS;
    linker->header.start_trap = reason;
}

/* Writes active segments into the template, up to the first that doesn't fit. */
static void apply_elements(struct linker *linker, const struct instance *instance, uint8_t *region)
{
    const struct module *module = linker->module;
    for (uint32_t i = 0; i < module->element_count; i++) {
        const struct element_segment *element = &module->elements[i];
        if (element->mode != SEGMENT_ACTIVE)
            continue;
        const struct table *table = &instance->tables[element->table];
        uint64_t first = (uint32_t)constant_bits(module, &element->offset);
        if (first + element->count > table->size) {
            start_traps(linker, TRAP_TABLE);
            return;
        }
        for (uint32_t j = 0; j < element->count; j++) {
            struct function_reference row = item_of(linker, &element->items[j]);
            memcpy(region + (table->entries - linker->place.instance) + (first + j) * sizeof(row),
                   &row, sizeof(row));
        }
    }
}

static bool write_instance(struct linker *linker, const struct segment *segments,
                           struct error *error)
{
    const struct module *module = linker->module;
    struct instance instance = {
        .memory_size = linker->header.memory_size,
        .memory_size_max = linker->header.memory_size_max,
        .functions = LAYOUT_RODATA,
        .segments = linker->place.instance + linker->layout.segments,
        .data_count = module->data_count,
        .element_count = module->element_count,
        .table_count = module->table_count,
        .function_count = module->function_count,
    };
    if (module->placement != 0) {
        instance.function_count = UINT32_MAX; /* rows of all instances count from `functions` */
        instance.shares = linker->place.instance + linker->layout.shares;
    }
    if (!place_tables(linker, &instance, error))
        return false;
    uint8_t *region = arena_take(linker->options->arena, linker->header.instance_size);
    if (region == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the instance template");
    memcpy(region, &instance, sizeof(instance));
    for (uint32_t i = 0; i < module->global_count; i++) {
        const struct constant *value = &module->globals[i].value;
        uint64_t bits[2] = { constant_bits(module, value), constant_high_bits(module, value) };
        memcpy(region + linker->layout.globals + 16 * i, bits, sizeof(bits));
    }
    size_t segment_count = (size_t)module->data_count + module->element_count;
    if (segment_count > 0)
        memcpy(region + linker->layout.segments, segments, segment_count * sizeof(*segments));
    apply_elements(linker, &instance, region);
    size_t size = linker->header.instance_size;
    while (size > sizeof(instance) && region[size - 1] == 0)
        size--;
    section_begin(linker, IMAGE_INSTANCE);
    buffer_append(linker->image, bytes_of(region, size));
    section_end(linker, IMAGE_INSTANCE);
    return true;
}

static bool write_memory(struct linker *linker, struct error *error)
{
    struct memory_runs runs = { 0 };
    if (!linker_memory(&runs, linker->module, linker->options->arena, error))
        return false;
    if (runs.is_out_of_bounds)
        start_traps(linker, TRAP_MEMORY);
    section_begin(linker, IMAGE_MEMORY);
    for (size_t i = 0; i < runs.count; i++)
        buffer_append(linker->image, runs.rows[i].bytes);
    section_end(linker, IMAGE_MEMORY);
    section_begin(linker, IMAGE_MEMORY_RUNS);
    uint32_t offset = 0;
    for (size_t i = 0; i < runs.count; i++) {
        struct image_run row = { .address = runs.rows[i].address,
                                 .size = (uint32_t)runs.rows[i].bytes.size,
                                 .offset = offset };
        offset += row.size;
        buffer_append(linker->image, bytes_of(&row, sizeof(row)));
    }
    section_end(linker, IMAGE_MEMORY_RUNS);
    return true;
}

static uint32_t add_string(struct linker *linker, struct bytes text)
{
    uint32_t offset = (uint32_t)linker->strings.size;
    buffer_append(&linker->strings, text);
    return offset;
}

static void write_functions(struct linker *linker)
{
    const struct module *module = linker->module;
    section_begin(linker, IMAGE_FUNCTIONS);
    for (uint32_t i = 0; i < module->function_count; i++) {
        struct bytes name = module->functions[i].name;
        struct image_function row = { .code_offset = linker->options->code->starts[i],
                                      .index = i,
                                      .name_offset = add_string(linker, name),
                                      .name_size = (uint32_t)name.size };
        buffer_append(linker->image, bytes_of(&row, sizeof(row)));
    }
    const struct code *code = linker->options->code;
    for (uint32_t i = 0; i < code->native_row_count && !linker->image->failed; i++) {
        struct image_function row;
        memcpy(&row,
               linker->image->data + linker->header.sections[IMAGE_FUNCTIONS].offset +
                   code->native_rows[i].index * sizeof(row),
               sizeof(row));
        row.code_offset = code->native_rows[i].start;
        buffer_append(linker->image, bytes_of(&row, sizeof(row)));
    }
    section_end(linker, IMAGE_FUNCTIONS);
    linker->header.function_count = module->function_count + code->native_row_count;
    section_begin(linker, IMAGE_TRAPS);
    buffer_append(linker->image,
                  bytes_of(code->traps, code->trap_count * sizeof(struct image_trap)));
    section_end(linker, IMAGE_TRAPS);
}

static void add_limits(struct linker *linker, const struct limits *limits)
{
    uint8_t has_max = limits->has_max;
    add_string(linker, bytes_of(&has_max, 1));
    add_string(linker, bytes_of(&limits->max, sizeof(limits->max)));
}

static void write_exports(struct linker *linker)
{
    const struct module *module = linker->module;
    section_begin(linker, IMAGE_EXPORTS);
    for (uint32_t i = 0; i < module->export_count; i++) {
        const struct export *export = &module->exports[i];
        struct image_export row = { .name_offset = add_string(linker, export->name),
                                    .name_size = (uint32_t) export->name.size,
                                    .where = export->index };
        row.types_offset = (uint32_t)linker->strings.size;
        switch (export->kind) {
        case EXTERNAL_FUNCTION: {
            const struct function_type *type = module->functions[export->index].type;
            row.kind = IMAGE_EXPORT_FUNCTION;
            row.where = linker->options->code->references[export->index];
            row.parameter_count = type->parameter_count;
            row.result_count = type->result_count;
            add_string(linker, bytes_of(type->parameters, type->parameter_count));
            add_string(linker, bytes_of(type->results, type->result_count));
            break;
        }
        case EXTERNAL_TABLE: {
            uint8_t type = (uint8_t)module->tables[export->index].element;
            row.kind = IMAGE_EXPORT_TABLE;
            add_string(linker, bytes_of(&type, 1));
            add_limits(linker, &module->tables[export->index].limits);
            break;
        }
        case EXTERNAL_MEMORY:
            row.kind = IMAGE_EXPORT_MEMORY;
            add_limits(linker, &module->memories[export->index]);
            break;
        case EXTERNAL_GLOBAL: {
            const struct global_type *type = &module->globals[export->index].type;
            uint8_t bytes[2] = { (uint8_t)type->type, type->is_mutable };
            row.kind = IMAGE_EXPORT_GLOBAL;
            row.where = linker->layout.globals + 16 * export->index;
            add_string(linker, BYTES_OF(bytes));
            break;
        }
        }
        row.types_size = (uint32_t)linker->strings.size - row.types_offset;
        buffer_append(linker->image, bytes_of(&row, sizeof(row)));
    }
    section_end(linker, IMAGE_EXPORTS);
}

/* What other instances give, in the module's order. */
static void write_imports(struct linker *linker)
{
    const struct module *module = linker->module;
    uint32_t functions = 0, tables = 0, globals = 0;
    section_begin(linker, IMAGE_IMPORTS);
    for (uint32_t i = 0; module->placement != 0 && i < module->import_count; i++) {
        const struct import *import = &module->imports[i];
        struct image_import row = { .module_offset = add_string(linker, import->module),
                                    .module_size = (uint32_t)import->module.size,
                                    .field_offset = add_string(linker, import->field),
                                    .field_size = (uint32_t)import->field.size };
        bool is_linked = true;
        row.types_offset = (uint32_t)linker->strings.size;
        switch (import->kind) {
        case EXTERNAL_FUNCTION: {
            const struct function_type *type = &module->types[import->type_index];
            row.kind = IMAGE_EXPORT_FUNCTION;
            row.where = linker->layout.imports + 8 * functions;
            is_linked = module->functions[functions++].is_linked;
            add_string(linker, bytes_of(type->parameters, type->parameter_count));
            add_string(linker, bytes_of(type->results, type->result_count));
            break;
        }
        case EXTERNAL_TABLE: {
            uint8_t type = (uint8_t)import->table.element;
            row.kind = IMAGE_EXPORT_TABLE;
            row.where = tables++;
            add_string(linker, bytes_of(&type, 1));
            break;
        }
        case EXTERNAL_MEMORY:
            row.kind = IMAGE_EXPORT_MEMORY;
            break;
        case EXTERNAL_GLOBAL: {
            uint8_t types[2] = { (uint8_t)import->global.type, 1 };
            row.kind = IMAGE_EXPORT_GLOBAL;
            row.where = linker->layout.globals + 16 * globals++;
            is_linked = import->global.is_mutable;
            add_string(linker, BYTES_OF(types));
            break;
        }
        }
        row.types_size = (uint32_t)linker->strings.size - row.types_offset;
        if (is_linked)
            buffer_append(linker->image, bytes_of(&row, sizeof(row)));
    }
    section_end(linker, IMAGE_IMPORTS);
}

static void write_header(struct linker *linker)
{
    struct image_header *header = &linker->header;
    const struct module *module = linker->module;
    memcpy(header->magic, IMAGE_MAGIC, sizeof(header->magic));
    header->version = IMAGE_VERSION;
    memcpy(header->module_digest, linker->options->module_digest.bytes,
           sizeof(header->module_digest));
    const char *compiler = linker->options->compiler;
    memcpy(header->compiler, compiler, MIN(strlen(compiler), sizeof(header->compiler) - 1));
    if (linker->options->is_metered)
        header->flags |= IMAGE_IS_METERED;
    if (module->has_start) {
        header->flags |= IMAGE_HAS_START;
        header->start_offset = linker->options->code->starts[module->start];
    }
    header->placement = module->placement;
    header->shares_offset = module->placement != 0 ? linker->layout.shares : 0;
    section_begin(linker, IMAGE_SECTION_COUNT - 1); /* pads the file; the section is set again */
}

static bool write_all(struct linker *linker, struct error *error)
{
    const struct module *module = linker->module;
    struct image_header *header = &linker->header;
    header->sections[IMAGE_CODE] =
        (struct image_part){ .offset = IMAGE_HEADER_SIZE, .size = linker->options->code->size };
    if (module->memory_count > (module->placement != 0 ? module->imported_memory_count : 0)) {
        const struct limits *limits = &module->memories[0];
        uint32_t most = limits->has_max ? limits->max : (uint32_t)WASM_MEMORY_PAGES_MAX;
        header->flags |= IMAGE_HAS_MEMORY;
        header->memory_size = (uint64_t)limits->min * LAYOUT_WASM_PAGE_SIZE;
        header->memory_size_max = (uint64_t)most * LAYOUT_WASM_PAGE_SIZE;
    }
    if (!entry_write(header, module, linker->options->code->starts, error))
        return false;
    size_t segment_count = (size_t)module->data_count + module->element_count;
    struct segment *segments =
        arena_array(linker->options->arena, segment_count + 1, sizeof(*segments));
    if (segments == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for %zu segments", segment_count);
    write_rodata(linker, segments);
    bool is_linked = module->placement != 0;
    uint64_t rodata_max = is_linked ? LAYOUT_LINKED_RODATA_SIZE_MAX : LAYOUT_RODATA_SIZE_MAX;
    if (is_linked && header->sections[IMAGE_CODE].size > LAYOUT_LINKED_CODE_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "code of a linked module is over %llu bytes",
                         (unsigned long long)LAYOUT_LINKED_CODE_SIZE_MAX);
    if (header->sections[IMAGE_RODATA].size > rodata_max)
        return error_set(error, ERROR_LIMIT, "passive segments are over %llu bytes",
                         (unsigned long long)rodata_max);
    if (!write_instance(linker, segments, error) || !write_memory(linker, error))
        return false;
    write_functions(linker);
    write_exports(linker);
    write_imports(linker);
    section_begin(linker, IMAGE_STRINGS);
    buffer_append(linker->image, buffer_view(&linker->strings));
    section_end(linker, IMAGE_STRINGS);
    struct image_part strings = header->sections[IMAGE_STRINGS];
    write_header(linker);
    header->sections[IMAGE_STRINGS] = strings;
    header->file_size = linker->image->size;
    if (linker->image->failed || linker->strings.failed)
        return error_set(error, ERROR_LIMIT, "the image is larger than %zu bytes",
                         linker->image->size_max);
    memcpy(linker->image->data, header, sizeof(*header));
    return true;
}

bool linker_write(struct buffer *image, const struct link_options *options, struct error *error)
{
    struct linker linker = { .image = image,
                             .options = options,
                             .module = options->module,
                             .layout = *options->layout,
                             .place = image_place(options->module->placement) };
    buffer_init(&linker.strings, WASM_STRINGS_SIZE_MAX);
    bool done = write_all(&linker, error);
    buffer_done(&linker.strings);
    return done;
}
