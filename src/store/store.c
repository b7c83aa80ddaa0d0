/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include "base/file.h"
#include "core/hex.h"
#include "crypto/hash.h"
#include "store/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool is_name(const char *name, size_t size_min, size_t size_max)
{
    size_t size = strnlen(name, size_max + 1);
    if (size < size_min || size > size_max || !bytes_is_utf8(bytes_of(name, size)))
        return false;
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return false;
    }
    return true;
}

static bool key_check(struct store_key key, size_t key_size_min, struct error *error)
{
    if (!is_name(key.space, 1, STORE_SPACE_SIZE_MAX) || strcmp(key.space, STORE_SPACE_BLOBS) == 0 ||
        strcmp(key.space, STORE_SPACE_HEAD) == 0 || strcmp(key.space, STORE_SPACE_BACKUP) == 0)
        return error_set(error, ERROR_INVALID, "not a space for records: \"%s\"",
                         error_quote(bytes_of_string(key.space)).text);
    if (!is_name(key.key, key_size_min, STORE_KEY_SIZE_MAX))
        return error_set(error, ERROR_INVALID, "not a record key: \"%s\"",
                         error_quote(bytes_of_string(key.key)).text);
    return true;
}

static void head_write(struct writer *writer, const struct store_head *head)
{
    write_u64_le(writer, head->revision);
    write_bytes(writer, BYTES_OF(head->mac.bytes));
}

void store_heads_write(struct writer *writer, const struct store_heads *heads)
{
    head_write(writer, &heads->before);
    head_write(writer, &heads->after);
}

static void head_read(struct reader *reader, struct store_head *head)
{
    head->revision = read_u64_le(reader);
    read_into(reader, head->mac.bytes, sizeof(head->mac.bytes));
}

void store_heads_read(struct reader *reader, struct store_heads *heads)
{
    head_read(reader, &heads->before);
    head_read(reader, &heads->after);
}

void store_remember(struct store *store)
{
    store->operations->remember(store);
}

bool store_confirm(struct store *store, struct error *error)
{
    return store->operations->confirm(store, error);
}

bool store_is_ready(struct store *store)
{
    return store->operations->is_ready(store);
}

uint64_t store_sync_ns(struct store *store)
{
    return store->operations->sync_ns(store);
}

void store_tidy_apart(struct store *store)
{
    store->operations->tidy_apart(store);
}

bool store_wants_tidying(struct store *store)
{
    return store->operations->wants_tidying(store);
}

void store_tidy(struct store *store)
{
    store->operations->tidy(store);
}

void store_keep_log(struct store *store)
{
    store->keeps_log = true;
}

void store_close(struct store *store)
{
    if (store != NULL)
        store->operations->close(store);
}

bool store_write_failed(const struct store *store)
{
    return store->write_failed;
}

/* Notes how a write ended. */
static bool noted(struct store *store, bool is_written, const struct error *error)
{
    switch (is_written ? ERROR_NONE : error->code) {
    case ERROR_NONE:
        store->write_failed = false;
        break;
    case ERROR_NO_SPACE:
    case ERROR_SYSTEM:
    case ERROR_CORRUPT:
    case ERROR_UNAVAILABLE:
    case ERROR_TIMEOUT:
    case ERROR_INTERNAL:
    case ERROR_CRASHED:
    case ERROR_NO_MEMORY:
        store->write_failed = true;
        break;
    case ERROR_INVALID:
    case ERROR_USAGE:
    case ERROR_DENIED:
    case ERROR_UNAUTHENTICATED:
    case ERROR_NOT_FOUND:
    case ERROR_LIMIT:
    case ERROR_BUSY:
    case ERROR_EXISTS:
    case ERROR_CONFLICT:
    case ERROR_UNSUPPORTED:
    case ERROR_UNVERIFIED:
    case ERROR_TRAPPED:
        break;
    }
    return is_written;
}

bool store_get(struct store *store, struct store_key key, struct buffer *value, uint64_t *revision,
               struct error *error)
{
    return key_check(key, 1, error) && store->operations->get(store, key, value, revision, error);
}

bool store_put(struct store *store, struct store_key key, struct bytes value, uint64_t if_revision,
               uint64_t *revision, struct error *error)
{
    struct store_write write = {
        .kind = STORE_WRITE_PUT, .key = key, .value = value, .if_revision = if_revision
    };
    if (!store_apply(store, &write, 1, error))
        return false;
    *revision = write.revision;
    return true;
}

bool store_delete(struct store *store, struct store_key key, uint64_t if_revision,
                  struct error *error)
{
    struct store_write write = { .kind = STORE_WRITE_DELETE,
                                 .key = key,
                                 .if_revision = if_revision };
    return store_apply(store, &write, 1, error);
}

static int key_order(const void *a, const void *b)
{
    const struct store_write *const *left = a, *const *right = b;
    int order = strcmp((*left)->key.key, (*right)->key.key);
    return order != 0 ? order : strcmp((*left)->key.space, (*right)->key.space);
}

static bool keys_differ(const struct store_write *writes, size_t count)
{
    const struct store_write *sorted[STORE_WRITES_MAX];
    for (size_t i = 0; i < count; i++)
        sorted[i] = &writes[i];
    qsort(sorted, count, sizeof(sorted[0]), key_order);
    for (size_t i = 1; i < count; i++) {
        if (key_order(&sorted[i - 1], &sorted[i]) == 0)
            return false;
    }
    return true;
}

