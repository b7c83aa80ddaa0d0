/* SPDX-License-Identifier: Apache-2.0 */
/* Floating-point loops with a data-dependent exit. */
#include <stdint.h>
#include <stdio.h>

enum {
    SIDE = 1200,
    DEPTH = 600
};

int main(void)
{
    uint32_t total = 0;
    for (int row = 0; row < SIDE; row++) {
        for (int column = 0; column < SIDE; column++) {
            double real = column * 3.0 / SIDE - 2.1, imaginary = row * 2.4 / SIDE - 1.2;
            double x = 0, y = 0;
            int depth = 0;
            while (depth < DEPTH && x * x + y * y < 4) {
                double next = x * x - y * y + real;
                y = 2 * x * y + imaginary;
                x = next;
                depth++;
            }
            total += (uint32_t)depth;
        }
    }
    printf("mandelbrot %u\n", (unsigned)total);
    return 0;
}
