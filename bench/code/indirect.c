/* SPDX-License-Identifier: Apache-2.0 */
/* Indirect calls through a table, in an order that the data decides. */
#include <stdint.h>
#include <stdio.h>

typedef uint32_t (*transform)(uint32_t);

static uint32_t mix_a(uint32_t x)
{
    return x * 2654435761u + 1;
}
static uint32_t mix_b(uint32_t x)
{
    return (x ^ x >> 13) + 0x9e3779b9u;
}
static uint32_t mix_c(uint32_t x)
{
    return (x << 5 | x >> 27) ^ 0x85ebca6bu;
}
static uint32_t mix_d(uint32_t x)
{
    return x - (x >> 3);
}

int main(void)
{
    static const transform table[8] = { mix_a, mix_b, mix_c, mix_d, mix_b, mix_a, mix_d, mix_c };
    transform *volatile chosen = (transform *)(uintptr_t)table;
    uint32_t x = 1;
    for (uint32_t i = 0; i < 75000000; i++)
        x = chosen[i & 7](x);
    printf("indirect %u\n", (unsigned)x);
    return 0;
}
