/* SPDX-License-Identifier: Apache-2.0 */
/* Linked instances by hand: places, imports by address, memories of their own, refusals.  What
 * compiled modules do to each other is in tests/spec. */
#include "slipstream/linked.h"

#include "abi/layout.h"
#include "base/file.h"
#include "slipstream/test_image.h"
#include "tests/harness.h"

#include <string.h>

enum {
    PAGE = LAYOUT_PAGE_SIZE,
    WASM_PAGE = LAYOUT_WASM_PAGE_SIZE,
    IMAGE_SIZE = IMAGE_HEADER_SIZE + PAGE * (IMAGE_SECTION_COUNT + 1),
    GLOBAL = sizeof(struct instance),
    RECORD = GLOBAL + 16,
    SHARES = RECORD + 16,
    REGION_SIZE = SHARES + (1 + INSTANCE_TABLE_COUNT_MAX) * sizeof(struct share),
    INSTANCES = 3
};

/* The functions, 16 bytes each; exports and rows are in this order. */
enum function {
    FUNCTION_LOAD,    /* i32 address -> i32 in the memory of who is entered */
    FUNCTION_STORE,   /* i32 address, i32 */
    FUNCTION_FORWARD, /* the imported function */
    FUNCTION_TRAP,
    FUNCTION_GROW, /* pages -> old pages */
    FUNCTION_COUNT,
    EXPORT_GLOBAL = FUNCTION_COUNT,
    EXPORT_MEMORY,
    EXPORT_TABLE
};

static const uint8_t code[FUNCTION_COUNT][32] = {
    /* mov eax, [r12]; mov eax, [r13 + rax]; mov [r12], rax; ret */
    { 0x41, 0x8b, 0x04, 0x24, 0x41, 0x8b, 0x44, 0x05, 0x00, 0x49, 0x89, 0x04, 0x24, 0xc3 },
    /* mov eax, [r12]; mov ecx, [r12 + 8]; mov [r13 + rax], ecx; ret */
    { 0x41, 0x8b, 0x04, 0x24, 0x41, 0x8b, 0x4c, 0x24, 0x08, 0x41, 0x89, 0x4c, 0x05, 0x00, 0xc3 },
    /* jmp [r14 + record] */
    { 0x41, 0xff, 0xa6, (uint8_t)RECORD, RECORD >> 8, 0, 0 },
    /* ud2, reason */
    { 0x0f, 0x0b, TRAP_UNREACHABLE },
    /* mov rdi, r14; mov rsi, r12; push rax; call [r14]; pop rax; ret: helper 0 is memory.grow */
    { 0x4c, 0x89, 0xf7, 0x4c, 0x89, 0xe6, 0x50, 0x41, 0xff, 0x16, 0x58, 0xc3 },
};
_Static_assert(HELPER_MEMORY_GROW == 0, "the function that grows calls the first helper");

struct maker {
    struct image_header header;
    uint8_t bytes[IMAGE_SIZE];
    struct writer writer;
    size_t start;
};

static void section_end(struct maker *maker, enum image_section section)
{
    size_t size = maker->writer.size;
    maker->header.sections[section] = (struct image_part){ maker->start, size - maker->start };
    write_zeros(&maker->writer, (PAGE - size % PAGE) % PAGE);
    maker->start = maker->writer.size;
}

static void write_row(struct maker *maker, const uint32_t row[8])
{
    for (unsigned i = 0; i < 8; i++)
        write_u32_le(&maker->writer, row[i]);
}

