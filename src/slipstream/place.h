/* SPDX-License-Identifier: Apache-2.0 */
/* The process backend's address space: this process's own, at the addresses of abi/layout.h.  There
 * is one, so of several machines one at a time holds it; the others keep what they wrote aside.
 * Linear memory stands elsewhere, each machine's at a base of its own.  One thread. */
#ifndef SLIPSTREAM_PLACE_H
#define SLIPSTREAM_PLACE_H

#include "slipstream/tracked.h"

struct place {
    struct restoring restoring;
    unsigned references;
    struct machine *holder;  /* NULL: nobody */
    struct control *control; /* the host's own, writable view */
    struct tracked stack;
    struct tracked frames;
    struct tracked scratch; /* all of it, though a program is told of less */
    uint64_t instance_size; /* mapped at LAYOUT_INSTANCE */
    uint64_t code_size;
    uint64_t rodata_size;
    uint64_t mailbox_size;
    uint64_t files_size;
};

/* Takes the addresses, once per process.  UNSUPPORTED when something else has them. */
MUST_CHECK bool place_open(struct place **place, struct error *error);
void place_close(struct place *place);
/* How parts are restored from now on. */
MUST_CHECK bool place_restore_by(struct place *place, const struct restoring *restoring,
                                 struct error *error);
/* After a fork: a control page of its own.  All else is private already. */
MUST_CHECK bool place_renew(struct error *error);
/* Maps the program's (NULL: none) code and constants, zeroes for its instance, and the mailbox;
 * writable parts of the runtime and the stacks are as at the start. */
MUST_CHECK bool place_fill(struct place *place, const struct program *program, void *mailbox,
                           uint64_t mailbox_size, struct error *error);
/* The runtime's writable segment: what it is at an entry. */
void place_reset_runtime(void);
MUST_CHECK bool place_reset_stacks(struct place *place, struct error *error);
/* What the program's snapshot holds; zeros as a rule. */
MUST_CHECK bool place_reset_scratch(struct place *place, const struct program *program,
                                    struct error *error);
/* Where the runtime's writable segment stands, and its size. */
uint8_t *place_runtime(uint64_t *size);

#endif
