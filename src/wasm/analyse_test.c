/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/analyse.h"

#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void reports_a_program(void)
{
    struct bytes file = test_file("tests/data/wasm/pwrite.wasm");
    REQUIRE(file.size > 0);
    AUTO(arena) struct arena *arena = arena_new(16 << 20);
    struct analysis analysis;
    struct error error = { 0 };
    REQUIRE(wasm_analyse(&analysis, arena, file, &error));
    CHECK(analysis.can_run);
    CHECK_NUMBER(analysis.reason_count, 0);
    CHECK(analysis.abi == ANALYSIS_ABI_COMMAND);
    CHECK(analysis.is_deterministic);
    CHECK(analysis.has_memory && analysis.memory_size % 65536 == 0);
    CHECK(analysis.import_count > 5);
    CHECK_BYTES(analysis.imports[0].module, BYTES_LITERAL("wasi_snapshot_preview1"));
    AUTO_JSON json_t *json = NULL;
    REQUIRE(analysis_json(&json, &analysis, &error));
    const char *abi = NULL;
    int64_t functions = 0;
    CHECK(json_get_string(json, "abi", &abi, &error));
    CHECK_STRING(abi, "command");
    CHECK(json_get_integer(json, "functions", 1, 1000, &functions, &error));
    CHECK_NUMBER(functions, analysis.function_count);
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 1 << 20);
    analysis_text(&text, &analysis);
    buffer_append(&text, BYTES_LITERAL("\0"));
    REQUIRE(!text.failed);
    CHECK(strstr((const char *)text.data, "runs on S3N    yes\n") != NULL);
}

/* (import "env" "\n" (func)), (import "wasi_snapshot_preview1" "random_get" (func)), two functions
 * with an instruction of another proposal each, one of them twice. */
static const uint8_t unrunnable[] =
    "\0asm\1\0\0\0\x01\x04\x01\x60\0\0"
    "\x02\x2d\x02\x03"
    "env\x01\n\0\0\x16wasi_snapshot_preview1\x0arandom_get\0\0"
    "\x03\x04\x03\0\0\0"
    "\x0a\x10\x03\x04\0\x14\0\x0b\x04\0\x12\0\x0b\x04\0\xfe\x0c\x0b";

static void tells_all_reasons(void)
{
    AUTO(arena) struct arena *arena = arena_new(1 << 20);
    struct analysis analysis;
    struct error error = { 0 };
    struct bytes source = bytes_of(unrunnable, sizeof(unrunnable) - 1);
    REQUIRE(wasm_analyse(&analysis, arena, source, &error));
    CHECK(!analysis.can_run);
    CHECK(!analysis.is_deterministic);
    REQUIRE(analysis.reason_count == 5);
    CHECK_STRING(analysis.reasons[0], "unknown import \"env\".\"\\x0a\" (func)");
    CHECK(strncmp(analysis.reasons[1], "incompatible import type: ", 26) == 0);
    CHECK_STRING(analysis.reasons[2], "illegal opcode 0x14: typed function references not "
                                      "supported at offset 0x48 in function 2");
    CHECK(strncmp(analysis.reasons[3], "illegal opcode 0xfe 0x0c: threads", 33) == 0);
    CHECK_STRING(
        analysis.reasons[4],
        "the module has no function _start to run, and no s3n_alloc and s3n_handle (a reactor)");
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 1 << 16);
    analysis_text(&text, &analysis);
    buffer_append(&text, BYTES_LITERAL("\0"));
    CHECK(strstr((const char *)text.data, "\"env\".\"\\x0a\" (func) UNKNOWN\n") != NULL);
    CHECK(strstr((const char *)text.data, "deterministic  no random_get\n") != NULL);
}

static void reports_what_is_no_module(void)
{
    AUTO(arena) struct arena *arena = arena_new(1 << 20);
    struct analysis analysis;
    struct error error = { 0 };
    REQUIRE(wasm_analyse(&analysis, arena, BYTES_LITERAL("#!/bin/sh\n"), &error));
    CHECK(!analysis.can_run);
    CHECK_STRING(analysis.reasons[0],
                 "magic header not detected: not a WebAssembly module (a program is "
                 "compiled first) at offset 0x0");
    AUTO_JSON json_t *json = NULL;
    CHECK(analysis_json(&json, &analysis, &error));
}

static bool has_feature(const struct analysis *analysis, const char *name)
{
    for (uint32_t i = 0; i < analysis->feature_count; i++) {
        if (strcmp(analysis->features[i], name) == 0)
            return true;
    }
    return false;
}

/* Vectors show in an instruction, in the type of a function, or of a local. */
static void finds_vectors(void)
{
    static const struct {
        const char *text;
        size_t size;
        bool has_vectors;
    } modules[] = {
#define MODULE(literal, has) { literal, sizeof(literal) - 1, has }
        MODULE("\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\x0a\4\1\2\0\x0b", false),
        MODULE("\0asm\1\0\0\0\1\5\1\x60\1\x7b\0", true),
        MODULE("\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\x0a\6\1\4\1\1\x7b\x0b", true),
        MODULE("\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\x0a\x0b\1\x09\0\x41\0\xfd\x0f\xfd\x53\x1a"
               "\x0b",
               true),
#undef MODULE
    };
    for (size_t i = 0; i < ARRAY_COUNT(modules); i++) {
        AUTO(arena) struct arena *arena = arena_new(1 << 20);
        struct analysis analysis;
        struct error error = { 0 };
        struct bytes source = bytes_of(modules[i].text, modules[i].size);
        REQUIRE(wasm_analyse(&analysis, arena, source, &error));
        CHECK_NOTE(has_feature(&analysis, "simd") == modules[i].has_vectors, "module %zu", i);
        CHECK_NOTE(analysis.reason_count == 1, "module %zu: %s", i, analysis.reasons[0]);
    }
}

