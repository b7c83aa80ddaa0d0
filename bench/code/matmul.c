/* SPDX-License-Identifier: Apache-2.0 */
/* Floating point over arrays: products of 320 x 320 matrices. */
#include <stdio.h>

enum {
    SIDE = 320,
    ROUNDS = 12
};
static double a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];

int main(void)
{
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            a[i][j] = (double)((i * 7 + j) % 13) / 13;
            b[i][j] = (double)((i + j * 5) % 11) / 11;
        }
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < SIDE; i++) {
            for (int j = 0; j < SIDE; j++) {
                double sum = 0;
                for (int k = 0; k < SIDE; k++)
                    sum += a[i][k] * b[k][j];
                c[i][j] += sum;
            }
        }
        a[round][round] += c[1][2] / 1000;
    }
    printf("matmul %.6f %.6f\n", c[3][5], c[SIDE - 1][SIDE - 2]);
    return 0;
}
