/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics and traces on their way to a collector: a bounded queue of spans, and a process for each
 * export (exporter.h), so that a collector that is absent, hangs or lies costs the node nothing but
 * what it is not told.
 *
 * One export at a time.  A batch of spans that could not be delivered is tried again after 1 s,
 * then twice as long, up to a minute, or when the collector asked for it; after TELEMETRY_TRIES_MAX
 * tries it is dropped.  Metrics are cumulative: what was missed is in the next export.  What is
 * dropped is counted. */
#ifndef S3ND_NODE_TELEMETRY_H
#define S3ND_NODE_TELEMETRY_H

#include "base/json.h"
#include "functions/invocation.h"
#include "metrics/span.h"

struct node;
struct node_telemetry;

enum {
    TELEMETRY_TRIES_MAX = 6
};

/* At the start, once the node serves; nothing when it is not configured. */
void node_telemetry_start(struct node *node);
void node_telemetry_end(struct node *node);

/* One request that ran a function, or was to. */
struct telemetry_request {
    const struct trace_context *trace;
    const char *function; /* "application/function" */
    const char *request_id;
    uint64_t arrived_ns; /* monotonic */
    bool is_call;        /* by name, not through a route */
};
/* Whether this trace is to be told; asked once, at the request's arrival. */
bool node_telemetry_samples(const struct node *node, const struct trace_context *trace);
/* `result` NULL: it never ran, for the reason `refused`. */
void node_telemetry_request(struct node *node, const struct telemetry_request *request,
                            const struct invocation_result *result, const char *refused);

void node_telemetry_add(struct node *node, const struct span *span);

struct node_telemetry_state {
    bool is_on;
    uint64_t waiting;           /* spans */
    uint64_t sent;              /* the same */
    uint64_t dropped;           /* the queue was full */
    uint64_t rejected;          /* by the collector */
    uint64_t given_up;          /* after too many tries */
    uint64_t exports, failures; /* of both kinds */
    const char *error;          /* of the latest; empty: it went well */
};
struct node_telemetry_state node_telemetry_state(const struct node *node);
json_t *node_telemetry_tree(const struct node *node);

#endif
