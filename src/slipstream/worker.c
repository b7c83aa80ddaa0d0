/* SPDX-License-Identifier: Apache-2.0 */
/* The server's side of a slipstream process: lanes, slots and what they answer. */
#include "slipstream/worker_state.h"

#include "core/writer.h"
#include "slipstream/deadline.h"
#include "slipstream/seed.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What waits on one lane may take about so long. */
#define LANE_QUEUE_NS 1000000u

uint32_t worker_slot_count(const struct worker *worker)
{
    return worker->channel.shape.lane_count * worker->channel.shape.station_count;
}

static uint32_t lane_of(const struct worker *worker, uint32_t slot)
{
    return slot / worker->channel.shape.station_count;
}

static uint32_t station_of(const struct worker *worker, uint32_t slot)
{
    return slot % worker->channel.shape.station_count;
}

/* How many invocations of the function a lane may have before it. */
static uint32_t queue_depth(const struct worker *worker, const struct worker_function *function)
{
    if (function == NULL || function->is_direct || function->mean_ns == 0)
        return 1;
    uint64_t depth = LANE_QUEUE_NS / MAX(function->mean_ns, (uint64_t)1);
    return (uint32_t)MIN(MAX(depth, (uint64_t)1), (uint64_t)worker->channel.shape.station_count);
}

/* Lowest first: a used station's pages are there, and a lane's thread starts with the one before.
 */
static uint32_t station_find(const struct worker *worker, uint32_t lane)
{
    uint32_t count = worker->channel.shape.station_count;
    for (uint32_t i = 0; i < count; i++)
        if (worker->slots[lane * count + i].state == SLOT_FREE)
            return i;
    return STATION_NONE;
}

struct lane_choice {
    uint32_t idle;   /* the best without any load, or lane_count */
    uint32_t shared; /* the least loaded of those that run the function and have room */
    uint32_t busy_count;
    uint32_t own_count; /* that run the function */
};

static struct lane_choice lanes_look(const struct worker *worker, uint32_t function, uint32_t depth)
{
    uint32_t count = worker->channel.shape.lane_count;
    struct lane_choice choice = { .idle = count, .shared = count };
    for (uint32_t i = 0; i < count; i++) {
        const struct worker_lane *lane = &worker->lanes[i];
        bool is_own = lane->is_used && lane->function == function;
        choice.busy_count += lane->load > 0;
        choice.own_count += lane->load > 0 && is_own;
        if (lane->load > 0) {
            /* One that others overtook keeps its place in the ring. */
            bool has_room = lane->submitted - lane->first < BATCH_ENTRY_COUNT;
            if (is_own && has_room && lane->load < depth &&
                (choice.shared == count || lane->load < worker->lanes[choice.shared].load))
                choice.shared = i;
            continue;
        }
        const struct worker_lane *best = choice.idle < count ? &worker->lanes[choice.idle] : NULL;
        /* One that ran nothing yet keeps what others have warm. */
        if (best == NULL || (is_own && !(best->is_used && best->function == function)) ||
            (!lane->is_used && best->is_used && best->function != function))
            choice.idle = i;
    }
    return choice;
}

static bool lane_choose(struct worker *worker, uint32_t function, uint32_t lane_max, uint32_t *lane)
{
    uint32_t count = worker->channel.shape.lane_count;
    uint32_t depth = queue_depth(worker, worker_function_find(worker, function));
    struct lane_choice choice = lanes_look(worker, function, depth);
    bool may_idle = choice.idle < count && choice.own_count < lane_max;
    bool prefers_idle = depth == 1 || choice.busy_count < worker->core_count;
    if (may_idle && (prefers_idle || choice.shared == count))
        *lane = choice.idle;
    else
        *lane = choice.shared;
    return *lane < count && station_find(worker, *lane) != STATION_NONE;
}

bool worker_acquire(struct worker *worker, uint32_t function, uint32_t lane_max, uint32_t *slot)
{
    uint32_t lane;
    if (worker->is_lost || !lane_choose(worker, function, lane_max, &lane))
        return false;
    *slot = lane * worker->channel.shape.station_count + station_find(worker, lane);
    worker->slots[*slot] =
        (struct worker_slot){ .state = SLOT_ACQUIRED, .function = function, .lane_max = lane_max };
    worker->lanes[lane].load++;
    worker->lanes[lane].is_used = true;
    worker->lanes[lane].function = function;
    return true;
}

void *worker_mailbox(const struct worker *worker, uint32_t slot, size_t *size)
{
    *size = worker->channel.shape.station_size;
    return channel_station(&worker->channel, lane_of(worker, slot), station_of(worker, slot));
}

