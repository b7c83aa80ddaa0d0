/* SPDX-License-Identifier: Apache-2.0 */
/* Native functions: the services that abi/native.h promises, and the way in. */
#ifndef GUEST_NATIVE_H
#define GUEST_NATIVE_H

#include "abi/native.h"
#include "guest/guest.h"

/* What the function at `control->code` is entered with; the runtime's own memory. */
const struct native_services *native_services(enum native_phase phase);
/* Calls it.  After the phase HANDLE the mailbox's output has the answer; LIMIT when that is larger
 * than its room. */
void native_run(const struct control *control, enum native_phase phase);

#endif
