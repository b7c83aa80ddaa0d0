/* SPDX-License-Identifier: Apache-2.0 */
/* The guest runtime as the VMM embeds it: an ELF file of three segments (text, constants, data). */
#ifndef SLIPSTREAM_RUNTIME_H
#define SLIPSTREAM_RUNTIME_H

#include "core/bytes.h"

struct runtime_segment {
    uint64_t offset;      /* from LAYOUT_RUNTIME */
    uint64_t size;        /* in memory, zeros behind the content */
    struct bytes content; /* part of the file; at a page unless it can be written */
    bool is_writable;
    bool is_executable;
};

enum {
    RUNTIME_SEGMENTS_MAX = 4
};

struct runtime {
    uint64_t entry;    /* virtual address */
    struct bytes file; /* starts at a page */
    unsigned segment_count;
    struct runtime_segment segments[RUNTIME_SEGMENTS_MAX];
};

/* Our own file: anything unexpected in it is a bug. */
const struct runtime *runtime_embedded(void);

#endif