/* Without seeds there is no random generator: the invocation counts as crashed. */
static void slot_submit(struct worker *worker, uint32_t slot)
{
    struct error error;
    uint32_t number = lane_of(worker, slot);
    struct worker_lane *lane = &worker->lanes[number];
    struct channel_submission submission = { .sequence = lane->submitted,
                                             .function = worker->slots[slot].function,
                                             .station = station_of(worker, slot) };
    if (lane->first == lane->submitted)
        lane->moved_ns = deadline_now_ns();
    lane->stations[lane->submitted % BATCH_ENTRY_COUNT] = submission.station;
    lane->submitted++;
    if (worker->is_lost)
        return;
    if (!seed_take(submission.seed, &error)) {
        worker_lost(worker);
        return;
    }
    channel_batch(&worker->channel, number)->lingers = worker->polls;
    channel_submit(&worker->channel, number, &submission);
}

void worker_submit(struct worker *worker, uint32_t slot, uint32_t function, uint64_t token)
{
    struct worker_slot *running = &worker->slots[slot];
    ASSERT(slot < worker_slot_count(worker) && running->state == SLOT_ACQUIRED);
    ASSERT(running->function == function);
    size_t size;
    const volatile struct mailbox *mailbox = worker_mailbox(worker, slot, &size);
    running->state = SLOT_RUNNING;
    running->token = token;
    running->request_size = (uint32_t)MIN((size_t)mailbox->output.offset, size);
    worker->running_count++;
    slot_submit(worker, slot);
}

/* Zeroes an area as far as it was used, by what the guest says, checked like all it says. */
static void wipe_area(uint8_t *mailbox, size_t size, const struct mailbox_area *area)
{
    struct bytes view;
    if (!mailbox_area_view(mailbox, size, area, &view))
        memset(mailbox, 0, size);
    else if (view.size != 0) /* a masked store of nothing to a page never touched is slow */
        memset(mailbox + (view.data - mailbox), 0, view.size);
}

/* The head, the results if a call left any, and what was asked up to `end`. */
static void wipe_request(uint8_t *mailbox, bool has_results, size_t end)
{
    size_t from = has_results ? MAILBOX_HEAD_SIZE : sizeof(struct mailbox);
    memset(mailbox, 0, MAILBOX_HEAD_SIZE);
    memset(mailbox + from, 0, MAX(end, sizeof(struct mailbox)) - from);
}

/* Code that no compiler of ours made, or none is trusted to have made well, may have written to all
 * of its lane's window.  Nobody else's invocation is there: such functions have a lane to
 * themselves while they run. */
static void wipe_stations(struct worker *worker, uint32_t lane)
{
    const struct channel_shape *shape = &worker->channel.shape;
    uint8_t *from = channel_station(&worker->channel, lane, 0);
    size_t size = shape->station_count * shape->station_size;
    if (madvise(from, size, MADV_REMOVE) != 0)
        memset(from, 0, size);
}

static bool is_alone(const struct worker *worker, uint32_t slot)
{
    uint32_t count = worker->channel.shape.station_count, first = lane_of(worker, slot) * count;
    for (uint32_t i = first; i < first + count; i++)
        if (i != slot && worker->slots[i].state != SLOT_FREE)
            return false;
    return true;
}

void worker_release(struct worker *worker, uint32_t slot)
{
    size_t size;
    uint8_t *memory = worker_mailbox(worker, slot, &size);
    struct worker_slot *held = &worker->slots[slot];
    ASSERT(held->state == SLOT_ACQUIRED || held->state == SLOT_DONE);
    struct mailbox header;
    memcpy(&header, memory, MAILBOX_HEAD_SIZE);
    wipe_area(memory, size, &header.output);
    wipe_area(memory, size, &header.errors);
    wipe_area(memory, size, &header.calls);
    wipe_area(memory, size, &header.made);
    /* The request by what we laid out ourselves; one never submitted by its header. */
    size_t request_size = held->state == SLOT_ACQUIRED ? header.output.offset : held->request_size;
    wipe_request(memory, header.result_count != 0, MIN(request_size, size));
    const struct worker_function *function = worker_function_find(worker, held->function);
    if (function != NULL && function->is_isolated && is_alone(worker, slot))
        wipe_stations(worker, lane_of(worker, slot));
    if (held->state == SLOT_ACQUIRED)
        worker->lanes[lane_of(worker, slot)].load--;
    held->state = SLOT_FREE;
}

/* Slots whose process died. */
static bool take_lost(struct worker *worker, struct worker_completion *completion)
{
    for (uint32_t i = 0; i < worker_slot_count(worker); i++) {
        struct worker_slot *slot = &worker->slots[i];
        if (slot->state != SLOT_RUNNING && slot->state != SLOT_PARKED)
            continue;
        slot->state = SLOT_DONE;
        worker->running_count--;
        *completion = (struct worker_completion){ .token = slot->token,
                                                  .slot = i,
                                                  .outcome = { .kind = OUTCOME_CRASHED } };
        return true;
    }
    return false;
}

