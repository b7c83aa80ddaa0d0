/* SPDX-License-Identifier: Apache-2.0 */
/* A reader's side: pages of segments as the node sends them (JSON, api/openapi.yaml LogPage), and
 * whether they are what they should be.
 *
 * Pages must be one chain of segments of one stream, without a gap between or within them but where
 * the oldest have expired, which ends in the head that the node says; and it must go on from the
 * last segment that was seen at some earlier time, wherever it is among what comes. */
#ifndef LOGS_PAGE_H
#define LOGS_PAGE_H

#include "base/json.h"
#include "logs/segment.h"

struct log_page {
    struct log_chain head; /* the last segment that there is; not begun: there was none ever */
    uint64_t first;        /* the oldest that is kept; 0: none */
    bool more;
    const json_t *segments; /* borrowed of the JSON */
};
MUST_CHECK bool log_page_parse(struct log_page *page, const json_t *root, struct error *error);

struct log_reading {
    struct log_chain chain; /* read up to here */
    struct log_chain seen;  /* the last that was seen; not begun: none */
    uint64_t expired;       /* segments that went before they were read, since the last page */
};
/* Each segment, checked; borrowed for the call. */
typedef bool log_segment_take(void *context, const struct log_segment *segment,
                              struct error *error);
/* Takes the page's segments in order, after reading->chain.  UNVERIFIED says what is wrong, with
 * its number; segments before were taken.  Of the last page (not `more`) the head becomes what was
 * seen. */
MUST_CHECK bool log_page_take(struct log_reading *reading, const struct log_page *page,
                              log_segment_take *take, void *context, struct error *error);

#endif
