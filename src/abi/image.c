/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/image.h"

#include "abi/instance.h"
#include "abi/layout.h"
#include "abi/native.h"
#include "core/checked.h"
#include "core/reader.h"

enum {
    RUN_SIZE = 12,
    FUNCTION_SIZE = 16,
    TRAP_SIZE = 8,
    EXPORT_SIZE = 32,
    IMPORT_SIZE = 32,
    GLOBAL_SIZE = 16,
    POINTER_SIZE = 8,
    SHARE_SIZE = 16,
    GLOBAL_TYPES_SIZE = 2,
    MEMORY_TYPES_SIZE = 5,
    TABLE_TYPES_SIZE = 6,
    IMAGE_FLAGS_ALL = IMAGE_HAS_START | IMAGE_HAS_COMMAND | IMAGE_HAS_MEMORY | IMAGE_START_TRAPS |
                      IMAGE_HAS_REACTOR | IMAGE_HAS_INITIALISE | IMAGE_HAS_INIT | IMAGE_IS_METERED |
                      IMAGE_IS_NATIVE,
};

#define MEMORY_SIZE_MAX (65536ull * LAYOUT_WASM_PAGE_SIZE)

static const uint8_t row_sizes[IMAGE_SECTION_COUNT] = {
    [IMAGE_MEMORY_RUNS] = RUN_SIZE, [IMAGE_FUNCTIONS] = FUNCTION_SIZE, [IMAGE_TRAPS] = TRAP_SIZE,
    [IMAGE_EXPORTS] = EXPORT_SIZE,  [IMAGE_IMPORTS] = IMPORT_SIZE,
};

void image_header_write(struct writer *writer, const struct image_header *header)
{
    size_t start = writer->size;
    write_bytes(writer, bytes_of(header->magic, sizeof(header->magic)));
    write_u32_le(writer, header->version);
    write_u32_le(writer, header->flags);
    write_bytes(writer, BYTES_OF(header->module_digest));
    write_bytes(writer, BYTES_OF(header->compiler));
    write_u64_le(writer, header->file_size);
    write_u64_le(writer, header->instance_size);
    write_u64_le(writer, header->memory_size);
    write_u64_le(writer, header->memory_size_max);
    write_u32_le(writer, header->start_offset);
    write_u32_le(writer, header->command_offset);
    write_u32_le(writer, header->start_trap);
    write_u32_le(writer, header->function_count);
    write_u32_le(writer, header->placement);
    write_u32_le(writer, header->shares_offset);
    for (size_t i = 0; i < IMAGE_SECTION_COUNT; i++) {
        write_u64_le(writer, header->sections[i].offset);
        write_u64_le(writer, header->sections[i].size);
    }
    write_u32_le(writer, header->alloc_offset);
    write_u32_le(writer, header->handle_offset);
    write_u32_le(writer, header->initialise_offset);
    write_u32_le(writer, header->init_offset);
    write_u32_le(writer, header->abi);
    write_u32_le(writer, header->reserved);
    write_zeros(writer, IMAGE_HEADER_SIZE - (writer->size - start));
}

static void read_header(struct reader *reader, struct image_header *header)
{
    read_into(reader, header->magic, sizeof(header->magic));
    header->version = read_u32_le(reader);
    header->flags = read_u32_le(reader);
    read_into(reader, header->module_digest, sizeof(header->module_digest));
    read_into(reader, header->compiler, sizeof(header->compiler));
    header->file_size = read_u64_le(reader);
    header->instance_size = read_u64_le(reader);
    header->memory_size = read_u64_le(reader);
    header->memory_size_max = read_u64_le(reader);
    header->start_offset = read_u32_le(reader);
    header->command_offset = read_u32_le(reader);
    header->start_trap = read_u32_le(reader);
    header->function_count = read_u32_le(reader);
    header->placement = read_u32_le(reader);
    header->shares_offset = read_u32_le(reader);
    for (size_t i = 0; i < IMAGE_SECTION_COUNT; i++) {
        header->sections[i].offset = read_u64_le(reader);
        header->sections[i].size = read_u64_le(reader);
    }
    header->alloc_offset = read_u32_le(reader);
    header->handle_offset = read_u32_le(reader);
    header->initialise_offset = read_u32_le(reader);
    header->init_offset = read_u32_le(reader);
    header->abi = read_u32_le(reader);
    header->reserved = read_u32_le(reader);
}

static bool is_zero(struct bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        if (bytes.data[i] != 0)
            return false;
    }
    return true;
}

