/* SPDX-License-Identifier: Apache-2.0 */
/* Byte stores with strides: the sieve of Eratosthenes. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
    LIMIT = 8000000,
    ROUNDS = 24
};
static uint8_t composite[LIMIT];

int main(void)
{
    uint32_t total = 0;
    for (int round = 0; round < ROUNDS; round++) {
        memset(composite, 0, sizeof(composite));
        uint32_t count = 0;
        for (uint32_t i = 2; i < LIMIT; i++) {
            if (composite[i] != 0)
                continue;
            count++;
            for (uint64_t multiple = (uint64_t)i * i; multiple < LIMIT; multiple += i)
                composite[multiple] = 1;
        }
        total += count;
    }
    printf("sieve %u\n", (unsigned)total);
    return 0;
}
