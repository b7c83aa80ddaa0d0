/* SPDX-License-Identifier: Apache-2.0 */
/* The server's side of a slipstream process. */
#include "slipstream/worker.h"

#include "base/file.h"
#include "base/ipc.h"
#include "core/reader.h"
#include "core/writer.h"
#include "slipstream/channel.h"
#include "slipstream/deadline.h"
#include "slipstream/lane.h"
#include "slipstream/requests.h"
#include "slipstream/seed.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    ANSWER_TIMEOUT_MS = 10000
};

enum slot_state {
    SLOT_FREE,
    SLOT_ACQUIRED,
    SLOT_RUNNING, /* or waiting on its lane */
    SLOT_PARKED,  /* given back: waits for a lane */
    SLOT_DONE
};

enum {
    STATION_NONE = UINT32_MAX
};

/* What waits on one lane may take about so long. */
#define LANE_QUEUE_NS 1000000u

struct worker_slot {
    enum slot_state state;
    uint32_t function;
    uint32_t lane_max;
    uint32_t request_size; /* strings and input end here in the mailbox */
    uint64_t token;
};

struct worker_lane {
    bool is_used;      /* it has run something */
    uint32_t function; /* that it ran last, or runs */
    uint32_t submitted;
    uint32_t first;                       /* the oldest without an answer */
    uint32_t load;                        /* acquired or under way */
    uint64_t moved_ns;                    /* when it last got further */
    uint32_t stations[BATCH_ENTRY_COUNT]; /* by sequence; STATION_NONE: answered */
};

/* What is known of a function that was loaded. */
struct worker_function {
    uint32_t function;
    bool is_direct;
    bool is_isolated; /* nothing that it may have written is left */
    uint64_t mean_ns; /* of its invocations, lately; 0: not known */
};

struct worker {
    struct ipc *ipc;
    struct channel channel;
    int event;
    int answer_timeout_ms;
    bool is_lost;
    bool polls;
    bool wants_profile; /* it was asked for last */
    struct worker_profile profile;
    uint32_t core_count;
    uint32_t running_count;
    uint32_t parked_count;
    uint32_t function_count;
    struct worker_function functions[LIBRARY_FUNCTIONS_MAX];
    struct worker_lane lanes[CHANNEL_LANES_MAX];
    struct worker_slot slots[CHANNEL_SLOTS_MAX];
};

static struct worker_function *function_find(struct worker *worker, uint32_t function)
{
    for (uint32_t i = 0; i < worker->function_count; i++)
        if (worker->functions[i].function == function)
            return &worker->functions[i];
    return NULL;
}

static bool function_note(struct worker *worker, uint32_t function, const struct settings *settings)
{
    struct worker_function *row = function_find(worker, function);
    if (row == NULL && worker->function_count == LIBRARY_FUNCTIONS_MAX)
        return false;
    if (row == NULL)
        row = &worker->functions[worker->function_count++];
    *row = (struct worker_function){
        .function = function,
        .is_direct = lane_is_direct(settings),
        .is_isolated = settings->entry == SETTINGS_ENTRY_NATIVE ||
                       (settings->flags & SETTINGS_ISOLATE_INVOCATION) != 0,
    };
    return true;
}

static bool worker_ask(struct worker *worker, uint16_t type, struct bytes payload,
                       const int *descriptors, unsigned descriptor_count, struct error *error)
{
    if (worker->is_lost)
        return error_set(error, ERROR_CRASHED, "the slipstream process is gone");
    return ipc_send(worker->ipc, type, 0, payload, descriptors, descriptor_count, error);
}

/* What a process says that may be hostile. */
static void profile_take(struct worker *worker, struct bytes payload)
{
    struct worker_profile *profile = &worker->profile;
    struct reader reader = reader_of(payload);
    profile->total = read_u32_le(&reader);
    profile->count = MIN(read_u32_le(&reader), (uint32_t)PROFILE_ROWS_MAX);
    for (uint32_t i = 0; i < profile->count; i++) {
        profile->rows[i].function = read_u32_le(&reader);
        profile->rows[i].samples = read_u32_le(&reader);
    }
    if (!read_end(&reader))
        *profile = (struct worker_profile){ 0 };
}

static enum worker_answer answer_take(struct worker *worker, int timeout_ms, struct error *error)
{
    struct ipc_message message;
    if (!ipc_receive(worker->ipc, &message, timeout_ms, error))
        return error->code == ERROR_TIMEOUT ? WORKER_ANSWER_NONE : WORKER_ANSWER_LOST;
    bool is_done = message.type == IPC_ANSWER_OK;
    if (message.type == IPC_ANSWER_ERROR)
        ipc_answer_error(&message, error);
    else if (!is_done)
        error_set(error, ERROR_INVALID, "the slipstream process answered out of turn");
    if (is_done && worker->wants_profile)
        profile_take(worker, message.payload);
    worker->wants_profile = false;
    ipc_message_done(&message);
    return is_done ? WORKER_ANSWER_DONE : WORKER_ANSWER_REFUSED;
}

enum worker_answer worker_answer(struct worker *worker, struct error *error)
{
    return answer_take(worker, 0, error);
}

static bool worker_wait(struct worker *worker, struct error *error)
{
    return answer_take(worker, worker->answer_timeout_ms, error) == WORKER_ANSWER_DONE;
}

