/* SPDX-License-Identifier: Apache-2.0 */
/* The process backend: the guest runs in this process, at the same addresses and with the same
 * runtime as in a micro-VM, and leaves by a switch of stacks (gate.h).  What keeps it from the rest
 * of the machine is the process's jail alone. */
#include "abi/layout.h"
#include "core/checked.h"
#include "slipstream/deadline.h"
#include "slipstream/gate.h"
#include "slipstream/limits.h"
#include "slipstream/place.h"
#include "slipstream/process_area.h"
#include "slipstream/process_plan.h"
#include "slipstream/runtime.h"

#include <cpuid.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <x86intrin.h>

/* How the next entry begins. */
enum next {
    NEXT_START,
    NEXT_ANSWER,
    NEXT_GO_ON
};

struct process {
    struct place *place;
    bool has_steady_tsc;
    uint64_t first_tsc; /* when the backend was opened */
    uint64_t first_ns;
};

struct machine {
    struct process *process;
    void *mailbox;
    uint64_t mailbox_size;
    const struct program *program; /* NULL: empty */
    struct tracked memory;         /* what the template has */
    uint64_t memory_size;          /* accessible now */
    struct process_areas *areas;   /* NULL: none */
    enum next next;
    uint64_t answer;      /* to the guest's last exit */
    bool restores_itself; /* control->parts are filled in */
    /* While another machine holds the place: what this one's instance and runtime were. */
    uint8_t *instance_aside;
    uint8_t *runtime_aside;
    uint8_t *scratch_aside;
    uint64_t scratch_size; /* as the guest was told */
};

/* The time stamp counter is the guest's clock when it never stops and has been watched so long. */
#define TSC_WATCH_NS 2000000u

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool has_steady_tsc(void)
{
    enum {
        POWER_LEAF = 0x80000007,
        INVARIANT_TSC = 1 << 8
    };
    uint32_t a, b, c, d;
    return __get_cpuid(POWER_LEAF, &a, &b, &c, &d) != 0 && (d & INVARIANT_TSC) != 0;
}

static void process_close(void *state)
{
    struct process *process = state;
    if (process != NULL)
        place_close(process->place);
    free(process);
}

static bool process_open(void **state, struct error *error)
{
    struct process *process = calloc(1, sizeof(*process));
    if (process == NULL)
        return error_system(error, "engine");
    if (!place_open(&process->place, error) || !gate_prepare(error)) {
        process_close(process);
        return false;
    }
    process->has_steady_tsc = has_steady_tsc();
    process->first_ns = monotonic_ns();
    process->first_tsc = __rdtsc();
    *state = process;
    return true;
}

static bool process_has_tsc(const struct machine *machine, uint64_t *tsc_to_ns_mult)
{
    const struct process *process = machine->process;
    uint64_t passed_ns = monotonic_ns() - process->first_ns;
    uint64_t ticks = __rdtsc() - process->first_tsc;
    if (!process->has_steady_tsc || passed_ns < TSC_WATCH_NS || ticks == 0)
        return false;
    *tsc_to_ns_mult = (uint64_t)(((unsigned __int128)passed_ns << 32) / ticks);
    return true;
}

static uint64_t instance_size(const struct machine *machine)
{
    return machine->program == NULL ? 0 : program_template(machine->program, PART_INSTANCE)->size;
}

static void aside_free(struct machine *machine)
{
    free(machine->instance_aside);
    free(machine->runtime_aside);
    free(machine->scratch_aside);
    machine->instance_aside = machine->runtime_aside = machine->scratch_aside = NULL;
}

/* Only pages that differ from what is there are touched. */
static bool scratch_take_back(struct machine *machine)
{
    const uint8_t *there = (const uint8_t *)LAYOUT_SCRATCH;
    for (uint64_t at = 0; at < machine->scratch_size; at += LAYOUT_PAGE_SIZE)
        if (memcmp(there + at, machine->scratch_aside + at, LAYOUT_PAGE_SIZE) != 0 &&
            !tracked_put(&machine->process->place->scratch, at / LAYOUT_PAGE_SIZE,
                         machine->scratch_aside + at))
            return false;
    return true;
}

