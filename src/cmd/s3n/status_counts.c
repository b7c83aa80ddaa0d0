/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/status_counts.h"

#include <stdlib.h>
#include <string.h>

struct sums {
    double ran_s, ran, waited_s, waited;
};

/* The number at the end of a line. */
static double value_of(struct bytes line)
{
    char text[40];
    size_t at = line.size;
    while (at > 0 && line.data[at - 1] != ' ')
        at--;
    struct bytes number = bytes_part(line, at, sizeof(text) - 1);
    if (number.size == 0 || at + number.size != line.size)
        return 0;
    memcpy(text, number.data, number.size);
    text[number.size] = '\0';
    double value = strtod(text, NULL);
    return value >= 0 && value < 1e18 ? value : 0;
}

static bool is_of(struct bytes line, const char *family)
{
    size_t size = strlen(family);
    return line.size > size && memcmp(line.data, family, size) == 0 && line.data[size] == '{';
}

static void line_add(struct status_counts *counts, struct sums *sums, struct bytes line)
{
    static const char done[] = "outcome=\"done\"}";
    double value = value_of(line);
    if (is_of(line, "s3n_invocations_total")) {
        bool is_done = memmem(line.data, line.size, done, sizeof(done) - 1) != NULL;
        counts->invocations += (uint64_t)value;
        counts->failed += is_done ? 0 : (uint64_t)value;
    } else if (is_of(line, "s3n_cold_start_duration_seconds_count")) {
        counts->cold_starts += (uint64_t)value;
    } else if (is_of(line, "s3n_invocation_duration_seconds_sum")) {
        sums->ran_s += value;
    } else if (is_of(line, "s3n_invocation_duration_seconds_count")) {
        sums->ran += value;
    } else if (is_of(line, "s3n_invocation_wait_seconds_sum")) {
        sums->waited_s += value;
    } else if (is_of(line, "s3n_invocation_wait_seconds_count")) {
        sums->waited += value;
    }
}

void status_counts_read(struct status_counts *counts, struct bytes text)
{
    struct sums sums = { 0 };
    *counts = (struct status_counts){ 0 };
    while (text.size > 0) {
        size_t size = bytes_find(text, '\n');
        line_add(counts, &sums, bytes_part(text, 0, size));
        text = bytes_part(text, MIN(size + 1, text.size), SIZE_MAX);
    }
    counts->mean_ms = sums.ran > 0 ? sums.ran_s / sums.ran * 1000 : 0;
    counts->mean_wait_ms = sums.waited > 0 ? sums.waited_s / sums.waited * 1000 : 0;
}
