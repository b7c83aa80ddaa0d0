/* SPDX-License-Identifier: Apache-2.0 */
/* Back to the snapshot by copying only what was written.
 *
 * Which pages those are the guest's own page tables say: the processor sets a page's dirty bit at
 * its first write and nobody clears it for the next invocation, because under shadow paging a bit
 * cleared alone would not be set again.  So the set only grows, and holds every page that any
 * earlier invocation wrote.
 *
 * A new instance's pages all count as written, which makes its first writes cheap.  Once it is hot
 * (with large memory: at its first reset) it learns: what differs from the snapshot stays marked,
 * the rest is cleared, in a second tree of page tables that the next entry changes over to, so that
 * first writes are noted.  Where both trees share a table KVM's shadow is dropped instead, and so
 * it is when a set is pruned that has grown far beyond what invocations write now. */
#include "slipstream/kvm.h"

#include "slipstream/runtime.h"

#include <string.h>

static bool is_dirty(const uint64_t *entry)
{
    return (__atomic_load_n(entry, __ATOMIC_RELAXED) & PAGE_DIRTY) != 0;
}

/* The first page at `page` or after it that was written; most were not, so whole tables are passed
 * over, and eight pages are looked at together. */
static uint64_t next_dirty(const struct machine *machine, enum region region, uint64_t page,
                           uint64_t count)
{
    const uint64_t *entry = NULL;
    while (page < count) {
        if (page % TABLE_PAGES == 0 &&
            !paging_is_touched(machine, region, page * LAYOUT_PAGE_SIZE)) {
            page += TABLE_PAGES;
            continue;
        }
        if (page % TABLE_PAGES == 0 || entry == NULL)
            entry = paging_entry(machine, region, page);
        if (page % 8 == 0 && page + 8 <= count) {
            const volatile uint64_t *at = entry;
            uint64_t any = at[0] | at[1] | at[2] | at[3] | at[4] | at[5] | at[6] | at[7];
            if ((any & PAGE_DIRTY) == 0) {
                page += 8;
                entry += 8;
                continue;
            }
        }
        if (is_dirty(entry))
            return page;
        page++;
        entry++;
    }
    return count;
}

static bool page_is_zero(const uint8_t *at)
{
    return at[0] == 0 && memcmp(at, at + 1, LAYOUT_PAGE_SIZE - 1) == 0;
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
    return !page_is_zero(at);
}

/* Those of a part whose entries KVM may have seen before they changed. */
static bool part_forget(const struct growing_part *part, bool is_new)
{
    uint64_t from = 0;
    while (is_new && from < part->size && paging_is_new(part->region, from / LAYOUT_PAGE_SIZE))
        from += LARGE_PAGE_SIZE;
    return from >= part->size || memory_forget(part->host + from, part->size - from, false);
}

/* `is_new`: the guest has not been entered with this tree. */
static bool part_learn(struct machine *machine, struct growing_part *part,
                       const struct part_template *content, bool is_new)
{
    uint64_t count = part->size / LAYOUT_PAGE_SIZE;
    part->written_count = 0;
    for (uint64_t page = part->guard / LAYOUT_PAGE_SIZE; page < count; page++) {
        uint64_t offset = page * LAYOUT_PAGE_SIZE;
        if (part->is_learned && !is_dirty(paging_entry(machine, part->region, page)))
            continue;
        bool differs = page_differs(part, content, page);
        if (differs)
            page_restore(part, content, page);
        part->written_count += differs;
        paging_map(machine, part->region, offset, part->physical + offset, LAYOUT_PAGE_SIZE,
                   differs ? PAGE_RIGHT_READ_WRITE_DIRTY : PAGE_RIGHT_READ_WRITE);
    }
    part->is_learned = true;
    part->wants_pruning = false;
    return part_forget(part, is_new);
}

