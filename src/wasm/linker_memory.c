/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/linker_memory.h"

#include "abi/layout.h"
#include "core/sort.h"
#include "wasm/linker.h"

#include <stdlib.h>
#include <string.h>

/* Memory is painted in granules, so that what it costs follows the segments' sizes and not their
 * addresses. */
enum {
    GRANULE = 256
};

struct painting {
    uint32_t *granules; /* ascending numbers of those that are touched */
    size_t count;
    uint8_t *pixels; /* GRANULE bytes each */
};

static int compare(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x < y ? -1 : x > y;
}

static uint32_t offset_of(const struct module *module, uint32_t index)
{
    return (uint32_t)constant_bits(module, &module->data[index].offset);
}

/* How many leading segments are painted: all, or those before the first that doesn't fit. */
static uint32_t fitting(const struct module *module, bool *is_out_of_bounds)
{
    uint64_t size =
        module->memory_count == 0 ? 0 : (uint64_t)module->memories[0].min * LAYOUT_WASM_PAGE_SIZE;
    for (uint32_t i = 0; i < module->data_count; i++) {
        const struct data_segment *data = &module->data[i];
        if (data->mode == SEGMENT_ACTIVE && offset_of(module, i) + data->bytes.size > size) {
            *is_out_of_bounds = true;
            return i;
        }
    }
    return module->data_count;
}

static bool is_painted(const struct data_segment *data)
{
    return data->mode == SEGMENT_ACTIVE && data->bytes.size > 0;
}

static bool find_granules(struct painting *painting, const struct module *module, uint32_t count,
                          struct arena *arena)
{
    size_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (is_painted(&module->data[i]))
            total += module->data[i].bytes.size / GRANULE + 2;
    }
    painting->granules = arena_array(arena, total + 1, sizeof(uint32_t));
    if (painting->granules == NULL)
        return false;
    size_t found = 0;
    bool is_sorted = true;
    for (uint32_t i = 0; i < count; i++) {
        const struct data_segment *data = &module->data[i];
        if (!is_painted(data))
            continue;
        uint64_t first = offset_of(module, i);
        uint64_t last = (first + data->bytes.size - 1) / GRANULE;
        for (uint64_t at = first / GRANULE; at <= last; at++) {
            if (found > 0 && painting->granules[found - 1] >= at) {
                if (painting->granules[found - 1] == at)
                    continue;
                is_sorted = false;
            }
            painting->granules[found++] = (uint32_t)at;
        }
    }
    if (!is_sorted)
        sort_items(painting->granules, found, sizeof(uint32_t), compare);
    for (size_t i = 0; i < found; i++) {
        if (painting->count == 0 ||
            painting->granules[painting->count - 1] != painting->granules[i])
            painting->granules[painting->count++] = painting->granules[i];
    }
    painting->pixels = arena_array(arena, painting->count + 1, GRANULE);
    return painting->pixels != NULL;
}

static void paint(struct painting *painting, uint64_t address, struct bytes bytes)
{
    uint32_t key = (uint32_t)(address / GRANULE);
    const uint32_t *found =
        bsearch(&key, painting->granules, painting->count, sizeof(key), compare);
    ASSERT(found != NULL);
    /* The granules of one segment follow each other. */
    size_t at = (size_t)(found - painting->granules) * GRANULE + address % GRANULE;
    memcpy(painting->pixels + at, bytes.data, bytes.size);
}

static bool is_zero(const uint8_t *granule)
{
    static const uint8_t zeros[GRANULE];
    return memcmp(granule, zeros, GRANULE) == 0;
}

static void collect(struct memory_runs *runs, const struct painting *painting)
{
    for (size_t i = 0; i < painting->count;) {
        if (is_zero(painting->pixels + i * GRANULE)) {
            i++;
            continue;
        }
        size_t first = i;
        do
            i++;
        while (i < painting->count && painting->granules[i] == painting->granules[i - 1] + 1 &&
               !is_zero(painting->pixels + i * GRANULE));
        const uint8_t *start = painting->pixels + first * GRANULE;
        const uint8_t *end = painting->pixels + i * GRANULE;
        uint32_t address = painting->granules[first] * GRANULE;
        for (; *start == 0; start++)
            address++;
        while (end[-1] == 0)
            end--;
        runs->rows[runs->count++] =
            (struct memory_run){ .address = address,
                                 .bytes = bytes_of(start, (size_t)(end - start)) };
    }
}

bool linker_memory(struct memory_runs *runs, const struct module *module, struct arena *arena,
                   struct error *error)
{
    struct painting painting = { 0 };
    bool is_out_of_bounds = false;
    uint32_t count = fitting(module, &is_out_of_bounds);
    if (!find_granules(&painting, module, count, arena))
        return error_set(error, ERROR_NO_MEMORY, "no memory for the data segments");
    for (uint32_t i = 0; i < count; i++) {
        if (is_painted(&module->data[i]))
            paint(&painting, offset_of(module, i), module->data[i].bytes);
    }
    struct memory_runs made = { .is_out_of_bounds = is_out_of_bounds };
    made.rows = arena_array(arena, painting.count + 1, sizeof(*made.rows));
    if (made.rows == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the data segments");
    collect(&made, &painting);
    *runs = made;
    return true;
}
