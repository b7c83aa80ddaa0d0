/* SPDX-License-Identifier: Apache-2.0 */
/* What compiled code calls for whole-memory and whole-table instructions.  Slots hold the operands
 * in the order of the instruction; see enum helper. */
#include "guest/guest.h"
#include "guest/memory.h"

#include "abi/layout.h"

/* The place in compiled code that called the helper; only right in the helper itself. */
#define CALLER ((uint64_t)__builtin_return_address(0))

/* Marks an entry that holds an externref: no function has this index. */
#define EXTERNAL UINT32_MAX

/* The node of a memory (0) or of table `node` - 1; NULL: the instance isn't linked. */
static const struct share *share_at(const struct instance *instance, uint64_t node)
{
    return instance->shares == 0 ? NULL : (const struct share *)instance->shares + node;
}

static void memory_resize(struct instance *instance, uint64_t size)
{
    const struct share *first = share_at(instance, 0), *node = first;
    instance->memory_size = size;
    if (first == NULL)
        return;
    for (node = (const struct share *)node->next; node != first;
         node = (const struct share *)node->next)
        ((struct instance *)node->target)->memory_size = size;
}

static void table_resize(struct instance *instance, uint64_t index, uint32_t size)
{
    const struct share *first = share_at(instance, 1 + index), *node = first;
    instance->tables[index].size = size;
    if (first == NULL)
        return;
    for (node = (const struct share *)node->next; node != first;
         node = (const struct share *)node->next)
        ((struct table *)node->target)->size = size;
}

static void helper_memory_grow(struct instance *instance, uint64_t *slots)
{
    uint64_t size = instance->memory_size;
    uint64_t grown = size + (uint64_t)(uint32_t)slots[0] * LAYOUT_WASM_PAGE_SIZE;
    uint32_t answer = (uint32_t)(size / LAYOUT_WASM_PAGE_SIZE);
    if (grown > instance->memory_size_max || grown > instance->memory_limit)
        answer = UINT32_MAX;
    else if (grown != size && guest_leave(GUEST_EXIT_GROW, grown, instance->memory_base) != 1)
        answer = UINT32_MAX;
    else
        memory_resize(instance, grown);
    slots[0] = answer;
}

static void helper_memory_copy(struct instance *instance, uint64_t *slots)
{
    uint64_t size = (uint32_t)slots[2];
    uint8_t *to, *from;
    if (!memory_range(instance, (uint32_t)slots[0], size, &to) ||
        !memory_range(instance, (uint32_t)slots[1], size, &from))
        guest_trap(TRAP_MEMORY, CALLER);
    move_bytes(to, from, size);
}

static void helper_memory_fill(struct instance *instance, uint64_t *slots)
{
    uint64_t size = (uint32_t)slots[2];
    uint8_t *to;
    if (!memory_range(instance, (uint32_t)slots[0], size, &to))
        guest_trap(TRAP_MEMORY, CALLER);
    fill_bytes(to, (uint8_t)slots[1], size);
}

/* Segment `index` of the data segments, or with `element` of the element segments. */
static struct segment *segment_at(struct instance *instance, uint64_t index, bool element)
{
    uint64_t row = (uint32_t)index;
    ASSERT(row < (element ? instance->element_count : instance->data_count));
    struct segment *segments = (struct segment *)instance->segments;
    return &segments[element ? instance->data_count + row : row];
}

static void helper_memory_init(struct instance *instance, uint64_t *slots)
{
    const struct segment *segment = segment_at(instance, slots[3], false);
    uint64_t from = (uint32_t)slots[1], size = (uint32_t)slots[2];
    uint8_t *to;
    if (from > segment->size || size > segment->size - from ||
        !memory_range(instance, (uint32_t)slots[0], size, &to))
        guest_trap(TRAP_MEMORY, CALLER);
    copy_bytes(to, (const uint8_t *)segment->data + from, size);
}

static void helper_data_drop(struct instance *instance, uint64_t *slots)
{
    segment_at(instance, slots[0], false)->size = 0;
}

static struct table *table_at(struct instance *instance, uint64_t index)
{
    ASSERT((uint32_t)index < instance->table_count && (uint32_t)index < INSTANCE_TABLE_COUNT_MAX);
    return &instance->tables[(uint32_t)index];
}

static struct function_reference *table_entries(const struct table *table)
{
    return (struct function_reference *)table->entries;
}

static bool table_has(const struct table *table, uint64_t from, uint64_t count)
{
    return from <= table->size && count <= table->size - from;
}

