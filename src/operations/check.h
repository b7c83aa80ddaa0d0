/* SPDX-License-Identifier: Apache-2.0 */
/* Proves a node's data: every record opens under its key at its revision, every blob is what its
 * digest says, every version is what its owner signed and has all it is made of, every
 * application's state is what its head says, and every audit log is one unbroken chain.
 *
 * Goes on after what it finds, so one run tells all.  Reads only. */
#ifndef OPERATIONS_CHECK_H
#define OPERATIONS_CHECK_H

#include "base/clock.h"
#include "base/json.h"
#include "base/secret.h"
#include "store/store.h"

struct check_listener {
    void *context;
    /* `all` 0: nobody knows. */
    void (*progress)(void *context, const char *part, uint64_t done, uint64_t all);
    void (*found)(void *context, const char *part, const struct error *problem);
};

struct check_counts {
    uint64_t records, blobs, bytes;  /* of both stores */
    uint64_t applications, versions; /* deleted ones that are still kept included */
    uint64_t states, entries;        /* applications with a state; entries of audit logs */
    uint64_t segments;               /* of logs */
    uint64_t problems;
};

struct check {
    const struct check_listener *listener;
    struct check_counts counts;
    bool stops; /* set by a listener: what is left is not looked at */
};

/* The files of a node; those that are not there are left out, but for the store. */
struct check_files {
    const char *store, *states, *logs;                       /* `logs` NULL: not looked at */
    const struct store_anchor *store_anchor, *states_anchor; /* NULL: its age is not checked */
};
/* All of it; `sealer` is the store's. */
void check_files(struct check *check, const struct check_files *files, const struct sealer *sealer);
/* What was found elsewhere. */
void check_found(struct check *check, const char *part, const struct error *problem);

/* For programs; each NULL without memory.  `problems` is an array of check_problem_tree, maybe not
 * of all. */
json_t *check_problem_tree(const char *part, const struct error *problem);
json_t *check_tree(const struct check_counts *counts, json_t *problems);

/* What was remembered of a store at a moment, for a copy of that moment. */
struct check_anchor {
    struct store_heads heads;
};
struct store_anchor check_anchor_of(struct check_anchor *anchor);

/* All records and blobs. */
void check_store(struct check *check, struct store *store, const char *part);
/* What the node's own store says: applications, versions, audit logs. */
void check_contents(struct check *check, struct store *store);
/* The store of the states, when it is there; the node's own store holds its key. */
struct check_states {
    const char *path;
    const struct store_anchor *anchor; /* NULL: its age is not checked */
};
void check_states(struct check *check, struct store *store, const struct check_states *states);

/* The store of the logs, when it is there; the node's own store holds its key. */
void check_logs(struct check *check, struct store *store, const char *path);

/* The key that seals the states' records.  NOT_FOUND: this node never had states. */
MUST_CHECK bool states_key_read(struct store *store, struct secret32 *key, struct error *error);

#endif
