/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/buffers.h"

#include "guest/limits.h"
#include "guest/memory.h"

enum {
    BUFFER_SIZE = 8 /* address, size */
};

bool buffers_at(const struct buffers *buffers, uint32_t index, uint8_t **at, uint64_t *size)
{
    const uint8_t *row = buffers->list + (uint64_t)index * BUFFER_SIZE;
    uint64_t length = load_u32(row + 4);
    if (!memory_range(buffers->instance, load_u32(row), length, at))
        return false;
    *size = length;
    return true;
}

enum wasi_errno buffers_check(struct buffers *buffers, const struct instance *instance,
                              uint64_t address, uint64_t count, uint32_t *total)
{
    struct buffers checked = { .instance = instance, .count = (uint32_t)count };
    uint64_t sum = 0, size;
    uint8_t *at;
    if (!memory_range(instance, address, count * BUFFER_SIZE, &at))
        return WASI_FAULT;
    if (count > BUFFER_COUNT_MAX)
        return WASI_INVAL;
    checked.list = at;
    for (uint32_t i = 0; i < checked.count; i++) {
        if (!buffers_at(&checked, i, &at, &size))
            return WASI_FAULT;
        sum += size;
    }
    if (sum > UINT32_MAX)
        return WASI_INVAL;
    *buffers = checked;
    *total = (uint32_t)sum;
    return WASI_SUCCESS;
}