static void fails_without_memory(void)
{
    struct bytes file = test_file("tests/data/wasm/pwrite.wasm");
    for (size_t size = 0; size < 100000; size += 4096) {
        AUTO(arena) struct arena *arena = arena_new(size);
        struct analysis analysis;
        struct error error = { 0 };
        if (!wasm_analyse(&analysis, arena, file, &error))
            CHECK(error.code == ERROR_LIMIT);
    }
}

static bool analyse_file(struct analysis *analysis, struct arena *arena, const char *path)
{
    struct error error = { 0 };
    struct bytes file = test_file(path);
    return file.size > 0 && wasm_analyse(analysis, arena, file, &error);
}

static void tells_what_it_can_do(void)
{
    static const struct {
        const char *module, *abilities;
    } rows[] = {
        { "echo", "[\"input\", \"output\"]" },
        { "clock", "[\"output\", \"clock\"]" },
        { "environment", "[\"output\", \"environment\"]" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO(arena) struct arena *arena = arena_new(1 << 20);
        AUTO_JSON json_t *json = NULL;
        struct analysis analysis;
        struct error error = { 0 };
        char path[128];
        snprintf(path, sizeof(path), "tests/data/functions/%s.wasm", rows[i].module);
        REQUIRE(analyse_file(&analysis, arena, path));
        REQUIRE(analysis_json(&json, &analysis, &error));
        char *abilities = json_dumps(json_object_get(json, "can"), 0);
        CHECK_STRING(abilities, rows[i].abilities);
        free(abilities);
    }
}

static void lists_functions(void)
{
    AUTO(arena) struct arena *arena = arena_new(16 << 20);
    struct bytes file = test_file("tests/data/wasm/pwrite.wasm");
    struct analysis analysis;
    struct analysis_functions functions;
    struct error error = { 0 };
    REQUIRE(wasm_analyse(&analysis, arena, file, &error));
    REQUIRE(wasm_analyse_functions(&functions, arena, file, &error));
    CHECK_NUMBER(functions.count, analysis.function_count - analysis.imported_function_count);
    uint64_t size = 0;
    for (uint32_t i = 0; i < functions.count; i++) {
        CHECK_NUMBER(functions.rows[i].index, analysis.imported_function_count + i);
        CHECK(functions.rows[i].reason == NULL);
        CHECK(functions.rows[i].native_size > functions.rows[i].code_size);
        size += functions.rows[i].code_size;
    }
    CHECK(size < analysis.code_size && size > analysis.code_size * 9 / 10);
    AUTO_JSON json_t *json = NULL;
    REQUIRE(analysis_functions_json(&json, &functions, &error));
    CHECK_NUMBER(json_array_size(json), functions.count);
    REQUIRE(wasm_analyse_functions(&functions, arena, BYTES_LITERAL("#!/bin/sh"), &error));
    CHECK_NUMBER(functions.count, 0);
    struct bytes bad = bytes_of(unrunnable, sizeof(unrunnable) - 1);
    REQUIRE(wasm_analyse_functions(&functions, arena, bad, &error));
    REQUIRE(functions.count == 3);
    CHECK(functions.rows[0].reason != NULL);
}

static void compares(void)
{
    AUTO(arena) struct arena *arena = arena_new(1 << 20);
    struct analysis echo, clock;
    struct error error = { 0 };
    REQUIRE(analyse_file(&echo, arena, "tests/data/functions/echo.wasm"));
    REQUIRE(analyse_file(&clock, arena, "tests/data/functions/clock.wasm"));
    AUTO_JSON json_t *same = NULL;
    AUTO_JSON json_t *other = NULL;
    REQUIRE(analysis_compare(&same, &echo, &echo, &error));
    CHECK_NUMBER(json_object_size(same), 0);
    REQUIRE(analysis_compare(&other, &echo, &clock, &error));
    json_t *imports = json_object_get(other, "imports");
    CHECK_NUMBER(json_array_size(json_object_get(imports, "added")), 2);
    CHECK_NUMBER(json_array_size(json_object_get(imports, "removed")), 1);
    CHECK(json_is_true(json_object_get(json_object_get(other, "deterministic"), "before")));
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 1 << 16);
    analysis_compare_text(&text, other);
    buffer_append(&text, BYTES_LITERAL("\0"));
    CHECK(strstr((const char *)text.data, "+ can                    clock\n") != NULL);
    CHECK(strstr((const char *)text.data, "deterministic          yes -> no\n") != NULL);
    buffer_clear(&text);
    analysis_compare_text(&text, same);
    CHECK(bytes_starts_with(buffer_view(&text), BYTES_LITERAL("no difference")));
}

static const struct test tests[] = {
    TEST(tells_what_it_can_do), TEST(lists_functions),   TEST(compares),
    TEST(reports_a_program),    TEST(tells_all_reasons), TEST(reports_what_is_no_module),
    TEST(fails_without_memory), TEST(finds_vectors),
};
TEST_MAIN(tests)
