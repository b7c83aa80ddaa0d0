/* SPDX-License-Identifier: Apache-2.0 */
/* The process for outbound requests, once it is jailed: takes requests from one socket
 * (outbound/message.h), runs them all at once, answers each when it is over. */
#ifndef OUTBOUND_SERVE_H
#define OUTBOUND_SERVE_H

#include "outbound/journey.h"

/* Takes over the socket.  Until the server hangs up (true). */
MUST_CHECK bool outbound_serve(int socket, const struct journey_world *world, struct error *error);

#endif
