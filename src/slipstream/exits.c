/* SPDX-License-Identifier: Apache-2.0 */
/* What the guest leaves for, and what it means. */
#include "slipstream/program.h"
#include "slipstream/shell.h"

#include "abi/layout.h"
#include "core/checked.h"
#include "slipstream/deadline.h"
#include "slipstream/limits.h"
#include "slipstream/seed.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

/* While a console watches, what was printed is passed on this often; a program that prints nothing
 * is interrupted ever less. */
#define CONSOLE_TICK_NS     10000000ull
#define CONSOLE_TICK_NS_MAX 160000000ull

static uint64_t realtime_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t exits_set_clocks(const struct shell *shell)
{
    struct control *control = shell->backend->machine_control(shell->machine);
    uint64_t mult;
    bool has_tsc = shell->backend->machine_has_tsc(shell->machine, &mult);
    control->realtime_ns = realtime_ns();
    control->monotonic_ns = deadline_now_ns();
    control->tsc_base = has_tsc ? __rdtsc() : 0;
    control->tsc_to_ns_mult = has_tsc ? mult : 0;
    return control->monotonic_ns;
}

/* The image whose code holds `address`, and where that code starts; NULL: none. */
static const struct image *image_at(const struct shell *shell, uint64_t address, uint64_t *start)
{
    const struct image *image = shell->program != NULL ? &shell->program->image : NULL;
    *start = LAYOUT_CODE;
    if (image != NULL && address >= LAYOUT_CODE &&
        address - LAYOUT_CODE < image->sections[IMAGE_CODE].size)
        return image;
    return linked_code_at(shell, address, start);
}

/* Compiled code: from the code's address, which trap and where in the module. */
static void outcome_locate(struct outcome *outcome, const struct shell *shell, uint64_t address)
{
    struct image_function function;
    uint64_t start;
    const struct image *image = image_at(shell, address, &start);
    uint32_t wasm_offset = 0;
    if (image == NULL || !image_locate(image, (uint32_t)(address - start), &function, &wasm_offset))
        return;
    /* Where in a function the stack ends is not the program's doing. */
    if (outcome->reason == TRAP_STACK &&
        !image_locate(image, function.code_offset, &function, &wasm_offset))
        return;
    outcome->has_function = true;
    outcome->function_index = function.index;
    outcome->wasm_offset = wasm_offset;
}

static enum trap_reason reason_of_code(const struct image *image, uint64_t offset)
{
    struct bytes code = image->sections[IMAGE_CODE];
    uint64_t at = offset + 2; /* behind ud2 */
    if (at >= code.size || code.data[at] == TRAP_NONE || code.data[at] >= TRAP_COUNT)
        return TRAP_FAULT;
    return (enum trap_reason)code.data[at];
}

static bool is_stack_guard(uint64_t address)
{
    return (address >= LAYOUT_STACK - INSTANCE_GUARD_SIZE && address < LAYOUT_STACK) ||
           (address >= LAYOUT_FRAMES + LAYOUT_FRAMES_SIZE && address < LAYOUT_MAILBOX);
}

/* Of a native function all code is its own; the runtime faults only on addresses that it was given.
 */
static enum trap_reason reason_of_native(const struct event *event)
{
    switch (event->vector) {
    case VECTOR_DIVIDE:
        return TRAP_DIVIDE_BY_ZERO;
    case VECTOR_INVALID_OPCODE:
        return TRAP_UNREACHABLE;
    case VECTOR_PAGE_FAULT:
        return is_stack_guard(event->fault_address) ? TRAP_STACK : TRAP_MEMORY;
    default:
        return TRAP_FAULT;
    }
}

static enum trap_reason reason_of_fault(const struct shell *shell, const struct event *event)
{
    if (shell->settings.entry == SETTINGS_ENTRY_NATIVE)
        return reason_of_native(event);
    uint64_t address = event->fault_address, start;
    const struct image *image = image_at(shell, event->code_address, &start);
    bool in_code = image != NULL;
    switch (event->vector) {
    case VECTOR_DIVIDE:
        /* Division stencils check beforehand; what is left is the quotient that does not fit. */
        return in_code ? TRAP_INTEGER_OVERFLOW : TRAP_FAULT;
    case VECTOR_INVALID_OPCODE:
        return in_code ? reason_of_code(image, event->code_address - start) : TRAP_FAULT;
    case VECTOR_PAGE_FAULT:
        if (is_stack_guard(address))
            return TRAP_STACK; /* whoever ran out of it, runtime included */
        if (in_code && (address < LAYOUT_SYSTEM || linked_is_memory(address)))
            return TRAP_MEMORY;
        return TRAP_FAULT;
    default:
        return TRAP_FAULT;
    }
}

