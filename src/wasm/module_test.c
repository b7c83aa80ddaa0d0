/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/module.h"

#include "core/hex.h"
#include "tests/harness.h"
#include "wasm/imports.h"
#include "wasm/limits.h"
#include "wasm/types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* (type (func (param i32) (result i64))) (type (func)) and the first again, an import, a table, a
 * memory, two globals, two exports, a start function, an active and a declared element segment, an
 * active and a passive data segment, memory.init, names. */
#define PARTS                                                                                      \
    "0061736d0100000001120460017f017e60000060017f017e60017f0002240116776173695f736e617073686f74"   \
    "5f70726576696577310970726f635f65786974000303020101040501700102040504010101030612027f004179"   \
    "0b7c0144000000000000f83f0b071302066d656d6f72790200065f73746172740001080101090b020041000b01"   \
    "01030001000c01020a0e010c00410041004101fc0801000b0b14020041100b0568656c6c6f0107706173736976"   \
    "65001a046e616d65010c02000465786974010372756e02050200000100"

/* (func (param i32 i64) (result i32) (local f32 f64 f64): two loops, one within the other. */
#define FACTS                                                                                      \
    "0061736d01000000010c0260027f7e017f60017f017f03030200010a20021902017d027c200003010301220010"   \
    "010b20006a0b210020000b040020000b0015046e616d6501070200016601016702050200000100"

struct source {
    uint8_t data[512];
    struct bytes bytes;
};

static struct bytes from_hex(struct source *source, const char *text)
{
    size_t size = strlen(text) / 2;
    ASSERT(size <= sizeof(source->data) && hex_decode(source->data, size, bytes_of_string(text)));
    source->bytes = bytes_of(source->data, size);
    return source->bytes;
}

/* A module whose only function has this body (locals and code, without the size). */
static struct bytes with_body(struct source *source, const char *head, const char *body)
{
    char text[1024];
    unsigned size = (unsigned)strlen(body) / 2;
    snprintf(text, sizeof(text), "0061736d01000000%s0a%02x01%02x%s", head, size + 2, size, body);
    return from_hex(source, text);
}

#define ONE_FUNCTION "01040160000003020100"

static bool check(struct bytes source, struct module *module, struct arena *arena,
                  struct error *error)
{
    return module_decode(module, arena, source, error) && module_validate(module, arena, error);
}

static void decodes_every_part(void)
{
    AUTO(arena) struct arena *arena = arena_new(1 << 20);
    struct source source;
    struct module module;
    struct error error = { 0 };
    bool ok = check(from_hex(&source, PARTS), &module, arena, &error);
    CHECK_STRING(error.text, "");
    REQUIRE(ok);
    CHECK_NUMBER(module.type_count, 4);
    CHECK_NUMBER(module.types[2].canonical, 0);
    CHECK_NUMBER(module.types[3].canonical, 3);
    CHECK_NUMBER(module.function_count, 2);
    CHECK_NUMBER(module.imported_function_count, 1);
    CHECK(module.functions[0].is_import && module.functions[0].is_referenced);
    CHECK(module.functions[1].is_referenced);
    CHECK_BYTES(module.functions[1].name, BYTES_LITERAL("run"));
    CHECK_NUMBER(module.tables[0].limits.max, 4);
    CHECK_NUMBER(module.memories[0].max, 3);
    CHECK_NUMBER(module.globals[0].value.bits, (uint32_t)-7);
    CHECK(module.globals[1].type.is_mutable && !module.globals[0].type.is_mutable);
    CHECK_NUMBER(module.globals[1].value.bits, 0x3ff8000000000000);
    CHECK_BYTES(module.exports[1].name, BYTES_LITERAL("_start"));
    CHECK(module.has_start && module.start == 1);
    CHECK_NUMBER(module.element_count, 2);
    CHECK(module.elements[0].mode == SEGMENT_ACTIVE && module.elements[0].items[0].index == 1);
    CHECK(module.elements[1].mode == SEGMENT_DECLARED);
    CHECK_NUMBER(module.data_count, 2);
    CHECK_NUMBER(module.data[0].offset.bits, 16);
    CHECK(module.data[1].mode == SEGMENT_PASSIVE);
    CHECK_BYTES(module.data[1].bytes, BYTES_LITERAL("passive"));
}

