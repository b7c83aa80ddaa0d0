/* SPDX-License-Identifier: Apache-2.0 */
#include "elf/elf.h"

#include "abi/image.h"
#include "abi/instance.h"
#include "abi/native.h"
#include "core/writer.h"
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

struct row {
    uint32_t type, flags;
    uint64_t offset, address, file_size, memory_size, alignment;
};

/* An ELF by hand: its header's fields, its rows, then 64 bytes of content at 1024. */
struct made {
    uint8_t identity[16];
    uint16_t type, machine, header_size, program_size;
    uint32_t version, flags;
    uint64_t entry, program_offset;
    struct row rows[20];
    uint16_t row_count;
    uint8_t bytes[2048];
    size_t size;
};

enum {
    CONTENT = 1600,
    LOAD = 1,
    R = 4,
    RX = 5,
    RW = 6
};

static struct made plain(void)
{
    return (struct made){
        .identity = { 0x7f, 'E', 'L', 'F', 2, 1, 1 },
        .type = 2,
        .machine = 62,
        .header_size = 64,
        .program_size = 56,
        .version = 1,
        .entry = NATIVE_CODE + 16,
        .program_offset = 64,
        .rows = { { LOAD, RW, CONTENT, NATIVE_DATA, 8, 5000, 4096 },
                  { LOAD, RX, CONTENT + 8, NATIVE_CODE, 24, 24, 4096 },
                  { LOAD, R, CONTENT + 32, NATIVE_RODATA + 32, 8, 8, 16 },
                  { 0x6474e551, RW, 0, 0, 0, 0, 16 },
                  { 4, R, 0, 0, 0, 0, 4 } },
        .row_count = 5,
        .size = CONTENT + 64,
    };
}

static struct bytes finish(struct made *made)
{
    struct writer writer = writer_into(made->bytes, sizeof(made->bytes));
    memset(made->bytes, 0, sizeof(made->bytes));
    write_bytes(&writer, BYTES_OF(made->identity));
    write_u16_le(&writer, made->type);
    write_u16_le(&writer, made->machine);
    write_u32_le(&writer, made->version);
    write_u64_le(&writer, made->entry);
    write_u64_le(&writer, made->program_offset);
    write_u64_le(&writer, 0);
    write_u32_le(&writer, made->flags);
    write_u16_le(&writer, made->header_size);
    write_u16_le(&writer, made->program_size);
    write_u16_le(&writer, made->row_count);
    write_zeros(&writer, 6);
    for (size_t i = 0; i < made->row_count && i < ARRAY_COUNT(made->rows); i++) {
        const struct row *row = &made->rows[i];
        write_u32_le(&writer, row->type);
        write_u32_le(&writer, row->flags);
        write_u64_le(&writer, row->offset);
        write_u64_le(&writer, row->address);
        write_u64_le(&writer, row->address);
        write_u64_le(&writer, row->file_size);
        write_u64_le(&writer, row->memory_size);
        write_u64_le(&writer, row->alignment);
    }
    for (uint8_t i = 0; i < 64; i++)
        made->bytes[CONTENT + i] = i;
    return bytes_of(made->bytes, made->size);
}

static void becomes_an_image(void)
{
    struct made made = plain();
    struct digest32 digest = { { 9 } };
    AUTO_BUFFER struct buffer buffer;
    struct image image;
    struct error error = { 0 };
    const char *reason = "";
    buffer_init(&buffer, 1 << 20);
    REQUIRE(elf_compile(&buffer, finish(&made), &digest, &error));
    REQUIRE(image_parse(&image, buffer_view(&buffer), &reason));
    const struct image_header *header = &image.header;
    CHECK_NUMBER(header->flags, IMAGE_IS_NATIVE | IMAGE_HAS_MEMORY);
    CHECK_NUMBER(header->handle_offset, 16);
    CHECK_NUMBER(header->memory_size, NATIVE_MEMORY_SIZE);
    CHECK_NUMBER(header->module_digest[0], 9);
    CHECK_NUMBER(header->instance_size, 0x10000 + 5000);
    CHECK_BYTES(image.sections[IMAGE_CODE], bytes_of(made.bytes + CONTENT + 8, 24));
    CHECK_NUMBER(image.sections[IMAGE_RODATA].size, 40);
    CHECK_BYTES(bytes_part(image.sections[IMAGE_RODATA], 32, 8),
                bytes_of(made.bytes + CONTENT + 32, 8));
    struct bytes data = image.sections[IMAGE_INSTANCE];
    CHECK_NUMBER(data.size, 0x10000 + 8);
    CHECK_BYTES(bytes_part(data, 0x10000, 8), bytes_of(made.bytes + CONTENT, 8));
    struct instance instance;
    memcpy(&instance, data.data, sizeof(instance));
    CHECK_NUMBER(instance.memory_size, NATIVE_MEMORY_SIZE);
    AUTO_BUFFER struct buffer again;
    buffer_init(&again, 1 << 20);
    REQUIRE(elf_compile(&again, finish(&made), &digest, &error));
    CHECK(bytes_equal(buffer_view(&buffer), buffer_view(&again)));
}