/* Keeps what the holder of the place wrote, so that another may have it. */
static bool machine_leave_place(struct machine *machine, struct error *error)
{
    uint64_t size;
    const uint8_t *runtime = place_runtime(&size);
    machine->instance_aside = malloc(instance_size(machine));
    machine->runtime_aside = malloc(size);
    machine->scratch_aside = machine->scratch_size == 0 ? NULL : malloc(machine->scratch_size);
    if (machine->instance_aside == NULL || machine->runtime_aside == NULL ||
        (machine->scratch_size != 0 && machine->scratch_aside == NULL)) {
        aside_free(machine);
        return error_set(error, ERROR_NO_MEMORY, "no memory to put a program aside");
    }
    memcpy(machine->instance_aside, (const void *)LAYOUT_INSTANCE, instance_size(machine));
    memcpy(machine->runtime_aside, runtime, size);
    if (machine->scratch_size != 0)
        memcpy(machine->scratch_aside, (const void *)LAYOUT_SCRATCH, machine->scratch_size);
    machine->process->place->holder = NULL;
    return true;
}

static bool machine_take_place(struct machine *machine, struct error *error)
{
    struct place *place = machine->process->place;
    if (place->holder == machine)
        return true;
    if (place->holder != NULL && !machine_leave_place(place->holder, error))
        return false;
    if (!place_fill(place, machine->program, machine->mailbox, machine->mailbox_size, error))
        return false;
    place->holder = machine;
    if (machine->instance_aside == NULL)
        return true;
    uint64_t size;
    uint8_t *runtime = place_runtime(&size);
    memcpy((void *)LAYOUT_INSTANCE, machine->instance_aside, instance_size(machine));
    memcpy(runtime, machine->runtime_aside, size);
    bool is_back = scratch_take_back(machine);
    aside_free(machine);
    return is_back || error_system(error, "put a program's files back");
}

static void process_machine_close(struct machine *machine)
{
    if (machine == NULL)
        return;
    if (machine->process->place->holder == machine)
        machine->process->place->holder = NULL;
    if (machine->memory.host != NULL)
        munmap(machine->memory.host, LAYOUT_SYSTEM);
    tracked_done(&machine->memory);
    process_areas_close(machine->areas);
    aside_free(machine);
    free(machine);
}

static bool process_machine_open(struct machine **made, void *state, void *mailbox,
                                 size_t mailbox_size, struct error *error)
{
    struct machine *machine = calloc(1, sizeof(*machine));
    if (machine == NULL)
        return error_system(error, "machine");
    *machine =
        (struct machine){ .process = state, .mailbox = mailbox, .mailbox_size = mailbox_size };
    /* No index plus offset leaves this, as in a micro-VM. */
    void *memory =
        mmap(NULL, LAYOUT_SYSTEM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        free(machine);
        return error_system(error, "reserve addresses for linear memory");
    }
    machine->memory.host = memory;
    /* All that a sealed process can't have made later. */
    if (!gate_prepare(error) || !deadline_ready(error)) {
        process_machine_close(machine);
        return false;
    }
    *made = machine;
    return true;
}

/* Whole pages: what lies behind the instance is nobody's, and must not carry anything over. */
static void instance_fill(uint8_t *at, const struct part_template *content)
{
    for (uint64_t from = 0; from < content->size; from += LAYOUT_PAGE_SIZE) {
        if (part_template_has(content, from / LAYOUT_PAGE_SIZE))
            memcpy(at + from, content->data + from, LAYOUT_PAGE_SIZE);
        else
            memset(at + from, 0, LAYOUT_PAGE_SIZE);
    }
}

static bool memory_load(struct machine *machine, struct error *error)
{
    const struct part_template *content = program_template(machine->program, PART_MEMORY);
    uint64_t size = round_up(content->size, LAYOUT_PAGE_SIZE);
    uint8_t *host = machine->memory.host;
    if (!tracked_init(&machine->memory, host, size, &machine->process->place->restoring, error))
        return false;
    if (size != 0 && mprotect(host, size, PROT_READ | PROT_WRITE) != 0)
        return error_system(error, "give the program %llu bytes of memory",
                            (unsigned long long)size);
    for (uint64_t page = 0; page < size / LAYOUT_PAGE_SIZE; page++)
        if (part_template_has(content, page))
            memcpy(host + page * LAYOUT_PAGE_SIZE, content->data + page * LAYOUT_PAGE_SIZE,
                   LAYOUT_PAGE_SIZE);
    machine->memory_size = size;
    return true;
}

