/* SPDX-License-Identifier: Apache-2.0 */
/* What a module is, needs and may do, for whoever decides whether to run it: `s3n inspect`, an
 * operator's policy.
 *
 * Everything in the report lives in the arena given and borrows the module's bytes.  Nothing is
 * compiled or run.  A module that S3N can't run still gets its report, with every reason found. */
#ifndef WASM_ANALYSE_H
#define WASM_ANALYSE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/json.h"

enum {
    ANALYSIS_REASONS_MAX = 32,
    ANALYSIS_FEATURES_MAX = 16
};

struct analysis_import {
    struct bytes module;
    struct bytes field;
    const char *type; /* "(func (param i32) (result i32))" */
    bool is_known;    /* S3N has it, with this type */
    bool is_source_of_chance;
};

struct analysis_export {
    struct bytes name;
    const char *type;
};

enum analysis_abi {
    ANALYSIS_ABI_NONE,
    ANALYSIS_ABI_COMMAND, /* exports _start: WASI preview 1 */
    ANALYSIS_ABI_REACTOR, /* exports s3n_alloc and s3n_handle */
};

struct analysis {
    uint64_t module_size, code_size, data_size;
    uint64_t image_size; /* estimated */
    uint32_t function_count, imported_function_count;
    uint32_t global_count, table_count;
    const struct analysis_import *imports;
    const struct analysis_export *exports;
    uint32_t import_count, export_count;
    const char *const *table_types;
    bool has_memory, has_memory_max;
    uint64_t memory_size, memory_size_max; /* bytes */
    bool has_start;
    uint32_t start_function;
    const char *features[ANALYSIS_FEATURES_MAX];
    uint32_t feature_count;
    enum analysis_abi abi;
    bool is_deterministic; /* imports neither clocks nor random numbers */
    bool can_run;
    const char *reasons[ANALYSIS_REASONS_MAX]; /* why not; the first ones when there are more */
    uint32_t reason_count;
};

/* Fails only for lack of memory. */
MUST_CHECK bool wasm_analyse(struct analysis *analysis, struct arena *arena, struct bytes module,
                             struct error *error);
/* A new object; see docs/inspect.md for its keys. */
MUST_CHECK bool analysis_json(json_t **json, const struct analysis *analysis, struct error *error);
/* Lines for people; strings of the module are escaped. */
void analysis_text(struct buffer *text, const struct analysis *analysis);
const char *analysis_abi_name(enum analysis_abi abi);

#endif
