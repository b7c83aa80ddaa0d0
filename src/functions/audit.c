/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/audit.h"
#include "core/hex.h"
#include "crypto/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One owner's chain; read when it is used first. */
struct chain {
    struct chain *next;
    struct digest32 owner;
    struct audit_head head;
    uint64_t revision;
};

struct audit {
    struct store *store;
    struct chain *chains;
};

struct record_name {
    char text[BATCH_KEY_SIZE];
};

static struct record_name head_record(const struct digest32 *owner)
{
    struct record_name name;
    snprintf(name.text, sizeof(name.text), "audit-heads/%s", hex_of_digest(owner).text);
    return name;
}

static struct record_name entry_record(const struct digest32 *owner, uint64_t number)
{
    struct record_name name;
    snprintf(name.text, sizeof(name.text), "audit/%s/%012" PRIu64, hex_of_digest(owner).text,
             number);
    return name;
}

bool audit_open(struct audit **audit, struct store *store, struct error *error)
{
    struct audit *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the audit log");
    made->store = store;
    *audit = made;
    return true;
}

void audit_free(struct audit *audit)
{
    if (audit == NULL)
        return;
    while (audit->chains != NULL) {
        struct chain *chain = audit->chains;
        audit->chains = chain->next;
        free(chain);
    }
    free(audit);
}

static bool head_load(struct audit *audit, struct chain *chain, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    AUTO_JSON json_t *tree = NULL;
    struct record_name name = head_record(&chain->owner);
    struct error absent;
    int64_t number;
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    if (!store_get(audit->store, (struct store_key){ STORE_SPACE_NODE, name.text }, &text,
                   &chain->revision, &absent)) {
        if (absent.code == ERROR_NOT_FOUND) {
            chain->revision = 0;
            return true;
        }
        *error = absent;
        return false;
    }
    if (!json_parse(&tree, buffer_view(&text), error) ||
        !json_get_integer(tree, "number", 1, INT64_MAX, &number, error) ||
        !json_get_hex(tree, "digest", chain->head.digest.bytes, sizeof(chain->head.digest.bytes),
                      error))
        return error_within(error, "record %s", name.text);
    chain->head.number = (uint64_t)number;
    return true;
}

static bool chain_find(struct audit *audit, const struct digest32 *owner, struct chain **found,
                       struct error *error)
{
    for (struct chain *at = audit->chains; at != NULL; at = at->next) {
        if (digest32_equal(&at->owner, owner)) {
            *found = at;
            return true;
        }
    }
    struct chain *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the audit log");
    made->owner = *owner;
    if (!head_load(audit, made, error)) {
        free(made);
        return false;
    }
    made->next = audit->chains;
    audit->chains = made;
    *found = made;
    return true;
}

static bool entry_write(struct buffer *text, const struct chain *chain, const struct change *change,
                        const struct audit_event *event, struct error *error)
{
    AUTO_JSON json_t *tree = json_pack(
        "{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:I}", "action", event->action, "actor", change->actor,
        "detail", event->detail, "number", (json_int_t)chain->head.number + 1, "object",
        event->object, "owner", hex_of_digest(&change->owner).text, "previous",
        hex_of_digest(&chain->head.digest).text, "time_s", (json_int_t)change->now_s);
    return tree == NULL ? error_set(error, ERROR_NO_MEMORY, "no memory for the audit log")
                        : json_canonical(text, tree, error);
}

bool audit_prepare(struct audit *audit, struct batch *batch, const struct change *change,
                   const struct audit_event *event, struct audit_entry *entry, struct error *error)
{
    struct chain *chain = NULL;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, AUDIT_ENTRY_SIZE_MAX);
    if (audit == NULL)
        return true;
    if (!chain_find(audit, &change->owner, &chain, error) ||
        !entry_write(&text, chain, change, event, error))
        return error_within(error, "audit log");
    *entry = (struct audit_entry){ .owner = change->owner,
                                   .digest = sha256_of(buffer_view(&text)),
                                   .number = chain->head.number + 1 };
    char head[160];
    int size = snprintf(head, sizeof(head), "{\"digest\":\"%s\",\"number\":%" PRIu64 "}",
                        hex_of_digest(&entry->digest).text, entry->number);
    struct record_name entry_name = entry_record(&change->owner, entry->number);
    struct record_name head_name = head_record(&change->owner);
    batch_put(batch, entry_name.text, buffer_view(&text), 0);
    entry->head = batch_put(batch, head_name.text, bytes_of(head, (size_t)size), chain->revision);
    return true;
}

