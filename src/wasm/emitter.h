/* SPDX-License-Identifier: Apache-2.0 */
/* Machine code on its way into the image: instructions that aren't stencils, jumps and their
 * fix-ups, traps, constants.  x86-64-v3.  Internal to wasm.
 *
 * Offsets count from the start of the code section.  Running out of room makes the emitter fail;
 * from then on it writes to scrap memory and changes nothing else, so that one check
 * per instruction suffices. */
#ifndef WASM_EMITTER_H
#define WASM_EMITTER_H

#include "abi/image.h"
#include "abi/instance.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "wasm/stencils.h"

/* Registers of the compiler: integers are 0-8, floats FLOAT_BASE + 0-7.  Those behind are for
 * pinned locals only. */
enum {
    REGISTER_RBX = 9,
    REGISTER_RBP = 10,
    INTEGER_REGISTER_COUNT = 11,
    REGISTER_SCRATCH = 11, /* r10, the register of nobody: stencils and moves may destroy it */
    FLOAT_BASE = 16,
    REGISTER_XMM8 = FLOAT_BASE + 8, /* this and the next: scratch, like r10 */
    REGISTER_XMM10 = FLOAT_BASE + 10,
    REGISTER_COUNT = FLOAT_BASE + 16,
    REGISTER_NONE = 0xff,
};

/* A register that can't be an operand of a stencil. */
static inline bool is_outside_stencils(unsigned reg)
{
    return reg != REGISTER_NONE &&
           (reg & 15) >= (reg < FLOAT_BASE ? (unsigned)STENCIL_INTEGER_REGISTERS
                                           : (unsigned)STENCIL_FLOAT_REGISTERS);
}

/* Where a jump goes: to `address`, or through the list of fix-ups that starts at *chain. */
struct target {
    uint32_t *chain; /* NULL: address is known */
    uint32_t address;
};

/* A jump to a trap, whose instruction stands behind the function. */
struct trap_site {
    uint32_t at; /* of the four bytes to patch */
    uint32_t wasm_offset;
    uint8_t reason;
    uint8_t extra; /* reason when the reference in r10 is null, 0: don't look */
};

struct float_site {
    uint32_t at;
    uint64_t bits;
};

/* A jump to where a NaN becomes the canonical one, which goes back. */
struct nan_site {
    uint32_t at; /* of the four bytes to patch; the way back leads behind them */
    uint8_t type;
    uint8_t reg;
};

/* Four bytes that will be the distance to a vector behind the function, from the end of the
 * instruction, `tail` bytes after them. */
struct vector_site {
    uint32_t at;
    uint32_t tail;
    const uint8_t *bytes;
};

/* A VEX instruction: 128 bits, or scalar. */
struct vex {
    uint8_t map;    /* 1: 0f, 2: 0f 38, 3: 0f 3a */
    uint8_t prefix; /* 0: none, 1: 66, 2: f3, 3: f2 */
    uint8_t opcode;
    bool is_wide; /* W */
};

/* An instruction of an integer register and linear memory. */
struct access {
    uint8_t opcode;
    bool is_long;      /* behind 0f */
    bool is_half;      /* 16 bits */
    bool is_wide;      /* 64 bits */
    bool is_extension; /* in the place of the register stands a part of the opcode */
};

struct emitter {
    uint8_t *code;
    uint32_t size;
    uint32_t capacity;
    bool failed;
    struct buffer *buffer; /* holds the code from `start` on */
    size_t start;
    struct arena *arena;
    const struct stencils *stencils;
    uint32_t wasm_offset; /* of the instruction being compiled */
    uint64_t base;        /* where the code will stand */
    uint32_t bias;        /* frame register - slot 0, in the function at hand */
    uint32_t flags_at;    /* code up to here ends with what left zero or not of a register... */
    uint8_t flags_reg;    /* ...this one in the flags */
    bool flags_wide;
    uint32_t fixed_count; /* places so far that hold a distance, and so can't be copied elsewhere */
    struct trap_site *trap_sites;
    uint32_t trap_site_count, trap_site_capacity;
    struct float_site *float_sites;
    uint32_t float_site_count, float_site_capacity;
    struct nan_site *nan_sites;
    uint32_t nan_site_count, nan_site_capacity;
    struct vector_site *vector_sites;
    uint32_t vector_site_count, vector_site_capacity;
    uint32_t vector_pool; /* where the constants of vector stencils are; 0: nowhere yet */
    struct image_trap *traps;
    uint32_t trap_count, trap_capacity;
    uint8_t scrap[1024]; /* where code goes after a failure */
};

