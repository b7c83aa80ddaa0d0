/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the table of proposals: a module with that encoding is refused, and the error names
 * the proposal and the function or section. */
#include "base/buffer.h"
#include "tests/harness.h"
#include "wasm/module.h"
#include "wasm/proposals.h"

#include <stdio.h>
#include <string.h>

/* Bytes of a module, section by section. */
struct maker {
    struct buffer bytes;
};

static void put(struct maker *maker, const char *bytes, size_t size)
{
    buffer_append(&maker->bytes, bytes_of((const uint8_t *)bytes, size));
}

#define PUT(maker, literal) put(maker, literal, sizeof(literal) - 1)

static void put_number(struct maker *maker, uint32_t number)
{
    do {
        char byte = (char)((number & 0x7f) | (number > 0x7f ? 0x80 : 0));
        put(maker, &byte, 1);
        number >>= 7;
    } while (number != 0);
}

/* A section with up to 127 bytes of content: `before`, the number, `after`. */
static void put_section(struct maker *maker, char id, struct bytes before, uint32_t number,
                        struct bytes after)
{
    struct maker content;
    buffer_init(&content.bytes, 1000);
    buffer_append(&content.bytes, before);
    put_number(&content, number);
    buffer_append(&content.bytes, after);
    put(maker, &id, 1);
    put_number(maker, (uint32_t)content.bytes.size);
    buffer_append(&maker->bytes, buffer_view(&content.bytes));
    buffer_done(&content.bytes);
}

/* One function, called "named", whose body holds `code` behind `before`. */
static void put_function(struct maker *maker, struct bytes before, uint32_t code,
                         struct bytes after)
{
    struct maker body;
    buffer_init(&body.bytes, 1000);
    buffer_append(&body.bytes, before);
    put_number(&body, code);
    buffer_append(&body.bytes, after);
    uint32_t size = (uint32_t)body.bytes.size;
    PUT(maker, "\1\4\1\x60\0\0"
               "\3\2\1\0"
               "\5\3\1\0\1"
               "\x0a");
    put_number(maker, size + 2);
    PUT(maker, "\1");
    put_number(maker, size);
    buffer_append(&maker->bytes, buffer_view(&body.bytes));
    buffer_done(&body.bytes);
    PUT(maker, "\0\x0f\4name\1\x08\1\0\5named");
}

#define NOTHING       ((struct bytes){ 0 })
#define TEXT(literal) bytes_of((const uint8_t *)(literal), sizeof(literal) - 1)

/* The module, and where its error must say it stands. */
static const char *make(struct maker *maker, enum proposal_place place, uint32_t code)
{
    static const char in_function[] = "in function 0 \"named\"";
    char opcode[2] = { 0, (char)(code & 0xff) }; /* no locals, then this byte */
    char prefix[2] = { 0, 0 };
    PUT(maker, "\0asm\1\0\0\0");
    switch (place) {
    case PROPOSAL_OPCODE:
        put_function(maker, bytes_of((const uint8_t *)opcode, 2), 0, TEXT("\0\0\0\0\x0b"));
        return in_function;
    case PROPOSAL_OPCODE_FB:
    case PROPOSAL_OPCODE_FC:
    case PROPOSAL_OPCODE_FD:
    case PROPOSAL_OPCODE_FE:
        prefix[1] = (char)(0xfb + (place - PROPOSAL_OPCODE_FB));
        put_function(maker, bytes_of((const uint8_t *)prefix, 2), code, TEXT("\0\0\0\0\x0b"));
        return in_function;
    case PROPOSAL_VALUE_TYPE:
        put_function(maker, TEXT("\1\1"), code, TEXT("\0\0\x0b"));
        return in_function;
    case PROPOSAL_TYPE_FORM:
        put_section(maker, 1, TEXT("\1"), code, TEXT("\0\0"));
        return "in the type section";
    case PROPOSAL_SECTION:
        put_section(maker, (char)code, TEXT("\1"), 0, NOTHING);
        return "section id";
    case PROPOSAL_EXTERNAL_KIND:
        put_section(maker, 2, TEXT("\1\1m\1f"), code, TEXT("\0\0"));
        return "in the import section";
    case PROPOSAL_TABLE_FORM:
        put_section(maker, 4, TEXT("\1"), code, TEXT("\0\x70\0\1\xd0\x70\x0b"));
        return "in the table section";
    case PROPOSAL_MEMORY_FLAGS:
        put_section(maker, 5, TEXT("\1"), code, TEXT("\1\1\1"));
        return "in the memory section";
    case PROPOSAL_TABLE_FLAGS:
        put_section(maker, 4, TEXT("\1\x70"), code, TEXT("\1\1"));
        return "in the table section";
    case PROPOSAL_ACCESS_FLAGS: /* i32.const 0; i32.load */
        put_function(maker, TEXT("\0\x41\0\x28"), code, TEXT("\0\0\x1a\x0b"));
        return in_function;
    case PROPOSAL_MEMORY_INDEX: /* memory.size */
        put_function(maker, TEXT("\0\x3f"), code, TEXT("\x1a\x0b"));
        return in_function;
    }
    return NULL;
}

