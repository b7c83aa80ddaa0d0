/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log: who changed what and when, one hash chain per owner.
 *
 * An entry is written in the same batch as the change it tells of, so neither is there without the
 * other.  Entry n of an owner is the canonical JSON
 *     {"action","actor","detail","number","object","owner","previous","time_s"}
 * and `previous` is the SHA-256 of the entry before (zeros for the first), so an entry that is
 * missing, added, edited or moved breaks the chain.  docs/versions.md says what is logged.  Owns
 * the records `audit/` and `audit-heads/` of the node's space.  One thread. */
#ifndef FUNCTIONS_AUDIT_H
#define FUNCTIONS_AUDIT_H

#include "base/json.h"
#include "functions/batch.h"
#include "functions/limits.h"

struct audit;

MUST_CHECK bool audit_open(struct audit **audit, struct store *store, struct error *error);
void audit_free(struct audit *audit);
DEFINE_AUTO(audit, audit_free)

/* Who changes something: for what account, with which key or token, when. */
struct change {
    struct digest32 owner;
    const char *actor; /* "key:<hex>", "token:<hex>", "operator", "node" */
    int64_t now_s;
};
struct audit_event {
    const char *action; /* "deploy", "rollout", ... */
    const char *object; /* what it was done to */
    const char *detail; /* may be empty */
};
/* An entry on its way into the log. */
struct audit_entry {
    struct digest32 owner;
    struct digest32 digest;
    uint64_t number;
    size_t head; /* its write in the batch */
};

/* Adds the entry's BATCH_AUDIT_COUNT writes to the batch.  `audit` NULL: does nothing. */
MUST_CHECK bool audit_prepare(struct audit *audit, struct batch *batch, const struct change *change,
                              const struct audit_event *event, struct audit_entry *entry,
                              struct error *error);
/* After the batch was applied. */
void audit_commit(struct audit *audit, const struct batch *batch, const struct audit_entry *entry);
/* All at once, for changes that write nothing else. */
MUST_CHECK bool audit_write(struct audit *audit, const struct change *change,
                            const struct audit_event *event, struct error *error);
/* Applies the batch with the entry added. */
MUST_CHECK bool audit_apply(struct audit *audit, struct batch *batch, struct store *store,
                            const struct change *change, const struct audit_event *event,
                            struct error *error);

/* Up to `count_max` entries of an owner from number `first` (1 is the oldest) on, as an array of
 * their texts; *more tells whether others follow. */
MUST_CHECK bool audit_read(struct audit *audit, const struct digest32 *owner, uint64_t first,
                           size_t count_max, json_t **entries, bool *more, struct error *error);
/* Number of the last entry and the digest of its text. */
struct audit_head {
    uint64_t number;
    struct digest32 digest;
};
MUST_CHECK bool audit_head(struct audit *audit, const struct digest32 *owner,
                           struct audit_head *head, struct error *error);

/* Checks texts in order: the chain begins at `head` (zeros and 0 for the first entry) and *head
 * follows it.  UNVERIFIED names the entry. */
MUST_CHECK bool audit_check(struct audit_head *head, struct bytes text, struct error *error);

#endif
