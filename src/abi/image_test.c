/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/image.h"

#include "abi/instance.h"
#include "core/checked.h"
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAGE = 4096,
    SMALL_SIZE = IMAGE_HEADER_SIZE + PAGE * IMAGE_SECTION_COUNT
};

/* A small image: two functions, one export of each kind, two runs of memory, three traps. */
struct small {
    struct image_header header;
    uint8_t bytes[SMALL_SIZE];
};

static void add_row(struct writer *writer, const uint32_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        write_u32_le(writer, numbers[i]);
}

#define ROW(writer, ...)                                                                           \
    add_row((writer), (const uint32_t[]){ __VA_ARGS__ },                                           \
            sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

static void add_section(struct small *small, struct writer *writer, enum image_section section,
                        size_t start)
{
    small->header.sections[section] = (struct image_part){ start, writer->size - start };
    write_zeros(writer, (PAGE - writer->size % PAGE) % PAGE);
}

static void write_tables(struct small *small, struct writer *writer)
{
    size_t start = writer->size;
    ROW(writer, 16, 4, 0, 65532, 4, 4);
    add_section(small, writer, IMAGE_MEMORY_RUNS, start);
    start = writer->size;
    ROW(writer, 0, 0, 0, 0, 32, 1, 0, 4);
    add_section(small, writer, IMAGE_FUNCTIONS, start);
    start = writer->size;
    ROW(writer, 8, 100, 8, 101, 40, 120);
    add_section(small, writer, IMAGE_TRAPS, start);
    start = writer->size;
    ROW(writer, 0, 4, IMAGE_EXPORT_FUNCTION, 32, 1, 1, 4, 2);
    ROW(writer, 1, 1, IMAGE_EXPORT_GLOBAL, sizeof(struct instance), 0, 0, 4, 2);
    ROW(writer, 1, 2, IMAGE_EXPORT_MEMORY, 0, 0, 0, 6, 5);
    add_section(small, writer, IMAGE_EXPORTS, start);
    start = writer->size;
    if (small->header.placement != 0) {
        ROW(writer, 0, 2, 2, 2, IMAGE_EXPORT_FUNCTION, sizeof(struct instance), 4, 2);
        ROW(writer, 0, 2, 2, 2, IMAGE_EXPORT_TABLE, 1, 4, 1);
    }
    add_section(small, writer, IMAGE_IMPORTS, start);
    start = writer->size;
    write_bytes(writer, BYTES_LITERAL("main\x7f\x7e\x01\x02\0\0\0"));
    add_section(small, writer, IMAGE_STRINGS, start);
}

static struct bytes make_placed(struct small *small, uint32_t placement)
{
    memset(small, 0, sizeof(*small));
    small->header.placement = placement;
    struct writer writer = writer_into(small->bytes, sizeof(small->bytes));
    write_zeros(&writer, IMAGE_HEADER_SIZE);
    size_t start = writer.size;
    write_zeros(&writer, 64);
    add_section(small, &writer, IMAGE_CODE, start);
    start = writer.size;
    add_section(small, &writer, IMAGE_RODATA, start);
    write_zeros(&writer, 8);
    add_section(small, &writer, IMAGE_INSTANCE, start);
    start = writer.size;
    write_bytes(&writer, BYTES_LITERAL("abcdefgh"));
    add_section(small, &writer, IMAGE_MEMORY, start);
    write_tables(small, &writer);
    ASSERT(!writer.failed);
    small->header.version = IMAGE_VERSION;
    memcpy(small->header.magic, IMAGE_MAGIC, sizeof(small->header.magic));
    small->header.flags = IMAGE_HAS_MEMORY | IMAGE_HAS_COMMAND;
    small->header.file_size = writer.size;
    small->header.instance_size = sizeof(struct instance) + 16;
    small->header.memory_size = 65536;
    small->header.memory_size_max = 2 * 65536;
    small->header.command_offset = 32;
    small->header.function_count = 2;
    if (placement != 0) {
        small->header.shares_offset = sizeof(struct instance) + 16;
        small->header.instance_size += (1 + INSTANCE_TABLE_COUNT_MAX) * sizeof(struct share);
    }
    return bytes_of(small->bytes, writer.size);
}

static struct bytes make_small(struct small *small)
{
    return make_placed(small, 0);
}

static bool parse(struct small *small, struct bytes source, const char **reason)
{
    struct writer writer = writer_into(small->bytes, IMAGE_HEADER_SIZE);
    image_header_write(&writer, &small->header);
    struct image image;
    *reason = "";
    return image_parse(&image, source, reason);
}

static void reads_what_was_written(void)
{
    struct small small;
    struct bytes source = make_small(&small);
    struct writer writer = writer_into(small.bytes, IMAGE_HEADER_SIZE);
    image_header_write(&writer, &small.header);
    struct image image;
    const char *reason = "";
    REQUIRE(image_parse(&image, source, &reason));
    CHECK_NUMBER(image_count(&image, IMAGE_FUNCTIONS), 2);
    CHECK_NUMBER(image_count(&image, IMAGE_TRAPS), 3);
    CHECK_NUMBER(image_run_at(&image, 1).address, 65532);
    struct image_export export;
    REQUIRE(image_find_export(&image, BYTES_LITERAL("main"), &export));
    CHECK_NUMBER(export.where, 32);
    CHECK_BYTES(image_string(&image, export.types_offset, export.types_size),
                BYTES_LITERAL("\x7f\x7e"));
    CHECK(!image_find_export(&image, BYTES_LITERAL("none"), &export));
    CHECK(memcmp(&image.header, &small.header, sizeof(small.header)) == 0);
}

static void finds_the_place_of_a_trap(void)
{
    static const struct {
        uint32_t code_offset;
        bool found;
        uint32_t function, wasm_offset;
    } cases[] = {
        { 0, true, 0, 0 },           { 7, true, 0, 0 },    { 8, true, 0, 101 },
        { 31, true, 0, 101 },        { 32, true, 1, 0 },   { 39, true, 1, 0 },
        { 40, true, 1, 120 },        { 63, true, 1, 120 }, { 64, false, 0, 0 },
        { UINT32_MAX, false, 0, 0 },
    };
    struct small small;
    struct bytes source = make_small(&small);
    struct writer writer = writer_into(small.bytes, IMAGE_HEADER_SIZE);
    image_header_write(&writer, &small.header);
    struct image image;
    const char *reason;
    REQUIRE(image_parse(&image, source, &reason));
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct image_function function;
        uint32_t wasm_offset;
        bool found = image_locate(&image, cases[i].code_offset, &function, &wasm_offset);
        CHECK(found == cases[i].found);
        if (found) {
            CHECK_NUMBER(function.index, cases[i].function);
            CHECK_NUMBER(wasm_offset, cases[i].wasm_offset);
        }
    }
}

