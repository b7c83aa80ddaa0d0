/* SPDX-License-Identifier: Apache-2.0 */
/* Vector instructions.  Encodings: Intel's manual, volume 2. */
#include "wasm/emitter.h"

#include <string.h>

enum {
    VECTOR_SIZE = 16,
    MODE_RIP = 5, /* ModRM: [rip + displacement] */
    MODE_SIB = 4,
    NO_INDEX = 4
};

static unsigned number_of(unsigned reg)
{
    return reg == REGISTER_NONE ? 0 : emitter_number(reg);
}

/* Prefix and opcode; the high bits of ModRM's fields are given apart.  Returns the bytes written.
 */
static unsigned put_vex(uint8_t *at, struct vex vex, unsigned reg, unsigned second, unsigned index,
                        unsigned base)
{
    unsigned size = 0;
    unsigned rest = (~second & 15) << 3 | vex.prefix;
    unsigned high = reg < 8 ? 0x80 : 0;
    if (vex.map == 1 && !vex.is_wide && index < 8 && base < 8) {
        at[size++] = 0xc5;
        at[size++] = (uint8_t)(high | rest);
    } else {
        at[size++] = 0xc4;
        at[size++] = (uint8_t)(high | (index < 8 ? 0x40 : 0) | (base < 8 ? 0x20 : 0) | vex.map);
        at[size++] = (uint8_t)((vex.is_wide ? 0x80 : 0) | rest);
    }
    at[size++] = vex.opcode;
    return size;
}

void emit_byte(struct emitter *emitter, uint8_t byte)
{
    *emit_at(emitter) = byte;
    emitter->size++;
}

static void put_registers(struct emitter *emitter, struct vex vex, unsigned reg, unsigned second,
                          unsigned rm)
{
    uint8_t *at = emit_at(emitter);
    unsigned size = put_vex(at, vex, reg, second, 0, rm);
    at[size] = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
    emitter->size += size + 1;
}

void emit_vector_registers(struct emitter *emitter, struct vex vex, unsigned reg, unsigned second,
                           unsigned rm)
{
    put_registers(emitter, vex, number_of(reg), number_of(second), number_of(rm));
}

void emit_vector_extended(struct emitter *emitter, struct vex vex, unsigned extension, unsigned to,
                          unsigned rm)
{
    put_registers(emitter, vex, extension, number_of(to), number_of(rm));
}

/* [base + displacement], or with an index; the base's number isn't 0 to 3. */
static void put_memory(struct emitter *emitter, struct vex vex, const unsigned registers[2],
                       unsigned base, unsigned index, int32_t displacement)
{
    uint8_t *at = emit_at(emitter);
    unsigned reg = number_of(registers[0]);
    unsigned size = put_vex(at, vex, reg, number_of(registers[1]), index, base);
    bool is_short = displacement >= -128 && displacement < 128;
    bool has_sib = index != NO_INDEX || (base & 7) == NO_INDEX;
    at[size++] = (uint8_t)((is_short ? 0x40 : 0x80) | (reg & 7) << 3 |
                           (has_sib ? (unsigned)MODE_SIB : base & 7));
    if (has_sib)
        at[size++] = (uint8_t)((index & 7) << 3 | (base & 7));
    memcpy(at + size, &displacement, 4);
    emitter->size += size + (is_short ? 1 : 4);
}

void emit_vector_slot(struct emitter *emitter, struct vex vex, unsigned reg, unsigned second,
                      int32_t displacement)
{
    put_memory(emitter, vex, (const unsigned[2]){ reg, second }, FRAME_REGISTER, NO_INDEX,
               displacement);
}

void emit_vector_memory(struct emitter *emitter, struct vex vex, unsigned reg, unsigned second,
                        unsigned index, int32_t displacement)
{
    put_memory(emitter, vex, (const unsigned[2]){ reg, second }, MEMORY_REGISTER,
               index == REGISTER_NONE ? (unsigned)NO_INDEX : emitter_number(index), displacement);
}

static void add_site(struct emitter *emitter, const uint8_t *bytes, unsigned tail)
{
    emitter->size += 4;
    if (emitter->vector_site_count == emitter->vector_site_capacity &&
        !emitter_grow_array(emitter, (void **)&emitter->vector_sites,
                            &emitter->vector_site_capacity, sizeof(*emitter->vector_sites)))
        return;
    emitter->fixed_count++;
    emitter->vector_sites[emitter->vector_site_count++] =
        (struct vector_site){ .at = emitter->size - 4, .tail = tail, .bytes = bytes };
}

