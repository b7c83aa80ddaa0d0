/* SPDX-License-Identifier: Apache-2.0 */
/* What compiled code, the guest runtime and the VMM share about one running instance, and the
 * calling convention between them.
 *
 * Calling convention of a compiled function (x86-64-v3), of imports' stubs too:
 *   r12  frame: the callee's slot 0.  Arguments come in slots 0..n-1, results leave in slots
 * 0..m-1, eight bytes a slot; i32 and f32 stand zero-extended; a v128 takes two slots, lane 0
 * lowest, aligned to 8 bytes only, so that n and m may exceed the number of values. r13  linear
 * memory's base (0 in the kvm backend) r14  struct instance rbp  in metered images: the fuel left
 * (see below); else nothing rsp  8 mod 16 at entry (the return address has been pushed); `ret`
 * returns. Every other register, flags and vector registers are clobbered; r12-r14 and rsp are
 * preserved. Every call uses at least 16 bytes of the frame stack; a prologue checks r12 against
 * frame_limit and traps with TRAP_STACK.  The runtime clears the vector registers between
 * invocations.
 *
 * The only result of a function with one stands in its register as well as in slot 0: rax for
 * integers and references, xmm0 for floats and vectors.  Whoever calls through a code address
 * (table entries, references, exports) passes all arguments in slots; calls within a module may
 * jump over the load of the first argument with it in rax or xmm0.
 *
 * A tail call gives the callee this function's frame: arguments go to slots 0.., r12 and rsp are
 * what they were at entry, and the callee returns to the caller of this function.  So a callee may
 * use more of the frame stack than its caller's caller knows of; only its own prologue checks it.
 *
 * Metered images: rbp holds the fuel left over the whole time in compiled code; it is unsigned, one
 * unit per instruction of WebAssembly, taken off a basic block at a time, and code that finds too
 * little traps with TRAP_OUT_OF_FUEL.  Whoever enters compiled code from outside loads rbp from
 * `fuel` of struct instance and stores it there after the return.  Stubs of imports and calls of
 * helpers store it before they call, since those may leave for good; the C convention preserves it.
 * At a trap it is in rbp.
 *
 * Helpers and imports are C functions of the guest runtime: void f(struct instance *, uint64_t
 * *slots), System V convention, arguments and results in slots as above.  Compiled code calls
 * helper h as `call [r14 + offsetof(helpers) + 8 h]` and import i, bound to binding b, as `mov rax,
 * [r14 + offsetof(bindings)]; call [rax + 8 b]`.  r12-r14 survive by the C convention.  Before such
 * a call the code stores in frame_top the first free byte of the frame stack, so that the runtime
 * may call back.
 *
 * Linked instances (abi/layout.h): whoever holds a function's address (a table, a reference, an
 * export, an import's record) holds that of an entry stub, which sets r13 and r14 to the owner's,
 * calls, and restores them; a stub that is reached by a tail call from another stub's callee does
 * not save again.  What an instance imports: a function through a record in its instance region
 * that holds the stub's address; a mutable global through its slot, which holds the address of the
 * owner's; tables and memory by headers of its own, which the runtime keeps equal.
 *
 * Explicit traps: `ud2` followed by one byte, enum trap_reason.  Memory and stack traps: page
 * faults. */
#ifndef ABI_INSTANCE_H
#define ABI_INSTANCE_H

/* Offset of `fuel` in struct instance, for assembly. */
#define INSTANCE_FUEL 312

#ifndef __ASSEMBLER__

#include "core/compiler.h"

/* name, text as the official test suite spells it */
#define TRAP_REASONS(X)                                                                            \
    X(NONE, "no trap")                                                                             \
    X(UNREACHABLE, "unreachable")                                                                  \
    X(MEMORY, "out of bounds memory access")                                                       \
    X(TABLE, "out of bounds table access")                                                         \
    X(ELEMENT_UNDEFINED, "undefined element")                                                      \
    X(ELEMENT_NULL, "uninitialized element")                                                       \
    X(SIGNATURE, "indirect call type mismatch")                                                    \
    X(DIVIDE_BY_ZERO, "integer divide by zero")                                                    \
    X(INTEGER_OVERFLOW, "integer overflow")                                                        \
    X(CONVERSION, "invalid conversion to integer")                                                 \
    X(STACK, "call stack exhausted")                                                               \
    X(OUT_OF_FUEL, "out of fuel")                                                                  \
    X(ASSERTION, "assertion of the runtime failed")                                                \
    X(FAULT, "fault outside compiled code")                                                        \
    X(ALLOCATION, "no room for the request")                                                       \
    X(ANSWER, "malformed answer")                                                                  \
    X(EXIT, "exit during initialisation")

