/* SPDX-License-Identifier: Apache-2.0 */
/* What stands where in a machine's memory: made and touched ahead of need, filled by a program,
 * grown while it runs. */
#include "core/checked.h"
#include "slipstream/kvm.h"

#include "abi/control.h"
#include "abi/native.h"
#include "slipstream/reserve.h"
#include "slipstream/runtime.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <x86intrin.h>

void memory_close(struct machine *machine)
{
    areas_close(machine);
    if (machine->core != NULL)
        munmap(machine->core, CORE_SIZE);
    if (machine->memory.host != NULL)
        munmap(machine->memory.host - machine->memory.passed,
               machine->memory.reserved + machine->memory.passed);
    if (machine->instance.host != NULL)
        munmap(machine->instance.host, machine->instance.reserved);
    if (machine->scratch.host != NULL)
        munmap(machine->scratch.host, machine->scratch.reserved);
}

/* What is never written of the runtime all machines share: it is mapped from the VMM's own file. */
static bool runtime_map(struct machine *machine, struct error *error)
{
    const struct runtime *runtime = runtime_embedded();
    uint64_t shared = 0;
    for (unsigned i = 0; i < runtime->segment_count; i++) {
        const struct runtime_segment *segment = &runtime->segments[i];
        uint64_t offset = LAYOUT_RUNTIME - LAYOUT_SYSTEM + segment->offset;
        uint64_t at = (uint64_t)(segment->content.data - runtime->file.data);
        if (segment->is_writable) {
            ASSERT(segment->offset + segment->size <= CORE_RUNTIME_SIZE);
            uint64_t physical = CORE_RUNTIME + segment->offset;
            memset(machine->core + physical, 0, segment->size);
            memcpy(machine->core + physical, segment->content.data, segment->content.size);
            paging_map(machine, REGION_SYSTEM, offset, physical, segment->size,
                       PAGE_RIGHT_READ_WRITE_DIRTY);
            continue;
        }
        paging_map(machine, REGION_SYSTEM, offset, PHYSICAL_RUNTIME + at, segment->size,
                   segment->is_executable ? PAGE_RIGHT_READ_EXECUTE : PAGE_RIGHT_READ);
        shared = MAX(shared, round_up(at + segment->size, LAYOUT_PAGE_SIZE));
    }
    return machine_add_slot(machine, PHYSICAL_RUNTIME, (void *)(uintptr_t)runtime->file.data,
                            shared, true, error);
}

/* Nobody asks which of its pages were written: large entries spare tables. */
static void mailbox_map(struct machine *machine)
{
    const enum page_right warm = PAGE_RIGHT_READ_WRITE_DIRTY;
    uint64_t large = machine->mailbox_size & ~(LARGE_PAGE_SIZE - 1ull);
    paging_map_large(machine, REGION_MAILBOX, 0, PHYSICAL_MAILBOX, large, warm);
    if (machine->mailbox_size > large)
        paging_map(machine, REGION_MAILBOX, large, PHYSICAL_MAILBOX + large,
                   machine->mailbox_size - large, warm);
}

/* The first pages count as written; further ones note their first writes.  What lies beyond the
 * table that both share is in large pages until somebody touches it (reset.c). */
static void stacks_map(struct machine *machine)
{
    const enum page_right noted = PAGE_RIGHT_READ_WRITE, warm = PAGE_RIGHT_READ_WRITE_DIRTY;
    const uint64_t frames = REGION_STACKS_FRAMES, rest = LAYOUT_STACKS_FIRST - WARM_STACK_SIZE;
    const uint64_t first = LAYOUT_STACK_SIZE - LAYOUT_STACKS_FIRST;
    const struct {
        uint64_t offset, size;
        enum page_right right;
    } rows[] = {
        { first, rest, noted },
        { first + rest, WARM_STACK_SIZE, warm },
        { frames, WARM_FRAMES_SIZE, warm },
        { frames + WARM_FRAMES_SIZE, LAYOUT_STACKS_FIRST - WARM_FRAMES_SIZE, noted },
    };
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++)
        paging_map(machine, REGION_STACKS, rows[i].offset, CORE_STACKS + rows[i].offset,
                   rows[i].size, rows[i].right);
    paging_map_large(machine, REGION_STACKS, 0, CORE_STACKS, first, noted);
    paging_map_large(machine, REGION_STACKS, frames + LAYOUT_STACKS_FIRST,
                     CORE_STACKS + frames + LAYOUT_STACKS_FIRST,
                     LAYOUT_FRAMES_SIZE - LAYOUT_STACKS_FIRST, noted);
}

