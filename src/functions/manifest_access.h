/* SPDX-License-Identifier: Apache-2.0 */
/* Who may call: `auth` of routes and the table [jwt].  Internal to functions. */
#ifndef FUNCTIONS_MANIFEST_ACCESS_H
#define FUNCTIONS_MANIFEST_ACCESS_H

#include "functions/manifest.h"
#include "functions/manifest_reader.h"

const char *manifest_auth_name(enum route_auth auth);
MUST_CHECK bool manifest_read_auth(enum route_auth *auth, const struct manifest_table *route,
                                   struct error *error);
/* After the routes: one with auth = "jwt" needs the table. */
MUST_CHECK bool manifest_read_jwt(struct manifest *manifest, const struct manifest_table *root,
                                  struct error *error);
/* A new object. */
json_t *manifest_jwt_tree(const struct manifest_jwt *jwt);

#endif
