/* SPDX-License-Identifier: Apache-2.0 */
/* Encodings that belong to proposals which S3N does not have, so that a refusal can say which.
 * Internal to wasm. */
#ifndef WASM_PROPOSALS_H
#define WASM_PROPOSALS_H

#include "core/compiler.h"

/* Where a number stands that 2.0 doesn't know. */
enum proposal_place {
    PROPOSAL_OPCODE,
    PROPOSAL_OPCODE_FB, /* behind this prefix byte */
    PROPOSAL_OPCODE_FC,
    PROPOSAL_OPCODE_FD,
    PROPOSAL_OPCODE_FE,
    PROPOSAL_VALUE_TYPE, /* and reference and heap types */
    PROPOSAL_TYPE_FORM,  /* of an entry of the type section */
    PROPOSAL_SECTION,
    PROPOSAL_EXTERNAL_KIND, /* of imports and exports */
    PROPOSAL_TABLE_FORM,    /* what stands for the element type of a table */
    PROPOSAL_MEMORY_FLAGS,  /* of limits */
    PROPOSAL_TABLE_FLAGS,
    PROPOSAL_ACCESS_FLAGS, /* alignment of loads and stores */
    PROPOSAL_MEMORY_INDEX,
};

struct proposal_row {
    enum proposal_place place;
    uint32_t first, last;
    const char *name;
};

extern const struct proposal_row proposal_rows[];
extern const size_t proposal_row_count;

/* The name of the proposal, or NULL when none is known. */
const char *proposal_name(enum proposal_place place, uint32_t code);

#endif
