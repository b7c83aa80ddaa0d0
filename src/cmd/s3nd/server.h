/* SPDX-License-Identifier: Apache-2.0 */
/* The server: the process of a node that faces the network.  Started by the supervisor with its
 * sockets; jails itself with nothing left of the files but its own folder, then serves. */
#ifndef S3ND_SERVER_H
#define S3ND_SERVER_H

#include "cmd/s3nd/config.h"

/* Until it is told to stop.  The exit code of the program. */
int server_run(const struct config *config);

#endif
