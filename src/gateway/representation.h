/* SPDX-License-Identifier: Apache-2.0 */
/* The fields by which clients choose what they get of a file: Range, Accept-Encoding, If-None-Match
 * (RFC 9110 sections 14.2, 12.5.3, 13.1.2).  What is malformed is as if it were not there, as the
 * RFC asks.  Pure, never allocates. */
#ifndef GATEWAY_REPRESENTATION_H
#define GATEWAY_REPRESENTATION_H

#include "net/http.h"

enum range_verdict {
    RANGE_WHOLE, /* none was asked for, or in a way that is answered with all */
    RANGE_PART,
    RANGE_UNSATISFIABLE /* 416 */
};
struct range {
    uint64_t first, count; /* of PART: within the size, not empty */
};
/* One range of bytes of `size`.  Several are answered with the whole: they cost more than they save
 * (RFC 9110 section 14.2). */
enum range_verdict range_parse(struct range *range, struct bytes field, uint64_t size);

enum encoding {
    ENCODING_IDENTITY,
    ENCODING_GZIP,
    ENCODING_BROTLI,
    ENCODING_COUNT
};
/* "gzip", "br"; NULL for identity. */
const char *encoding_name(enum encoding encoding);
/* The best of those that there are (bits 1 << enum encoding): by the client's weights, then the
 * smaller one.  Identity is always there. */
enum encoding encoding_choose(struct bytes accept_encoding, unsigned available);

/* Is the tag, with its quotes, one of the list, or is the list "*"?  Compared weakly. */
bool etag_matches(struct bytes list, struct bytes etag);
/* Does the client want pages: is text/html named in Accept with a weight above 0? */
bool accepts_html(struct bytes accept);

/* By the name's ending; "application/octet-stream" for others. */
const char *content_type_of(struct bytes name);

#endif
