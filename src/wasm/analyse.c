/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/analyse.h"

#include "abi/call.h"
#include "wasm/entry.h"
#include "wasm/imports.h"
#include "wasm/limits.h"
#include "wasm/module.h"
#include "wasm/types.h"

#include <stdio.h>
#include <string.h>

enum {
    /* Bytes of image per byte of module code: what compiled real modules come to. */
    IMAGE_PER_CODE = 3,
    IMAGE_PER_FUNCTION = 64,
    IMAGE_FIXED = 10 * 4096,
};

struct analyser {
    struct analysis *analysis;
    struct arena *arena;
    struct module module;
    uint32_t features;
};

static bool refuse_memory(struct error *error)
{
    return error_set(error, ERROR_LIMIT, "no memory to analyse the module");
}

/* The text up to where it says the place, so that one reason is told once. */
static size_t text_before_place(const char *text)
{
    const char *place = strstr(text, " at offset ");
    return place == NULL ? strlen(text) : (size_t)(place - text);
}

static void add_reason(struct analyser *analyser, const char *text)
{
    struct analysis *analysis = analyser->analysis;
    analysis->can_run = false;
    if (analysis->reason_count == ANALYSIS_REASONS_MAX)
        return;
    size_t size = text_before_place(text);
    for (uint32_t i = 0; i < analysis->reason_count; i++) {
        if (text_before_place(analysis->reasons[i]) == size &&
            memcmp(analysis->reasons[i], text, size) == 0)
            return;
    }
    const char *copy = arena_string(analyser->arena, bytes_of_string(text));
    if (copy != NULL)
        analysis->reasons[analysis->reason_count++] = copy;
}

static bool is_field(const struct import *import, const char *name)
{
    return bytes_equal_string(import->field, name);
}

/* Where a program meets chance: time and randomness. */
static bool is_source_of_chance(const struct import *import)
{
    static const char *const fields[] = { "clock_res_get", "clock_time_get", "poll_oneoff",
                                          "random_get" };
    /* What the node says is chance, too; what it is told is not. */
    if (bytes_equal_string(import->module, BINDING_S3N))
        return call_row_of_name(import->field) != NULL || is_field(import, "batch") ||
               is_field(import, "rest") || is_field(import, "random") || is_field(import, "time");
    if (!bytes_equal_string(import->module, BINDING_WASI))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        if (bytes_equal_string(import->field, fields[i]))
            return true;
    }
    return false;
}

#define ABILITY(name) (1u << ANALYSIS_ABILITY_##name)

/* Those of a call to the node. */
static uint32_t abilities_of_call(const struct import *import)
{
    static const uint32_t of_permission[CALL_PERMISSION_COUNT] = {
        [CALL_PERMISSION_KV] = ABILITY(KV),         [CALL_PERMISSION_SECRETS] = ABILITY(SECRETS),
        [CALL_PERMISSION_KEYS] = ABILITY(KEYS),     [CALL_PERMISSION_HTTP] = ABILITY(HTTP),
        [CALL_PERMISSION_ATTEST] = ABILITY(ATTEST),
    };
    const struct call_row *row = call_row_of_name(import->field);
    if (row != NULL)
        return of_permission[row->permission];
    return (is_field(import, "batch") ? ABILITY(CALLS) : 0) |
           (is_field(import, "random") ? ABILITY(RANDOM) : 0) |
           (is_field(import, "time") ? ABILITY(CLOCK) : 0) |
           (is_field(import, "log") ? ABILITY(LOG) : 0);
}

