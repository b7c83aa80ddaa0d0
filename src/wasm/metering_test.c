/* SPDX-License-Identifier: Apache-2.0 */
/* Fuel is counted exactly: expected numbers are counted by hand, an instruction each. */
#include "abi/binding.h"
#include "tests/harness.h"
#include "wasm/executor.h"
#include "wasm/test_text.h"
#include "wasm/wasm.h"

struct machine {
    struct executor executor;
    struct buffer image;
    struct image_export run;
};

/* Compiles metered and opens; false: it can't be run in this process. */
static bool machine_open(struct machine *machine, const char *text)
{
    struct error error = { 0 };
    const char *reason = NULL;
    buffer_init(&machine->image, 1 << 28);
    struct wasm_options options = { .fuel = true };
    bool compiled = wasm_compile(&machine->image, test_assemble(text), &options, &error);
    CHECK_NOTE(compiled, "%s", error.text);
    if (!compiled || !executor_open(&machine->executor, buffer_view(&machine->image), &reason)) {
        buffer_done(&machine->image);
        return false;
    }
    CHECK((machine->executor.image.header.flags & IMAGE_IS_METERED) != 0);
    CHECK(image_find_export(&machine->executor.image, BYTES_LITERAL("run"), &machine->run));
    return true;
}

static void machine_close(struct machine *machine)
{
    executor_close(&machine->executor);
    buffer_done(&machine->image);
}

static enum trap_reason machine_run(struct machine *machine, uint64_t argument, uint64_t fuel,
                                    uint64_t *used)
{
    uint64_t slots[4] = { argument };
    machine->executor.instance->fuel = fuel;
    enum trap_reason trap = executor_call(&machine->executor, machine->run.where, slots, 1, 1);
    *used = fuel - machine->executor.instance->fuel;
    return trap;
}

#define LOOP                                                                                       \
    "(module (func (export \"run\") (param i32) (result i32) (local i32)"                          \
    "  (loop $l (local.set 1 (i32.add (local.get 1) (local.get 0)))"                               \
    "    (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))"                          \
    "  (local.get 1)))"
#define BRANCHES                                                                                   \
    "(module (func (export \"run\") (param i32) (result i32)"                                      \
    "  (block $out"                                                                                \
    "    (br_if $out (i32.eqz (local.get 0)))"     /* block, get, eqz, br_if */                    \
    "    (if (i32.eq (local.get 0) (i32.const 1))" /* get, const, eq, if */                        \
    "      (then (local.set 0 (i32.const 7)))"     /* const, set */                                \
    "      (else (nop) (nop) (nop) (nop)))"                                                        \
    "    (nop))" /* after the if */                                                                \
    "  (local.get 0)))"
#define SWITCH                                                                                     \
    "(module (func (export \"run\") (param i32) (result i32)"                                      \
    "  (block (block (block (br_table 0 1 2 (local.get 0)))" /* block x3, get, br_table */         \
    "    (nop) (br 1))"                                                                            \
    "    (nop) (nop))"                                                                             \
    "  (local.get 0)))"
/* A block that nothing jumps to is no border, whatever was dead code in it. */
#define DEAD                                                                                       \
    "(module (func (export \"run\") (param i32) (result i32)"                                      \
    "  (block (block (nop)) (br 0) (nop) (nop) (if (local.get 0) (then (nop)) (else (nop)))"       \
    "    (loop (br_if 0 (local.get 0)) (br 0)))"                                                   \
    "  (nop) (local.get 0)))"
#define CALLS                                                                                      \
    "(module (import \"wasi_snapshot_preview1\" \"sched_yield\" (func $yield (result i32)))"       \
    "  (table 1 funcref) (elem (i32.const 0) $f)"                                                  \
    "  (func $f (param i32) (result i32)"                                                          \
    "    (if (i32.eqz (local.get 0)) (then (return (call $yield))))"                               \
    "    (return_call $f (i32.sub (local.get 0) (i32.const 1))))"                                  \
    "  (func (export \"run\") (param i32) (result i32)"                                            \
    "    (i32.add (call $f (local.get 0))"                                                         \
    "      (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0)))))"
#define BULK                                                                                       \
    "(module (memory 1) (table $t 20 80 funcref) (elem $e func $f) (data $d \"0123456789abcdef\")" \
    "  (func $f) (func (export \"run\") (param i32) (result i32)"                                  \
    "    (memory.fill (i32.const 0) (i32.const 1) (local.get 0))"                                  \
    "    (memory.copy (i32.const 0) (i32.const 1) (i32.const 64))"                                 \
    "    (memory.init $d (i32.const 0) (i32.const 0) (i32.const 16))"                              \
    "    (table.init $e (i32.const 0) (i32.const 0) (i32.const 1))"                                \
    "    (table.fill $t (i32.const 0) (ref.null func) (i32.const 9))"                              \
    "    (table.copy (i32.const 0) (i32.const 1) (i32.const 5))"                                   \
    "    (table.grow $t (ref.null func) (i32.const 11))))"

