/* SPDX-License-Identifier: Apache-2.0 */
/* Validation of vector instructions, one by one: operands, lanes, alignment, and what is none.
 * execute_test.c and tests/vectors.bash say what they compute. */
#include "tests/harness.h"
#include "wasm/opcodes.h"
#include "wasm/stencils.h"

#include <stdio.h>
#include <string.h>

struct body {
    uint8_t bytes[128];
    size_t size;
};

static void put(struct body *body, uint8_t byte)
{
    ASSERT(body->size < sizeof(body->bytes));
    body->bytes[body->size++] = byte;
}

static void put_u32(struct body *body, uint32_t number)
{
    for (; number >= 0x80; number >>= 7)
        put(body, (uint8_t)(number | 0x80));
    put(body, (uint8_t)number);
}

/* A local of each type: i32 0, i64 1, f32 2, f64 3, v128 4. */
static uint8_t local_of(uint8_t type)
{
    static const uint8_t types[] = { VALUE_I32, VALUE_I64, VALUE_F32, VALUE_F64, VALUE_V128 };
    for (uint8_t i = 0; i < sizeof(types); i++) {
        if (types[i] == type)
            return i;
    }
    return 0xff;
}

static void put_operands(struct body *body, const struct signature *signature)
{
    for (unsigned i = 0; i < signature->operand_count; i++) {
        put(body, 0x20);
        put(body, local_of(signature->operands[i]));
    }
}

/* The instruction with its immediates: alignment and lanes as given. */
static void put_instruction(struct body *body, unsigned code, uint32_t alignment, uint8_t lane)
{
    uint8_t kind = vector_instructions[code].kind;
    put(body, 0xfd);
    put_u32(body, code);
    if (kind == OPCODE_ACCESS || kind == OPCODE_ACCESS_LANE) {
        put_u32(body, alignment);
        put(body, 0);
    }
    if (kind == OPCODE_LANE || kind == OPCODE_ACCESS_LANE)
        put(body, lane);
    for (unsigned i = 0; kind == OPCODE_SPECIAL && i < 16; i++)
        put(body, lane);
}

/* (memory 1) (func (local i32 i64 f32 f64 v128) ...) */
static bool is_valid(const struct body *body, struct error *error)
{
    static const uint8_t head[] = { 0, 'a', 's', 'm', 1, 0, 0, 0, 1, 4, 1, 0x60,
                                    0, 0,   3,   2,   1, 0, 5, 3, 1, 0, 1, 10 };
    static const uint8_t locals[] = { 5, 1, 0x7f, 1, 0x7e, 1, 0x7d, 1, 0x7c, 1, 0x7b };
    uint8_t bytes[256];
    size_t size = sizeof(locals) + body->size;
    memcpy(bytes, head, sizeof(head));
    bytes[sizeof(head)] = (uint8_t)(size + 2);
    bytes[sizeof(head) + 1] = 1;
    bytes[sizeof(head) + 2] = (uint8_t)size;
    memcpy(bytes + sizeof(head) + 3, locals, sizeof(locals));
    memcpy(bytes + sizeof(head) + 3 + sizeof(locals), body->bytes, body->size);
    ASSERT(size + 2 < 128);
    AUTO(arena) struct arena *arena = arena_new(1 << 20);
    struct module module;
    *error = (struct error){ 0 };
    struct bytes source = bytes_of(bytes, sizeof(head) + 3 + size);
    return module_decode(&module, arena, source, error) && module_validate(&module, arena, error);
}

static struct signature signature_of(unsigned code)
{
    if (code == VECTOR_I8X16_SHUFFLE)
        return (struct signature){ 2, { VALUE_V128, VALUE_V128 }, VALUE_V128 };
    if (code == VECTOR_V128_CONST)
        return (struct signature){ 0, { 0 }, VALUE_V128 };
    return vector_instructions[code].signature;
}

static struct body whole(unsigned code, uint32_t alignment, uint8_t lane)
{
    struct body body = { 0 };
    struct signature signature = signature_of(code);
    put_operands(&body, &signature);
    put_instruction(&body, code, alignment, lane);
    if (signature.result != 0) {
        put(&body, 0x21);
        put(&body, local_of(signature.result));
    }
    put(&body, 0x0b);
    return body;
}

static void accepts_each_instruction(void)
{
    unsigned count = 0;
    for (unsigned code = 0; code < VECTOR_COUNT; code++) {
        if (vector_instructions[code].kind == OPCODE_ABSENT)
            continue;
        struct error error;
        struct body body = whole(code, 0, 0);
        CHECK_NOTE(is_valid(&body, &error), "0x%02x: %s", code, error.text);
        count++;
    }
    CHECK_NUMBER(count, 236);
}

static void refuses_what_is_cut_short(void)
{
    for (unsigned code = 0; code < VECTOR_COUNT; code++) {
        if (vector_instructions[code].kind == OPCODE_ABSENT)
            continue;
        struct body body = whole(code, 0, 0);
        for (body.size--; body.size > 0; body.size--) {
            struct error error;
            CHECK_NOTE(!is_valid(&body, &error), "0x%02x, %zu bytes", code, body.size);
        }
    }
}