bool store_apply(struct store *store, struct store_write *writes, size_t count, struct error *error)
{
    if (count == 0)
        return true;
    if (count > STORE_WRITES_MAX)
        return error_set(error, ERROR_LIMIT, "batch of %zu writes, at most %d", count,
                         STORE_WRITES_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!key_check(writes[i].key, 1, error))
            return false;
        if (writes[i].kind == STORE_WRITE_PUT && writes[i].value.size > STORE_VALUE_SIZE_MAX)
            return error_set(error, ERROR_LIMIT, "value of %zu bytes, at most %d",
                             writes[i].value.size, STORE_VALUE_SIZE_MAX);
    }
    if (!keys_differ(writes, count))
        return error_set(error, ERROR_INVALID, "a key comes twice in one batch");
    return noted(store, store->operations->apply(store, writes, count, error), error);
}

bool store_list(struct store *store, struct store_key prefix, const char *after, size_t limit,
                struct store_page *page, struct error *error)
{
    if (!key_check(prefix, 0, error))
        return false;
    if (limit == 0 || limit > STORE_LIST_MAX)
        return error_set(error, ERROR_INVALID, "a page has 1 to %d entries", STORE_LIST_MAX);
    if (after != NULL && !is_name(after, 0, STORE_KEY_SIZE_MAX))
        return error_set(error, ERROR_INVALID, "not a record key to go on after");
    return store->operations->list(store, prefix, after, limit, page, error);
}

void store_page_done(struct store_page *page)
{
    free(page->entries);
    *page = (struct store_page){ 0 };
}

bool store_blob_put(struct store *store, const struct digest32 *digest, struct bytes content,
                    struct error *error)
{
    if (content.size > STORE_BLOB_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "blob of %zu bytes, at most %d", content.size,
                         STORE_BLOB_SIZE_MAX);
    struct digest32 actual = sha256_of(content);
    if (!digest32_equal(&actual, digest))
        return error_set(error, ERROR_INVALID, "the blob's digest is sha256:%s",
                         hex_of_digest(&actual).text);
    return noted(store, store->operations->blob_put(store, digest, content, error), error);
}

struct blob_sink {
    struct hash *hash;
    struct buffer *buffer; /* or, when NULL, */
    int descriptor;
};

static bool take_chunk(void *context, struct bytes part, struct error *error)
{
    struct blob_sink *sink = context;
    hash_update(sink->hash, part);
    if (sink->buffer == NULL)
        return file_write_all(sink->descriptor, part, error);
    buffer_append(sink->buffer, part);
    return !sink->buffer->failed || error_set(error, ERROR_LIMIT, "the blob is larger than wanted");
}

static bool blob_read(struct store *store, const struct digest32 *digest, struct blob_sink *sink,
                      struct error *error)
{
    AUTO(hash) struct hash *hash = hash_new(HASH_SHA256);
    sink->hash = hash;
    if (!store->operations->blob_read(store, digest, take_chunk, sink, error))
        return error_within(error, "blob sha256:%s", hex_of_digest(digest).text);
    struct digest32 actual = hash_finish32(hash);
    if (!digest32_equal(&actual, digest))
        return error_set(error, ERROR_CORRUPT, "blob sha256:%s has another content",
                         hex_of_digest(digest).text);
    return true;
}

bool store_blob_get(struct store *store, const struct digest32 *digest, struct buffer *content,
                    struct error *error)
{
    size_t size_before = content->size;
    struct blob_sink sink = { .buffer = content };
    if (blob_read(store, digest, &sink, error))
        return true;
    if (content->size > size_before)
        content->size = size_before;
    return false;
}

bool store_blob_open(struct store *store, const struct digest32 *digest, int *descriptor,
                     struct error *error)
{
    AUTO_CLOSE int file = memfd_create("s3n-blob", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0)
        return error_system(error, "memfd_create");
    struct blob_sink sink = { .descriptor = file };
    if (!blob_read(store, digest, &sink, error))
        return false;
    int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    if (fcntl(file, F_ADD_SEALS, seals) != 0 || lseek(file, 0, SEEK_SET) != 0)
        return error_system(error, "seal a blob's file");
    *descriptor = file;
    file = -1;
    return true;
}

bool store_blob_size(struct store *store, const struct digest32 *digest, uint64_t *size,
                     struct error *error)
{
    return store->operations->blob_size(store, digest, size, error);
}

bool store_blob_delete(struct store *store, const struct digest32 *digest, struct error *error)
{
    return store->operations->blob_delete(store, digest, error);
}

bool store_walk_next(struct store *store, struct store_walk *walk, bool *more, struct error *error)
{
    return store->operations->walk_next(store, walk, more, error);
}

bool store_copy_new(struct store_copy **copy, struct store *store, const char *path,
                    struct error *error)
{
    return store->operations->copy_new(copy, store, path, error);
}

bool store_copy_file(const char *from, const struct sealer *sealer, const char *to,
                     struct error *error)
{
    AUTO(store) struct store *store = NULL;
    AUTO(store_copy) struct store_copy *copy = NULL;
    uint64_t left, all;
    return store_open_sqlite(&store, from, sealer, error) &&
           store_copy_new(&copy, store, to, error) && store_copy_step(copy, 0, &left, &all, error);
}
