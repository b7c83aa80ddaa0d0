/* SPDX-License-Identifier: Apache-2.0 */
/* The queries of the owners' API: which names each operation knows.  An unknown or repeated name is
 * an error, not nothing: `?weigth=5` would otherwise release to everybody. */
#ifndef GATEWAY_QUERY_H
#define GATEWAY_QUERY_H

#include "gateway/gateway.h"

/* INVALID, with the nearest name there is. */
MUST_CHECK bool query_check(enum gateway_operation operation, struct bytes query,
                            struct error *error);

#endif
