/* SPDX-License-Identifier: Apache-2.0 */
/* Loads and stores of linear memory, for any registers; a load whose value the next instruction
 * takes as its second operand becomes part of that instruction. */
#include "wasm/baseline_state.h"
#include "wasm/opcodes.h"

static const struct access loads[] = {
    [OPCODE_I32_LOAD - OPCODE_I32_LOAD] = { .opcode = 0x8b },
    [OPCODE_I64_LOAD - OPCODE_I32_LOAD] = { .opcode = 0x8b, .is_wide = true },
    [OPCODE_I32_LOAD8_S - OPCODE_I32_LOAD] = { .opcode = 0xbe, .is_long = true },
    [OPCODE_I32_LOAD8_U - OPCODE_I32_LOAD] = { .opcode = 0xb6, .is_long = true },
    [OPCODE_I32_LOAD16_S - OPCODE_I32_LOAD] = { .opcode = 0xbf, .is_long = true },
    [OPCODE_I32_LOAD16_U - OPCODE_I32_LOAD] = { .opcode = 0xb7, .is_long = true },
    [OPCODE_I64_LOAD8_S - OPCODE_I32_LOAD] = { .opcode = 0xbe, .is_long = true, .is_wide = true },
    [OPCODE_I64_LOAD8_U - OPCODE_I32_LOAD] = { .opcode = 0xb6, .is_long = true },
    [OPCODE_I64_LOAD16_S - OPCODE_I32_LOAD] = { .opcode = 0xbf, .is_long = true, .is_wide = true },
    [OPCODE_I64_LOAD16_U - OPCODE_I32_LOAD] = { .opcode = 0xb7, .is_long = true },
    [OPCODE_I64_LOAD32_S - OPCODE_I32_LOAD] = { .opcode = 0x63, .is_wide = true },
    [OPCODE_I64_LOAD32_U - OPCODE_I32_LOAD] = { .opcode = 0x8b },
};

/* By the stencil's name: what is stored, wherever it comes from. */
static const struct access store_64 = { .opcode = 0x89, .is_wide = true },
                           store_32 = { .opcode = 0x89 },
                           store_16 = { .opcode = 0x89, .is_half = true },
                           store_8 = { .opcode = 0x88 };

static const struct vex move_single = { 1, 2, 0x10, false }, move_double = { 1, 3, 0x10, false };

/* Displacements reach 2 GiB: what lies beyond is added to the address, which then has 33 bits. */
int32_t near_offset(struct baseline *baseline, struct operand *address, uint32_t offset)
{
    uint64_t sum = address->bits + offset;
    if (address->place == PLACE_CONSTANT && sum <= INT32_MAX) {
        address->bits = 0;
        return (int32_t)sum;
    }
    if (address->place == PLACE_CONSTANT)
        operand_to_register(baseline, address);
    if (offset <= INT32_MAX)
        return (int32_t)offset;
    operand_to_register(baseline, address);
    emit_scratch_constant(&baseline->emitter, offset);
    emit_add_scratch(&baseline->emitter, address->reg);
    return 0;
}

/* The register that holds the address; none when the displacement says it all.  What stands in a
 * slot goes to the scratch register: the access has to come next. */
static unsigned address_register(struct baseline *baseline, const struct operand *address)
{
    if (address->place == PLACE_CONSTANT)
        return REGISTER_NONE;
    unsigned reg = register_of(baseline, address);
    if (reg != REGISTER_NONE)
        return reg;
    emit_scratch_load(&baseline->emitter, operand_displacement(baseline, address));
    return REGISTER_SCRATCH;
}

void emit_operand_access(struct baseline *baseline, struct access access, unsigned reg,
                         const struct operand *memory)
{
    emit_trap_point(&baseline->emitter);
    emit_access(&baseline->emitter, access, reg, memory->reg, (int32_t)(uint32_t)memory->bits);
}

/* Reads a number without going on; the rest of it may be missing. */
static uint32_t peek_u32(const struct scan *scan, const uint8_t *at)
{
    struct scan ahead = *scan;
    ahead.at = at;
    return scan_u32(&ahead);
}

/* The result of the instruction behind the one at `at` would replace the address. */
static bool overwrites(const struct baseline *baseline, const uint8_t *at, unsigned index)
{
    if (at[1] != OPCODE_LOCAL_SET && at[1] != OPCODE_LOCAL_TEE)
        return false;
    return baseline->locals[peek_u32(&baseline->scan, at + 2)].pin == index;
}

