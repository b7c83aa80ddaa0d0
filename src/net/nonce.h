/* SPDX-License-Identifier: Apache-2.0 */
/* Remembers the nonces of accepted signatures so that none is accepted twice within the window of
 * SIGNATURE_AGE_S_MAX seconds around now.  Fixed memory: while it is full of nonces that still
 * matter, new ones are refused (BUSY), never forgotten early. */
#ifndef NET_NONCE_H
#define NET_NONCE_H

#include "base/error.h"

struct nonce_cache;

/* `count_max`: nonces remembered at once.  `since_s`: now; what was signed before is refused,
 * because a cache before this one may have seen it (a process that was started again remembers
 * nothing).  So is what was signed before anything that was forgotten: the clock may be set back.
 */
MUST_CHECK bool nonce_cache_new(struct nonce_cache **cache, uint32_t count_max, int64_t since_s,
                                struct error *error);
void nonce_cache_free(struct nonce_cache *cache);
DEFINE_AUTO(nonce_cache, nonce_cache_free)
/* Takes note of (key, nonce), whose signature was created at `created_s`.  UNAUTHENTICATED when it
 * was there already or is from before `since_s`, BUSY when full. */
MUST_CHECK bool nonce_cache_use(struct nonce_cache *cache, const struct digest32 *key_id,
                                struct bytes nonce, int64_t created_s, int64_t now_s,
                                struct error *error);

#endif
