/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/profile.h"

#include "abi/layout.h"

#include <sys/mman.h>

struct profile {
    uint32_t total; /* also those outside compiled code */
    uint32_t function_count;
    uint32_t samples[]; /* by function */
};

static size_t profile_size(uint32_t function_count)
{
    return sizeof(struct profile) + function_count * sizeof(uint32_t);
}

struct profile *profile_new(const struct image *image)
{
    uint32_t count = 0;
    for (size_t i = 0; i < image_count(image, IMAGE_FUNCTIONS); i++) {
        uint32_t index = image_function_at(image, i).index;
        if (index < PROFILE_FUNCTIONS_MAX)
            count = MAX(count, index + 1);
    }
    struct profile *made = mmap(NULL, profile_size(count), PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (made == MAP_FAILED)
        return NULL;
    made->function_count = count;
    return made;
}

void profile_free(struct profile *profile)
{
    if (profile != NULL)
        munmap(profile, profile_size(profile->function_count));
}

bool profile_is_open(const struct profile *profile)
{
    return profile != NULL &&
           __atomic_load_n(&profile->total, __ATOMIC_RELAXED) < PROFILE_SAMPLES_MAX;
}

void profile_add(struct profile *profile, const struct image *image, uint64_t address)
{
    struct image_function function;
    uint32_t offset;
    if (!profile_is_open(profile))
        return;
    __atomic_add_fetch(&profile->total, 1, __ATOMIC_RELAXED);
    if (address < LAYOUT_CODE || address - LAYOUT_CODE >= image->sections[IMAGE_CODE].size ||
        !image_locate(image, (uint32_t)(address - LAYOUT_CODE), &function, &offset) ||
        function.index >= profile->function_count)
        return;
    __atomic_add_fetch(&profile->samples[function.index], 1, __ATOMIC_RELAXED);
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

uint32_t profile_read(const struct profile *profile, struct profile_row *rows, uint32_t *count)
{
    *count = 0;
    if (profile == NULL)
        return 0;
    for (uint32_t i = 0; i < profile->function_count; i++) {
        uint32_t samples = __atomic_load_n(&profile->samples[i], __ATOMIC_RELAXED);
        if (samples > 0)
            row_insert(rows, count, (struct profile_row){ i, samples });
    }
    return __atomic_load_n(&profile->total, __ATOMIC_RELAXED);
}