#define REFUSES(change, text)                                                                      \
    do {                                                                                           \
        struct small small;                                                                        \
        struct bytes source = make_small(&small);                                                  \
        const char *reason;                                                                        \
        change;                                                                                    \
        CHECK(!parse(&small, source, &reason));                                                    \
        CHECK_STRING(reason, text);                                                                \
    } while (0)

/* Overwrites one number of a row. */
static void poke(struct small *small, enum image_section section, size_t index, uint32_t number)
{
    struct writer writer =
        writer_into(small->bytes + small->header.sections[section].offset + 4 * index, 4);
    write_u32_le(&writer, number);
}

static void refuses_wrong_headers(void)
{
    REFUSES(small.header.magic[0] = 's', "not an image");
    REFUSES(small.header.version++, "image of another version");
    REFUSES(small.header.flags |= 1u << 31, "unknown flag");
    REFUSES(small.header.compiler[IMAGE_COMPILER_SIZE - 1] = 'x',
            "name of the compiler has no end");
    REFUSES(small.header.file_size++, "file is not as long as its header says");
    REFUSES(small.header.sections[IMAGE_CODE].offset += PAGE, "a section is out of place");
    REFUSES(small.header.sections[IMAGE_STRINGS].size = UINT64_MAX, "a section is out of place");
    REFUSES(small.header.sections[IMAGE_TRAPS].size--, "a table has a part of a row");
    REFUSES(small.bytes[small.header.sections[IMAGE_CODE].offset + 64] = 1,
            "a section is not padded with zeros");
    REFUSES(small.header.instance_size = 64, "instance region has a wrong size");
    REFUSES(small.header.memory_size = 65537, "linear memory has a wrong size");
    REFUSES(small.header.memory_size_max = 1ull << 33, "linear memory has a wrong size");
    REFUSES(small.header.flags = IMAGE_HAS_COMMAND, "linear memory without the flag");
    REFUSES(small.header.start_offset = 1, "start function is outside the code");
    REFUSES(small.header.command_offset = 64, "entry point is outside the code");
    REFUSES(small.header.handle_offset = 8, "entry point is outside the code");
    REFUSES((small.header.flags |= IMAGE_HAS_INIT, small.header.init_offset = 64),
            "entry point is outside the code");
    REFUSES((small.header.flags = IMAGE_HAS_REACTOR, small.header.memory_size_max = 0,
             small.header.memory_size = 0, small.header.command_offset = 0),
            "a reactor without memory");
    REFUSES(small.header.abi = IMAGE_ABI_COUNT, "unknown abi");
    REFUSES(small.header.reserved = 1, "unknown abi");
    REFUSES(small.header.start_trap = 1, "unknown trap at the start");
    REFUSES(small.header.function_count = 1, "number of functions is wrong");
}

