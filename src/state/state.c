/* SPDX-License-Identifier: Apache-2.0 */
#include "state/state_parts.h"

#include "core/writer.h"
#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
    GARBAGE_CAPACITY_MIN = 64,
    TAG_VALUE = 2,
};

bool version_is_seen(const struct version *version, int64_t now_ms)
{
    return version != NULL && version->is_live &&
           (version->expires_ms == 0 || version->expires_ms > now_ms);
}

uint64_t entry_cost(size_t name_size, size_t value_size)
{
    return (uint64_t)name_size + value_size + KV_ENTRY_OVERHEAD;
}

struct digest32 kv_entry_hash(struct bytes value, int64_t expires_ms)
{
    uint8_t data[1 + 8 + 32];
    struct digest32 digest = sha256_of(value);
    struct writer writer = writer_into(data, sizeof(data));
    write_u8(&writer, TAG_VALUE);
    write_u64_be(&writer, (uint64_t)expires_ms);
    write_bytes(&writer, BYTES_OF(digest.bytes));
    return sha256_of(writer_view(&writer));
}

bool state_new(struct state **state, const struct clock *clock, struct error *error)
{
    struct state *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a state");
    made->references = 1;
    made->clock = clock;
    made->quota = (struct state_quota){ STATE_SIZE_DEFAULT, STATE_COUNT_DEFAULT };
    made->due_ms = INT64_MAX;
    table_init(&made->table);
    *state = made;
    return true;
}

struct state *state_hold(struct state *state)
{
    state->references++;
    return state;
}

void state_release(struct state *state)
{
    if (state == NULL || --state->references > 0)
        return;
    table_done(&state->table);
    merkle_done(&state->merkle);
    free(state->garbage);
    free(state);
}

void state_set_quota(struct state *state, const struct state_quota *quota)
{
    state->quota = *quota;
}

void state_spoil(struct state *state)
{
    state->is_spoilt = true;
}

bool state_is_spoilt(const struct state *state)
{
    return state->is_spoilt;
}

/* The later of the wall clock and of what the monotonic one adds to the last answer: a wall clock
 * set back makes nothing live again, one that was wrongly ahead does not stop the time. */
int64_t state_now_ms(struct state *state)
{
    uint64_t monotonic_ms = clock_monotonic_ns(state->clock) / 1000000;
    int64_t wall_ms = (int64_t)(clock_realtime_ns(state->clock) / 1000000);
    if (state->clock_monotonic_ms != 0 && monotonic_ms > state->clock_monotonic_ms)
        state->clock_ms += (int64_t)(monotonic_ms - state->clock_monotonic_ms);
    state->clock_monotonic_ms = monotonic_ms;
    state->clock_ms = MAX(state->clock_ms, wall_ms);
    return state->clock_ms;
}

static bool entry_load(struct state *state, struct bytes name, struct bytes value,
                       int64_t expires_ms, const struct digest32 *hash, struct error *error)
{
    if (name.size == 0 || name.size > KV_NAME_SIZE_MAX || value.size > KV_VALUE_SIZE_MAX ||
        expires_ms < 0)
        return error_set(error, ERROR_CORRUPT, "an entry of the state can't be ours");
    if (table_find(&state->table, name) != NULL)
        return error_set(error, ERROR_CORRUPT, "an entry of the state is there twice");
    if (!merkle_reserve(&state->merkle, 1, error))
        return false;
    struct entry *entry = entry_new(&state->table, name);
    struct version *version = version_new(value, expires_ms, true, 0);
    if (entry == NULL || version == NULL) {
        entry_free(entry);
        free(version);
        return error_set(error, ERROR_NO_MEMORY, "no memory for an entry of the state");
    }
    entry->newest = version;
    entry->leaf.path = sha256_of(name);
    entry->leaf.hash = *hash;
    table_insert(&state->table, entry);
    merkle_put(&state->merkle, &entry->leaf);
    expiry_note(state, expires_ms);
    state->size += entry_cost(name.size, value.size);
    state->count++;
    return true;
}

bool state_load_entry(struct state *state, struct bytes name, struct bytes value,
                      int64_t expires_ms, struct error *error)
{
    struct digest32 hash = kv_entry_hash(value, expires_ms);
    return entry_load(state, name, value, expires_ms, &hash, error);
}

