/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of the running node's two stores, page by page while they are written, the last pages of
 * both at one moment; a little in each turn of the loop. */
#ifndef S3ND_NODE_COPIES_H
#define S3ND_NODE_COPIES_H

#include "keys/anchor.h"
#include "store/store.h"

struct node;
struct node_copies;

struct node_copies_options {
    const char *store, *states; /* files to make, as the server's jail has them */
    bool wants_heads;           /* what the keeper remembers of both at that moment */
    /* `error` NULL: they are there.  Once, from the loop; node_copies_free before or after. */
    void (*done)(void *context, const struct error *error);
    void (*progress)(void *context, uint64_t done, uint64_t all, const char *what);
    void *context;
};

MUST_CHECK bool node_copies_start(struct node_copies **copies, struct node *node,
                                  const struct node_copies_options *options, struct error *error);
/* After `done`: the head of one of them; false: nothing is remembered. */
bool node_copies_heads(const struct node_copies *copies, enum anchor_store store,
                       struct store_heads *heads);
/* Whether the states' thread is at it: then it must not be freed yet. */
bool node_copies_is_busy(const struct node_copies *copies);
/* Nobody is called any more.  The files are the caller's. */
void node_copies_free(struct node_copies *copies);

#endif
