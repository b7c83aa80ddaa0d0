/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/emitter.h"

#include <string.h>

/* Encodings: Intel's manual, volume 2.  r10 is no register of the compiler: stencils and moves may
 * destroy it at any time. */
enum {
    SCRATCH = 10,
    LOOP_MIN = 64, /* slots; a loop clears more */
    VEX_PS = 0,    /* pp: packed floats, one float, one double */
    VEX_SS = 2,
    VEX_SD = 3,
};

static const uint8_t machine[INTEGER_REGISTER_COUNT + 1] = { 0, 2,  1,  7, 6, 8,
                                                             9, 11, 15, 3, 5, SCRATCH };

unsigned emitter_number(unsigned reg)
{
    return reg < FLOAT_BASE ? machine[reg] : reg - FLOAT_BASE;
}

/* ModRM and what follows for [base + displacement]; returns the bytes written. */
static unsigned put_memory(uint8_t *at, unsigned reg, unsigned base, int32_t displacement)
{
    unsigned size = 0;
    bool is_short = displacement >= -128 && displacement < 128;
    at[size++] = (uint8_t)((is_short ? 0x40 : 0x80) | (reg & 7) << 3 | (base & 7));
    if ((base & 7) == 4)
        at[size++] = 0x24;
    if (is_short) {
        at[size++] = (uint8_t)displacement;
        return size;
    }
    memcpy(at + size, &displacement, 4);
    return size + 4;
}

static void integer_memory(struct emitter *emitter, uint8_t opcode, bool is_wide, unsigned reg,
                           unsigned base, int32_t displacement)
{
    uint8_t *at = emit_at(emitter);
    at[0] = (uint8_t)(0x40 | (is_wide ? 8 : 0) | (reg >> 3) << 2 | (base >> 3));
    at[1] = opcode;
    emitter->size += 2 + put_memory(at + 2, reg, base, displacement);
}

static unsigned prefix_of(enum machine_type type)
{
    return type == MACHINE_F32 ? VEX_SS : type == MACHINE_F64 ? VEX_SD : VEX_PS;
}

/* VEX prefix and opcode of a scalar instruction; `is_high` for the register or base in ModRM.rm.
 * Register arguments are numbers of xmm registers.  Returns the bytes written. */
static unsigned put_vex(uint8_t *at, uint8_t opcode, unsigned pp, unsigned reg, unsigned second,
                        bool is_high)
{
    unsigned size = 0;
    unsigned high = reg >= 8 ? 0 : 0x80;
    unsigned rest = (~second & 15) << 3 | pp;
    if (is_high) {
        at[size++] = 0xc4;
        at[size++] = (uint8_t)(high | 0x41);
        at[size++] = (uint8_t)rest;
    } else {
        at[size++] = 0xc5;
        at[size++] = (uint8_t)(high | rest);
    }
    at[size++] = opcode;
    return size;
}

static void float_memory(struct emitter *emitter, uint8_t opcode, enum machine_type type,
                         unsigned reg, unsigned second, unsigned base, int32_t displacement)
{
    uint8_t *at = emit_at(emitter);
    unsigned size = put_vex(at, opcode, prefix_of(type), reg, second, base >= 8);
    emitter->size += size + put_memory(at + size, reg, base, displacement);
}

static void float_registers(struct emitter *emitter, uint8_t opcode, unsigned pp, unsigned reg,
                            unsigned second, unsigned rm)
{
    uint8_t *at = emit_at(emitter);
    unsigned size = put_vex(at, opcode, pp, reg, second, rm >= 8);
    at[size] = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
    emitter->size += size + 1;
}

void emit_float_registers(struct emitter *emitter, uint8_t opcode, enum machine_type type,
                          unsigned to, unsigned a, unsigned b)
{
    float_registers(emitter, opcode, prefix_of(type), to - FLOAT_BASE, a - FLOAT_BASE,
                    b - FLOAT_BASE);
}

