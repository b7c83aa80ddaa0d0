/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_store.h"

#include "store/seal.h"
#include "store/sqlite_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool sqlite_fail(struct sqlite_store *sqlite, const char *what, struct error *error)
{
    int result = sqlite3_extended_errcode(sqlite->database);
    const char *message = sqlite3_errmsg(sqlite->database);
    int os_errno = sqlite3_system_errno(sqlite->database);
    bool is_io = (result & 0xff) == SQLITE_IOERR || (result & 0xff) == SQLITE_CANTOPEN;
    enum error_code code = ERROR_SYSTEM;
    if ((result & 0xff) == SQLITE_FULL || (is_io && (os_errno == ENOSPC || os_errno == EDQUOT)))
        code = ERROR_NO_SPACE;
    else if ((result & 0xff) == SQLITE_BUSY || (result & 0xff) == SQLITE_LOCKED)
        code = ERROR_BUSY;
    else if ((result & 0xff) == SQLITE_CORRUPT || (result & 0xff) == SQLITE_NOTADB ||
             (result & 0xff) == SQLITE_CONSTRAINT || (result & 0xff) == SQLITE_ERROR)
        code = ERROR_CORRUPT; /* our SQL is fixed: only another schema makes it fail */
    else if ((result & 0xff) == SQLITE_NOMEM || result == SQLITE_IOERR_NOMEM)
        code = ERROR_NO_MEMORY;
    error_set(error, code, "%s: %s", what, message);
    error->os_errno = is_io ? os_errno : 0;
    return false;
}

sqlite3_stmt *sqlite_statement(struct sqlite_store *sqlite, enum sqlite_statement which)
{
    sqlite3_reset(sqlite->statements[which]);
    sqlite3_clear_bindings(sqlite->statements[which]);
    return sqlite->statements[which];
}

/* Static: every argument outlives its step.  An empty value must not become NULL. */
void sqlite_bind_text(sqlite3_stmt *statement, int index, struct bytes text)
{
    const char *data = text.size == 0 ? "" : (const char *)text.data;
    int result = sqlite3_bind_text(statement, index, data, (int)text.size, SQLITE_STATIC);
    ASSERT(result == SQLITE_OK);
}

void sqlite_bind_blob(sqlite3_stmt *statement, int index, struct bytes blob)
{
    const void *data = blob.size == 0 ? (const void *)"" : blob.data;
    int result = sqlite3_bind_blob(statement, index, data, (int)blob.size, SQLITE_STATIC);
    ASSERT(result == SQLITE_OK);
}

void sqlite_bind_number(sqlite3_stmt *statement, int index, uint64_t number)
{
    int result = sqlite3_bind_int64(statement, index, (sqlite3_int64)number);
    ASSERT(result == SQLITE_OK);
}

struct bytes sqlite_column_bytes(sqlite3_stmt *statement, int column)
{
    const void *data = sqlite3_column_blob(statement, column);
    return bytes_of(data, (size_t)sqlite3_column_bytes(statement, column));
}

bool sqlite_step(struct sqlite_store *sqlite, sqlite3_stmt *statement, bool *row, const char *what,
                 struct error *error)
{
    int result = sqlite3_step(statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
        sqlite_fail(sqlite, what, error);
        sqlite3_reset(statement);
        return false;
    }
    if (result == SQLITE_DONE)
        sqlite3_reset(statement);
    *row = result == SQLITE_ROW;
    return true;
}

bool sqlite_run(struct sqlite_store *sqlite, sqlite3_stmt *statement, const char *what,
                struct error *error)
{
    bool row;
    if (!sqlite_step(sqlite, statement, &row, what, error))
        return false;
    sqlite3_reset(statement);
    return true;
}

bool sqlite_begin(struct sqlite_store *sqlite, struct error *error)
{
    return sqlite_run(sqlite, sqlite_statement(sqlite, STATEMENT_BEGIN), "begin", error);
}

