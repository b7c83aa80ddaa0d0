/* SPDX-License-Identifier: Apache-2.0 */
/* Division of 32 bits by a constant: by a product with its inverse, of 64 bits, whose upper part is
 * the quotient (Granlund and Montgomery 1994; Robison 2005 for those whose inverse has to be
 * rounded down). */
#include "wasm/baseline_state.h"

enum {
    SHR = 5,
    SAR = 7,
    AND = 4,
    SUB = 0x29, /* rm -= reg */
    ADD = 0x01,
    MOV = 0x89,
    MOVSXD = 0x63 /* reg = rm */
};

struct inverse {
    uint32_t factor;
    uint8_t shift;  /* of the product, beyond 32 */
    bool adds_more; /* the factor was rounded down: once more before shifting */
};

/* x / divisor = x * factor >> 32 + shift for all x below 2^bits; the divisor is no power of two. */
static bool find_inverse(uint32_t divisor, unsigned bits, struct inverse *inverse)
{
    for (unsigned shift = 0; shift < 32; shift++) {
        uint64_t power = 1ull << (32 + shift);
        uint64_t factor = power / divisor + 1;
        if (factor > UINT32_MAX)
            break;
        if (factor * divisor - power <= 1ull << (shift + 32 - bits)) {
            *inverse = (struct inverse){ .factor = (uint32_t)factor, .shift = (uint8_t)shift };
            return true;
        }
    }
    unsigned shift = 31u - (unsigned)__builtin_clz(divisor);
    uint64_t power = 1ull << (32 + shift);
    *inverse = (struct inverse){ .factor = (uint32_t)(power / divisor),
                                 .shift = (uint8_t)shift,
                                 .adds_more = true };
    return bits == 32;
}

/* The quotient of the unsigned `from` in r10; `spare` is lost. */
static void divide_unsigned(struct emitter *emitter, const struct inverse *inverse, unsigned from,
                            unsigned spare)
{
    emit_scratch_constant(emitter, inverse->factor);
    if (inverse->adds_more)
        emit_integer_registers(emitter, MOV, false, REGISTER_SCRATCH, spare);
    emit_multiply(emitter, true, REGISTER_SCRATCH, from);
    if (inverse->adds_more)
        emit_integer_registers(emitter, ADD, true, spare, REGISTER_SCRATCH);
    emit_shift(emitter, SHR, true, REGISTER_SCRATCH, (uint8_t)(32 + inverse->shift));
}

/* The same of a signed one, rounded towards zero. */
static void divide_signed(struct emitter *emitter, const struct inverse *inverse, unsigned from,
                          unsigned spare)
{
    emit_integer_registers(emitter, MOVSXD, true, spare, from);
    if (inverse->factor <= INT32_MAX) {
        emit_multiply_immediate(emitter, true, REGISTER_SCRATCH, spare, (int32_t)inverse->factor);
    } else {
        emit_scratch_constant(emitter, inverse->factor);
        emit_multiply(emitter, true, REGISTER_SCRATCH, spare);
    }
    emit_shift(emitter, SAR, true, REGISTER_SCRATCH, (uint8_t)(32 + inverse->shift));
    emit_add_sign(emitter, REGISTER_SCRATCH, from);
}

/* By 2^power, rounded towards zero; for a rest what the quotient stands for. */
static void divide_power(struct emitter *emitter, unsigned power, unsigned from, bool is_rest)
{
    emit_scratch_move(emitter, from);
    emit_shift(emitter, SAR, false, REGISTER_SCRATCH, 31);
    emit_shift(emitter, SHR, false, REGISTER_SCRATCH, (uint8_t)(32 - power));
    emit_integer_registers(emitter, ADD, false, from, REGISTER_SCRATCH);
    if (is_rest)
        emit_integer_immediate(emitter, AND, false, REGISTER_SCRATCH,
                               (int32_t)(0u - (1u << power)));
    else
        emit_shift(emitter, SAR, false, REGISTER_SCRATCH, (uint8_t)power);
}

bool compile_division(struct baseline *baseline, unsigned operation, struct operand *a,
                      const struct operand *b)
{
    struct emitter *emitter = &baseline->emitter;
    bool is_rest = operation == STENCIL_I32_REM_U || operation == STENCIL_I32_REM_S;
    bool is_signed = operation == STENCIL_I32_DIV_S || operation == STENCIL_I32_REM_S;
    if (operation != STENCIL_I32_DIV_U && !is_rest && !is_signed)
        return false;
    uint32_t divisor = (uint32_t)b->bits;
    bool is_negative = is_signed && divisor > INT32_MAX;
    uint32_t size = is_negative ? 0u - divisor : divisor;
    bool is_power = (size & (size - 1)) == 0;
    struct inverse inverse = { 0 };
    if (b->place != PLACE_CONSTANT || a->place == PLACE_CONSTANT || size < 2 ||
        (is_signed && size > INT32_MAX) || (is_power && !is_signed) ||
        (!is_power && !find_inverse(size, is_signed ? 31 : 32, &inverse)))
        return false;
    unsigned from = register_of(baseline, a);
    if (from == REGISTER_NONE) {
        operand_to_register(baseline, a);
        from = a->reg;
    }
    struct destination to = destination_choose_any(baseline, MACHINE_I32, a, NULL);
    bool takes_spare = to.reg == from && !is_power && (is_signed || inverse.adds_more);
    unsigned spare = takes_spare ? register_take(baseline, false) : to.reg;
    if (is_power)
        divide_power(emitter, (unsigned)__builtin_ctz(size), from, is_rest);
    else if (is_signed)
        divide_signed(emitter, &inverse, from, spare);
    else
        divide_unsigned(emitter, &inverse, from, spare);
    if (takes_spare)
        baseline->owners[spare] = 0;
    if (is_rest) {
        if (!is_power)
            emit_multiply_immediate(emitter, false, REGISTER_SCRATCH, REGISTER_SCRATCH,
                                    (int32_t)size);
        emit_move(emitter, MACHINE_I32, to.reg, from);
        emit_integer_registers(emitter, SUB, false, REGISTER_SCRATCH, to.reg);
    } else {
        if (is_negative)
            emit_negate(emitter, false, REGISTER_SCRATCH);
        emit_move(emitter, MACHINE_I32, to.reg, REGISTER_SCRATCH);
    }
    destination_finish(baseline, MACHINE_I32, &to, a, NULL);
    return true;
}
