/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's memory of the head of a store: one small file, so that an older copy of the store is
 * refused.
 *
 * Two places of 512 bytes, written in turn, each: u16 size, then sealed (sealing.h, space
 * "keeper/anchor", the place's number as associated data): counter u64, what is remembered, 80
 * bytes (store/store.h, struct store_heads).  The valid one with the higher counter counts; a write
 * that was cut leaves the other.  Owns: the file's content.  Never: opens it.  Inside the keeper.
 */
#ifndef KEYS_ANCHOR_H
#define KEYS_ANCHOR_H

#include "base/secret.h"
#include "store/store.h"

struct anchor {
    int file;
    uint64_t counter; /* of what is remembered; 0: nothing yet */
    struct store_heads heads;
};

/* CORRUPT when there is something, and none of it opens. */
MUST_CHECK bool anchor_open(struct anchor *anchor, int file, const struct secret32 *root,
                            struct error *error);
/* On the disk when it returns. */
MUST_CHECK bool anchor_write(struct anchor *anchor, const struct secret32 *root,
                             const struct store_heads *heads, struct error *error);

#endif
