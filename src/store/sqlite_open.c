/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_store.h"

#include "base/file.h"
#include "base/secret.h"
#include "crypto/random.h"
#include "store/migrations.h"
#include "store/seal.h"
#include "store/sqlite_log.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    APPLICATION_ID = 0x53334e31 /* "S3N1" in the file's header */
};

/* Exclusive locking keeps a second process out and needs no shared-memory file; temporary files
 * would leave the folder. */
static const char settings_sql[] = "PRAGMA locking_mode=EXCLUSIVE;"
                                   "PRAGMA temp_store=MEMORY;"
                                   "PRAGMA mmap_size=0;"
                                   "PRAGMA trusted_schema=OFF;"
                                   "PRAGMA cell_size_check=ON;"
                                   "PRAGMA synchronous=FULL;";

static const char schema_sql[] =
    "CREATE TABLE head(id INTEGER PRIMARY KEY CHECK(id = 1), revision INTEGER NOT NULL,"
    " count INTEGER NOT NULL, mac BLOB NOT NULL, key BLOB NOT NULL) STRICT;"
    "CREATE TABLE record(space TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL,"
    " value BLOB NOT NULL, PRIMARY KEY(space, key)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE blob(id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE,"
    " size INTEGER NOT NULL) STRICT;"
    "CREATE TABLE chunk(blob INTEGER NOT NULL, position INTEGER NOT NULL, content BLOB NOT NULL,"
    " PRIMARY KEY(blob, position)) STRICT;";

static const char *const statements_sql[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_ROLLBACK] = "ROLLBACK",
    [STATEMENT_HEAD_GET] = "SELECT revision, count, mac, key FROM head WHERE id = 1",
    [STATEMENT_HEAD_PUT] = "UPDATE head SET revision = ?, count = ?, mac = ? WHERE id = 1",
    [STATEMENT_HEAD_INSERT] =
        "INSERT INTO head(id, revision, count, mac, key) VALUES(1, ?, ?, ?, ?)",
    [STATEMENT_RECORD_ALL] = "SELECT space, key, revision FROM record",
    [STATEMENT_RECORD_GET] = "SELECT revision, value FROM record WHERE space = ? AND key = ?",
    [STATEMENT_RECORD_INSERT] =
        "INSERT OR ABORT INTO record(space, key, revision, value) VALUES(?, ?, ?, ?)",
    [STATEMENT_RECORD_UPDATE] = "UPDATE record SET revision = ?3, value = ?4"
                                " WHERE space = ?1 AND key = ?2 AND revision = ?5",
    [STATEMENT_RECORD_DELETE] =
        "DELETE FROM record WHERE space = ?1 AND key = ?2 AND revision = ?5",
    [STATEMENT_RECORD_LIST] = "SELECT key, revision FROM record WHERE space = ? AND key >= ?"
                              " AND key > ? ORDER BY key LIMIT ?",
    [STATEMENT_BLOB_FIND] = "SELECT id, size FROM blob WHERE digest = ?",
    [STATEMENT_BLOB_INSERT] = "INSERT OR ABORT INTO blob(digest, size) VALUES(?, ?)",
    [STATEMENT_BLOB_DELETE] = "DELETE FROM blob WHERE id = ?",
    [STATEMENT_CHUNK_GET] = "SELECT content FROM chunk WHERE blob = ? AND position = ?",
    [STATEMENT_CHUNK_INSERT] =
        "INSERT OR ABORT INTO chunk(blob, position, content) VALUES(?, ?, ?)",
    [STATEMENT_CHUNK_DELETE] = "DELETE FROM chunk WHERE blob = ?",
    [STATEMENT_WALK_RECORD] = "SELECT space, key FROM record WHERE (space, key) > (?, ?)"
                              " ORDER BY space, key LIMIT 1",
    [STATEMENT_WALK_BLOB] = "SELECT id, digest FROM blob WHERE id > ? ORDER BY id LIMIT 1",
    [STATEMENT_WALK_STRAY] =
        "SELECT count(*) FROM chunk LEFT JOIN blob ON blob.id = chunk.blob"
        " WHERE blob.id IS NULL OR position < 0 OR position >= max(1, (size + 1048575) / 1048576)",
    [STATEMENT_WALK_COUNTS] = "SELECT (SELECT count(*) FROM record), (SELECT count(*) FROM blob)",
};

