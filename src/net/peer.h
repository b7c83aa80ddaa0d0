/* SPDX-License-Identifier: Apache-2.0 */
/* Counts connections and memory per peer: an IPv4 address, or the first 64 bits of an IPv6 address,
 * which is what one household or one rented machine has.  Fixed memory. */
#ifndef NET_PEER_H
#define NET_PEER_H

#include "core/bytes.h"

struct sockaddr;
struct peer_table;

struct peer {
    uint64_t network; /* IPv6 prefix, or the IPv4 address with a mark that no prefix has */
};

struct peer peer_of(const struct sockaddr *address);
/* NULL without memory. */
struct peer_table *peer_table_new(uint32_t connection_count_max);
void peer_table_free(struct peer_table *table);
/* False when the peer has `count_max` already. */
MUST_CHECK bool peer_enter(struct peer_table *table, struct peer peer, uint32_t count_max);
void peer_leave(struct peer_table *table, struct peer peer);
/* Memory held for a peer that has entered; false when it would be over `size_max`. */
MUST_CHECK bool peer_charge(struct peer_table *table, struct peer peer, size_t size,
                            size_t size_max);
void peer_refund(struct peer_table *table, struct peer peer, size_t size);

#endif
