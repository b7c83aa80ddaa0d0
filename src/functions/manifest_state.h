/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest's table [state]: how much of it the application may have.
 * Internal to functions. */
#ifndef FUNCTIONS_MANIFEST_STATE_H
#define FUNCTIONS_MANIFEST_STATE_H

#include "base/json.h"
#include "functions/manifest.h"
#include "functions/manifest_reader.h"

MUST_CHECK bool manifest_read_state(struct manifest_state *state, const struct manifest_table *root,
                                    struct error *error);
/* A new object of the resolved form; NULL: the manifest says nothing. */
json_t *manifest_state_tree(const struct manifest_state *state);

#endif
