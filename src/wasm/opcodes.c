/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/opcodes.h"

/* clang-format off */
#define SIGNATURE(count, first, second, result)                                                    \
    { (count), { VALUE_##first, VALUE_##second }, VALUE_##result }
#define SIGNATURE_none SIGNATURE(0, UNKNOWN, UNKNOWN, UNKNOWN)
#define SIGNATURE_FF_F SIGNATURE(2, F64, F64, F64)
#define SIGNATURE_FF_i SIGNATURE(2, F64, F64, I32)
#define SIGNATURE_F_F SIGNATURE(1, F64, UNKNOWN, F64)
#define SIGNATURE_F_I SIGNATURE(1, F64, UNKNOWN, I64)
#define SIGNATURE_F_f SIGNATURE(1, F64, UNKNOWN, F32)
#define SIGNATURE_F_i SIGNATURE(1, F64, UNKNOWN, I32)
#define SIGNATURE_II_I SIGNATURE(2, I64, I64, I64)
#define SIGNATURE_II_i SIGNATURE(2, I64, I64, I32)
#define SIGNATURE_I_F SIGNATURE(1, I64, UNKNOWN, F64)
#define SIGNATURE_I_I SIGNATURE(1, I64, UNKNOWN, I64)
#define SIGNATURE_I_f SIGNATURE(1, I64, UNKNOWN, F32)
#define SIGNATURE_I_i SIGNATURE(1, I64, UNKNOWN, I32)
#define SIGNATURE_f_F SIGNATURE(1, F32, UNKNOWN, F64)
#define SIGNATURE_f_I SIGNATURE(1, F32, UNKNOWN, I64)
#define SIGNATURE_f_f SIGNATURE(1, F32, UNKNOWN, F32)
#define SIGNATURE_f_i SIGNATURE(1, F32, UNKNOWN, I32)
#define SIGNATURE_ff_f SIGNATURE(2, F32, F32, F32)
#define SIGNATURE_ff_i SIGNATURE(2, F32, F32, I32)
#define SIGNATURE_iF_ SIGNATURE(2, I32, F64, UNKNOWN)
#define SIGNATURE_iI_ SIGNATURE(2, I32, I64, UNKNOWN)
#define SIGNATURE_i_F SIGNATURE(1, I32, UNKNOWN, F64)
#define SIGNATURE_i_I SIGNATURE(1, I32, UNKNOWN, I64)
#define SIGNATURE_i_f SIGNATURE(1, I32, UNKNOWN, F32)
#define SIGNATURE_i_i SIGNATURE(1, I32, UNKNOWN, I32)
#define SIGNATURE_if_ SIGNATURE(2, I32, F32, UNKNOWN)
#define SIGNATURE_ii_ SIGNATURE(2, I32, I32, UNKNOWN)
#define SIGNATURE_ii_i SIGNATURE(2, I32, I32, I32)
#define SIGNATURE_v_F SIGNATURE(1, V128, UNKNOWN, F64)
#define SIGNATURE_v_I SIGNATURE(1, V128, UNKNOWN, I64)
#define SIGNATURE_v_f SIGNATURE(1, V128, UNKNOWN, F32)
#define SIGNATURE_v_i SIGNATURE(1, V128, UNKNOWN, I32)
#define SIGNATURE_v_v SIGNATURE(1, V128, UNKNOWN, V128)
#define SIGNATURE_F_v SIGNATURE(1, F64, UNKNOWN, V128)
#define SIGNATURE_I_v SIGNATURE(1, I64, UNKNOWN, V128)
#define SIGNATURE_f_v SIGNATURE(1, F32, UNKNOWN, V128)
#define SIGNATURE_i_v SIGNATURE(1, I32, UNKNOWN, V128)
#define SIGNATURE_iv_ SIGNATURE(2, I32, V128, UNKNOWN)
#define SIGNATURE_iv_v SIGNATURE(2, I32, V128, V128)
#define SIGNATURE_vF_v SIGNATURE(2, V128, F64, V128)
#define SIGNATURE_vI_v SIGNATURE(2, V128, I64, V128)
#define SIGNATURE_vf_v SIGNATURE(2, V128, F32, V128)
#define SIGNATURE_vi_v SIGNATURE(2, V128, I32, V128)
#define SIGNATURE_vv_v SIGNATURE(2, V128, V128, V128)
#define SIGNATURE_vvv_v { 3, { VALUE_V128, VALUE_V128, VALUE_V128 }, VALUE_V128 }
/* clang-format on */

#define FEATURE_OF(code)                                                                           \
    ((code) >= 0xc0 && (code) <= 0xc4   ? WASM_FEATURE_SIGN_EXTENSION                              \
     : (code) == 0x12 || (code) == 0x13 ? WASM_FEATURE_TAIL_CALL                                   \
     : (code) == 0x1c || (code) == 0x25 || (code) == 0x26 || ((code) >= 0xd0 && (code) <= 0xd2)    \
         ? WASM_FEATURE_REFERENCE_TYPES                                                            \
         : 0)
#define PREFIXED_FEATURE_OF(code)                                                                  \
    ((code) < 8    ? WASM_FEATURE_SATURATING_CONVERSION                                            \
     : (code) < 15 ? WASM_FEATURE_BULK_MEMORY                                                      \
                   : WASM_FEATURE_REFERENCE_TYPES)

const struct instruction instructions[256] = {
#define INSTRUCTION(code, name, text, kind, signature, alignment)                                  \
    [code] = { text, OPCODE_##kind, alignment, FEATURE_OF(code), SIGNATURE_##signature },
    OPCODES(INSTRUCTION)
#undef INSTRUCTION
};

const struct instruction prefixed_instructions[PREFIXED_COUNT] = {
#define INSTRUCTION(code, name, text, kind, signature, alignment)                                  \
    [code] = { text, OPCODE_##kind, alignment, PREFIXED_FEATURE_OF(code), SIGNATURE_##signature },
    PREFIXED_OPCODES(INSTRUCTION)
#undef INSTRUCTION
};

const struct instruction vector_instructions[VECTOR_COUNT] = {
#define INSTRUCTION(code, name, text, kind, signature, extra)                                      \
    [code] = { text, OPCODE_##kind, extra, WASM_FEATURE_SIMD, SIGNATURE_##signature },
    VECTOR_OPCODES(INSTRUCTION)
#undef INSTRUCTION
};