static bool worker_handshake(struct worker *worker, const struct worker_options *options,
                             struct error *error)
{
    AUTO_CLOSE int memory = -1;
    uint32_t stations = MIN(MAX(options->station_count, 1u),
                            MAX(channel_station_count_max(options->mailbox_size), 1u));
    struct channel_shape shape = { options->lane_count, stations, options->mailbox_size };
    if (!channel_make(&worker->channel, &memory, &shape, error))
        return false;
    worker->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (worker->event < 0)
        return error_system(error, "make an eventfd");
    int descriptors[] = { memory, worker->event };
    return worker_ask(worker, WORKER_REQUEST_OPEN, (struct bytes){ 0 }, descriptors, 2, error);
}

bool worker_open(struct worker **made, int socket, const struct worker_options *options,
                 struct error *error)
{
    AUTO(worker) struct worker *worker = NULL;
    if (!worker_open_begin(&worker, socket, options, error))
        return false;
    if (!worker_wait(worker, error))
        return error_within(error, "start a slipstream process");
    *made = TAKE(worker);
    return true;
}

bool worker_open_begin(struct worker **made, int socket, const struct worker_options *options,
                       struct error *error)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL) {
        file_close(&socket);
        return error_set(error, ERROR_NO_MEMORY, "no memory for a worker");
    }
    worker->event = -1;
    worker->core_count = MAX(options->core_count, 1u);
    worker->answer_timeout_ms =
        options->answer_timeout_ms != 0 ? options->answer_timeout_ms : ANSWER_TIMEOUT_MS;
    if (!ipc_new(&worker->ipc, socket, WORKER_PAYLOAD_MAX, error)) {
        file_close(&socket);
        worker_close(worker);
        return false;
    }
    if (!worker_handshake(worker, options, error)) {
        worker_close(worker);
        return error_within(error, "start a slipstream process");
    }
    *made = worker;
    return true;
}

void worker_close(struct worker *worker)
{
    if (worker == NULL)
        return;
    ipc_free(worker->ipc);
    channel_done(&worker->channel);
    file_close(&worker->event);
    free(worker);
}

bool worker_load(struct worker *worker, uint32_t function, int image, int files,
                 const struct settings *settings, struct error *error)
{
    return worker_load_begin(worker, function, image, files, settings, error) &&
           worker_wait(worker, error);
}

bool worker_load_begin(struct worker *worker, uint32_t function, int image, int files,
                       const struct settings *settings, struct error *error)
{
    uint8_t payload[WORKER_LOAD_SIZE];
    struct writer writer = writer_into(payload, sizeof(payload));
    write_u32_le(&writer, function);
    settings_write(&writer, settings);
    if (!function_note(worker, function, settings))
        return error_set(error, ERROR_LIMIT, "at most %d functions", LIBRARY_FUNCTIONS_MAX);
    const int descriptors[] = { image, files };
    bool has_files = files >= 0;
    return worker_ask(worker, has_files ? WORKER_REQUEST_LOAD_FILES : WORKER_REQUEST_LOAD,
                      writer_view(&writer), descriptors, has_files ? 2 : 1, error);
}

bool worker_profile_begin(struct worker *worker, uint32_t function, struct error *error)
{
    uint8_t payload[WORKER_PROFILE_SIZE];
    struct writer writer = writer_into(payload, sizeof(payload));
    write_u32_le(&writer, function);
    worker->wants_profile = true;
    return worker_ask(worker, WORKER_REQUEST_PROFILE, writer_view(&writer), NULL, 0, error);
}

const struct worker_profile *worker_profile(const struct worker *worker)
{
    return &worker->profile;
}

bool worker_unload(struct worker *worker, uint32_t function, struct error *error)
{
    uint8_t payload[WORKER_UNLOAD_SIZE];
    struct writer writer = writer_into(payload, sizeof(payload));
    write_u32_le(&writer, function);
    struct worker_function *row = function_find(worker, function);
    if (row != NULL)
        *row = worker->functions[--worker->function_count];
    return worker_ask(worker, WORKER_REQUEST_UNLOAD, writer_view(&writer), NULL, 0, error) &&
           worker_wait(worker, error);
}

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
    uint32_t depth = queue_depth(worker, function_find(worker, function));
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
    struct mailbox header;
    size_t size;
    memcpy(&header, worker_mailbox(worker, slot, &size), sizeof(header));
    running->state = SLOT_RUNNING;
    running->token = token;
    running->request_size = (uint32_t)MIN((size_t)header.output.offset, size);
    worker->running_count++;
    slot_submit(worker, slot);
}

/* Zeroes an area as far as it was used, by what the guest says, checked like all it says. */
static void wipe_area(uint8_t *mailbox, size_t size, const struct mailbox_area *area)
{
    struct bytes view;
    if (mailbox_area_view(mailbox, size, area, &view))
        memset(mailbox + (view.data - mailbox), 0, view.size);
    else
        memset(mailbox, 0, size);
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
    memcpy(&header, memory, sizeof(header));
    wipe_area(memory, size, &header.output);
    wipe_area(memory, size, &header.errors);
    /* The request by what we laid out ourselves; one never submitted by its header. */
    size_t request_size = held->state == SLOT_ACQUIRED ? header.output.offset : held->request_size;
    memset(memory, 0, MIN(MAX(request_size, sizeof(header)), size));
    const struct worker_function *function = function_find(worker, held->function);
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
    struct worker_function *row = function_find(worker, function);
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
    const struct worker_function *row = function_find(worker, lane->function);
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

uint32_t worker_lanes_used(const struct worker *worker)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < worker->channel.shape.lane_count; i++)
        count += worker->lanes[i].is_used;
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

void worker_set_polling(struct worker *worker, bool polls)
{
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