/* The first pages of what a program will use are mapped and counted as written.  Those that the
 * guest only reads are touched here, or KVM would map the zero page. */
static void windows_map(struct machine *machine)
{
    const enum page_right warm = PAGE_RIGHT_READ_WRITE_DIRTY;
    stacks_map(machine);
    paging_map(machine, REGION_MEMORY, 0, PHYSICAL_MEMORY, WARM_MEMORY_SIZE, warm);
    paging_map(machine, REGION_INSTANCE, 0, PHYSICAL_INSTANCE, WARM_INSTANCE_SIZE, warm);
    paging_map(machine, REGION_CODE, 0, CORE_CODE, WARM_CODE_SIZE, PAGE_RIGHT_READ_EXECUTE);
    paging_map(machine, REGION_RODATA, 0, CORE_RODATA, WARM_RODATA_SIZE, PAGE_RIGHT_READ);
    /* What no program fills later must not be executable zeros. */
    memset(machine->core + CORE_CODE, TRAP_BYTE, WARM_CODE_SIZE);
    for (uint64_t at = 0; at < WARM_RODATA_SIZE; at += LAYOUT_PAGE_SIZE)
        ((volatile uint8_t *)machine->core)[CORE_RODATA + at] = 0;
    machine->memory.size = WARM_MEMORY_SIZE;
    machine->instance.size = WARM_INSTANCE_SIZE;
}

/* From its start: what is not written of it, or all of it. */
static uint64_t runtime_size(bool with_data)
{
    const struct runtime *runtime = runtime_embedded();
    uint64_t end = 0;
    for (unsigned i = 0; i < runtime->segment_count; i++)
        if (with_data || !runtime->segments[i].is_writable)
            end = MAX(end, runtime->segments[i].offset + runtime->segments[i].size);
    return round_up(end, LAYOUT_PAGE_SIZE);
}

