/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the store: the sqlite backend's state, shared by its opening (sqlite_open.c), its
 * records (sqlite.c) and its blobs (sqlite_blob.c).  One connection that holds the file's lock for
 * as long as it is open. */
#ifndef STORE_SQLITE_STORE_H
#define STORE_SQLITE_STORE_H

#include "store/backend.h"
#include "store/freshness.h"

#include <sqlite3.h>

enum sqlite_statement {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_ROLLBACK,
    STATEMENT_HEAD_GET,
    STATEMENT_HEAD_PUT,
    STATEMENT_HEAD_INSERT,
    STATEMENT_RECORD_ALL,
    STATEMENT_RECORD_GET,
    STATEMENT_RECORD_INSERT,
    STATEMENT_RECORD_UPDATE,
    STATEMENT_RECORD_DELETE,
    STATEMENT_RECORD_LIST,
    STATEMENT_BLOB_FIND,
    STATEMENT_BLOB_INSERT,
    STATEMENT_BLOB_DELETE,
    STATEMENT_CHUNK_GET,
    STATEMENT_CHUNK_INSERT,
    STATEMENT_CHUNK_DELETE,
    STATEMENT_WALK_RECORD,
    STATEMENT_WALK_BLOB,
    STATEMENT_WALK_STRAY,
    STATEMENT_WALK_COUNTS,
    STATEMENT_COUNT,
};

struct sqlite_store {
    struct store store;
    sqlite3 *database;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    struct freshness freshness;
    bool is_anchored;
    struct store_anchor anchor;
    struct store_head remembered, begun; /* by the anchor for certain; perhaps */
    bool has_begun;
    unsigned ahead, ahead_of_begun; /* commits since then */
    bool tidies_apart;
    int log_pages; /* in the log; only counted then */
};

/* sqlite_anchor.c.  The column `mac` of the head: the MAC, and in an anchored store the head that
 * was remembered when it was written, and the link to that one. */
enum {
    HEAD_MAC_SIZE = 32,
    HEAD_LINKED_SIZE = 32 + 8 + 32 + 32
};
/* What the head's column gets for this head.  Before a commit: waits until it is known what is
 * remembered, and for more to be remembered when the store is too far ahead. */
MUST_CHECK bool anchor_prepare(struct sqlite_store *sqlite, const struct freshness_head *head,
                               struct bytes *column, uint8_t memory[HEAD_LINKED_SIZE],
                               struct error *error);
void anchor_committed(struct sqlite_store *sqlite);
/* At opening: whether the store is as new as what is remembered. */
MUST_CHECK bool anchor_check(struct sqlite_store *sqlite, struct bytes column, struct error *error);
void sqlite_remember(struct store *store);
bool sqlite_confirm(struct store *store, struct error *error);
/* Whether anchor_prepare would not wait. */
bool anchor_is_ready(struct sqlite_store *sqlite);

/* Sets `error` from the connection's last failure.  Returns false. */
bool sqlite_fail(struct sqlite_store *sqlite, const char *what, struct error *error);
/* The statement, reset and without arguments. */
sqlite3_stmt *sqlite_statement(struct sqlite_store *sqlite, enum sqlite_statement which);
void sqlite_bind_text(sqlite3_stmt *statement, int index, struct bytes text);
void sqlite_bind_blob(sqlite3_stmt *statement, int index, struct bytes blob);
void sqlite_bind_number(sqlite3_stmt *statement, int index, uint64_t number);
struct bytes sqlite_column_bytes(sqlite3_stmt *statement, int column);
/* Runs a statement that returns no rows, and resets it. */
MUST_CHECK bool sqlite_run(struct sqlite_store *sqlite, sqlite3_stmt *statement, const char *what,
                           struct error *error);
/* `row` is false at the end (the statement is then reset).  Reset it too when leaving early. */
MUST_CHECK bool sqlite_step(struct sqlite_store *sqlite, sqlite3_stmt *statement, bool *row,
                            const char *what, struct error *error);
MUST_CHECK bool sqlite_begin(struct sqlite_store *sqlite, struct error *error);
/* Commits, or rolls back and fails. */
MUST_CHECK bool sqlite_commit(struct sqlite_store *sqlite, struct error *error);
/* After a write that found no room: what it had put into the log already is given back, for others
 * need the room, too. */
void sqlite_give_back(struct sqlite_store *sqlite, const struct error *error);
void sqlite_rollback(struct sqlite_store *sqlite);

/* sqlite_copy.c */
/* A connection and nothing else: for a store that is neither opened nor changed. */
MUST_CHECK bool sqlite_connect_plain(struct sqlite_store *sqlite, const char *path,
                                     struct error *error);
bool sqlite_copy_new(struct store_copy **copy, struct store *store, const char *path,
                     struct error *error);
/* sqlite_walk.c */
bool sqlite_walk_next(struct store *store, struct store_walk *walk, bool *more,
                      struct error *error);

extern const struct store_operations sqlite_operations;
bool sqlite_blob_put(struct store *store, const struct digest32 *digest, struct bytes content,
                     struct error *error);
bool sqlite_blob_read(struct store *store, const struct digest32 *digest,
                      bool (*chunk)(void *context, struct bytes part, struct error *error),
                      void *context, struct error *error);
bool sqlite_blob_size(struct store *store, const struct digest32 *digest, uint64_t *size,
                      struct error *error);
bool sqlite_blob_delete(struct store *store, const struct digest32 *digest, struct error *error);

#endif
