/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct store_copy {
    struct sqlite_store *from;
    sqlite3 *target;
    sqlite3_backup *backup;
};

static bool fail(struct store_copy *copy, struct error *error)
{
    int result = sqlite3_extended_errcode(copy->target);
    bool is_full = (result & 0xff) == SQLITE_FULL;
    return error_set(error, is_full ? ERROR_NO_SPACE : ERROR_SYSTEM, "copy the store: %s",
                     sqlite3_errmsg(copy->target));
}

/* Nobody else opens it, and what is half written is removed, so it needs no journal. */
static bool target_open(struct store_copy *copy, const char *path, struct error *error)
{
    static const char sql[] = "PRAGMA journal_mode=OFF;PRAGMA synchronous=OFF;"
                              "PRAGMA locking_mode=EXCLUSIVE";
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return error_system(error, "open %s", path);
    close(file);
    if (sqlite3_open_v2(path, &copy->target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
            SQLITE_OK ||
        sqlite3_exec(copy->target, sql, NULL, NULL, NULL) != SQLITE_OK)
        return copy->target == NULL ? error_set(error, ERROR_NO_MEMORY, "no memory for a copy")
                                    : fail(copy, error);
    copy->backup = sqlite3_backup_init(copy->target, "main", copy->from->database, "main");
    return copy->backup != NULL || fail(copy, error);
}

bool sqlite_copy_new(struct store_copy **copy, struct store *store, const char *path,
                     struct error *error)
{
    AUTO(store_copy) struct store_copy *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a copy");
    made->from = (struct sqlite_store *)store;
    if (!target_open(made, path, error))
        return false;
    *copy = TAKE(made);
    return true;
}

bool store_copy_step(struct store_copy *copy, unsigned pages, uint64_t *left, uint64_t *all,
                     struct error *error)
{
    int result = sqlite3_backup_step(copy->backup, pages == 0 ? -1 : (int)pages);
    if (result != SQLITE_OK && result != SQLITE_DONE) {
        bool is_full = (result & 0xff) == SQLITE_FULL;
        return error_set(error, is_full ? ERROR_NO_SPACE : ERROR_SYSTEM, "copy the store: %s",
                         sqlite3_errstr(result));
    }
    *all = (uint64_t)sqlite3_backup_pagecount(copy->backup);
    *left = result == SQLITE_DONE ? 0 : MAX((uint64_t)sqlite3_backup_remaining(copy->backup), 1u);
    return true;
}

void store_copy_free(struct store_copy *copy)
{
    if (copy == NULL)
        return;
    sqlite3_backup_finish(copy->backup);
    sqlite3_close(copy->target);
    free(copy);
}

bool store_copy_as_it_is(const char *from, const char *to, struct error *error)
{
    struct sqlite_store source = { 0 };
    struct store_copy *copy = NULL;
    uint64_t left = 0, all;
    bool done = sqlite_connect_plain(&source, from, error) &&
                sqlite_copy_new(&copy, &source.store, to, error) &&
                store_copy_step(copy, 0, &left, &all, error);
    store_copy_free(copy);
    sqlite3_close(source.database);
    return done;
}
