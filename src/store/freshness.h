/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the store: knows the revision of every live record, so that no older row can come back.
 *
 * In memory: a map from a keyed name of the record to its revision, and the exclusive-or of one
 * keyed hash per live (key, revision).  On the disk: a MAC over that sum with the head revision
 * and the count.  The sum itself is never written, so nobody without the key can find rows that
 * fit it.  Rebuilt by reading every key once at open. */
#ifndef STORE_FRESHNESS_H
#define STORE_FRESHNESS_H

#include "base/secret.h"
#include "store/store.h"

struct freshness_head {
    uint64_t revision; /* the last one given out */
    uint64_t count;    /* live records */
    uint8_t sum[32];
};

struct freshness_slot {
    uint8_t name[16];
    uint64_t revision; /* 0: empty */
};

struct freshness {
    struct secret32 key;
    struct freshness_head head;
    struct freshness_slot *slots;
    size_t capacity; /* a power of two */
};

void freshness_init(struct freshness *freshness, const struct secret32 *key);
void freshness_done(struct freshness *freshness);

/* The revision of the live record, 0 when there is none. */
uint64_t freshness_revision(const struct freshness *freshness, struct store_key key);
/* Makes room for `count` records more, so that freshness_set can't fail. */
MUST_CHECK bool freshness_reserve(struct freshness *freshness, size_t count, struct error *error);
/* `revision` 0 forgets the record. Does not touch the head. */
void freshness_set(struct freshness *freshness, struct store_key key, uint64_t revision);
/* Takes the record with this revision into the head, or out of it. */
void freshness_toggle(const struct freshness *freshness, struct freshness_head *head,
                      struct store_key key, uint64_t revision);
/* Says which head came before this one. */
struct digest32 freshness_link(const struct freshness *freshness, const struct store_heads *heads);
struct digest32 freshness_mac(const struct freshness *freshness, const struct freshness_head *head);

#endif
