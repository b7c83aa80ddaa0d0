/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/stencils.h"

struct vector_entry {
    uint16_t key; /* opcode in bits 4-11, a in 2-3, b in 0-1; ascending */
    uint16_t code;
    uint16_t patches;
    uint8_t size;
    uint8_t patch_count;
};

#include "wasm/stencils_simd.inc"

bool vector_stencil_find(unsigned opcode, unsigned a, unsigned b, struct vector_stencil *stencil)
{
    unsigned key = opcode << 4 | a << 2 | b;
    size_t low = 0, high = ARRAY_COUNT(vector_entries);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (vector_entries[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == ARRAY_COUNT(vector_entries) || vector_entries[low].key != key)
        return false;
    const struct vector_entry *entry = &vector_entries[low];
    *stencil = (struct vector_stencil){ .code = vector_code + entry->code,
                                        .patches = vector_patches + entry->patches,
                                        .size = entry->size,
                                        .patch_count = entry->patch_count };
    return true;
}

struct bytes vector_stencil_constants(void)
{
    return BYTES_OF(vector_constants);
}