static bool execute(struct sqlite_store *sqlite, const char *sql, struct error *error)
{
    if (sqlite3_exec(sqlite->database, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    return sqlite_fail(sqlite, "set up the store", error);
}

/* The first column of the first row. */
static bool query_text(struct sqlite_store *sqlite, const char *sql, char *text, size_t size,
                       struct error *error)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(sqlite->database, sql, -1, &statement, NULL) != SQLITE_OK)
        return sqlite_fail(sqlite, "look at the store", error);
    bool row = false;
    bool done = sqlite_step(sqlite, statement, &row, "look at the store", error);
    struct bytes value = { 0 };
    if (done && row)
        value = sqlite_column_bytes(statement, 0);
    size_t used = MIN(value.size, size - 1);
    if (used > 0)
        memcpy(text, value.data, used);
    text[used] = '\0';
    sqlite3_finalize(statement);
    return done;
}

static bool query_number(struct sqlite_store *sqlite, const char *sql, long *number,
                         struct error *error)
{
    char text[32];
    if (!query_text(sqlite, sql, text, sizeof(text), error))
        return false;
    *number = strtol(text, NULL, 10);
    return true;
}

/* SQLite would make the file readable for others.  Closed again before SQLite opens it: closing any
 * descriptor of a file drops this process's locks on it. */
static bool make_private(const char *path, struct error *error)
{
    AUTO_CLOSE int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return file >= 0 || error_system(error, "open %s", path);
}

