/* SPDX-License-Identifier: Apache-2.0 */
/* Reading both forms of the manifest from a JSON tree, every key checked.  Internal to functions.
 */
#ifndef FUNCTIONS_MANIFEST_TREE_H
#define FUNCTIONS_MANIFEST_TREE_H

#include "functions/manifest.h"
#include "functions/manifest_reader.h"

/* Fills a manifest whose arena is made. */
MUST_CHECK bool manifest_read_tree(struct manifest *manifest, const json_t *root,
                                   const struct manifest_source *source, struct error *error);

#endif
