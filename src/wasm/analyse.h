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

/* What a module may do, because it imports what that takes.  Name, text. */
#define ANALYSIS_ABILITIES(X)                                                                      \
    X(INPUT, "read its input")                                                                     \
    X(OUTPUT, "write output")                                                                      \
    X(ARGUMENTS, "see its arguments")                                                              \
    X(ENVIRONMENT, "see its environment")                                                          \
    X(CLOCK, "read clocks")                                                                        \
    X(SLEEP, "sleep")                                                                              \
    X(RANDOM, "draw random numbers")                                                               \
    X(FILES_READ, "read files of its package")                                                     \
    X(FILES_WRITE, "write scratch files that vanish")                                              \
    X(SOCKETS, "ask for sockets (refused)")                                                        \
    X(EXIT, "end with an exit code")                                                               \
    X(LOG, "write to its log")                                                                     \
    X(KV, "keep state (permissions.kv)")                                                           \
    X(SECRETS, "read secrets (permissions.secrets)")                                               \
    X(KEYS, "use keys (permissions.keys)")                                                         \
    X(HTTP, "call others over HTTP (permissions.http)")                                            \
    X(ATTEST, "ask for evidence (permissions.attest)")                                             \
    X(CALLS, "make any call to its node that its manifest permits")

enum analysis_ability {
#define ANALYSIS_ABILITY_ENUM(name, text) ANALYSIS_ABILITY_##name,
    ANALYSIS_ABILITIES(ANALYSIS_ABILITY_ENUM)
#undef ANALYSIS_ABILITY_ENUM
    ANALYSIS_ABILITY_COUNT
};

enum analysis_abi {
    ANALYSIS_ABI_NONE,
    ANALYSIS_ABI_COMMAND, /* exports _start: WASI preview 1 */
    ANALYSIS_ABI_CGI,     /* the same, and says so itself */
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
    uint32_t abilities;    /* bit 1 << enum analysis_ability */
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

/* "clock": what JSON and policies call it; and the words for people. */
const char *analysis_ability_name(enum analysis_ability ability);
const char *analysis_ability_text(enum analysis_ability ability);

/* One defined function. */
struct analysis_function {
    uint32_t index;
    struct bytes name; /* of the name section; empty when it has none */
    const char *type;
    uint32_t code_size;   /* of its body in the module */
    uint64_t native_size; /* estimated */
    uint32_t local_count; /* parameters included */
    uint32_t stack_height_max;
    uint32_t block_depth_max;
    const char *reason; /* why it is not valid, or NULL */
};
struct analysis_functions {
    const struct analysis_function *rows;
    uint32_t count;
};
/* A table of its own, since it can be long.  Empty when `module` is none. */
MUST_CHECK bool wasm_analyse_functions(struct analysis_functions *functions, struct arena *arena,
                                       struct bytes module, struct error *error);
/* A new array. */
MUST_CHECK bool analysis_functions_json(json_t **json, const struct analysis_functions *functions,
                                        struct error *error);
void analysis_functions_text(struct buffer *text, const struct analysis_functions *functions);

/* What changes from `before` to `after`: imports, exports, features and abilities that come and go,
 * and every size that differs.  A new object. */
MUST_CHECK bool analysis_compare(json_t **json, const struct analysis *before,
                                 const struct analysis *after, struct error *error);
/* The same for people; "no difference" when there is none. */
void analysis_compare_text(struct buffer *text, const json_t *difference);

#endif
