/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/imports.h"

#include "tests/harness.h"
#include "wasm/types.h"

static const uint8_t i32_i32[] = { VALUE_I32, VALUE_I32 };
static const uint8_t i64[] = { VALUE_I64 };
static const uint8_t many[100] = { [0 ... 99] = VALUE_EXTERNREF };

static struct function_type types[] = {
    { i32_i32, i64, 1, 1, 0 }, /* (func (param i32) (result i64)) */
    { i32_i32, i32_i32, 2, 1, 1 } /* args_get */,
    { many, many, 100, 100, 2 },
};

static struct import function_import(const char *module, const char *field, uint32_t type)
{
    return (struct import){ .module = bytes_of_string(module),
                            .field = bytes_of_string(field),
                            .kind = EXTERNAL_FUNCTION,
                            .type_index = type };
}

static void check_refused(struct import import, bool allow_spectest, const char *text)
{
    struct module module = { .types = types, .type_count = ARRAY_COUNT(types) };
    struct error error = { 0 };
    CHECK(!import_check(&module, &import, allow_spectest, &error));
    CHECK(error.code == ERROR_UNSUPPORTED);
    CHECK_STRING(error.text, text);
}

static void names_unknown_imports(void)
{
    check_refused(function_import("env", "foo", 0), false,
                  "unknown import \"env\".\"foo\" (func (param i32) (result i64))");
    check_refused(function_import("a\nb", "\"", 1), false,
                  "unknown import \"a\\x0ab\".\"\\x22\" (func (param i32 i32) (result i32))");
    check_refused(function_import("spectest", "print", 0), false,
                  "unknown import \"spectest\".\"print\" (func (param i32) (result i64))");
    struct import memory = function_import("env", "memory", 0);
    memory.kind = EXTERNAL_MEMORY;
    memory.memory = (struct limits){ .min = 2, .max = 5, .has_max = true };
    check_refused(memory, true, "unknown import \"env\".\"memory\" (memory 2 5)");
}

static void names_both_types(void)
{
    check_refused(
        function_import(BINDING_WASI, "args_get", 0), false,
        "incompatible import type: \"wasi_snapshot_preview1\".\"args_get\" is imported as "
        "(func (param i32) (result i64)), S3N has (func (param i32 i32) (result i32))");
    struct import global = function_import("spectest", "global_i32", 0);
    global.kind = EXTERNAL_GLOBAL;
    global.global = (struct global_type){ .type = VALUE_I64 };
    check_refused(global, true,
                  "incompatible import type: \"spectest\".\"global_i32\" is imported as (global "
                  "i64), S3N has (global i32)");
    global.kind = EXTERNAL_FUNCTION;
    check_refused(global, true,
                  "incompatible import type: \"spectest\".\"global_i32\" is imported as (func "
                  "(param i32) (result i64)), S3N has (global i32)");
}

static void cuts_long_types(void)
{
    struct type_text text = function_type_text(&types[2]);
    CHECK(bytes_of_string(text.text).size < sizeof(text.text));
    CHECK(bytes_starts_with(bytes_of_string(text.text), BYTES_LITERAL("(func (param externref ")));
    struct bytes whole = bytes_of_string(text.text);
    CHECK_BYTES(bytes_part(whole, whole.size - 3, 3), BYTES_LITERAL("..."));
}

static void binds_what_it_knows(void)
{
    struct import imports[] = {
        function_import(BINDING_WASI, "args_get", 1),
        { .module = BYTES_LITERAL("spectest"),
          .field = BYTES_LITERAL("table"),
          .kind = EXTERNAL_TABLE,
          .table = { VALUE_FUNCREF, { .min = 0, .max = UINT32_MAX } } },
        { .module = BYTES_LITERAL("spectest"),
          .field = BYTES_LITERAL("memory"),
          .kind = EXTERNAL_MEMORY,
          .memory = { .min = 1, .max = 3, .has_max = true } },
        { .module = BYTES_LITERAL("spectest"),
          .field = BYTES_LITERAL("global_f32"),
          .kind = EXTERNAL_GLOBAL,
          .global = { .type = VALUE_F32 } },
    };
    struct function functions[1] = { { .is_import = true } };
    struct table_type tables[1] = { 0 };
    struct limits memories[1] = { 0 };
    struct global globals[1] = { { .is_import = true } };
    struct module module = { .types = types,
                             .imports = imports,
                             .import_count = ARRAY_COUNT(imports),
                             .functions = functions,
                             .tables = tables,
                             .memories = memories,
                             .globals = globals };
    struct error error = { 0 };
    REQUIRE(imports_resolve(&module, true, &error));
    CHECK(functions[0].binding == BINDING_ARGS_GET);
    CHECK(tables[0].limits.min == 10 && tables[0].limits.max == 20);
    CHECK(memories[0].min == 1 && memories[0].max == 2 && memories[0].has_max);
    CHECK_NUMBER(globals[0].value.bits, 0x4426a666);
    CHECK(!imports_resolve(&module, false, &error));
}

static const struct test tests[] = {
    TEST(names_unknown_imports),
    TEST(names_both_types),
    TEST(cuts_long_types),
    TEST(binds_what_it_knows),
};
TEST_MAIN(tests)
