/* SPDX-License-Identifier: Apache-2.0 */
/* A state read from the store, or taken out of it: on the journal's thread. */
#include "state/states_parts.h"

#include "store/limits.h"

#include <stdio.h>
#include <string.h>

enum {
    REMOVED_AT_ONCE = 256
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

static bool removal_finish(struct states *states, struct slot *slot, struct error *error);

bool slot_load(struct states *states, struct slot *slot, struct error *error)
{
    AUTO_BUFFER struct buffer record;
    struct state_head head;
    char after[STORE_KEY_SIZE_MAX + 1] = "";
    buffer_init(&record, RECORD_SIZE_MAX);
    if (!head_load(states, slot, &record, &head, error))
        return error_within(error, "state");
    if (head.revision == REVISION_REMOVED)
        return removal_finish(states, slot, error);
    for (bool more = true; more;) {
        AUTO_STORE_PAGE struct store_page page = { 0 };
        if (!store_list(states->store, (struct store_key){ slot->space, "" }, after, STORE_LIST_MAX,
                        &page, error))
            return false;
        for (size_t i = 0; i < page.count; i++) {
            if (strcmp(page.entries[i].key, HEAD_KEY) != 0 &&
                !entry_load(states, slot, page.entries[i].key, &record, error))
                return error_within(error, "state");
        }
        more = page.more;
        if (page.count > 0)
            snprintf(after, sizeof(after), "%s", page.entries[page.count - 1].key);
    }
    return state_load_end(slot->state, &head, error);
}

/* Takes out everything, the head last. */
static bool removal_finish(struct states *states, struct slot *slot, struct error *error)
{
    for (bool more = true; more;) {
        AUTO_STORE_PAGE struct store_page page = { 0 };
        struct store_write writes[REMOVED_AT_ONCE] = { 0 };
        if (!store_list(states->store, (struct store_key){ slot->space, "" }, NULL,
                        ARRAY_COUNT(writes), &page, error))
            return false;
        for (size_t i = 0; i < page.count; i++)
            writes[i] = (struct store_write){ .kind = STORE_WRITE_DELETE,
                                              .key = { slot->space, page.entries[i].key },
                                              .if_revision = page.entries[i].revision };
        if (!store_apply(states->store, writes, page.count, error))
            return false;
        more = page.more;
    }
    return true;
}

bool slot_remove(struct states *states, struct slot *slot, struct error *error)
{
    AUTO_BUFFER struct buffer record;
    buffer_init(&record, RECORD_SIZE_MAX);
    head_write(&record, &(struct state_head){ .revision = REVISION_REMOVED });
    struct store_write mark = { .kind = STORE_WRITE_PUT,
                                .key = { slot->space, HEAD_KEY },
                                .value = buffer_view(&record),
                                .if_revision = STORE_REVISION_ANY };
    return store_apply(states->store, &mark, 1, error) && removal_finish(states, slot, error);
}