/* A guest may say that it has more than it got: then all is gone. */
static void outcome_set_fuel(struct run *run, uint64_t left)
{
    uint64_t given = settings_fuel(&run->shell->settings);
    run->outcome->has_fuel = true;
    run->outcome->fuel = left <= given ? given - left : given;
}

/* What is left after an exit of its own stands in struct instance. */
void exits_read_fuel(struct run *run)
{
    uint64_t size, left;
    const struct shell *shell = run->shell;
    const uint8_t *instance = shell->backend->machine_part(shell->machine, PART_INSTANCE, &size);
    if (shell->program == NULL || (shell->program->image.header.flags & IMAGE_IS_METERED) == 0 ||
        run->outcome->has_fuel || size < sizeof(struct instance))
        return;
    memcpy(&left, instance + offsetof(struct instance, fuel), sizeof(left));
    outcome_set_fuel(run, left);
}

static void outcome_fault(struct run *run, const struct event *event)
{
    run->outcome->kind = OUTCOME_TRAPPED;
    run->outcome->reason = reason_of_fault(run->shell, event);
    outcome_locate(run->outcome, run->shell, event->code_address);
    uint64_t start;
    const struct image *image = image_at(run->shell, event->code_address, &start);
    if (image == NULL || (image->header.flags & IMAGE_IS_METERED) == 0)
        return;
    /* Optimised code has it in rbp at its own traps; before what may fault it has written it to the
     * instance (exits_read_fuel). */
    if (event->vector == VECTOR_INVALID_OPCODE ||
        !image_is_native(image, (uint32_t)(event->code_address - start)))
        outcome_set_fuel(run, run->outcome->reason == TRAP_OUT_OF_FUEL ? 0 : event->fuel);
}

static void outcome_trap(struct run *run, const struct event *event)
{
    uint64_t reason = event->arguments[0];
    run->outcome->kind = OUTCOME_TRAPPED;
    run->outcome->reason =
        reason > TRAP_NONE && reason < TRAP_COUNT ? (enum trap_reason)reason : TRAP_FAULT;
    /* A return address: the call lies just before it. */
    outcome_locate(run->outcome, run->shell, event->arguments[1] - 1);
}

/* An initialisation ends with READY; everything else, and only that, by exiting. */
static void outcome_end(struct run *run, const struct event *event)
{
    bool is_ready = event->reason == GUEST_EXIT_READY;
    struct outcome *outcome = run->outcome;
    outcome->exit_code = is_ready ? 0 : (uint32_t)event->arguments[0];
    if (is_ready == run->is_initialisation) {
        outcome->kind = OUTCOME_DONE;
    } else if (run->is_initialisation) {
        outcome->kind = OUTCOME_TRAPPED;
        outcome->reason = TRAP_EXIT;
    }
}

/* Passes on what was printed since the last time. */
static void console_drain(struct run *run)
{
    run->tick_ns = MIN(run->tick_ns * 2, CONSOLE_TICK_NS_MAX);
    const struct mailbox *mailbox = run->shell->mailbox;
    const struct mailbox_area *areas[2] = { &mailbox->output, &mailbox->errors };
    if (run->console == NULL)
        return;
    /* A reactor's output is its answer. */
    for (unsigned i = run->keeps_output ? 1 : 0; i < 2; i++) {
        struct bytes view;
        if (!mailbox_area_view(mailbox, run->shell->mailbox_size, areas[i], &view) ||
            view.size <= run->drained[i])
            continue;
        run->console->write(run->console->context, i + 1,
                            bytes_part(view, run->drained[i], view.size));
        run->drained[i] = (uint32_t)view.size;
        run->tick_ns = CONSOLE_TICK_NS;
    }
}

static bool serve_output(struct run *run)
{
    if (run->console == NULL)
        return false;
    console_drain(run);
    run->shell->mailbox->output.size = 0;
    run->shell->mailbox->errors.size = 0;
    run->drained[0] = run->drained[1] = 0;
    return true;
}

/* -1: no deadline. */
static int timeout_left_ms(const struct run *run)
{
    if (run->deadline_ns == DEADLINE_NONE)
        return -1;
    uint64_t now = deadline_now_ns();
    return now >= run->deadline_ns ? 0 : (int)((run->deadline_ns - now) / 1000000 + 1);
}

/* False: the time is up. */
static bool serve_input(struct run *run)
{
    struct mailbox *mailbox = run->shell->mailbox;
    struct mailbox_area area = mailbox->input;
    struct bytes view;
    size_t filled = 0;
    area.size = area.capacity;
    if (run->console == NULL)
        return true;
    console_drain(run);
    if (!mailbox_area_view(mailbox, run->shell->mailbox_size, &area, &view))
        return true; /* the guest broke its own mailbox: it reads nothing */
    uint8_t *target = (uint8_t *)mailbox + area.offset;
    if (!run->console->read(run->console->context, target, view.size, &filled,
                            timeout_left_ms(run)))
        return false;
    mailbox->input.size = (uint32_t)MIN(filled, view.size);
    return true;
}

