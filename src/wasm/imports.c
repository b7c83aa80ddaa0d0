/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/imports.h"

#include "wasm/types.h"

#include <string.h>

#define SPECTEST "spectest"

struct binding_row {
    const char *module;
    const char *field;
    const char *type; /* "ii>i" */
};

static const struct binding_row bindings[] = {
#define BINDING_ROW(name, module, field, type) { module, field, type },
    BINDINGS(BINDING_ROW)
#undef BINDING_ROW
};

/* What the official suite's host module gives besides functions. */
static const struct {
    const char *field;
    enum value_type type;
    uint64_t bits;
} spectest_globals[] = {
    { "global_i32", VALUE_I32, 666 },
    { "global_i64", VALUE_I64, 666 },
    { "global_f32", VALUE_F32, 0x4426a666 },         /* 666.6 */
    { "global_f64", VALUE_F64, 0x4084d4cccccccccd }, /* 666.6 */
};

enum {
    BINDING_TYPES_MAX = 16
};

/* What there is under an import's name. */
struct given {
    enum external_kind kind;
    enum binding binding;
    struct function_type type; /* borrows `parts` */
    uint8_t parts[BINDING_TYPES_MAX];
    struct constant value;
    struct global_type global;
    struct table_type table;
    struct limits memory;
    bool is_linked;
    struct function_reference function; /* a linked global's row */
};

static uint8_t type_of_letter(char letter)
{
    static const struct {
        char letter;
        enum value_type type;
    } letters[] = {
        { 'i', VALUE_I32 }, { 'I', VALUE_I64 }, { 'f', VALUE_F32 }, { 'F', VALUE_F64 }
    };
    for (size_t i = 0; i < ARRAY_COUNT(letters); i++) {
        if (letters[i].letter == letter)
            return (uint8_t)letters[i].type;
    }
    assert_failed("a letter of abi/binding.h", __FILE__, __LINE__);
}

static void give_function(struct given *given, enum binding binding)
{
    const char *text = bindings[binding].type;
    uint32_t count = 0;
    given->kind = EXTERNAL_FUNCTION;
    given->binding = binding;
    given->type.parameters = given->parts;
    for (; *text != '>'; text++)
        given->parts[count++] = type_of_letter(*text);
    given->type.parameter_count = count;
    given->type.results = given->parts + count;
    for (text++; *text != '\0'; text++)
        given->parts[count++] = type_of_letter(*text);
    given->type.result_count = count - given->type.parameter_count;
    ASSERT(count <= BINDING_TYPES_MAX);
}

static bool give_spectest(struct given *given, struct bytes field)
{
    for (size_t i = 0; i < ARRAY_COUNT(spectest_globals); i++) {
        if (!bytes_equal_string(field, spectest_globals[i].field))
            continue;
        given->kind = EXTERNAL_GLOBAL;
        given->global.type = spectest_globals[i].type;
        given->value = (struct constant){ .kind = CONSTANT_VALUE,
                                          .type = spectest_globals[i].type,
                                          .bits = spectest_globals[i].bits };
        return true;
    }
    if (bytes_equal_string(field, "memory")) {
        given->kind = EXTERNAL_MEMORY;
        given->memory = (struct limits){ .min = 1, .max = 2, .has_max = true };
        return true;
    }
    if (bytes_equal_string(field, "table")) {
        given->kind = EXTERNAL_TABLE;
        given->table.element = VALUE_FUNCREF;
        given->table.limits = (struct limits){ .min = 10, .max = 20, .has_max = true };
        return true;
    }
    return false;
}

static bool give(struct given *given, const struct import *import, bool allow_spectest)
{
    bool is_spectest = bytes_equal_string(import->module, SPECTEST);
    if (is_spectest && !allow_spectest)
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(bindings); i++) {
        if (bytes_equal_string(import->field, bindings[i].field) &&
            bytes_equal_string(import->module, bindings[i].module)) {
            give_function(given, (enum binding)i);
            return true;
        }
    }
    return is_spectest && give_spectest(given, import->field);
}

static struct limits limits_of(uint32_t size, const uint8_t *types)
{
    struct limits limits = { .min = size, .max = UINT32_MAX, .has_max = types[0] != 0 };
    if (limits.has_max)
        memcpy(&limits.max, types + 1, sizeof(limits.max));
    return limits;
}

