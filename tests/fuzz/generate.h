/* SPDX-License-Identifier: Apache-2.0 */
/* Modules made of any bytes: always valid, always ending, using all of what is compiled (numbers,
 * vectors, memory, tables, control, calls, tail calls).
 *
 * The bytes are the decisions; when they are used up, numbers derived from them decide.  A module
 * exports r0, r1, ... of type () -> i64, which call its functions, and `digest` of the same type,
 * over its memory.  Loops and calls end because loops spend fuel of a global and functions call
 * earlier ones only. */
#ifndef TESTS_FUZZ_GENERATE_H
#define TESTS_FUZZ_GENERATE_H

#include "base/buffer.h"

enum {
    GENERATE_FUNCTION_COUNT = 6
};

/* `module` is emptied first; check its `failed`. */
void generate_module(struct buffer *module, struct bytes decisions);

#endif
