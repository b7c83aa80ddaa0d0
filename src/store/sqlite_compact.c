/* SPDX-License-Identifier: Apache-2.0 */
/* What blobs and records that are gone have left of the file goes back to the disk.  SQLite writes
 * the whole file anew as one transaction of its log: after a crash or a failure it is as before. */
#include "base/file.h"
#include "store/sqlite_store.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool execute(struct sqlite_store *sqlite, const char *sql, struct error *error)
{
    return sqlite3_exec(sqlite->database, sql, NULL, NULL, NULL) == SQLITE_OK ||
           sqlite_fail(sqlite, "compact the store", error);
}

static int count_take(void *context, int columns, char **values, char **names UNUSED)
{
    long *count = context;
    *count = columns == 1 && values[0] != NULL ? strtol(values[0], NULL, 10) : 0;
    return 0;
}

static bool has_free_pages(struct sqlite_store *sqlite, bool *has, struct error *error)
{
    long count = 0;
    if (sqlite3_exec(sqlite->database, "PRAGMA freelist_count", count_take, &count, NULL) !=
        SQLITE_OK)
        return sqlite_fail(sqlite, "look at the store", error);
    *has = count > 0;
    return true;
}

static bool file_size(const char *path, uint64_t *size, struct error *error)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return error_system(error, "look at %s", path);
    *size = (uint64_t)status.st_size;
    return true;
}

/* The log goes into the file before and after, so that both sizes are the file's. */
static bool rewrite(struct sqlite_store *sqlite, const char *path, uint64_t *freed,
                    struct error *error)
{
    static const char log_sql[] = "PRAGMA wal_checkpoint(TRUNCATE)";
    uint64_t before, after;
    bool has_free;
    if (!execute(sqlite, log_sql, error) || !has_free_pages(sqlite, &has_free, error) ||
        !file_size(path, &before, error))
        return false;
    if (has_free && (!execute(sqlite, "PRAGMA temp_store=FILE;VACUUM", error) ||
                     !execute(sqlite, log_sql, error)))
        return false;
    if (!file_size(path, &after, error))
        return false;
    *freed = before - MIN(after, before);
    return true;
}

bool store_compact(const char *path, uint64_t *freed, struct error *error)
{
    struct sqlite_store sqlite = { 0 };
    char folder[PATH_MAX];
    const char *end = strrchr(path, '/');
    snprintf(folder, sizeof(folder), "%.*s", end == NULL ? 1 : (int)(end - path),
             end == NULL ? "." : path);
    /* What SQLite needs meanwhile is as large as the file: it stays on its disk, without a name. */
    sqlite3_temp_directory = sqlite3_mprintf("%s", folder);
    bool done =
        sqlite3_temp_directory == NULL
            ? error_set(error, ERROR_NO_MEMORY, "no memory to compact the store")
            : sqlite_connect_plain(&sqlite, path, error) && rewrite(&sqlite, path, freed, error);
    sqlite3_close(sqlite.database);
    sqlite3_free(sqlite3_temp_directory);
    sqlite3_temp_directory = NULL;
    return done;
}
