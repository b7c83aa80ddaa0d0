/* SPDX-License-Identifier: Apache-2.0 */
/* Web origins as browsers write them (RFC 6454 section 6.2, URL Standard): scheme "://" host
 * [":" port], in lower case, without the scheme's own port.  Never allocates. */
#ifndef BASE_ORIGIN_H
#define BASE_ORIGIN_H

#include "core/bytes.h"

/* Of http or https.  "null", what a page without an origin says, is none. */
bool origin_is_valid(struct bytes text);

#endif
