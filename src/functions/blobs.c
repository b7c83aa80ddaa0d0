/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/blobs.h"
#include "base/file.h"
#include "functions/limits.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

struct kept_blob {
    struct digest32 digest;
    int file; /* -1: a free place */
    uint64_t size;
    uint64_t used; /* when, on a clock that counts uses */
};

struct blobs {
    struct store *store;
    uint64_t size_max;
    uint64_t size;
    uint64_t uses;
    struct kept_blob kept[BLOBS_KEPT_COUNT];
};

bool blobs_new(struct blobs **blobs, struct store *store, uint64_t size_max, struct error *error)
{
    struct blobs *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for blobs");
    made->store = store;
    made->size_max = size_max;
    for (size_t i = 0; i < BLOBS_KEPT_COUNT; i++)
        made->kept[i].file = -1;
    *blobs = made;
    return true;
}

void blobs_free(struct blobs *blobs)
{
    if (blobs == NULL)
        return;
    for (size_t i = 0; i < BLOBS_KEPT_COUNT; i++)
        file_close(&blobs->kept[i].file);
    free(blobs);
}

static struct kept_blob *kept_find(struct blobs *blobs, const struct digest32 *digest)
{
    for (size_t i = 0; i < BLOBS_KEPT_COUNT; i++) {
        if (blobs->kept[i].file >= 0 && digest32_equal(&blobs->kept[i].digest, digest))
            return &blobs->kept[i];
    }
    return NULL;
}

static void kept_drop(struct blobs *blobs, struct kept_blob *kept)
{
    blobs->size -= kept->size;
    file_close(&kept->file);
    kept->file = -1;
}

/* A free place with room for `size` bytes; those unused for longest give way. */
static struct kept_blob *kept_place(struct blobs *blobs, uint64_t size)
{
    for (;;) {
        struct kept_blob *free_place = NULL, *oldest = NULL;
        for (size_t i = 0; i < BLOBS_KEPT_COUNT; i++) {
            struct kept_blob *at = &blobs->kept[i];
            if (at->file < 0)
                free_place = at;
            else if (oldest == NULL || at->used < oldest->used)
                oldest = at;
        }
        if (free_place != NULL && (oldest == NULL || blobs->size + size <= blobs->size_max))
            return free_place;
        kept_drop(blobs, oldest);
    }
}

/* Takes the file over. */
static void keep(struct blobs *blobs, const struct digest32 *digest, int file, uint64_t size)
{
    if (size > blobs->size_max || kept_find(blobs, digest) != NULL) {
        file_close(&file);
        return;
    }
    *kept_place(blobs, size) = (struct kept_blob){ *digest, file, size, ++blobs->uses };
    blobs->size += size;
}

bool blobs_put(struct blobs *blobs, const struct digest32 *digest, struct bytes content,
               struct error *error)
{
    int file = -1;
    struct error unkept;
    if (!store_blob_put(blobs->store, digest, content, error))
        return false;
    if (content.size <= blobs->size_max && file_sealed(&file, "blob", content, &unkept))
        keep(blobs, digest, file, content.size);
    return true;
}

bool blobs_open(struct blobs *blobs, const struct digest32 *digest, int *descriptor,
                struct error *error)
{
    struct kept_blob *kept = kept_find(blobs, digest);
    if (kept == NULL) {
        int file = -1;
        struct stat status;
        if (!store_blob_open(blobs->store, digest, &file, error))
            return false;
        if (fstat(file, &status) != 0 || (uint64_t)status.st_size > blobs->size_max) {
            *descriptor = file;
            return true;
        }
        keep(blobs, digest, file, (uint64_t)status.st_size);
        kept = kept_find(blobs, digest);
        ASSERT(kept != NULL);
    }
    kept->used = ++blobs->uses;
    int copy = fcntl(kept->file, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        return error_system(error, "hand out a blob");
    *descriptor = copy;
    return true;
}