/* Enters once to touch every window, and compares the time stamp counters on the way. */
static bool machine_warm(struct machine *machine, struct error *error)
{
    const uint64_t windows[] = {
        LAYOUT_MEMORY,
        WARM_MEMORY_DATA | CONTROL_TOUCH_WRITE,
        LAYOUT_MEMORY + WARM_MEMORY_STACK,
        (uint64_t)(WARM_MEMORY_HEAP - WARM_MEMORY_STACK) | CONTROL_TOUCH_WRITE,
        LAYOUT_INSTANCE,
        WARM_INSTANCE_SIZE | CONTROL_TOUCH_WRITE,
        LAYOUT_STACK_END - WARM_STACK_SIZE,
        (uint64_t)WARM_STACK_SIZE | CONTROL_TOUCH_WRITE,
        LAYOUT_FRAMES,
        WARM_FRAMES_SIZE | CONTROL_TOUCH_WRITE,
        LAYOUT_MAILBOX,
        MIN(machine->mailbox_size, (uint64_t)WARM_MAILBOX_SIZE),
        LAYOUT_CODE,
        WARM_CODE_SIZE,
        LAYOUT_RODATA,
        WARM_RODATA_SIZE,
        LAYOUT_RUNTIME,
        runtime_size(false),
        LAYOUT_RUNTIME + runtime_size(false),
        (runtime_size(true) - runtime_size(false)) | CONTROL_TOUCH_WRITE,
    };
    struct control *control = (struct control *)(void *)(machine->core + CORE_CONTROL);
    struct event event;
    *control = (struct control){ .entry = ENTRY_TOUCH, .argument_count = ARRAY_COUNT(windows) };
    memcpy(control->arguments, windows, sizeof(windows));
    uint64_t before = __rdtsc();
    vcpu_enter(machine, &event);
    while (event.kind == EVENT_INTERRUPTED)
        vcpu_resume(machine, UINT64_MAX, &event);
    uint64_t after = __rdtsc();
    if (event.kind != EVENT_EXIT || event.reason != GUEST_EXIT_DONE)
        return error_set(error, ERROR_UNAVAILABLE,
                         "first entry of a micro-VM failed (event %d, reason %u, vector %u, code "
                         "%#llx, address %#llx)",
                         (int)event.kind, event.reason, event.vector,
                         (unsigned long long)event.code_address,
                         (unsigned long long)event.fault_address);
    machine->has_tsc = event.arguments[0] > before && event.arguments[0] < after;
    return true;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Of several samples the least: whatever else the machine does only adds to it. */
static void keep_least(uint64_t *least, uint64_t since_ns)
{
    uint64_t took_ns = now_ns() - since_ns;
    *least = *least == 0 ? took_ns : MIN(*least, took_ns);
}

/* New pages: for a guest small ones of linear memory that nobody touched yet, for the host a large
 * one. */
static bool pages_measure(struct machine *machine)
{
    struct control *control = (struct control *)(void *)(machine->core + CORE_CONTROL);
    const uint64_t from = WARM_MEMORY_HEAP, size = (uint64_t)FAULT_SAMPLES * LAYOUT_PAGE_SIZE;
    uint8_t *large = machine->memory.host + LARGE_PAGE_SIZE;
    uint64_t small_ns = 0, large_ns = 0;
    struct kvm *kvm = machine->kvm;
    bool is_measured = madvise(large, LARGE_PAGE_SIZE, MADV_HUGEPAGE) == 0 || errno == EINVAL;
    control->argument_count = 2;
    control->arguments[0] = LAYOUT_MEMORY + from;
    control->arguments[1] = size | CONTROL_TOUCH_WRITE;
    for (unsigned i = 0; is_measured && i < PAGE_SAMPLES; i++) {
        struct event event;
        uint64_t start = now_ns();
        *(volatile uint8_t *)large = 0;
        keep_least(&large_ns, start);
        start = now_ns();
        vcpu_enter(machine, &event);
        keep_least(&small_ns, start);
        is_measured = memory_forget(large, LARGE_PAGE_SIZE, true) &&
                      memory_forget(machine->memory.host + from, size, true);
    }
    small_ns -= MIN(small_ns, kvm->round_trip_ns);
    __atomic_store_n(&kvm->small_page_ns, small_ns / FAULT_SAMPLES, __ATOMIC_RELAXED);
    __atomic_store_n(&kvm->large_page_ns, large_ns, __ATOMIC_RELAXED);
    return is_measured;
}

/* Once per process: the median of a few entries that do nothing. */
static void round_trip_measure(struct machine *machine)
{
    struct control *control = (struct control *)(void *)(machine->core + CORE_CONTROL);
    uint64_t times[ROUND_TRIP_SAMPLES] = { 0 };
    struct event event;
    control->argument_count = 0;
    for (unsigned i = 0; i < ROUND_TRIP_SAMPLES; i++) {
        uint64_t start = now_ns(), took_ns;
        vcpu_enter(machine, &event);
        if (event.kind != EVENT_EXIT)
            return;
        took_ns = now_ns() - start;
        unsigned at = i;
        for (; at > 0 && times[at - 1] > took_ns; at--)
            times[at] = times[at - 1];
        times[at] = took_ns;
    }
    __atomic_store_n(&machine->kvm->round_trip_ns, times[ROUND_TRIP_SAMPLES / 2], __ATOMIC_RELAXED);
}

static bool mailbox_add(struct machine *machine, struct error *error)
{
    mailbox_map(machine);
    return machine_add_slot(machine, PHYSICAL_MAILBOX, machine->mailbox, machine->mailbox_size,
                            false, error);
}

bool memory_attach(struct machine *machine, void *mailbox, size_t mailbox_size, struct error *error)
{
    machine->mailbox = mailbox;
    machine->mailbox_size = mailbox_size;
    return mailbox_add(machine, error);
}

bool memory_open(struct machine *machine, struct error *error)
{
    machine->memory = (struct growing_part){ .region = REGION_MEMORY,
                                             .physical = PHYSICAL_MEMORY,
                                             .reserved = MEMORY_SIZE_MAX + LARGE_PAGE_SIZE };
    machine->instance = (struct growing_part){ .region = REGION_INSTANCE,
                                               .physical = PHYSICAL_INSTANCE,
                                               .reserved = LAYOUT_INSTANCE_SIZE_MAX };
    /* Addresses are all taken now: a process that enters guests may ask for none later. */
    machine->scratch = (struct growing_part){ .region = REGION_SCRATCH,
                                              .physical = PHYSICAL_SCRATCH,
                                              .reserved = LAYOUT_SCRATCH_SIZE_MAX,
                                              .is_learned = true };
    if (!reserve_memory(&machine->core, CORE_SIZE, error) ||
        !reserve_memory(&machine->memory.host, machine->memory.reserved, error) ||
        !reserve_memory(&machine->instance.host, machine->instance.reserved, error) ||
        !reserve_memory(&machine->scratch.host, machine->scratch.reserved, error) ||
        !machine_add_slot(machine, 0, machine->core, CORE_SIZE, false, error) ||
        (machine->mailbox_size != 0 && !mailbox_add(machine, error)) ||
        !machine_cover(machine, &machine->memory, WINDOW_MEMORY_SIZE, error) ||
        !machine_cover(machine, &machine->instance, WINDOW_INSTANCE_SIZE, error))
        return false;
    paging_init(machine);
    stub_write(machine);
    windows_map(machine);
    if (!runtime_map(machine, error) || !vcpu_open(machine, error) || !machine_warm(machine, error))
        return false;
    if (__atomic_load_n(&machine->kvm->round_trip_ns, __ATOMIC_RELAXED) != 0)
        return true;
    round_trip_measure(machine);
    return pages_measure(machine) || error_system(error, "take pages from a micro-VM");
}

bool memory_forget(uint8_t *host, uint64_t size, bool empty)
{
    if (size == 0)
        return true;
    if (empty)
        return madvise(host, size, MADV_DONTNEED) == 0;
    return mprotect(host, size, PROT_READ) == 0 &&
           mprotect(host, size, PROT_READ | PROT_WRITE) == 0;
}

/* Maps new pages; all count as written, which makes first writes cheap, until a reset has learned
 * which are. */
static void part_map(struct machine *machine, const struct growing_part *part, uint64_t from,
                     uint64_t end)
{
    while (from < end) {
        uint64_t next = MIN(round_up(from + 1, LARGE_PAGE_SIZE), end);
        bool is_large = part->region == REGION_MEMORY && (from != 0 || part->passed != 0) &&
                        from % LARGE_PAGE_SIZE == 0 && next - from == LARGE_PAGE_SIZE;
        if (is_large) {
            next = end / LARGE_PAGE_SIZE * LARGE_PAGE_SIZE;
            paging_map_large(machine, REGION_MEMORY, from, part->physical + from, next - from,
                             PAGE_RIGHT_READ_WRITE_DIRTY);
            /* Without huge pages behind them they still work, only slower. */
            (void)madvise(part->host + from, next - from, MADV_HUGEPAGE);
        } else {
            paging_map(machine, part->region, from, part->physical + from, next - from,
                       PAGE_RIGHT_READ_WRITE_DIRTY);
        }
        from = next;
    }
}

/* Makes a part exactly `size` bytes long for the guest; new pages are zero. */
static bool part_resize(struct machine *machine, struct growing_part *part, uint64_t size,
                        struct error *error)
{
    size = round_up(size, LAYOUT_PAGE_SIZE);
    if (!machine_cover(machine, part, size, error))
        return false;
    if (size < part->size) {
        paging_unmap(machine, part->region, size, part->size - size);
        if (!memory_forget(part->host + size, part->size - size, false))
            return error_system(error, "take pages from a micro-VM");
    }
    part_map(machine, part, part->size, size);
    part->size = size;
    return true;
}

static void part_fill(const struct growing_part *part, const struct part_template *content)
{
    for (uint64_t page = 0; page * LAYOUT_PAGE_SIZE < content->size; page++)
        if (part_template_has(content, page))
            memcpy(part->host + page * LAYOUT_PAGE_SIZE, content->data + page * LAYOUT_PAGE_SIZE,
                   LAYOUT_PAGE_SIZE);
}

/* Copied into the windows. */
static void image_copy(struct machine *machine, const struct image *image)
{
    struct bytes code = image->sections[IMAGE_CODE], rodata = image->sections[IMAGE_RODATA];
    memcpy(machine->core + CORE_CODE, code.data, code.size);
    memcpy(machine->core + CORE_RODATA, rodata.data, rodata.size);
    paging_map(machine, REGION_CODE, 0, CORE_CODE, code.size, PAGE_RIGHT_READ_EXECUTE);
    paging_map(machine, REGION_RODATA, 0, CORE_RODATA, rodata.size, PAGE_RIGHT_READ);
}

/* Mapped from the program's text, which outlives the machine. */
static bool image_map(struct machine *machine, const struct program *program, struct error *error)
{
    const struct program_text *text = program_text(program);
    if (!machine_add_slot(machine, PHYSICAL_IMAGE, text->host, text->size, true, error))
        return false;
    /* The windows' present entries are about to change under KVM's shadow. */
    paging_unmap(machine, REGION_CODE, 0, WARM_CODE_SIZE);
    paging_unmap(machine, REGION_RODATA, 0, WARM_RODATA_SIZE);
    if (!memory_forget(machine->core + CORE_CODE, WINDOW_CODE_SIZE + WINDOW_RODATA_SIZE, true))
        return error_system(error, "clear the code window");
    paging_map_large(machine, REGION_CODE, 0, PHYSICAL_IMAGE, text->rodata_offset,
                     PAGE_RIGHT_READ_EXECUTE);
    paging_map(machine, REGION_RODATA, 0, PHYSICAL_IMAGE + text->rodata_offset,
               text->size - text->rodata_offset, PAGE_RIGHT_READ);
    return true;
}

bool memory_scratch(struct machine *machine, uint64_t size)
{
    struct growing_part *part = &machine->scratch;
    struct error error;
    if (size > LAYOUT_SCRATCH_SIZE_MAX)
        return false;
    size = round_up(MAX(size, 2 * part->size), SCRATCH_STEP_SIZE);
    size = MIN(size, (uint64_t)LAYOUT_SCRATCH_SIZE_MAX);
    if (!machine_cover(machine, part, size, &error))
        return false;
    paging_map(machine, REGION_SCRATCH, part->size, part->physical + part->size, size - part->size,
               PAGE_RIGHT_READ_WRITE);
    /* Whoever writes much takes huge pages; without them it works, only slower. */
    if (size - part->size >= LARGE_PAGE_SIZE)
        (void)madvise(part->host + part->size, size - part->size, MADV_HUGEPAGE);
    part->size = size;
    return true;
}

/* The archive as it lies in its file, in large pages as far as they are whole. */
static bool files_map(struct machine *machine, struct bytes files, struct error *error)
{
    uint64_t size = round_up(files.size, LAYOUT_PAGE_SIZE),
             large = size & ~(LARGE_PAGE_SIZE - 1ull);
    if (files.size == 0)
        return true;
    if (large != 0)
        paging_map_large(machine, REGION_FILES, 0, PHYSICAL_FILES, large, PAGE_RIGHT_READ);
    if (size != large)
        paging_map(machine, REGION_FILES, large, PHYSICAL_FILES + large, size - large,
                   PAGE_RIGHT_READ);
    return machine_add_slot(machine, PHYSICAL_FILES, (void *)(uintptr_t)files.data, size, true,
                            error);
}

/* A native function's null pointers fault; the pages were mapped when the shell was made. */
static bool guard_map(struct machine *machine, const struct image *image, struct error *error)
{
    if ((image->header.flags & IMAGE_IS_NATIVE) == 0)
        return true;
    machine->memory.guard = NATIVE_GUARD_SIZE;
    paging_unmap(machine, REGION_MEMORY, 0, NATIVE_GUARD_SIZE);
    return memory_forget(machine->memory.host, NATIVE_GUARD_SIZE, false) ||
           error_system(error, "take pages from a micro-VM");
}

/* Whether one page for the first 2 MiB is cheaper than those that hold something at the start. */
static bool wants_large(const struct machine *machine, const struct part_template *memory)
{
    uint64_t count = 0;
    for (uint64_t page = 0; page < LARGE_PAGE_SIZE / LAYOUT_PAGE_SIZE; page++)
        count += part_template_has(memory, page);
    return count * __atomic_load_n(&machine->kvm->small_page_ns, __ATOMIC_RELAXED) >
           __atomic_load_n(&machine->kvm->large_page_ns, __ATOMIC_RELAXED);
}

/* Memory of 2 MiB or more may start behind the pages that were touched ahead of need, so that its
 * first 2 MiB can be one page, too. */
static bool memory_pass(struct machine *machine, const struct program *program, struct error *error)
{
    struct growing_part *memory = &machine->memory;
    const struct part_template *content = program_template(program, PART_MEMORY);
    if (content->size < LARGE_PAGE_SIZE ||
        (program_image(program)->header.flags & IMAGE_IS_NATIVE) != 0 ||
        !wants_large(machine, content))
        return true;
    paging_unmap(machine, REGION_MEMORY, 0, memory->size);
    if (!memory_forget(memory->host, memory->size, true))
        return error_system(error, "take pages from a micro-VM");
    memory->size = 0;
    memory->passed = LARGE_PAGE_SIZE;
    memory->host += memory->passed;
    memory->physical += memory->passed;
    memory->covered -= memory->passed;
    memory->reserved -= memory->passed;
    return true;
}

bool memory_load(struct machine *machine, const struct program *program, struct error *error)
{
    const struct part_template *memory = program_template(program, PART_MEMORY);
    const struct part_template *instance = program_template(program, PART_INSTANCE);
    const struct part_template *scratch = program_template(program, PART_SCRATCH);
    if (scratch->size != 0 && !memory_scratch(machine, scratch->size))
        return error_set(error, ERROR_NO_MEMORY, "no memory for a program's files");
    if (program_text(program) == NULL)
        image_copy(machine, program_image(program));
    else if (!image_map(machine, program, error))
        return false;
    if (!memory_pass(machine, program, error) ||
        !part_resize(machine, &machine->memory, memory->size, error) ||
        !part_resize(machine, &machine->instance, MAX(instance->size, (uint64_t)WARM_INSTANCE_SIZE),
                     error) ||
        !guard_map(machine, program_image(program), error))
        return false;
    part_fill(&machine->memory, memory);
    part_fill(&machine->instance, instance);
    part_fill(&machine->scratch, scratch);
    return files_map(machine, program_files(program), error);
}

bool memory_grow(struct machine *machine, uint64_t size)
{
    struct error error;
    if (size < machine->memory.size || size > MEMORY_SIZE_MAX)
        return false;
    return part_resize(machine, &machine->memory, size, &error);
}
