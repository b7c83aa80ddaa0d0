/* SPDX-License-Identifier: Apache-2.0 */
/* What the server keeps when it jails itself: the network, and its folder `store` as the root. */
#ifndef S3ND_SERVER_JAIL_H
#define S3ND_SERVER_JAIL_H

#include "cmd/s3nd/config.h"

MUST_CHECK bool server_jail_enter(const struct config *config, struct error *error);

#endif
