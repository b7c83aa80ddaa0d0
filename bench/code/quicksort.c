/* SPDX-License-Identifier: Apache-2.0 */
/* Memory and branches: quicksort of four million numbers, twice. */
#include <stdint.h>
#include <stdio.h>

enum {
    COUNT = 4000000
};
static uint32_t numbers[COUNT];

static void sort(uint32_t *from, uint32_t *to) /* [from, to) */
{
    while (to - from > 16) {
        uint32_t pivot = from[(to - from) / 2];
        uint32_t *low = from, *high = to - 1;
        while (low <= high) {
            while (*low < pivot)
                low++;
            while (*high > pivot)
                high--;
            if (low <= high) {
                uint32_t swapped = *low;
                *low++ = *high;
                *high-- = swapped;
            }
        }
        if (high + 1 - from < to - low) {
            sort(from, high + 1);
            from = low;
        } else {
            sort(low, to);
            to = high + 1;
        }
    }
    for (uint32_t *at = from + 1; at < to; at++) {
        uint32_t moved = *at, *hole = at;
        for (; hole > from && hole[-1] > moved; hole--)
            *hole = hole[-1];
        *hole = moved;
    }
}

int main(void)
{
    uint32_t seed = 1, check = 0;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < COUNT; i++) {
            seed = seed * 1664525u + 1013904223u;
            numbers[i] = seed ^ seed >> 15;
        }
        sort(numbers, numbers + COUNT);
        for (int i = 1; i < COUNT; i++)
            check += (numbers[i - 1] <= numbers[i]) + numbers[i] % 7;
    }
    printf("quicksort %u\n", (unsigned)check);
    return 0;
}
