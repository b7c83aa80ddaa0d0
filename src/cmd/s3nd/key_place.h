/* SPDX-License-Identifier: Apache-2.0 */
/* Where an issuer's keys may be fetched from. */
#ifndef S3ND_KEY_PLACE_H
#define S3ND_KEY_PLACE_H

#include "base/error.h"

/* `place`: host:port:address, as http_fetch_locate writes it; DENIED unless the address is public,
 * or the operator allows this issuer. */
MUST_CHECK bool key_place_check(const char *place, bool is_allowed, struct error *error);

#endif