static void learns_the_facts_of_a_function(void)
{
    AUTO(arena) struct arena *arena = arena_new(1 << 20);
    struct source source;
    struct module module;
    struct error error = { 0 };
    REQUIRE(module_decode(&module, arena, from_hex(&source, FACTS), &error));
    struct validator *validator;
    struct function_facts facts;
    REQUIRE(validator_new(&validator, &module, arena, &error));
    REQUIRE(validate_function(validator, 0, &facts, &error));
    CHECK_NUMBER(facts.local_count, 5);
    CHECK_BYTES(bytes_of(facts.local_types, 5), BYTES_LITERAL("\x7f\x7e\x7d\x7c\x7c"));
    CHECK_NUMBER(facts.local_uses[0], 1 + 64 + 8 + 1 + 1);
    CHECK_NUMBER(facts.local_uses[1], 0);
    CHECK_NUMBER(facts.local_lasts[0], facts.code_offset + 17);
    CHECK_NUMBER(facts.local_lasts[1], 0);
    CHECK_NUMBER(facts.loop_count, 2);
    for (unsigned i = 0; i < 2; i++)
        CHECK(facts.loops[i].used == 1 && facts.loops[i].set == 1 && facts.loops[i].has_calls);
    CHECK_NUMBER(facts.call_count, 64);
    CHECK_NUMBER(facts.stack_height_max, 2);
    CHECK_NUMBER(facts.block_depth_max, 3);
    CHECK_NUMBER(facts.code.data[0], 0x20);
    CHECK_NUMBER(facts.code_offset, facts.code.data - source.data);
    CHECK_NUMBER(facts.code.size, 20);
    REQUIRE(validate_function(validator, 1, &facts, &error));
    CHECK_NUMBER(facts.local_count, 1);
    CHECK_NUMBER(facts.local_uses[0], 1);
    CHECK_NUMBER(facts.local_lasts[0], facts.code_offset);
    CHECK_NUMBER(facts.loop_count, 0);
}

