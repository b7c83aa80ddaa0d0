/* SPDX-License-Identifier: Apache-2.0 */
/* Where S3N keeps what must survive: sealed records with revisions, and blobs by digest.
 *
 * A record is a value under (space, key).  Every successful write gives it a revision that no
 * record of this store ever had before; writes name the revision they replace (compare-and-swap),
 * and a batch of them is applied whole or not at all.  When a write returns true it is on the disk.
 * What lies on the disk is outside the trust boundary: values and blobs leave through the caller's
 * `struct sealer`, bound to their place and revision, and a record that was edited, swapped, or put
 * back to an older state since this store was opened, or while it was closed, is CORRUPT.  An older
 * copy of the *whole* store is noticed where its head is anchored.
 *
 * Owns: its files.  Never: holds keys, logs, or starts threads.  One thread uses a store.
 * Errors: NOT_FOUND, CONFLICT (the revision is another), NO_SPACE, BUSY (another process has it
 * open), CORRUPT, LIMIT, INVALID (names), and whatever the sealer answers.  docs/store.md has the
 * format. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/buffer.h"
#include "base/error.h"
#include "core/reader.h"
#include "core/writer.h"
#include "store/limits.h"

/* Seals what leaves the boundary.  `space` chooses the key; `associated` is authenticated, not
 * stored.  `open` fails with CORRUPT when anything differs from what was sealed.  Both append to
 * their last buffer. */
struct sealer {
    void *context;
    bool (*seal)(void *context, const char *space, struct bytes associated, struct bytes plain,
                 struct buffer *sealed, struct error *error);
    bool (*open)(void *context, const char *space, struct bytes associated, struct bytes sealed,
                 struct buffer *plain, struct error *error);
};

/* The spaces: one for the node's own records, one per application; STORE_SPACE_BLOBS and
 * STORE_SPACE_HEAD are the store's own and refused as a record's. */
#define STORE_SPACE_NODE  "node"
#define STORE_SPACE_BLOBS "store/blobs"
#define STORE_SPACE_HEAD  "store/head"
/* Of the key hierarchy: nothing in a store is sealed under it. */
#define STORE_SPACE_BACKUP "backup"

/* Both are UTF-8 without control characters; keys may hold '/' to build folders. */
struct store_key {
    const char *space;
    const char *key;
};

/* What identifies a state of the whole store: no two have the same. */
struct store_head {
    uint64_t revision;
    struct digest32 mac;
};
/* What is remembered of a store elsewhere: it may have either head, or one that says itself that it
 * came after `after`.  This version has both the same. */
struct store_heads {
    struct store_head before, after;
};
enum {
    STORE_HEADS_SIZE = 2 * (8 + 32)
};
void store_heads_write(struct writer *writer, const struct store_heads *heads);
void store_heads_read(struct reader *reader, struct store_heads *heads);

/* Remembers heads apart from the store, so that an older copy of the store is refused.  `begin` may
 * return before anything is remembered; `finish` returns when it is.  One at a time is under way.
 */
struct store_anchor {
    void *context;
    unsigned ahead_max; /* commits acknowledged before one is remembered, at least 1: as many could
                         * be taken back unnoticed after a crash */
    bool (*read)(void *context, struct store_heads *heads, bool *known, struct error *error);
    bool (*begin)(void *context, const struct store_heads *heads, struct error *error);
    bool (*finish)(void *context, struct error *error);
    /* Whether `finish` would not wait; NULL: nobody knows. */
    bool (*ready)(void *context);
};

struct store;

/* Opens the store in `path` (one file and its log beside it), making it when it is not there.  The
 * sealer is copied; its context must outlive the store.  UNSUPPORTED when a newer S3N wrote it. */
MUST_CHECK bool store_open_sqlite(struct store **store, const char *path,
                                  const struct sealer *sealer, struct error *error);
/* The same with an anchor, which is copied.  CORRUPT when the store is older than what is
 * remembered; a store of which nothing is remembered yet is taken as it is. */
MUST_CHECK bool store_open_anchored(struct store **store, const char *path,
                                    const struct sealer *sealer, const struct store_anchor *anchor,
                                    struct error *error);
/* The form of a store that nobody has open, without changing it; 0: there is none. */
MUST_CHECK bool store_schema_read(const char *path, long *schema, struct error *error);
/* The form that this S3N gives to a store when it opens it. */
long store_schema_known(void);
enum {
    STORE_WAY_BACK_SIZE = 64
};
/* The name of the file beside the stores that leads back from this form: whoever opens a store that
 * is too new is told of it when it is there. */
void store_way_back_name(char name[STORE_WAY_BACK_SIZE], long schema);
/* Begins to have the last commit remembered, beside what the caller does next; the next commit
 * waits for it.  Nothing to do without an anchor or a commit. */
void store_remember(struct store *store);
/* The same, and waits: then this one and what will come after it are all that the store may have.
 */
MUST_CHECK bool store_confirm(struct store *store, struct error *error);
/* Whether a commit would wait for nothing but its own write: the anchor has answered, and the log
 * needs no store_tidy first. */
bool store_is_ready(struct store *store);
/* How long the disk took for the last commit, or tried to. */
uint64_t store_sync_ns(struct store *store);
/* From now on no commit moves the log of writes into the file when it has become long: store_tidy
 * does, beside the commits.  It does nothing while the log is short. */
void store_tidy_apart(struct store *store);
bool store_wants_tidying(struct store *store);
void store_tidy(struct store *store);
/* For somebody who opens the store at once: closing leaves the log of writes as it is, and whoever
 * opens it goes on with that.  Otherwise it is moved into the file, which takes the disk's time. */
