/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/node_metrics.h"

#include "cmd/s3nd/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Families with one series, in the order of the page: C counts, G is now, R is now and real. */
#define SINGLES(X)                                                                                 \
    X(READY, G, "s3n_ready", "1: the node is ready, as /readyz says.")                             \
    X(STARTED, G, "s3n_start_timestamp_seconds", "When the server started, since 1970.")           \
    X(KEEPER, G, "s3n_keeper_connected", "1: the keeper is there.")                                \
    X(KEEPERS_LOST, C, "s3n_keepers_lost_total", "Keepers that went away.")                        \
    X(EVIDENCE, C, "s3n_evidence_total", "Evidence made.")                                         \
    X(EVIDENCE_AGE, G, "s3n_evidence_age_seconds", "Since evidence was last made; -1: not yet.")   \
    X(KEYSET_LEFT, G, "s3n_keyset_valid_seconds", "Until the keyset ends.")                        \
    X(COLLATERAL, G, "s3n_collateral_present", "1: collateral is there and in date.")              \
    X(COLLATERAL_AGE, G, "s3n_collateral_age_seconds", "Since the oldest piece was issued.")       \
    X(COLLATERAL_LEFT, G, "s3n_collateral_valid_seconds", "Until the first piece ends.")           \
    X(COLLATERAL_ASKED, C, "s3n_collateral_requests_total", "Times that it was asked for.")        \
    X(COLLATERAL_FAILED, C, "s3n_collateral_failures_total", "Of them, not all could be had.")     \
    X(EVENTS, G, "s3n_event_log_entries", "Entries of the event log.")                             \
    X(EVENTS_FAILED, G, "s3n_event_log_failing", "1: the last entry could not be recorded.")       \
    X(WORKERS, G, "s3n_workers", "Worker processes.")                                              \
    X(WORKERS_MEMORY, G, "s3n_workers_memory_bytes", "What worker processes take, estimated.")     \
    X(WORKERS_RETIRED, C, "s3n_workers_retired_total", "Workers that ended for want of work.")     \
    X(WORKERS_LOST, C, "s3n_workers_lost_total", "Workers that crashed.")                          \
    X(RERUNS, C, "s3n_invocations_reruns_total",                                                   \
      "Invocations run again because what was foretold of their state changed meanwhile.")         \
    X(LANES_READY, G, "s3n_lanes_ready",                                                           \
      "Micro-VMs or processes that workers are told to have ready.")                               \
    X(WATCHES, G, "s3n_handover_watches",                                                          \
      "1: the server watches for answers while a core is free.")                                   \
    X(BLOCKING, R, "s3n_handover_blocking_seconds",                                                \
      "A hand-over there and back by blocking on one core, at the start.")                         \
    X(WATCHING, R, "s3n_handover_watching_seconds",                                                \
      "The same between two cores that watch; 0: there is one.")                                   \
    X(RESET_WHOLE, G, "s3n_reset_whole_pages",                                                     \
      "Backend process: memory up to so many pages is copied whole.")                              \
    X(RESET_KEPT, G, "s3n_reset_kept_pages",                                                       \
      "Backend process: memory written all over is copied up to so many pages.")                   \
    X(RESET_COPY, R, "s3n_reset_copy_seconds", "A page copied, at the start.")                     \
    X(RESET_FAULT, R, "s3n_reset_fault_seconds", "A first write to a tracked page, at the start.") \
    X(RESET_CALL, R, "s3n_reset_call_seconds", "A system call, at the start.")                     \
    X(RESET_DISCARD, R, "s3n_reset_discard_seconds",                                               \
      "A page given back and touched again, at the start.")                                        \
    X(APPLICATIONS, G, "s3n_applications", "Applications deployed.")                               \
    X(DEPLOYMENTS, C, "s3n_deployments_total", "Deployments accepted.")                            \
    X(RECEIPTS, C, "s3n_receipts_signed_total", "Receipts signed.")                                \
    X(COMMITS, C, "s3n_state_commits_total", "Commits of state that are on the disk.")             \
    X(COMMITS_FAILED, C, "s3n_state_commit_failures_total", "Commits that could not be written.")  \
    X(COMMIT_GROUPS, C, "s3n_state_commit_groups_total", "Transactions that wrote them.")          \
    X(SPANS_WAITING, G, "s3n_telemetry_spans_waiting", "Spans that wait for their export.")        \
    X(SPANS, C, "s3n_telemetry_spans_total", "Spans that the collector took.")                     \
    X(EXPORTS, C, "s3n_telemetry_exports_total", "Exports of metrics or traces tried.")            \
    X(EXPORTS_FAILED, C, "s3n_telemetry_failures_total", "Exports that failed.")                   \
    X(LOGS_INVOCATIONS, C, "s3n_logs_invocations_total", "Invocations that logged something.")     \
    X(LOGS_BYTES, C, "s3n_logs_bytes_total", "What they logged, before it was sealed.")            \
    X(LOGS_SEGMENTS, C, "s3n_logs_segments_total", "Sealed segments of logs written.")             \
    X(LOGS_FAILURES, C, "s3n_logs_write_failures_total", "Times that logs could not be written.")  \
    X(LOGS_STORED, G, "s3n_logs_stored_bytes", "Sealed logs that are kept.")                       \
    X(LOGS_PENDING, G, "s3n_logs_pending_bytes", "Logs that wait to be sealed and written.")       \
    X(REQUESTS, C, "s3n_http_requests_total", "HTTP requests.")                                    \
    X(REQUESTS_REFUSED, C, "s3n_http_requests_refused_total",                                      \
      "HTTP requests malformed, over a limit, or too slow.")                                       \
    X(CONNECTIONS_TOTAL, C, "s3n_http_connections_total", "Connections accepted.")                 \
    X(CONNECTIONS, G, "s3n_http_connections_open", "Connections open.")