/* False: the time was up before the guest had slept enough. */
static bool serve_sleep(struct run *run, uint64_t ns)
{
    uint64_t now = deadline_now_ns(), until;
    if (!add_fits(now, ns, &until))
        until = UINT64_MAX;
    bool is_cut = run->deadline_ns != DEADLINE_NONE && until > run->deadline_ns;
    until = is_cut ? run->deadline_ns : until;
    console_drain(run);
    uint64_t seconds = MIN(until / 1000000000u, (uint64_t)INT32_MAX);
    struct timespec when = { .tv_sec = (time_t)seconds, .tv_nsec = (long)(until % 1000000000u) };
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
        ;
    return !is_cut;
}

/* Whether the function may have the host work for it once more. */
static bool host_call_allowed(struct run *run, uint32_t reason)
{
    uint32_t allowed = run->shell->settings.host_call_count_max;
    bool is_served = reason == GUEST_EXIT_GROW || reason == GUEST_EXIT_SLEEP;
    if (!is_served || allowed == 0 || ++run->host_call_count <= allowed)
        return true;
    run->outcome->kind = OUTCOME_LIMIT;
    run->outcome->exit_code = LIMIT_HOST_CALLS;
    return false;
}

static void control_set_files(struct shell *shell, struct control *control)
{
    control->scratch_base = LAYOUT_SCRATCH;
    (void)shell->backend->machine_part(shell->machine, PART_SCRATCH, &control->scratch_size);
    control->files_base = LAYOUT_FILES;
    control->files_size = program_files(shell->program).size;
}

/* What the function may use and no more; the guest sees in the control page what it got. */
static void serve_scratch(struct shell *shell, uint64_t size)
{
    uint64_t limit = LAYOUT_SCRATCH_FIXED_SIZE + shell->settings.scratch_size_max;
    bool is_mapped = size <= limit && shell->backend->machine_scratch(shell->machine, size);
    if (is_mapped)
        control_set_files(shell, shell->backend->machine_control(shell->machine));
}

static bool serve_grow(const struct shell *shell, uint64_t size, uint64_t base)
{
    if (shell->linked != NULL)
        return linked_grow(shell, base, size);
    return size <= shell->settings.memory_size_max &&
           shell->backend->machine_grow(shell->machine, size);
}

/* True: resume with *answer.  False: the outcome is final. */
static bool serve_exit(struct run *run, const struct event *event, uint64_t *answer)
{
    struct shell *shell = run->shell;
    struct outcome *outcome = run->outcome;
    bool in_time = true;
    *answer = 0;
    if (!host_call_allowed(run, event->reason))
        return false;
    switch (event->reason) {
    case GUEST_EXIT_DONE:
    case GUEST_EXIT_READY:
        outcome_end(run, event);
        return false;
    case GUEST_EXIT_TRAP:
        outcome_trap(run, event);
        return false;
    case GUEST_EXIT_GROW:
        *answer = serve_grow(shell, event->arguments[0], event->arguments[1]);
        return true;
    case GUEST_EXIT_SCRATCH:
        serve_scratch(shell, event->arguments[0]);
        return true;
    case GUEST_EXIT_SLEEP:
        in_time = serve_sleep(run, event->arguments[0]);
        break;
    case GUEST_EXIT_OUTPUT:
        if (serve_output(run))
            return true;
        outcome->kind = OUTCOME_CRASHED;
        return false;
    case GUEST_EXIT_INPUT:
        in_time = serve_input(run);
        break;
    case GUEST_EXIT_LIMIT:
        outcome->kind = OUTCOME_LIMIT;
        outcome->exit_code = (uint32_t)event->arguments[0];
        return false;
    case GUEST_EXIT_CLOCK:
        (void)exits_set_clocks(shell);
        return true;
    case GUEST_EXIT_CALL:
        console_drain(run);
        return serve_call(run, event, answer);
    default:
        outcome->kind = OUTCOME_CRASHED;
        return false;
    }
    if (!in_time)
        outcome->kind = OUTCOME_TIMEOUT;
    return in_time;
}

static uint64_t next_stop_ns(const struct run *run)
{
    if (run->console == NULL)
        return run->deadline_ns;
    uint64_t tick = deadline_now_ns() + run->tick_ns;
    return run->deadline_ns == DEADLINE_NONE ? tick : MIN(tick, run->deadline_ns);
}

