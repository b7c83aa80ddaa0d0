/* SPDX-License-Identifier: Apache-2.0 */
/* What a reset in the guest does most (restore.S): whole pages and page table entries, in vector
 * registers.  Only where they hold nothing: after guest_restart. */
#ifndef GUEST_RESTORE_H
#define GUEST_RESTORE_H

#include "core/compiler.h"

enum {
    RESTORE_GROUP = 16
};

/* A page, at a page's start. */
void restore_copy(void *to, const void *from);
void restore_zero(void *to);
/* The stack's page in use, from its start up to what is in use of it. */
void restore_stack(void *from);
/* How many of `count` entries may be passed over, in groups: none of them has a bit of the mask,
 * whose four numbers are the same. */
uint64_t restore_find(const uint64_t *entries, uint64_t count, const uint64_t mask[4]);
/* Nothing of what was restored is left in a register. */
void restore_end(void);

#endif
