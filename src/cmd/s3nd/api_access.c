/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/caller, /v1/tokens, /v1/members: who may work on an account. */
#include "base/log.h"
#include "base/terminal.h"
#include "cmd/s3nd/api_trees.h"
#include "cmd/s3nd/node.h"
#include "core/hex.h"
#include "functions/audit_head.h"

#include <stdio.h>
#include <string.h>

static void failed(struct node *node, const struct gateway_call *call, const struct error *error)
{
    if (error->code == ERROR_UNAVAILABLE)
        node_keeper_failed(node, error);
    gateway_answer_error(node->gateway, call->handle, error, NULL);
}

static struct change change_of(const struct gateway_call *call)
{
    return (struct change){ call->owner, call->caller.actor, node_now_s() };
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

void api_caller_get(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    const struct access_caller *caller = &call->caller;
    gateway_answer_json(node->gateway, call->handle, 200,
                        json_pack("{s:s, s:s, s:s, s:s, s:o}", "account",
                                  hex_of_digest(&caller->account).text, "actor", caller->actor,
                                  "role", access_role_name(caller->role), "application",
                                  caller->application, "scopes", scopes_tree(caller->scopes)));
}

/* A short text for people. */
static bool read_name(const json_t *body, const char *key, char name[NAME_SIZE_MAX + 1],
                      struct error *error)
{
    const char *text = "";
    if (json_object_get(body, key) != NULL && !json_get_string(body, key, &text, error))
        return false;
    if (!terminal_is_line(bytes_of_string(text)))
        return error_set(error, ERROR_INVALID,
                         "%s: must be a line of text, without characters that steer it: \"%s\"",
                         key, error_quote(bytes_of_string(text)).text);
    if (strlen(text) > NAME_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "%s: at most %d bytes", key, NAME_SIZE_MAX);
    memcpy(name, text, strlen(text) + 1);
    return true;
}

/* Of the account, or to come; those bound to one application give rights on that one only. */
static bool read_application(const struct gateway_call *call, const json_t *body,
                             char application[NAME_SIZE_MAX + 1], struct error *error)
{
    const char *only = call->caller.application;
    if (!read_name(body, "application", application, error))
        return false;
    if (application[0] != '\0' && !name_is_valid(application))
        return error_set(error, ERROR_INVALID, "application: %s is not an application's name",
                         error_quote(bytes_of_string(application)).text);
    if (only[0] == '\0' || strcmp(application, only) == 0)
        return true;
    if (application[0] != '\0')
        return error_set(error, ERROR_DENIED, "you may touch the application %s only", only);
    memcpy(application, only, strlen(only) + 1);
    return true;
}

/* --- tokens --- */

static bool read_scopes(const struct gateway_call *call, const json_t *body, uint32_t *scopes,
                        struct error *error)
{
    json_t *list;
    if (!json_get_array(body, "scopes", &list, error))
        return false;
    *scopes = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        enum access_scope scope;
        if (!json_is_string(item))
            return error_set(error, ERROR_INVALID, "scopes: must be names");
        if (!access_scope_of_name(
                &scope, bytes_of(json_string_value(item), json_string_length(item)), error))
            return false;
        if ((access_token_scopes() >> scope & 1) == 0)
            return error_set(error, ERROR_DENIED, "no token may have the scope `%s`",
                             access_scope_name(scope));
        if (!access_check(&call->caller, scope, (struct bytes){ 0 }, error))
            return error_within(error, "scopes");
        *scopes |= 1u << scope;
    }
    return *scopes != 0 || error_set(error, ERROR_INVALID, "scopes: at least one");
}

