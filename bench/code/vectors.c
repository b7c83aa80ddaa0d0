/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of floats: points through a chain of transformations, four at a time, with square roots,
 * minima and choices. */
#include <stdint.h>
#include <stdio.h>

typedef float lanes __attribute__((vector_size(16)));
typedef int32_t masks __attribute__((vector_size(16)));

enum {
    COUNT = 4096,
    ROUNDS = 25000
};
static lanes x[COUNT], y[COUNT], z[COUNT];

static lanes all(float value)
{
    return (lanes){ value, value, value, value };
}

static lanes choose(masks mask, lanes a, lanes b)
{
    return (lanes)(((masks)a & mask) | ((masks)b & ~mask));
}

int main(void)
{
    for (int i = 0; i < COUNT; i++) {
        float at = (float)(i % 97);
        x[i] = (lanes){ at, at + 0.25f, at + 0.5f, at + 0.75f };
        y[i] = x[i] * all(0.5f) - all(20);
        z[i] = all(3) - x[i] * all(0.01f);
    }
    lanes sum = all(0);
    for (int round = 0; round < ROUNDS; round++) {
        lanes c = all(0.8f + (float)(round & 7) * 0.01f), s = all(0.6f);
        for (int i = 0; i < COUNT; i++) {
            lanes u = x[i] * c - y[i] * s, v = x[i] * s + y[i] * c, w = z[i] + all(0.125f);
            lanes length = u * u + v * v + w * w;
            lanes root = __builtin_elementwise_sqrt(length + all(1));
            lanes scale = choose(root > all(64), all(64) / root, all(1));
            x[i] = u * scale;
            y[i] = v * scale;
            z[i] = choose(w > all(10), all(-10), w);
            sum = sum * all(0.5f) + scale;
        }
    }
    printf("vectors %.3f %.3f %.3f\n", (double)(sum[0] + sum[3]), (double)x[COUNT / 3][1],
           (double)z[5][2]);
    return 0;
}
