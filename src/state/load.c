/* SPDX-License-Identifier: Apache-2.0 */
/* A state read from the store, or taken out of it, a piece at a time: on the journal's thread. */
#include "state/states_parts.h"

#include "store/limits.h"

#include <stdio.h>
#include <string.h>

enum {
    REMOVED_AT_ONCE = 256,
    LOADED_AT_ONCE = 64,             /* entries, */
    LOADED_AT_ONCE_SIZE = 512 << 10, /* or bytes */
};
#define HEAD_KEY "head" /* behind all others in order */
/* Of a state that is being removed: what is left is finished when it is next read. */
#define REVISION_REMOVED UINT64_MAX

static bool entry_load(struct states *states, struct slot *slot, const char *key,
                       struct buffer *record, struct error *error)
{
    uint64_t revision;
    char expected[RECORD_KEY_SIZE];
    struct state_write write;
    buffer_clear(record);
    if (!store_get(states->store, (struct store_key){ slot->space, key }, record, &revision,
                   error) ||
        !record_read(buffer_view(record), &write, error))
        return false;
    record_key(states, slot->space, write.name, expected);
    if (strcmp(expected, key) != 0)
        return error_set(error, ERROR_CORRUPT, "a record of the state is in another's place");
    return state_load_entry(slot->state, write.name, write.value, write.expires_ms, error);
}

static bool head_load(struct states *states, struct slot *slot, struct buffer *record,
                      struct state_head *head, struct error *error)
{
    uint64_t revision;
    struct error missing = { 0 };
    buffer_clear(record);
    if (store_get(states->store, (struct store_key){ slot->space, HEAD_KEY }, record, &revision,
                  &missing))
        return head_read(buffer_view(record), head, error);
    *head = (struct state_head){ 0 }; /* of nothing */
    if (missing.code != ERROR_NOT_FOUND)
        *error = missing;
    return missing.code == ERROR_NOT_FOUND;
}

/* Remembers a removal that is under way; without a value. */
#define REMOVING_PREFIX "removing/"

static struct store_key removing_place(char key[STORE_KEY_SIZE_MAX + 1], const char *space)
{
    snprintf(key, STORE_KEY_SIZE_MAX + 1, REMOVING_PREFIX "%s", space);
    return (struct store_key){ STORE_SPACE_NODE, key };
}

bool load_step(struct states *states, struct slot *slot, struct progress *progress, bool *more,
               struct error *error)
{
    AUTO_BUFFER struct buffer record;
    AUTO_STORE_PAGE struct store_page page = { 0 };
    size_t size = 0;
    buffer_init(&record, RECORD_SIZE_MAX);
    if (!progress->has_head && !head_load(states, slot, &record, &progress->head, error))
        return error_within(error, "state");
    progress->has_head = progress->head.revision != REVISION_REMOVED;
    if (!progress->has_head) {
        *more = true; /* then it is read as the empty one that it is */
        return sweep_step(states, slot->space, &(bool){ false }, error);
    }
    if (!store_list(states->store, (struct store_key){ slot->space, "" }, progress->after,
                    LOADED_AT_ONCE, &page, error))
        return false;
    size_t i = 0;
    for (; i < page.count && size < LOADED_AT_ONCE_SIZE; i++) {
        const char *key = page.entries[i].key;
        if (strcmp(key, HEAD_KEY) != 0 && !entry_load(states, slot, key, &record, error))
            return error_within(error, "state");
        size += record.size;
        snprintf(progress->after, sizeof(progress->after), "%s", key);
    }
    *more = page.more || i < page.count;
    return *more || state_load_end(slot->state, &progress->head, error);
}

/* The head, which bears the mark, goes last. */
bool sweep_step(struct states *states, const char *space, bool *more, struct error *error)
{
    AUTO_STORE_PAGE struct store_page page = { 0 };
    struct store_write writes[REMOVED_AT_ONCE + 1] = { 0 };
    char place[STORE_KEY_SIZE_MAX + 1];
    size_t count = 0;
    if (!store_list(states->store, (struct store_key){ space, "" }, NULL, REMOVED_AT_ONCE, &page,
                    error))
        return false;
    for (; count < page.count; count++)
        writes[count] = (struct store_write){ .kind = STORE_WRITE_DELETE,
                                              .key = { space, page.entries[count].key },
                                              .if_revision = page.entries[count].revision };
    *more = page.more;
    if (!page.more)
        writes[count++] = (struct store_write){ .kind = STORE_WRITE_DELETE,
                                                .key = removing_place(place, space),
                                                .if_revision = STORE_REVISION_ANY };
    return store_apply(states->store, writes, count, error);
}

bool slot_mark_removed(struct states *states, struct slot *slot, struct error *error)
{
    AUTO_BUFFER struct buffer record;
    char place[STORE_KEY_SIZE_MAX + 1];
    buffer_init(&record, RECORD_SIZE_MAX);
    head_write(&record, &(struct state_head){ .revision = REVISION_REMOVED });
    struct store_write marks[] = { { .kind = STORE_WRITE_PUT,
                                     .key = { slot->space, HEAD_KEY },
                                     .value = buffer_view(&record),
                                     .if_revision = STORE_REVISION_ANY },
                                   { .kind = STORE_WRITE_PUT,
                                     .key = removing_place(place, slot->space),
                                     .if_revision = STORE_REVISION_ANY } };
    return store_apply(states->store, marks, ARRAY_COUNT(marks), error);
}

bool sweeps_find(struct states *states, struct error *error)
{
    AUTO_STORE_PAGE struct store_page page = { 0 };
    if (!store_list(states->store, (struct store_key){ STORE_SPACE_NODE, REMOVING_PREFIX }, NULL,
                    STORE_LIST_MAX, &page, error))
        return false;
    for (size_t i = 0; i < page.count; i++) {
        if (!sweep_add(states, page.entries[i].key + strlen(REMOVING_PREFIX), error))
            return false;
    }
    return true; /* more of them: at the next start */
}