static bool token_read(const struct gateway_call *call, struct api_token *token,
                       struct error *error)
{
    static const char *const keys[] = { "application", "expires_in_s", "name", "scopes", NULL };
    AUTO_JSON json_t *body = NULL;
    int64_t life_s = TOKEN_LIFE_S_DEFAULT;
    *token = (struct api_token){ .account = call->owner, .creator = call->caller.key };
    if (!json_parse(&body, call->request->body, error) ||
        !json_check_keys(body, keys, "token", error) ||
        !read_name(body, "name", token->name, error) ||
        !read_application(call, body, token->application, error) ||
        !read_scopes(call, body, &token->scopes, error) ||
        (json_object_get(body, "expires_in_s") != NULL &&
         !json_get_integer(body, "expires_in_s", 1, TOKEN_LIFE_S_MAX, &life_s, error)))
        return false;
    token->expires_s = node_now_s() + life_s;
    return true;
}

static json_t *token_tree(const struct api_token *token)
{
    json_t *tree = json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:I, s:I}", "id", token_id_text(&token->id).text, "name",
        token->name, "application", token->application, "creator",
        hex_of_digest(&token->creator).text, "scopes", scopes_tree(token->scopes), "created_s",
        (json_int_t)token->created_s, "expires_s", (json_int_t)token->expires_s);
    if (tree != NULL && token->last_used_s != 0)
        json_object_set_new(tree, "last_used_s", json_integer(token->last_used_s));
    return tree;
}

void api_token_create(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct api_token wanted;
    const struct api_token *made;
    struct change change = change_of(call);
    struct error error;
    char text[TOKEN_TEXT_SIZE + 1];
    if (!token_read(call, &wanted, &error) ||
        !tokens_create(node->tokens, &wanted, &change, text, &made, &error)) {
        failed(node, call, &error);
        return;
    }
    json_t *tree = token_tree(made);
    json_object_set_new(tree, "token", json_string(text));
    secret_wipe(text, sizeof(text));
    gateway_answer_json(node->gateway, call->handle, 201, tree);
}

/* Members see their own, owners all: of the application, when they are bound to one. */
static bool is_visible(const struct gateway_call *call, const struct api_token *token)
{
    const char *only = call->caller.application;
    return digest32_equal(&token->account, &call->owner) &&
           (only[0] == '\0' || strcmp(only, token->application) == 0) &&
           (call->caller.role == ACCESS_ROLE_OWNER ||
            digest32_equal(&token->creator, &call->caller.key));
}

void api_token_list(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    json_t *list = json_array();
    for (size_t i = 0; i < tokens_count(node->tokens); i++) {
        const struct api_token *token = tokens_at(node->tokens, i);
        if (is_visible(call, token))
            json_array_append_new(list, token_tree(token));
    }
    gateway_answer_json(node->gateway, call->handle, 200, json_pack("{s:o}", "tokens", list));
}

void api_token_revoke(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct change change = change_of(call);
    struct error error;
    struct token_id id;
    const struct api_token *token = NULL;
    if (hex_decode(id.bytes, sizeof(id.bytes), call->receipt_id))
        token = tokens_find(node->tokens, &call->owner, &id);
    if (token == NULL || !is_visible(call, token)) {
        error_set(&error, ERROR_NOT_FOUND, "you have no token %s here",
                  error_quote(call->receipt_id).text);
        failed(node, call, &error);
    } else if (!tokens_revoke(node->tokens, &call->owner, &id, &change, &error)) {
        failed(node, call, &error);
    } else {
        struct http_answer answer = { .status = 204 };
        gateway_answer(node->gateway, call->handle, &answer);
    }
}

/* --- members --- */

static json_t *member_tree(const struct member *member)
{
    return json_pack("{s:s, s:s, s:s, s:b, s:s, s:I}", "key", hex_of_digest(&member->id).text,
                     "name", member->name, "role", access_role_name(member->role), "logs",
                     (member_scopes(member) & UINT32_C(1) << ACCESS_SCOPE_LOGS) != 0, "application",
                     member->application, "added_s", (json_int_t)member->added_s);
}

void api_member_list(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    json_t *list = json_array();
    for (size_t i = 0; i < members_count(node->members); i++) {
        const struct member *member = members_at(node->members, i);
        if (digest32_equal(&member->account, &call->owner))
            json_array_append_new(list, member_tree(member));
    }
    gateway_answer_json(
        node->gateway, call->handle, 200,
        json_pack("{s:s, s:o}", "account", hex_of_digest(&call->owner).text, "members", list));
}

