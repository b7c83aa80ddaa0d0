/* SPDX-License-Identifier: Apache-2.0 */
/* The files of versions that the gateway answers with: archives mapped when they are first asked
 * for, the ones used last kept. */
#include "base/file.h"
#include "cmd/s3nd/node.h"
#include "gateway/assets.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ASSETS_KEPT_COUNT = 32
};

struct kept_assets {
    struct digest32 archive;
    struct bytes content; /* mapped */
    struct assets *assets;
    uint64_t used;
};
struct node_assets {
    struct kept_assets kept[ASSETS_KEPT_COUNT];
    uint64_t clock;
};

static void drop(struct kept_assets *kept)
{
    assets_free(kept->assets);
    if (kept->content.data != NULL)
        file_unmap(&kept->content);
    *kept = (struct kept_assets){ 0 };
}

void node_assets_free(struct node *node)
{
    if (node->assets == NULL)
        return;
    for (size_t i = 0; i < ASSETS_KEPT_COUNT; i++)
        drop(&node->assets->kept[i]);
    free(node->assets);
    node->assets = NULL;
}

static const struct manifest_function *function_find(struct node *node, const char *name,
                                                     uint64_t version, struct bytes function,
                                                     struct application **held, struct error *error)
{
    const struct registry_entry *entry = registry_entry_find(node->registry, name);
    struct application *at = entry == NULL ? NULL : entry->served;
    if (at != NULL && at->version_number != version && entry->canary != NULL)
        at = entry->canary;
    if (at == NULL || at->version_number != version) {
        if (!registry_version_get(node->registry, name, version, held, error))
            return NULL;
        at = *held;
    }
    const struct manifest *manifest = at->manifest;
    for (size_t i = 0; i < manifest->function_count; i++) {
        if (bytes_equal_string(function, manifest->functions[i].name) &&
            manifest->functions[i].has_archive)
            return &manifest->functions[i];
    }
    error_set(error, ERROR_NOT_FOUND, "the function has no files");
    return NULL;
}

static bool open_archive(struct node *node, struct kept_assets *kept,
                         const struct digest32 *archive, struct error *error)
{
    int descriptor = -1;
    if (!blobs_open(node->blobs, archive, &descriptor, error))
        return false;
    bool mapped = file_map(&kept->content, descriptor, error);
    close(descriptor);
    if (!mapped || !assets_new(&kept->assets, kept->content, error)) {
        drop(kept);
        return false;
    }
    kept->archive = *archive;
    return true;
}

struct assets *node_assets_find(void *context, struct bytes application, uint64_t version,
                                struct bytes function, struct error *error)
{
    struct node *node = context;
    char name[NAME_SIZE_MAX + 1];
    AUTO(application) struct application *held = NULL;
    if (node->assets == NULL)
        node->assets = calloc(1, sizeof(*node->assets));
    if (node->assets == NULL || application.size >= sizeof(name)) {
        error_set(error, ERROR_NO_MEMORY, "no memory for files");
        return NULL;
    }
    memcpy(name, application.data, application.size);
    name[application.size] = '\0';
    const struct manifest_function *found =
        function_find(node, name, version, function, &held, error);
    struct kept_assets *kept = node->assets->kept, *last = kept;
    if (found == NULL)
        return NULL;
    for (size_t i = 0; i < ASSETS_KEPT_COUNT; i++, kept++) {
        if (kept->assets != NULL && digest32_equal(&kept->archive, &found->archive)) {
            kept->used = ++node->assets->clock;
            return kept->assets;
        }
        if (kept->used < last->used)
            last = kept;
    }
    drop(last);
    if (!open_archive(node, last, &found->archive, error))
        return NULL;
    last->used = ++node->assets->clock;
    return last->assets;
}
