/* SPDX-License-Identifier: Apache-2.0 */
/* The table of stencils.  `test-wasm-stencils --record MODULE...` prints instead which stencils the
 * modules use, as tools/stencils/used.txt wants it. */
#include "abi/image.h"
#include "base/buffer.h"
#include "tests/harness.h"
#include "wasm/baseline_state.h"
#include "wasm/linker.h"
#include "wasm/opcodes.h"
#include "wasm/stencils.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has_clang(void)
{
    return system("command -v clang-19 >/dev/null && command -v python3 >/dev/null") == 0;
}

static void check_generated(const char *generator, const char *table)
{
    if (!has_clang())
        SKIP("clang-19 or python3 is not installed");
    char command[512];
    char path[256];
    char kept_path[256];
    const char *source = getenv("S3N_SOURCE");
    snprintf(path, sizeof(path), "%s/%s", test_folder(), table);
    snprintf(kept_path, sizeof(kept_path), "src/wasm/%s", table);
    snprintf(command, sizeof(command), "'%s/tools/stencils/%s' --output '%s' >/dev/null",
             source == NULL ? "." : source, generator, path);
    REQUIRE(system(command) == 0);
    struct bytes fresh = test_file(path);
    struct bytes kept = test_file(kept_path);
    CHECK_NOTE(bytes_equal(fresh, kept), "src/wasm/%s isn't what tools/stencils/%s writes", table,
               generator);
}

static void table_is_what_the_generator_writes(void)
{
    check_generated("generate.py", "stencils.inc");
}

static void vector_table_is_what_its_generator_writes(void)
{
    check_generated("vectors.py", "stencils_simd.inc");
}

/* What the compiler falls back to exists for each operation. */
static void every_operation_takes_stack_registers(void)
{
    AUTO(arena) struct arena *arena = arena_new((size_t)16 << 20);
    const struct stencils *stencils = stencils_new(arena);
    REQUIRE(stencils != NULL);
    for (unsigned operation = 1; operation < STENCIL_OPERATION_COUNT; operation++) {
        const struct stencil_form *forms[2];
        enum stencil_shape shape = stencil_shape_of(operation);
        struct operand slot = { .place = PLACE_SLOT };
        if (is_encoded(operation, &slot))
            continue;
        bool has_b = shape == SHAPE_INTEGER_BINARY || shape == SHAPE_INTEGER_COMPARE ||
                     shape == SHAPE_INTEGER_BRANCH || shape == SHAPE_FLOAT_BINARY ||
                     shape == SHAPE_FLOAT_COMPARE || shape == SHAPE_FLOAT_BRANCH ||
                     shape == SHAPE_STORE_INTEGER || shape == SHAPE_SELECT_INTEGER ||
                     shape == SHAPE_SELECT_FLOAT;
        unsigned kinds[3] = { 1, has_b ? 2 : 0, 1 };
        if (shape == SHAPE_SELECT_INTEGER || shape == SHAPE_SELECT_FLOAT)
            kinds[2] = 0;
        if (shape == SHAPE_INTEGER_BRANCH || shape == SHAPE_INTEGER_TEST ||
            shape == SHAPE_FLOAT_BRANCH || shape == SHAPE_STORE_INTEGER ||
            shape == SHAPE_STORE_FLOAT)
            kinds[2] = 0;
        CHECK_NOTE(stencil_find(stencils, operation, kinds, forms), "operation %u", operation);
    }
}

static void instructions_have_their_operations(void)
{
    for (unsigned opcode = OPCODE_I32_EQZ; opcode <= OPCODE_I64_EXTEND32_S; opcode++) {
        CHECK_NOTE((operations[opcode].stencil != STENCIL_NONE) ==
                       (opcode != OPCODE_I64_EXTEND_I32_U),
                   "opcode 0x%x", opcode);
    }
    for (unsigned i = 0; i < 8; i++)
        CHECK(saturating_operations[i].stencil != STENCIL_NONE);
    CHECK(operations[OPCODE_I32_LT_S].swapped == OPCODE_I32_GT_S);
    CHECK(operations[OPCODE_I32_SUB].swapped == 0);
}

static const struct test tests[] = { TEST(table_is_what_the_generator_writes),
                                     TEST(vector_table_is_what_its_generator_writes),
                                     TEST(every_operation_takes_stack_registers),
                                     TEST(instructions_have_their_operations) };

static void print_use(const char *operation, const char kinds[4])
{
    printf("%s %s\n", operation, kinds);
}

static bool record_module(struct bytes source, struct error *error)
{
    AUTO_BUFFER struct buffer image;
    AUTO(arena) struct arena *arena = arena_new((size_t)2000 << 20);
    struct module module;
    struct instance_layout layout;
    struct baseline *baseline;
    struct validator *validator;
    buffer_init(&image, (size_t)1 << 30);
    struct code_options options = {
        .module = &module, .layout = &layout, .buffer = &image, .arena = arena
    };
    if (!module_decode(&module, arena, source, error) || !linker_layout(&layout, &module, error) ||
        !baseline_new(&baseline, &options, error) ||
        !validator_new(&validator, &module, arena, error))
        return false;
    for (uint32_t i = module.imported_function_count; i < module.function_count; i++) {
        struct function_facts facts;
        if (!validate_function(validator, i, &facts, error) ||
            !baseline_function(baseline, i, &facts, error))
            return false;
    }
    return true;
}

static int record(char **paths)
{
    stencil_record = print_use;
    for (; *paths != NULL; paths++) {
        struct error error = { 0 };
        if (!record_module(test_file(*paths), &error))
            fprintf(stderr, "%s: %s\n", *paths, error.text);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--record") == 0)
        return record(argv + 2);
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
