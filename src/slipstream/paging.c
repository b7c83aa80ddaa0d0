/* SPDX-License-Identifier: Apache-2.0 */
/* Guest page tables: four levels, small pages, laid out so that the entries of each region are one
 * array.  There are two trees.  A machine starts with the plain one; a hot instance is changed over
 * to the tracked one by CR3, since under shadow paging (and with a TLB) entries that were in use
 * can't be edited without a flush, while tables that were never used can. */
#include "core/checked.h"
#include "slipstream/kvm.h"

#include <string.h>

#define TABLE_SPAN     0x200000ull   /* what one table of 512 entries maps */
#define DIRECTORY_SPAN 0x40000000ull /* what one directory maps */

struct region_row {
    uint64_t address;
    uint64_t size;
};

static const struct region_row regions[REGION_COUNT] = {
    [REGION_MEMORY] = { LAYOUT_MEMORY, MEMORY_SIZE_MAX },
    [REGION_SYSTEM] = { LAYOUT_SYSTEM, TABLE_SPAN },
    [REGION_STACKS] = { LAYOUT_STACK, REGION_STACKS_SIZE },
    [REGION_INSTANCE] = { LAYOUT_INSTANCE, LAYOUT_INSTANCE_SIZE_MAX },
    [REGION_CODE] = { LAYOUT_CODE, LAYOUT_CODE_SIZE_MAX },
    [REGION_RODATA] = { LAYOUT_RODATA, LAYOUT_RODATA_SIZE_MAX },
    [REGION_MAILBOX] = { LAYOUT_MAILBOX, LAYOUT_MAILBOX_SIZE_MAX },
    [REGION_TABLES] = { LAYOUT_TABLES, LAYOUT_TABLES_SIZE },
    [REGION_SCRATCH] = { LAYOUT_SCRATCH, LAYOUT_SCRATCH_SIZE_MAX },
    [REGION_FILES] = { LAYOUT_FILES, LAYOUT_FILES_SIZE_MAX },
    [REGION_SNAPSHOT] = { LAYOUT_SNAPSHOT, LAYOUT_SNAPSHOT_SIZE },
};

/* Directories: of linear memory's four GiB, then of what lies above LAYOUT_SYSTEM, then of the
 * snapshot, which both trees share. */
enum {
    DIRECTORIES_MEMORY = 4,
    DIRECTORIES_SYSTEM = 2,
    DIRECTORIES_SNAPSHOT = 2,
    ROOT_POINTERS = 1,
    ROOT_DIRECTORIES = 2,
    ROOT_TREE = ROOT_DIRECTORIES + DIRECTORIES_MEMORY + DIRECTORIES_SYSTEM,
    ROOT_SNAPSHOT = TREE_COUNT * ROOT_TREE,
    ROOT_PLAIN = ROOT_SNAPSHOT + DIRECTORIES_SNAPSHOT,
    ROOT_PLAIN_COUNT = 3
};
_Static_assert((ROOT_PLAIN + ROOT_PLAIN_COUNT) * LAYOUT_PAGE_SIZE == CORE_ROOT_SIZE,
               "roots of both trees");

/* Tables that the plain tree has for itself: where the tracked one has the region's array. */
static const struct {
    enum region region;
    uint64_t table;
} plain_tables[ROOT_PLAIN_COUNT] = {
    { REGION_MEMORY, 0 },
    { REGION_INSTANCE, 0 },
    { REGION_STACKS, LAYOUT_STACK_SIZE / TABLE_SPAN },
};

_Static_assert(LAYOUT_FILES + LAYOUT_FILES_SIZE_MAX <=
                   LAYOUT_SYSTEM + DIRECTORIES_SYSTEM * DIRECTORY_SPAN,
               "two directories reach over everything above linear memory");
_Static_assert(LAYOUT_SNAPSHOT_SIZE <= DIRECTORIES_SNAPSHOT * DIRECTORY_SPAN &&
                   LAYOUT_SNAPSHOT % DIRECTORY_SPAN == 0,
               "the snapshot has its own directories");