void sqlite_rollback(struct sqlite_store *sqlite)
{
    /* Some failures have rolled back already. */
    if (sqlite3_get_autocommit(sqlite->database) == 0)
        sqlite3_step(sqlite_statement(sqlite, STATEMENT_ROLLBACK));
    sqlite3_reset(sqlite->statements[STATEMENT_ROLLBACK]);
}

void sqlite_give_back(struct sqlite_store *sqlite, const struct error *error)
{
    if (error->code == ERROR_NO_SPACE)
        (void)sqlite3_wal_checkpoint_v2(sqlite->database, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                        NULL);
}

bool sqlite_commit(struct sqlite_store *sqlite, struct error *error)
{
    if (sqlite_run(sqlite, sqlite_statement(sqlite, STATEMENT_COMMIT), "commit", error))
        return true;
    sqlite_rollback(sqlite);
    return false;
}

static bool sqlite_get(struct store *store, struct store_key key, struct buffer *value,
                       uint64_t *revision, struct error *error)
{
    struct sqlite_store *sqlite = (struct sqlite_store *)store;
    uint64_t expected = freshness_revision(&sqlite->freshness, key);
    if (expected == 0)
        return error_set(error, ERROR_NOT_FOUND, "no record %s in %s", key.key, key.space);
    sqlite3_stmt *statement = sqlite_statement(sqlite, STATEMENT_RECORD_GET);
    sqlite_bind_text(statement, 1, bytes_of_string(key.space));
    sqlite_bind_text(statement, 2, bytes_of_string(key.key));
    bool row;
    if (!sqlite_step(sqlite, statement, &row, "read a record", error))
        return false;
    if (!row || (uint64_t)sqlite3_column_int64(statement, 0) != expected) {
        sqlite3_reset(statement);
        return error_set(error, ERROR_CORRUPT, "record %s in %s is not at its revision", key.key,
                         key.space);
    }
    bool opened = record_open(&sqlite->store.sealer, key, expected,
                              sqlite_column_bytes(statement, 1), value, error);
    sqlite3_reset(statement);
    if (!opened)
        return error_within(error, "record %s in %s", key.key, key.space);
    *revision = expected;
    return true;
}

/* Compares revisions and seals the new values, before anything is written. */
static bool writes_prepare(struct sqlite_store *sqlite, struct store_write *writes, size_t count,
                           struct buffer *sealed, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t current = freshness_revision(&sqlite->freshness, writes[i].key);
        if (writes[i].if_revision == STORE_REVISION_ANY)
            writes[i].if_revision = current;
        else if (current == 0 && writes[i].if_revision == 0 && writes[i].kind == STORE_WRITE_DELETE)
            return error_set(error, ERROR_NOT_FOUND, "no record %s in %s", writes[i].key.key,
                             writes[i].key.space);
        if (current != writes[i].if_revision)
            return error_set(error, ERROR_CONFLICT, "record %s in %s is at revision %llu, not %llu",
                             writes[i].key.key, writes[i].key.space, (unsigned long long)current,
                             (unsigned long long)writes[i].if_revision);
        uint64_t revision = sqlite->freshness.head.revision + i + 1;
        buffer_init(&sealed[i], STORE_VALUE_SIZE_MAX + STORE_SEAL_OVERHEAD_MAX);
        if (writes[i].kind == STORE_WRITE_PUT &&
            !record_seal(&sqlite->store.sealer, writes[i].key, revision, writes[i].value,
                         &sealed[i], error))
            return error_within(error, "seal record %s in %s", writes[i].key.key,
                                writes[i].key.space);
        if (sealed[i].failed)
            return error_set(error, ERROR_NO_MEMORY, "no memory for a sealed value");
    }
    return true;
}

