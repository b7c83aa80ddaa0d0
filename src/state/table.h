/* SPDX-License-Identifier: Apache-2.0 */
/* Inside state: an application's entries in order of their names, each with the versions that
 * running transactions may still want.
 *
 * A name is namespace, NUL, key; order is by bytes.  Owns: entries and versions.  One thread. */
#ifndef STATE_TABLE_H
#define STATE_TABLE_H

#include "state/limits.h"
#include "state/merkle.h"

struct version {
    struct version *older;
    uint64_t revision;  /* of the commit that made it */
    int64_t expires_ms; /* 0: never */
    bool is_live;       /* false: it was deleted */
    uint32_t size;
    uint8_t value[];
};

struct entry {
    struct version *newest;
    struct merkle_leaf leaf; /* of the newest version, while it is live */
    uint32_t queued;         /* how often the entry waits for its old versions to be dropped */
    uint16_t name_size;
    uint8_t level_count;
    uint8_t *name;
    struct entry *next[];
};

enum {
    TABLE_LEVEL_MAX = 20
};
struct table {
    struct entry *first[TABLE_LEVEL_MAX];
    uint64_t random;
    size_t count; /* entries, those of deleted keys included */
};

void table_init(struct table *table);
void table_done(struct table *table);
/* The entry of this name, or NULL. */
struct entry *table_find(const struct table *table, struct bytes name);
/* The first entry at or after the name; NULL at the end.  Go on with entry_next. */
struct entry *table_seek(const struct table *table, struct bytes name);
static inline struct entry *entry_next(const struct entry *entry)
{
    return entry->next[0];
}
static inline struct bytes entry_name(const struct entry *entry)
{
    return bytes_of(entry->name, entry->name_size);
}
/* An entry without versions, not in the table yet; NULL without memory. */
struct entry *entry_new(struct table *table, struct bytes name);
/* For one that is not in the table. */
void entry_free(struct entry *entry);
void table_insert(struct table *table, struct entry *entry);
/* Takes it out and frees it. */
void table_remove(struct table *table, struct entry *entry);

/* NULL without memory. */
struct version *version_new(struct bytes value, int64_t expires_ms, bool is_live,
                            uint64_t revision);
/* The newest version that is not younger than `revision`; NULL: there was none. */
const struct version *entry_at(const struct entry *entry, uint64_t revision);

/* -1, 0, 1 in order of bytes. */
int name_compare(struct bytes a, struct bytes b);

#endif
