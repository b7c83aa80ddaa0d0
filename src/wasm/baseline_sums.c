/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of pinned locals and constants stay on the stack as what they are, until something needs the
 * number: then one lea makes it, however many instructions had written it. */
#include "wasm/baseline_state.h"

static bool is_pinned_integer(const struct baseline *baseline, const struct operand *operand)
{
    return operand->place == PLACE_LOCAL && !is_float(operand->type) &&
           baseline->locals[operand->index].pin != REGISTER_NONE;
}

/* The operand as a sum; false when it is in memory or a stack register. */
static bool sum_of(const struct baseline *baseline, const struct operand *operand,
                   struct operand *sum)
{
    *sum = *operand;
    if (operand->place == PLACE_SUM)
        return true;
    sum->place = PLACE_SUM;
    sum->index = sum->second = LOCAL_NONE;
    sum->shift = 0;
    sum->bits = 0;
    if (operand->place == PLACE_CONSTANT) {
        sum->bits = operand->bits;
        return true;
    }
    sum->index = operand->index;
    return is_pinned_integer(baseline, operand);
}

/* A displacement that lea can hold; of 32 bits any can, since the sum wraps around. */
static bool displacement_fits(bool wide, uint64_t bits)
{
    return !wide || (uint64_t)(int64_t)(int32_t)(uint32_t)bits == bits;
}

/* Adds b to a; false when there are too many locals for one lea. */
static bool sum_add(struct operand *a, const struct operand *b)
{
    struct operand made = *a;
    uint32_t parts[2] = { b->index, b->second };
    unsigned shifts[2] = { 0, b->shift };
    for (unsigned i = 0; i < 2; i++) {
        if (parts[i] == LOCAL_NONE)
            continue;
        if (shifts[i] == 0 && made.index == LOCAL_NONE) {
            made.index = parts[i];
        } else if (made.second == LOCAL_NONE) {
            made.second = parts[i];
            made.shift = (uint8_t)shifts[i];
        } else if (made.shift == 0 && made.index == LOCAL_NONE) {
            made.index = made.second;
            made.second = parts[i];
            made.shift = (uint8_t)shifts[i];
        } else {
            return false;
        }
    }
    bool wide = made.type == MACHINE_I64;
    made.bits += b->bits;
    if (!displacement_fits(wide, made.bits))
        return false;
    if (!wide)
        made.bits = (uint32_t)made.bits;
    *a = made;
    return true;
}

static void push_sum(struct baseline *baseline, const struct operand *sum)
{
    struct operand pushed = *sum;
    bool is_constant = sum->index == LOCAL_NONE && sum->second == LOCAL_NONE;
    if (is_constant)
        pushed.place = PLACE_CONSTANT;
    else if (sum->second == LOCAL_NONE && sum->bits == 0 &&
             (sum->type == MACHINE_I64 || baseline->locals[sum->index].type == MACHINE_I32))
        pushed.place = PLACE_LOCAL;
    operand_push(baseline, pushed);
}

/* A sum of one local at most, and something else: one lea too. */
static void add_to_other(struct baseline *baseline, struct operand *other,
                         const struct operand *sum)
{
    enum machine_type type = sum->type;
    operand_to_register(baseline, other);
    uint32_t local = sum->second != LOCAL_NONE ? sum->second : sum->index;
    unsigned part = baseline->locals[local].pin;
    pin_validate(baseline, part);
    struct destination to = destination_choose_any(baseline, type, other, NULL);
    pin_validate(baseline, part);
    emit_sum(&baseline->emitter, type == MACHINE_I64, to.reg, other->reg, part, sum->shift,
             (int32_t)(uint32_t)sum->bits);
    destination_finish(baseline, type, &to, other, NULL);
}

static bool compile_addition(struct baseline *baseline, struct operand *a, struct operand *b)
{
    struct operand first, second;
    bool a_is_sum = sum_of(baseline, a, &first), b_is_sum = sum_of(baseline, b, &second);
    bool wide = a->type == MACHINE_I64;
    if ((a_is_sum && !displacement_fits(wide, first.bits)) ||
        (b_is_sum && !displacement_fits(wide, second.bits)))
        return false;
    if (a_is_sum && b_is_sum && sum_add(&first, &second)) {
        push_sum(baseline, &first);
        return true;
    }
    if (a_is_sum == b_is_sum)
        return false;
    const struct operand *sum = a_is_sum ? &first : &second;
    struct operand *given = a_is_sum ? a : b, *other = a_is_sum ? b : a;
    if (given->place != PLACE_SUM || (sum->index != LOCAL_NONE && sum->second != LOCAL_NONE))
        return false;
    add_to_other(baseline, other, sum);
    return true;
}

/* A pinned local times 2, 3, 4, 5, 8 or 9. */
static bool compile_multiple(struct baseline *baseline, const struct operand *a, uint64_t factor)
{
    struct operand sum;
    if (!is_pinned_integer(baseline, a) || !sum_of(baseline, a, &sum))
        return false;
    bool is_odd = factor == 3 || factor == 5 || factor == 9;
    uint64_t power = is_odd ? factor - 1 : factor;
    if (power != 2 && power != 4 && power != 8)
        return false;
    sum.second = sum.index;
    sum.shift = (uint8_t)__builtin_ctzll(power);
    if (!is_odd)
        sum.index = LOCAL_NONE;
    push_sum(baseline, &sum);
    return true;
}

bool compile_wrap(struct baseline *baseline)
{
    const struct operand *top = operand_top(baseline);
    struct operand sum;
    if (top->place != PLACE_SUM && !is_pinned_integer(baseline, top))
        return false;
    struct operand wide = operand_take_lazily(baseline);
    sum_of(baseline, &wide, &sum);
    sum.type = MACHINE_I32;
    sum.bits = (uint32_t)sum.bits;
    operand_push(baseline, sum);
    return true;
}

bool compile_sum(struct baseline *baseline, unsigned stencil, struct operand *a, struct operand *b)
{
    bool has_constant = b->place == PLACE_CONSTANT;
    switch (stencil) {
    case STENCIL_I32_ADD:
    case STENCIL_I64_ADD:
        return compile_addition(baseline, a, b);
    case STENCIL_I32_SUB:
    case STENCIL_I64_SUB: {
        struct operand negated = *b;
        negated.bits = stencil == STENCIL_I32_SUB ? (uint32_t)(0 - b->bits) : 0 - b->bits;
        return has_constant && compile_addition(baseline, a, &negated);
    }
    case STENCIL_I32_SHL:
    case STENCIL_I64_SHL: {
        uint64_t count = b->bits & (stencil == STENCIL_I32_SHL ? 31 : 63);
        return has_constant && count > 0 && count <= 3 &&
               compile_multiple(baseline, a, 1ull << count);
    }
    case STENCIL_I32_MUL:
    case STENCIL_I64_MUL:
        return has_constant && compile_multiple(baseline, a, b->bits);
    default:
        return false;
    }
}
