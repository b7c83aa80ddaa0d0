/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks: from a key's id or a token to an account, a role and scopes. */
#include "base/log.h"
#include "cmd/s3nd/api_trees.h"
#include "cmd/s3nd/node.h"
#include "core/hex.h"

#include <stdio.h>
#include <string.h>

/* What the key may do for one account; false: it has nothing to do with it. */
static bool role_in(const struct node *node, const struct digest32 *account,
                    const struct digest32 *id, struct ecdsa_public *key,
                    struct access_caller *caller)
{
    *caller = (struct access_caller){ .how = ACCESS_BY_KEY, .account = *account, .key = *id };
    const struct member *member = members_find(node->members, account, id);
    struct digest32 own;
    if (owners_account_of(node->owners, id, node_now_s(), &own, key) &&
        digest32_equal(&own, account)) {
        caller->role = ACCESS_ROLE_OWNER;
        caller->scopes = access_role_scopes(ACCESS_ROLE_OWNER);
    } else if (member != NULL) {
        caller->role = member->role;
        caller->scopes = member_scopes(member);
        *key = member->key;
        memcpy(caller->application, member->application, sizeof(caller->application));
    } else {
        return false;
    }
    snprintf(caller->actor, sizeof(caller->actor), "key:%s", hex_of_digest(id).text);
    return true;
}

/* The account of the application that the call is about, where the key has a part in it; else the
 * key's own; else the one that it joined first. */
bool node_key_find(void *context, const struct digest32 *id, struct bytes application,
                   struct ecdsa_public *key, struct access_caller *caller, struct error *error)
{
    const struct node *node = context;
    const struct registry_entry *entry =
        application.size == 0 ? NULL
                              : registry_entry_find(node->registry, name_of(application).text);
    if (entry != NULL && role_in(node, &entry->owner, id, key, caller))
        return true;
    struct digest32 own;
    if (owners_account_of(node->owners, id, node_now_s(), &own, key) &&
        role_in(node, &own, id, key, caller))
        return true;
    const struct member *member = members_first(node->members, id);
    if (member != NULL && role_in(node, &member->account, id, key, caller))
        return true;
    return error_set(error, ERROR_UNAUTHENTICATED, "no owner or member of this key is known here");
}

/* A token can do what it was made for, as long as its maker may. */
bool node_token_find(void *context, struct bytes text, struct access_caller *caller,
                     struct error *error)
{
    const struct node *node = context;
    const struct api_token *token;
    struct ecdsa_public key;
    if (!tokens_use(node->tokens, text, node_now_s(), &token, error))
        return false;
    if (!role_in(node, &token->account, &token->creator, &key, caller))
        return error_set(error, ERROR_UNAUTHENTICATED,
                         "this API token is void: who made it is no member any more");
    caller->how = ACCESS_BY_TOKEN;
    caller->scopes &= token->scopes & access_token_scopes();
    if (token->application[0] != '\0')
        memcpy(caller->application, token->application, sizeof(caller->application));
    snprintf(caller->actor, sizeof(caller->actor), "token:%s", token_id_text(&token->id).text);
    return true;
}

/* Without the port, in any case of letters. */
bool node_host_is_known(void *context, struct bytes authority)
{
    const struct node *node = context;
    size_t size = authority.size;
    while (size > 0 && authority.data[size - 1] >= '0' && authority.data[size - 1] <= '9')
        size--;
    bool has_port = size > 0 && authority.data[size - 1] == ':';
    struct bytes host = has_port ? bytes_part(authority, 0, size - 1) : authority;
    for (size_t i = 0; i < node->config->host_count; i++) {
        if (http_equal_fold(host, bytes_of_string(node->config->hosts[i])))
            return true;
    }
    return node->config->host_count == 0;
}

struct gateway_list node_page_origins(const struct node *node)
{
    static const char *origins[CONFIG_ORIGIN_COUNT_MAX];
    for (size_t i = 0; i < node->config->origin_count; i++)
        origins[i] = node->config->origins[i];
    return (struct gateway_list){ origins, node->config->origin_count };
}

bool node_signer_find(struct node *node, const struct gateway_call *call, const struct digest32 *id,
                      struct ecdsa_public *key)
{
    struct access_caller signer;
    struct error denied;
    return role_in(node, &call->owner, id, key, &signer) &&
           access_check(&signer, ACCESS_SCOPE_DEPLOY, call->application, &denied);
}

void node_tokens_close(struct node *node)
{
    struct error error;
    if (!tokens_keep(node->tokens, &error))
        log_error("tokens", &error);
    tokens_free(TAKE(node->tokens));
}
