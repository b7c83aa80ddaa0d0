/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/process_area.h"

#include "abi/layout.h"
#include "core/checked.h"
#include "slipstream/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct mapped_area {
    uint64_t address;
    uint64_t size;    /* accessible */
    uint64_t reserve; /* that area_grow may make accessible */
    uint64_t mapped;  /* addresses that are taken */
};

struct process_areas {
    struct mapped_area rows[AREA_GROWING_MAX * AREAS_EACH_MAX];
    unsigned count;
};

void process_areas_close(struct process_areas *areas)
{
    if (areas == NULL)
        return;
    for (unsigned i = 0; i < areas->count; i++)
        munmap((void *)(uintptr_t)areas->rows[i].address, areas->rows[i].mapped);
    free(areas);
}

/* Addresses that nothing else has, none accessible. */
static bool take(const struct mapped_area *row, struct error *error)
{
    void *at = mmap((void *)(uintptr_t)row->address, row->mapped, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (at == (void *)(uintptr_t)row->address)
        return true;
    if (at != MAP_FAILED) {
        munmap(at, row->mapped);
        errno = EEXIST;
    }
    return error_system(error, "take addresses from %#llx", (unsigned long long)row->address);
}

static bool protect(uint64_t address, uint64_t size, int rights)
{
    return size == 0 || mprotect((void *)(uintptr_t)address, size, rights) == 0;
}

static bool fill(const struct mapped_area *row, const struct area *area)
{
    static const int rights[] = { [AREA_EXECUTE] = PROT_READ | PROT_EXEC,
                                  [AREA_READ] = PROT_READ,
                                  [AREA_WRITE] = PROT_READ | PROT_WRITE };
    uint8_t *at = (uint8_t *)(uintptr_t)row->address;
    if (!protect(row->address, row->size, PROT_READ | PROT_WRITE))
        return false;
    if (area->content.size > 0)
        memcpy(at, area->content.data, area->content.size);
    if (area->right == AREA_EXECUTE)
        memset(at + area->content.size, TRAP_BYTE, row->size - area->content.size);
    return protect(row->address, row->size, rights[area->right]);
}

bool process_area_add(struct process_areas **areas, const struct area *area, uint8_t **host,
                      struct error *error)
{
    ASSERT(area->address % LAYOUT_PAGE_SIZE == 0 && area->address >= LAYOUT_LINKED &&
           area->content.size <= area->size);
    if (*areas == NULL)
        *areas = calloc(1, sizeof(**areas));
    if (*areas == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for linked instances");
    if ((*areas)->count == ARRAY_COUNT((*areas)->rows))
        return error_set(error, ERROR_LIMIT, "too many linked instances");
    struct mapped_area row = { .address = area->address,
                               .size = round_up(area->size, LAYOUT_PAGE_SIZE),
                               .reserve = area->reserve };
    /* What can grow is a memory: no index plus offset may leave its addresses. */
    row.mapped = area->reserve != 0 ? LAYOUT_LINKED_MEMORY_STRIDE : row.size;
    if (!take(&row, error))
        return false;
    (*areas)->rows[(*areas)->count++] = row;
    *host = (uint8_t *)(uintptr_t)row.address;
    return fill(&row, area) ||
           error_system(error, "fill an area of %llu bytes", (unsigned long long)row.size);
}

bool process_area_grow(struct process_areas *areas, uint64_t address, uint64_t size)
{
    size = round_up(size, LAYOUT_PAGE_SIZE);
    for (unsigned i = 0; areas != NULL && i < areas->count; i++) {
        struct mapped_area *row = &areas->rows[i];
        if (row->address != address || row->reserve == 0)
            continue;
        if (size < row->size || size > row->reserve ||
            !protect(address + row->size, size - row->size, PROT_READ | PROT_WRITE))
            return false;
        row->size = size;
        return true;
    }
    return false;
}
