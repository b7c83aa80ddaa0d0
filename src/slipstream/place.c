/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/place.h"

#include "abi/layout.h"
#include "core/checked.h"
#include "slipstream/gate.h"
#include "slipstream/limits.h"
#include "slipstream/runtime.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* The address sanitizer keeps its own tables where the layout is. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER true
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER true
#endif
#if !defined(HAS_SANITIZER)
#define HAS_SANITIZER false
#endif

static struct place the_place;

static void *at_address(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

/* Fresh zeros at a fixed address that nothing else has. */
static bool region_map(uint64_t address, uint64_t size, int rights, struct error *error)
{
    void *at = mmap(at_address(address), size, rights,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (at == at_address(address))
        return true;
    if (at != MAP_FAILED) {
        munmap(at, size);
        errno = EEXIST;
    }
    if (errno == EEXIST)
        return error_set(error, ERROR_UNSUPPORTED,
                         "address %#llx, where compiled code stands, is taken in this process",
                         (unsigned long long)address);
    return error_system(error, "map %llu bytes at %#llx", (unsigned long long)size,
                        (unsigned long long)address);
}

/* The same memory once more at `address`; it must be shared memory. */
static bool alias_map(uint64_t address, void *memory, uint64_t size, int rights,
                      struct error *error)
{
    void *at = mremap(memory, 0, size, MREMAP_MAYMOVE | MREMAP_FIXED, at_address(address));
    if (at == MAP_FAILED)
        return error_system(error, "map shared memory at %#llx", (unsigned long long)address);
    return mprotect(at, size, rights) == 0 || error_system(error, "protect shared memory");
}

static bool control_map(struct place *place, struct error *error)
{
    void *control =
        mmap(NULL, LAYOUT_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (control == MAP_FAILED)
        return error_system(error, "make the control page");
    place->control = control;
    return region_map(LAYOUT_CONTROL, LAYOUT_PAGE_SIZE, PROT_NONE, error) &&
           alias_map(LAYOUT_CONTROL, control, LAYOUT_PAGE_SIZE, PROT_READ, error);
}

static int rights_of(const struct runtime_segment *segment)
{
    return segment->is_executable ? PROT_READ | PROT_EXEC
           : segment->is_writable ? PROT_READ | PROT_WRITE
                                  : PROT_READ;
}

static bool runtime_map(struct error *error)
{
    const struct runtime *runtime = runtime_embedded();
    for (unsigned i = 0; i < runtime->segment_count; i++) {
        const struct runtime_segment *segment = &runtime->segments[i];
        uint64_t address = LAYOUT_RUNTIME + segment->offset;
        uint64_t size = round_up(segment->size, LAYOUT_PAGE_SIZE);
        if (!region_map(address, size, PROT_READ | PROT_WRITE, error))
            return false;
        memcpy(at_address(address), segment->content.data, segment->content.size);
        if (mprotect(at_address(address), size, rights_of(segment)) != 0)
            return error_system(error, "protect the runtime");
    }
    return true;
}

uint8_t *place_runtime(uint64_t *size)
{
    const struct runtime *runtime = runtime_embedded();
    for (unsigned i = 0; i < runtime->segment_count; i++) {
        if (!runtime->segments[i].is_writable)
            continue;
        *size = runtime->segments[i].size;
        return at_address(LAYOUT_RUNTIME + runtime->segments[i].offset);
    }
    *size = 0;
    return NULL;
}

void place_reset_runtime(void)
{
    const struct runtime *runtime = runtime_embedded();
    for (unsigned i = 0; i < runtime->segment_count; i++) {
        const struct runtime_segment *segment = &runtime->segments[i];
        uint8_t *at = at_address(LAYOUT_RUNTIME + segment->offset);
        if (!segment->is_writable)
            continue;
        memcpy(at, segment->content.data, segment->content.size);
        memset(at + segment->content.size, 0,
               round_up(segment->size, LAYOUT_PAGE_SIZE) - segment->content.size);
    }
}

static bool stacks_track(struct place *place, struct error *error)
{
    const uint64_t stack_pages = LAYOUT_STACK_SIZE / LAYOUT_PAGE_SIZE;
    /* Whoever needs more gets it by a fault, once. */
    const uint64_t warm_pages = 1;
    return tracked_begin(&place->stack, stack_pages - warm_pages, warm_pages, error) &&
           tracked_begin(&place->frames, 0, warm_pages, error) &&
           tracked_begin(&place->scratch, 0, 0, error);
}

static bool stacks_map(struct place *place, struct error *error)
{
    const int rights = PROT_READ | PROT_WRITE;
    const struct restoring_costs unknown = { 0 };
    place->restoring = restoring_choose(RESTORING_AUTO, &unknown);
    if (!region_map(LAYOUT_STACK, LAYOUT_STACK_SIZE, rights, error) ||
        !region_map(LAYOUT_FRAMES, LAYOUT_FRAMES_SIZE, rights, error) ||
        !tracked_init(&place->stack, at_address(LAYOUT_STACK), LAYOUT_STACK_SIZE, &place->restoring,
                      error) ||
        !tracked_init(&place->frames, at_address(LAYOUT_FRAMES), LAYOUT_FRAMES_SIZE,
                      &place->restoring, error) ||
        !region_map(LAYOUT_SCRATCH, LAYOUT_SCRATCH_SIZE_MAX, rights, error) ||
        !tracked_init(&place->scratch, at_address(LAYOUT_SCRATCH), LAYOUT_SCRATCH_SIZE_MAX,
                      &place->restoring, error))
        return false;
    place->stack.grows_down = true;
    return stacks_track(place, error);
}

bool place_restore_by(struct place *place, const struct restoring *restoring, struct error *error)
{
    place->restoring = *restoring;
    if (restoring->way != RESTORING_DISCARD)
        return stacks_track(place, error);
    return tracked_end(&place->stack, error) && tracked_end(&place->frames, error) &&
           tracked_end(&place->scratch, error);
}

static void region_unmap(uint64_t address, uint64_t *size)
{
    if (*size != 0)
        munmap(at_address(address), *size);
    *size = 0;
}

static void place_empty(struct place *place)
{
    region_unmap(LAYOUT_INSTANCE, &place->instance_size);
    region_unmap(LAYOUT_CODE, &place->code_size);
    region_unmap(LAYOUT_RODATA, &place->rodata_size);
    region_unmap(LAYOUT_MAILBOX, &place->mailbox_size);
    region_unmap(LAYOUT_FILES, &place->files_size);
}

static void place_unmap(struct place *place)
{
    const struct runtime *runtime = runtime_embedded();
    place_empty(place);
    for (unsigned i = 0; i < runtime->segment_count; i++)
        munmap(at_address(LAYOUT_RUNTIME + runtime->segments[i].offset),
               round_up(runtime->segments[i].size, LAYOUT_PAGE_SIZE));
    munmap(at_address(LAYOUT_CONTROL), LAYOUT_PAGE_SIZE);
    munmap(at_address(LAYOUT_STACK), LAYOUT_STACK_SIZE);
    munmap(at_address(LAYOUT_FRAMES), LAYOUT_FRAMES_SIZE);
    munmap(at_address(LAYOUT_SCRATCH), LAYOUT_SCRATCH_SIZE_MAX);
    if (place->control != NULL)
        munmap(place->control, LAYOUT_PAGE_SIZE);
    tracked_done(&place->stack);
    tracked_done(&place->frames);
    tracked_done(&place->scratch);
    *place = (struct place){ 0 };
}

bool place_open(struct place **made, struct error *error)
{
    struct place *place = &the_place;
    if (HAS_SANITIZER)
        return error_set(error, ERROR_UNSUPPORTED,
                         "the process backend's addresses are the sanitizer's in this build");
    if (place->references == 0 &&
        (!control_map(place, error) || !runtime_map(error) || !stacks_map(place, error)))
        return error_within(error, "process backend"); /* what stands there may not be ours */
    place->references++;
    *made = place;
    return true;
}

bool place_renew(struct error *error)
{
    munmap(at_address(LAYOUT_CONTROL), LAYOUT_PAGE_SIZE);
    munmap(the_place.control, LAYOUT_PAGE_SIZE);
    return control_map(&the_place, error);
}

void place_close(struct place *place)
{
    if (place != NULL && --place->references == 0)
        place_unmap(place);
}

/* Small parts are copied, which is quicker than mapping them; large ones are mapped from the image
 * file, which all processes share. */
static bool section_map(uint64_t address, struct bytes content, uint64_t *mapped, int rights,
                        struct error *error)
{
    uint64_t size = round_up(content.size, LAYOUT_PAGE_SIZE);
    if (size == 0)
        return true;
    if (content.size > WINDOW_CODE_SIZE) {
        *mapped = size;
        return alias_map(address, (void *)(uintptr_t)content.data, size, rights, error);
    }
    if (!region_map(address, size, PROT_READ | PROT_WRITE, error))
        return false;
    *mapped = size;
    memcpy(at_address(address), content.data, content.size);
    /* What is executable but no code must be no zeros. */
    if ((rights & PROT_EXEC) != 0)
        memset((uint8_t *)at_address(address) + content.size, TRAP_BYTE, size - content.size);
    return mprotect(at_address(address), size, rights) == 0 ||
           error_system(error, "protect the program");
}

static bool program_map(struct place *place, const struct program *program, struct error *error)
{
    const struct image *image = program_image(program);
    uint64_t instance_size =
        round_up(program_template(program, PART_INSTANCE)->size, LAYOUT_PAGE_SIZE);
    if (!region_map(LAYOUT_INSTANCE, instance_size, PROT_READ | PROT_WRITE, error))
        return false;
    place->instance_size = instance_size;
    return section_map(LAYOUT_CODE, image->sections[IMAGE_CODE], &place->code_size,
                       PROT_READ | PROT_EXEC, error) &&
           section_map(LAYOUT_RODATA, image->sections[IMAGE_RODATA], &place->rodata_size, PROT_READ,
                       error);
}

bool place_fill(struct place *place, const struct program *program, void *mailbox,
                uint64_t mailbox_size, struct error *error)
{
    place_empty(place);
    place_reset_runtime();
    if (!place_reset_stacks(place, error) || !place_reset_scratch(place, program, error) ||
        (program != NULL && !program_map(place, program, error)))
        return error_within(error, "map the program");
    struct bytes files = program_files(program);
    place->files_size = round_up(files.size, LAYOUT_PAGE_SIZE);
    if (files.size != 0 && !alias_map(LAYOUT_FILES, (void *)(uintptr_t)files.data,
                                      place->files_size, PROT_READ, error))
        return error_within(error, "files");
    place->mailbox_size = mailbox_size;
    return alias_map(LAYOUT_MAILBOX, mailbox, mailbox_size, PROT_READ | PROT_WRITE, error) ||
           error_within(error, "mailbox");
}

bool place_reset_stacks(struct place *place, struct error *error)
{
    static const struct part_template zeros;
    return tracked_reset(&place->stack, &zeros, false, error) &&
           tracked_reset(&place->frames, &zeros, false, error);
}

bool place_reset_scratch(struct place *place, const struct program *program, struct error *error)
{
    const struct part_template *content = program_template(program, PART_SCRATCH);
    if (!tracked_reset(&place->scratch, content, false, error))
        return false;
    for (uint64_t page = 0; page * LAYOUT_PAGE_SIZE < content->size; page++)
        if (part_template_has(content, page) &&
            !tracked_put(&place->scratch, page, content->data + page * LAYOUT_PAGE_SIZE))
            return error_system(error, "restore files");
    return true;
}