static size_t section_count(const struct image *image, enum image_section section)
{
    return image->sections[section].size / row_sizes[section];
}

static struct reader row_reader(const struct image *image, enum image_section section, size_t index)
{
    ASSERT(index < section_count(image, section));
    size_t size = row_sizes[section];
    return reader_of(bytes_part(image->sections[section], index * size, size));
}

size_t image_count(const struct image *image, enum image_section section)
{
    ASSERT(section < IMAGE_SECTION_COUNT && row_sizes[section] != 0);
    return section_count(image, section);
}

struct image_run image_run_at(const struct image *image, size_t index)
{
    struct reader reader = row_reader(image, IMAGE_MEMORY_RUNS, index);
    struct image_run run = { .address = read_u32_le(&reader) };
    run.size = read_u32_le(&reader);
    run.offset = read_u32_le(&reader);
    return run;
}

struct image_function image_function_at(const struct image *image, size_t index)
{
    struct reader reader = row_reader(image, IMAGE_FUNCTIONS, index);
    struct image_function function = { .code_offset = read_u32_le(&reader) };
    function.index = read_u32_le(&reader);
    function.name_offset = read_u32_le(&reader);
    function.name_size = read_u32_le(&reader);
    return function;
}

struct image_trap image_trap_at(const struct image *image, size_t index)
{
    struct reader reader = row_reader(image, IMAGE_TRAPS, index);
    struct image_trap trap = { .code_offset = read_u32_le(&reader) };
    trap.wasm_offset = read_u32_le(&reader);
    return trap;
}

struct image_export image_export_at(const struct image *image, size_t index)
{
    struct reader reader = row_reader(image, IMAGE_EXPORTS, index);
    struct image_export export = { .name_offset = read_u32_le(&reader) };
    export.name_size = read_u32_le(&reader);
    export.kind = read_u32_le(&reader);
    export.where = read_u32_le(&reader);
    export.parameter_count = read_u32_le(&reader);
    export.result_count = read_u32_le(&reader);
    export.types_offset = read_u32_le(&reader);
    export.types_size = read_u32_le(&reader);
    return export;
}

struct image_import image_import_at(const struct image *image, size_t index)
{
    struct reader reader = row_reader(image, IMAGE_IMPORTS, index);
    struct image_import import = { .module_offset = read_u32_le(&reader) };
    import.module_size = read_u32_le(&reader);
    import.field_offset = read_u32_le(&reader);
    import.field_size = read_u32_le(&reader);
    import.kind = read_u32_le(&reader);
    import.where = read_u32_le(&reader);
    import.types_offset = read_u32_le(&reader);
    import.types_size = read_u32_le(&reader);
    return import;
}

struct bytes image_string(const struct image *image, uint32_t offset, uint32_t size)
{
    return bytes_part(image->sections[IMAGE_STRINGS], offset, size);
}

/* `size` bytes from `offset` lie within the first `whole` ones. */
static bool lies_within(uint64_t offset, uint64_t size, uint64_t whole)
{
    return offset <= whole && size <= whole - offset;
}

static bool is_string(const struct image *image, uint32_t offset, uint32_t size)
{
    return lies_within(offset, size, image->sections[IMAGE_STRINGS].size);
}

/* Sections follow each other at page boundaries, the space between is zero. */
static const char *check_sections(struct image *image)
{
    uint64_t expected = IMAGE_HEADER_SIZE;
    for (size_t i = 0; i < IMAGE_SECTION_COUNT; i++) {
        struct image_part part = image->header.sections[i];
        if (part.offset != expected || !lies_within(part.offset, part.size, image->source.size))
            return "a section is out of place";
        uint64_t end = part.offset + part.size;
        expected = round_up(end, LAYOUT_PAGE_SIZE);
        image->sections[i] = bytes_part(image->source, part.offset, part.size);
        if (expected > image->source.size ||
            !is_zero(bytes_part(image->source, end, expected - end)))
            return "a section is not padded with zeros";
        if (row_sizes[i] != 0 && part.size % row_sizes[i] != 0)
            return "a table has a part of a row";
    }
    return expected == image->source.size ? NULL : "bytes behind the last section";
}

