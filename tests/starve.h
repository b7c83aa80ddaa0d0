/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the n-th allocation fail, to see that running out of memory is an error and nothing worse.
 *
 *     static bool work(void *context) { ... true when it succeeded ... }
 *     starve_each(work, context);
 *
 * Stands in for malloc, calloc and realloc of the test program it is linked into.  Left alone are
 * allocations of OpenSSL and of functions that are spared, which end the process by contract, and
 * those of jansson, which ends it by mistake (it forgets bytes of a string and asserts that they
 * are there).  Does nothing (and says so) under the sanitizers, which have an allocator of their
 * own. */
#ifndef TESTS_STARVE_H
#define TESTS_STARVE_H

#include "core/compiler.h"

/* Runs `work` with its first allocation failing, then with another `step` further on (1: each),
 * until it gets through without a failure; returns how many failed.  A check fails when `work`
 * doesn't succeed in the end, or not within `count_max` allocations. */
unsigned starve_each(bool (*work)(void *context), void *context, unsigned step, unsigned count_max);

/* Allocations within the first bytes of this function succeed. */
void starve_spare(const void *function);

#endif
