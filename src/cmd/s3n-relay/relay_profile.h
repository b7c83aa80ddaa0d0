/* SPDX-License-Identifier: Apache-2.0 */
/* What the relay may do once it is jailed: the network, its socket to the keeper, and nothing else.
 */
#ifndef S3N_RELAY_RELAY_PROFILE_H
#define S3N_RELAY_RELAY_PROFILE_H

#include "base/jail.h"

extern const struct jail_profile relay_profile;

#endif
