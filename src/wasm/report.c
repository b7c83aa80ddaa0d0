/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/report.h"
#include "wasm/analyse.h"

#include <stdio.h>

enum {
    REPORT_ARENA_MAX = 512 << 20
};

/* A module's own words, as short text without surprises. */
static json_t *import_text(const struct analysis_import *import)
{
    char text[REPORT_IMPORT_SIZE_MAX + 1];
    snprintf(text, sizeof(text), "%.63s.%.63s", error_quote(import->module).text,
             error_quote(import->field).text);
    return json_string(text);
}

static json_t *imports_of(const struct analysis *analysis)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < MIN(analysis->import_count, (uint32_t)REPORT_IMPORT_COUNT_MAX); i++)
        json_array_append_new(list, import_text(&analysis->imports[i]));
    return list;
}

static json_t *abilities_of(const struct analysis *analysis)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < ANALYSIS_ABILITY_COUNT; i++) {
        if ((analysis->abilities & (1u << i)) != 0)
            json_array_append_new(list,
                                  json_string(analysis_ability_name((enum analysis_ability)i)));
    }
    return list;
}

static json_t *features_of(const struct analysis *analysis)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < analysis->feature_count; i++)
        json_array_append_new(list, json_string(analysis->features[i]));
    return list;
}

static json_t *report_of(const struct analysis *analysis)
{
    json_t *tree = json_pack(
        "{s:s, s:s, s:o, s:I, s:I, s:b, s:o, s:I, s:I, s:o, s:I, s:I, s:I, s:b, s:I}", "kind",
        "wasm", "abi", analysis_abi_name(analysis->abi), "can", abilities_of(analysis), "code_size",
        (json_int_t)analysis->code_size, "data_size", (json_int_t)analysis->data_size,
        "deterministic", (int)analysis->is_deterministic, "features", features_of(analysis),
        "functions", (json_int_t)analysis->function_count, "image_size_estimate",
        (json_int_t)analysis->image_size, "imports", imports_of(analysis), "imports_count",
        (json_int_t)analysis->import_count, "memory_size", (json_int_t)analysis->memory_size,
        "module_size", (json_int_t)analysis->module_size, "start", (int)analysis->has_start,
        "tables", (json_int_t)analysis->table_count);
    if (tree != NULL && analysis->has_memory_max)
        json_object_set_new(tree, "memory_size_max",
                            json_integer((json_int_t)analysis->memory_size_max));
    return tree;
}

bool report_write(struct buffer *text, struct bytes module, bool is_native, struct error *error)
{
    AUTO(arena) struct arena *arena = arena_new(REPORT_ARENA_MAX);
    AUTO_JSON json_t *tree = NULL;
    struct analysis analysis;
    if (arena == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a report");
    if (is_native) {
        tree = json_pack("{s:s, s:I}", "kind", "native", "module_size", (json_int_t)module.size);
    } else {
        if (!wasm_analyse(&analysis, arena, module, error))
            return false;
        tree = report_of(&analysis);
    }
    return tree == NULL ? error_set(error, ERROR_NO_MEMORY, "no memory for a report")
                        : json_canonical(text, tree, error);
}