enum single {
#define SINGLE_ENUM(name, kind, text, help) SINGLE_##name,
    SINGLES(SINGLE_ENUM)
#undef SINGLE_ENUM
    SINGLE_COUNT
};

static const struct {
    char kind;
    struct metrics_about about;
} single_rows[SINGLE_COUNT] = {
#define SINGLE_ROW(name, kind, text, help) [SINGLE_##name] = { #kind[0], { text, help, NULL } },
    SINGLES(SINGLE_ROW)
#undef SINGLE_ROW
};

struct node_metrics {
    struct metrics *registry;
    struct metrics_family *invocations, *durations, *queued, *cold_starts, *calls;
    struct metrics_family *fetches, *fetch_durations, *fetch_sent, *fetch_received;
    struct metrics_family *attestation_failures, *tee, *build, *spans_dropped;
    struct metrics_series *running, *waiting, *logs_dropped[LOG_DROP_COUNT];
    struct metrics_series *singles[SINGLE_COUNT];
    uint64_t deployments, keepers_lost;
};

static const char *const function_label[] = { "function", NULL };

static void declare_invocations(struct node_metrics *metrics)
{
    static const char *const outcome_labels[] = { "function", "outcome", NULL };
    static const char *const state_label[] = { "state", NULL };
    static const struct metrics_about invocations = {
        "s3n_invocations_total", "Invocations that ended, by function and outcome.", outcome_labels
    };
    static const struct metrics_about durations = { "s3n_invocation_duration_seconds",
                                                    "How long functions ran.", function_label };
    static const struct metrics_about queued = { "s3n_invocation_wait_seconds",
                                                 "From an invocation's arrival to its start.",
                                                 function_label };
    static const struct metrics_about cold = {
        "s3n_cold_start_duration_seconds",
        "The same, of those that found no worker with their function.", function_label
    };
    static const struct metrics_about instances = {
        "s3n_instances", "Invocations running, and waiting for a micro-VM.", state_label
    };
    static const char *const call_labels[] = { "function", "call", "outcome", NULL };
    static const struct metrics_about calls = {
        "s3n_host_calls_total", "What functions asked their node for: done, or failed.", call_labels
    };
    struct metrics *registry = metrics->registry;
    metrics->calls = metrics_counter(registry, &calls);
    metrics->invocations = metrics_counter(registry, &invocations);
    metrics->durations =
        metrics_histogram(registry, &durations, metrics_seconds, metrics_seconds_count);
    metrics->queued = metrics_histogram(registry, &queued, metrics_seconds, metrics_seconds_count);
    metrics->cold_starts =
        metrics_histogram(registry, &cold, metrics_seconds, metrics_seconds_count);
    struct metrics_family *states = metrics_gauge(registry, &instances);
    metrics->running = METRICS_SERIES(states, "running");
    metrics->waiting = METRICS_SERIES(states, "waiting");
}

