/* SPDX-License-Identifier: Apache-2.0 */
/* wasm_compile as a whole: what the image holds, the same bytes twice, errors, and modules made to
 * hurt.  execute_test.c says whether the code computes the right things. */
#include "abi/image.h"
#include "abi/instance.h"
#include "tests/harness.h"
#include "wasm/wasm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct bytes from_text(const char *text)
{
    char path[512], compiled[520];
    char command[1200];
    snprintf(path, sizeof(path), "%s/text.wat", test_folder());
    FILE *file = fopen(path, "w");
    ASSERT(file != NULL);
    fputs(text, file);
    fclose(file);
    snprintf(compiled, sizeof(compiled), "%s.wasm", path);
    snprintf(command, sizeof(command), "wat2wasm --debug-names '%s' -o '%s'", path, compiled);
    if (system(command) != 0)
        return (struct bytes){ 0 };
    return test_file(compiled);
}

static bool has_wabt(void)
{
    return system("command -v wat2wasm >/dev/null") == 0;
}

static bool compile(struct buffer *buffer, struct image *image, struct bytes module)
{
    struct wasm_options options = { 0 };
    struct error error = { 0 };
    const char *reason = "";
    buffer_init(buffer, (size_t)1 << 30);
    bool done = wasm_compile(buffer, module, &options, &error);
    CHECK_NOTE(done, "%s", error.text);
    bool parsed = done && image_parse(image, buffer_view(buffer), &reason);
    CHECK_NOTE(parsed, "%s", reason);
    return parsed;
}

static void image_holds_the_parts(void)
{
    if (!has_wabt())
        SKIP("wat2wasm (Debian's wabt) is not installed");
    struct bytes module = from_text(
        "(module (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))"
        " (memory (export \"memory\") 1 3) (global (export \"g\") (mut i32) (i32.const 7))"
        " (table 4 funcref) (elem (i32.const 1) $two $two) (elem $later func $two)"
        " (data (i32.const 300) \"abc\") (data (i32.const 301) \"XY\") (data \"passive\")"
        " (func $two (export \"two\") (param i64 f32) (result f64) (f64.load (i32.const 0)))"
        " (func $main (export \"_start\") (call $exit (i32.const 0)) unreachable)"
        " (start $main))");
    AUTO_BUFFER struct buffer buffer;
    struct image image;
    REQUIRE(compile(&buffer, &image, module));
    const struct image_header *header = &image.header;
    CHECK_NUMBER(header->flags, IMAGE_HAS_START | IMAGE_HAS_COMMAND | IMAGE_HAS_MEMORY);
    CHECK_NUMBER(header->memory_size, 65536);
    CHECK_NUMBER(header->memory_size_max, 3 * 65536);
    CHECK_NUMBER(header->function_count, 3);
    CHECK_NUMBER(header->start_offset, header->command_offset);
    REQUIRE(image_count(&image, IMAGE_MEMORY_RUNS) == 1);
    struct image_run run = image_run_at(&image, 0);
    CHECK_NUMBER(run.address, 300);
    CHECK_BYTES(bytes_part(image.sections[IMAGE_MEMORY], run.offset, run.size),
                BYTES_LITERAL("aXY"));
    struct image_export export;
    REQUIRE(image_find_export(&image, BYTES_LITERAL("two"), &export));
    CHECK_BYTES(image_string(&image, export.types_offset, export.types_size),
                BYTES_LITERAL("\x7e\x7d\x7c"));
    struct image_function function;
    uint32_t wasm_offset = 0;
    REQUIRE(image_locate(&image, export.where + 8, &function, &wasm_offset));
    CHECK_NUMBER(function.index, 1);
    CHECK_BYTES(image_string(&image, function.name_offset, function.name_size),
                BYTES_LITERAL("two"));
    REQUIRE(image_find_export(&image, BYTES_LITERAL("g"), &export));
    uint32_t value = 0;
    memcpy(&value, image.sections[IMAGE_INSTANCE].data + export.where, 4);
    CHECK_NUMBER(value, 7);
}

