/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/applications: deploy, list, show, delete, restore, roll out and back. */
#include "base/log.h"
#include "cmd/s3nd/api_trees.h"
#include "cmd/s3nd/node.h"
#include "core/hex.h"
#include "crypto/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEPLOY_SIGNATURE_COUNT_MAX = 1
};

struct putting {
    struct node *node;
    struct http_handle handle;
};

static const char *hint_of(const struct error *error)
{
    switch (error->code) {
    case ERROR_NOT_FOUND:
        return "upload it with PUT /v1/blobs/{sha256} first";
    case ERROR_NO_SPACE:
        return "the node's disk is full";
    case ERROR_UNSUPPORTED:
        return "`s3n inspect FILE.wasm` says what a module needs";
    case ERROR_LIMIT:
        return "`s3n versions rm` and `s3n rm --purge` make room; the operator sets [quotas]";
    default:
        return strncmp(error->text, "policy.", 7) == 0
                   ? "the node's operator decides what it runs: [policy] of s3nd.toml"
                   : NULL;
    }
}

static void put_failed(struct node *node, struct http_handle handle, const struct error *error)
{
    if (error->code == ERROR_UNAVAILABLE)
        node_keeper_failed(node, error);
    LOG_LIMITED(LOG_LEVEL_WARN, "deployment refused", "reason", error->text, NULL);
    gateway_answer_error(node->gateway, handle, error, hint_of(error));
}

void node_serving_changed(struct node *node, const char *name)
{
    const struct registry_entry *entry = registry_entry_find(node->registry, name);
    node_publish_routes(node, name, entry);
    invoker_application_changed(node->invoker, name, entry == NULL ? NULL : entry->served,
                                entry == NULL ? NULL : entry->canary);
}

static void put_done(void *context, const struct deployment_result *result,
                     const struct error *error)
{
    struct putting *putting = context;
    struct node *node = putting->node;
    if (result == NULL) {
        put_failed(node, putting->handle, error);
    } else {
        struct application *application = result->application;
        const char *name = application->manifest->application;
        node_metrics_deployed(node->metrics);
        log_line(LOG_LEVEL_INFO, "deployed", "application", name, "version",
                 application->manifest->version, "manifest",
                 hex_of_digest(&application->manifest_digest).text, "serves",
                 result->is_served ? "yes" : "no", NULL);
        if (result->replaced && result->is_served)
            invoker_warm(node->invoker, application);
        node_serving_changed(node, name);
        gateway_answer_json(
            node->gateway, putting->handle, result->is_served ? result->replaced ? 200 : 201 : 202,
            version_tree(registry_entry_find(node->registry, name), application, NULL));
    }
    free(putting);
}

/* The number behind `key=` in the query, or `standard`. */
static bool query_number(const struct gateway_call *call, const char *key, unsigned max,
                         unsigned *number, struct error *error)
{
    struct bytes query = call->request->query, name = bytes_of_string(key);
    while (query.size > 0) {
        struct bytes pair = bytes_part(query, 0, bytes_find(query, '&'));
        query = bytes_part(query, pair.size + 1, query.size);
        if (!bytes_starts_with(pair, name) || pair.size <= name.size || pair.data[name.size] != '=')
            continue;
        struct bytes digits = bytes_part(pair, name.size + 1, pair.size);
        unsigned value = 0;
        bool valid = digits.size > 0 && digits.size <= 3;
        for (size_t i = 0; valid && i < digits.size; i++) {
            valid = digits.data[i] >= '0' && digits.data[i] <= '9';
            value = value * 10 + (unsigned)(digits.data[i] - '0');
        }
        if (!valid || value > max)
            return error_set(error, ERROR_INVALID, "%s: must be a number from 0 to %u", key, max);
        *number = value;
    }
    return true;
}

/* The key that a release signature names: the caller's, or one of the account. */
static bool signer_of(struct node *node, const struct gateway_call *call,
                      struct version_signer *signer, struct bytes text, struct error *error)
{
    struct release_signature signature;
    if (!release_parse(&signature, text, error))
        return false;
    *signer = (struct version_signer){ 0 };
    memcpy(signer->text, text.data, text.size);
    return node_signer_find(node, call, &signature.signer, &signer->key) ||
           error_set(error, ERROR_DENIED,
                     "the release is signed by %.12s, who may not release for this owner",
                     hex_of_digest(&signature.signer).text);
}

