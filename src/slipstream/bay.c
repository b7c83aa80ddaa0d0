/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/bay.h"

#include <unistd.h>

static bool spare_make(struct bay *bay, struct error *error)
{
    return bay->spare != NULL ||
           shell_open(&bay->spare, bay->engine, channel_mailbox(bay->channel, bay->slot),
                      bay->channel->mailbox_size, error);
}

static void instance_drop(struct bay_instance *instance)
{
    shell_close(instance->shell);
    *instance = (struct bay_instance){ 0 };
}

static struct bay_instance *instance_find(struct bay *bay, uint32_t version)
{
    for (unsigned i = 0; i < BAY_INSTANCES_MAX; i++)
        if (bay->instances[i].shell != NULL && bay->instances[i].version == version)
            return &bay->instances[i];
    return NULL;
}

/* A free place, made by dropping what ran longest ago if need be. */
static struct bay_instance *instance_place(struct bay *bay)
{
    struct bay_instance *oldest = &bay->instances[0];
    for (unsigned i = 0; i < BAY_INSTANCES_MAX; i++) {
        if (bay->instances[i].shell == NULL)
            return &bay->instances[i];
        if (bay->instances[i].used < oldest->used)
            oldest = &bay->instances[i];
    }
    instance_drop(oldest);
    return oldest;
}

/* The function's instance, made from the spare shell when there is none yet.  NULL with the outcome
 * set when instantiation fails. */
static struct bay_instance *instance_take(struct bay *bay, const struct library_row *row,
                                          struct outcome *outcome)
{
    struct error error;
    struct bay_instance *instance = instance_find(bay, row->version);
    *outcome = (struct outcome){ .kind = OUTCOME_CRASHED };
    if (instance != NULL)
        return instance;
    if (!spare_make(bay, &error))
        return NULL;
    instance = instance_place(bay);
    *instance = (struct bay_instance){ .shell = TAKE(bay->spare), .version = row->version };
    if (!shell_load(instance->shell, row->program, &row->settings, outcome, &error))
        outcome->kind = OUTCOME_CRASHED;
    if (outcome->kind == OUTCOME_DONE)
        return instance;
    instance_drop(instance);
    return NULL;
}

static void bay_post(struct bay *bay, uint64_t token, const struct outcome *outcome)
{
    const struct channel_completion completion = {
        .token = token,
        .slot = bay->slot,
        .kind = outcome->kind,
        .exit_code = outcome->exit_code,
        .reason = outcome->reason,
        .has_function = outcome->has_function,
        .function_index = outcome->function_index,
        .wasm_offset = outcome->wasm_offset,
        .exit_count = outcome->exit_count,
        .duration_ns = outcome->duration_ns,
        .memory_size = outcome->memory_size,
        .fuel = outcome->fuel,
        .has_fuel = outcome->has_fuel,
    };
    const uint64_t one = 1;
    pthread_mutex_lock(bay->post_lock);
    channel_post(bay->channel, &completion);
    pthread_mutex_unlock(bay->post_lock);
    /* It can't be full, and a peer that closed it needs no waking. */
    if (write(bay->event, &one, sizeof(one)) < 0)
        return;
}

/* What asked to keep its state keeps it only after an invocation that ended well. */
static bool may_keep_state(const struct settings *settings, const struct outcome *outcome)
{
    return (settings->flags & SETTINGS_REUSE_INSTANCE) != 0 && outcome->kind == OUTCOME_DONE &&
           outcome->exit_code == 0;
}

/* With the lock held.  The answer goes out before the reset. */
static void bay_run(struct bay *bay, uint32_t function, uint64_t token)
{
    struct outcome outcome = { .kind = OUTCOME_CRASHED };
    struct library_row row;
    struct error error;
    if (!library_find(bay->library, function, &row)) {
        bay_post(bay, token, &outcome);
        return;
    }
    struct bay_instance *instance = instance_take(bay, &row, &outcome);
    if (instance != NULL) {
        instance->used = ++bay->run_count;
        if (!shell_run(instance->shell, NULL, &outcome, &error))
            outcome.kind = OUTCOME_CRASHED;
    }
    bay_post(bay, token, &outcome);
    program_close(row.program);
    if (instance != NULL &&
        (outcome.kind == OUTCOME_CRASHED ||
         (!may_keep_state(&row.settings, &outcome) && !shell_reset(instance->shell, &error))))
        instance_drop(instance);
}

/* With the lock held. */
static void bay_sweep(struct bay *bay)
{
    for (unsigned i = 0; i < BAY_INSTANCES_MAX; i++) {
        struct bay_instance *instance = &bay->instances[i];
        bool is_loaded = false;
        pthread_mutex_lock(&bay->library->lock);
        for (unsigned j = 0; j < LIBRARY_FUNCTIONS_MAX; j++)
            is_loaded = is_loaded || (bay->library->rows[j].program != NULL &&
                                      bay->library->rows[j].version == instance->version);
        pthread_mutex_unlock(&bay->library->lock);
        if (instance->shell != NULL && !is_loaded)
            instance_drop(instance);
    }
}

void bay_prune(struct bay *bay)
{
    if (pthread_mutex_trylock(&bay->lock) != 0)
        return;
    bay_sweep(bay);
    pthread_mutex_unlock(&bay->lock);
}

/* Failing only means that the next cold start pays for it, or reports it. */
static void bay_idle(struct bay *bay)
{
    struct error error;
    pthread_mutex_lock(&bay->lock);
    if (!spare_make(bay, &error))
        bay->spare = NULL;
    pthread_mutex_unlock(&bay->lock);
}

static void *bay_loop(void *context)
{
    struct bay *bay = context;
    uint32_t seen = 0, function, swept = 0;
    uint64_t token;
    for (;;) {
        /* A new spare shell takes longer than an invocation: made only when nothing comes in, and
         * only where something may be expected to. */
        bool wants_spare =
            bay->spare == NULL && (bay->slot < BAY_READY_COUNT || bay->run_count > 0);
        int timeout_ms = wants_spare ? BAY_IDLE_MS : -1;
        if (!channel_wait(bay->channel, bay->slot, &seen, &function, &token, timeout_ms)) {
            bay_idle(bay);
            continue;
        }
        pthread_mutex_lock(&bay->lock);
        bay_run(bay, function, token);
        uint32_t version = __atomic_load_n(&bay->library->version, __ATOMIC_RELAXED);
        if (version != swept)
            bay_sweep(bay);
        swept = version;
        pthread_mutex_unlock(&bay->lock);
    }
    return NULL;
}

bool bay_start(struct bay *bay, struct error *error)
{
    pthread_mutex_init(&bay->lock, NULL);
    if (bay->slot == 0 && !spare_make(bay, error))
        return false;
    int result = pthread_create(&bay->thread, NULL, bay_loop, bay);
    if (result == 0)
        return true;
    return error_set(error, ERROR_SYSTEM, "start a thread (error %d)", result);
}
