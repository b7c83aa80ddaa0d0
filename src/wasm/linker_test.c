/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in an image: memory as the data segments paint it, the instance's template, tables,
 * references, exports. */
#include "abi/layout.h"
#include "tests/harness.h"
#include "wasm/test_text.h"
#include "wasm/wasm.h"

#include <string.h>

struct scene {
    struct buffer buffer;
    struct image image;
    struct instance instance;
    struct bytes template;
};

/* False when the text can't be assembled here. */
static bool scene_open(struct scene *scene, const char *text)
{
    struct error error = { 0 };
    const char *reason = "";
    memset(scene, 0, sizeof(*scene));
    if (!test_can_assemble())
        return false;
    buffer_init(&scene->buffer, 1 << 28);
    struct wasm_options options = { .allow_spectest = true };
    bool made = wasm_compile(&scene->buffer, test_assemble(text), &options, &error) &&
                image_parse(&scene->image, buffer_view(&scene->buffer), &reason);
    CHECK_NOTE(made, "%s%s", error.text, reason);
    scene->template = scene->image.sections[IMAGE_INSTANCE];
    if (made && scene->template.size >= sizeof(scene->instance))
        memcpy(&scene->instance, scene->template.data, sizeof(scene->instance));
    return made;
}

static void scene_close(struct scene *scene)
{
    buffer_done(&scene->buffer);
}

/* What the template says at an address of the instance region; zero behind its end. */
static struct function_reference entry_at(const struct scene *scene, unsigned table, unsigned index)
{
    struct function_reference entry = { 0 };
    uint64_t offset =
        scene->instance.tables[table].entries - LAYOUT_INSTANCE + index * sizeof(entry);
    /* Zeros at the end are left out. */
    struct bytes there = bytes_part(scene->template, offset, sizeof(entry));
    if (there.size > 0)
        memcpy(&entry, there.data, there.size);
    return entry;
}

static struct bytes run_bytes(const struct scene *scene, size_t index, uint32_t *address)
{
    struct image_run run = image_run_at(&scene->image, index);
    *address = run.address;
    return bytes_part(scene->image.sections[IMAGE_MEMORY], run.offset, run.size);
}

static void paints_memory(void)
{
    struct scene scene;
    uint32_t address;
    if (!scene_open(&scene, "(module (memory 2 5)"
                            " (data (i32.const 1000) \"\\00\\00abcdef\\00\")"
                            " (data (i32.const 1003) \"XY\")" /* over the first */
                            " (data (i32.const 70000) \"far\")"
                            " (data (i32.const 65535) \"edge\")"        /* over a page's end */
                            " (data (i32.const 5000) \"\\00\\00\\00\")" /* nothing to see */
                            " (data (i32.const 131072) \"\"))"))        /* just fits */
        SKIP("no wat2wasm");
    CHECK_NUMBER(scene.image.header.memory_size, 2 * 65536);
    CHECK_NUMBER(scene.image.header.memory_size_max, 5 * 65536);
    REQUIRE(image_count(&scene.image, IMAGE_MEMORY_RUNS) == 3);
    CHECK_BYTES(run_bytes(&scene, 0, &address), BYTES_LITERAL("aXYdef"));
    CHECK_NUMBER(address, 1002);
    CHECK_BYTES(run_bytes(&scene, 1, &address), BYTES_LITERAL("edge"));
    CHECK_NUMBER(address, 65535);
    CHECK_BYTES(run_bytes(&scene, 2, &address), BYTES_LITERAL("far"));
    CHECK((scene.image.header.flags & IMAGE_START_TRAPS) == 0);
    scene_close(&scene);
}

static void stops_at_a_segment_that_does_not_fit(void)
{
    struct scene scene;
    uint32_t address;
    if (!scene_open(&scene, "(module (memory 1) (data (i32.const 8) \"kept\")"
                            " (data (i32.const 65535) \"ab\") (data (i32.const 8) \"late\"))"))
        SKIP("no wat2wasm");
    CHECK((scene.image.header.flags & IMAGE_START_TRAPS) != 0);
    CHECK_NUMBER(scene.image.header.start_trap, TRAP_MEMORY);
    REQUIRE(image_count(&scene.image, IMAGE_MEMORY_RUNS) == 1);
    CHECK_BYTES(run_bytes(&scene, 0, &address), BYTES_LITERAL("kept"));
    scene_close(&scene);
}

