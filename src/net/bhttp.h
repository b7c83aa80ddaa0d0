/* SPDX-License-Identifier: Apache-2.0 */
/* Binary HTTP (RFC 9292): one request or one final response as bytes.
 *
 * Decodes both forms, known-length and indeterminate-length; encodes the known-length form.
 * Strictly: minimal rules of section 3.6 (lower-case names, no field that frames a message or
 * manages a connection, no pseudo-fields), a method of ours, scheme "https", a target in origin
 * form; trailers are read and must be empty of such fields too, then dropped; what is left out at
 * the end (section 3.8) counts as empty, padding must be zeros.  Informational responses are
 * refused.  Numbers are QUIC's (RFC 9000 section 16), shortest form or not.
 *
 * A decoded message borrows its source, or, for indeterminate content, `space`. */
#ifndef NET_BHTTP_H
#define NET_BHTTP_H

#include "base/buffer.h"
#include "base/error.h"
#include "net/http.h"
#include "net/limits.h"

struct bhttp_request {
    enum http_method method;
    struct bytes authority; /* may be empty */
    struct bytes path;      /* with the query */
    struct http_field fields[HTTP_FIELD_COUNT_MAX];
    size_t field_count;
    struct bytes body;
};

struct bhttp_response {
    int status; /* 200 to 599 */
    struct http_field fields[HTTP_FIELD_COUNT_MAX];
    size_t field_count;
    struct bytes body;
};

/* `space` takes the content of an indeterminate message: `source.size` bytes are enough.  INVALID,
 * LIMIT (fields), UNSUPPORTED (method). */
MUST_CHECK bool bhttp_request_decode(struct bhttp_request *request, struct bytes source,
                                     uint8_t *space, struct error *error);
MUST_CHECK bool bhttp_response_decode(struct bhttp_response *response, struct bytes source,
                                      uint8_t *space, struct error *error);

/* Append the known-length form.  LIMIT when it doesn't fit the buffer. */
MUST_CHECK bool bhttp_request_encode(struct buffer *target, const struct bhttp_request *request,
                                     struct error *error);
/* Of an answer: status, fields, body. */
MUST_CHECK bool bhttp_response_encode(struct buffer *target, const struct http_answer *answer,
                                      struct error *error);

#endif
