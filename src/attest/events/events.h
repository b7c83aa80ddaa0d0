/* SPDX-License-Identifier: Apache-2.0 */
/* S3N's event log: what a node loaded, which keys it released and what it was told to allow, in
 * order.  One record per line, canonical JSON (RFC 8785) of exactly this form and a line feed:
 *
 *     {"details":{...},"kind":"load","sequence":2,"time":1790000000}
 *
 * `sequence` counts from 1 without gaps, `time` is the node's clock in seconds since 1970, `kind`
 * is of a-z and hyphens.  `details` has up to EVENT_DETAIL_COUNT_MAX members in ascending order:
 * names of a-z, 0-9 and _, values that are integers up to 2^53 - 1 or strings of printable ASCII
 * without quote and backslash.  So every record has one form only.  The first record is of kind
 * `start` and its details have "format":1; no other is.
 *
 * digest of a record = SHA-384(the record without its line feed)
 * head = SHA-384(head || digest), from 48 zeros: what extending RTMR3 or a PCR makes of it
 *
 * Pure, without memory of its own, except for the hash.  docs/event-log.md lists the kinds. */
#ifndef ATTEST_EVENTS_H
#define ATTEST_EVENTS_H

#include "attest/limits.h"
#include "core/reader.h"
#include "core/writer.h"
#include "crypto/hash.h"

#define EVENT_KIND_START "start"

enum {
    EVENT_LOG_FORMAT = 1
};

/* Why a log is refused. */
#define EVENTS_REASONS(X)                                                                          \
    X(NONE, "")                                                                                    \
    X(FORM, "form")         /* a line that is no record, or not in its one form */                 \
    X(START, "start")       /* it does not begin as a log of this format */                        \
    X(GAP, "gap")           /* entries are missing in between */                                   \
    X(SWAP, "swap")         /* entries in another order, or twice */                               \
    X(CUT, "cut")           /* it ends inside an entry, or before the last that is vouched for */  \
    X(CHANGED, "changed")   /* entries say something else than was vouched for */                  \
    X(REGISTER, "register") /* nothing in it leads to the register: cut or changed */              \
    X(LIMIT, "limit")       /* longer than any log */

enum events_reason {
#define EVENTS_REASON_ENUM(code, name) EVENTS_REASON_##code,
    EVENTS_REASONS(EVENTS_REASON_ENUM)
#undef EVENTS_REASON_ENUM
};
const char *events_reason_name(enum events_reason reason);

/* One record; all views into the log. */
struct event {
    uint64_t sequence;
    int64_t time_s;
    struct bytes kind;
    struct bytes details; /* the object */
    struct bytes text;    /* the whole record, without line feed */
};

/* The value of a detail: a string's content or an integer's digits; false: there is none. */
bool event_detail(struct bytes details, const char *name, struct bytes *value);
bool event_is(const struct event *event, const char *kind);
struct digest48 event_digest(struct bytes text);
void events_extend(struct digest48 *head, const struct digest48 *digest);

/* A record without its line feed. */
MUST_CHECK bool event_parse(struct event *event, struct bytes line);
/* Writes a record with its line feed.  INVALID when kind or details are not of their form. */
MUST_CHECK bool event_write(struct writer *writer, const struct event *event, struct error *error);

/* Reads a log record by record. */
struct events_replay {
    struct reader reader;
    uint64_t count;            /* records read */
    struct digest48 head;      /* after them */
    size_t size;               /* of them, in bytes */
    enum events_reason reason; /* of the refusal */
};
void events_begin(struct events_replay *replay, struct bytes log);
/* The next record.  *is_over when there is none: then `event` is untouched.  INVALID, and the
 * replay's reason, when the log is not whole. */
MUST_CHECK bool events_next(struct events_replay *replay, struct event *event, bool *is_over,
                            struct error *error);

/* What somebody vouches for. */
struct events_expected {
    uint64_t count;       /* so many entries ... */
    struct digest48 head; /* ... lead to this */
    bool has_register;
    struct digest48 value; /* of the register: so many entries or more lead to it */
};
struct events_verdict {
    enum events_reason reason;
    uint64_t count;   /* entries in the log */
    uint64_t covered; /* the first so many are vouched for: by the register, else by the head */
};
/* Checks a whole log: its form, its head after `expected->count` entries, and that the register
 * follows from its first `covered` ones.  Later entries are of the right form and proven by nothing
 * yet.  UNVERIFIED names the entry; the verdict is filled in either case. */
MUST_CHECK bool events_verify(struct events_verdict *verdict, struct bytes log,
                              const struct events_expected *expected, struct error *error);

#endif
