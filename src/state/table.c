/* SPDX-License-Identifier: Apache-2.0 */
#include "state/table.h"

#include "crypto/random.h"

#include <stdlib.h>
#include <string.h>

int name_compare(struct bytes a, struct bytes b)
{
    size_t size = MIN(a.size, b.size);
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
    if (order != 0)
        return order < 0 ? -1 : 1;
    return a.size == b.size ? 0 : a.size < b.size ? -1 : 1;
}

void table_init(struct table *table)
{
    *table = (struct table){ 0 };
    random_bytes(&table->random, sizeof(table->random));
    table->random |= 1;
}

void table_done(struct table *table)
{
    while (table->first[0] != NULL) {
        struct entry *entry = table->first[0];
        table->first[0] = entry->next[0];
        entry_free(entry);
    }
    *table = (struct table){ 0 };
}

/* The last entry before the name on every level: where a link to it stands. */
static void links_before(const struct table *table, struct bytes name, struct entry ***links)
{
    struct entry *const *at = table->first;
    for (int level = TABLE_LEVEL_MAX - 1; level >= 0; level--) {
        while (at[level] != NULL && name_compare(entry_name(at[level]), name) < 0)
            at = at[level]->next;
        links[level] = (struct entry **)(uintptr_t)&at[level];
    }
}

struct entry *table_seek(const struct table *table, struct bytes name)
{
    struct entry *const *at = table->first;
    for (int level = TABLE_LEVEL_MAX - 1; level >= 0; level--) {
        while (at[level] != NULL && name_compare(entry_name(at[level]), name) < 0)
            at = at[level]->next;
    }
    return at[0];
}

struct entry *table_find(const struct table *table, struct bytes name)
{
    struct entry *found = table_seek(table, name);
    return found != NULL && bytes_equal(entry_name(found), name) ? found : NULL;
}

/* How high a tower is, nobody outside can guess: order and names can't make lookups slow. */
static unsigned level_draw(struct table *table)
{
    unsigned levels = 1;
    table->random ^= table->random << 13;
    table->random ^= table->random >> 7;
    table->random ^= table->random << 17;
    for (uint64_t bits = table->random >> 20; (bits & 3) == 0 && levels < TABLE_LEVEL_MAX;
         bits >>= 2)
        levels++;
    return levels;
}

struct entry *entry_new(struct table *table, struct bytes name)
{
    ASSERT(name.size > 0 && name.size <= KV_NAME_SIZE_MAX);
    unsigned levels = level_draw(table);
    size_t links = levels * sizeof(struct entry *);
    struct entry *made = calloc(1, sizeof(*made) + links + name.size);
    if (made == NULL)
        return NULL;
    made->level_count = (uint8_t)levels;
    made->name = (uint8_t *)made + sizeof(*made) + links;
    made->name_size = (uint16_t)name.size;
    memcpy(made->name, name.data, name.size);
    return made;
}

void entry_free(struct entry *entry)
{
    if (entry == NULL)
        return;
    while (entry->newest != NULL) {
        struct version *older = entry->newest->older;
        free(entry->newest);
        entry->newest = older;
    }
    free(entry);
}

void table_insert(struct table *table, struct entry *entry)
{
    struct entry **links[TABLE_LEVEL_MAX];
    links_before(table, entry_name(entry), links);
    for (unsigned level = 0; level < entry->level_count; level++) {
        entry->next[level] = *links[level];
        *links[level] = entry;
    }
    table->count++;
}

void table_remove(struct table *table, struct entry *entry)
{
    struct entry **links[TABLE_LEVEL_MAX];
    links_before(table, entry_name(entry), links);
    for (unsigned level = 0; level < entry->level_count; level++) {
        ASSERT(*links[level] == entry);
        *links[level] = entry->next[level];
    }
    table->count--;
    entry_free(entry);
}

struct version *version_new(struct bytes value, int64_t expires_ms, bool is_live, uint64_t revision)
{
    struct version *made = malloc(sizeof(*made) + value.size);
    if (made == NULL)
        return NULL;
    *made = (struct version){ .revision = revision,
                              .expires_ms = expires_ms,
                              .is_live = is_live,
                              .size = (uint32_t)value.size };
    if (value.size > 0)
        memcpy(made->value, value.data, value.size);
    return made;
}

const struct version *entry_at(const struct entry *entry, uint64_t revision)
{
    const struct version *at = entry->newest;
    while (at != NULL && at->revision > revision)
        at = at->older;
    return at;
}