static void names_what_it_refuses(void)
{
    static const struct {
        const char *head;
        const char *body;
        enum error_code code;
        const char *text;
    } cases[] = {
        { ONE_FUNCTION, "00fd80020b", ERROR_UNSUPPORTED,
          "illegal opcode 0xfd 0x100: relaxed SIMD not supported at offset 0x17 in function 0" },
        { ONE_FUNCTION, "00fd9a010b", ERROR_INVALID,
          "illegal opcode 0xfd 0x9a at offset 0x17 in function 0" },
        { ONE_FUNCTION, "01017b2000fd15101a0b", ERROR_INVALID,
          "invalid lane index 16, at most 15 at offset 0x1b in function 0" },
        { ONE_FUNCTION, "0014000b", ERROR_UNSUPPORTED,
          "illegal opcode 0x14: typed function references not supported at offset 0x17 in function "
          "0" },
        { ONE_FUNCTION, "0006400b0b", ERROR_UNSUPPORTED,
          "illegal opcode 0x06: exception handling not supported at offset 0x17 in function 0" },
        { ONE_FUNCTION, "00fe03000b", ERROR_UNSUPPORTED,
          "illegal opcode 0xfe 0x03: threads not supported at offset 0x17 in function 0" },
        { ONE_FUNCTION, "01016e0b", ERROR_UNSUPPORTED,
          "malformed value type 0x6e: garbage collection not supported at offset 0x16 in function "
          "0" },
        { ONE_FUNCTION, "00270b", ERROR_INVALID,
          "illegal opcode 0x27 at offset 0x17 in function 0" },
        { ONE_FUNCTION, "0041006a1a0b", ERROR_INVALID,
          "type mismatch: nothing on the stack at offset 0x19 in function 0" },
        { ONE_FUNCTION, "004200451a0b", ERROR_INVALID,
          "type mismatch: expected i32, found i64 at offset 0x19 in function 0" },
        { ONE_FUNCTION, "0020000b", ERROR_INVALID, "unknown local 0 at offset 0x17 in function 0" },
        { ONE_FUNCTION, "000c010b", ERROR_INVALID, "unknown label 1 at offset 0x17 in function 0" },
        { ONE_FUNCTION, "0141", ERROR_INVALID,
          "unexpected end of section or function at offset 0x18" },
        { ONE_FUNCTION, "01d186037f0b", ERROR_LIMIT,
          "too many locals: 50001, at most 50000 at offset 0x16 in function 0" },
        { "010401600000030201000504010404ff", "000b", ERROR_UNSUPPORTED,
          "integer too large: limits of kind 4: memory64 not supported at offset 0x15 in the "
          "memory section" },
        { "010401600000030201000503010302", "000b", ERROR_UNSUPPORTED,
          "integer too large: limits of kind 3: threads not supported at offset 0x15 in the "
          "memory section" },
        { "01030160000003020100", "000b", ERROR_INVALID,
          "section size mismatch in section 1 at offset 0xe in the type section" },
        { "010401600000030201000609017f004101410271"
          "0b",
          "000b", ERROR_INVALID,
          "constant expression required, found i32.and at offset 0x1b in the global section" },
        { "010401600000030201000607017f0041016a0b", "000b", ERROR_INVALID,
          "type mismatch: i32.add in a constant expression lacks operands at offset 0x19 in the "
          "global section" },
        { "010401600000030201000609017f00410142026a0b", "000b", ERROR_INVALID,
          "type mismatch: i32.add of i32 and i64 in a constant expression at offset 0x1b in the "
          "global section" },
        { "010401600000030201000608017f00410141020b", "000b", ERROR_INVALID,
          "type mismatch: constant expression has more than one value at offset 0x17 in the "
          "global section" },
        { "0103015f0003020100", "000b", ERROR_UNSUPPORTED,
          "malformed function type 0x5f: garbage collection not supported at offset 0xb in the "
          "type section" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO(arena) struct arena *arena = arena_new(1 << 20);
        struct source source;
        struct module module;
        struct error error = { 0 };
        CHECK(!check(with_body(&source, cases[i].head, cases[i].body), &module, arena, &error));
        CHECK_STRING(error.text, cases[i].text);
        CHECK(error.code == cases[i].code);
    }
}

static void refuses_components_and_big_files(void)
{
    AUTO(arena) struct arena *arena = arena_new(1 << 20);
    struct source source;
    struct module module;
    struct error error = { 0 };
    CHECK(!check(from_hex(&source, "0061736d0d000100"), &module, arena, &error));
    CHECK_STRING(error.text, "unknown binary version: a component, not a core module (a "
                             "compiler's target wasm32-wasip1 makes these) at offset 0x4");
    struct bytes big = { source.data, (size_t)WASM_MODULE_SIZE_MAX + 1 };
    CHECK(!module_decode(&module, arena, big, &error));
    CHECK(error.code == ERROR_LIMIT);
    CHECK_STRING(error.text, "module has 134217729 bytes, at most 134217728");
}

static void refuses_deep_nesting(void)
{
    enum {
        DEPTH = WASM_NESTING_MAX + 1
    };
    static uint8_t bytes[64 + 3 * DEPTH];
    struct source head;
    struct bytes start = from_hex(&head, "0061736d01000000010401600000030201000a");
    size_t size = start.size;
    memcpy(bytes, start.data, size);
    uint32_t body = 1 + 3 * DEPTH + 1, section = body + 4;
    const uint8_t sizes[] = { (uint8_t)(section | 0x80), (uint8_t)(section >> 7 | 0x80),
                              (uint8_t)(section >> 14),  1,
                              (uint8_t)(body | 0x80),    (uint8_t)(body >> 7 | 0x80),
                              (uint8_t)(body >> 14),     0 };
    memcpy(bytes + size, sizes, sizeof(sizes));
    size += sizeof(sizes);
    for (size_t i = 0; i < DEPTH; i++) {
        bytes[size++] = 0x02;
        bytes[size++] = 0x40;
    }
    memset(bytes + size, 0x0b, DEPTH + 1);
    size += DEPTH + 1;
    AUTO(arena) struct arena *arena = arena_new((size_t)64 << 20);
    struct module module;
    struct error error = { 0 };
    CHECK(!check(bytes_of(bytes, size), &module, arena, &error));
    CHECK(error.code == ERROR_LIMIT);
    CHECK(strncmp(error.text, "more than 50000 blocks within each other", 40) == 0);
}

static void reads_names_leniently(void)
{
    /* Custom sections without their size, behind "name". */
    static const char *const contents[] = {
        "",               /* empty */
        "01ff00000000",   /* a size that is not there */
        "01040200016600", /* names cut short */
        "01030100ff01",   /* not UTF-8, wrong count */
    };
    for (size_t i = 0; i < ARRAY_COUNT(contents); i++) {
        char text[256];
        snprintf(text, sizeof(text), "0061736d0100000000%02x046e616d65%s",
                 (unsigned)strlen(contents[i]) / 2 + 5, contents[i]);
        AUTO(arena) struct arena *arena = arena_new(1 << 20);
        struct source source;
        struct module module;
        struct error error = { 0 };
        CHECK_NOTE(check(from_hex(&source, text), &module, arena, &error), "%s", error.text);
    }
}

/* A copy of exactly `size` bytes, so that a sanitizer sees a read past the end. */
static bool try_copy(struct bytes source)
{
    uint8_t *copy = malloc(source.size + 1);
    ASSERT(copy != NULL);
    memcpy(copy, source.data, source.size);
    AUTO(arena) struct arena *arena = arena_new((size_t)256 << 20);
    struct module module;
    struct error error = { 0 };
    bool ok = check(bytes_of(copy, source.size), &module, arena, &error) &&
              imports_resolve(&module, false, &error);
    CHECK_NOTE(ok == (error.code == ERROR_NONE), "%s", error.text);
    free(copy);
    return ok;
}

static void survives_every_truncation_and_flip(void)
{
    struct source source;
    struct bytes whole = from_hex(&source, PARTS);
    CHECK(try_copy(whole));
    unsigned accepted = 0;
    for (size_t size = 0; size < whole.size; size++)
        accepted += try_copy(bytes_of(whole.data, size));
    /* The header alone is a module; so is everything up to some of the first sections, and all but
     * the names. */
    CHECK_NOTE(accepted >= 2 && accepted <= 8, "%u truncations accepted", accepted);
    for (size_t i = 0; i < whole.size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            source.data[i] ^= (uint8_t)(1u << bit);
            (void)try_copy(whole);
            source.data[i] ^= (uint8_t)(1u << bit);
        }
    }
}

