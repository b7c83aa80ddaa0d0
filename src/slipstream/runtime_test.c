/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded runtime as a file: no segment both writable and executable, nothing left to link. */
#include "abi/layout.h"
#include "slipstream/runtime.h"
#include "tests/harness.h"

#include <elf.h>
#include <string.h>

extern const uint8_t guest_runtime_image_start[];
extern const uint8_t guest_runtime_image_end[];

static struct bytes file(void)
{
    return bytes_of(guest_runtime_image_start,
                    (size_t)(guest_runtime_image_end - guest_runtime_image_start));
}

static Elf64_Shdr section_at(unsigned index)
{
    Elf64_Ehdr header;
    Elf64_Shdr section;
    memcpy(&header, file().data, sizeof(header));
    memcpy(&section, file().data + header.e_shoff + index * sizeof(section), sizeof(section));
    return section;
}

static void segments_keep_apart(void)
{
    const struct runtime *runtime = runtime_embedded();
    unsigned executable = 0, writable = 0;
    uint64_t end = 0;
    for (unsigned i = 0; i < runtime->segment_count; i++) {
        const struct runtime_segment *segment = &runtime->segments[i];
        CHECK(!(segment->is_writable && segment->is_executable));
        CHECK(segment->offset >= end && segment->offset % LAYOUT_PAGE_SIZE == 0);
        end = segment->offset + segment->size;
        executable += segment->is_executable;
        writable += segment->is_writable;
    }
    CHECK_NUMBER(executable, 1);
    CHECK_NUMBER(writable, 1);
    CHECK(end <= LAYOUT_RUNTIME_SIZE);
    CHECK_NUMBER(runtime->entry, LAYOUT_RUNTIME);
}

static void nothing_is_left_to_link(void)
{
    Elf64_Ehdr header;
    memcpy(&header, file().data, sizeof(header));
    unsigned symbols = 0;
    for (unsigned i = 0; i < header.e_shnum; i++) {
        Elf64_Shdr section = section_at(i);
        CHECK(section.sh_type != SHT_RELA && section.sh_type != SHT_REL &&
              section.sh_type != SHT_DYNAMIC);
        if (section.sh_type != SHT_SYMTAB)
            continue;
        for (uint64_t at = sizeof(Elf64_Sym); at < section.sh_size; at += sizeof(Elf64_Sym)) {
            Elf64_Sym symbol;
            memcpy(&symbol, file().data + section.sh_offset + at, sizeof(symbol));
            CHECK(symbol.st_shndx != SHN_UNDEF);
            symbols++;
        }
    }
    CHECK(symbols > 0);
}

static const struct test tests[] = { TEST(segments_keep_apart), TEST(nothing_is_left_to_link) };
TEST_MAIN(tests)
