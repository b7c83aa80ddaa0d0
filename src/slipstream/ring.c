/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/ring.h"

#include "slipstream/deadline.h"
#include "slipstream/limits.h"
#include "slipstream/program.h"

#include <x86intrin.h>

/* One guest at the ring.  `since_ns` is what was seen here, not what it says. */
struct stay {
    struct ring *ring;
    struct shell *shell;
    struct batch *batch;
    struct outcome outcome; /* of the running invocation when the guest can't end it */
    struct run run;
    struct progress progress;
    uint32_t slice_count; /* that the running one has run through */
    uint64_t since_ns;    /* it runs at least since then */
    bool had_answers;     /* since the last announcement */
    bool has_run;         /* it has taken anything at all */
};

/* Looks at how far the guest says to be; false when that can't be. */
static bool stay_look(struct stay *stay, uint64_t now_ns)
{
    enum progress_seen seen = progress_look(&stay->progress);
    if (seen != PROGRESS_ON)
        return seen == PROGRESS_SAME;
    stay->since_ns = now_ns;
    stay->slice_count = 0;
    stay->run.host_call_count = 0;
    stay->had_answers = stay->has_run = true;
    return true;
}

static void stay_announce(struct stay *stay)
{
    if (stay->had_answers)
        stay->ring->announce(stay->ring->context);
    stay->had_answers = false;
}

/* Those behind the running one are for others to run.  With the guest out. */
static void stay_give_back(struct stay *stay)
{
    if (progress_give_back(&stay->progress))
        stay->had_answers = true;
}

static uint64_t timeout_ns(const struct stay *stay)
{
    uint32_t timeout_ms = stay->shell->settings.timeout_ms;
    return timeout_ms != 0 ? timeout_ms * 1000000ull : UINT64_MAX / 2;
}

static bool stay_set_stop(const struct stay *stay, uint64_t now_ns, struct error *error)
{
    uint32_t doublings = MIN(stay->slice_count, SLICE_DOUBLINGS_MAX);
    uint64_t stop_ns = MIN(now_ns + (SLICE_NS << doublings), stay->since_ns + timeout_ns(stay));
    volatile uint8_t *flag = stay->shell->backend->machine_interrupt_flag(stay->shell->machine);
    return deadline_set(stop_ns, flag, error);
}

/* True: go on.  False: the running one is out of time, or the guest lies. */
static bool stay_interrupted(struct stay *stay)
{
    struct error error;
    uint64_t now_ns = deadline_now_ns();
    if (!deadline_is_due())
        return true;
    if (!stay_look(stay, now_ns))
        return false;
    if (progress_is_running(&stay->progress) && now_ns - stay->since_ns >= timeout_ns(stay)) {
        stay->outcome.kind = OUTCOME_TIMEOUT;
        return false;
    }
    if (stay->slice_count++ > 0 && progress_is_running(&stay->progress))
        stay_give_back(stay);
    stay_announce(stay);
    return stay_set_stop(stay, now_ns, &error);
}

/* Those behind one that waits for the server are for others, too. */
static void stay_is_long(void *context)
{
    struct stay *stay = context;
    stay_give_back(stay);
    stay_announce(stay);
}

/* What the host does for the running one; those behind it do not wait for a sleeper. */
static bool stay_serve(struct stay *stay, const struct event *event, uint64_t *answer)
{
    uint64_t now_ns = deadline_now_ns();
    if (!stay_look(stay, now_ns))
        return false;
    if (event->kind == EVENT_EXIT && event->reason == GUEST_EXIT_SLEEP) {
        stay_give_back(stay);
        stay_announce(stay);
    }
    stay->run.deadline_ns = stay->since_ns + timeout_ns(stay);
    if (stay->shell->desk != NULL)
        stay->shell->desk->sequence = stay->progress.running;
    return exits_step(&stay->run, event, answer);
}

/* Nothing in its ring can be believed, which of them it ran included. */
static bool stay_lies(struct stay *stay, struct error *error)
{
    ring_fail(stay->ring);
    return error_set(error, ERROR_CRASHED, "the guest's ring can't be right");
}

/* After the guest has left the ring by itself.  It was entered because something waited. */
static bool stay_left(struct stay *stay, enum batch_exit why, struct error *error)
{
    struct ring *ring = stay->ring;
    if ((why != BATCH_EXIT_IDLE && why != BATCH_EXIT_RESET) || !stay_look(stay, 0) ||
        !stay->has_run)
        return stay_lies(stay, error);
    ring_settle(ring, stay->progress.taken);
    stay->had_answers = true;
    stay_announce(stay);
    bool is_fresh = why == BATCH_EXIT_IDLE &&
                    stay->shell->backend->machine_restores_itself(stay->shell->machine);
    return is_fresh || shell_reset(stay->shell, error);
}

