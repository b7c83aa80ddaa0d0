/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's memory of the heads of two stores: one small file, so that an older copy of a store
 * is refused.
 *
 * Two places of 512 bytes for each store, written in turn, each: u16 size, then sealed (sealing.h,
 * space "keeper/anchor", the place's number as associated data): counter u64, what is remembered,
 * 80 bytes (store/store.h, struct store_heads).  The valid one with the higher counter counts; a
 * write that was cut leaves the other; zeros are nothing yet.  Owns: the file's content.  Never:
 * opens it.  Inside the keeper.
 */
#ifndef KEYS_ANCHOR_H
#define KEYS_ANCHOR_H

#include "base/secret.h"
#include "store/store.h"

enum anchor_store {
    ANCHOR_STATES, /* state.db */
    ANCHOR_NODE,   /* store.db */
    ANCHOR_STORES
};
struct anchor_memory {
    uint64_t counter; /* of what is remembered; 0: nothing yet */
    struct store_heads heads;
};
struct anchor {
    int file;
    struct anchor_memory stores[ANCHOR_STORES];
};

/* CORRUPT when there is something of a store, and none of it opens. */
MUST_CHECK bool anchor_open(struct anchor *anchor, int file, const struct secret32 *root,
                            struct error *error);
/* On the disk when it returns. */
MUST_CHECK bool anchor_write(struct anchor *anchor, const struct secret32 *root,
                             enum anchor_store store, const struct store_heads *heads,
                             struct error *error);

#endif