static bool put_start(struct node *node, const struct gateway_call *call, struct putting *putting,
                      struct error *error)
{
    struct version_signer signer;
    struct name_text name = name_of(call->application);
    struct actor_text actor = actor_of(call);
    const struct http_field *release = http_request_field(call->request, "s3n-release");
    struct deployment_request request = { .name = name.text,
                                          .canonical = call->request->body,
                                          .change = { call->owner, actor.text, node_now_s() },
                                          .signers = &signer,
                                          .weight = 100 };
    if (release != NULL) {
        if (!signer_of(node, call, &signer, release->value, error))
            return false;
        request.signer_count = DEPLOY_SIGNATURE_COUNT_MAX;
    }
    return query_number(call, "weight", 100, &request.weight, error) &&
           deployment_start(node->deployer, &request, put_done, putting, error);
}

void api_application_put(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    struct putting *putting = malloc(sizeof(*putting));
    if (putting == NULL) {
        error_set(&error, ERROR_NO_MEMORY, "no memory for a deployment");
        put_failed(node, call->handle, &error);
        return;
    }
    *putting = (struct putting){ node, call->handle };
    if (!put_start(node, call, putting, &error)) {
        free(putting);
        put_failed(node, call->handle, &error);
    }
}

void api_application_list(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    json_t *list = json_array();
    for (size_t i = 0; i < registry_count(node->registry); i++) {
        const struct registry_entry *entry = registry_at(node->registry, i);
        const char *only = call->caller.application;
        if (digest32_equal(&entry->owner, &call->owner) &&
            (only[0] == '\0' || strcmp(only, entry->name) == 0))
            json_array_append_new(list, entry_tree(entry));
    }
    gateway_answer_json(node->gateway, call->handle, 200, json_pack("{s:o}", "applications", list));
}

const struct registry_entry *own_entry(struct node *node, const struct gateway_call *call,
                                       struct error *error)
{
    struct name_text name = name_of(call->application);
    const struct registry_entry *entry = registry_entry_find(node->registry, name.text);
    if (entry != NULL && digest32_equal(&entry->owner, &call->owner))
        return entry;
    error_set(error, ERROR_NOT_FOUND, "you have no application %s here", name.text);
    return NULL;
}

void api_change_failed(struct node *node, const struct gateway_call *call,
                       const struct error *error)
{
    if (error->code == ERROR_UNAVAILABLE)
        node_keeper_failed(node, error);
    gateway_answer_error(node->gateway, call->handle, error,
                         error->code == ERROR_NOT_FOUND
                             ? "`s3n ls` lists yours, `s3n versions` an application's versions"
                             : NULL);
}

void api_application_get(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    const struct registry_entry *entry = own_entry(node, call, &error);
    if (entry == NULL)
        api_change_failed(node, call, &error);
    else
        gateway_answer_json(node->gateway, call->handle, 200, entry_tree(entry));
}

void api_application_delete(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    struct name_text name = name_of(call->application);
    struct actor_text actor = actor_of(call);
    struct change change = { call->owner, actor.text, node_now_s() };
    unsigned purge = 0;
    if (!query_number(call, "purge", 1, &purge, &error) || own_entry(node, call, &error) == NULL ||
        !registry_delete(node->registry, name.text, purge != 0, &change, &error)) {
        api_change_failed(node, call, &error);
        return;
    }
    log_line(LOG_LEVEL_INFO, purge != 0 ? "purged" : "deleted", "application", name.text, NULL);
    node_metrics_forget(node->metrics, name.text);
    node_serving_changed(node, name.text);
    struct http_answer answer = { .status = 204 };
    gateway_answer(node->gateway, call->handle, &answer);
}

void api_application_restore(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    struct name_text name = name_of(call->application);
    struct actor_text actor = actor_of(call);
    struct change change = { call->owner, actor.text, node_now_s() };
    if (own_entry(node, call, &error) == NULL ||
        !registry_restore(node->registry, name.text, &change, &error)) {
        api_change_failed(node, call, &error);
        return;
    }
    node_serving_changed(node, name.text);
    gateway_answer_json(node->gateway, call->handle, 200,
                        entry_tree(registry_entry_find(node->registry, name.text)));
}
