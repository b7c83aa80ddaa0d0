/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/members.h"
#include "core/hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECORD_SIZE_MAX = 4096
};

struct members {
    struct store *store;
    struct audit *audit;
    struct member *list;
    size_t count;
};

struct record_name {
    char text[BATCH_KEY_SIZE];
};

static struct record_name record_of(const struct digest32 *account, const struct digest32 *id)
{
    struct record_name name;
    snprintf(name.text, sizeof(name.text), "members/%s/%s", hex_of_digest(account).text,
             hex_of_digest(id).text);
    return name;
}

static bool record_write(struct buffer *text, const struct member *member, struct error *error)
{
    AUTO_JSON json_t *tree = json_pack(
        "{s:s, s:I, s:s, s:o, s:b, s:s, s:s}", "account", hex_of_digest(&member->account).text,
        "added_s", (json_int_t)member->added_s, "application", member->application, "key",
        ecdsa_public_to_jwk(&member->key), "logs", (int)member->reads_logs, "name", member->name,
        "role", access_role_name(member->role));
    return tree == NULL ? error_set(error, ERROR_NO_MEMORY, "no memory for a member")
                        : json_canonical(text, tree, error);
}

static bool record_read(struct member *member, struct bytes text, struct error *error)
{
    AUTO_JSON json_t *tree = NULL;
    const char *role, *application, *name;
    json_t *jwk;
    *member = (struct member){ 0 };
    if (!json_parse(&tree, text, error) ||
        !json_get_hex(tree, "account", member->account.bytes, sizeof(member->account.bytes),
                      error) ||
        !json_get_integer(tree, "added_s", 0, INT64_MAX, &member->added_s, error) ||
        !json_get_string(tree, "application", &application, error) ||
        !json_get_string(tree, "name", &name, error) ||
        !json_get_string(tree, "role", &role, error) ||
        !access_role_of_name(&member->role, bytes_of_string(role), error) ||
        !json_get_object(tree, "key", &jwk, error) ||
        !ecdsa_public_from_jwk(&member->key, jwk, error))
        return false;
    snprintf(member->application, sizeof(member->application), "%s", application);
    snprintf(member->name, sizeof(member->name), "%s", name);
    member->reads_logs = json_is_true(json_object_get(tree, "logs")); /* younger than records */
    member->id = ecdsa_public_id(&member->key);
    return true;
}

static bool member_load(struct members *members, const char *record, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    struct member *member = &members->list[members->count];
    uint64_t revision;
    if (members->count == MEMBER_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "more than %d members", MEMBER_COUNT_MAX);
    if (!store_get(members->store, (struct store_key){ STORE_SPACE_NODE, record }, &text, &revision,
                   error) ||
        !record_read(member, buffer_view(&text), error))
        return error_within(error, "record %s", record);
    member->revision = revision;
    members->count++;
    return true;
}

