/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of paths, as `files` of a manifest has them.
 *
 * A path is matched name by name.  In a name, `*` stands for any bytes and `?` for one character;
 * `**` as a whole name stands for any number of folders, also for none, and at the end for
 * everything below.  A name that begins with a dot is matched only by one that does so too. */
#ifndef FILES_PATTERN_H
#define FILES_PATTERN_H

#include "base/error.h"

/* INVALID: an absolute pattern, "." or "..", an empty name, no UTF-8. */
MUST_CHECK bool pattern_check(struct bytes pattern, struct error *error);
/* Of a pattern that was checked.  The time grows with the product of both sizes, no faster. */
bool pattern_matches(struct bytes pattern, struct bytes path);
/* Whether something below the folder `path` might match. */
bool pattern_reaches(struct bytes pattern, struct bytes path);

#endif
