/* SPDX-License-Identifier: Apache-2.0 */
/* What the node counts, for the admin listener's /metrics.  Owns the registry; what other modules
 * count themselves is read from them when the page is asked for. */
#ifndef S3ND_NODE_METRICS_H
#define S3ND_NODE_METRICS_H

#include "functions/invocation.h"

struct node;
struct node_metrics;

MUST_CHECK bool node_metrics_new(struct node_metrics **metrics, struct error *error);
void node_metrics_free(struct node_metrics *metrics);

/* An invocation that ended; `result` NULL: it never ran.  `function` is "application/function". */
void node_metrics_invoked(struct node_metrics *metrics, const char *function,
                          const struct invocation_result *result);
void node_metrics_deployed(struct node_metrics *metrics);
void node_metrics_keeper_lost(struct node_metrics *metrics);

/* The whole page. */
MUST_CHECK bool node_metrics_write(struct buffer *text, const struct node *node,
                                   struct error *error);

#endif
