/* SPDX-License-Identifier: Apache-2.0 */
/* The collateral of this machine's evidence: had from the makers' services by a process of its own
 * (fetcher.h), kept up to date, and handed out with the evidence, so that a stranger needs no
 * network to judge it.
 *
 * For TDX, SGX and SEV-SNP, unless `collateral.fetch = "off"`.  Platform `sim` brings its own, and
 * Nitro has none.  What can't be had is tried again, after 30 s, then twice as long, up to an hour;
 * what is past its date is not handed out. */
#ifndef S3ND_NODE_COLLATERAL_H
#define S3ND_NODE_COLLATERAL_H

#include "base/buffer.h"
#include "base/error.h"

struct node;
struct node_collateral;

/* At the start, once the node serves: asks at once. */
void node_collateral_start(struct node *node);
void node_collateral_end(struct node *node);
/* Fresh evidence, in place: with what was had and is in date. */
void node_collateral_add(struct node *node, struct buffer *evidence);

/* How it stands, for health and metrics. */
struct node_collateral_state {
    bool is_wanted;        /* false: this platform's evidence needs none, all else is 0 */
    bool is_there;         /* some of it, in date */
    int64_t age_s;         /* since the oldest list, TCB info or identity was issued */
    int64_t next_update_s; /* when the first piece ends, seconds since 1970 */
    uint64_t asked;        /* times, in all */
    uint64_t failed;       /* of them: something could not be had */
    unsigned failures;     /* the latest, in a row */
    const char *error;     /* of the latest; empty: it went well */
};
struct node_collateral_state node_collateral_state(const struct node *node);
/* One line for people: "collateral 3600 s old, until 2026-12-01T00:00:00Z, 0 failures". */
void node_collateral_describe(struct buffer *text, const struct node *node);

#endif