static void write_parts(struct maker *maker, bool imports)
{
    struct writer *writer = &maker->writer;
    struct image_place place = image_place(maker->header.placement);
    struct instance instance = { .memory_size = maker->header.memory_size,
                                 .memory_size_max = maker->header.memory_size_max,
                                 .shares = place.instance + SHARES,
                                 .table_count = 1 };
    uint64_t global = 7 + maker->header.placement;
    write_bytes(writer, BYTES_OF(code));
    section_end(maker, IMAGE_CODE);
    write_u64_le(writer, 0x1122334455667788u);
    section_end(maker, IMAGE_RODATA);
    write_bytes(writer, bytes_of(&instance, sizeof(instance)));
    write_u64_le(writer, global);
    section_end(maker, IMAGE_INSTANCE);
    section_end(maker, IMAGE_MEMORY);
    section_end(maker, IMAGE_MEMORY_RUNS);
    for (uint32_t i = 0; i < FUNCTION_COUNT; i++) {
        const uint32_t row[4] = { i * sizeof(code[0]), 100 + i, 0, 0 };
        for (unsigned j = 0; j < 4; j++)
            write_u32_le(writer, row[j]);
    }
    section_end(maker, IMAGE_FUNCTIONS);
    section_end(maker, IMAGE_TRAPS);
    for (uint32_t i = 0; i < FUNCTION_COUNT; i++)
        write_row(maker,
                  (uint32_t[]){ i, 1, IMAGE_EXPORT_FUNCTION, i * sizeof(code[0]), 1, 1, 8, 2 });
    write_row(maker, (uint32_t[]){ 5, 1, IMAGE_EXPORT_GLOBAL, GLOBAL, 0, 0, 10, 2 });
    write_row(maker, (uint32_t[]){ 6, 1, IMAGE_EXPORT_MEMORY, 0, 0, 0, 13, 5 });
    write_row(maker, (uint32_t[]){ 7, 1, IMAGE_EXPORT_TABLE, 0, 0, 0, 12, 6 });
    section_end(maker, IMAGE_EXPORTS);
    if (imports)
        write_row(maker, (uint32_t[]){ 0, 1, 0, 1, IMAGE_EXPORT_FUNCTION, RECORD, 8, 2 });
    section_end(maker, IMAGE_IMPORTS);
    write_bytes(writer, BYTES_LITERAL("lsftggmt\x7f\x7f\x7e\1\x70\0\xff\xff\xff\xff\0"));
    section_end(maker, IMAGE_STRINGS);
}

/* `placement` 0: an image that stands alone. */
static struct program *make_program(uint32_t placement, bool imports, uint32_t pages)
{
    static struct maker maker;
    AUTO_CLOSE int descriptor = -1;
    struct program *program = NULL;
    struct error error;
    memset(&maker, 0, sizeof(maker));
    maker.header = (struct image_header){
        .version = IMAGE_VERSION,
        .flags = pages != 0 ? IMAGE_HAS_MEMORY : 0,
        .instance_size = REGION_SIZE,
        .memory_size = (uint64_t)pages * WASM_PAGE,
        .memory_size_max = pages != 0 ? (uint64_t)(pages + 2) * WASM_PAGE : 0,
        .function_count = FUNCTION_COUNT,
        .placement = placement,
        .shares_offset = placement != 0 ? SHARES : 0,
    };
    memcpy(maker.header.magic, IMAGE_MAGIC, sizeof(maker.header.magic));
    maker.writer = writer_into(maker.bytes, sizeof(maker.bytes));
    write_zeros(&maker.writer, IMAGE_HEADER_SIZE);
    maker.start = IMAGE_HEADER_SIZE;
    write_parts(&maker, imports);
    maker.header.file_size = maker.writer.size;
    struct writer head = writer_into(maker.bytes, IMAGE_HEADER_SIZE);
    image_header_write(&head, &maker.header);
    bool made =
        file_sealed(&descriptor, "linked", bytes_of(maker.bytes, maker.writer.size), &error) &&
        program_open(&program, descriptor, &error);
    CHECK_NOTE(made, "%s", error.text);
    return program;
}

struct bench {
    struct engine *engine;
    struct shell *shell;
    struct linked *linked[INSTANCES];
    struct outcome outcome;
    struct error error;
};

static void bench_done(struct bench *bench)
{
    shell_close(bench->shell);
    engine_close(bench->engine);
}

#define BENCH __attribute__((cleanup(bench_done))) struct bench

static const struct settings no_limits;

static bool add(struct bench *bench, struct program *program, const struct linked_export *sources,
                size_t count, struct linked **linked)
{
    AUTO(program) struct program *owned = program;
    return owned != NULL && shell_link(bench->shell, owned, sources, count, &no_limits, linked,
                                       &bench->outcome, &bench->error);
}

static bool bench_open(struct bench *bench)
{
    *bench = (struct bench){ 0 };
    bool opened = engine_open(&bench->engine, test_backend(), &bench->error) &&
                  shell_open(&bench->shell, bench->engine, NULL, 0, &bench->error);
    if (!opened)
        test_note("%s", bench->error.text);
    return opened;
}

#define OPEN(bench)                                                                                \
    BENCH bench;                                                                                   \
    if (!test_has_backend())                                                                       \
        SKIP("the backend can't be used here");                                                    \
    REQUIRE(bench_open(&bench))

