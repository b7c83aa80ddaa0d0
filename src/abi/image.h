/* SPDX-License-Identifier: Apache-2.0 */
/* The image: one compiled module as a flat file, and the checked view of it.
 *
 * Written by wasm (compile), read by slipstream and by whoever shows an image.  Little-endian.  The
 * header is followed by sections, each starting at a multiple of 4096, zero-padded, in the order of
 * enum image_section; the file ends where the last section ends (padded).  The same module, options
 * and compiler always give the same bytes.  Never holds addresses other than those of abi/layout.h.
 */
#ifndef ABI_IMAGE_H
#define ABI_IMAGE_H

#include "abi/layout.h"
#include "core/bytes.h"
#include "core/writer.h"

#define IMAGE_MAGIC   "S3NIMAGE"
#define IMAGE_VERSION 3u

/* Code: to LAYOUT_CODE.  Rodata: to LAYOUT_RODATA (linked images: where image_place says).
 * Instance: template of the instance region, the rest of instance_size is zero.  Memory: runs of
 * initial linear memory.  Functions, traps, exports, names: tables for the host alone. */
enum image_section {
    IMAGE_CODE,
    IMAGE_RODATA,
    IMAGE_INSTANCE,
    IMAGE_MEMORY,      /* bytes of all runs, one after the other */
    IMAGE_MEMORY_RUNS, /* struct image_run[] */
    IMAGE_FUNCTIONS,   /* struct image_function[], ascending code_offset */
    IMAGE_TRAPS,       /* struct image_trap[], ascending code_offset */
    IMAGE_EXPORTS,     /* struct image_export[], in the module's order */
    IMAGE_IMPORTS,     /* struct image_import[]: what a linked image needs of other instances */
    IMAGE_STRINGS,     /* names that the tables point into */
    IMAGE_SECTION_COUNT
};

/* A run of initial linear memory; runs ascend and don't overlap. */
struct image_run {
    uint32_t address; /* in linear memory */
    uint32_t size;
    uint32_t offset; /* in IMAGE_MEMORY */
};

/* Code of a function (or of an import's stub) from here up to the next one's offset. */
struct image_function {
    uint32_t code_offset;
    uint32_t index;       /* function index of the module */
    uint32_t name_offset; /* in IMAGE_STRINGS; name_size 0: no name is known */
    uint32_t name_size;
};

/* The instruction at or before which a trap happened, as an offset in the module file.  The first
 * row of a function's code has that of its first instruction. */
struct image_trap {
    uint32_t code_offset;
    uint32_t wasm_offset; /* 0: not known; IMAGE_NOWHERE: code that is no function's */
};

#define IMAGE_NOWHERE UINT32_MAX

enum image_export_kind {
    IMAGE_EXPORT_FUNCTION,
    IMAGE_EXPORT_TABLE,
    IMAGE_EXPORT_MEMORY,
    IMAGE_EXPORT_GLOBAL
};

struct image_export {
    uint32_t name_offset; /* in IMAGE_STRINGS */
    uint32_t name_size;
    uint32_t kind;  /* enum image_export_kind */
    uint32_t where; /* function: code offset; global: offset in the instance region; else index */
    uint32_t parameter_count;
    uint32_t result_count;
    uint32_t types_offset; /* in IMAGE_STRINGS, types as value type bytes.  Function: parameters,
                              results.  Global: type, 1 if mutable.  Table: type, then as memory:
                              1 if there is a maximum, the maximum in 4 bytes */
    uint32_t types_size;
};

/* An import that another instance satisfies, in the module's order.  Function: `where` is the
 * offset in the instance region of 8 bytes for the address of its entry.  Mutable global: of 8
 * bytes for the address of its slot; immutable ones are known when the module is compiled and have
 * no row. Table: its index.  Memory: 0. */
struct image_import {
    uint32_t module_offset; /* in IMAGE_STRINGS */
    uint32_t module_size;
    uint32_t field_offset;
    uint32_t field_size;
    uint32_t kind; /* enum image_export_kind */
    uint32_t where;
    uint32_t types_offset; /* function: parameters, results; global: type, 1; table: type */
    uint32_t types_size;
};

/* Fixed part at offset 0 of the file, IMAGE_HEADER_SIZE bytes with zeros behind. */
enum {
    IMAGE_HEADER_SIZE = 4096,
    IMAGE_COMPILER_SIZE = 48
};

enum image_flag {
    IMAGE_HAS_START = 1,   /* start_offset is to be called before anything else */
    IMAGE_HAS_COMMAND = 2, /* exports _start of type [] -> []: command_offset */
    IMAGE_HAS_MEMORY = 4,
    IMAGE_START_TRAPS = 8,  /* instantiation traps with start_trap (a segment is out of bounds) */
    IMAGE_HAS_REACTOR = 16, /* exports s3n_alloc and s3n_handle: alloc_offset, handle_offset */
    IMAGE_HAS_INITIALISE = 32, /* a reactor that exports _initialize: initialise_offset */
    IMAGE_HAS_INIT = 64,       /* a reactor that exports s3n_init: init_offset */
    IMAGE_IS_NATIVE = 256,     /* made of an ELF (abi/native.h): handle_offset is its entry point */
    IMAGE_IS_METERED = 128,    /* compiled code counts fuel (abi/instance.h) */
};