/* Moves what was given back to lanes that are free now. */
static void parked_place(struct worker *worker)
{
    uint32_t count = worker->channel.shape.station_count, lane;
    for (uint32_t i = 0; worker->parked_count > 0 && i < worker_slot_count(worker); i++) {
        struct worker_slot *slot = &worker->slots[i];
        size_t size;
        if (slot->state != SLOT_PARKED)
            continue;
        struct lane_choice choice = lanes_look(worker, slot->function, 1);
        if (choice.idle == worker->channel.shape.lane_count || choice.own_count >= slot->lane_max)
            continue;
        lane = choice.idle;
        uint32_t station = lane == i / count ? i % count : station_find(worker, lane);
        if (station == STATION_NONE)
            continue;
        uint32_t to = lane * count + station;
        if (to != i) {
            uint8_t *from = worker_mailbox(worker, i, &size);
            memcpy(worker_mailbox(worker, to, &size), from, slot->request_size);
            memset(from, 0, slot->request_size);
            worker->slots[to] = *slot;
            slot->state = SLOT_FREE;
        }
        worker->slots[to].state = SLOT_RUNNING;
        worker->parked_count--;
        worker->lanes[lane].load++;
        worker->lanes[lane].is_used = true;
        worker->lanes[lane].function = worker->slots[to].function;
        slot_submit(worker, to);
    }
}

static void function_learn(struct worker *worker, uint32_t function, uint64_t duration_ns)
{
    struct worker_function *row = worker_function_find(worker, function);
    if (row == NULL)
        return;
    uint64_t taken_ns = MIN(MAX(duration_ns, (uint64_t)1), (uint64_t)1000 * LANE_QUEUE_NS);
    /* Slower at once, faster by and by: who waits behind a long one waits long. */
    if (row->mean_ns == 0 || taken_ns > 8 * row->mean_ns)
        row->mean_ns = taken_ns;
    else
        row->mean_ns += taken_ns / 8 - row->mean_ns / 8;
}

/* An answer of the lane, if there is one. */
static bool lane_take(struct worker *worker, uint32_t number, struct worker_completion *completion)
{
    struct worker_lane *lane = &worker->lanes[number];
    const struct worker_function *row = worker_function_find(worker, lane->function);
    for (uint32_t sequence = lane->first; sequence != lane->submitted; sequence++) {
        struct outcome outcome;
        uint32_t station = lane->stations[sequence % BATCH_ENTRY_COUNT];
        if (station == STATION_NONE)
            continue;
        enum channel_answer answer = channel_answer(&worker->channel, number, sequence,
                                                    row == NULL || row->is_direct, &outcome);
        if (answer == CHANNEL_ANSWER_NONE)
            continue;
        uint32_t index = number * worker->channel.shape.station_count + station;
        struct worker_slot *slot = &worker->slots[index];
        lane->stations[sequence % BATCH_ENTRY_COUNT] = STATION_NONE;
        while (lane->first != lane->submitted &&
               lane->stations[lane->first % BATCH_ENTRY_COUNT] == STATION_NONE)
            lane->first++;
        lane->load--;
        lane->moved_ns = deadline_now_ns();
        if (answer == CHANNEL_ANSWER_RETURNED) {
            slot->state = SLOT_PARKED;
            worker->parked_count++;
            continue;
        }
        slot->state = SLOT_DONE;
        worker->running_count--;
        if (outcome.kind == OUTCOME_DONE || outcome.kind == OUTCOME_TIMEOUT)
            function_learn(worker, slot->function, outcome.duration_ns);
        *completion =
            (struct worker_completion){ .token = slot->token, .slot = index, .outcome = outcome };
        return true;
    }
    return false;
}

static bool lanes_take(struct worker *worker, struct worker_completion *completion)
{
    bool found = false;
    for (uint32_t i = 0; i < worker->channel.shape.lane_count && !worker->is_lost && !found; i++) {
        const struct worker_lane *lane = &worker->lanes[i];
        found = lane->first != lane->submitted && lane_take(worker, i, completion);
    }
    parked_place(worker);
    return found;
}

bool worker_take(struct worker *worker, struct worker_completion *completion)
{
    uint64_t count;
    if (lanes_take(worker, completion))
        return true;
    /* Before looking again: whatever is answered after this raises the event again. */
    if (!worker->polls && read(worker->event, &count, sizeof(count)) > 0 &&
        lanes_take(worker, completion))
        return true;
    return worker->is_lost && take_lost(worker, completion);
}

/* --- host calls --- */

