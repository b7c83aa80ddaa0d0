/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/reserve.h"

#include "core/checked.h"
#include "slipstream/limits.h"

#include <sys/mman.h>

bool reserve_memory(uint8_t **host, uint64_t size, struct error *error)
{
    uint64_t room = round_up(size, LAYOUT_PAGE_SIZE) + LARGE_PAGE_SIZE;
    uint8_t *at = mmap(NULL, room, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return error_system(error, "reserve %llu bytes", (unsigned long long)size);
    uint64_t before = round_up((uint64_t)(uintptr_t)at, LARGE_PAGE_SIZE) - (uintptr_t)at;
    if (before > 0)
        munmap(at, before);
    munmap(at + before + room - LARGE_PAGE_SIZE, LARGE_PAGE_SIZE - before);
    *host = at + before;
    return true;
}
