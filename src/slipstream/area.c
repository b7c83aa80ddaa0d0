/* SPDX-License-Identifier: Apache-2.0 */
/* Areas of the kvm backend: linked instances.  Fixed ones and the page tables that map them come
 * from one pool, growing ones have memory slots of their own. */
#include "core/checked.h"
#include "slipstream/kvm.h"

#include "slipstream/reserve.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    TABLE_BITS = 9,
    PAGE_BITS = 12,
    TABLE_INDEX_MAX = (1 << TABLE_BITS) - 1,
    LEVEL_PAGE = 0, /* entries of this level map pages */
    LEVEL_LARGE = 1,
    LEVEL_ROOT = 3
};

struct growing_area {
    uint64_t address;
    struct growing_part part;
};

struct areas {
    struct growing_part pool;
    struct growing_area growing[AREA_GROWING_MAX];
    unsigned growing_count;
};

void areas_close(struct machine *machine)
{
    struct areas *areas = machine->areas;
    if (areas == NULL)
        return;
    if (areas->pool.host != NULL)
        munmap(areas->pool.host, areas->pool.reserved);
    for (unsigned i = 0; i < areas->growing_count; i++)
        munmap(areas->growing[i].part.host, areas->growing[i].part.reserved);
    free(areas);
    machine->areas = NULL;
}

