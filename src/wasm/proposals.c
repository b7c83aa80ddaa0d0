/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/proposals.h"

#define EXCEPTIONS  "exception handling"
#define REFERENCES  "typed function references"
#define GC          "garbage collection"
#define DESCRIPTORS "custom descriptors"
#define STRINGS     "reference-typed strings"
#define SWITCHING   "stack switching"
#define SHARED      "shared-everything threads"

/* The first row that fits counts. */
const struct proposal_row proposal_rows[] = {
    { PROPOSAL_OPCODE, 0x06, 0x0a, EXCEPTIONS }, /* try, catch, throw, rethrow, throw_ref */
    { PROPOSAL_OPCODE, 0x14, 0x15, REFERENCES }, /* call_ref, return_call_ref */
    { PROPOSAL_OPCODE, 0x18, 0x19, EXCEPTIONS }, /* delegate, catch_all */
    { PROPOSAL_OPCODE, 0x1f, 0x1f, EXCEPTIONS }, /* try_table */
    { PROPOSAL_OPCODE, 0xd3, 0xd3, GC },         /* ref.eq */
    { PROPOSAL_OPCODE, 0xd4, 0xd6, REFERENCES }, /* ref.as_non_null, br_on_* */
    { PROPOSAL_OPCODE, 0xe0, 0xe6, SWITCHING },
    { PROPOSAL_OPCODE, 0xfb, 0xfb, GC },
    { PROPOSAL_OPCODE, 0xfe, 0xfe, "threads" },
    { PROPOSAL_OPCODE_FB, 0x00, 0x1f, GC },
    { PROPOSAL_OPCODE_FB, 0x20, 0x26, DESCRIPTORS },
    { PROPOSAL_OPCODE_FB, 0x80, 0xb7, STRINGS },
    { PROPOSAL_OPCODE_FC, 0x12, 0x12, "memory control" }, /* memory.discard */
    { PROPOSAL_OPCODE_FC, 0x13, 0x16, "wide arithmetic" },
    { PROPOSAL_OPCODE_FD, 0x100, 0x11f, "relaxed SIMD" },
    { PROPOSAL_OPCODE_FD, 0x120, 0x15f, "half precision" },
    { PROPOSAL_OPCODE_FE, 0x00, 0x4e, "threads" },
    { PROPOSAL_OPCODE_FE, 0x4f, 0x7f, SHARED },
    { PROPOSAL_VALUE_TYPE, 0x62, 0x62, DESCRIPTORS },
    { PROPOSAL_VALUE_TYPE, 0x63, 0x64, REFERENCES },
    { PROPOSAL_VALUE_TYPE, 0x65, 0x65, SHARED },
    { PROPOSAL_VALUE_TYPE, 0x67, 0x67, STRINGS },
    { PROPOSAL_VALUE_TYPE, 0x68, 0x68, SWITCHING },
    { PROPOSAL_VALUE_TYPE, 0x69, 0x69, EXCEPTIONS },
    { PROPOSAL_VALUE_TYPE, 0x6a, 0x6e, GC },
    { PROPOSAL_VALUE_TYPE, 0x71, 0x73, GC },
    { PROPOSAL_VALUE_TYPE, 0x74, 0x74, EXCEPTIONS },
    { PROPOSAL_VALUE_TYPE, 0x75, 0x75, SWITCHING },
    { PROPOSAL_TYPE_FORM, 0x4c, 0x4d, DESCRIPTORS },
    { PROPOSAL_TYPE_FORM, 0x4e, 0x50, GC }, /* rec, sub */
    { PROPOSAL_TYPE_FORM, 0x5d, 0x5d, SWITCHING },
    { PROPOSAL_TYPE_FORM, 0x5e, 0x5f, GC }, /* array, struct */
    { PROPOSAL_TYPE_FORM, 0x65, 0x65, SHARED },
    { PROPOSAL_SECTION, 13, 13, EXCEPTIONS },
    { PROPOSAL_SECTION, 14, 14, STRINGS },
    { PROPOSAL_EXTERNAL_KIND, 4, 4, EXCEPTIONS },
    { PROPOSAL_TABLE_FORM, 0x40, 0x40, REFERENCES }, /* with an initial value */
    { PROPOSAL_MEMORY_FLAGS, 2, 3, "threads" },
    { PROPOSAL_MEMORY_FLAGS, 4, 7, "memory64" },
    { PROPOSAL_MEMORY_FLAGS, 8, 15, "custom page sizes" },
    { PROPOSAL_TABLE_FLAGS, 2, 3, SHARED },
    { PROPOSAL_TABLE_FLAGS, 4, 7, "memory64" },
    { PROPOSAL_ACCESS_FLAGS, 0x40, 0x7f, "multi-memory" },
    { PROPOSAL_MEMORY_INDEX, 1, 0x7f, "multi-memory" },
};
const size_t proposal_row_count = ARRAY_COUNT(proposal_rows);

const char *proposal_name(enum proposal_place place, uint32_t code)
{
    for (size_t i = 0; i < proposal_row_count; i++) {
        const struct proposal_row *row = &proposal_rows[i];
        if (row->place == place && code >= row->first && code <= row->last)
            return row->name;
    }
    return NULL;
}
