/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/runtime.h"

#include "abi/layout.h"

#include <elf.h>
#include <pthread.h>
#include <string.h>

extern const uint8_t guest_runtime_image_start[];
extern const uint8_t guest_runtime_image_end[];

static struct runtime embedded;
static pthread_once_t embedded_once = PTHREAD_ONCE_INIT;

static void segment_add(struct bytes file, const Elf64_Phdr *header)
{
    ASSERT(embedded.segment_count < RUNTIME_SEGMENTS_MAX);
    ASSERT(header->p_vaddr >= LAYOUT_RUNTIME && header->p_vaddr % LAYOUT_PAGE_SIZE == 0);
    ASSERT(header->p_filesz <= header->p_memsz && header->p_offset + header->p_filesz <= file.size);
    ASSERT((header->p_flags & (PF_W | PF_X)) != (PF_W | PF_X));
    ASSERT((header->p_flags & PF_W) != 0 || header->p_offset % LAYOUT_PAGE_SIZE == 0);
    embedded.segments[embedded.segment_count++] = (struct runtime_segment){
        .offset = header->p_vaddr - LAYOUT_RUNTIME,
        .size = header->p_memsz,
        .content = bytes_part(file, header->p_offset, header->p_filesz),
        .is_writable = (header->p_flags & PF_W) != 0,
        .is_executable = (header->p_flags & PF_X) != 0,
    };
}

static void embedded_parse(void)
{
    struct bytes file = { guest_runtime_image_start,
                          (size_t)(guest_runtime_image_end - guest_runtime_image_start) };
    Elf64_Ehdr header;
    ASSERT(file.size >= sizeof(header));
    memcpy(&header, file.data, sizeof(header));
    ASSERT(memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_type == ET_EXEC);
    ASSERT((uintptr_t)file.data % LAYOUT_PAGE_SIZE == 0);
    embedded.entry = header.e_entry;
    embedded.file = file;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr program;
        ASSERT(header.e_phoff + (i + 1) * sizeof(program) <= file.size);
        memcpy(&program, file.data + header.e_phoff + i * sizeof(program), sizeof(program));
        if (program.p_type == PT_LOAD)
            segment_add(file, &program);
    }
}

const struct runtime *runtime_embedded(void)
{
    pthread_once(&embedded_once, embedded_parse);
    return &embedded;
}