static const char *check_sizes(const struct image *image)
{
    const struct image_header *header = &image->header;
    if (image->sections[IMAGE_CODE].size > LAYOUT_CODE_SIZE_MAX)
        return "too much code";
    if (image->sections[IMAGE_RODATA].size > LAYOUT_RODATA_SIZE_MAX)
        return "too much read-only data";
    if (header->instance_size > LAYOUT_INSTANCE_SIZE_MAX ||
        header->instance_size < sizeof(struct instance) ||
        image->sections[IMAGE_INSTANCE].size > header->instance_size)
        return "instance region has a wrong size";
    if (header->memory_size > header->memory_size_max ||
        header->memory_size_max > MEMORY_SIZE_MAX ||
        header->memory_size % LAYOUT_WASM_PAGE_SIZE != 0 ||
        header->memory_size_max % LAYOUT_WASM_PAGE_SIZE != 0)
        return "linear memory has a wrong size";
    if ((header->flags & IMAGE_HAS_MEMORY) == 0 && header->memory_size_max != 0)
        return "linear memory without the flag";
    return NULL;
}

/* An offset in the code that counts only with its flag. */
static bool is_entry(const struct image *image, enum image_flag flag, uint32_t offset)
{
    bool counts = (image->header.flags & flag) != 0;
    return counts ? offset < image->sections[IMAGE_CODE].size : offset == 0;
}

static const char *check_entries(const struct image *image)
{
    const struct image_header *header = &image->header;
    uint32_t reactor = header->flags & (IMAGE_HAS_REACTOR | IMAGE_HAS_MEMORY);
    bool traps = (header->flags & IMAGE_START_TRAPS) != 0;
    bool is_native = (header->flags & IMAGE_IS_NATIVE) != 0;
    if (is_native && (header->flags != (IMAGE_IS_NATIVE | IMAGE_HAS_MEMORY) ||
                      header->memory_size < NATIVE_MEMORY_SIZE))
        return "a native function that is something else too";
    if (!is_entry(image, IMAGE_HAS_START, header->start_offset))
        return "start function is outside the code";
    if (!is_entry(image, IMAGE_HAS_COMMAND, header->command_offset) ||
        !is_entry(image, IMAGE_HAS_REACTOR, header->alloc_offset) ||
        !is_entry(image, is_native ? IMAGE_IS_NATIVE : IMAGE_HAS_REACTOR, header->handle_offset) ||
        !is_entry(image, IMAGE_HAS_INITIALISE, header->initialise_offset) ||
        !is_entry(image, IMAGE_HAS_INIT, header->init_offset))
        return "entry point is outside the code";
    if (reactor == IMAGE_HAS_REACTOR)
        return "a reactor without memory";
    if (header->abi >= IMAGE_ABI_COUNT || header->reserved != 0)
        return "unknown abi";
    if (header->start_trap >= TRAP_COUNT || traps != (header->start_trap != TRAP_NONE))
        return "unknown trap at the start";
    return NULL;
}

static const char *check_runs(const struct image *image)
{
    uint64_t end = 0;
    for (size_t i = 0; i < section_count(image, IMAGE_MEMORY_RUNS); i++) {
        struct image_run run = image_run_at(image, i);
        if (run.address < end || !lies_within(run.address, run.size, image->header.memory_size) ||
            !lies_within(run.offset, run.size, image->sections[IMAGE_MEMORY].size))
            return "initial memory is out of place";
        end = (uint64_t)run.address + run.size;
    }
    return NULL;
}

static const char *check_functions(const struct image *image)
{
    size_t count = section_count(image, IMAGE_FUNCTIONS);
    uint64_t least = 0;
    if (count != image->header.function_count)
        return "number of functions is wrong";
    for (size_t i = 0; i < count; i++) {
        struct image_function function = image_function_at(image, i);
        if (function.code_offset < least ||
            function.code_offset >= image->sections[IMAGE_CODE].size)
            return "functions do not ascend within the code";
        if (!is_string(image, function.name_offset, function.name_size))
            return "name of a function is out of place";
        least = (uint64_t)function.code_offset + 1;
    }
    return NULL;
}

static const char *check_traps(const struct image *image)
{
    uint32_t least = 0;
    for (size_t i = 0; i < section_count(image, IMAGE_TRAPS); i++) {
        struct image_trap trap = image_trap_at(image, i);
        if (trap.code_offset < least || trap.code_offset > image->sections[IMAGE_CODE].size)
            return "traps do not ascend within the code";
        least = trap.code_offset;
    }
    return NULL;
}

