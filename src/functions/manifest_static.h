/* SPDX-License-Identifier: Apache-2.0 */
/* The units of [middleware] that are about files of the package, in both forms.  Internal to
 * functions. */
#ifndef FUNCTIONS_MANIFEST_STATIC_H
#define FUNCTIONS_MANIFEST_STATIC_H

#include "functions/manifest_middleware.h"

MUST_CHECK bool manifest_read_assets(struct manifest_middleware *middleware,
                                     const struct manifest_table *table, struct error *error);
json_t *manifest_assets_tree(const struct manifest_middleware *middleware);
MUST_CHECK bool manifest_read_errors(struct manifest_middleware *middleware,
                                     const struct manifest_table *table, struct error *error);
json_t *manifest_errors_tree(const struct manifest_middleware *middleware);
/* Names joined by '/', as files of an archive may have them; neither first nor last a '/'. */
bool manifest_is_path(const char *text);

#endif
