/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/owners/claim: how the first owner becomes one; /v1/owners/keys: one key after the other. */
#include "base/log.h"
#include "cmd/s3nd/node.h"
#include "core/hex.h"

#include <stdio.h>

static void file_removed(void *context, struct ipc_message *answer, const struct error *error)
{
    (void)context;
    if (answer == NULL)
        log_error("remove claim-code", error);
}

static bool claim(struct node *node, const struct gateway_call *call, struct error *error)
{
    static const char *const keys[] = { "code", "public_key", NULL };
    AUTO_JSON json_t *body = NULL;
    const char *code;
    if (!json_parse(&body, call->request->body, error) ||
        !json_check_keys(body, keys, "claim", error) ||
        !json_get_string(body, "code", &code, error))
        return false;
    return claim_present(node->owners, bytes_of_string(code), &call->owner_key, &clock_system,
                         error);
}

void api_owner_claim(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    if (!claim(node, call, &error)) {
        LOG_LIMITED(LOG_LEVEL_WARN, "claim refused", "reason", error.text, NULL);
        gateway_answer_error(node->gateway, call->handle, &error,
                             claim_is_open(node->owners)
                                 ? "the code is in the file claim-code of the node's data folder"
                                 : "its operator can add your key to `owners`");
        return;
    }
    struct hex32 id = hex_of_digest(&call->owner);
    log_line(LOG_LEVEL_INFO, "claimed", "owner", id.text, NULL);
    char actor[ACTOR_SIZE_MAX + 1];
    snprintf(actor, sizeof(actor), "key:%s", id.text);
    struct change change = { call->owner, actor, node_now_s() };
    struct audit_event event = { "claim", id.text, "" };
    if (!audit_write(node->audit, &change, &event, &error))
        log_error("claim", &error);
    char details[128];
    snprintf(details, sizeof(details), "{\"change\":\"owner\",\"owner\":\"%s\"}", id.text);
    if (!node_record_event(node, "policy", details, &error))
        log_error("claim", &error);
    struct error ignored;
    if (!supervisor_request(node->supervisor, SUPERVISOR_CLAIM_CODE, (struct bytes){ 0 }, NULL, 0,
                            file_removed, NULL, &ignored))
        log_error("remove claim-code", &ignored);
    gateway_answer_json(node->gateway, call->handle, 201, json_pack("{s:s}", "owner", id.text));
}

/* --- keys of an account --- */

static json_t *keys_tree(struct node *node, const struct digest32 *account)
{
    size_t count;
    const struct owner_step *keys = owners_keys(node->owners, account, &count);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, owner_step_tree(&keys[i]));
    return json_pack("{s:s, s:o}", "account", hex_of_digest(account).text, "keys", list);
}

void api_owner_keys(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    gateway_answer_json(node->gateway, call->handle, 200, keys_tree(node, &call->owner));
}

static bool rotate(struct node *node, const struct gateway_call *call, struct error *error)
{
    static const char *const keys[] = { "key", "overlap_s", NULL };
    AUTO_JSON json_t *body = NULL;
    json_t *tree;
    struct owner_step step;
    int64_t overlap_s;
    struct change change = { call->owner, call->caller.actor, node_now_s() };
    return json_parse(&body, call->request->body, error) &&
           json_check_keys(body, keys, "rotation", error) &&
           json_get_object(body, "key", &tree, error) && owner_step_read(&step, tree, error) &&
           json_get_integer(body, "overlap_s", 0, OWNER_OVERLAP_S_MAX, &overlap_s, error) &&
           owners_rotate(node->owners, node->audit, &call->owner, &call->caller.key, &step,
                         overlap_s, &change, error);
}

void api_owner_rotate(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    if (!rotate(node, call, &error)) {
        gateway_answer_error(node->gateway, call->handle, &error, NULL);
        return;
    }
    struct hex32 id = hex_of_digest(&call->owner);
    log_line(LOG_LEVEL_INFO, "owner's key changed", "account", id.text, NULL);
    char details[128];
    snprintf(details, sizeof(details), "{\"change\":\"owner-key\",\"owner\":\"%s\"}", id.text);
    if (!node_record_event(node, "policy", details, &error))
        log_error("owner's key", &error);
    gateway_answer_json(node->gateway, call->handle, 200, keys_tree(node, &call->owner));
}
