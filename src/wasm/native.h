/* SPDX-License-Identifier: Apache-2.0 */
/* Code that another tier made for some functions of a module, to stand beside the baseline's in one
 * image.
 *
 * Native convention: System V, with linear memory's base in r13 (a callee preserves it, as all the
 * convention preserves), then, when a function has several results, a pointer to their slots, then
 * its parameters; the only result in rax or xmm0.  Between the two conventions stand thunks: one
 * per native function at its place among the baseline's code, and one per signature the other way.
 * Where the module has tail calls, a callee takes its arguments off the native stack (LLVM's
 * tailcc: their size rounded up so that it and the return address together are a multiple of 16).
 * A thunk that was reached by a tail call out of what the other kind of thunk called ends that one
 * first, so that tail calls between both conventions keep constant stack too.
 *
 * In an image that stands alone, all code that a reference may name has four bytes before it: the
 * distance from the code's start to what native code calls.  In a linked one, native code calls
 * what a reference names through the thunk of its signature.
 *
 * Frame stack: native code uses none.  frame_top says where it is free while native code runs.
 * Internal to wasm and optimiser. */
#ifndef WASM_NATIVE_H
#define WASM_NATIVE_H

#include "abi/image.h"
#include "core/bytes.h"

enum {
    NATIVE_HEADER = 4, /* bytes before a function's code */
};

#define NATIVE_NONE UINT32_MAX

enum native_target {
    NATIVE_FUNCTION,  /* function `index` by the native convention */
    NATIVE_SIGNATURE, /* the thunk for the types of native_signature `index`; r10: what to call */
    NATIVE_INSTANCE,  /* struct instance */
    NATIVE_CODE,      /* the start of the code section */
    NATIVE_TARGET_COUNT
};

/* Four bytes at `at` become target + addend - the address of those bytes. */
struct native_relocation {
    uint32_t at; /* in text */
    enum native_target target;
    uint32_t index;
    int32_t addend;
};

struct native_code {
    struct bytes text;      /* code and constants; to be aligned to 64 */
    const uint32_t *starts; /* in text, per function of the module; NATIVE_NONE: the baseline's */
    const struct native_relocation *relocations;
    uint32_t relocation_count;
    const struct image_trap *traps; /* ascending offsets in text */
    uint32_t trap_count;
    uint64_t grown_tables; /* a bit per table that has a table.grow */
    bool has_tail_calls;   /* callees take their arguments off the stack */
};

struct module;
struct function_type;

/* A number for each of the module's different function types, at most module->type_count. */
uint32_t native_signature(const struct module *module, const struct function_type *type);

#endif