enum {
    EMITTER_ROOM = 256,  /* bytes that are free before each instruction */
    CHAIN_END = 0,       /* no jump stands at offset 0: the pool does */
    TABLE_ENTRY = 8,     /* bytes of an entry of a jump table */
    FRAME_REGISTER = 12, /* bases of memory operands */
    MEMORY_REGISTER = 13,
    INSTANCE_REGISTER = 14,
};

void emitter_grow(struct emitter *emitter);
/* Doubles an array in the arena; false (and failure of the emitter) when there is no room. */
bool emitter_grow_array(struct emitter *emitter, void **rows, uint32_t *capacity, size_t size);
/* The processor's number of a register. */
unsigned emitter_number(unsigned reg);

/* Where the next instruction goes; at least EMITTER_ROOM bytes. */
static inline uint8_t *emit_at(struct emitter *emitter)
{
    if (emitter->capacity - emitter->size < EMITTER_ROOM)
        emitter_grow(emitter);
    return emitter->code + emitter->size;
}

void emit_bytes(struct emitter *emitter, const uint8_t *bytes, unsigned size);
/* To a line of the instruction cache's reader, with what runs fast: up to a third of a tight loop's
 * time depends on it. */
void emit_align_loop(struct emitter *emitter);
void emit_align(struct emitter *emitter, unsigned power, uint8_t filler);

/* Between registers of one class, and between a register and [base + displacement].  `type` says
 * how many bytes. */
void emit_move(struct emitter *emitter, enum machine_type type, unsigned to, unsigned from);
void emit_load(struct emitter *emitter, enum machine_type type, unsigned to, unsigned base,
               int32_t displacement);
void emit_store(struct emitter *emitter, enum machine_type type, unsigned from, unsigned base,
                int32_t displacement);
/* From a slot, by way of r10. */
void emit_copy(struct emitter *emitter, unsigned base, int32_t to, int32_t from);
void emit_integer_constant(struct emitter *emitter, unsigned to, uint64_t bits);
void emit_constant(struct emitter *emitter, enum machine_type type, unsigned to, uint64_t bits);
void emit_store_constant(struct emitter *emitter, unsigned base, int32_t displacement,
                         uint64_t bits);
/* Zeros `count` slots of the frame. */
void emit_zero_slots(struct emitter *emitter, uint32_t first, uint32_t count);

/* The upper half of a slot becomes zero. */
void emit_clear_upper(struct emitter *emitter, uint32_t slot);

/* Integer instructions on registers of the compiler; `wide`: 64 bits.  opcode reg, rm and
 * opcode reg, [slot] in either direction; extension rm, immediate (0 add, 1 or, 4 and, 5 sub, 6
 * xor, 7 cmp); shifts by a constant (0 rol, 1 ror, 4 shl, 5 shr, 7 sar). */
void emit_integer_registers(struct emitter *emitter, uint8_t opcode, bool wide, unsigned reg,
                            unsigned rm);
void emit_integer_slot(struct emitter *emitter, uint8_t opcode, bool wide, unsigned reg,
                       int32_t displacement);
void emit_integer_immediate(struct emitter *emitter, unsigned extension, bool wide, unsigned rm,
                            int32_t number);
void emit_shift(struct emitter *emitter, unsigned extension, bool wide, unsigned rm, uint8_t count);
/* to = from, or the slot at the displacement, rotated right. */
void emit_rotate(struct emitter *emitter, bool wide, unsigned to, unsigned from, uint8_t count);
void emit_rotate_slot(struct emitter *emitter, bool wide, unsigned to, int32_t displacement,
                      uint8_t count);
