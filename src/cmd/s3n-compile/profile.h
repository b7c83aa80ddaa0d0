/* SPDX-License-Identifier: Apache-2.0 */
/* The jail of s3n-compile, but for the limits, which are options. */
#ifndef CMD_S3N_COMPILE_PROFILE_H
#define CMD_S3N_COMPILE_PROFILE_H

#include "base/jail.h"

extern const struct jail_profile profile_compile;

#endif
