/* SPDX-License-Identifier: Apache-2.0 */
#include "state/state_parts.h"

#include "core/checked.h"

#include <stdlib.h>
#include <string.h>

enum {
    READS_COMPARED = 4, /* of the last ones: the same key is often read again soon */
};

struct name {
    size_t size;
    uint8_t bytes[KV_NAME_SIZE_MAX + 1]; /* one more for the end of a range */
};

bool kv_is_namespace(struct bytes name)
{
    if (name.size == 0 || name.size > KV_NAMESPACE_SIZE_MAX)
        return false;
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.')
            return false;
    }
    return true;
}

bool kv_is_reserved(struct bytes space)
{
    return bytes_starts_with(space, BYTES_LITERAL(KV_NAMESPACE_NODE));
}

static bool name_of(struct name *name, struct kv_key key, size_t size_min, struct error *error)
{
    if (!kv_is_namespace(key.space))
        return error_set(error, ERROR_INVALID, "not a namespace: \"%s\"",
                         error_quote(key.space).text);
    if (kv_is_reserved(key.space) && !key.is_node)
        return error_set(error, ERROR_DENIED,
                         "namespaces that begin with " KV_NAMESPACE_NODE
                         " are the node's: %s is not yours to read or write",
                         error_quote(key.space).text);
    ASSERT(!key.is_node || kv_is_reserved(key.space));
    if (key.key.size < size_min || key.key.size > KV_KEY_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "a key has 1 to %d bytes, not %zu", KV_KEY_SIZE_MAX,
                         key.key.size);
    bool is_clean = bytes_is_utf8(key.key);
    for (size_t i = 0; is_clean && i < key.key.size; i++)
        is_clean = key.key.data[i] >= 0x20 && key.key.data[i] != 0x7f;
    if (!is_clean)
        return error_set(error, ERROR_INVALID,
                         "a key is UTF-8 without control characters, not \"%s\"",
                         error_quote(key.key).text);
    memcpy(name->bytes, key.space.data, key.space.size);
    name->bytes[key.space.size] = '\0';
    if (key.key.size > 0)
        memcpy(name->bytes + key.space.size + 1, key.key.data, key.key.size);
    name->size = key.space.size + 1 + key.key.size;
    return true;
}

static struct bytes name_view(const struct name *name)
{
    return bytes_of(name->bytes, name->size);
}

static struct bytes write_name(const struct transaction_write *write)
{
    return bytes_of(write->memory, write->name_size);
}

static struct bytes write_value(const struct transaction_write *write)
{
    return bytes_of(write->memory + write->name_size, write->value_size);
}