_Static_assert(LAYOUT_CONTROL / TABLE_SPAN == LAYOUT_SYSTEM / TABLE_SPAN &&
                   (LAYOUT_RUNTIME + LAYOUT_RUNTIME_SIZE - 1) / TABLE_SPAN ==
                       LAYOUT_SYSTEM / TABLE_SPAN,
               "one table for all three");
_Static_assert(LAYOUT_STACK % TABLE_SPAN == 0 && REGION_STACKS_SIZE % TABLE_SPAN == 0 &&
                   CORE_STACKS % TABLE_SPAN == 0 &&
                   LAYOUT_STACK_END % TABLE_SPAN == LAYOUT_STACKS_FIRST &&
                   (LAYOUT_FRAMES + LAYOUT_STACKS_FIRST) % TABLE_SPAN == 0 &&
                   LAYOUT_STACK_END / TABLE_SPAN == LAYOUT_FRAMES / TABLE_SPAN,
               "what is used first of both stacks shares a table");

static uint64_t *core_page(const struct machine *machine, uint64_t physical)
{
    return (uint64_t *)(void *)(machine->core + physical);
}

/* Guest-physical address of the region's first table. */
static uint64_t region_tables(enum region region)
{
    uint64_t at = CORE_TABLES;
    for (enum region r = 0; r < region; r++)
        at += regions[r].size / TABLE_SPAN * LAYOUT_PAGE_SIZE;
    return at;
}

/* Guest-physical address of a table of the region in that tree. */
static uint64_t table_at(enum tree tree, enum region region, uint64_t table)
{
    for (unsigned i = 0; tree == TREE_PLAIN && i < ROOT_PLAIN_COUNT; i++)
        if (plain_tables[i].region == region && plain_tables[i].table == table)
            return CORE_ROOT + (ROOT_PLAIN + i) * LAYOUT_PAGE_SIZE;
    return region_tables(region) + table * LAYOUT_PAGE_SIZE;
}

uint64_t *paging_entry(const struct machine *machine, enum region region, uint64_t page)
{
    return core_page(machine, table_at(machine->tree, region, page / TABLE_PAGES)) +
           page % TABLE_PAGES;
}

bool paging_is_new(enum region region, uint64_t page)
{
    uint64_t table = page / TABLE_PAGES;
    return table_at(TREE_PLAIN, region, table) != table_at(TREE_TRACKED, region, table);
}

uint64_t paging_entries_physical(enum region region)
{
    return region_tables(region);
}

static uint64_t root_of(enum tree tree)
{
    return CORE_ROOT + (uint64_t)tree * ROOT_TREE * LAYOUT_PAGE_SIZE;
}

/* Guest-physical address of the directory in that tree. */
static uint64_t directory_of(enum tree tree, uint64_t address)
{
    uint64_t page = ROOT_DIRECTORIES;
    if (address >= LAYOUT_SNAPSHOT)
        return CORE_ROOT +
               (ROOT_SNAPSHOT + (address - LAYOUT_SNAPSHOT) / DIRECTORY_SPAN) * LAYOUT_PAGE_SIZE;
    if (address < MEMORY_SIZE_MAX)
        page += address / DIRECTORY_SPAN;
    else
        page += DIRECTORIES_MEMORY + (address - LAYOUT_SYSTEM) / DIRECTORY_SPAN;
    return root_of(tree) + page * LAYOUT_PAGE_SIZE;
}

static const struct region_row spans[] = {
    { LAYOUT_MEMORY, DIRECTORIES_MEMORY *DIRECTORY_SPAN },
    { LAYOUT_SYSTEM, DIRECTORIES_SYSTEM *DIRECTORY_SPAN },
    { LAYOUT_SNAPSHOT, DIRECTORIES_SNAPSHOT *DIRECTORY_SPAN },
};

