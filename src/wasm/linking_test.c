/* SPDX-License-Identifier: Apache-2.0 */
/* Images of linked instances: their places, stubs, import rows and instantiation.  tests/spec runs
 * them. */
#include "wasm/linking.h"

#include "tests/harness.h"
#include "wasm/imports.h"
#include "wasm/opcodes.h"

#include <string.h>

/* Modules by hand, so that no tool is needed. */
#define HEADER "\0asm\1\0\0\0"

struct bench {
    struct wasm_signatures *signatures;
    struct buffer source, image;
    struct error error;
};

static void bench_done(struct bench *bench)
{
    wasm_signatures_free(bench->signatures);
    buffer_done(&bench->source);
    buffer_done(&bench->image);
}

#define BENCH __attribute__((cleanup(bench_done))) struct bench

static void bench_open(struct bench *bench)
{
    *bench = (struct bench){ 0 };
    buffer_init(&bench->source, 1 << 16);
    buffer_init(&bench->image, 1 << 24);
    ASSERT(wasm_signatures_new(&bench->signatures, &bench->error));
}

static void put(struct bench *bench, const void *bytes, size_t size)
{
    buffer_append(&bench->source, bytes_of(bytes, size));
}

static void put_section(struct bench *bench, uint8_t id, const char *bytes, size_t size)
{
    const uint8_t head[2] = { id, (uint8_t)size };
    ASSERT(size < 128);
    put(bench, head, 2);
    put(bench, bytes, size);
}

#define SECTION(bench, id, text) put_section((bench), (id), (text), sizeof(text) - 1)

/* Imports a.f (i32)->(), a.t, a.g; defines a memory, and function 1 (i64)->() that sets a.g,
 * exported as "e"; element and data segments are active.  `body`: of function 1. */
static struct bytes make_module(struct bench *bench, const char *body, size_t body_size)
{
    char code[64] = { 1, (char)(body_size + 2), 0 };
    buffer_clear(&bench->source);
    put(bench, HEADER, 8);
    SECTION(bench, 1, "\x02\x60\x01\x7e\x00\x60\x01\x7f\x00");
    SECTION(bench, 2,
            "\x03\x01"
            "a\x01"
            "f\x00\x01\x01"
            "a\x01"
            "t\x01\x70\x00\x01\x01"
            "a\x01"
            "g\x03\x7e\x01");
    SECTION(bench, 3, "\x01\x00");
    SECTION(bench, 5, "\x01\x00\x01");
    SECTION(bench, 7,
            "\x01\x01"
            "e\x00\x01");
    SECTION(bench, 9, "\x01\x00\x41\x00\x0b\x01\x01");
    memcpy(code + 3, body, body_size);
    code[3 + body_size] = OPCODE_END;
    put_section(bench, 10, code, body_size + 4);
    SECTION(bench, 11,
            "\x01\x00\x41\x10\x0b\x03"
            "xyz");
    return buffer_view(&bench->source);
}

static bool find(void *context, struct bytes module, struct bytes field,
                 struct wasm_external *external)
{
    const char *known = context;
    if (!bytes_equal_string(module, "a") || strchr(known, field.data[0]) == NULL)
        return false;
    switch (field.data[0]) {
    case 'f':
        *external = (struct wasm_external){ .kind = IMAGE_EXPORT_FUNCTION,
                                            .types = BYTES_LITERAL("\x7f"),
                                            .parameter_count = 1 };
        return true;
    case 't':
        *external = (struct wasm_external){ .kind = IMAGE_EXPORT_TABLE,
                                            .types = BYTES_LITERAL("\x70\0\xff\xff\xff\xff"),
                                            .size = 2 };
        return true;
    default:
        *external =
            (struct wasm_external){ .kind = IMAGE_EXPORT_GLOBAL, .types = BYTES_LITERAL("\x7e\1") };
        return true;
    }
}

static const char body[] = "\x20\x00\x24\x00"; /* local.get 0; global.set 0 */