static bool connect(struct sqlite_store *sqlite, const char *path, struct error *error)
{
    if (!make_private(path, error) || !sqlite_log_register(error))
        return false;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    if (sqlite3_open_v2(path, &sqlite->database, flags, SQLITE_LOG_VFS) != SQLITE_OK)
        return sqlite->database == NULL
                   ? error_set(error, ERROR_NO_MEMORY, "no memory for the store")
                   : sqlite_fail(sqlite, "open", error);
    sqlite3_extended_result_codes(sqlite->database, 1);
    sqlite3_busy_timeout(sqlite->database, STORE_BUSY_TIMEOUT_MS);
    /* The file is not trusted: what it could carry besides data stays off. */
    sqlite3_db_config(sqlite->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(sqlite->database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(sqlite->database, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_limit(sqlite->database, SQLITE_LIMIT_LENGTH,
                  MAX((int)STORE_VALUE_SIZE_MAX, (int)STORE_CHUNK_SIZE) + (1 << 16));
    char mode[16], size[64];
    snprintf(size, sizeof(size), "PRAGMA journal_size_limit=%d", STORE_LOG_SIZE_MAX);
    if (!execute(sqlite, settings_sql, error) || !execute(sqlite, size, error) ||
        !query_text(sqlite, "PRAGMA journal_mode=WAL", mode, sizeof(mode), error))
        return false;
    if (strcmp(mode, "wal") != 0)
        return error_set(error, ERROR_UNSUPPORTED, "no write-ahead log for %s", path);
    return true;
}

static bool prepare(struct sqlite_store *sqlite, struct error *error)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        if (sqlite3_prepare_v3(sqlite->database, statements_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &sqlite->statements[i], NULL) != SQLITE_OK)
            return sqlite_fail(sqlite, "prepare", error);
    }
    return true;
}

static bool insert_head(struct sqlite_store *sqlite, struct error *error)
{
    AUTO_SECRET32 struct secret32 key;
    random_secret32(&key);
    freshness_init(&sqlite->freshness, &key);
    struct digest32 mac = freshness_mac(&sqlite->freshness, &sqlite->freshness.head);
    AUTO_BUFFER struct buffer sealed;
    buffer_init(&sealed, sizeof(key) + STORE_SEAL_OVERHEAD_MAX);
    if (!index_key_seal(&sqlite->store.sealer, BYTES_OF(key.bytes), &sealed, error))
        return error_within(error, "seal the index key");
    if (sealed.failed)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the sealed index key");
    sqlite3_stmt *statement = sqlite_statement(sqlite, STATEMENT_HEAD_INSERT);
    sqlite_bind_number(statement, 1, 0);
    sqlite_bind_number(statement, 2, 0);
    sqlite_bind_blob(statement, 3, BYTES_OF(mac.bytes));
    sqlite_bind_blob(statement, 4, buffer_view(&sealed));
    return sqlite_run(sqlite, statement, "write the first head", error);
}

static bool create(struct sqlite_store *sqlite, struct error *error)
{
    char mark[96];
    snprintf(mark, sizeof(mark), "PRAGMA application_id=%d;PRAGMA user_version=%d", APPLICATION_ID,
             STORE_SCHEMA_VERSION);
    if (!execute(sqlite, "BEGIN IMMEDIATE", error))
        return false;
    if (execute(sqlite, schema_sql, error) && execute(sqlite, mark, error) &&
        prepare(sqlite, error) && insert_head(sqlite, error) &&
        anchor_check(sqlite, (struct bytes){ 0 }, error))
        return sqlite_commit(sqlite, error);
    sqlite3_exec(sqlite->database, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

static bool load_head(struct sqlite_store *sqlite, struct freshness_head *head,
                      struct buffer *column, struct error *error)
{
    sqlite3_stmt *statement = sqlite_statement(sqlite, STATEMENT_HEAD_GET);
    bool row;
    if (!sqlite_step(sqlite, statement, &row, "read the head", error))
        return false;
    size_t size = row ? sqlite_column_bytes(statement, 2).size : 0;
    if (size != HEAD_MAC_SIZE && size != HEAD_LINKED_SIZE) {
        sqlite3_reset(statement);
        return error_set(error, ERROR_CORRUPT, "the store has no head");
    }
    head->revision = (uint64_t)sqlite3_column_int64(statement, 0);
    head->count = (uint64_t)sqlite3_column_int64(statement, 1);
    buffer_append(column, sqlite_column_bytes(statement, 2));
    AUTO_BUFFER struct buffer opened;
    AUTO_SECRET32 struct secret32 key = { 0 };
    buffer_init(&opened, sizeof(key));
    bool done =
        index_key_open(&sqlite->store.sealer, sqlite_column_bytes(statement, 3), &opened, error);
    sqlite3_reset(statement);
    if (!done)
        return error_within(error, "open the index key");
    if (opened.size != sizeof(key.bytes))
        return error_set(error, ERROR_CORRUPT, "the index key has the wrong size");
    memcpy(key.bytes, opened.data, sizeof(key.bytes));
    secret_wipe(opened.data, opened.size);
    freshness_init(&sqlite->freshness, &key);
    return true;
}

static bool load_row(struct freshness *freshness, sqlite3_stmt *row, uint64_t revision_max,
                     struct error *error)
{
    char space[STORE_SPACE_SIZE_MAX + 1] = { 0 };
    char name[STORE_KEY_SIZE_MAX + 1] = { 0 };
    struct bytes space_bytes = sqlite_column_bytes(row, 0);
    struct bytes name_bytes = sqlite_column_bytes(row, 1);
    uint64_t revision = (uint64_t)sqlite3_column_int64(row, 2);
    if (space_bytes.size == 0 || space_bytes.size >= sizeof(space) || name_bytes.size == 0 ||
        name_bytes.size >= sizeof(name) || revision == 0 || revision > revision_max)
        return error_set(error, ERROR_CORRUPT, "a record's key or revision can't be ours");
    memcpy(space, space_bytes.data, space_bytes.size);
    memcpy(name, name_bytes.data, name_bytes.size);
    struct store_key key = { space, name };
    if (!freshness_reserve(freshness, 1, error))
        return false;
    if (freshness_revision(freshness, key) != 0)
        return error_set(error, ERROR_CORRUPT, "a record is there twice");
    freshness_set(freshness, key, revision);
    freshness_toggle(freshness, &freshness->head, key, revision);
    freshness->head.count++;
    return true;
}

static bool load(struct sqlite_store *sqlite, struct error *error)
{
    struct freshness_head head = { 0 };
    AUTO_BUFFER struct buffer column;
    buffer_init(&column, HEAD_LINKED_SIZE);
    if (!load_head(sqlite, &head, &column, error))
        return false;
    if (column.failed)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the head");
    sqlite3_stmt *statement = sqlite_statement(sqlite, STATEMENT_RECORD_ALL);
    for (bool row = true; row;) {
        if (!sqlite_step(sqlite, statement, &row, "read all keys", error))
            return false;
        if (row && !load_row(&sqlite->freshness, statement, head.revision, error)) {
            sqlite3_reset(statement);
            return false;
        }
    }
    struct freshness *freshness = &sqlite->freshness;
    freshness->head.revision = head.revision;
    struct digest32 actual = freshness_mac(freshness, &freshness->head);
    if (freshness->head.count != head.count ||
        !secret_equal(actual.bytes, column.data, sizeof(actual.bytes)))
        return error_set(error, ERROR_CORRUPT,
                         "the store's records are not those that were written last");
    return anchor_check(sqlite, buffer_view(&column), error);
}

/* All of it or nothing: what the steps made must still be what was written last. */
static bool migrate_and_load(struct sqlite_store *sqlite, const struct schema *schema, long from,
                             struct error *error)
{
    if (!execute(sqlite, "BEGIN IMMEDIATE", error))
        return false;
    if (migrations_run(sqlite, schema, from, error) && prepare(sqlite, error) &&
        load(sqlite, error))
        return sqlite_commit(sqlite, error);
    sqlite3_exec(sqlite->database, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

/* A newer S3N that changed the store's form left a way back beside it. */
static bool too_new(const char *path, long version, long known, struct error *error)
{
    char name[STORE_WAY_BACK_SIZE], beside[PATH_MAX];
    const char *end = strrchr(path, '/');
    store_way_back_name(name, version);
    int size = snprintf(beside, sizeof(beside), "%.*s%s", end == NULL ? 0 : (int)(end - path + 1),
                        path, name);
    bool has_way = size < (int)sizeof(beside) && access(beside, F_OK) == 0;
    return error_set(error, ERROR_UNSUPPORTED,
                     "the store has schema %ld, this S3N knows %ld: a newer one wrote it%s%s%s",
                     version, known, has_way ? "; the way back is " : "", has_way ? name : "",
                     has_way ? " beside it (s3n node restore --replace)" : "");
}

static bool check_and_load(struct sqlite_store *sqlite, const char *path,
                           const struct schema *schema, struct error *error)
{
    long application, version;
    char verdict[128];
    if (!query_number(sqlite, "PRAGMA application_id", &application, error) ||
        !query_number(sqlite, "PRAGMA user_version", &version, error))
        return false;
    if (application != APPLICATION_ID || version < 1)
        return error_set(error, ERROR_CORRUPT, "not a store of S3N");
    if (version > schema->version)
        return too_new(path, version, schema->version, error);
    if (!query_text(sqlite, "PRAGMA quick_check(1)", verdict, sizeof(verdict), error))
        return false;
    if (strcmp(verdict, "ok") != 0)
        return error_set(error, ERROR_CORRUPT, "integrity check: %s",
                         error_quote(bytes_of_string(verdict)).text);
    if (version < schema->version)
        return migrate_and_load(sqlite, schema, version, error);
    return prepare(sqlite, error) && load(sqlite, error);
}

static bool open_or_create(struct sqlite_store *sqlite, const char *path,
                           const struct schema *schema, struct error *error)
{
    long objects, application;
    if (!connect(sqlite, path, error) ||
        !query_number(sqlite, "SELECT count(*) FROM sqlite_schema", &objects, error) ||
        !query_number(sqlite, "PRAGMA application_id", &application, error))
        return false;
    if (objects == 0 && application == 0)
        return create(sqlite, error);
    return check_and_load(sqlite, path, schema, error);
}

bool store_open_schema(struct store **store, const char *path, const struct sealer *sealer,
                       const struct store_anchor *anchor, const struct schema *schema,
                       struct error *error)
{
    struct sqlite_store *sqlite = calloc(1, sizeof(*sqlite));
    if (sqlite == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the store");
    sqlite->store = (struct store){ &sqlite_operations, *sealer };
    sqlite->is_anchored = anchor != NULL;
    if (anchor != NULL)
        sqlite->anchor = *anchor;
    if (!open_or_create(sqlite, path, schema, error)) {
        store_close(&sqlite->store);
        return error_within(error, "store %s", path);
    }
    *store = &sqlite->store;
    return true;
}

bool store_open_sqlite(struct store **store, const char *path, const struct sealer *sealer,
                       struct error *error)
{
    return store_open_schema(store, path, sealer, NULL, &store_schema, error);
}

bool store_open_anchored(struct store **store, const char *path, const struct sealer *sealer,
                         const struct store_anchor *anchor, struct error *error)
{
    return store_open_schema(store, path, sealer, anchor, &store_schema, error);
}

/* --- without opening what is in it --- */

bool sqlite_connect_plain(struct sqlite_store *sqlite, const char *path, struct error *error)
{
    if (sqlite3_open_v2(path, &sqlite->database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        NULL) == SQLITE_OK &&
        execute(sqlite, settings_sql, error))
        return true;
    return sqlite->database == NULL ? error_set(error, ERROR_NO_MEMORY, "no memory for the store")
                                    : sqlite_fail(sqlite, "open", error);
}

/* As the file's header has it (big-endian, at 60); the log beside it may have a newer one. */
static long header_version(const char *path)
{
    uint8_t data[4];
    AUTO_CLOSE int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0 || pread(file, data, sizeof(data), 60) != (ssize_t)sizeof(data))
        return 0;
    return (long)((uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 |
                  data[3]);
}

bool store_schema_read(const char *path, long *schema, struct error *error)
{
    struct sqlite_store sqlite = { 0 };
    *schema = header_version(path);
    if (*schema >= store_schema.version || access(path, F_OK) != 0)
        return true;
    bool done = sqlite_connect_plain(&sqlite, path, error) &&
                query_number(&sqlite, "PRAGMA user_version", schema, error);
    sqlite3_close(sqlite.database);
    return done;
}

long store_schema_known(void)
{
    return store_schema.version;
}

void store_way_back_name(char name[STORE_WAY_BACK_SIZE], long schema)
{
    snprintf(name, STORE_WAY_BACK_SIZE, "before-schema-%ld.backup", schema);
}
