/* SPDX-License-Identifier: Apache-2.0 */
/* What the node counts, for the admin listener's /metrics, owners and the exporter.  Owns the
 * registry; what other modules count themselves is read from them when the page is asked for. */
#ifndef S3ND_NODE_METRICS_H
#define S3ND_NODE_METRICS_H

#include "functions/invocation.h"
#include "metrics/metrics.h"
#include "services/http.h"

struct node;
struct node_metrics;

MUST_CHECK bool node_metrics_new(struct node_metrics **metrics, struct error *error);
void node_metrics_free(struct node_metrics *metrics);

/* An invocation that ended; `result` NULL: it never ran.  `function` is "application/function";
 * the exemplar leads to it. */
void node_metrics_invoked(struct node_metrics *metrics, const char *function,
                          const struct invocation_result *result,
                          const struct metrics_exemplar *exemplar);
/* A request that a function made of others, or was not allowed to make. */
void node_metrics_fetched(struct node_metrics *metrics, const struct service_facts *facts,
                          const struct http_ending *ending);
void node_metrics_deployed(struct node_metrics *metrics);
void node_metrics_keeper_lost(struct node_metrics *metrics);
/* An application was deleted: whoever has the name next begins with nothing. */
void node_metrics_forget(struct node_metrics *metrics, const char *application);

/* Reads what other modules count; then the registry is whole. */
struct metrics *node_metrics_gather(const struct node *node);
/* The whole page; of one application, when it is not NULL. */
MUST_CHECK bool node_metrics_write(struct buffer *text, const struct node *node,
                                   const char *application, bool is_openmetrics,
                                   struct error *error);

#endif
