/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/progress.h"

static bool is_answered(const struct ring *ring, uint32_t sequence)
{
    const struct batch *batch = channel_batch(ring->channel, ring->lane);
    const struct batch_entry *entry = &batch->entries[sequence % BATCH_ENTRY_COUNT];
    return __atomic_load_n(&entry->done, __ATOMIC_ACQUIRE) == sequence + 1;
}

void ring_settle(struct ring *ring, uint32_t end)
{
    static const struct outcome crashed = { .kind = OUTCOME_CRASHED };
    /* Where the server has put a newer one, it has taken the older one's answer. */
    uint32_t submitted = channel_submitted(ring->channel, ring->lane);
    uint32_t oldest = submitted - BATCH_ENTRY_COUNT;
    if (submitted - ring->handled > BATCH_ENTRY_COUNT)
        ring->handled = end - ring->handled < oldest - ring->handled ? end : oldest;
    for (; ring->handled != end; ring->handled++)
        if (!is_answered(ring, ring->handled))
            channel_post(ring->channel, ring->lane, ring->handled, &crashed);
}

void ring_fail(struct ring *ring)
{
    uint32_t submitted = channel_submitted(ring->channel, ring->lane);
    ring_settle(ring, submitted);
    channel_batch(ring->channel, ring->lane)->taken = submitted;
    ring->announce(ring->context);
}

void ring_pass_answered(struct ring *ring)
{
    uint32_t submitted = channel_submitted(ring->channel, ring->lane);
    while (ring->handled != submitted && is_answered(ring, ring->handled))
        ring->handled++;
}

bool ring_has_begun(const struct ring *ring, uint32_t begun)
{
    uint32_t waiting = channel_submitted(ring->channel, ring->lane) - ring->handled;
    return begun != ring->handled && begun - ring->handled <= waiting;
}

void ring_fail_one(struct ring *ring)
{
    uint32_t submitted = channel_submitted(ring->channel, ring->lane);
    ring_pass_answered(ring);
    if (ring->handled != submitted)
        ring_settle(ring, ring->handled + 1);
    channel_batch(ring->channel, ring->lane)->taken = ring->handled;
    ring->announce(ring->context);
}

bool count_moves(uint32_t *seen, uint32_t now, uint32_t submitted)
{
    if (now == *seen || now - *seen > submitted - *seen)
        return false;
    *seen = now;
    return true;
}

struct progress progress_begin(struct ring *ring)
{
    return (struct progress){ .ring = ring, .taken = ring->handled, .running = ring->handled };
}

enum progress_seen progress_look(struct progress *progress)
{
    struct ring *ring = progress->ring;
    const struct batch *batch = channel_batch(ring->channel, ring->lane);
    uint32_t taken = __atomic_load_n(&batch->taken, __ATOMIC_ACQUIRE);
    uint32_t submitted = channel_submitted(ring->channel, ring->lane);
    if (taken - progress->taken > submitted - progress->taken)
        return PROGRESS_IMPOSSIBLE;
    if (taken == progress->taken)
        return PROGRESS_SAME;
    progress->taken = taken;
    progress->running = taken - 1;
    ring_settle(ring, progress->running);
    return PROGRESS_ON;
}

bool progress_is_running(const struct progress *progress)
{
    const struct ring *ring = progress->ring;
    return progress->taken != ring->handled && !is_answered(ring, progress->running);
}

bool progress_give_back(struct progress *progress)
{
    const struct ring *ring = progress->ring;
    uint32_t submitted = channel_submitted(ring->channel, ring->lane);
    bool had_any = progress->taken != submitted;
    for (; progress->taken != submitted; progress->taken++)
        channel_post(ring->channel, ring->lane, progress->taken, NULL);
    __atomic_store_n(&channel_batch(ring->channel, ring->lane)->taken, progress->taken,
                     __ATOMIC_RELEASE);
    return had_any;
}