static bool areas_open(struct machine *machine, struct error *error)
{
    if (machine->areas != NULL)
        return true;
    machine->areas = calloc(1, sizeof(*machine->areas));
    if (machine->areas == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for linked instances");
    struct growing_part *pool = &machine->areas->pool;
    *pool = (struct growing_part){ .physical = PHYSICAL_AREAS, .reserved = AREA_FIXED_SIZE_MAX };
    return reserve_memory(&pool->host, pool->reserved, error);
}

/* Zeroed pages from the pool: their offset there. */
static bool pool_take(struct machine *machine, uint64_t size, uint64_t *offset, struct error *error)
{
    struct growing_part *pool = &machine->areas->pool;
    size = round_up(size, LAYOUT_PAGE_SIZE);
    if (size > pool->reserved - pool->size)
        return error_set(error, ERROR_LIMIT, "linked instances need more than %llu bytes",
                         (unsigned long long)pool->reserved);
    if (!machine_cover(machine, pool, pool->size + size, error))
        return false;
    *offset = pool->size;
    pool->size += size;
    return true;
}

static uint64_t *table_at(const struct machine *machine, uint64_t physical)
{
    uint8_t *host = physical < CORE_SIZE ? machine->core + physical
                                         : machine->areas->pool.host + (physical - PHYSICAL_AREAS);
    return (uint64_t *)(void *)host;
}

/* The entry of `level` for an address; tables above it are made as needed. */
static bool entry_at(struct machine *machine, uint64_t address, unsigned level, uint64_t **entry,
                     struct error *error)
{
    const uint64_t rights = PAGE_PRESENT | PAGE_WRITE | PAGE_USER | PAGE_ACCESSED;
    uint64_t table =
        CORE_ROOT; /* linked instances are never reset, so their tree is the plain one */
    ASSERT(machine->tree == TREE_PLAIN);
    for (unsigned at = LEVEL_ROOT;; at--) {
        *entry =
            &table_at(machine, table)[address >> (PAGE_BITS + at * TABLE_BITS) & TABLE_INDEX_MAX];
        if (at == level)
            return true;
        if ((**entry & PAGE_PRESENT) == 0) {
            uint64_t offset;
            if (!pool_take(machine, LAYOUT_PAGE_SIZE, &offset, error))
                return false;
            **entry = (PHYSICAL_AREAS + offset) | rights;
        }
        table = **entry & PAGE_ADDRESS;
    }
}

static uint64_t right_bits(enum area_right right)
{
    const uint64_t bits = PAGE_PRESENT | PAGE_USER | PAGE_ACCESSED;
    switch (right) {
    case AREA_EXECUTE:
        return bits;
    case AREA_READ:
        return bits | PAGE_NO_EXEC;
    case AREA_WRITE:
        return bits | PAGE_WRITE | PAGE_DIRTY | PAGE_NO_EXEC;
    }
    ASSERT(false);
}

/* In pages of 2 MiB where a whole one fits. */
static bool map(struct machine *machine, uint64_t address, uint64_t physical, uint64_t size,
                uint64_t bits, struct error *error)
{
    uint64_t end = address + round_up(size, LAYOUT_PAGE_SIZE);
    while (address < end) {
        bool is_large =
            (address | physical) % LARGE_PAGE_SIZE == 0 && end - address >= LARGE_PAGE_SIZE;
        uint64_t step = is_large ? (uint64_t)LARGE_PAGE_SIZE : LAYOUT_PAGE_SIZE;
        uint64_t *entry;
        if (!entry_at(machine, address, is_large ? LEVEL_LARGE : LEVEL_PAGE, &entry, error))
            return false;
        *entry = physical | bits | (is_large ? PAGE_LARGE : 0);
        address += step;
        physical += step;
    }
    return true;
}

static bool add_fixed(struct machine *machine, const struct area *area, uint8_t **host,
                      struct error *error)
{
    uint64_t offset;
    if (!pool_take(machine, area->size, &offset, error))
        return false;
    *host = machine->areas->pool.host + offset;
    if (area->content.size > 0)
        memcpy(*host, area->content.data, area->content.size);
    uint64_t rest = round_up(area->size, LAYOUT_PAGE_SIZE) - area->content.size;
    if (area->right == AREA_EXECUTE)
        memset(*host + area->content.size, TRAP_BYTE, rest);
    return map(machine, area->address, PHYSICAL_AREAS + offset, area->size, right_bits(area->right),
               error);
}

static bool resize(struct machine *machine, struct growing_area *area, uint64_t size,
                   struct error *error)
{
    struct growing_part *part = &area->part;
    size = round_up(size, LAYOUT_PAGE_SIZE);
    if (!machine_cover(machine, part, size, error) ||
        !map(machine, area->address + part->size, part->physical + part->size, size - part->size,
             right_bits(AREA_WRITE), error))
        return false;
    part->size = size;
    return true;
}

static bool add_growing(struct machine *machine, const struct area *area, uint8_t **host,
                        struct error *error)
{
    struct areas *areas = machine->areas;
    ASSERT(area->right == AREA_WRITE && area->content.size == 0 &&
           area->reserve <= MEMORY_SIZE_MAX);
    if (areas->growing_count == AREA_GROWING_MAX)
        return error_set(error, ERROR_LIMIT, "more than %d linked memories", AREA_GROWING_MAX);
    struct growing_area *made = &areas->growing[areas->growing_count];
    *made = (struct growing_area){
        .address = area->address,
        .part = { .physical = PHYSICAL_GROWING + areas->growing_count * MEMORY_SIZE_MAX,
                  .reserved = area->reserve },
    };
    if (!reserve_memory(&made->part.host, made->part.reserved, error))
        return false;
    areas->growing_count++;
    *host = made->part.host;
    return resize(machine, made, area->size, error);
}

bool area_add(struct machine *machine, const struct area *area, uint8_t **host, struct error *error)
{
    ASSERT(area->address % LAYOUT_PAGE_SIZE == 0 && area->address >= LAYOUT_LINKED &&
           area->content.size <= area->size);
    if (!areas_open(machine, error))
        return false;
    return area->reserve != 0 ? add_growing(machine, area, host, error)
                              : add_fixed(machine, area, host, error);
}

bool area_grow(struct machine *machine, uint64_t address, uint64_t size)
{
    struct error error;
    for (unsigned i = 0; machine->areas != NULL && i < machine->areas->growing_count; i++) {
        struct growing_area *area = &machine->areas->growing[i];
        if (area->address == address)
            return size >= area->part.size && size <= area->part.reserved &&
                   resize(machine, area, size, &error);
    }
    return false;
}