bool members_open(struct members **members, struct store *store, struct audit *audit,
                  struct error *error)
{
    AUTO(members) struct members *made = calloc(1, sizeof(*made));
    if (made != NULL)
        made->list = calloc(MEMBER_COUNT_MAX, sizeof(*made->list));
    if (made == NULL || made->list == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for members");
    made->store = store;
    made->audit = audit;
    char last[STORE_KEY_SIZE_MAX + 1] = "";
    for (bool more = true; more;) {
        AUTO_STORE_PAGE struct store_page page = { 0 };
        struct store_key prefix = { STORE_SPACE_NODE, "members/" };
        if (!store_list(store, prefix, last[0] == '\0' ? NULL : last, STORE_LIST_MAX, &page, error))
            return error_within(error, "members");
        for (size_t i = 0; i < page.count; i++) {
            if (!member_load(made, page.entries[i].key, error))
                return false;
            memcpy(last, page.entries[i].key, sizeof(last));
        }
        more = page.more;
    }
    *members = TAKE(made);
    return true;
}

void members_free(struct members *members)
{
    if (members == NULL)
        return;
    free(members->list);
    free(members);
}

uint32_t member_scopes(const struct member *member)
{
    return access_role_scopes(member->role) |
           (member->reads_logs ? UINT32_C(1) << ACCESS_SCOPE_LOGS : 0);
}

static struct member *find(const struct members *members, const struct digest32 *account,
                           const struct digest32 *id)
{
    for (size_t i = 0; i < members->count; i++) {
        struct member *at = &members->list[i];
        if (digest32_equal(&at->id, id) && digest32_equal(&at->account, account))
            return at;
    }
    return NULL;
}

const struct member *members_find(const struct members *members, const struct digest32 *account,
                                  const struct digest32 *id)
{
    return find(members, account, id);
}

const struct member *members_first(const struct members *members, const struct digest32 *id)
{
    const struct member *first = NULL;
    for (size_t i = 0; i < members->count; i++) {
        const struct member *at = &members->list[i];
        if (digest32_equal(&at->id, id) && (first == NULL || at->added_s < first->added_s))
            first = at;
    }
    return first;
}

size_t members_count(const struct members *members)
{
    return members->count;
}

const struct member *members_at(const struct members *members, size_t index)
{
    return &members->list[index];
}

static bool room_check(const struct members *members, const struct digest32 *account,
                       struct error *error)
{
    size_t count = 0;
    for (size_t i = 0; i < members->count; i++)
        count += digest32_equal(&members->list[i].account, account);
    if (count >= MEMBER_OF_ACCOUNT_MAX)
        return error_set(error, ERROR_LIMIT, "an account has at most %d members",
                         MEMBER_OF_ACCOUNT_MAX);
    return members->count < MEMBER_COUNT_MAX ||
           error_set(error, ERROR_LIMIT, "this node has %d members, the most it can",
                     MEMBER_COUNT_MAX);
}

bool members_put(struct members *members, const struct member *member, const struct change *change,
                 struct error *error)
{
    struct member made = *member;
    made.id = ecdsa_public_id(&made.key);
    made.added_s = change->now_s;
    struct member *known = find(members, &made.account, &made.id);
    if (known == NULL && !room_check(members, &made.account, error))
        return false;
    if (known != NULL)
        made.added_s = known->added_s;
    AUTO_BUFFER struct buffer text;
    AUTO_BATCH struct batch batch;
    batch_init(&batch);
    buffer_init(&text, RECORD_SIZE_MAX);
    struct record_name record = record_of(&made.account, &made.id);
    char detail[2 * NAME_SIZE_MAX + 32];
    snprintf(detail, sizeof(detail), "%s%s%s%s", access_role_name(made.role),
             made.reads_logs ? " and logs" : "", made.application[0] == '\0' ? "" : " of ",
             made.application);
    struct hex32 id = hex_of_digest(&made.id);
    struct audit_event event = { known == NULL ? "member-add" : "member-change", id.text, detail };
    if (!record_write(&text, &made, error))
        return false;
    size_t write =
        batch_put(&batch, record.text, buffer_view(&text), known == NULL ? 0 : known->revision);
    if (!audit_apply(members->audit, &batch, members->store, change, &event, error))
        return false;
    made.revision = batch.writes[write].revision;
    *(known == NULL ? &members->list[members->count++] : known) = made;
    return true;
}

bool members_remove(struct members *members, const struct digest32 *account,
                    const struct digest32 *id, const struct change *change, struct error *error)
{
    AUTO_BATCH struct batch batch;
    batch_init(&batch);
    struct member *known = find(members, account, id);
    struct hex32 shown = hex_of_digest(id);
    if (known == NULL)
        return error_set(error, ERROR_NOT_FOUND, "%.12s is no member", shown.text);
    struct record_name record = record_of(account, id);
    struct audit_event event = { "member-remove", shown.text, access_role_name(known->role) };
    batch_delete(&batch, record.text, known->revision);
    if (!audit_apply(members->audit, &batch, members->store, change, &event, error))
        return false;
    size_t index = (size_t)(known - members->list);
    memmove(known, known + 1, (--members->count - index) * sizeof(*known));
    return true;
}
