/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.1 messages on the wire (RFC 9112), strictly: what two parsers could read differently is
 * refused.
 *
 * Works in steps on a caller's bytes; pure; never allocates.  Refused on purpose although RFC 9112
 * would let it pass: HTTP/1.0, absolute-form, asterisk-form and CONNECT targets, bare LF, obs-fold,
 * repeated Content-Length or Transfer-Encoding even when equal, codings other than chunked, chunk
 * extensions, trailers. */
#ifndef NET_HTTP1_H
#define NET_HTTP1_H

#include "core/writer.h"
#include "net/http.h"

enum http1_step {
    HTTP1_MORE, /* all bytes were read and more are needed */
    HTTP1_DATA, /* chunked only: a part of the body */
    HTTP1_DONE,
    HTTP1_BAD
};

/* Finds the end of a head, checking each byte as it comes.  Start with a zeroed scan; hand it the
 * bytes that are new each time. */
struct http1_scan {
    size_t size;      /* of the head so far; the whole head when DONE */
    size_t line_size; /* of the line at hand */
    size_t line_count;
    bool after_return; /* the last byte was CR */
    int status;        /* when BAD: the answer that fits (400, 414, 431) */
};
/* `*used`: how many of the bytes belong to this head. */
enum http1_step http1_scan(struct http1_scan *scan, struct bytes bytes, size_t *used);

struct http1_head {
    struct http_request request; /* borrows the head's bytes and `fields` */
    struct http_field fields[HTTP_FIELD_COUNT_MAX];
    bool is_chunked;
    bool close;           /* Connection: close */
    bool expect_continue; /* Expect: 100-continue */
};
/* Parses a head that http1_scan found complete; lowers the case of field names in place.  Returns 0
 * or the status to refuse it with. */
int http1_head_parse(struct http1_head *head, uint8_t *data, size_t size);

/* A chunked body.  Start zeroed.  Each call reads from the front of `bytes`: `*used` of them were
 * taken; DATA gives a part of the body, which points into `bytes`. */
struct http1_chunked {
    uint64_t left; /* of the chunk at hand */
    unsigned digits;
    unsigned state;
};
enum http1_step http1_chunked_read(struct http1_chunked *chunked, struct bytes bytes, size_t *used,
                                   struct bytes *data);

/* Writes status line and fields, with Content-Length: body_size unless the status has no body.
 * False when it does not fit or a field is not fit to be sent. */
MUST_CHECK bool http1_answer_write(struct writer *writer, const struct http_answer *answer,
                                   bool close);

#endif