static void refuses_wrong_tables(void)
{
    REFUSES(poke(&small, IMAGE_MEMORY_RUNS, 3, 17), "initial memory is out of place");
    REFUSES(poke(&small, IMAGE_MEMORY_RUNS, 4, 5), "initial memory is out of place");
    REFUSES(poke(&small, IMAGE_MEMORY_RUNS, 5, 5), "initial memory is out of place");
    REFUSES(poke(&small, IMAGE_FUNCTIONS, 4, 0), "functions do not ascend within the code");
    REFUSES(poke(&small, IMAGE_FUNCTIONS, 4, 64), "functions do not ascend within the code");
    REFUSES(poke(&small, IMAGE_FUNCTIONS, 7, 12), "name of a function is out of place");
    REFUSES(poke(&small, IMAGE_TRAPS, 2, 7), "traps do not ascend within the code");
    REFUSES(poke(&small, IMAGE_EXPORTS, 2, 4), "an export is out of place");
    REFUSES(poke(&small, IMAGE_EXPORTS, 3, 64), "an export is out of place");
    REFUSES(poke(&small, IMAGE_EXPORTS, 4, 2), "an export is out of place");
    REFUSES(poke(&small, IMAGE_EXPORTS, 0, 8), "an export is out of place");
    REFUSES(poke(&small, IMAGE_EXPORTS, 11, UINT32_MAX), "an export is out of place");
}

static void chooses_the_abi(void)
{
    static const struct {
        uint32_t flags;
        enum image_abi said, wanted, chosen; /* chosen NONE: refused */
    } cases[] = {
        { IMAGE_HAS_COMMAND, IMAGE_ABI_NONE, IMAGE_ABI_NONE, IMAGE_ABI_COMMAND },
        { IMAGE_HAS_COMMAND, IMAGE_ABI_NONE, IMAGE_ABI_CGI, IMAGE_ABI_CGI },
        { IMAGE_HAS_COMMAND, IMAGE_ABI_NONE, IMAGE_ABI_REACTOR, IMAGE_ABI_NONE },
        { IMAGE_HAS_COMMAND, IMAGE_ABI_CGI, IMAGE_ABI_NONE, IMAGE_ABI_CGI },
        { IMAGE_HAS_COMMAND, IMAGE_ABI_CGI, IMAGE_ABI_CGI, IMAGE_ABI_CGI },
        { IMAGE_HAS_COMMAND, IMAGE_ABI_CGI, IMAGE_ABI_COMMAND, IMAGE_ABI_NONE },
        { IMAGE_HAS_COMMAND, IMAGE_ABI_REACTOR, IMAGE_ABI_NONE, IMAGE_ABI_NONE },
        { IMAGE_HAS_REACTOR, IMAGE_ABI_NONE, IMAGE_ABI_NONE, IMAGE_ABI_REACTOR },
        { IMAGE_HAS_REACTOR, IMAGE_ABI_NONE, IMAGE_ABI_COMMAND, IMAGE_ABI_NONE },
        { IMAGE_HAS_REACTOR, IMAGE_ABI_NONE, IMAGE_ABI_CGI, IMAGE_ABI_NONE },
        { IMAGE_HAS_REACTOR | IMAGE_HAS_COMMAND, IMAGE_ABI_NONE, IMAGE_ABI_NONE, IMAGE_ABI_NONE },
        { IMAGE_HAS_REACTOR | IMAGE_HAS_COMMAND, IMAGE_ABI_NONE, IMAGE_ABI_REACTOR,
          IMAGE_ABI_REACTOR },
        { IMAGE_HAS_REACTOR | IMAGE_HAS_COMMAND, IMAGE_ABI_COMMAND, IMAGE_ABI_NONE,
          IMAGE_ABI_COMMAND },
        { 0, IMAGE_ABI_NONE, IMAGE_ABI_NONE, IMAGE_ABI_NONE },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct image_header header = { .flags = cases[i].flags, .abi = cases[i].said };
        enum image_abi chosen = IMAGE_ABI_NONE;
        const char *reason = NULL;
        bool can = image_choose_abi(&header, cases[i].wanted, &chosen, &reason);
        CHECK_NOTE(can == (cases[i].chosen != IMAGE_ABI_NONE), "case %zu", i);
        CHECK_NUMBER(chosen, cases[i].chosen);
        CHECK((reason == NULL) == can);
    }
    CHECK_NUMBER(image_abi_of(BYTES_LITERAL("reactor")), IMAGE_ABI_REACTOR);
    CHECK_NUMBER(image_abi_of(BYTES_LITERAL("none")), IMAGE_ABI_NONE);
    CHECK_NUMBER(image_abi_of(BYTES_LITERAL("")), IMAGE_ABI_NONE);
    CHECK_STRING(image_abi_name(IMAGE_ABI_CGI), "cgi");
}

