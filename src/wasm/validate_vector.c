/* SPDX-License-Identifier: Apache-2.0 */
/* Validation of vector instructions. */
#include "wasm/opcodes.h"
#include "wasm/validator.h"

enum {
    VECTOR_SIZE = 16
};

static bool refuse_absent(struct validator *validator, uint32_t code)
{
    return validator_refuse_prefixed(validator, OPCODE_VECTOR_PREFIX, PROPOSAL_OPCODE_FD, code);
}

static bool check_lane(struct validator *validator, unsigned lanes)
{
    uint8_t lane = scan_u8(&validator->scan);
    return lane < lanes || validator_refuse(validator, ERROR_INVALID,
                                            "invalid lane index %u, at most %u", lane, lanes - 1);
}

static bool check_shuffle(struct validator *validator)
{
    for (unsigned i = 0; i < VECTOR_SIZE; i++) {
        if (!check_lane(validator, 2 * VECTOR_SIZE))
            return false;
    }
    return true;
}

bool validator_check_vector(struct validator *validator)
{
    uint32_t code = scan_u32(&validator->scan);
    if (code >= VECTOR_COUNT)
        return refuse_absent(validator, code);
    const struct instruction *instruction = &vector_instructions[code];
    validator->features |= WASM_FEATURE_SIMD;
    switch ((enum opcode_kind)instruction->kind) {
    case OPCODE_ABSENT:
        return refuse_absent(validator, code);
    case OPCODE_PLAIN:
        break;
    case OPCODE_ACCESS:
        if (!validator_read_access(validator, instruction))
            return false;
        break;
    case OPCODE_LANE:
        if (!check_lane(validator, instruction->alignment))
            return false;
        break;
    case OPCODE_ACCESS_LANE:
        if (!validator_read_access(validator, instruction) ||
            !check_lane(validator, VECTOR_SIZE >> instruction->alignment))
            return false;
        break;
    case OPCODE_SPECIAL:
        if (code == VECTOR_I8X16_SHUFFLE) {
            static const struct signature two = { 2, { VALUE_V128, VALUE_V128 }, VALUE_V128 };
            return check_shuffle(validator) && validator_apply(validator, &two);
        }
        (void)scan_bytes(&validator->scan, VECTOR_SIZE);
        validator_push(validator, VALUE_V128);
        return true;
    }
    return validator_apply(validator, &instruction->signature);
}
