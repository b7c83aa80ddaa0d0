/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/node_metrics.h"

#include "cmd/s3nd/node.h"
#include "metrics/metrics.h"

#include <stdlib.h>

struct node_metrics {
    struct metrics *registry;
    struct metrics_family *invocations;
    struct metrics_family *durations;
    struct metrics_family *instances;
    struct metrics_series *deployments, *keepers_lost;
    /* Set from other modules' counts when the page is written. */
    struct metrics_series *running, *waiting, *workers, *workers_lost, *applications, *receipts;
    struct metrics_series *lanes_ready;
    struct metrics_series *workers_memory, *workers_retired, *watches, *blocking, *watching;
    struct metrics_series *reset_whole, *reset_kept, *reset_copy, *reset_fault, *reset_call;
    struct metrics_series *reset_discard;
    struct metrics_series *requests, *requests_refused, *connections_total, *connections;
};

static struct metrics_series *counter(struct node_metrics *metrics, const char *name,
                                      const char *help)
{
    const struct metrics_about about = { name, help, NULL };
    return metrics_only(metrics_counter(metrics->registry, &about));
}

static struct metrics_series *gauge(struct node_metrics *metrics, const char *name,
                                    const char *help)
{
    const struct metrics_about about = { name, help, NULL };
    return metrics_only(metrics_gauge(metrics->registry, &about));
}

static void declare_invocations(struct node_metrics *metrics)
{
    static const char *const invocation_labels[] = { "function", "outcome", NULL };
    static const char *const state_labels[] = { "state", NULL };
    static const struct metrics_about invocations = {
        "s3n_invocations_total", "Invocations that ended, by function and outcome.",
        invocation_labels
    };
    static const struct metrics_about durations = { "s3n_invocation_duration_seconds",
                                                    "How long functions ran.", NULL };
    static const struct metrics_about instances = {
        "s3n_instances", "Invocations running, and waiting for a micro-VM.", state_labels
    };
    metrics->invocations = metrics_counter(metrics->registry, &invocations);
    metrics->durations =
        metrics_histogram(metrics->registry, &durations, metrics_seconds, metrics_seconds_count);
    metrics->instances = metrics_gauge(metrics->registry, &instances);
    metrics->running = METRICS_SERIES(metrics->instances, "running");
    metrics->waiting = METRICS_SERIES(metrics->instances, "waiting");
    metrics_only(metrics->durations); /* shown from the start, with zeros */
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
    made->workers = gauge(made, "s3n_workers", "Worker processes.");
    made->workers_memory =
        gauge(made, "s3n_workers_memory_bytes", "What worker processes take, estimated.");
    made->lanes_ready = gauge(made, "s3n_lanes_ready",
                              "Micro-VMs or processes that workers are told to have ready.");
    made->workers_retired =
        counter(made, "s3n_workers_retired_total", "Workers that ended for want of work.");
    made->watches = gauge(made, "s3n_handover_watches",
                          "1: the server watches for answers while a core is free.");
    made->blocking = gauge(made, "s3n_handover_blocking_ns",
                           "A hand-over there and back by blocking on one core, at the start.");
    made->watching = gauge(made, "s3n_handover_watching_ns",
                           "The same between two cores that watch; 0: there is one.");
    made->reset_whole = gauge(made, "s3n_reset_whole_pages",
                              "Backend process: memory up to so many pages is copied whole.");
    made->reset_kept =
        gauge(made, "s3n_reset_kept_pages",
              "Backend process: memory written all over is copied up to so many pages.");
    made->reset_copy = gauge(made, "s3n_reset_copy_ns", "A page copied, at the start.");
    made->reset_fault =
        gauge(made, "s3n_reset_fault_ns", "A first write to a tracked page, at the start.");
    made->reset_call = gauge(made, "s3n_reset_call_ns", "A system call, at the start.");
    made->reset_discard =
        gauge(made, "s3n_reset_discard_ns", "A page given back and touched again, at the start.");
    made->workers_lost = counter(made, "s3n_workers_lost_total", "Workers that crashed.");
    made->keepers_lost = counter(made, "s3n_keepers_lost_total", "Keepers that went away.");
    made->deployments = counter(made, "s3n_deployments_total", "Deployments accepted.");
    made->applications = gauge(made, "s3n_applications", "Applications deployed.");
    made->receipts = counter(made, "s3n_receipts_signed_total", "Receipts signed.");
    made->requests = counter(made, "s3n_http_requests_total", "HTTP requests.");
    made->requests_refused = counter(made, "s3n_http_requests_refused_total",
                                     "HTTP requests malformed, over a limit, or too slow.");
    made->connections_total = counter(made, "s3n_http_connections_total", "Connections accepted.");
    made->connections = gauge(made, "s3n_http_connections", "Connections open.");
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

void node_metrics_invoked(struct node_metrics *metrics, const char *function,
                          const struct invocation_result *result)
{
    const char *outcome = result == NULL ? "refused" : receipt_status_name(result->status);
    metrics_add(METRICS_SERIES(metrics->invocations, function, outcome), 1);
    if (result != NULL)
        metrics_observe_ns(metrics_only(metrics->durations), result->duration_us * 1000);
}

void node_metrics_deployed(struct node_metrics *metrics)
{
    metrics_add(metrics->deployments, 1);
}

void node_metrics_keeper_lost(struct node_metrics *metrics)
{
    metrics_add(metrics->keepers_lost, 1);
}

bool node_metrics_write(struct buffer *text, const struct node *node, struct error *error)
{
    struct node_metrics *metrics = node->metrics;
    struct invoker_counts invoker = invoker_counts(node->invoker);
    struct http_server_counts http = http_server_counts(node->http);
    metrics_set(metrics->running, invoker.running);
    metrics_set(metrics->waiting, invoker.waiting);
    metrics_set(metrics->workers, invoker.workers);
    metrics_mirror(metrics->workers_lost, invoker.workers_lost);
    metrics_mirror(metrics->workers_retired, invoker.workers_retired);
    metrics_set(metrics->workers_memory, (int64_t)invoker.memory_size);
    metrics_set(metrics->lanes_ready, invoker.lanes_ready);
    const struct restoring *restoring = &node->restoring;
    metrics_set(metrics->reset_whole, restoring->whole_pages);
    metrics_set(metrics->reset_kept, restoring->kept_pages);
    metrics_set(metrics->reset_copy, restoring->costs.copy_ns);
    metrics_set(metrics->reset_fault, restoring->costs.fault_ns);
    metrics_set(metrics->reset_call, restoring->costs.call_ns);
    metrics_set(metrics->reset_discard, restoring->costs.discard_ns);
    metrics_set(metrics->watches, node->handover.watches);
    metrics_set(metrics->blocking, (int64_t)node->handover.blocking_ns);
    metrics_set(metrics->watching, (int64_t)node->handover.watching_ns);
    metrics_set(metrics->applications, (int64_t)registry_count(node->registry));
    metrics_mirror(metrics->receipts, receipt_book_issued(node->receipts));
    metrics_mirror(metrics->requests, http.requests);
    metrics_mirror(metrics->requests_refused, http.requests_refused);
    metrics_mirror(metrics->connections_total, http.connections_accepted);
    metrics_set(metrics->connections, (int64_t)http.connections_now);
    return metrics_write(text, metrics->registry, error);
}
