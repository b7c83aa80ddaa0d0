/* SPDX-License-Identifier: Apache-2.0 */
/* A native function in its micro-VM: where an ELF's segments may lie, and what it is entered with.
 * docs/abi.md has it for those who write them; sdk/c/s3n.h repeats struct native_services. */
#ifndef ABI_NATIVE_H
#define ABI_NATIVE_H

#include "abi/layout.h"

/* Windows by right; each ends below the other.  Data lies behind struct instance. */
#define NATIVE_DATA       (LAYOUT_INSTANCE + 0x10000ull)
#define NATIVE_DATA_END   (LAYOUT_INSTANCE + LAYOUT_INSTANCE_SIZE_MAX)
#define NATIVE_CODE       LAYOUT_CODE
#define NATIVE_CODE_END   (LAYOUT_CODE + 0x004000000ull)
#define NATIVE_RODATA     LAYOUT_RODATA
#define NATIVE_RODATA_END (LAYOUT_RODATA + 0x004000000ull)

/* The heap is linear memory without its first pages, which stay unmapped, so that null pointers
 * fault. */
#define NATIVE_GUARD_SIZE  0x000010000ull
#define NATIVE_HEAP        (LAYOUT_MEMORY + NATIVE_GUARD_SIZE)
#define NATIVE_MEMORY_SIZE 0x000100000ull /* with the guard, at the entry */

enum {
    NATIVE_VERSION = 2
};

enum native_phase {
    NATIVE_PHASE_INITIALISE, /* once, before the snapshot */
    NATIVE_PHASE_HANDLE
};

/* The entry point is a System V function: uint64_t entry(const struct native_services *, uint32_t
 * phase); it returns the size of the answer's envelope that it wrote to `answer`. */
struct native_services {
    uint32_t version;
    uint32_t size;    /* of this struct */
    uint64_t request; /* address of the envelope, aligned to 8; 0 while it initialises */
    uint64_t request_size;
    uint64_t answer; /* address */
    uint64_t answer_capacity;
    uint64_t heap;      /* address */
    uint64_t heap_size; /* at the entry */
    uint64_t heap_size_max;
    uint64_t grow;     /* uint64_t (uint64_t heap_size): 1, or 0 when it is refused */
    uint64_t log;      /* void (const void *text, uint64_t size) */
    uint64_t random;   /* void (void *target, uint64_t size) */
    uint64_t clock_ns; /* uint64_t (uint32_t clock): 0 real time, 1 monotonic */
    uint64_t exit;     /* void (uint32_t code), does not return */
    /* Version 2. */
    uint64_t call; /* int64_t (const void *requests, uint64_t size, void *answers, uint64_t
                      capacity): size of the answers (abi/call.h) or enum call_error */
    uint64_t rest; /* int64_t (uint32_t index, uint64_t offset, void *target, uint64_t capacity) */
    uint64_t hash; /* int64_t (uint32_t algorithm, const void *data, uint64_t size, void *digest):
                      64 bytes have room; bytes of it, or enum call_error */
    uint64_t error_message; /* int64_t (void *target, uint64_t capacity) */
    uint64_t log_level;     /* int64_t (uint32_t level, const void *text, uint64_t size) */
};

_Static_assert(sizeof(struct native_services) == 144, "sdk/c/s3n.h");
_Static_assert(offsetof(struct native_services, heap) == 40, "sdk/c/s3n.h");
_Static_assert(offsetof(struct native_services, exit) == 96, "sdk/c/s3n.h");

#endif