/* The next instruction takes the value from memory as its second operand. */
static bool fuse_load(struct baseline *baseline, unsigned opcode, struct operand *address,
                      int32_t near)
{
    const uint8_t *at = baseline->scan.at;
    const struct operation *next = &operations[*at];
    bool is_whole = opcode <= OPCODE_F64_LOAD;
    if (!is_whole || baseline->height == 0 ||
        !takes_memory(next->stencil, operations[opcode].target, next->source))
        return false;
    unsigned index =
        address->place == PLACE_CONSTANT ? REGISTER_NONE : register_of(baseline, address);
    if ((index == REGISTER_NONE && address->place != PLACE_CONSTANT) ||
        overwrites(baseline, at, index))
        return false;
    struct operand memory = { .place = PLACE_ACCESS,
                              .type = operations[opcode].target,
                              .reg = (uint8_t)index,
                              .bits = (uint32_t)near };
    baseline->scan.at++;
    compile_with_memory(baseline, next, &memory);
    return true;
}

void compile_load(struct baseline *baseline, const struct operation *operation)
{
    struct emitter *emitter = &baseline->emitter;
    unsigned opcode = (unsigned)(operation - operations);
    enum machine_type type = operation->target;
    scan_u32(&baseline->scan); /* alignment */
    uint32_t offset = scan_u32(&baseline->scan);
    struct operand address = operand_take(baseline);
    int32_t near = near_offset(baseline, &address, offset);
    if (fuse_load(baseline, opcode, &address, near))
        return;
    struct destination to = destination_choose_any(baseline, type, &address, NULL);
    unsigned index = address_register(baseline, &address);
    emit_trap_point(emitter);
    if (is_float(type))
        emit_vector_memory(emitter, type == MACHINE_F32 ? move_single : move_double, to.reg,
                           REGISTER_NONE, index, near);
    else
        emit_access(emitter, loads[opcode - OPCODE_I32_LOAD], to.reg, index, near);
    destination_finish(baseline, type, &to, &address, NULL);
}

static struct access access_of(unsigned operation)
{
    switch (operation) {
    case STENCIL_STORE_8:
        return store_8;
    case STENCIL_STORE_16:
        return store_16;
    case STENCIL_STORE_32:
        return store_32;
    default:
        return store_64;
    }
}

/* Of 8, 16 or 32 bits, or of 64 that are sign-extended from 32. */
static void store_constant(struct baseline *baseline, unsigned operation,
                           const struct operand *address, int32_t near, uint32_t bits)
{
    struct access access = access_of(operation);
    unsigned size = operation == STENCIL_STORE_8 ? 1 : operation == STENCIL_STORE_16 ? 2 : 4;
    access.opcode = operation == STENCIL_STORE_8 ? 0xc6 : 0xc7;
    access.is_extension = true;
    unsigned index = address_register(baseline, address);
    emit_trap_point(&baseline->emitter);
    emit_access(&baseline->emitter, access, 0, index, near);
    emit_bytes(&baseline->emitter, (const uint8_t *)&bits, size);
}

/* The value as an integer of the access's width, where it isn't in a float register. */
static unsigned store_as_integer(const struct baseline *baseline, unsigned operation,
                                 struct operand *value)
{
    bool pinned =
        value->place == PLACE_LOCAL && baseline->locals[value->index].pin != REGISTER_NONE;
    if (is_float(value->type) && value->place != PLACE_REGISTER && !pinned) {
        bool wide = value->type == MACHINE_F64;
        value->type = wide ? MACHINE_I64 : MACHINE_I32;
        operation = wide ? STENCIL_STORE_64 : STENCIL_STORE_32;
    }
    return operation;
}

void compile_store(struct baseline *baseline, const struct operation *operation)
{
    struct emitter *emitter = &baseline->emitter;
    scan_u32(&baseline->scan); /* alignment */
    uint32_t offset = scan_u32(&baseline->scan);
    struct operand value = operand_take(baseline);
    struct operand address = operand_take(baseline);
    int32_t near = near_offset(baseline, &address, offset);
    unsigned stencil = store_as_integer(baseline, operation->stencil, &value);
    bool is_long = stencil == STENCIL_STORE_64 &&
                   (uint64_t)(int64_t)(int32_t)(uint32_t)value.bits != value.bits;
    if (value.place == PLACE_CONSTANT && !is_long) {
        store_constant(baseline, stencil, &address, near, (uint32_t)value.bits);
        operand_release(baseline, &address);
        return;
    }
    unsigned from = register_of(baseline, &value);
    if (from == REGISTER_NONE) {
        operand_to_register(baseline, &value);
        from = value.reg;
    }
    unsigned index = address_register(baseline, &address);
    if (is_float(value.type)) {
        struct vex vex = value.type == MACHINE_F32 ? move_single : move_double;
        vex.opcode++;
        emit_trap_point(emitter);
        emit_vector_memory(emitter, vex, from, REGISTER_NONE, index, near);
    } else {
        emit_trap_point(emitter);
        emit_access(emitter, access_of(stencil), from, index, near);
    }
    operand_release(baseline, &value);
    operand_release(baseline, &address);
}
