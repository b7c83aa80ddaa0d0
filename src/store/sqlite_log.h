/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite's write-ahead log, written in one piece.  SQLite writes a commit's log page by page, each
 * in two calls; what comes one after the other is collected here and written when it is to be on
 * the disk, read, or measured.  So a commit costs one write beside its sync, and nothing that was
 * acknowledged (synced) is ever only in here. */
#ifndef STORE_SQLITE_LOG_H
#define STORE_SQLITE_LOG_H

#include "base/error.h"

#include <sqlite3.h>

#define SQLITE_LOG_VFS "s3n"

/* Makes the file system of this name known to SQLite; again changes nothing. */
MUST_CHECK bool sqlite_log_register(struct error *error);
/* How long the last sync of a connection's log took, with the writes before it; UINT64_MAX: there
 * was none. */
uint64_t sqlite_log_sync_ns(sqlite3 *database);

#endif
