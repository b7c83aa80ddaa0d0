/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting in place, for any input in n log n steps and without memory or system calls: the C
 * library's qsort asks the system for its memory size, which a jailed process may not do. */
#ifndef CORE_SORT_H
#define CORE_SORT_H

#include "core/compiler.h"

/* Like qsort.  Not stable: a comparison that has to keep an order compares it too. */
void sort_items(void *items, size_t count, size_t size_each,
                int (*compare)(const void *left, const void *right));

#endif
