/* SPDX-License-Identifier: Apache-2.0 */
/* The table of instructions: WebAssembly 2.0.  Internal to wasm.
 *
 * X(code, name, text, kind, signature, alignment): the signature of PLAIN and ACCESS instructions
 * reads operands_result (i = i32, I = i64, f = f32, F = f64, v = v128), the alignment of
 * ACCESS is the natural one as a power of two; SPECIAL instructions have rules of their own. */
#ifndef WASM_OPCODES_H
#define WASM_OPCODES_H

#include "wasm/module.h"
#include "wasm/vector_opcodes.h"

#define OPCODES(X)                                                                                 \
    X(0x00, UNREACHABLE, "unreachable", SPECIAL, none, 0)                                          \
    X(0x01, NOP, "nop", SPECIAL, none, 0)                                                          \
    X(0x02, BLOCK, "block", SPECIAL, none, 0)                                                      \
    X(0x03, LOOP, "loop", SPECIAL, none, 0)                                                        \
    X(0x04, IF, "if", SPECIAL, none, 0)                                                            \
    X(0x05, ELSE, "else", SPECIAL, none, 0)                                                        \
    X(0x0b, END, "end", SPECIAL, none, 0)                                                          \
    X(0x0c, BR, "br", SPECIAL, none, 0)                                                            \
    X(0x0d, BR_IF, "br_if", SPECIAL, none, 0)                                                      \
    X(0x0e, BR_TABLE, "br_table", SPECIAL, none, 0)                                                \
    X(0x0f, RETURN, "return", SPECIAL, none, 0)                                                    \
    X(0x10, CALL, "call", SPECIAL, none, 0)                                                        \
    X(0x11, CALL_INDIRECT, "call_indirect", SPECIAL, none, 0)                                      \
    X(0x12, RETURN_CALL, "return_call", SPECIAL, none, 0)                                          \
    X(0x13, RETURN_CALL_INDIRECT, "return_call_indirect", SPECIAL, none, 0)                        \
    X(0x1a, DROP, "drop", SPECIAL, none, 0)                                                        \
    X(0x1b, SELECT, "select", SPECIAL, none, 0)                                                    \
    X(0x1c, SELECT_T, "select t", SPECIAL, none, 0)                                                \
    X(0x20, LOCAL_GET, "local.get", SPECIAL, none, 0)                                              \
    X(0x21, LOCAL_SET, "local.set", SPECIAL, none, 0)                                              \
    X(0x22, LOCAL_TEE, "local.tee", SPECIAL, none, 0)                                              \
    X(0x23, GLOBAL_GET, "global.get", SPECIAL, none, 0)                                            \
    X(0x24, GLOBAL_SET, "global.set", SPECIAL, none, 0)                                            \
    X(0x25, TABLE_GET, "table.get", SPECIAL, none, 0)                                              \
    X(0x26, TABLE_SET, "table.set", SPECIAL, none, 0)                                              \
    X(0x28, I32_LOAD, "i32.load", ACCESS, i_i, 2)                                                  \
    X(0x29, I64_LOAD, "i64.load", ACCESS, i_I, 3)                                                  \
    X(0x2a, F32_LOAD, "f32.load", ACCESS, i_f, 2)                                                  \
    X(0x2b, F64_LOAD, "f64.load", ACCESS, i_F, 3)                                                  \
    X(0x2c, I32_LOAD8_S, "i32.load8_s", ACCESS, i_i, 0)                                            \
    X(0x2d, I32_LOAD8_U, "i32.load8_u", ACCESS, i_i, 0)                                            \
    X(0x2e, I32_LOAD16_S, "i32.load16_s", ACCESS, i_i, 1)                                          \
    X(0x2f, I32_LOAD16_U, "i32.load16_u", ACCESS, i_i, 1)                                          \
    X(0x30, I64_LOAD8_S, "i64.load8_s", ACCESS, i_I, 0)                                            \
    X(0x31, I64_LOAD8_U, "i64.load8_u", ACCESS, i_I, 0)                                            \
    X(0x32, I64_LOAD16_S, "i64.load16_s", ACCESS, i_I, 1)                                          \
    X(0x33, I64_LOAD16_U, "i64.load16_u", ACCESS, i_I, 1)                                          \
    X(0x34, I64_LOAD32_S, "i64.load32_s", ACCESS, i_I, 2)                                          \
    X(0x35, I64_LOAD32_U, "i64.load32_u", ACCESS, i_I, 2)                                          \
    X(0x36, I32_STORE, "i32.store", ACCESS, ii_, 2)                                                \
    X(0x37, I64_STORE, "i64.store", ACCESS, iI_, 3)                                                \
    X(0x38, F32_STORE, "f32.store", ACCESS, if_, 2)                                                \
    X(0x39, F64_STORE, "f64.store", ACCESS, iF_, 3)                                                \
    X(0x3a, I32_STORE8, "i32.store8", ACCESS, ii_, 0)                                              \
    X(0x3b, I32_STORE16, "i32.store16", ACCESS, ii_, 1)                                            \
    X(0x3c, I64_STORE8, "i64.store8", ACCESS, iI_, 0)                                              \
    X(0x3d, I64_STORE16, "i64.store16", ACCESS, iI_, 1)                                            \
    X(0x3e, I64_STORE32, "i64.store32", ACCESS, iI_, 2)                                            \
    X(0x3f, MEMORY_SIZE, "memory.size", SPECIAL, none, 0)                                          \
    X(0x40, MEMORY_GROW, "memory.grow", SPECIAL, none, 0)                                          \
    X(0x41, I32_CONST, "i32.const", SPECIAL, none, 0)                                              \
    X(0x42, I64_CONST, "i64.const", SPECIAL, none, 0)                                              \
    X(0x43, F32_CONST, "f32.const", SPECIAL, none, 0)                                              \
    X(0x44, F64_CONST, "f64.const", SPECIAL, none, 0)                                              \
    X(0x45, I32_EQZ, "i32.eqz", PLAIN, i_i, 0)                                                     \
    X(0x46, I32_EQ, "i32.eq", PLAIN, ii_i, 0)                                                      \
    X(0x47, I32_NE, "i32.ne", PLAIN, ii_i, 0)                                                      \
    X(0x48, I32_LT_S, "i32.lt_s", PLAIN, ii_i, 0)                                                  \
    X(0x49, I32_LT_U, "i32.lt_u", PLAIN, ii_i, 0)                                                  \
    X(0x4a, I32_GT_S, "i32.gt_s", PLAIN, ii_i, 0)                                                  \
    X(0x4b, I32_GT_U, "i32.gt_u", PLAIN, ii_i, 0)                                                  \
    X(0x4c, I32_LE_S, "i32.le_s", PLAIN, ii_i, 0)                                                  \
    X(0x4d, I32_LE_U, "i32.le_u", PLAIN, ii_i, 0)                                                  \
    X(0x4e, I32_GE_S, "i32.ge_s", PLAIN, ii_i, 0)                                                  \
    X(0x4f, I32_GE_U, "i32.ge_u", PLAIN, ii_i, 0)                                                  \
    X(0x50, I64_EQZ, "i64.eqz", PLAIN, I_i, 0)                                                     \
    X(0x51, I64_EQ, "i64.eq", PLAIN, II_i, 0)                                                      \
    X(0x52, I64_NE, "i64.ne", PLAIN, II_i, 0)                                                      \
    X(0x53, I64_LT_S, "i64.lt_s", PLAIN, II_i, 0)                                                  \
    X(0x54, I64_LT_U, "i64.lt_u", PLAIN, II_i, 0)                                                  \
    X(0x55, I64_GT_S, "i64.gt_s", PLAIN, II_i, 0)                                                  \
    X(0x56, I64_GT_U, "i64.gt_u", PLAIN, II_i, 0)                                                  \
    X(0x57, I64_LE_S, "i64.le_s", PLAIN, II_i, 0)                                                  \
    X(0x58, I64_LE_U, "i64.le_u", PLAIN, II_i, 0)                                                  \
    X(0x59, I64_GE_S, "i64.ge_s", PLAIN, II_i, 0)                                                  \
    X(0x5a, I64_GE_U, "i64.ge_u", PLAIN, II_i, 0)                                                  \
    X(0x5b, F32_EQ, "f32.eq", PLAIN, ff_i, 0)                                                      \
    X(0x5c, F32_NE, "f32.ne", PLAIN, ff_i, 0)                                                      \
    X(0x5d, F32_LT, "f32.lt", PLAIN, ff_i, 0)                                                      \
    X(0x5e, F32_GT, "f32.gt", PLAIN, ff_i, 0)                                                      \
    X(0x5f, F32_LE, "f32.le", PLAIN, ff_i, 0)                                                      \
    X(0x60, F32_GE, "f32.ge", PLAIN, ff_i, 0)                                                      \
    X(0x61, F64_EQ, "f64.eq", PLAIN, FF_i, 0)                                                      \
    X(0x62, F64_NE, "f64.ne", PLAIN, FF_i, 0)                                                      \
    X(0x63, F64_LT, "f64.lt", PLAIN, FF_i, 0)                                                      \
    X(0x64, F64_GT, "f64.gt", PLAIN, FF_i, 0)                                                      \
    X(0x65, F64_LE, "f64.le", PLAIN, FF_i, 0)                                                      \
    X(0x66, F64_GE, "f64.ge", PLAIN, FF_i, 0)                                                      \
    X(0x67, I32_CLZ, "i32.clz", PLAIN, i_i, 0)                                                     \
    X(0x68, I32_CTZ, "i32.ctz", PLAIN, i_i, 0)                                                     \
    X(0x69, I32_POPCNT, "i32.popcnt", PLAIN, i_i, 0)                                               \
    X(0x6a, I32_ADD, "i32.add", PLAIN, ii_i, 0)                                                    \
    X(0x6b, I32_SUB, "i32.sub", PLAIN, ii_i, 0)                                                    \
    X(0x6c, I32_MUL, "i32.mul", PLAIN, ii_i, 0)                                                    \
    X(0x6d, I32_DIV_S, "i32.div_s", PLAIN, ii_i, 0)                                                \
    X(0x6e, I32_DIV_U, "i32.div_u", PLAIN, ii_i, 0)                                                \
    X(0x6f, I32_REM_S, "i32.rem_s", PLAIN, ii_i, 0)                                                \
    X(0x70, I32_REM_U, "i32.rem_u", PLAIN, ii_i, 0)                                                \
    X(0x71, I32_AND, "i32.and", PLAIN, ii_i, 0)                                                    \
    X(0x72, I32_OR, "i32.or", PLAIN, ii_i, 0)                                                      \
    X(0x73, I32_XOR, "i32.xor", PLAIN, ii_i, 0)                                                    \
    X(0x74, I32_SHL, "i32.shl", PLAIN, ii_i, 0)                                                    \
    X(0x75, I32_SHR_S, "i32.shr_s", PLAIN, ii_i, 0)                                                \
    X(0x76, I32_SHR_U, "i32.shr_u", PLAIN, ii_i, 0)                                                \
    X(0x77, I32_ROTL, "i32.rotl", PLAIN, ii_i, 0)                                                  \
    X(0x78, I32_ROTR, "i32.rotr", PLAIN, ii_i, 0)                                                  \
    X(0x79, I64_CLZ, "i64.clz", PLAIN, I_I, 0)                                                     \
    X(0x7a, I64_CTZ, "i64.ctz", PLAIN, I_I, 0)                                                     \
    X(0x7b, I64_POPCNT, "i64.popcnt", PLAIN, I_I, 0)                                               \
    X(0x7c, I64_ADD, "i64.add", PLAIN, II_I, 0)                                                    \
    X(0x7d, I64_SUB, "i64.sub", PLAIN, II_I, 0)                                                    \
    X(0x7e, I64_MUL, "i64.mul", PLAIN, II_I, 0)                                                    \
    X(0x7f, I64_DIV_S, "i64.div_s", PLAIN, II_I, 0)                                                \
    X(0x80, I64_DIV_U, "i64.div_u", PLAIN, II_I, 0)                                                \
    X(0x81, I64_REM_S, "i64.rem_s", PLAIN, II_I, 0)                                                \
    X(0x82, I64_REM_U, "i64.rem_u", PLAIN, II_I, 0)                                                \
    X(0x83, I64_AND, "i64.and", PLAIN, II_I, 0)                                                    \
    X(0x84, I64_OR, "i64.or", PLAIN, II_I, 0)                                                      \
    X(0x85, I64_XOR, "i64.xor", PLAIN, II_I, 0)                                                    \
    X(0x86, I64_SHL, "i64.shl", PLAIN, II_I, 0)                                                    \
    X(0x87, I64_SHR_S, "i64.shr_s", PLAIN, II_I, 0)                                                \
    X(0x88, I64_SHR_U, "i64.shr_u", PLAIN, II_I, 0)                                                \
    X(0x89, I64_ROTL, "i64.rotl", PLAIN, II_I, 0)                                                  \
    X(0x8a, I64_ROTR, "i64.rotr", PLAIN, II_I, 0)                                                  \
    X(0x8b, F32_ABS, "f32.abs", PLAIN, f_f, 0)                                                     \
    X(0x8c, F32_NEG, "f32.neg", PLAIN, f_f, 0)                                                     \
    X(0x8d, F32_CEIL, "f32.ceil", PLAIN, f_f, 0)                                                   \
    X(0x8e, F32_FLOOR, "f32.floor", PLAIN, f_f, 0)                                                 \
    X(0x8f, F32_TRUNC, "f32.trunc", PLAIN, f_f, 0)                                                 \
    X(0x90, F32_NEAREST, "f32.nearest", PLAIN, f_f, 0)                                             \
    X(0x91, F32_SQRT, "f32.sqrt", PLAIN, f_f, 0)                                                   \
    X(0x92, F32_ADD, "f32.add", PLAIN, ff_f, 0)                                                    \
    X(0x93, F32_SUB, "f32.sub", PLAIN, ff_f, 0)                                                    \
    X(0x94, F32_MUL, "f32.mul", PLAIN, ff_f, 0)                                                    \
    X(0x95, F32_DIV, "f32.div", PLAIN, ff_f, 0)                                                    \
    X(0x96, F32_MIN, "f32.min", PLAIN, ff_f, 0)                                                    \
    X(0x97, F32_MAX, "f32.max", PLAIN, ff_f, 0)                                                    \
    X(0x98, F32_COPYSIGN, "f32.copysign", PLAIN, ff_f, 0)                                          \
    X(0x99, F64_ABS, "f64.abs", PLAIN, F_F, 0)                                                     \
    X(0x9a, F64_NEG, "f64.neg", PLAIN, F_F, 0)                                                     \
    X(0x9b, F64_CEIL, "f64.ceil", PLAIN, F_F, 0)                                                   \
    X(0x9c, F64_FLOOR, "f64.floor", PLAIN, F_F, 0)                                                 \
    X(0x9d, F64_TRUNC, "f64.trunc", PLAIN, F_F, 0)                                                 \
    X(0x9e, F64_NEAREST, "f64.nearest", PLAIN, F_F, 0)                                             \
    X(0x9f, F64_SQRT, "f64.sqrt", PLAIN, F_F, 0)                                                   \
    X(0xa0, F64_ADD, "f64.add", PLAIN, FF_F, 0)                                                    \
    X(0xa1, F64_SUB, "f64.sub", PLAIN, FF_F, 0)                                                    \
    X(0xa2, F64_MUL, "f64.mul", PLAIN, FF_F, 0)                                                    \
    X(0xa3, F64_DIV, "f64.div", PLAIN, FF_F, 0)                                                    \
    X(0xa4, F64_MIN, "f64.min", PLAIN, FF_F, 0)                                                    \
    X(0xa5, F64_MAX, "f64.max", PLAIN, FF_F, 0)                                                    \
    X(0xa6, F64_COPYSIGN, "f64.copysign", PLAIN, FF_F, 0)                                          \
    X(0xa7, I32_WRAP_I64, "i32.wrap_i64", PLAIN, I_i, 0)                                           \
    X(0xa8, I32_TRUNC_F32_S, "i32.trunc_f32_s", PLAIN, f_i, 0)                                     \
    X(0xa9, I32_TRUNC_F32_U, "i32.trunc_f32_u", PLAIN, f_i, 0)                                     \
    X(0xaa, I32_TRUNC_F64_S, "i32.trunc_f64_s", PLAIN, F_i, 0)                                     \
    X(0xab, I32_TRUNC_F64_U, "i32.trunc_f64_u", PLAIN, F_i, 0)                                     \
    X(0xac, I64_EXTEND_I32_S, "i64.extend_i32_s", PLAIN, i_I, 0)                                   \
    X(0xad, I64_EXTEND_I32_U, "i64.extend_i32_u", PLAIN, i_I, 0)                                   \
    X(0xae, I64_TRUNC_F32_S, "i64.trunc_f32_s", PLAIN, f_I, 0)                                     \
    X(0xaf, I64_TRUNC_F32_U, "i64.trunc_f32_u", PLAIN, f_I, 0)                                     \
    X(0xb0, I64_TRUNC_F64_S, "i64.trunc_f64_s", PLAIN, F_I, 0)                                     \
    X(0xb1, I64_TRUNC_F64_U, "i64.trunc_f64_u", PLAIN, F_I, 0)                                     \
    X(0xb2, F32_CONVERT_I32_S, "f32.convert_i32_s", PLAIN, i_f, 0)                                 \
    X(0xb3, F32_CONVERT_I32_U, "f32.convert_i32_u", PLAIN, i_f, 0)                                 \
    X(0xb4, F32_CONVERT_I64_S, "f32.convert_i64_s", PLAIN, I_f, 0)                                 \
    X(0xb5, F32_CONVERT_I64_U, "f32.convert_i64_u", PLAIN, I_f, 0)                                 \
    X(0xb6, F32_DEMOTE_F64, "f32.demote_f64", PLAIN, F_f, 0)                                       \
    X(0xb7, F64_CONVERT_I32_S, "f64.convert_i32_s", PLAIN, i_F, 0)                                 \
    X(0xb8, F64_CONVERT_I32_U, "f64.convert_i32_u", PLAIN, i_F, 0)                                 \
    X(0xb9, F64_CONVERT_I64_S, "f64.convert_i64_s", PLAIN, I_F, 0)                                 \
    X(0xba, F64_CONVERT_I64_U, "f64.convert_i64_u", PLAIN, I_F, 0)                                 \
    X(0xbb, F64_PROMOTE_F32, "f64.promote_f32", PLAIN, f_F, 0)                                     \
    X(0xbc, I32_REINTERPRET_F32, "i32.reinterpret_f32", PLAIN, f_i, 0)                             \
    X(0xbd, I64_REINTERPRET_F64, "i64.reinterpret_f64", PLAIN, F_I, 0)                             \
    X(0xbe, F32_REINTERPRET_I32, "f32.reinterpret_i32", PLAIN, i_f, 0)                             \
    X(0xbf, F64_REINTERPRET_I64, "f64.reinterpret_i64", PLAIN, I_F, 0)                             \
    X(0xc0, I32_EXTEND8_S, "i32.extend8_s", PLAIN, i_i, 0)                                         \
    X(0xc1, I32_EXTEND16_S, "i32.extend16_s", PLAIN, i_i, 0)                                       \
    X(0xc2, I64_EXTEND8_S, "i64.extend8_s", PLAIN, I_I, 0)                                         \
    X(0xc3, I64_EXTEND16_S, "i64.extend16_s", PLAIN, I_I, 0)                                       \
    X(0xc4, I64_EXTEND32_S, "i64.extend32_s", PLAIN, I_I, 0)                                       \
    X(0xd0, REF_NULL, "ref.null", SPECIAL, none, 0)                                                \
    X(0xd1, REF_IS_NULL, "ref.is_null", SPECIAL, none, 0)                                          \
    X(0xd2, REF_FUNC, "ref.func", SPECIAL, none, 0)                                                \
    X(0xfc, PREFIX, "prefix", SPECIAL, none, 0)                                                    \
    X(0xfd, VECTOR_PREFIX, "prefix", SPECIAL, none, 0)

