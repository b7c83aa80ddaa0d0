/* SPDX-License-Identifier: Apache-2.0 */
/* Which blobs are needed, and the images that compilers made.
 *
 * A version marks each blob that it needs with a record `uses/BLOB/NAME/NUMBER`: before its own
 * record is written, so that a crash leaves a mark too many, never one too few. */
#include "core/hex.h"
#include "functions/registry_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- marks --- */

static void blob_list_add(struct blob_list *list, const struct digest32 *blob)
{
    for (size_t i = 0; i < list->count; i++) {
        if (digest32_equal(&list->blobs[i], blob))
            return;
    }
    list->blobs[list->count++] = *blob;
}

void blob_list_of(struct blob_list *list, const struct manifest *manifest,
                  const struct function_image *images)
{
    list->count = 0;
    for (size_t i = 0; i < manifest->function_count; i++) {
        blob_list_add(list, &manifest->functions[i].code);
        blob_list_add(list, &images[i].image);
        if (manifest->functions[i].has_archive)
            blob_list_add(list, &manifest->functions[i].archive);
    }
}

static struct record_name mark_record(const struct digest32 *blob, const char *name,
                                      uint64_t number)
{
    struct record_name record;
    snprintf(record.text, sizeof(record.text), "uses/%s/%s/%010" PRIu64, hex_of_digest(blob).text,
             name, number);
    return record;
}

/* Whether a record of this key, or with this prefix, is there. */
static bool record_find(struct registry *registry, const char *prefix, char *key,
                        uint64_t *revision)
{
    AUTO_STORE_PAGE struct store_page page = { 0 };
    struct error unreadable;
    if (!store_list(registry->options.store, (struct store_key){ STORE_SPACE_NODE, prefix }, NULL,
                    1, &page, &unreadable) ||
        page.count == 0)
        return false;
    memcpy(key, page.entries[0].key, sizeof(page.entries[0].key));
    *revision = page.entries[0].revision;
    return true;
}

bool blobs_mark(struct registry *registry, const struct blob_list *list, const char *name,
                uint64_t number, struct error *error)
{
    size_t at = 0;
    while (at < list->count) {
        AUTO_BATCH struct batch batch;
        batch_init(&batch);
        for (; at < list->count && batch_room(&batch) > 0; at++) {
            struct record_name mark = mark_record(&list->blobs[at], name, number);
            char key[STORE_KEY_SIZE_MAX + 1];
            uint64_t revision;
            if (!record_find(registry, mark.text, key, &revision))
                batch_put(&batch, mark.text, BYTES_LITERAL("1"), 0);
        }
        if (!batch_apply(&batch, registry->options.store, error))
            return error_within(error, "marks of blobs");
    }
    return true;
}

static bool is_used(struct registry *registry, const struct digest32 *blob)
{
    char prefix[BATCH_KEY_SIZE], key[STORE_KEY_SIZE_MAX + 1];
    uint64_t revision;
    snprintf(prefix, sizeof(prefix), "uses/%s/", hex_of_digest(blob).text);
    return record_find(registry, prefix, key, &revision);
}

void blobs_unmark(struct registry *registry, const struct blob_list *list, const char *name,
                  uint64_t number)
{
    struct error ignored;
    for (size_t i = 0; i < list->count; i++) {
        struct record_name mark = mark_record(&list->blobs[i], name, number);
        char key[STORE_KEY_SIZE_MAX + 1];
        uint64_t revision;
        if (record_find(registry, mark.text, key, &revision))
            (void)!store_delete(registry->options.store, record_key(&mark), revision, &ignored);
        if (!is_used(registry, &list->blobs[i]))
            (void)!store_blob_delete(registry->options.store, &list->blobs[i], &ignored);
    }
}

void replaced_image_add(struct registry *registry, const struct digest32 *blob, const char *name,
                        uint64_t number, int64_t now_s)
{
    if (registry->garbage_count == GARBAGE_COUNT_MAX)
        return;
    struct garbage *added = &registry->garbage[registry->garbage_count++];
    *added = (struct garbage){ .blob = *blob, .number = number, .since_s = now_s };
    snprintf(added->name, sizeof(added->name), "%s", name);
}

struct quota_use registry_use(const struct registry *registry, const struct digest32 *owner)
{
    struct quota_use use = { 0 };
    for (size_t i = 0; i < registry->count; i++) {
        const struct registry_entry *entry = &registry->entries[i];
        if (!digest32_equal(&entry->owner, owner))
            continue;
        use.applications++;
        use.versions += entry->version_count;
        for (size_t n = 0; n < entry->version_count; n++)
            use.bytes += entry->versions[n].size;
    }
    return use;
}

