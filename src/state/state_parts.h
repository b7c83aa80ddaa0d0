/* SPDX-License-Identifier: Apache-2.0 */
/* Inside state: what the state (state.c), its transactions (transaction.c) and its expiry
 * (expiry.c) share. */
#ifndef STATE_STATE_PARTS_H
#define STATE_STATE_PARTS_H

#include "state/state.h"
#include "state/table.h"

/* An entry may have versions that no transaction wants once all see `revision`. */
struct garbage {
    struct entry *entry;
    uint64_t revision;
};

struct state {
    unsigned references;
    bool is_spoilt;
    const struct clock *clock;
    struct state_quota quota;
    struct table table;
    struct merkle merkle;
    uint64_t revision;
    uint64_t size, count; /* of live entries */
    /* The clock: realtime_ms at monotonic_ms, and never earlier than that. */
    int64_t clock_ms;
    uint64_t clock_monotonic_ms;
    /* Open transactions, the oldest snapshot first. */
    struct transaction *oldest, *youngest;
    unsigned transaction_count;
    struct garbage *garbage; /* a queue, by revision */
    size_t garbage_first, garbage_count, garbage_capacity;
    /* Looking for expired entries: nothing expires before due_ms; a walk stands at `walk`. */
    int64_t due_ms;
    int64_t walk_due_ms;
    bool is_walking;
    uint16_t walk_size;
    uint8_t walk[KV_NAME_SIZE_MAX];
};

struct transaction_write {
    uint8_t *memory; /* name, then value */
    uint16_t name_size;
    uint32_t value_size;
    int64_t expires_ms;
    bool is_live;
};
struct transaction_read {
    uint8_t *memory; /* from, then to: all names from <= name < to, or the name `from` when to is
                        empty */
    uint16_t from_size, to_size;
};

struct transaction {
    struct transaction *next, *previous;
    struct state *state;
    uint64_t snapshot;
    struct digest32 digest; /* of the snapshot */
    int64_t now_ms;
    bool is_finished;
    struct transaction_write *writes; /* by name */
    size_t write_count, write_capacity;
    size_t write_bytes;
    int64_t size_delta, count_delta; /* against the snapshot */
    struct transaction_read *reads;
    size_t read_count, read_capacity;
};

bool version_is_seen(const struct version *version, int64_t now_ms);
uint64_t entry_cost(size_t name_size, size_t value_size);

/* Room for `count` more in the queue. */
MUST_CHECK bool garbage_reserve(struct state *state, size_t count, struct error *error);
/* After entry has a new version. */
void garbage_add(struct state *state, struct entry *entry);
/* Drops what no open transaction wants. */
void garbage_collect(struct state *state);

/* Up to `count_max` entries that have expired at now_ms, into `expired`; how many.  Walks at most
 * `step_max` entries. */
size_t expiry_walk(struct state *state, int64_t now_ms, struct entry **expired, size_t count_max,
                   size_t step_max);
/* An entry that expires was written. */
void expiry_note(struct state *state, int64_t expires_ms);

#endif
