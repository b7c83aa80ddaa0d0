/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/lane.h"

#include "slipstream/cell.h"

#include "slipstream/shell.h"

#include <string.h>
#include <unistd.h>

bool lane_is_direct(const struct settings *settings)
{
    const uint32_t flags = SETTINGS_ISOLATE_INVOCATION | SETTINGS_REUSE_INSTANCE;
    return settings->entry == SETTINGS_ENTRY_NATIVE || (settings->flags & flags) != 0;
}

static const struct channel *channel_of(const struct lane *lane)
{
    return lane->ring.channel;
}

static bool spare_make(struct lane *lane, struct error *error)
{
    const struct channel *channel = channel_of(lane);
    return lane->spare != NULL ||
           shell_open(&lane->spare, lane->engine, channel_batch(channel, lane->ring.lane),
                      channel_window_size(channel), error);
}

static void instance_drop(struct lane_instance *instance)
{
    shell_close(instance->shell);
    *instance = (struct lane_instance){ 0 };
}

static struct lane_instance *instance_find(struct lane *lane, uint32_t version)
{
    for (unsigned i = 0; i < LANE_INSTANCES_MAX; i++)
        if (lane->instances[i].shell != NULL && lane->instances[i].version == version)
            return &lane->instances[i];
    return NULL;
}

/* A free place, made by dropping what ran longest ago if need be. */
static struct lane_instance *instance_place(struct lane *lane)
{
    struct lane_instance *oldest = &lane->instances[0];
    for (unsigned i = 0; i < LANE_INSTANCES_MAX; i++) {
        if (lane->instances[i].shell == NULL)
            return &lane->instances[i];
        if (lane->instances[i].used < oldest->used)
            oldest = &lane->instances[i];
    }
    instance_drop(oldest);
    return oldest;
}

/* The function's instance, made from the spare shell when there is none yet.  NULL with the outcome
 * set when instantiation fails. */
static struct lane_instance *instance_take(struct lane *lane, const struct library_row *row,
                                           struct outcome *outcome)
{
    struct error error;
    struct lane_instance *instance = instance_find(lane, row->version);
    *outcome = (struct outcome){ .kind = OUTCOME_CRASHED };
    if (instance != NULL)
        return instance;
    if (!spare_make(lane, &error))
        return NULL;
    instance = instance_place(lane);
    *instance = (struct lane_instance){ .shell = TAKE(lane->spare), .version = row->version };
    /* Initialisation writes to a mailbox: to the first station's, which is prepared anyhow. */
    shell_use_station(instance->shell, BATCH_SIZE, channel_of(lane)->shape.station_size);
    if (!shell_load(instance->shell, row->program, &row->settings, outcome, &error))
        outcome->kind = OUTCOME_CRASHED;
    if (outcome->kind == OUTCOME_DONE)
        return instance;
    instance_drop(instance);
    return NULL;
}

/* The server looks by itself, or is woken. */
static void lane_announce(void *context)
{
    const struct lane *lane = context;
    const uint64_t one = 1;
    channel_set_handled(channel_of(lane), lane->ring.lane, lane->ring.handled);
    if (__atomic_load_n(&channel_header(channel_of(lane))->polls, __ATOMIC_SEQ_CST) != 0)
        return;
    /* It can't be full, and a peer that closed it needs no waking. */
    if (write(lane->event, &one, sizeof(one)) < 0)
        return;
}

static void lane_post(struct lane *lane, const struct outcome *outcome)
{
    channel_post(channel_of(lane), lane->ring.lane, lane->ring.handled++, outcome);
    lane_announce(lane);
}

/* What asked to keep its state keeps it only after an invocation that ended well. */
static bool may_keep_state(const struct settings *settings, const struct outcome *outcome)
{
    return (settings->flags & SETTINGS_REUSE_INSTANCE) != 0 &&
           settings->entry != SETTINGS_ENTRY_NATIVE && outcome->kind == OUTCOME_DONE &&
           outcome->exit_code == 0;
}

bool lane_run_one(struct lane *lane, struct shell *shell)
{
    struct outcome outcome = { .kind = OUTCOME_CRASHED };
    struct error error;
    const struct channel_shape *shape = &channel_of(lane)->shape;
    const struct batch *batch = channel_batch(channel_of(lane), lane->ring.lane);
    const struct batch_entry *entry = &batch->entries[lane->ring.handled % BATCH_ENTRY_COUNT];
    uint32_t station = __atomic_load_n(&entry->station, __ATOMIC_RELAXED);
    if (station >= shape->station_count) {
        lane_post(lane, &outcome);
        return true;
    }
    shell_use_station(shell, BATCH_SIZE + station * shape->station_size, shape->station_size);
    if (!shell_run(shell, NULL, &outcome, &error))
        outcome.kind = OUTCOME_CRASHED;
    lane_post(lane, &outcome);
    return outcome.kind != OUTCOME_CRASHED &&
           (may_keep_state(&shell->settings, &outcome) || shell_reset(shell, &error));
}

