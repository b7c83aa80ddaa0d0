/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest's table [release]: whose signatures a version needs.  Internal to functions. */
#ifndef FUNCTIONS_MANIFEST_RELEASE_H
#define FUNCTIONS_MANIFEST_RELEASE_H

#include "base/json.h"
#include "functions/manifest.h"
#include "functions/manifest_reader.h"

MUST_CHECK bool manifest_read_release(struct manifest_release *release,
                                      const struct manifest_table *root, struct error *error);
/* A new object of the resolved form. */
json_t *manifest_release_tree(const struct manifest_release *release);

#endif
