/* SPDX-License-Identifier: Apache-2.0 */
/* The control page: what the host tells the guest at an entry.  The guest reads it and can't write
 * it. */
#ifndef ABI_CONTROL_H
#define ABI_CONTROL_H

/* How the guest leaves: OUT to this port (or a call, see `gate`), one of enum guest_exit in eax,
 * arguments in rdi, rsi, rdx, r10. The host answers in rax of the next entry. */
#define GUEST_PORT 0x53

/* For assembly: LAYOUT_CONTROL, and the offset of `gate` in struct control. */
#define CONTROL_ADDRESS 0x280100000
#define CONTROL_GATE    8

#ifndef __ASSEMBLER__

#include "abi/settings.h"
#include "core/compiler.h"

enum guest_exit {
    GUEST_EXIT_DONE = 1,  /* rdi: exit code; the entry function returned or proc_exit was called */
    GUEST_EXIT_TRAP,      /* rdi: enum trap_reason, rsi: address inside compiled code or 0 */
    GUEST_EXIT_EXCEPTION, /* never from ring 3: a backend's own mark for an exception */
    /* rdi: new size of linear memory in bytes, rsi: its base; answer 1 done, 0 refused */
    GUEST_EXIT_GROW,
    GUEST_EXIT_SLEEP,  /* rdi: nanoseconds; answer: nothing */
    GUEST_EXIT_OUTPUT, /* streaming only: stdout (rdi = 1) or stderr (2) area is full; drained on
                          return */
    GUEST_EXIT_INPUT,  /* streaming only: wants more stdin; mailbox input_size is new on return, 0 =
                          end */
    GUEST_EXIT_LIMIT,  /* rdi: 1 stdout, 2 stderr is over its capacity */
    GUEST_EXIT_CLOCK,  /* wants control.realtime_ns and monotonic_ns renewed (no usable TSC) */
    GUEST_EXIT_READY,  /* an ENTRY_INITIALISE came to its end */
    GUEST_EXIT_BATCH,  /* rdi: enum batch_exit; answers are in the ring */
    GUEST_EXIT_SCRATCH, /* rdi: bytes of LAYOUT_SCRATCH that are needed; control.scratch_size says
                           what is there on return */
    GUEST_EXIT_CALL,    /* rdi: address of the call area, rsi: bytes of requests there (abi/call.h);
                           answer: bytes of answers there, or 0: that was no list of requests */
};

enum entry_kind {
    ENTRY_COMMAND = 1, /* call `code` (an exported function without parameters), then exit 0 */
    ENTRY_CALL,  /* copy `argument_count` slots in, call `code`, copy `result_count` slots out */
    ENTRY_TOUCH, /* arguments are pairs of address and size; touch a byte of each page there, by
                    writing what it holds when CONTROL_TOUCH_WRITE is in the size; DONE with the
                    time stamp counter in rdi */
    ENTRY_INITIALISE, /* call the `argument_count` functions in `arguments`, each without parameters
                         and results, in that order; then leave with READY, so that a DONE is
                         known to be the program's own */
    ENTRY_HANDLE,     /* reactor: the request envelope in the mailbox's input goes to the room that
                         arguments[0] (s3n_alloc) gives, `code` (s3n_handle) answers, its answer goes
                         to the mailbox's output; then exit 0.  Standard input is empty, standard output
                         is the log */
    ENTRY_NATIVE_INITIALISE, /* call `code` as abi/native.h says, then leave with READY */
    ENTRY_NATIVE,            /* the same for a request; then exit 0 */
};

enum {
    CONTROL_SLOTS_MAX = 128,
    CONTROL_PARTS_MAX = 12,
    CONTROL_TOUCH_WRITE = 1,
    /* Flags. */
    CONTROL_STREAMING = 1, /* output and input are drained and refilled instead of limited */
    CONTROL_BATCH = 2,     /* serve the ring at `batch`: `entry` says how each is started */
    CONTROL_METERED = 8,   /* the code counts fuel: the ring's answers say how much was used */
    CONTROL_RESETS = 4,    /* `parts` are filled in: the guest restores itself between two */
};

/* Why a guest leaves the ring; with IDLE its state is as fresh as at the entry. */
enum batch_exit {
    BATCH_EXIT_IDLE = 1, /* nothing is waiting */
    BATCH_EXIT_RESET,    /* the last one has its answer; restore everything before the next entry */
};

/* What the guest restores between two invocations: pages, the last as far as `size` goes. */
struct control_part {
    uint64_t address;
    uint64_t size;
    uint64_t content; /* address of the snapshot, read-only; 0: zeros */
    uint64_t entries; /* address of one number per page: 0x40 in it means written since the program
                         was loaded (never cleared); 0: every page counts as written */
    uint64_t touched; /* address of one number per 512 pages: without 0x20 in it none of them was
                         touched, with 0x80 and 0x20 only the host can restore them; 0: all may have
                         been touched */
};

struct control {
    uint32_t entry;          /* enum entry_kind */
    uint32_t flags;          /* CONTROL_* */
    uint64_t gate;           /* the guest leaves by a call to this address; 0: by OUT */
    uint64_t code;           /* virtual address of the compiled function to call */
    uint64_t memory_base;    /* virtual address of linear memory */
    uint64_t memory_limit;   /* bytes of linear memory that the host allows */
    uint64_t frame_limit;    /* end of the usable frame stack */
    uint64_t realtime_ns;    /* CLOCK_REALTIME when tsc was tsc_base */
    uint64_t monotonic_ns;   /* CLOCK_MONOTONIC at the same instant */
    uint64_t tsc_base;       /* 0: no usable time stamp counter, ask by GUEST_EXIT_CLOCK */
    uint64_t tsc_to_ns_mult; /* ns = (tsc - tsc_base) * mult >> 32 */
    uint8_t seed[32];        /* fresh at every entry: key of the guest's random generator */
    uint32_t argument_count;
    uint32_t result_count;
    uint64_t arguments[CONTROL_SLOTS_MAX];
    uint64_t mailbox; /* address of this entry's; of a batch, each entry's station */
    /* CONTROL_BATCH */
    uint64_t batch;    /* address of struct batch */
    uint64_t stations; /* address of station 0 */
    uint64_t station_size;
    uint32_t station_count;
    uint32_t function; /* whose entries this guest serves */
    uint32_t reserved_batch;
    uint32_t part_count;
    uint64_t memory_size;  /* of the snapshot: a guest that grew can't restore itself */
    uint64_t linger_ticks; /* of the time stamp counter: how long to wait for more */
    uint64_t slice_end;    /* time stamp counter: leave between two after this; 0: always */
    struct control_part parts[CONTROL_PARTS_MAX];
    uint64_t scratch_base;     /* LAYOUT_SCRATCH */
    uint64_t scratch_size;     /* bytes of it that are mapped now */
    uint64_t scratch_restored; /* CONTROL_RESETS: bytes of it that `parts` cover; the guest can't
                                  restore itself when more is mapped */
    uint64_t files_base;       /* LAYOUT_FILES */
    uint64_t files_size;       /* bytes of the archive there; 0: none */
    uint64_t instance;         /* virtual address of the struct instance to enter */
    struct settings settings;  /* of the function */
};

_Static_assert(sizeof(struct control) <= 4096, "one page");
_Static_assert(offsetof(struct control, gate) == CONTROL_GATE, "the runtime's assembly knows this");

#endif

#endif
