/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/emitter.h"

#include <string.h>

void emit_access(struct emitter *emitter, struct access access, unsigned reg, unsigned index,
                 int32_t displacement)
{
    enum {
        EXTENDS_INDEX = 2, /* REX.X */
        SIB = 4,
        NEEDS_DISPLACEMENT = 5 /* low bits of such a base */
    };
    uint8_t *at = emit_at(emitter);
    bool has_index = index != REGISTER_NONE;
    unsigned number = access.is_extension ? reg : emitter_number(reg);
    /* The address is the base and r13 the index: then no displacement needs no byte. */
    unsigned base = has_index ? emitter_number(index) : (unsigned)MEMORY_REGISTER;
    bool is_byte = displacement >= -128 && displacement < 128;
    bool is_bare = displacement == 0 && (base & 7) != NEEDS_DISPLACEMENT;
    unsigned mode = is_bare ? 0 : is_byte ? 0x40 : 0x80;
    unsigned size = 0;
    if (access.is_half)
        at[size++] = 0x66;
    at[size++] = (uint8_t)(0x40 | (access.is_wide ? 8u : 0) | number >> 3 << 2 |
                           (has_index ? (unsigned)EXTENDS_INDEX : 0) | base >> 3);
    if (access.is_long)
        at[size++] = 0x0f;
    at[size++] = access.opcode;
    at[size++] = (uint8_t)(mode | (number & 7) << 3 | (has_index ? (unsigned)SIB : base & 7));
    if (has_index)
        at[size++] = (uint8_t)((MEMORY_REGISTER & 7) << 3 | (base & 7));
    memcpy(at + size, &displacement, 4);
    emitter->size += size + (is_bare ? 0 : is_byte ? 1 : 4);
}

void emit_set_if(struct emitter *emitter, unsigned condition, unsigned to)
{
    unsigned number = emitter_number(to);
    emit_bytes(emitter,
               (const uint8_t[]){ (uint8_t)(0x40 | number >> 3), 0x0f, (uint8_t)(0x90 + condition),
                                  (uint8_t)(0xc0 | (number & 7)) },
               4);
}

void emit_widen_low(struct emitter *emitter, unsigned bits, unsigned to, unsigned from)
{
    unsigned reg = emitter_number(to), rm = emitter_number(from);
    emit_bytes(emitter,
               (const uint8_t[]){ (uint8_t)(0x40 | reg >> 3 << 2 | rm >> 3), 0x0f,
                                  bits == 8 ? 0xb6 : 0xb7,
                                  (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7)) },
               4);
}

void emit_add_sign(struct emitter *emitter, unsigned to, unsigned from)
{
    unsigned rm = emitter_number(from), reg = emitter_number(to);
    /* bt from, 31; adc to, 0 */
    emit_bytes(emitter,
               (const uint8_t[]){ (uint8_t)(0x40 | rm >> 3), 0x0f, 0xba, (uint8_t)(0xe0 | (rm & 7)),
                                  31, (uint8_t)(0x40 | reg >> 3), 0x83, (uint8_t)(0xd0 | (reg & 7)),
                                  0 },
               9);
}
