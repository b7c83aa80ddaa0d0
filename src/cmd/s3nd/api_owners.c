/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/owners/claim: how the first owner becomes one. */
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
