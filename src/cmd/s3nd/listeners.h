/* SPDX-License-Identifier: Apache-2.0 */
/* The node's listening sockets: opened once by the supervisor, so that a server that is replaced
 * loses no connection that waits. */
#ifndef S3ND_LISTENERS_H
#define S3ND_LISTENERS_H

#include "base/error.h"

struct listener_address {
    char text[64]; /* "127.0.0.1:8443", "[::1]:8443" */
};

/* "ADDR:PORT", numeric; INVALID otherwise. */
MUST_CHECK bool listener_check(const char *address, struct error *error);
/* Opens it; INVALID as above, SYSTEM when it can't be bound. */
MUST_CHECK bool listener_open(int *descriptor, const char *address, struct error *error);
/* INVALID when others than this machine could reach it. */
MUST_CHECK bool listener_check_loopback(const char *address, struct error *error);
/* A Unix socket in the data folder, for whoever may open it: its user.  Where there can be none
 * (-1; the log says why) the node runs as well, and its operator can't ask it anything. */
void listener_open_control(int *descriptor, const char *folder);
void listener_close_control(int *descriptor, const char *folder);
/* What the system bound it to. */
MUST_CHECK bool listener_address_of(struct listener_address *address, int descriptor,
                                    struct error *error);

#endif
