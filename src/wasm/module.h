/* SPDX-License-Identifier: Apache-2.0 */
/* A decoded module: what the binary says, section by section, before and after validation.
 *
 * Everything is allocated in the arena given to module_decode and borrows the source bytes; both
 * must outlive the module.  Internal to wasm. */
#ifndef WASM_MODULE_H
#define WASM_MODULE_H

#include "abi/binding.h"
#include "abi/image.h"
#include "abi/instance.h"
#include "base/arena.h"
#include "base/error.h"

/* The binary format's own bytes. */
enum value_type {
    VALUE_I32 = 0x7f,
    VALUE_I64 = 0x7e,
    VALUE_F32 = 0x7d,
    VALUE_F64 = 0x7c,
    VALUE_V128 = 0x7b,
    VALUE_FUNCREF = 0x70,
    VALUE_EXTERNREF = 0x6f,
    VALUE_UNKNOWN = 0, /* validation only: an operand of unreachable code */
};

struct function_type {
    const uint8_t *parameters; /* enum value_type */
    const uint8_t *results;
    uint32_t parameter_count;
    uint32_t result_count;
    uint32_t canonical; /* index of the first equal type: the signature id of struct
                           function_reference */
};

struct limits {
    uint32_t min;
    uint32_t max; /* UINT32_MAX: none given */
    bool has_max;
};

enum external_kind {
    EXTERNAL_FUNCTION,
    EXTERNAL_TABLE,
    EXTERNAL_MEMORY,
    EXTERNAL_GLOBAL
};

struct table_type {
    enum value_type element;
    struct limits limits;
};

struct global_type {
    enum value_type type;
    bool is_mutable;
};

struct import {
    struct bytes module;
    struct bytes field;
    enum external_kind kind;
    uint32_t type_index; /* function */
    struct table_type table;
    struct limits memory;
    struct global_type global;
    uint32_t source_offset;
};

enum constant_kind {
    CONSTANT_VALUE,
    CONSTANT_GLOBAL,
    CONSTANT_FUNCTION,
    CONSTANT_NULL,
    CONSTANT_EXPRESSION /* arithmetic on imported globals, until constants_resolve */
};

/* A constant expression's value.  A global named by GLOBAL is an imported one. */
struct constant {
    enum constant_kind kind;
    enum value_type type;
    uint64_t bits; /* VALUE: the number, i32 and f32 zero-extended */
    union {
        /* GLOBAL: global index; FUNCTION: function index; EXPRESSION: offset in the file */
        uint32_t index;
        uint64_t high_bits; /* VALUE of a v128: its upper half */
    };
};

struct global {
    struct global_type type;
    bool is_import;
    bool is_linked; /* mutable, and another instance's: its slot holds the address */
    /* Linked, a function that isn't null: its row.  `value` is the row's address. */
    const struct function_reference *function;
    struct constant value; /* of a defined one; of an imported one after imports_resolve */
};

struct export
{
    struct bytes name;
    enum external_kind kind;
    uint32_t index;
};

enum segment_mode {
    SEGMENT_ACTIVE,
    SEGMENT_PASSIVE,
    SEGMENT_DECLARED
};

struct element_segment {
    enum segment_mode mode;
    enum value_type type;
    uint32_t table;
    struct constant offset; /* active */
    const struct constant *items;
    uint32_t count;
};

struct data_segment {
    enum segment_mode mode;
    struct constant offset; /* active */
    struct bytes bytes;
};

struct local_run {
    uint32_t count;
    enum value_type type;
};

struct function {
    const struct function_type *type;
    uint32_t type_index;
    bool is_import;
    bool is_linked;     /* an import that another instance satisfies */
    bool is_referenced; /* ref.func may name it: exported, in a segment or in a global */
    uint32_t import_index;
    enum binding binding; /* imports: once imports_resolve has bound them */
    /* Defined functions only: */
    struct bytes body;      /* from the local declarations to the final `end` */
    uint32_t source_offset; /* of body in the module file */
    struct bytes name;      /* from the name section; empty when unknown */
};