/* Index of the write of this name, or where it would stand. */
static size_t write_find(const struct transaction *transaction, struct bytes name, bool *found)
{
    size_t low = 0, high = transaction->write_count;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = name_compare(write_name(&transaction->writes[middle]), name);
        if (order == 0)
            *found = true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool transaction_begin(struct transaction **transaction, struct state *state, struct error *error)
{
    if (state->is_spoilt)
        return error_set(error, ERROR_CONFLICT, "the state was read anew from the disk");
    struct transaction *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a transaction");
    made->state = state_hold(state);
    made->snapshot = state->revision;
    made->digest = merkle_digest(&state->merkle);
    made->now_ms = state_now_ms(state);
    made->previous = state->youngest;
    if (state->youngest != NULL)
        state->youngest->next = made;
    else
        state->oldest = made;
    state->youngest = made;
    state->transaction_count++;
    *transaction = made;
    return true;
}

void transaction_end(struct transaction *transaction)
{
    if (transaction == NULL)
        return;
    struct state *state = transaction->state;
    if (transaction->previous != NULL)
        transaction->previous->next = transaction->next;
    else
        state->oldest = transaction->next;
    if (transaction->next != NULL)
        transaction->next->previous = transaction->previous;
    else
        state->youngest = transaction->previous;
    state->transaction_count--;
    garbage_collect(state);
    for (size_t i = 0; i < transaction->write_count; i++)
        free(transaction->writes[i].memory);
    for (size_t i = 0; i < transaction->read_count; i++)
        free(transaction->reads[i].memory);
    free(transaction->writes);
    free(transaction->reads);
    free(transaction);
    state_release(state);
}

static bool transaction_check(const struct transaction *transaction, struct error *error)
{
    ASSERT(!transaction->is_finished);
    if (transaction->state->is_spoilt)
        return error_set(error, ERROR_CONFLICT, "the state was read anew from the disk");
    return true;
}

static bool read_equals(const struct transaction_read *read, struct bytes from, struct bytes to)
{
    return bytes_equal(bytes_of(read->memory, read->from_size), from) &&
           bytes_equal(bytes_of(read->memory + read->from_size, read->to_size), to);
}

/* Notes that the transaction depends on these names; `to` empty: on one. */
static bool read_note(struct transaction *transaction, struct bytes from, struct bytes to,
                      struct error *error)
{
    size_t count = transaction->read_count;
    for (size_t i = count - MIN(count, (size_t)READS_COMPARED); i < count; i++) {
        if (read_equals(&transaction->reads[i], from, to))
            return true;
    }
    if (count == TRANSACTION_READS_MAX)
        return error_set(error, ERROR_LIMIT, "one transaction reads at most %d keys and ranges",
                         TRANSACTION_READS_MAX);
    if (count == transaction->read_capacity) {
        size_t capacity = MAX(2 * count, (size_t)16);
        void *grown = realloc(transaction->reads, capacity * sizeof(*transaction->reads));
        if (grown == NULL)
            return error_set(error, ERROR_NO_MEMORY, "no memory for a transaction");
        transaction->reads = grown;
        transaction->read_capacity = capacity;
    }
    uint8_t *memory = malloc(from.size + to.size + 1);
    if (memory == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a transaction");
    memcpy(memory, from.data, from.size);
    if (to.size > 0)
        memcpy(memory + from.size, to.data, to.size);
    transaction->reads[transaction->read_count++] =
        (struct transaction_read){ memory, (uint16_t)from.size, (uint16_t)to.size };
    return true;
}

static const struct version *version_of(const struct transaction *transaction, struct bytes name)
{
    const struct entry *entry = table_find(&transaction->state->table, name);
    return entry == NULL ? NULL : entry_at(entry, transaction->snapshot);
}

static bool name_get(struct transaction *transaction, struct bytes name, struct kv_entry *entry,
                     bool *found, struct error *error)
{
    bool is_written;
    size_t at = write_find(transaction, name, &is_written);
    if (is_written) {
        const struct transaction_write *write = &transaction->writes[at];
        *found = write->is_live;
        entry->value = write_value(write);
        entry->expires_ms = write->expires_ms;
        return true;
    }
    if (!read_note(transaction, name, (struct bytes){ 0 }, error))
        return false;
    const struct version *version = version_of(transaction, name);
    *found = version_is_seen(version, transaction->now_ms);
    if (*found) {
        entry->value = bytes_of(version->value, version->size);
        entry->expires_ms = version->expires_ms;
    }
    return true;
}

bool transaction_get(struct transaction *transaction, struct kv_key key, struct kv_entry *entry,
                     bool *found, struct error *error)
{
    struct name name;
    *entry = (struct kv_entry){ .key = key.key };
    return transaction_check(transaction, error) && name_of(&name, key, 1, error) &&
           name_get(transaction, name_view(&name), entry, found, error);
}

bool state_get(struct state *state, struct kv_key key, struct kv_entry *entry, bool *found,
               struct error *error)
{
    struct name name;
    if (state->is_spoilt)
        return error_set(error, ERROR_CONFLICT, "the state was read anew from the disk");
    if (!name_of(&name, key, 1, error))
        return false;
    const struct entry *at = table_find(&state->table, name_view(&name));
    const struct version *version = at == NULL ? NULL : at->newest;
    *entry = (struct kv_entry){ .key = key.key };
    *found = version_is_seen(version, state_now_ms(state));
    if (*found) {
        entry->value = bytes_of(version->value, version->size);
        entry->expires_ms = version->expires_ms;
    }
    return true;
}

/* What expired entries take that nobody has swept yet. */
static void expired_size(const struct transaction *transaction, uint64_t *size, uint64_t *count)
{
    struct state *state = transaction->state;
    if (state->due_ms > transaction->now_ms && !state->is_walking)
        return;
    for (const struct entry *at = table_seek(&state->table, (struct bytes){ 0 }); at != NULL;
         at = entry_next(at)) {
        const struct version *newest = at->newest;
        if (newest->is_live && !version_is_seen(newest, transaction->now_ms)) {
            *size += entry_cost(at->name_size, newest->size);
            (*count)++;
        }
    }
}

static bool quota_error(const struct state *state, bool is_size, struct error *error)
{
    if (is_size)
        return error_set(error, ERROR_LIMIT, "the application's state may have %llu bytes",
                         (unsigned long long)state->quota.size);
    return error_set(error, ERROR_LIMIT, "the application's state may have %llu entries",
                     (unsigned long long)state->quota.count);
}

/* Early, so that the function hears it; the commit decides. */
static bool quota_check(const struct transaction *transaction, int64_t size_delta,
                        int64_t count_delta, struct error *error)
{
    struct state *state = transaction->state;
    uint64_t size = state->size + (uint64_t)size_delta,
             count = state->count + (uint64_t)count_delta;
    if (size <= state->quota.size && count <= state->quota.count)
        return true;
    uint64_t free_size = 0, free_count = 0;
    expired_size(transaction, &free_size, &free_count);
    if (count_delta > 0 && count - free_count > state->quota.count)
        return quota_error(state, false, error);
    if (size_delta > 0 && size - free_size > state->quota.size)
        return quota_error(state, true, error);
    return true;
}

/* What the entry counts in the snapshot, or as the transaction wrote it. */
static void present_cost(const struct transaction *transaction, struct bytes name, bool is_written,
                         size_t at, int64_t *size, int64_t *count)
{
    const struct transaction_write *write = is_written ? &transaction->writes[at] : NULL;
    const struct version *version = is_written ? NULL : version_of(transaction, name);
    bool is_live = is_written ? write->is_live : version != NULL && version->is_live;
    size_t value_size = !is_live ? 0 : is_written ? write->value_size : version->size;
    *count = is_live ? 1 : 0;
    *size = is_live ? (int64_t)entry_cost(name.size, value_size) : 0;
}

static bool write_insert(struct transaction *transaction, size_t at, struct error *error)
{
    if (transaction->write_count == TRANSACTION_WRITES_MAX)
        return error_set(error, ERROR_LIMIT, "one transaction writes at most %d keys",
                         TRANSACTION_WRITES_MAX);
    if (transaction->write_count == transaction->write_capacity) {
        size_t capacity = MAX(2 * transaction->write_capacity, (size_t)8);
        void *grown = realloc(transaction->writes, capacity * sizeof(*transaction->writes));
        if (grown == NULL)
            return error_set(error, ERROR_NO_MEMORY, "no memory for a transaction");
        transaction->writes = grown;
        transaction->write_capacity = capacity;
    }
    memmove(&transaction->writes[at + 1], &transaction->writes[at],
            (transaction->write_count - at) * sizeof(*transaction->writes));
    transaction->writes[at] = (struct transaction_write){ 0 };
    transaction->write_count++;
    return true;
}

static bool name_write(struct transaction *transaction, struct bytes name, struct bytes value,
                       int64_t ttl_ms, bool is_live, struct error *error)
{
    bool is_written;
    size_t at = write_find(transaction, name, &is_written);
    int64_t size, count;
    present_cost(transaction, name, is_written, at, &size, &count);
    int64_t size_delta =
        transaction->size_delta - size + (is_live ? (int64_t)entry_cost(name.size, value.size) : 0);
    int64_t count_delta = transaction->count_delta - count + (is_live ? 1 : 0);
    size_t replaced =
        is_written ? name.size + (size_t)transaction->writes[at].value_size : (size_t)0;
    size_t bytes = transaction->write_bytes - replaced + name.size + value.size;
    if (bytes > TRANSACTION_BYTES_MAX)
        return error_set(error, ERROR_LIMIT, "one transaction writes at most %d bytes",
                         TRANSACTION_BYTES_MAX);
    if (is_live && !quota_check(transaction, size_delta, count_delta, error))
        return false;
    uint8_t *memory = malloc(name.size + value.size);
    if (memory == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a transaction");
    if (!is_written && !write_insert(transaction, at, error)) {
        free(memory);
        return false;
    }
    memcpy(memory, name.data, name.size);
    if (value.size > 0)
        memcpy(memory + name.size, value.data, value.size);
    struct transaction_write *write = &transaction->writes[at];
    free(write->memory);
    *write = (struct transaction_write){
        .memory = memory,
        .name_size = (uint16_t)name.size,
        .value_size = (uint32_t)value.size,
        .expires_ms = ttl_ms == 0 ? 0 : transaction->now_ms + ttl_ms,
        .is_live = is_live,
    };
    transaction->write_bytes = bytes;
    transaction->size_delta = size_delta;
    transaction->count_delta = count_delta;
    return true;
}

static bool value_check(struct bytes value, int64_t ttl_ms, struct error *error)
{
    if (value.size > KV_VALUE_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "a value has at most %d bytes, not %zu",
                         KV_VALUE_SIZE_MAX, value.size);
    if (ttl_ms < 0 || ttl_ms > KV_TTL_MS_MAX)
        return error_set(error, ERROR_INVALID, "a time to live is at most ten years");
    return true;
}

bool transaction_set(struct transaction *transaction, struct kv_key key, struct bytes value,
                     int64_t ttl_ms, struct error *error)
{
    struct name name;
    return transaction_check(transaction, error) && name_of(&name, key, 1, error) &&
           value_check(value, ttl_ms, error) &&
           name_write(transaction, name_view(&name), value, ttl_ms, true, error);
}

bool transaction_delete(struct transaction *transaction, struct kv_key key, bool *found,
                        struct error *error)
{
    struct name name;
    struct kv_entry entry;
    bool is_there;
    if (!transaction_check(transaction, error) || !name_of(&name, key, 1, error) ||
        !name_get(transaction, name_view(&name), &entry, &is_there, error))
        return false;
    if (is_there &&
        !name_write(transaction, name_view(&name), (struct bytes){ 0 }, 0, false, error))
        return false;
    *found = is_there;
    return true;
}

bool transaction_compare_and_set(struct transaction *transaction, struct kv_key key,
                                 const struct bytes *expected, struct bytes value, int64_t ttl_ms,
                                 bool *swapped, struct error *error)
{
    struct name name;
    struct kv_entry entry;
    bool is_there;
    if (!transaction_check(transaction, error) || !name_of(&name, key, 1, error) ||
        !value_check(value, ttl_ms, error) ||
        !name_get(transaction, name_view(&name), &entry, &is_there, error))
        return false;
    bool is_as_expected =
        expected == NULL ? !is_there : is_there && bytes_equal(entry.value, *expected);
    if (is_as_expected && !name_write(transaction, name_view(&name), value, ttl_ms, true, error))
        return false;
    *swapped = is_as_expected;
    return true;
}

/* The next thing a list sees: of the snapshot and of the transaction's writes, in order. */
struct walk {
    const struct transaction *transaction;
    const struct entry *entry;
    size_t write;
    struct bytes end; /* behind the last name */
};

static bool walk_next(struct walk *walk, struct bytes *name, struct kv_entry *found)
{
    const struct transaction *transaction = walk->transaction;
    for (;;) {
        const struct entry *entry = walk->entry;
        const struct transaction_write *write =
            walk->write < transaction->write_count ? &transaction->writes[walk->write] : NULL;
        if (entry != NULL && name_compare(entry_name(entry), walk->end) >= 0)
            entry = NULL;
        if (write != NULL && name_compare(write_name(write), walk->end) >= 0)
            write = NULL;
        if (entry == NULL && write == NULL)
            return false;
        int order = entry == NULL   ? 1
                    : write == NULL ? -1
                                    : name_compare(entry_name(entry), write_name(write));
        if (order <= 0)
            walk->entry = entry_next(entry);
        if (order >= 0)
            walk->write++;
        if (order >= 0 && write->is_live) {
            *name = write_name(write);
            *found =
                (struct kv_entry){ .value = write_value(write), .expires_ms = write->expires_ms };
            return true;
        }
        if (order >= 0)
            continue;
        const struct version *version = entry_at(entry, transaction->snapshot);
        if (!version_is_seen(version, transaction->now_ms))
            continue;
        *name = entry_name(entry);
        *found = (struct kv_entry){ .value = bytes_of(version->value, version->size),
                                    .expires_ms = version->expires_ms };
        return true;
    }
}

static bool list_start(const struct kv_range *range, struct name *from, struct name *to,
                       struct error *error)
{
    struct name after;
    if (range->limit == 0 || range->limit > KV_LIST_MAX)
        return error_set(error, ERROR_INVALID, "a page has 1 to %d keys", KV_LIST_MAX);
    if (!name_of(from, range->prefix, 0, error) ||
        !name_of(&after,
                 (struct kv_key){ range->prefix.space, range->after, range->prefix.is_node }, 0,
                 error))
        return false;
    *to = *from;
    to->bytes[to->size++] = 0xff; /* in no UTF-8 */
    if (range->after.size > 0 && name_compare(name_view(&after), name_view(from)) >= 0) {
        *from = after;
        from->bytes[from->size++] = '\0'; /* the next name in order */
    }
    return true;
}

bool transaction_list(struct transaction *transaction, const struct kv_range *range, kv_take *take,
                      void *context, bool *more, struct error *error)
{
    struct name from, to;
    if (!transaction_check(transaction, error) || !list_start(range, &from, &to, error))
        return false;
    bool ignored, has_more = false;
    struct walk walk = { .transaction = transaction,
                         .entry = table_seek(&transaction->state->table, name_view(&from)),
                         .write = write_find(transaction, name_view(&from), &ignored),
                         .end = name_view(&to) };
    struct bytes name;
    struct kv_entry entry;
    size_t space_size = range->prefix.space.size + 1;
    for (size_t count = 0; walk_next(&walk, &name, &entry); count++) {
        entry.key = bytes_part(name, space_size, name.size);
        has_more = count == range->limit || !take(context, &entry);
        if (has_more) { /* nothing behind this one was seen */
            memcpy(to.bytes, name.data, name.size);
            to.size = name.size;
            to.bytes[to.size++] = '\0';
            break;
        }
    }
    if (!read_note(transaction, name_view(&from), name_view(&to), error))
        return false;
    *more = has_more;
    return true;
}

bool transaction_export(struct transaction *transaction, struct kv_key after, kv_take *take,
                        void *context, bool *more, struct error *error)
{
    struct name from = { .size = 0 };
    after.is_node = kv_is_reserved(after.space);
    if (!transaction_check(transaction, error) ||
        (after.space.size > 0 && !name_of(&from, after, 0, error)))
        return false;
    if (from.size > 0)
        from.bytes[from.size++] = '\0';
    bool ignored, has_more = false;
    struct walk walk = { .transaction = transaction,
                         .entry = table_seek(&transaction->state->table, name_view(&from)),
                         .write = write_find(transaction, name_view(&from), &ignored),
                         .end = BYTES_LITERAL("\xff") };
    struct bytes name;
    struct kv_entry entry;
    while (!has_more && walk_next(&walk, &name, &entry)) {
        entry.space = bytes_part(name, 0, bytes_find(name, '\0'));
        entry.key = bytes_part(name, entry.space.size + 1, name.size);
        has_more = !take(context, &entry);
    }
    *more = has_more;
    return true;
}

int64_t transaction_now_ms(const struct transaction *transaction)
{
    return transaction->now_ms;
}

struct state_head transaction_head(const struct transaction *transaction)
{
    return (struct state_head){ transaction->snapshot, transaction->now_ms, transaction->digest };
}
