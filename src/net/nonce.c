/* SPDX-License-Identifier: Apache-2.0 */
#include "net/nonce.h"

#include "crypto/hash.h"
#include "crypto/random.h"
#include "net/limits.h"

#include <stdlib.h>
#include <string.h>

enum {
    SWEPT_PER_USE = 8
};

struct nonce_entry {
    uint8_t name[16]; /* of the keyed digest: collisions can't be made on purpose */
    int64_t until_s;  /* 0: free */
    uint32_t next;    /* index + 1, in its bucket or in the free list */
};

struct nonce_cache {
    uint8_t seed[32];
    uint32_t count_max;
    uint32_t free;
    uint32_t hand; /* the next entry to look at for being old */
    int64_t swept_s;
    int64_t since_s;
    uint32_t *buckets;
    struct nonce_entry *entries;
};

bool nonce_cache_new(struct nonce_cache **cache, uint32_t count_max, int64_t since_s,
                     struct error *error)
{
    struct nonce_cache *made = calloc(1, sizeof(*made));
    if (made != NULL) {
        made->buckets = calloc(count_max, sizeof(*made->buckets));
        made->entries = calloc(count_max, sizeof(*made->entries));
    }
    if (made == NULL || made->buckets == NULL || made->entries == NULL) {
        nonce_cache_free(made);
        return error_set(error, ERROR_NO_MEMORY, "no memory for %u nonces", count_max);
    }
    made->count_max = count_max;
    made->since_s = since_s;
    for (uint32_t i = 0; i < count_max; i++)
        made->entries[i].next = i + 1 < count_max ? i + 2 : 0;
    made->free = 1;
    random_bytes(made->seed, sizeof(made->seed));
    *cache = made;
    return true;
}

void nonce_cache_free(struct nonce_cache *cache)
{
    if (cache == NULL)
        return;
    free(cache->buckets);
    free(cache->entries);
    free(cache);
}

static uint32_t *bucket_of(struct nonce_cache *cache, const uint8_t *name)
{
    uint32_t number;
    memcpy(&number, name, sizeof(number));
    return &cache->buckets[number % cache->count_max];
}

static void forget(struct nonce_cache *cache, uint32_t index)
{
    struct nonce_entry *entry = &cache->entries[index];
    uint32_t *link = bucket_of(cache, entry->name);
    while (*link != index + 1)
        link = &cache->entries[*link - 1].next;
    *link = entry->next;
    entry->until_s = 0;
    entry->next = cache->free;
    cache->free = index + 1;
}

static void sweep(struct nonce_cache *cache, uint32_t count, int64_t now_s)
{
    for (uint32_t i = 0; i < count; i++) {
        struct nonce_entry *entry = &cache->entries[cache->hand];
        if (entry->until_s != 0 && entry->until_s < now_s) {
            /* Nor may it be used again when the clock is set back. */
            cache->since_s = MAX(cache->since_s, entry->until_s - SIGNATURE_AGE_S_MAX + 1);
            forget(cache, cache->hand);
        }
        cache->hand = cache->hand + 1 == cache->count_max ? 0 : cache->hand + 1;
    }
}

bool nonce_cache_use(struct nonce_cache *cache, const struct digest32 *key_id, struct bytes nonce,
                     int64_t created_s, int64_t now_s, struct error *error)
{
    if (created_s < cache->since_s)
        return error_set(
            error, ERROR_UNAUTHENTICATED,
            "signed too long ago for this node to remember, or before it started: sign it again (a "
            "node whose clock was set back wants `s3n node upgrade` first)");
    struct hash *hash = hash_new(HASH_SHA256);
    hash_update(hash, BYTES_OF(cache->seed));
    hash_update(hash, BYTES_OF(key_id->bytes));
    hash_update(hash, nonce);
    struct digest32 digest = hash_finish32(hash);
    hash_free(hash);

    uint32_t *bucket = bucket_of(cache, digest.bytes);
    for (uint32_t at = *bucket; at != 0; at = cache->entries[at - 1].next) {
        if (memcmp(cache->entries[at - 1].name, digest.bytes, 16) == 0)
            return error_set(error, ERROR_UNAUTHENTICATED, "the signature's nonce was used before");
    }
    sweep(cache, MIN(cache->count_max, (uint32_t)SWEPT_PER_USE), now_s);
    if (cache->free == 0 && cache->swept_s != now_s) {
        cache->swept_s = now_s; /* at most one whole round a second */
        sweep(cache, cache->count_max, now_s);
    }
    if (cache->free == 0)
        return error_set(error, ERROR_BUSY, "too many signed requests at once");
    uint32_t at = cache->free;
    struct nonce_entry *entry = &cache->entries[at - 1];
    cache->free = entry->next;
    memcpy(entry->name, digest.bytes, sizeof(entry->name));
    entry->until_s = created_s + SIGNATURE_AGE_S_MAX;
    entry->next = *bucket;
    *bucket = at;
    return true;
}