static void check_refused(struct made *made, enum error_code code, const char *text)
{
    struct elf elf;
    struct error error = { 0 };
    CHECK(!elf_parse(&elf, finish(made), &error));
    CHECK_NUMBER(error.code, code);
    CHECK_STRING(error.text, text);
}

#define REFUSES(change, code, text)                                                                \
    do {                                                                                           \
        struct made made = plain();                                                                \
        change;                                                                                    \
        check_refused(&made, (code), (text));                                                      \
    } while (0)

static void other_files_are_refused(void)
{
    REFUSES(made.identity[0] = 0, ERROR_INVALID, "not an ELF");
    REFUSES(made.identity[4] = 1, ERROR_UNSUPPORTED, "not a 64-bit little-endian ELF");
    REFUSES(made.identity[5] = 2, ERROR_UNSUPPORTED, "not a 64-bit little-endian ELF");
    REFUSES(made.identity[6] = 2, ERROR_UNSUPPORTED, "an ELF of another version or system");
    REFUSES(made.identity[7] = 9, ERROR_UNSUPPORTED, "an ELF of another version or system");
    REFUSES(made.machine = 183, ERROR_UNSUPPORTED, "not for x86-64 (machine 183)");
    REFUSES(made.type = 1, ERROR_UNSUPPORTED, "not an executable (type 1)");
    REFUSES(
        made.type = 3, ERROR_UNSUPPORTED,
        "a shared object or position-independent executable: link it with -no-pie and the SDK's "
        "native.ld");
    REFUSES(made.version = 2, ERROR_INVALID, "its header has fields that no linker writes");
    REFUSES(made.flags = 1, ERROR_INVALID, "its header has fields that no linker writes");
    REFUSES(made.program_size = 32, ERROR_INVALID, "its header has fields that no linker writes");
    REFUSES(made.row_count = 0, ERROR_INVALID, "0 program headers, 1 to 32 are allowed");
    REFUSES(made.row_count = 33, ERROR_INVALID, "33 program headers, 1 to 32 are allowed");
    REFUSES(made.program_offset = UINT64_MAX, ERROR_INVALID,
            "its program headers reach beyond the file");
    REFUSES(made.program_offset = 1500, ERROR_INVALID, "its program headers reach beyond the file");
}

static void segments_must_fit(void)
{
    REFUSES(made.rows[1].flags = 7, ERROR_INVALID,
            "the segment at 0x290000000 is writable and executable");
    REFUSES(made.rows[1].flags = 1, ERROR_INVALID,
            "the segment at 0x290000000 has unusual rights (1)");
    REFUSES(made.rows[1].flags = R, ERROR_INVALID,
            "the segment at 0x290000000 is outside its window: read-only data goes from "
            "0x2b0000000 to 0x2b4000000");
    REFUSES(made.rows[1].address = 0x400000, ERROR_INVALID,
            "the segment at 0x400000 is outside its window: code goes from 0x290000000 to "
            "0x294000000");
    REFUSES(made.rows[0].address = NATIVE_DATA - 4096, ERROR_INVALID,
            "the segment at 0x28800f000 is outside its window: data goes from 0x288010000 to "
            "0x28c000000");
    REFUSES(made.rows[0].memory_size = UINT64_MAX, ERROR_INVALID,
            "the segment at 0x288010000 is outside its window: data goes from 0x288010000 to "
            "0x28c000000");
    REFUSES(made.rows[0].memory_size = 7, ERROR_INVALID,
            "the segment at 0x288010000 reaches beyond the file");
    REFUSES(made.rows[2].offset = UINT64_MAX, ERROR_INVALID,
            "the segment at 0x2b0000020 reaches beyond the file");
    REFUSES((made.rows[2].file_size = 64, made.rows[2].memory_size = 64), ERROR_INVALID,
            "the segment at 0x2b0000020 reaches beyond the file");
    REFUSES(made.rows[1].memory_size = 25, ERROR_INVALID,
            "the segment at 0x290000000 can't be written and is not all in the file");
    REFUSES(made.rows[1].alignment = 3, ERROR_INVALID,
            "the segment at 0x290000000 is aligned to no power of two");
    REFUSES((made.rows[3] = made.rows[2], made.rows[3].address -= 1), ERROR_INVALID,
            "the segment at 0x2b000001f overlaps or comes too late");
    REFUSES((made.rows[3] = made.rows[0]), ERROR_INVALID,
            "the segment at 0x288010000 overlaps or comes too late");
    struct made made = plain();
    made.row_count = 20;
    for (unsigned i = 3; i < 20; i++) {
        made.rows[i] = made.rows[2];
        made.rows[i].address += 8 * (i - 2);
    }
    check_refused(&made, ERROR_LIMIT, "more than 16 segments");
}