static void declare_outbound(struct node_metrics *metrics)
{
    static const char *const outcome_labels[] = { "function", "outcome", NULL };
    static const struct metrics_about fetches = {
        "s3n_outbound_requests_total", "What functions asked others, by function and outcome.",
        outcome_labels
    };
    static const struct metrics_about durations = {
        "s3n_outbound_request_duration_seconds",
        "From a function's request to its end, redirects included.", function_label
    };
    static const struct metrics_about sent = { "s3n_outbound_sent_bytes_total",
                                               "Bodies of these requests.", function_label };
    static const struct metrics_about received = { "s3n_outbound_received_bytes_total",
                                                   "Bodies of their answers, decoded.",
                                                   function_label };
    struct metrics *registry = metrics->registry;
    metrics->fetches = metrics_counter(registry, &fetches);
    metrics->fetch_durations =
        metrics_histogram(registry, &durations, metrics_seconds, metrics_seconds_count);
    metrics->fetch_sent = metrics_counter(registry, &sent);
    metrics->fetch_received = metrics_counter(registry, &received);
}

static void declare_tee(struct node_metrics *metrics)
{
    static const char *const tee_label[] = { "tee", NULL };
    static const char *const build_labels[] = { "version", "backend", NULL };
    static const struct metrics_about failures = { "s3n_attestation_failures_total",
                                                   "Evidence that could not be made.", tee_label };
    static const struct metrics_about tee = { "s3n_tee_info", "The platform that gives evidence.",
                                              tee_label };
    static const struct metrics_about build = { "s3n_build_info", "Which S3N this is.",
                                                build_labels };
    static const char *const reason_label[] = { "reason", NULL };
    static const struct metrics_about dropped = { "s3n_telemetry_spans_dropped_total",
                                                  "Spans that the collector did not get.",
                                                  reason_label };
    metrics->spans_dropped = metrics_counter(metrics->registry, &dropped);
    metrics->attestation_failures = metrics_counter(metrics->registry, &failures);
    metrics->tee = metrics_gauge(metrics->registry, &tee);
    metrics->build = metrics_gauge(metrics->registry, &build);
}

static void declare_single(struct node_metrics *metrics, unsigned i)
{
    const struct metrics_about *about = &single_rows[i].about;
    struct metrics_family *family;
    if (single_rows[i].kind == 'C')
        family = metrics_counter(metrics->registry, about);
    else if (single_rows[i].kind == 'G')
        family = metrics_gauge(metrics->registry, about);
    else
        family = metrics_gauge_real(metrics->registry, about);
    metrics->singles[i] = metrics_only(family);
}

/* Of what functions log nothing but counts. */
static void declare_logs(struct node_metrics *metrics)
{
    static const char *const labels[] = { "reason", NULL };
    static const struct metrics_about dropped = { "s3n_logs_dropped_total",
                                                  "Invocations whose log was dropped.", labels };
    struct metrics_family *family = metrics_counter(metrics->registry, &dropped);
    for (unsigned i = 0; i < LOG_DROP_COUNT; i++)
        metrics->logs_dropped[i] = METRICS_SERIES(family, log_drop_name((enum log_drop)i));
}

bool node_metrics_new(struct node_metrics **metrics, struct error *error)
{
    struct node_metrics *made = calloc(1, sizeof(*made));
    if (made != NULL)
        made->registry = metrics_new();
    if (made == NULL || made->registry == NULL) {
        free(made);
        return error_set(error, ERROR_NO_MEMORY, "no memory for metrics");
    }
    declare_invocations(made);
    declare_outbound(made);
    declare_tee(made);
    declare_logs(made);
    for (unsigned i = 0; i < SINGLE_COUNT; i++)
        declare_single(made, i);
    *metrics = made;
    return true;
}

void node_metrics_free(struct node_metrics *metrics)
{
    if (metrics == NULL)
        return;
    metrics_free(metrics->registry);
    free(metrics);
}

static void calls_add(struct node_metrics *metrics, const char *function,
                      const struct service_tally *tally)
{
    for (uint16_t i = 0; tally != NULL && i < SERVICE_CALL_NUMBERS; i++) {
        const struct call_row *row = call_row_find(i);
        if (row != NULL && tally->answered[i] > 0)
            metrics_add(METRICS_SERIES(metrics->calls, function, row->name, "done"),
                        tally->answered[i]);
        if (row != NULL && tally->failed[i] > 0)
            metrics_add(METRICS_SERIES(metrics->calls, function, row->name, "failed"),
                        tally->failed[i]);
    }
}

void node_metrics_invoked(struct node_metrics *metrics, const char *function,
                          const struct invocation_result *result,
                          const struct metrics_exemplar *exemplar)
{
    const char *outcome = result == NULL ? "refused" : receipt_status_name(result->status);
    metrics_add(METRICS_SERIES(metrics->invocations, function, outcome), 1);
    if (result == NULL)
        return;
    const struct invocation_times *times = &result->times;
    calls_add(metrics, function, result->tally);
    uint64_t waited_ns = times->started_ns - times->arrived_ns;
    metrics_observe_example(METRICS_SERIES(metrics->durations, function),
                            result->duration_us * 1000, exemplar);
    metrics_observe_example(METRICS_SERIES(metrics->queued, function), waited_ns, exemplar);
    if (times->was_cold)
        metrics_observe_example(METRICS_SERIES(metrics->cold_starts, function), waited_ns,
                                exemplar);
}

