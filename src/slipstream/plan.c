/* SPDX-License-Identifier: Apache-2.0 */
/* What the guest needs to restore itself between two invocations of a batch: the snapshot, and the
 * page table entries that say what was written, both mapped read-only. */
#include "core/checked.h"
#include "slipstream/kvm.h"

#include "abi/control.h"
#include "slipstream/runtime.h"

struct plan {
    struct machine *machine;
    struct control *control;
    bool failed; /* too many parts */
};

/* The address at which the guest reads `count` numbers of the core slot's first parts. */
static uint64_t core_map(struct machine *machine, uint64_t physical, uint64_t count)
{
    uint64_t from = physical & ~(LAYOUT_PAGE_SIZE - 1ull);
    uint64_t end = round_up(physical + count * sizeof(uint64_t), LAYOUT_PAGE_SIZE);
    ASSERT(end <= CORE_TABLES + CORE_TABLES_SIZE);
    paging_map(machine, REGION_TABLES, from, from, end - from, PAGE_RIGHT_READ);
    return LAYOUT_TABLES + physical;
}

static void plan_add(struct plan *plan, enum region region, uint64_t region_address,
                     uint64_t offset, uint64_t size, uint64_t content)
{
    struct control *control = plan->control;
    plan->failed = plan->failed || control->part_count == CONTROL_PARTS_MAX;
    if (plan->failed || size == 0)
        return;
    uint64_t first = offset / LAYOUT_PAGE_SIZE;
    uint64_t count = round_up(size, LAYOUT_PAGE_SIZE) / LAYOUT_PAGE_SIZE;
    uint64_t entries = paging_entries_physical(region) + first * sizeof(uint64_t);
    bool is_aligned = offset % LARGE_PAGE_SIZE == 0 && size > LARGE_PAGE_SIZE;
    uint64_t directory = paging_directory_physical(plan->machine, region, offset);
    control->parts[control->part_count++] = (struct control_part){
        .address = region_address + offset,
        .size = size,
        .content = content,
        .entries = core_map(plan->machine, entries, count),
        .touched = is_aligned ? core_map(plan->machine, directory, count / TABLE_PAGES + 1) : 0,
    };
}

static bool snapshot_map(struct machine *machine, const struct part_template *content,
                         uint64_t address, struct error *error)
{
    uint64_t offset = address - LAYOUT_SNAPSHOT;
    uint64_t size = round_up(content->size, LAYOUT_PAGE_SIZE);
    if (content->size == 0)
        return true;
    paging_map_large(machine, REGION_SNAPSHOT, offset, PHYSICAL_SNAPSHOT + offset,
                     round_up(size, LARGE_PAGE_SIZE), PAGE_RIGHT_READ);
    return machine_add_slot(machine, PHYSICAL_SNAPSHOT + offset, content->data, size, true, error);
}

static void plan_part(struct plan *plan, enum region region, uint64_t address, uint64_t offset,
                      uint64_t size, const struct part_template *content, uint64_t snapshot)
{
    /* Nothing writes behind the content's last byte, in its page, but code that broke out. */
    uint64_t filled = MIN(round_up(content->size, LAYOUT_PAGE_SIZE), size);
    plan_add(plan, region, address, offset, MIN(content->size, size), snapshot);
    plan_add(plan, region, address, offset + filled, size - filled, 0);
}

static void plan_runtime(struct plan *plan, const struct part_template *content)
{
    const struct runtime *runtime = runtime_embedded();
    for (unsigned i = 0; i < runtime->segment_count; i++) {
        const struct runtime_segment *segment = &runtime->segments[i];
        uint64_t snapshot = content->size != 0 ? LAYOUT_SNAPSHOT_RUNTIME + segment->offset : 0;
        if (segment->is_writable)
            plan_add(plan, REGION_SYSTEM, LAYOUT_SYSTEM,
                     LAYOUT_RUNTIME - LAYOUT_SYSTEM + segment->offset, segment->size, snapshot);
    }
}

/* Their first pages, then what lies in tables, or large pages, that are seldom touched. */
static void plan_stacks(struct plan *plan)
{
    const uint64_t first = LAYOUT_STACKS_FIRST, frames = REGION_STACKS_FRAMES;
    const enum region region = REGION_STACKS;
    plan_add(plan, region, LAYOUT_STACK, LAYOUT_STACK_SIZE - first, first, 0);
    plan_add(plan, region, LAYOUT_STACK, frames, first, 0);
    plan_add(plan, region, LAYOUT_STACK, 0, LAYOUT_STACK_SIZE - first, 0);
    plan_add(plan, region, LAYOUT_STACK, frames + first, LAYOUT_FRAMES_SIZE - first, 0);
}

bool plan_make(struct machine *machine, const struct program *program, struct error *error)
{
    const struct part_template *memory = program_template(program, PART_MEMORY);
    const struct part_template *instance = program_template(program, PART_INSTANCE);
    const struct part_template *runtime = program_template(program, PART_RUNTIME);
    struct control *control = (struct control *)(void *)(machine->core + CORE_CONTROL);
    struct plan plan = { .machine = machine, .control = control };
    machine->restores_itself = false;
    if (memory->size > LAYOUT_SNAPSHOT_INSTANCE - LAYOUT_SNAPSHOT)
        return true;
    if (!machine->has_snapshot) {
        machine->has_snapshot = true;
        if (!snapshot_map(machine, memory, LAYOUT_SNAPSHOT, error) ||
            !snapshot_map(machine, instance, LAYOUT_SNAPSHOT_INSTANCE, error) ||
            !snapshot_map(machine, runtime, LAYOUT_SNAPSHOT_RUNTIME, error))
            return false;
    }
    control->part_count = 0;
    control->memory_size = machine->memory.size;
    plan_part(&plan, REGION_MEMORY, LAYOUT_MEMORY, 0, machine->memory.size, memory,
              LAYOUT_SNAPSHOT);
    plan_part(&plan, REGION_INSTANCE, LAYOUT_INSTANCE, 0, machine->instance.size, instance,
              LAYOUT_SNAPSHOT_INSTANCE);
    plan_runtime(&plan, runtime);
    plan_stacks(&plan);
    /* A snapshot of files is the host's to restore. */
    control->scratch_restored =
        program_template(program, PART_SCRATCH)->size == 0 ? machine->scratch.size : 0;
    plan_add(&plan, REGION_SCRATCH, LAYOUT_SCRATCH, 0, control->scratch_restored, 0);
    machine->restores_itself = !plan.failed;
    return true;
}
