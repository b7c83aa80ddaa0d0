/* SPDX-License-Identifier: Apache-2.0 */
/* The table of a module's functions: what each costs. */
#include "wasm/analyse.h"

#include "wasm/limits.h"
#include "wasm/module.h"
#include "wasm/types.h"

enum {
    NATIVE_PER_CODE = 3, /* bytes of machine code per byte of a body, as compiled modules have it */
    NATIVE_FIXED = 32
};

static const char *keep(struct arena *arena, const char *text)
{
    const char *copy = arena_string(arena, bytes_of_string(text));
    return copy == NULL ? "?" : copy;
}

static void row_fill(struct analysis_function *row, struct validator *validator,
                     const struct function *function, struct arena *arena)
{
    struct function_facts facts;
    struct error why;
    row->name = function->name;
    row->type = keep(arena, function_type_text(function->type).text);
    row->code_size = (uint32_t)function->body.size;
    row->native_size = NATIVE_FIXED + NATIVE_PER_CODE * (uint64_t)row->code_size;
    if (!validate_function(validator, row->index, &facts, &why)) {
        row->reason = keep(arena, why.text);
        return;
    }
    row->local_count = facts.local_count;
    row->stack_height_max = facts.stack_height_max;
    row->block_depth_max = facts.block_depth_max;
}

bool wasm_analyse_functions(struct analysis_functions *functions, struct arena *arena,
                            struct bytes source, struct error *error)
{
    struct module module;
    struct error why;
    *functions = (struct analysis_functions){ 0 };
    if (!module_decode(&module, arena, source, &why))
        return true;
    uint32_t count = module.function_count - module.imported_function_count;
    struct analysis_function *rows = arena_array(arena, count + 1, sizeof(*rows));
    struct validator *validator;
    if (rows == NULL)
        return error_set(error, ERROR_LIMIT, "no memory to analyse the module");
    if (!validator_new(&validator, &module, arena, error))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        rows[i] = (struct analysis_function){ .index = module.imported_function_count + i };
        row_fill(&rows[i], validator, &module.functions[rows[i].index], arena);
    }
    if (arena_failed(arena))
        return error_set(error, ERROR_LIMIT, "no memory to analyse the module");
    *functions = (struct analysis_functions){ rows, count };
    return true;
}

static json_t *json_of_function(const struct analysis_function *row)
{
    json_t *name = row->name.size == 0 ? json_null()
                                       : json_stringn((const char *)row->name.data, row->name.size);
    return json_pack("{s:I, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:s?}", "index",
                     (json_int_t)row->index, "name", name, "type", row->type, "code_size",
                     (json_int_t)row->code_size, "native_size_estimate",
                     (json_int_t)row->native_size, "locals", (json_int_t)row->local_count,
                     "stack_height", (json_int_t)row->stack_height_max, "block_depth",
                     (json_int_t)row->block_depth_max, "reason", row->reason);
}

bool analysis_functions_json(json_t **json, const struct analysis_functions *functions,
                             struct error *error)
{
    AUTO_JSON json_t *array = json_array();
    for (uint32_t i = 0; i < functions->count; i++) {
        if (json_array_append_new(array, json_of_function(&functions->rows[i])) != 0)
            return error_set(error, ERROR_NO_MEMORY, "no memory for the report");
    }
    if (array == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the report");
    *json = TAKE(array);
    return true;
}

void analysis_functions_text(struct buffer *text, const struct analysis_functions *functions)
{
    buffer_append_string(text,
                         "\n   index     bytes  about native  locals  stack  depth  function\n");
    for (uint32_t i = 0; i < functions->count; i++) {
        const struct analysis_function *row = &functions->rows[i];
        buffer_format(text, "%8u  %8u  %12llu  %6u  %5u  %5u  %s%s%s\n", row->index, row->code_size,
                      (unsigned long long)row->native_size, row->local_count, row->stack_height_max,
                      row->block_depth_max, error_quote(row->name).text,
                      row->name.size == 0 ? "" : " ", row->type);
        if (row->reason != NULL)
            buffer_format(text, "          %s\n", row->reason);
    }
}
