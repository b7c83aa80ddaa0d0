/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the node can do its work, and why not: for /readyz, /status and metrics.
 *
 * A cause is a fact about now, looked up when it is asked for (the keeper at most once in
 * NODE_HEALTH_LOOK_MS: a keeper that hangs is found so, and replaced).  Not ready means that
 * requests should go elsewhere; the node goes on with what it still can. */
#ifndef S3ND_NODE_HEALTH_H
#define S3ND_NODE_HEALTH_H

#include "base/json.h"
#include "crypto/hash.h"

struct node;
struct nonce32;

enum {
    NODE_HEALTH_LOOK_MS = 1000
};

enum node_cause {
    NODE_STOPPING,     /* it was told to stop, or to make room for another */
    NODE_KEEPER_LOST,  /* no evidence, no deployments, nothing sealed */
    NODE_EVENT_LOG,    /* what is loaded can't be recorded, so nothing new is */
    NODE_KEYSET_ENDED, /* past its end: receipts would be worthless */
    NODE_STORE_FAILED, /* the last write of the store or of a state failed */
    NODE_WORKERS,      /* no worker could be started when one was last wanted */
    NODE_CAUSE_COUNT
};
/* "no keeper" */
const char *node_cause_text(enum node_cause cause);
/* "keeper" */
const char *node_cause_name(enum node_cause cause);

struct node_health {
    int64_t started_s;          /* by the wall clock */
    uint64_t started_ns;        /* by one that nobody sets */
    uint64_t looked_ns;         /* at the keeper */
    uint64_t evidence_count;    /* made */
    uint64_t evidence_failures; /* not made */
    int64_t evidence_s;         /* the last; 0: none yet */
    bool workers_failed;
    bool store_failed;
    uint64_t state_failures_seen; /* commits that failed before the last good write */
};

void node_health_start(struct node *node);
int64_t node_uptime_s(const struct node *node);
/* Asks the keeper how it is, when that was long ago. */
void node_health_look(struct node *node);
bool node_has_cause(const struct node *node, enum node_cause cause);
bool node_is_ready(const struct node *node);
/* Evidence for a nonce over the present keyset; counted. */
MUST_CHECK bool node_evidence(struct node *node, const struct nonce32 *nonce,
                              struct buffer *evidence, struct error *error);
/* How a start of a worker ended. */
void node_health_worker(struct node *node, bool is_started);
/* The page /status; NULL for lack of memory. */
json_t *node_health_tree(struct node *node);

#endif