static bool member_read(const struct gateway_call *call, struct member *member, struct error *error)
{
    static const char *const keys[] = { "application", "logs", "name", "public_key", "role", NULL };
    AUTO_JSON json_t *body = NULL;
    json_t *jwk;
    const char *role;
    *member = (struct member){ .account = call->owner };
    if (!json_parse(&body, call->request->body, error) ||
        !json_check_keys(body, keys, "member", error) ||
        !read_name(body, "name", member->name, error) ||
        !read_application(call, body, member->application, error) ||
        !json_get_string(body, "role", &role, error) ||
        !access_role_of_name(&member->role, bytes_of_string(role), error) ||
        !json_get_object(body, "public_key", &jwk, error) ||
        !ecdsa_public_from_jwk(&member->key, jwk, error))
        return false;
    const json_t *logs = json_object_get(body, "logs");
    if (logs != NULL && !json_is_boolean(logs))
        return error_set(error, ERROR_INVALID, "logs: must be true or false");
    member->reads_logs = json_is_true(logs);
    member->id = ecdsa_public_id(&member->key);
    if (!digest32_equal(&member->id, &call->digest))
        return error_set(error, ERROR_INVALID, "the path is not the id of public_key");
    return !digest32_equal(&member->id, &call->owner) ||
           error_set(error, ERROR_INVALID, "the account's own key is no member");
}

/* Who is bound to one application changes members of that one only. */
static bool member_check(struct node *node, const struct gateway_call *call,
                         const struct digest32 *id, struct error *error)
{
    const char *only = call->caller.application;
    const struct member *known = members_find(node->members, &call->owner, id);
    return only[0] == '\0' || known == NULL || strcmp(only, known->application) == 0 ||
           error_set(error, ERROR_DENIED, "you may touch the application %s only", only);
}

void api_member_put(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct change change = change_of(call);
    struct member member;
    struct error error;
    if (!member_read(call, &member, &error) || !member_check(node, call, &member.id, &error) ||
        !members_put(node->members, &member, &change, &error)) {
        failed(node, call, &error);
        return;
    }
    log_line(LOG_LEVEL_INFO, "member", "key", hex_of_digest(&member.id).text, "role",
             access_role_name(member.role), NULL);
    gateway_answer_json(node->gateway, call->handle, 200,
                        member_tree(members_find(node->members, &call->owner, &member.id)));
}

void api_member_remove(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct change change = change_of(call);
    struct error error;
    struct http_answer answer = { .status = 204 };
    if (!member_check(node, call, &call->digest, &error) ||
        !members_remove(node->members, &call->owner, &call->digest, &change, &error))
        failed(node, call, &error);
    else
        gateway_answer(node->gateway, call->handle, &answer);
}

/* --- the audit log --- */

enum {
    AUDIT_PAGE_COUNT = 200
};

void api_audit_read(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    struct audit_head head;
    struct audit_endorsement endorsement;
    AUTO_JSON json_t *entries = NULL;
    bool more = false;
    if (call->caller.application[0] != '\0') {
        error_set(&error, ERROR_DENIED, "the log is of the whole account, you may touch %s only",
                  call->caller.application);
        failed(node, call, &error);
        return;
    }
    if (!audit_read(node->audit, &call->owner, call->first, AUDIT_PAGE_COUNT, &entries, &more,
                    &error) ||
        !audit_head(node->audit, &call->owner, &head, &error) ||
        !receipt_book_sign_audit(node->receipts, &call->owner, &head, &endorsement, &error)) {
        failed(node, call, &error);
        return;
    }
    gateway_answer_json(node->gateway, call->handle, 200,
                        json_pack("{s:O, s:b, s:o}", "entries", entries, "more", (int)more,
                                  "endorsement", audit_endorsement_tree(&endorsement)));
}
