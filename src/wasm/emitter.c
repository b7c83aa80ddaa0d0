/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/emitter.h"

#include "abi/layout.h"

#include <string.h>

void emitter_grow(struct emitter *emitter)
{
    uint8_t *room = NULL;
    if (!emitter->failed) {
        emitter->buffer->size = emitter->start + emitter->size;
        room = buffer_reserve(emitter->buffer, (emitter->size >> 1) + (1 << 16));
        if (room == NULL || emitter->size > LAYOUT_CODE_SIZE_MAX - (1 << 20))
            emitter->failed = true;
    }
    if (emitter->failed) {
        emitter->code = emitter->scrap;
        emitter->capacity = sizeof(emitter->scrap);
        emitter->size = 0;
        return;
    }
    emitter->code = emitter->buffer->data + emitter->start;
    emitter->capacity =
        (uint32_t)MIN(emitter->buffer->capacity - emitter->start, LAYOUT_CODE_SIZE_MAX);
}

void emit_bytes(struct emitter *emitter, const uint8_t *bytes, unsigned size)
{
    memcpy(emit_at(emitter), bytes, size);
    emitter->size += size;
}

void emit_align(struct emitter *emitter, unsigned power, uint8_t filler)
{
    uint8_t *at = emit_at(emitter);
    while ((emitter->size & (power - 1)) != 0) {
        *at++ = filler;
        emitter->size++;
    }
}

void emit_align_loop(struct emitter *emitter)
{
    enum {
        LINE = 64,
        NOP_MAX = 9
    };
    /* Intel's manual, "recommended multi-byte sequence of NOP". */
    static const uint8_t nops[NOP_MAX][NOP_MAX] = {
        { 0x90 },
        { 0x66, 0x90 },
        { 0x0f, 0x1f },
        { 0x0f, 0x1f, 0x40 },
        { 0x0f, 0x1f, 0x44 },
        { 0x66, 0x0f, 0x1f, 0x44 },
        { 0x0f, 0x1f, 0x80 },
        { 0x0f, 0x1f, 0x84 },
        { 0x66, 0x0f, 0x1f, 0x84 },
    };
    unsigned left = (0u - emitter->size) & (LINE - 1);
    while (left > 0) {
        unsigned size = MIN(left, (unsigned)NOP_MAX);
        emit_bytes(emitter, nops[size - 1], size);
        left -= size;
    }
}

static void put_u32(uint8_t *at, uint32_t number)
{
    memcpy(at, &number, sizeof(number));
}

static uint32_t get_u32(const uint8_t *at)
{
    uint32_t number;
    memcpy(&number, at, sizeof(number));
    return number;
}

void emit_fix(struct emitter *emitter, uint32_t at, struct target target)
{
    emitter->fixed_count++;
    if (emitter->failed)
        return;
    uint32_t value = target.address - (at + 4);
    if (target.chain != NULL) {
        value = *target.chain;
        *target.chain = at;
    }
    put_u32(emitter->code + at, value);
}

/* In a chain, a mark says that what waits is an entry of a jump table, which holds an address. */
#define CHAIN_TABLE 0x80000000u

static void put_address(const struct emitter *emitter, uint8_t *at, uint32_t offset)
{
    uint64_t address = emitter->base + offset;
    memcpy(at, &address, sizeof(address));
}

void emit_chain_here(struct emitter *emitter, uint32_t *chain)
{
    uint32_t at = *chain;
    emitter->fixed_count += at != CHAIN_END;
    if (at != CHAIN_END)
        emit_forget_flags(emitter);
    *chain = CHAIN_END;
    while (at != CHAIN_END && !emitter->failed) {
        uint8_t *code = emitter->code + (at & ~CHAIN_TABLE);
        uint32_t next = get_u32(code);
        if ((at & CHAIN_TABLE) == 0)
            put_u32(code, emitter->size - (at + 4));
        else
            put_address(emitter, code, emitter->size);
        at = next;
    }
}

void emit_table_entry(struct emitter *emitter, struct target target)
{
    uint8_t *at = emit_at(emitter);
    put_address(emitter, at, target.address);
    if (target.chain != NULL) {
        put_u32(at, *target.chain);
        *target.chain = emitter->size | CHAIN_TABLE;
    }
    emitter->size += TABLE_ENTRY;
}

void emit_table_fix(struct emitter *emitter, uint32_t table, uint32_t index)
{
    if (!emitter->failed)
        put_address(emitter, emitter->code + table + TABLE_ENTRY * index, emitter->size);
}

