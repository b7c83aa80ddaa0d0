/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_store.h"

#include "base/secret.h"

#include <stdio.h>
#include <string.h>

static bool count_all(struct sqlite_store *sqlite, uint64_t *records, uint64_t *blobs,
                      struct error *error)
{
    sqlite3_stmt *statement = sqlite_statement(sqlite, STATEMENT_WALK_COUNTS);
    bool row;
    if (!sqlite_step(sqlite, statement, &row, "count", error))
        return false;
    *records = row ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    *blobs = row ? (uint64_t)sqlite3_column_int64(statement, 1) : 0;
    sqlite3_reset(statement);
    return true;
}

static bool check_file(struct sqlite_store *sqlite, struct store_walk *walk, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    walk->phase = STORE_WALK_RECORDS;
    if (!count_all(sqlite, &walk->records_all, &walk->blobs_all, error))
        return false;
    if (sqlite3_prepare_v2(sqlite->database, "PRAGMA integrity_check(1)", -1, &statement, NULL) !=
        SQLITE_OK)
        return sqlite_fail(sqlite, "integrity check", error);
    bool row = false;
    bool done = sqlite_step(sqlite, statement, &row, "integrity check", error);
    struct bytes verdict = row ? sqlite_column_bytes(statement, 0) : (struct bytes){ 0 };
    if (done && !bytes_equal_string(verdict, "ok"))
        done = error_set(error, ERROR_CORRUPT, "integrity check: %s", error_quote(verdict).text);
    sqlite3_finalize(statement);
    return done;
}

/* False at the end. */
static bool record_find(struct sqlite_store *sqlite, struct store_walk *walk, bool *found,
                        struct error *error)
{
    sqlite3_stmt *statement = sqlite_statement(sqlite, STATEMENT_WALK_RECORD);
    sqlite_bind_text(statement, 1, bytes_of_string(walk->space));
    sqlite_bind_text(statement, 2, bytes_of_string(walk->key));
    if (!sqlite_step(sqlite, statement, found, "read all records", error))
        return false;
    if (!*found)
        return true;
    struct bytes space = sqlite_column_bytes(statement, 0);
    struct bytes key = sqlite_column_bytes(statement, 1);
    bool fits = space.size < sizeof(walk->space) && key.size < sizeof(walk->key);
    if (fits) {
        snprintf(walk->space, sizeof(walk->space), "%.*s", (int)space.size,
                 (const char *)space.data);
        snprintf(walk->key, sizeof(walk->key), "%.*s", (int)key.size, (const char *)key.data);
    }
    sqlite3_reset(statement);
    return fits || error_set(error, ERROR_CORRUPT, "a record's key has the wrong size");
}

static bool walk_record(struct store *store, struct store_walk *walk, struct error *error)
{
    struct sqlite_store *sqlite = (struct sqlite_store *)store;
    AUTO_BUFFER struct buffer value;
    bool found;
    uint64_t revision;
    buffer_init(&value, STORE_VALUE_SIZE_MAX);
    if (!record_find(sqlite, walk, &found, error)) {
        walk->phase = STORE_WALK_BLOBS; /* there is no way past it */
        return false;
    }
    if (!found) {
        walk->phase = STORE_WALK_BLOBS;
        return true;
    }
    walk->records++;
    struct store_key key = { walk->space, walk->key };
    if (!store->operations->get(store, key, &value, &revision, error)) {
        if (error->code == ERROR_NOT_FOUND)
            error_set(error, ERROR_CORRUPT, "record %s in %s was not written by this store",
                      walk->key, walk->space);
        return false;
    }
    walk->bytes += value.size;
    secret_wipe(value.data, value.size);
    return true;
}

static bool walk_blob(struct store *store, struct store_walk *walk, struct error *error)
{
    struct sqlite_store *sqlite = (struct sqlite_store *)store;
    sqlite3_stmt *statement = sqlite_statement(sqlite, STATEMENT_WALK_BLOB);
    sqlite_bind_number(statement, 1, walk->blob);
    struct digest32 digest;
    bool found;
    if (!sqlite_step(sqlite, statement, &found, "read all blobs", error)) {
        walk->phase = STORE_WALK_REST;
        return false;
    }
    if (!found) {
        walk->phase = STORE_WALK_REST;
        return true;
    }
    walk->blob = (uint64_t)sqlite3_column_int64(statement, 0);
    walk->blobs++;
    struct bytes name = sqlite_column_bytes(statement, 1);
    bool is_digest = name.size == sizeof(digest.bytes);
    if (is_digest)
        memcpy(digest.bytes, name.data, sizeof(digest.bytes));
    sqlite3_reset(statement);
    if (!is_digest)
        return error_set(error, ERROR_CORRUPT, "blob %llu has no digest",
                         (unsigned long long)walk->blob);
    AUTO_BUFFER struct buffer content;
    buffer_init(&content, STORE_BLOB_SIZE_MAX);
    bool good = store_blob_get(store, &digest, &content, error);
    walk->bytes += content.size;
    return good;
}

static bool walk_rest(struct sqlite_store *sqlite, struct store_walk *walk, struct error *error)
{
    sqlite3_stmt *statement = sqlite_statement(sqlite, STATEMENT_WALK_STRAY);
    uint64_t records, blobs;
    bool row;
    walk->phase = STORE_WALK_END;
    if (!sqlite_step(sqlite, statement, &row, "look for stray chunks", error))
        return false;
    uint64_t stray = row ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    sqlite3_reset(statement);
    if (!count_all(sqlite, &records, &blobs, error))
        return false;
    if (records != sqlite->freshness.head.count)
        return error_set(error, ERROR_CORRUPT, "there are %llu records, %llu were written",
                         (unsigned long long)records,
                         (unsigned long long)sqlite->freshness.head.count);
    return stray == 0 || error_set(error, ERROR_CORRUPT, "%llu pieces belong to no blob",
                                   (unsigned long long)stray);
}

bool sqlite_walk_next(struct store *store, struct store_walk *walk, bool *more, struct error *error)
{
    struct sqlite_store *sqlite = (struct sqlite_store *)store;
    bool good = true;
    switch (walk->phase) {
    case STORE_WALK_FILE:
        good = check_file(sqlite, walk, error);
        break;
    case STORE_WALK_RECORDS:
        good = walk_record(store, walk, error);
        break;
    case STORE_WALK_BLOBS:
        good = walk_blob(store, walk, error);
        break;
    case STORE_WALK_REST:
        good = walk_rest(sqlite, walk, error);
        break;
    case STORE_WALK_END:
        break;
    }
    *more = walk->phase != STORE_WALK_END;
    return good;
}
