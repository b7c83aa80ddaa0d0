/* SPDX-License-Identifier: Apache-2.0 */
/* The channel: the memory (a memfd) through which the node's server hands invocations to one
 * slipstream process and gets outcomes back.
 *
 * Layout: struct channel_header, struct channel_slot per slot, the completion ring, then one
 * mailbox (abi/mailbox.h) per slot, page-aligned.  A slot carries one invocation at a time: the
 * server fills its mailbox, writes function and token, then raises `submitted` and wakes the futex
 * on it; the slot's thread runs it and posts a completion, then signals the eventfd.  Both sides
 * can write all of it at any time: whoever reads copies once, checks the copy, uses only the copy.
 * Never holds pointers. */
#ifndef SLIPSTREAM_CHANNEL_H
#define SLIPSTREAM_CHANNEL_H

#include "base/error.h"
#include "slipstream/engine.h"

enum {
    CHANNEL_MAGIC = 0x31434e33, /* "3NC1" */
    CHANNEL_SLOTS_MAX = 64,
    CHANNEL_RING_COUNT = 64 /* power of two, at least CHANNEL_SLOTS_MAX */
};

struct channel_header {
    uint32_t magic;
    uint32_t slot_count;
    uint64_t mailbox_size;
};

/* Written by the server only. */
struct channel_slot {
    uint32_t submitted; /* counts invocations; the futex */
    uint32_t function;
    uint64_t token;
    uint8_t unused[48]; /* a cache line of its own */
};

/* Written by the worker only; the outcome is what the VMM saw, not what the guest said. */
struct channel_completion {
    uint64_t token;
    uint32_t slot;
    uint32_t kind; /* enum outcome_kind */
    uint32_t exit_code;
    uint32_t reason; /* enum trap_reason */
    uint32_t has_function;
    uint32_t function_index;
    uint32_t wasm_offset;
    uint32_t exit_count;
    uint64_t duration_ns;
    uint64_t memory_size;
    uint64_t fuel;
    uint64_t has_fuel;
};

struct channel_ring {
    uint32_t posted; /* by the worker: completions ever posted */
    uint8_t unused[60];
    struct channel_completion completions[CHANNEL_RING_COUNT];
};

/* One side's mapping. */
struct channel {
    uint8_t *memory;
    size_t size;
    uint32_t slot_count;
    uint64_t mailbox_size;
};

/* Makes the memory: a memfd of fixed size. */
MUST_CHECK bool channel_make(struct channel *channel, int *descriptor, uint32_t slot_count,
                             uint64_t mailbox_size, struct error *error);
/* Maps memory that the other side made, after checking its size against its header. */
MUST_CHECK bool channel_map(struct channel *channel, int descriptor, struct error *error);
void channel_done(struct channel *channel);

struct channel_slot *channel_slot(const struct channel *channel, uint32_t slot);
struct channel_ring *channel_ring(const struct channel *channel);
uint8_t *channel_mailbox(const struct channel *channel, uint32_t slot);

/* Server: hands the slot over. */
void channel_submit(const struct channel *channel, uint32_t slot, uint32_t function,
                    uint64_t token);
/* Worker: waits until `submitted` differs from *seen, then takes it; false after `timeout_ms`
 * (-1: never). */
bool channel_wait(const struct channel *channel, uint32_t slot, uint32_t *seen, uint32_t *function,
                  uint64_t *token, int timeout_ms);
/* Worker: one thread at a time. */
void channel_post(const struct channel *channel, const struct channel_completion *completion);
/* Server: the next completion after *taken, copied and checked; false when there is none.  What
 * can't be right yields OUTCOME_CRASHED, with the slot UINT32_MAX when that is wrong too. */
bool channel_take(const struct channel *channel, uint32_t *taken, uint32_t *slot, uint64_t *token,
                  struct outcome *outcome);

#endif
