/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/registry.h"
#include "base/json.h"
#include "core/hex.h"
#include "crypto/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct served {
    struct application *application;
    uint64_t revision; /* of its record `applications/NAME` */
};

struct registry {
    struct store *store;
    struct served *served; /* ascending names */
    size_t count;
};

struct record_name {
    char text[STORE_KEY_SIZE_MAX + 1];
};

static struct store_key record_key(const struct record_name *name)
{
    return (struct store_key){ STORE_SPACE_NODE, name->text };
}

static struct record_name application_record(const char *name)
{
    struct record_name record;
    snprintf(record.text, sizeof(record.text), "applications/%s", name);
    return record;
}

static struct record_name version_record(const char *name, uint64_t number)
{
    struct record_name record;
    snprintf(record.text, sizeof(record.text), "versions/%s/%010" PRIu64, name, number);
    return record;
}

/* The compiler's name is part of the key: another version makes another image. */
static struct record_name image_record(const struct digest32 *code, const char *compiler)
{
    struct record_name record;
    struct hex32 hex = hex_of_digest(code);
    snprintf(record.text, sizeof(record.text), "images/%s/%s", compiler, hex.text);
    return record;
}

struct application *application_hold(struct application *application)
{
    application->references++;
    return application;
}

void application_release(struct application *application)
{
    if (application == NULL || --application->references > 0)
        return;
    manifest_free(application->manifest);
    free(application->images);
    free(application);
}

/* --- records as JSON --- */

static json_t *image_tree(const struct function_image *image)
{
    struct hex32 digest = hex_of_digest(&image->image);
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "image", digest.text, "image_size",
                     (json_int_t)image->image_size, "code_size", (json_int_t)image->code_size,
                     "compile_us", (json_int_t)image->compile_us, "flags", (json_int_t)image->flags,
                     "abi", (json_int_t)image->abi);
}

static bool image_of_tree(struct function_image *image, const json_t *tree, struct error *error)
{
    int64_t image_size, code_size, compile_us, flags = 0, abi = 0;
    if (!json_get_hex(tree, "image", image->image.bytes, sizeof(image->image.bytes), error) ||
        !json_get_integer(tree, "image_size", 0, INT64_MAX, &image_size, error) ||
        !json_get_integer(tree, "code_size", 0, INT64_MAX, &code_size, error) ||
        !json_get_integer(tree, "compile_us", 0, INT64_MAX, &compile_us, error))
        return false;
    /* Records of an earlier version have neither; their images are compiled anew. */
    if (json_object_get(tree, "flags") != NULL &&
        (!json_get_integer(tree, "flags", 0, UINT32_MAX, &flags, error) ||
         !json_get_integer(tree, "abi", 0, UINT32_MAX, &abi, error)))
        return false;
    image->image_size = (uint64_t)image_size;
    image->code_size = (uint64_t)code_size;
    image->compile_us = (uint64_t)compile_us;
    image->flags = (uint32_t)flags;
    image->abi = (uint32_t)abi;
    return true;
}