void emit_float_slot(struct emitter *emitter, uint8_t opcode, enum machine_type type, unsigned to,
                     unsigned a, int32_t displacement)
{
    float_memory(emitter, opcode, type, to - FLOAT_BASE, a - FLOAT_BASE, FRAME_REGISTER,
                 displacement);
}

void emit_float_constant(struct emitter *emitter, uint8_t opcode, enum machine_type type,
                         unsigned to, unsigned a, uint64_t bits)
{
    uint8_t *at = emit_at(emitter);
    unsigned reg = to - FLOAT_BASE;
    unsigned size = put_vex(at, opcode, prefix_of(type), reg, a - FLOAT_BASE, false);
    at[size] = (uint8_t)((reg & 7) << 3 | 5); /* [rip + constants behind the function] */
    emitter->size += size + 1;
    emit_float_site(emitter, bits);
}

void emit_constant(struct emitter *emitter, enum machine_type type, unsigned to, uint64_t bits)
{
    enum {
        XORPS = 0x57,
        MOV = 0x10
    };
    unsigned number = to - FLOAT_BASE;
    if (to < FLOAT_BASE)
        emit_integer_constant(emitter, to, bits);
    else if (bits == 0)
        float_registers(emitter, XORPS, VEX_PS, number, number, number);
    else if (type == MACHINE_V128)
        emit_vector_load_constant(emitter, to, (const uint8_t *)(uintptr_t)bits);
    else
        emit_float_constant(emitter, MOV, type, to, FLOAT_BASE, bits);
}

void emit_canonical_nan(struct emitter *emitter, enum machine_type type, unsigned reg)
{
    enum {
        UCOMIS = 0x2e,
        VEX_PD = 1
    };
    unsigned number = reg - FLOAT_BASE;
    float_registers(emitter, UCOMIS, type == MACHINE_F32 ? VEX_PS : VEX_PD, number, 0, number);
    emit_nan_site(emitter, type, reg);
}

static bool is_wide(enum machine_type type)
{
    return type == MACHINE_I64;
}

/* REX only where it says something. */
static void integer_registers(struct emitter *emitter, uint8_t opcode, bool wide, unsigned reg,
                              unsigned rm)
{
    uint8_t *at = emit_at(emitter);
    unsigned rex = (wide ? 8u : 0) | (reg >> 3) << 2 | rm >> 3;
    unsigned size = 0;
    if (rex != 0)
        at[size++] = (uint8_t)(0x40 | rex);
    at[size++] = opcode;
    at[size++] = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
    emitter->size += size;
}

void emit_move(struct emitter *emitter, enum machine_type type, unsigned to, unsigned from)
{
    if (to == from)
        return;
    if (to < FLOAT_BASE) {
        integer_registers(emitter, 0x89, is_wide(type), machine[from], machine[to]);
        return;
    }
    float_registers(emitter, 0x28, VEX_PS, to - FLOAT_BASE, 0, from - FLOAT_BASE); /* vmovaps */
}

void emit_load(struct emitter *emitter, enum machine_type type, unsigned to, unsigned base,
               int32_t displacement)
{
    if (to < FLOAT_BASE)
        integer_memory(emitter, 0x8b, is_wide(type), machine[to], base, displacement);
    else
        float_memory(emitter, 0x10, type, to - FLOAT_BASE, 0, base, displacement);
}

void emit_store(struct emitter *emitter, enum machine_type type, unsigned from, unsigned base,
                int32_t displacement)
{
    /* An i32 fills its slot, since its register is zero-extended; an f32 leaves the upper half. */
    if (from < FLOAT_BASE)
        integer_memory(emitter, 0x89, true, machine[from], base, displacement);
    else
        float_memory(emitter, 0x11, type, from - FLOAT_BASE, 0, base, displacement);
}

