/* SPDX-License-Identifier: Apache-2.0 */
#include "net/peer.h"

#include "crypto/random.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct peer_entry {
    struct peer peer;
    uint32_t count;
    size_t memory;
    uint32_t next; /* index + 1 in the same bucket, or of the free list */
};

struct peer_table {
    uint64_t seed; /* so that no stranger can choose who shares a bucket */
    uint32_t size;
    uint32_t free;
    uint32_t *buckets; /* index + 1 */
    struct peer_entry *entries;
};

struct peer peer_of(const struct sockaddr *address)
{
    struct peer peer = { 0 };
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof(v4));
        peer.network = 0xffff000000000000u | v4.sin_addr.s_addr;
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof(v6));
        memcpy(&peer.network, v6.sin6_addr.s6_addr, 8);
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
            uint32_t v4;
            memcpy(&v4, v6.sin6_addr.s6_addr + 12, 4);
            peer.network = 0xffff000000000000u | v4;
        }
    }
    return peer;
}

struct peer_table *peer_table_new(uint32_t connection_count_max)
{
    struct peer_table *table = calloc(1, sizeof(*table));
    if (table == NULL)
        return NULL;
    table->size = connection_count_max;
    table->buckets = calloc(table->size, sizeof(*table->buckets));
    table->entries = calloc(table->size, sizeof(*table->entries));
    if (table->buckets == NULL || table->entries == NULL) {
        peer_table_free(table);
        return NULL;
    }
    random_bytes(&table->seed, sizeof(table->seed));
    for (uint32_t i = 0; i < table->size; i++)
        table->entries[i].next = i + 1 < table->size ? i + 2 : 0;
    table->free = 1;
    return table;
}

void peer_table_free(struct peer_table *table)
{
    if (table == NULL)
        return;
    free(table->buckets);
    free(table->entries);
    free(table);
}

static uint32_t *bucket_of(struct peer_table *table, struct peer peer)
{
    uint64_t mixed = (peer.network ^ table->seed) * 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ mixed >> 32) * 0xd6e8feb86659fd93u;
    return &table->buckets[(mixed >> 32) % table->size];
}

static struct peer_entry *find(struct peer_table *table, struct peer peer)
{
    for (uint32_t at = *bucket_of(table, peer); at != 0; at = table->entries[at - 1].next) {
        if (table->entries[at - 1].peer.network == peer.network)
            return &table->entries[at - 1];
    }
    return NULL;
}

bool peer_charge(struct peer_table *table, struct peer peer, size_t size, size_t size_max)
{
    struct peer_entry *entry = find(table, peer);
    ASSERT(entry != NULL);
    if (size > size_max || entry->memory > size_max - size)
        return false;
    entry->memory += size;
    return true;
}

void peer_refund(struct peer_table *table, struct peer peer, size_t size)
{
    struct peer_entry *entry = find(table, peer);
    ASSERT(entry != NULL && entry->memory >= size);
    entry->memory -= size;
}

bool peer_enter(struct peer_table *table, struct peer peer, uint32_t count_max)
{
    uint32_t *bucket = bucket_of(table, peer);
    struct peer_entry *known = find(table, peer);
    if (known != NULL && known->count >= count_max)
        return false;
    if (known != NULL) {
        known->count++;
        return true;
    }
    uint32_t at = table->free;
    if (at == 0)
        return false;
    struct peer_entry *entry = &table->entries[at - 1];
    table->free = entry->next;
    *entry = (struct peer_entry){ .peer = peer, .count = 1, .next = *bucket };
    *bucket = at;
    return true;
}

void peer_leave(struct peer_table *table, struct peer peer)
{
    uint32_t *link = bucket_of(table, peer);
    while (*link != 0 && table->entries[*link - 1].peer.network != peer.network)
        link = &table->entries[*link - 1].next;
    ASSERT(*link != 0);
    uint32_t at = *link;
    struct peer_entry *entry = &table->entries[at - 1];
    if (--entry->count > 0)
        return;
    *link = entry->next;
    entry->next = table->free;
    table->free = at;
}
