/* SPDX-License-Identifier: Apache-2.0 */
/* The node's book of logs: takes what invocations logged, seals it to those who may read it, keeps
 * it in a store of its own, and hands it out, still sealed.
 *
 * Adding copies and returns: a thread takes secrets out (redact.h), splits lines, seals
 * (segment.h) and writes, LOG_GATHER_MS after the first of them or before somebody reads.  What the
 * disk refuses waits and is tried again.  Logs give way to everything else: above an application's
 * rate, or with LOG_PENDING_SIZE_MAX bytes waiting, they are dropped, and the log itself says how
 * much is missing.  The oldest segments go when they are too old, or the application's or all logs
 * are too large.
 *
 * Owns its store and thread, and what is not yet sealed (wiped).  One thread calls it, the event
 * loop's, but for logbook_copy. */
#ifndef LOGS_LOGBOOK_H
#define LOGS_LOGBOOK_H

#include "base/clock.h"
#include "crypto/ecdsa.h"
#include "logs/query.h"
#include "logs/record.h"
#include "logs/redact.h"
#include "logs/segment.h"
#include "store/store.h"

struct logbook;

struct logbook_options {
    const char *path;
    struct sealer sealer; /* of the store; its context is used by the thread alone */
    const struct clock *clock;
    uint64_t stream_size_max; /* bytes of one application's segments */
    uint64_t total_size_max;  /* of all; each application may have its share of it */
    uint64_t retention_ms;
    uint64_t rate_size; /* bytes of one application a second, in the long run */
    uint64_t burst_size;
};

MUST_CHECK bool logbook_open(struct logbook **book, const struct logbook_options *options,
                             struct error *error);
/* Writes what waits; reads that wait are forgotten without a call. */
void logbook_close(struct logbook *book);
/* See store_keep_log. */
void logbook_keep_log(struct logbook *book);
DEFINE_AUTO(logbook, logbook_close)
/* Readable when logbook_take has something to do. */
int logbook_descriptor(const struct logbook *book);
/* Answers reads.  False: something could not be written since the last call, for the reason given;
 * it is tried again. */
bool logbook_take(struct logbook *book, struct error *error);

struct logbook_entry {
    const char *application;
    struct digest32 owner;
    const struct ecdsa_public *readers; /* at least one, at most LOG_READER_COUNT_MAX */
    size_t reader_count;
    const char *invocation, *request, *function, *version, *outcome;
    struct bytes written;          /* standard error */
    const char *failure;           /* how it failed, for people; NULL or empty: it did not */
    struct redactions *redactions; /* NULL: none; held */
};
/* Never fails: what has no room is counted. */
void logbook_add(struct logbook *book, const struct logbook_entry *entry);

struct logbook_page {
    struct log_chain head; /* the last segment that there is; not begun: there was none ever */
    uint64_t first;        /* the oldest that is kept; 0: none */
    bool more;             /* there are segments behind these */
    size_t count;
    const struct bytes *segments; /* consecutive */
};
/* Borrowed for the call; `page` NULL: it failed. */
typedef void logbook_read_done(void *context, const struct logbook_page *page,
                               const struct error *error);
/* Everything added before is in it.  `done` once, from logbook_take. */
MUST_CHECK bool logbook_read(struct logbook *book, const struct digest32 *stream,
                             const struct log_query *query, logbook_read_done *done, void *context,
                             struct error *error);

/* A copy of the store as it is at one moment, in a new file, while it goes on.  From a thread of
 * the caller's, one at a time, and over before logbook_close: waits for it. */
MUST_CHECK bool logbook_copy(struct logbook *book, const char *path, struct error *error);

/* Since the start. */
struct logbook_counts {
    uint64_t added_count, added_size;                /* invocations that logged, their bytes */
    uint64_t written_count, written_size;            /* segments, their bytes */
    uint64_t expired_count;                          /* segments that were too old or too many */
    uint64_t dropped_count[LOG_DROP_COUNT];          /* invocations whose log was dropped */
    uint64_t pending_size, failure_count, kept_size; /* now; attempts to write; on the disk */
};
struct logbook_counts logbook_counts(struct logbook *book);

/* Proves a book that nobody has open: every stream is the chain of segments that its head says.
 * `found` for each that is not; *count of segments.  False: it can't be read at all. */
MUST_CHECK bool logbook_check(struct store *store,
                              void (*found)(void *context, const struct error *problem),
                              void *context, uint64_t *count, struct error *error);

#endif
