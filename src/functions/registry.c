/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/registry.h"
#include "core/hex.h"
#include "functions/registry_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct record_name application_record(const char *name)
{
    struct record_name record;
    snprintf(record.text, sizeof(record.text), "applications/%s", name);
    return record;
}

struct record_name version_record(const char *name, uint64_t number)
{
    struct record_name record;
    snprintf(record.text, sizeof(record.text), "versions/%s/%010" PRIu64, name, number);
    return record;
}

/* --- in memory --- */

size_t entry_index(const struct registry *registry, const char *name, bool *found)
{
    size_t low = 0, high = registry->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(registry->entries[middle].name, name);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = false;
    return low;
}

struct registry_entry *entry_find(struct registry *registry, const char *name)
{
    bool found;
    size_t index = entry_index(registry, name, &found);
    return found ? &registry->entries[index] : NULL;
}

const struct registry_entry *registry_entry_find(const struct registry *registry, const char *name)
{
    bool found;
    size_t index = entry_index(registry, name, &found);
    return found ? &registry->entries[index] : NULL;
}

struct application *registry_find(const struct registry *registry, const char *name)
{
    const struct registry_entry *entry = registry_entry_find(registry, name);
    return entry == NULL ? NULL : entry->served;
}

size_t registry_count(const struct registry *registry)
{
    return registry->count;
}

const struct registry_entry *registry_at(const struct registry *registry, size_t index)
{
    ASSERT(index < registry->count);
    return &registry->entries[index];
}

const struct version_row *registry_row(const struct registry_entry *entry, uint64_t number)
{
    for (size_t i = 0; i < entry->version_count; i++) {
        if (entry->versions[i].number == number)
            return &entry->versions[i];
    }
    return NULL;
}

bool registry_is_served(const struct registry *registry, const struct application *application)
{
    const struct registry_entry *entry =
        registry_entry_find(registry, application->manifest->application);
    return entry != NULL && (entry->served == application || entry->canary == application);
}

unsigned registry_weight(const struct registry_entry *entry, uint64_t number)
{
    if (entry->canary != NULL && entry->canary->version_number == number)
        return entry->weight;
    return entry->served != NULL && entry->served->version_number == number ? 100 - entry->weight
                                                                            : 0;
}

static void entry_done(struct registry_entry *entry)
{
    application_release(entry->served);
    application_release(entry->canary);
    free(entry->versions);
    *entry = (struct registry_entry){ 0 };
}

void live_add(struct registry *registry, struct application *application)
{
    application->live = &registry->live;
    application->next = registry->live;
    application->is_current = true;
    registry->live = application;
}

/* --- drafts --- */

