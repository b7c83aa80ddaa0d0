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

void lane_prepare(struct lane *lane)
{
    lane->ring.announce = lane_announce;
    lane->ring.context = lane;
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
    if (shell->desk != NULL)
        shell->desk->sequence = lane->ring.handled;
    if (!shell_run(shell, NULL, &outcome, &error))
        outcome.kind = OUTCOME_CRASHED;
    lane_post(lane, &outcome);
    return outcome.kind != OUTCOME_CRASHED &&
           (may_keep_state(&shell->settings, &outcome) || shell_reset(shell, &error));
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
    cells_serve(lane, &row);
    program_close(row.program);
}

static bool has_started(const struct lane *lane)
{
    return __atomic_load_n(&lane->state, __ATOMIC_ACQUIRE) == LANE_STARTED;
}

void lane_prune(struct lane *lane)
{
    if (!has_started(lane))
        return;
    cells_prune(lane);
    if (pthread_mutex_trylock(&lane->lock) != 0)
        return;
    cells_sweep(lane);
    pthread_mutex_unlock(&lane->lock);
}

void lane_expect(struct lane *lane)
{
    if (!has_started(lane) || pthread_mutex_trylock(&lane->lock) != 0)
        return;
    if (cells_want_spare(lane))
        cells_make_spare(lane);
    pthread_mutex_unlock(&lane->lock);
}

void lane_keep(struct lane *lane, enum lane_keeping keeping)
{
    struct error error;
    __atomic_store_n(&lane->keeping, keeping, __ATOMIC_RELAXED);
    if (keeping != LANE_KEEPS_NOTHING) {
        if (lane_start(lane, &error))
            lane_expect(lane);
        return;
    }
    if (!has_started(lane))
        return;
    /* One that has the lane gives it back when nothing comes; then the thread ends it. */
    cells_recall(lane);
    if (pthread_mutex_trylock(&lane->lock) != 0)
        return;
    cells_drop(lane);
    pthread_mutex_unlock(&lane->lock);
}

static bool keeps_nothing(const struct lane *lane)
{
    return __atomic_load_n(&lane->keeping, __ATOMIC_RELAXED) == LANE_KEEPS_NOTHING;
}

/* A new spare takes longer than an invocation: made only when nothing comes in, and only where
 * something may be expected to. */
static bool wants_spare(struct lane *lane)
{
    bool is_expected = lane->ring.lane < LANE_READY_COUNT || lane->run_count > 0 ||
                       __atomic_load_n(&lane->keeping, __ATOMIC_RELAXED) == LANE_KEEPS;
    pthread_mutex_lock(&lane->lock);
    bool is_wanted = is_expected && cells_want_spare(lane);
    pthread_mutex_unlock(&lane->lock);
    return is_wanted;
}

static void *lane_loop(void *context)
{
    struct lane *lane = context;
    struct error error;
    uint32_t swept = 0;
    for (;;) {
        if (!channel_wait(channel_of(lane), lane->ring.lane, lane->ring.handled,
                          wants_spare(lane) ? LANE_IDLE_MS : -1)) {
            lane_expect(lane);
            continue;
        }
        /* Before the server can want it; if it can't be now, the next invocation tries again. */
        if (lane->next != NULL)
            (void)!lane_start(lane->next, &error);
        pthread_mutex_lock(&lane->lock);
        lane_serve(lane);
        uint32_t version = __atomic_load_n(&lane->library->version, __ATOMIC_RELAXED);
        if (version != swept)
            cells_sweep(lane);
        swept = version;
        if (keeps_nothing(lane) &&
            channel_submitted(channel_of(lane), lane->ring.lane) == lane->ring.handled)
            cells_drop(lane);
        pthread_mutex_unlock(&lane->lock);
    }
    return NULL;
}

bool lane_start(struct lane *lane, struct error *error)
{
    uint32_t unused = LANE_UNUSED;
    if (!__atomic_compare_exchange_n(&lane->state, &unused, LANE_STARTING, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_ACQUIRE))
        return true;
    pthread_mutex_init(&lane->lock, NULL);
    lane_prepare(lane);
    if (lane->share != NULL || cells_open(lane, error)) {
        int result = pthread_create(&lane->thread, NULL, lane_loop, lane);
        if (result == 0) {
            __atomic_store_n(&lane->state, LANE_STARTED, __ATOMIC_RELEASE);
            return true;
        }
        error_set(error, ERROR_SYSTEM, "start a thread (error %d)", result);
    }
    __atomic_store_n(&lane->state, LANE_UNUSED, __ATOMIC_RELEASE);
    return false;
}
