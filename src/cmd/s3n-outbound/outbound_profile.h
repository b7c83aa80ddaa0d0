/* SPDX-License-Identifier: Apache-2.0 */
/* What the process for outbound requests may do once it is jailed: the network, its socket to the
 * server, and nothing else. */
#ifndef S3N_OUTBOUND_OUTBOUND_PROFILE_H
#define S3N_OUTBOUND_OUTBOUND_PROFILE_H

#include "base/jail.h"

extern const struct jail_profile outbound_profile;

#endif
