/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/channel.h"

#include "abi/layout.h"
#include "core/checked.h"
#include "slipstream/calls.h"
#include "slipstream/deadline.h"
#include "slipstream/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Fixed places before the lanes' windows. */
enum {
    CHANNEL_LANES_AT = 4096,
    CHANNEL_PARTS_AT = CHANNEL_LANES_AT + CHANNEL_LANES_MAX * 512,
    CHANNEL_CALL_HEAD_SIZE = LAYOUT_PAGE_SIZE,
    CHANNEL_CALL_SIZE = CHANNEL_CALL_HEAD_SIZE + 2 * CALL_AREA_SIZE,
    CALL_SPIN_COUNT = 2000
};

_Static_assert(sizeof(struct channel_lane) == 512, "eight cache lines");
_Static_assert(CHANNEL_PARTS_AT % LAYOUT_PAGE_SIZE == 0, "windows are mapped by pages");
_Static_assert((int)BATCH_DONE == (int)OUTCOME_DONE, "answers are outcomes");
_Static_assert((int)BATCH_RETURNED > (int)OUTCOME_CRASHED, "but this one");

uint32_t channel_station_count_max(uint64_t station_size)
{
    uint64_t count = (LAYOUT_MAILBOX_SIZE_MAX - BATCH_SIZE) / station_size;
    return (uint32_t)MIN(count, (uint64_t)CHANNEL_STATIONS_MAX);
}

static bool channel_measure(struct channel *channel, const struct channel_shape *shape)
{
    if (shape->lane_count == 0 || shape->lane_count > CHANNEL_LANES_MAX ||
        shape->station_size == 0 || shape->station_size % LAYOUT_PAGE_SIZE != 0 ||
        shape->station_size > LAYOUT_MAILBOX_SIZE_MAX || shape->station_count == 0 ||
        shape->station_count > channel_station_count_max(shape->station_size) ||
        shape->lane_count * shape->station_count > CHANNEL_SLOTS_MAX)
        return false;
    channel->shape = *shape;
    uint64_t part_size = CHANNEL_CALL_SIZE + channel_window_size(channel);
    channel->size = CHANNEL_PARTS_AT + shape->lane_count * part_size;
    return true;
}

