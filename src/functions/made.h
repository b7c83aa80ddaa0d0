/* SPDX-License-Identifier: Apache-2.0 */
/* The list of calls that a guest says to have made inside (abi/call.h), and what it was foretold:
 * `pairs`, requests each followed by its answer, is our own; the list is a copy of what a guest
 * wrote, which may be anything. */
#ifndef FUNCTIONS_MADE_H
#define FUNCTIONS_MADE_H

#include "abi/call.h"

/* Whether it is a list of calls that can have been answered inside, none else; *count of them. */
MUST_CHECK bool made_check(struct bytes list, struct bytes pairs, uint32_t *count);
/* Whether the answers to a list that was checked are those that the guest had. */
MUST_CHECK bool made_was_right(struct bytes list, struct bytes pairs, struct bytes answers);

#endif
