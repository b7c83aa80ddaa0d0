/* SPDX-License-Identifier: Apache-2.0 */
/* The process backend's way into a guest and back: a switch of stack and registers, no system call.
 *
 * One guest at a time in the whole process, entered by one thread.  The guest leaves by calling
 * gate_leave (struct control says where it is), by an exception (SIGSEGV, SIGBUS, SIGILL, SIGFPE or
 * SIGTRAP on a stack apart), or because the deadline's signal comes. */
#ifndef SLIPSTREAM_GATE_H
#define SLIPSTREAM_GATE_H

/* How an entry ended. */
#define GATE_LEFT        1 /* by itself: reason and arguments */
#define GATE_FAULTED     2 /* vector, code_address, fault_address */
#define GATE_INTERRUPTED 3 /* gate_go_on continues */
#define GATE_REFUSED     4 /* the interrupt flag was set: the guest was not entered */

/* Offsets in struct gate. */
#define GATE_HOST_STACK  0
#define GATE_GUEST_STACK 8
#define GATE_ARGUMENTS   16
#define GATE_REASON      32
#define GATE_IS_INSIDE   36
#define GATE_INTERRUPT   40

#ifndef __ASSEMBLER__

#include "base/error.h"

struct gate {
    uint64_t host_stack;
    uint64_t guest_stack;
    uint64_t arguments[2];
    uint32_t reason;
    volatile uint32_t is_inside;
    volatile uint8_t interrupt; /* set by the deadline's handler */
    uint32_t vector;
    uint64_t code_address;
    uint64_t fault_address;
    uint64_t fuel;           /* rbp at the fault */
    struct machine *machine; /* that is or was inside */
    /* Asked at a page fault of the guest: true when the page is there now. */
    bool (*open_page)(uint64_t address, bool is_write);
};

extern struct gate gate __attribute__((visibility("hidden")));

/* Installs the handlers, once, and gives the calling thread its stack for them. */
MUST_CHECK bool gate_prepare(struct error *error);
/* From here on the process can make no other system calls than its filter allows. */
void gate_seal(void);

/* Each enters and returns how it ended (GATE_*). */
int gate_start(uint64_t entry, uint64_t stack);
int gate_answer(uint64_t answer); /* after GATE_LEFT */
int gate_go_on(void);             /* after GATE_INTERRUPTED */
/* For the control page only. */
void gate_leave(void);

#endif

#endif