static void other_program_headers_are_refused(void)
{
    REFUSES(made.rows[4].type = 3, ERROR_UNSUPPORTED,
            "it wants an interpreter: link it with -static");
    REFUSES(made.rows[4].type = 2, ERROR_UNSUPPORTED,
            "it has dynamic relocations: link it with -static and -no-pie");
    REFUSES((made.rows[4].type = 7, made.rows[4].memory_size = 8), ERROR_UNSUPPORTED,
            "it has thread-local data");
    REFUSES(made.rows[4].type = 5, ERROR_UNSUPPORTED,
            "it has a program header of unknown type 0x5");
    REFUSES(made.rows[3].flags = 7, ERROR_INVALID, "it asks for an executable stack");
}

static void the_entry_must_be_code(void)
{
    REFUSES(made.entry = 0, ERROR_INVALID, "its entry point 0x0 is not in an executable segment");
    REFUSES(made.entry = NATIVE_CODE + 24, ERROR_INVALID,
            "its entry point 0x290000018 is not in an executable segment");
    REFUSES(made.entry = NATIVE_RODATA + 32, ERROR_INVALID,
            "its entry point 0x2b0000020 is not in an executable segment");
    REFUSES(made.rows[1].type = 0, ERROR_INVALID,
            "its entry point 0x290000010 is not in an executable segment");
}

static void images_are_bounded(void)
{
    struct made made = plain();
    struct digest32 digest = { { 0 } };
    AUTO_BUFFER struct buffer buffer;
    struct error error;
    buffer_init(&buffer, 32 << 10);
    CHECK(!elf_compile(&buffer, finish(&made), &digest, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    /* one byte at the end of its window asks for all of it */
    made.rows[2].address = NATIVE_RODATA_END - 8;
    CHECK(!elf_compile(&buffer, finish(&made), &digest, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
}

static void truncations_and_flips_are_survived(void)
{
    struct made made = plain();
    struct bytes source = finish(&made);
    struct elf elf;
    struct error error;
    for (size_t size = 0; size < source.size; size++) {
        uint8_t *copy = malloc(size + 1);
        ASSERT(copy != NULL);
        memcpy(copy, source.data, size);
        bool taken = elf_parse(&elf, bytes_of(copy, size), &error);
        CHECK(!taken || size >= CONTENT + 40);
        free(copy);
    }
    for (size_t i = 0; i < CONTENT * 8; i++) {
        made.bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        if (elf_parse(&elf, source, &error)) {
            REQUIRE(elf.segment_count <= ELF_SEGMENTS_MAX);
            for (uint32_t j = 0; j < elf.segment_count; j++)
                REQUIRE(elf.segments[j].content.size == 0 ||
                        elf.segments[j].content.data + elf.segments[j].content.size <=
                            source.data + source.size);
        }
        made.bytes[i / 8] ^= (uint8_t)(1 << i % 8);
    }
}

static const struct test tests[] = {
    TEST(becomes_an_image),
    TEST(other_files_are_refused),
    TEST(segments_must_fit),
    TEST(other_program_headers_are_refused),
    TEST(the_entry_must_be_code),
    TEST(images_are_bounded),
    TEST(truncations_and_flips_are_survived),
};
TEST_MAIN(tests)
