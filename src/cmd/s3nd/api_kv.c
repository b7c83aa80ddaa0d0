/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/applications/{application}/kv: an application's sealed state, for its owner.  Each request is
 * one transaction; writes are answered when they are on the disk. */
#include "base/log.h"
#include "cmd/s3nd/api_trees.h"
#include "cmd/s3nd/node.h"
#include "core/hex.h"
#include "crypto/base64.h"
#include "services/kv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGE_SIZE_MAX = 900 << 10, /* of the text of a page, about */
    ENTRY_TEXT_SIZE = 120,     /* what stands around key and value */
    PAGE_LIMIT_DEFAULT = 100,
};

static void fail(struct node *node, struct http_handle handle, const struct error *error)
{
    if (error->code == ERROR_SYSTEM || error->code == ERROR_CORRUPT ||
        error->code == ERROR_NO_SPACE)
        LOG_LIMITED(LOG_LEVEL_ERROR, "state", "error", error->text, NULL);
    gateway_answer_error(node->gateway, handle, error, NULL);
}

/* --- what the query says --- */

/* The decoded value of NAME=value; empty when it is not there.  false: it can't be decoded. */
static bool query_find(struct bytes query, const char *name, struct buffer *value)
{
    size_t name_size = strlen(name);
    buffer_clear(value);
    while (query.size > 0) {
        struct bytes pair = bytes_part(query, 0, bytes_find(query, '&'));
        query = bytes_part(query, pair.size + 1, query.size);
        if (bytes_find(pair, '=') != name_size || memcmp(pair.data, name, name_size) != 0)
            continue;
        struct bytes text = bytes_part(pair, name_size + 1, pair.size);
        for (size_t i = 0; i < text.size; i++) {
            uint8_t byte = text.data[i];
            if (byte == '%' && !hex_decode(&byte, 1, bytes_part(text, i + 1, 2)))
                return false;
            i += text.data[i] == '%' ? 2 : 0;
            buffer_append(value, bytes_of(&byte, 1));
        }
        return !value->failed;
    }
    return true;
}

static bool query_number(struct bytes query, const char *name, int64_t max, int64_t *number,
                         struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 20);
    bool is_good = query_find(query, name, &text);
    if (is_good && text.size == 0)
        return true; /* the default stays */
    int64_t read = 0;
    for (size_t i = 0; is_good && i < text.size; i++) {
        is_good = text.data[i] >= '0' && text.data[i] <= '9' && read <= max;
        read = read * 10 + (text.data[i] - '0');
    }
    if (!is_good || read > max)
        return error_set(error, ERROR_INVALID, "the query's %s is a number up to %lld", name,
                         (long long)max);
    *number = read;
    return true;
}

static bool query_text(struct bytes query, const char *name, struct buffer *text,
                       struct error *error)
{
    return query_find(query, name, text) ||
           error_set(error, ERROR_INVALID, "the query's %s is too long or badly escaped", name);
}

/* --- one request, one transaction --- */

struct asking {
    struct node *node;
    struct http_handle handle;
    struct state *state;
    struct transaction *transaction;
    int status; /* when it is written */
    uint64_t revision;
    struct digest32 digest;
};

static void asking_free(struct asking *asking)
{
    if (asking == NULL)
        return;
    transaction_end(asking->transaction);
    state_release(asking->state);
    free(asking);
}
DEFINE_AUTO(asking, asking_free)

/* NULL: the request was refused. */
static struct asking *asking_begin(struct node *node, const struct gateway_call *call)
{
    char name[NAME_SIZE_MAX + 1];
    struct error error;
    AUTO(asking) struct asking *asking = calloc(1, sizeof(*asking));
    snprintf(name, sizeof(name), "%.*s", (int)call->application.size,
             (const char *)call->application.data);
    const struct application *application = registry_find(node->registry, name);
    if (asking == NULL) {
        error_set(&error, ERROR_NO_MEMORY, "no memory for a request");
    } else if (application == NULL || !digest32_equal(&application->owner, &call->owner)) {
        error_set(&error, ERROR_NOT_FOUND, "you have no application %s here", name);
    } else {
        struct kv_state_id id = kv_state_id(name, &application->owner);
        asking->node = node;
        asking->handle = call->handle;
        const struct manifest_state *most = &application->manifest->state;
        struct state_quota quota = kv_quota((uint64_t)most->mib << 20, most->entries);
        if (states_get(node->states, id.text, &asking->state, &error) &&
            transaction_begin(&asking->transaction, asking->state, &error)) {
            state_set_quota(asking->state, &quota);
            return TAKE(asking);
        }
    }
    fail(node, call->handle, &error);
    return NULL;
}

