/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/process_plan.h"

#include "abi/layout.h"
#include "core/checked.h"
#include "slipstream/runtime.h"

static void plan_add(struct control *control, const struct control_part *part)
{
    ASSERT(control->part_count < CONTROL_PARTS_MAX);
    if (part->size != 0)
        control->parts[control->part_count++] = *part;
}

static void plan_tracked(struct control *control, const struct tracked *tracked, uint64_t size,
                         const struct part_template *content)
{
    plan_add(control, &(struct control_part){ .address = (uintptr_t)tracked->host,
                                              .size = MIN(size, tracked->size),
                                              .content = (uintptr_t)content->data,
                                              .entries = (uintptr_t)tracked->entries,
                                              .touched = (uintptr_t)tracked->touched });
}

static void plan_runtime(struct control *control)
{
    const struct runtime *runtime = runtime_embedded();
    for (unsigned i = 0; i < runtime->segment_count; i++) {
        const struct runtime_segment *segment = &runtime->segments[i];
        uint64_t address = LAYOUT_RUNTIME + segment->offset, size = segment->content.size;
        if (!segment->is_writable)
            continue;
        plan_add(control, &(struct control_part){ .address = address,
                                                  .size = size,
                                                  .content = (uintptr_t)segment->content.data });
        plan_add(control,
                 &(struct control_part){ .address = address + size, .size = segment->size - size });
    }
}

bool process_plan(struct control *control, const struct process_parts *parts,
                  const struct program *program)
{
    static const struct part_template zeros;
    const struct part_template *instance = program_template(program, PART_INSTANCE);
    control->part_count = 0;
    /* Before the first reset nobody knows what is written. */
    if (!parts->memory->is_tracking || !parts->place->stack.is_tracking ||
        !parts->place->frames.is_tracking || !parts->place->scratch.is_tracking)
        return false;
    control->memory_size = program_template(program, PART_MEMORY)->size;
    plan_tracked(control, parts->memory, parts->memory->size,
                 program_template(program, PART_MEMORY));
    plan_add(control, &(struct control_part){ .address = LAYOUT_INSTANCE,
                                              .size = instance->size,
                                              .content = (uintptr_t)instance->data });
    plan_runtime(control);
    plan_tracked(control, &parts->place->frames, LAYOUT_FRAMES_SIZE, &zeros);
    plan_tracked(control, &parts->place->stack, LAYOUT_STACK_SIZE, &zeros);
    /* A snapshot of files is the host's to restore. */
    bool has_files = program_template(program, PART_SCRATCH)->size != 0;
    control->scratch_restored = has_files ? 0 : parts->scratch_size;
    plan_tracked(control, &parts->place->scratch, control->scratch_restored, &zeros);
    return true;
}
