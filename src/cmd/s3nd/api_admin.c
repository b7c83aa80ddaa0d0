/* SPDX-License-Identifier: Apache-2.0 */
/* The admin listener: /healthz, /readyz, /metrics; loopback only. */
#include "cmd/s3nd/node.h"

#include <inttypes.h>

static void answer_text(struct node *node, const struct gateway_call *call, int status,
                        struct bytes text)
{
    struct http_field type =
        HTTP_FIELD("content-type", BYTES_LITERAL("text/plain; version=0.0.4; charset=utf-8"));
    struct http_answer answer = {
        .status = status, .fields = &type, .field_count = 1, .body = text
    };
    gateway_answer(node->gateway, call->handle, &answer);
}

void api_admin_health(void *context, const struct gateway_call *call)
{
    answer_text(context, call, 200, BYTES_LITERAL("ok\n"));
}

void api_admin_ready(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    if (node->stopping)
        answer_text(node, call, 503, BYTES_LITERAL("stopping\n"));
    else if (node->keeper_is_lost)
        answer_text(node, call, 503, BYTES_LITERAL("no keeper\n"));
    else
        answer_text(node, call, 200, BYTES_LITERAL("ready\n"));
}

static void metric(struct buffer *text, const char *type, const char *name, const char *labels,
                   uint64_t value)
{
    if (type != NULL)
        buffer_format(text, "# TYPE %s %s\n", name, type);
    buffer_format(text, "%s%s %" PRIu64 "\n", name, labels, value);
}

void api_admin_metrics(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 64 << 10);
    const struct node_counts *counts = &node->counts;
    struct invoker_counts invoker = invoker_counts(node->invoker);
    struct http_server_counts http = http_server_counts(node->http);
    metric(&text, "counter", "s3n_invocations_total", "{outcome=\"done\"}",
           counts->invocations_done);
    metric(&text, NULL, "s3n_invocations_total", "{outcome=\"failed\"}",
           counts->invocations_failed);
    metric(&text, "counter", "s3n_invocation_microseconds_total", "", counts->invocation_us);
    metric(&text, "gauge", "s3n_instances", "{state=\"running\"}", invoker.running);
    metric(&text, NULL, "s3n_instances", "{state=\"waiting\"}", invoker.waiting);
    metric(&text, "gauge", "s3n_workers", "", invoker.workers);
    metric(&text, "counter", "s3n_workers_lost_total", "", invoker.workers_lost);
    metric(&text, "counter", "s3n_keepers_lost_total", "", counts->keepers_lost);
    metric(&text, "counter", "s3n_deployments_total", "", counts->deployments);
    metric(&text, "gauge", "s3n_applications", "", registry_count(node->registry));
    metric(&text, "counter", "s3n_receipts_signed_total", "", receipt_book_issued(node->receipts));
    metric(&text, "counter", "s3n_http_requests_total", "", http.requests);
    metric(&text, "counter", "s3n_http_requests_refused_total", "", http.requests_refused);
    metric(&text, "counter", "s3n_http_connections_total", "", http.connections_accepted);
    metric(&text, "gauge", "s3n_http_connections", "", http.connections_now);
    answer_text(node, call, 200, buffer_view(&text));
}
