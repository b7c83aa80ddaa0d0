/* SPDX-License-Identifier: Apache-2.0 */
#include "store/seal.h"
#include "store/sqlite_store.h"

struct blob_row {
    uint64_t id;
    uint64_t size;
};

enum {
    LARGE_SIZE = 256 << 10
};

static uint64_t chunk_count(uint64_t size)
{
    return size == 0 ? 1 : (size + STORE_CHUNK_SIZE - 1) / STORE_CHUNK_SIZE;
}

static bool blob_find(struct sqlite_store *sqlite, const struct digest32 *digest, bool *found,
                      struct blob_row *blob, struct error *error)
{
    sqlite3_stmt *statement = sqlite_statement(sqlite, STATEMENT_BLOB_FIND);
    sqlite_bind_blob(statement, 1, BYTES_OF(digest->bytes));
    if (!sqlite_step(sqlite, statement, found, "find a blob", error))
        return false;
    if (*found) {
        blob->id = (uint64_t)sqlite3_column_int64(statement, 0);
        blob->size = (uint64_t)sqlite3_column_int64(statement, 1);
    }
    sqlite3_reset(statement);
    if (*found && blob->size > STORE_BLOB_SIZE_MAX)
        return error_set(error, ERROR_CORRUPT, "a blob has an impossible size");
    return true;
}

static bool blob_must_find(struct sqlite_store *sqlite, const struct digest32 *digest,
                           struct blob_row *blob, struct error *error)
{
    bool found;
    if (!blob_find(sqlite, digest, &found, blob, error))
        return false;
    return found || error_set(error, ERROR_NOT_FOUND, "no such blob");
}

static bool write_chunks(struct sqlite_store *sqlite, uint64_t blob_id, struct chunk_place *place,
                         struct bytes content, struct error *error)
{
    AUTO_BUFFER struct buffer sealed;
    buffer_init(&sealed, STORE_CHUNK_SIZE + STORE_SEAL_OVERHEAD_MAX);
    for (; place->index < place->count; place->index++) {
        struct bytes part = bytes_part(content, place->index * STORE_CHUNK_SIZE, STORE_CHUNK_SIZE);
        buffer_clear(&sealed);
        if (!chunk_seal(&sqlite->store.sealer, place, part, &sealed, error))
            return error_within(error, "seal a blob");
        if (sealed.failed)
            return error_set(error, ERROR_NO_MEMORY, "no memory for a sealed chunk");
        sqlite3_stmt *statement = sqlite_statement(sqlite, STATEMENT_CHUNK_INSERT);
        sqlite_bind_number(statement, 1, blob_id);
        sqlite_bind_number(statement, 2, place->index);
        sqlite_bind_blob(statement, 3, buffer_view(&sealed));
        if (!sqlite_run(sqlite, statement, "write a blob", error))
            return false;
    }
    return true;
}

static bool blob_write(struct sqlite_store *sqlite, const struct digest32 *digest,
                       struct bytes content, struct error *error)
{
    sqlite3_stmt *statement = sqlite_statement(sqlite, STATEMENT_BLOB_INSERT);
    sqlite_bind_blob(statement, 1, BYTES_OF(digest->bytes));
    sqlite_bind_number(statement, 2, content.size);
    if (!sqlite_run(sqlite, statement, "write a blob", error))
        return false;
    uint64_t id = (uint64_t)sqlite3_last_insert_rowid(sqlite->database);
    struct chunk_place place = { .digest = *digest,
                                 .blob_size = content.size,
                                 .count = chunk_count(content.size) };
    return write_chunks(sqlite, id, &place, content, error) && sqlite_commit(sqlite, error);
}

bool sqlite_blob_put(struct store *store, const struct digest32 *digest, struct bytes content,
                     struct error *error)
{
    struct sqlite_store *sqlite = (struct sqlite_store *)store;
    struct blob_row blob;
    bool found;
    if (!blob_find(sqlite, digest, &found, &blob, error))
        return false;
    if (found)
        return true;
    /* With what is in the log in the file, the log can be cut when there is no room for the blob.
     */
    if (content.size >= LARGE_SIZE)
        (void)sqlite3_wal_checkpoint_v2(sqlite->database, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
                                        NULL);
    if (!sqlite_begin(sqlite, error))
        return false;
    if (!blob_write(sqlite, digest, content, error)) {
        sqlite_rollback(sqlite);
        sqlite_give_back(sqlite, error);
        return false;
    }
    return true;
}

bool sqlite_blob_read(struct store *store, const struct digest32 *digest,
                      bool (*chunk)(void *context, struct bytes part, struct error *error),
                      void *context, struct error *error)
{
    struct sqlite_store *sqlite = (struct sqlite_store *)store;
    struct blob_row blob;
    if (!blob_must_find(sqlite, digest, &blob, error))
        return false;
    struct chunk_place place = { .digest = *digest,
                                 .blob_size = blob.size,
                                 .count = chunk_count(blob.size) };
    AUTO_BUFFER struct buffer part;
    buffer_init(&part, STORE_CHUNK_SIZE + STORE_SEAL_OVERHEAD_MAX);
    for (; place.index < place.count; place.index++) {
        sqlite3_stmt *statement = sqlite_statement(sqlite, STATEMENT_CHUNK_GET);
        sqlite_bind_number(statement, 1, blob.id);
        sqlite_bind_number(statement, 2, place.index);
        bool row;
        if (!sqlite_step(sqlite, statement, &row, "read a blob", error))
            return false;
        if (!row)
            return error_set(error, ERROR_CORRUPT, "chunk %llu of %llu is missing",
                             (unsigned long long)place.index, (unsigned long long)place.count);
        buffer_clear(&part);
        bool opened = chunk_open(&sqlite->store.sealer, &place, sqlite_column_bytes(statement, 0),
                                 &part, error);
        sqlite3_reset(statement);
        if (!opened)
            return false;
        if (part.failed)
            return error_set(error, ERROR_NO_MEMORY, "no memory for a chunk");
        if (!chunk(context, buffer_view(&part), error))
            return false;
    }
    return true;
}

bool sqlite_blob_size(struct store *store, const struct digest32 *digest, uint64_t *size,
                      struct error *error)
{
    struct blob_row blob;
    if (!blob_must_find((struct sqlite_store *)store, digest, &blob, error))
        return false;
    *size = blob.size;
    return true;
}

static bool delete_by_id(struct sqlite_store *sqlite, enum sqlite_statement which, uint64_t id,
                         struct error *error)
{
    sqlite3_stmt *statement = sqlite_statement(sqlite, which);
    sqlite_bind_number(statement, 1, id);
    return sqlite_run(sqlite, statement, "delete a blob", error);
}

bool sqlite_blob_delete(struct store *store, const struct digest32 *digest, struct error *error)
{
    struct sqlite_store *sqlite = (struct sqlite_store *)store;
    struct blob_row blob;
    if (!blob_must_find(sqlite, digest, &blob, error) || !sqlite_begin(sqlite, error))
        return false;
    if (delete_by_id(sqlite, STATEMENT_CHUNK_DELETE, blob.id, error) &&
        delete_by_id(sqlite, STATEMENT_BLOB_DELETE, blob.id, error))
        return sqlite_commit(sqlite, error);
    sqlite_rollback(sqlite);
    return false;
}