static uint64_t call(struct bench *bench, struct linked *linked, enum function function,
                     uint64_t first, uint64_t second)
{
    uint64_t arguments[2] = { first, second }, result = 0;
    struct image_export export = image_export_at(linked_image(linked), function);
    CHECK_NOTE(
        linked_call(linked, &export, arguments, 2, &result, 1, &bench->outcome, &bench->error),
        "%s", bench->error.text);
    return result;
}

static bool traps(struct bench *bench, enum trap_reason reason)
{
    return bench->outcome.kind == OUTCOME_TRAPPED && bench->outcome.reason == reason;
}

static void memories_are_apart(void)
{
    OPEN(bench);
    for (uint32_t i = 0; i < INSTANCES; i++)
        REQUIRE(add(&bench, make_program(i == 2 ? LAYOUT_LINKED_MAX : i + 1, false, 1), NULL, 0,
                    &bench.linked[i]));
    for (uint32_t i = 0; i < INSTANCES; i++)
        call(&bench, bench.linked[i], FUNCTION_STORE, 8, 1000 + i);
    for (uint32_t i = 0; i < INSTANCES; i++) {
        CHECK_NUMBER(call(&bench, bench.linked[i], FUNCTION_LOAD, 8, 0), 1000 + i);
        CHECK_NUMBER(bench.outcome.kind, OUTCOME_DONE);
        call(&bench, bench.linked[i], FUNCTION_LOAD, WASM_PAGE - 3, 0);
        CHECK(traps(&bench, TRAP_MEMORY));
        CHECK_NUMBER(bench.outcome.function_index, 100 + FUNCTION_LOAD);
        call(&bench, bench.linked[i], FUNCTION_LOAD, UINT32_MAX, 0);
        CHECK(traps(&bench, TRAP_MEMORY));
    }
    CHECK_NUMBER(call(&bench, bench.linked[1], FUNCTION_GROW, 2, 0), 1);
    struct image_export memory = image_export_at(linked_image(bench.linked[1]), EXPORT_MEMORY);
    CHECK_NUMBER(linked_size(bench.linked[1], &memory), 3);
    CHECK_NUMBER(linked_size(bench.linked[0], &memory), 1);
    CHECK_NUMBER(call(&bench, bench.linked[1], FUNCTION_LOAD, 3 * WASM_PAGE - 4, 0), 0);
    call(&bench, bench.linked[1], FUNCTION_LOAD, 3 * WASM_PAGE - 3, 0);
    CHECK(traps(&bench, TRAP_MEMORY));
    CHECK_NUMBER(call(&bench, bench.linked[1], FUNCTION_GROW, 1, 0), UINT32_MAX);
    CHECK_NUMBER(call(&bench, bench.linked[1], FUNCTION_LOAD, 8, 0), 1001);
}

static void functions_come_from_others(void)
{
    OPEN(bench);
    REQUIRE(add(&bench, make_program(1, false, 1), NULL, 0, &bench.linked[0]));
    const struct linked_export load = { bench.linked[0], FUNCTION_LOAD };
    REQUIRE(add(&bench, make_program(2, true, 1), &load, 1, &bench.linked[1]));
    /* By hand there is no stub: the function works on the caller's memory. */
    call(&bench, bench.linked[1], FUNCTION_STORE, 4, 55);
    CHECK_NUMBER(call(&bench, bench.linked[1], FUNCTION_FORWARD, 4, 0), 55);
    const struct linked_export trap = { bench.linked[0], FUNCTION_TRAP };
    REQUIRE(add(&bench, make_program(3, true, 1), &trap, 1, &bench.linked[2]));
    call(&bench, bench.linked[2], FUNCTION_FORWARD, 0, 0);
    CHECK(traps(&bench, TRAP_UNREACHABLE));
    CHECK_NUMBER(bench.outcome.function_index, 100 + FUNCTION_TRAP);
    CHECK_NUMBER(call(&bench, bench.linked[1], FUNCTION_FORWARD, 4, 0), 55);
    uint64_t slot[2];
    struct image_export global = image_export_at(linked_image(bench.linked[2]), EXPORT_GLOBAL);
    CHECK(linked_global(bench.linked[2], &global, slot, &bench.error));
    CHECK_NUMBER(slot[0], 10);
}

