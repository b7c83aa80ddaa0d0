/* SPDX-License-Identifier: Apache-2.0 */
/* The table [function.NAME] in both forms.  Internal to functions. */
#ifndef FUNCTIONS_MANIFEST_FUNCTION_H
#define FUNCTIONS_MANIFEST_FUNCTION_H

#include "functions/manifest.h"
#include "functions/manifest_reader.h"

/* `table`: of all functions; `json`: the value called `name`. */
MUST_CHECK bool manifest_read_function(struct manifest_function *function,
                                       const struct manifest_table *table, const char *name,
                                       const json_t *json, struct error *error);
/* The resolved form.  NULL when there is no memory. */
json_t *manifest_function_tree(const struct manifest_function *function);

#endif
