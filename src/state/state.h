/* SPDX-License-Identifier: Apache-2.0 */
/* One application's sealed state, and the transactions on it.
 *
 * A transaction reads one snapshot and collects its writes; transaction_commit compares what was
 * read (keys, and ranges of lists) with what has been written since, and applies all writes or
 * none: transactions that end well are serialisable, in the order of their revisions.  What is
 * committed here is in memory, visible for transactions begun later, and not yet on the disk: the
 * change goes to states.h, and nobody outside may hear of anything that depends on it before it is
 * written.
 *
 * The digest (merkle.h) covers each entry's name, value and time of expiry; a leaf's path is
 * SHA-256 of its name, its hash SHA-256(0x02 || i64 big-endian expires_ms || SHA-256(value)).  A
 * name is namespace, NUL, key.  `before` and `after` of a transaction that wrote are those of its
 * commit, so `after` of one revision is `before` of the next; one that only read names the digest
 * of its snapshot twice.
 *
 * Time: entries expire by the state's clock, which never goes back and is never slower than the
 * monotonic one.  An expired entry is as good as absent; later commits take it out.
 *
 * Owns: its entries.  Never: touches the disk, blocks.  One thread. */
#ifndef STATE_STATE_H
#define STATE_STATE_H

#include "base/clock.h"
#include "base/error.h"
#include "state/limits.h"

struct state;
struct transaction;

struct state_quota {
    uint64_t size;  /* bytes of keys and values, with KV_ENTRY_OVERHEAD for each entry */
    uint64_t count; /* entries */
};

/* An empty state.  `clock` must outlive it. */
MUST_CHECK bool state_new(struct state **state, const struct clock *clock, struct error *error);
struct state *state_hold(struct state *state);
void state_release(struct state *state);
DEFINE_AUTO(state, state_release)

void state_set_quota(struct state *state, const struct state_quota *quota);

/* While it is read from the disk: one entry, none twice; then what the head says.  CORRUPT when the
 * entries are not those of the digest. */
MUST_CHECK bool state_load_entry(struct state *state, struct bytes name, struct bytes value,
                                 int64_t expires_ms, struct error *error);
/* One of which only kv_entry_hash is known: for who checks a digest, and reads nothing. */
MUST_CHECK bool state_load_hash(struct state *state, struct bytes name, const struct digest32 *hash,
                                struct error *error);
struct state_head {
    uint64_t revision; /* of the last commit */
    int64_t clock_ms;  /* of the state's clock then */
    struct digest32 digest;
};
MUST_CHECK bool state_load_end(struct state *state, const struct state_head *head,
                               struct error *error);

struct state_facts {
    struct state_head head;
    uint64_t size; /* as quotas count it */
    uint64_t count;
    unsigned transactions; /* open now */
    size_t garbage;        /* versions kept for them */
};
struct state_facts state_facts(struct state *state);
/* Milliseconds since 1970 on the state's clock. */
int64_t state_now_ms(struct state *state);

/* What is in memory is not what the disk has: open transactions fail with CONFLICT, and the state
 * is not used any more. */
void state_spoil(struct state *state);
bool state_is_spoilt(const struct state *state);

/* Namespaces that begin so are the node's: neither functions nor the application's owner read or
 * write them. */
#define KV_NAMESPACE_NODE "s3n."

struct kv_key {
    struct bytes space; /* namespace: 1 to KV_NAMESPACE_SIZE_MAX of a-z 0-9 - _ . */
    struct bytes key;   /* UTF-8 without control characters, 1 to KV_KEY_SIZE_MAX */
    bool is_node;       /* the node asks, for itself: one of its namespaces, and no other */
};
struct kv_entry {
    struct bytes space; /* its namespace; of transaction_export only */
    struct bytes key;   /* without it */
    struct bytes value; /* valid until the transaction's next write, or its end */
    int64_t expires_ms; /* since 1970; 0: never */
};

/* What was committed last, until something else is; nothing is noted.  INVALID: not a key;
 * CONFLICT: the state was spoilt. */
