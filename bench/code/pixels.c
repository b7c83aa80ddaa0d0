/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of bytes and words: an image is blended, brightened with saturation, filtered by rows and
 * compared. */
#include <stdint.h>
#include <stdio.h>

typedef uint8_t bytes __attribute__((vector_size(16)));
typedef uint16_t words __attribute__((vector_size(16)));
typedef uint8_t half __attribute__((vector_size(8)));

enum {
    WIDTH = 64, /* vectors */
    HEIGHT = 256,
    ROUNDS = 9000
};
static bytes image[HEIGHT][WIDTH], other[HEIGHT][WIDTH];

static words low(bytes a)
{
    return __builtin_convertvector(__builtin_shufflevector(a, a, 0, 1, 2, 3, 4, 5, 6, 7), words);
}

static words high(bytes a)
{
    return __builtin_convertvector(__builtin_shufflevector(a, a, 8, 9, 10, 11, 12, 13, 14, 15),
                                   words);
}

static bytes narrow(words a, words b)
{
    half x = __builtin_convertvector(a, half), y = __builtin_convertvector(b, half);
    return __builtin_shufflevector(x, y, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

/* (a * weight + b * (256 - weight)) / 256 */
static bytes blend(bytes a, bytes b, uint16_t weight)
{
    uint16_t rest = (uint16_t)(256 - weight);
    words l = (low(a) * weight + low(b) * rest) >> 8, h = (high(a) * weight + high(b) * rest) >> 8;
    return narrow(l, h);
}

int main(void)
{
    for (int row = 0; row < HEIGHT; row++) {
        for (int column = 0; column < WIDTH; column++) {
            for (int i = 0; i < 16; i++) {
                image[row][column][i] = (uint8_t)(row * 7 + column * 16 + i * 3);
                other[row][column][i] = (uint8_t)(row ^ (column * 16 + i));
            }
        }
    }
    uint32_t total = 0;
    for (int round = 0; round < ROUNDS; round++) {
        words differences = { 0 };
        for (int row = 1; row < HEIGHT - 1; row++) {
            for (int column = 0; column < WIDTH; column++) {
                bytes here = image[row][column], above = image[row - 1][column],
                      below = image[row + 1][column];
                bytes smooth = blend(here, blend(above, below, 128), 192);
                bytes bright =
                    __builtin_elementwise_add_sat(smooth, (bytes){ 0 } + (uint8_t)(round & 3));
                bytes most = __builtin_elementwise_max(bright, other[row][column]);
                bytes least = __builtin_elementwise_min(bright, other[row][column]);
                bytes distance = most - least;
                differences += low(distance) + high(distance);
                bytes far = (bytes)(distance > 16);
                image[row][column] =
                    (blend(bright, other[row][column], 224) & far) | (bright & ~far);
            }
        }
        for (int i = 0; i < 8; i++)
            total += differences[i];
    }
    printf("pixels %u %u\n", (unsigned)total, (unsigned)image[100][33][7]);
    return 0;
}