static const struct {
    const char *text;
    uint64_t argument;
    uint64_t cost;
} cases[] = {
    { LOOP, 1, 1 + 9 + 1 },
    { LOOP, 1000, 1 + 9000 + 1 },
    { BRANCHES, 0, 4 + 1 },
    { BRANCHES, 1, 4 + 4 + 2 + 1 + 1 },
    { BRANCHES, 2, 4 + 4 + 4 + 1 + 1 },
    { SWITCH, 0, 5 + 2 + 1 },
    { SWITCH, 1, 5 + 2 + 1 },
    { SWITCH, 2, 5 + 1 },
    { DEAD, 5, 4 + 2 },
    { CALLS, 0, 6 + 2 * (3 + 2) },
    { CALLS, 3, 6 + 2 * (3 * 7 + 3 + 2) },
    { BULK, 0, 4 * 6 + 3 + 0 + 8 + 2 + 1 + 9 + 5 + 11 },
    { BULK, 4000, 4 * 6 + 3 + 500 + 8 + 2 + 1 + 9 + 5 + 11 },
    { BULK, 4007, 4 * 6 + 3 + 500 + 8 + 2 + 1 + 9 + 5 + 11 },
};

static void counts_exactly(void)
{
    if (!test_can_assemble())
        SKIP("wat2wasm (Debian's wabt) is not installed");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct machine machine;
        if (!machine_open(&machine, cases[i].text))
            SKIP("compiled only: a sanitizer has the addresses of the layout");
        uint64_t used = 0, again = 0;
        enum trap_reason trap = machine_run(&machine, cases[i].argument, 1000000, &used);
        CHECK_NOTE(trap == TRAP_NONE && used == cases[i].cost,
                   "case %zu: trap %d, %llu used, %llu expected", i, (int)trap,
                   (unsigned long long)used, (unsigned long long)cases[i].cost);
        machine_close(&machine);
        /* Tables and memory are as at first. */
        REQUIRE(machine_open(&machine, cases[i].text));
        CHECK(machine_run(&machine, cases[i].argument, cases[i].cost, &again) == TRAP_NONE);
        CHECK_NUMBER(again, cases[i].cost);
        machine_close(&machine);
        REQUIRE(machine_open(&machine, cases[i].text));
        CHECK(machine_run(&machine, cases[i].argument, cases[i].cost - 1, &again) ==
              TRAP_OUT_OF_FUEL);
        machine_close(&machine);
    }
}

/* What was used up to a trap is known too, whichever way it traps. */
static void counts_up_to_a_trap(void)
{
    static const struct {
        const char *text;
        enum trap_reason reason;
        uint64_t cost;
    } traps[] = {
        { "(module (func (export \"run\") (param i32) (result i32) (nop) (unreachable)))",
          TRAP_UNREACHABLE, 2 },
        { "(module (memory 1) (func (export \"run\") (param i32) (result i32)"
          "  (i32.load (i32.const -1))))",
          TRAP_MEMORY, 2 },
        { "(module (memory 1) (func (export \"run\") (param i32) (result i32) (nop)"
          "  (memory.fill (i32.const -1) (i32.const 0) (i32.const 80)) (local.get 0)))",
          TRAP_MEMORY, 6 + 10 },
        { "(module (func $f (export \"run\") (param i32) (result i32)"
          "  (i32.div_s (i32.const 1) (i32.const 0))))",
          TRAP_DIVIDE_BY_ZERO, 3 },
    };
    if (!test_can_assemble())
        SKIP("wat2wasm (Debian's wabt) is not installed");
    for (size_t i = 0; i < ARRAY_COUNT(traps); i++) {
        struct machine machine;
        if (!machine_open(&machine, traps[i].text))
            SKIP("compiled only: a sanitizer has the addresses of the layout");
        uint64_t used = 0;
        CHECK_NUMBER(machine_run(&machine, 0, 100, &used), traps[i].reason);
        CHECK_NUMBER(used, traps[i].cost);
        machine_close(&machine);
    }
}

static void leaves_other_code_alone(void)
{
    if (!test_can_assemble())
        SKIP("wat2wasm (Debian's wabt) is not installed");
    AUTO_BUFFER struct buffer plain;
    AUTO_BUFFER struct buffer metered;
    buffer_init(&plain, 1 << 20);
    buffer_init(&metered, 1 << 20);
    struct error error = { 0 };
    struct wasm_options options = { 0 };
    struct bytes module = test_assemble(LOOP);
    struct image image;
    const char *reason;
    REQUIRE(wasm_compile(&plain, module, &options, &error));
    options.fuel = true;
    REQUIRE(wasm_compile(&metered, module, &options, &error));
    REQUIRE(image_parse(&image, buffer_view(&plain), &reason));
    CHECK((image.header.flags & IMAGE_IS_METERED) == 0);
    size_t code_size = image.sections[IMAGE_CODE].size;
    REQUIRE(image_parse(&image, buffer_view(&metered), &reason));
    CHECK(image.sections[IMAGE_CODE].size > code_size);
}

static const struct test tests[] = {
    TEST(counts_exactly),
    TEST(counts_up_to_a_trap),
    TEST(leaves_other_code_alone),
};
TEST_MAIN(tests)
