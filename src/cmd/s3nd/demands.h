/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator insists on of the machine. */
#ifndef S3ND_DEMANDS_H
#define S3ND_DEMANDS_H

#include "cmd/s3nd/config.h"

/* UNAVAILABLE, saying why. */
MUST_CHECK bool demands_check_processor(const struct config *config, struct error *error);

#endif
