/* SPDX-License-Identifier: Apache-2.0 */
/* The print functions of the official test suite's `spectest` module: values in hexadecimal, one
 * line a call. */
#include "guest/stdio.h"
#include "guest/wasi.h"

static void print_slots(const uint64_t *slots, unsigned count)
{
    uint8_t line[2 * 17 + 1];
    unsigned size = 0;
    for (unsigned i = 0; i < count; i++) {
        for (unsigned shift = 64; shift > 0; shift -= 4)
            line[size++] = (uint8_t) "0123456789abcdef"[slots[i] >> (shift - 4) & 15];
        line[size++] = ' ';
    }
    line[size++] = '\n';
    stdio_write(DESCRIPTOR_OUTPUT, line, size);
}

void test_print(struct instance *instance UNUSED, uint64_t *slots)
{
    print_slots(slots, 0);
}

void test_print_i32(struct instance *instance UNUSED, uint64_t *slots)
{
    print_slots(slots, 1);
}

void test_print_i64(struct instance *instance UNUSED, uint64_t *slots)
{
    print_slots(slots, 1);
}

void test_print_f32(struct instance *instance UNUSED, uint64_t *slots)
{
    print_slots(slots, 1);
}

void test_print_f64(struct instance *instance UNUSED, uint64_t *slots)
{
    print_slots(slots, 1);
}

void test_print_i32_f32(struct instance *instance UNUSED, uint64_t *slots)
{
    print_slots(slots, 2);
}

void test_print_f64_f64(struct instance *instance UNUSED, uint64_t *slots)
{
    print_slots(slots, 2);
}