/* Behind the byte 0xfc. */
#define PREFIXED_OPCODES(X)                                                                        \
    X(0x00, I32_TRUNC_SAT_F32_S, "i32.trunc_sat_f32_s", PLAIN, f_i, 0)                             \
    X(0x01, I32_TRUNC_SAT_F32_U, "i32.trunc_sat_f32_u", PLAIN, f_i, 0)                             \
    X(0x02, I32_TRUNC_SAT_F64_S, "i32.trunc_sat_f64_s", PLAIN, F_i, 0)                             \
    X(0x03, I32_TRUNC_SAT_F64_U, "i32.trunc_sat_f64_u", PLAIN, F_i, 0)                             \
    X(0x04, I64_TRUNC_SAT_F32_S, "i64.trunc_sat_f32_s", PLAIN, f_I, 0)                             \
    X(0x05, I64_TRUNC_SAT_F32_U, "i64.trunc_sat_f32_u", PLAIN, f_I, 0)                             \
    X(0x06, I64_TRUNC_SAT_F64_S, "i64.trunc_sat_f64_s", PLAIN, F_I, 0)                             \
    X(0x07, I64_TRUNC_SAT_F64_U, "i64.trunc_sat_f64_u", PLAIN, F_I, 0)                             \
    X(0x08, MEMORY_INIT, "memory.init", SPECIAL, none, 0)                                          \
    X(0x09, DATA_DROP, "data.drop", SPECIAL, none, 0)                                              \
    X(0x0a, MEMORY_COPY, "memory.copy", SPECIAL, none, 0)                                          \
    X(0x0b, MEMORY_FILL, "memory.fill", SPECIAL, none, 0)                                          \
    X(0x0c, TABLE_INIT, "table.init", SPECIAL, none, 0)                                            \
    X(0x0d, ELEM_DROP, "elem.drop", SPECIAL, none, 0)                                              \
    X(0x0e, TABLE_COPY, "table.copy", SPECIAL, none, 0)                                            \
    X(0x0f, TABLE_GROW, "table.grow", SPECIAL, none, 0)                                            \
    X(0x10, TABLE_SIZE, "table.size", SPECIAL, none, 0)                                            \
    X(0x11, TABLE_FILL, "table.fill", SPECIAL, none, 0)