/* The number of pages that were copied. */
static uint64_t part_restore(const struct machine *machine, const struct growing_part *part,
                             const struct part_template *content)
{
    uint64_t count = part->size / LAYOUT_PAGE_SIZE, copied = 0;
    for (uint64_t page = 0; page < count; page++) {
        if (part->is_learned && (page = next_dirty(machine, part->region, page, count)) == count)
            break;
        page_restore(part, content, page);
        copied++;
    }
    return copied;
}

static bool part_reset(struct machine *machine, struct growing_part *part,
                       const struct part_template *content, bool learns)
{
    if (learns || part->wants_pruning)
        return part_learn(machine, part, content, learns);
    uint64_t copied = part_restore(machine, part, content);
    if (!part->is_learned || copied < part->written_count + PRUNE_PAGES ||
        machine->reset_count - machine->pruned_at < PRUNE_RESETS)
        return true;
    machine->pruned_at = machine->reset_count;
    part->wants_pruning = true; /* the next invocation shows what is written now */
    return true;
}

/* Starts as zeros; offsets in REGION_STACKS.  Its first pages share a table with the other's. */
struct stack {
    uint64_t first, rest;     /* what is used first, and what after, */
    uint64_t rest_size;       /* in tables of its own or in large pages */
    uint64_t warm, warm_size; /* keeps its marks */
    unsigned pages_max;       /* more written pages than this are given back to the system */
};

static const struct stack stacks[] = {
    { LAYOUT_STACK_SIZE - LAYOUT_STACKS_FIRST, 0, LAYOUT_STACK_SIZE - LAYOUT_STACKS_FIRST,
      LAYOUT_STACK_SIZE - WARM_STACK_SIZE, WARM_STACK_SIZE, DIRTY_STACK_PAGES_MAX },
    { REGION_STACKS_FRAMES, REGION_STACKS_FRAMES + LAYOUT_STACKS_FIRST,
      LAYOUT_FRAMES_SIZE - LAYOUT_STACKS_FIRST, REGION_STACKS_FRAMES, WARM_FRAMES_SIZE,
      DIRTY_FRAME_PAGES_MAX },
};

/* Large pages that were touched are given back, and small ones from now on, which tell what is
 * written of them. */
static bool stack_unfold(struct machine *machine, const struct stack *stack)
{
    for (uint64_t at = stack->rest; at < stack->rest + stack->rest_size; at += LARGE_PAGE_SIZE) {
        if (!paging_is_large(machine, REGION_STACKS, at) ||
            !paging_is_touched(machine, REGION_STACKS, at))
            continue;
        paging_map(machine, REGION_STACKS, at, CORE_STACKS + at, LARGE_PAGE_SIZE,
                   PAGE_RIGHT_READ_WRITE);
        if (!memory_forget(machine->core + CORE_STACKS + at, LARGE_PAGE_SIZE, true))
            return false;
    }
    return true;
}

/* Zeroes written pages and counts them.  `learns`: those that are zero already were not written by
 * what ran last, and lose their mark. */
static unsigned stack_zero(const struct machine *machine, uint64_t from, uint64_t size, bool learns)
{
    uint64_t end = (from + size) / LAYOUT_PAGE_SIZE;
    unsigned count = 0;
    for (uint64_t page = next_dirty(machine, REGION_STACKS, from / LAYOUT_PAGE_SIZE, end);
         page < end; page = next_dirty(machine, REGION_STACKS, page + 1, end)) {
        uint8_t *at = machine->core + CORE_STACKS + page * LAYOUT_PAGE_SIZE;
        count++;
        if (learns && page_is_zero(at))
            *paging_entry(machine, REGION_STACKS, page) &= ~PAGE_DIRTY;
        else
            memset(at, 0, LAYOUT_PAGE_SIZE);
    }
    return count;
}

