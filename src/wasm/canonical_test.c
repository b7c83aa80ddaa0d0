/* SPDX-License-Identifier: Apache-2.0 */
/* Option `deterministic` on vectors: a lane that is a NaN is the canonical one, every other lane is
 * what it is without the option; what only moves lanes or turns signs keeps all bits. */
#include "core/bytes.h"
#include "tests/harness.h"
#include "wasm/executor.h"
#include "wasm/test_text.h"
#include "wasm/wasm.h"

#include <stdio.h>
#include <string.h>

struct operation {
    const char *text;
    uint8_t operands;
    uint8_t bits; /* of the lanes of the result */
    bool is_arithmetic;
};

static const struct operation operations_tested[] = {
    { "f32x4.add", 2, 32, true },     { "f32x4.sub", 2, 32, true },
    { "f32x4.mul", 2, 32, true },     { "f32x4.div", 2, 32, true },
    { "f32x4.min", 2, 32, true },     { "f32x4.max", 2, 32, true },
    { "f32x4.sqrt", 1, 32, true },    { "f32x4.ceil", 1, 32, true },
    { "f32x4.floor", 1, 32, true },   { "f32x4.trunc", 1, 32, true },
    { "f32x4.nearest", 1, 32, true }, { "f32x4.demote_f64x2_zero", 1, 32, true },
    { "f64x2.add", 2, 64, true },     { "f64x2.sub", 2, 64, true },
    { "f64x2.mul", 2, 64, true },     { "f64x2.div", 2, 64, true },
    { "f64x2.min", 2, 64, true },     { "f64x2.max", 2, 64, true },
    { "f64x2.sqrt", 1, 64, true },    { "f64x2.ceil", 1, 64, true },
    { "f64x2.floor", 1, 64, true },   { "f64x2.trunc", 1, 64, true },
    { "f64x2.nearest", 1, 64, true }, { "f64x2.promote_low_f32x4", 1, 64, true },
    { "f32x4.abs", 1, 32, false },    { "f32x4.neg", 1, 32, false },
    { "f32x4.pmin", 2, 32, false },   { "f32x4.pmax", 2, 32, false },
    { "f64x2.abs", 1, 64, false },    { "f64x2.neg", 1, 64, false },
    { "f64x2.pmin", 2, 64, false },   { "f64x2.pmax", 2, 64, false },
    { "v128.xor", 2, 32, false },     { "f32x4.convert_i32x4_u", 1, 32, false },
    { "i32x4.add", 2, 32, false },    { "v128.andnot", 2, 64, false },
};

enum {
    OPERATIONS = ARRAY_COUNT(operations_tested),
    INPUTS = 40
};

static const uint32_t singles[] = { 0x7f800001, 0xff800001, 0x7fc00000, 0xffc00000, 0x7fffffff,
                                    0xffbfffff, 0x7f800000, 0xff800000, 0x00000000, 0x80000000,
                                    0x3f800000, 0xbf800000, 0x40490fdb, 0x7f7fffff };
static const uint64_t doubles[] = {
    0x7ff0000000000001, 0xfff0000000000001, 0x7ff8000000000000, 0xfff8000000000000,
    0x7fffffffffffffff, 0x7ff0000000000000, 0xfff0000000000000, 0,
    0x8000000000000000, 0x3ff0000000000000, 0xc000000000000000, 0x7fefffffffffffff
};

static void make_input(uint64_t slots[4], uint64_t *random, bool is_wide)
{
    for (unsigned i = 0; i < 4; i++) {
        if (is_wide)
            slots[i] = doubles[test_random(random) % ARRAY_COUNT(doubles)];
        else
            slots[i] = (uint64_t)singles[test_random(random) % ARRAY_COUNT(singles)] << 32 |
                       singles[test_random(random) % ARRAY_COUNT(singles)];
    }
}

static struct bytes make_module(void)
{
    static char text[16384];
    size_t size = (size_t)snprintf(text, sizeof(text), "(module");
    for (unsigned i = 0; i < OPERATIONS; i++) {
        size += (size_t)snprintf(
            text + size, sizeof(text) - size,
            "(func (export \"f%u\") (param v128 v128) (result v128) (%s (local.get 0) %s))", i,
            operations_tested[i].text, operations_tested[i].operands == 2 ? "(local.get 1)" : "");
    }
    snprintf(text + size, sizeof(text) - size, ")");
    return test_assemble(text);
}

/* All results of all operations; false: it can't be run in this process. */
static bool run_all(bool deterministic, uint64_t results[OPERATIONS][INPUTS][2])
{
    struct wasm_options options = { .deterministic = deterministic };
    struct error error = { 0 };
    struct executor executor;
    const char *reason = NULL;
    AUTO_BUFFER struct buffer image;
    buffer_init(&image, 1 << 28);
    bool compiled = wasm_compile(&image, make_module(), &options, &error);
    CHECK_NOTE(compiled, "%s", error.text);
    if (!compiled || !executor_open(&executor, buffer_view(&image), &reason))
        return false;
    for (unsigned i = 0; i < OPERATIONS; i++) {
        char name[16];
        struct image_export export;
        uint64_t random = i;
        snprintf(name, sizeof(name), "f%u", i);
        CHECK(image_find_export(&executor.image, bytes_of_string(name), &export));
        for (unsigned j = 0; j < INPUTS; j++) {
            uint64_t slots[4];
            make_input(slots, &random, operations_tested[i].bits == 64);
            CHECK(executor_call(&executor, export.where, slots, 4, 2) == TRAP_NONE);
            memcpy(results[i][j], slots, 16);
        }
    }
    executor_close(&executor);
    return true;
}

static uint64_t lane_of(const uint64_t slots[2], unsigned bits, unsigned index)
{
    return bits == 64 ? slots[index] : (uint32_t)(slots[index / 2] >> index % 2 * 32);
}

static bool is_nan(uint64_t lane, unsigned bits)
{
    return bits == 64 ? (lane & ~(1ull << 63)) > 0x7ff0000000000000
                      : (lane & 0x7fffffff) > 0x7f800000;
}

static void nan_lanes_are_canonical(void)
{
    static uint64_t plain[OPERATIONS][INPUTS][2], canonical[OPERATIONS][INPUTS][2];
    if (!test_can_assemble())
        SKIP("wat2wasm (Debian's wabt) is not installed");
    if (!run_all(false, plain) || !run_all(true, canonical))
        SKIP("the layout's addresses can't be had in this process");
    unsigned nans = 0;
    for (unsigned i = 0; i < OPERATIONS; i++) {
        const struct operation *operation = &operations_tested[i];
        for (unsigned j = 0; j < INPUTS; j++) {
            for (unsigned k = 0; k < 128u / operation->bits; k++) {
                uint64_t before = lane_of(plain[i][j], operation->bits, k);
                uint64_t after = lane_of(canonical[i][j], operation->bits, k);
                bool changes = operation->is_arithmetic && is_nan(before, operation->bits);
                uint64_t expected = !changes                ? before
                                    : operation->bits == 64 ? 0x7ff8000000000000
                                                            : 0x7fc00000;
                CHECK_NOTE(after == expected, "%s, input %u, lane %u: 0x%llx", operation->text, j,
                           k, (unsigned long long)after);
                nans += changes;
            }
        }
    }
    CHECK_NOTE(nans > 500, "%u lanes", nans);
}

static const struct test tests[] = { TEST(nan_lanes_are_canonical) };
TEST_MAIN(tests)
