/* SPDX-License-Identifier: Apache-2.0 */
/* Every bound of this module, in one place.  Where the WebAssembly JavaScript interface names a
 * limit that engines share, it is taken from there, so that what runs elsewhere runs here. */
#ifndef WASM_LIMITS_H
#define WASM_LIMITS_H

enum {
    WASM_MODULE_SIZE_MAX = 128 << 20, /* bytes */
    WASM_IMAGE_SIZE_MAX = 1 << 30,    /* bytes */
    WASM_TYPES_MAX = 1000000,
    WASM_FUNCTIONS_MAX = 1000000, /* imported and defined */
    WASM_IMPORTS_MAX = 100000,
    WASM_EXPORTS_MAX = 100000,
    WASM_GLOBALS_MAX = 1000000, /* 16 bytes each must fit the instance region */
    WASM_TABLES_MAX = 64,       /* INSTANCE_TABLE_COUNT_MAX */
    WASM_MEMORIES_MAX = 1,
    WASM_ELEMENT_SEGMENTS_MAX = 100000,
    WASM_ELEMENT_ITEMS_MAX = 4 << 20, /* of all segments together */
    WASM_DATA_SEGMENTS_MAX = 100000,
    WASM_PARAMETERS_MAX = 1000,
    WASM_RESULTS_MAX = 1000,
    WASM_LOCALS_MAX = 50000, /* of a function, parameters included */
    /* Locals of all functions together: per byte of code, beyond what is free. */
    WASM_LOCALS_GROWTH_MAX = 16,
    WASM_LOCALS_GROWTH_FREE = 16 << 20,
    WASM_FUNCTION_SIZE_MAX = 7654321, /* bytes of a body */
    WASM_NESTING_MAX = 50000,         /* blocks within blocks */
    WASM_OPERANDS_MAX = 500000,       /* on the operand stack at once: half of LAYOUT_FRAMES_SIZE */
    WASM_CONSTANT_DEPTH_MAX = 256,    /* operands at once in a constant expression */
    WASM_CUSTOM_SECTIONS_MAX = 10000,
    WASM_NAME_SIZE_MAX = 100000, /* bytes of an import's or export's name */
    WASM_MEMORY_PAGES_MAX = 65536,
    WASM_TABLE_GROWTH_MAX = 1 << 16,   /* entries that table.grow may add, if a module grows it */
    WASM_STRINGS_SIZE_MAX = 256 << 20, /* names and types in an image */
    WASM_ARENA_SIZE_MAX = 2000000000,  /* bytes while compiling a module */
    /* Code of a function: bytes per byte of its body, beyond what is free.  Real functions need 2.
     */
    WASM_CODE_GROWTH_MAX = 64,
    WASM_CODE_GROWTH_FREE = 1 << 20,
    /* The same of all functions together. */
    WASM_CODE_GROWTH_MODULE_FREE = 32 << 20,
};

#endif