enum trap_reason {
#define TRAP_ENUM(name, text) TRAP_##name,
    TRAP_REASONS(TRAP_ENUM)
#undef TRAP_ENUM
    TRAP_COUNT
};

/* Slots in: see each line; the result, if any, in slot 0. */
enum helper {
    HELPER_MEMORY_GROW, /* pages -> old pages or -1 */
    HELPER_MEMORY_COPY, /* to, from, size */
    HELPER_MEMORY_FILL, /* to, byte, size */
    HELPER_MEMORY_INIT, /* to, from, size, data segment index */
    HELPER_DATA_DROP,   /* data segment index */
    HELPER_TABLE_GET,   /* index, table -> reference */
    HELPER_TABLE_SET,   /* index, reference, table */
    HELPER_TABLE_GROW,  /* reference, count, table -> old size or -1 */
    HELPER_TABLE_FILL,  /* from, reference, count, table */
    HELPER_TABLE_COPY,  /* to, from, count, target table, source table */
    HELPER_TABLE_INIT,  /* to, from, count, element segment index, table */
    HELPER_ELEM_DROP,   /* element segment index */
    HELPER_COUNT,
    HELPER_ROOM = 32
};

enum {
    INSTANCE_TABLE_COUNT_MAX = 64,
};

/* One table entry.  A null reference has code 0.  For externref, code holds the reference + 1. */
struct function_reference {
    uint64_t code;      /* virtual address of the compiled function */
    uint32_t signature; /* canonical signature id: equal types have equal ids */
    uint32_t index;     /* of its row, counted in rows from instance.functions: function index */
};

/* entries live in the instance region; a table can grow up to size_max in place. */
struct table {
    uint64_t entries; /* virtual address of struct function_reference[size_max] */
    uint32_t size;
    uint32_t size_max;
};

/* A reference in a slot (funcref, externref): the virtual address of a struct function_reference in
 * the image's `functions` array for functions, value + 1 for externref; 0 is null. */

/* One passive or active segment; dropped ones have size 0. */
struct segment {
    uint64_t data; /* virtual address in LAYOUT_RODATA; struct function_reference[] for elements */
    uint64_t size; /* bytes, or elements */
};

/* Who else sees the same memory or table: nodes in a ring, of linked instances only. */
struct share {
    uint64_t next;   /* address of another node of the ring; its own when nobody else shares */
    uint64_t target; /* the sharer's struct instance (memory) or struct table */
};

/* At LAYOUT_INSTANCE.  The image's instance template holds it with helpers, bindings, frame_limit,
 * memory_base and memory_limit zero; the runtime fills these at entry from struct control. */
struct instance {
    uint64_t helpers[HELPER_ROOM];
    uint64_t bindings; /* address of the runtime's table of import functions */
    uint64_t frame_limit;
    uint64_t frame_top;
    uint64_t memory_base;
    uint64_t memory_size;     /* bytes now */
    uint64_t memory_size_max; /* bytes: the module's own maximum */
    uint64_t memory_limit;    /* bytes: what the host allows */
    uint64_t fuel;            /* metered images: what is left, while no compiled code runs */
    uint64_t functions; /* address of struct function_reference[function_count]: LAYOUT_RODATA */
    uint64_t segments; /* address of struct segment[] in the instance region: data, then elements */
    uint32_t data_count;
    uint32_t element_count;
    uint32_t table_count;
    uint32_t function_count;
    struct table tables[INSTANCE_TABLE_COUNT_MAX];
    uint64_t external_tables; /* a bit per table of externref */
    uint64_t shares; /* address of struct share[1 + table_count]: memory, tables; 0: not linked */
    /* Then, at offsets that the compiler chose: globals (16 bytes each), segments, table entries.
     */
};

_Static_assert(sizeof(struct function_reference) == 16, "entry of a table");
_Static_assert(sizeof(struct table) == 16, "table header");
_Static_assert(offsetof(struct instance, bindings) == 256, "fixed by compiled code");
_Static_assert(offsetof(struct instance, tables) == 352, "fixed by compiled code");
_Static_assert(offsetof(struct instance, fuel) == INSTANCE_FUEL, "fixed by compiled code");

#endif

#endif