bool registry_upload(struct registry *registry, const struct digest32 *blob, uint64_t size,
                     const struct digest32 *owner, int64_t now_s, struct error *error)
{
    AUTO_BATCH struct batch batch;
    struct quota_use used = registry_use(registry, owner), more = { 0, 0, size };
    char record[BATCH_KEY_SIZE], value[160], key[STORE_KEY_SIZE_MAX + 1];
    uint64_t revision = 0;
    batch_init(&batch);
    if (!quotas_check(registry->options.quotas, &used, &more, error))
        return false;
    snprintf(record, sizeof(record), "uploads/%s", hex_of_digest(blob).text);
    int length = snprintf(value, sizeof(value), "{\"owner\":\"%s\",\"time_s\":%lld}",
                          hex_of_digest(owner).text, (long long)now_s);
    if (!record_find(registry, record, key, &revision))
        revision = 0;
    batch_put(&batch, record, bytes_of(value, (size_t)length), revision);
    return batch_apply(&batch, registry->options.store, error);
}

/* --- images --- */

/* The compiler's name is part of the key: another version makes another image. */
static struct record_name image_record(const struct digest32 *code, const char *compiler)
{
    struct record_name record;
    snprintf(record.text, sizeof(record.text), "images/%s/%s", compiler, hex_of_digest(code).text);
    return record;
}

bool registry_image_get(struct registry *registry, const struct digest32 *code,
                        const char *compiler, struct function_image *image, json_t **report,
                        struct error *error)
{
    struct record_name record = image_record(code, compiler);
    AUTO_BUFFER struct buffer text;
    AUTO_JSON json_t *tree = NULL;
    struct function_image found;
    uint64_t revision, size;
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    if (!store_get(registry->options.store, record_key(&record), &text, &revision, error) ||
        !json_parse(&tree, buffer_view(&text), error) ||
        !function_image_of_tree(&found, tree, error) ||
        !store_blob_size(registry->options.store, &found.image, &size, error))
        return false;
    *image = found;
    if (report != NULL)
        *report = json_incref(json_object_get(tree, "report"));
    return true;
}

bool registry_image_was_made(struct registry *registry, const struct digest32 *code,
                             const char *compiler)
{
    struct record_name record = image_record(code, compiler);
    char key[STORE_KEY_SIZE_MAX + 1];
    uint64_t revision;
    return record_find(registry, record.text, key, &revision);
}

bool registry_image_put(struct registry *registry, const struct digest32 *code,
                        const char *compiler, const struct function_image *image,
                        const json_t *report, struct error *error)
{
    struct record_name record = image_record(code, compiler);
    AUTO_BUFFER struct buffer text;
    AUTO_JSON json_t *tree = function_image_tree(image);
    char key[STORE_KEY_SIZE_MAX + 1];
    uint64_t revision = 0;
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    if (tree == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the image's record");
    if (report != NULL)
        json_object_set(tree, "report", (json_t *)(uintptr_t)report);
    if (!record_find(registry, record.text, key, &revision))
        revision = 0;
    return json_canonical(&text, tree, error) &&
           store_put(registry->options.store, record_key(&record), buffer_view(&text), revision,
                     &revision, error);
}

static void served_replace(struct registry *registry, struct application *old,
                           struct application *now)
{
    struct registry_entry *entry = entry_find(registry, old->manifest->application);
    struct application **places[] = { &entry->served, &entry->canary };
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        if (*places[i] != old)
            continue;
        *places[i] = application_hold(now);
        application_release(old);
    }
}

bool registry_images_set(struct registry *registry, struct application *application,
                         const struct function_image *images, int64_t now_s,
                         struct application **changed, struct error *error)
{
    AUTO(application) struct application *old = application_hold(application);
    AUTO(application) struct application *made = NULL;
    AUTO_BATCH struct batch batch;
    struct blob_list before, after;
    const char *name = old->manifest->application;
    uint64_t number = old->version_number;
    const struct registry_entry *entry = registry_entry_find(registry, name);
    batch_init(&batch);
    if (!old->is_current || entry == NULL || registry_row(entry, number) == NULL)
        return error_set(error, ERROR_CONFLICT, "%s was changed meanwhile", name);
    blob_list_of(&before, old->manifest, old->images);
    blob_list_of(&after, old->manifest, images);
    if (!blobs_mark(registry, &after, name, number, error) ||
        !version_rewrite(registry, &batch, name, number, "images",
                         version_images_tree(images, old->manifest->function_count), error) ||
        !batch_apply(&batch, registry->options.store, error))
        return false;
    old->is_current = false;
    if (!version_load(registry, name, number, &made, error))
        return false;
    served_replace(registry, old, made);
    for (size_t i = 0; i < before.count; i++) {
        bool is_needed = false;
        for (size_t n = 0; n < after.count; n++)
            is_needed |= digest32_equal(&before.blobs[i], &after.blobs[n]);
        if (!is_needed)
            replaced_image_add(registry, &before.blobs[i], name, number, now_s);
    }
    *changed = TAKE(made);
    return true;
}
