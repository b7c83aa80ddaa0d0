/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime inside a micro-VM: ring 3, freestanding, alone with one compiled module.
 *
 * What for: it enters compiled code, serves the helpers and imports that compiled code calls
 * (abi/instance.h, abi/binding.h) and leaves through the one port.  Owns: its own globals, which
 * the VMM resets with everything else.  Never: allocates, uses vector registers, trusts an address
 * or a count that the module passes.  The same sources are built for the host, where tests stand in
 * for the VMM by providing guest_leave. */
#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include "abi/batch.h"
#include "abi/binding.h"
#include "abi/control.h"
#include "abi/instance.h"
#include "abi/mailbox.h"

/* Data of the runtime itself: reached directly, there is no table of offsets to go through. */
#pragma GCC visibility push(hidden)

typedef void binding_function(struct instance *instance, uint64_t *slots);

/* One function per row of BINDINGS, in that order. */
extern binding_function *const binding_table[BINDING_COUNT];
/* One function per helper, in the order of enum helper. */
extern binding_function *const helper_table[HELPER_COUNT];

/* What the runtime knows of this entry. */
struct guest {
    const struct control *control;
    struct mailbox *mailbox;
    struct instance *instance;
    uint64_t *frames;  /* first slot of the frame stack */
    uint64_t start_ns; /* monotonic clock at the entry */
    bool is_ready;     /* earlier entries left descriptors; a snapshot keeps them */
    uint32_t sequence; /* CONTROL_BATCH: which of the ring is running */
    uint64_t start_ticks;
};
extern struct guest guest;

#pragma GCC visibility pop

/* Readies everything for one entry: descriptors, generator, the instance's runtime fields. */
void guest_init(const struct control *control, struct mailbox *mailbox, struct instance *instance);
/* Called by the assembly entry on a fresh stack.  Leaves with GUEST_EXIT_DONE. */
NORETURN void guest_main(void);
/* Runs what control->entry says after guest_init, to its end. */
NORETURN void guest_start(const struct control *control);

/* Serves the ring from its next entry on; leaves when there is none. */
NORETURN void batch_serve(const struct control *control, struct instance *instance);
/* The running invocation ended with an exit code: answers it and goes on with the next, or leaves.
 */
NORETURN void batch_end(uint32_t code);
/* Restores every part of control->parts, the stack below the caller included, and serves on.  On an
 * empty stack, which guest_restart gives it, with vector registers cleared. */
NORETURN void batch_restart(void);
NORETURN void guest_restart(uint64_t stack_end);

/* ENTRY_HANDLE: one request through s3n_alloc and s3n_handle into the mailbox's output.
 * TRAP_ALLOCATION and TRAP_ANSWER when what they return lies outside linear memory. */
void reactor_handle(const struct control *control);

/* Leaves the micro-VM and returns with the VMM's answer. */
uint64_t guest_leave(enum guest_exit reason, uint64_t first, uint64_t second);
NORETURN void guest_exit(uint32_t code);
/* `address`: inside compiled code (the return address of the helper), or 0. */
NORETURN void guest_trap(enum trap_reason reason, uint64_t address);
/* Calls a compiled function with its frame at `frame`. */
void guest_call(uint64_t code, uint64_t *frame, uint64_t memory_base, struct instance *instance);

#endif