static bool write_row(struct sqlite_store *sqlite, const struct store_write *write,
                      uint64_t revision, struct bytes sealed, struct error *error)
{
    enum sqlite_statement which = STATEMENT_RECORD_DELETE;
    if (write->kind == STORE_WRITE_DELETE && write->if_revision == 0)
        return true; /* of ANY: there is none */
    if (write->kind == STORE_WRITE_PUT)
        which = write->if_revision == 0 ? STATEMENT_RECORD_INSERT : STATEMENT_RECORD_UPDATE;
    sqlite3_stmt *statement = sqlite_statement(sqlite, which);
    sqlite_bind_text(statement, 1, bytes_of_string(write->key.space));
    sqlite_bind_text(statement, 2, bytes_of_string(write->key.key));
    if (write->kind == STORE_WRITE_PUT) {
        sqlite_bind_number(statement, 3, revision);
        sqlite_bind_blob(statement, 4, sealed);
    }
    if (which != STATEMENT_RECORD_INSERT)
        sqlite_bind_number(statement, 5, write->if_revision);
    if (!sqlite_run(sqlite, statement, "write a record", error))
        return false;
    if (sqlite3_changes(sqlite->database) != 1)
        return error_set(error, ERROR_CORRUPT, "record %s in %s is not at its revision",
                         write->key.key, write->key.space);
    return true;
}

static bool write_rows(struct sqlite_store *sqlite, const struct store_write *writes, size_t count,
                       const struct buffer *sealed, struct error *error)
{
    struct freshness *freshness = &sqlite->freshness;
    struct freshness_head head = freshness->head;
    for (size_t i = 0; i < count; i++) {
        head.revision++;
        if (!write_row(sqlite, &writes[i], head.revision, buffer_view(&sealed[i]), error))
            return false;
        if (writes[i].if_revision != 0) {
            freshness_toggle(freshness, &head, writes[i].key, writes[i].if_revision);
            head.count--;
        }
        if (writes[i].kind == STORE_WRITE_PUT) {
            freshness_toggle(freshness, &head, writes[i].key, head.revision);
            head.count++;
        }
    }
    uint8_t memory[HEAD_LINKED_SIZE];
    struct bytes column;
    if (!anchor_prepare(sqlite, &head, &column, memory, error))
        return false;
    sqlite3_stmt *statement = sqlite_statement(sqlite, STATEMENT_HEAD_PUT);
    sqlite_bind_number(statement, 1, head.revision);
    sqlite_bind_number(statement, 2, head.count);
    sqlite_bind_blob(statement, 3, column);
    if (!sqlite_run(sqlite, statement, "write the head", error) || !sqlite_commit(sqlite, error))
        return false;
    freshness->head = head;
    anchor_committed(sqlite);
    return true;
}

