/* SPDX-License-Identifier: Apache-2.0 */
/* Calls: the plain recursive Fibonacci number. */
#include <stdint.h>
#include <stdio.h>

static uint32_t fib(uint32_t n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

int main(void)
{
    volatile uint32_t n = 41;
    printf("fib %u\n", (unsigned)fib(n));
    return 0;
}