/* Each operand in turn is of another type. */
static void refuses_other_operands(void)
{
    for (unsigned code = 0; code < VECTOR_COUNT; code++) {
        if (vector_instructions[code].kind == OPCODE_ABSENT)
            continue;
        struct signature signature = signature_of(code);
        for (unsigned i = 0; i < signature.operand_count; i++) {
            struct error error;
            struct body body = whole(code, 0, 0);
            uint8_t right = local_of(signature.operands[i]);
            for (uint8_t other = 0; other < 5; other++) {
                body.bytes[2 * i + 1] = other;
                CHECK_NOTE(is_valid(&body, &error) == (other == right), "0x%02x, operand %u: %s",
                           code, i, error.text);
            }
            CHECK_NOTE(strstr(error.text, "type mismatch: expected") != NULL || right == 4, "%s",
                       error.text);
        }
    }
}

static void checks_lanes_at_their_edge(void)
{
    unsigned checked = 0;
    for (unsigned code = 0; code < VECTOR_COUNT; code++) {
        const struct instruction *instruction = &vector_instructions[code];
        unsigned lanes = instruction->kind == OPCODE_LANE          ? instruction->alignment
                         : instruction->kind == OPCODE_ACCESS_LANE ? 16u >> instruction->alignment
                         : code == VECTOR_I8X16_SHUFFLE            ? 32u
                                                                   : 0;
        if (lanes == 0)
            continue;
        checked++;
        for (unsigned lane = 0; lane < 256; lane++) {
            struct error error;
            struct body body = whole(code, 0, (uint8_t)lane);
            CHECK_NOTE(is_valid(&body, &error) == (lane < lanes), "0x%02x, lane %u", code, lane);
            CHECK_NOTE(lane < lanes || strncmp(error.text, "invalid lane index", 18) == 0, "%s",
                       error.text);
        }
    }
    CHECK_NUMBER(checked, 14 + 8 + 1);
}

static void checks_alignment_at_its_edge(void)
{
    for (unsigned code = 0; code < VECTOR_COUNT; code++) {
        const struct instruction *instruction = &vector_instructions[code];
        if (instruction->kind != OPCODE_ACCESS && instruction->kind != OPCODE_ACCESS_LANE)
            continue;
        for (uint32_t alignment = 0; alignment < 32; alignment++) {
            struct error error;
            struct body body = whole(code, alignment, 0);
            CHECK_NOTE(is_valid(&body, &error) == (alignment <= instruction->alignment),
                       "0x%02x, alignment %u", code, alignment);
        }
    }
}

static void refuses_what_is_no_instruction(void)
{
    static const uint32_t more[] = { 0x3fff, 0x4000, 0x10000, 0xfffffff, UINT32_MAX };
    for (unsigned i = 0; i < 0x200 + ARRAY_COUNT(more); i++) {
        uint32_t code = i < 0x200 ? i : more[i - 0x200];
        if (code < VECTOR_COUNT && vector_instructions[code].kind != OPCODE_ABSENT)
            continue;
        struct body body = { 0 };
        struct error error;
        char text[64];
        put(&body, 0xfd);
        put_u32(&body, code);
        put(&body, 0x0b);
        CHECK(!is_valid(&body, &error));
        bool is_relaxed = code >= 0x100 && code <= 0x11f;
        bool is_named = code >= 0x100 && code <= 0x15f;
        snprintf(text, sizeof(text), "illegal opcode 0xfd 0x%02x%s", code,
                 is_relaxed ? ": relaxed SIMD not supported"
                 : is_named ? ": half precision not supported"
                            : " at offset");
        CHECK_NOTE(strncmp(error.text, text, strlen(text)) == 0, "%s", error.text);
        CHECK(error.code == (is_named ? ERROR_UNSUPPORTED : ERROR_INVALID));
        CHECK_NOTE(strstr(error.text, "in function 0") != NULL, "%s", error.text);
    }
}

/* What baseline_vector_rows.c leaves to a stencil has it, for all stack registers. */
static void stencils_are_whole(void)
{
    unsigned found = 0;
    for (unsigned code = 0; code < VECTOR_COUNT; code++) {
        unsigned here = 0;
        for (unsigned i = 0; i < 16; i++) {
            struct vector_stencil stencil;
            if (!vector_stencil_find(code, i >> 2, i & 3, &stencil))
                continue;
            CHECK(stencil.size > 0 && stencil.size <= STENCIL_CODE_MAX);
            here++;
        }
        CHECK_NOTE(here == 0 || here == 3 || here == 6 || here == 9, "0x%02x has %u", code, here);
        found += here != 0;
    }
    CHECK_NUMBER(found, 31);
}

static const struct test tests[] = {
    TEST(accepts_each_instruction),     TEST(refuses_what_is_cut_short),
    TEST(refuses_other_operands),       TEST(checks_lanes_at_their_edge),
    TEST(checks_alignment_at_its_edge), TEST(refuses_what_is_no_instruction),
    TEST(stencils_are_whole),
};
TEST_MAIN(tests)
