/* SPDX-License-Identifier: Apache-2.0 */
/* Inside gateway: requests that may be repeated (draft-ietf-httpapi-idempotency-key-header-06).
 *
 * This stage reads the key, says what makes two requests the same, and lets one request of a key in
 * at a time.  What was answered is kept by the program, in the application's state. */
#ifndef GATEWAY_IDEMPOTENCY_H
#define GATEWAY_IDEMPOTENCY_H

#include "gateway/stage.h"

/* The key inside a field: a string of RFC 8941 without escapes, or the same without its quotes; 1
 * to GATEWAY_KEY_SIZE_MAX visible characters, none of " \ , ;  Borrows. */
MUST_CHECK bool idempotency_key_parse(struct bytes *key, struct bytes field);

/* The key is another request's. */
void idempotency_refuse(struct refusal *refusal);
bool stage_idempotency(struct gateway *gateway, struct gateway_request *request,
                       struct refusal *refusal);
/* The request is over: whoever waits for its key is next, at once or with the next tick. */
void idempotency_leave(struct gateway *gateway, struct gateway_request *request, bool at_once);
void idempotency_tick(struct gateway *gateway);

#endif