MUST_CHECK bool state_get(struct state *state, struct kv_key key, struct kv_entry *entry,
                          bool *found, struct error *error);

/* --- transactions --- */

/* Holds the state.  The snapshot is what was committed last. */
MUST_CHECK bool transaction_begin(struct transaction **transaction, struct state *state,
                                  struct error *error);
/* Forgets it, and what it wrote unless it was committed. */
void transaction_end(struct transaction *transaction);
DEFINE_AUTO(transaction, transaction_end)

/* INVALID: not a key; DENIED: a namespace of the node's; LIMIT: too many reads; CONFLICT: the state
 * was spoilt. */
MUST_CHECK bool transaction_get(struct transaction *transaction, struct kv_key key,
                                struct kv_entry *entry, bool *found, struct error *error);
/* `ttl_ms` from 1 to KV_TTL_MS_MAX, 0: for ever.  LIMIT: the value's size, the transaction's, or
 * the quota. */
MUST_CHECK bool transaction_set(struct transaction *transaction, struct kv_key key,
                                struct bytes value, int64_t ttl_ms, struct error *error);
/* *found: whether there was one. */
MUST_CHECK bool transaction_delete(struct transaction *transaction, struct kv_key key, bool *found,
                                   struct error *error);
/* Sets when the value is `expected`; NULL: when there is none.  *swapped tells. */
MUST_CHECK bool transaction_compare_and_set(struct transaction *transaction, struct kv_key key,
                                            const struct bytes *expected, struct bytes value,
                                            int64_t ttl_ms, bool *swapped, struct error *error);
/* In order of bytes: keys of a namespace that start with `prefix` and come after `after` (empty:
 * from the first), at most `limit` (1 to KV_LIST_MAX), for as long as `take` returns true.  *more:
 * there are others; go on after the last one taken. */
typedef bool kv_take(void *context, const struct kv_entry *entry);
struct kv_range {
    struct kv_key prefix; /* its key may be empty */
    struct bytes after;
    size_t limit;
};
MUST_CHECK bool transaction_list(struct transaction *transaction, const struct kv_range *range,
                                 kv_take *take, void *context, bool *more, struct error *error);

/* All namespaces, the node's too, from behind `after` on (no namespace: from the first).  For a
 * transaction that only reads: what comes and goes is not noted. */
MUST_CHECK bool transaction_export(struct transaction *transaction, struct kv_key after,
                                   kv_take *take, void *context, bool *more, struct error *error);
/* The state's clock when it began, to which times to live are added. */
int64_t transaction_now_ms(const struct transaction *transaction);
/* The digest and the revision of its snapshot. */
struct state_head transaction_head(const struct transaction *transaction);

/* One record of the disk: a put, or a delete. */
struct state_write {
    struct bytes name; /* borrowed from the change */
    struct bytes value;
    int64_t expires_ms;
    bool is_live;
};
/* What one commit changed; nothing of it points into the state. */
struct state_change {
    struct state_write *writes;
    size_t count;
    size_t size; /* bytes of names and values */
    struct state_head head;
    struct digest32 before;
};
void state_change_free(struct state_change *change);
DEFINE_AUTO(state_change, state_change_free)

struct transaction_outcome {
    uint64_t revision; /* of the commit, or of the snapshot when nothing was written */
    struct digest32 before, after;
    bool has_written;
};
/* Ends what can be done with the transaction but transaction_end.  *change is NULL when nothing was
 * written.  CONFLICT: somebody wrote what this one read; LIMIT: the quota. */
MUST_CHECK bool transaction_commit(struct transaction *transaction, struct state_change **change,
                                   struct transaction_outcome *outcome, struct error *error);

/* Whether this may be a namespace. */
bool kv_is_namespace(struct bytes name);
/* Whether it is one of the node's. */
bool kv_is_reserved(struct bytes space);
/* What the digest has of an entry beside its name: a leaf's hash. */
struct digest32 kv_entry_hash(struct bytes value, int64_t expires_ms);

#endif
