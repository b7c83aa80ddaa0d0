/* SPDX-License-Identifier: Apache-2.0 */
/* Several invocations in one entry.  Nothing here outlives an invocation but the ring itself: the
 * runtime's own data is restored with all the rest. */
#include "guest/guest.h"
#include "guest/memory.h"
#include "guest/random.h"
#include "guest/restore.h"

#include "abi/layout.h"

#define ENTRY_TOUCHED 0x20u
#define ENTRY_WRITTEN 0x40u
#define ENTRY_LARGE   0x80u
#define TABLE_PAGES   512u

static uint64_t ticks_now(void)
{
    return __builtin_ia32_rdtsc();
}

static struct batch *batch_at(const struct control *control)
{
    return (struct batch *)control->batch;
}

static NORETURN void batch_leave(enum batch_exit why)
{
    guest_leave(GUEST_EXIT_BATCH, why, 0);
    __builtin_unreachable();
}

static bool has_next(const struct control *control, const struct batch *batch)
{
    uint32_t taken = __atomic_load_n(&batch->taken, __ATOMIC_RELAXED);
    const struct batch_entry *entry = &batch->entries[taken % BATCH_ENTRY_COUNT];
    return __atomic_load_n(&batch->submitted, __ATOMIC_ACQUIRE) != taken &&
           __atomic_load_n(&entry->function, __ATOMIC_RELAXED) == control->function;
}

/* Another function's turn: it has a guest of its own. */
static bool has_other(const struct batch *batch)
{
    return __atomic_load_n(&batch->submitted, __ATOMIC_ACQUIRE) !=
           __atomic_load_n(&batch->taken, __ATOMIC_RELAXED);
}

static bool may_linger(const struct batch *batch)
{
    return __atomic_load_n(&batch->lingers, __ATOMIC_RELAXED) != 0;
}

/* No `pause`: processors count it in guests, and KVM leaves the guest after some. */
static void linger(const struct control *control, const struct batch *batch)
{
    uint64_t since = ticks_now();
    while (!has_next(control, batch)) {
        if (!may_linger(batch) || has_other(batch) || ticks_now() - since >= control->linger_ticks)
            batch_leave(BATCH_EXIT_IDLE);
    }
}

void batch_serve(const struct control *control, struct instance *instance)
{
    struct batch *batch = batch_at(control);
    linger(control, batch);
    uint32_t sequence = batch->taken;
    const struct batch_entry *entry = &batch->entries[sequence % BATCH_ENTRY_COUNT];
    uint32_t station = __atomic_load_n(&entry->station, __ATOMIC_RELAXED);
    __atomic_store_n(&batch->taken, sequence + 1, __ATOMIC_RELEASE);
    uint64_t mailbox = control->stations +
                       (station < control->station_count ? station : 0) * control->station_size;
    guest_init(control, (struct mailbox *)mailbox, instance);
    random_init(entry->seed); /* the entry stays ours until it has its answer */
    guest.sequence = sequence;
    guest.start_ticks = ticks_now();
    if (station >= control->station_count)
        guest_trap(TRAP_ASSERTION, 0);
    guest_start(control);
}

void batch_end(uint32_t code)
{
    const struct control *control = guest.control;
    struct batch *batch = batch_at(control);
    struct batch_entry *entry = &batch->entries[guest.sequence % BATCH_ENTRY_COUNT];
    uint64_t now = ticks_now(), memory_size = guest.instance->memory_size;
    uint64_t ticks = now - guest.start_ticks;
    entry->kind = BATCH_DONE;
    entry->exit_code = code;
    entry->reason = TRAP_NONE;
    entry->has_function = entry->function_index = entry->wasm_offset = entry->exit_count = 0;
    entry->duration_ns = (uint64_t)((unsigned __int128)ticks * control->tsc_to_ns_mult >> 32);
    entry->memory_size = memory_size;
    entry->fuel = 0;
    entry->has_fuel = (control->flags & CONTROL_METERED) != 0;
    if (entry->has_fuel != 0)
        entry->fuel = settings_fuel(&control->settings) - guest.instance->fuel;
    __atomic_store_n(&entry->done, guest.sequence + 1, __ATOMIC_SEQ_CST);
    bool can_restore =
        (control->flags & CONTROL_RESETS) != 0 && control->slice_end > now &&
        memory_size == control->memory_size &&
        ((const volatile struct control *)control)->scratch_size == control->scratch_restored;
    if (!can_restore || (!has_next(control, batch) && !may_linger(batch)))
        batch_leave(BATCH_EXIT_RESET);
    guest_restart(LAYOUT_STACK_END);
}

static void page_restore(const struct control_part *part, uint64_t at)
{
    uint64_t size = MIN(part->size - at, (uint64_t)LAYOUT_PAGE_SIZE);
    void *to = (void *)(part->address + at);
    const void *from = (const void *)(part->content + at);
    if (size == LAYOUT_PAGE_SIZE && part->content != 0)
        restore_copy(to, from);
    else if (size == LAYOUT_PAGE_SIZE)
        restore_zero(to);
    else if (part->content != 0)
        copy_bytes(to, from, size);
    else
        fill_bytes(to, 0, size);
}

/* The first page from `page` on that was written; most were not. */
static uint64_t next_written(const uint64_t *entries, uint64_t page, uint64_t end)
{
    static const uint64_t written[4] = { ENTRY_WRITTEN, ENTRY_WRITTEN, ENTRY_WRITTEN,
                                         ENTRY_WRITTEN };
    while (page < end) {
        page += restore_find(entries + page, end - page, written);
        for (uint64_t stop = MIN(page + RESTORE_GROUP, end); page < stop; page++)
            if ((((const volatile uint64_t *)entries)[page] & ENTRY_WRITTEN) != 0)
                return page;
    }
    return end;
}

static void pages_restore(const struct control_part *part, uint64_t page, uint64_t end)
{
    const uint64_t *entries = (const uint64_t *)part->entries;
    for (; page < end; page++) {
        if (entries != NULL && (page = next_written(entries, page, end)) == end)
            return;
        page_restore(part, page * LAYOUT_PAGE_SIZE);
    }
}

static void part_restore(const struct control_part *part)
{
    const volatile uint64_t *touched = (const volatile uint64_t *)part->touched;
    uint64_t count = (part->size + LAYOUT_PAGE_SIZE - 1) / LAYOUT_PAGE_SIZE;
    if (touched == NULL) {
        pages_restore(part, 0, count);
        return;
    }
    for (uint64_t page = 0; page < count; page += TABLE_PAGES) {
        uint64_t entry = touched[page / TABLE_PAGES];
        if ((entry & ENTRY_TOUCHED) == 0)
            continue;
        if ((entry & ENTRY_LARGE) != 0) /* what of it was written only the host finds out */
            batch_leave(BATCH_EXIT_RESET);
        pages_restore(part, page, MIN(page + TABLE_PAGES, count));
    }
}

void batch_restart(void)
{
    /* Taken before the runtime's own data goes. */
    const struct control *control = guest.control;
    struct instance *instance = guest.instance;
    uint64_t here = (uint64_t)__builtin_frame_address(0),
             in_use = here & ~(LAYOUT_PAGE_SIZE - 1ull);
    for (uint32_t i = 0; i < control->part_count; i++) {
        struct control_part part = control->parts[i];
        bool is_stack = here - part.address < part.size;
        if (is_stack)
            part.size = in_use - part.address;
        part_restore(&part);
        if (!is_stack)
            continue;
        restore_stack((void *)in_use);
    }
    restore_end();
    batch_serve(control, instance);
}
