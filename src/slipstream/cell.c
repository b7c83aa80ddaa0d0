/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/cell_life.h"

#include "core/checked.h"
#include "slipstream/deadline.h"
#include "slipstream/limits.h"
#include "slipstream/program.h"
#include "slipstream/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void futex_wake(uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

bool cells_open(struct lane *lane, struct error *error)
{
    void *at =
        mmap(NULL, LAYOUT_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return error_system(error, "share a page with cells");
    lane->share = at;
    return true;
}

static void cell_drop(struct cell *cell)
{
    if (cell->pid <= 0)
        return;
    kill(cell->pid, SIGKILL);
    while (waitpid(cell->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    close(cell->pipe);
    *cell = (struct cell){ 0 };
}

/* `row` NULL: a spare. */
static bool cell_start(struct lane *lane, struct cell *cell, const struct library_row *row)
{
    int ends[2];
    uint32_t number = ++lane->cell_count;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    if (row != NULL)
        __atomic_store_n(&lane->share->turn, number, __ATOMIC_RELEASE);
    /* A spare reads the library as it is now: nobody may be at it. */
    pthread_mutex_lock(&lane->library->lock);
    uint32_t version = row != NULL ? row->version : lane->library->version;
    pid_t worker = getpid(), pid = fork();
    if (pid == 0)
        cell_main(lane, row, number, ends[1], worker);
    pthread_mutex_unlock(&lane->library->lock);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return false;
    }
    *cell = (struct cell){ .pid = pid, .pipe = ends[0], .number = number, .version = version };
    return true;
}

static bool cell_is_alive(const struct cell *cell)
{
    siginfo_t info = { 0 };
    return waitid(P_PID, (id_t)cell->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
}

/* The spare, when there is one that sees the row's program. */
static bool spare_take(struct lane *lane, struct cell *cell, const struct library_row *row)
{
    if (lane->spare.pid > 0 && !cell_is_alive(&lane->spare))
        cell_drop(&lane->spare);
    if (lane->spare.pid <= 0 || (int32_t)(lane->spare.version - row->version) < 0)
        return false;
    *cell = lane->spare;
    lane->spare = (struct cell){ 0 };
    cell->version = row->version;
    __atomic_store_n(&lane->share->version, row->version, __ATOMIC_RELAXED);
    return true;
}

bool cells_want_spare(const struct lane *lane)
{
    uint32_t loaded = library_count(lane->library), own = 0;
    bool is_current =
        lane->spare.pid > 0 &&
        lane->spare.version == __atomic_load_n(&lane->library->version, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < LANE_INSTANCES_MAX; i++)
        own += lane->cells[i].pid > 0;
    return lane->engine->backend->has_walls && !is_current && loaded > own &&
           __atomic_load_n(&lane->keeping, __ATOMIC_RELAXED) != LANE_KEEPS_NOTHING;
}

void cells_make_spare(struct lane *lane)
{
    cell_drop(&lane->spare);
    if (!cell_start(lane, &lane->spare, NULL))
        lane->spare = (struct cell){ 0 };
}

static struct cell *cell_find(struct lane *lane, const struct library_row *row)
{
    for (unsigned i = 0; i < LANE_INSTANCES_MAX; i++)
        if (lane->cells[i].pid > 0 && lane->cells[i].version == row->version)
            return &lane->cells[i];
    return NULL;
}

static struct cell *cell_place(struct lane *lane)
{
    struct cell *oldest = &lane->cells[0];
    for (unsigned i = 0; i < LANE_INSTANCES_MAX; i++) {
        if (lane->cells[i].pid <= 0)
            return &lane->cells[i];
        if (lane->cells[i].used < oldest->used)
            oldest = &lane->cells[i];
    }
    cell_drop(oldest);
    return oldest;
}

/* Since when a cell seems to do nothing. */
struct watch {
    uint32_t handled, taken; /* as seen last */
    uint64_t since_ns;
};

/* Whether the invocation that is under way should have ended long ago: then the cell does not mind
 * its own timer.  Both counts are the cell's to write, one the guest's too. */
static bool is_stuck(const struct lane *lane, const struct library_row *row, struct watch *watch)
{
    uint32_t handled = __atomic_load_n(&lane->share->handled, __ATOMIC_RELAXED);
    uint32_t taken = __atomic_load_n(&channel_batch(lane->ring.channel, lane->ring.lane)->taken,
                                     __ATOMIC_RELAXED);
    uint32_t submitted = channel_submitted(lane->ring.channel, lane->ring.lane);
    uint64_t now_ns = deadline_now_ns();
    bool has_ended_one = count_moves(&watch->handled, handled, submitted);
    bool has_begun_one = count_moves(&watch->taken, taken, submitted);
    if (submitted == handled || has_ended_one || has_begun_one) {
        watch->since_ns = now_ns;
        return false;
    }
    uint64_t allowed_ns = (row->settings.timeout_ms + CELL_GRACE_MS) * 1000000ull;
    return row->settings.timeout_ms != 0 && now_ns - watch->since_ns > allowed_ns;
}

/* Whether all that was handed over has ended, as far as the cell says. */
static bool is_resting(const struct lane *lane)
{
    return __atomic_load_n(&lane->share->handled, __ATOMIC_RELAXED) ==
           channel_submitted(lane->ring.channel, lane->ring.lane);
}

/* How the cell's turn ended: CELL_YIELDS, CELL_ENDS, or 0: it died, or must. */
static uint8_t cell_watch(struct lane *lane, struct cell *cell, const struct library_row *row)
{
    struct pollfd waiting = { .fd = cell->pipe, .events = POLLIN };
    struct watch watch = { lane->ring.handled, lane->ring.handled, deadline_now_ns() };
    uint8_t byte;
    for (;;) {
        /* A spare takes longer to make than an invocation: only when nothing comes in. */
        bool wants_spare = cells_want_spare(lane);
        int ready = poll(&waiting, 1, wants_spare ? LANE_IDLE_MS : CELL_LOOK_MS);
        if (ready > 0)
            return read(cell->pipe, &byte, 1) == 1 ? byte : 0;
        if (wants_spare && is_resting(lane))
            cells_make_spare(lane);
        if (ready == 0 && is_stuck(lane, row, &watch))
            return 0;
    }
}

/* How far the cell says to have come; what can't be is as far as it may be. */
static void handled_take(struct lane *lane)
{
    uint32_t handled = __atomic_load_n(&lane->share->handled, __ATOMIC_ACQUIRE);
    uint32_t submitted = channel_submitted(lane->ring.channel, lane->ring.lane);
    bool is_plausible = handled - lane->ring.handled <= submitted - lane->ring.handled;
    lane->ring.handled = is_plausible ? handled : submitted;
}

/* Tells the lane's cells; the number never goes back. */
static void library_tell(struct lane *lane, uint32_t version)
{
    uint32_t *told = &lane->share->library;
    uint32_t held = __atomic_load_n(told, __ATOMIC_RELAXED);
    while ((int32_t)(version - held) > 0 &&
           !__atomic_compare_exchange_n(told, &held, version, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
        ;
}

/* A cell died.  What it was at is lost; when it was at nothing, another one is tried. */
static void cell_lost(struct lane *lane)
{
    struct ring *ring = &lane->ring;
    uint32_t answered =
        __atomic_load_n(&channel_lane(ring->channel, ring->lane)->handled, __ATOMIC_ACQUIRE);
    if (ring_has_begun(ring, answered))
        ring->handled = answered;
    ring_pass_answered(ring);
    bool was_idle =
        !ring_has_begun(ring, __atomic_load_n(&lane->share->begun, __ATOMIC_ACQUIRE)) &&
        !ring_has_begun(ring, __atomic_load_n(&channel_batch(ring->channel, ring->lane)->taken,
                                              __ATOMIC_ACQUIRE));
    if (lane->retried_at != lane->ring.handled)
        lane->retry_count = 0;
    lane->retried_at = lane->ring.handled;
    if (!was_idle || lane->retry_count++ == CELL_RETRIES_MAX)
        ring_fail_one(ring);
    else
        ring->announce(ring->context);
}

void cells_serve(struct lane *lane, const struct library_row *row)
{
    struct cell *cell = cell_find(lane, row);
    if (cell != NULL && !cell_is_alive(cell)) {
        cell_drop(cell);
        cell = NULL;
    }
    library_tell(lane, lane->ring.seen);
    if (__atomic_load_n(&lane->keeping, __ATOMIC_RELAXED) != LANE_KEEPS_NOTHING)
        __atomic_store_n(&lane->share->recall, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&lane->share->begun, lane->ring.handled, __ATOMIC_RELAXED);
    __atomic_store_n(&lane->share->seen, lane->ring.seen, __ATOMIC_RELAXED);
    __atomic_store_n(&lane->share->handled, lane->ring.handled, __ATOMIC_RELEASE);
    bool waits = cell != NULL;
    if (!waits) {
        cell = cell_place(lane);
        waits = spare_take(lane, cell, row);
    }
    if (waits) {
        __atomic_store_n(&lane->share->turn, cell->number, __ATOMIC_SEQ_CST);
        futex_wake(&lane->share->turn);
    } else if (!cell_start(lane, cell, row)) {
        ring_fail(&lane->ring);
        return;
    }
    cell->used = ++lane->run_count;
    uint8_t how = cell_watch(lane, cell, row);
    if (how != CELL_YIELDS)
        cell_drop(cell);
    __atomic_store_n(&lane->share->turn, 0, __ATOMIC_RELEASE);
    handled_take(lane);
    if (how != CELL_YIELDS && how != CELL_ENDS)
        cell_lost(lane);
}

void cells_recall(struct lane *lane)
{
    __atomic_store_n(&lane->share->recall, 1, __ATOMIC_RELAXED);
}

void cells_drop(struct lane *lane)
{
    for (unsigned i = 0; i < LANE_INSTANCES_MAX; i++)
        cell_drop(&lane->cells[i]);
    cell_drop(&lane->spare);
}

void cells_sweep(struct lane *lane)
{
    for (unsigned i = 0; i < LANE_INSTANCES_MAX; i++)
        if (lane->cells[i].pid > 0 && !library_has(lane->library, lane->cells[i].version))
            cell_drop(&lane->cells[i]);
    bool is_old = lane->spare.version != __atomic_load_n(&lane->library->version, __ATOMIC_RELAXED);
    if (is_old && !cells_want_spare(lane))
        cell_drop(&lane->spare);
}

void cells_prune(struct lane *lane)
{
    library_tell(lane, __atomic_load_n(&lane->library->version, __ATOMIC_ACQUIRE));
}

/* --- trials --- */

static NORETURN void trial_main(struct program *program, const struct settings *settings,
                                const struct cell_trial *trial, struct room *room, pid_t worker)
{
    struct error error;
    program->room = room;
    if (trial->channel->memory != NULL)
        munmap(trial->channel->memory, trial->channel->size);
    bool is_good = cell_settle(trial->engine, worker, &error) &&
                   cell_keep_descriptors(trial->engine, NULL, NULL, 0) &&
                   trial->run(trial->context, program, settings, &error);
    room_conclude(room, is_good, &error);
    _exit(0);
}

bool cell_try(struct program *program, const struct settings *settings,
              const struct cell_trial *trial, struct error *error)
{
    AUTO(room) struct room *own = NULL;
    struct room *room = trial->room;
    if (room == NULL && !room_open(&own, error))
        return false;
    room = room != NULL ? room : own;
    pid_t worker = getpid(), pid = fork();
    if (pid == 0)
        trial_main(program, settings, trial, room, worker);
    if (pid < 0)
        return error_system(error, "start a process to initialise it");
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        return error_set(error, ERROR_CRASHED,
                         "the process that initialises it made a forbidden system call");
    return room_result(room, error) && program_adopt(program, room, error);
}