static void asking_written(void *context, const struct error *error)
{
    AUTO(asking) struct asking *asking = context;
    if (error != NULL) {
        fail(asking->node, asking->handle, error);
        return;
    }
    gateway_answer_json(asking->node->gateway, asking->handle, asking->status,
                        json_pack("{s:I, s:s}", "revision", (json_int_t)asking->revision, "digest",
                                  hex_of_digest(&asking->digest).text));
}

/* Commits and answers once it is on the disk.  Takes over `asking`. */
static void asking_commit(struct asking *taken, int status)
{
    AUTO(asking) struct asking *asking = taken;
    struct transaction_outcome outcome;
    struct state_change *change = NULL;
    struct error error;
    if (!transaction_commit(asking->transaction, &change, &outcome, &error)) {
        fail(asking->node, asking->handle, &error);
        return;
    }
    transaction_end(TAKE(asking->transaction));
    asking->status = status;
    asking->revision = outcome.revision;
    asking->digest = outcome.after;
    if (states_write(asking->node->states, asking->state, change, NULL, asking_written, asking,
                     &error))
        (void)TAKE(asking);
    else
        fail(asking->node, asking->handle, &error);
}

static void asking_fail(struct asking *taken, const struct error *error)
{
    AUTO(asking) struct asking *asking = taken;
    fail(asking->node, asking->handle, error);
}

/* --- single entries --- */

static bool key_of(const struct gateway_call *call, struct buffer *text, struct kv_key *key,
                   struct error *error)
{
    buffer_init(text, KV_KEY_SIZE_MAX);
    if (!query_text(call->request->query, "key", text, error))
        return false;
    *key = (struct kv_key){ .space = call->kv_namespace, .key = buffer_view(text) };
    return true;
}

void api_kv_get(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    struct kv_key key;
    struct kv_entry entry;
    bool found = false;
    AUTO_BUFFER struct buffer text;
    AUTO(asking) struct asking *asking = asking_begin(node, call);
    buffer_init(&text, 1);
    if (asking == NULL)
        return;
    if (!key_of(call, &text, &key, &error) ||
        !transaction_get(asking->transaction, key, &entry, &found, &error)) {
        fail(node, call->handle, &error);
        return;
    }
    if (!found) {
        error_set(&error, ERROR_NOT_FOUND, "there is no such key");
        fail(node, call->handle, &error);
        return;
    }
    struct http_field type = { BYTES_LITERAL("content-type"),
                               BYTES_LITERAL("application/octet-stream") };
    struct http_answer answer = {
        .status = 200, .fields = &type, .field_count = 1, .body = entry.value
    };
    gateway_answer(node->gateway, call->handle, &answer);
}

/* In the log before it is done: another file has the state, and an entry too many harms nobody. */
static bool note(struct node *node, const struct gateway_call *call, const char *action,
                 struct error *error)
{
    struct name_text name = name_of(call->application);
    char namespace[256];
    struct change change = { call->owner, call->caller.actor, node_now_s() };
    struct audit_event event = { action, name.text, namespace };
    snprintf(namespace, sizeof(namespace), "%.*s", (int)MIN(call->kv_namespace.size, (size_t)200),
             (const char *)call->kv_namespace.data);
    return audit_write(node->audit, &change, &event, error);
}

void api_kv_set(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    struct kv_key key;
    int64_t ttl_ms = 0;
    AUTO_BUFFER struct buffer text;
    struct asking *asking = asking_begin(node, call);
    buffer_init(&text, 1);
    if (asking == NULL)
        return;
    if (key_of(call, &text, &key, &error) &&
        query_number(call->request->query, "ttl_ms", KV_TTL_MS_MAX, &ttl_ms, &error) &&
        transaction_set(asking->transaction, key, call->request->body, ttl_ms, &error) &&
        note(node, call, "kv-set", &error))
        asking_commit(asking, 200);
    else
        asking_fail(asking, &error);
}