bool draft_begin(struct draft *draft, const struct registry_entry *entry, struct error *error)
{
    struct version_row *rows = malloc((entry->version_count + 1) * sizeof(*rows));
    if (rows == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for an application");
    if (entry->version_count > 0)
        memcpy(rows, entry->versions, entry->version_count * sizeof(*rows));
    draft->entry = *entry;
    draft->entry.versions = rows;
    if (entry->served != NULL)
        application_hold(entry->served);
    if (entry->canary != NULL)
        application_hold(entry->canary);
    return true;
}

bool draft_new(struct draft *draft, const char *name, const struct digest32 *owner,
               struct error *error)
{
    struct registry_entry entry = { .owner = *owner };
    snprintf(entry.name, sizeof(entry.name), "%s", name);
    draft->is_new = true;
    return draft_begin(draft, &entry, error);
}

void draft_done(struct draft *draft)
{
    entry_done(&draft->entry);
}

struct version_row *draft_row(struct draft *draft, uint64_t number)
{
    const struct version_row *row = registry_row(&draft->entry, number);
    return row == NULL ? NULL : &draft->entry.versions[row - draft->entry.versions];
}

struct version_row *draft_add_row(struct draft *draft)
{
    struct version_row *row = &draft->entry.versions[draft->entry.version_count++];
    *row = (struct version_row){ .number = ++draft->entry.last };
    return row;
}

void draft_remove_row(struct draft *draft, uint64_t number)
{
    struct version_row *row = draft_row(draft, number);
    if (row == NULL)
        return;
    size_t index = (size_t)(row - draft->entry.versions);
    draft->entry.version_count--;
    memmove(row, row + 1, (draft->entry.version_count - index) * sizeof(*row));
    if (draft->entry.previous == number)
        draft->entry.previous = 0;
}

void draft_serve_none(struct draft *draft)
{
    application_release(TAKE(draft->entry.served));
    application_release(TAKE(draft->entry.canary));
    draft->entry.weight = 0;
}

static void canary_end(struct draft *draft)
{
    application_release(TAKE(draft->entry.canary));
    draft->entry.weight = 0;
}

bool draft_serve(struct draft *draft, struct application *application, unsigned weight,
                 struct error *error)
{
    struct registry_entry *entry = &draft->entry;
    if (weight == 100 || (entry->served == NULL && weight > 0)) {
        canary_end(draft);
        if (entry->served == application)
            return true;
        entry->previous = entry->served == NULL ? entry->previous : entry->served->version_number;
        application_release(entry->served);
        entry->served = application_hold(application);
        return true;
    }
    if (entry->served == application)
        return error_set(error, ERROR_CONFLICT,
                         "version %llu answers the requests already; a weight is given to another",
                         (unsigned long long)application->version_number);
    if (weight == 0 && entry->canary != application)
        return true;
    canary_end(draft);
    if (weight == 0)
        return true;
    entry->canary = application_hold(application);
    entry->weight = weight;
    return true;
}

static json_t *row_tree(const struct version_row *row)
{
    json_t *tree = json_pack("{s:I, s:s, s:I, s:s, s:I, s:b}", "number", (json_int_t)row->number,
                             "version", row->version, "created_s", (json_int_t)row->created_s,
                             "digest", hex_of_digest(&row->digest).text, "size",
                             (json_int_t)row->size, "released", (int)row->is_released);
    if (tree != NULL && row->deleted_s != 0)
        json_object_set_new(tree, "deleted_s", json_integer(row->deleted_s));
    return tree;
}

static bool head_write(struct buffer *text, const struct registry_entry *entry, struct error *error)
{
    json_t *rows = json_array(), *serving = json_object();
    for (size_t i = 0; i < entry->version_count; i++)
        json_array_append_new(rows, row_tree(&entry->versions[i]));
    if (entry->served != NULL)
        json_object_set_new(serving, "version",
                            json_integer((json_int_t)entry->served->version_number));
    if (entry->canary != NULL) {
        json_object_set_new(serving, "canary",
                            json_integer((json_int_t)entry->canary->version_number));
        json_object_set_new(serving, "weight", json_integer(entry->weight));
    }
    AUTO_JSON json_t *tree =
        json_pack("{s:s, s:o, s:o, s:I, s:I, s:I}", "owner", hex_of_digest(&entry->owner).text,
                  "versions", rows, "serving", serving, "previous", (json_int_t)entry->previous,
                  "last", (json_int_t)entry->last, "deleted_s", (json_int_t)entry->deleted_s);
    return tree == NULL ? error_set(error, ERROR_NO_MEMORY, "no memory for an application")
                        : json_canonical(text, tree, error);
}

/* The draft takes its place; whoever was there is released. */
static void draft_commit(struct draft *draft, struct registry *registry)
{
    bool found;
    size_t index = entry_index(registry, draft->entry.name, &found);
    struct registry_entry *at = &registry->entries[index];
    if (found)
        entry_done(at);
    if (draft->is_gone) {
        registry->count -= found;
        memmove(at, at + 1, (registry->count - index) * sizeof(*at));
        return;
    }
    if (!found) {
        memmove(at + 1, at, (registry->count - index) * sizeof(*at));
        registry->count++;
    }
    *at = draft->entry;
    draft->entry = (struct registry_entry){ 0 };
}

bool draft_apply(struct draft *draft, struct registry *registry, struct batch *batch,
                 const struct change *change, const struct audit_event *event, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    struct record_name name = application_record(draft->entry.name);
    if (draft->is_new && registry->count == APPLICATION_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "this node has its %d applications",
                         APPLICATION_COUNT_MAX);
    if (!draft->is_gone && !head_write(&text, &draft->entry, error))
        return false;
    size_t head = draft->is_gone
                      ? batch_delete(batch, name.text, draft->entry.revision)
                      : batch_put(batch, name.text, buffer_view(&text), draft->entry.revision);
    if (!audit_apply(registry->options.audit, batch, registry->options.store, change, event, error))
        return false;
    draft->entry.revision = batch->writes[head].revision;
    draft_commit(draft, registry);
    return true;
}

/* --- versions from the store --- */

static bool version_fetch(struct registry *registry, const char *name, uint64_t number,
                          struct application **application, json_t **reports, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    AUTO(application) struct application *made = NULL;
    struct record_name record = version_record(name, number);
    uint64_t revision;
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    if (!store_get(registry->options.store, record_key(&record), &text, &revision, error) ||
        !version_read(&made, reports, number, buffer_view(&text), error))
        return error_within(error, "record %s", record.text);
    if (strcmp(made->manifest->application, name) != 0)
        return error_set(error, ERROR_CORRUPT, "record %s holds another application", record.text);
    *application = TAKE(made);
    return true;
}

bool version_load(struct registry *registry, const char *name, uint64_t number,
                  struct application **application, struct error *error)
{
    for (struct application *at = registry->live; at != NULL; at = at->next) {
        if (at->is_current && at->version_number == number &&
            strcmp(at->manifest->application, name) == 0) {
            *application = application_hold(at);
            return true;
        }
    }
    if (!version_fetch(registry, name, number, application, NULL, error))
        return false;
    live_add(registry, *application);
    return true;
}

bool version_rewrite(struct registry *registry, struct batch *batch, const char *name,
                     uint64_t number, const char *member, json_t *value, struct error *error)
{
    AUTO_JSON json_t *held = value;
    AUTO_JSON json_t *tree = NULL;
    AUTO_BUFFER struct buffer text;
    AUTO_BUFFER struct buffer again;
    struct record_name record = version_record(name, number);
    uint64_t revision;
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    buffer_init(&again, STORE_VALUE_SIZE_MAX);
    if (!store_get(registry->options.store, record_key(&record), &text, &revision, error) ||
        !json_parse(&tree, buffer_view(&text), error))
        return error_within(error, "record %s", record.text);
    if (json_object_set(tree, member, held) != 0)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a version");
    if (!json_canonical(&again, tree, error))
        return false;
    batch_put(batch, record.text, buffer_view(&again), revision);
    return true;
}

static bool version_find(struct registry *registry, const char *name, uint64_t number,
                         bool with_deleted, struct error *error)
{
    const struct registry_entry *entry = registry_entry_find(registry, name);
    const struct version_row *row = entry == NULL ? NULL : registry_row(entry, number);
    bool is_there = row != NULL && (with_deleted || (row->deleted_s == 0 && entry->deleted_s == 0));
    return is_there || error_set(error, ERROR_NOT_FOUND, "%s has no version %llu", name,
                                 (unsigned long long)number);
}

bool registry_version_get(struct registry *registry, const char *name, uint64_t number,
                          struct application **application, struct error *error)
{
    return version_find(registry, name, number, false, error) &&
           version_load(registry, name, number, application, error);
}

bool registry_version_show(struct registry *registry, const char *name, uint64_t number,
                           struct application **application, json_t **reports, struct error *error)
{
    return version_find(registry, name, number, true, error) &&
           version_fetch(registry, name, number, application, reports, error);
}

/* --- opening --- */

static bool rows_read(struct registry_entry *entry, const json_t *list, struct error *error)
{
    size_t count = json_array_size(list);
    if (count > VERSION_COUNT_MAX)
        return error_set(error, ERROR_CORRUPT, "more than %d versions", VERSION_COUNT_MAX);
    entry->versions = calloc(count + 1, sizeof(*entry->versions));
    if (entry->versions == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for an application");
    for (size_t i = 0; i < count; i++) {
        const json_t *tree = json_array_get(list, i);
        struct version_row *row = &entry->versions[entry->version_count++];
        int64_t number, size;
        const char *version;
        if (!json_get_integer(tree, "number", 1, INT64_MAX, &number, error) ||
            !json_get_string(tree, "version", &version, error) ||
            !json_get_integer(tree, "size", 0, INT64_MAX, &size, error) ||
            !json_get_integer(tree, "created_s", INT64_MIN, INT64_MAX, &row->created_s, error) ||
            !json_get_hex(tree, "digest", row->digest.bytes, sizeof(row->digest.bytes), error) ||
            (json_object_get(tree, "deleted_s") != NULL &&
             !json_get_integer(tree, "deleted_s", INT64_MIN, INT64_MAX, &row->deleted_s, error)))
            return false;
        snprintf(row->version, sizeof(row->version), "%s", version);
        row->number = (uint64_t)number;
        row->size = (uint64_t)size;
        row->is_released = json_is_true(json_object_get(tree, "released"));
    }
    return true;
}

static bool serving_read(struct registry *registry, struct registry_entry *entry,
                         const json_t *serving, struct error *error)
{
    int64_t number, weight;
    if (json_object_get(serving, "version") != NULL &&
        (!json_get_integer(serving, "version", 1, INT64_MAX, &number, error) ||
         !version_load(registry, entry->name, (uint64_t)number, &entry->served, error)))
        return false;
    if (json_object_get(serving, "canary") == NULL)
        return true;
    if (!json_get_integer(serving, "canary", 1, INT64_MAX, &number, error) ||
        !json_get_integer(serving, "weight", 1, 99, &weight, error) ||
        !version_load(registry, entry->name, (uint64_t)number, &entry->canary, error))
        return false;
    entry->weight = (unsigned)weight;
    return true;
}

static bool head_read(struct registry *registry, struct registry_entry *entry, struct bytes text,
                      struct error *error)
{
    AUTO_JSON json_t *tree = NULL;
    json_t *rows, *serving;
    int64_t previous, last;
    if (!json_parse(&tree, text, error) ||
        !json_get_hex(tree, "owner", entry->owner.bytes, sizeof(entry->owner.bytes), error) ||
        !json_get_array(tree, "versions", &rows, error) ||
        !json_get_object(tree, "serving", &serving, error) ||
        !json_get_integer(tree, "previous", 0, INT64_MAX, &previous, error) ||
        !json_get_integer(tree, "last", 0, INT64_MAX, &last, error) ||
        !json_get_integer(tree, "deleted_s", INT64_MIN, INT64_MAX, &entry->deleted_s, error))
        return false;
    entry->previous = (uint64_t)previous;
    entry->last = (uint64_t)last;
    return rows_read(entry, rows, error) && serving_read(registry, entry, serving, error);
}

static bool application_load(struct registry *registry, const char *key, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    struct registry_entry entry = { 0 };
    const char *name = key + strlen("applications/");
    bool found;
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    if (registry->count == APPLICATION_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "more than %d applications", APPLICATION_COUNT_MAX);
    if (!name_is_valid(name))
        return error_set(error, ERROR_CORRUPT, "record %s is of no application", key);
    snprintf(entry.name, sizeof(entry.name), "%s", name);
    if (!store_get(registry->options.store, (struct store_key){ STORE_SPACE_NODE, key }, &text,
                   &entry.revision, error) ||
        !head_read(registry, &entry, buffer_view(&text), error)) {
        entry_done(&entry);
        return error_within(error, "record %s", key);
    }
    size_t index = entry_index(registry, name, &found);
    struct registry_entry *at = &registry->entries[index];
    memmove(at + 1, at, (registry->count - index) * sizeof(*at));
    *at = entry;
    registry->count++;
    return true;
}

static bool registry_load(struct registry *registry, struct error *error)
{
    char after[STORE_KEY_SIZE_MAX + 1] = "";
    bool more = true;
    while (more) {
        AUTO_STORE_PAGE struct store_page page = { 0 };
        struct store_key prefix = { STORE_SPACE_NODE, "applications/" };
        if (!store_list(registry->options.store, prefix, after[0] == '\0' ? NULL : after,
                        STORE_LIST_MAX, &page, error))
            return error_within(error, "applications");
        for (size_t i = 0; i < page.count; i++) {
            if (!application_load(registry, page.entries[i].key, error))
                return false;
        }
        more = page.more && page.count > 0;
        if (more)
            memcpy(after, page.entries[page.count - 1].key, sizeof(after));
    }
    return true;
}

bool registry_open(struct registry **registry, const struct registry_options *options,
                   struct error *error)
{
    AUTO(registry) struct registry *made = calloc(1, sizeof(*made));
    if (made != NULL)
        made->entries = calloc(APPLICATION_COUNT_MAX, sizeof(*made->entries));
    if (made == NULL || made->entries == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the registry");
    made->options = *options;
    if (!registry_load(made, error))
        return false;
    *registry = TAKE(made);
    return true;
}

void registry_free(struct registry *registry)
{
    if (registry == NULL)
        return;
    for (size_t i = 0; i < registry->count; i++)
        entry_done(&registry->entries[i]);
    /* Whoever still holds one must not look for this list. */
    for (struct application *at = registry->live; at != NULL; at = at->next)
        at->live = NULL;
    free(registry->entries);
    free(registry);
}