bool state_load_hash(struct state *state, struct bytes name, const struct digest32 *hash,
                     struct error *error)
{
    return entry_load(state, name, (struct bytes){ 0 }, 0, hash, error);
}

bool state_load_end(struct state *state, const struct state_head *head, struct error *error)
{
    struct digest32 digest = merkle_digest(&state->merkle);
    if (!digest32_equal(&digest, &head->digest))
        return error_set(error, ERROR_CORRUPT, "the state's entries are not those of its digest");
    state->revision = head->revision;
    state->clock_ms = head->clock_ms;
    return true;
}

struct state_facts state_facts(struct state *state)
{
    return (struct state_facts){
        .head = { state->revision, state->clock_ms, merkle_digest(&state->merkle) },
        .size = state->size,
        .count = state->count,
        .transactions = state->transaction_count,
        .garbage = state->garbage_count,
    };
}

/* --- versions nobody wants any more --- */

bool garbage_reserve(struct state *state, size_t count, struct error *error)
{
    size_t needed = state->garbage_count + count;
    if (needed <= state->garbage_capacity)
        return true;
    size_t capacity = MAX(state->garbage_capacity, (size_t)GARBAGE_CAPACITY_MIN);
    while (capacity < needed)
        capacity *= 2;
    struct garbage *grown = calloc(capacity, sizeof(*grown));
    if (grown == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a state's versions");
    for (size_t i = 0; i < state->garbage_count; i++)
        grown[i] = state->garbage[(state->garbage_first + i) % state->garbage_capacity];
    free(state->garbage);
    state->garbage = grown;
    state->garbage_first = 0;
    state->garbage_capacity = capacity;
    return true;
}

void garbage_add(struct state *state, struct entry *entry)
{
    ASSERT(state->garbage_count < state->garbage_capacity);
    size_t last = (state->garbage_first + state->garbage_count) % state->garbage_capacity;
    state->garbage[last] = (struct garbage){ entry, entry->newest->revision };
    state->garbage_count++;
    entry->queued++;
}

/* All open transactions see `revision` and what came before. */
static void entry_prune(struct state *state, struct entry *entry, uint64_t revision)
{
    struct version *kept = entry->newest;
    while (kept != NULL && kept->revision > revision)
        kept = kept->older;
    if (kept == NULL)
        return;
    while (kept->older != NULL) {
        struct version *older = kept->older;
        kept->older = older->older;
        free(older);
    }
    if (kept == entry->newest && !kept->is_live && entry->queued == 0)
        table_remove(&state->table, entry);
}

void garbage_collect(struct state *state)
{
    uint64_t seen = state->oldest == NULL ? state->revision : state->oldest->snapshot;
    while (state->garbage_count > 0) {
        struct garbage first = state->garbage[state->garbage_first];
        if (first.revision > seen)
            return;
        state->garbage_first = (state->garbage_first + 1) % state->garbage_capacity;
        state->garbage_count--;
        first.entry->queued--;
        entry_prune(state, first.entry, seen);
    }
}

/* --- expiry --- */

void expiry_note(struct state *state, int64_t expires_ms)
{
    if (expires_ms == 0)
        return;
    state->due_ms = MIN(state->due_ms, expires_ms);
    state->walk_due_ms = MIN(state->walk_due_ms, expires_ms);
}

size_t expiry_walk(struct state *state, int64_t now_ms, struct entry **expired, size_t count_max,
                   size_t step_max)
{
    size_t count = 0;
    if (!state->is_walking) {
        if (now_ms < state->due_ms)
            return 0;
        state->is_walking = true;
        state->walk_due_ms = INT64_MAX;
        state->walk_size = 0;
    }
    struct entry *at = table_seek(&state->table, bytes_of(state->walk, state->walk_size));
    for (size_t step = 0; at != NULL && step < step_max && count < count_max; step++) {
        const struct version *version = at->newest;
        bool can_expire = version->is_live && version->expires_ms != 0;
        if (can_expire && version->expires_ms <= now_ms)
            expired[count++] = at;
        else if (can_expire)
            state->walk_due_ms = MIN(state->walk_due_ms, version->expires_ms);
        at = entry_next(at);
    }
    if (at == NULL) {
        state->is_walking = false;
        state->due_ms = state->walk_due_ms;
    } else {
        state->walk_size = at->name_size;
        memcpy(state->walk, at->name, at->name_size);
    }
    return count;
}
