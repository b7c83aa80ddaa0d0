/* SPDX-License-Identifier: Apache-2.0 */
/* i8x16.shuffle: the patterns that one instruction makes; otherwise a byte shuffle of each operand.
 */
#include "wasm/baseline_vector.h"
#include "wasm/opcodes.h"

#include <string.h>

enum {
    LANES = 16,
    SCRATCH_A = REGISTER_XMM8,
    SCRATCH_B = REGISTER_XMM8 + 1,
    NO_LANE = 0x80, /* pshufb: zero */
};

struct shuffle {
    struct vex vex;
    bool is_exchanged; /* vex result, b, a */
    bool has_immediate;
    uint8_t immediate;
};

static bool is_single(const uint8_t lanes[LANES])
{
    for (unsigned i = 0; i < LANES; i++) {
        if (lanes[i] >= LANES)
            return false;
    }
    return true;
}

/* Whole lanes of 32 bits: two bits for each of the four; false when it isn't that. */
static bool is_of_words(const uint8_t lanes[LANES], uint8_t words[4])
{
    for (unsigned i = 0; i < LANES; i++) {
        if (lanes[i] != (lanes[i & ~3u] & ~3u) + (i & 3))
            return false;
        words[i / 4] = lanes[i] / 4;
    }
    return true;
}

static uint8_t immediate_of(const uint8_t words[4])
{
    return (uint8_t)((words[0] & 3) | (words[1] & 3) << 2 | (words[2] & 3) << 4 |
                     (words[3] & 3) << 6);
}

/* Lanes of `width` bytes, in turn from each operand, from byte `first` on. */
static bool is_interleaving(const uint8_t lanes[LANES], unsigned width, unsigned first)
{
    for (unsigned i = 0; i < LANES; i++) {
        unsigned lane = i / width;
        if (lanes[i] != first + lane / 2 * width + i % width + (lane & 1) * LANES)
            return false;
    }
    return true;
}

static bool find_interleaving(const uint8_t lanes[LANES], struct shuffle *found)
{
    static const uint8_t opcodes[2][4] = { { 0x60, 0x61, 0x62, 0x6c }, { 0x68, 0x69, 0x6a, 0x6d } };
    for (unsigned i = 0; i < 8; i++) {
        if (is_interleaving(lanes, 1u << (i & 3), i / 4 * 8)) {
            found->vex = (struct vex){ 1, 1, opcodes[i / 4][i & 3], false };
            return true;
        }
    }
    return false;
}

/* Consecutive bytes that start in the first operand and end in the second. */
static bool find_window(const uint8_t lanes[LANES], struct shuffle *found)
{
    for (unsigned i = 0; i < LANES; i++) {
        if (lanes[i] != lanes[0] + i)
            return false;
    }
    found->vex =
        (struct vex){ 3, 1, 0x0f, false }; /* palignr: the low half is the second operand */
    found->is_exchanged = true;
    found->has_immediate = true;
    found->immediate = lanes[0];
    return true;
}

/* Every second byte stays where it is, in one of the operands. */
static bool find_blend(const uint8_t lanes[LANES], struct shuffle *found)
{
    unsigned mask = 0;
    for (unsigned i = 0; i < LANES; i++) {
        if (lanes[i] % LANES != i || lanes[i] / LANES != lanes[i & ~1u] / LANES)
            return false;
        mask |= (unsigned)(lanes[i] / LANES) << i / 2;
    }
    found->vex = (struct vex){ 3, 1, 0x0e, false };
    found->has_immediate = true;
    found->immediate = (uint8_t)mask;
    return true;
}

static bool find_words(const uint8_t lanes[LANES], struct shuffle *found)
{
    uint8_t words[4];
    if (!is_of_words(lanes, words) || words[0] > 3 || words[1] > 3 || words[2] < 4 || words[3] < 4)
        return false;
    found->vex = (struct vex){ 1, 0, 0xc6, false };
    found->has_immediate = true;
    found->immediate = immediate_of(words);
    return true;
}

static bool find_pair(const uint8_t lanes[LANES], struct shuffle *found)
{
    *found = (struct shuffle){ 0 };
    return find_interleaving(lanes, found) || find_blend(lanes, found) ||
           find_words(lanes, found) || find_window(lanes, found);
}

/* One instruction on both operands, in this order or the other. */
static bool find_shuffle(const uint8_t lanes[LANES], struct shuffle *found)
{
    uint8_t other[LANES];
    for (unsigned i = 0; i < LANES; i++)
        other[i] = lanes[i] ^ LANES;
    if (find_pair(lanes, found))
        return true;
    if (!find_pair(other, found))
        return false;
    found->is_exchanged = !found->is_exchanged;
    return true;
}

/* The lanes of one operand, the others zero. */
static const uint8_t *mask_of(struct baseline *baseline, const uint8_t lanes[LANES], unsigned which)
{
    uint8_t *mask = arena_take(baseline->emitter.arena, LANES);
    if (mask == NULL) {
        baseline->emitter.failed = true;
        return NULL;
    }
    for (unsigned i = 0; i < LANES; i++)
        mask[i] = lanes[i] / LANES == which ? lanes[i] % LANES : NO_LANE;
    return mask;
}