/* How a function is entered and answers (docs/abi.md). */
#define IMAGE_ABIS(X)                                                                              \
    X(COMMAND, "command")                                                                          \
    X(CGI, "cgi")                                                                                  \
    X(REACTOR, "reactor")                                                                          \
    X(NATIVE, "native")

enum image_abi {
    IMAGE_ABI_NONE, /* not said */
#define IMAGE_ABI_ENUM(abi, name) IMAGE_ABI_##abi,
    IMAGE_ABIS(IMAGE_ABI_ENUM)
#undef IMAGE_ABI_ENUM
    IMAGE_ABI_COUNT
};

struct image_part {
    uint64_t offset; /* in the file */
    uint64_t size;   /* without padding */
};

struct image_header {
    char magic[8];
    uint32_t version;
    uint32_t flags; /* enum image_flag */
    uint8_t module_digest[32];
    char compiler[IMAGE_COMPILER_SIZE]; /* name, version, tier; NUL-padded */
    uint64_t file_size;
    uint64_t instance_size; /* of the instance region, template included */
    uint64_t memory_size;   /* initial linear memory in bytes */
    uint64_t memory_size_max;
    uint32_t start_offset;   /* in the code */
    uint32_t command_offset; /* in the code */
    uint32_t start_trap;     /* enum trap_reason */
    uint32_t function_count; /* rows of IMAGE_FUNCTIONS */
    uint32_t placement;      /* 0: stands alone; else the number of a linked instance */
    uint32_t shares_offset;  /* linked: of struct share[1 + table_count] in the instance region */
    struct image_part sections[IMAGE_SECTION_COUNT];
    uint32_t alloc_offset; /* these in the code, 0 without their flag */
    uint32_t handle_offset;
    uint32_t initialise_offset;
    uint32_t init_offset;
    uint32_t abi; /* enum image_abi: what the module itself says, by its section s3n.abi */
    uint32_t reserved;
};

/* Where an image's parts stand. */
struct image_place {
    uint64_t code;
    uint64_t rodata;
    uint64_t instance;
    uint64_t memory; /* of linked ones; else the backend says */
};

static inline struct image_place image_place(uint32_t placement)
{
    uint64_t number = placement;
    uint64_t window = LAYOUT_LINKED + (number - 1) * LAYOUT_LINKED_STRIDE;
    if (number == 0)
        return (struct image_place){ LAYOUT_CODE, LAYOUT_RODATA, LAYOUT_INSTANCE, LAYOUT_MEMORY };
    return (struct image_place){ .code = window,
                                 .rodata = window + LAYOUT_LINKED_RODATA,
                                 .instance = window + LAYOUT_LINKED_INSTANCE,
                                 .memory = LAYOUT_LINKED_MEMORY +
                                           (number - 1) * LAYOUT_LINKED_MEMORY_STRIDE };
}

_Static_assert(sizeof(struct image_header) <= IMAGE_HEADER_SIZE, "the header fits its page");

/* A checked view; everything borrows the source.  The tables are copied out row by row with the
 * functions below, since the source may be unaligned. */
struct image {
    struct image_header header;
    struct bytes sections[IMAGE_SECTION_COUNT];
    struct bytes source;
};

/* Checks every offset, size, order and limit: code after this may use the view without checks.
 * false: *reason says what is wrong (a constant text). */
MUST_CHECK bool image_parse(struct image *image, struct bytes source, const char **reason);
/* The header as it stands in the file: IMAGE_HEADER_SIZE bytes. */
void image_header_write(struct writer *writer, const struct image_header *header);
size_t image_count(const struct image *image, enum image_section section);
struct image_run image_run_at(const struct image *image, size_t index);
struct image_function image_function_at(const struct image *image, size_t index);
struct image_trap image_trap_at(const struct image *image, size_t index);
struct image_export image_export_at(const struct image *image, size_t index);
struct image_import image_import_at(const struct image *image, size_t index);
struct bytes image_string(const struct image *image, uint32_t offset, uint32_t size);
/* The export called `name`; false when there is none. */
bool image_find_export(const struct image *image, struct bytes name, struct image_export *found);
/* IMAGE_ABI_NONE: no abi has this name. */
enum image_abi image_abi_of(struct bytes name);
const char *image_abi_name(enum image_abi abi);
/* How the image is to be entered when its owner asks for `wanted` (or NONE: then the image's own
 * word or its exports decide).  false: *reason says what does not match. */
MUST_CHECK bool image_choose_abi(const struct image_header *header, enum image_abi wanted,
                                 enum image_abi *chosen, const char **reason);
/* Whether code of the optimised tier stands at `code_offset`: its rows are behind those of all
 * functions. */
bool image_is_native(const struct image *image, uint32_t code_offset);
/* Where `code_offset` lies: function row (index into IMAGE_FUNCTIONS) and, if known, the wasm
 * offset (or 0); false: in no function. */
bool image_locate(const struct image *image, uint32_t code_offset, struct image_function *function,
                  uint32_t *wasm_offset);

#endif
