/* SPDX-License-Identifier: Apache-2.0 */
#include "elf/elf.h"

#include "abi/image.h"
#include "abi/instance.h"
#include "abi/native.h"
#include "core/checked.h"

#include <string.h>

enum {
    TRAP_BYTE = 0xcc /* fills what is executable but no code: int3 */
};

#define MEMORY_SIZE_MAX (65536ull * LAYOUT_WASM_PAGE_SIZE)

/* How far the segments of one kind reach from the start of their window. */
static uint64_t extent(const struct elf *elf, enum elf_right right, uint64_t window, bool in_file)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        const struct elf_segment *segment = &elf->segments[i];
        if (segment->right == right)
            end = segment->address - window + (in_file ? segment->content.size : segment->size);
    }
    return end;
}

static bool put_section(struct buffer *image, struct image_header *header,
                        enum image_section section, uint64_t size, uint8_t fill)
{
    uint64_t padded = round_up(size, LAYOUT_PAGE_SIZE);
    header->sections[section] = (struct image_part){ .offset = image->size, .size = size };
    if (padded > image->size_max)
        return false;
    uint8_t *at = buffer_reserve(image, (size_t)padded);
    if (at == NULL)
        return false;
    memset(at, 0, (size_t)padded);
    memset(at, fill, (size_t)size);
    image->size += (size_t)padded;
    return true;
}

static void put_segments(struct buffer *image, const struct image_header *header,
                         enum image_section section, const struct elf *elf, enum elf_right right,
                         uint64_t window)
{
    uint8_t *at = image->data + header->sections[section].offset;
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        const struct elf_segment *segment = &elf->segments[i];
        if (segment->right == right && segment->content.size > 0)
            memcpy(at + (segment->address - window), segment->content.data, segment->content.size);
    }
}

static bool write_image(struct buffer *image, const struct elf *elf, struct image_header *header)
{
    const uint64_t before = NATIVE_DATA - LAYOUT_INSTANCE;
    const struct instance instance = { .memory_size = NATIVE_MEMORY_SIZE,
                                       .memory_size_max = MEMORY_SIZE_MAX,
                                       .functions = LAYOUT_RODATA,
                                       .segments = LAYOUT_INSTANCE + sizeof(struct instance) };
    header->instance_size = before + extent(elf, ELF_RIGHT_WRITE, NATIVE_DATA, false);
    if (buffer_reserve(image, IMAGE_HEADER_SIZE) == NULL)
        return false;
    image->size = IMAGE_HEADER_SIZE;
    if (!put_section(image, header, IMAGE_CODE, extent(elf, ELF_RIGHT_EXECUTE, NATIVE_CODE, true),
                     TRAP_BYTE) ||
        !put_section(image, header, IMAGE_RODATA, extent(elf, ELF_RIGHT_READ, NATIVE_RODATA, true),
                     0) ||
        !put_section(image, header, IMAGE_INSTANCE,
                     before + extent(elf, ELF_RIGHT_WRITE, NATIVE_DATA, true), 0))
        return false;
    for (unsigned i = IMAGE_INSTANCE + 1; i < IMAGE_SECTION_COUNT; i++)
        if (!put_section(image, header, (enum image_section)i, 0, 0))
            return false;
    put_segments(image, header, IMAGE_CODE, elf, ELF_RIGHT_EXECUTE, NATIVE_CODE);
    put_segments(image, header, IMAGE_RODATA, elf, ELF_RIGHT_READ, NATIVE_RODATA);
    put_segments(image, header, IMAGE_INSTANCE, elf, ELF_RIGHT_WRITE, LAYOUT_INSTANCE);
    memcpy(image->data + header->sections[IMAGE_INSTANCE].offset, &instance, sizeof(instance));
    return true;
}

bool elf_compile(struct buffer *image, struct bytes source, const struct digest32 *digest,
                 struct error *error)
{
    static const char compiler[] = "s3n " S3N_VERSION " native";
    struct elf elf;
    struct image_header header = { .version = IMAGE_VERSION,
                                   .flags = IMAGE_IS_NATIVE | IMAGE_HAS_MEMORY,
                                   .memory_size = NATIVE_MEMORY_SIZE,
                                   .memory_size_max = MEMORY_SIZE_MAX };
    buffer_clear(image);
    if (!elf_parse(&elf, source, error))
        return false;
    memcpy(header.magic, IMAGE_MAGIC, sizeof(header.magic));
    memcpy(header.compiler, compiler, MIN(sizeof(compiler), sizeof(header.compiler) - 1));
    memcpy(header.module_digest, digest->bytes, sizeof(header.module_digest));
    header.handle_offset = (uint32_t)(elf.entry - NATIVE_CODE);
    if (!write_image(image, &elf, &header)) {
        buffer_clear(image);
        return error_set(error, ERROR_LIMIT, "the image is larger than %zu bytes", image->size_max);
    }
    header.file_size = image->size;
    struct writer writer = writer_into(image->data, IMAGE_HEADER_SIZE);
    image_header_write(&writer, &header);
    return true;
}
