/* SPDX-License-Identifier: Apache-2.0 */
/* The ring of a lane: invocations of one version that wait for one guest, and how they ended.
 *
 * A lane's memory starts with struct batch; its stations (mailboxes, abi/mailbox.h) follow at
 * BATCH_SIZE.  The server fills a station and an entry and counts `submitted` up.  The guest takes
 * entries in order, runs each on its station, and writes the answer's half; what it can't end
 * itself (a trap, a limit) the VMM answers while the guest is out.  Either way `done` is written
 * last.  The guest can write all of it at any time: whoever reads a field copies it once, checks
 * the copy and uses only the copy.  The server never reads back what it wrote. */
#ifndef ABI_BATCH_H
#define ABI_BATCH_H

#include "core/compiler.h"

enum {
    BATCH_ENTRY_COUNT = 64, /* power of two; no lane has more under way */
    BATCH_SIZE = 12288,
};

/* The first values are enum outcome_kind's of slipstream/engine.h. */
enum batch_answer {
    BATCH_DONE = 0,
    BATCH_RETURNED = 100, /* not begun: somebody before it takes long; submit it elsewhere */
};

/* Entry n % BATCH_ENTRY_COUNT belongs to the lane's n-th invocation, counted from 0. */
struct batch_entry {
    /* By the server: a cache line. */
    uint32_t station;
    uint32_t function; /* the guest takes only those that are control.function's */
    uint32_t reserved[6];
    uint8_t seed[32]; /* key of this invocation's random generator */
    /* By the guest or the VMM: another. */
    uint32_t done; /* n + 1 when what follows is the n-th invocation's */
    uint32_t kind; /* enum outcome_kind, or BATCH_RETURNED */
    uint32_t exit_code;
    uint32_t reason; /* enum trap_reason */
    uint32_t has_function;
    uint32_t function_index;
    uint32_t wasm_offset;
    uint32_t exit_count; /* 0: ended without leaving the guest */
    uint64_t duration_ns;
    uint64_t memory_size;
    uint64_t fuel; /* used, with metering */
    uint64_t has_fuel;
};

struct batch {
    /* By the server. */
    uint32_t submitted; /* entries ever handed over */
    uint32_t lingers;   /* it watches for answers itself: wait for more before leaving */
    uint32_t reserved[14];
    /* By the guest; by the VMM while the guest is out. */
    uint32_t taken; /* entries ever begun or returned */
    uint32_t reserved_guest[15];
    struct batch_entry entries[BATCH_ENTRY_COUNT];
};

_Static_assert(sizeof(struct batch_entry) == 128, "two cache lines");
_Static_assert(offsetof(struct batch_entry, done) == 64, "the answer has its own");
_Static_assert(sizeof(struct batch) <= BATCH_SIZE, "the ring fits before the stations");
_Static_assert((BATCH_ENTRY_COUNT & (BATCH_ENTRY_COUNT - 1)) == 0, "counts wrap around");

#endif
