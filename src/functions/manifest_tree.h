/* SPDX-License-Identifier: Apache-2.0 */
/* Reading both forms of the manifest from a JSON tree, every key checked.  Internal to functions.
 */
#ifndef FUNCTIONS_MANIFEST_TREE_H
#define FUNCTIONS_MANIFEST_TREE_H

#include "base/toml.h"
#include "functions/manifest.h"

/* Where a tree came from: the source form has a document (and lines), the resolved form has none.
 */
struct manifest_source {
    const char *file_name;
    const struct toml_document *document;
};

/* Fills a manifest whose arena is made. */
MUST_CHECK bool manifest_read_tree(struct manifest *manifest, const json_t *root,
                                   const struct manifest_source *source, struct error *error);

#endif