static void refuses_every_truncation(void)
{
    struct small small;
    struct bytes source = make_small(&small);
    const char *reason;
    CHECK(parse(&small, source, &reason));
    for (size_t size = 0; size < source.size; size++) {
        uint8_t *copy = malloc(size + 1);
        ASSERT(copy != NULL);
        memcpy(copy, source.data, size);
        struct image image;
        CHECK(!image_parse(&image, bytes_of(copy, size), &reason));
        free(copy);
    }
}

static void survives_every_flip(void)
{
    struct small small;
    struct bytes source = make_small(&small);
    const char *reason;
    CHECK(parse(&small, source, &reason));
    for (size_t i = 0; i < source.size; i++) {
        small.bytes[i] ^= 0xff;
        struct image image;
        struct image_function function;
        uint32_t wasm_offset;
        if (image_parse(&image, source, &reason))
            (void)image_locate(&image, 40, &function, &wasm_offset);
        small.bytes[i] ^= 0xff;
    }
}

#define REFUSES_PLACED(change, text)                                                               \
    do {                                                                                           \
        struct small small;                                                                        \
        struct bytes source = make_placed(&small, 3);                                              \
        const char *reason;                                                                        \
        change;                                                                                    \
        CHECK(!parse(&small, source, &reason));                                                    \
        CHECK_STRING(reason, text);                                                                \
    } while (0)

static void reads_linked_images(void)
{
    struct small last;
    const char *why;
    struct bytes image = make_placed(&last, LAYOUT_LINKED_MAX);
    CHECK_NOTE(parse(&last, image, &why), "%s", why);
    REFUSES(small.header.shares_offset = 8, "imports without a placement");
    REFUSES_PLACED(small.header.placement = 0, "imports without a placement");
    REFUSES_PLACED(small.header.placement = LAYOUT_LINKED_MAX + 1, "does not fit its placement");
    REFUSES_PLACED(small.header.instance_size = LAYOUT_LINKED_INSTANCE_SIZE_MAX + 1,
                   "does not fit its placement");
    REFUSES_PLACED(small.header.shares_offset = 8, "shares are out of place");
    REFUSES_PLACED(small.header.shares_offset += 8, "shares are out of place");
    REFUSES_PLACED(small.header.instance_size--, "shares are out of place");
    REFUSES_PLACED(poke(&small, IMAGE_IMPORTS, 1, 100), "an import is out of place");
    REFUSES_PLACED(poke(&small, IMAGE_IMPORTS, 2, 100), "an import is out of place");
    REFUSES_PLACED(poke(&small, IMAGE_IMPORTS, 4, 9), "an import is out of place");
    REFUSES_PLACED(poke(&small, IMAGE_IMPORTS, 5, 0), "an import is out of place");
    REFUSES_PLACED(poke(&small, IMAGE_IMPORTS, 7, 100), "an import is out of place");
    REFUSES_PLACED(poke(&small, IMAGE_IMPORTS, 13, 64), "an import is out of place");
}

/* Windows and memories of all placements are apart, and rows of functions can be counted. */
static void places_are_apart(void)
{
    struct image_place last = image_place(LAYOUT_LINKED_MAX);
    struct image_place alone = image_place(0);
    CHECK_NUMBER(alone.code, LAYOUT_CODE);
    CHECK_NUMBER(alone.instance, LAYOUT_INSTANCE);
    CHECK(image_place(1).code >= LAYOUT_MAILBOX + LAYOUT_MAILBOX_SIZE_MAX);
    CHECK(last.instance + LAYOUT_LINKED_INSTANCE_SIZE_MAX <= image_place(1).memory);
    CHECK((last.instance - LAYOUT_RODATA) / sizeof(struct function_reference) < UINT32_MAX);
    for (uint32_t i = 1; i < LAYOUT_LINKED_MAX; i++) {
        struct image_place place = image_place(i), next = image_place(i + 1);
        CHECK(place.code + LAYOUT_LINKED_CODE_SIZE_MAX <= place.rodata);
        CHECK(place.rodata + LAYOUT_LINKED_RODATA_SIZE_MAX <= place.instance);
        CHECK(place.instance + LAYOUT_LINKED_INSTANCE_SIZE_MAX <= next.code);
        CHECK(place.memory + LAYOUT_MEMORY_RESERVE + 16 <= next.memory);
    }
}

static const struct test tests[] = {
    TEST(reads_what_was_written), TEST(finds_the_place_of_a_trap), TEST(refuses_wrong_headers),
    TEST(refuses_wrong_tables),   TEST(chooses_the_abi),           TEST(refuses_every_truncation),
    TEST(survives_every_flip),    TEST(reads_linked_images),       TEST(places_are_apart),
};
TEST_MAIN(tests)
