/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend does for a shell: one address space after abi/layout.h, entered and left.  One
 * table per backend; everything that does not touch the machine itself is written once above it. */
#ifndef SLIPSTREAM_BACKEND_H
#define SLIPSTREAM_BACKEND_H

#include "abi/control.h"
#include "slipstream/engine.h"
#include "slipstream/restoring.h"

/* Why the guest stopped. */
enum event_kind {
    EVENT_EXIT,        /* left by itself: reason, arguments */
    EVENT_FAULT,       /* exception: vector, code_address, fault_address */
    EVENT_INTERRUPTED, /* code_address, or 0; the deadline's signal came; run again to go on */
    EVENT_BROKEN       /* anything that must not happen */
};

enum {
    VECTOR_DIVIDE = 0,
    VECTOR_INVALID_OPCODE = 6,
    VECTOR_PAGE_FAULT = 14,
    VECTOR_COUNT = 32
};

struct event {
    enum event_kind kind;
    uint32_t reason;       /* enum guest_exit, unchecked */
    uint64_t arguments[2]; /* rdi, rsi */
    uint32_t vector;
    uint64_t code_address;
    uint64_t fault_address;
    uint64_t fuel; /* EVENT_FAULT: rbp, where metered code keeps it (abi/instance.h) */
};

struct machine;

/* The writable parts that a program fills and a reset restores. */
enum part {
    PART_MEMORY,
    PART_INSTANCE,
    PART_RUNTIME,
    PART_STACK,
    PART_FRAMES,
    PART_SCRATCH, /* size: what is mapped of it now */
    PART_COUNT
};

/* Memory beyond what abi/layout.h gives one program: of linked instances.  It lasts as long as the
 * machine. */
enum area_right {
    AREA_EXECUTE, /* and read */
    AREA_READ,
    AREA_WRITE /* and read */
};

struct area {
    uint64_t address;     /* of the guest, at a page */
    uint64_t size;        /* bytes now */
    uint64_t reserve;     /* bytes that area_grow may ask for; 0: it never grows */
    struct bytes content; /* of the first bytes; the others are zero */
    enum area_right right;
};

struct backend {
    const char *name;
    bool has_walls; /* holds code that no compiler of ours made */
    MUST_CHECK bool (*open)(void **state, struct error *error);
    void (*close)(void *state);
    /* After a fork, in the new process: makes what every process has to make for itself.  NULL: it
     * needs nothing. */
    MUST_CHECK bool (*renew)(struct error *error);
    /* Before any machine is made; NULL: there is no choice. */
    MUST_CHECK bool (*restore_by)(void *state, const struct restoring *restoring,
                                  struct error *error);
    /* The descriptor that machines are made with; NULL: it takes none. */
    int *(*device)(void *state);
    /* Made, entered once, prefaulted. */
    MUST_CHECK bool (*machine_open)(struct machine **machine, void *state, void *mailbox,
                                    size_t mailbox_size, struct error *error);
    /* NULL unless has_walls: machines may be made without a mailbox (NULL, 0), and get it later,
     * before their program. */
    MUST_CHECK bool (*machine_attach)(struct machine *machine, void *mailbox, size_t mailbox_size,
                                      struct error *error);
    void (*machine_close)(struct machine *machine);
    /* Maps code, read-only data and the writable parts with their first content. */
    MUST_CHECK bool (*machine_load)(struct machine *machine, const struct program *program,
                                    struct error *error);
    /* Starts at the runtime's entry on an empty stack; runs to the first event. */
    void (*machine_enter)(struct machine *machine, struct event *event);
    /* Goes on after EVENT_EXIT (with the answer) or EVENT_INTERRUPTED. */
    void (*machine_resume)(struct machine *machine, uint64_t answer, struct event *event);
    /* Makes linear memory `size` bytes long; false when the host has no room. */
    MUST_CHECK bool (*machine_grow)(struct machine *machine, uint64_t size);
    /* Maps at least the first `size` bytes of the scratch area; false when the host has no room. */
    MUST_CHECK bool (*machine_scratch)(struct machine *machine, uint64_t size);
    /* Restores every part to the program's template.  `is_typical`: what ran since loading writes
     * the pages that later invocations will write too. */
    MUST_CHECK bool (*machine_reset)(struct machine *machine, const struct program *program,
                                     bool is_typical, struct error *error);
    /* *host: where the host may read and, with AREA_WRITE, write it. */
    MUST_CHECK bool (*area_add)(struct machine *machine, const struct area *area, uint8_t **host,
                                struct error *error);
    /* Makes the area at `address` `size` bytes long; false when the host has no room. */
    MUST_CHECK bool (*area_grow)(struct machine *machine, uint64_t address, uint64_t size);
    struct control *(*machine_control)(struct machine *machine);
    /* The host's view of a part, and its present size. */
    uint8_t *(*machine_part)(const struct machine *machine, enum part part, uint64_t *size);
    /* Where linear memory stands for the guest. */
    uint64_t (*machine_memory_base)(const struct machine *machine);
    /* Set to 1 by the deadline's signal handler: the next entry returns at once. */
    volatile uint8_t *(*machine_interrupt_flag)(struct machine *machine);
    /* Whether control.parts say all that the guest needs to restore itself (abi/control.h). */
    bool (*machine_restores_itself)(const struct machine *machine);
    /* What an entry and a plain exit cost, measured once; 0: too little to wait for. */
    uint64_t (*machine_round_trip_ns)(const struct machine *machine);
    /* Whether the guest reads the host's own time stamp counter. */
    bool (*machine_has_tsc)(const struct machine *machine, uint64_t *tsc_to_ns_mult);
};

extern const struct backend backend_kvm;
extern const struct backend backend_process;

/* Content to restore: the template's bytes, of which only pages marked are not zero.  Frozen once,
 * by program_freeze, then never changed. */
struct part_template {
    uint8_t *data;   /* `size` rounded up to pages; NULL: all zero */
    uint64_t *marks; /* one bit per page */

    uint64_t size;
};

bool part_template_has(const struct part_template *part, uint64_t page);

/* Code and read-only data of a large image, laid out for pages of 2 MiB: code from the start,
 * filled up with traps, then the data.  Read-only.  NULL: small enough to be copied. */
struct program_text {
    uint8_t *host;
    uint64_t size;
    uint64_t rodata_offset;
};
const struct program_text *program_text(const struct program *program);

/* The archive of its files, checked; empty: it has none, or `program` is NULL. */
struct bytes program_files(const struct program *program);

/* NULL for the program: all zero, as linked instances find it. */
const struct part_template *program_template(const struct program *program, enum part part);
struct program *program_share(struct program *program);

#endif
