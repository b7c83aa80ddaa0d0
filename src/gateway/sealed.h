/* SPDX-License-Identifier: Apache-2.0 */
/* Inside gateway: requests that were sealed to the node's keyset (RFC 9458 with RFC 9292), and
 * their answers.
 *
 * POST /.well-known/ohttp-gateway carries one call of a function.  It is opened when complete, must
 * carry a date of about now and an encapsulated key that was not seen before, and then passes the
 * stages in front of it as if it had come by itself.  Whatever is answered from then on is sealed
 * to the caller, refusals too.  What does not open is refused in the clear and says nothing of what
 * is inside. */
#ifndef GATEWAY_SEALED_H
#define GATEWAY_SEALED_H

#include "gateway/stage.h"

#define SEALED_REQUEST_TYPE  "message/ohttp-req"
#define SEALED_RESPONSE_TYPE "message/ohttp-res"

/* From opening to answering. */
struct sealed_request {
    struct ohttp_exchange exchange;
    struct buffer plain;
    uint8_t *space; /* content of an indeterminate message */
    struct bhttp_request inner;
    struct http_request request; /* the inner one, as stages and handlers know requests */
};

void sealed_request_free(struct sealed_request *sealed);

bool stage_sealed(struct gateway *gateway, struct gateway_request *request,
                  struct refusal *refusal);
/* Appends the answer as the caller alone can read it. */
MUST_CHECK bool sealed_answer(struct buffer *text, const struct gateway_request *request,
                              const struct http_answer *answer, struct error *error);
/* "Sat, 21 Nov 2026 22:30:00 GMT" (RFC 9110 section 5.6.7); false for other forms. */
MUST_CHECK bool sealed_date_parse(int64_t *time_s, struct bytes text);

#endif
