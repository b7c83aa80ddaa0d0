/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/local_state.h"

#include "core/reader.h"
#include "core/writer.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC "S3NKV1\r\n"

enum {
    HEAD_SIZE = 8 + 3 * 4
};

_Static_assert((int)HEAD_SIZE >= (int)LOCAL_STATE_ENTRY_HEAD_SIZE, "one buffer for both");

static int bytes_order(struct bytes a, struct bytes b)
{
    size_t size = MIN(a.size, b.size);
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int name_order(const struct local_name *a, const struct local_name *b)
{
    int order = bytes_order(a->space, b->space);
    return order != 0 ? order : bytes_order(a->key, b->key);
}

void local_state_done(struct local_state *store)
{
    for (size_t i = 0; i < store->count; i++)
        free(store->entries[i].memory);
    free(store->entries);
    *store = (struct local_state){ 0 };
}

size_t local_state_from(const struct local_state *store, const struct local_name *name)
{
    size_t low = 0, high = store->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (name_order(&store->entries[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct local_state *store, size_t at, const struct local_name *name)
{
    return at < store->count && name_order(&store->entries[at].name, name) == 0;
}

const struct local_entry *local_state_find(const struct local_state *store,
                                           const struct local_name *name, int64_t now_ms)
{
    size_t at = local_state_from(store, name);
    if (!is_at(store, at, name))
        return NULL;
    const struct local_entry *entry = &store->entries[at];
    return entry->expires_ms != 0 && entry->expires_ms <= now_ms ? NULL : entry;
}

bool local_state_check(const struct local_name *name, struct error *error)
{
    if (name->key.size == 0 || name->key.size > LOCAL_STATE_KEY_SIZE_MAX ||
        !bytes_is_utf8(name->key))
        return error_set(error, ERROR_INVALID, "a key has 1 to %d bytes of UTF-8",
                         LOCAL_STATE_KEY_SIZE_MAX);
    for (size_t i = 0; i < name->key.size; i++)
        if (name->key.data[i] < 0x20 || name->key.data[i] == 0x7f)
            return error_set(error, ERROR_INVALID, "a key has no control characters");
    return true;
}

static size_t entry_size(const struct local_entry *entry)
{
    return LOCAL_STATE_ENTRY_HEAD_SIZE + entry->name.space.size + entry->name.key.size +
           entry->value.size;
}

static void entry_free(struct local_state *store, size_t at)
{
    store->size -= entry_size(&store->entries[at]);
    free(store->entries[at].memory);
}

static bool make_room(struct local_state *store, size_t at)
{
    if (store->count == store->room) {
        size_t room = MAX(store->room * 2, (size_t)16);
        struct local_entry *longer = realloc(store->entries, room * sizeof(*longer));
        if (longer == NULL)
            return false;
        store->entries = longer;
        store->room = room;
    }
    memmove(store->entries + at + 1, store->entries + at,
            (store->count - at) * sizeof(*store->entries));
    store->count++;
    return true;
}

static struct bytes copy_in(uint8_t **at, struct bytes part)
{
    struct bytes copied = bytes_of(*at, part.size);
    if (part.size > 0)
        memcpy(*at, part.data, part.size);
    *at += part.size;
    return copied;
}

bool local_state_set(struct local_state *store, const struct local_name *name, struct bytes value,
                     int64_t expires_ms, struct error *error)
{
    struct local_entry made = { *name, value, expires_ms, NULL };
    size_t size = entry_size(&made), at = local_state_from(store, name);
    bool is_known = is_at(store, at, name);
    size_t before = is_known ? entry_size(&store->entries[at]) : 0;
    if (!local_state_check(name, error))
        return false;
    if (value.size > LOCAL_STATE_VALUE_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "a value has at most %d bytes",
                         LOCAL_STATE_VALUE_SIZE_MAX);
    if (store->size - before + size > LOCAL_STATE_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "the state has at most %d bytes here",
                         LOCAL_STATE_SIZE_MAX);
    made.memory = malloc(size);
    if (made.memory == NULL || (!is_known && !make_room(store, at))) {
        free(made.memory);
        return error_set(error, ERROR_NO_MEMORY, "no memory for an entry");
    }
    uint8_t *free_at = made.memory;
    made.name.space = copy_in(&free_at, name->space);
    made.name.key = copy_in(&free_at, name->key);
    made.value = copy_in(&free_at, value);
    if (is_known)
        entry_free(store, at);
    store->entries[at] = made;
    store->size += size;
    store->is_changed = true;
    return true;
}

void local_state_remove(struct local_state *store, const struct local_name *name)
{
    size_t at = local_state_from(store, name);
    if (!is_at(store, at, name))
        return;
    entry_free(store, at);
    store->count--;
    memmove(store->entries + at, store->entries + at + 1,
            (store->count - at) * sizeof(*store->entries));
    store->is_changed = true;
}

/* --- the file --- */

static uint32_t sum_of(struct bytes bytes)
{
    uint32_t sum = 2166136261u;
    for (size_t i = 0; i < bytes.size; i++)
        sum = (sum ^ bytes.data[i]) * 16777619u;
    return sum;
}

static bool entries_read(struct local_state *store, struct bytes content, uint32_t count,
                         struct error *error)
{
    struct reader reader = reader_of(content);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t space = read_u32_le(&reader), key = read_u32_le(&reader);
        uint32_t value = read_u32_le(&reader);
        int64_t expires_ms = (int64_t)read_u64_le(&reader);
        struct local_name name = { read_bytes(&reader, space), read_bytes(&reader, key) };
        struct bytes data = read_bytes(&reader, value);
        if (reader.failed || expires_ms < 0)
            return error_set(error, ERROR_INVALID, "its entries are malformed");
        if (!local_state_set(store, &name, data, expires_ms, error))
            return false;
    }
    store->is_changed = false;
    return read_end(&reader) || error_set(error, ERROR_INVALID, "its entries are malformed");
}

bool local_state_read(struct local_state *store, struct bytes content, struct error *error)
{
    struct reader reader = reader_of(content);
    struct bytes last = { 0 };
    uint32_t last_count = 0;
    if (content.size > 0 && !bytes_starts_with(content, BYTES_LITERAL(MAGIC)))
        return error_set(error, ERROR_INVALID, "this is no file of `s3n run --kv`");
    while (reader_left(&reader) >= HEAD_SIZE) {
        struct bytes magic = read_bytes(&reader, sizeof(MAGIC) - 1);
        uint32_t size = read_u32_le(&reader), count = read_u32_le(&reader);
        uint32_t sum = read_u32_le(&reader);
        struct bytes entries = read_bytes(&reader, size);
        /* The last one may have been cut; what stands before it counts. */
        if (reader.failed || !bytes_equal(magic, BYTES_LITERAL(MAGIC)) || sum_of(entries) != sum)
            break;
        last = entries;
        last_count = count;
    }
    local_state_done(store);
    return entries_read(store, last, last_count, error);
}

void local_state_write(const struct local_state *store, struct buffer *snapshot, int64_t now_ms)
{
    size_t start = snapshot->size + HEAD_SIZE;
    uint32_t count = 0;
    uint8_t head[HEAD_SIZE] = { 0 };
    buffer_append(snapshot, bytes_of(head, HEAD_SIZE));
    for (size_t i = 0; i < store->count; i++) {
        const struct local_entry *entry = &store->entries[i];
        if (entry->expires_ms != 0 && entry->expires_ms <= now_ms)
            continue;
        struct writer writer = writer_into(head, sizeof(head));
        write_u32_le(&writer, (uint32_t)entry->name.space.size);
        write_u32_le(&writer, (uint32_t)entry->name.key.size);
        write_u32_le(&writer, (uint32_t)entry->value.size);
        write_u64_le(&writer, (uint64_t)entry->expires_ms);
        buffer_append(snapshot, writer_view(&writer));
        buffer_append(snapshot, entry->name.space);
        buffer_append(snapshot, entry->name.key);
        buffer_append(snapshot, entry->value);
        count++;
    }
    if (snapshot->failed)
        return;
    struct bytes entries = bytes_of(snapshot->data + start, snapshot->size - start);
    struct writer writer = writer_into(snapshot->data + start - HEAD_SIZE, HEAD_SIZE);
    write_bytes(&writer, BYTES_LITERAL(MAGIC));
    write_u32_le(&writer, (uint32_t)entries.size);
    write_u32_le(&writer, count);
    write_u32_le(&writer, sum_of(entries));
}