void emit_integer_constant(struct emitter *emitter, unsigned to, uint64_t bits)
{
    unsigned number = machine[to];
    if (bits == 0) {
        integer_registers(emitter, 0x31, false, number, number);
        return;
    }
    uint8_t *at = emit_at(emitter);
    unsigned size = 0;
    if (bits <= UINT32_MAX) {
        if (number >= 8)
            at[size++] = 0x41;
        at[size++] = (uint8_t)(0xb8 + (number & 7));
        memcpy(at + size, &bits, 4);
        emitter->size += size + 4;
    } else if ((uint64_t)(int64_t)(int32_t)(uint32_t)bits == bits) {
        at[0] = (uint8_t)(0x48 + (number >> 3));
        at[1] = 0xc7;
        at[2] = (uint8_t)(0xc0 + (number & 7));
        memcpy(at + 3, &bits, 4);
        emitter->size += 7;
    } else {
        at[0] = (uint8_t)(0x48 + (number >> 3));
        at[1] = (uint8_t)(0xb8 + (number & 7));
        memcpy(at + 2, &bits, 8);
        emitter->size += 10;
    }
}

void emit_copy(struct emitter *emitter, unsigned base, int32_t to, int32_t from)
{
    if (base == FRAME_REGISTER && to == from)
        return;
    integer_memory(emitter, 0x8b, true, SCRATCH, FRAME_REGISTER, from);
    integer_memory(emitter, 0x89, true, SCRATCH, base, to);
}

void emit_store_constant(struct emitter *emitter, unsigned base, int32_t displacement,
                         uint64_t bits)
{
    int32_t low = (int32_t)(uint32_t)bits;
    if ((uint64_t)(int64_t)low == bits) {
        integer_memory(emitter, 0xc7, true, 0, base, displacement);
        memcpy(emit_at(emitter), &low, 4);
        emitter->size += 4;
        return;
    }
    emit_scratch_constant(emitter, bits);
    integer_memory(emitter, 0x89, true, SCRATCH, base, displacement);
}

/* Clears `quads` times 32 bytes; ymm0 is zero. */
static void zero_loop(struct emitter *emitter, uint32_t first, uint32_t quads)
{
    enum {
        RDX = 2
    };
    /* mov ecx, quads; vmovups [rdx], ymm0; add rdx, 32; dec ecx; jnz back */
    uint8_t head[5] = { 0xb9 };
    static const uint8_t body[] = { 0xc5, 0xfc, 0x11, 0x02, 0x48, 0x83,
                                    0xc2, 0x20, 0xff, 0xc9, 0x75, 0xf4 };
    memcpy(head + 1, &quads, 4);
    emit_frame_address(emitter, RDX, (int32_t)(first * 8 - emitter->bias));
    emit_bytes(emitter, head, sizeof(head));
    emit_bytes(emitter, body, sizeof(body));
}

void emit_zero_slots(struct emitter *emitter, uint32_t first, uint32_t count)
{
    if (count >= 2) { /* vxorps xmm0, xmm0, xmm0 clears ymm0 */
        emit_bytes(emitter, (const uint8_t[]){ 0xc5, 0xf8, 0x57, 0xc0 }, 4);
    }
    if (count >= LOOP_MIN) {
        zero_loop(emitter, first, count / 4);
        first += count / 4 * 4;
        count %= 4;
    }
    while (count > 0) {
        unsigned step = count >= 4 ? 4 : count >= 2 ? 2 : 1;
        int32_t displacement = (int32_t)(first * 8 - emitter->bias);
        if (step == 1) {
            emit_store_constant(emitter, FRAME_REGISTER, displacement, 0);
        } else {
            uint8_t *at = emit_at(emitter); /* vmovups [r12 + displacement], ymm0 or xmm0 */
            at[0] = 0xc4;
            at[1] = 0xc1;
            at[2] = step == 4 ? 0x7c : 0x78;
            at[3] = 0x11;
            emitter->size += 4 + put_memory(at + 4, 0, FRAME_REGISTER, displacement);
        }
        first += step;
        count -= step;
    }
}

