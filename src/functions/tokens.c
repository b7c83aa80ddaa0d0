/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/tokens.h"
#include "base/secret.h"
#include "core/hex.h"
#include "crypto/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECORD_SIZE_MAX = 4096,
    USES_STORED_MAX = 256 /* in one sweep */
};
#define TAG_RECORD "token-tag"

struct tokens {
    struct store *store;
    struct audit *audit;
    struct token_tag tag;
    struct api_token *list;
    size_t count;
    size_t swept; /* uses are looked at from here on, so that none is always the last */
};

struct record_name {
    char text[BATCH_KEY_SIZE];
};

struct token_id_text token_id_text(const struct token_id *id)
{
    struct token_id_text text;
    hex_encode(text.text, BYTES_OF(id->bytes));
    return text;
}

static struct record_name record_of(const struct token_id *id)
{
    struct record_name name;
    snprintf(name.text, sizeof(name.text), "tokens/%s", token_id_text(id).text);
    return name;
}

static json_t *scopes_tree(uint32_t scopes)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < ACCESS_SCOPE_COUNT; i++) {
        if ((scopes >> i & 1) != 0)
            json_array_append_new(list, json_string(access_scope_name((enum access_scope)i)));
    }
    return list;
}

static bool scopes_read(uint32_t *scopes, const json_t *tree, struct error *error)
{
    json_t *list;
    if (!json_get_array(tree, "scopes", &list, error))
        return false;
    *scopes = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        enum access_scope scope;
        if (!access_scope_of_name(&scope, bytes_of_string(name == NULL ? "" : name), error))
            return false;
        *scopes |= 1u << scope;
    }
    return true;
}

static bool record_write(struct buffer *text, const struct api_token *token, struct error *error)
{
    AUTO_JSON json_t *tree = json_pack(
        "{s:s, s:s, s:I, s:s, s:I, s:s, s:s, s:I, s:s, s:o}", "account",
        hex_of_digest(&token->account).text, "application", token->application, "created_s",
        (json_int_t)token->created_s, "creator", hex_of_digest(&token->creator).text, "expires_s",
        (json_int_t)token->expires_s, "hash", hex_of_digest(&token->hash).text, "id",
        token_id_text(&token->id).text, "last_used_s", (json_int_t)token->last_used_s, "name",
        token->name, "scopes", scopes_tree(token->scopes));
    return tree == NULL ? error_set(error, ERROR_NO_MEMORY, "no memory for a token")
                        : json_canonical(text, tree, error);
}

static bool record_read(struct api_token *token, struct bytes text, struct error *error)
{
    AUTO_JSON json_t *tree = NULL;
    const char *application, *name;
    *token = (struct api_token){ 0 };
    if (!json_parse(&tree, text, error) ||
        !json_get_hex(tree, "account", token->account.bytes, sizeof(token->account.bytes), error) ||
        !json_get_hex(tree, "creator", token->creator.bytes, sizeof(token->creator.bytes), error) ||
        !json_get_hex(tree, "hash", token->hash.bytes, sizeof(token->hash.bytes), error) ||
        !json_get_hex(tree, "id", token->id.bytes, sizeof(token->id.bytes), error) ||
        !json_get_integer(tree, "created_s", 0, INT64_MAX, &token->created_s, error) ||
        !json_get_integer(tree, "expires_s", 0, INT64_MAX, &token->expires_s, error) ||
        !json_get_integer(tree, "last_used_s", 0, INT64_MAX, &token->last_used_s, error) ||
        !json_get_string(tree, "application", &application, error) ||
        !json_get_string(tree, "name", &name, error) || !scopes_read(&token->scopes, tree, error))
        return false;
    snprintf(token->application, sizeof(token->application), "%s", application);
    snprintf(token->name, sizeof(token->name), "%s", name);
    token->stored_used_s = token->last_used_s;
    return true;
}

static bool token_load(struct tokens *tokens, const char *record, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    uint64_t revision;
    if (tokens->count == TOKEN_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "more than %d tokens", TOKEN_COUNT_MAX);
    struct api_token *token = &tokens->list[tokens->count];
    if (!store_get(tokens->store, (struct store_key){ STORE_SPACE_NODE, record }, &text, &revision,
                   error) ||
        !record_read(token, buffer_view(&text), error))
        return error_within(error, "record %s", record);
    token->revision = revision;
    tokens->count++;
    return true;
}

/* Random once, in the store: a restored backup has the tokens of the node that it was made of. */
static bool tag_open(struct tokens *tokens, struct error *error)
{
    AUTO_BUFFER struct buffer value;
    struct store_key key = { STORE_SPACE_NODE, TAG_RECORD };
    uint64_t revision;
    buffer_init(&value, STORE_VALUE_SIZE_MAX);
    if (store_get(tokens->store, key, &value, &revision, error)) {
        if (value.size != sizeof(tokens->tag.bytes))
            return error_set(error, ERROR_CORRUPT, "record %s", TAG_RECORD);
        memcpy(tokens->tag.bytes, value.data, sizeof(tokens->tag.bytes));
        return true;
    }
    random_bytes(tokens->tag.bytes, sizeof(tokens->tag.bytes));
    return error->code == ERROR_NOT_FOUND &&
           store_put(tokens->store, key, BYTES_OF(tokens->tag.bytes), 0, &revision, error);
}

