/* SPDX-License-Identifier: Apache-2.0 */
/* Where a program spends its time: which of its functions the timer found running, for as long as
 * that is worth knowing.  Shared by all lanes, also by those that are processes. */
#ifndef SLIPSTREAM_PROFILE_H
#define SLIPSTREAM_PROFILE_H

#include "abi/image.h"

enum {
    PROFILE_SAMPLES_MAX = 1000, /* then nothing more is learned */
    PROFILE_ROWS_MAX = 500,     /* functions that are told */
    PROFILE_FUNCTIONS_MAX = 1 << 20
};

struct profile;
struct profile_samples;

struct profile_row {
    uint32_t function; /* of the module */
    uint32_t samples;
};

/* Memory for the samples of any image, shared with processes that are forked later; NULL when there
 * is none. */
struct profile_samples *profile_reserve(void);
void profile_release(struct profile_samples *samples);
/* `samples`: memory that outlives it, or NULL to have some made.  NULL when there is no memory:
 * then nothing is learned. */
struct profile *profile_new(const struct image *image, struct profile_samples *samples);
void profile_free(struct profile *profile);
/* Whether more samples are wanted. */
bool profile_is_open(const struct profile *profile);
/* `address`: of the instruction that was interrupted. */
void profile_add(struct profile *profile, const struct image *image, uint64_t address);
/* All samples, and at most PROFILE_ROWS_MAX functions, those with most samples first. */
uint32_t profile_rows(const struct profile *profile, struct profile_row *rows, uint32_t *count);

#endif
