/* SPDX-License-Identifier: Apache-2.0 */
/* The table `permissions` of [function.NAME] in both forms (services/permissions.h).  Internal to
 * functions. */
#ifndef FUNCTIONS_MANIFEST_PERMISSIONS_H
#define FUNCTIONS_MANIFEST_PERMISSIONS_H

#include "functions/manifest_reader.h"
#include "services/permissions.h"

/* `parent`: the function's table. */
MUST_CHECK bool manifest_read_permissions(struct permissions *permissions,
                                          const struct manifest_table *parent, struct error *error);
/* The resolved form: names in ascending order; NULL when nothing differs from the default. */
json_t *manifest_permissions_tree(const struct permissions *permissions);

#endif