static void check(const struct proposal_row *row, uint32_t code)
{
    struct maker maker;
    struct error error = { 0 };
    struct module module;
    AUTO(arena) struct arena *arena = arena_new(1 << 20);
    buffer_init(&maker.bytes, 1000);
    const char *where = make(&maker, row->place, code);
    bool accepted = module_decode(&module, arena, buffer_view(&maker.bytes), &error) &&
                    module_validate(&module, arena, &error);
    char expected[64];
    snprintf(expected, sizeof(expected), ": %s not supported", row->name);
    CHECK_NOTE(!accepted && error.code == ERROR_UNSUPPORTED &&
                   strstr(error.text, expected) != NULL && strstr(error.text, where) != NULL,
               "place %d, code 0x%x: %s", (int)row->place, code,
               accepted ? "accepted" : error.text);
    buffer_done(&maker.bytes);
}

static void every_row_is_refused_by_name(void)
{
    for (size_t i = 0; i < proposal_row_count; i++) {
        const struct proposal_row *row = &proposal_rows[i];
        for (uint32_t code = row->first; code <= row->last; code++) {
            if (proposal_name(row->place, code) == row->name)
                check(row, code);
        }
    }
}

static void what_no_proposal_has_is_invalid(void)
{
    static const struct {
        enum proposal_place place;
        uint32_t code;
    } unknown[] = {
        { PROPOSAL_OPCODE, 0x27 },     { PROPOSAL_OPCODE, 0xc5 },     { PROPOSAL_OPCODE, 0xff },
        { PROPOSAL_OPCODE_FB, 0x7f },  { PROPOSAL_OPCODE_FC, 0x17 },  { PROPOSAL_OPCODE_FE, 0x80 },
        { PROPOSAL_VALUE_TYPE, 0x76 }, { PROPOSAL_TYPE_FORM, 0x40 },  { PROPOSAL_SECTION, 15 },
        { PROPOSAL_EXTERNAL_KIND, 5 }, { PROPOSAL_TABLE_FORM, 0x41 }, { PROPOSAL_MEMORY_FLAGS, 16 },
        { PROPOSAL_TABLE_FLAGS, 8 },   { PROPOSAL_ACCESS_FLAGS, 3 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(unknown); i++) {
        struct maker maker;
        struct error error = { 0 };
        struct module module;
        AUTO(arena) struct arena *arena = arena_new(1 << 20);
        buffer_init(&maker.bytes, 1000);
        (void)make(&maker, unknown[i].place, unknown[i].code);
        CHECK_NOTE(!(module_decode(&module, arena, buffer_view(&maker.bytes), &error) &&
                     module_validate(&module, arena, &error)) &&
                       error.code == ERROR_INVALID,
                   "place %d, code 0x%x: %s", (int)unknown[i].place, unknown[i].code, error.text);
        buffer_done(&maker.bytes);
    }
}

static const struct test tests[] = {
    TEST(every_row_is_refused_by_name),
    TEST(what_no_proposal_has_is_invalid),
};
TEST_MAIN(tests)
