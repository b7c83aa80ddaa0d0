/* SPDX-License-Identifier: Apache-2.0 */
#include "optimiser/lines.h"

#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

struct rows {
    uint64_t addresses[8];
    uint32_t lines[8];
    unsigned count;
};

static bool keep(void *context, uint64_t address, uint32_t line)
{
    struct rows *rows = context;
    if (rows->count < ARRAY_COUNT(rows->lines)) {
        rows->addresses[rows->count] = address;
        rows->lines[rows->count] = line;
    }
    rows->count++;
    return true;
}

struct writer_of_tables {
    uint8_t bytes[256];
    size_t size;
};

static void add(struct writer_of_tables *writer, const void *bytes, size_t size)
{
    memcpy(writer->bytes + writer->size, bytes, size);
    writer->size += size;
}

/* A table with this program, of either version. */
static struct bytes build(struct writer_of_tables *writer, uint16_t version, struct bytes program)
{
    static const uint8_t head[] = { 1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1 };
    static const uint8_t names[] = { 0, 'm', 0, 0, 0, 0, 0 };
    static const uint8_t sizes[] = { 8, 0 };
    uint32_t header_size = sizeof(head) + sizeof(names);
    uint32_t size = 2 + (version == 5 ? 2u : 0u) + 4 + header_size + (uint32_t)program.size;
    writer->size = 0;
    add(writer, &size, 4);
    add(writer, &version, 2);
    if (version == 5)
        add(writer, sizes, 2);
    add(writer, &header_size, 4);
    add(writer, head, sizeof(head));
    add(writer, names, sizeof(names));
    add(writer, program.data, program.size);
    return bytes_of(writer->bytes, writer->size);
}

/* set_address 0x10; advance_line 6; copy; advance_pc 4; advance_line 293; copy; special +1, -2;
 * const_add_pc; special +3, +1; advance_pc 7; end_sequence */
static const uint8_t program[] = { 0, 9, 2, 0x10, 0, 0, 0,  0, 0,    0, 0, 3, 6, 1,
                                   2, 4, 3, 0xa5, 2, 1, 30, 8, 0x3d, 2, 7, 0, 1, 1 };

static void reads_rows(void)
{
    struct error error = { 0 };
    for (uint16_t version = 4; version <= 5; version++) {
        struct writer_of_tables writer;
        struct rows rows = { .count = 0 };
        bool done = lines_read(build(&writer, version, BYTES_OF(program)), keep, &rows, &error);
        CHECK_NOTE(done, "%s", error.text);
        CHECK(rows.count == 4);
        CHECK(rows.addresses[0] == 0x10 && rows.lines[0] == 7);
        CHECK(rows.addresses[1] == 0x14 && rows.lines[1] == 300);
        CHECK(rows.addresses[2] == 0x15 && rows.lines[2] == 298);
        CHECK(rows.addresses[3] == 0x15 + 17 + 3 && rows.lines[3] == 299);
    }
}

static void refuses_other_tables(void)
{
    struct error error = { 0 };
    struct writer_of_tables writer;
    struct rows rows = { .count = 0 };
    CHECK(!lines_read(build(&writer, 3, BYTES_OF(program)), keep, &rows, &error));
    CHECK(!lines_read(build(&writer, 6, BYTES_OF(program)), keep, &rows, &error));
    static const uint8_t below_zero[] = { 3, 0x70, 1 };
    CHECK(!lines_read(build(&writer, 4, BYTES_OF(below_zero)), keep, &rows, &error));
    static const uint8_t no_address[] = { 0, 5, 2, 0, 0, 0, 0 };
    CHECK(!lines_read(build(&writer, 4, BYTES_OF(no_address)), keep, &rows, &error));
}

static void survives_damage(void)
{
    struct error error = { 0 };
    struct writer_of_tables writer;
    struct bytes whole = build(&writer, 4, BYTES_OF(program));
    for (size_t size = 1; size < whole.size; size++) {
        struct rows rows = { .count = 0 };
        uint8_t *copy = malloc(size);
        if (copy == NULL)
            break;
        memcpy(copy, whole.data, size);
        CHECK_NOTE(!lines_read(bytes_of(copy, size), keep, &rows, &error), "cut to %zu", size);
        free(copy);
    }
    for (size_t at = 0; at < whole.size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct rows rows = { .count = 0 };
            writer.bytes[at] ^= (uint8_t)(1u << bit);
            bool done = lines_read(whole, keep, &rows, &error);
            CHECK(done || error.code == ERROR_CORRUPT);
            writer.bytes[at] ^= (uint8_t)(1u << bit);
        }
    }
}

static const struct test tests[] = {
    TEST(reads_rows),
    TEST(refuses_other_tables),
    TEST(survives_damage),
};
TEST_MAIN(tests)