/* After add, or, and, sub or xor: the last thing that changed the flags. */
static void note_flags(struct emitter *emitter, unsigned extension, bool wide, unsigned reg)
{
    enum {
        ADC = 2,
        SBB = 3,
        CMP = 7
    };
    if (extension == ADC || extension == SBB || extension >= CMP)
        return;
    emitter->flags_at = emitter->size;
    emitter->flags_reg = (uint8_t)reg;
    emitter->flags_wide = wide;
}

bool emit_knows_zero(const struct emitter *emitter, unsigned reg, bool wide)
{
    /* What is 32 bits wide has zeros above. */
    return emitter->flags_at == emitter->size && emitter->flags_reg == reg && emitter->size != 0 &&
           (wide || !emitter->flags_wide);
}

void emit_integer_registers(struct emitter *emitter, uint8_t opcode, bool wide, unsigned reg,
                            unsigned rm)
{
    integer_registers(emitter, opcode, wide, machine[reg], machine[rm]);
    if ((opcode & 0xc7) == 0x01)
        note_flags(emitter, opcode >> 3, wide, rm);
}

void emit_integer_slot(struct emitter *emitter, uint8_t opcode, bool wide, unsigned reg,
                       int32_t displacement)
{
    integer_memory(emitter, opcode, wide, machine[reg], FRAME_REGISTER, displacement);
    if ((opcode & 0xc7) == 0x03)
        note_flags(emitter, opcode >> 3, wide, reg);
}

void emit_move_if(struct emitter *emitter, unsigned condition, bool wide, unsigned to,
                  unsigned from)
{
    uint8_t *at = emit_at(emitter);
    unsigned reg = machine[to], rm = machine[from];
    at[0] = (uint8_t)(0x40 | (wide ? 8u : 0) | (reg >> 3) << 2 | rm >> 3);
    at[1] = 0x0f;
    at[2] = (uint8_t)(0x40 + condition);
    at[3] = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
    emitter->size += 4;
}

void emit_load_if(struct emitter *emitter, unsigned condition, bool wide, unsigned to,
                  int32_t displacement)
{
    uint8_t *at = emit_at(emitter);
    unsigned reg = machine[to];
    at[0] = (uint8_t)(0x40 | (wide ? 8u : 0) | (reg >> 3) << 2 | FRAME_REGISTER >> 3);
    at[1] = 0x0f;
    at[2] = (uint8_t)(0x40 + condition);
    emitter->size += 3 + put_memory(at + 3, reg, FRAME_REGISTER, displacement);
}

void emit_negate(struct emitter *emitter, bool wide, unsigned rm)
{
    integer_registers(emitter, 0xf7, wide, 3, machine[rm]);
}

void emit_multiply(struct emitter *emitter, bool wide, unsigned to, unsigned from)
{
    uint8_t *at = emit_at(emitter);
    unsigned reg = machine[to], rm = machine[from];
    at[0] = (uint8_t)(0x40 | (wide ? 8u : 0) | (reg >> 3) << 2 | rm >> 3);
    at[1] = 0x0f;
    at[2] = 0xaf;
    at[3] = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
    emitter->size += 4;
}

static void put_immediate(struct emitter *emitter, int32_t number, bool is_short)
{
    memcpy(emit_at(emitter), &number, 4);
    emitter->size += is_short ? 1 : 4;
}

static bool is_byte(int32_t number)
{
    return number >= -128 && number < 128;
}

void emit_integer_immediate(struct emitter *emitter, unsigned extension, bool wide, unsigned rm,
                            int32_t number)
{
    integer_registers(emitter, is_byte(number) ? 0x83 : 0x81, wide, extension, machine[rm]);
    put_immediate(emitter, number, is_byte(number));
    note_flags(emitter, extension, wide, rm);
}

void emit_compare_slot(struct emitter *emitter, bool wide, int32_t displacement, int32_t number)
{
    integer_memory(emitter, is_byte(number) ? 0x83 : 0x81, wide, 7, FRAME_REGISTER, displacement);
    put_immediate(emitter, number, is_byte(number));
}

