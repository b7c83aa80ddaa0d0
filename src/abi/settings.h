/* SPDX-License-Identifier: Apache-2.0 */
/* What one function is allowed and asked for: from the manifest through the node and the worker
 * down to the guest, one struct all the way.  Values only; a zeroed struct means "as the module
 * wants it, no limits". */
#ifndef ABI_SETTINGS_H
#define ABI_SETTINGS_H

#include "core/reader.h"
#include "core/writer.h"

/* How a function is entered. */
enum settings_entry {
    SETTINGS_ENTRY_COMMAND, /* _start, streams in the mailbox; what `command` and `cgi` share */
    SETTINGS_ENTRY_REACTOR, /* s3n_handle on an instance initialised before its snapshot */
    SETTINGS_ENTRY_NATIVE,  /* an ELF's entry; the VMM resets it, never the guest */
    SETTINGS_ENTRY_COUNT
};

enum settings_flag {
    SETTINGS_ISOLATE_INVOCATION = 1, /* the VMM resets after each one; else the guest may, in a
                                        batch */
    SETTINGS_REUSE_INSTANCE = 2,     /* no reset after an invocation that ended well */
    SETTINGS_NO_LOG = 4,             /* `log` is refused */
    SETTINGS_FLAGS = 7
};

struct settings {
    uint64_t memory_size_max; /* bytes of linear memory; 0: what the module asks for, up to 4 GiB */
    uint64_t scratch_size_max;    /* bytes that files may take; 0: none can be written */
    uint64_t fuel;                /* of each call of metered code; 0: no limit */
    uint64_t clock_resolution_ns; /* what a function's clocks are rounded down to; 0: not at all */
    uint32_t timeout_ms;          /* wall time of each call; 0: none */
    uint32_t stack_size;          /* bytes of the frame stack; 0: all of LAYOUT_FRAMES_SIZE */
    uint32_t output_size_max;     /* bytes of stdout; 0: the mailbox's room */
    uint32_t errors_size_max;     /* bytes of stderr; 0: the mailbox's room */
    uint32_t host_call_count_max; /* exits that serve the function, of each call; 0: no limit */
    uint32_t entry;               /* enum settings_entry */
    uint32_t flags;               /* enum settings_flag */
    uint32_t reserved;            /* 0 */
};

enum {
    SETTINGS_SIZE = 64
};

_Static_assert(sizeof(struct settings) == SETTINGS_SIZE, "no hidden padding in the control page");

/* What a call of metered code starts with. */
static inline uint64_t settings_fuel(const struct settings *settings)
{
    return settings->fuel != 0 ? settings->fuel : UINT64_MAX;
}

/* Little-endian, SETTINGS_SIZE bytes, in the order of the struct. */
void settings_write(struct writer *writer, const struct settings *settings);
/* False when they are short or no program wrote them (unknown entry or flags). */
MUST_CHECK bool settings_read(struct reader *reader, struct settings *settings);

/* What a compilation is asked for: part of what its image is known by. */
enum compile_flag {
    COMPILE_DETERMINISTIC = 1, /* NaN results have one bit pattern */
    COMPILE_FUEL = 2,          /* the code counts what it executes */
    COMPILE_NATIVE = 4,        /* the artefact is an ELF, not a module */
    COMPILE_OPTIMISED = 8,     /* by the optimised tier */
    COMPILE_FLAGS = 15
};

#endif
