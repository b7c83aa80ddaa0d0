/* SPDX-License-Identifier: Apache-2.0 */
/* The node's processes for outbound requests: one for each application that asks others, from its
 * first request until it has asked nobody for a minute.  Started and ended by the supervisor; their
 * sockets are watched by the event loop. */
#ifndef S3ND_NODE_OUTBOUND_H
#define S3ND_NODE_OUTBOUND_H

#include "services/http.h"

struct node;
struct node_outbound;

MUST_CHECK bool node_outbound_open(struct node *node, struct error *error);
/* What is under way is forgotten. */
void node_outbound_close(struct node *node);
/* For services/http.h. */
struct http_port *node_outbound_port(struct node_outbound *outbound);

#endif
