/* SPDX-License-Identifier: Apache-2.0 */
/* Collateral on the disk: one file for each address, replaced atomically, mode 0600 in a folder of
 * mode 0700.
 *
 * A file says where and when its answer was had and what it was; nothing in it is trusted: its form
 * is checked again when it is read, its signature when evidence is judged.  A file that is damaged,
 * of another address or of another version counts as absent. */
#ifndef COLLATERAL_CACHE_H
#define COLLATERAL_CACHE_H

#include "collateral/piece.h"

struct collateral_entry {
    struct collateral_piece piece;
    int64_t fetched_s;
    int64_t max_age_s; /* of Cache-Control; -1: it said nothing */
};

/* True when there is one: `entry->piece` must be initialised. */
bool collateral_cache_get(struct collateral_entry *entry, const char *folder,
                          const struct collateral_wish *wish);
/* Makes the folder; when it is full, the file that was written first goes. */
MUST_CHECK bool collateral_cache_put(const struct collateral_entry *entry, const char *folder,
                                     const struct collateral_wish *wish, struct error *error);

/* When a piece that is there is to be asked for again, though it is in date. */
int64_t collateral_refresh_s(const struct collateral_entry *entry, enum collateral_part part);

/* Until when the service of an address asked not to be asked (Retry-After); 0: it may be asked. */
int64_t collateral_cache_refused_until(const char *folder, const char *url);
/* Notes it; failures are passed over, since then the service says it again. */
void collateral_cache_refuse(const char *folder, const char *url, int64_t until_s);

#endif