static bool is_export(const struct image *image, const struct image_export *export)
{
    uint64_t types = (uint64_t) export->parameter_count + export->result_count;
    if (!is_string(image, export->name_offset, export->name_size) ||
        !is_string(image, export->types_offset, export->types_size))
        return false;
    switch (export->kind) {
    case IMAGE_EXPORT_FUNCTION:
        return export->types_size == types && export->where < image->sections[IMAGE_CODE].size;
    case IMAGE_EXPORT_GLOBAL:
        return export->types_size == GLOBAL_TYPES_SIZE && types == 0 &&
               lies_within(export->where, GLOBAL_SIZE, image->header.instance_size);
    case IMAGE_EXPORT_TABLE:
        return export->types_size == TABLE_TYPES_SIZE && types == 0 &&
               export->where < INSTANCE_TABLE_COUNT_MAX;
    case IMAGE_EXPORT_MEMORY:
        return export->types_size == MEMORY_TYPES_SIZE && types == 0 && export->where == 0;
    default:
        return false;
    }
}

static const char *check_exports(const struct image *image)
{
    for (size_t i = 0; i < section_count(image, IMAGE_EXPORTS); i++) {
        struct image_export export = image_export_at(image, i);
        if (!is_export(image, &export))
            return "an export is out of place";
    }
    return NULL;
}

static bool is_import(const struct image *image, const struct image_import *import)
{
    if (!is_string(image, import->module_offset, import->module_size) ||
        !is_string(image, import->field_offset, import->field_size) ||
        !is_string(image, import->types_offset, import->types_size))
        return false;
    switch (import->kind) {
    case IMAGE_EXPORT_FUNCTION:
    case IMAGE_EXPORT_GLOBAL:
        return import->where >= sizeof(struct instance) &&
               lies_within(import->where, POINTER_SIZE, image->header.instance_size);
    case IMAGE_EXPORT_TABLE:
        return import->types_size == 1 && import->where < INSTANCE_TABLE_COUNT_MAX;
    case IMAGE_EXPORT_MEMORY:
        return import->where == 0;
    default:
        return false;
    }
}

/* What only linked images have. */
static const char *check_linking(const struct image *image)
{
    const struct image_header *header = &image->header;
    uint64_t shares = (1 + (uint64_t)INSTANCE_TABLE_COUNT_MAX) * SHARE_SIZE;
    size_t count = section_count(image, IMAGE_IMPORTS);
    if (header->placement == 0)
        return header->shares_offset == 0 && count == 0 ? NULL : "imports without a placement";
    if (header->placement > LAYOUT_LINKED_MAX ||
        image->sections[IMAGE_CODE].size > LAYOUT_LINKED_CODE_SIZE_MAX ||
        image->sections[IMAGE_RODATA].size > LAYOUT_LINKED_RODATA_SIZE_MAX ||
        header->instance_size > LAYOUT_LINKED_INSTANCE_SIZE_MAX)
        return "does not fit its placement";
    if (header->shares_offset < sizeof(struct instance) || header->shares_offset % 8 != 0 ||
        !lies_within(header->shares_offset, shares, header->instance_size))
        return "shares are out of place";
    for (size_t i = 0; i < count; i++) {
        struct image_import import = image_import_at(image, i);
        if (!is_import(image, &import))
            return "an import is out of place";
    }
    return NULL;
}

static const char *check_header(const struct image *image)
{
    const struct image_header *header = &image->header;
    if (!bytes_equal(BYTES_OF(header->magic), BYTES_LITERAL(IMAGE_MAGIC)))
        return "not an image";
    if (header->version != IMAGE_VERSION)
        return "image of another version";
    if ((header->flags & ~(uint32_t)IMAGE_FLAGS_ALL) != 0)
        return "unknown flag";
    if (header->compiler[IMAGE_COMPILER_SIZE - 1] != '\0')
        return "name of the compiler has no end";
    if (header->file_size != image->source.size)
        return "file is not as long as its header says";
    return NULL;
}

bool image_parse(struct image *image, struct bytes source, const char **reason)
{
    static const char *(*const checks[])(const struct image *) = {
        check_sizes, check_entries, check_runs,    check_functions,
        check_traps, check_exports, check_linking,
    };
    struct image parsed = { .source = source };
    struct reader reader = reader_of(bytes_part(source, 0, IMAGE_HEADER_SIZE));
    read_header(&reader, &parsed.header);
    const char *wrong = reader.failed ? "not an image" : check_header(&parsed);
    if (wrong == NULL && !is_zero(read_rest(&reader)))
        wrong = "unknown fields in the header";
    if (wrong == NULL)
        wrong = check_sections(&parsed);
    for (size_t i = 0; wrong == NULL && i < ARRAY_COUNT(checks); i++)
        wrong = checks[i](&parsed);
    if (wrong != NULL) {
        *reason = wrong;
        return false;
    }
    *image = parsed;
    return true;
}

