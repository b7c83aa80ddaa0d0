/* SPDX-License-Identifier: Apache-2.0 */
/* Proposals for mistyped names: the known name that needs the fewest edits. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include "core/bytes.h"

/* The valid name nearest to `wrong` (edit distance at most 3), or NULL.  `names` ends with NULL. */
const char *nearest_name(const char *wrong, const char *const *names);

#endif
