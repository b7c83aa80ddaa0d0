/* SPDX-License-Identifier: Apache-2.0 */
/* Route patterns of [[trigger.http]], as a manifest may write them (the gateway matches them).
 *
 * A pattern is "/" followed by segments: literal text of unreserved URI characters, `:name` (one
 * segment of any non-empty text) or, last only, `*` (the rest of the path).  Never allocates. */
#ifndef FUNCTIONS_ROUTE_H
#define FUNCTIONS_ROUTE_H

#include "base/error.h"

/* Says why a pattern can't be one. */
MUST_CHECK bool route_check(const char *pattern, struct error *error);
/* True when the two patterns match exactly the same paths. */
bool route_is_same(const char *a, const char *b);

#endif
