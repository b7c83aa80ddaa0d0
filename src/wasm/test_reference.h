/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: what instructions compute, in C. */
#ifndef WASM_TEST_REFERENCE_H
#define WASM_TEST_REFERENCE_H

#include "core/compiler.h"

/* The result, as a slot has it, of a plain instruction with two operands; false when it traps. */
bool test_expected(uint8_t opcode, uint64_t a, uint64_t b, uint64_t *result);
/* A float of type VALUE_F32 or VALUE_F64 by its bits. */
double test_double(uint8_t type, uint64_t bits);

#endif
