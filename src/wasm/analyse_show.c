/* SPDX-License-Identifier: Apache-2.0 */
/* The report of analyse.h as JSON and as lines for people. */
#include "wasm/analyse.h"

const char *analysis_abi_name(enum analysis_abi abi)
{
    switch (abi) {
    case ANALYSIS_ABI_NONE:
        return "none";
    case ANALYSIS_ABI_COMMAND:
        return "command";
    case ANALYSIS_ABI_CGI:
        return "cgi";
    case ANALYSIS_ABI_REACTOR:
        return "reactor";
    }
    return "?";
}

const char *analysis_ability_name(enum analysis_ability ability)
{
    static const char *const names[] = { "input", "output", "arguments",  "environment", "clock",
                                         "sleep", "random", "files-read", "files-write", "sockets",
                                         "exit",  "log",    "kv",         "secrets",     "keys",
                                         "http",  "attest", "calls" };
    _Static_assert(ARRAY_COUNT(names) == ANALYSIS_ABILITY_COUNT, "a name each");
    return names[ability];
}

const char *analysis_ability_text(enum analysis_ability ability)
{
    static const char *const texts[] = {
#define ABILITY_TEXT(name, text) text,
        ANALYSIS_ABILITIES(ABILITY_TEXT)
#undef ABILITY_TEXT
    };
    return texts[ability];
}

