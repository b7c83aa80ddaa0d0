/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_log.h"

#include "base/clock.h"
#include "store/limits.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* SQLite's own file follows. */
struct log_file {
    sqlite3_file base;
    uint8_t *pending; /* of STORE_LOG_PIECE_SIZE; NULL: nothing is collected */
    int size;
    sqlite3_int64 at;
    uint64_t sync_ns; /* what the last sync took, with what it wrote */
};

static sqlite3_vfs *system_vfs, log_vfs;

static struct log_file *log_of(sqlite3_file *file)
{
    return (struct log_file *)(void *)file;
}

static sqlite3_file *system_of(sqlite3_file *file)
{
    return (sqlite3_file *)(void *)(log_of(file) + 1);
}

/* What fails here fails whoever makes sure of the write; SQLite then takes the commit back. */
static int log_flush(sqlite3_file *file)
{
    struct log_file *log = log_of(file);
    int size = log->size;
    log->size = 0;
    return size == 0
               ? SQLITE_OK
               : system_of(file)->pMethods->xWrite(system_of(file), log->pending, size, log->at);
}

static int log_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 at)
{
    struct log_file *log = log_of(file);
    bool goes_on = log->size > 0 && at == log->at + log->size;
    if (log->size > 0 && (!goes_on || size > STORE_LOG_PIECE_SIZE - log->size)) {
        int result = log_flush(file);
        if (result != SQLITE_OK)
            return result;
    }
    if (log->pending == NULL || size > STORE_LOG_PIECE_SIZE)
        return system_of(file)->pMethods->xWrite(system_of(file), data, size, at);
    if (log->size == 0)
        log->at = at;
    memcpy(log->pending + log->size, data, (size_t)size);
    log->size += size;
    return SQLITE_OK;
}

static int log_sync(sqlite3_file *file, int flags)
{
    uint64_t began_ns = clock_monotonic_ns(&clock_system);
    int result = log_flush(file);
    if (result == SQLITE_OK)
        result = system_of(file)->pMethods->xSync(system_of(file), flags);
    log_of(file)->sync_ns = clock_monotonic_ns(&clock_system) - began_ns;
    return result;
}

static int log_read(sqlite3_file *file, void *target, int size, sqlite3_int64 at)
{
    int result = log_flush(file);
    return result != SQLITE_OK
               ? result
               : system_of(file)->pMethods->xRead(system_of(file), target, size, at);
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int result = log_flush(file);
    return result != SQLITE_OK ? result
                               : system_of(file)->pMethods->xTruncate(system_of(file), size);
}

static int log_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    int result = log_flush(file);
    return result != SQLITE_OK ? result
                               : system_of(file)->pMethods->xFileSize(system_of(file), size);
}

static int log_close(sqlite3_file *file)
{
    int flushed = log_flush(file), closed = system_of(file)->pMethods->xClose(system_of(file));
    free(log_of(file)->pending);
    return flushed != SQLITE_OK ? flushed : closed;
}

static int log_lock(sqlite3_file *file, int kind)
{
    return system_of(file)->pMethods->xLock(system_of(file), kind);
}

static int log_unlock(sqlite3_file *file, int kind)
{
    return system_of(file)->pMethods->xUnlock(system_of(file), kind);
}

static int log_check_lock(sqlite3_file *file, int *is_held)
{
    return system_of(file)->pMethods->xCheckReservedLock(system_of(file), is_held);
}

static int log_control(sqlite3_file *file, int what, void *argument)
{
    return system_of(file)->pMethods->xFileControl(system_of(file), what, argument);
}

static int log_sector_size(sqlite3_file *file)
{
    return system_of(file)->pMethods->xSectorSize(system_of(file));
}

static int log_device(sqlite3_file *file)
{
    return system_of(file)->pMethods->xDeviceCharacteristics(system_of(file));
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = log_close,
    .xRead = log_read,
    .xWrite = log_write,
    .xTruncate = log_truncate,
    .xSync = log_sync,
    .xFileSize = log_file_size,
    .xLock = log_lock,
    .xUnlock = log_unlock,
    .xCheckReservedLock = log_check_lock,
    .xFileControl = log_control,
    .xSectorSize = log_sector_size,
    .xDeviceCharacteristics = log_device,
};

static int log_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                    int *flags_out)
{
    (void)vfs;
    if ((flags & SQLITE_OPEN_WAL) == 0)
        return system_vfs->xOpen(system_vfs, name, file, flags, flags_out);
    *log_of(file) = (struct log_file){ 0 };
    int result = system_vfs->xOpen(system_vfs, name, system_of(file), flags, flags_out);
    if (result == SQLITE_OK) {
        log_of(file)->pending = malloc(STORE_LOG_PIECE_SIZE);
        file->pMethods = &methods;
    }
    return result;
}

uint64_t sqlite_log_sync_ns(sqlite3 *database)
{
    sqlite3_file *file = NULL;
    int result = sqlite3_file_control(database, NULL, SQLITE_FCNTL_JOURNAL_POINTER, (void *)&file);
    return result == SQLITE_OK && file != NULL && file->pMethods == &methods ? log_of(file)->sync_ns
                                                                             : UINT64_MAX;
}

static void register_once(void)
{
    system_vfs = sqlite3_vfs_find(NULL);
    if (system_vfs == NULL)
        return;
    log_vfs = *system_vfs;
    log_vfs.pNext = NULL;
    log_vfs.zName = SQLITE_LOG_VFS;
    log_vfs.szOsFile += (int)sizeof(struct log_file);
    log_vfs.xOpen = log_open;
    if (sqlite3_vfs_register(&log_vfs, 0) != SQLITE_OK)
        system_vfs = NULL;
}

bool sqlite_log_register(struct error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_once);
    return system_vfs != NULL || error_set(error, ERROR_NO_MEMORY, "no memory for the store");
}
