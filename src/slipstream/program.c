/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/program.h"

#include "abi/files.h"
#include "abi/layout.h"
#include "base/file.h"
#include "core/checked.h"
#include "slipstream/deadline.h"
#include "slipstream/limits.h"
#include "slipstream/profile.h"
#include "slipstream/reserve.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

bool part_template_has(const struct part_template *part, uint64_t page)
{
    if (page * LAYOUT_PAGE_SIZE >= part->size)
        return false;
    return (part->marks[page / 64] >> page % 64 & 1) != 0;
}

static void template_done(struct part_template *part)
{
    if (part->data != NULL)
        munmap(part->data, round_up(part->size, LAYOUT_PAGE_SIZE));
    free(part->marks);
    *part = (struct part_template){ 0 };
}

static bool template_init(struct part_template *part, uint64_t size, struct error *error)
{
    uint64_t pages = round_up(size, LAYOUT_PAGE_SIZE) / LAYOUT_PAGE_SIZE;
    struct part_template made = { .size = size };
    if (size == 0)
        return true;
    made.marks = calloc(pages / 64 + 1, sizeof(uint64_t));
    if (made.marks == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a snapshot");
    void *data = mmap(NULL, pages * LAYOUT_PAGE_SIZE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED) {
        free(made.marks);
        return error_system(error, "snapshot of %llu bytes", (unsigned long long)size);
    }
    made.data = data;
    *part = made;
    return true;
}

/* Copies bytes in and marks the pages that hold something. */
static void template_put(struct part_template *part, uint64_t at, struct bytes bytes)
{
    while (bytes.size > 0) {
        uint64_t page = at / LAYOUT_PAGE_SIZE;
        size_t size = MIN(bytes.size, (size_t)(LAYOUT_PAGE_SIZE - at % LAYOUT_PAGE_SIZE));
        bool is_zero = bytes.data[0] == 0 && memcmp(bytes.data, bytes.data + 1, size - 1) == 0;
        if (!is_zero) {
            memcpy(part->data + at, bytes.data, size);
            part->marks[page / 64] |= 1ull << page % 64;
        }
        at += size;
        bytes = bytes_part(bytes, size, bytes.size - size);
    }
}

static bool templates_build(struct program *program, struct error *error)
{
    const struct image *image = &program->image;
    if (!template_init(&program->memory, image->header.memory_size, error) ||
        !template_init(&program->instance, image->header.instance_size, error))
        return false;
    template_put(&program->instance, 0, image->sections[IMAGE_INSTANCE]);
    for (size_t i = 0; i < image_count(image, IMAGE_MEMORY_RUNS); i++) {
        struct image_run run = image_run_at(image, i);
        template_put(&program->memory, run.address,
                     bytes_part(image->sections[IMAGE_MEMORY], run.offset, run.size));
    }
    return true;
}

/* Copied out of the file, so that huge pages can be behind it: then a large program meets no page
 * faults in its code, and few misses in translating it. */
static bool text_build(struct program *program, struct error *error)
{
    struct bytes code = program->image.sections[IMAGE_CODE];
    struct bytes rodata = program->image.sections[IMAGE_RODATA];
    struct program_text text = { .rodata_offset = round_up(code.size, LARGE_PAGE_SIZE) };
    if (rodata.size > LAYOUT_RODATA_SIZE_MAX - INSTANCE_GUARD_SIZE)
        return error_set(error, ERROR_LIMIT, "read-only data of %zu bytes is too large",
                         rodata.size);
    if (code.size <= WINDOW_CODE_SIZE && rodata.size <= WINDOW_RODATA_SIZE)
        return true;
    text.size = text.rodata_offset + round_up(rodata.size, LAYOUT_PAGE_SIZE);
    if (!reserve_memory(&text.host, text.size, error))
        return error_within(error, "code of a large program");
    (void)madvise(text.host, text.rodata_offset, MADV_HUGEPAGE);
    memcpy(text.host, code.data, code.size);
    memset(text.host + code.size, TRAP_BYTE, text.rodata_offset - code.size);
    memcpy(text.host + text.rodata_offset, rodata.data, rodata.size);
    program->text = text;
    return mprotect(text.host, text.size, PROT_READ) == 0 ||
           error_system(error, "protect code of a large program");
}

static bool program_build(struct program *program, int descriptor, struct error *error)
{
    const char *reason = "";
    if (!file_map(&program->mapping, descriptor, error))
        return false;
    if (!image_parse(&program->image, program->mapping, &reason))
        return error_set(error, ERROR_INVALID, "not a compiled image: %s", reason);
    if (program->image.header.instance_size < sizeof(struct instance))
        return error_set(error, ERROR_INVALID, "not a compiled image: no instance");
    if (!text_build(program, error))
        return false;
    return templates_build(program, error);
}

bool program_open(struct program **made, int descriptor, struct error *error)
{
    struct program *program = calloc(1, sizeof(*program));
    if (program == NULL)
        return error_system(error, "program");

    program->references = 1;
    pthread_mutex_init(&program->lock, NULL);
    if (!program_build(program, descriptor, error)) {
        program_close(program);
        return false;
    }
    program->profile = profile_new(&program->image, NULL);
    *made = program;
    return true;
}

void program_share_samples(struct program *program, struct profile_samples *samples)
{
    profile_free(program->profile);
    program->profile = profile_new(&program->image, samples);
}

void program_sample_begin(const struct program *program)
{
    deadline_sample(program != NULL && profile_is_open(program->profile));
}

void program_sample(struct program *program, uint64_t code_address)
{
    if (program != NULL && code_address != 0)
        profile_add(program->profile, &program->image, code_address);
}

struct program *program_share(struct program *program)
{
    __atomic_add_fetch(&program->references, 1, __ATOMIC_RELAXED);
    return program;
}

void program_close(struct program *program)
{
    if (program == NULL || __atomic_sub_fetch(&program->references, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    template_done(&program->memory);
    template_done(&program->instance);
    template_done(&program->scratch);
    if (program->text.host != NULL)
        munmap(program->text.host, program->text.size);
    file_unmap(&program->mapping);
    file_unmap(&program->files);
    profile_free(program->profile);
    pthread_mutex_destroy(&program->lock);
    free(program);
}

const struct program_text *program_text(const struct program *program)
{
    return program->text.host != NULL ? &program->text : NULL;
}

bool program_add_files(struct program *program, int descriptor, struct error *error)
{
    struct files files;
    const char *reason = "";
    if (!file_map(&program->files, descriptor, error))
        return error_within(error, "files of a function");
    if (files_parse(&files, program->files, &reason))
        return true;
    file_unmap(&program->files);
    return error_set(error, ERROR_INVALID, "not an archive of files: %s", reason);
}

struct bytes program_files(const struct program *program)
{
    return program == NULL ? (struct bytes){ 0 } : program->files;
}

const struct image *program_image(const struct program *program)
{
    return &program->image;
}

const struct part_template *program_template(const struct program *program, enum part part)
{
    static const struct part_template zero;
    return program == NULL         ? &zero
           : part == PART_MEMORY   ? &program->memory
           : part == PART_INSTANCE ? &program->instance
           : part == PART_SCRATCH  ? &program->scratch
                                   : &zero;
}

/* In this process, or in the room of another. */
static bool template_make(const struct program *program, enum room_part part,
                          struct part_template *made, uint64_t size, struct error *error)
{
    return program->room != NULL ? room_take(program->room, part, size, made, error)
                                 : template_init(made, size, error);
}

bool program_freeze(struct program *program, const struct backend *backend,
                    const struct machine *machine, struct error *error)
{
    struct part_template memory = { 0 }, instance = { 0 }, scratch = { 0 };
    uint64_t memory_size, instance_size, scratch_size;
    uint8_t *memory_at = backend->machine_part(machine, PART_MEMORY, &memory_size);
    uint8_t *instance_at = backend->machine_part(machine, PART_INSTANCE, &instance_size);
    const uint8_t *scratch_at = backend->machine_part(machine, PART_SCRATCH, &scratch_size);
    instance_size = program->instance.size;
    if (!template_make(program, ROOM_MEMORY, &memory, memory_size, error) ||
        !template_make(program, ROOM_INSTANCE, &instance, instance_size, error) ||
        !template_make(program, ROOM_SCRATCH, &scratch, scratch_size, error)) {
        if (program->room == NULL) {
            template_done(&memory);
            template_done(&instance);
        }
        return false;
    }
    template_put(&memory, 0, bytes_of(memory_at, memory_size));
    template_put(&instance, 0, bytes_of(instance_at, instance_size));
    template_put(&scratch, 0, bytes_of(scratch_at, scratch_size));
    /* With a room this process ends soon, and may give no memory back. */
    if (program->room == NULL) {
        template_done(&program->memory);
        template_done(&program->instance);
        template_done(&program->scratch);
    }
    program->scratch = scratch;
    program->memory = memory;
    program->instance = instance;
    program->is_frozen = true;
    return true;
}

/* A copy of our own: whoever wrote the room may have kept a hand on it. */
static bool template_copy(struct part_template *copy, const struct part_template *from,
                          struct error *error)
{
    if (!template_init(copy, from->size, error))
        return false;
    for (uint64_t page = 0; page * LAYOUT_PAGE_SIZE < from->size; page++) {
        uint64_t at = page * LAYOUT_PAGE_SIZE;
        size_t size = (size_t)MIN(from->size - at, (uint64_t)LAYOUT_PAGE_SIZE);
        if (part_template_has(from, page))
            template_put(copy, at, bytes_of(from->data + at, size));
    }
    return true;
}

bool program_adopt(struct program *program, const struct room *room, struct error *error)
{
    struct part_template *const parts[ROOM_PART_COUNT] = {
        [ROOM_MEMORY] = &program->memory,
        [ROOM_INSTANCE] = &program->instance,
        [ROOM_SCRATCH] = &program->scratch,
    };
    for (enum room_part i = ROOM_MEMORY; i < ROOM_PART_COUNT; i++) {
        struct part_template left, copy = { 0 };
        if (!room_view(room, i, &left))
            continue;
        if (i == ROOM_INSTANCE && left.size != program->instance.size)
            return error_set(error, ERROR_CRASHED, "a snapshot of another size");
        if (!template_copy(&copy, &left, error))
            return false;
        template_done(parts[i]);
        *parts[i] = copy;
    }
    program->is_frozen = true;
    return true;
}
