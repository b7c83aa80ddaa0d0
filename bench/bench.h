/* SPDX-License-Identifier: Apache-2.0 */
/* What the benchmarks in C share: giving up with the reason, and the median of their times. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>

/* Of whatever failed last. */
static struct error error;

static inline void check(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "%s: %s\n", what, error.text);
    exit(1);
}

static inline int compare(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;
    return first < second ? -1 : first > second;
}

/* Sorts the times, which are nanoseconds. */
static inline double median_us(uint64_t *times, unsigned count)
{
    qsort(times, count, sizeof(*times), compare);
    return (double)times[count / 2] / 1000;
}

#endif