static void same_module_gives_same_image(void)
{
    struct bytes module = test_file("tests/data/wasm/pwrite.wasm");
    AUTO_BUFFER struct buffer first;
    AUTO_BUFFER struct buffer second;
    struct image image;
    REQUIRE(compile(&first, &image, module) && compile(&second, &image, module));
    CHECK(bytes_equal(buffer_view(&first), buffer_view(&second)));
}

static void segment_out_of_bounds_traps_at_start(void)
{
    if (!has_wabt())
        SKIP("wat2wasm (Debian's wabt) is not installed");
    AUTO_BUFFER struct buffer buffer;
    struct image image;
    REQUIRE(
        compile(&buffer, &image, from_text("(module (memory 1) (data (i32.const 65535) \"ab\"))")));
    CHECK_NUMBER(image.header.flags, IMAGE_HAS_MEMORY | IMAGE_START_TRAPS);
    CHECK_NUMBER(image.header.start_trap, TRAP_MEMORY);
}

static void refuses_what_is_too_large(void)
{
    struct bytes module = test_file("tests/data/wasm/pwrite.wasm");
    AUTO_BUFFER struct buffer buffer;
    struct error error = { 0 };
    buffer_init(&buffer, (size_t)1 << 30);
    struct wasm_options small = { .module_size_max = 1000 };
    CHECK(!wasm_compile(&buffer, module, &small, &error) && error.code == ERROR_LIMIT);
    error.code = ERROR_NONE;
    for (uint64_t size = 1; size < 100000; size += 7777) {
        struct wasm_options tight = { .image_size_max = size };
        CHECK_NOTE(!wasm_compile(&buffer, module, &tight, &error) && error.code == ERROR_LIMIT,
                   "%llu: %s", (unsigned long long)size, error.text);
    }
}

static void names_an_unknown_import(void)
{
    if (!has_wabt())
        SKIP("wat2wasm (Debian's wabt) is not installed");
    AUTO_BUFFER struct buffer buffer;
    struct error error = { 0 };
    struct wasm_options options = { 0 };
    buffer_init(&buffer, (size_t)1 << 30);
    struct bytes module =
        from_text("(module (import \"env\" \"foo\" (func (param i32) (result i64))))");
    CHECK(!wasm_compile(&buffer, module, &options, &error));
    CHECK_NUMBER(error.code, ERROR_UNSUPPORTED);
    CHECK_NOTE(strstr(error.text, "\"env\".\"foo\"") != NULL, "%s", error.text);
}

/* One to four random bytes of a real program are overwritten: the compiler answers, and what it
 * accepts is a well-formed image. */
static void survives_random_mutations(void)
{
    struct bytes file = test_file("tests/data/wasm/environ.wasm");
    uint8_t *mutated = malloc(file.size);
    REQUIRE(mutated != NULL);
    AUTO_BUFFER struct buffer buffer;
    buffer_init(&buffer, (size_t)64 << 20);
    uint64_t random = 0;
    unsigned accepted = 0;
    for (unsigned round = 0; round < 10000; round++) {
        memcpy(mutated, file.data, file.size);
        for (uint64_t changes = test_random(&random) % 4 + 1; changes > 0; changes--)
            mutated[test_random(&random) % file.size] = (uint8_t)test_random(&random);
        struct error error = { 0 };
        struct wasm_options options = { 0 };
        struct image image;
        const char *reason = "";
        if (!wasm_compile(&buffer, bytes_of(mutated, file.size), &options, &error))
            continue;
        CHECK_NOTE(image_parse(&image, buffer_view(&buffer), &reason), "%s", reason);
        accepted++;
    }
    CHECK(accepted > 100);
    printf("    %u of 10000 mutations still compile\n", accepted);
    free(mutated);
}

/* LEB128 of a 32-bit number, in five bytes. */
static void put_leb(struct buffer *buffer, uint32_t number)
{
    uint8_t bytes[5];
    for (unsigned i = 0; i < 5; i++)
        bytes[i] = (uint8_t)((number >> 7 * i & 0x7f) | (i < 4 ? 0x80 : 0));
    buffer_append(buffer, bytes_of(bytes, 5));
}