void emit_multiply_immediate(struct emitter *emitter, bool wide, unsigned to, unsigned from,
                             int32_t number)
{
    integer_registers(emitter, is_byte(number) ? 0x6b : 0x69, wide, machine[to], machine[from]);
    put_immediate(emitter, number, is_byte(number));
}

void emit_test_immediate(struct emitter *emitter, bool wide, unsigned rm, int32_t number)
{
    integer_registers(emitter, 0xf7, wide, 0, machine[rm]);
    put_immediate(emitter, number, false);
}

void emit_shift(struct emitter *emitter, unsigned extension, bool wide, unsigned rm, uint8_t count)
{
    integer_registers(emitter, 0xc1, wide, extension, machine[rm]);
    *emit_at(emitter) = count;
    emitter->size++;
}

/* rorx up to its ModRM byte; returns the bytes written. */
static unsigned put_rorx(uint8_t *at, bool wide, unsigned to, unsigned from)
{
    at[0] = 0xc4;
    at[1] = (uint8_t)((to >= 8 ? 0 : 0x80) | 0x40 | (from >= 8 ? 0 : 0x20) | 3);
    at[2] = wide ? 0xfb : 0x7b;
    at[3] = 0xf0;
    return 4;
}

void emit_rotate(struct emitter *emitter, bool wide, unsigned to, unsigned from, uint8_t count)
{
    uint8_t *at = emit_at(emitter);
    unsigned reg = machine[to], rm = machine[from];
    unsigned size = put_rorx(at, wide, reg, rm);
    at[size++] = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
    at[size++] = count;
    emitter->size += size;
}

void emit_rotate_slot(struct emitter *emitter, bool wide, unsigned to, int32_t displacement,
                      uint8_t count)
{
    uint8_t *at = emit_at(emitter);
    unsigned size = put_rorx(at, wide, machine[to], FRAME_REGISTER);
    size += put_memory(at + size, machine[to], FRAME_REGISTER, displacement);
    at[size++] = count;
    emitter->size += size;
}

void emit_lea(struct emitter *emitter, bool wide, unsigned to, unsigned base, unsigned index,
              unsigned shift)
{
    uint8_t *at = emit_at(emitter);
    unsigned reg = machine[to], b = machine[base], x = machine[index];
    unsigned needs_byte = (b & 7) == 5; /* rbp as a base always has a displacement */
    at[0] = (uint8_t)(0x40 | (wide ? 8u : 0) | (reg >> 3) << 2 | (x >> 3) << 1 | b >> 3);
    at[1] = 0x8d;
    at[2] = (uint8_t)(needs_byte << 6 | (reg & 7) << 3 | 4);
    at[3] = (uint8_t)(shift << 6 | (x & 7) << 3 | (b & 7));
    at[4] = 0;
    emitter->size += 4 + needs_byte;
}

void emit_lea_immediate(struct emitter *emitter, bool wide, unsigned to, unsigned base,
                        int32_t number)
{
    integer_memory(emitter, 0x8d, wide, machine[to], machine[base], number);
}

/* lea to, [base + second << shift + number] by machine numbers; without base it takes the long
 * form.
 */
static void lea_sum(struct emitter *emitter, bool wide, unsigned to, unsigned base, unsigned second,
                    unsigned shift, int32_t number)
{
    uint8_t *at = emit_at(emitter);
    bool has_base = base != REGISTER_NONE;
    unsigned b = has_base ? base : 5;
    unsigned mod = !has_base ? 0 : number == 0 && (b & 7) != 5 ? 0 : is_byte(number) ? 1 : 2;
    at[0] = (uint8_t)(0x40 | (wide ? 8u : 0) | (to >> 3) << 2 | (second >> 3) << 1 | b >> 3);
    at[1] = 0x8d;
    at[2] = (uint8_t)(mod << 6 | (to & 7) << 3 | 4);
    at[3] = (uint8_t)(shift << 6 | (second & 7) << 3 | (b & 7));
    emitter->size += 4;
    if (mod != 0 || !has_base)
        put_immediate(emitter, number, mod == 1);
}

