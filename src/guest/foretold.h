/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that are answered without leaving (abi/call.h): those that the host foretold, and kv_set.
 * What is answered here goes into the mailbox's list of calls made; the host makes them later and
 * looks whether the answers were right. */
#ifndef GUEST_FORETOLD_H
#define GUEST_FORETOLD_H

#include "abi/call.h"
#include "guest/guest.h"

/* An invocation begins. */
void foretold_begin(void);
/* A call leaves: from now on all of them do. */
void foretold_end(void);
/* Puts the answer of the list of one request in `area` there; its size, 0: the call has to leave.
 */
uint64_t foretold_answer(uint8_t *area, uint64_t size);

#endif
