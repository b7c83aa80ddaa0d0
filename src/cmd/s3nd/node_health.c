/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/node_health.h"
#include "base/log.h"
#include "cmd/s3nd/node.h"
#include "core/time.h"

#include <string.h>

static const struct {
    const char *name, *text;
} causes[] = {
    [NODE_STOPPING] = { "stopping", "stopping" },
    [NODE_KEEPER_LOST] = { "keeper", "no keeper" },
    [NODE_EVENT_LOG] = { "event-log", "event log: what is loaded can't be recorded" },
    [NODE_KEYSET_ENDED] = { "keyset", "the keyset is past its end" },
    [NODE_STORE_FAILED] = { "store", "the store can't be written" },
    [NODE_WORKERS] = { "workers", "no worker can be started" },
};
_Static_assert(ARRAY_COUNT(causes) == NODE_CAUSE_COUNT, "a row each");

#define PROBE_PLACE ((struct store_key){ STORE_SPACE_NODE, "health/probe" })

const char *node_cause_text(enum node_cause cause)
{
    return causes[cause].text;
}

const char *node_cause_name(enum node_cause cause)
{
    return causes[cause].name;
}

void node_health_start(struct node *node)
{
    node->health.started_s = node_now_s();
    node->health.started_ns = clock_monotonic_ns(&clock_system);
}

int64_t node_uptime_s(const struct node *node)
{
    return (int64_t)((clock_monotonic_ns(&clock_system) - node->health.started_ns) / 1000000000u);
}

bool node_evidence(struct node *node, const struct nonce32 *nonce, struct buffer *evidence,
                   struct error *error)
{
    if (!keeper_evidence(node->keeper, &node->identity.keyset_digest, nonce, evidence, error)) {
        node->health.evidence_failures++;
        return false;
    }
    node->health.evidence_count++;
    node->health.evidence_s = node_now_s();
    return true;
}

void node_health_worker(struct node *node, bool is_started)
{
    node->health.workers_failed = !is_started;
}

/* What failed to be written may be possible again; nobody would find out if nobody tried. */
static void store_look(struct node *node)
{
    struct node_health *health = &node->health;
    uint64_t failures = states_counts(node->states).failures, revision;
    struct error error;
    if (failures != health->state_failures_seen || store_write_failed(node->store)) {
        health->store_failed = !store_put(node->store, PROBE_PLACE, BYTES_LITERAL("?"),
                                          STORE_REVISION_ANY, &revision, &error);
        if (health->store_failed)
            LOG_LIMITED(LOG_LEVEL_WARN, "store", "reason", error.text, NULL);
        else
            health->state_failures_seen = failures;
    } else {
        health->store_failed = false;
    }
}

void node_health_look(struct node *node)
{
    struct node_health *health = &node->health;
    uint64_t now_ns = clock_monotonic_ns(&clock_system);
    struct error error;
    if (node->stopping || (health->looked_ns != 0 &&
                           now_ns - health->looked_ns < NODE_HEALTH_LOOK_MS * UINT64_C(1000000)))
        return;
    health->looked_ns = now_ns;
    if (!node->keeper_is_lost && !event_copy_refresh(&node->events, node->keeper, &error)) {
        if (error.code == ERROR_TIMEOUT) /* it has nothing to wait for: it hangs */
            error_set(&error, ERROR_UNAVAILABLE, "the keeper does not answer");
        node_keeper_failed(node, &error);
    }
    if (!node->keeper_is_lost)
        store_look(node);
    if (health->workers_failed)
        (void)!node_worker_try(node);
}

bool node_has_cause(const struct node *node, enum node_cause cause)
{
    switch (cause) {
    case NODE_STOPPING:
        return node->stopping;
    case NODE_KEEPER_LOST:
        return node->keeper_is_lost;
    case NODE_EVENT_LOG:
        return node->events_failed;
    case NODE_KEYSET_ENDED:
        return node_now_s() >= node->identity.parsed.validity.not_after_s;
    case NODE_STORE_FAILED:
        return node->health.store_failed;
    case NODE_WORKERS:
        return node->health.workers_failed;
    case NODE_CAUSE_COUNT:
        break;
    }
    return false;
}

bool node_is_ready(const struct node *node)
{
    for (unsigned i = 0; i < NODE_CAUSE_COUNT; i++)
        if (node_has_cause(node, (enum node_cause)i))
            return false;
    return true;
}

/* --- /status --- */

static json_t *time_tree(int64_t seconds)
{
    char text[TIME_TEXT_SIZE + 1];
    return seconds > 0 && time_format(text, seconds) ? json_string(text) : json_null();
}

static json_t *causes_tree(const struct node *node)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < NODE_CAUSE_COUNT; i++)
        if (node_has_cause(node, (enum node_cause)i))
            json_array_append_new(
                list, json_pack("{s:s, s:s}", "cause", causes[i].name, "message", causes[i].text));
    return list;
}

static json_t *collateral_tree(const struct node *node)
{
    struct node_collateral_state state = node_collateral_state(node);
    if (!state.is_wanted)
        return json_null();
    return json_pack("{s:b, s:I, s:o, s:I, s:I, s:s}", "there", state.is_there, "age_s",
                     (json_int_t)state.age_s, "until", time_tree(state.next_update_s), "asked",
                     (json_int_t)state.asked, "failed", (json_int_t)state.failed, "error",
                     state.error);
}

static json_t *tee_tree(const struct node *node)
{
    const struct node_health *health = &node->health;
    const struct keyset_validity *validity = &node->identity.parsed.validity;
    json_t *evidence =
        json_pack("{s:I, s:I, s:o}", "made", (json_int_t)health->evidence_count, "failed",
                  (json_int_t)health->evidence_failures, "last", time_tree(health->evidence_s));
    return json_pack("{s:s, s:b, s:o, s:o, s:{s:o, s:o}, s:{s:b}, s:{s:I, s:b}}", "platform",
                     node->info.platform, "simulated", strcmp(node->info.platform, "sim") == 0,
                     "evidence", evidence, "collateral", collateral_tree(node), "keyset", "from",
                     time_tree(validity->not_before_s), "until", time_tree(validity->not_after_s),
                     "keeper", "connected", !node->keeper_is_lost, "event_log", "entries",
                     (json_int_t)node->events.count, "recording", !node->events_failed);
}

json_t *node_health_tree(struct node *node)
{
    struct invoker_counts counts = invoker_counts(node->invoker);
    struct states_counts states = states_counts(node->states);
    node_health_look(node);
    return json_pack(
        "{s:b, s:o, s:s, s:s, s:o, s:I, s:s, s:o, s:{s:I, s:I, s:I, s:I, s:I}, s:I, s:{s:I, s:I}, "
        "s:o}",
        "ready", node_is_ready(node), "causes", causes_tree(node), "version", S3N_VERSION, "node",
        node->info.node, "started", time_tree(node->health.started_s), "uptime_s",
        (json_int_t)node_uptime_s(node), "backend", node->config->backend, "tee", tee_tree(node),
        "workers", "now", (json_int_t)counts.workers, "running", (json_int_t)counts.running,
        "waiting", (json_int_t)counts.waiting, "lost", (json_int_t)counts.workers_lost,
        "memory_bytes", (json_int_t)counts.memory_size, "applications",
        (json_int_t)registry_count(node->registry), "states", "commits", (json_int_t)states.commits,
        "failures", (json_int_t)states.failures, "telemetry", node_telemetry_tree(node));
}