struct module {
    struct bytes source;
    struct function_type *types;
    struct import *imports;
    struct function *functions; /* imports first */
    struct table_type *tables;  /* imports first */
    struct limits *memories;
    struct global *globals; /* imports first */
    struct export *exports;
    struct element_segment *elements;
    struct data_segment *data;
    uint32_t type_count, import_count, function_count, imported_function_count;
    uint32_t table_count, imported_table_count, memory_count, imported_memory_count;
    uint32_t global_count, imported_global_count, export_count, element_count, data_count;
    bool has_start;
    uint32_t start;
    uint32_t placement; /* 0, or the number of a linked instance (abi/image.h) */
    bool has_data_count;
    uint32_t declared_data_count;
    bool has_extended_constants;
    bool has_vectors;         /* v128 among the types of functions or globals */
    size_t code_size;         /* bytes of the code section */
    struct bytes abi_section; /* of the custom section s3n.abi; data NULL: there is none */
};

/* The function that a linked module gets for its instantiation: the last one, which its own code
 * can't name. */
static inline bool is_instantiation(const struct module *module, uint32_t function_index)
{
    return module->placement != 0 && function_index + 1 == module->function_count;
}

static inline bool module_has_function(const struct module *module, uint32_t function_index)
{
    return function_index < module->function_count && !is_instantiation(module, function_index);
}

/* Decodes and checks the binary format and everything outside function bodies.  Errors give the
 * offset in the file and use the official suite's words where it has them ("unexpected end",
 * "integer too large", ...). */
MUST_CHECK bool module_decode(struct module *module, struct arena *arena, struct bytes source,
                              struct error *error);

/* Turns expressions into values, once imported globals have theirs; part of imports_resolve. */
void constants_resolve(struct module *module);

/* What a module uses beyond WebAssembly 1.0; bits. */
#define WASM_FEATURES(X)                                                                           \
    X(MUTABLE_GLOBALS, 1, "mutable-globals")                                                       \
    X(SIGN_EXTENSION, 2, "sign-extension")                                                         \
    X(SATURATING_CONVERSION, 4, "nontrapping-float-to-int")                                        \
    X(MULTI_VALUE, 8, "multi-value")                                                               \
    X(BULK_MEMORY, 16, "bulk-memory")                                                              \
    X(REFERENCE_TYPES, 32, "reference-types")                                                      \
    X(TAIL_CALL, 64, "tail-call")                                                                  \
    X(EXTENDED_CONST, 128, "extended-const")                                                       \
    X(SIMD, 256, "simd")

enum wasm_feature {
#define WASM_FEATURE_ENUM(name, bit, text) WASM_FEATURE_##name = bit,
    WASM_FEATURES(WASM_FEATURE_ENUM)
#undef WASM_FEATURE_ENUM
};

/* What stands within a loop, nested ones included.  A local is the bit of its index modulo 64, so
 * that some may be said to be used or set that aren't. */
struct loop_facts {
    uint64_t used; /* read or set */
    uint64_t set;
    bool has_calls;
};

/* What validation of a body learns for the code generator, which walks the body a second time while
 * it is still in the cache. */
struct function_facts {
    const uint8_t *local_types; /* all locals, parameters first */
    uint32_t local_count;
    uint32_t stack_height_max;  /* operands */
    uint32_t stack_slots_max;   /* slots that they take, or more */
    uint32_t call_count;        /* static calls, weighted like the uses */
    const uint32_t *local_uses; /* per local: gets, sets, tees, x8 per enclosing loop, saturating */
    const uint32_t *local_lasts; /* per local: where in the file it is used or set last; 0: never */
    const struct loop_facts *loops; /* in the order of the code, reachable or not */
    uint32_t loop_count;
    uint32_t block_depth_max;
    uint32_t features; /* enum wasm_feature: of its instructions */
    /* With validator_count_costs: the instructions of each basic block, `end` and `else` aside. One
     * number for the start of the function and one after each loop, if, else, br_if and `end` but
     * the last, in the order of the code, reachable or not.  COST_NONE: no block starts there. */
    const uint32_t *costs;
    uint32_t cost_count;
    struct bytes code;    /* body without the local declarations */
    uint32_t code_offset; /* of code in the module file */
};

#define COST_NONE UINT32_MAX

struct validator; /* scratch memory reused from function to function */
MUST_CHECK bool validator_new(struct validator **validator, const struct module *module,
                              struct arena *arena, struct error *error);
/* From now on facts have costs. */
void validator_count_costs(struct validator *validator);
/* Validates one defined function completely (Wasm 2.0).  `facts` borrows the
 * validator's memory until its next use. */
MUST_CHECK bool validate_function(struct validator *validator, uint32_t function_index,
                                  struct function_facts *facts, struct error *error);

/* Validates every defined function, for who does not compile it. */
MUST_CHECK bool module_validate(const struct module *module, struct arena *arena,
                                struct error *error);

#endif
