/* SPDX-License-Identifier: Apache-2.0 */
/* Which workers stay, and when their answers are looked for without waiting. */
#include "functions/house.h"

#include "core/checked.h"

#include <uv.h>

uint64_t house_memory(const struct house *house)
{
    if (house->worker == NULL)
        return 0;
    uint64_t lane = (LANE_MEMORY_KIB << 10) + house->memory_peak;
    return (WORKER_MEMORY_KIB << 10) + worker_lanes_used(house->worker) * lane;
}

void house_make_ready(struct house *house, uint64_t now_ns, bool may_shrink)
{
    const struct invoker_options *options = &house->invoker->options;
    unsigned ceiling = house->running_count_max / STATION_COUNT_MAX;
    unsigned floor = MIN(MAX(options->lane_count_min, 1u), ceiling);
    unsigned wanted = demand_wanted(&house->demand, now_ns, floor, ceiling);
    unsigned busy = worker_lanes_busy(house->worker);
    /* The next may come while these are busy. */
    if (busy > 0)
        wanted = MIN(MAX(wanted, busy + 1), ceiling);
    if (wanted >= house->lanes_ready)
        house->lanes_needed_ns = now_ns;
    bool is_over =
        may_shrink && now_ns - house->lanes_needed_ns >= LANE_HOLD_MS * UINT64_C(1000000);
    if (wanted == house->lanes_ready || (wanted < house->lanes_ready && !is_over))
        return;
    house->lanes_ready = wanted;
    worker_set_ready(house->worker, wanted);
}

static bool is_idle(const struct house *house)
{
    return house->worker != NULL && house->running_count == 0 && house->waiting_count == 0;
}

void house_retire(struct house *house, uint64_t now_ns)
{
    const uint64_t ms_ns = 1000000;
    const struct invoker_options *options = &house->invoker->options;
    uint64_t keep_ns = pace_keep_ns(&house->application->pace, options->idle_ms_min * ms_ns,
                                    options->idle_ms * ms_ns);
    if (options->idle_ms == 0 || !is_idle(house) || house->opening || house->is_loading ||
        house->is_profiling || now_ns - house->used_ns < keep_ns)
        return;
    house->invoker->counts.workers_retired++;
    house_close_worker(house);
}

static uint64_t pool_memory(const struct invoker *invoker)
{
    uint64_t used = 0;
    for (const struct house *at = invoker->houses; at != NULL; at = at->next)
        used += house_memory(at);
    return used;
}

static bool is_within(const struct invoker *invoker, uint64_t more)
{
    uint64_t budget = invoker->options.memory_size_max;
    return budget == 0 || pool_memory(invoker) + more <= budget;
}

/* False: nobody is idle. */
static bool close_longest_idle(struct invoker *invoker)
{
    struct house *oldest = NULL;
    for (struct house *at = invoker->houses; at != NULL; at = at->next) {
        if (is_idle(at) && (oldest == NULL || at->used_ns < oldest->used_ns))
            oldest = at;
    }
    if (oldest != NULL)
        house_close_worker(oldest);
    return oldest != NULL;
}

bool pool_make_room(struct invoker *invoker)
{
    const uint64_t more = (WORKER_MEMORY_KIB + LANE_MEMORY_KIB + LANE_MEMORY_TYPICAL_KIB) << 10;
    while (
        invoker->counts.workers > 0 &&
        (!is_within(invoker, more) || invoker->counts.workers >= invoker->options.worker_count_max))
        if (!close_longest_idle(invoker))
            return false;
    return invoker->options.worker_count_max > 0;
}

void pool_trim(struct invoker *invoker)
{
    while (invoker->counts.workers > 1 && !is_within(invoker, 0) && close_longest_idle(invoker))
        ;
}

/* --- looking for answers --- */

/* What comes after this raises the event again. */
static void look_end(struct house *house)
{
    house->is_watched = false;
    if (house->worker == NULL)
        return;
    worker_set_polling(house->worker, false);
    house_take(house);
    house_pump(house);
}

static void on_look(uv_idle_t *idle)
{
    struct invoker *invoker = idle->data;
    uint64_t now_ns = clock_monotonic_ns(invoker->options.clock);
    bool is_over = now_ns > invoker->look_until_ns;
    unsigned before = invoker->counts.running;
    for (struct house *at = invoker->houses; at != NULL; at = at->next) {
        if (!at->is_watched)
            continue;
        house_take(at);
        house_pump(at);
        bool is_beside = at->worker == NULL || worker_is_beside(at->worker);
        if (is_over || at->running_count == 0 || !is_beside)
            look_end(at);
    }
    if (invoker->counts.running != before)
        invoker->look_until_ns = now_ns + LOOK_US * UINT64_C(1000);
    /* What was taken may have made room for others, whose houses are watched from now on. */
    bool has_watched = false;
    for (const struct house *at = invoker->houses; at != NULL; at = at->next)
        has_watched = has_watched || at->is_watched;
    if (!has_watched) {
        uv_idle_stop(idle);
        invoker->is_looking = false;
    }
}

void invoker_look(struct house *house)
{
    struct invoker *invoker = house->invoker;
    /* One core is ours, the others may each have a guest.  One that was woken on ours runs when we
     * sleep. */
    if (!invoker->options.watches || invoker->counts.running >= invoker->options.core_count ||
        !worker_is_beside(house->worker))
        return;
    if (!invoker->is_looking && uv_idle_start(invoker->look, on_look) != 0)
        return;
    invoker->is_looking = true;
    invoker->look_until_ns = clock_monotonic_ns(invoker->options.clock) + LOOK_US * UINT64_C(1000);
    if (!house->is_watched)
        worker_set_polling(house->worker, true);
    house->is_watched = true;
}
