/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a transaction: validation, then all writes at once. */
#include "state/state_parts.h"

#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
    SWEEP_STEPS = 512,    /* entries looked at by one commit */
    SWEEP_COUNT_MAX = 512 /* taken along when the quota needs it */
};

/* One thing to do to the table; `made` only when the entry is not there yet. */
struct step {
    struct bytes name;
    struct entry *entry;
    struct version *version;
    bool is_new;
};
struct plan {
    struct step *steps;
    size_t count;
    size_t bytes;
    int64_t size_delta, count_delta;
};

static void plan_done(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->steps[i].version);
        if (plan->steps[i].is_new)
            entry_free(plan->steps[i].entry);
    }
    free(plan->steps);
}
#define AUTO_PLAN __attribute__((cleanup(plan_done)))

void state_change_free(struct state_change *change)
{
    free(change);
}

static bool read_holds(const struct transaction *transaction, const struct transaction_read *read)
{
    const struct table *table = &transaction->state->table;
    struct bytes from = bytes_of(read->memory, read->from_size);
    struct bytes to = bytes_of(read->memory + read->from_size, read->to_size);
    if (to.size == 0) {
        const struct entry *entry = table_find(table, from);
        return entry == NULL || entry->newest->revision <= transaction->snapshot;
    }
    for (const struct entry *at = table_seek(table, from);
         at != NULL && name_compare(entry_name(at), to) < 0; at = entry_next(at)) {
        if (at->newest->revision > transaction->snapshot)
            return false;
    }
    return true;
}

static bool reads_check(const struct transaction *transaction, struct error *error)
{
    if (transaction->state->is_spoilt)
        return error_set(error, ERROR_CONFLICT, "the state was read anew from the disk");
    /* One that only read is in order where its snapshot is. */
    if (transaction->state->revision == transaction->snapshot || transaction->write_count == 0)
        return true;
    for (size_t i = 0; i < transaction->read_count; i++) {
        if (!read_holds(transaction, &transaction->reads[i]))
            return error_set(error, ERROR_CONFLICT,
                             "another invocation changed what this one had read");
    }
    return true;
}

static bool step_add(struct state *state, struct plan *plan, const struct state_write *write,
                     struct error *error)
{
    struct entry *entry = table_find(&state->table, write->name);
    bool was_live = entry != NULL && entry->newest->is_live;
    if (!was_live && !write->is_live)
        return true; /* nothing to delete */
    struct step *step = &plan->steps[plan->count++];
    *step = (struct step){ .name = write->name, .entry = entry, .is_new = entry == NULL };
    if (step->is_new)
        step->entry = entry_new(&state->table, write->name);
    step->version =
        version_new(write->value, write->expires_ms, write->is_live, state->revision + 1);
    if (step->entry == NULL || step->version == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a commit");
    plan->bytes += write->name.size + write->value.size;
    if (was_live) {
        plan->size_delta -= (int64_t)entry_cost(write->name.size, entry->newest->size);
        plan->count_delta--;
    }
    if (write->is_live) {
        plan->size_delta += (int64_t)entry_cost(write->name.size, write->value.size);
        plan->count_delta++;
    }
    return true;
}

static bool plan_writes(const struct transaction *transaction, struct plan *plan,
                        struct error *error)
{
    for (size_t i = 0; i < transaction->write_count; i++) {
        const struct transaction_write *write = &transaction->writes[i];
        struct state_write planned = {
            .name = bytes_of(write->memory, write->name_size),
            .value = bytes_of(write->memory + write->name_size, write->value_size),
            .expires_ms = write->expires_ms,
            .is_live = write->is_live,
        };
        if (!step_add(transaction->state, plan, &planned, error))
            return false;
    }
    return true;
}

static bool is_over_quota(const struct state *state, const struct plan *plan)
{
    return (plan->size_delta > 0 && state->size + (uint64_t)plan->size_delta > state->quota.size) ||
           (plan->count_delta > 0 &&
            state->count + (uint64_t)plan->count_delta > state->quota.count);
}

static bool plan_has(const struct plan *plan, const struct entry *entry)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->steps[i].entry == entry)
            return true;
    }
    return false;
}

/* Takes expired entries along: a few, or as many as the quota needs. */
static bool plan_sweep(const struct transaction *transaction, struct plan *plan,
                       struct error *error)
{
    struct state *state = transaction->state;
    struct entry *expired[TRANSACTION_SWEEP_MAX];
    for (size_t swept = 0; swept < SWEEP_COUNT_MAX;) {
        bool needs = is_over_quota(state, plan);
        size_t found = expiry_walk(state, transaction->now_ms, expired, ARRAY_COUNT(expired),
                                   needs ? SIZE_MAX : SWEEP_STEPS);
        for (size_t i = 0; i < found; i++) {
            const struct state_write dead = { .name = entry_name(expired[i]) };
            if (!plan_has(plan, expired[i]) && !step_add(state, plan, &dead, error))
                return false;
        }
        swept += TRANSACTION_SWEEP_MAX;
        if (found == 0 || !is_over_quota(state, plan))
            return true;
    }
    return true;
}