static bool channel_attach(struct channel *channel, int descriptor, struct error *error)
{
    void *memory = mmap(NULL, channel->size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (memory == MAP_FAILED)
        return error_system(error, "map the channel");
    channel->memory = memory;
    return true;
}

bool channel_make(struct channel *channel, int *descriptor, const struct channel_shape *shape,
                  struct error *error)
{
    struct channel made = { 0 };
    if (!channel_measure(&made, shape))
        return error_set(error, ERROR_INVALID,
                         "no channel has %u lanes of %u stations of %llu bytes", shape->lane_count,
                         shape->station_count, (unsigned long long)shape->station_size);
    int memory = memfd_create("s3n-channel", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory < 0)
        return error_system(error, "make channel memory");
    /* The peer must not shrink what we have mapped. */
    if (ftruncate(memory, (off_t)made.size) != 0 ||
        fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        error_system(error, "size channel memory");
        close(memory);
        return false;
    }
    if (!channel_attach(&made, memory, error)) {
        close(memory);
        return false;
    }
    *channel_header(&made) = (struct channel_header){ .magic = CHANNEL_MAGIC,
                                                      .lane_count = shape->lane_count,
                                                      .station_count = shape->station_count,
                                                      .station_size = shape->station_size };
    *channel = made;
    *descriptor = memory;
    return true;
}

bool channel_map(struct channel *channel, int descriptor, struct error *error)
{
    struct channel_header header;
    struct channel mapped = { 0 };
    struct stat status;
    if (fstat(descriptor, &status) != 0 ||
        pread(descriptor, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
        return error_system(error, "read the channel's header");
    struct channel_shape shape = { header.lane_count, header.station_count, header.station_size };
    if (header.magic != CHANNEL_MAGIC || !channel_measure(&mapped, &shape) ||
        (uint64_t)status.st_size != mapped.size)
        return error_set(error, ERROR_INVALID, "channel memory does not match its header");
    if (!channel_attach(&mapped, descriptor, error))
        return false;
    *channel = mapped;
    return true;
}

void channel_done(struct channel *channel)
{
    if (channel->memory != NULL)
        munmap(channel->memory, channel->size);
    *channel = (struct channel){ 0 };
}

struct channel_header *channel_header(const struct channel *channel)
{
    return (struct channel_header *)(void *)channel->memory;
}

struct channel_lane *channel_lane(const struct channel *channel, uint32_t lane)
{
    ASSERT(lane < channel->shape.lane_count);
    return (struct channel_lane *)(void *)(channel->memory + CHANNEL_LANES_AT) + lane;
}

uint64_t channel_window_size(const struct channel *channel)
{
    return BATCH_SIZE + channel->shape.station_count * channel->shape.station_size;
}

uint8_t *channel_lane_part(const struct channel *channel, uint32_t lane, uint64_t *size)
{
    ASSERT(lane < channel->shape.lane_count);
    *size = CHANNEL_CALL_SIZE + channel_window_size(channel);
    return channel->memory + CHANNEL_PARTS_AT + lane * *size;
}

struct batch *channel_batch(const struct channel *channel, uint32_t lane)
{
    uint64_t size;
    return (struct batch *)(void *)(channel_lane_part(channel, lane, &size) + CHANNEL_CALL_SIZE);
}

uint8_t *channel_station(const struct channel *channel, uint32_t lane, uint32_t station)
{
    ASSERT(station < channel->shape.station_count);
    uint8_t *window = (uint8_t *)channel_batch(channel, lane);
    return window + BATCH_SIZE + station * channel->shape.station_size;
}

void channel_submit(const struct channel *channel, uint32_t index,
                    const struct channel_submission *submission)
{
    struct channel_lane *lane = channel_lane(channel, index);
    struct batch *batch = channel_batch(channel, index);
    struct batch_entry *entry = &batch->entries[submission->sequence % BATCH_ENTRY_COUNT];
    entry->station = submission->station;
    memcpy(entry->seed, submission->seed, sizeof(entry->seed));
    entry->function = submission->function;
    lane->functions[submission->sequence % BATCH_ENTRY_COUNT] = submission->function;
    __atomic_store_n(&batch->submitted, submission->sequence + 1, __ATOMIC_RELEASE);
    /* In one order with the worker's `sleeps`: either it sees this, or we see that. */
    __atomic_store_n(&lane->submitted, submission->sequence + 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&lane->sleeps, __ATOMIC_SEQ_CST) != 0)
        syscall(SYS_futex, &lane->submitted, FUTEX_WAKE, 1, NULL, NULL, 0);
}

uint32_t channel_core(void)
{
    return (uint32_t)(sched_getcpu() + 1);
}

/* The cell is here now. */
static void note_core(struct channel_lane *lane)
{
    __atomic_store_n(&lane->core, channel_core(), __ATOMIC_RELAXED);
}

uint32_t channel_function(const struct channel *channel, uint32_t lane, uint32_t sequence)
{
    const uint32_t *functions = channel_lane(channel, lane)->functions;
    return __atomic_load_n(&functions[sequence % BATCH_ENTRY_COUNT], __ATOMIC_RELAXED);
}

uint32_t channel_submitted(const struct channel *channel, uint32_t lane)
{
    return __atomic_load_n(&channel_lane(channel, lane)->submitted, __ATOMIC_ACQUIRE);
}

bool channel_wait(const struct channel *channel, uint32_t index, uint32_t handled, int timeout_ms)
{
    struct channel_lane *lane = channel_lane(channel, index);
    struct timespec timeout = { .tv_sec = timeout_ms / 1000,
                                .tv_nsec = timeout_ms % 1000 * 1000000L };
    bool came = true;
    note_core(lane);
    if (channel_submitted(channel, index) != handled)
        return true;
    __atomic_store_n(&lane->sleeps, 1, __ATOMIC_SEQ_CST);
    while (came && __atomic_load_n(&lane->submitted, __ATOMIC_SEQ_CST) == handled) {
        long result = syscall(SYS_futex, &lane->submitted, FUTEX_WAIT, handled,
                              timeout_ms < 0 ? NULL : &timeout, NULL, 0);
        came = result == 0 || errno != ETIMEDOUT;
    }
    note_core(lane);
    __atomic_store_n(&lane->sleeps, 0, __ATOMIC_RELAXED);
    return came;
}

static void entry_answer(struct batch_entry *entry, uint32_t sequence,
                         const struct outcome *outcome)
{
    static const struct outcome none;
    const struct outcome *from = outcome != NULL ? outcome : &none;
    entry->kind = outcome != NULL ? (uint32_t)outcome->kind : BATCH_RETURNED;
    entry->exit_code = from->exit_code;
    entry->reason = from->reason;
    entry->has_function = from->has_function;
    entry->function_index = from->function_index;
    entry->wasm_offset = from->wasm_offset;
    entry->exit_count = from->exit_count;
    entry->duration_ns = from->duration_ns;
    entry->memory_size = from->memory_size;
    entry->has_fuel = from->has_fuel;
    entry->fuel = from->fuel;
    __atomic_store_n(&entry->done, sequence + 1, __ATOMIC_SEQ_CST);
}

void channel_post(const struct channel *channel, uint32_t lane, uint32_t sequence,
                  const struct outcome *outcome)
{
    entry_answer(&channel_batch(channel, lane)->entries[sequence % BATCH_ENTRY_COUNT], sequence,
                 outcome);
    entry_answer(&channel_lane(channel, lane)->answer, sequence, outcome);
}

/* A copy of what the other side wrote, turned into an outcome or into CRASHED. */
static struct outcome outcome_of(const struct batch_entry *copy)
{
    if (copy->kind > OUTCOME_CRASHED || copy->reason >= TRAP_COUNT)
        return (struct outcome){ .kind = OUTCOME_CRASHED };
    return (struct outcome){
        .kind = (enum outcome_kind)copy->kind,
        .exit_code = copy->exit_code,
        .reason = (enum trap_reason)copy->reason,
        .has_function = copy->has_function != 0,
        .function_index = copy->function_index,
        .wasm_offset = copy->wasm_offset,
        .duration_ns = copy->duration_ns,
        .memory_size = copy->memory_size,
        .exit_count = copy->exit_count,
        .has_fuel = copy->has_fuel != 0,
        .fuel = copy->fuel,
    };
}

void channel_set_handled(const struct channel *channel, uint32_t lane, uint32_t handled)
{
    __atomic_store_n(&channel_lane(channel, lane)->handled, handled, __ATOMIC_RELEASE);
}

/* Whether the worker says that the invocation has ended. */
static bool has_ended(const struct channel *channel, uint32_t lane, uint32_t sequence)
{
    uint32_t handled = __atomic_load_n(&channel_lane(channel, lane)->handled, __ATOMIC_ACQUIRE);
    return handled - (sequence + 1) < BATCH_ENTRY_COUNT;
}

enum channel_answer channel_answer(const struct channel *channel, uint32_t lane, uint32_t sequence,
                                   bool is_direct, struct outcome *outcome)
{
    const struct batch_entry *entry =
        is_direct ? &channel_lane(channel, lane)->answer
                  : &channel_batch(channel, lane)->entries[sequence % BATCH_ENTRY_COUNT];
    struct batch_entry copy;
    if (__atomic_load_n(&entry->done, __ATOMIC_ACQUIRE) != sequence + 1) {
        if (is_direct || !has_ended(channel, lane, sequence))
            return CHANNEL_ANSWER_NONE;
        /* It had an answer, or a later guest has written over it. */
        if (__atomic_load_n(&entry->done, __ATOMIC_ACQUIRE) != sequence + 1) {
            *outcome = (struct outcome){ .kind = OUTCOME_CRASHED };
            return CHANNEL_ANSWER_DONE;
        }
    }
    /* One copy of the answer's half, which the compiler may not make twice. */
    memcpy(&copy.done, &entry->done, sizeof(copy) - offsetof(struct batch_entry, done));
    __asm__ volatile("" : : "r"(&copy) : "memory");
    if (copy.kind == BATCH_RETURNED)
        return CHANNEL_ANSWER_RETURNED;
    *outcome = outcome_of(&copy);
    return CHANNEL_ANSWER_DONE;
}

/* --- host calls --- */

struct channel_call *channel_call(const struct channel *channel, uint32_t lane)
{
    uint64_t size;
    return (struct channel_call *)(void *)channel_lane_part(channel, lane, &size);
}

uint8_t *channel_call_requests(const struct channel *channel, uint32_t lane)
{
    return (uint8_t *)channel_call(channel, lane) + CHANNEL_CALL_HEAD_SIZE;
}

uint8_t *channel_call_answers(const struct channel *channel, uint32_t lane)
{
    return channel_call_requests(channel, lane) + CALL_AREA_SIZE;
}

uint32_t channel_call_post(const struct channel *channel, uint32_t lane, uint32_t sequence,
                           uint32_t size)
{
    struct channel_call *call = channel_call(channel, lane);
    uint32_t number = call->posted + 1;
    number += number == 0; /* which stands for none */
    note_core(channel_lane(channel, lane));
    call->sequence = sequence;
    call->size = size;
    __atomic_store_n(&call->posted, number, __ATOMIC_SEQ_CST);
    return number;
}

static bool is_answered(const struct channel_call *call, uint32_t number)
{
    return __atomic_load_n(&call->answered, __ATOMIC_SEQ_CST) == number;
}

/* Until `until_ns` (0: for ever) or something else woke it. */
static void answered_wait(struct channel_call *call, uint32_t number, uint64_t now_ns,
                          uint64_t until_ns)
{
    uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    struct timespec timeout = { .tv_sec = (time_t)(left_ns / 1000000000u),
                                .tv_nsec = (long)(left_ns % 1000000000u) };
    uint32_t held = __atomic_load_n(&call->answered, __ATOMIC_SEQ_CST);
    if (held != number)
        syscall(SYS_futex, &call->answered, FUTEX_WAIT, held, until_ns == 0 ? NULL : &timeout, NULL,
                0);
}

bool channel_call_wait(const struct channel *channel, uint32_t lane, uint32_t number,
                       const struct desk_wait *wait)
{
    struct channel_call *call = channel_call(channel, lane);
    const struct channel_header *header = channel_header(channel);
    /* One that has to be woken may be woken on another core. */
    bool is_beside = __atomic_load_n(&header->polls, __ATOMIC_RELAXED) == 0 ||
                     __atomic_load_n(&header->core, __ATOMIC_RELAXED) != channel_core();
    unsigned spins = is_beside ? CALL_SPIN_COUNT : 0;
    for (unsigned i = 0; i < spins; i++) {
        if (is_answered(call, number))
            return true;
        __builtin_ia32_pause();
    }
    uint64_t long_ns = wait->is_long != NULL ? deadline_now_ns() + SLICE_NS : 0;
    bool came = false;
    __atomic_store_n(&call->sleeps, 1, __ATOMIC_SEQ_CST);
    while (!(came = is_answered(call, number))) {
        uint64_t now_ns = deadline_now_ns();
        if (wait->deadline_ns != 0 && now_ns >= wait->deadline_ns)
            break;
        if (long_ns != 0 && now_ns >= long_ns) {
            wait->is_long(wait->context);
            long_ns = 0;
        }
        bool is_slice = long_ns != 0 && (wait->deadline_ns == 0 || long_ns < wait->deadline_ns);
        answered_wait(call, number, now_ns, is_slice ? long_ns : wait->deadline_ns);
    }
    __atomic_store_n(&call->sleeps, 0, __ATOMIC_RELAXED);
    return came;
}

bool channel_call_answer(const struct channel *channel, uint32_t lane, uint32_t *size)
{
    uint32_t held = __atomic_load_n(&channel_call(channel, lane)->answer_size, __ATOMIC_RELAXED);
    if (held == 0 || held > CALL_AREA_SIZE)
        return false;
    *size = held;
    return true;
}

bool channel_call_look(const struct channel *channel, uint32_t lane, uint32_t seen,
                       struct channel_call_seen *found)
{
    const struct channel_call *call = channel_call(channel, lane);
    uint32_t number = __atomic_load_n(&call->posted, __ATOMIC_SEQ_CST);
    if (number == seen || number == 0)
        return false;
    uint32_t size = __atomic_load_n(&call->size, __ATOMIC_RELAXED);
    *found =
        (struct channel_call_seen){ .number = number,
                                    .sequence = __atomic_load_n(&call->sequence, __ATOMIC_RELAXED),
                                    .size = MIN(size, CALL_AREA_SIZE) };
    return true;
}

void channel_call_reply(const struct channel *channel, uint32_t lane, uint32_t number,
                        struct bytes answers)
{
    struct channel_call *call = channel_call(channel, lane);
    ASSERT(answers.size <= CALL_AREA_SIZE);
    if (answers.size > 0)
        memcpy(channel_call_answers(channel, lane), answers.data, answers.size);
    __atomic_store_n(&call->answer_size, (uint32_t)answers.size, __ATOMIC_RELAXED);
    __atomic_store_n(&call->answered, number, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&call->sleeps, __ATOMIC_SEQ_CST) != 0)
        syscall(SYS_futex, &call->answered, FUTEX_WAKE, 1, NULL, NULL, 0);
}