static bool sqlite_apply(struct store *store, struct store_write *writes, size_t count,
                         struct error *error)
{
    struct sqlite_store *sqlite = (struct sqlite_store *)store;
    struct buffer *sealed = calloc(count, sizeof(*sealed));
    uint64_t before = sqlite->freshness.head.revision;
    if (sealed == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for sealed values");
    bool done = freshness_reserve(&sqlite->freshness, count, error) &&
                writes_prepare(sqlite, writes, count, sealed, error) && sqlite_begin(sqlite, error);
    if (done) {
        done = write_rows(sqlite, writes, count, sealed, error);
        if (!done) {
            sqlite_rollback(sqlite);
            sqlite_give_back(sqlite, error);
        }
    }
    for (size_t i = 0; i < count; i++) {
        buffer_done(&sealed[i]);
        if (!done)
            continue;
        writes[i].revision = before + i + 1;
        bool is_live = writes[i].kind == STORE_WRITE_PUT;
        freshness_set(&sqlite->freshness, writes[i].key, is_live ? writes[i].revision : 0);
    }
    free(sealed);
    return done;
}

static bool entry_take(struct sqlite_store *sqlite, struct store_key prefix, sqlite3_stmt *row,
                       struct store_entry *entry, struct error *error)
{
    struct bytes key = sqlite_column_bytes(row, 0);
    if (key.size == 0 || key.size > STORE_KEY_SIZE_MAX)
        return error_set(error, ERROR_CORRUPT, "a record's key has the wrong size");
    memcpy(entry->key, key.data, key.size);
    entry->key[key.size] = '\0';
    entry->revision = (uint64_t)sqlite3_column_int64(row, 1);
    struct store_key place = { prefix.space, entry->key };
    if (entry->revision == 0 || freshness_revision(&sqlite->freshness, place) != entry->revision)
        return error_set(error, ERROR_CORRUPT, "record %s in %s is not at its revision",
                         error_quote(key).text, prefix.space);
    return true;
}

static bool sqlite_list(struct store *store, struct store_key prefix, const char *after,
                        size_t limit, struct store_page *page, struct error *error)
{
    struct sqlite_store *sqlite = (struct sqlite_store *)store;
    AUTO_STORE_PAGE struct store_page read = { calloc(limit, sizeof(*read.entries)), 0, false };
    if (read.entries == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a list");
    struct bytes start = bytes_of_string(prefix.key);
    sqlite3_stmt *statement = sqlite_statement(sqlite, STATEMENT_RECORD_LIST);
    sqlite_bind_text(statement, 1, bytes_of_string(prefix.space));
    sqlite_bind_text(statement, 2, start);
    sqlite_bind_text(statement, 3, bytes_of_string(after == NULL ? "" : after));
    sqlite_bind_number(statement, 4, limit + 1);
    for (bool row = true; row;) {
        if (!sqlite_step(sqlite, statement, &row, "list records", error))
            return false;
        if (!row || !bytes_starts_with(sqlite_column_bytes(statement, 0), start))
            break;
        read.more = read.count == limit;
        if (read.more)
            break;
        if (!entry_take(sqlite, prefix, statement, &read.entries[read.count], error)) {
            sqlite3_reset(statement);
            return false;
        }
        read.count++;
    }
    sqlite3_reset(statement);
    *page = read;
    read.entries = NULL;
    return true;
}

static int log_grew(void *context, sqlite3 *database UNUSED, const char *name UNUSED, int pages)
{
    struct sqlite_store *sqlite = context;
    sqlite->log_pages = pages;
    return SQLITE_OK;
}

/* Takes the place of SQLite's own hook, which moves the log within the commit. */
static void sqlite_tidy_apart(struct store *store)
{
    struct sqlite_store *sqlite = (struct sqlite_store *)store;
    sqlite->tidies_apart = true;
    sqlite3_wal_hook(sqlite->database, log_grew, sqlite);
}

static bool sqlite_wants_tidying(struct store *store)
{
    return ((struct sqlite_store *)store)->log_pages >= STORE_LOG_PAGES;
}

/* What can't be moved now stays in the log, and is tried again after the next commit. */
static void sqlite_tidy(struct store *store)
{
    struct sqlite_store *sqlite = (struct sqlite_store *)store;
    if (!sqlite_wants_tidying(store))
        return;
    sqlite->log_pages = 0;
    (void)sqlite3_wal_checkpoint_v2(sqlite->database, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

static bool sqlite_is_ready(struct store *store)
{
    struct sqlite_store *sqlite = (struct sqlite_store *)store;
    return sqlite->tidies_apart && !sqlite_wants_tidying(store) && anchor_is_ready(sqlite);
}

static uint64_t sqlite_sync_ns(struct store *store)
{
    struct sqlite_store *sqlite = (struct sqlite_store *)store;
    return sqlite_log_sync_ns(sqlite->database);
}

static void sqlite_close(struct store *store)
{
    struct sqlite_store *sqlite = (struct sqlite_store *)store;
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(sqlite->statements[i]);
    if (store->keeps_log)
        sqlite3_db_config(sqlite->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(sqlite->database);
    freshness_done(&sqlite->freshness);
    free(sqlite);
}

const struct store_operations sqlite_operations = {
    .close = sqlite_close,
    .remember = sqlite_remember,
    .confirm = sqlite_confirm,
    .is_ready = sqlite_is_ready,
    .sync_ns = sqlite_sync_ns,
    .tidy_apart = sqlite_tidy_apart,
    .wants_tidying = sqlite_wants_tidying,
    .tidy = sqlite_tidy,
    .get = sqlite_get,
    .apply = sqlite_apply,
    .list = sqlite_list,
    .blob_put = sqlite_blob_put,
    .blob_read = sqlite_blob_read,
    .blob_size = sqlite_blob_size,
    .blob_delete = sqlite_blob_delete,
    .walk_next = sqlite_walk_next,
    .copy_new = sqlite_copy_new,
};
