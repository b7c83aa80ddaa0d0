/* SPDX-License-Identifier: Apache-2.0 */
/* A request to a node that only the node's keeper can open: sealed to the keyset that the session
 * verified (RFC 9458), its answer sealed to us. */
#ifndef S3N_SEALED_CALL_H
#define S3N_SEALED_CALL_H

#include "cmd/s3n/session.h"

/* As session_request; the request may not be signed.  An answer that the node gives in the clear is
 * a refusal: it comes as it is, with a status of 400 or more.  UNVERIFIED when the answer doesn't
 * open. */
MUST_CHECK bool sealed_call(struct session *session, const struct session_request *request,
                            struct http_client_answer *answer, struct error *error);

#endif