/* One to four random bytes of a real program are overwritten. */
static void survives_random_mutations(void)
{
    static const char *const files[] = { "tests/data/wasm/pwrite.wasm",
                                         "tests/data/wasm/environ.wasm" };
    uint64_t random = 0;
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        struct bytes file = test_file(files[i]);
        REQUIRE(file.size > 0);
        uint8_t *mutated = malloc(file.size);
        REQUIRE(mutated != NULL);
        unsigned accepted = 0;
        CHECK(try_copy(file));
        for (unsigned round = 0; round < 5000; round++) {
            memcpy(mutated, file.data, file.size);
            for (uint64_t changes = test_random(&random) % 4 + 1; changes > 0; changes--)
                mutated[test_random(&random) % file.size] = (uint8_t)test_random(&random);
            accepted += try_copy(bytes_of(mutated, file.size));
        }
        printf("    %s: %u of 5000 mutations are still valid\n", files[i], accepted);
        free(mutated);
    }
}

static const struct test tests[] = {
    TEST(decodes_every_part),
    TEST(learns_the_facts_of_a_function),
    TEST(names_what_it_refuses),
    TEST(refuses_components_and_big_files),
    TEST(refuses_deep_nesting),
    TEST(reads_names_leniently),
    TEST(survives_every_truncation_and_flip),
    TEST(survives_random_mutations),
};
TEST_MAIN(tests)
