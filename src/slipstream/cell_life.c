/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/cell_life.h"

#include "base/file.h"
#include "slipstream/deadline.h"
#include "slipstream/limits.h"
#include "slipstream/seed.h"
#include "slipstream/shell.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void futex_wait(uint32_t *word, uint32_t held)
{
    syscall(SYS_futex, word, FUTEX_WAIT, held, NULL, NULL, 0);
}

void cell_narrow_channel(const struct lane *lane)
{
    const struct channel *channel = lane->ring.channel;
    uint64_t size;
    uint8_t *own = channel_lane_part(channel, lane->ring.lane, &size);
    uint8_t *first = channel_lane_part(channel, 0, &size), *end = own + size;
    if (own > first)
        munmap(first, (size_t)(own - first));
    if (end < channel->memory + channel->size)
        munmap(end, (size_t)(channel->memory + channel->size - end));
}

static int *engine_device(const struct engine *engine)
{
    return engine->backend->device != NULL ? engine->backend->device(engine->state) : NULL;
}

bool cell_keep_descriptors(const struct engine *engine, const int *from, const int *to,
                           unsigned count)
{
    int *device = engine_device(engine), kept[3];
    int sources[3], targets[3];
    ASSERT(count < ARRAY_COUNT(kept));
    for (unsigned i = 0; i < count; i++) {
        sources[i] = from[i];
        targets[i] = to[i];
    }
    if (device != NULL) {
        sources[count] = *device;
        targets[count++] = CELL_DEVICE;
        *device = CELL_DEVICE;
    }
    /* First out of the way of their new numbers. */
    for (unsigned i = 0; i < count; i++)
        if ((kept[i] = fcntl(sources[i], F_DUPFD_CLOEXEC, CELL_FIRST_FREE)) < 0)
            return false;
    if (close_range(CELL_EVENT, CELL_DEVICE, 0) != 0)
        return false;
    for (unsigned i = 0; i < count; i++)
        if (dup2(kept[i], targets[i]) != targets[i])
            return false;
    return close_range(CELL_FIRST_FREE, ~0u, 0) == 0;
}

bool cell_settle(const struct engine *engine, pid_t worker, struct error *error)
{
    deadline_forget();
    seed_forget();
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == worker && deadline_ready(error) &&
           (engine->backend->renew == NULL || engine->backend->renew(error));
}

void cell_close_device(const struct engine *engine)
{
    int *device = engine_device(engine);
    if (device != NULL)
        file_close(device);
}

/* A machine; where it is a wall of its own, nothing more can be made from here on. */
static bool cell_open(struct cell_life *life, struct error *error)
{
    const struct lane *lane = life->lane;
    const struct channel *channel = lane->ring.channel;
    if (!shell_open(&life->shell, lane->engine, channel_batch(channel, lane->ring.lane),
                    channel_window_size(channel), error))
        return false;
    shell_use_station(life->shell, BATCH_SIZE, channel->shape.station_size);
    cell_close_device(lane->engine);
    return !lane->engine->backend->has_walls || engine_seal(lane->engine, error);
}

bool cell_load(struct cell_life *life, const struct library_row *row, struct error *error)
{
    struct outcome outcome;
    life->function = row->function;
    life->is_direct = lane_is_direct(&row->settings);
    life->is_isolated = !life->lane->engine->backend->has_walls &&
                        (row->settings.flags & SETTINGS_ISOLATE_INVOCATION) != 0;
    return shell_load(life->shell, row->program, &row->settings, &outcome, error) &&
           outcome.kind == OUTCOME_DONE && engine_seal(life->lane->engine, error);
}

void cell_wait_turn(struct cell_life *life)
{
    struct cell_share *share = life->lane->share;
    uint32_t turn;
    while ((turn = __atomic_load_n(&share->turn, __ATOMIC_ACQUIRE)) != life->number)
        futex_wait(&share->turn, turn);
    life->lane->ring.handled = __atomic_load_n(&share->handled, __ATOMIC_RELAXED);
    life->lane->ring.seen = __atomic_load_n(&share->seen, __ATOMIC_RELAXED);
}

/* Gives the lane back and waits for the next turn. */
static void cell_yield(struct cell_life *life)
{
    const uint8_t byte = CELL_YIELDS;
    __atomic_store_n(&life->lane->share->turn, 0, __ATOMIC_SEQ_CST);
    if (write(CELL_PIPE, &byte, 1) != 1)
        _exit(0); /* the worker is gone */
    cell_wait_turn(life);
}

/* Gives the lane back for good. */
static NORETURN void cell_end(void)
{
    const uint8_t byte = CELL_ENDS;
    _exit(write(CELL_PIPE, &byte, 1) != 1);
}

static bool is_wanted(const struct cell_life *life)
{
    const struct lane *lane = life->lane;
    return channel_function(lane->ring.channel, lane->ring.lane, lane->ring.handled) ==
               life->function &&
           __atomic_load_n(&lane->share->library, __ATOMIC_ACQUIRE) == lane->ring.seen;
}

static bool is_recalled(const struct lane *lane)
{
    return __atomic_load_n(&lane->share->library, __ATOMIC_RELAXED) != lane->ring.seen ||
           __atomic_load_n(&lane->share->recall, __ATOMIC_RELAXED) != 0;
}

NORETURN void cell_live(struct cell_life *life)
{
    struct lane *lane = life->lane;
    struct call_desk desk = desk_of_lane(lane->ring.channel, lane->ring.lane, lane->event);
    shell_use_desk(life->shell, &desk);
    struct error error;
    for (;;) {
        bool came =
            channel_wait(lane->ring.channel, lane->ring.lane, lane->ring.handled, CELL_LOOK_MS);
        if (came ? !is_wanted(life) : is_recalled(lane)) {
            cell_yield(life);
            continue;
        }
        if (!came)
            continue;
        uint32_t before = lane->ring.handled;
        __atomic_store_n(&lane->share->begun, before + life->is_direct, __ATOMIC_RELAXED);
        bool is_useful = life->is_direct
                             ? lane_run_one(lane, life->shell)
                             : ring_serve(&lane->ring, life->shell, life->function, &error);
        __atomic_store_n(&lane->share->handled, lane->ring.handled, __ATOMIC_RELEASE);
        /* Whoever was under way has an answer, unless there was none at all. */
        if (!is_useful && lane->ring.handled == before)
            _exit(1);
        if (!is_useful || life->is_isolated)
            cell_end();
    }
}

NORETURN void cell_main(struct lane *lane, const struct library_row *row, uint32_t number,
                        int pipe_end, pid_t worker)
{
    struct error error;
    struct cell_life life = { .lane = lane, .number = number };
    const int from[] = { lane->event, pipe_end }, to[] = { CELL_EVENT, CELL_PIPE };
    if (!cell_settle(lane->engine, worker, &error) ||
        !cell_keep_descriptors(lane->engine, from, to, 2))
        _exit(1);
    cell_narrow_channel(lane);
    lane->event = CELL_EVENT;
    lane->ring.version = &lane->share->library;
    if (!cell_open(&life, &error))
        _exit(1);
    if (row == NULL) {
        cell_wait_turn(&life);
        row =
            library_row_of(lane->library, __atomic_load_n(&lane->share->version, __ATOMIC_RELAXED));
    }
    if (row == NULL || !cell_load(&life, row, &error))
        _exit(1);
    cell_live(&life);
}