void emit_sum(struct emitter *emitter, bool wide, unsigned to, unsigned base, unsigned second,
              unsigned shift, int32_t number)
{
    unsigned target = to == REGISTER_NONE ? (unsigned)SCRATCH : machine[to];
    if (second == REGISTER_NONE && number == 0) {
        integer_registers(emitter, 0x89, wide, machine[base], target); /* cuts off what is above */
    } else if (second == REGISTER_NONE) {
        if (to == base)
            emit_integer_immediate(emitter, 0, wide, to, number);
        else
            integer_memory(emitter, 0x8d, wide, target, machine[base], number);
    } else if (base != REGISTER_NONE && (to == base || to == second) && shift == 0 && number == 0) {
        emit_integer_registers(emitter, 0x01, wide, to == base ? second : base, to);
    } else if (base == REGISTER_NONE && number == 0) {
        if (to != second)
            integer_registers(emitter, 0x89, wide, machine[second], target);
        integer_registers(emitter, 0xc1, wide, 4, target);
        put_immediate(emitter, (int32_t)shift, true);
    } else {
        lea_sum(emitter, wide, target, base == REGISTER_NONE ? base : machine[base],
                machine[second], shift, number);
    }
}

void emit_clear_upper(struct emitter *emitter, uint32_t slot)
{
    integer_memory(emitter, 0xc7, false, 0, FRAME_REGISTER,
                   (int32_t)(slot * 8 + 4 - emitter->bias));
    memset(emit_at(emitter), 0, 4);
    emitter->size += 4;
}

void emit_scratch_move(struct emitter *emitter, unsigned from)
{
    integer_registers(emitter, 0x89, false, machine[from], SCRATCH);
}

void emit_scratch_store(struct emitter *emitter, unsigned base, int32_t displacement)
{
    integer_memory(emitter, 0x89, true, SCRATCH, base, displacement);
}

void emit_scratch_load(struct emitter *emitter, int32_t displacement)
{
    integer_memory(emitter, 0x8b, false, SCRATCH, FRAME_REGISTER, displacement);
}

void emit_scratch_constant(struct emitter *emitter, uint64_t bits)
{
    uint8_t *at = emit_at(emitter);
    bool wide = bits > UINT32_MAX;
    at[0] = wide ? 0x49 : 0x41;
    at[1] = 0xba;
    memcpy(at + 2, &bits, 8);
    emitter->size += wide ? 10 : 6;
}

void emit_add_scratch(struct emitter *emitter, unsigned to)
{
    integer_registers(emitter, 0x01, true, SCRATCH, machine[to]);
}

void emit_frame_move(struct emitter *emitter, int32_t displacement)
{
    uint8_t *at = emit_at(emitter);
    bool is_negated = displacement == 128; /* sub r12, -128 is shorter */
    if (is_negated)
        displacement = -128;
    bool is_short = displacement >= -128 && displacement < 128;
    at[0] = 0x49; /* add r12, displacement */
    at[1] = is_short ? 0x83 : 0x81;
    at[2] = is_negated ? 0xec : 0xc4;
    memcpy(at + 3, &displacement, 4);
    emitter->size += is_short ? 4 : 7;
}

void emit_frame_address(struct emitter *emitter, unsigned reg, int32_t displacement)
{
    integer_memory(emitter, 0x8d, true, reg, FRAME_REGISTER, displacement);
}

void emit_instance_operation(struct emitter *emitter, uint8_t opcode, unsigned reg,
                             uint32_t displacement, bool is_wide_operand)
{
    integer_memory(emitter, opcode, is_wide_operand, reg, INSTANCE_REGISTER, (int32_t)displacement);
}
