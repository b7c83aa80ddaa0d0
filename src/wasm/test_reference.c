/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/test_reference.h"

#include "wasm/opcodes.h"

#include <math.h>
#include <string.h>

static bool i32_compare(uint8_t opcode, uint32_t a, uint32_t b)
{
    int32_t x = (int32_t)a, y = (int32_t)b;
    switch (opcode) {
    case OPCODE_I32_EQ:
        return a == b;
    case OPCODE_I32_NE:
        return a != b;
    case OPCODE_I32_LT_S:
        return x < y;
    case OPCODE_I32_LT_U:
        return a < b;
    case OPCODE_I32_GT_S:
        return x > y;
    case OPCODE_I32_GT_U:
        return a > b;
    case OPCODE_I32_LE_S:
        return x <= y;
    case OPCODE_I32_LE_U:
        return a <= b;
    case OPCODE_I32_GE_S:
        return x >= y;
    case OPCODE_I32_GE_U:
        return a >= b;
    default:
        return false;
    }
}

static bool i32_result(uint8_t opcode, uint32_t a, uint32_t b, uint64_t *result)
{
    int32_t x = (int32_t)a, y = (int32_t)b;
    uint32_t r = 0;
    if (opcode <= OPCODE_I32_GE_U) {
        *result = i32_compare(opcode, a, b);
        return true;
    }
    switch (opcode) {
    case OPCODE_I32_ADD:
        r = a + b;
        break;
    case OPCODE_I32_SUB:
        r = a - b;
        break;
    case OPCODE_I32_MUL:
        r = a * b;
        break;
    case OPCODE_I32_AND:
        r = a & b;
        break;
    case OPCODE_I32_OR:
        r = a | b;
        break;
    case OPCODE_I32_XOR:
        r = a ^ b;
        break;
    case OPCODE_I32_SHL:
        r = a << (b & 31);
        break;
    case OPCODE_I32_SHR_U:
        r = a >> (b & 31);
        break;
    case OPCODE_I32_SHR_S:
        r = (uint32_t)(x >> (b & 31));
        break;
    case OPCODE_I32_ROTL:
        r = a << (b & 31) | a >> (-b & 31);
        break;
    case OPCODE_I32_ROTR:
        r = a >> (b & 31) | a << (-b & 31);
        break;
    default:
        if (b == 0 || (opcode == OPCODE_I32_DIV_S && a == 0x80000000 && y == -1))
            return false;
        if (opcode == OPCODE_I32_DIV_S)
            r = (uint32_t)(x / y);
        if (opcode == OPCODE_I32_DIV_U)
            r = a / b;
        if (opcode == OPCODE_I32_REM_S)
            r = y == -1 ? 0 : (uint32_t)(x % y);
        if (opcode == OPCODE_I32_REM_U)
            r = a % b;
    }
    *result = r;
    return true;
}

static bool i64_compare(uint8_t opcode, uint64_t a, uint64_t b)
{
    int64_t x = (int64_t)a, y = (int64_t)b;
    switch (opcode) {
    case OPCODE_I64_EQ:
        return a == b;
    case OPCODE_I64_NE:
        return a != b;
    case OPCODE_I64_LT_S:
        return x < y;
    case OPCODE_I64_LT_U:
        return a < b;
    case OPCODE_I64_GT_S:
        return x > y;
    case OPCODE_I64_GT_U:
        return a > b;
    case OPCODE_I64_LE_S:
        return x <= y;
    case OPCODE_I64_LE_U:
        return a <= b;
    case OPCODE_I64_GE_S:
        return x >= y;
    case OPCODE_I64_GE_U:
        return a >= b;
    default:
        return false;
    }
}