static bool compile(struct bench *bench, struct bytes module, uint32_t placement, char *known,
                    struct image *image)
{
    const struct wasm_link link = {
        .placement = placement, .signatures = bench->signatures, .find = find, .context = known
    };
    const struct wasm_options options = { .link = &link };
    const char *reason = "";
    return wasm_compile(&bench->image, module, &options, &bench->error) &&
           (image_parse(image, buffer_view(&bench->image), &reason) ||
            error_set(&bench->error, ERROR_INTERNAL, "%s", reason));
}

static void image_has_its_place(void)
{
    BENCH bench;
    struct image image;
    char known[] = "ftg";
    bench_open(&bench);
    struct bytes module = make_module(&bench, body, 4);
    bool done = compile(&bench, module, 3, known, &image);
    CHECK_NOTE(done, "%s", bench.error.text);
    if (!done)
        return;
    struct image_place place = image_place(3);
    CHECK_NUMBER(image.header.placement, 3);
    CHECK_NUMBER(image.header.flags, IMAGE_HAS_START | IMAGE_HAS_MEMORY);
    struct instance instance;
    memcpy(&instance, image.sections[IMAGE_INSTANCE].data, sizeof(instance));
    CHECK_NUMBER(instance.functions, LAYOUT_RODATA);
    CHECK_NUMBER(instance.function_count, UINT32_MAX);
    CHECK_NUMBER(instance.shares, place.instance + image.header.shares_offset);
    CHECK_NUMBER(instance.tables[0].entries, 0); /* linking gives it */
    struct function_reference row;
    memcpy(&row, image.sections[IMAGE_RODATA].data + sizeof(row), sizeof(row));
    CHECK_NUMBER(LAYOUT_RODATA + (uint64_t)row.index * sizeof(row), place.rodata + sizeof(row));
    struct image_export export;
    REQUIRE(image_find_export(&image, BYTES_LITERAL("e"), &export));
    CHECK_NUMBER(row.code, place.code + export.where);
    /* Its entry stub: lea rax, [rip + function]; jmp common. */
    const uint8_t *code = image.sections[IMAGE_CODE].data;
    const uint8_t *stub = code + export.where;
    CHECK_BYTES(bytes_of(stub, 3), BYTES_LITERAL("\x48\x8d\x05"));
    CHECK_NUMBER(stub[7], 0xe9);
    int32_t distance;
    memcpy(&distance, stub + 3, 4);
    CHECK_NUMBER(image_function_at(&image, 1).code_offset,
                 (uint32_t)((int64_t) export.where + 7 + distance));
    /* The common part begins with the instance's address. */
    memcpy(&distance, stub + 8, 4);
    const uint8_t *common = stub + 12 + distance;
    CHECK_BYTES(bytes_of(common, 2), BYTES_LITERAL("\x49\xba"));
    CHECK(memcmp(common + 2, &place.instance, 8) == 0);
}

static void imports_have_rows(void)
{
    BENCH bench;
    struct image image;
    char known[] = "ftg";
    bench_open(&bench);
    REQUIRE(compile(&bench, make_module(&bench, body, 4), 1, known, &image));
    REQUIRE(image_count(&image, IMAGE_IMPORTS) == 3);
    static const struct {
        enum image_export_kind kind;
        const char *field;
        const char *types;
    } expected[] = { { IMAGE_EXPORT_FUNCTION, "f", "\x7f" },
                     { IMAGE_EXPORT_TABLE, "t", "\x70" },
                     { IMAGE_EXPORT_GLOBAL, "g", "\x7e\1" } };
    for (size_t i = 0; i < 3; i++) {
        struct image_import import = image_import_at(&image, i);
        CHECK_NUMBER(import.kind, expected[i].kind);
        CHECK(bytes_equal_string(image_string(&image, import.module_offset, import.module_size),
                                 "a"));
        CHECK(bytes_equal_string(image_string(&image, import.field_offset, import.field_size),
                                 expected[i].field));
        CHECK(bytes_equal_string(image_string(&image, import.types_offset, import.types_size),
                                 expected[i].types));
    }
    /* The stub of the function: jmp [r14 + record]. */
    const uint8_t *stub =
        image.sections[IMAGE_CODE].data + image_function_at(&image, 0).code_offset;
    uint32_t record = image_import_at(&image, 0).where;
    CHECK_BYTES(bytes_of(stub, 3), BYTES_LITERAL("\x41\xff\xa6"));
    CHECK(memcmp(stub + 3, &record, 4) == 0);
}

