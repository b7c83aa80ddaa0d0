/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/applications/{application}/versions, rollout and rollback. */
#include "base/log.h"
#include "cmd/s3nd/api_trees.h"
#include "core/hex.h"

#include <stdlib.h>
#include <string.h>

void api_version_list(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    const struct registry_entry *entry = own_entry(node, call, &error);
    if (entry == NULL) {
        api_change_failed(node, call, &error);
        return;
    }
    json_t *list = json_array();
    for (size_t i = entry->version_count; i > 0; i--)
        json_array_append_new(list, version_row_tree(entry, &entry->versions[i - 1]));
    gateway_answer_json(node->gateway, call->handle, 200,
                        json_pack("{s:s, s:o}", "application", entry->name, "versions", list));
}

void api_version_get(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    AUTO(application) struct application *application = NULL;
    AUTO_JSON json_t *reports = NULL;
    const struct registry_entry *entry = own_entry(node, call, &error);
    if (entry == NULL || !registry_version_show(node->registry, entry->name, call->number,
                                                &application, &reports, &error)) {
        api_change_failed(node, call, &error);
        return;
    }
    AUTO_JSON json_t *none = json_object();
    gateway_answer_json(node->gateway, call->handle, 200,
                        version_tree(entry, application, reports == NULL ? none : reports));
}

static void answer_row(struct node *node, const struct gateway_call *call, const char *name)
{
    const struct registry_entry *entry = registry_entry_find(node->registry, name);
    const struct version_row *row = entry == NULL ? NULL : registry_row(entry, call->number);
    struct http_answer gone = { .status = 204 };
    if (row == NULL)
        gateway_answer(node->gateway, call->handle, &gone);
    else
        gateway_answer_json(node->gateway, call->handle, 200, version_row_tree(entry, row));
}

typedef bool version_change(struct registry *registry, const char *name, uint64_t number,
                            const struct change *change, struct error *error);

static void version_changed(struct node *node, const struct gateway_call *call,
                            version_change *change_it)
{
    struct error error;
    struct name_text name = name_of(call->application);
    struct actor_text actor = actor_of(call);
    struct change change = { call->owner, actor.text, node_now_s() };
    if (own_entry(node, call, &error) == NULL ||
        !change_it(node->registry, name.text, call->number, &change, &error))
        api_change_failed(node, call, &error);
    else
        answer_row(node, call, name.text);
}

void api_version_delete(void *context, const struct gateway_call *call)
{
    version_changed(context, call, registry_version_delete);
}

void api_version_restore(void *context, const struct gateway_call *call)
{
    version_changed(context, call, registry_version_restore);
}

static bool sign(struct node *node, const struct gateway_call *call, const char *name,
                 struct error *error)
{
    static const char *const keys[] = { "signature", "key", NULL };
    AUTO_JSON json_t *body = NULL;
    json_t *key;
    const char *text;
    struct version_signer signer = { 0 };
    struct release_signature signature;
    struct ecdsa_public known;
    struct actor_text actor = actor_of(call);
    struct change change = { call->owner, actor.text, node_now_s() };
    bool is_complete;
    if (!json_parse(&body, call->request->body, error) ||
        !json_check_keys(body, keys, "signature", error) ||
        !json_get_string(body, "signature", &text, error) ||
        !json_get_object(body, "key", &key, error) ||
        !ecdsa_public_from_jwk(&signer.key, key, error) ||
        !release_parse(&signature, bytes_of_string(text), error))
        return false;
    memcpy(signer.text, text, strlen(text));
    AUTO(application) struct application *application = NULL;
    if (!registry_version_get(node->registry, name, call->number, &application, error))
        return false;
    /* The manifest's own signers need not be known here otherwise. */
    if (application->manifest->release.signer_count == 0 &&
        !node_signer_find(node, call, &signature.signer, &known))
        return error_set(error, ERROR_DENIED, "%.12s may not release for this owner",
                         hex_of_digest(&signature.signer).text);
    return registry_sign(node->registry, name, call->number, &signer, &change, &is_complete, error);
}

void api_version_sign(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    struct name_text name = name_of(call->application);
    if (own_entry(node, call, &error) == NULL || !sign(node, call, name.text, &error)) {
        api_change_failed(node, call, &error);
        return;
    }
    node_serving_changed(node, name.text);
    answer_row(node, call, name.text);
}

/* --- rolling out and back --- */

struct rolling {
    struct node *node;
    struct http_handle handle;
    char name[NAME_SIZE_MAX + 1];
    struct digest32 owner;
    struct actor_text actor;
    bool is_back;
    uint64_t number; /* 0: what was served before */
    unsigned weight;
};

