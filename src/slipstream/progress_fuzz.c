/* SPDX-License-Identifier: Apache-2.0 */
/* A guest that writes anything into its ring at any time, between a server that submits and takes
 * answers and a VMM that judges what it sees.  The input is the order of their steps. */
#include "fuzz/fuzz.h"
#include "slipstream/progress.h"

#include <string.h>

enum {
    MEMORY_SIZE = 2 << 20,
    LANES_SIZE = 36864 /* of what stands before the lanes' own parts */,
    STATION_SIZE = 4096,
    LANE = 1
};

struct play {
    struct channel channel;
    struct ring ring;
    struct progress progress;
    struct bytes input;
    uint32_t submitted;
    bool waits[BATCH_ENTRY_COUNT]; /* by slot: submitted, and the server has no answer yet */
};

static void count_nothing(void *context)
{
    (void)context;
}

static uint32_t next(struct play *play, size_t width)
{
    uint32_t value = 0;
    struct bytes part = bytes_part(play->input, 0, width);
    if (part.size > 0)
        memcpy(&value, part.data, part.size);
    play->input = bytes_part(play->input, part.size, play->input.size);
    return value;
}

static void play_submit(struct play *play)
{
    const struct channel_submission submission = { .sequence = play->submitted, .function = 7 };
    bool *waits = &play->waits[play->submitted % BATCH_ENTRY_COUNT];
    if (*waits)
        return;
    channel_submit(&play->channel, LANE, &submission);
    *waits = true;
    play->submitted++;
}

/* The server looks for all that it waits for; how many have no answer. */
static unsigned play_collect(struct play *play)
{
    unsigned left_count = 0;
    for (uint32_t back = BATCH_ENTRY_COUNT; back > 0; back--) {
        uint32_t sequence = play->submitted - back;
        bool *waits = &play->waits[sequence % BATCH_ENTRY_COUNT];
        struct outcome outcome = { 0 };
        if (*waits)
            *waits = channel_answer(&play->channel, LANE, sequence, false, &outcome) ==
                     CHANNEL_ANSWER_NONE;
        left_count += *waits;
        ASSERT(outcome.kind <= OUTCOME_CRASHED && outcome.reason < TRAP_COUNT);
    }
    return left_count;
}

/* Whoever the VMM has given up with has an answer, whatever the guest wrote. */
static void play_fail(struct play *play)
{
    ring_fail(&play->ring);
    ASSERT(play->ring.handled == play->submitted);
    channel_set_handled(&play->channel, LANE, play->ring.handled);
    ASSERT(play_collect(play) == 0);
    play->progress = progress_begin(&play->ring);
}

static void play_look(struct play *play)
{
    uint32_t before = play->progress.taken;
    switch (progress_look(&play->progress)) {
    case PROGRESS_SAME:
        ASSERT(play->progress.taken == before);
        break;
    case PROGRESS_ON:
        ASSERT(play->progress.running == play->progress.taken - 1);
        ASSERT(play->ring.handled == play->progress.running);
        break;
    case PROGRESS_IMPOSSIBLE:
        play_fail(play);
    }
}

static void guest_step(struct play *play, uint32_t what)
{
    struct batch *batch = channel_batch(&play->channel, LANE);
    struct batch_entry *entry = &batch->entries[what / 4 % BATCH_ENTRY_COUNT];
    uint32_t at = next(play, 2) % BATCH_SIZE;
    if (what % 4 == 0)
        batch->taken = next(play, 4);
    else if (what % 4 == 1)
        batch->taken += 1 + at % 4;
    else if (what % 4 == 2)
        entry->done = play->progress.running + at % 8;
    else
        ((uint8_t *)batch)[at] = (uint8_t)next(play, 1);
}

static void host_step(struct play *play, uint32_t what)
{
    bool had_any;
    switch (what % 8) {
    case 0:
    case 1:
        play_look(play);
        break;
    case 2:
        if (progress_is_running(&play->progress)) {
            ring_settle(&play->ring, play->progress.running);
            ASSERT(play->ring.handled == play->progress.running);
        }
        break;
    case 3:
        had_any = play->progress.taken != play->submitted;
        ASSERT(progress_give_back(&play->progress) == had_any);
        ASSERT(play->progress.taken == play->submitted);
        break;
    case 4:
        ring_settle(&play->ring, play->progress.taken);
        play->progress = progress_begin(&play->ring);
        break;
    case 5:
        play_fail(play);
        break;
    case 6:
        ring_fail_one(&play->ring);
        play->progress = progress_begin(&play->ring);
        break;
    default:
        channel_set_handled(&play->channel, LANE, play->ring.handled);
    }
}

/* Counts start anywhere: near the end of their range too. */
static void play_begin(struct play *play, uint8_t *memory)
{
    uint32_t first = next(play, 4);
    play->channel = (struct channel){ memory, MEMORY_SIZE, { 3, 2, STATION_SIZE } };
    play->ring = (struct ring){ &play->channel, LANE, first, .announce = count_nothing };
    play->submitted = first;
    struct batch *batch = channel_batch(&play->channel, LANE);
    for (uint32_t i = first - BATCH_ENTRY_COUNT; i != first; i++)
        batch->entries[i % BATCH_ENTRY_COUNT].done = i + 1;
    channel_lane(&play->channel, LANE)->submitted = first;
    batch->taken = first;
    channel_set_handled(&play->channel, LANE, first);
    play->progress = progress_begin(&play->ring);
}

void fuzz_one(struct bytes input)
{
    static _Alignas(64) uint8_t memory[MEMORY_SIZE];
    static const uint8_t untouched[BATCH_SIZE + 2 * STATION_SIZE];
    struct play play = { .input = input };
    /* All that is used: the call slots between stay zero. */
    memset(memory, 0, LANES_SIZE);
    for (uint32_t lane = 0; lane < 3; lane++) {
        const struct channel channel = { memory, sizeof(memory), { 3, 2, STATION_SIZE } };
        memset(channel_batch(&channel, lane), 0, channel_window_size(&channel));
    }
    play_begin(&play, memory);
    while (play.input.size > 0) {
        uint32_t step = next(&play, 1), handled = play.ring.handled;
        if (step < 32)
            play_submit(&play);
        else if (step < 64)
            (void)play_collect(&play);
        else if (step < 128)
            host_step(&play, step);
        else
            guest_step(&play, step);
        ASSERT(play.ring.handled - handled <= play.submitted - handled);
        ASSERT(play.progress.taken - play.ring.handled <= play.submitted - play.ring.handled);
    }
    play_fail(&play);
    for (uint32_t lane = 0; lane < 3; lane += 2)
        ASSERT(memcmp(channel_batch(&play.channel, lane), untouched, sizeof(untouched)) == 0);
}