static void images_alone_are_as_ever(void)
{
    static const struct wasm_options options = { 0 };
    BENCH bench;
    struct image image;
    char known[] = "ftg";
    const char *reason;
    bench_open(&bench);
    /* A module without imports: function 0 returns at once, exported. */
    put(&bench, HEADER, 8);
    SECTION(&bench, 1, "\x01\x60\x00\x00");
    SECTION(&bench, 3, "\x01\x00");
    SECTION(&bench, 7,
            "\x01\x01"
            "e\x00\x00");
    SECTION(&bench, 10, "\x01\x02\x00\x0b");
    REQUIRE(compile(&bench, buffer_view(&bench.source), 1, known, &image));
    size_t linked_size = image.sections[IMAGE_CODE].size;
    CHECK_NUMBER(image.header.function_count, 2); /* with the instantiation */
    REQUIRE(wasm_compile(&bench.image, buffer_view(&bench.source), &options, &bench.error));
    REQUIRE(image_parse(&image, buffer_view(&bench.image), &reason));
    CHECK(image.sections[IMAGE_CODE].size + 80 < linked_size); /* no stub, no function more */
    CHECK_NUMBER(image.header.function_count, 1);
    CHECK_NUMBER(image.header.placement, 0);
    CHECK_NUMBER(image.header.flags, 0);
    struct image_export export;
    REQUIRE(image_find_export(&image, BYTES_LITERAL("e"), &export));
    CHECK_NUMBER(export.where, image_function_at(&image, 0).code_offset);
}

/* Segments become passive, and one function does what they did, in order. */
static void instantiation_is_a_function(void)
{
    BENCH bench;
    struct module module;
    char known[] = "ftg";
    bench_open(&bench);
    struct bytes source = make_module(&bench, body, 4);
    AUTO(arena) struct arena *arena = arena_new(1 << 20);
    const struct wasm_link link = {
        .placement = 1, .signatures = bench.signatures, .find = find, .context = known
    };
    const struct wasm_options options = { .link = &link };
    REQUIRE(module_decode(&module, arena, source, &bench.error));
    REQUIRE(imports_link(&module, &options, arena, &bench.error));
    REQUIRE(module_link(&module, arena, &link, &bench.error));
    CHECK_NUMBER(module.function_count, 3);
    CHECK(module.has_start);
    CHECK_NUMBER(module.start, 2);
    CHECK(is_instantiation(&module, 2) && !module_has_function(&module, 2));
    CHECK_NUMBER(module.elements[0].mode, SEGMENT_PASSIVE);
    CHECK_NUMBER(module.data[0].mode, SEGMENT_PASSIVE);
    const char wanted[] = "\x00"
                          "\x41\x80\x80\x80\x80\x00\x41\x80\x80\x80\x80\x00\x41\x81\x80\x80\x80\x00"
                          "\xfc\x0c\x00\x00\xfc\x0d\x00"
                          "\x41\x90\x80\x80\x80\x00\x41\x80\x80\x80\x80\x00\x41\x83\x80\x80\x80\x00"
                          "\xfc\x08\x00\x00\xfc\x09\x00"
                          "\x0b";
    CHECK_BYTES(module.functions[2].body, bytes_of(wanted, sizeof(wanted) - 1));
    CHECK(module_validate(&module, arena, &bench.error));
}

/* The module's own code can't tell that it is linked. */
static void code_stays_within_its_module(void)
{
    BENCH bench;
    struct image image;
    char known[] = "ftg";
    bench_open(&bench);
    CHECK(!compile(&bench, make_module(&bench, "\x10\x02", 2), 1, known, &image)); /* call 2 */
    CHECK(strstr(bench.error.text, "unknown function 2") != NULL);
    CHECK(!compile(&bench, make_module(&bench, "\xfc\x09\x00", 3), 1, known, &image));
    CHECK(strstr(bench.error.text, "data count section required") != NULL);
}