void node_metrics_fetched(struct node_metrics *metrics, const struct service_facts *facts,
                          const struct http_ending *ending)
{
    char function[2 * NAME_SIZE_MAX + 2];
    snprintf(function, sizeof(function), "%s/%s", facts->application, facts->function);
    metrics_add(METRICS_SERIES(metrics->fetches, function, ending->outcome), 1);
    if (!ending->was_asked)
        return;
    metrics_observe_ns(METRICS_SERIES(metrics->fetch_durations, function), ending->duration_ns);
    metrics_add(METRICS_SERIES(metrics->fetch_sent, function), ending->sent_size);
    metrics_add(METRICS_SERIES(metrics->fetch_received, function), ending->received_size);
}

void node_metrics_deployed(struct node_metrics *metrics)
{
    metrics->deployments++;
}

void node_metrics_keeper_lost(struct node_metrics *metrics)
{
    metrics->keepers_lost++;
}

struct name_prefix {
    char text[NAME_SIZE_MAX + 2];
};

static struct name_prefix prefix_of(const char *application)
{
    struct name_prefix made;
    snprintf(made.text, sizeof(made.text), "%s/", application);
    return made;
}

void node_metrics_forget(struct node_metrics *metrics, const char *application)
{
    struct name_prefix prefix = prefix_of(application);
    const struct metrics_view view = { .label = function_label[0], .begins = prefix.text };
    metrics_forget(metrics->registry, &view);
}

static void set(const struct node_metrics *metrics, enum single single, int64_t value)
{
    metrics_set(metrics->singles[single], value);
}

static void set_total(const struct node_metrics *metrics, enum single single, uint64_t total)
{
    metrics_mirror(metrics->singles[single], total);
}

static void set_ns(const struct node_metrics *metrics, enum single single, uint64_t duration_ns)
{
    metrics_set_real(metrics->singles[single], (double)duration_ns / 1e9);
}

static void gather_tee(const struct node *node)
{
    const struct node_metrics *metrics = node->metrics;
    const struct node_health *health = &node->health;
    struct node_collateral_state collateral = node_collateral_state(node);
    int64_t now_s = node_now_s();
    metrics_set(METRICS_SERIES(metrics->tee, node->info.platform), 1);
    metrics_set(METRICS_SERIES(metrics->build, S3N_VERSION, node->config->backend), 1);
    metrics_mirror(METRICS_SERIES(metrics->attestation_failures, node->info.platform),
                   health->evidence_failures);
    set(metrics, SINGLE_READY, node_is_ready(node));
    set(metrics, SINGLE_STARTED, health->started_s);
    set(metrics, SINGLE_KEEPER, !node->keeper_is_lost);
    set_total(metrics, SINGLE_KEEPERS_LOST, metrics->keepers_lost);
    set_total(metrics, SINGLE_EVIDENCE, health->evidence_count);
    set(metrics, SINGLE_EVIDENCE_AGE, health->evidence_s == 0 ? -1 : now_s - health->evidence_s);
    set(metrics, SINGLE_KEYSET_LEFT, node->identity.parsed.validity.not_after_s - now_s);
    set(metrics, SINGLE_COLLATERAL, collateral.is_there);
    set(metrics, SINGLE_COLLATERAL_AGE, collateral.age_s);
    set(metrics, SINGLE_COLLATERAL_LEFT,
        collateral.is_there ? collateral.next_update_s - now_s : 0);
    set_total(metrics, SINGLE_COLLATERAL_ASKED, collateral.asked);
    set_total(metrics, SINGLE_COLLATERAL_FAILED, collateral.failed);
    set(metrics, SINGLE_EVENTS, (int64_t)node->events.count);
    set(metrics, SINGLE_EVENTS_FAILED, node->events_failed);
}