static void fills_tables(void)
{
    struct scene scene;
    if (!scene_open(&scene,
                    "(module (import \"spectest\" \"print_i32\" (func $i (param i32)))"
                    " (table $a 5 funcref) (table $b 2 9 funcref) (table $e 3 externref)"
                    " (elem (table $a) (i32.const 1) func $f $i $g)"
                    " (elem (table $b) (i32.const 0) funcref (ref.null func) (ref.func $g))"
                    " (elem $passive func $g $f) (elem declare func $h)"
                    " (func $f (param i32)) (func $g (result i64) (i64.const 1)) (func $h)"
                    " (func (drop (table.grow $b (ref.null func) (i32.const 1)))"
                    "   (table.init $a $passive (i32.const 0) (i32.const 0) (i32.const 0))))"))
        SKIP("no wat2wasm");
    const struct instance *instance = &scene.instance;
    CHECK_NUMBER(instance->table_count, 3);
    CHECK_NUMBER(instance->tables[0].size, 5);
    CHECK_NUMBER(instance->tables[0].size_max, 5); /* nothing grows it */
    CHECK_NUMBER(instance->tables[1].size_max, 9);
    CHECK_NUMBER(entry_at(&scene, 0, 0).code, 0);
    CHECK_NUMBER(entry_at(&scene, 0, 1).index, 1);
    CHECK_NUMBER(entry_at(&scene, 0, 2).index, 0); /* the import */
    CHECK_NUMBER(entry_at(&scene, 0, 3).index, 2);
    /* Equal types have equal ids, nobody has 0. */
    CHECK(entry_at(&scene, 0, 1).signature == entry_at(&scene, 0, 2).signature);
    CHECK(entry_at(&scene, 0, 1).signature != entry_at(&scene, 0, 3).signature);
    CHECK(entry_at(&scene, 0, 1).signature != 0);
    CHECK(entry_at(&scene, 0, 1).code > LAYOUT_CODE);
    CHECK_NUMBER(entry_at(&scene, 1, 0).code, 0);
    CHECK_NUMBER(entry_at(&scene, 1, 1).index, 2);
    /* References of all functions come first in the read-only data, then passive segments. */
    struct function_reference rows[7];
    REQUIRE(scene.image.sections[IMAGE_RODATA].size == sizeof(rows));
    memcpy(rows, scene.image.sections[IMAGE_RODATA].data, sizeof(rows));
    for (uint32_t i = 0; i < 5; i++)
        CHECK_NUMBER(rows[i].index, i);
    CHECK(rows[5].index == 2 && rows[6].index == 1);
    struct segment segments[4];
    CHECK_NUMBER(instance->element_count, 4);
    memcpy(segments, scene.template.data + (instance->segments - LAYOUT_INSTANCE),
           sizeof(segments));
    CHECK_NUMBER(segments[0].size, 0); /* active and declared ones are dropped */
    CHECK_NUMBER(segments[2].size, 2);
    CHECK_NUMBER(segments[2].data, LAYOUT_RODATA + 5 * sizeof(rows[0]));
    CHECK_NUMBER(segments[3].size, 0);
    scene_close(&scene);
}

static void refuses_what_does_not_fit(void)
{
    struct error error = { 0 };
    AUTO_BUFFER struct buffer buffer;
    buffer_init(&buffer, 1 << 28);
    struct wasm_options options = { 0 };
    if (!test_can_assemble())
        SKIP("no wat2wasm");
    CHECK(!wasm_compile(&buffer, test_assemble("(module (table 5000000 funcref))"), &options,
                        &error));
    CHECK(error.code == ERROR_LIMIT);
    options.image_size_max = 8192;
    CHECK(!wasm_compile(&buffer, test_assemble("(module (memory 1) (data (i32.const 9) \"x\"))"),
                        &options, &error));
    CHECK(error.code == ERROR_LIMIT);
    CHECK_NUMBER(buffer.size, 0);
    struct scene scene;
    REQUIRE(scene_open(
        &scene, "(module (table 2 funcref) (func $f)"
                " (elem (i32.const 0) $f) (elem (i32.const 1) $f $f) (elem (i32.const 1) $f))"));
    CHECK_NUMBER(scene.image.header.start_trap, TRAP_TABLE);
    CHECK_NUMBER(entry_at(&scene, 0, 1).code, 0);
    scene_close(&scene);
}

static void lists_exports_and_functions(void)
{
    struct scene scene;
    struct image_export export;
    if (!scene_open(&scene,
                    "(module (global $g (export \"g\") (mut i64) (i64.const 0x1122334455667788))"
                    " (func $named (export \"f\") (param i32 f64) (result i64) (i64.const 5))"
                    " (memory (export \"m\") 1) (func (export \"_start\")) (start 1))"))
        SKIP("no wat2wasm");
    REQUIRE(image_find_export(&scene.image, BYTES_LITERAL("f"), &export));
    CHECK_NUMBER(export.kind, IMAGE_EXPORT_FUNCTION);
    CHECK_NUMBER(export.parameter_count, 2);
    CHECK_BYTES(image_string(&scene.image, export.types_offset, export.types_size),
                BYTES_LITERAL("\x7f\x7c\x7e"));
    struct image_function function;
    uint32_t wasm_offset;
    REQUIRE(image_locate(&scene.image, export.where, &function, &wasm_offset));
    CHECK_NUMBER(function.index, 0);
    REQUIRE(image_find_export(&scene.image, BYTES_LITERAL("g"), &export));
    uint64_t global;
    memcpy(&global, scene.template.data + export.where, sizeof(global));
    CHECK(global == 0x1122334455667788);
    CHECK(!image_find_export(&scene.image, BYTES_LITERAL("nobody"), &export));
    CHECK((scene.image.header.flags & IMAGE_HAS_START) != 0);
    CHECK((scene.image.header.flags & IMAGE_HAS_COMMAND) != 0);
    CHECK_NUMBER(scene.image.header.start_offset, scene.image.header.command_offset);
    scene_close(&scene);
}

static const struct test tests[] = {
    TEST(paints_memory),
    TEST(stops_at_a_segment_that_does_not_fit),
    TEST(fills_tables),
    TEST(refuses_what_does_not_fit),
    TEST(lists_exports_and_functions),
};
TEST_MAIN(tests)
