/* SPDX-License-Identifier: Apache-2.0 */
#include "optimiser/object.h"

#include "optimiser/parts.h"
#include "optimiser/pipeline.h"
#include "optimiser/places.h"
#include "tests/harness.h"
#include "wasm/imports.h"
#include "wasm/linker.h"

#include <stdlib.h>
#include <string.h>

/* A switch, calls of itself and constants:
 * (func (param i32) (result f64)
 *   (block (block (block (block (br_table 0 1 2 3 (local.get 0)))
 *     (return (call 0 (i32.const 1)))) (return (call 0 (i32.const 2)))) (return (f64.const 7)))
 *   (f64.const 2.5)) */
static const uint8_t module_bytes[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x06, 0x01, 0x60, 0x01, 0x7f, 0x01,
    0x7c, 0x03, 0x02, 0x01, 0x00, 0x0a, 0x35, 0x01, 0x33, 0x00, 0x02, 0x40, 0x02, 0x40, 0x02,
    0x40, 0x02, 0x40, 0x20, 0x00, 0x0e, 0x03, 0x00, 0x01, 0x02, 0x03, 0x0b, 0x41, 0x01, 0x10,
    0x00, 0x0f, 0x0b, 0x41, 0x02, 0x10, 0x00, 0x0f, 0x0b, 0x44, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x1c, 0x40, 0x0f, 0x0b, 0x44, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x40, 0x0b
};

static struct buffer object, traps;

/* What LLVM makes of the module above. */
static bool make_object(struct arena *arena)
{
    static struct error error;
    static struct module module;
    static struct instance_layout layout;
    static const struct optimise_options options;
    struct parts_job job = {
        .module = &module, .layout = &layout, .options = &options, .arena = arena
    };
    struct translator *translator = NULL;
    struct validator *validator = NULL;
    struct function_facts facts;
    AUTO(arena) struct arena *scratch = arena_new(1 << 20);
    buffer_init(&object, 1 << 20);
    buffer_init(&traps, 1 << 20);
    bool done = module_decode(&module, arena, BYTES_OF(module_bytes), &error) &&
                linker_layout(&layout, &module, &error) &&
                translator_new(&translator, &job, arena, &error) &&
                validator_new(&validator, &module, arena, &error) &&
                validate_function(validator, 0, &facts, &error) &&
                translate_function(translator, 0, &facts, scratch) &&
                pipeline_run(translator, &object, &traps, &error);
    CHECK_NOTE(done, "%s", error.text);
    translator_free(translator);
    return done;
}

static bool link_bytes(struct bytes bytes, struct native_code *code, struct object_link *link,
                       struct arena *arena)
{
    struct error error;
    if (!object_link_init(link, 1, 1, arena, &error))
        return false;
    bool done = object_add(link, bytes, buffer_view(&traps), &error);
    *code = object_link_view(link);
    return done;
}

static void links_what_llvm_writes(void)
{
    AUTO(arena) struct arena *arena = arena_new(1 << 24);
    struct object_link link;
    struct native_code code = { 0 };
    if (!make_object(arena))
        return;
    CHECK(link_bytes(buffer_view(&object), &code, &link, arena));
    CHECK(code.starts[0] != NATIVE_NONE);
    CHECK(code.text.size > 16);
    /* Its first row is the function's start, then there are two calls. */
    CHECK(code.trap_count >= 3);
    CHECK(code.traps[0].code_offset == code.starts[0] && code.traps[0].wasm_offset == 0x19);
    CHECK(code.traps[1].wasm_offset == 0x2c || code.traps[2].wasm_offset == 0x2c);
    for (uint32_t i = 0; i < code.relocation_count; i++)
        CHECK(code.relocations[i].at <= code.text.size - 4);
    object_link_done(&link);
    /* The same function twice. */
    struct error error;
    CHECK(object_link_init(&link, 1, 1, arena, &error));
    CHECK(object_add(&link, buffer_view(&object), buffer_view(&traps), &error));
    CHECK(!object_add(&link, buffer_view(&object), buffer_view(&traps), &error));
    object_link_done(&link);
    /* A function that the module has not. */
    CHECK(object_link_init(&link, 0, 1, arena, &error));
    CHECK(!object_add(&link, buffer_view(&object), buffer_view(&traps), &error));
    object_link_done(&link);
    buffer_done(&object);
    buffer_done(&traps);
}

static void check_bounds(const struct native_code *code)
{
    CHECK(code->starts[0] == NATIVE_NONE || code->starts[0] < code->text.size);
    for (uint32_t i = 0; i < code->relocation_count; i++) {
        CHECK(code->relocations[i].at <= code->text.size - 4);
        CHECK(code->relocations[i].target < NATIVE_TARGET_COUNT);
        CHECK(code->relocations[i].index == 0);
    }
}

/* Whatever it reads, offsets ascend within the object. */
static void list_traps(struct bytes bytes)
{
    static const struct place places[8] = { { .offset = 1 }, { .loads = { 1 } } };
    AUTO_BUFFER struct buffer found;
    struct image_trap row;
    struct error error;
    uint32_t least = 0;
    buffer_init(&found, 1 << 20);
    (void)!object_traps(&found, bytes, BYTES_OF(places), &error);
    for (size_t at = 0; at < found.size; at += sizeof(row)) {
        memcpy(&row, found.data + at, sizeof(row));
        CHECK(row.code_offset >= least && row.code_offset < bytes.size);
        least = row.code_offset;
    }
}

static void survives_damage(void)
{
    AUTO(arena) struct arena *arena = arena_new(1 << 28);
    struct object_link link;
    struct native_code code = { 0 };
    if (!make_object(arena))
        return;
    for (size_t size = 0; size < object.size; size++) {
        /* A copy of its own, so that a sanitizer sees reads behind it. */
        uint8_t *copy = malloc(size + 1);
        if (copy == NULL)
            break;
        memcpy(copy, object.data, size);
        CHECK_NOTE(!link_bytes(bytes_of(copy, size), &code, &link, arena), "cut to %zu", size);
        object_link_done(&link);
        list_traps(bytes_of(copy, size));
        free(copy);
    }
    for (size_t at = 0; at < object.size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            object.data[at] ^= (uint8_t)(1u << bit);
            if (link_bytes(buffer_view(&object), &code, &link, arena))
                check_bounds(&code);
            object_link_done(&link);
            list_traps(buffer_view(&object));
            object.data[at] ^= (uint8_t)(1u << bit);
        }
    }
    buffer_done(&object);
    buffer_done(&traps);
}

static const struct test tests[] = {
    TEST(links_what_llvm_writes),
    TEST(survives_damage),
};
TEST_MAIN(tests)