static bool i64_result(uint8_t opcode, uint64_t a, uint64_t b, uint64_t *result)
{
    int64_t x = (int64_t)a, y = (int64_t)b;
    uint64_t r = 0;
    if (opcode <= OPCODE_I64_GE_U) {
        *result = i64_compare(opcode, a, b);
        return true;
    }
    switch (opcode) {
    case OPCODE_I64_ADD:
        r = a + b;
        break;
    case OPCODE_I64_SUB:
        r = a - b;
        break;
    case OPCODE_I64_MUL:
        r = a * b;
        break;
    case OPCODE_I64_AND:
        r = a & b;
        break;
    case OPCODE_I64_OR:
        r = a | b;
        break;
    case OPCODE_I64_XOR:
        r = a ^ b;
        break;
    case OPCODE_I64_SHL:
        r = a << (b & 63);
        break;
    case OPCODE_I64_SHR_U:
        r = a >> (b & 63);
        break;
    case OPCODE_I64_SHR_S:
        r = (uint64_t)(x >> (b & 63));
        break;
    case OPCODE_I64_ROTL:
        r = a << (b & 63) | a >> (-b & 63);
        break;
    case OPCODE_I64_ROTR:
        r = a >> (b & 63) | a << (-b & 63);
        break;
    default:
        if (b == 0 || (opcode == OPCODE_I64_DIV_S && a == 0x8000000000000000 && y == -1))
            return false;
        if (opcode == OPCODE_I64_DIV_S)
            r = (uint64_t)(x / y);
        if (opcode == OPCODE_I64_DIV_U)
            r = a / b;
        if (opcode == OPCODE_I64_REM_S)
            r = y == -1 ? 0 : (uint64_t)(x % y);
        if (opcode == OPCODE_I64_REM_U)
            r = a % b;
    }
    *result = r;
    return true;
}

static double least(double a, double b)
{
    if (isnan(a) || isnan(b))
        return (double)NAN;
    return a < b || (a == b && signbit(a)) ? a : b;
}

static double greatest(double a, double b)
{
    return isnan(a) || isnan(b) ? (double)NAN : -least(-a, -b);
}

/* Of f64, and of f32 by its order in the table of opcodes: singles are exact in doubles, and their
 * sums, differences, products and quotients round the same by way of them. */
static double float_result(unsigned order, double a, double b)
{
    switch (order) {
    case 0:
        return a + b;
    case 1:
        return a - b;
    case 2:
        return a * b;
    case 3:
        return a / b;
    case 4:
        return least(a, b);
    case 5:
        return greatest(a, b);
    default:
        return copysign(a, b);
    }
}

static uint64_t float_order(unsigned order, double a, double b)
{
    const bool results[] = { a == b, a != b, a<b, a> b, a <= b, a >= b };
    return results[order];
}

double test_double(uint8_t type, uint64_t bits)
{
    float single;
    double number;
    memcpy(&single, &bits, sizeof(single));
    memcpy(&number, &bits, sizeof(number));
    if (type == VALUE_F32)
        return (double)single;
    return number;
}

bool test_expected(uint8_t opcode, uint64_t a, uint64_t b, uint64_t *result)
{
    const struct signature *signature = &instructions[opcode].signature;
    uint8_t type = signature->operands[0];
    if (type == VALUE_I32)
        return i32_result(opcode, (uint32_t)a, (uint32_t)b, result);
    if (type == VALUE_I64)
        return i64_result(opcode, a, b, result);
    double x = test_double(type, a), y = test_double(type, b);
    if (signature->result == VALUE_I32) {
        *result = float_order(
            (unsigned)opcode - (type == VALUE_F32 ? OPCODE_F32_EQ : OPCODE_F64_EQ), x, y);
        return true;
    }
    double made = float_result(
        (unsigned)opcode - (type == VALUE_F32 ? OPCODE_F32_ADD : OPCODE_F64_ADD), x, y);
    float single = (float)made;
    *result = 0;
    if (type == VALUE_F32)
        memcpy(result, &single, sizeof(single));
    else
        memcpy(result, &made, sizeof(made));
    return true;
}
