/* SPDX-License-Identifier: Apache-2.0 */
/* What goes for good: versions and applications after the retention time, images that were
 * replaced, uploads that no version names. */
#include "core/hex.h"
#include "functions/registry_state.h"

#include <stdio.h>
#include <string.h>

enum {
    SWEEP_PURGES_MAX = 16,
    SWEEP_UPLOADS_MAX = 64
};

static bool forget(const struct registry *registry, const struct registry_entry *entry,
                   struct error *error)
{
    const struct registry_options *options = &registry->options;
    return options->forget == NULL ||
           options->forget(options->context, entry->name, &entry->owner, error);
}

bool version_purge(struct registry *registry, const char *name, uint64_t number,
                   const struct change *change, struct error *error)
{
    AUTO_DRAFT struct draft draft = { 0 };
    AUTO(application) struct application *gone = NULL;
    AUTO_BATCH struct batch batch;
    AUTO_BUFFER struct buffer text;
    struct record_name record = version_record(name, number);
    struct blob_list blobs;
    uint64_t revision;
    char object[NAME_SIZE_MAX + 32];
    batch_init(&batch);
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    const struct registry_entry *entry = registry_entry_find(registry, name);
    if (entry == NULL || !draft_begin(&draft, entry, error) ||
        !store_get(registry->options.store, record_key(&record), &text, &revision, error) ||
        !version_read(&gone, NULL, number, buffer_view(&text), error))
        return error_within(error, "purge %s", record.text);
    blob_list_of(&blobs, gone->manifest, gone->images);
    draft_remove_row(&draft, number);
    draft.is_gone = draft.entry.deleted_s != 0 && draft.entry.version_count == 0;
    if (draft.is_gone && !forget(registry, entry, error))
        return error_within(error, "purge %s", name);
    batch_delete(&batch, record.text, revision);
    snprintf(object, sizeof(object), "%s@%llu", name, (unsigned long long)number);
    struct audit_event event = { "version-purge", object, "" };
    if (!draft_apply(&draft, registry, &batch, change, &event, error))
        return false;
    for (struct application *at = registry->live; at != NULL; at = at->next) {
        if (at->version_number == number && strcmp(at->manifest->application, name) == 0)
            at->is_current = false;
    }
    blobs_unmark(registry, &blobs, name, number);
    return true;
}

static bool is_due(const struct registry *registry, int64_t deleted_s, int64_t now_s)
{
    return deleted_s != 0 && now_s - deleted_s >= registry->options.retention_s;
}

/* The next version to purge, in any application. */
static bool due_find(const struct registry *registry, int64_t now_s,
                     const struct registry_entry **entry, uint64_t *number)
{
    for (size_t i = 0; i < registry->count; i++) {
        *entry = &registry->entries[i];
        for (size_t n = 0; n < (*entry)->version_count; n++) {
            const struct version_row *row = &(*entry)->versions[n];
            *number = row->number;
            if (is_due(registry, (*entry)->deleted_s, now_s) ||
                is_due(registry, row->deleted_s, now_s))
                return true;
        }
    }
    return false;
}

static void garbage_sweep(struct registry *registry, int64_t now_s)
{
    size_t kept = 0;
    for (size_t i = 0; i < registry->garbage_count; i++) {
        struct garbage *at = &registry->garbage[i];
        if (now_s - at->since_s < GARBAGE_AGE_S) {
            registry->garbage[kept++] = *at;
            continue;
        }
        struct blob_list list = { .blobs = { at->blob }, .count = 1 };
        blobs_unmark(registry, &list, at->name, at->number);
    }
    registry->garbage_count = kept;
}

static bool upload_sweep(struct registry *registry, const struct store_entry *entry, int64_t now_s,
                         struct error *error)
{
    AUTO_BUFFER struct buffer text;
    AUTO_JSON json_t *tree = NULL;
    struct blob_list list = { .count = 1 };
    uint64_t revision;
    int64_t time_s;
    struct store_key key = { STORE_SPACE_NODE, entry->key };
    const char *hex = entry->key + strlen("uploads/");
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    if (!store_get(registry->options.store, key, &text, &revision, error) ||
        !json_parse(&tree, buffer_view(&text), error) ||
        !json_get_integer(tree, "time_s", INT64_MIN, INT64_MAX, &time_s, error) ||
        !hex_decode(list.blobs[0].bytes, sizeof(list.blobs[0].bytes), bytes_of_string(hex)))
        return error_within(error, "record %s", entry->key);
    if (now_s - time_s < UPLOAD_AGE_S)
        return true;
    if (!store_delete(registry->options.store, key, revision, error))
        return false;
    blobs_unmark(registry, &list, "", 0);
    return true;
}

static bool uploads_sweep(struct registry *registry, int64_t now_s, struct error *error)
{
    AUTO_STORE_PAGE struct store_page page = { 0 };
    const char *after = registry->upload_after[0] == '\0' ? NULL : registry->upload_after;
    if (!store_list(registry->options.store, (struct store_key){ STORE_SPACE_NODE, "uploads/" },
                    after, SWEEP_UPLOADS_MAX, &page, error))
        return false;
    for (size_t i = 0; i < page.count; i++) {
        if (!upload_sweep(registry, &page.entries[i], now_s, error))
            return false;
    }
    registry->upload_after[0] = '\0';
    if (page.more && page.count > 0)
        snprintf(registry->upload_after, sizeof(registry->upload_after), "%.*s", BATCH_KEY_SIZE - 1,
                 page.entries[page.count - 1].key);
    return true;
}

bool registry_sweep(struct registry *registry, int64_t now_s, struct error *error)
{
    const struct registry_entry *entry;
    uint64_t number;
    for (int i = 0; i < SWEEP_PURGES_MAX && due_find(registry, now_s, &entry, &number); i++) {
        char name[NAME_SIZE_MAX + 1];
        struct change change = { entry->owner, "node", now_s };
        memcpy(name, entry->name, sizeof(name));
        if (!version_purge(registry, name, number, &change, error))
            return false;
    }
    garbage_sweep(registry, now_s);
    return uploads_sweep(registry, now_s, error);
}
