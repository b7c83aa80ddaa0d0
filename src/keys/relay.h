/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's way to a key broker: the keeper has no network, so a process of its own (s3n-relay)
 * carries each request there and its answer back, over one socket (base/ipc.h).
 *
 *     RELAY_EXCHANGE   path: u16 size and text; body: the rest (empty: GET)   (status u16, body)
 *
 * The relay knows the broker's address and roots; it sees what travels inside TLS, which without
 * the handshake's key opens nothing.  It goes to no other host, and only below /kbs/v0/. */
#ifndef KEYS_RELAY_H
#define KEYS_RELAY_H

#include "keys/kbs.h"

struct relay;

/* Takes over the socket.  UNAVAILABLE when the relay is gone, TIMEOUT behind RELAY_TIMEOUT_MS. */
MUST_CHECK bool relay_connect(struct relay **relay, int socket, struct error *error);
void relay_close(struct relay *relay);
DEFINE_AUTO(relay, relay_close)
struct kbs_carrier relay_carrier(struct relay *relay);

/* The other end: serves until the keeper closes the socket, at most RELAY_EXCHANGES_MAX requests.
 * false on a request that is not one of these. */
MUST_CHECK bool relay_serve(const struct kbs_carrier *carrier, int socket, struct error *error);

#endif