void emit_vector_constant(struct emitter *emitter, struct vex vex, unsigned reg, unsigned second,
                          const uint8_t bytes[16], unsigned tail)
{
    uint8_t *at = emit_at(emitter);
    unsigned number = number_of(reg);
    unsigned size = put_vex(at, vex, number, number_of(second), 0, 0);
    at[size] = (uint8_t)((number & 7) << 3 | MODE_RIP);
    emitter->size += size + 1;
    add_site(emitter, bytes, tail);
}

void emit_vector_load_constant(struct emitter *emitter, unsigned to, const uint8_t bytes[16])
{
    static const struct vex pcmpeqd = { 1, 1, 0x76, false }, movups = { 1, 0, 0x10, false };
    uint8_t ones[VECTOR_SIZE];
    memset(ones, 0xff, sizeof(ones));
    if (memcmp(bytes, ones, VECTOR_SIZE) == 0)
        emit_vector_registers(emitter, pcmpeqd, to, to, to);
    else
        emit_vector_constant(emitter, movups, to, REGISTER_NONE, bytes, 0);
}

void emit_condition(struct emitter *emitter, unsigned condition, unsigned to)
{
    unsigned number = emitter_number(to);
    uint8_t rex = (uint8_t)(0x40 | number >> 3), modrm = (uint8_t)(0xc0 | (number & 7));
    emit_bytes(emitter, (const uint8_t[]){ rex, 0x0f, (uint8_t)(0x90 + condition), modrm }, 4);
    rex = (uint8_t)(rex | number >> 3 << 2);
    modrm = (uint8_t)(modrm | (number & 7) << 3);
    emit_bytes(emitter, (const uint8_t[]){ rex, 0x0f, 0xb6, modrm }, 4);
}

void emit_sign_extend(struct emitter *emitter, unsigned bits, unsigned to)
{
    unsigned number = emitter_number(to);
    uint8_t rex = (uint8_t)(0x40 | number >> 3 << 2 | number >> 3);
    uint8_t modrm = (uint8_t)(0xc0 | (number & 7) << 3 | (number & 7));
    emit_bytes(emitter, (const uint8_t[]){ rex, 0x0f, bits == 8 ? 0xbe : 0xbf, modrm }, 4);
}

void emit_vector_pool(struct emitter *emitter)
{
    if (emitter->vector_pool != 0)
        return;
    struct bytes constants = vector_stencil_constants();
    emit_align(emitter, VECTOR_SIZE, 0xcc);
    emitter->vector_pool = emitter->size;
    for (size_t at = 0; at < constants.size; at += VECTOR_SIZE) {
        struct bytes part = bytes_part(constants, at, VECTOR_SIZE);
        emit_bytes(emitter, part.data, (unsigned)part.size);
    }
}

void emit_vector_stencil(struct emitter *emitter, const struct vector_stencil *stencil)
{
    uint8_t *code = emit_at(emitter);
    memcpy(code, stencil->code, stencil->size);
    for (unsigned i = 0; i < stencil->patch_count; i++) {
        uint32_t at = stencil->patches[2 * i];
        uint32_t place = emitter->vector_pool + 4 * (uint32_t)stencil->patches[2 * i + 1];
        uint32_t distance;
        memcpy(&distance, code + at, sizeof(distance)); /* less what follows it */
        distance += place - (emitter->size + at + 4);
        memcpy(code + at, &distance, sizeof(distance));
    }
    emitter->fixed_count += stencil->patch_count;
    emitter->size += stencil->size;
}

/* Equal constants near each other are kept once. */
void emit_vector_islands(struct emitter *emitter)
{
    enum {
        LOOK_BACK = 16
    };
    emit_align(emitter, VECTOR_SIZE, 0xcc);
    uint32_t first = emitter->size;
    for (uint32_t i = 0; i < emitter->vector_site_count && !emitter->failed; i++) {
        const struct vector_site *site = &emitter->vector_sites[i];
        uint8_t *at = emit_at(emitter);
        uint32_t end = emitter->size;
        uint32_t oldest = end - MIN(end - first, (uint32_t)(VECTOR_SIZE * LOOK_BACK));
        uint32_t place = oldest;
        while (place < end && memcmp(emitter->code + place, site->bytes, VECTOR_SIZE) != 0)
            place += VECTOR_SIZE;
        if (place == end && !emitter->failed) {
            memcpy(at, site->bytes, VECTOR_SIZE);
            emitter->size += VECTOR_SIZE;
        }
        emit_fix(emitter, site->at, (struct target){ .address = place - site->tail });
    }
    emitter->vector_site_count = 0;
}

void emit_vector_count(struct emitter *emitter, uint8_t mask)
{
    emit_bytes(emitter, (const uint8_t[]){ 0x41, 0x83, 0xe2, mask, 0xc4, 0x41, 0x79, 0x6e, 0xc2 },
               9);
}
