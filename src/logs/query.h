/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of a log: the query of `GET /v1/applications/APP/logs`, and times as people say
 * them. */
#ifndef LOGS_QUERY_H
#define LOGS_QUERY_H

#include "base/error.h"
#include "core/bytes.h"

struct log_query {
    uint64_t after;    /* segments behind this number */
    int64_t since_ms;  /* and with records of this time or later; 0: all */
    uint64_t size_max; /* bytes of segments, but at least one; 0: as many as an answer has room for
                        */
};
/* "after=7&since_ms=1700000000000&size_max=1000", each at most once, in any order.  INVALID names
 * what can't be read. */
MUST_CHECK bool log_query_parse(struct log_query *query, struct bytes text, struct error *error);

/* "90s", "10m", "2h", "3d" before now, or a time of RFC 3339; ms since 1970. */
MUST_CHECK bool log_since_parse(int64_t *since_ms, struct bytes text, int64_t now_ms,
                                struct error *error);

#endif