/* After something ended the running invocation from outside. */
static bool stay_ended(struct stay *stay, struct error *error)
{
    struct ring *ring = stay->ring;
    struct outcome *outcome = &stay->outcome;
    bool is_plausible = stay_look(stay, 0) && progress_is_running(&stay->progress);
    if (is_plausible) {
        ring_settle(ring, stay->progress.running);
        exits_read_fuel(&stay->run);
        outcome->duration_ns = deadline_now_ns() - MAX(stay->since_ns, stay->run.start_ns);
        (void)stay->shell->backend->machine_part(stay->shell->machine, PART_MEMORY,
                                                 &outcome->memory_size);
        channel_post(ring->channel, ring->lane, stay->progress.running, outcome);
        ring_settle(ring, stay->progress.taken);
        stay->had_answers = true;
        stay_announce(stay);
    }
    if (!is_plausible)
        return stay_lies(stay, error);
    if (outcome->kind == OUTCOME_CRASHED)
        return error_set(error, ERROR_CRASHED, "the micro-VM ended unexpectedly");
    return shell_reset(stay->shell, error);
}

static bool stay_enter(struct stay *stay, struct error *error)
{
    const struct backend *backend = stay->shell->backend;
    struct machine *machine = stay->shell->machine;
    struct event event;
    backend->machine_enter(machine, &event);
    for (;;) {
        uint64_t answer = UINT64_MAX;
        bool goes_on;
        if (event.kind == EVENT_EXIT && event.reason == GUEST_EXIT_BATCH)
            return stay_left(stay, (enum batch_exit)event.arguments[0], error);
        if (event.kind == EVENT_INTERRUPTED)
            program_sample(stay->shell->program, event.code_address);
        if (event.kind == EVENT_INTERRUPTED)
            goes_on = stay_interrupted(stay);
        else
            goes_on = stay_serve(stay, &event, &answer);
        if (!goes_on)
            return stay_ended(stay, error);
        backend->machine_resume(machine, answer, &event);
    }
}

/* From nanoseconds to the guest's time stamp counter; 0 when it has none. */
static uint64_t ticks_of(const struct control *control, uint64_t ns)
{
    if (control->tsc_base == 0 || control->tsc_to_ns_mult == 0)
        return 0;
    return (uint64_t)(((unsigned __int128)ns << 32) / control->tsc_to_ns_mult);
}

static bool stay_begin(struct stay *stay, uint32_t code_offset, struct error *error)
{
    struct shell *shell = stay->shell;
    const struct backend *backend = shell->backend;
    struct control *control = backend->machine_control(shell->machine);
    const struct channel_shape *shape = &stay->ring->channel->shape;
    uint32_t flags = CONTROL_BATCH;
    if (backend->machine_restores_itself(shell->machine))
        flags |= CONTROL_RESETS;
    if ((shell->program->image.header.flags & IMAGE_IS_METERED) != 0)
        flags |= CONTROL_METERED;
    const struct entry_point entry = exits_entry(shell, code_offset);
    if (!exits_prepare(&stay->run, &entry, flags, error))
        return false;
    uint64_t slice = ticks_of(control, SLICE_NS);
    control->batch = LAYOUT_MAILBOX;
    control->stations = LAYOUT_MAILBOX + BATCH_SIZE;
    control->station_size = shape->station_size;
    control->station_count = shape->station_count;
    control->linger_ticks = ticks_of(control, backend->machine_round_trip_ns(shell->machine));
    control->slice_end = slice != 0 ? control->tsc_base + slice : 0;
    __atomic_store_n(&stay->batch->taken, stay->ring->handled, __ATOMIC_RELAXED);
    stay->since_ns = stay->run.start_ns;
    return stay_set_stop(stay, stay->run.start_ns, error) && engine_seal(shell->engine, error);
}

/* Whether the next one is this function's, as it was loaded. */
static bool ring_has_next(const struct ring *ring, uint32_t function)
{
    return channel_submitted(ring->channel, ring->lane) != ring->handled &&
           __atomic_load_n(ring->version, __ATOMIC_ACQUIRE) == ring->seen &&
           channel_function(ring->channel, ring->lane, ring->handled) == function;
}

bool ring_serve(struct ring *ring, struct shell *shell, uint32_t function, struct error *error)
{
    struct control *control = shell->backend->machine_control(shell->machine);
    uint32_t code_offset;
    bool is_served =
        shell_is_ready(shell, error) &&
        shell_set_entry(control, &shell->program->image.header,
                        (enum settings_entry)shell->settings.entry, &code_offset, error);
    control->function = function;
    while (is_served && ring_has_next(ring, function)) {
        struct stay stay = { .ring = ring,
                             .shell = shell,
                             .batch = channel_batch(ring->channel, ring->lane),
                             .outcome = { .kind = OUTCOME_CRASHED },
                             .run = { .shell = shell },
                             .progress = progress_begin(ring) };
        stay.run.outcome = &stay.outcome;
        stay.run.is_long = stay_is_long;
        stay.run.is_long_context = &stay;
        is_served = stay_begin(&stay, code_offset, error) && stay_enter(&stay, error);
    }
    deadline_clear();
    return is_served;
}
