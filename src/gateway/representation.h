/* SPDX-License-Identifier: Apache-2.0 */
/* The fields by which clients choose what they get of a file: Range, Accept-Encoding, If-None-Match
 * (RFC 9110 sections 14.2, 12.5.3, 13.1.2).  What is malformed is as if it were not there, as the
 * RFC asks.  Pure, never allocates. */
#ifndef GATEWAY_REPRESENTATION_H
#define GATEWAY_REPRESENTATION_H

#include "gateway/limits.h"
#include "net/http.h"

enum range_verdict {
    RANGE_WHOLE, /* none was asked for, or in a way that is answered with all */
    RANGE_PART,
    RANGE_PARTS,        /* two or more, in the order in which they were asked for */
    RANGE_UNSATISFIABLE /* 416 */
};
struct range {
    uint64_t first, count; /* within the size, not empty */
};
struct ranges {
    struct range items[GATEWAY_RANGE_COUNT_MAX];
    size_t count; /* of PART and PARTS */
};
/* Ranges of bytes of `size`; those beyond the end are left out.  More than can be given, ones that
 * overlap, and so many or large ones that the parts would take more than the whole are answered
 * with the whole (RFC 9110 section 14.2): no answer is longer than that. */
enum range_verdict ranges_parse(struct ranges *ranges, struct bytes field, uint64_t size);

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
/* The same compared strongly: weak tags are none. */
bool etag_matches_strongly(struct bytes list, struct bytes etag);
/* Does the client want pages: is text/html named in Accept with a weight above 0? */
bool accepts_html(struct bytes accept);

/* By the name's ending; "application/octet-stream" for others. */
const char *content_type_of(struct bytes name);

#endif