void api_kv_delete(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    struct kv_key key;
    bool found = false;
    AUTO_BUFFER struct buffer text;
    struct asking *asking = asking_begin(node, call);
    buffer_init(&text, 1);
    if (asking == NULL)
        return;
    bool done = key_of(call, &text, &key, &error) &&
                transaction_delete(asking->transaction, key, &found, &error);
    if (done && !found)
        error_set(&error, ERROR_NOT_FOUND, "there is no such key");
    done = done && found && note(node, call, "kv-delete", &error);
    if (done)
        asking_commit(asking, 200);
    else
        asking_fail(asking, &error);
}

/* --- pages --- */

struct page {
    json_t *entries;
    size_t size, limit, count;
    bool has_values;
    bool failed;
};

static bool row_add_value(json_t *row, struct bytes value)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, base64_text_size(KV_VALUE_SIZE_MAX) + 1);
    base64_append(&text, value);
    buffer_append(&text, bytes_of("", 1));
    return !text.failed &&
           json_object_set_new(row, "value", json_string((const char *)text.data)) == 0;
}

/* The node's own entries are shown by what the digest has of them. */
static bool row_add_hash(json_t *row, const struct kv_entry *entry)
{
    struct digest32 hash = kv_entry_hash(entry->value, entry->expires_ms);
    return json_object_set_new(row, "hash", json_string(hex_of_digest(&hash).text)) == 0;
}

static bool page_take(void *context, const struct kv_entry *entry)
{
    struct page *page = context;
    bool is_hidden = kv_is_reserved(entry->space);
    struct bytes value = page->has_values && !is_hidden ? entry->value : (struct bytes){ 0 };
    size_t size = 2 * entry->key.size + base64_text_size(value.size) + ENTRY_TEXT_SIZE;
    if (page->count == page->limit || (page->count > 0 && page->size + size > PAGE_SIZE_MAX))
        return false;
    json_t *row =
        json_pack("{s:o, s:I}", "key", json_stringn((const char *)entry->key.data, entry->key.size),
                  "size", (json_int_t)entry->value.size);
    page->failed = page->failed || row == NULL;
    if (entry->space.size > 0)
        json_object_set_new(row, "namespace",
                            json_stringn((const char *)entry->space.data, entry->space.size));
    if (entry->expires_ms != 0)
        json_object_set_new(row, "expires_ms", json_integer((json_int_t)entry->expires_ms));
    if (is_hidden)
        page->failed = page->failed || !row_add_hash(row, entry);
    else if (page->has_values)
        page->failed = page->failed || !row_add_value(row, value);
    page->failed = page->failed || json_array_append_new(page->entries, row) != 0;
    page->size += size;
    page->count++;
    return !page->failed;
}

static void page_answer(const struct asking *asking, struct page *page, bool more)
{
    struct state_head head = transaction_head(asking->transaction);
    struct state_facts facts = state_facts(asking->state);
    struct error error;
    if (page->failed) {
        json_decref(page->entries);
        error_set(&error, ERROR_NO_MEMORY, "no memory for a list");
        fail(asking->node, asking->handle, &error);
        return;
    }
    gateway_answer_json(
        asking->node->gateway, asking->handle, 200,
        json_pack("{s:I, s:s, s:I, s:I, s:o, s:b}", "revision", (json_int_t)head.revision, "digest",
                  hex_of_digest(&head.digest).text, "count", (json_int_t)facts.count, "size",
                  (json_int_t)facts.size, "entries", page->entries, "more", more));
}