static json_t *json_of_abilities(const struct analysis *analysis)
{
    json_t *array = json_array();
    for (unsigned i = 0; array != NULL && i < ANALYSIS_ABILITY_COUNT; i++) {
        if ((analysis->abilities & (1u << i)) != 0 &&
            json_array_append_new(
                array, json_string(analysis_ability_name((enum analysis_ability)i))) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* The module's strings were checked to be UTF-8 when it was decoded. */
static json_t *json_of_bytes(struct bytes bytes)
{
    return json_stringn((const char *)(bytes.size == 0 ? (const uint8_t *)"" : bytes.data),
                        bytes.size);
}

static json_t *json_of_texts(const char *const *texts, uint32_t count)
{
    json_t *array = json_array();
    for (uint32_t i = 0; array != NULL && i < count; i++) {
        if (json_array_append_new(array, json_string(texts[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *json_of_imports(const struct analysis *analysis)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < analysis->import_count; i++) {
        const struct analysis_import *import = &analysis->imports[i];
        json_t *row = json_pack("{s:o, s:o, s:s, s:b}", "module", json_of_bytes(import->module),
                                "field", json_of_bytes(import->field), "type", import->type,
                                "known", import->is_known);
        if (json_array_append_new(array, row) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *json_of_exports(const struct analysis *analysis)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < analysis->export_count; i++) {
        const struct analysis_export *export = &analysis->exports[i];
        json_t *row =
            json_pack("{s:o, s:s}", "name", json_of_bytes(export->name), "type", export->type);
        if (json_array_append_new(array, row) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *json_of_memory(const struct analysis *analysis)
{
    if (!analysis->has_memory)
        return json_null();
    return json_pack("{s:I, s:o}", "size", (json_int_t)analysis->memory_size, "size_max",
                     analysis->has_memory_max ? json_integer((json_int_t)analysis->memory_size_max)
                                              : json_null());
}

bool analysis_json(json_t **json, const struct analysis *analysis, struct error *error)
{
    json_t *start = analysis->has_start ? json_integer(analysis->start_function) : json_null();
    json_t *made = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:b, s:b, s:o}",
        "module_size", (json_int_t)analysis->module_size, "code_size",
        (json_int_t)analysis->code_size, "data_size", (json_int_t)analysis->data_size,
        "image_size_estimate", (json_int_t)analysis->image_size, "functions",
        (json_int_t)analysis->function_count, "functions_imported",
        (json_int_t)analysis->imported_function_count, "memory", json_of_memory(analysis), "tables",
        json_of_texts(analysis->table_types, analysis->table_count), "start_function", start,
        "features", json_of_texts(analysis->features, analysis->feature_count), "imports",
        json_of_imports(analysis), "exports", json_of_exports(analysis), "abi",
        analysis_abi_name(analysis->abi), "can", json_of_abilities(analysis), "deterministic",
        analysis->is_deterministic, "can_run", analysis->can_run, "reasons",
        json_of_texts(analysis->reasons, analysis->reason_count));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the report");
    *json = made;
    return true;
}

static void show_memory(struct buffer *text, const struct analysis *analysis)
{
    if (!analysis->has_memory) {
        buffer_append_string(text, "memory         none\n");
        return;
    }
    buffer_format(text, "memory         %llu KiB",
                  (unsigned long long)(analysis->memory_size >> 10));
    if (analysis->has_memory_max)
        buffer_format(text, ", at most %llu KiB",
                      (unsigned long long)(analysis->memory_size_max >> 10));
    buffer_append_string(text, "\n");
}

static void show_chance(struct buffer *text, const struct analysis *analysis)
{
    buffer_format(text, "deterministic  %s", analysis->is_deterministic ? "yes" : "no");
    for (uint32_t i = 0; i < analysis->import_count; i++) {
        if (analysis->imports[i].is_source_of_chance)
            buffer_format(text, " %s", error_quote(analysis->imports[i].field).text);
    }
    buffer_append_string(text, "\n");
}

/* What it can do, and what of the rest it can't. */
static void show_abilities(struct buffer *text, const struct analysis *analysis)
{
    for (unsigned can = 2; can-- > 0;) {
        const char *separator = " ";
        buffer_append_string(text, can == 1 ? "can           " : "can't         ");
        for (unsigned i = 0; i < ANALYSIS_ABILITY_COUNT; i++) {
            if (((analysis->abilities >> i) & 1u) != can)
                continue;
            buffer_format(text, "%s%s", separator, analysis_ability_text((enum analysis_ability)i));
            separator = ", ";
        }
        if (can == 0)
            buffer_format(text,
                          "%sopen connections, start processes, see the machine's files or other "
                          "functions",
                          separator);
        buffer_append_string(text, "\n");
    }
}

static void show_needs(struct buffer *text, const struct analysis *analysis)
{
    if (analysis->has_memory)
        buffer_format(text, "needs          limits.memory_mib of %llu or more\n",
                      (unsigned long long)MAX((analysis->memory_size + (1 << 20) - 1) >> 20, 1ull));
}

static void show_verdict(struct buffer *text, const struct analysis *analysis)
{
    buffer_format(text, "runs on S3N    %s\n", analysis->can_run ? "yes" : "no");
    for (uint32_t i = 0; i < analysis->reason_count; i++)
        buffer_format(text, "               %s\n", analysis->reasons[i]);
}

void analysis_text(struct buffer *text, const struct analysis *analysis)
{
    buffer_format(text, "module         %llu bytes, code %llu, data %llu\n",
                  (unsigned long long)analysis->module_size,
                  (unsigned long long)analysis->code_size, (unsigned long long)analysis->data_size);
    buffer_format(text, "image          about %llu bytes\n",
                  (unsigned long long)analysis->image_size);
    buffer_format(text, "functions      %u, of them %u imported\n", analysis->function_count,
                  analysis->imported_function_count);
    show_memory(text, analysis);
    for (uint32_t i = 0; i < analysis->table_count; i++)
        buffer_format(text, "table          %s\n", analysis->table_types[i]);
    if (analysis->has_start)
        buffer_format(text, "start          function %u\n", analysis->start_function);
    buffer_append_string(text, "features      ");
    for (uint32_t i = 0; i < analysis->feature_count; i++)
        buffer_format(text, " %s", analysis->features[i]);
    buffer_append_string(text, analysis->feature_count == 0 ? " none beyond 1.0\n" : "\n");
    for (uint32_t i = 0; i < analysis->import_count; i++) {
        const struct analysis_import *import = &analysis->imports[i];
        buffer_format(text, "import         \"%s\".\"%s\" %s%s\n", error_quote(import->module).text,
                      error_quote(import->field).text, import->type,
                      import->is_known ? "" : " UNKNOWN");
    }
    for (uint32_t i = 0; i < analysis->export_count; i++)
        buffer_format(text, "export         \"%s\" %s\n",
                      error_quote(analysis->exports[i].name).text, analysis->exports[i].type);
    buffer_format(text, "ABI            %s\n", analysis_abi_name(analysis->abi));
    show_needs(text, analysis);
    show_abilities(text, analysis);
    show_chance(text, analysis);
    show_verdict(text, analysis);
}