/* A reference as slots hold it, from and to the form that tables hold. */
static uint64_t reference_of(const struct instance *instance,
                             const struct function_reference *entry)
{
    if (entry->code == 0)
        return 0;
    if (entry->index == EXTERNAL)
        return entry->code;
    return instance->functions + entry->index * sizeof(struct function_reference);
}

static struct function_reference entry_of(const struct instance *instance, uint64_t table,
                                          uint64_t reference)
{
    uint64_t size = (uint64_t)instance->function_count * sizeof(struct function_reference);
    if (reference == 0)
        return (struct function_reference){ 0 };
    if ((instance->external_tables >> table & 1) != 0)
        return (struct function_reference){ .code = reference,
                                            .signature = EXTERNAL,
                                            .index = EXTERNAL };
    ASSERT(reference - instance->functions < size);
    return *(const struct function_reference *)reference;
}

static void helper_table_get(struct instance *instance, uint64_t *slots)
{
    const struct table *table = table_at(instance, slots[1]);
    if (!table_has(table, (uint32_t)slots[0], 1))
        guest_trap(TRAP_TABLE, CALLER);
    slots[0] = reference_of(instance, &table_entries(table)[(uint32_t)slots[0]]);
}

static void helper_table_set(struct instance *instance, uint64_t *slots)
{
    const struct table *table = table_at(instance, slots[2]);
    if (!table_has(table, (uint32_t)slots[0], 1))
        guest_trap(TRAP_TABLE, CALLER);
    table_entries(table)[(uint32_t)slots[0]] = entry_of(instance, (uint32_t)slots[2], slots[1]);
}

static void helper_table_grow(struct instance *instance, uint64_t *slots)
{
    const struct table *table = table_at(instance, slots[2]);
    struct function_reference entry = entry_of(instance, (uint32_t)slots[2], slots[0]);
    uint32_t size = table->size, count = (uint32_t)slots[1];
    if (size > table->size_max || count > table->size_max - size) {
        slots[0] = UINT32_MAX;
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        table_entries(table)[size + i] = entry;
    table_resize(instance, (uint32_t)slots[2], size + count);
    slots[0] = size;
}

static void helper_table_fill(struct instance *instance, uint64_t *slots)
{
    const struct table *table = table_at(instance, slots[3]);
    uint64_t from = (uint32_t)slots[0], count = (uint32_t)slots[2];
    if (!table_has(table, from, count))
        guest_trap(TRAP_TABLE, CALLER);
    struct function_reference entry = entry_of(instance, (uint32_t)slots[3], slots[1]);
    for (uint64_t i = 0; i < count; i++)
        table_entries(table)[from + i] = entry;
}

static void helper_table_copy(struct instance *instance, uint64_t *slots)
{
    const struct table *target = table_at(instance, slots[3]);
    const struct table *source = table_at(instance, slots[4]);
    uint64_t to = (uint32_t)slots[0], from = (uint32_t)slots[1], count = (uint32_t)slots[2];
    if (!table_has(target, to, count) || !table_has(source, from, count))
        guest_trap(TRAP_TABLE, CALLER);
    move_bytes(table_entries(target) + to, table_entries(source) + from,
               count * sizeof(struct function_reference));
}

static void helper_table_init(struct instance *instance, uint64_t *slots)
{
    const struct table *table = table_at(instance, slots[4]);
    const struct segment *segment = segment_at(instance, slots[3], true);
    uint64_t to = (uint32_t)slots[0], from = (uint32_t)slots[1], count = (uint32_t)slots[2];
    if (from > segment->size || count > segment->size - from || !table_has(table, to, count))
        guest_trap(TRAP_TABLE, CALLER);
    copy_bytes(table_entries(table) + to, (const struct function_reference *)segment->data + from,
               count * sizeof(struct function_reference));
}

static void helper_elem_drop(struct instance *instance, uint64_t *slots)
{
    segment_at(instance, slots[0], true)->size = 0;
}

binding_function *const helper_table[HELPER_COUNT] = {
    [HELPER_MEMORY_GROW] = helper_memory_grow, [HELPER_MEMORY_COPY] = helper_memory_copy,
    [HELPER_MEMORY_FILL] = helper_memory_fill, [HELPER_MEMORY_INIT] = helper_memory_init,
    [HELPER_DATA_DROP] = helper_data_drop,     [HELPER_TABLE_GET] = helper_table_get,
    [HELPER_TABLE_SET] = helper_table_set,     [HELPER_TABLE_GROW] = helper_table_grow,
    [HELPER_TABLE_FILL] = helper_table_fill,   [HELPER_TABLE_COPY] = helper_table_copy,
    [HELPER_TABLE_INIT] = helper_table_init,   [HELPER_ELEM_DROP] = helper_elem_drop,
};