/* cmov on the processor's condition code, from a register or a slot. */
void emit_move_if(struct emitter *emitter, unsigned condition, bool wide, unsigned to,
                  unsigned from);
void emit_load_if(struct emitter *emitter, unsigned condition, bool wide, unsigned to,
                  int32_t displacement);
void emit_negate(struct emitter *emitter, bool wide, unsigned rm);
void emit_multiply(struct emitter *emitter, bool wide, unsigned to, unsigned from);
void emit_multiply_immediate(struct emitter *emitter, bool wide, unsigned to, unsigned from,
                             int32_t number);
void emit_test_immediate(struct emitter *emitter, bool wide, unsigned rm, int32_t number);
void emit_compare_slot(struct emitter *emitter, bool wide, int32_t displacement, int32_t number);
/* to = base + (index << shift), to = base + number */
void emit_lea(struct emitter *emitter, bool wide, unsigned to, unsigned base, unsigned index,
              unsigned shift);
void emit_lea_immediate(struct emitter *emitter, bool wide, unsigned to, unsigned base,
                        int32_t number);

/* to = base + (second << shift) + number, each of the registers if it isn't REGISTER_NONE; `to` may
 * be REGISTER_NONE for r10. */
void emit_sum(struct emitter *emitter, bool wide, unsigned to, unsigned base, unsigned second,
              unsigned shift, int32_t number);

/* Instructions on r10, the register of nobody. */
void emit_scratch_move(struct emitter *emitter, unsigned from);
void emit_scratch_store(struct emitter *emitter, unsigned base, int32_t displacement);
void emit_scratch_load(struct emitter *emitter, int32_t displacement);
void emit_scratch_constant(struct emitter *emitter, uint64_t bits);
/* integer register += r10 */
void emit_add_scratch(struct emitter *emitter, unsigned to);

/* opcode reg, [r13 + index + displacement]; `index` REGISTER_NONE: the displacement alone. */
void emit_access(struct emitter *emitter, struct access access, unsigned reg, unsigned index,
                 int32_t displacement);
/* setcc to: the lowest eight bits only */
void emit_set_if(struct emitter *emitter, unsigned condition, unsigned to);
/* movzx to, from: from 8 or 16 bits */
void emit_widen_low(struct emitter *emitter, unsigned bits, unsigned to, unsigned from);
/* to += 1 when bit 31 of `from` is set */
void emit_add_sign(struct emitter *emitter, unsigned to, unsigned from);
/* The flags say whether the register is zero, as a test of it would. */
bool emit_knows_zero(const struct emitter *emitter, unsigned reg, bool wide);
/* Code comes here from elsewhere too. */
static inline void emit_forget_flags(struct emitter *emitter)
{
    emitter->flags_at = 0;
}

/* r12 += displacement */
void emit_frame_move(struct emitter *emitter, int32_t displacement);
/* opcode reg, [r14 + displacement] with REX.W: reg is a machine register number. */
void emit_instance_operation(struct emitter *emitter, uint8_t opcode, unsigned reg,
                             uint32_t displacement, bool is_wide);
/* lea reg, [r12 + displacement] */
void emit_frame_address(struct emitter *emitter, unsigned reg, int32_t displacement);

/* A VEX instruction of scalar floats, with a register, a slot or a constant as second operand. */
void emit_float_registers(struct emitter *emitter, uint8_t opcode, enum machine_type type,
                          unsigned to, unsigned a, unsigned b);
void emit_float_slot(struct emitter *emitter, uint8_t opcode, enum machine_type type, unsigned to,
                     unsigned a, int32_t displacement);
void emit_float_constant(struct emitter *emitter, uint8_t opcode, enum machine_type type,
                         unsigned to, unsigned a, uint64_t bits);

/* emitter_vectors.c: VEX instructions on registers of the compiler, of either class where the
 * instruction has it so.  `second` is REGISTER_NONE for those of two operands.  Where an immediate
 * byte belongs to the instruction, emit_byte adds it. */
