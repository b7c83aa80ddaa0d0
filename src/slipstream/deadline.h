/* SPDX-License-Identifier: Apache-2.0 */
/* The time limit of what the calling thread runs: a timer of its own whose signal kicks the vCPU.
 *
 * Arming costs nothing as a rule: a timer that is due no later than needed stays as it is, and when
 * it goes off early the run loop simply sets it again.  Uses SIGRTMIN, process-wide. */
#ifndef SLIPSTREAM_DEADLINE_H
#define SLIPSTREAM_DEADLINE_H

#include "base/error.h"

enum {
    DEADLINE_NONE = 0,
    DEADLINE_SAMPLE_NS = 5000000
};

/* From now on the calling thread's entries into the flag's owner are interrupted at `at_ns`
 * (CLOCK_MONOTONIC) or earlier; DEADLINE_NONE: never. */
MUST_CHECK bool deadline_set(uint64_t at_ns, volatile uint8_t *interrupt_flag, struct error *error);
/* After an interruption: sets the timer again if it is not due yet.  True when it is due. */
bool deadline_is_due(void);
/* Makes the calling thread's timer, which deadline_set does otherwise. */
MUST_CHECK bool deadline_ready(struct error *error);
/* After a fork: the timer was the parent's. */
void deadline_forget(void);
/* Interrupts the calling thread's entries also every DEADLINE_SAMPLE_NS or so, to see where they
 * are.  No system call. */
void deadline_sample(bool is_wanted);
/* No entry is under way any more. */
void deadline_clear(void);
uint64_t deadline_now_ns(void);
/* Who leaves the guest when the signal finds the thread inside one: gets the handler's ucontext_t,
 * and says whether it did.  The flag is set only when it did not. */
void deadline_set_leave(bool (*leave)(void *context));

#endif