static void wrong_sources_are_refused(void)
{
    OPEN(bench);
    OPEN(other);
    REQUIRE(add(&bench, make_program(1, false, 1), NULL, 0, &bench.linked[0]));
    const struct linked_export nothing = { NULL, 0 };
    const struct linked_export global = { bench.linked[0], EXPORT_GLOBAL };
    const struct linked_export memory = { bench.linked[0], EXPORT_MEMORY };
    const struct linked_export behind = { bench.linked[0], EXPORT_TABLE + 1 };
    const struct linked_export load = { bench.linked[0], FUNCTION_LOAD };
    CHECK(!add(&bench, make_program(2, true, 1), NULL, 0, &bench.linked[1]));
    CHECK(!add(&bench, make_program(3, true, 1), &nothing, 1, &bench.linked[1]));
    CHECK(!add(&bench, make_program(4, true, 1), &global, 1, &bench.linked[1]));
    CHECK(!add(&bench, make_program(5, true, 1), &memory, 1, &bench.linked[1]));
    CHECK(!add(&bench, make_program(6, true, 1), &behind, 1, &bench.linked[1]));
    CHECK(!add(&other, make_program(9, true, 1), &load, 1, &bench.linked[1]));
    CHECK(bench.error.code == ERROR_INVALID && other.error.code == ERROR_INVALID);
    CHECK(bench.linked[1] == NULL);
    CHECK(add(&bench, make_program(7, true, 1), &load, 1, &bench.linked[1]));
}

static void places_are_taken_once(void)
{
    OPEN(bench);
    AUTO(program) struct program *alone = make_program(0, false, 1);
    AUTO(program) struct program *placed = make_program(2, false, 1);
    REQUIRE(alone != NULL && placed != NULL);
    CHECK(!shell_link(bench.shell, alone, NULL, 0, &no_limits, &bench.linked[0], &bench.outcome,
                      &bench.error));
    CHECK(bench.error.code == ERROR_INVALID);
    CHECK(!shell_load(bench.shell, placed, &no_limits, &bench.outcome, &bench.error));
    CHECK(bench.error.code == ERROR_INVALID);
    REQUIRE(add(&bench, make_program(2, false, 0), NULL, 0, &bench.linked[0]));
    CHECK(!add(&bench, make_program(2, false, 0), NULL, 0, &bench.linked[1]));
    CHECK_STRING(bench.error.text, "place 2 is taken");
    CHECK(!shell_load(bench.shell, alone, &no_limits, &bench.outcome, &bench.error));
}

static void limits_hold(void)
{
    OPEN(bench);
    const struct settings limits = { .memory_size_max = 2 * WASM_PAGE };
    AUTO(program) struct program *large = make_program(1, false, 3);
    AUTO(program) struct program *fits = make_program(2, false, 1);
    REQUIRE(large != NULL && fits != NULL);
    CHECK(!shell_link(bench.shell, large, NULL, 0, &limits, &bench.linked[0], &bench.outcome,
                      &bench.error));
    CHECK(bench.error.code == ERROR_LIMIT);
    REQUIRE(shell_link(bench.shell, fits, NULL, 0, &limits, &bench.linked[0], &bench.outcome,
                       &bench.error));
    CHECK_NUMBER(call(&bench, bench.linked[0], FUNCTION_GROW, 2, 0), UINT32_MAX);
    CHECK_NUMBER(call(&bench, bench.linked[0], FUNCTION_GROW, 1, 0), 1);
}

static void memories_may_be_large(void)
{
    OPEN(bench);
    REQUIRE(add(&bench, make_program(1, false, 1000), NULL, 0, &bench.linked[0]));
    call(&bench, bench.linked[0], FUNCTION_STORE, 1000 * WASM_PAGE - 4, 77);
    CHECK_NUMBER(call(&bench, bench.linked[0], FUNCTION_GROW, 2, 0), 1000);
    call(&bench, bench.linked[0], FUNCTION_STORE, 1002 * WASM_PAGE - 4, 78);
    CHECK_NUMBER(call(&bench, bench.linked[0], FUNCTION_LOAD, 1000 * WASM_PAGE - 4, 0), 77);
    CHECK_NUMBER(call(&bench, bench.linked[0], FUNCTION_LOAD, 1002 * WASM_PAGE - 4, 0), 78);
    call(&bench, bench.linked[0], FUNCTION_LOAD, 1002 * WASM_PAGE, 0);
    CHECK(traps(&bench, TRAP_MEMORY));
}

static const struct test tests[] = {
    TEST(memories_are_apart),
    TEST(functions_come_from_others),
    TEST(wrong_sources_are_refused),
    TEST(places_are_taken_once),
    TEST(limits_hold),
    TEST(memories_may_be_large),
};
TEST_MAIN(tests)
