/* SPDX-License-Identifier: Apache-2.0 */
/* Token buckets by name, in a table of fixed size.
 *
 * A bucket is kept as the time at which it will be full again (the generic cell rate algorithm,
 * ITU-T I.371, which is a token bucket without a counter): one that is full needs no room, so the
 * table forgets nothing that matters until GATEWAY_BUCKET_COUNT_MAX buckets are in use at once;
 * then the fullest of a few gives way, in its owner's favour.  Where a name stands can't be
 * foreseen from outside.  Owns its memory.  One thread. */
#ifndef GATEWAY_LIMITER_H
#define GATEWAY_LIMITER_H

#include "gateway/middleware.h"

#include "core/bytes.h"

struct limiter;

MUST_CHECK bool limiter_new(struct limiter **limiter, struct error *error);
void limiter_free(struct limiter *limiter);
DEFINE_AUTO(limiter, limiter_free)

/* Takes one token.  False: there is none; *wait_ms until there will be one. */
MUST_CHECK bool limiter_take(struct limiter *limiter, struct bytes name,
                             const struct gateway_rate *rate, uint64_t now_ms, uint64_t *wait_ms);

#endif
