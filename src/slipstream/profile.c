/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/profile.h"

#include "abi/layout.h"

#include <stdlib.h>
#include <sys/mman.h>

/* Whoever takes samples can write all of it. */
struct profile_samples {
    uint32_t total; /* also those outside compiled code */
    uint32_t by_function[];
};

struct profile {
    struct profile_samples *samples;
    size_t size; /* 0: the memory is not its own */
    uint32_t function_count;
};

static size_t samples_size(uint32_t function_count)
{
    return sizeof(struct profile_samples) + function_count * sizeof(uint32_t);
}

struct profile_samples *profile_reserve(void)
{
    void *at = mmap(NULL, samples_size(PROFILE_FUNCTIONS_MAX), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

void profile_release(struct profile_samples *samples)
{
    if (samples != NULL)
        munmap(samples, samples_size(PROFILE_FUNCTIONS_MAX));
}

struct profile *profile_new(const struct image *image, struct profile_samples *samples)
{
    uint32_t count = 0;
    for (size_t i = 0; i < image_count(image, IMAGE_FUNCTIONS); i++) {
        uint32_t index = image_function_at(image, i).index;
        if (index < PROFILE_FUNCTIONS_MAX)
            count = MAX(count, index + 1);
    }
    struct profile *made = malloc(sizeof(*made));
    if (made == NULL)
        return NULL;
    *made = (struct profile){ .samples = samples, .function_count = count };
    if (samples != NULL)
        return made;
    made->size = samples_size(count);
    void *at = mmap(NULL, made->size, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) {
        free(made);
        return NULL;
    }
    made->samples = at;
    return made;
}

void profile_free(struct profile *profile)
{
    if (profile != NULL && profile->size != 0)
        munmap(profile->samples, profile->size);
    free(profile);
}

bool profile_is_open(const struct profile *profile)
{
    return profile != NULL &&
           __atomic_load_n(&profile->samples->total, __ATOMIC_RELAXED) < PROFILE_SAMPLES_MAX;
}

void profile_add(struct profile *profile, const struct image *image, uint64_t address)
{
    struct image_function function;
    uint32_t offset;
    if (!profile_is_open(profile))
        return;
    __atomic_add_fetch(&profile->samples->total, 1, __ATOMIC_RELAXED);
    if (address < LAYOUT_CODE || address - LAYOUT_CODE >= image->sections[IMAGE_CODE].size ||
        !image_locate(image, (uint32_t)(address - LAYOUT_CODE), &function, &offset) ||
        function.index >= profile->function_count)
        return;
    __atomic_add_fetch(&profile->samples->by_function[function.index], 1, __ATOMIC_RELAXED);
}

/* Keeps the list sorted, most samples first; the last falls out when it is full. */
static void row_insert(struct profile_row *rows, uint32_t *count, struct profile_row row)
{
    uint32_t at = *count;
    if (at == PROFILE_ROWS_MAX && rows[--at].samples >= row.samples)
        return;
    while (at > 0 && rows[at - 1].samples < row.samples) {
        rows[at] = rows[at - 1];
        at--;
    }
    rows[at] = row;
    *count = MIN(*count + 1, (uint32_t)PROFILE_ROWS_MAX);
}

uint32_t profile_rows(const struct profile *profile, struct profile_row *rows, uint32_t *count)
{
    *count = 0;
    if (profile == NULL)
        return 0;
    for (uint32_t i = 0; i < profile->function_count; i++) {
        uint32_t samples = __atomic_load_n(&profile->samples->by_function[i], __ATOMIC_RELAXED);
        if (samples > 0)
            row_insert(rows, count, (struct profile_row){ i, samples });
    }
    return __atomic_load_n(&profile->samples->total, __ATOMIC_RELAXED);
}