static void give_external(struct given *given, const struct wasm_external *external)
{
    const uint8_t *types = external->types.data;
    uint32_t count = external->parameter_count;
    *given = (struct given){ .is_linked = true, .function = external->function };
    switch (external->kind) {
    case IMAGE_EXPORT_FUNCTION:
        given->kind = EXTERNAL_FUNCTION;
        given->type =
            (struct function_type){ .parameters = types,
                                    .results = types + count,
                                    .parameter_count = count,
                                    .result_count = (uint32_t)external->types.size - count };
        break;
    case IMAGE_EXPORT_TABLE:
        given->kind = EXTERNAL_TABLE;
        given->table = (struct table_type){ .element = types[0],
                                            .limits = limits_of(external->size, types + 1) };
        break;
    case IMAGE_EXPORT_MEMORY:
        given->kind = EXTERNAL_MEMORY;
        given->memory = limits_of(external->size, types);
        break;
    case IMAGE_EXPORT_GLOBAL:
        given->kind = EXTERNAL_GLOBAL;
        given->global = (struct global_type){ .type = types[0], .is_mutable = types[1] != 0 };
        given->value = (struct constant){ .kind = CONSTANT_VALUE,
                                          .type = types[0],
                                          .bits = external->value[0] };
        if (types[0] == VALUE_V128)
            given->value.high_bits = external->value[1];
        break;
    }
}

static bool limits_match(const struct limits *given, const struct limits *wanted)
{
    return given->min >= wanted->min && (!wanted->has_max || given->max <= wanted->max);
}

static bool given_matches(const struct given *given, const struct module *module,
                          const struct import *import)
{
    if (given->kind != import->kind)
        return false;
    switch (import->kind) {
    case EXTERNAL_FUNCTION:
        return function_type_equal(&given->type, &module->types[import->type_index]);
    case EXTERNAL_TABLE:
        return given->table.element == import->table.element &&
               limits_match(&given->table.limits, &import->table.limits);
    case EXTERNAL_MEMORY:
        return limits_match(&given->memory, &import->memory);
    case EXTERNAL_GLOBAL:
        return given->global.type == import->global.type &&
               given->global.is_mutable == import->global.is_mutable;
    }
    return false;
}

static struct type_text given_text(const struct given *given)
{
    switch (given->kind) {
    case EXTERNAL_FUNCTION:
        return function_type_text(&given->type);
    case EXTERNAL_TABLE:
        return table_type_text(&given->table);
    case EXTERNAL_MEMORY:
        return memory_type_text(&given->memory);
    case EXTERNAL_GLOBAL:
        return global_type_text(&given->global);
    }
    return (struct type_text){ "?" };
}

static bool find(struct given *given, const struct module *module, const struct import *import,
                 const struct wasm_options *options, struct error *error)
{
    const struct wasm_link *link = options->link;
    struct wasm_external external = { 0 };
    if (link != NULL && link->find(link->context, import->module, import->field, &external))
        give_external(given, &external);
    else if (!give(given, import, options->allow_spectest))
        return error_set(error, ERROR_UNSUPPORTED, "unknown import \"%.48s\".\"%.64s\" %.96s",
                         error_quote(import->module).text, error_quote(import->field).text,
                         import_type_text(module, import).text);
    if (!given_matches(given, module, import))
        return error_set(error, ERROR_UNSUPPORTED,
                         "incompatible import type: \"%.32s\".\"%.32s\" is imported as %.52s, "
                         "S3N has %.52s",
                         error_quote(import->module).text, error_quote(import->field).text,
                         import_type_text(module, import).text, given_text(given).text);
    return true;
}

bool import_check(const struct module *module, const struct import *import, bool allow_spectest,
                  struct error *error)
{
    struct given given = { 0 };
    const struct wasm_options options = { .allow_spectest = allow_spectest };
    return find(&given, module, import, &options, error);
}

/* A linked global's row outlives the search in the arena. */
static bool set_global(struct global *global, const struct given *given, struct arena *arena)
{
    global->value = given->value;
    global->is_linked = given->is_linked && global->type.is_mutable;
    if (given->function.code == 0)
        return true;
    struct function_reference *row = arena_take(arena, sizeof(*row));
    if (row != NULL)
        *row = given->function;
    global->function = row;
    return row != NULL;
}

bool imports_resolve(struct module *module, bool allow_spectest, struct error *error)
{
    const struct wasm_options options = { .allow_spectest = allow_spectest };
    return imports_link(module, &options, NULL, error);
}

bool imports_link(struct module *module, const struct wasm_options *options, struct arena *arena,
                  struct error *error)
{
    uint32_t functions = 0, tables = 0, memories = 0, globals = 0;
    for (uint32_t i = 0; i < module->import_count; i++) {
        const struct import *import = &module->imports[i];
        struct given given = { 0 };
        if (!find(&given, module, import, options, error))
            return false;
        switch (import->kind) {
        case EXTERNAL_FUNCTION:
            module->functions[functions].is_linked = given.is_linked;
            module->functions[functions++].binding = given.binding;
            break;
        case EXTERNAL_TABLE:
            module->tables[tables++].limits = given.table.limits;
            break;
        case EXTERNAL_MEMORY:
            module->memories[memories++] = given.memory;
            break;
        case EXTERNAL_GLOBAL:
            if (!set_global(&module->globals[globals++], &given, arena))
                return error_set(error, ERROR_NO_MEMORY, "no memory for imported globals");
            break;
        }
    }
    constants_resolve(module);
    return true;
}
