/* SPDX-License-Identifier: Apache-2.0 */
/* The server's end of the operator's socket (operations/control.h). */
#ifndef S3ND_NODE_CONTROL_H
#define S3ND_NODE_CONTROL_H

#include "base/ipc.h"

struct node;
struct node_control;
struct control_peer;

/* Before the loop opens descriptors: whether the supervisor gave us a socket to listen on. */
void node_control_find(struct node *node);
/* From now on operators are answered.  Without a socket: nothing. */
void node_control_start(struct node *node);
void node_control_end(struct node *node);

/* For what takes its time: answers the peer's request, whose id it was given.  A peer may be gone:
 * then node_backup_abandon and node_check_abandon were called. */
void control_progress(struct control_peer *peer, uint64_t done, uint64_t all, const char *what);
void control_answer(struct control_peer *peer, uint32_t id, struct bytes text);
void control_fail(struct control_peer *peer, uint32_t id, const struct error *failure);

/* node_backup.c: one at a time, BUSY.  Takes over the file. */
struct node_backup;
MUST_CHECK bool node_backup_start(struct node *node, struct control_peer *peer, uint32_t id,
                                  int file, struct error *error);
/* The peer is gone, or the node stops. */
void node_backup_abandon(struct node *node, const struct control_peer *peer);
/* Before the stores are opened: a backup when they get a new form by that. */
MUST_CHECK bool node_way_back(struct node *node, struct error *error);
/* node_check.c: the same. */
struct node_check;
MUST_CHECK bool node_check_start(struct node *node, struct control_peer *peer, uint32_t id,
                                 struct error *error);
void node_check_abandon(struct node *node, const struct control_peer *peer);

#endif
