/* SPDX-License-Identifier: Apache-2.0 */
/* What the keeper may still do once it serves: talk over its one socket, log, and think. */
#ifndef CMD_S3N_KEEPER_PROFILE_H
#define CMD_S3N_KEEPER_PROFILE_H

#include "base/jail.h"

extern const struct jail_profile keeper_profile;

#endif
