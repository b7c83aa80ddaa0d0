/* SPDX-License-Identifier: Apache-2.0 */
/* What stands where in a machine's memory: made and touched ahead of need, filled by a program,
 * grown while it runs. */
#include "core/checked.h"
#include "slipstream/kvm.h"

#include "abi/control.h"
#include "abi/native.h"
#include "slipstream/reserve.h"
#include "slipstream/runtime.h"

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
        munmap(machine->memory.host, machine->memory.reserved);
    if (machine->instance.host != NULL)
        munmap(machine->instance.host, machine->instance.reserved);
    if (machine->scratch.host != NULL)
        munmap(machine->scratch.host, machine->scratch.reserved);
}

static void runtime_map(struct machine *machine)
{
    const struct runtime *runtime = runtime_embedded();
    for (unsigned i = 0; i < runtime->segment_count; i++) {
        const struct runtime_segment *segment = &runtime->segments[i];
        ASSERT(segment->offset + segment->size <= CORE_RUNTIME_SIZE);
        enum page_right right = segment->is_executable ? PAGE_RIGHT_READ_EXECUTE
                                : segment->is_writable ? PAGE_RIGHT_READ_WRITE_DIRTY
                                                       : PAGE_RIGHT_READ;
        uint64_t physical = CORE_RUNTIME + segment->offset;
        memcpy(machine->core + physical, segment->content.data, segment->content.size);
        paging_map(machine, REGION_RUNTIME, segment->offset, physical, segment->size, right);
    }
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

/* The first pages of what a program will use are mapped and counted as written; the rest of both
 * stacks notes its first writes. */
static void windows_map(struct machine *machine)
{
    const enum page_right warm = PAGE_RIGHT_READ_WRITE_DIRTY;
    const uint64_t stack_rest = LAYOUT_STACK_SIZE - WARM_STACK_SIZE;
    paging_map(machine, REGION_STACK, REGION_STACK_SKEW, CORE_STACK, stack_rest,
               PAGE_RIGHT_READ_WRITE);
    paging_map(machine, REGION_STACK, REGION_STACK_SKEW + stack_rest, CORE_STACK + stack_rest,
               WARM_STACK_SIZE, warm);
    paging_map(machine, REGION_FRAMES, REGION_FRAMES_SKEW, CORE_FRAMES, WARM_FRAMES_SIZE, warm);
    paging_map(machine, REGION_FRAMES, REGION_FRAMES_SKEW + WARM_FRAMES_SIZE,
               CORE_FRAMES + WARM_FRAMES_SIZE, LAYOUT_FRAMES_SIZE - WARM_FRAMES_SIZE,
               PAGE_RIGHT_READ_WRITE);
    paging_map(machine, REGION_MEMORY, 0, PHYSICAL_MEMORY, WARM_MEMORY_SIZE, warm);
    paging_map(machine, REGION_INSTANCE, 0, PHYSICAL_INSTANCE, WARM_INSTANCE_SIZE, warm);
    paging_map(machine, REGION_CODE, 0, CORE_CODE, WARM_CODE_SIZE, PAGE_RIGHT_READ_EXECUTE);
    paging_map(machine, REGION_RODATA, 0, CORE_RODATA, WARM_RODATA_SIZE, PAGE_RIGHT_READ);
    mailbox_map(machine);
    /* What no program fills later must not be executable zeros. */
    memset(machine->core + CORE_CODE, TRAP_BYTE, WARM_CODE_SIZE);
    machine->memory.size = WARM_MEMORY_SIZE;
    machine->instance.size = WARM_INSTANCE_SIZE;
}

/* Enters once to touch every window, and compares the time stamp counters on the way. */
static bool machine_warm(struct machine *machine, struct error *error)
{
    const uint64_t windows[] = {
        LAYOUT_MEMORY,
        WARM_MEMORY_SIZE | CONTROL_TOUCH_WRITE,
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

bool memory_open(struct machine *machine, struct error *error)
{
    machine->memory = (struct growing_part){ .region = REGION_MEMORY,
                                             .physical = PHYSICAL_MEMORY,
                                             .reserved = MEMORY_SIZE_MAX };
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
        !machine_add_slot(machine, PHYSICAL_MAILBOX, machine->mailbox, machine->mailbox_size, false,
                          error) ||
        !machine_cover(machine, &machine->memory, WINDOW_MEMORY_SIZE, error) ||
        !machine_cover(machine, &machine->instance, WINDOW_INSTANCE_SIZE, error))
        return false;
    paging_init(machine);
    stub_write(machine);
    runtime_map(machine);
    windows_map(machine);
    if (!vcpu_open(machine, error) || !machine_warm(machine, error))
        return false;
    if (__atomic_load_n(&machine->kvm->round_trip_ns, __ATOMIC_RELAXED) == 0)
        round_trip_measure(machine);
    return true;
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
        bool is_large = part->region == REGION_MEMORY && from != 0 && from % LARGE_PAGE_SIZE == 0 &&
                        next - from == LARGE_PAGE_SIZE;
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
    if (!memory_forget(machine->core + CORE_CODE, CORE_SIZE - CORE_CODE, true))
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
    if (!part_resize(machine, &machine->memory, memory->size, error) ||
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