static void roll_failed(const struct rolling *rolling, const struct error *error)
{
    if (error->code == ERROR_UNAVAILABLE)
        node_keeper_failed(rolling->node, error);
    gateway_answer_error(rolling->node->gateway, rolling->handle, error, NULL);
}

static void roll(const struct rolling *rolling)
{
    struct node *node = rolling->node;
    struct change change = { rolling->owner, rolling->actor.text, node_now_s() };
    struct error error;
    bool rolled =
        rolling->is_back
            ? registry_rollback(node->registry, rolling->name, rolling->number, &change, &error)
            : registry_rollout(node->registry, rolling->name, rolling->number, rolling->weight,
                               &change, &error);
    if (!rolled) {
        roll_failed(rolling, &error);
        return;
    }
    const struct registry_entry *entry = registry_entry_find(node->registry, rolling->name);
    if (entry->served != NULL)
        invoker_warm(node->invoker, entry->served);
    if (entry->canary != NULL)
        invoker_warm(node->invoker, entry->canary);
    node_serving_changed(node, rolling->name);
    log_line(LOG_LEVEL_INFO, rolling->is_back ? "rolled back" : "rolled out", "application",
             rolling->name, NULL);
    gateway_answer_json(node->gateway, rolling->handle, 200,
                        entry_tree(registry_entry_find(node->registry, rolling->name)));
}

static void refreshed(void *context, const struct deployment_result *result,
                      const struct error *error)
{
    struct rolling *rolling = context;
    if (result == NULL)
        roll_failed(rolling, error);
    else
        roll(rolling);
    free(rolling);
}

/* Which version is about to be served; 0: the one that is. */
static uint64_t rolled_number(const struct rolling *rolling, const struct registry_entry *entry)
{
    if (rolling->number != 0 || entry->canary != NULL)
        return rolling->number;
    return entry->previous;
}

/* The policy of today, and images of this compiler, before it is served again. */
static bool roll_start(struct rolling *rolling, bool *waits, struct error *error)
{
    struct node *node = rolling->node;
    const struct registry_entry *entry = registry_entry_find(node->registry, rolling->name);
    uint64_t number = rolled_number(rolling, entry);
    AUTO(application) struct application *application = NULL;
    AUTO(application) struct application *stored = NULL;
    AUTO_JSON json_t *reports = NULL;
    *waits = false;
    if (number == 0)
        return true;
    return registry_version_get(node->registry, rolling->name, number, &application, error) &&
           registry_version_show(node->registry, rolling->name, number, &stored, &reports, error) &&
           admission_check_version(&node->config->policy, stored->manifest, stored->images, reports,
                                   error) &&
           deployment_refresh(node->deployer, application, refreshed, rolling, waits, error);
}

static bool rolling_read(struct rolling *rolling, const struct gateway_call *call,
                         struct error *error)
{
    static const char *const back_keys[] = { "version_number", NULL };
    static const char *const out_keys[] = { "version_number", "weight", NULL };
    AUTO_JSON json_t *body = NULL;
    int64_t number = 0, weight = 100;
    struct name_text name = name_of(call->application);
    if (own_entry(rolling->node, call, error) == NULL ||
        !json_parse(&body, call->request->body, error) ||
        !json_check_keys(body, rolling->is_back ? back_keys : out_keys, "rollout", error) ||
        ((!rolling->is_back || json_object_get(body, "version_number") != NULL) &&
         !json_get_integer(body, "version_number", 1, INT64_MAX, &number, error)) ||
        (!rolling->is_back && !json_get_integer(body, "weight", 0, 100, &weight, error)))
        return false;
    memcpy(rolling->name, name.text, sizeof(rolling->name));
    rolling->number = (uint64_t)number;
    rolling->weight = (unsigned)weight;
    return true;
}

static void roll_begin(struct node *node, const struct gateway_call *call, bool is_back)
{
    struct error error;
    bool waits = false;
    struct rolling *rolling = malloc(sizeof(*rolling));
    if (rolling == NULL) {
        error_set(&error, ERROR_NO_MEMORY, "no memory for a rollout");
        api_change_failed(node, call, &error);
        return;
    }
    *rolling = (struct rolling){ .node = node,
                                 .handle = call->handle,
                                 .owner = call->owner,
                                 .actor = actor_of(call),
                                 .is_back = is_back };
    if (!rolling_read(rolling, call, &error) || !roll_start(rolling, &waits, &error)) {
        api_change_failed(node, call, &error);
        free(rolling);
    } else if (!waits) {
        roll(rolling);
        free(rolling);
    }
}

void api_rollout(void *context, const struct gateway_call *call)
{
    roll_begin(context, call, false);
}

void api_rollback(void *context, const struct gateway_call *call)
{
    roll_begin(context, call, true);
}