/* True: go on.  False: the time is up. */
static bool serve_interruption(struct run *run, struct error *error)
{
    if (!deadline_is_due())
        return true;
    if (run->deadline_ns != DEADLINE_NONE && deadline_now_ns() >= run->deadline_ns) {
        run->outcome->kind = OUTCOME_TIMEOUT;
        return false;
    }
    console_drain(run);
    volatile uint8_t *flag = run->shell->backend->machine_interrupt_flag(run->shell->machine);
    return deadline_set(next_stop_ns(run), flag, error);
}

/* What fails here leaves the outcome at CRASHED. */
bool exits_step(struct run *run, const struct event *event, uint64_t *answer)
{
    struct error error;
    struct control *control = run->shell->backend->machine_control(run->shell->machine);
    switch (event->kind) {
    case EVENT_EXIT:
        return serve_exit(run, event, answer) && seed_take(control->seed, &error);
    case EVENT_FAULT:
        outcome_fault(run, event);
        break;
    case EVENT_INTERRUPTED:
    case EVENT_BROKEN:
        run->outcome->kind = OUTCOME_CRASHED;
        run->outcome->exit_code = event->reason;
        break;
    }
    return false;
}

static void run_loop(struct run *run)
{
    struct error error;
    const struct backend *backend = run->shell->backend;
    struct machine *machine = run->shell->machine;
    struct event event;
    backend->machine_enter(machine, &event);
    for (;;) {
        uint64_t answer = UINT64_MAX;
        run->outcome->exit_count++;
        if (event.kind == EVENT_INTERRUPTED)
            program_sample(run->shell->program, event.code_address);
        bool goes_on = event.kind == EVENT_INTERRUPTED ? serve_interruption(run, &error)
                                                       : exits_step(run, &event, &answer);
        if (!goes_on)
            return;
        backend->machine_resume(machine, answer, &event);
    }
}

static uint64_t stack_size(const struct settings *settings)
{
    bool is_given = settings->stack_size != 0 && settings->stack_size < LAYOUT_FRAMES_SIZE;
    return is_given ? settings->stack_size : LAYOUT_FRAMES_SIZE;
}

bool exits_prepare(struct run *run, const struct entry_point *entry, uint32_t flags,
                   struct error *error)
{
    struct shell *shell = run->shell;
    struct control *control = shell->backend->machine_control(shell->machine);
    program_sample_begin(shell->program);
    run->is_initialisation =
        control->entry == ENTRY_INITIALISE || control->entry == ENTRY_NATIVE_INITIALISE;
    run->keeps_output = control->entry == ENTRY_HANDLE || control->entry == ENTRY_NATIVE;
    control->flags = flags;
    control->code = entry->code;
    control->mailbox = LAYOUT_MAILBOX + (uint64_t)((uint8_t *)shell->mailbox - shell->window);
    control->memory_base = entry->memory_base;
    control->instance = entry->instance;
    control->memory_limit = entry->memory_limit;
    control->frame_limit = LAYOUT_FRAMES + stack_size(&shell->settings);
    control->settings = shell->settings;
    control_set_files(shell, control);
    if (!seed_take(control->seed, error))
        return false;
    run->start_ns = exits_set_clocks(shell);
    return true;
}

struct entry_point exits_entry(const struct shell *shell, uint32_t code_offset)
{
    return (struct entry_point){ .code = LAYOUT_CODE + code_offset,
                                 .instance = LAYOUT_INSTANCE,
                                 .memory_base = shell->backend->machine_memory_base(shell->machine),
                                 .memory_limit = shell->settings.memory_size_max };
}

bool exits_serve(struct shell *shell, uint32_t code_offset, const struct console *console,
                 struct outcome *outcome, struct error *error)
{
    const struct entry_point entry = exits_entry(shell, code_offset);
    return exits_serve_at(shell, &entry, console, outcome, error);
}

bool exits_serve_at(struct shell *shell, const struct entry_point *entry,
                    const struct console *console, struct outcome *outcome, struct error *error)
{
    struct outcome made = { .kind = OUTCOME_CRASHED };
    struct run run = {
        .shell = shell, .console = console, .outcome = &made, .tick_ns = CONSOLE_TICK_NS
    };
    if (!exits_prepare(&run, entry, console != NULL ? CONTROL_STREAMING : 0, error))
        return false;
    if (shell->settings.timeout_ms != 0)
        run.deadline_ns = run.start_ns + shell->settings.timeout_ms * 1000000ull;
    volatile uint8_t *flag = shell->backend->machine_interrupt_flag(shell->machine);
    if (!deadline_set(next_stop_ns(&run), flag, error) || !engine_seal(shell->engine, error))
        return false;
    run_loop(&run);
    deadline_clear();
    exits_read_fuel(&run);
    console_drain(&run);
    made.duration_ns = deadline_now_ns() - run.start_ns;
    (void)shell->backend->machine_part(shell->machine, PART_MEMORY, &made.memory_size);
    shell->is_broken = made.kind == OUTCOME_CRASHED;
    *outcome = made;
    return true;
}
