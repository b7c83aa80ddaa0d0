/* SPDX-License-Identifier: Apache-2.0 */
/* The services that this node's functions may call (services/services.h), one line each. */
#ifndef CMD_S3ND_NODE_SERVICES_H
#define CMD_S3ND_NODE_SERVICES_H

#include "cmd/s3nd/node.h"

/* They work on what the node has, which outlives them. */
MUST_CHECK bool node_services_open(struct node *node, struct error *error);

/* Once no function runs any more. */
void node_services_close(struct node *node);

#endif