static void gather_choices(const struct node *node)
{
    const struct node_metrics *metrics = node->metrics;
    const struct restoring *restoring = &node->restoring;
    set(metrics, SINGLE_WATCHES, node->handover.watches);
    set_ns(metrics, SINGLE_BLOCKING, node->handover.blocking_ns);
    set_ns(metrics, SINGLE_WATCHING, node->handover.watching_ns);
    set(metrics, SINGLE_RESET_WHOLE, restoring->whole_pages);
    set(metrics, SINGLE_RESET_KEPT, restoring->kept_pages);
    set_ns(metrics, SINGLE_RESET_COPY, restoring->costs.copy_ns);
    set_ns(metrics, SINGLE_RESET_FAULT, restoring->costs.fault_ns);
    set_ns(metrics, SINGLE_RESET_CALL, restoring->costs.call_ns);
    set_ns(metrics, SINGLE_RESET_DISCARD, restoring->costs.discard_ns);
}

static void gather_telemetry(const struct node *node)
{
    const struct node_metrics *metrics = node->metrics;
    struct node_telemetry_state state = node_telemetry_state(node);
    set(metrics, SINGLE_SPANS_WAITING, (int64_t)state.waiting);
    set_total(metrics, SINGLE_SPANS, state.sent);
    set_total(metrics, SINGLE_EXPORTS, state.exports);
    set_total(metrics, SINGLE_EXPORTS_FAILED, state.failures);
    metrics_mirror(METRICS_SERIES(metrics->spans_dropped, "queue"), state.dropped);
    metrics_mirror(METRICS_SERIES(metrics->spans_dropped, "rejected"), state.rejected);
    metrics_mirror(METRICS_SERIES(metrics->spans_dropped, "given-up"), state.given_up);
}

static void mirror_logs(const struct node_metrics *metrics, const struct node *node)
{
    if (node->logs == NULL)
        return;
    struct logbook_counts counts = logbook_counts(node->logs);
    for (unsigned i = 0; i < LOG_DROP_COUNT; i++)
        metrics_mirror(metrics->logs_dropped[i], counts.dropped_count[i]);
    set_total(metrics, SINGLE_LOGS_INVOCATIONS, counts.added_count);
    set_total(metrics, SINGLE_LOGS_BYTES, counts.added_size);
    set_total(metrics, SINGLE_LOGS_SEGMENTS, counts.written_count);
    set_total(metrics, SINGLE_LOGS_FAILURES, counts.failure_count);
    set(metrics, SINGLE_LOGS_STORED, (int64_t)counts.kept_size);
    set(metrics, SINGLE_LOGS_PENDING, (int64_t)counts.pending_size);
}

struct metrics *node_metrics_gather(const struct node *node)
{
    const struct node_metrics *metrics = node->metrics;
    struct invoker_counts invoker = invoker_counts(node->invoker);
    struct http_server_counts http = http_server_counts(node->http);
    struct states_counts states = states_counts(node->states);
    gather_tee(node);
    gather_choices(node);
    gather_telemetry(node);
    metrics_set(metrics->running, invoker.running);
    metrics_set(metrics->waiting, invoker.waiting);
    set(metrics, SINGLE_WORKERS, invoker.workers);
    set(metrics, SINGLE_WORKERS_MEMORY, (int64_t)invoker.memory_size);
    set_total(metrics, SINGLE_WORKERS_RETIRED, invoker.workers_retired);
    set_total(metrics, SINGLE_WORKERS_LOST, invoker.workers_lost);
    set_total(metrics, SINGLE_RERUNS, invoker.reruns);
    set(metrics, SINGLE_LANES_READY, invoker.lanes_ready);
    set(metrics, SINGLE_APPLICATIONS, (int64_t)registry_count(node->registry));
    set_total(metrics, SINGLE_DEPLOYMENTS, metrics->deployments);
    set_total(metrics, SINGLE_RECEIPTS, receipt_book_issued(node->receipts));
    set_total(metrics, SINGLE_COMMITS, states.commits);
    set_total(metrics, SINGLE_COMMITS_FAILED, states.failures);
    set_total(metrics, SINGLE_COMMIT_GROUPS, states.groups);
    mirror_logs(metrics, node);
    set_total(metrics, SINGLE_REQUESTS, http.requests);
    set_total(metrics, SINGLE_REQUESTS_REFUSED, http.requests_refused);
    set_total(metrics, SINGLE_CONNECTIONS_TOTAL, http.connections_accepted);
    set(metrics, SINGLE_CONNECTIONS, (int64_t)http.connections_now);
    return metrics->registry;
}

bool node_metrics_write(struct buffer *text, const struct node *node, const char *application,
                        bool is_openmetrics, struct error *error)
{
    struct name_prefix prefix = prefix_of(application == NULL ? "" : application);
    const struct metrics_view view = { .is_openmetrics = is_openmetrics,
                                       .label = application == NULL ? NULL : function_label[0],
                                       .begins = prefix.text };
    return metrics_write(text, node_metrics_gather(node), &view, error);
}
