/* SPDX-License-Identifier: Apache-2.0 */
/* A function that computes for some milliseconds: what its input's bytes come to after many rounds.
 */
#include <stdint.h>
#include <stdio.h>

static uint32_t stir(uint32_t state, unsigned rounds)
{
    static uint32_t table[256];
    for (unsigned i = 0; i < rounds; i++) {
        uint32_t *cell = &table[state >> 24];
        *cell += state ^ (i * 2654435761u);
        state = (state << 7 | state >> 25) + *cell;
    }
    return state;
}

int main(void)
{
    uint32_t state = 1;
    for (int byte; (byte = getchar()) != EOF;)
        state = stir(state + (uint32_t)byte, 300000);
    printf("%08x\n", state);
    return 0;
}
