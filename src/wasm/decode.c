/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of a module: header, order and sizes of sections, code bodies. */
#include "wasm/decoder.h"
#include "wasm/limits.h"

#include <stdarg.h>
#include <stdio.h>

enum section {
    SECTION_CUSTOM,
    SECTION_TYPE,
    SECTION_IMPORT,
    SECTION_FUNCTION,
    SECTION_TABLE,
    SECTION_MEMORY,
    SECTION_GLOBAL,
    SECTION_EXPORT,
    SECTION_START,
    SECTION_ELEMENT,
    SECTION_CODE,
    SECTION_DATA,
    SECTION_DATA_COUNT,
    SECTION_COUNT
};

bool decode_refuse(struct decoder *decoder, enum error_code code, size_t offset, const char *format,
                   ...)
{
    if (!scan_check(&decoder->scan, decoder->error))
        return false;
    char text[sizeof(decoder->error->text) - 64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (decoder->section == NULL)
        return error_set(decoder->error, code, "%s at offset 0x%zx", text, offset);
    return error_set(decoder->error, code, "%s at offset 0x%zx in the %s section", text, offset,
                     decoder->section);
}

void *decode_array(struct decoder *decoder, size_t count, size_t size_each)
{
    void *array = arena_array(decoder->arena, count == 0 ? 1 : count, size_each);
    if (array == NULL)
        error_set(decoder->error, ERROR_LIMIT,
                  "module needs more memory than the compiler may use");
    return array;
}

bool decode_count(struct decoder *decoder, const char *what, uint32_t max, uint32_t *count)
{
    size_t offset = scan_offset(&decoder->scan);
    uint32_t found = scan_length(&decoder->scan);
    if (found > max)
        return decode_refuse(decoder, ERROR_LIMIT, offset, "module has %u %s, at most %u", found,
                             what, max);
    *count = found;
    return scan_check(&decoder->scan, decoder->error);
}

static bool decode_start(struct decoder *decoder)
{
    size_t offset = scan_offset(&decoder->scan);
    if (!decode_function_index(decoder, &decoder->module->start))
        return false;
    const struct function_type *type = decoder->module->functions[decoder->module->start].type;
    if (type->parameter_count != 0 || type->result_count != 0)
        return decode_refuse(decoder, ERROR_INVALID, offset,
                             "start function has parameters or results");
    decoder->module->has_start = true;
    return true;
}

static bool decode_data_count(struct decoder *decoder)
{
    decoder->module->declared_data_count = scan_u32(&decoder->scan);
    decoder->module->has_data_count = true;
    return scan_check(&decoder->scan, decoder->error);
}

static bool decode_code(struct decoder *decoder)
{
    struct module *module = decoder->module;
    struct scan *scan = &decoder->scan;
    size_t offset = scan_offset(scan);
    uint32_t count = scan_length(scan);
    uint32_t defined = module->function_count - module->imported_function_count;
    if (count != defined)
        return decode_refuse(decoder, ERROR_INVALID, offset,
                             "function and code section have inconsistent lengths");
    for (uint32_t i = 0; i < count && scan->fault == NULL; i++) {
        struct function *function = &module->functions[module->imported_function_count + i];
        uint32_t size = scan_length(scan);
        if (size > WASM_FUNCTION_SIZE_MAX)
            return decode_refuse(decoder, ERROR_LIMIT, scan_offset(scan),
                                 "function %u has %u bytes, at most %d",
                                 module->imported_function_count + i, size, WASM_FUNCTION_SIZE_MAX);
        function->source_offset = (uint32_t)scan_offset(scan);
        function->body = scan_bytes(scan, size);
    }
    return scan_check(scan, decoder->error);
}

static bool decode_section(struct decoder *decoder, enum section section)
{
    switch (section) {
    case SECTION_TYPE:
        return decode_types(decoder);
    case SECTION_IMPORT:
        return decode_imports(decoder);
    case SECTION_FUNCTION:
        return decode_functions(decoder);
    case SECTION_TABLE:
        return decode_tables(decoder);
    case SECTION_MEMORY:
        return decode_memories(decoder);
    case SECTION_GLOBAL:
        return decode_globals(decoder);
    case SECTION_EXPORT:
        return decode_exports(decoder);
    case SECTION_START:
        return decode_start(decoder);
    case SECTION_ELEMENT:
        return decode_elements(decoder);
    case SECTION_CODE:
        return decode_code(decoder);
    case SECTION_DATA:
        return decode_data(decoder);
    case SECTION_DATA_COUNT:
        return decode_data_count(decoder);
    case SECTION_CUSTOM:
    case SECTION_COUNT:
        break;
    }
    assert_failed("a section with content", __FILE__, __LINE__);
}

/* A custom section; `names` becomes the first one called "name". */
static bool decode_custom(struct decoder *decoder, size_t size, struct bytes *names)
{
    struct scan *scan = &decoder->scan;
    const uint8_t *end = scan->at + size;
    struct bytes name = scan_name(scan);
    if (scan->fault == NULL && scan->at > end)
        scan_fail(scan, "unexpected end", end);
    if (scan->fault == NULL) {
        struct bytes content = scan_bytes(scan, (size_t)(end - scan->at));
        if (names->data == NULL && bytes_equal_string(name, "name"))
            *names = content;
        if (decoder->module->abi_section.data == NULL && bytes_equal_string(name, "s3n.abi"))
            decoder->module->abi_section = content;
    }
    return scan_check(scan, decoder->error);
}

/* One section with its head; `last_rank` is the place in the order of the last one. */
static bool decode_next(struct decoder *decoder, unsigned *last_rank, struct bytes *names)
{
    static const uint8_t ranks[SECTION_COUNT] = {
        [SECTION_TYPE] = 1,    [SECTION_IMPORT] = 2, [SECTION_FUNCTION] = 3,    [SECTION_TABLE] = 4,
        [SECTION_MEMORY] = 5,  [SECTION_GLOBAL] = 6, [SECTION_EXPORT] = 7,      [SECTION_START] = 8,
        [SECTION_ELEMENT] = 9, [SECTION_CODE] = 11,  [SECTION_DATA_COUNT] = 10, [SECTION_DATA] = 12,
    };
    struct scan *scan = &decoder->scan;
    size_t offset = scan_offset(scan);
    uint8_t id = scan_u8(scan);
    decoder->section = NULL;
    if (id >= SECTION_COUNT) {
        const char *proposal = proposal_name(PROPOSAL_SECTION, id);
        if (proposal != NULL)
            return decode_refuse(decoder, ERROR_UNSUPPORTED, offset,
                                 "malformed section id %u: %s not supported", id, proposal);
        return decode_refuse(decoder, ERROR_INVALID, offset, "malformed section id %u", id);
    }
    size_t size = scan_length(scan);
    const uint8_t *start = scan->at;
    if (!scan_check(scan, decoder->error))
        return false;
    if (id == SECTION_CUSTOM)
        return decode_custom(decoder, size, names);
    if (ranks[id] <= *last_rank)
        return decode_refuse(decoder, ERROR_INVALID, offset,
                             "unexpected content after last section (section %u out of order)", id);
    static const char *const names_of_sections[SECTION_COUNT] = {
        "custom", "type",  "import",  "function", "table", "memory",     "global",
        "export", "start", "element", "code",     "data",  "data count",
    };
    *last_rank = ranks[id];
    decoder->section = names_of_sections[id];
    if (id == SECTION_CODE)
        decoder->module->code_size = size;
    if (!decode_section(decoder, (enum section)id))
        return false;
    if ((size_t)(scan->at - start) != size)
        return decode_refuse(decoder, ERROR_INVALID, scan_offset(scan),
                             "section size mismatch in section %u", id);
    return true;
}

static bool decode_header(struct decoder *decoder)
{
    struct scan *scan = &decoder->scan;
    size_t offset = scan_offset(scan);
    uint32_t magic = scan_fixed_u32(scan);
    if (scan->fault == NULL && magic != 0x6d736100)
        return decode_refuse(
            decoder, ERROR_INVALID, offset,
            (magic & 255) == '('
                ? "magic header not detected: text, of which wat2wasm makes a module"
                : "magic header not detected: not a WebAssembly module (a program is compiled "
                  "first)");
    uint32_t version = scan_fixed_u32(scan);
    if (scan->fault == NULL && version == 0x1000d)
        return decode_refuse(decoder, ERROR_UNSUPPORTED, offset + 4,
                             "unknown binary version: a component, not a core module (a "
                             "compiler's target wasm32-wasip1 makes these)");
    if (version != 1)
        return decode_refuse(decoder, ERROR_INVALID, offset + 4, "unknown binary version");
    return true;
}

static bool decode_check_counts(struct decoder *decoder)
{
    const struct module *module = decoder->module;
    size_t offset = scan_offset(&decoder->scan);
    if (module->has_data_count && module->declared_data_count != module->data_count)
        return decode_refuse(decoder, ERROR_INVALID, offset,
                             "data count and data section have inconsistent lengths");
    if (module->function_count > module->imported_function_count && module->code_size == 0)
        return decode_refuse(decoder, ERROR_INVALID, offset,
                             "function and code section have inconsistent lengths");
    return true;
}

bool module_decode(struct module *module, struct arena *arena, struct bytes source,
                   struct error *error)
{
    if (source.size > WASM_MODULE_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "module has %zu bytes, at most %d", source.size,
                         WASM_MODULE_SIZE_MAX);
    if (source.size == 0)
        return error_set(error, ERROR_INVALID, "unexpected end at offset 0x0");
    struct module decoded = { .source = source };
    struct decoder decoder = {
        .scan = scan_of(source, 0), .module = &decoded, .arena = arena, .error = error
    };
    unsigned last_rank = 0;
    struct bytes names = { 0 };
    if (!decode_header(&decoder))
        return false;
    while (decoder.scan.at < decoder.scan.end) {
        if (!decode_next(&decoder, &last_rank, &names))
            return false;
    }
    decoder.section = NULL;
    if (!decode_check_counts(&decoder))
        return false;
    decode_names(&decoded, names);
    *module = decoded;
    return true;
}