static struct state_change *change_make(const struct plan *plan)
{
    size_t list_size = plan->count * sizeof(struct state_write);
    struct state_change *change = calloc(1, sizeof(*change) + list_size + plan->bytes);
    if (change == NULL)
        return NULL;
    change->writes = (struct state_write *)(void *)(change + 1);
    change->count = plan->count;
    change->size = plan->bytes;
    uint8_t *at = (uint8_t *)change->writes + list_size;
    for (size_t i = 0; i < plan->count; i++) {
        const struct step *step = &plan->steps[i];
        struct state_write *write = &change->writes[i];
        *write = (struct state_write){
            .name = bytes_of(at, step->name.size),
            .value = bytes_of(at + step->name.size, step->version->size),
            .expires_ms = step->version->expires_ms,
            .is_live = step->version->is_live,
        };
        memcpy(at, step->name.data, step->name.size);
        if (step->version->size > 0)
            memcpy(at + step->name.size, step->version->value, step->version->size);
        at += step->name.size + step->version->size;
    }
    return change;
}

static void step_apply(struct state *state, struct step *step)
{
    struct entry *entry = step->entry;
    struct version *version = TAKE(step->version);
    bool is_new = step->is_new;
    step->is_new = false;
    version->older = entry->newest;
    entry->newest = version;
    if (is_new) {
        table_insert(&state->table, entry);
        entry->leaf.path = sha256_of(entry_name(entry));
    }
    if (version->is_live) {
        entry->leaf.hash =
            kv_entry_hash(bytes_of(version->value, version->size), version->expires_ms);
        merkle_put(&state->merkle, &entry->leaf);
        expiry_note(state, version->expires_ms);
    } else {
        merkle_remove(&state->merkle, &entry->leaf);
    }
    if (!is_new || !version->is_live)
        garbage_add(state, entry);
}

static void plan_apply(struct state *state, struct plan *plan)
{
    state->revision++;
    for (size_t i = 0; i < plan->count; i++)
        step_apply(state, &plan->steps[i]);
    state->size += (uint64_t)plan->size_delta;
    state->count += (uint64_t)plan->count_delta;
}

/* Validated and complete: nothing of the state has changed yet. */
static bool plan_make(const struct transaction *transaction, struct plan *plan,
                      struct state_change **change, struct error *error)
{
    struct state *state = transaction->state;
    plan->steps = calloc(transaction->write_count + SWEEP_COUNT_MAX, sizeof(*plan->steps));
    if (plan->steps == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a commit");
    if (!plan_writes(transaction, plan, error))
        return false;
    if (plan->count == 0)
        return true;
    if (!plan_sweep(transaction, plan, error))
        return false;
    if (is_over_quota(state, plan))
        return error_set(
            error, ERROR_LIMIT, "the application's state may have %llu bytes and %llu entries",
            (unsigned long long)state->quota.size, (unsigned long long)state->quota.count);
    if (!merkle_reserve(&state->merkle, plan->count, error) ||
        !garbage_reserve(state, plan->count, error))
        return false;
    *change = change_make(plan);
    return *change != NULL || error_set(error, ERROR_NO_MEMORY, "no memory for a commit");
}

bool transaction_commit(struct transaction *transaction, struct state_change **change,
                        struct transaction_outcome *outcome, struct error *error)
{
    struct state *state = transaction->state;
    ASSERT(!transaction->is_finished);
    transaction->is_finished = true;
    if (!reads_check(transaction, error))
        return false;
    AUTO_PLAN struct plan plan = { .steps = NULL };
    struct state_change *made = NULL;
    if (transaction->write_count > 0 && !plan_make(transaction, &plan, &made, error)) {
        expiry_note(state, 1); /* what was to be swept is still there */
        return false;
    }
    *change = made;
    *outcome = (struct transaction_outcome){ .revision = transaction->snapshot,
                                             .before = transaction->digest,
                                             .after = transaction->digest };
    if (made == NULL)
        return true;
    outcome->before = merkle_digest(&state->merkle);
    plan_apply(state, &plan);
    outcome->after = merkle_digest(&state->merkle);
    outcome->revision = state->revision;
    outcome->has_written = true;
    made->before = outcome->before;
    made->head = (struct state_head){ state->revision, state_now_ms(state), outcome->after };
    return true;
}