static void jump(struct emitter *emitter, uint8_t first, uint8_t second, struct target target)
{
    uint8_t *at = emit_at(emitter);
    unsigned size = 0;
    if (second != 0)
        at[size++] = first;
    at[size++] = second != 0 ? second : first;
    emitter->size += size + 4;
    emit_fix(emitter, emitter->size - 4, target);
}

void emit_jump(struct emitter *emitter, struct target target)
{
    jump(emitter, 0xe9, 0, target);
}

void emit_call(struct emitter *emitter, struct target target)
{
    jump(emitter, 0xe8, 0, target);
}

void emit_jump_if(struct emitter *emitter, unsigned condition, struct target target)
{
    jump(emitter, 0x0f, (uint8_t)(0x80 + condition), target);
}

bool emitter_grow_array(struct emitter *emitter, void **rows, uint32_t *capacity, size_t size)
{
    uint32_t doubled = *capacity == 0 ? 256 : *capacity * 2;
    void *larger = arena_array(emitter->arena, doubled, size);
    if (larger == NULL) {
        emitter->failed = true;
        return false;
    }
    if (*rows != NULL)
        memcpy(larger, *rows, *capacity * size);
    *rows = larger;
    *capacity = doubled;
    return true;
}

void emit_trap_row(struct emitter *emitter, uint32_t code_offset, uint32_t wasm_offset)
{
    if (emitter->trap_count == emitter->trap_capacity &&
        !emitter_grow_array(emitter, (void **)&emitter->traps, &emitter->trap_capacity,
                            sizeof(*emitter->traps)))
        return;
    emitter->traps[emitter->trap_count++] =
        (struct image_trap){ .code_offset = code_offset, .wasm_offset = wasm_offset };
}

void emit_again(struct emitter *emitter, uint32_t first, uint32_t end, uint32_t trap)
{
    uint32_t start = emitter->size, trap_end = emitter->trap_count;
    if (emitter->failed)
        return;
    for (; trap < trap_end && !emitter->failed; trap++) {
        struct image_trap row = emitter->traps[trap];
        if (row.code_offset >= end)
            break;
        emit_trap_row(emitter, row.code_offset - first + start, row.wasm_offset);
    }
    ASSERT(end - first <= EMITTER_ROOM);
    uint8_t *at = emit_at(emitter);
    if (emitter->failed)
        return;
    memcpy(at, emitter->code + first, end - first);
    emitter->size += end - first;
}

void emit_trap_point(struct emitter *emitter)
{
    emit_trap_row(emitter, emitter->size, emitter->wasm_offset);
}

void emit_unreachable(struct emitter *emitter, enum trap_reason reason)
{
    emit_trap_point(emitter);
    emit_bytes(emitter, (const uint8_t[]){ 0x0f, 0x0b, (uint8_t)reason }, 3);
}

static void add_trap_site(struct emitter *emitter, struct trap_site site)
{
    emitter->fixed_count++;
    if (emitter->trap_site_count == emitter->trap_site_capacity &&
        !emitter_grow_array(emitter, (void **)&emitter->trap_sites, &emitter->trap_site_capacity,
                            sizeof(site)))
        return;
    emitter->trap_sites[emitter->trap_site_count++] = site;
}

void emit_trap_if(struct emitter *emitter, unsigned condition, enum trap_reason reason,
                  enum trap_reason reason_if_null)
{
    uint8_t *at = emit_at(emitter);
    at[0] = 0x0f;
    at[1] = (uint8_t)(0x80 + condition);
    emitter->size += 6;
    add_trap_site(emitter, (struct trap_site){ .at = emitter->size - 4,
                                               .wasm_offset = emitter->wasm_offset,
                                               .reason = (uint8_t)reason,
                                               .extra = (uint8_t)reason_if_null });
}

void emit_float_site(struct emitter *emitter, uint64_t bits)
{
    emitter->fixed_count++;
    emitter->size += 4;
    if (emitter->float_site_count == emitter->float_site_capacity &&
        !emitter_grow_array(emitter, (void **)&emitter->float_sites, &emitter->float_site_capacity,
                            sizeof(*emitter->float_sites)))
        return;
    emitter->float_sites[emitter->float_site_count++] =
        (struct float_site){ .at = emitter->size - 4, .bits = bits };
}

void emit_nan_site(struct emitter *emitter, enum machine_type type, unsigned reg)
{
    uint8_t *at = emit_at(emitter);
    at[0] = 0x0f; /* jp */
    at[1] = 0x8a;
    emitter->size += 6;
    if (emitter->nan_site_count == emitter->nan_site_capacity &&
        !emitter_grow_array(emitter, (void **)&emitter->nan_sites, &emitter->nan_site_capacity,
                            sizeof(*emitter->nan_sites)))
        return;
    emitter->fixed_count++;
    emitter->nan_sites[emitter->nan_site_count++] =
        (struct nan_site){ .at = emitter->size - 4, .type = (uint8_t)type, .reg = (uint8_t)reg };
}