void emit_vector_registers(struct emitter *emitter, struct vex vex, unsigned reg, unsigned second,
                           unsigned rm);
/* The extension of the opcode stands in the place of a register. */
void emit_vector_extended(struct emitter *emitter, struct vex vex, unsigned extension, unsigned to,
                          unsigned rm);
void emit_vector_slot(struct emitter *emitter, struct vex vex, unsigned reg, unsigned second,
                      int32_t displacement);
/* Linear memory; `index` REGISTER_NONE: the displacement alone. */
void emit_vector_memory(struct emitter *emitter, struct vex vex, unsigned reg, unsigned second,
                        unsigned index, int32_t displacement);
/* A constant behind the function; its bytes must live until then.  `tail`: immediate bytes that
 * follow. */
void emit_vector_constant(struct emitter *emitter, struct vex vex, unsigned reg, unsigned second,
                          const uint8_t bytes[16], unsigned tail);
void emit_vector_load_constant(struct emitter *emitter, unsigned to, const uint8_t bytes[16]);
void emit_byte(struct emitter *emitter, uint8_t byte);
/* and r10d, mask; vmovd xmm8, r10d */
void emit_vector_count(struct emitter *emitter, uint8_t mask);
/* setcc to; movzx to, to */
void emit_condition(struct emitter *emitter, unsigned condition, unsigned to);
/* movsx to, to: from 8 or 16 bits to 32 */
void emit_sign_extend(struct emitter *emitter, unsigned bits, unsigned to);
void emit_vector_stencil(struct emitter *emitter, const struct vector_stencil *stencil);
/* The constants of vector stencils, once, before any function that uses them. */
void emit_vector_pool(struct emitter *emitter);
/* Constants that the function refers to; part of emit_islands. */
void emit_vector_islands(struct emitter *emitter);

/* jmp, and call to an address or chain. */
void emit_jump(struct emitter *emitter, struct target target);
void emit_call(struct emitter *emitter, struct target target);
/* jcc with the processor's condition code; to a trap of this instruction. */
void emit_jump_if(struct emitter *emitter, unsigned condition, struct target target);
void emit_trap_if(struct emitter *emitter, unsigned condition, enum trap_reason reason,
                  enum trap_reason reason_if_null);
/* Four bytes come next that will be the distance to a constant behind the function. */
void emit_float_site(struct emitter *emitter, uint64_t bits);
/* If the register holds a NaN, it becomes the canonical one. */
void emit_canonical_nan(struct emitter *emitter, enum machine_type type, unsigned reg);
/* Jumps to a place behind the function that does it. */
void emit_nan_site(struct emitter *emitter, enum machine_type type, unsigned reg);
/* Once more what was emitted from `first` up to `end`, which holds no distances; its traps from
 * number `trap` on come along. */
void emit_again(struct emitter *emitter, uint32_t first, uint32_t end, uint32_t trap);
/* Four bytes at `at` become the distance to the target, or join its chain. */
void emit_fix(struct emitter *emitter, uint32_t at, struct target target);
/* Appends an entry to a jump table: the target's address. */
void emit_table_entry(struct emitter *emitter, struct target target);
/* Entry `index` goes to the next instruction. */
void emit_table_fix(struct emitter *emitter, uint32_t table, uint32_t index);
/* Everything in the chain goes to the next instruction. */
void emit_chain_here(struct emitter *emitter, uint32_t *chain);

/* The trap map: an instruction that may trap comes next. */
void emit_trap_point(struct emitter *emitter);
/* A row made elsewhere; rows ascend. */
void emit_trap_row(struct emitter *emitter, uint32_t code_offset, uint32_t wasm_offset);
void emit_unreachable(struct emitter *emitter, enum trap_reason reason);

/* Copies the form of a stencil that fits and fills its holes. */
void emit_stencil(struct emitter *emitter, const struct stencil_form *const forms[2],
                  const int32_t holes[3], struct target target);

/* Traps and constants that the function refers to; call once behind it. */
void emit_islands(struct emitter *emitter);

#endif