static void root_write(const struct machine *machine, enum tree tree)
{
    const uint64_t rights = PAGE_PRESENT | PAGE_WRITE | PAGE_USER | PAGE_ACCESSED;
    uint64_t pointers_at = root_of(tree) + ROOT_POINTERS * LAYOUT_PAGE_SIZE;
    core_page(machine, root_of(tree))[0] = pointers_at | rights;
    uint64_t *pointers = core_page(machine, pointers_at);
    for (unsigned i = 0; i < ARRAY_COUNT(spans); i++) {
        uint64_t end = spans[i].address + spans[i].size;
        for (uint64_t at = spans[i].address; at < end; at += DIRECTORY_SPAN)
            pointers[at / DIRECTORY_SPAN] = directory_of(tree, at) | rights;
    }
}

void paging_init(struct machine *machine)
{
    ASSERT(region_tables(REGION_SNAPSHOT) <= CORE_TABLES + CORE_TABLES_SIZE);
    ASSERT(CORE_TABLES + CORE_TABLES_SIZE <= CORE_STACKS);
    root_write(machine, TREE_PLAIN);
}

static uint64_t right_bits(enum page_right right)
{
    switch (right) {
    case PAGE_RIGHT_READ:
        return PAGE_USER | PAGE_ACCESSED | PAGE_NO_EXEC;
    case PAGE_RIGHT_READ_EXECUTE:
        return PAGE_USER | PAGE_ACCESSED;
    case PAGE_RIGHT_READ_WRITE:
        return PAGE_USER | PAGE_ACCESSED | PAGE_WRITE | PAGE_NO_EXEC;
    case PAGE_RIGHT_READ_WRITE_DIRTY:
        return PAGE_USER | PAGE_ACCESSED | PAGE_WRITE | PAGE_DIRTY | PAGE_NO_EXEC;
    case PAGE_RIGHT_SYSTEM_EXECUTE:
        return PAGE_ACCESSED;
    case PAGE_RIGHT_SYSTEM_WRITE:
        return PAGE_ACCESSED | PAGE_WRITE | PAGE_DIRTY | PAGE_NO_EXEC;
    }
    ASSERT(false);
}

static uint64_t *directory_entry(const struct machine *machine, uint64_t address)
{
    uint64_t *entries = core_page(machine, directory_of(machine->tree, address));
    return &entries[address % DIRECTORY_SPAN / TABLE_SPAN];
}

/* Says that somebody may have touched what an entry leads to; never taken back. */
bool paging_is_touched(const struct machine *machine, enum region region, uint64_t offset)
{
    const volatile uint64_t *entry = directory_entry(machine, regions[region].address + offset);
    return (*entry & PAGE_ACCESSED) != 0;
}

bool paging_is_large(const struct machine *machine, enum region region, uint64_t offset)
{
    return (*directory_entry(machine, regions[region].address + offset) & PAGE_LARGE) != 0;
}

uint64_t paging_directory_physical(const struct machine *machine, enum region region,
                                   uint64_t offset)
{
    uint64_t address = regions[region].address + offset;
    return directory_of(machine->tree, address) +
           address % DIRECTORY_SPAN / TABLE_SPAN * sizeof(uint64_t);
}

/* Directories of memory that is not there were never written. */
static void directories_copy(struct machine *machine)
{
    for (unsigned i = 0; i < ARRAY_COUNT(spans); i++) {
        uint64_t end = spans[i].address + spans[i].size;
        if (spans[i].address == LAYOUT_SNAPSHOT)
            continue;
        if (spans[i].address == LAYOUT_MEMORY)
            end = machine->memory.size;
        for (uint64_t at = spans[i].address; at < end; at += DIRECTORY_SPAN)
            memcpy(core_page(machine, directory_of(TREE_TRACKED, at)),
                   core_page(machine, directory_of(TREE_PLAIN, at)), LAYOUT_PAGE_SIZE);
    }
}

