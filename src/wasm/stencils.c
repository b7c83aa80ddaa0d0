/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/stencils.h"

struct stencil_family {
    uint32_t base; /* first index of the operation */
    uint8_t count_b;
    uint8_t count_d;
    uint8_t shape;
};

struct stencil_entry {
    uint32_t index; /* base + (a * count_b + b) * count_d + d */
    uint16_t form;
    uint16_t short_form;
};

#define STENCIL_WANT_TABLES
#define STENCIL_WANT_NAMES
#include "wasm/stencils.inc"

struct stencils {
    uint16_t entries[STENCIL_INDEX_SIZE]; /* entry + 1, 0: none */
};

stencil_recorder *stencil_record;

const struct stencils *stencils_new(struct arena *arena)
{
    _Static_assert(STENCIL_ENTRY_COUNT < UINT16_MAX && STENCIL_FORM_COUNT < UINT16_MAX,
                   "numbers of stencils fit their fields");
    struct stencils *stencils = arena_take(arena, sizeof(*stencils));
    if (stencils == NULL)
        return NULL;
    for (uint32_t i = 0; i < STENCIL_ENTRY_COUNT; i++)
        stencils->entries[stencil_entries[i].index] = (uint16_t)(i + 1);
    return stencils;
}

enum stencil_shape stencil_shape_of(unsigned operation)
{
    return (enum stencil_shape)stencil_families[operation].shape;
}

static char kind_letter(unsigned kind, unsigned count)
{
    if (count <= 1)
        return '-';
    bool is_slot = kind == (count == STENCIL_FLOAT_REGISTERS + 1 ? STENCIL_KIND_FLOAT_SLOT
                                                                 : STENCIL_KIND_SLOT);
    return is_slot ? 's' : kind == STENCIL_KIND_CONSTANT ? 'c' : (char)('0' + kind);
}

static void record(unsigned operation, const unsigned kinds[3])
{
    static const uint8_t float_sources[] = { SHAPE_FLOAT_BINARY, SHAPE_FLOAT_UNARY,
                                             SHAPE_FLOAT_COMPARE, SHAPE_FLOAT_BRANCH,
                                             SHAPE_TO_INTEGER };
    const struct stencil_family *family = &stencil_families[operation];
    unsigned count_a = STENCIL_KIND_CONSTANT + 1;
    for (size_t i = 0; i < sizeof(float_sources); i++) {
        if (family->shape == float_sources[i])
            count_a = STENCIL_FLOAT_REGISTERS + 1;
    }
    char letters[4] = { kind_letter(kinds[0], count_a), kind_letter(kinds[1], family->count_b),
                        family->count_d == 1 ? '-' : (char)('0' + kinds[2]), 0 };
    stencil_record(stencil_names[operation], letters);
}

bool stencil_find(const struct stencils *stencils, unsigned operation, const unsigned kinds[3],
                  const struct stencil_form *forms[2])
{
    const struct stencil_family *family = &stencil_families[operation];
    uint32_t index =
        family->base + (kinds[0] * family->count_b + kinds[1]) * family->count_d + kinds[2];
    uint32_t entry = stencils->entries[index];
    if (stencil_record != NULL) {
        record(operation, kinds);
        entry = entry == 0 ? 1 : entry;
    }
    if (entry == 0)
        return false;
    forms[0] = &stencil_forms[stencil_entries[entry - 1].form];
    forms[1] = &stencil_forms[stencil_entries[entry - 1].short_form];
    return true;
}

const uint8_t *stencil_code_of(const struct stencil_form *form)
{
    return stencil_code + form->code;
}

const uint8_t *stencil_patches_of(const struct stencil_form *form)
{
    return stencil_patches + form->patches;
}

struct bytes stencil_constants(void)
{
    return BYTES_OF(stencil_pool);
}