/* With the lock held: the next of what waits, or all of it. */
static void lane_run(struct lane *lane, const struct library_row *row)
{
    struct outcome outcome;
    struct error error;
    if (lane->share != NULL) {
        cells_serve(lane, row);
        return;
    }
    struct lane_instance *instance = instance_take(lane, row, &outcome);
    uint32_t handled = lane->ring.handled;
    if (instance == NULL) {
        lane_post(lane, &outcome);
        return;
    }
    instance->used = ++lane->run_count;
    bool is_useful = lane_is_direct(&row->settings)
                         ? lane_run_one(lane, instance->shell)
                         : ring_serve(&lane->ring, instance->shell, row->function, &error);
    if (!is_useful)
        instance_drop(instance);
    if (!is_useful && lane->ring.handled == handled)
        ring_fail(&lane->ring);
}

/* With the lock held. */
static void lane_serve(struct lane *lane)
{
    struct library_row row;
    lane->ring.version = &lane->library->version;
    lane->ring.seen = __atomic_load_n(lane->ring.version, __ATOMIC_ACQUIRE);
    uint32_t function = channel_function(channel_of(lane), lane->ring.lane, lane->ring.handled);
    if (!library_find(lane->library, function, &row)) {
        struct outcome outcome = { .kind = OUTCOME_CRASHED };
        lane_post(lane, &outcome);
        return;
    }
    lane_run(lane, &row);
    program_close(row.program);
}

/* With the lock held. */
static void lane_sweep(struct lane *lane)
{
    for (unsigned i = 0; i < LANE_INSTANCES_MAX; i++) {
        struct lane_instance *instance = &lane->instances[i];
        if (instance->shell != NULL && !library_has(lane->library, instance->version))
            instance_drop(instance);
    }
    if (lane->share != NULL)
        cells_sweep(lane);
}

void lane_prune(struct lane *lane)
{
    if (lane->share != NULL)
        cells_prune(lane);
    if (pthread_mutex_trylock(&lane->lock) != 0)
        return;
    lane_sweep(lane);
    pthread_mutex_unlock(&lane->lock);
}

/* Failing only means that the next cold start pays for it, or reports it. */
static void lane_idle(struct lane *lane)
{
    struct error error;
    pthread_mutex_lock(&lane->lock);
    if (!spare_make(lane, &error))
        lane->spare = NULL;
    pthread_mutex_unlock(&lane->lock);
}

/* Before the server can want it; without it the next lane's work would wait for nobody. */
static void next_start(struct lane *lane)
{
    struct error error;
    struct lane *next = TAKE(lane->next);
    if (next != NULL && !lane_start(next, &error))
        lane->next = next; /* tried again with the next invocation */
}

static void *lane_loop(void *context)
{
    struct lane *lane = context;
    uint32_t swept = 0;
    for (;;) {
        /* A new spare shell takes longer than an invocation: made only when nothing comes in, and
         * only where something may be expected to. */
        bool wants_spare = lane->share == NULL && lane->spare == NULL &&
                           (lane->ring.lane < LANE_READY_COUNT || lane->run_count > 0);
        if (!channel_wait(channel_of(lane), lane->ring.lane, lane->ring.handled,
                          wants_spare ? LANE_IDLE_MS : -1)) {
            lane_idle(lane);
            continue;
        }
        next_start(lane);
        pthread_mutex_lock(&lane->lock);
        lane_serve(lane);
        uint32_t version = __atomic_load_n(&lane->library->version, __ATOMIC_RELAXED);
        if (version != swept)
            lane_sweep(lane);
        swept = version;
        pthread_mutex_unlock(&lane->lock);
    }
    return NULL;
}

bool lane_start(struct lane *lane, struct error *error)
{
    pthread_mutex_init(&lane->lock, NULL);
    lane->ring.announce = lane_announce;
    lane->ring.context = lane;
    bool has_cells = strcmp(engine_backend(lane->engine), "process") == 0;
    if (has_cells ? !cells_open(lane, error) : lane->ring.lane == 0 && !spare_make(lane, error))
        return false;
    int result = pthread_create(&lane->thread, NULL, lane_loop, lane);
    if (result == 0)
        return true;
    return error_set(error, ERROR_SYSTEM, "start a thread (error %d)", result);
}