static void fill_hole(struct emitter *emitter, uint8_t *code, const uint8_t *patch,
                      const int32_t holes[3], struct target target)
{
    uint32_t at = emitter->size + patch[0];
    unsigned kind = patch[1];
    if (kind < PATCH_TAKEN) {
        if (kind < PATCH_A8)
            put_u32(code + patch[0], (uint32_t)holes[kind]);
        else
            code[patch[0]] = (uint8_t)holes[kind - PATCH_A8];
    } else if (kind == PATCH_TAKEN) {
        emit_fix(emitter, at, target);
    } else if (kind < PATCH_TRAP) {
        code[patch[0]] = (uint8_t)holes[kind - PATCH_A16];
        code[patch[0] + 1] = (uint8_t)(holes[kind - PATCH_A16] >> 8);
    } else if (kind < PATCH_POOL) {
        add_trap_site(emitter, (struct trap_site){ .at = at,
                                                   .wasm_offset = emitter->wasm_offset,
                                                   .reason = (uint8_t)(kind - PATCH_TRAP) });
    } else {
        emitter->fixed_count++;
        put_u32(code + patch[0], (kind - PATCH_POOL) * 4 - (at + 4));
    }
}

void emit_stencil(struct emitter *emitter, const struct stencil_form *const forms[2],
                  const int32_t holes[3], struct target target)
{
    uint32_t far =
        ((uint32_t)holes[0] + 128) | ((uint32_t)holes[1] + 128) | ((uint32_t)holes[2] + 128);
    const struct stencil_form *form = forms[far < 256];
    uint8_t *code = emit_at(emitter);
    const uint8_t *from = stencil_code_of(form);
    memcpy(code, from, 32);
    if (form->size > 32)
        memcpy(code + 32, from + 32, form->size - 32u);
    const uint8_t *patch = stencil_patches_of(form);
    for (unsigned i = 0; i < (form->patch_count & STENCIL_PATCH_COUNT); i++, patch += 2)
        fill_hole(emitter, code, patch, holes, target);
    emitter->size += form->size;
}

static void emit_trap_island(struct emitter *emitter, const struct trap_site *site)
{
    emit_fix(emitter, site->at, (struct target){ .address = emitter->size });
    emit_trap_row(emitter, emitter->size, site->wasm_offset);
    if (site->extra != 0) { /* cmp qword [r10], 0; jne +3; ud2 */
        emit_bytes(emitter,
                   (const uint8_t[]){ 0x49, 0x83, 0x3a, 0, 0x75, 3, 0x0f, 0x0b, site->extra }, 9);
    }
    emit_bytes(emitter, (const uint8_t[]){ 0x0f, 0x0b, site->reason }, 3);
}

void emit_islands(struct emitter *emitter)
{
    for (uint32_t i = 0; i < emitter->trap_site_count && !emitter->failed; i++) {
        emit_at(emitter);
        emit_trap_island(emitter, &emitter->trap_sites[i]);
    }
    emitter->trap_site_count = 0;
    for (uint32_t i = 0; i < emitter->nan_site_count && !emitter->failed; i++) {
        const struct nan_site *site = &emitter->nan_sites[i];
        enum machine_type type = site->type;
        emit_fix(emitter, site->at, (struct target){ .address = emitter->size });
        emit_constant(emitter, type, site->reg,
                      type == MACHINE_F32 ? 0x7fc00000u : 0x7ff8000000000000u);
        emit_jump(emitter, (struct target){ .address = site->at + 4 });
    }
    emitter->nan_site_count = 0;
    if (emitter->vector_site_count != 0)
        emit_vector_islands(emitter);
    if (emitter->float_site_count == 0)
        return;
    emit_align(emitter, 8, 0xcc);
    uint32_t first = emitter->size;
    for (uint32_t i = 0; i < emitter->float_site_count && !emitter->failed; i++) {
        const struct float_site *site = &emitter->float_sites[i];
        uint8_t *at = emit_at(emitter);
        uint32_t place = emitter->size;
        uint32_t oldest = place - MIN(place - first, 8u * 16);
        while (place > oldest && memcmp(emitter->code + place - 8, &site->bits, 8) != 0)
            place -= 8;
        bool is_known = place > oldest;
        place = is_known ? place - 8 : emitter->size;
        if (!is_known) {
            memcpy(at, &site->bits, 8);
            emitter->size += 8;
        }
        emit_fix(emitter, site->at, (struct target){ .address = place });
    }
    emitter->float_site_count = 0;
}