static bool process_load(struct machine *machine, const struct program *program,
                         struct error *error)
{
    machine->program = program;
    machine->scratch_size = program_template(program, PART_SCRATCH)->size;
    if (!memory_load(machine, error) || !machine_take_place(machine, error))
        return false;
    instance_fill((uint8_t *)LAYOUT_INSTANCE, program_template(program, PART_INSTANCE));
    return true;
}

/* In the signal handler. */
static bool open_page(uint64_t address, bool is_write)
{
    struct machine *machine = gate.machine;
    struct place *place = machine->process->place;
    return is_write && (tracked_open_page(&machine->memory, address) ||
                        tracked_open_page(&place->frames, address) ||
                        tracked_open_page(&place->stack, address) ||
                        tracked_open_page(&place->scratch, address));
}

static void fault_event(const struct machine *machine, struct event *event)
{
    uint64_t base = (uintptr_t)machine->memory.host;
    *event = (struct event){ .kind = EVENT_FAULT,
                             .vector = gate.vector,
                             .code_address = gate.code_address,
                             .fuel = gate.fuel,
                             .fault_address = gate.fault_address };
    /* As an address of the layout. */
    if (gate.fault_address - base < LAYOUT_SYSTEM)
        event->fault_address = gate.fault_address - base + LAYOUT_MEMORY;
}

static int gate_enter(struct machine *machine, uint64_t answer)
{
    switch (machine->next) {
    case NEXT_START:
        return gate_start(runtime_embedded()->entry, LAYOUT_STACK_END);
    case NEXT_ANSWER:
        return gate_answer(answer);
    case NEXT_GO_ON:
        return gate_go_on();
    }
    ASSERT(false);
}

static void machine_go(struct machine *machine, uint64_t answer, struct event *event)
{
    struct error error;
    *event = (struct event){ .kind = EVENT_BROKEN };
    if (!gate_prepare(&error))
        return;
    gate.machine = machine;
    gate.open_page = open_page;
    switch (gate_enter(machine, answer)) {
    case GATE_LEFT:
        *event = (struct event){ .kind = EVENT_EXIT,
                                 .reason = gate.reason,
                                 .arguments = { gate.arguments[0], gate.arguments[1] } };
        machine->next = NEXT_ANSWER;
        break;
    case GATE_FAULTED:
        fault_event(machine, event);
        break;
    case GATE_INTERRUPTED:
        event->kind = EVENT_INTERRUPTED;
        event->code_address = gate.code_address;
        machine->next = NEXT_GO_ON;
        break;
    case GATE_REFUSED:
        event->kind = EVENT_INTERRUPTED;
        break;
    }
}

static void process_enter(struct machine *machine, struct event *event)
{
    struct error error;
    *event = (struct event){ .kind = EVENT_BROKEN };
    if (!machine_take_place(machine, &error))
        return;
    machine->process->place->control->gate = (uint64_t)(uintptr_t)gate_leave;
    machine->next = NEXT_START;
    machine_go(machine, 0, event);
}

static void process_resume(struct machine *machine, uint64_t answer, struct event *event)
{
    /* An interruption may have come before the guest had its answer. */
    if (answer != UINT64_MAX)
        machine->answer = answer;
    machine_go(machine, machine->answer, event);
}

static bool process_grow(struct machine *machine, uint64_t size)
{
    if (size < machine->memory_size || size > MEMORY_SIZE_MAX)
        return false;
    size = round_up(size, LAYOUT_PAGE_SIZE);
    if (mprotect(machine->memory.host + machine->memory_size, size - machine->memory_size,
                 PROT_READ | PROT_WRITE) != 0)
        return false;
    machine->memory_size = size;
    return true;
}

/* All of it is there already. */
static bool process_scratch(struct machine *machine, uint64_t size)
{
    if (size > LAYOUT_SCRATCH_SIZE_MAX)
        return false;
    size = round_up(MAX(size, 2 * machine->scratch_size), SCRATCH_STEP_SIZE);
    machine->scratch_size = MIN(size, (uint64_t)LAYOUT_SCRATCH_SIZE_MAX);
    return true;
}

/* Addresses beyond the first size must fault again. */
static bool memory_shrink(struct machine *machine)
{
    uint64_t size = machine->memory.size, grown = machine->memory_size - size;
    if (grown == 0)
        return true;
    machine->memory_size = size;
    return madvise(machine->memory.host + size, grown, MADV_DONTNEED) == 0 &&
           mprotect(machine->memory.host + size, grown, PROT_NONE) == 0;
}

