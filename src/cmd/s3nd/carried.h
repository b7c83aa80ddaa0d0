/* SPDX-License-Identifier: Apache-2.0 */
/* What a supervisor that replaces its own program hands to the new one, which has the same process
 * id, children and descriptors: which is which, as JSON in an anonymous file. */
#ifndef S3ND_CARRIED_H
#define S3ND_CARRIED_H

#include "cmd/s3nd/groups.h"
#include "cmd/s3nd/spares.h"

struct carried {
    int listen, admin, control, lock, event_register; /* -1: none */
    int server;                                       /* socket of the server */
    pid_t server_pid;
    struct children children;
    struct groups groups;
    struct spares spares; /* what waits of them; not what they follow */
};

/* Makes the descriptors stay open, and replaces this program.  Returns only on failure, with
 * everything as it was. */
bool carried_exec(const struct carried *carried, const char *program, char *const *arguments,
                  struct error *error);
/* *is_there false: this program was not started so. */
MUST_CHECK bool carried_take(struct carried *carried, const struct config *config, bool *is_there,
                             struct error *error);

#endif