bool image_find_export(const struct image *image, struct bytes name, struct image_export *found)
{
    for (size_t i = 0; i < section_count(image, IMAGE_EXPORTS); i++) {
        struct image_export export = image_export_at(image, i);
        if (bytes_equal(image_string(image, export.name_offset, export.name_size), name)) {
            *found = export;
            return true;
        }
    }
    return false;
}

/* Both tables start with the code offset they ascend by. */
static uint32_t code_offset_at(const struct image *image, enum image_section section, size_t index)
{
    struct reader reader = row_reader(image, section, index);
    return read_u32_le(&reader);
}

/* Number of rows whose code offset is at most `code_offset`. */
static size_t rows_up_to(const struct image *image, enum image_section section,
                         uint32_t code_offset)
{
    size_t low = 0, high = section_count(image, section);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (code_offset_at(image, section, middle) <= code_offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool image_locate(const struct image *image, uint32_t code_offset, struct image_function *function,
                  uint32_t *wasm_offset)
{
    size_t functions = rows_up_to(image, IMAGE_FUNCTIONS, code_offset);
    if (functions == 0 || code_offset >= image->sections[IMAGE_CODE].size)
        return false;
    struct image_function found = image_function_at(image, functions - 1);
    size_t traps = rows_up_to(image, IMAGE_TRAPS, code_offset);
    struct image_trap trap = { 0 };
    if (traps > 0)
        trap = image_trap_at(image, traps - 1);
    if (trap.wasm_offset == IMAGE_NOWHERE)
        return false;
    *function = found;
    *wasm_offset = trap.code_offset >= found.code_offset ? trap.wasm_offset : 0;
    return true;
}

enum image_abi image_abi_of(struct bytes name)
{
    for (enum image_abi abi = IMAGE_ABI_NONE + 1; abi < IMAGE_ABI_COUNT; abi++)
        if (bytes_equal_string(name, image_abi_name(abi)))
            return abi;
    return IMAGE_ABI_NONE;
}

const char *image_abi_name(enum image_abi abi)
{
    static const char *const names[IMAGE_ABI_COUNT] = { [IMAGE_ABI_NONE] = "none",
#define IMAGE_ABI_NAME(abi, name) [IMAGE_ABI_##abi] = (name),
                                                        IMAGE_ABIS(IMAGE_ABI_NAME)
#undef IMAGE_ABI_NAME
    };
    ASSERT(abi < IMAGE_ABI_COUNT);
    return names[abi];
}

bool image_choose_abi(const struct image_header *header, enum image_abi wanted,
                      enum image_abi *chosen, const char **reason)
{
    bool commands = (header->flags & IMAGE_HAS_COMMAND) != 0;
    bool reacts = (header->flags & IMAGE_HAS_REACTOR) != 0;
    enum image_abi said = (enum image_abi)header->abi;
    if (wanted == IMAGE_ABI_NONE)
        wanted = said;
    *reason = NULL;
    if ((header->flags & IMAGE_IS_NATIVE) != 0) {
        *chosen = IMAGE_ABI_NATIVE;
        if (wanted != IMAGE_ABI_NONE && wanted != IMAGE_ABI_NATIVE)
            *reason = "it is a native function";
        return *reason == NULL;
    }
    if (wanted == IMAGE_ABI_NATIVE)
        *reason = "it is a WebAssembly module";
    else if (said != IMAGE_ABI_NONE && said != wanted)
        *reason = "the module's own section s3n.abi says otherwise";
    else if (wanted == IMAGE_ABI_NONE && commands && reacts)
        *reason = "the module exports both _start and s3n_handle: say which abi is meant";
    else if (wanted == IMAGE_ABI_NONE && !commands && !reacts)
        *reason = "the module has no function _start to run, and no s3n_alloc and s3n_handle (a "
                  "reactor)";
    else if (wanted == IMAGE_ABI_REACTOR && !reacts)
        *reason = "the module does not export s3n_alloc and s3n_handle";
    else if ((wanted == IMAGE_ABI_COMMAND || wanted == IMAGE_ABI_CGI) && !commands)
        *reason = "the module has no function _start to run";
    if (*reason != NULL)
        return false;
    if (wanted == IMAGE_ABI_NONE)
        wanted = reacts ? IMAGE_ABI_REACTOR : IMAGE_ABI_COMMAND;
    *chosen = wanted;
    return true;
}

bool image_is_native(const struct image *image, uint32_t code_offset)
{
    size_t functions = rows_up_to(image, IMAGE_FUNCTIONS, code_offset);
    return functions > 0 && image_function_at(image, functions - 1).index != functions - 1;
}
