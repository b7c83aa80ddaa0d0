/* SPDX-License-Identifier: Apache-2.0 */
/* What depends on the machine and is chosen at the start, by measurement or by the configuration:
 * how invocations are handed over, and how the process backend restores memory. */
#ifndef S3ND_CHOICES_H
#define S3ND_CHOICES_H

#include "base/json.h"
#include "cmd/s3nd/node.h"

/* Once, before the jail, which has no view of the machine. */
MUST_CHECK bool choices_make(struct node *node, struct error *error);
/* For /.well-known/s3n/info. */
json_t *choices_json(const struct node *node);

#endif