void store_keep_log(struct store *store);
void store_close(struct store *store);
DEFINE_AUTO(store, store_close)

/* Whether the last write found the disk full, unwritable or broken, or nobody to seal it: nothing
 * that the caller did.  The next that succeeds ends it. */
bool store_write_failed(const struct store *store);

/* Appends the value to `value`. */
MUST_CHECK bool store_get(struct store *store, struct store_key key, struct buffer *value,
                          uint64_t *revision, struct error *error);
/* Writes when the record's revision is `if_revision`; 0: when there is no such record.  `revision`
 * gets the new one. */
MUST_CHECK bool store_put(struct store *store, struct store_key key, struct bytes value,
                          uint64_t if_revision, uint64_t *revision, struct error *error);
MUST_CHECK bool store_delete(struct store *store, struct store_key key, uint64_t if_revision,
                             struct error *error);

enum store_write_kind {
    STORE_WRITE_PUT,
    STORE_WRITE_DELETE,
};
/* As `if_revision`: whatever is there; a DELETE may then find nothing. */
#define STORE_REVISION_ANY UINT64_MAX

struct store_write {
    enum store_write_kind kind;
    struct store_key key;
    struct bytes value; /* of a PUT */
    uint64_t if_revision;
    uint64_t revision; /* set on success */
};
/* All of them or none; each key at most once. */
MUST_CHECK bool store_apply(struct store *store, struct store_write *writes, size_t count,
                            struct error *error);

struct store_entry {
    char key[STORE_KEY_SIZE_MAX + 1];
    uint64_t revision;
};
struct store_page {
    struct store_entry *entries; /* by byte order of keys */
    size_t count;
    bool more; /* go on with `after` = the last key */
};
/* The keys of a space that start with `prefix.key` (may be empty) and come after `after` (NULL:
 * from the first).  `limit`: 1 to STORE_LIST_MAX. */
MUST_CHECK bool store_list(struct store *store, struct store_key prefix, const char *after,
                           size_t limit, struct store_page *page, struct error *error);
void store_page_done(struct store_page *page);
#define AUTO_STORE_PAGE __attribute__((cleanup(store_page_done)))

/* Blobs are named by the SHA-256 of their content, which is checked when they come and when they
 * are read.  Putting one that is there already succeeds and writes nothing. */
MUST_CHECK bool store_blob_put(struct store *store, const struct digest32 *digest,
                               struct bytes content, struct error *error);
/* Appends the whole content. */
MUST_CHECK bool store_blob_get(struct store *store, const struct digest32 *digest,
                               struct buffer *content, struct error *error);
/* The content as a sealed anonymous file, for handing to another process; the caller closes it. */
MUST_CHECK bool store_blob_open(struct store *store, const struct digest32 *digest, int *descriptor,
                                struct error *error);
/* `size` is what the disk says; only reading the blob proves it. */
MUST_CHECK bool store_blob_size(struct store *store, const struct digest32 *digest, uint64_t *size,
                                struct error *error);
MUST_CHECK bool store_blob_delete(struct store *store, const struct digest32 *digest,
                                  struct error *error);

/* A walk over all there is, one thing a call: zeros at first.  Others may use the store between two
 * calls; what they write may be met or not. */
enum store_walk_phase {
    STORE_WALK_FILE, /* the file as the database's own check sees it */
    STORE_WALK_RECORDS,
    STORE_WALK_BLOBS,
    STORE_WALK_REST, /* what belongs to nothing; whether the records are as many as there should be
                      */
    STORE_WALK_END
};
struct store_walk {
    enum store_walk_phase phase;
    char space[STORE_SPACE_SIZE_MAX + 1]; /* of the record met last */
    char key[STORE_KEY_SIZE_MAX + 1];
    uint64_t blob;
    uint64_t records, blobs, bytes;  /* met so far; bytes in the clear */
    uint64_t records_all, blobs_all; /* that there were when it began */
};
/* Reads, opens and checks the next thing: a record against its revision and seal, a blob against
 * its digest.  False: it is not as it was written, and the error names it; the walk is past it.
 * *more is set in any case. */
MUST_CHECK bool store_walk_next(struct store *store, struct store_walk *walk, bool *more,
                                struct error *error);

/* A copy of the whole store in a file of its own, made a few pages at a time while the store is
 * used; what is written meanwhile is in it.  It is as the store was when the last page was copied,
 * and opens as that store did.  Whoever gave the path removes what is not wanted. */
struct store_copy;
MUST_CHECK bool store_copy_new(struct store_copy **copy, struct store *store, const char *path,
                               struct error *error);
/* `pages` 0: all that is left.  *left 0: complete, not to be called again. */
MUST_CHECK bool store_copy_step(struct store_copy *copy, unsigned pages, uint64_t *left,
                                uint64_t *all, struct error *error);
/* Before the store is closed. */
void store_copy_free(struct store_copy *copy);
DEFINE_AUTO(store_copy, store_copy_free)
/* Of a store that nobody has open, as it is: in the form that it has, proved by nobody. */
MUST_CHECK bool store_copy_as_it_is(const char *from, const char *to, struct error *error);
/* Of a store that nobody has open: the room that is free in its file goes back to the disk, the
 * rest stays as it is, its head too.  Whole or not at all, also when the process is killed; needs
 * twice the room of what stays meanwhile (NO_SPACE).  `freed`: bytes. */
MUST_CHECK bool store_compact(const char *path, uint64_t *freed, struct error *error);
/* Of a store that nobody has open. */
MUST_CHECK bool store_copy_file(const char *from, const struct sealer *sealer, const char *to,
                                struct error *error);

#endif
