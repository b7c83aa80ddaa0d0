/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor: starts the other processes of a node, hands descriptors from one to the other,
 * replaces what dies, and stops them in order.  Keeps root when it was started as root, and for
 * that reason reads nothing that comes from outside: no network, no store, no module. */
#ifndef S3ND_SUPERVISOR_H
#define S3ND_SUPERVISOR_H

#include "cmd/s3nd/config.h"

/* Until the node is stopped; `arguments` are this program's, for the one that replaces it.
 *  The exit code of the program. */
int supervisor_run(const struct config *config, char *const *arguments);

#endif