void api_kv_list(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    int64_t limit = PAGE_LIMIT_DEFAULT, values = 0;
    bool more = false;
    AUTO_BUFFER struct buffer prefix, after;
    AUTO(asking) struct asking *asking = asking_begin(node, call);
    struct bytes query = call->request->query;
    buffer_init(&prefix, KV_KEY_SIZE_MAX);
    buffer_init(&after, KV_KEY_SIZE_MAX);
    if (asking == NULL)
        return;
    struct page page = { .entries = json_array() };
    bool done = query_text(query, "prefix", &prefix, &error) &&
                query_text(query, "after", &after, &error) &&
                query_number(query, "limit", KV_LIST_MAX, &limit, &error) &&
                query_number(query, "values", 1, &values, &error);
    page.has_values = values == 1;
    page.limit = (size_t)limit;
    struct kv_range range = { .prefix = { .space = call->kv_namespace,
                                          .key = buffer_view(&prefix) },
                              .after = buffer_view(&after),
                              .limit = (size_t)limit };
    if (done && transaction_list(asking->transaction, &range, page_take, &page, &more, &error)) {
        page_answer(asking, &page, more);
        return;
    }
    json_decref(page.entries);
    fail(node, call->handle, &error);
}

/* Facts, and a page of all namespaces when a limit is given. */
void api_kv_show(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    int64_t limit = 0;
    bool more = false;
    AUTO_BUFFER struct buffer space, after;
    AUTO(asking) struct asking *asking = asking_begin(node, call);
    struct bytes query = call->request->query;
    buffer_init(&space, KV_NAMESPACE_SIZE_MAX);
    buffer_init(&after, KV_KEY_SIZE_MAX);
    if (asking == NULL)
        return;
    struct page page = { .entries = json_array(), .has_values = true };
    bool done = query_text(query, "after_namespace", &space, &error) &&
                query_text(query, "after_key", &after, &error) &&
                query_number(query, "limit", KV_LIST_MAX, &limit, &error);
    page.limit = (size_t)limit;
    struct kv_key from = { .space = buffer_view(&space), .key = buffer_view(&after) };
    if (done && transaction_export(asking->transaction, from, page_take, &page, &more, &error)) {
        page_answer(asking, &page, more);
        return;
    }
    json_decref(page.entries);
    fail(node, call->handle, &error);
}

/* --- many entries at once --- */

static bool import_entry(struct transaction *transaction, const json_t *row, struct buffer *value,
                         struct error *error)
{
    static const char *const keys[] = { "namespace", "key", "value", "expires_ms", NULL };
    const char *space, *key, *text;
    int64_t expires_ms = 0;
    if (!json_check_keys(row, keys, "entry", error) ||
        !json_get_string(row, "namespace", &space, error) ||
        !json_get_string(row, "key", &key, error) || !json_get_string(row, "value", &text, error) ||
        (json_object_get(row, "expires_ms") != NULL &&
         !json_get_integer(row, "expires_ms", 1, INT64_MAX, &expires_ms, error)))
        return false;
    size_t size;
    if (!base64_decode(value->data, KV_VALUE_SIZE_MAX, &size, bytes_of_string(text)))
        return error_set(error, ERROR_INVALID, "a value is not base64 of at most %d bytes",
                         KV_VALUE_SIZE_MAX);
    int64_t ttl_ms = expires_ms == 0 ? 0 : expires_ms - transaction_now_ms(transaction);
    if (ttl_ms < 0 || (ttl_ms == 0 && expires_ms != 0))
        return true; /* it has expired on the way */
    return transaction_set(
        transaction,
        (struct kv_key){ .space = bytes_of_string(space), .key = bytes_of_string(key) },
        bytes_of(value->data, size), ttl_ms, error);
}

static bool import_entries(struct transaction *transaction, struct bytes body, struct error *error)
{
    static const char *const keys[] = { "entries", NULL };
    AUTO_JSON json_t *root = NULL;
    AUTO_BUFFER struct buffer value;
    json_t *entries;
    size_t index;
    json_t *row;
    buffer_init(&value, KV_VALUE_SIZE_MAX);
    if (buffer_reserve(&value, KV_VALUE_SIZE_MAX) == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for values");
    if (!json_parse(&root, body, error) || !json_check_keys(root, keys, "import", error) ||
        !json_get_array(root, "entries", &entries, error))
        return false;
    json_array_foreach(entries, index, row)
    {
        if (!import_entry(transaction, row, &value, error))
            return error_within(error, "entry %zu", index);
    }
    return true;
}

void api_kv_import(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    struct asking *asking = asking_begin(node, call);
    if (asking == NULL)
        return;
    if (import_entries(asking->transaction, call->request->body, &error) &&
        note(node, call, "kv-import", &error))
        asking_commit(asking, 200);
    else
        asking_fail(asking, &error);
}