static bool list_load(struct tokens *tokens, struct error *error)
{
    char last[STORE_KEY_SIZE_MAX + 1] = "";
    for (bool more = true; more;) {
        AUTO_STORE_PAGE struct store_page page = { 0 };
        struct store_key prefix = { STORE_SPACE_NODE, "tokens/" };
        if (!store_list(tokens->store, prefix, last[0] == '\0' ? NULL : last, STORE_LIST_MAX, &page,
                        error))
            return error_within(error, "tokens");
        for (size_t i = 0; i < page.count; i++) {
            if (!token_load(tokens, page.entries[i].key, error))
                return false;
            memcpy(last, page.entries[i].key, sizeof(last));
        }
        more = page.more;
    }
    return true;
}

bool tokens_open(struct tokens **tokens, struct store *store, struct audit *audit,
                 struct error *error)
{
    AUTO(tokens) struct tokens *made = calloc(1, sizeof(*made));
    if (made != NULL)
        made->list = calloc(TOKEN_COUNT_MAX, sizeof(*made->list));
    if (made == NULL || made->list == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for tokens");
    made->store = store;
    made->audit = audit;
    if (!tag_open(made, error) || !list_load(made, error))
        return false;
    *tokens = TAKE(made);
    return true;
}

void tokens_free(struct tokens *tokens)
{
    if (tokens == NULL)
        return;
    free(tokens->list);
    free(tokens);
}

static struct api_token *find(const struct tokens *tokens, const struct token_id *id)
{
    for (size_t i = 0; i < tokens->count; i++) {
        if (memcmp(tokens->list[i].id.bytes, id->bytes, sizeof(id->bytes)) == 0)
            return &tokens->list[i];
    }
    return NULL;
}

const struct api_token *tokens_find(const struct tokens *tokens, const struct digest32 *account,
                                    const struct token_id *id)
{
    const struct api_token *token = find(tokens, id);
    return token != NULL && digest32_equal(&token->account, account) ? token : NULL;
}

size_t tokens_count(const struct tokens *tokens)
{
    return tokens->count;
}

const struct api_token *tokens_at(const struct tokens *tokens, size_t index)
{
    return &tokens->list[index];
}

static bool room_check(const struct tokens *tokens, const struct digest32 *account,
                       struct error *error)
{
    size_t count = 0;
    for (size_t i = 0; i < tokens->count; i++)
        count += digest32_equal(&tokens->list[i].account, account);
    if (count >= TOKEN_OF_ACCOUNT_MAX)
        return error_set(error, ERROR_LIMIT, "an account has at most %d tokens",
                         TOKEN_OF_ACCOUNT_MAX);
    return tokens->count < TOKEN_COUNT_MAX ||
           error_set(error, ERROR_LIMIT, "this node has %d tokens, the most it can",
                     TOKEN_COUNT_MAX);
}

/* "deploy read of app". */
static void describe(struct buffer *detail, const struct api_token *token)
{
    for (unsigned i = 0; i < ACCESS_SCOPE_COUNT; i++) {
        if ((token->scopes >> i & 1) != 0)
            buffer_format(detail, "%s%s", detail->size == 0 ? "" : " ",
                          access_scope_name((enum access_scope)i));
    }
    if (token->application[0] != '\0')
        buffer_format(detail, " of %s", token->application);
    buffer_append(detail, bytes_of("", 1));
}

static bool create(struct tokens *tokens, struct api_token *made, const struct change *change,
                   struct error *error)
{
    AUTO_BUFFER struct buffer text, detail;
    AUTO_BATCH struct batch batch;
    batch_init(&batch);
    buffer_init(&text, RECORD_SIZE_MAX);
    buffer_init(&detail, 1024);
    describe(&detail, made);
    struct token_id_text id = token_id_text(&made->id);
    struct audit_event event = { "token-create", id.text, (const char *)detail.data };
    if (!record_write(&text, made, error))
        return false;
    size_t write = batch_put(&batch, record_of(&made->id).text, buffer_view(&text), 0);
    if (!audit_apply(tokens->audit, &batch, tokens->store, change, &event, error))
        return false;
    made->revision = batch.writes[write].revision;
    return true;
}

bool tokens_create(struct tokens *tokens, const struct api_token *wanted,
                   const struct change *change, char text[TOKEN_TEXT_SIZE + 1],
                   const struct api_token **made, struct error *error)
{
    struct token_name name;
    struct api_token token = *wanted;
    if (!room_check(tokens, &wanted->account, error))
        return false;
    token_make(text, &name, &tokens->tag);
    token.id = name.id;
    token.hash = name.hash;
    token.created_s = change->now_s;
    token.last_used_s = token.stored_used_s = 0;
    if (!create(tokens, &token, change, error)) {
        secret_wipe(text, TOKEN_TEXT_SIZE);
        return false;
    }
    struct api_token *place = &tokens->list[tokens->count++];
    *place = token;
    *made = place;
    return true;
}

bool tokens_use(struct tokens *tokens, struct bytes text, int64_t now_s,
                const struct api_token **found, struct error *error)
{
    struct token_name name;
    if (!token_parse(&name, text, error))
        return false;
    if (memcmp(name.tag.bytes, tokens->tag.bytes, sizeof(name.tag.bytes)) != 0)
        return error_set(error, ERROR_UNAUTHENTICATED, "this API token is of another node");
    struct api_token *token = find(tokens, &name.id);
    if (token == NULL || !secret_equal(token->hash.bytes, name.hash.bytes, sizeof(name.hash.bytes)))
        return error_set(error, ERROR_UNAUTHENTICATED,
                         "this API token is unknown here, or was revoked");
    if (now_s >= token->expires_s)
        return error_set(error, ERROR_UNAUTHENTICATED, "this API token has expired");
    token->last_used_s = now_s;
    *found = token;
    return true;
}

static void forget(struct tokens *tokens, struct api_token *token)
{
    size_t index = (size_t)(token - tokens->list);
    memmove(token, token + 1, (--tokens->count - index) * sizeof(*token));
}

static bool token_delete(struct tokens *tokens, struct api_token *token, const char *action,
                         const struct change *change, struct error *error)
{
    AUTO_BATCH struct batch batch;
    batch_init(&batch);
    struct token_id_text shown = token_id_text(&token->id);
    struct audit_event event = { action, shown.text, token->name };
    batch_delete(&batch, record_of(&token->id).text, STORE_REVISION_ANY);
    if (!audit_apply(tokens->audit, &batch, tokens->store, change, &event, error))
        return false;
    forget(tokens, token);
    return true;
}

bool tokens_revoke(struct tokens *tokens, const struct digest32 *account, const struct token_id *id,
                   const struct change *change, struct error *error)
{
    struct api_token *token = find(tokens, id);
    if (token == NULL || !digest32_equal(&token->account, account))
        return error_set(error, ERROR_NOT_FOUND, "there is no token %s", token_id_text(id).text);
    return token_delete(tokens, token, "token-revoke", change, error);
}

/* Stores last uses that are at least `step_s` later than what is stored, of at most as many tokens
 * as one batch takes; `left` counts them down. */
static bool uses_store(struct tokens *tokens, int64_t step_s, size_t *left, struct error *error)
{
    AUTO_BATCH struct batch batch;
    struct api_token *stored[STORE_WRITES_MAX];
    size_t start = tokens->swept;
    batch_init(&batch);
    for (size_t i = 0; i<tokens->count && * left> 0 && batch_room(&batch) > 0; i++) {
        AUTO_BUFFER struct buffer text;
        struct api_token *token = &tokens->list[(start + i) % tokens->count];
        buffer_init(&text, RECORD_SIZE_MAX);
        tokens->swept = (start + i + 1) % tokens->count;
        if (token->last_used_s - token->stored_used_s < step_s)
            continue;
        if (!record_write(&text, token, error))
            return error_within(error, "token %s", token_id_text(&token->id).text);
        --*left;
        stored[batch.count] = token;
        batch_put(&batch, record_of(&token->id).text, buffer_view(&text), token->revision);
    }
    if (!batch_apply(&batch, tokens->store, error))
        return error_within(error, "last uses of tokens");
    for (size_t i = 0; i < batch.count; i++) {
        stored[i]->revision = batch.writes[i].revision;
        stored[i]->stored_used_s = stored[i]->last_used_s;
    }
    return true;
}

/* All of them, as long as each batch finds some. */
static bool uses_store_all(struct tokens *tokens, int64_t step_s, size_t left, struct error *error)
{
    for (size_t before = left + 1; left > 0 && left < before;) {
        before = left;
        if (!uses_store(tokens, step_s, &left, error))
            return false;
    }
    return true;
}

bool tokens_sweep(struct tokens *tokens, int64_t now_s, struct error *error)
{
    for (size_t i = 0; i < tokens->count; i++) {
        struct api_token *token = &tokens->list[i];
        struct change change = { token->account, "node", now_s };
        if (token->expires_s <= now_s - TOKEN_KEPT_S)
            return token_delete(tokens, token, "token-expire", &change, error);
    }
    return uses_store_all(tokens, TOKEN_USE_STEP_S, USES_STORED_MAX, error);
}

bool tokens_keep(struct tokens *tokens, struct error *error)
{
    return tokens == NULL || uses_store_all(tokens, 1, TOKEN_COUNT_MAX, error);
}