/* Gives everything back and starts anew. */
static bool stack_renew(const struct machine *machine, const struct stack *stack)
{
    uint64_t from = MIN(stack->first, stack->rest), size = stack->rest_size + LAYOUT_STACKS_FIRST;
    for (uint64_t at = from; at < from + size; at += LAYOUT_PAGE_SIZE)
        if (at - stack->warm >= stack->warm_size && !paging_is_large(machine, REGION_STACKS, at))
            *paging_entry(machine, REGION_STACKS, at / LAYOUT_PAGE_SIZE) &= ~PAGE_DIRTY;
    return memory_forget(machine->core + CORE_STACKS + from, size, true);
}

static bool stack_reset(struct machine *machine, const struct stack *stack, bool learns)
{
    if (!stack_unfold(machine, stack))
        return false;
    unsigned count = stack_zero(machine, stack->first, LAYOUT_STACKS_FIRST, learns) +
                     stack_zero(machine, stack->rest, stack->rest_size, learns);
    if (count > stack->pages_max && !learns)
        return stack_renew(machine, stack);
    /* The first pages' table is new; of the others those that are used are the same as before. */
    for (uint64_t at = stack->rest; learns && at < stack->rest + stack->rest_size;
         at += LARGE_PAGE_SIZE)
        if (!paging_is_large(machine, REGION_STACKS, at) &&
            !memory_forget(machine->core + CORE_STACKS + at, LARGE_PAGE_SIZE, false))
            return false;
    return true;
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

static bool stacks_reset(struct machine *machine, bool learns)
{
    for (unsigned i = 0; i < ARRAY_COUNT(stacks); i++)
        if (!stack_reset(machine, &stacks[i], learns))
            return false;
    return true;
}

/* Written pages become what the snapshot holds; when they are many, all are given back. */
static bool scratch_reset(struct machine *machine, const struct part_template *content)
{
    const struct growing_part *part = &machine->scratch;
    if (part->size == 0)
        return true;
    uint64_t copied = part_restore(machine, part, content);
    if (copied <= DIRTY_SCRATCH_PAGES_MAX || content->size != 0)
        return true;
    for (uint64_t page = 0; page < part->size / LAYOUT_PAGE_SIZE; page++)
        *paging_entry(machine, REGION_SCRATCH, page) &= ~PAGE_DIRTY;
    return memory_forget(part->host, part->size, true);
}

/* Large parts at once, since copying them whole is dear. */
static bool is_worth_learning(const struct machine *machine)
{
    return !machine->is_hot &&
           (machine->reset_count >= HOT_RESETS ||
            MAX(machine->memory.size, machine->instance.size) > WHOLE_COPY_SIZE);
}

bool memory_reset(struct machine *machine, const struct program *program, bool is_typical,
                  struct error *error)
{
    const struct part_template *memory = program_template(program, PART_MEMORY);
    const struct part_template *instance = program_template(program, PART_INSTANCE);
    if (!memory_shrink(machine, memory->size, error))
        return false;
    machine->reset_count += is_typical;
    bool gets_hot = is_typical && is_worth_learning(machine);
    if (gets_hot)
        paging_track(machine);
    if (!part_reset(machine, &machine->memory, memory, gets_hot) ||
        !part_reset(machine, &machine->instance, instance, gets_hot))
        return error_system(error, "restore a micro-VM's memory");
    if (!scratch_reset(machine, program_template(program, PART_SCRATCH)))
        return error_system(error, "take back what a micro-VM wrote to files");
    runtime_restore(machine);
    if (!stacks_reset(machine, gets_hot))
        return error_system(error, "clear a micro-VM's stacks");
    const struct control *control = (struct control *)(void *)(machine->core + CORE_CONTROL);
    bool is_outgrown = machine->is_hot && control->scratch_restored != machine->scratch.size &&
                       program_template(program, PART_SCRATCH)->size == 0;
    if (!gets_hot && !is_outgrown)
        return true;
    machine->is_hot = true;
    return plan_make(machine, program, error);
}
