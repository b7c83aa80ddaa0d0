/* SPDX-License-Identifier: Apache-2.0 */
/* What the keeper may still do once it serves: talk over its one socket, log, and think. */
#ifndef CMD_S3N_KEEPER_PROFILE_H
#define CMD_S3N_KEEPER_PROFILE_H

#include "base/jail.h"

extern const struct jail_profile keeper_profile;
/* The same for a keeper that asks a kernel for evidence: files in the one folder that the platform
 * needs, its ioctls, and a timer against interfaces that hang. */
extern const struct jail_profile keeper_tee_profile;

#endif
