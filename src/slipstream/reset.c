/* SPDX-License-Identifier: Apache-2.0 */
/* Back to the snapshot by copying only what was written.
 *
 * Which pages those are the guest's own page tables say: the processor sets a page's dirty bit at
 * its first write and nobody ever clears it, because under shadow paging a cleared bit would not be
 * set again.  So the set only grows, and holds every page that any earlier invocation wrote.  Small
 * parts are copied whole.  Large ones are too, until their first reset: it compares them with the
 * snapshot to find out which pages were written, and maps the rest to note first writes. */
#include "slipstream/kvm.h"

#include "slipstream/runtime.h"

#include <string.h>

static bool is_dirty(const uint64_t *entries, uint64_t page)
{
    return (__atomic_load_n(&entries[page], __ATOMIC_RELAXED) & PAGE_DIRTY) != 0;
}

static void page_restore(const struct growing_part *part, const struct part_template *content,
                         uint64_t page)
{
    uint64_t offset = page * LAYOUT_PAGE_SIZE;
    if (part_template_has(content, page))
        memcpy(part->host + offset, content->data + offset, LAYOUT_PAGE_SIZE);
    else
        memset(part->host + offset, 0, LAYOUT_PAGE_SIZE);
}

static bool page_differs(const struct growing_part *part, const struct part_template *content,
                         uint64_t page)
{
    const uint8_t *at = part->host + page * LAYOUT_PAGE_SIZE;
    if (part_template_has(content, page))
        return memcmp(at, content->data + page * LAYOUT_PAGE_SIZE, LAYOUT_PAGE_SIZE) != 0;
    return at[0] != 0 || memcmp(at, at + 1, LAYOUT_PAGE_SIZE - 1) != 0;
}

static bool part_learn(struct machine *machine, struct growing_part *part,
                       const struct part_template *content)
{
    for (uint64_t page = 0; page * LAYOUT_PAGE_SIZE < part->size; page++) {
        uint64_t offset = page * LAYOUT_PAGE_SIZE;
        bool differs = page_differs(part, content, page);
        if (differs)
            page_restore(part, content, page);
        paging_map(machine, part->region, offset, part->physical + offset, LAYOUT_PAGE_SIZE,
                   differs ? PAGE_RIGHT_READ_WRITE_DIRTY : PAGE_RIGHT_READ_WRITE);
    }
    part->is_learned = true;
    return memory_forget(part->host, part->size, false);
}

static bool part_reset(struct machine *machine, struct growing_part *part,
                       const struct part_template *content, bool is_typical)
{
    const uint64_t *entries = paging_entries(machine, part->region);
    if (!part->is_learned && is_typical && part->size > WHOLE_COPY_SIZE)
        return part_learn(machine, part, content);
    for (uint64_t page = 0; page * LAYOUT_PAGE_SIZE < part->size; page++)
        if (!part->is_learned || is_dirty(entries, page))
            page_restore(part, content, page);
    return true;
}

/* Zeroes the written pages of a stack; when they are many, gives them back and starts anew. */
static bool stack_restore(const struct machine *machine, enum region region, uint8_t *host,
                          uint64_t size, uint64_t warm_from, uint64_t warm_size, unsigned pages_max)
{
    uint64_t *entries = paging_entries(machine, region);
    unsigned count = 0;
    for (uint64_t page = 0; page < size / LAYOUT_PAGE_SIZE; page++) {
        if (!is_dirty(entries, page))
            continue;
        count++;
        memset(host + page * LAYOUT_PAGE_SIZE, 0, LAYOUT_PAGE_SIZE);
    }
    if (count <= pages_max)
        return true;
    for (uint64_t page = 0; page < size / LAYOUT_PAGE_SIZE; page++)
        if (page * LAYOUT_PAGE_SIZE - warm_from >= warm_size)
            entries[page] &= ~PAGE_DIRTY;
    return memory_forget(host, size, true);
}

static void runtime_restore(struct machine *machine)
{
    const struct runtime *runtime = runtime_embedded();
    for (unsigned i = 0; i < runtime->segment_count; i++) {
        const struct runtime_segment *segment = &runtime->segments[i];
        uint8_t *at = machine->core + CORE_RUNTIME + segment->offset;
        if (!segment->is_writable)
            continue;
        memcpy(at, segment->content.data, segment->content.size);
        memset(at + segment->content.size, 0, segment->size - segment->content.size);
    }
}

/* Pages that were grown must fault again, so KVM has to drop its shadow of them. */
static bool memory_shrink(struct machine *machine, uint64_t size, struct error *error)
{
    struct growing_part *memory = &machine->memory;
    if (memory->size <= size)
        return true;
    paging_unmap(machine, REGION_MEMORY, size, memory->size - size);
    if (!memory_forget(memory->host + size, memory->size - size, true))
        return error_system(error, "take grown memory back");
    memory->size = size;
    return true;
}

bool memory_reset(struct machine *machine, const struct program *program, bool is_typical,
                  struct error *error)
{
    const struct part_template *memory = program_template(program, PART_MEMORY);
    const struct part_template *instance = program_template(program, PART_INSTANCE);
    if (!memory_shrink(machine, memory->size, error))
        return false;
    if (!part_reset(machine, &machine->memory, memory, is_typical) ||
        !part_reset(machine, &machine->instance, instance, is_typical))
        return error_system(error, "restore a micro-VM's memory");
    runtime_restore(machine);
    if (!stack_restore(machine, REGION_STACK, machine->core + CORE_STACK, LAYOUT_STACK_SIZE,
                       LAYOUT_STACK_SIZE - WARM_STACK_SIZE, WARM_STACK_SIZE,
                       DIRTY_STACK_PAGES_MAX) ||
        !stack_restore(machine, REGION_FRAMES, machine->core + CORE_FRAMES, LAYOUT_FRAMES_SIZE, 0,
                       WARM_FRAMES_SIZE, DIRTY_FRAME_PAGES_MAX))
        return error_system(error, "clear a micro-VM's stacks");
    return true;
}