/* The abilities that a field of WASI gives, by the longest prefix that fits. */
static uint32_t abilities_of(const struct import *import)
{
    static const struct {
        const char *prefix;
        uint32_t abilities;
    } rows[] = {
        { "args_", ABILITY(ARGUMENTS) },
        { "environ_", ABILITY(ENVIRONMENT) },
        { "clock_", ABILITY(CLOCK) },
        { "poll_oneoff", ABILITY(CLOCK) | ABILITY(SLEEP) },
        { "random_get", ABILITY(RANDOM) },
        { "fd_read", ABILITY(INPUT) },
        { "fd_pread", ABILITY(FILES_READ) },
        { "fd_readdir", ABILITY(FILES_READ) },
        { "fd_write", ABILITY(OUTPUT) },
        { "fd_pwrite", ABILITY(FILES_WRITE) },
        { "fd_allocate", ABILITY(FILES_WRITE) },
        { "fd_filestat_set_", ABILITY(FILES_WRITE) },
        { "path_", ABILITY(FILES_READ) | ABILITY(FILES_WRITE) },
        { "path_filestat_get", ABILITY(FILES_READ) },
        { "path_readlink", ABILITY(FILES_READ) },
        { "sock_", ABILITY(SOCKETS) },
        { "proc_", ABILITY(EXIT) },
    };
    uint32_t abilities = 0;
    size_t longest = 0;
    if (bytes_equal_string(import->module, BINDING_S3N))
        return abilities_of_call(import);
    if (!bytes_equal_string(import->module, BINDING_WASI))
        return 0;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        size_t size = strlen(rows[i].prefix);
        if (size <= longest || !bytes_starts_with(import->field, bytes_of_string(rows[i].prefix)))
            continue;
        longest = size;
        abilities = rows[i].abilities;
    }
    return abilities;
}

static const char *keep(struct analyser *analyser, struct type_text text)
{
    const char *copy = arena_string(analyser->arena, bytes_of_string(text.text));
    return copy == NULL ? "?" : copy;
}

static bool list_imports(struct analyser *analyser, struct error *error)
{
    struct module *module = &analyser->module;
    struct analysis_import *imports =
        arena_array(analyser->arena, module->import_count + 1, sizeof(*imports));
    if (imports == NULL)
        return refuse_memory(error);
    for (uint32_t i = 0; i < module->import_count; i++) {
        const struct import *import = &module->imports[i];
        struct error why;
        imports[i] = (struct analysis_import){
            .module = import->module,
            .field = import->field,
            .type = keep(analyser, import_type_text(module, import)),
            .is_known = import_check(module, import, false, &why),
            .is_source_of_chance = is_source_of_chance(import),
        };
        if (!imports[i].is_known)
            add_reason(analyser, why.text);
        analyser->analysis->abilities |= abilities_of(import);
        if (imports[i].is_source_of_chance)
            analyser->analysis->is_deterministic = false;
        if (import->kind == EXTERNAL_GLOBAL && import->global.is_mutable)
            analyser->features |= WASM_FEATURE_MUTABLE_GLOBALS;
    }
    analyser->analysis->imports = imports;
    analyser->analysis->import_count = module->import_count;
    return true;
}

static bool list_exports(struct analyser *analyser, struct error *error)
{
    struct module *module = &analyser->module;
    struct analysis_export *exports =
        arena_array(analyser->arena, module->export_count + 1, sizeof(*exports));
    if (exports == NULL)
        return refuse_memory(error);
    for (uint32_t i = 0; i < module->export_count; i++) {
        const struct export *export = &module->exports[i];
        exports[i] = (struct analysis_export){
            .name = export->name,
            .type = keep(analyser, export_type_text(module, export)),
        };
        if (export->kind == EXTERNAL_GLOBAL && module->globals[export->index].type.is_mutable)
            analyser->features |= WASM_FEATURE_MUTABLE_GLOBALS;
    }
    analyser->analysis->exports = exports;
    analyser->analysis->export_count = module->export_count;
    return true;
}

static bool list_tables(struct analyser *analyser, struct error *error)
{
    struct module *module = &analyser->module;
    const char **types = arena_array(analyser->arena, module->table_count + 1, sizeof(*types));
    if (types == NULL)
        return refuse_memory(error);
    for (uint32_t i = 0; i < module->table_count; i++)
        types[i] = keep(analyser, table_type_text(&module->tables[i]));
    if (module->table_count > 1)
        analyser->features |= WASM_FEATURE_REFERENCE_TYPES;
    analyser->analysis->table_types = types;
    analyser->analysis->table_count = module->table_count;
    return true;
}

