/* SPDX-License-Identifier: Apache-2.0 */
/* What the server records in the event log, and how it serves it.  A load is recorded once per
 * version and image, before its first invocation: never for an invocation, nor for an instance. */
#include "base/log.h"
#include "cmd/s3nd/node.h"
#include "core/hex.h"

#include <stdio.h>
#include <string.h>

/* A node that can't record is not ready, until it can. */
static bool settled(struct node *node, bool recorded, const struct error *error)
{
    node->events_failed = !recorded;
    if (!recorded) {
        LOG_LIMITED(LOG_LEVEL_ERROR, "event log", "reason", error->text, NULL);
        node_keeper_failed(node, error);
    }
    return recorded;
}

/* Whether evidence shows the log as it is when it is given: then no keyset has to tell. */
static bool evidence_shows_log(const struct node *node)
{
    return strcmp(node->identity.parsed.events.event_register, "rtmr3") == 0;
}

static bool load_record(void *context, const struct digest32 *version, const struct digest32 *image,
                        struct error *error)
{
    struct node *node = context;
    struct event_load load = { *version, *image };
    bool is_new = false;
    bool recorded = event_copy_load(&node->events, node->keeper, &load, &is_new, error);
    if (recorded && is_new && !evidence_shows_log(node))
        recorded = identity_endorse_again(&node->identity, node->keeper, node->receipts, error);
    return settled(node, recorded, error);
}

struct load_recorder node_load_recorder(struct node *node)
{
    return (struct load_recorder){ node, load_record };
}

bool node_record_event(struct node *node, const char *kind, const char *details,
                       struct error *error)
{
    return settled(node, keeper_append(node->keeper, kind, details, error), error);
}

bool node_events_start(struct node *node, struct error *error)
{
    const struct config *config = node->config;
    char details[EVENT_SIZE_MAX];
    AUTO(hash) struct hash *owners = hash_new(HASH_SHA256);
    for (size_t i = 0; i < config->owner_count; i++) {
        struct digest32 id = ecdsa_public_id(&config->owners[i]);
        hash_update(owners, BYTES_OF(id.bytes));
    }
    struct digest32 digest = hash_finish32(owners);
    event_copy_init(&node->events);
    snprintf(details, sizeof(details),
             "{\"backend\":\"%s\",\"change\":\"start\",\"first_owner_claims\":%d,"
             "\"mitigations\":%d,\"no_smt\":%d,\"optimiser\":%d,\"owners\":\"%s\"}",
             config->backend, config->first_owner_claims, config->wants_mitigations,
             config->wants_no_smt, node->has_optimiser, hex_of_digest(&digest).text);
    return event_copy_policy(&node->events, node->keeper, details, error) ||
           error_within(error, "event log");
}

void api_events(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    if (!event_copy_refresh(&node->events, node->keeper, &error)) {
        node_keeper_failed(node, &error);
        gateway_answer_error(node->gateway, call->handle, &error, NULL);
        return;
    }
    struct http_field fields[] = {
        HTTP_FIELD("content-type", BYTES_LITERAL("application/jsonl")),
        HTTP_FIELD("cache-control", BYTES_LITERAL("no-store")),
    };
    struct http_answer answer = {
        .status = 200, .fields = fields, .field_count = 2, .body = buffer_view(&node->events.log)
    };
    gateway_answer(node->gateway, call->handle, &answer);
}