enum opcode {
#define OPCODE_ENUM(code, name, text, kind, signature, alignment) OPCODE_##name = code,
    OPCODES(OPCODE_ENUM)
#undef OPCODE_ENUM
};

enum prefixed_opcode {
#define OPCODE_ENUM(code, name, text, kind, signature, alignment) PREFIXED_##name = code,
    PREFIXED_OPCODES(OPCODE_ENUM)
#undef OPCODE_ENUM
    PREFIXED_COUNT
};

enum opcode_kind {
    OPCODE_ABSENT, /* not of WebAssembly 2.0 */
    OPCODE_PLAIN,  /* no immediates */
    OPCODE_ACCESS, /* alignment and offset */
    OPCODE_SPECIAL,
    OPCODE_LANE,        /* index of a lane */
    OPCODE_ACCESS_LANE, /* alignment, offset and lane */
};

struct signature {
    uint8_t operand_count;
    uint8_t operands[3];
    uint8_t result; /* 0: none */
};

struct instruction {
    const char *text;
    uint8_t kind;
    uint8_t alignment; /* LANE: number of lanes */
    uint16_t features; /* enum wasm_feature */
    struct signature signature;
};

extern const struct instruction instructions[256];
extern const struct instruction prefixed_instructions[PREFIXED_COUNT];
extern const struct instruction vector_instructions[VECTOR_COUNT];

#endif
