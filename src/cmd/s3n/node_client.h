/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's end of a running node's socket (operations/control.h). */
#ifndef CMD_S3N_NODE_CLIENT_H
#define CMD_S3N_NODE_CLIENT_H

#include "base/ipc.h"
#include "cmd/s3n/cli.h"
#include "cmd/s3nd/config.h"
#include "operations/control.h"

#include <sys/types.h>

struct node_client {
    struct ipc *ipc;
    pid_t supervisor;
};
/* UNAVAILABLE: no node runs there. */
MUST_CHECK bool node_client_connect(struct node_client *client, const struct config *config,
                                    struct error *error);
void node_client_done(struct node_client *client);
#define AUTO_NODE_CLIENT __attribute__((cleanup(node_client_done)))
/* Shows progress; the caller releases the answer.  `file` -1: none goes with it. */
MUST_CHECK bool node_client_ask(struct node_client *client, struct cli *cli,
                                enum control_request request, int file, json_t **answer,
                                struct error *error);

#endif
