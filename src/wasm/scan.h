/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a module's bytes in order: core/reader.h's contract, with two differences.  A failure keeps
 * its reason and place, since WebAssembly distinguishes them, and the short forms are inline, since
 * validation reads a number every few nanoseconds.
 *
 * The first fault sticks: later reads yield zero, so one check at the end suffices.  Internal to
 * wasm. */
#ifndef WASM_SCAN_H
#define WASM_SCAN_H

#include "base/error.h"

struct scan {
    const uint8_t *at;
    const uint8_t *end;
    const uint8_t *file; /* offsets count from here */
    const char *fault;   /* NULL: none */
    size_t fault_offset; /* in the file */
};

/* Reads `file` from `offset` on. */
struct scan scan_of(struct bytes file, size_t offset);
void scan_fail(struct scan *scan, const char *fault, const uint8_t *at);
/* True when nothing failed; otherwise the fault becomes `error`. */
MUST_CHECK bool scan_check(const struct scan *scan, struct error *error);

uint8_t scan_u8_at_end(struct scan *scan);
uint32_t scan_u32_long(struct scan *scan);
/* s32, s33 and s64 of the specification, sign-extended. */
int64_t scan_signed_long(struct scan *scan, unsigned bits);
uint32_t scan_fixed_u32(struct scan *scan);
uint64_t scan_fixed_u64(struct scan *scan);
struct bytes scan_bytes(struct scan *scan, size_t size);
/* A count or size of things that each take at least a byte: "length out of bounds" when they can't
 * all be there. */
uint32_t scan_length(struct scan *scan);
/* A name: well-formed UTF-8. */
struct bytes scan_name(struct scan *scan);

static inline size_t scan_offset(const struct scan *scan)
{
    return (size_t)(scan->at - scan->file);
}

static inline uint8_t scan_u8(struct scan *scan)
{
    return scan->at < scan->end ? *scan->at++ : scan_u8_at_end(scan);
}

static inline uint32_t scan_u32(struct scan *scan)
{
    if (scan->at < scan->end && *scan->at < 0x80)
        return *scan->at++;
    return scan_u32_long(scan);
}

static inline int64_t scan_signed(struct scan *scan, unsigned bits)
{
    if (scan->at < scan->end && *scan->at < 0x80) {
        uint64_t byte = *scan->at++;
        return (int64_t)(byte ^ 0x40) - 0x40;
    }
    return scan_signed_long(scan, bits);
}

#endif