static void shuffle_one(struct baseline *baseline, struct operand *a, const uint8_t lanes[LANES])
{
    static const struct vex pshufd = { 1, 1, 0x70, false }, pshufb = { 2, 1, 0, false };
    struct emitter *emitter = &baseline->emitter;
    uint8_t words[4];
    unsigned from = register_with(baseline, a);
    struct destination to = destination_choose_any(baseline, MACHINE_V128, a, NULL);
    if (is_of_words(lanes, words)) {
        emit_vector_registers(emitter, pshufd, to.reg, REGISTER_NONE, from);
        emit_byte(emitter, immediate_of(words));
    } else {
        const uint8_t *mask = mask_of(baseline, lanes, 0);
        if (mask != NULL)
            emit_vector_constant(emitter, pshufb, to.reg, from, mask, 0);
    }
    destination_finish(baseline, MACHINE_V128, &to, a, NULL);
}

static void shuffle_two(struct baseline *baseline, struct operand *a, struct operand *b,
                        const uint8_t lanes[LANES])
{
    static const struct vex pshufb = { 2, 1, 0, false }, por = { 1, 1, 0xeb, false };
    struct emitter *emitter = &baseline->emitter;
    struct shuffle shuffle;
    unsigned first = register_with(baseline, a), second = register_with(baseline, b);
    struct destination to = destination_choose_any(baseline, MACHINE_V128, a, b);
    if (find_shuffle(lanes, &shuffle)) {
        emit_vector_registers(emitter, shuffle.vex, to.reg, shuffle.is_exchanged ? second : first,
                              shuffle.is_exchanged ? first : second);
        if (shuffle.has_immediate)
            emit_byte(emitter, shuffle.immediate);
    } else {
        const uint8_t *low = mask_of(baseline, lanes, 0), *high = mask_of(baseline, lanes, 1);
        if (low != NULL && high != NULL) {
            emit_vector_constant(emitter, pshufb, SCRATCH_A, first, low, 0);
            emit_vector_constant(emitter, pshufb, SCRATCH_B, second, high, 0);
            emit_vector_registers(emitter, por, to.reg, SCRATCH_A, SCRATCH_B);
        }
    }
    destination_finish(baseline, MACHINE_V128, &to, a, b);
}

/* Which instruction comes next, if it widens the lower half and so forgets the upper one. */
static unsigned find_extension(const struct baseline *baseline)
{
    const struct scan *scan = &baseline->scan;
    struct scan ahead = *scan;
    if (scan_u8(&ahead) != OPCODE_VECTOR_PREFIX)
        return 0;
    switch (scan_u32(&ahead)) {
    case VECTOR_I16X8_EXTEND_LOW_I8X16_S:
        return VECTOR_I16X8_EXTEND_LOW_I8X16_S;
    case VECTOR_I16X8_EXTEND_LOW_I8X16_U:
        return VECTOR_I16X8_EXTEND_LOW_I8X16_U;
    case VECTOR_I32X4_EXTEND_LOW_I16X8_S:
        return VECTOR_I32X4_EXTEND_LOW_I16X8_S;
    case VECTOR_I32X4_EXTEND_LOW_I16X8_U:
        return VECTOR_I32X4_EXTEND_LOW_I16X8_U;
    case VECTOR_I64X2_EXTEND_LOW_I32X4_S:
        return VECTOR_I64X2_EXTEND_LOW_I32X4_S;
    case VECTOR_I64X2_EXTEND_LOW_I32X4_U:
        return VECTOR_I64X2_EXTEND_LOW_I32X4_U;
    default:
        return 0;
    }
}

static bool is_upper_half(const uint8_t lanes[LANES])
{
    for (unsigned i = 0; i < LANES / 2; i++) {
        if (lanes[i] != LANES / 2 + i)
            return false;
    }
    return true;
}

/* The upper half moved down and widened is an instruction of its own. */
static void extend_high(struct baseline *baseline, struct operand *a, unsigned extension)
{
    scan_u8(&baseline->scan);
    scan_u32(&baseline->scan);
    operand_push(baseline, *a);
    compile_vector_instruction(baseline, extension + 1);
}

void compile_shuffle(struct baseline *baseline)
{
    uint8_t lanes[LANES];
    memcpy(lanes, scan_bytes(&baseline->scan, LANES).data, LANES);
    unsigned extension = find_extension(baseline);
    if (extension != 0)
        memcpy(lanes + LANES / 2, lanes, LANES / 2);
    struct operand b = operand_take(baseline);
    struct operand a = operand_take(baseline);
    bool is_same = a.place == PLACE_LOCAL && b.place == PLACE_LOCAL && a.index == b.index;
    bool is_second = true;
    for (unsigned i = 0; i < LANES; i++) {
        if (is_same)
            lanes[i] %= LANES;
        is_second = is_second && lanes[i] >= LANES;
    }
    if (is_second) {
        struct operand other = a;
        a = b;
        b = other;
        for (unsigned i = 0; i < LANES; i++)
            lanes[i] -= LANES;
    }
    if (!is_single(lanes)) {
        shuffle_two(baseline, &a, &b, lanes);
        return;
    }
    operand_release(baseline, &b);
    if (extension != 0 && is_upper_half(lanes))
        extend_high(baseline, &a, extension);
    else
        shuffle_one(baseline, &a, lanes);
}