void audit_commit(struct audit *audit, const struct batch *batch, const struct audit_entry *entry)
{
    struct chain *chain = NULL;
    struct error impossible;
    if (audit == NULL || !chain_find(audit, &entry->owner, &chain, &impossible))
        return;
    chain->head = (struct audit_head){ entry->number, entry->digest };
    chain->revision = batch->writes[entry->head].revision;
}

bool audit_apply(struct audit *audit, struct batch *batch, struct store *store,
                 const struct change *change, const struct audit_event *event, struct error *error)
{
    struct audit_entry entry;
    if (!audit_prepare(audit, batch, change, event, &entry, error) ||
        !batch_apply(batch, store, error))
        return false;
    audit_commit(audit, batch, &entry);
    return true;
}

bool audit_write(struct audit *audit, const struct change *change, const struct audit_event *event,
                 struct error *error)
{
    AUTO_BATCH struct batch batch;
    batch_init(&batch);
    return audit == NULL || audit_apply(audit, &batch, audit->store, change, event, error);
}

bool audit_head(struct audit *audit, const struct digest32 *owner, struct audit_head *head,
                struct error *error)
{
    struct chain *chain = NULL;
    if (!chain_find(audit, owner, &chain, error))
        return false;
    *head = chain->head;
    return true;
}

bool audit_read(struct audit *audit, const struct digest32 *owner, uint64_t first, size_t count_max,
                json_t **entries, bool *more, struct error *error)
{
    struct audit_head head;
    AUTO_JSON json_t *list = json_array();
    if (!audit_head(audit, owner, &head, error))
        return false;
    for (uint64_t i = MAX(first, (uint64_t)1);
         i <= head.number && json_array_size(list) < count_max; i++) {
        AUTO_BUFFER struct buffer text;
        struct record_name name = entry_record(owner, i);
        uint64_t revision;
        buffer_init(&text, AUDIT_ENTRY_SIZE_MAX);
        if (!store_get(audit->store, (struct store_key){ STORE_SPACE_NODE, name.text }, &text,
                       &revision, error))
            return error_within(error, "audit log, entry %" PRIu64, i);
        if (json_array_append_new(list, json_stringn((const char *)text.data, text.size)) != 0)
            return error_set(error, ERROR_NO_MEMORY, "no memory for the audit log");
    }
    *more = MAX(first, (uint64_t)1) + json_array_size(list) <= head.number;
    *entries = TAKE(list);
    return true;
}

static bool has_all(const json_t *tree, const char *const *keys)
{
    while (*keys != NULL && json_object_get(tree, *keys) != NULL)
        keys++;
    return *keys == NULL;
}

bool audit_check(struct audit_head *head, struct bytes text, struct error *error)
{
    static const char *const keys[] = { "action", "actor",    "detail", "number", "object",
                                        "owner",  "previous", "time_s", NULL };
    AUTO_JSON json_t *tree = NULL;
    AUTO_BUFFER struct buffer again;
    struct digest32 previous;
    int64_t number;
    buffer_init(&again, AUDIT_ENTRY_SIZE_MAX);
    if (text.size > AUDIT_ENTRY_SIZE_MAX || !json_parse(&tree, text, error) ||
        !json_check_keys(tree, keys, "entry", error) || !has_all(tree, keys) ||
        !json_canonical(&again, tree, error) || !bytes_equal(buffer_view(&again), text) ||
        !json_get_integer(tree, "number", 1, INT64_MAX, &number, error) ||
        !json_get_hex(tree, "previous", previous.bytes, sizeof(previous.bytes), error))
        return error_set(error, ERROR_UNVERIFIED, "entry %" PRIu64 " is malformed",
                         head->number + 1);
    if ((uint64_t)number != head->number + 1)
        return error_set(error, ERROR_UNVERIFIED, "entry %" PRIu64 " is not there",
                         head->number + 1);
    if (!digest32_equal(&previous, &head->digest))
        return error_set(error, ERROR_UNVERIFIED,
                         "entry %" PRId64 " does not follow the one before it", number);
    *head = (struct audit_head){ (uint64_t)number, sha256_of(text) };
    return true;
}