static void append(struct buffer *buffer, const char *bytes, size_t size)
{
    buffer_append(buffer, bytes_of(bytes, size));
}
#define APPEND(buffer, literal) append((buffer), literal, sizeof(literal) - 1)

/* A module of one function [] -> [] with `locals` of i32 and this body. */
static struct bytes bomb(struct buffer *module, struct bytes body, uint32_t locals)
{
    buffer_init(module, (size_t)64 << 20);
    APPEND(module, "\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\5\3\1\0\1\12");
    put_leb(module, (uint32_t)body.size + 13);
    APPEND(module, "\1");
    put_leb(module, (uint32_t)body.size + 7);
    APPEND(module, "\1");
    put_leb(module, locals);
    APPEND(module, "\x7f");
    buffer_append(module, body);
    return buffer_view(module);
}

static void check_bomb(const char *name, struct bytes body, uint32_t locals)
{
    AUTO_BUFFER struct buffer module;
    AUTO_BUFFER struct buffer buffer;
    struct error error = { 0 };
    struct wasm_options options = { 0 };
    buffer_init(&buffer, (size_t)512 << 20);
    bool done = wasm_compile(&buffer, bomb(&module, body, locals), &options, &error);
    CHECK_NOTE(done || error.code == ERROR_LIMIT, "%s: %s", name, error.text);
    CHECK_NOTE(buffer.size < 40 * (body.size + 8 * (size_t)locals) + (1 << 20),
               "%s: %zu bytes become %zu", name, body.size, buffer.size);
}

/* Each would take a compiler that looks at things twice from seconds to hours. */
static void bombs_stay_linear(void)
{
    enum {
        COUNT = 20000
    };
    AUTO_BUFFER struct buffer body;
    buffer_init(&body, (size_t)16 << 20);
    for (unsigned i = 0; i < COUNT; i++) /* as many calls as sets of pinned locals */
        APPEND(&body, "\x41\1\x21\0\x41\2\x21\1\x10\0");
    APPEND(&body, "\13");
    check_bomb("calls", buffer_view(&body), 16);
    buffer_clear(&body);
    for (unsigned i = 0; i < COUNT; i++) /* loops and calls */
        APPEND(&body, "\3\x40\x20\0\x21\1\x10\0\13");
    APPEND(&body, "\13");
    check_bomb("loops", buffer_view(&body), 16);
    buffer_clear(&body);
    for (unsigned i = 0; i < COUNT; i++) /* a deep stack of references to different locals */
        APPEND(&body, "\x20"), put_leb(&body, i);
    for (unsigned i = 0; i < COUNT; i++)
        APPEND(&body, "\x41\0\x21"), put_leb(&body, i);
    for (unsigned i = 0; i < COUNT; i++)
        APPEND(&body, "\x1a");
    APPEND(&body, "\13");
    check_bomb("locals on the stack", buffer_view(&body), COUNT);
    buffer_clear(&body);
    for (unsigned i = 0; i < COUNT; i++) /* nested blocks under a deep stack */
        APPEND(&body, "\x41\0\2\x40");
    APPEND(&body, "\x41\0\16");
    put_leb(&body, COUNT - 1);
    for (unsigned i = 0; i < COUNT; i++)
        put_leb(&body, i);
    for (unsigned i = 0; i < COUNT; i++)
        APPEND(&body, "\13\x1a");
    APPEND(&body, "\13");
    check_bomb("br_table", buffer_view(&body), 4);
}

static const struct test tests[] = {
    TEST(image_holds_the_parts),
    TEST(same_module_gives_same_image),
    TEST(segment_out_of_bounds_traps_at_start),
    TEST(refuses_what_is_too_large),
    TEST(names_an_unknown_import),
    TEST(survives_random_mutations),
    TEST(bombs_stay_linear),
};
TEST_MAIN(tests)