static bool version_write(struct buffer *text, const struct registry_version *version,
                          size_t function_count, struct error *error)
{
    json_t *images = json_array();
    for (size_t i = 0; i < function_count; i++)
        json_array_append_new(images, image_tree(&version->images[i]));
    struct hex32 owner = hex_of_digest(&version->owner);
    AUTO_JSON json_t *tree =
        json_pack("{s:s%, s:s, s:I, s:o}", "manifest", (const char *)version->canonical.data,
                  version->canonical.size, "owner", owner.text, "deployed_s",
                  (json_int_t)version->now_s, "images", images);
    if (tree == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the version's record");
    return json_canonical(text, tree, error);
}

static bool images_of_tree(struct application *application, const json_t *tree, struct error *error)
{
    json_t *images;
    if (!json_get_array(tree, "images", &images, error))
        return false;
    size_t count = application->manifest->function_count;
    if (json_array_size(images) != count)
        return error_set(error, ERROR_CORRUPT, "the record has not one image per function");
    application->images = calloc(count, sizeof(*application->images));
    if (application->images == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for an application");
    for (size_t i = 0; i < count; i++) {
        if (!image_of_tree(&application->images[i], json_array_get(images, i), error))
            return false;
    }
    return true;
}

/* A new application (one reference, the caller's) from its version record. */
static bool version_read(struct application **application, uint64_t number, struct bytes text,
                         struct error *error)
{
    AUTO_JSON json_t *tree = NULL;
    AUTO(application) struct application *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for an application");
    made->references = 1;
    made->version_number = number;
    const char *canonical;
    if (!json_parse(&tree, text, error) || !json_get_string(tree, "manifest", &canonical, error) ||
        !json_get_hex(tree, "owner", made->owner.bytes, sizeof(made->owner.bytes), error) ||
        !json_get_integer(tree, "deployed_s", INT64_MIN, INT64_MAX, &made->deployed_s, error) ||
        !manifest_parse(&made->manifest, bytes_of_string(canonical), error) ||
        !images_of_tree(made, tree, error))
        return false;
    made->manifest_digest = sha256_of(bytes_of_string(canonical));
    *application = TAKE(made);
    return true;
}

/* --- in memory --- */

/* Index of the name, or where it would stand. */
static size_t served_index(const struct registry *registry, const char *name, bool *found)
{
    size_t low = 0, high = registry->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(registry->served[middle].application->manifest->application, name);
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

struct application *registry_find(const struct registry *registry, const char *name)
{
    bool found;
    size_t index = served_index(registry, name, &found);
    return found ? registry->served[index].application : NULL;
}

size_t registry_count(const struct registry *registry)
{
    return registry->count;
}

struct application *registry_at(const struct registry *registry, size_t index)
{
    ASSERT(index < registry->count);
    return registry->served[index].application;
}

/* Takes over the caller's reference. */
static void served_set(struct registry *registry, struct application *application,
                       uint64_t revision)
{
    bool found;
    size_t index = served_index(registry, application->manifest->application, &found);
    struct served *at = &registry->served[index];
    if (found) {
        application_release(at->application);
    } else {
        memmove(at + 1, at, (registry->count - index) * sizeof(*at));
        registry->count++;
    }
    *at = (struct served){ application, revision };
}

static void served_remove(struct registry *registry, size_t index)
{
    struct served *at = &registry->served[index];
    application_release(at->application);
    registry->count--;
    memmove(at, at + 1, (registry->count - index) * sizeof(*at));
}

/* --- opening --- */

static bool application_load(struct registry *registry, const char *key, struct error *error)
{
    AUTO_BUFFER struct buffer head, text;
    buffer_init(&head, STORE_VALUE_SIZE_MAX);
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    AUTO_JSON json_t *tree = NULL;
    uint64_t revision, version_revision;
    int64_t number;
    const char *name = key + strlen("applications/");
    if (!store_get(registry->store, (struct store_key){ STORE_SPACE_NODE, key }, &head, &revision,
                   error) ||
        !json_parse(&tree, buffer_view(&head), error) ||
        !json_get_integer(tree, "version", 1, INT64_MAX, &number, error))
        return error_within(error, "record %s", key);
    struct record_name record = version_record(name, (uint64_t)number);
    AUTO(application) struct application *application = NULL;
    if (!store_get(registry->store, record_key(&record), &text, &version_revision, error) ||
        !version_read(&application, (uint64_t)number, buffer_view(&text), error))
        return error_within(error, "record %s", record.text);
    if (strcmp(application->manifest->application, name) != 0)
        return error_set(error, ERROR_CORRUPT, "record %s holds another application", record.text);
    if (registry->count == APPLICATION_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "more than %d applications", APPLICATION_COUNT_MAX);
    served_set(registry, TAKE(application), revision);
    return true;
}

static bool registry_load(struct registry *registry, struct error *error)
{
    char after[STORE_KEY_SIZE_MAX + 1] = "";
    bool more = true;
    while (more) {
        AUTO_STORE_PAGE struct store_page page = { 0 };
        struct store_key prefix = { STORE_SPACE_NODE, "applications/" };
        if (!store_list(registry->store, prefix, after[0] == '\0' ? NULL : after, STORE_LIST_MAX,
                        &page, error))
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

bool registry_open(struct registry **registry, struct store *store, struct error *error)
{
    AUTO(registry) struct registry *made = calloc(1, sizeof(*made));
    if (made != NULL)
        made->served = calloc(APPLICATION_COUNT_MAX, sizeof(*made->served));
    if (made == NULL || made->served == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the registry");
    made->store = store;
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
        application_release(registry->served[i].application);
    free(registry->served);
    free(registry);
}

/* --- changes --- */

bool registry_may_change(const struct registry *registry, const char *name,
                         const struct digest32 *owner, struct error *error)
{
    const struct application *application = registry_find(registry, name);
    if (application == NULL || digest32_equal(&application->owner, owner))
        return true;
    return error_set(error, ERROR_DENIED, "application %s belongs to another owner", name);
}

static bool same_images(const struct application *application, const struct function_image *images)
{
    for (size_t i = 0; i < application->manifest->function_count; i++) {
        if (!digest32_equal(&application->images[i].image, &images[i].image))
            return false;
    }
    return true;
}

bool registry_put(struct registry *registry, const struct registry_version *version,
                  struct application **application, bool *replaced, struct error *error)
{
    AUTO(manifest) struct manifest *manifest = NULL;
    if (!manifest_parse(&manifest, version->canonical, error) ||
        !registry_may_change(registry, manifest->application, &version->owner, error))
        return false;
    bool found;
    size_t index = served_index(registry, manifest->application, &found);
    struct served now = found ? registry->served[index] : (struct served){ 0 };
    struct digest32 digest = sha256_of(version->canonical);
    if (found && digest32_equal(&now.application->manifest_digest, &digest) &&
        same_images(now.application, version->images)) {
        *application = now.application;
        *replaced = true;
        return true;
    }
    if (!found && registry->count == APPLICATION_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "this node has its %d applications",
                         APPLICATION_COUNT_MAX);
    uint64_t number = found ? now.application->version_number + 1 : 1;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    AUTO(application) struct application *made = NULL;
    if (!version_write(&text, version, manifest->function_count, error) ||
        !version_read(&made, number, buffer_view(&text), error))
        return false;
    char head[64];
    snprintf(head, sizeof(head), "{\"version\":%" PRIu64 "}", number);
    struct record_name version_name = version_record(manifest->application, number);
    struct record_name head_name = application_record(manifest->application);
    struct store_write writes[] = {
        { STORE_WRITE_PUT, record_key(&version_name), buffer_view(&text), 0, 0 },
        { STORE_WRITE_PUT, record_key(&head_name), bytes_of_string(head), now.revision, 0 },
    };
    if (!store_apply(registry->store, writes, ARRAY_COUNT(writes), error))
        return false;
    *application = made;
    *replaced = found;
    served_set(registry, TAKE(made), writes[1].revision);
    return true;
}

static bool uses_blob(const struct application *application, const struct digest32 *blob)
{
    for (size_t i = 0; i < application->manifest->function_count; i++) {
        if (digest32_equal(&application->manifest->functions[i].code, blob) ||
            digest32_equal(&application->images[i].image, blob))
            return true;
        if (application->manifest->functions[i].has_archive &&
            digest32_equal(&application->manifest->functions[i].archive, blob))
            return true;
    }
    return false;
}

/* What is left behind by a failure here is only space on the disk. */
static void blob_drop(struct registry *registry, const struct digest32 *blob)
{
    for (size_t i = 0; i < registry->count; i++) {
        if (uses_blob(registry->served[i].application, blob))
            return;
    }
    struct error ignored;
    (void)!store_blob_delete(registry->store, blob, &ignored);
}

/* Records of versions before `current`.  Nobody serves them, so a crash in between hurts nothing.
 */
static bool old_versions_delete(struct registry *registry, const char *name,
                                const struct record_name *current, struct error *error)
{
    struct record_name prefix;
    snprintf(prefix.text, sizeof(prefix.text), "versions/%s/", name);
    for (;;) {
        AUTO_STORE_PAGE struct store_page page = { 0 };
        if (!store_list(registry->store, record_key(&prefix), NULL, STORE_LIST_MAX, &page, error))
            return false;
        size_t deleted = 0;
        for (size_t i = 0; i < page.count; i++) {
            struct store_key key = { STORE_SPACE_NODE, page.entries[i].key };
            if (strcmp(key.key, current->text) == 0)
                continue;
            if (!store_delete(registry->store, key, page.entries[i].revision, error))
                return false;
            deleted++;
        }
        if (deleted == 0)
            return true;
    }
}

/* The record that says what is served and the version it names go together. */
static bool served_delete(struct registry *registry, const struct served *served,
                          const struct record_name *version, struct error *error)
{
    struct record_name head = application_record(served->application->manifest->application);
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    uint64_t revision;
    if (!store_get(registry->store, record_key(version), &text, &revision, error))
        return false;
    struct store_write writes[] = {
        { .kind = STORE_WRITE_DELETE, .key = record_key(&head), .if_revision = served->revision },
        { .kind = STORE_WRITE_DELETE, .key = record_key(version), .if_revision = revision },
    };
    return store_apply(registry->store, writes, ARRAY_COUNT(writes), error);
}

bool registry_delete(struct registry *registry, const char *name, const struct digest32 *owner,
                     struct error *error)
{
    bool found;
    size_t index = served_index(registry, name, &found);
    if (!found)
        return error_set(error, ERROR_NOT_FOUND, "there is no application %s", name);
    if (!registry_may_change(registry, name, owner, error))
        return false;
    AUTO(application)
    struct application *gone = application_hold(registry->served[index].application);
    struct record_name version = version_record(name, gone->version_number);
    if (!old_versions_delete(registry, name, &version, error) ||
        !served_delete(registry, &registry->served[index], &version, error))
        return error_within(error, "delete %s", gone->manifest->application);
    served_remove(registry, index);
    for (size_t i = 0; i < gone->manifest->function_count; i++) {
        blob_drop(registry, &gone->manifest->functions[i].code);
        blob_drop(registry, &gone->images[i].image);
        if (gone->manifest->functions[i].has_archive)
            blob_drop(registry, &gone->manifest->functions[i].archive);
    }
    return true;
}

/* --- images --- */

bool registry_image_get(struct registry *registry, const struct digest32 *code,
                        const char *compiler, struct function_image *image, struct error *error)
{
    struct record_name record = image_record(code, compiler);
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    AUTO_JSON json_t *tree = NULL;
    struct function_image found;
    uint64_t revision, size;
    if (!store_get(registry->store, record_key(&record), &text, &revision, error) ||
        !json_parse(&tree, buffer_view(&text), error) || !image_of_tree(&found, tree, error) ||
        !store_blob_size(registry->store, &found.image, &size, error))
        return false;
    *image = found;
    return true;
}

bool registry_image_put(struct registry *registry, const struct digest32 *code,
                        const char *compiler, const struct function_image *image,
                        struct error *error)
{
    struct record_name record = image_record(code, compiler);
    AUTO_BUFFER struct buffer text, old;
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    buffer_init(&old, STORE_VALUE_SIZE_MAX);
    AUTO_JSON json_t *tree = image_tree(image);
    if (tree == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the image's record");
    uint64_t revision = 0;
    struct error absent;
    if (!store_get(registry->store, record_key(&record), &old, &revision, &absent))
        revision = 0;
    return json_canonical(&text, tree, error) &&
           store_put(registry->store, record_key(&record), buffer_view(&text), revision, &revision,
                     error);
}
