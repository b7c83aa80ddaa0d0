/* SPDX-License-Identifier: Apache-2.0 */
/* One request of a function with all its hops: each is checked against the function's rules, its
 * host looked up once, every address checked, and only then asked.
 *
 * Redirects (301, 302, 303, 307, 308 with a Location) lead to at most REDIRECT_COUNT_MAX further
 * hops.  303, and 301 and 302 after POST, become GET without a body.  Away from the origin go only
 * fields that can't be credentials; never from https to http.  The limit on time is for all hops
 * together. */
#ifndef OUTBOUND_JOURNEY_H
#define OUTBOUND_JOURNEY_H

#include "outbound/message.h"
#include "outbound/resolver.h"

struct journey;

struct journey_world {
    struct transfers *transfers;
    struct resolver *resolver;
    const struct prefixes *allowed; /* besides public addresses */
};

/* `answer` is borrowed for the call; NULL: `error` says why.  DENIED (no rule, or from https to
 * http), UNSUPPORTED (an address that the operator does not allow), TIMEOUT, LIMIT, UNVERIFIED,
 * NOT_FOUND (no such host), INVALID, UNAVAILABLE. */
typedef void journey_done(void *context, const struct outbound_answer *answer,
                          const struct error *error);
/* Takes over `text`, a request as outbound/message.h has it.  `done` once, never from within. */
MUST_CHECK bool journey_start(struct journey **journey, const struct journey_world *world,
                              struct buffer *text, journey_done *done, void *context,
                              struct error *error);
void journey_cancel(struct journey *journey);
/* What transfers_options wants; `context` is a struct prefixes. */
bool journey_address_is_allowed(void *context, const struct sockaddr *address);

#endif
