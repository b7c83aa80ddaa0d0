/* SPDX-License-Identifier: Apache-2.0 */
#include "store/freshness.h"

#include "core/writer.h"
#include "crypto/mac.h"

#include <stdlib.h>
#include <string.h>

enum {
    CAPACITY_MIN = 256,
    /* type, two sizes, two names, revision */
    STATEMENT_SIZE_MAX = 1 + 2 + 2 + STORE_SPACE_SIZE_MAX + STORE_KEY_SIZE_MAX + 8,
};
enum statement {
    STATEMENT_NAME = 1,
    STATEMENT_RECORD = 2,
    STATEMENT_HEAD = 3,
    STATEMENT_LINK = 4,
};

static struct digest32 keyed_hash(const struct freshness *freshness, enum statement statement,
                                  struct store_key key, uint64_t revision)
{
    uint8_t data[STATEMENT_SIZE_MAX];
    struct writer writer = writer_into(data, sizeof(data));
    struct bytes space = bytes_of_string(key.space);
    struct bytes name = bytes_of_string(key.key);
    write_u8(&writer, (uint8_t)statement);
    write_u16_le(&writer, (uint16_t)space.size);
    write_bytes(&writer, space);
    write_u16_le(&writer, (uint16_t)name.size);
    write_bytes(&writer, name);
    write_u64_le(&writer, revision);
    ASSERT(!writer.failed);
    return hmac_sha256(BYTES_OF(freshness->key.bytes), writer_view(&writer));
}

void freshness_init(struct freshness *freshness, const struct secret32 *key)
{
    *freshness = (struct freshness){ .key = *key };
}

void freshness_done(struct freshness *freshness)
{
    secret32_done(&freshness->key);
    free(freshness->slots);
    *freshness = (struct freshness){ 0 };
}

/* The slot that holds the name, or the empty one where it belongs. */
static size_t slot_find(const struct freshness *freshness, const uint8_t *name)
{
    size_t mask = freshness->capacity - 1;
    size_t at;
    memcpy(&at, name, sizeof(at));
    for (at &= mask; freshness->slots[at].revision != 0; at = (at + 1) & mask) {
        if (memcmp(freshness->slots[at].name, name, sizeof(freshness->slots[at].name)) == 0)
            break;
    }
    return at;
}

uint64_t freshness_revision(const struct freshness *freshness, struct store_key key)
{
    if (freshness->capacity == 0)
        return 0;
    struct digest32 name = keyed_hash(freshness, STATEMENT_NAME, key, 0);
    return freshness->slots[slot_find(freshness, name.bytes)].revision;
}

bool freshness_reserve(struct freshness *freshness, size_t count, struct error *error)
{
    if (count > STORE_RECORDS_MAX - freshness->head.count)
        return error_set(error, ERROR_LIMIT, "the store holds at most %d records",
                         STORE_RECORDS_MAX);
    size_t capacity = MAX(freshness->capacity, (size_t)CAPACITY_MIN);
    while (capacity / 2 < freshness->head.count + count)
        capacity *= 2;
    if (capacity == freshness->capacity)
        return true;
    struct freshness grown = *freshness;
    grown.capacity = capacity;
    grown.slots = calloc(capacity, sizeof(*grown.slots));
    if (grown.slots == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the store's index");
    for (size_t i = 0; i < freshness->capacity; i++) {
        if (freshness->slots[i].revision != 0)
            grown.slots[slot_find(&grown, freshness->slots[i].name)] = freshness->slots[i];
    }
    free(freshness->slots);
    freshness->slots = grown.slots;
    freshness->capacity = capacity;
    secret_wipe(&grown.key, sizeof(grown.key));
    return true;
}

/* Empties a slot and moves up what had to step past it. */
static void slot_remove(struct freshness *freshness, size_t hole)
{
    size_t mask = freshness->capacity - 1;
    freshness->slots[hole].revision = 0;
    for (size_t at = (hole + 1) & mask; freshness->slots[at].revision != 0; at = (at + 1) & mask) {
        struct freshness_slot moved = freshness->slots[at];
        freshness->slots[at].revision = 0;
        freshness->slots[slot_find(freshness, moved.name)] = moved;
    }
}

void freshness_set(struct freshness *freshness, struct store_key key, uint64_t revision)
{
    ASSERT(freshness->capacity != 0);
    struct digest32 name = keyed_hash(freshness, STATEMENT_NAME, key, 0);
    size_t at = slot_find(freshness, name.bytes);
    if (revision == 0) {
        if (freshness->slots[at].revision != 0)
            slot_remove(freshness, at);
        return;
    }
    memcpy(freshness->slots[at].name, name.bytes, sizeof(freshness->slots[at].name));
    freshness->slots[at].revision = revision;
}

void freshness_toggle(const struct freshness *freshness, struct freshness_head *head,
                      struct store_key key, uint64_t revision)
{
    struct digest32 hash = keyed_hash(freshness, STATEMENT_RECORD, key, revision);
    for (size_t i = 0; i < sizeof(head->sum); i++)
        head->sum[i] ^= hash.bytes[i];
}

struct digest32 freshness_mac(const struct freshness *freshness, const struct freshness_head *head)
{
    uint8_t data[1 + 8 + 8 + sizeof(head->sum)];
    struct writer writer = writer_into(data, sizeof(data));
    write_u8(&writer, STATEMENT_HEAD);
    write_u64_le(&writer, head->revision);
    write_u64_le(&writer, head->count);
    write_bytes(&writer, BYTES_OF(head->sum));
    return hmac_sha256(BYTES_OF(freshness->key.bytes), writer_view(&writer));
}

struct digest32 freshness_link(const struct freshness *freshness, const struct store_heads *heads)
{
    uint8_t data[1 + STORE_HEADS_SIZE];
    struct writer writer = writer_into(data, sizeof(data));
    write_u8(&writer, STATEMENT_LINK);
    store_heads_write(&writer, heads);
    return hmac_sha256(BYTES_OF(freshness->key.bytes), writer_view(&writer));
}
