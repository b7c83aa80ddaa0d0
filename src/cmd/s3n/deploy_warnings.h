/* SPDX-License-Identifier: Apache-2.0 */
/* What a person should know of a function before it is deployed, and what is no error: calls that
 * its module imports and that no function of this module may make, permissions that it has no use
 * for. */
#ifndef CMD_S3N_DEPLOY_WARNINGS_H
#define CMD_S3N_DEPLOY_WARNINGS_H

#include "functions/manifest.h"

/* Lines on stderr.  Of modules only: native functions have no imports. */
void deploy_warn(const struct manifest *manifest, const struct manifest_function *function,
                 struct bytes module);

#endif