/* After a start function the template may be larger than what was loaded. */
static bool memory_fit(struct machine *machine, const struct part_template *content,
                       struct error *error)
{
    uint64_t size = round_up(content->size, LAYOUT_PAGE_SIZE);
    uint8_t *host = machine->memory.host;
    if (size == machine->memory.size)
        return true;
    tracked_done(&machine->memory);
    return tracked_init(&machine->memory, host, size, &machine->process->place->restoring, error);
}

static bool process_reset(struct machine *machine, const struct program *program, bool is_typical,
                          struct error *error)
{
    const struct part_template *content = program_template(program, PART_MEMORY);
    struct place *place = machine->process->place;
    if (!machine_take_place(machine, error) || !memory_fit(machine, content, error))
        return false;
    if (!memory_shrink(machine))
        return error_system(error, "take grown memory back");
    if (!tracked_reset(&machine->memory, content, is_typical, error))
        return false;
    instance_fill((uint8_t *)LAYOUT_INSTANCE, program_template(program, PART_INSTANCE));
    place_reset_runtime();
    const struct process_parts parts = { &machine->memory, place, machine->scratch_size };
    if (!place_reset_scratch(place, program, error) || !place_reset_stacks(place, error))
        return false;
    machine->restores_itself = process_plan(place->control, &parts, program);
    return true;
}

static bool process_add(struct machine *machine, const struct area *area, uint8_t **host,
                        struct error *error)
{
    return process_area_add(&machine->areas, area, host, error);
}

static bool process_grow_area(struct machine *machine, uint64_t address, uint64_t size)
{
    return process_area_grow(machine->areas, address, size);
}

static struct control *process_control(struct machine *machine)
{
    return machine->process->place->control;
}

static uint8_t *process_part(const struct machine *machine, enum part part, uint64_t *size)
{
    bool is_aside = machine->instance_aside != NULL;
    switch (part) {
    case PART_MEMORY:
        *size = machine->memory_size;
        return machine->memory.host;
    case PART_INSTANCE:
        *size = instance_size(machine);
        return is_aside ? machine->instance_aside : (uint8_t *)LAYOUT_INSTANCE;
    case PART_RUNTIME:
        return place_runtime(size);
    case PART_STACK:
        *size = LAYOUT_STACK_SIZE;
        return (uint8_t *)LAYOUT_STACK;
    case PART_FRAMES:
        *size = LAYOUT_FRAMES_SIZE;
        return (uint8_t *)LAYOUT_FRAMES;
    case PART_SCRATCH:
        *size = machine->scratch_size;
        return machine->scratch_aside != NULL ? machine->scratch_aside : (uint8_t *)LAYOUT_SCRATCH;
    case PART_COUNT:
        break;
    }
    ASSERT(false);
}

static volatile uint8_t *process_interrupt_flag(struct machine *machine UNUSED)
{
    return &gate.interrupt;
}

static uint64_t process_memory_base(const struct machine *machine)
{
    return (uintptr_t)machine->memory.host;
}

static bool process_restores_itself(const struct machine *machine)
{
    return machine->restores_itself;
}

static uint64_t process_round_trip_ns(const struct machine *machine UNUSED)
{
    return 0;
}

static bool process_renew(struct error *error)
{
    return gate_prepare(error) && place_renew(error);
}

static bool process_restore_by(void *state, const struct restoring *restoring, struct error *error)
{
    const struct process *process = state;
    return place_restore_by(process->place, restoring, error);
}

const struct backend backend_process = {
    .name = "process",
    .open = process_open,
    .close = process_close,
    .renew = process_renew,
    .restore_by = process_restore_by,
    .machine_open = process_machine_open,
    .machine_close = process_machine_close,
    .machine_load = process_load,
    .machine_enter = process_enter,
    .machine_resume = process_resume,
    .machine_grow = process_grow,
    .machine_scratch = process_scratch,
    .machine_reset = process_reset,
    .area_add = process_add,
    .area_grow = process_grow_area,
    .machine_control = process_control,
    .machine_part = process_part,
    .machine_memory_base = process_memory_base,
    .machine_interrupt_flag = process_interrupt_flag,
    .machine_restores_itself = process_restores_itself,
    .machine_round_trip_ns = process_round_trip_ns,
    .machine_has_tsc = process_has_tsc,
};
