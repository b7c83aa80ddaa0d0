/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: modules written as text in the test itself. */
#ifndef WASM_TEST_TEXT_H
#define WASM_TEST_TEXT_H

#include "core/bytes.h"

/* False when wat2wasm (Debian's wabt) is not installed: skip then. */
bool test_can_assemble(void);
/* The binary form, all proposals allowed; empty with a failed check when the text is wrong. */
struct bytes test_assemble(const char *text);

#endif
