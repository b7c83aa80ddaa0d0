/* SPDX-License-Identifier: Apache-2.0 */
/* wabt's verdict on a module: another reader of the same specification to disagree with. */
#ifndef TESTS_FUZZ_WABT_H
#define TESTS_FUZZ_WABT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* True: valid with 2.0, tail calls and extended constant expressions.  False: `reason` says why.
 * wabt reads the content of custom sections, which can't make a module invalid, only if `strict`;
 * but only then does it look at their names, which can. */
bool wabt_accepts(const uint8_t *data, size_t size, bool strict, char *reason, size_t reason_size);

#ifdef __cplusplus
}
#endif

#endif
