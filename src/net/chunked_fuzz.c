/* SPDX-License-Identifier: Apache-2.0 */
/* A chunked body in one piece and byte by byte must give the same data and the same end. */
#include "fuzz/fuzz.h"
#include "net/http1.h"

#include <stdlib.h>
#include <string.h>

struct outcome {
    enum http1_step step;
    size_t used;
    size_t size;
    uint8_t *data;
};

static struct outcome decode(struct bytes input, size_t piece)
{
    struct http1_chunked chunked = { 0 };
    struct outcome outcome = { .step = HTTP1_MORE, .data = malloc(input.size + 1) };
    ASSERT(outcome.data != NULL);
    while (outcome.used < input.size &&
           (outcome.step == HTTP1_MORE || outcome.step == HTTP1_DATA)) {
        struct bytes data;
        size_t used;
        outcome.step =
            http1_chunked_read(&chunked, bytes_part(input, outcome.used, piece), &used, &data);
        ASSERT(used > 0);
        outcome.used += used;
        for (size_t i = 0; i < data.size; i++)
            outcome.data[outcome.size++] = data.data[i];
    }
    if (outcome.step == HTTP1_DATA)
        outcome.step = HTTP1_MORE;
    return outcome;
}

void fuzz_one(struct bytes input)
{
    struct outcome whole = decode(input, input.size);
    struct outcome pieces = decode(input, 1);
    ASSERT(whole.step == pieces.step && whole.used == pieces.used);
    ASSERT(bytes_equal(bytes_of(whole.data, whole.size), bytes_of(pieces.data, pieces.size)));
    free(whole.data);
    free(pieces.data);
}