/* With the reason when nobody can say. */
static enum analysis_abi find_abi(struct analyser *analyser)
{
    static const enum analysis_abi abis[IMAGE_ABI_COUNT] = {
        [IMAGE_ABI_COMMAND] = ANALYSIS_ABI_COMMAND,
        [IMAGE_ABI_CGI] = ANALYSIS_ABI_CGI,
        [IMAGE_ABI_REACTOR] = ANALYSIS_ABI_REACTOR,
    };
    enum image_abi abi = IMAGE_ABI_NONE;
    struct error why;
    if (entry_choose_abi(&abi, &analyser->module, analyser->arena, &why))
        return abis[abi];
    add_reason(analyser, why.text);
    return ANALYSIS_ABI_NONE;
}

/* Validates every function, going on after a bad one, since its reason may not be the only one. */
static bool check_functions(struct analyser *analyser, struct error *error)
{
    struct module *module = &analyser->module;
    struct validator *validator;
    if (!validator_new(&validator, module, analyser->arena, error))
        return false;
    for (uint32_t i = module->imported_function_count; i < module->function_count; i++) {
        struct function_facts facts;
        struct error why;
        if (validate_function(validator, i, &facts, &why))
            analyser->features |= facts.features;
        else
            add_reason(analyser, why.text);
    }
    return true;
}

static void measure(struct analyser *analyser)
{
    struct analysis *analysis = analyser->analysis;
    const struct module *module = &analyser->module;
    analysis->code_size = module->code_size;
    analysis->function_count = module->function_count;
    analysis->imported_function_count = module->imported_function_count;
    analysis->global_count = module->global_count;
    for (uint32_t i = 0; i < module->data_count; i++) {
        analysis->data_size += module->data[i].bytes.size;
        if (module->data[i].mode == SEGMENT_PASSIVE)
            analyser->features |= WASM_FEATURE_BULK_MEMORY;
    }
    if (module->has_extended_constants)
        analyser->features |= WASM_FEATURE_EXTENDED_CONST;
    for (uint32_t i = 0; i < module->type_count; i++) {
        if (module->types[i].result_count > 1)
            analyser->features |= WASM_FEATURE_MULTI_VALUE;
    }
    if (module->has_vectors)
        analyser->features |= WASM_FEATURE_SIMD;
    analysis->image_size = IMAGE_FIXED + IMAGE_PER_CODE * analysis->code_size +
                           IMAGE_PER_FUNCTION * (uint64_t)analysis->function_count +
                           analysis->data_size;
    analysis->has_memory = module->memory_count > 0;
    if (analysis->has_memory) {
        analysis->has_memory_max = module->memories[0].has_max;
        analysis->memory_size = (uint64_t)module->memories[0].min << 16;
        analysis->memory_size_max =
            (uint64_t)(analysis->has_memory_max ? module->memories[0].max : WASM_MEMORY_PAGES_MAX)
            << 16;
    }
    analysis->has_start = module->has_start;
    analysis->start_function = module->start;
}

static void name_features(struct analyser *analyser)
{
    static const struct {
        uint32_t bit;
        const char *text;
    } features[] = {
#define FEATURE_ROW(name, bit, text) { bit, text },
        WASM_FEATURES(FEATURE_ROW)
#undef FEATURE_ROW
    };
    struct analysis *analysis = analyser->analysis;
    for (size_t i = 0; i < ARRAY_COUNT(features); i++) {
        if ((analyser->features & features[i].bit) != 0)
            analysis->features[analysis->feature_count++] = features[i].text;
    }
}

bool wasm_analyse(struct analysis *analysis, struct arena *arena, struct bytes module,
                  struct error *error)
{
    struct analysis made = { .module_size = module.size,
                             .can_run = true,
                             .is_deterministic = true };
    struct analyser analyser = { .analysis = &made, .arena = arena };
    struct error why;
    if (!module_decode(&analyser.module, arena, module, &why)) {
        add_reason(&analyser, why.text);
        made.is_deterministic = false;
        *analysis = made;
        return true;
    }
    if (!list_imports(&analyser, error) || !list_exports(&analyser, error) ||
        !list_tables(&analyser, error) || !check_functions(&analyser, error))
        return false;
    measure(&analyser);
    name_features(&analyser);
    made.abi = find_abi(&analyser);
    if (arena_failed(arena))
        return refuse_memory(error);
    *analysis = made;
    return true;
}