static void places_and_names_have_limits(void)
{
    BENCH bench;
    struct image image;
    char all[] = "ftg", few[] = "fg";
    bench_open(&bench);
    struct bytes module = make_module(&bench, body, 4);
    CHECK(!compile(&bench, module, 0, all, &image));
    CHECK(bench.error.code == ERROR_LIMIT);
    CHECK(!compile(&bench, module, LAYOUT_LINKED_MAX + 1, all, &image));
    CHECK(bench.error.code == ERROR_LIMIT);
    CHECK(compile(&bench, module, LAYOUT_LINKED_MAX, all, &image));
    CHECK(!compile(&bench, module, 1, few, &image));
    CHECK_STRING(bench.error.text, "unknown import \"a\".\"t\" (table 1 funcref)");
}

static void put_number(struct bench *bench, uint32_t number)
{
    for (; number > 127; number >>= 7)
        put(bench, &(uint8_t){ (uint8_t)(number | 128) }, 1);
    put(bench, &(uint8_t){ (uint8_t)number }, 1);
}

/* A passive segment that only an image alone has room for. */
static void windows_have_limits(void)
{
    static const struct wasm_options alone = { 0 };
    static const uint8_t zeros[4096];
    enum {
        SIZE = 17 << 20
    };
    BENCH bench;
    struct image image;
    char known[] = "";
    bench_open(&bench);
    bench.source.size_max = bench.image.size_max = 4 * SIZE;
    put(&bench, HEADER "\x0b", 9);
    put_number(&bench, SIZE + 6); /* count, mode, four bytes of size */
    put(&bench, "\1\1", 2);
    put_number(&bench, SIZE);
    for (uint32_t i = 0; i < SIZE; i += sizeof(zeros))
        put(&bench, zeros, sizeof(zeros));
    CHECK(!compile(&bench, buffer_view(&bench.source), 1, known, &image));
    CHECK_STRING(bench.error.text, "passive segments are over 16777216 bytes");
    CHECK_NOTE(wasm_compile(&bench.image, buffer_view(&bench.source), &alone, &bench.error), "%s",
               bench.error.text);
}

static void check_ids(struct bench *bench, const uint8_t (*types)[2], uint32_t count,
                      const uint32_t *ids)
{
    AUTO(arena) struct arena *arena = arena_new(1 << 20);
    struct function_type rows[8];
    struct module module = { .types = rows, .type_count = count };
    const struct wasm_link link = { .placement = 1, .signatures = bench->signatures };
    for (uint32_t i = 0; i < count; i++)
        rows[i] = (struct function_type){
            .parameters = types[i], .results = types[i] + 1, .parameter_count = 1, .result_count = 1
        };
    REQUIRE(module_link(&module, arena, &link, &bench->error));
    for (uint32_t i = 0; i < count; i++)
        CHECK_NUMBER(rows[i].canonical, ids[i]);
}

static void equal_types_have_equal_ids(void)
{
    static const uint8_t first[][2] = { { VALUE_I64, VALUE_I32 },
                                        { VALUE_I32, VALUE_I32 },
                                        { VALUE_I64, VALUE_I32 } };
    static const uint8_t second[][2] = { { VALUE_F32, VALUE_F32 },
                                         { VALUE_I32, VALUE_I32 },
                                         { VALUE_I32, VALUE_I64 },
                                         { VALUE_I64, VALUE_I32 } };
    BENCH bench;
    bench_open(&bench);
    /* Sorted by the bytes of types: i64 before i32. */
    check_ids(&bench, first, 3, (const uint32_t[]){ 0, 1, 0 });
    check_ids(&bench, second, 4, (const uint32_t[]){ 2, 1, 3, 0 });
    check_ids(&bench, first, 3, (const uint32_t[]){ 0, 1, 0 });
    check_ids(&bench, second + 2, 1, (const uint32_t[]){ 3 });
}

static const struct test tests[] = {
    TEST(image_has_its_place),          TEST(imports_have_rows),
    TEST(images_alone_are_as_ever),     TEST(instantiation_is_a_function),
    TEST(code_stays_within_its_module), TEST(places_and_names_have_limits),
    TEST(equal_types_have_equal_ids),   TEST(windows_have_limits),
};
TEST_MAIN(tests)