void paging_track(struct machine *machine)
{
    ASSERT(machine->tree == TREE_PLAIN);
    root_write(machine, TREE_TRACKED);
    directories_copy(machine);
    machine->tree = TREE_TRACKED;
    for (unsigned i = 0; i < ROOT_PLAIN_COUNT; i++) {
        enum region region = plain_tables[i].region;
        uint64_t table = plain_tables[i].table;
        uint64_t from = table_at(TREE_PLAIN, region, table);
        uint64_t to = table_at(TREE_TRACKED, region, table);
        uint64_t *entry = directory_entry(machine, regions[region].address + table * TABLE_SPAN);
        if ((*entry & (PAGE_ADDRESS | PAGE_LARGE)) != from)
            continue;
        memcpy(core_page(machine, to), core_page(machine, from), LAYOUT_PAGE_SIZE);
        *entry = to | (*entry & ~PAGE_ADDRESS);
    }
    machine->start_sregs.cr3 = root_of(TREE_TRACKED);
    machine->left_plainly = false; /* which has the next entry set it */
}

void paging_map(struct machine *machine, enum region region, uint64_t offset, uint64_t physical,
                uint64_t size, enum page_right right)
{
    /* Only tables whose first writes are noted tell whether they were touched. */
    uint64_t rights = PAGE_PRESENT | PAGE_WRITE | PAGE_USER |
                      (right == PAGE_RIGHT_READ_WRITE ? 0 : PAGE_ACCESSED);
    uint64_t end = round_up(offset + size, LAYOUT_PAGE_SIZE);
    uint64_t bits = PAGE_PRESENT | right_bits(right);
    ASSERT(offset % LAYOUT_PAGE_SIZE == 0 && end <= regions[region].size);
    for (uint64_t at = offset & ~(TABLE_SPAN - 1); at < end; at += TABLE_SPAN) {
        uint64_t table = table_at(machine->tree, region, at / TABLE_SPAN);
        uint64_t *entries = core_page(machine, table);
        uint64_t *entry = directory_entry(machine, regions[region].address + at);
        bool is_same = (*entry & (PAGE_ADDRESS | PAGE_LARGE)) == table;
        for (uint64_t page = MAX(at, offset); page < MIN(at + TABLE_SPAN, end);
             page += LAYOUT_PAGE_SIZE)
            entries[page % TABLE_SPAN / LAYOUT_PAGE_SIZE] = (physical + (page - offset)) | bits;
        *entry = table | rights | (is_same ? *entry & PAGE_ACCESSED : 0);
    }
}

void paging_map_large(struct machine *machine, enum region region, uint64_t offset,
                      uint64_t physical, uint64_t size, enum page_right right)
{
    /* What notes its first write tells whether it was touched, too. */
    uint64_t bits = PAGE_PRESENT | PAGE_LARGE | right_bits(right);
    if (right == PAGE_RIGHT_READ_WRITE)
        bits &= ~PAGE_ACCESSED;
    ASSERT((offset | physical | size) % LARGE_PAGE_SIZE == 0);
    ASSERT(offset + size <= regions[region].size);
    for (uint64_t at = 0; at < size; at += LARGE_PAGE_SIZE)
        *directory_entry(machine, regions[region].address + offset + at) = (physical + at) | bits;
}

void paging_unmap(struct machine *machine, enum region region, uint64_t offset, uint64_t size)
{
    uint64_t end = round_up(offset + size, LAYOUT_PAGE_SIZE);
    ASSERT(end <= regions[region].size);
    for (uint64_t at = offset; at < end; at += LAYOUT_PAGE_SIZE)
        *paging_entry(machine, region, at / LAYOUT_PAGE_SIZE) = 0;
    for (uint64_t at = round_up(offset, TABLE_SPAN); at + TABLE_SPAN <= end; at += TABLE_SPAN)
        *directory_entry(machine, regions[region].address + at) = 0;
}