/* Who asks: an invocation of the lane that is under way. */
static const struct worker_slot *caller_of(const struct worker *worker, uint32_t number,
                                           uint32_t sequence)
{
    const struct worker_lane *lane = &worker->lanes[number];
    uint32_t station = lane->stations[sequence % BATCH_ENTRY_COUNT];
    if (sequence - lane->first >= lane->submitted - lane->first || station == STATION_NONE)
        return NULL;
    const struct worker_slot *slot =
        &worker->slots[number * worker->channel.shape.station_count + station];
    return slot->state == SLOT_RUNNING ? slot : NULL;
}

static bool lane_take_call(struct worker *worker, uint32_t number, struct worker_call *call)
{
    struct worker_lane *lane = &worker->lanes[number];
    struct channel_call_seen seen;
    if (!channel_call_look(&worker->channel, number, lane->call_seen, &seen))
        return false;
    lane->call_seen = seen.number;
    const struct worker_slot *slot = caller_of(worker, number, seen.sequence);
    if (slot == NULL) {
        channel_call_reply(&worker->channel, number, seen.number, (struct bytes){ 0 });
        return false;
    }
    memcpy(worker->requests, channel_call_requests(&worker->channel, number), seen.size);
    __asm__ volatile("" : : "r"(worker->requests) : "memory");
    *call = (struct worker_call){ .lane = number,
                                  .number = seen.number,
                                  .slot = (uint32_t)(slot - worker->slots),
                                  .token = slot->token,
                                  .requests = bytes_of(worker->requests, seen.size) };
    return true;
}

/* The server is here now. */
static void note_core(const struct worker *worker)
{
    uint32_t *core = &channel_header(&worker->channel)->core, here = channel_core();
    if (__atomic_load_n(core, __ATOMIC_RELAXED) != here)
        __atomic_store_n(core, here, __ATOMIC_RELAXED);
}

bool worker_take_call(struct worker *worker, struct worker_call *call)
{
    if (worker->requests == NULL && (worker->requests = malloc(CALL_AREA_SIZE)) == NULL)
        return false;
    note_core(worker);
    for (uint32_t i = 0; i < worker->channel.shape.lane_count && !worker->is_lost; i++) {
        const struct worker_lane *lane = &worker->lanes[i];
        if (lane->first != lane->submitted && lane_take_call(worker, i, call))
            return true;
    }
    return false;
}

void worker_answer_call(struct worker *worker, uint32_t lane, uint32_t number, struct bytes answers)
{
    ASSERT(lane < worker->channel.shape.lane_count);
    if (!worker->is_lost && worker->lanes[lane].call_seen == number)
        channel_call_reply(&worker->channel, lane, number, answers);
}

uint32_t worker_lanes_used(const struct worker *worker)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < worker->channel.shape.lane_count; i++)
        count += worker->lanes[i].is_used;
    return count;
}

uint32_t worker_lanes_busy(const struct worker *worker)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < worker->channel.shape.lane_count; i++)
        count += worker->lanes[i].load > 0;
    return count;
}

uint64_t worker_stalled_ns(const struct worker *worker, uint32_t function)
{
    uint64_t now_ns = deadline_now_ns(), longest_ns = 0;
    for (uint32_t i = 0; i < worker->channel.shape.lane_count; i++) {
        const struct worker_lane *lane = &worker->lanes[i];
        if (lane->first != lane->submitted && lane->function == function && lane->load > 0)
            longest_ns = MAX(longest_ns, now_ns - lane->moved_ns);
    }
    return longest_ns;
}

bool worker_is_beside(const struct worker *worker)
{
    uint32_t here = channel_core();
    for (uint32_t i = 0; i < worker->channel.shape.lane_count; i++) {
        const struct worker_lane *lane = &worker->lanes[i];
        const struct channel_lane *shared = channel_lane(&worker->channel, i);
        if (lane->first != lane->submitted &&
            __atomic_load_n(&shared->core, __ATOMIC_RELAXED) == here)
            return false;
    }
    return true;
}

void worker_set_polling(struct worker *worker, bool polls)
{
    note_core(worker);
    if (worker->polls == polls)
        return;
    worker->polls = polls;
    __atomic_store_n(&channel_header(&worker->channel)->polls, polls, __ATOMIC_SEQ_CST);
    /* Those never used are not touched, which would fill their pages. */
    for (uint32_t i = 0; i < worker->channel.shape.lane_count; i++)
        if (worker->lanes[i].submitted != 0)
            __atomic_store_n(&channel_batch(&worker->channel, i)->lingers, polls, __ATOMIC_SEQ_CST);
}

int worker_event(const struct worker *worker)
{
    return worker->event;
}

int worker_socket(const struct worker *worker)
{
    return ipc_descriptor(worker->ipc);
}

void worker_lost(struct worker *worker)
{
    worker->is_lost = true;
}

bool worker_is_alive(const struct worker *worker)
{
    return !worker->is_lost;
}

uint32_t worker_running_count(const struct worker *worker)
{
    return worker->running_count;
}
